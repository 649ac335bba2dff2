package roster_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/password"
	"github.com/go-roster/roster/rostertest"
)

func TestGeneratedPassword(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	env.Clock.Advance(time.Hour)
	session, token, err := env.SignIn(ctx, "ann", rostertest.Password)
	must(t, err)
	made, err := env.GeneratePassword(ctx, u.ID, roster.Generated{})
	must(t, err)
	if n := len(made.Reveal()); n != 26 || strings.Trim(made.Reveal(), password.Unambiguous) != "" {
		t.Errorf("%d characters", n)
	}
	m := env.Mail.MustLast(t, "ann@example.org")
	if m.Kind != roster.MailGeneratedPassword || m.Code.IsZero() || m.Code.Equal(made) {
		t.Errorf("mail %+v", m)
	}
	if _, err := env.Session(ctx, token.Reveal()); err == nil {
		t.Error("the session lives")
	}
	env.Clock.Advance(time.Minute)
	for _, login := range []string{"ann", "ann@example.org"} {
		_, err = env.Authenticate(ctx, login, made.Reveal())
		wantError(t, err, roster.ErrMustChangePassword)
		_, _, err = env.SignIn(ctx, login, made.Reveal())
		wantError(t, err, roster.ErrMustChangePassword)
		_, err = env.Authenticate(ctx, login, made.Reveal()+"x")
		wantError(t, err, roster.ErrCredentials)
	}
	wantError(t, env.CheckPassword(ctx, u.ID, made.Reveal()), roster.ErrMustChangePassword)
	now, err := env.ByID(ctx, u.ID)
	must(t, err)
	if !now.LastLoginAt.Equal(session.CreatedAt) {
		t.Errorf("a sign-in was recorded at %v", now.LastLoginAt)
	}
	if open, err := env.Sessions(ctx, u.ID); err != nil || len(open) != 0 {
		t.Errorf("%d sessions, %v", len(open), err)
	}

	// Only by another one does it become an ordinary password.
	for typed, want := range map[string]string{made.Reveal(): "password: unchanged", "short": "password: too_short", "": "password: empty"} {
		_, err = env.RenewPassword(ctx, "ann", made.Reveal(), typed)
		if got := fields(err); len(got) != 1 || got[0] != want {
			t.Errorf("renewed to %q: %v", typed, err)
		}
	}
	if got := fields(env.ChangePassword(ctx, u.ID, made.Reveal(), made.Reveal())); len(got) != 1 || got[0] != "password: unchanged" {
		t.Errorf("changed to itself: %v", got)
	}
	_, err = env.RenewPassword(ctx, "ann", "wrong password", herPassword)
	wantError(t, err, roster.ErrCredentials)
	got, err := env.RenewPassword(ctx, "ANN@example.org", made.Reveal(), herPassword)
	must(t, err)
	if got.ID != u.ID || !got.PasswordChangedAt.Equal(env.Clock.Now()) {
		t.Errorf("renewed %+v", got)
	}
	c, err := env.Store.Credential(ctx, u.ID, 0)
	if err != nil || c.MustChange || !c.ExpiresAt.IsZero() {
		t.Errorf("credential must change %v, expires %v (%v)", c.MustChange, c.ExpiresAt, err)
	}
	_, err = env.Authenticate(ctx, "ann", herPassword)
	must(t, err)
	_, err = env.RenewPassword(ctx, "ann", herPassword, herPassword+" 2") // an ordinary one, too
	must(t, err)
	healthy(t, env)
}

func TestGeneratedPasswordExpires(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		g    roster.Generated
		ttl  time.Duration // zero is never
		must bool
	}{
		{roster.Generated{}, 7 * day, true},
		{roster.Generated{TTL: time.Hour, Generator: password.Handout()}, time.Hour, true},
		{roster.Generated{TTL: -1, Generator: password.Generator{Words: 4}}, 0, true},
		{roster.Generated{Keep: true}, 0, false},
		{roster.Generated{Keep: true, TTL: time.Hour}, time.Hour, false},
	} {
		env := rostertest.New(t)
		u := env.MustRegister("ann")
		made, err := env.GeneratePassword(ctx, u.ID, c.g)
		must(t, err)
		want := error(nil)
		if c.must {
			want = roster.ErrMustChangePassword
		}
		wait := 1000 * day
		if c.ttl > 0 {
			wait = c.ttl - time.Microsecond
		}
		env.Clock.Advance(wait)
		_, err = env.Authenticate(ctx, "ann", made.Reveal())
		wantError(t, err, want)
		if c.ttl == 0 {
			continue
		}
		env.Clock.Advance(time.Microsecond)
		_, err = env.Authenticate(ctx, "ann", made.Reveal())
		wantError(t, err, roster.ErrCredentials)
		_, err = env.RenewPassword(ctx, "ann", made.Reveal(), herPassword)
		wantError(t, err, roster.ErrCredentials)
		wantError(t, env.ChangePassword(ctx, u.ID, made.Reveal(), herPassword), roster.ErrCredentials)
		wantError(t, env.CheckPassword(ctx, u.ID, made.Reveal()), roster.ErrCredentials)
		must(t, env.RequestPasswordReset(ctx, "ann")) // that is how it goes on
		_, err = env.ResetPassword(ctx, env.Mail.MustCode(t, "ann@example.org"), herPassword)
		must(t, err)
		_, err = env.Authenticate(ctx, "ann", herPassword)
		must(t, err)
	}
}

// A rehash leaves the rest of the credential as it is.
func TestRehashKeepsWhatMustChange(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	must(t, env.RequirePasswordChange(ctx, u.ID, time.Hour))
	before, err := env.Store.Credential(ctx, u.ID, 0)
	must(t, err)
	must(t, env.Store.SwapCredential(ctx, u.ID, 0, before.Hash, roster.NewSecret("another hash")))
	after, err := env.Store.Credential(ctx, u.ID, 0)
	must(t, err)
	if !after.MustChange || !after.ExpiresAt.Equal(before.ExpiresAt) || !after.CreatedAt.Equal(before.CreatedAt) {
		t.Errorf("credential must change %v, expires %v", after.MustChange, after.ExpiresAt)
	}
}

func TestRequirePasswordChange(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	env.Clock.Advance(time.Minute)
	_, token, err := env.SignIn(ctx, "ann", rostertest.Password)
	must(t, err)
	must(t, env.RequestPasswordReset(ctx, "ann"))
	code := env.Mail.MustCode(t, "ann@example.org")
	must(t, env.RequirePasswordChange(ctx, u.ID, day))
	if m := env.Mail.MustLast(t, "ann@example.org"); m.Kind != roster.MailMustChangePassword || !m.ExpiresAt.Equal(env.Clock.Now().Add(day)) || !m.Code.IsZero() {
		t.Errorf("mail %+v", m)
	}
	if _, err := env.Session(ctx, token.Reveal()); err == nil {
		t.Error("the session lives")
	}
	_, err = env.ResetPassword(ctx, code, herPassword)
	wantError(t, err, roster.ErrActivation)
	_, err = env.Authenticate(ctx, "ann", rostertest.Password)
	wantError(t, err, roster.ErrMustChangePassword)
	must(t, env.ChangePassword(ctx, u.ID, rostertest.Password, herPassword))
	_, err = env.Authenticate(ctx, "ann", herPassword)
	must(t, err)
	must(t, env.RemovePassword(ctx, u.ID))
	if got := fields(env.RequirePasswordChange(ctx, u.ID, 0)); len(got) != 1 || got[0] != "password: empty" {
		t.Errorf("required of somebody without: %v", got)
	}
}

func TestRequirePasswordReset(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	env.Clock.Advance(time.Minute)
	_, token, err := env.SignIn(ctx, "ann", rostertest.Password)
	must(t, err)
	must(t, env.RequirePasswordReset(ctx, u.ID))
	if _, err := env.Session(ctx, token.Reveal()); err == nil {
		t.Error("the session lives")
	}
	_, err = env.Authenticate(ctx, "ann", rostertest.Password)
	wantError(t, err, roster.ErrCredentials)
	m := env.Mail.MustLast(t, "ann@example.org")
	if m.Kind != roster.MailResetPassword {
		t.Errorf("mail %s", m.Kind)
	}
	_, err = env.ResetPassword(ctx, m.Code.Reveal(), herPassword)
	must(t, err)
	_, err = env.Authenticate(ctx, "ann", herPassword)
	must(t, err)

	nobody := &roster.User{Name: "nomail", ActivatedAt: env.Clock.Now()}
	must(t, env.Create(ctx, nobody))
	must(t, env.SetPassword(ctx, nobody.ID, herPassword))
	if got := fields(env.RequirePasswordReset(ctx, nobody.ID)); len(got) != 1 || got[0] != "email: not_active" {
		t.Errorf("without an address: %v", got)
	}
	must(t, env.CheckPassword(ctx, nobody.ID, herPassword))
	healthy(t, env)
}

// No password is a state of its own.
func TestRemovePassword(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	env.Clock.Advance(time.Minute)
	_, token, err := env.SignIn(ctx, "ann", rostertest.Password)
	must(t, err)
	must(t, env.RemovePassword(ctx, u.ID))
	if _, err := env.Session(ctx, token.Reveal()); err == nil {
		t.Error("the session lives")
	}
	for _, typed := range []string{rostertest.Password, "", "x"} {
		_, err = env.Authenticate(ctx, "ann", typed)
		wantError(t, err, roster.ErrCredentials)
		_, err = env.RenewPassword(ctx, "ann", typed, herPassword)
		wantError(t, err, roster.ErrCredentials)
	}
	now, err := env.ByID(ctx, u.ID)
	must(t, err)
	if !now.PasswordChangedAt.IsZero() {
		t.Errorf("password changed at %v", now.PasswordChangedAt)
	}
	version, mails := now.Version, len(env.Mail.All())
	must(t, env.RemovePassword(ctx, u.ID))
	if now, err = env.ByID(ctx, u.ID); err != nil || now.Version != version || len(env.Mail.All()) != mails {
		t.Error("removing none did something")
	}
	_, err = env.UndoChange(ctx, undoCode(t, env, "ann@example.org"), herPassword)
	must(t, err)
	_, err = env.Authenticate(ctx, "ann", herPassword)
	must(t, err)
	healthy(t, env)
}

// What a program does on its own authority is refused where it has no say.
func TestTemporaryPasswordsOfOthers(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	linked := env.MustRegister("linked")
	must(t, env.Edit(ctx, linked.ID, func(u *roster.User) error { u.DirectoryID = "ldap:7"; return nil }))
	gone := env.MustRegister("gone")
	must(t, env.Delete(ctx, gone.ID))
	env.Mail.Clear()
	for name, verb := range map[string]func(id roster.UserID) error{
		"generate":       func(id roster.UserID) error { _, err := env.GeneratePassword(ctx, id, roster.Generated{}); return err },
		"require change": func(id roster.UserID) error { return env.RequirePasswordChange(ctx, id, 0) },
		"require reset":  func(id roster.UserID) error { return env.RequirePasswordReset(ctx, id) },
		"remove":         func(id roster.UserID) error { return env.RemovePassword(ctx, id) },
	} {
		for _, id := range []roster.UserID{gone.ID, 1 << 40} {
			wantError(t, verb(id), roster.ErrNotFound)
		}
		wantError(t, verb(-1), roster.ErrInvalid)
		if got := fields(verb(linked.ID)); len(got) != 1 || got[0] != "directory: read_only" {
			t.Errorf("%s of a directory's user: %v", name, got)
		}
	}
	if mails := env.Mail.All(); len(mails) != 0 {
		t.Errorf("mails %v", mails)
	}
	ann := env.MustRegister("ann")
	if s, err := env.GeneratePassword(ctx, ann.ID, roster.Generated{Generator: password.Generator{Length: 3}}); err == nil || !s.IsZero() {
		t.Error("a password of 3 characters")
	}
	must(t, env.CheckPassword(ctx, ann.ID, rostertest.Password))
}

// A password that is no longer good does not become so by having to be changed.
func TestRequirePasswordChangeRevivesNothing(t *testing.T) {
	ctx := t.Context()
	env := rostertest.New(t)
	ann := env.MustRegister("ann")
	made, err := env.GeneratePassword(ctx, ann.ID, roster.Generated{})
	must(t, err)
	env.Clock.Advance(8 * 24 * time.Hour)
	must(t, env.RequirePasswordChange(ctx, ann.ID, 24*time.Hour))
	_, err = env.RenewPassword(ctx, "ann", made.Reveal(), "another fine password")
	wantError(t, err, roster.ErrCredentials)
}

// A right password that must be changed ends a row of failures as any other.
func TestMustChangePasswordIsNoFailure(t *testing.T) {
	env := rostertest.New(t, func(o *roster.Options) { o.Limits = roster.Limits{} })
	ctx := roster.WithClient(context.Background(), roster.Client{Addr: netip.MustParseAddr("192.0.2.1")})
	u := env.MustRegister("ann")
	must(t, env.RequirePasswordChange(ctx, u.ID, 0))
	for range 5 {
		for range 4 {
			_, err := env.Authenticate(ctx, "ann", "wrong password")
			wantError(t, err, roster.ErrCredentials)
		}
		_, err := env.Authenticate(ctx, "ann", rostertest.Password)
		wantError(t, err, roster.ErrMustChangePassword)
	}
}
