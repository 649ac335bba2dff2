package roster_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// The attacks of Sudhodanan and Paverd, "Pre-hijacked accounts: an empirical
// study of security failures in user account creation on the web" (USENIX
// Security 2022). In each the attacker makes an account with the address of the
// victim, who comes later, by whatever door, and is to have it alone.

const victims = "victim@example.org"

// prehijacked is what the attacker has prepared: an account that claims the
// address of the victim, and a password for it.
func prehijacked(t *testing.T, changes ...func(*roster.Options)) (*rostertest.Env, *roster.User) {
	t.Helper()
	env := rostertest.New(t, changes...)
	u, err := env.Register(context.Background(), roster.NewUser{Name: "evil", Email: victims, Password: evilPassword})
	must(t, err)
	env.Clock.Advance(time.Minute)
	return env, u
}

// comes are the ways in which the victim makes the account theirs.
var comes = map[string]func(t *testing.T, env *rostertest.Env){
	"activates": func(t *testing.T, env *rostertest.Env) {
		code := env.Mail.MustCode(t, victims)
		p, err := env.Peek(context.Background(), code)
		if err != nil || !p.NeedsPassword {
			t.Errorf("peeked %+v, %v", p, err)
		}
		_, err = env.Activate(context.Background(), code)
		wantError(t, err, roster.ErrPasswordRequired)
		_, err = env.ActivateWithPassword(context.Background(), code, "short")
		wantError(t, err, roster.ErrInvalid)
		_, err = env.ActivateWithPassword(context.Background(), code, herPassword)
		must(t, err)
	},
	"resets": func(t *testing.T, env *rostertest.Env) {
		must(t, env.RequestPasswordReset(context.Background(), victims))
		_, err := env.ResetPassword(context.Background(), env.Mail.MustCode(t, victims), herPassword)
		must(t, err)
	},
}

// hers checks that the account of the attacker is the victim's alone.
func hers(t *testing.T, env *rostertest.Env, id roster.UserID) {
	t.Helper()
	ctx := context.Background()
	for _, login := range []string{"evil", victims} {
		_, err := env.Authenticate(ctx, login, evilPassword)
		wantError(t, err, roster.ErrCredentials)
		u, err := env.Authenticate(ctx, login, herPassword)
		if err != nil || u.ID != id {
			t.Errorf("%s: %v", login, err)
		}
	}
	wantEmails(t, env, id, victims+"*")
	env.Mail.Clear()
	for _, login := range []string{"evil@evil.example", "evil"} {
		must(t, env.RequestPasswordReset(ctx, login))
		must(t, env.ResendActivation(ctx, login))
	}
	for _, m := range env.Mail.All() {
		if m.To != victims {
			t.Errorf("mail %s to %s", m.Kind, m.To)
		}
	}
}

// A password chosen before the proof is worth nothing after it.
func TestPrehijackClassic(t *testing.T) {
	for name, come := range comes {
		t.Run(name, func(t *testing.T) {
			env, u := prehijacked(t)
			come(t, env)
			hers(t, env, u.ID)
		})
	}
}

// A victim who is signed in by somebody else gets an account of their own: the
// program vouches for the address, and the attacker's claim ends.
func TestPrehijackFederatedMerge(t *testing.T) {
	ctx := context.Background()
	env, evil := prehijacked(t)
	code := env.Mail.MustCode(t, victims)
	_, err := env.ByEmail(ctx, victims) // how a program looks for whom it knows
	wantError(t, err, roster.ErrNotFound)
	victim := &roster.User{Name: "victim", DirectoryID: "idp:7", ActivatedAt: env.Clock.Now()}
	must(t, env.Create(ctx, victim))
	_, err = env.AddActivatedEmail(ctx, victim.ID, victims)
	must(t, err)
	u, err := env.ByEmail(ctx, victims)
	if err != nil || u.ID != victim.ID {
		t.Errorf("the address is that of %v, %v", u, err)
	}
	_, err = env.Authenticate(ctx, victims, evilPassword)
	wantError(t, err, roster.ErrCredentials)
	_, err = env.ActivateWithPassword(ctx, code, evilPassword)
	wantError(t, err, roster.ErrActivation)
	if now, err := env.ByID(ctx, evil.ID); err != nil || now.IsActivated() {
		t.Errorf("the account of the attacker is activated, %v", err)
	}
}

// A directory that does not verify addresses gives a claim and no more.
func TestPrehijackNonVerifyingProvider(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	victim := env.MustRegister("victim")
	evil := &roster.User{Name: "evil", DirectoryID: "idp:evil", ActivatedAt: env.Clock.Now()}
	must(t, env.Create(ctx, evil))
	_, err := env.AddEmail(ctx, evil.ID, victims) // it says
	must(t, err)
	u, err := env.ByEmail(ctx, victims)
	if err != nil || u.ID != victim.ID {
		t.Errorf("the address is that of %v, %v", u, err)
	}
	if m := env.Mail.MustLast(t, victims); m.Kind != roster.MailAddressTaken || !m.Code.IsZero() {
		t.Errorf("mail %+v", m)
	}
}

// A session from before the proof is dead after it.
func TestPrehijackUnexpiredSession(t *testing.T) {
	ctx := context.Background()
	pending, _ := prehijacked(t) // without an activation there is none
	_, _, err := pending.SignIn(ctx, "evil", evilPassword)
	wantError(t, err, roster.ErrNotActivated)
	for what, changes := range map[string][]func(*roster.Options){
		"at once": {func(o *roster.Options) { o.SkipActivation = true }}, "by an administrator": nil,
	} {
		env, u := prehijacked(t, changes...)
		must(t, env.ActivateUser(ctx, u.ID))
		_, token, err := env.SignIn(ctx, "evil", evilPassword)
		must(t, err)
		env.Clock.Advance(time.Hour)
		comes["activates"](t, env)
		if _, err := env.Session(ctx, token.Reveal()); err == nil {
			t.Errorf("activated %s: the session of the attacker lives", what)
		}
		hers(t, env, u.ID)
	}
}

// An address that the attacker has added is no way back.
func TestPrehijackTrojanIdentifier(t *testing.T) {
	ctx := context.Background()
	for name, come := range comes {
		t.Run(name, func(t *testing.T) {
			env, u := prehijacked(t, func(o *roster.Options) { o.SkipActivation = name == "activates" })
			_, err := env.AddEmail(ctx, u.ID, "evil@evil.example")
			must(t, err)
			code := env.Mail.MustCode(t, "evil@evil.example")
			come(t, env)
			for _, password := range []string{evilPassword, herPassword} {
				_, err = env.ActivateWithPassword(ctx, code, password)
				wantError(t, err, roster.ErrActivation)
			}
			_, err = env.Activate(ctx, code)
			wantError(t, err, roster.ErrActivation)
			hers(t, env, u.ID)
		})
	}
	t.Run("proven before", func(t *testing.T) {
		// Then the attacker's mailbox has the account, and the victim's address is
		// a mere claim, which brings no reset and no activation.
		env, u := prehijacked(t, func(o *roster.Options) { o.SkipActivation = true })
		code := env.Mail.MustCode(t, victims)
		_, err := env.AddEmail(ctx, u.ID, "evil@evil.example")
		must(t, err)
		_, err = env.ActivateWithPassword(ctx, env.Mail.MustCode(t, "evil@evil.example"), evilPassword)
		must(t, err)
		env.Mail.Clear()
		must(t, env.RequestPasswordReset(ctx, victims))
		if mails := env.Mail.All(); len(mails) != 0 {
			t.Errorf("mails %v", mails)
		}
		_, err = env.ActivateWithPassword(ctx, code, herPassword) // sets no password any more
		wantError(t, err, roster.ErrActivation)
		_, err = env.Register(ctx, roster.NewUser{Name: "victim", Email: victims, Password: herPassword})
		must(t, err)
		mine, err := env.ActivateWithPassword(ctx, env.Mail.MustCode(t, victims), herPassword)
		must(t, err)
		if got, err := env.Authenticate(ctx, victims, herPassword); err != nil || got.ID != mine.ID || got.ID == u.ID {
			t.Errorf("signed in as %v, %v", got, err)
		}
	})
}

// A change of the address that the attacker has begun cannot be ended.
func TestPrehijackUnexpiredEmailChange(t *testing.T) {
	ctx := context.Background()
	for name, come := range comes {
		t.Run(name, func(t *testing.T) {
			env, u := prehijacked(t, func(o *roster.Options) { o.SkipActivation = name == "activates" })
			_, err := env.ChangeEmail(ctx, u.ID, "evil@evil.example")
			must(t, err)
			code := env.Mail.MustCode(t, "evil@evil.example")
			come(t, env)
			_, err = env.Activate(ctx, code)
			wantError(t, err, roster.ErrActivation)
			hers(t, env, u.ID)
		})
	}
}

// Who proves the address and knows the password is who has chosen it: nothing is
// taken from them.
func TestActivateWithTheSamePassword(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t, func(o *roster.Options) { o.SkipActivation = true })
	u, err := env.Register(ctx, ann)
	must(t, err)
	env.Clock.Advance(time.Minute)
	_, token, err := env.SignIn(ctx, "ann", ann.Password)
	must(t, err)
	_, err = env.AddEmail(ctx, u.ID, "second@example.org")
	must(t, err)
	code := env.Mail.MustCode(t, ann.Email)
	second := env.Mail.MustCode(t, "second@example.org")
	got, err := env.ActivateWithPassword(ctx, code, ann.Password)
	must(t, err)
	if _, err := env.Session(ctx, token.Reveal()); err != nil {
		t.Errorf("the session: %v", err)
	}
	if !got.PasswordChangedAt.Equal(u.PasswordChangedAt) || !got.AuthChangedAt.IsZero() {
		t.Errorf("activated %+v", got)
	}
	_, err = env.ActivateWithPassword(ctx, code, ann.Password)
	wantError(t, err, roster.ErrActivation)
	_, err = env.Activate(ctx, second) // not the first any more
	must(t, err)
	wantEmails(t, env, u.ID, "Ann@Example.org* second@example.org")
}

func TestKeepEarlyPassword(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t, func(o *roster.Options) { o.KeepEarlyPassword = true })
	_, err := env.Register(ctx, ann)
	must(t, err)
	code := env.Mail.MustCode(t, ann.Email)
	if p, err := env.Peek(ctx, code); err != nil || p.NeedsPassword {
		t.Errorf("peeked %+v, %v", p, err)
	}
	_, err = env.Activate(ctx, code)
	must(t, err)
	_, err = env.Authenticate(ctx, "ann", ann.Password)
	must(t, err)
}

// Who has no password, or has it elsewhere, needs none for the proof.
func TestProofsWithoutPassword(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	for name, u := range map[string]*roster.User{"none": {Name: "none"}, "linked": {Name: "linked", DirectoryID: "ldap:7"}} {
		must(t, env.Create(ctx, u))
		_, err := env.AddEmail(ctx, u.ID, name+"@example.org")
		must(t, err)
		code := env.Mail.MustCode(t, name+"@example.org")
		if p, err := env.Peek(ctx, code); err != nil || p.NeedsPassword {
			t.Errorf("%s: peeked %+v, %v", name, p, err)
		}
		if name == "linked" {
			_, err = env.ActivateWithPassword(ctx, code, herPassword)
			if got := fields(err); len(got) != 1 || got[0] != "directory: read_only" {
				t.Errorf("with a password: %v", err)
			}
		}
		_, err = env.Activate(ctx, code)
		must(t, err)
		wantEmails(t, env, u.ID, name+"@example.org*")
	}
}

func TestInvite(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t, func(o *roster.Options) { o.ActivationURL = "https://app.example.org/a#{code}" })
	u, err := env.Invite(ctx, roster.NewUser{RealName: "Ben Example", Email: "ben@example.org", Locale: "fr"})
	must(t, err)
	if !u.NameAuto || u.IsActivated() || !u.PasswordChangedAt.IsZero() || roster.RegistrationSource.Get(u) != "invitation" {
		t.Errorf("invited %+v", u)
	}
	m := env.Mail.MustLast(t, "ben@example.org")
	if m.Kind != roster.MailInvitation || m.Locale != "fr" || !m.ExpiresAt.Equal(env.Clock.Now().Add(7*day)) ||
		m.Link.Reveal() != "https://app.example.org/a#"+m.Code.Reveal() {
		t.Errorf("mail %+v", m)
	}
	for _, password := range []string{"", herPassword} {
		_, err = env.Authenticate(ctx, u.Name, password)
		wantError(t, err, roster.ErrCredentials)
	}
	env.Clock.Advance(6 * day)
	must(t, env.ResendActivation(ctx, "ben@example.org"))
	again := env.Mail.MustLast(t, "ben@example.org")
	if again.Kind != roster.MailInvitation {
		t.Errorf("sent again: %s", again.Kind)
	}
	_, err = env.ActivateWithPassword(ctx, m.Code.Reveal(), herPassword)
	wantError(t, err, roster.ErrActivation)
	p, err := env.Peek(ctx, again.Code.Reveal())
	if err != nil || p.Purpose != roster.PurposeInvite || !p.NeedsPassword {
		t.Errorf("peeked %+v, %v", p, err)
	}
	_, err = env.Activate(ctx, again.Code.Reveal())
	wantError(t, err, roster.ErrPasswordRequired)
	_, err = env.ResetPassword(ctx, again.Code.Reveal(), herPassword)
	wantError(t, err, roster.ErrActivation)
	got, err := env.ActivateWithPassword(ctx, again.Code.Reveal(), herPassword)
	must(t, err)
	if got.ID != u.ID || !got.IsActivated() || got.PasswordChangedAt.IsZero() {
		t.Errorf("activated %+v", got)
	}
	_, err = env.Authenticate(ctx, "ben@example.org", herPassword)
	must(t, err)
	healthy(t, env)
}

func TestInviteRefuses(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	env.MustRegister("ann")
	for want, n := range map[string]roster.NewUser{
		"email: empty":        {Name: "ben"},
		"password: read_only": {Email: "ben@example.org", Password: herPassword},
		"name: reserved":      {Name: "root", Email: "ben@example.org"},
		"locale: unknown":     {Email: "ben@example.org", Locale: "?"},
	} {
		_, err := env.Invite(ctx, n)
		if got := fields(err); len(got) != 1 || got[0] != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	_, err := env.Invite(ctx, roster.NewUser{Name: "ANN", Email: "ben@example.org"})
	wantError(t, err, roster.ErrConflict)
	env.Mail.Clear()
	_, err = env.Invite(ctx, roster.NewUser{Name: "ben", Email: "ann@example.org"})
	must(t, err)
	if mails := env.Mail.All(); len(mails) != 1 || mails[0].Kind != roster.MailAddressTaken {
		t.Errorf("mails %v", mails)
	}
	// Who does not come is removed.
	_, err = env.Invite(ctx, roster.NewUser{Name: "cid", Email: "cid@example.org"})
	must(t, err)
	env.Clock.Advance(9 * day)
	for range 2 {
		_, err = env.Prune(ctx, roster.Budget{})
		must(t, err)
	}
	_, err = env.ByName(ctx, "cid")
	wantError(t, err, roster.ErrNotFound)
}
