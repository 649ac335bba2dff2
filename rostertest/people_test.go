package rostertest_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer/mailertest"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/sessioncookie"
	"github.com/go-roster/roster/store/memory"
)

// A user that MustUser makes is one like any other, and no mail tells of it.
func TestMustUser(t *testing.T) {
	ctx := t.Context()
	env := rostertest.New(t)
	for _, name := range []string{"ann", strings.Repeat("漢", 30)} { // which is too long for an address
		check(t, env, name, env.MustUser(t, func(u *roster.User) { u.Name, u.Locale = name, "de" }))
	}
	check(t, env, "user-3", env.MustUser(t, func(u *roster.User) { u.Locale = "de" }))
	if mails := env.Mail.All(); len(mails) > 0 {
		t.Errorf("%d mails, the first is %s", len(mails), mails[0].Kind)
	}
	of := env.MustUser(t, func(u *roster.User) { u.DirectoryID, u.DirectoryDN = "corp", "uid=dora" })
	if _, err := env.Authenticate(ctx, of.Name, rostertest.Password); !errors.Is(err, roster.ErrCredentials) {
		t.Errorf("a user of a directory has a password here: %v", err)
	}
}

// subscriber is a host's own user type.
type subscriber struct {
	roster.User
	Plan string `bun:"plan,notnull,default:'free'"`
}

// A user of the host's own type is found again with its columns.
func TestMustCreate(t *testing.T) {
	env := rostertest.NewOn(t, memory.New(memory.Model[subscriber]()))
	m := &subscriber{Plan: "pro"}
	m.Name, m.Locale = "ann", "de"
	u := env.MustCreate(t, m)
	check(t, env, "ann", u)
	if found, ok := roster.As[*subscriber](u); !ok || found.Plan != "pro" {
		t.Errorf("%v, %v: the plan is lost", found, ok)
	}
}

func check(t *testing.T, env *rostertest.Env, name string, u *roster.User) {
	t.Helper()
	if u.Name != name || !u.IsActivated() || u.Locale != "de" {
		t.Errorf("%q, activated %v, locale %q: want %q", u.Name, u.IsActivated(), u.Locale, name)
	}
	emails, err := env.Emails(t.Context(), u.ID)
	if err != nil || len(emails) != 1 || !emails[0].IsActivated() || !emails[0].Primary {
		t.Fatalf("%s: addresses %v, %v", name, emails, err)
	}
	if _, err := env.Authenticate(t.Context(), emails[0].Address, rostertest.Password); err != nil {
		t.Errorf("%s by %s: %v", name, emails[0].Address, err)
	}
	u.RealName = "Ann Example"
	if err := env.Save(t.Context(), u); err != nil {
		t.Errorf("%s is not as stored: %v", name, err)
	}
}

// What cannot be made fails the test that asked for it.
func TestMustFails(t *testing.T) {
	env := rostertest.New(t)
	ann := env.MustUser(t, func(u *roster.User) { u.Name = "ann" })
	if err := env.Disable(t.Context(), ann.ID); err != nil {
		t.Fatal(err)
	}
	for what, must := range map[string]func(testing.TB){
		"a taken name":      func(t testing.TB) { env.MustUser(t, func(u *roster.User) { u.Name = "ANN" }) },
		"somebody disabled": func(t testing.TB) { env.MustSignIn(t, ann) },
		"nobody":            func(t testing.TB) { env.MustSignIn(t, new(roster.User)) },
	} {
		inner := &stopped{TB: t}
		var wg sync.WaitGroup
		wg.Go(func() { must(inner) })
		wg.Wait()
		if inner.why == "" {
			t.Errorf("%s: the test goes on", what)
		}
	}
}

// The cookie of a sign-in is the one that sessioncookie finds, and the session is
// real: what ends sessions ends it, at the same moment too.
func TestMustSignIn(t *testing.T) {
	ctx := t.Context()
	env := rostertest.New(t)
	ann := env.MustUser(t)
	s, cookie := env.MustSignIn(t, ann)
	r := httptest.NewRequestWithContext(ctx, "GET", "/", nil)
	r.AddCookie(cookie)
	found, err := env.Session(ctx, sessioncookie.Token(r))
	if err != nil || found.ID != s.ID || found.User.ID != ann.ID || s.User.ID != ann.ID {
		t.Fatalf("%v, %v: want the session of %d", found, err, ann.ID)
	}
	if err := env.SetPassword(ctx, ann.ID, "another horse battery"); err != nil {
		t.Fatal(err)
	}
	if _, err := env.Session(ctx, cookie.Value); !errors.Is(err, roster.ErrNoSession) {
		t.Errorf("after a new password: %v, want ErrNoSession", err)
	}
	_, cookie = env.MustSignIn(t, ann) // as she was before
	if _, err := env.Session(ctx, cookie.Value); err != nil {
		t.Error(err)
	}
}

// All that is random is the same again, and differs within a run.
func TestGolden(t *testing.T) {
	var runs []string
	for range 2 {
		t.Run("run", func(t *testing.T) {
			mails := mailertest.New(t)
			env := rostertest.NewGolden(t, func(o *roster.Options) { o.Mailer = mails })
			var all []string
			for _, name := range []string{"ann", "ben"} {
				u := env.MustRegister(name)
				s, cookie := env.MustSignIn(t, u)
				made, err := env.GeneratePassword(t.Context(), u.ID, roster.Generated{})
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, u.UUID.String(), s.ID.String(), cookie.Value, env.Mail.MustCode(t, name+"@example.org"), made.Reveal())
			}
			for i, one := range all[:5] {
				if one == all[i+5] {
					t.Errorf("twice: %s", one)
				}
			}
			for _, m := range mails.All() {
				text, err := m.Bytes()
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, string(text))
			}
			runs = append(runs, strings.Join(all, "\n"))
		})
	}
	if runs[0] != runs[1] {
		t.Errorf("once\n%s\nand then\n%s", runs[0], runs[1])
	}
	other := rostertest.New(t).MustUser(t)
	if strings.Contains(runs[0], other.UUID.String()) {
		t.Error("after the tests everything still follows from the seed")
	}
}

// In a bubble both clocks work, the bubble's and the one that a test moves.
func TestBubble(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*roster.Options)
		wait   func(*rostertest.Env, time.Duration)
	}{
		"its clock": {func(o *roster.Options) { o.Now = time.Now }, func(_ *rostertest.Env, d time.Duration) { time.Sleep(d) }},
		"ours":      {func(*roster.Options) {}, func(env *rostertest.Env, d time.Duration) { env.Clock.Advance(d) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				env := rostertest.New(t, tc.change)
				ann := env.MustRegister("ann")
				_, cookie := env.MustSignIn(t, ann)
				before := env.Clock.Now()
				tc.wait(env, 23*time.Hour)
				if _, err := env.Session(t.Context(), cookie.Value); err != nil {
					t.Errorf("after 23 hours: %v", err)
				}
				tc.wait(env, 25*time.Hour)
				if _, err := env.Session(t.Context(), cookie.Value); !errors.Is(err, roster.ErrNoSession) {
					t.Errorf("after another 25 hours without use: %v, want ErrNoSession", err)
				}
				if waited := env.Clock.Now().Sub(before); waited != 48*time.Hour {
					t.Errorf("the clock has moved by %v, want 48 hours", waited)
				}
				var wg sync.WaitGroup
				for range 10 { // hashing, and the one writer of the store
					wg.Go(func() { env.MustUser(t) })
				}
				wg.Wait()
			})
		})
	}
}

// BenchmarkThousandTests is a thousand tests, each with accounts and a user of
// its own: how long that takes is what an operation takes.
func BenchmarkThousandTests(b *testing.B) {
	for name, user := range map[string]func(*rostertest.Env){
		"made":   func(env *rostertest.Env) { env.MustUser(b) },
		"signed": func(env *rostertest.Env) { env.MustSignIn(b, env.MustRegister("ann")) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for range 1000 {
					user(rostertest.New(b))
				}
			}
		})
	}
}
