package roster_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

func TestDeleteHidesEverywhere(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	email, err := env.PrimaryEmail(ctx, u.ID)
	must(t, err)
	must(t, env.Delete(ctx, u.ID))

	for what, find := range map[string]func() error{
		"ByID":      func() error { _, err := env.ByID(ctx, u.ID); return err },
		"ByUUID":    func() error { _, err := env.ByUUID(ctx, u.UUID); return err },
		"ByName":    func() error { _, err := env.ByName(ctx, "ann"); return err },
		"ByEmail":   func() error { _, err := env.ByEmail(ctx, "ann@example.org"); return err },
		"ByAddress": func() error { _, err := env.ByAddress(ctx, "Ann <ann@example.org>"); return err },
		"Emails":    func() error { _, err := env.Emails(ctx, u.ID); return err },
		"Primary":   func() error { _, err := env.PrimaryEmail(ctx, u.ID); return err },
		"Delete":    func() error { return env.Delete(ctx, u.ID) },
		"Enable":    func() error { return env.Enable(ctx, u.ID) },
		"Disable":   func() error { return env.Disable(ctx, u.ID) },
		"Activate":  func() error { return env.ActivateUser(ctx, u.ID) },
		"SetPrim":   func() error { return env.SetPrimaryEmail(ctx, u.ID, email.ID) },
		"AddEmail":  func() error { _, err := env.AddEmail(ctx, u.ID, "b@example.org"); return err },
		"AddActive": func() error { _, err := env.AddActivatedEmail(ctx, u.ID, "b@example.org"); return err },
		"Change":    func() error { _, err := env.ChangeEmail(ctx, u.ID, "b@example.org"); return err },
		"SetPass":   func() error { return env.SetPassword(ctx, u.ID, "another password") },
	} {
		if err := find(); !errors.Is(err, roster.ErrNotFound) {
			t.Errorf("%s of a deleted user: %v, want ErrNotFound", what, err)
		}
	}
	if many, err := env.ByIDs(ctx, u.ID); err != nil || len(many) != 0 {
		t.Errorf("ByIDs: %v, %v", many, err)
	}
	for _, state := range []roster.State{roster.StateActivated, roster.StatePending, roster.StateLive} {
		if n, err := env.Count(ctx, roster.Query{State: state}); n != 0 || err != nil {
			t.Errorf("Count in state %d: %d, %v", state, n, err)
		}
	}
	page, err := env.Search(ctx, roster.Query{Pattern: "ann", State: roster.StateDeleted})
	must(t, err)
	if len(page.Items) != 1 || page.Items[0].ID != u.ID {
		t.Errorf("deleted users: %v", page.Items)
	}
	if inUse, err := env.EmailInUse(ctx, "ann@example.org"); inUse || err != nil {
		t.Errorf("EmailInUse: %v, %v", inUse, err)
	}
	_, err = env.Authenticate(ctx, "ann", rostertest.Password)
	wantError(t, err, roster.ErrCredentials)
	healthy(t, env)
}

func TestRestore(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	session := env.Clock.Now()
	wantError(t, env.Restore(ctx, u.ID), roster.ErrNotFound)
	env.Clock.Advance(time.Minute)
	must(t, env.Delete(ctx, u.ID))
	must(t, env.Restore(ctx, u.ID))
	got, err := env.Authenticate(ctx, "ann@example.org", rostertest.Password)
	must(t, err)
	if got.ID != u.ID || got.SessionValid(session) {
		t.Errorf("restored %+v", got)
	}
	wantEmails(t, env, u.ID, "ann@example.org*")
	wantError(t, env.Restore(ctx, 999), roster.ErrNotFound)
	wantError(t, env.Restore(ctx, 0), roster.ErrInvalid)
}

func TestRestoreChecksWhatWasTaken(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t, func(o *roster.Options) { o.NameHold = -1 })
	u := env.MustRegister("ann")
	_, err := env.AddActivatedEmail(ctx, u.ID, "second@example.org")
	must(t, err)
	must(t, env.Delete(ctx, u.ID))
	heir := env.MustRegister("ann") // name and address are free
	if heir.ID == u.ID || heir.UUID == u.UUID {
		t.Fatal("the next holder of the name inherits")
	}
	wantConflict(t, env.Restore(ctx, u.ID), roster.FieldName)
	must(t, env.Edit(ctx, u.ID, func(u *roster.User) error { u.Name = "ann.old"; return nil }))
	must(t, env.Restore(ctx, u.ID))
	wantEmails(t, env, u.ID, "second@example.org*")
	wantEmails(t, env, heir.ID, "ann@example.org*")
	got, err := env.ByName(ctx, "ann.old")
	if err != nil || got.ID != u.ID {
		t.Errorf("restored as %v, %v", got, err)
	}
}

// Who has proven an address since then may read its mail still, also if they
// have given it up: it must not open the account that is restored.
func TestRestoreTakesNoProofBack(t *testing.T) {
	ctx := context.Background()
	for what, giveUp := range map[string]func(env *rostertest.Env, heir *roster.User) error{
		"holds it": func(*rostertest.Env, *roster.User) error { return nil },
		"removed it": func(env *rostertest.Env, heir *roster.User) error {
			_, err := env.AddActivatedEmail(ctx, heir.ID, "heir@example.org")
			must(t, err)
			emails, err := env.Emails(ctx, heir.ID)
			must(t, err)
			must(t, env.SetPrimaryEmail(ctx, heir.ID, emails[1].ID))
			return env.RemoveEmail(ctx, heir.ID, emails[0].ID)
		},
		"was deleted": func(env *rostertest.Env, heir *roster.User) error { return env.Delete(ctx, heir.ID) },
		"was purged":  func(env *rostertest.Env, heir *roster.User) error { return env.Purge(ctx, heir.ID) },
	} {
		t.Run(what, func(t *testing.T) {
			env := rostertest.New(t)
			u := env.MustRegister("ann")
			must(t, env.Delete(ctx, u.ID))
			heir := &roster.User{Name: "heir"}
			must(t, env.Create(ctx, heir))
			_, err := env.AddEmail(ctx, heir.ID, "ann@example.org")
			must(t, err)
			_, err = env.Activate(ctx, env.Mail.MustCode(t, "ann@example.org"))
			must(t, err)
			must(t, giveUp(env, heir))
			must(t, env.Restore(ctx, u.ID))
			wantEmails(t, env, u.ID, "")
			_, err = env.Authenticate(ctx, "ann@example.org", rostertest.Password)
			wantError(t, err, roster.ErrCredentials)
			_, err = env.Authenticate(ctx, "ann", rostertest.Password)
			must(t, err)
			env.Mail.Clear()
			must(t, env.RequestPasswordReset(ctx, "ann"))
			must(t, env.RequestPasswordReset(ctx, "ann@example.org"))
			for _, m := range env.Mail.All() {
				if m.User.ID == u.ID {
					t.Errorf("a mail of kind %s leads to the account", m.Kind)
				}
			}
			healthy(t, env)
		})
	}
}

func TestDeletedNameIsHeld(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	must(t, env.Delete(ctx, u.ID))
	wantConflict(t, env.Create(ctx, &roster.User{Name: "ann"}), roster.FieldName)
	env.Clock.Advance(90 * 24 * time.Hour)
	must(t, env.Create(ctx, &roster.User{Name: "ann"}))
	healthy(t, env)
}

func TestPurge(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	ben := env.MustRegister("ben")
	_, err := env.AddEmail(ctx, u.ID, "second@example.org")
	must(t, err)
	code := env.Mail.MustCode(t, "second@example.org")
	must(t, env.Delete(ctx, u.ID))
	must(t, env.Purge(ctx, u.ID))
	wantError(t, env.Purge(ctx, u.ID), roster.ErrNotFound)
	wantError(t, env.Purge(ctx, 0), roster.ErrInvalid)
	wantError(t, env.Restore(ctx, u.ID), roster.ErrNotFound)
	_, err = env.Activate(ctx, code)
	wantError(t, err, roster.ErrActivation)
	heir := env.MustRegister("ann")
	if heir.ID == u.ID {
		t.Error("the ID was used again")
	}
	if _, err := env.Store.Credential(ctx, u.ID, 0); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("the credential is still there: %v", err)
	}
	wantEmails(t, env, ben.ID, "ben@example.org*")
}

func TestEnableDisable(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	must(t, env.Enable(ctx, u.ID)) // nothing to do
	got, err := env.ByID(ctx, u.ID)
	must(t, err)
	if got.Version != u.Version {
		t.Error("Enable of an enabled user wrote")
	}
	must(t, env.Disable(ctx, u.ID))
	if got, err = env.ByID(ctx, u.ID); err != nil || got.Enabled || got.CanLogin() {
		t.Errorf("disabled: %+v, %v", got, err)
	}
	must(t, env.Enable(ctx, u.ID))
	_, err = env.Authenticate(ctx, "ann", rostertest.Password)
	must(t, err)
	wantError(t, env.Disable(ctx, 999), roster.ErrNotFound)
	wantError(t, env.Disable(ctx, -1), roster.ErrInvalid)
}

func TestActivateUser(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := &roster.User{Name: "ann"}
	must(t, env.Create(ctx, u))
	must(t, env.SetPassword(ctx, u.ID, rostertest.Password))
	_, err := env.Authenticate(ctx, "ann", rostertest.Password)
	wantError(t, err, roster.ErrNotActivated)
	must(t, env.ActivateUser(ctx, u.ID))
	env.Clock.Advance(time.Hour)
	must(t, env.ActivateUser(ctx, u.ID))
	got, err := env.Authenticate(ctx, "ann", rostertest.Password)
	must(t, err)
	if !got.ActivatedAt.Before(env.Clock.Now()) {
		t.Error("activated twice")
	}
}

func TestPrune(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	register := func(name string) *roster.User {
		t.Helper()
		u, err := env.Register(ctx, roster.NewUser{Name: name, Email: name + "@example.org", Password: rostertest.Password})
		must(t, err)
		return u
	}
	register("pending")
	keep := register("keep")
	must(t, env.Edit(ctx, keep.ID, func(u *roster.User) error { u.Flags = roster.FlagNeverClean; return nil }))
	privileged := register("privileged")
	must(t, env.Edit(ctx, privileged.ID, func(u *roster.User) error { u.Flags = roster.FlagPrivileged; return nil }))
	active := env.MustRegister("active")
	_, err := env.AddEmail(ctx, active.ID, "never-proven@example.org")
	must(t, err)
	must(t, env.Create(ctx, &roster.User{Name: "created"}))
	renamed := env.MustRegister("renamed")
	must(t, env.Edit(ctx, renamed.ID, func(u *roster.User) error { u.Name = "other"; return nil }))

	env.Clock.Advance(8*24*time.Hour - time.Microsecond) // the last code may have been sent a day ago
	register("late")
	p, err := env.Prune(ctx, roster.Budget{})
	must(t, err)
	if p.Users != 0 || p.Emails != 0 || p.Activations == 0 {
		t.Errorf("a microsecond early: %+v", p)
	}
	env.Clock.Advance(2 * time.Microsecond)
	p, err = env.Prune(ctx, roster.Budget{})
	must(t, err)
	if diff := cmp.Diff(roster.Pruned{Users: 1, Emails: 1}, p); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"keep", "privileged", "active", "created", "other", "late"} {
		if _, err := env.ByName(ctx, name); err != nil {
			t.Errorf("%s is gone: %v", name, err)
		}
	}
	wantEmails(t, env, active.ID, "active@example.org*")
	register("pending") // name and address are free again

	env.Clock.Advance(90 * 24 * time.Hour)
	p, err = env.Prune(ctx, roster.Budget{Rows: 1})
	must(t, err)
	if p.Names != 1 || p.Users != 1 || p.Activations != 1 {
		t.Errorf("with a budget of one row each: %+v", p)
	}
	for n := 0; ; n++ {
		p, err := env.Prune(ctx, roster.Budget{Rows: 1})
		must(t, err)
		if p.Total() == 0 {
			break
		}
		if n > 100 {
			t.Fatal("Prune never ends")
		}
	}
	_, err = env.Prune(ctx, roster.Budget{Rows: -1})
	wantError(t, err, roster.ErrInvalid)
	healthy(t, env)
}

// An account that the program has activated keeps no address that nobody proves.
func TestPruneForgetsWhatNobodyProves(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := &roster.User{Name: "ann"}
	must(t, env.Create(ctx, u))
	for _, address := range []string{"first@example.org", "second@example.org"} {
		_, err := env.AddEmail(ctx, u.ID, address)
		must(t, err)
	}
	must(t, env.ActivateUser(ctx, u.ID))
	env.Clock.Advance(6 * 24 * time.Hour)
	_, err := env.AddEmail(ctx, u.ID, "third@example.org")
	must(t, err)
	env.Clock.Advance(2*24*time.Hour + time.Microsecond)
	for _, want := range []string{"(first@example.org*) (third@example.org)", "(first@example.org*) (third@example.org)"} {
		_, err := env.Prune(ctx, roster.Budget{})
		must(t, err)
		wantEmails(t, env, u.ID, want)
	}
	env.Clock.Advance(9 * 24 * time.Hour)
	for _, want := range []string{"(first@example.org*)", "", ""} {
		_, err := env.Prune(ctx, roster.Budget{})
		must(t, err)
		wantEmails(t, env, u.ID, want)
	}
	_, err = env.AddEmail(ctx, u.ID, "first@example.org")
	must(t, err)
	_, err = env.Activate(ctx, env.Mail.MustCode(t, "first@example.org"))
	must(t, err)
	wantEmails(t, env, u.ID, "first@example.org*")
}

// Claims that are too old do not keep a new one from its code.
func TestOldClaimsAreNotInTheWay(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	sign := func(name string) {
		_, err := env.Register(ctx, roster.NewUser{Name: name, Email: "ann@example.org", Password: rostertest.Password})
		must(t, err)
	}
	for i := range 5 {
		sign(fmt.Sprintf("squatter%d", i))
	}
	env.Clock.Advance(8 * 24 * time.Hour)
	sign("ann")
	env.Mail.Clear()
	must(t, env.ResendActivation(ctx, "ann@example.org"))
	if mails := env.Mail.To("ann@example.org"); len(mails) != 1 || mails[0].User.Name != "ann" {
		t.Errorf("%d mails", len(mails))
	}
}

func TestPruneWaitsForCodes(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	_, err := env.Register(ctx, ann)
	must(t, err)
	env.Clock.Advance(7*24*time.Hour - time.Minute)
	must(t, env.ResendActivation(ctx, "ann"))
	env.Clock.Advance(2 * time.Minute)
	_, err = env.Prune(ctx, roster.Budget{})
	must(t, err)
	_, err = env.ActivateWithPassword(ctx, env.Mail.MustCode(t, ann.Email), rostertest.Password)
	must(t, err)
}

func TestPruneCanBeTurnedOff(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t, func(o *roster.Options) { o.PendingTTL = -1 })
	_, err := env.Register(ctx, ann)
	must(t, err)
	env.Clock.Advance(1000 * 24 * time.Hour)
	p, err := env.Prune(ctx, roster.Budget{})
	must(t, err)
	if p.Users != 0 {
		t.Errorf("pruned %+v", p)
	}
}
