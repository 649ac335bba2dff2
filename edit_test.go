package roster_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

func TestEdit(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	env.Clock.Advance(time.Hour)
	must(t, env.Edit(ctx, u.ID, func(u *roster.User) error {
		u.RealName, u.Locale, u.Timezone, u.Flags = "Ann Example", "de_DE", "Asia/Tokyo", roster.FlagShowEmail|roster.FlagReadOnly
		return nil
	}))
	got, err := env.ByID(ctx, u.ID)
	must(t, err)
	if got.RealName != "Ann Example" || got.Locale != "de-DE" || got.Location().String() != "Asia/Tokyo" ||
		got.Flags != roster.FlagShowEmail|roster.FlagReadOnly || !got.UpdatedAt.Equal(env.Clock.Now()) || got.Version != u.Version+1 {
		t.Errorf("edited %+v", got)
	}

	stop := errors.New("changed my mind")
	wantError(t, env.Edit(ctx, u.ID, func(u *roster.User) error { u.RealName = "Eve"; return stop }), stop)
	wantError(t, env.Edit(ctx, 999, func(*roster.User) error { return nil }), roster.ErrNotFound)
	wantError(t, env.Edit(ctx, 0, func(*roster.User) error { return nil }), roster.ErrInvalid)
	err = env.Edit(ctx, u.ID, func(u *roster.User) error {
		u.Name, u.RealName, u.Locale, u.Timezone, u.Flags = "", "\x00", "xx-invalid-", "Nowhere", 1<<31
		u.DirectoryDN, u.DirectoryID, u.Data = "\xff", strings.Repeat("x", 1<<20), roster.Data{"a": []byte("{")}
		return nil
	})
	want := []string{
		"name: empty", "real_name: character", "locale: unknown", "timezone: unknown", "directory: encoding", "directory: too_long",
		"flags: unknown", "data: syntax",
	}
	if diff := cmp.Diff(want, fields(err)); diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	again, err := env.ByID(ctx, u.ID)
	must(t, err)
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("a refused edit has changed something:\n%s", diff)
	}
}

// What has a verb of its own cannot be set by an edit.
func TestEditGuardsFields(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for field, change := range map[string]func(u *roster.User){
		"id":                  func(u *roster.User) { u.ID++ },
		"uuid":                func(u *roster.User) { u.UUID = uuid.New() },
		"name_auto":           func(u *roster.User) { u.NameAuto = true },
		"enabled":             func(u *roster.User) { u.Enabled = false },
		"activated_at":        func(u *roster.User) { u.ActivatedAt = at },
		"deleted_at":          func(u *roster.User) { u.DeletedAt = at },
		"last_login_at":       func(u *roster.User) { u.LastLoginAt = at },
		"last_login_ip":       func(u *roster.User) { u.LastLoginIP = "192.0.2.1" },
		"password_changed_at": func(u *roster.User) { u.PasswordChangedAt = at },
		"auth_changed_at":     func(u *roster.User) { u.AuthChangedAt = at },
		"created_at":          func(u *roster.User) { u.CreatedAt = at },
		"updated_at":          func(u *roster.User) { u.UpdatedAt = at },
		"version":             func(u *roster.User) { u.Version++ },
	} {
		err := env.Edit(ctx, u.ID, func(u *roster.User) error { change(u); return nil })
		if got := fields(err); len(got) != 1 || got[0] != field+": read_only" {
			t.Errorf("%s: %v", field, err)
		}
	}
	// The key follows the name, whatever is written there.
	must(t, env.Edit(ctx, u.ID, func(u *roster.User) error { u.NameKey = "root"; return nil }))
	got, err := env.ByID(ctx, u.ID)
	must(t, err)
	if got.NameKey != "ann" {
		t.Errorf("name key %q", got.NameKey)
	}
}

func TestRenameHoldsTheOldName(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	rename := func(id roster.UserID, name string) error {
		return env.Edit(ctx, id, func(u *roster.User) error { u.Name = name; return nil })
	}
	u := env.MustRegister("ann")
	must(t, rename(u.ID, "Anna"))
	if _, err := env.ByName(ctx, "ann"); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("the old name still leads somewhere: %v", err)
	}
	eve := env.MustRegister("eve")
	wantConflict(t, env.Create(ctx, &roster.User{Name: "ANN"}), roster.FieldName)
	wantConflict(t, rename(eve.ID, "ann"), roster.FieldName)
	wantConflict(t, rename(eve.ID, "ANNA"), roster.FieldName)
	healthy(t, env)

	must(t, rename(u.ID, "ann")) // the former owner may come back
	must(t, rename(u.ID, "anna"))
	env.Clock.Advance(90*24*time.Hour - time.Microsecond)
	wantConflict(t, rename(eve.ID, "ann"), roster.FieldName)
	env.Clock.Advance(time.Microsecond)
	must(t, rename(eve.ID, "ann"))
	before, err := env.ByID(ctx, u.ID)
	must(t, err)
	env.Clock.Advance(time.Minute)
	must(t, rename(u.ID, "ANNA"))
	after, err := env.ByID(ctx, u.ID)
	must(t, err)
	if after.Name != "ANNA" || !after.AuthChangedAt.Equal(before.AuthChangedAt) {
		t.Errorf("another spelling of the name counts as another name: %+v", after)
	}
	healthy(t, env)

	for _, reserved := range []string{"admin", "Root", "ＡＤＭＩＮ"} {
		if got := fields(rename(u.ID, reserved)); len(got) != 1 || got[0] != "name: reserved" {
			t.Errorf("renamed to %s: %v", reserved, got)
		}
	}
	auto := &roster.User{}
	must(t, env.Create(ctx, auto))
	must(t, rename(auto.ID, "chosen"))
	got, err := env.ByID(ctx, auto.ID)
	must(t, err)
	if got.NameAuto {
		t.Error("a chosen name is marked as automatic")
	}
	if got := fields(rename(auto.ID, "user-1")); len(got) != 1 || got[0] != "name: reserved" {
		t.Errorf("somebody else's automatic name: %v", got)
	}
}

func TestSave(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	first, err := env.ByID(ctx, u.ID)
	must(t, err)
	second, err := env.ByID(ctx, u.ID)
	must(t, err)
	first.RealName = "First"
	must(t, env.Save(ctx, first))
	second.RealName = "Second"
	before := *second
	wantError(t, env.Save(ctx, second), roster.ErrStale)
	if diff := cmp.Diff(&before, second); diff != "" {
		t.Errorf("a refused Save has changed its argument:\n%s", diff)
	}
	first.RealName = "First again"
	must(t, env.Save(ctx, first))
	stored, err := env.ByID(ctx, u.ID)
	must(t, err)
	if diff := cmp.Diff(first, stored); diff != "" {
		t.Errorf("what Save left in its argument is not what is stored:\n%s", diff)
	}
	first.Enabled = false
	if got := fields(env.Save(ctx, first)); len(got) != 1 || got[0] != "enabled: read_only" {
		t.Errorf("Save of a guarded field: %v", got)
	}
	wantError(t, env.Save(ctx, &roster.User{Name: "nobody"}), roster.ErrInvalid)
	wantError(t, env.Save(ctx, &roster.User{ID: 999, Name: "nobody"}), roster.ErrNotFound)
}

func TestEditsAtOnceLoseNothing(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	visits := roster.Field[int]("visits")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if err := env.Edit(ctx, u.ID, func(u *roster.User) error { return visits.Set(u, visits.Get(u)+1) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got, err := env.ByID(ctx, u.ID)
	must(t, err)
	if n := visits.Get(got); n != 400 {
		t.Errorf("%d of 400 edits", n)
	}
}

func TestAtomic(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	env.MustRegister("ann")
	env.Mail.Clear()
	stop := errors.New("stop")

	err := env.Atomic(ctx, func(ctx context.Context) error {
		if _, err := env.Register(ctx, roster.NewUser{Name: "ben", Email: "ben@example.org", Password: rostertest.Password}); err != nil {
			return err
		}
		if _, err := env.ByName(ctx, "ben"); err != nil {
			t.Errorf("not seen inside: %v", err)
		}
		return stop
	})
	wantError(t, err, stop)
	if _, err := env.ByName(ctx, "ben"); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("kept in spite of the error: %v", err)
	}
	if mails := env.Mail.All(); len(mails) != 0 {
		t.Errorf("mails of a transaction that was rolled back: %v", mails)
	}

	err = env.Atomic(ctx, func(ctx context.Context) error {
		if err := env.Create(ctx, &roster.User{Name: "cem"}); err != nil {
			return err
		}
		_ = env.Create(ctx, &roster.User{Name: "ann"}) // swallowed
		return nil
	})
	wantError(t, err, roster.ErrTxAborted)
	wantConflict(t, err, roster.FieldName) // and says why
	if _, err := env.ByName(ctx, "cem"); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("kept in spite of a failed verb: %v", err)
	}

	// A verb that refused before it wrote leaves the transaction good.
	must(t, env.Atomic(ctx, func(ctx context.Context) error {
		if err := env.Create(ctx, &roster.User{Name: "fay"}); err != nil {
			return err
		}
		wantError(t, env.Disable(ctx, 999), roster.ErrNotFound)
		wantError(t, env.Create(ctx, &roster.User{Name: "not a name"}), roster.ErrInvalid)
		_, err := env.Activate(ctx, "no code")
		wantError(t, err, roster.ErrActivation)
		return nil
	}))
	_, err = env.ByName(ctx, "fay")
	must(t, err)

	var kept context.Context
	must(t, env.Atomic(ctx, func(ctx context.Context) error {
		kept = ctx
		if _, err := env.ByName(ctx, "nobody"); !errors.Is(err, roster.ErrNotFound) {
			t.Errorf("%v", err)
		}
		return env.Create(ctx, &roster.User{Name: "dan"})
	}))
	_, err = env.ByName(kept, "dan")
	wantError(t, err, roster.ErrTxDone)
	_, err = env.ByName(ctx, "dan")
	must(t, err)
	healthy(t, env)
}
