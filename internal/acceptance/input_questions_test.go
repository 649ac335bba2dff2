package acceptance

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

// TestBadQuestions asks for hostile text where nothing is stored.
func TestBadQuestions(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w := newWorld(t, k.open(t))
		ctx := ctxOf(t)
		ann := newCast(w).ann
		before, err := dump(ctx, w.store, names, nil)
		w.must(err)
		questions := map[string]struct {
			ask  func(s string) error
			want error // nil is no error
		}{
			"ByName":    {func(s string) error { _, err := w.ByName(ctx, s); return err }, roster.ErrNotFound},
			"ByEmail":   {func(s string) error { _, err := w.ByEmail(ctx, s); return err }, roster.ErrNotFound},
			"ByAddress": {func(s string) error { _, err := w.ByAddress(ctx, s); return err }, roster.ErrNotFound},
			"Activate":  {func(s string) error { _, err := w.Activate(ctx, s); return err }, roster.ErrActivation},
			"Peek":      {func(s string) error { _, err := w.Peek(ctx, s); return err }, roster.ErrActivation},
			"ResetPassword": {
				func(s string) error { _, err := w.ResetPassword(ctx, s, otherPassword); return err },
				roster.ErrActivation,
			},
			"ActivateWithPassword": {
				func(s string) error { _, err := w.ActivateWithPassword(ctx, s, otherPassword); return err },
				roster.ErrActivation,
			},
			"UndoChange": {
				func(s string) error { _, err := w.UndoChange(ctx, s, otherPassword); return err },
				roster.ErrActivation,
			},
			"AcceptChange":         {func(s string) error { return w.AcceptChange(ctx, s) }, roster.ErrActivation},
			"ResendActivation":     {func(s string) error { return w.ResendActivation(ctx, s) }, nil},
			"RequestPasswordReset": {func(s string) error { return w.RequestPasswordReset(ctx, s) }, nil},
			"Authenticate login":   {func(s string) error { _, err := w.Authenticate(ctx, s, goodPassword); return err }, roster.ErrCredentials},
			"Authenticate password": {
				func(s string) error { _, err := w.Authenticate(ctx, "ann", s); return err },
				roster.ErrCredentials,
			},
			"RenewPassword login":   {func(s string) error { _, err := w.RenewPassword(ctx, s, goodPassword, otherPassword); return err }, roster.ErrCredentials},
			"RenewPassword current": {func(s string) error { _, err := w.RenewPassword(ctx, "ann", s, otherPassword); return err }, roster.ErrCredentials},
			"CheckPassword":         {func(s string) error { return w.CheckPassword(ctx, ann.ID, s) }, roster.ErrCredentials},
			"ChangePassword current": {
				func(s string) error { return w.ChangePassword(ctx, ann.ID, s, otherPassword) },
				roster.ErrCredentials,
			},
			"EmailInUse": {func(s string) error {
				used, err := w.EmailInUse(ctx, s)
				if used {
					return errors.New("in use")
				}
				if errors.Is(err, roster.ErrInvalid) && invalidOf(roster.FieldEmail)(err) {
					return nil
				}
				return err
			}, nil},
			"Search cursor": {func(s string) error {
				if s == "" {
					s = "x"
				}
				_, err := w.Search(ctx, roster.Query{Cursor: s})
				if !invalidOf(roster.FieldCursor)(err) {
					return fmt.Errorf("%w, want an InvalidError", err)
				}
				return nil
			}, nil},
			"Search": {func(s string) error {
				_, err := w.Search(ctx, roster.Query{Pattern: s})
				if err != nil && invalidOf(roster.FieldPattern)(err) {
					err = nil
				}
				return err
			}, nil},
			"Count": {func(s string) error {
				_, err := w.Count(ctx, roster.Query{Pattern: s})
				if err != nil && invalidOf(roster.FieldPattern)(err) {
					err = nil
				}
				return err
			}, nil},
		}
		asked := 0
		for name, q := range questions {
			for _, s := range slices.Concat(unstorable, unreadable, fragments, odd, floods, []string{"", " "}) {
				asked++
				check := func() {
					if err := q.ask(s); !errors.Is(err, q.want) || q.want == nil && err != nil {
						t.Fatalf("%s(%.60q): %v, want %v", name, s, err, q.want)
					}
				}
				if len(s) > 1<<20 {
					quick(t, fmt.Sprintf("%s(%.20q and so on)", name, s), check)
				} else {
					check()
				}
			}
		}
		if mails := w.post.take(); len(mails) > 0 {
			t.Errorf("%d mails left", len(mails))
		}
		after, err := dump(ctx, w.store, names, nil)
		w.must(err)
		if after != before {
			t.Errorf("asking has changed something:\n%s", cmp.Diff(before, after))
		}
		t.Logf("%d questions", asked)
	})
}

// TestBadIDs calls every verb with IDs that are no IDs, or nobody's.
func TestBadIDs(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w := newWorld(t, k.open(t))
		ctx := ctxOf(t)
		ann := newCast(w).ann
		ben := w.active("other", "other@example.org")
		theirs := emailOf(w, ben.ID, "other@example.org")
		before, err := dump(ctx, w.store, names, nil)
		w.must(err)
		verbs := map[string]func(id roster.UserID) error{
			"ByID":              func(id roster.UserID) error { _, err := w.ByID(ctx, id); return err },
			"Emails":            func(id roster.UserID) error { _, err := w.Emails(ctx, id); return err },
			"PrimaryEmail":      func(id roster.UserID) error { _, err := w.PrimaryEmail(ctx, id); return err },
			"AddEmail":          func(id roster.UserID) error { _, err := w.AddEmail(ctx, id, "x@example.org"); return err },
			"ChangeEmail":       func(id roster.UserID) error { _, err := w.ChangeEmail(ctx, id, "x@example.org"); return err },
			"AddActivatedEmail": func(id roster.UserID) error { _, err := w.AddActivatedEmail(ctx, id, "x@example.org"); return err },
			"SetPrimaryEmail":   func(id roster.UserID) error { return w.SetPrimaryEmail(ctx, id, theirs.ID) },
			"RemoveEmail":       func(id roster.UserID) error { return w.RemoveEmail(ctx, id, theirs.ID) },
			"ActivateUser":      func(id roster.UserID) error { return w.ActivateUser(ctx, id) },
			"Disable":           func(id roster.UserID) error { return w.Disable(ctx, id) },
			"Enable":            func(id roster.UserID) error { return w.Enable(ctx, id) },
			"Delete":            func(id roster.UserID) error { return w.Delete(ctx, id) },
			"Restore":           func(id roster.UserID) error { return w.Restore(ctx, id) },
			"Purge":             func(id roster.UserID) error { return w.Purge(ctx, id) },
			"Edit":              func(id roster.UserID) error { return w.Edit(ctx, id, func(*roster.User) error { return nil }) },
			"Save":              func(id roster.UserID) error { return w.Save(ctx, &roster.User{ID: id, Name: "x"}) },
			"SetPassword":       func(id roster.UserID) error { return w.SetPassword(ctx, id, otherPassword) },
			"GeneratePassword": func(id roster.UserID) error {
				_, err := w.GeneratePassword(ctx, id, roster.Generated{})
				return err
			},
			"RequirePasswordChange": func(id roster.UserID) error { return w.RequirePasswordChange(ctx, id, time.Hour) },
			"RequirePasswordReset":  func(id roster.UserID) error { return w.RequirePasswordReset(ctx, id) },
			"RemovePassword":        func(id roster.UserID) error { return w.RemovePassword(ctx, id) },
			"CheckPassword":         func(id roster.UserID) error { return w.CheckPassword(ctx, id, goodPassword) },
			"ChangePassword":        func(id roster.UserID) error { return w.ChangePassword(ctx, id, goodPassword, otherPassword) },
		}
		for name, verb := range verbs {
			for _, id := range []roster.UserID{0, -1, math.MinInt64} {
				if err := verb(id); !invalidOf(roster.FieldID)(err) {
					t.Errorf("%s(%d): %v", name, id, err)
				}
			}
			for _, id := range []roster.UserID{ben.ID + 1000, math.MaxInt64} {
				want := roster.ErrNotFound
				if strings.HasSuffix(name, "kPassword") || name == "ChangePassword" {
					want = roster.ErrCredentials
				}
				if err := verb(id); !errors.Is(err, want) {
					t.Errorf("%s(%d): %v, want %v", name, id, err, want)
				}
			}
		}
		for name, verb := range map[string]func(id roster.EmailID) error{
			"SetPrimaryEmail": func(id roster.EmailID) error { return w.SetPrimaryEmail(ctx, ann.ID, id) },
			"RemoveEmail":     func(id roster.EmailID) error { return w.RemoveEmail(ctx, ann.ID, id) },
		} {
			for _, id := range []roster.EmailID{0, -1, math.MinInt64} {
				if err := verb(id); !invalidOf(roster.FieldEmail)(err) {
					t.Errorf("%s(%d): %v", name, id, err)
				}
			}
			for _, id := range []roster.EmailID{theirs.ID, theirs.ID + 1000, math.MaxInt64} {
				if err := verb(id); !errors.Is(err, roster.ErrNotFound) {
					t.Errorf("%s(%d): %v", name, id, err)
				}
			}
		}
		if _, err := w.ByUUID(ctx, uuid.Nil); !invalidOf(roster.FieldUUID)(err) {
			t.Errorf("ByUUID(nil): %v", err)
		}
		if _, err := w.ByUUID(ctx, uuid.New()); !errors.Is(err, roster.ErrNotFound) {
			t.Errorf("ByUUID(unknown): %v", err)
		}
		if err := w.Create(ctx, &roster.User{Name: "copy", UUID: ann.UUID}); !conflict(roster.FieldUUID)(err) {
			t.Errorf("Create with a UUID that is taken: %v", err)
		}
		for _, q := range []roster.Query{{Limit: -1}, {Limit: 501}, {Limit: math.MinInt}, {Limit: math.MaxInt}} {
			if _, err := w.Search(ctx, q); !invalidOf(roster.FieldLimit)(err) {
				t.Errorf("limit %d: %v", q.Limit, err)
			}
		}
		if _, err := w.Search(ctx, roster.Query{State: 200}); !invalidOf(roster.FieldState)(err) {
			t.Errorf("unknown state: %v", err)
		}
		if _, err := w.Prune(ctx, roster.Budget{Rows: -1}); !invalidOf(roster.FieldLimit)(err) {
			t.Errorf("negative budget: %v", err)
		}
		many := make([]roster.UserID, k.some(100_000, 100_000))
		for i := range many {
			many[i] = roster.UserID(i - 1000)
		}
		users, err := w.ByIDs(ctx, many...)
		if err != nil || len(users) == 0 {
			t.Errorf("%d IDs found %d users: %v", len(many), len(users), err)
		}
		of, err := w.EmailsOf(ctx, many...)
		if err != nil || len(of) == 0 {
			t.Errorf("%d IDs found the addresses of %d users: %v", len(many), len(of), err)
		}
		if err := w.Edit(ctx, ann.ID, func(u *roster.User) error { u.Flags = 1 << 31; return nil }); !invalidOf(roster.FieldFlags)(err) {
			t.Errorf("unknown flag: %v", err)
		}
		after, err := dump(ctx, w.store, names, nil)
		w.must(err)
		if after != before {
			t.Errorf("something has changed:\n%s", cmp.Diff(before, after))
		}
	})
}
