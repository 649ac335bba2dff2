package rostertest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer"
	"github.com/go-roster/roster/mailer/mailertest"
	"github.com/go-roster/roster/rostertest"
)

// The mailbox keeps every mail once, whatever Mailer the test has set.
func TestMailerOfTheTest(t *testing.T) {
	ctx := t.Context()
	mails := mailertest.New(t)
	for name, change := range map[string]func(*roster.Options){
		"its own": func(o *roster.Options) { o.Mailer = mails },
		"none":    func(o *roster.Options) { o.Mailer = nil },
		"wrapped": func(o *roster.Options) {
			inner := o.Mailer
			o.Mailer = roster.MailerFunc(func(ctx context.Context, m roster.Mail) error { return inner.Send(ctx, m) })
		},
		"other env's": func(o *roster.Options) { o.Mailer = rostertest.New(t).Mail },
	} {
		env := rostertest.New(t, change)
		ann := env.MustRegister("ann")
		if !ann.IsActivated() || len(env.Mail.All()) != 1 {
			t.Errorf("%s: activated %v, %d mails, want 1", name, ann.IsActivated(), len(env.Mail.All()))
		}
		failure := errors.New("full")
		env.Mail.Fail(failure)
		if err := env.SetPassword(ctx, ann.ID, "another horse battery"); !errors.Is(err, failure) {
			t.Errorf("%s: a mailbox that fails: %v", name, err)
		}
	}
	if got := len(mails.To("ann@example.org")); got != 1 {
		t.Errorf("the Mailer of the test got %d mails, want 1", got)
	}
}

// The mails of a Recorder go by the clock of the accounts, unless it has its own.
func TestMailClock(t *testing.T) {
	mails := mailertest.New(t)
	env := rostertest.New(t, func(o *roster.Options) { o.Mailer = mails })
	env.Clock.Advance(time.Hour)
	env.MustRegister("ann")
	m := mails.Last(t, "ann@example.org")
	if !m.Date.Equal(env.Clock.Now()) || !strings.Contains(m.Text, "24 hours") {
		t.Errorf("of %v, want %v:\n%s", m.Date, env.Clock.Now(), m.Text)
	}

	own := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	mails = mailertest.New(t, func(o *mailer.Options) { o.Now = func() time.Time { return own } })
	rostertest.New(t, func(o *roster.Options) { o.Mailer = mails }).MustRegister("ann")
	if m := mails.Last(t, "ann@example.org"); !m.Date.Equal(own) {
		t.Errorf("of %v, want %v", m.Date, own)
	}
}

// stopped is a test that notes why it has failed.
type stopped struct {
	testing.TB
	why string
}

func (s *stopped) Helper() {}

func (s *stopped) Fatalf(format string, args ...any) {
	s.why = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// The clock fails a test that moves it in vain, and shows what the accounts go by.
func TestClockOfTheTest(t *testing.T) {
	own := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		what     string
		replaced bool
		change   func(*roster.Options)
		shows    time.Time
	}{
		{"as it was", false, func(*roster.Options) {}, rostertest.NewClock().Now()},
		{"wrapped", false, func(o *roster.Options) {
			inner := o.Now
			o.Now = func() time.Time { return inner().Add(time.Minute) }
		}, rostertest.NewClock().Now()},
		{"another", true, func(o *roster.Options) { o.Now = func() time.Time { return own } }, own},
		{"real", true, func(o *roster.Options) { o.Now = nil }, time.Now()},
	} {
		inner, done := &stopped{TB: t}, make(chan struct{})
		env := rostertest.New(inner, tc.change)
		if shows := env.Clock.Now(); shows.Sub(tc.shows).Abs() > time.Hour {
			t.Errorf("%s: the clock shows %v, want %v", tc.what, shows, tc.shows)
		}
		go func() {
			defer close(done)
			env.Clock.Advance(time.Hour)
		}()
		<-done
		if got := strings.Contains(inner.why, "has set Options.Now"); got != tc.replaced {
			t.Errorf("%s: %q, want a failure: %v", tc.what, inner.why, tc.replaced)
		}
	}
}

// What ends a session ends it while the clock stands still, those that the program
// keeps itself, too, and does not end the next one.
func TestOneMoment(t *testing.T) {
	ctx := t.Context()
	env := rostertest.New(t)
	ann := env.MustRegister("ann")
	password := rostertest.Password
	for _, next := range []string{"another horse battery", "the third horse battery"} {
		s, token, err := env.SignIn(ctx, "ann", password)
		if err != nil {
			t.Fatal(err)
		}
		own, err := env.Authenticate(ctx, "ann", password)
		if err != nil {
			t.Fatal(err)
		}
		if u, err := env.ByID(ctx, ann.ID); err != nil || !u.SessionValid(own.LastLoginAt) || !u.SessionValid(s.User.LastLoginAt) {
			t.Errorf("a session is over before anything ends it: %v", err)
		}
		if err := env.SetPassword(ctx, ann.ID, next); err != nil {
			t.Fatal(err)
		}
		if _, err := env.Session(ctx, token.Reveal()); !errors.Is(err, roster.ErrNoSession) {
			t.Errorf("a session of SignIn: %v, want ErrNoSession", err)
		}
		if u, err := env.ByID(ctx, ann.ID); err != nil || u.SessionValid(own.LastLoginAt) {
			t.Errorf("a session of the program's own is still valid: %v", err)
		}
		password = next
	}
}
