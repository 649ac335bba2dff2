package roster_test

import (
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

// Whoever had a session for a moment cannot come back through an address that
// was claimed in it.
func TestTrojanAddress(t *testing.T) {
	ctx := context.Background()
	for name, add := range map[string]func(env *rostertest.Env, id roster.UserID) error{
		"added": func(env *rostertest.Env, id roster.UserID) error {
			_, err := env.AddEmail(ctx, id, "evil@evil.example")
			return err
		},
		"changed": func(env *rostertest.Env, id roster.UserID) error {
			_, err := env.ChangeEmail(ctx, id, "evil@evil.example")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := rostertest.New(t)
			v := env.MustRegister("victim")
			must(t, add(env, v.ID))
			code := env.Mail.MustCode(t, "evil@evil.example")
			must(t, env.RequestPasswordReset(ctx, "victim@example.org"))
			_, err := env.ResetPassword(ctx, env.Mail.MustCode(t, "victim@example.org"), "a new password")
			must(t, err)
			env.Mail.Clear()
			must(t, env.ResendActivation(ctx, "evil@evil.example"))
			must(t, env.RequestPasswordReset(ctx, "evil@evil.example"))
			if mails := env.Mail.All(); len(mails) != 0 {
				t.Errorf("mails: %v", mails)
			}
			_, err = env.Activate(ctx, code)
			wantError(t, err, roster.ErrActivation)
		})
	}
}

// Who claims an address first or last does not keep its owner from the mails.
func TestSquatterDoesNotCaptureMails(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	register := func(name string) *roster.User {
		t.Helper()
		u, err := env.Register(ctx, roster.NewUser{Name: name, Email: "v@example.org", Password: rostertest.Password})
		must(t, err)
		return u
	}
	register("early")
	victim := register("victim")
	register("late")
	active := env.MustRegister("active")
	_, err := env.AddEmail(ctx, active.ID, "v@example.org")
	must(t, err)
	for what, ask := range map[string]func(context.Context, string) error{
		"resend": env.ResendActivation, "reset": env.RequestPasswordReset,
	} {
		env.Mail.Clear()
		must(t, ask(ctx, "v@example.org"))
		var got []string
		for _, m := range env.Mail.All() {
			got = append(got, m.User.Name)
		}
		if s := strings.Join(got, " "); s != "early victim late" {
			t.Errorf("%s: codes for %s", what, s)
		}
		env.Mail.Clear()
		must(t, ask(ctx, "victim"))
		if mails := env.Mail.All(); len(mails) != 1 || mails[0].User.ID != victim.ID {
			t.Errorf("%s by name: %v", what, mails)
		}
	}
	must(t, env.RequestPasswordReset(ctx, "victim"))
	got, err := env.ResetPassword(ctx, env.Mail.MustCode(t, "v@example.org"), "a new password")
	if err != nil || got.ID != victim.ID {
		t.Errorf("%v, %v", got, err)
	}
	healthy(t, env)
}

func TestClaimsAreMailedInBounds(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	for i := range 20 {
		_, err := env.Register(ctx, roster.NewUser{Name: fmt.Sprintf("u%02d", i), Email: "v@example.org", Password: rostertest.Password})
		must(t, err)
	}
	env.Mail.Clear()
	must(t, env.ResendActivation(ctx, "v@example.org"))
	if n := len(env.Mail.All()); n != 5 {
		t.Errorf("%d mails", n)
	}
}

// Nobody keeps an account waiting for ever by asking for codes.
func TestResendDoesNotKeepAlive(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	_, err := env.Register(ctx, ann)
	must(t, err)
	for range 20 {
		env.Clock.Advance(23 * time.Hour)
		must(t, env.ResendActivation(ctx, ann.Email))
		must(t, env.RequestPasswordReset(ctx, "ann"))
		_, err := env.Prune(ctx, roster.Budget{})
		must(t, err)
	}
	if _, err := env.ByName(ctx, "ann"); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("still there: %v", err)
	}
}

// A sign-in by a clock that was ahead does not outlive a new password.
func TestClockThatWasAhead(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	env.Clock.Advance(5 * time.Second)
	thief, err := env.Authenticate(ctx, "ann", rostertest.Password)
	must(t, err)
	env.Clock.Advance(-5 * time.Second)
	must(t, env.SetPassword(ctx, u.ID, "another password"))
	now, err := env.ByID(ctx, u.ID)
	must(t, err)
	if now.SessionValid(thief.LastLoginAt) {
		t.Error("the session is valid")
	}
}

// fmt does not ask a value in an unexported field how it wants to be shown.
func TestSecretsInUnexportedFields(t *testing.T) {
	s := roster.NewSecret("hunter2-hunter2")
	type job struct {
		m roster.Mail
		c roster.Credential
		s roster.Secret
	}
	j := job{roster.Mail{Code: s, Link: s}, roster.Credential{Hash: s}, s}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "v", j)
	shown := fmt.Sprintf("%v", &j) + logged.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		shown += fmt.Sprintf(verb, j)
	}
	if strings.Contains(shown, "hunter2") || strings.Contains(shown, fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("shown: %s", shown)
	}
}

// A domain reaches the mail server in the form that was proven unique.
func TestMailGoesToTheEncodedDomain(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	for typed, want := range map[string]string{
		"A@faß.example": "A@xn--fa-hia.example", "b@ｇithub.example": "b@github.example", "c@x。example": "c@x.example", "D@EXAMPLE.org": "D@EXAMPLE.org",
	} {
		env.Mail.Clear()
		_, err := env.Register(ctx, roster.NewUser{Name: strings.ToLower(typed[:1]) + "user", Email: typed, Password: rostertest.Password})
		must(t, err)
		if got := env.Mail.All()[0].To; got != want {
			t.Errorf("%s: mail to %s, want %s", typed, got, want)
		}
	}
}

// What waits for the commit is run, also if something before it panics.
func TestAfterCommitSurvivesPanics(t *testing.T) {
	env := rostertest.New(t)
	var ran []int
	func() {
		defer func() { _ = recover() }()
		_ = env.Atomic(context.Background(), func(ctx context.Context) error {
			for i := range 3 {
				roster.AfterCommit(ctx, func(context.Context) {
					ran = append(ran, i)
					if i == 0 {
						panic("hook")
					}
				})
			}
			return nil
		})
	}()
	if len(ran) != 3 {
		t.Errorf("ran %v", ran)
	}
}

// A Hasher that is not there is no wrong password.
func TestUnavailableHasher(t *testing.T) {
	ctx := context.Background()
	hasher := new(brokenHasher)
	env := rostertest.New(t, func(o *roster.Options) { o.Hasher = hasher })
	env.MustRegister("ann")
	hasher.err = &roster.UnavailableError{What: "pepper"}
	_, err := env.Authenticate(ctx, "ann", rostertest.Password)
	wantError(t, err, roster.ErrUnavailable)
}

type brokenHasher struct {
	rostertest.Hasher
	err error
}

func (h *brokenHasher) Verify(ctx context.Context, hash, password string) (bool, bool, error) {
	if h.err != nil {
		return false, false, h.err
	}
	return h.Hasher.Verify(ctx, hash, password)
}

func TestZonesThatAreNone(t *testing.T) {
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	for _, zone := range []string{"localtime", "posixrules", "Factory", "posix/UTC", "right/UTC", "./Europe/Berlin", "Europe//Berlin", "Europe/../UTC"} {
		err := env.Edit(context.Background(), u.ID, func(u *roster.User) error { u.Timezone = zone; return nil })
		if got := fields(err); len(got) != 1 || got[0] != "timezone: unknown" {
			t.Errorf("%s: %v", zone, err)
		}
	}
	for _, year := range []int{-5, 0, 10000} {
		err := env.Create(context.Background(), &roster.User{Name: "ben", ActivatedAt: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)})
		wantError(t, err, roster.ErrInvalid)
	}
}
