package roster_test

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/password"
	"github.com/go-roster/roster/rostertest"
)

// What is to be expected of somebody is no password of theirs, by whichever
// door it comes in, and is one of somebody else.
func TestExpectedPasswords(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t, func(o *roster.Options) { o.Policy.Words = []string{"Sternwarte"} })
	const context, common = "password: context", "password: common"
	wantRefused := func(err error, want string) {
		t.Helper()
		if got := fields(err); len(got) != 1 || got[0] != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	n := roster.NewUser{Name: "ann_example", RealName: "Ann Rothenburg Example", Email: "ann.d.example@example.org"}
	own := []string{
		"Ann_Example", "ann rothenburg example", "ANNROTHENBURGEXAMPLE", "r0thenburg",
		"ann.d.example@example.org", "Ann.D.Example", "sternwarte", "5ternw@rte",
	}
	for _, p := range own {
		n.Password = p
		wantRefused(env.CheckNewUser(n), context)
		_, err := env.Register(ctx, n)
		wantRefused(err, context)
	}
	n.Password = "Iloveyou!"
	wantRefused(env.CheckNewUser(n), common)

	n.Password = rostertest.Password
	_, err := env.Register(ctx, n)
	must(t, err)
	u, err := env.ActivateWithPassword(ctx, env.Mail.MustCode(t, n.Email), rostertest.Password)
	must(t, err)
	_, err = env.AddEmail(ctx, u.ID, "another-box@example.net")
	must(t, err)
	own = append(own, "another-box") // also before it is proven
	must(t, env.RequestPasswordReset(ctx, n.Name))
	code := env.Mail.MustCode(t, n.Email)
	for _, p := range own {
		wantRefused(env.SetPassword(ctx, u.ID, p), context)
		wantRefused(env.ChangePassword(ctx, u.ID, rostertest.Password, p), context)
		_, err := env.ResetPassword(ctx, code, p)
		wantRefused(err, context)
		// Nobody learns from a refusal what is to be expected of somebody else.
		if p != "sternwarte" && p != "5ternw@rte" {
			wantError(t, env.ChangePassword(ctx, u.ID, "wrong", p), roster.ErrCredentials)
			_, err = env.ResetPassword(ctx, strings.Repeat("x", 43), p)
			wantError(t, err, roster.ErrActivation)
		}
	}
	ben := env.MustRegister("ben")
	must(t, env.SetPassword(ctx, ben.ID, "Ann_Example"))
	_, err = env.ResetPassword(ctx, code, "ann_example~1") // the code is still good
	must(t, err)
	wantError(t, env.SetPassword(ctx, 1<<40, "password"), roster.ErrInvalid)
	wantError(t, env.SetPassword(ctx, 1<<40, "another password"), roster.ErrNotFound)
	// Junk in the other fields does not cost more than its own refusal.
	_, err = env.Register(ctx, roster.NewUser{Name: strings.Repeat("ä", 1<<20), RealName: strings.Repeat("b ", 1<<20), Email: strings.Repeat("ü", 1<<20), Password: rostertest.Password})
	wantError(t, err, roster.ErrInvalid)
}

func TestBreachedPasswords(t *testing.T) {
	ctx := context.Background()
	var down error
	asked := 0
	log := new(strings.Builder)
	hook := func(_ context.Context, sum [20]byte) (bool, error) {
		asked++
		return sum == sha1.Sum([]byte("correct horse staple")), down
	}
	for _, optional := range []bool{false, true} {
		env := rostertest.New(t, func(o *roster.Options) {
			o.Policy = password.Policy{Breached: hook, BreachedOptional: optional}
			o.Logger = slog.New(slog.NewTextHandler(log, nil))
		})
		down = nil
		u := env.MustRegister("ann")
		must(t, env.RequestPasswordReset(ctx, "ann"))
		code := env.Mail.MustCode(t, "ann@example.org")
		verbs := map[string]func(p string) error{
			"Register": func(p string) error {
				_, err := env.Register(ctx, roster.NewUser{Name: "ben", Email: "ben@example.org", Password: p})
				return err
			},
			"SetPassword":    func(p string) error { return env.SetPassword(ctx, u.ID, p) },
			"ChangePassword": func(p string) error { return env.ChangePassword(ctx, u.ID, rostertest.Password, p) },
			"ResetPassword":  func(p string) error { _, err := env.ResetPassword(ctx, code, p); return err },
		}
		for verb, call := range verbs {
			asked = 0
			if got := fields(call("correct horse staple")); len(got) != 1 || got[0] != "password: breached" || asked != 1 {
				t.Errorf("%s: %v, asked %d times", verb, got, asked)
			}
			if call("too few"); asked != 1 {
				t.Errorf("%s asked about a password that was refused", verb)
			}
		}
		asked = 0
		must(t, env.CheckNewUser(roster.NewUser{Name: "ben", Email: "ben@example.org", Password: "correct horse staple"}))
		_, err := env.Authenticate(ctx, "ann", "correct horse staple") // only what is set is looked up
		wantError(t, err, roster.ErrCredentials)
		if asked != 0 {
			t.Errorf("asked %d times", asked)
		}

		down = errors.New("cannot reach 203.0.113.9")
		log.Reset()
		if optional {
			must(t, verbs["SetPassword"]("correct horse staple"))
		} else {
			for verb, call := range verbs {
				err := call("another password")
				var unavailable *roster.UnavailableError
				if !errors.As(err, &unavailable) || unavailable.What != roster.UnavailableBreaches || !errors.Is(err, down) {
					t.Errorf("%s: %v", verb, err)
				}
				if strings.Contains(err.Error(), "203.0.113.9") {
					t.Errorf("%s tells %v", verb, err)
				}
			}
			mustSignIn(t, env, "ann")
		}
		if !strings.Contains(log.String(), "breached passwords cannot be looked up") || strings.Contains(log.String(), "203.0.113.9") {
			t.Errorf("the log says %q", log)
		}
	}
}

func mustSignIn(t *testing.T, env *rostertest.Env, name string) {
	t.Helper()
	_, err := env.Authenticate(context.Background(), name, rostertest.Password)
	must(t, err)
}

// Nobody makes the program ask about more passwords than they may sign up with.
func TestBreachedPasswordsAreCounted(t *testing.T) {
	ctx := roster.WithClient(t.Context(), roster.Client{Addr: netip.MustParseAddr("192.0.2.1")})
	asked := 0
	env := rostertest.New(t, func(o *roster.Options) {
		o.Limits = roster.Limits{SourceMails: 1}
		o.Policy.Breached = func(context.Context, [20]byte) (bool, error) { asked++; return false, nil }
	})
	for i := range 5 {
		_, _ = env.Register(ctx, roster.NewUser{Name: fmt.Sprintf("name%d", i), Email: "a@example.org", Password: rostertest.Password})
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}
