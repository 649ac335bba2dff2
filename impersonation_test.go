package roster_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

var errNotAllowed = errors.New("not in working hours")

// office is two people, of whom ada may act as others while open is set.
type office struct {
	*rostertest.Env
	ada, ben *roster.User
	open     bool
	asked    int
	log      bytes.Buffer
}

func newOffice(t testing.TB) *office {
	o := &office{open: true}
	o.Env = rostertest.New(t, func(opts *roster.Options) {
		opts.Logger = slog.New(slog.NewJSONHandler(&o.log, nil))
		opts.MayImpersonate = func(_ context.Context, actor, target *roster.User) error {
			o.asked++
			if actor.Name != "ada" || actor.ID == target.ID {
				return roster.ErrForbidden
			}
			if !o.open {
				return errNotAllowed
			}
			return nil
		}
	})
	o.ada, o.ben = o.MustRegister("ada"), o.MustRegister("ben")
	return o
}

// act signs ada in and lets her act as somebody.
func (o *office) act(t testing.TB, as *roster.User) (own, token string) {
	t.Helper()
	_, own = signIn(t, o.Env, "ada")
	_, renewed, err := o.Impersonate(t.Context(), own, as.ID)
	if err != nil {
		t.Fatal(err)
	}
	return own, renewed.Reveal()
}

func TestImpersonate(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	_, own := signIn(t, o.Env, "ada")
	o.Clock.Advance(5 * time.Minute)
	s, token, err := o.Impersonate(ctx, own, o.ben.ID)
	if err != nil {
		t.Fatal(err)
	}
	now := o.Clock.Now()
	dead(t, o.Env, "the own one", own)
	for what, s := range map[string]*roster.Session{"started": s, "found": live(t, o.Env, "acting", token.Reveal())} {
		if !s.IsImpersonated() || s.UserID != o.ben.ID || s.ImpersonatorID != o.ada.ID || s.User.Name != "ben" || s.Impersonator.Name != "ada" ||
			!s.CreatedAt.Equal(now) || !s.AuthenticatedAt.Equal(now.Add(-5*time.Minute)) || !s.ExpiresAt.Equal(now.Add(time.Hour)) {
			t.Errorf("%s: %+v", what, s)
		}
	}
	if u, err := o.ByID(ctx, o.ben.ID); err != nil || !u.LastLoginAt.IsZero() {
		t.Errorf("ben seems to have signed in at %v (%v)", u.LastLoginAt, err)
	}
	if all, err := o.Sessions(ctx, o.ben.ID); err != nil || len(all) != 1 || all[0].ImpersonatorID != o.ada.ID {
		t.Errorf("ben sees %d sessions (%v)", len(all), err)
	}

	// What concerns the account is refused, and so is acting as a third one.
	third := o.MustRegister("cid")
	for what, err := range map[string]error{
		"ChangePasswordIn":  third3(o.ChangePasswordIn(ctx, token.Reveal(), rostertest.Password, "quite another password")),
		"Reauthenticate":    third3(o.Reauthenticate(ctx, token.Reveal(), rostertest.Password)),
		"EndOtherSessions":  second2(o.EndOtherSessions(ctx, token.Reveal())),
		"Impersonate":       third3(o.Impersonate(ctx, token.Reveal(), third.ID)),
		"Impersonate again": third3(o.Impersonate(ctx, token.Reveal(), o.ben.ID)),
		"RequireFresh":      o.RequireFresh(s),
	} {
		if !errors.Is(err, roster.ErrForbidden) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, renewed, err := o.RenewSession(ctx, token.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if s := live(t, o.Env, "renewed", renewed.Reveal()); s.ImpersonatorID != o.ada.ID {
		t.Error("a renewal hides who acts")
	}

	o.Clock.Advance(3 * time.Minute)
	back, again, err := o.StopImpersonating(ctx, renewed.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	dead(t, o.Env, "acting", renewed.Reveal())
	dead(t, o.Env, "the first own one", own)
	for what, s := range map[string]*roster.Session{"started": back, "found": live(t, o.Env, "back", again.Reveal())} {
		if s.IsImpersonated() || s.UserID != o.ada.ID || s.Impersonator != nil || !s.AuthenticatedAt.Equal(now.Add(-5*time.Minute)) ||
			!s.ExpiresAt.Equal(now.Add(7*24*time.Hour-5*time.Minute)) {
			t.Errorf("back, %s: %+v", what, s)
		}
	}
	if _, _, err := o.StopImpersonating(ctx, again.Reveal()); !errors.Is(err, roster.ErrForbidden) {
		t.Errorf("nobody acts, and stops: %v", err)
	}
	log := o.log.String()
	for _, what := range []string{"started", "ended"} {
		if want := fmt.Sprintf(`"msg":"impersonation","what":"%s","impersonator":%d,"user":%d,"session":"%s"`, what, o.ada.ID, o.ben.ID, s.ID); strings.Count(log, want) != 1 {
			t.Errorf("no line that it has %s: %s", what, log)
		}
	}
}

func third3[A, B any](_ A, _ B, err error) error { return err }
func second2[A any](_ A, err error) error        { return err }

func TestWhoMayImpersonateWhom(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	edit := func(name string, fn func(u *roster.User)) roster.UserID {
		u := o.MustRegister(name)
		if err := o.Edit(ctx, u.ID, func(u *roster.User) error { fn(u); return nil }); err != nil {
			t.Fatal(err)
		}
		return u.ID
	}
	privileged := edit("privileged", func(u *roster.User) { u.Flags = roster.FlagPrivileged })
	banned := edit("banned", func(u *roster.User) { u.Flags = roster.FlagBanned })
	deleted := edit("gone", func(*roster.User) {})
	if err := o.Delete(ctx, deleted); err != nil {
		t.Fatal(err)
	}
	pending, err := o.Register(ctx, roster.NewUser{Name: "pending", Email: "pending@example.org", Password: rostertest.Password})
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		who    string
		target roster.UserID
		wait   time.Duration
		shut   bool
		want   error
	}{
		"allowed":            {who: "ada", target: o.ben.ID},
		"somebody else":      {who: "ben", target: o.ada.ID, want: roster.ErrForbidden},
		"oneself":            {who: "ada", target: o.ada.ID, want: roster.ErrForbidden},
		"a privileged user":  {who: "ada", target: privileged, want: roster.ErrForbidden},
		"a banned user":      {who: "ada", target: banned, want: roster.ErrForbidden},
		"a deleted user":     {who: "ada", target: deleted, want: roster.ErrForbidden},
		"a pending user":     {who: "ada", target: pending.ID, want: roster.ErrForbidden},
		"nobody":             {who: "ada", target: 4711, want: roster.ErrForbidden},
		"ID 0":               {who: "ada", want: roster.ErrForbidden},
		"nearly fresh":       {who: "ada", target: o.ben.ID, wait: 10*time.Minute - time.Microsecond},
		"no longer fresh":    {who: "ada", target: o.ben.ID, wait: 10 * time.Minute, want: roster.ErrReauthenticate},
		"the host says no":   {who: "ada", target: o.ben.ID, shut: true, want: errNotAllowed},
		"by one who may not": {who: "ben", target: 4711, want: roster.ErrForbidden},
	} {
		_, token := signIn(t, o.Env, c.who)
		o.Clock.Advance(c.wait)
		o.open = !c.shut
		s, renewed, err := o.Impersonate(ctx, token, c.target)
		o.open = true
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
		if c.want != nil {
			live(t, o.Env, what+": the own session", token)
			if s != nil || !renewed.IsZero() {
				t.Errorf("%s: a session beside the error", what)
			}
		}
	}
	if _, _, err := o.Impersonate(ctx, "", o.ben.ID); !errors.Is(err, roster.ErrNoSession) {
		t.Errorf("without a session: %v", err)
	}

	env := rostertest.New(t)
	env.MustRegister("ada")
	ben := env.MustRegister("ben")
	_, token := signIn(t, env, "ada")
	if _, _, err := env.Impersonate(ctx, token, ben.ID); !errors.Is(err, roster.ErrForbidden) {
		t.Errorf("where nobody may: %v", err)
	}
}

// Whatever happens to either account, or to the right to act, is the end.
func TestWhatEndsImpersonation(t *testing.T) {
	for what, end := range map[string]func(ctx context.Context, o *office) error{
		"an hour": func(_ context.Context, o *office) error { o.Clock.Advance(time.Hour); return nil },
		"the right is gone": func(_ context.Context, o *office) error {
			o.open = false
			return nil
		},
		"the impersonator's password":  func(ctx context.Context, o *office) error { return o.SetPassword(ctx, o.ada.ID, rostertest.Password) },
		"the impersonator is disabled": func(ctx context.Context, o *office) error { return o.Disable(ctx, o.ada.ID) },
		"the impersonator is deleted":  func(ctx context.Context, o *office) error { return o.Delete(ctx, o.ada.ID) },
		"the impersonator is purged":   func(ctx context.Context, o *office) error { return o.Purge(ctx, o.ada.ID) },
		"the impersonator ends all":    func(ctx context.Context, o *office) error { return o.EndSessions(ctx, o.ada.ID) },
		"the user's password":          func(ctx context.Context, o *office) error { return o.SetPassword(ctx, o.ben.ID, rostertest.Password) },
		"the user is disabled":         func(ctx context.Context, o *office) error { return o.Disable(ctx, o.ben.ID) },
		"the user is purged":           func(ctx context.Context, o *office) error { return o.Purge(ctx, o.ben.ID) },
		"the user becomes privileged":  func(ctx context.Context, o *office) error { return flag(ctx, o, o.ben.ID, roster.FlagPrivileged) },
		"the impersonator is banned":   func(ctx context.Context, o *office) error { return flag(ctx, o, o.ada.ID, roster.FlagBanned) },
		"the user ends it from the list": func(ctx context.Context, o *office) error {
			all, err := o.Sessions(ctx, o.ben.ID)
			if err != nil {
				return err
			}
			return o.EndSession(ctx, o.ben.ID, all[0].ID)
		},
	} {
		o := newOffice(t)
		own, token := o.act(t, o.ben)
		o.Clock.Advance(time.Second)
		live(t, o.Env, "before "+what, token)
		if err := end(t.Context(), o); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		dead(t, o.Env, what, token)
		dead(t, o.Env, what, own)
		if _, _, err := o.StopImpersonating(t.Context(), token); !errors.Is(err, roster.ErrNoSession) {
			t.Errorf("%s: back all the same: %v", what, err)
		}
	}

	// Past every verb: the rule itself looks at both accounts.
	for what, change := range map[string]func(u *roster.User){
		"disabled":             func(u *roster.User) { u.Enabled = false },
		"changed":              func(u *roster.User) { u.AuthChangedAt = u.CreatedAt },
		"no longer activated ": func(u *roster.User) { u.ActivatedAt = time.Time{} },
	} {
		for _, name := range []string{"ada", "ben"} {
			o := newOffice(t)
			_, token := o.act(t, o.ben)
			u, err := o.ByName(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			change(u)
			if err := o.Store.UpdateUser(t.Context(), u, name); err != nil {
				t.Fatal(err)
			}
			dead(t, o.Env, name+" is "+what, token)
		}
	}

	// That it cannot be known is no end.
	o := newOffice(t)
	_, token := o.act(t, o.ben)
	down := &roster.UnavailableError{What: "permissions"}
	o2, err := roster.New(o.Store, &roster.Options{Now: o.Clock.Now, MayImpersonate: func(context.Context, *roster.User, *roster.User) error { return down }})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := o2.Session(t.Context(), token); !errors.Is(err, roster.ErrUnavailable) || s != nil {
		t.Errorf("while permissions cannot be asked: %v", err)
	}
	live(t, o.Env, "afterwards", token)
}

func flag(ctx context.Context, o *office, id roster.UserID, fl roster.Flags) error {
	return o.Edit(ctx, id, func(u *roster.User) error { u.Flags |= fl; return nil })
}

// Of what was left of the own session no more comes back.
func TestImpersonationGivesNoTime(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	_, own := signIn(t, o.Env, "ada")
	short, err := roster.New(o.Store, &roster.Options{
		Now: o.Clock.Now, SessionTTL: 30 * time.Minute, FreshFor: time.Hour,
		MayImpersonate: func(context.Context, *roster.User, *roster.User) error { return nil },
		Hasher:         rostertest.Hasher{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.SignOut(ctx, own); err != nil {
		t.Fatal(err)
	}
	s, token, err := short.SignIn(ctx, "ada", rostertest.Password)
	if err != nil {
		t.Fatal(err)
	}
	ends := s.ExpiresAt
	o.Clock.Advance(10 * time.Minute)
	for range 3 {
		if s, token, err = short.Impersonate(ctx, token.Reveal(), o.ben.ID); err != nil || !s.ExpiresAt.Equal(ends) {
			t.Fatalf("acting until %v, %v", s, err)
		}
		o.Clock.Advance(time.Minute)
		if s, token, err = short.StopImpersonating(ctx, token.Reveal()); err != nil || !s.ExpiresAt.Equal(ends) {
			t.Fatalf("back until %v, %v", s, err)
		}
	}
}
