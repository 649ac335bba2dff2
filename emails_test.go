package roster_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// show lists addresses as "address", "address*" if primary, in parentheses if
// pending.
func show(emails []*roster.UserEmail) string {
	var all []string
	for _, e := range emails {
		s := e.Address
		if e.Primary {
			s += "*"
		}
		if !e.IsActivated() {
			s = "(" + s + ")"
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

func wantEmails(t testing.TB, env *rostertest.Env, id roster.UserID, want string) {
	t.Helper()
	emails, err := env.Emails(context.Background(), id)
	must(t, err)
	if got := show(emails); got != want {
		t.Errorf("addresses %s, want %s", got, want)
	}
	healthy(t, env)
}

func TestFirstAddressIsPrimary(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u, err := env.Register(ctx, roster.NewUser{Name: "ann", Email: "a@example.org", Password: rostertest.Password})
	must(t, err)
	_, err = env.AddEmail(ctx, u.ID, "b@example.org")
	must(t, err)
	wantEmails(t, env, u.ID, "(a@example.org*) (b@example.org)")
	if _, err := env.PrimaryEmail(ctx, u.ID); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("a pending address speaks for the user: %v", err)
	}
	// The second is proven first: it becomes the primary one, and the account is
	// activated by it.
	got, err := env.ActivateWithPassword(ctx, env.Mail.MustCode(t, "b@example.org"), rostertest.Password)
	must(t, err)
	if !got.IsActivated() {
		t.Error("the account is not activated")
	}
	wantEmails(t, env, u.ID, "b@example.org* (a@example.org)")
	_, err = env.Activate(ctx, env.Mail.MustCode(t, "a@example.org"))
	must(t, err)
	wantEmails(t, env, u.ID, "b@example.org* a@example.org")
}

func TestSetPrimaryEmail(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	other := env.MustRegister("ben")
	b, err := env.AddActivatedEmail(ctx, u.ID, "b@example.org")
	must(t, err)
	pending, err := env.AddEmail(ctx, u.ID, "c@example.org")
	must(t, err)

	if err := env.SetPrimaryEmail(ctx, u.ID, pending.ID); !cmp.Equal(fields(err), []string{"email: not_active"}) {
		t.Errorf("pending address: %v", err)
	}
	wantError(t, env.SetPrimaryEmail(ctx, other.ID, b.ID), roster.ErrNotFound)
	wantError(t, env.SetPrimaryEmail(ctx, u.ID, 999), roster.ErrNotFound)
	wantError(t, env.SetPrimaryEmail(ctx, 999, b.ID), roster.ErrNotFound)
	wantError(t, env.SetPrimaryEmail(ctx, u.ID, 0), roster.ErrInvalid)
	wantError(t, env.SetPrimaryEmail(ctx, 0, b.ID), roster.ErrInvalid)
	env.Mail.Clear()

	must(t, env.SetPrimaryEmail(ctx, u.ID, b.ID))
	must(t, env.SetPrimaryEmail(ctx, u.ID, b.ID)) // again: nothing to do
	wantEmails(t, env, u.ID, "b@example.org* ann@example.org (c@example.org)")
	mails := env.Mail.All()
	if len(mails) != 1 || mails[0].Kind != roster.MailEmailChanged || mails[0].To != "ann@example.org" {
		t.Errorf("mails %+v, want one notice to the former address", mails)
	}
}

func TestRemoveEmail(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	primary, err := env.PrimaryEmail(ctx, u.ID)
	must(t, err)
	wantConflict(t, env.RemoveEmail(ctx, u.ID, primary.ID), roster.FieldPrimary)

	b, err := env.AddActivatedEmail(ctx, u.ID, "b@example.org")
	must(t, err)
	ben := env.MustRegister("ben")
	wantError(t, env.RemoveEmail(ctx, ben.ID, b.ID), roster.ErrNotFound)
	env.Mail.Clear()
	must(t, env.RemoveEmail(ctx, u.ID, b.ID))
	if m := env.Mail.MustLast(t, "b@example.org"); m.Kind != roster.MailEmailRemoved {
		t.Errorf("mail %s", m.Kind)
	}
	wantError(t, env.RemoveEmail(ctx, u.ID, b.ID), roster.ErrNotFound)
	wantEmails(t, env, u.ID, "ann@example.org*")

	// Who has never proven an address may withdraw the primary claim.
	eve, err := env.Register(ctx, roster.NewUser{Name: "eve", Email: "e1@example.org", Password: rostertest.Password})
	must(t, err)
	_, err = env.AddEmail(ctx, eve.ID, "e2@example.org")
	must(t, err)
	emails, err := env.Emails(ctx, eve.ID)
	must(t, err)
	must(t, env.RemoveEmail(ctx, eve.ID, emails[0].ID))
	wantEmails(t, env, eve.ID, "(e2@example.org*)")
	_, err = env.Activate(ctx, env.Mail.MustCode(t, "e1@example.org"))
	wantError(t, err, roster.ErrActivation)
}

func TestAddEmailAgain(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	first, err := env.AddEmail(ctx, u.ID, "b@example.org")
	must(t, err)
	again, err := env.AddEmail(ctx, u.ID, "B@EXAMPLE.org")
	must(t, err)
	if first.ID != again.ID {
		t.Error("a second row for one address")
	}
	mails := env.Mail.To("b@example.org")
	if len(mails) != 2 {
		t.Fatalf("%d mails to the stored address, want 2", len(mails))
	}
	_, err = env.Activate(ctx, mails[0].Code.Reveal())
	wantError(t, err, roster.ErrActivation)
	_, err = env.Activate(ctx, mails[1].Code.Reveal())
	must(t, err)
	_, err = env.AddEmail(ctx, u.ID, "b@example.org")
	wantConflict(t, err, roster.FieldEmail)
	_, err = env.AddEmail(ctx, 999, "c@example.org")
	wantError(t, err, roster.ErrNotFound)
	_, err = env.AddEmail(ctx, u.ID, "c")
	wantError(t, err, roster.ErrInvalid)
}

func TestChangeEmail(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	_, err := env.ChangeEmail(ctx, u.ID, "new@example.org")
	must(t, err)
	wantEmails(t, env, u.ID, "ann@example.org* (new@example.org)")
	m := env.Mail.MustLast(t, "new@example.org")
	if m.Kind != roster.MailChangeEmail {
		t.Errorf("mail %s", m.Kind)
	}
	env.Mail.Clear()
	_, err = env.Activate(ctx, m.Code.Reveal())
	must(t, err)
	wantEmails(t, env, u.ID, "new@example.org* ann@example.org")
	if mails := env.Mail.All(); len(mails) != 1 || mails[0].Kind != roster.MailEmailChanged || mails[0].To != "ann@example.org" {
		t.Errorf("mails %+v, want one notice to the former address", mails)
	}
	// Back to an address that is proven already: at once.
	_, err = env.ChangeEmail(ctx, u.ID, "ann@example.org")
	must(t, err)
	wantEmails(t, env, u.ID, "ann@example.org* new@example.org")
}

// Each code proves the address it was mailed to and no other.
func TestTwoChangesAtOnce(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	for _, a := range []string{"x@example.org", "y@example.org"} {
		_, err := env.ChangeEmail(ctx, u.ID, a)
		must(t, err)
	}
	y := env.Mail.MustCode(t, "y@example.org")
	_, err := env.Activate(ctx, env.Mail.MustCode(t, "x@example.org"))
	must(t, err)
	wantEmails(t, env, u.ID, "x@example.org* ann@example.org (y@example.org)")
	_, err = env.Activate(ctx, y) // the change of the primary address has voided it
	wantError(t, err, roster.ErrActivation)
}

func TestAddActivatedEmail(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	ben := &roster.User{Name: "ben"}
	must(t, env.Create(ctx, ben))
	eve, err := env.Register(ctx, roster.NewUser{Name: "eve", Email: "ben@example.org", Password: rostertest.Password})
	must(t, err)
	rivals := env.Mail.MustCode(t, "ben@example.org")
	env.Mail.Clear()
	e, err := env.AddActivatedEmail(ctx, ben.ID, "ben@example.org")
	must(t, err)
	if !e.Primary || !e.IsActivated() {
		t.Errorf("added as %+v", e)
	}
	got, err := env.ByID(ctx, ben.ID)
	must(t, err)
	if !got.IsActivated() {
		t.Error("the account is not activated")
	}
	wantEmails(t, env, eve.ID, "(ben@example.org*)") // worth nothing, and gone with the account
	_, err = env.Activate(ctx, rivals)
	wantError(t, err, roster.ErrActivation)
	for _, id := range []roster.UserID{ben.ID, eve.ID} {
		_, err = env.AddActivatedEmail(ctx, id, "BEN@example.org")
		wantConflict(t, err, roster.FieldEmail)
	}
	if mails := env.Mail.All(); len(mails) != 0 {
		t.Errorf("mails %+v", mails)
	}
}

func TestEmailsOf(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	a, b := env.MustRegister("ann"), env.MustRegister("ben")
	c := &roster.User{Name: "cem"}
	must(t, env.Create(ctx, c))
	_, err := env.AddActivatedEmail(ctx, b.ID, "a-first@example.org")
	must(t, err)
	of, err := env.EmailsOf(ctx, a.ID, b.ID, c.ID)
	must(t, err)
	got := map[roster.UserID]string{}
	for id, emails := range of {
		got[id] = show(emails)
	}
	want := map[roster.UserID]string{a.ID: "ann@example.org*", b.ID: "ben@example.org* a-first@example.org"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestGravatarURL(t *testing.T) {
	// SHA-256 of "myemailaddress@example.com", the example of Gravatar's own
	// documentation.
	const want = "https://www.gravatar.com/avatar/84059b07d4be67b806386c0aad8070a23f18836bbaae342275dc0a83414c32ee?d=mm&s=128"
	e := &roster.UserEmail{Address: " MyEmailAddress@example.com "}
	if got := e.GravatarURL(0); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var none *roster.UserEmail
	if got := none.GravatarURL(64); !strings.HasPrefix(got, "https://www.gravatar.com/avatar/e3b0c44298fc") || !strings.HasSuffix(got, "s=64") {
		t.Errorf("without an address: %s", got)
	}
}
