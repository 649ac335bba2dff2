package roster_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

func TestPeekConsumesNothing(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u, err := env.Register(ctx, ann)
	must(t, err)
	code := env.Mail.MustCode(t, ann.Email)
	for range 100 {
		p, err := env.Peek(ctx, code)
		must(t, err)
		if p.User.ID != u.ID || p.Email.Address != ann.Email || p.Purpose != roster.PurposeActivate || p.Email.IsActivated() {
			t.Fatalf("peeked %+v", p)
		}
	}
	_, err = env.ActivateWithPassword(ctx, code, rostertest.Password)
	must(t, err)
	_, err = env.Peek(ctx, code)
	wantError(t, err, roster.ErrActivation)
	_, err = env.Activate(ctx, code)
	wantError(t, err, roster.ErrActivation)
}

func TestCodeHasOneSpelling(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	_, err := env.Register(ctx, ann)
	must(t, err)
	code := env.Mail.MustCode(t, ann.Email)
	if len(code) != 43 {
		t.Fatalf("code of %d characters, want 43 (256 bits)", len(code))
	}
	raw, err := base64.RawURLEncoding.DecodeString(code)
	must(t, err)
	bad := []string{
		"", " ", "0", "null", code + "=", code + " ", " " + code, code + "\r\n", code[:20] + "\n" + code[20:],
		code + code, strings.ToUpper(code), strings.ToLower(code), string(raw), base64.StdEncoding.EncodeToString(raw),
		code[:42] + "\x00", strings.Repeat("A", 43), strings.Repeat("x", 1<<20),
	}
	for n := 1; n < len(code); n++ {
		bad = append(bad, code[:n], code[n:])
	}
	for i := range code {
		for bit := range 8 {
			b := []byte(code)
			b[i] ^= 1 << bit
			bad = append(bad, string(b))
		}
	}
	// The last character stands for four bits of two spare ones: all its spellings.
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		if byte(c) != code[42] {
			bad = append(bad, code[:42]+string(c))
		}
	}
	for _, s := range bad {
		if s == code {
			continue
		}
		if _, err := env.Activate(ctx, s); !errors.Is(err, roster.ErrActivation) {
			t.Errorf("Activate(%q) = %v, want ErrActivation", s, err)
		}
	}
	_, err = env.ActivateWithPassword(ctx, code, rostertest.Password)
	must(t, err)
}

func TestCodeExpires(t *testing.T) {
	ctx := context.Background()
	for _, tt := range []struct {
		after time.Duration
		good  bool
	}{
		{time.Hour - time.Microsecond, true},
		{time.Hour, false},
		{time.Hour + time.Microsecond, false},
	} {
		env := rostertest.New(t, func(o *roster.Options) { o.ActivationTTL = time.Hour })
		_, err := env.Register(ctx, ann)
		must(t, err)
		code := env.Mail.MustCode(t, ann.Email)
		env.Clock.Advance(tt.after)
		_, peekErr := env.Peek(ctx, code)
		_, err = env.ActivateWithPassword(ctx, code, rostertest.Password)
		if (err == nil) != tt.good || (peekErr == nil) != tt.good {
			t.Errorf("after %s: Activate %v, Peek %v", tt.after, err, peekErr)
		}
		if !tt.good && !errors.Is(err, roster.ErrActivation) {
			t.Errorf("after %s: %v, want ErrActivation", tt.after, err)
		}
	}
}

func TestNewCodeVoidsOlderOnes(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	_, err := env.Register(ctx, ann)
	must(t, err)
	for _, login := range []string{ann.Email, "ann", "ANN@example.org"} {
		must(t, env.ResendActivation(ctx, login))
	}
	mails := env.Mail.To(ann.Email)
	if len(mails) != 4 {
		t.Fatalf("%d mails, want 4", len(mails))
	}
	for i, m := range mails {
		if m.Kind != roster.MailActivateAccount {
			t.Errorf("mail %d is of kind %s", i, m.Kind)
		}
		_, err := env.ActivateWithPassword(ctx, m.Code.Reveal(), rostertest.Password)
		if last := i == len(mails)-1; last != (err == nil) {
			t.Errorf("code %d: %v", i, err)
		}
	}
}

func TestResendTellsNothing(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	env.MustRegister("ann")
	disabled := env.MustRegister("ben")
	must(t, env.Disable(ctx, disabled.ID))
	env.Mail.Clear()
	for _, login := range []string{"", "nobody", "nobody@example.org", "ann", "ann@example.org", "ben", "ben@example.org", "\xff", strings.Repeat("a", 1<<20)} {
		if err := env.ResendActivation(ctx, login); err != nil {
			t.Errorf("ResendActivation(%.20q) = %v", login, err)
		}
	}
	if mails := env.Mail.All(); len(mails) != 0 {
		t.Errorf("mails: %v", mails)
	}
}

// Activating an address activates the account, a second address leaves it
// activated, and each mail says what it is for.
func TestActivateSecondAddress(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	at := u.ActivatedAt
	env.Clock.Advance(time.Hour)
	e, err := env.AddEmail(ctx, u.ID, "second@example.org")
	must(t, err)
	if e.Primary || e.IsActivated() {
		t.Errorf("added as %+v", e)
	}
	if m := env.Mail.MustLast(t, "second@example.org"); m.Kind != roster.MailActivateEmail {
		t.Errorf("mail kind %s", m.Kind)
	}
	got, err := env.Activate(ctx, env.Mail.MustCode(t, "second@example.org"))
	must(t, err)
	if !got.ActivatedAt.Equal(at) {
		t.Errorf("activation of the account moved from %v to %v", at, got.ActivatedAt)
	}
	p, err := env.PrimaryEmail(ctx, u.ID)
	if err != nil || p.Address != "ann@example.org" {
		t.Errorf("primary address %v, %v", p, err)
	}
	byEmail, err := env.ByEmail(ctx, "second@example.org")
	if err != nil || byEmail.ID != u.ID {
		t.Errorf("not found by the second address: %v", err)
	}
	healthy(t, env)
}

func TestActivateLeavesDisabledAndDeleted(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u, err := env.Register(ctx, ann)
	must(t, err)
	code := env.Mail.MustCode(t, ann.Email)
	must(t, env.Disable(ctx, u.ID))
	_, err = env.Activate(ctx, code)
	wantError(t, err, roster.ErrActivation)
	must(t, env.Enable(ctx, u.ID))
	_, err = env.Activate(ctx, code)
	wantError(t, err, roster.ErrActivation) // Disable has voided it
	must(t, env.ResendActivation(ctx, "ann"))
	code = env.Mail.MustCode(t, ann.Email)
	must(t, env.Delete(ctx, u.ID))
	_, err = env.Activate(ctx, code)
	wantError(t, err, roster.ErrActivation)
}

// A sensitive change voids every code that is on its way.
func TestSensitiveChangesVoidCodes(t *testing.T) {
	ctx := context.Background()
	for name, change := range map[string]func(env *rostertest.Env, u *roster.User) error{
		"set password": func(env *rostertest.Env, u *roster.User) error { return env.SetPassword(ctx, u.ID, "another password") },
		"change password": func(env *rostertest.Env, u *roster.User) error {
			return env.ChangePassword(ctx, u.ID, rostertest.Password, "another password")
		},
		"disable": func(env *rostertest.Env, u *roster.User) error {
			return errors.Join(env.Disable(ctx, u.ID), env.Enable(ctx, u.ID))
		},
		"delete": func(env *rostertest.Env, u *roster.User) error {
			return errors.Join(env.Delete(ctx, u.ID), env.Restore(ctx, u.ID))
		},
		"rename": func(env *rostertest.Env, u *roster.User) error {
			return env.Edit(ctx, u.ID, func(u *roster.User) error { u.Name = "anna"; return nil })
		},
		"ban": func(env *rostertest.Env, u *roster.User) error {
			return env.Edit(ctx, u.ID, func(u *roster.User) error { u.Flags |= roster.FlagBanned; return nil })
		},
		"link to a directory": func(env *rostertest.Env, u *roster.User) error {
			return env.Edit(ctx, u.ID, func(u *roster.User) error { u.DirectoryID = "ldap:1"; return nil })
		},
		"primary address": func(env *rostertest.Env, u *roster.User) error {
			e, err := env.AddActivatedEmail(ctx, u.ID, "third@example.org")
			return errors.Join(err, env.SetPrimaryEmail(ctx, u.ID, e.ID))
		},
		"remove address": func(env *rostertest.Env, u *roster.User) error {
			e, err := env.AddActivatedEmail(ctx, u.ID, "third@example.org")
			return errors.Join(err, env.RemoveEmail(ctx, u.ID, e.ID))
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := rostertest.New(t)
			u := env.MustRegister("ann")
			_, err := env.AddEmail(ctx, u.ID, "second@example.org")
			must(t, err)
			code := env.Mail.MustCode(t, "second@example.org")
			signedIn := env.Clock.Now()
			env.Clock.Advance(time.Minute)
			must(t, change(env, u))
			_, err = env.Activate(ctx, code)
			wantError(t, err, roster.ErrActivation)
			got, err := env.ByID(ctx, u.ID)
			must(t, err)
			if got.SessionValid(signedIn) {
				t.Error("an older session is still valid")
			}
			if !got.SessionValid(env.Clock.Now().Add(time.Microsecond)) {
				t.Error("a session from now on is not valid")
			}
			healthy(t, env)
		})
	}
}

// What is not sensitive leaves sessions and codes alone.
func TestHarmlessChangesKeepSessions(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	_, err := env.AddEmail(ctx, u.ID, "second@example.org")
	must(t, err)
	code := env.Mail.MustCode(t, "second@example.org")
	signedIn := env.Clock.Now()
	env.Clock.Advance(time.Minute)
	must(t, env.Edit(ctx, u.ID, func(u *roster.User) error {
		u.RealName, u.Locale, u.Timezone = "Ann", "fr", "Asia/Tokyo"
		return roster.Field[string]("plan").Set(u, "pro")
	}))
	_, err = env.Authenticate(ctx, "ann", rostertest.Password)
	must(t, err)
	_, err = env.Authenticate(ctx, "ann", "wrong")
	wantError(t, err, roster.ErrCredentials)
	got, err := env.Activate(ctx, code)
	must(t, err)
	if !got.SessionValid(signedIn) {
		t.Error("the session is gone")
	}
}

func TestClockGoingBackRevivesNoSession(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	must(t, env.SetPassword(ctx, u.ID, "another password"))
	signedIn := env.Clock.Now()
	env.Clock.Advance(-24 * time.Hour)
	must(t, env.SetPassword(ctx, u.ID, "yet another password"))
	got, err := env.ByID(ctx, u.ID)
	must(t, err)
	if got.SessionValid(signedIn) {
		t.Error("a session from before the change is valid")
	}
}

func TestActivationLink(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t, func(o *roster.Options) { o.ActivationURL = "https://app.example.org/activate#{code}" })
	_, err := env.Register(ctx, ann)
	must(t, err)
	m := env.Mail.MustLast(t, ann.Email)
	if got, want := m.Link.Reveal(), "https://app.example.org/activate#"+m.Code.Reveal(); got != want {
		t.Errorf("link %q, want %q", got, want)
	}
}
