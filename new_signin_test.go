package roster_test

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// newPlaces counts the mails that tell ann of a new place.
func newPlaces(env *rostertest.Env) (n int) {
	for _, m := range env.Mail.To("ann@example.org") {
		if m.Kind == roster.MailNewSignIn {
			n++
		}
	}
	return n
}

func TestNewSignIn(t *testing.T) {
	env := rostertest.New(t)
	ann := env.MustRegister("ann")
	told := 0
	for _, c := range []struct {
		addr  string
		after time.Duration
		tells bool
	}{
		{"", 0, false}, // the first one
		{"192.0.2.7", 0, false},
		{"192.0.2.7", time.Hour, false},
		{"192.0.2.200", time.Hour, false}, // the same network
		{"::ffff:192.0.2.8", time.Hour, false},
		{"198.51.100.1", time.Hour, true},
		{"192.0.2.9", time.Hour, false}, // one of those before
		{"198.51.100.2", time.Hour, false},
		{"", time.Hour, false},
		{"2001:db8:1::1", time.Hour, true},
		{"2001:db8:1:ffff::2", time.Hour, false},
		{"2001:db8:2::1", time.Hour, true},
		{"203.0.113.1", time.Hour, false}, // enough for a day
		{"203.0.113.1", 48 * time.Hour, false},
		{"198.51.100.1", 91 * 24 * time.Hour, true}, // long ago
	} {
		env.Clock.Advance(c.after)
		ctx := t.Context()
		if c.addr != "" {
			ctx = roster.WithClient(ctx, roster.Client{Addr: netip.MustParseAddr(c.addr), UserAgent: "Browser"})
		}
		_, err := env.Authenticate(ctx, "ann", rostertest.Password)
		must(t, err)
		n := newPlaces(env)
		if (n > told) != c.tells {
			t.Errorf("from %q: %d mails, before %d", c.addr, n, told)
		}
		told = n
	}
	mails := env.Mail.To("ann@example.org")
	m := mails[len(mails)-1]
	if m.Kind != roster.MailNewSignIn || m.User.ID != ann.ID || m.Client.Addr.String() != "198.51.100.1" || m.Client.UserAgent != "Browser" || m.At.IsZero() || !m.Code.IsZero() {
		t.Errorf("%+v", m)
	}
	p, err := env.Events(t.Context(), roster.EventQuery{Kind: roster.EventNewPlace})
	must(t, err)
	if len(p.Items) != told {
		t.Errorf("%d mails, %d events", told, len(p.Items))
	}
}

// A program that signs in again and again from one place hides no other one of the
// account, unless it is hundreds of times.
func TestNewSignInLooksFarBack(t *testing.T) {
	env := rostertest.New(t)
	env.MustRegister("ann")
	from := func(addr string) int {
		ctx := roster.WithClient(t.Context(), roster.Client{Addr: netip.MustParseAddr(addr)})
		before := newPlaces(env)
		_, err := env.Authenticate(ctx, "ann", rostertest.Password)
		must(t, err)
		env.Clock.Advance(time.Minute)
		return newPlaces(env) - before
	}
	from("192.0.2.1")
	for i := range 499 {
		if n := from("198.51.100.1"); n != 0 && i > 0 || n != 1 && i == 0 {
			t.Fatalf("sign-in %d: %d mails", i, n)
		}
	}
	if n := from("192.0.2.1"); n != 0 {
		t.Errorf("%d mails of a place that is known", n)
	}
	for range 500 {
		from("198.51.100.1")
	}
	if n := from("192.0.2.1"); n != 1 {
		t.Errorf("%d mails of a place that was 500 sign-ins ago", n)
	}
}

// Neither a wrong password nor a switch makes a mail, and a Mailer that fails keeps
// nobody out.
func TestNewSignInIsNotSent(t *testing.T) {
	at := func(addr string) roster.Client { return roster.Client{Addr: netip.MustParseAddr(addr)} }
	for _, quiet := range []bool{false, true} {
		env := rostertest.New(t, func(o *roster.Options) { o.NoSignInNotices = quiet })
		env.MustRegister("ann")
		_, err := env.Authenticate(roster.WithClient(t.Context(), at("192.0.2.1")), "ann", rostertest.Password)
		must(t, err)
		away := roster.WithClient(t.Context(), at("198.51.100.1"))
		if _, err := env.Authenticate(away, "ann", "wrong password"); !errors.Is(err, roster.ErrCredentials) {
			t.Error(err)
		}
		if n := newPlaces(env); n != 0 {
			t.Errorf("%d mails of a wrong password", n)
		}
		env.Mail.Fail(errors.New("no"))
		_, err = env.Authenticate(away, "ann", rostertest.Password)
		must(t, err)
		env.Mail.Fail(nil)
		_, err = env.Authenticate(roster.WithClient(t.Context(), at("203.0.113.1")), "ann", rostertest.Password)
		must(t, err)
		if n := newPlaces(env); (n == 0) != quiet {
			t.Errorf("quiet %v: %d mails", quiet, n)
		}
	}
}

// What a notice fails by is not the host's: its transaction goes on, and is told
// when it has committed.
func TestNoticesInATransaction(t *testing.T) {
	at := func(addr string) roster.Client { return roster.Client{Addr: netip.MustParseAddr(addr)} }
	for _, fails := range []error{nil, errors.New("no")} {
		env := rostertest.New(t)
		ann := env.MustRegister("ann")
		_, err := env.Authenticate(roster.WithClient(t.Context(), at("192.0.2.1")), "ann", rostertest.Password)
		must(t, err)
		before := len(env.Mail.To("ann@example.org"))
		env.Mail.Fail(fails)
		must(t, env.Atomic(t.Context(), func(ctx context.Context) error {
			if _, err := env.Authenticate(roster.WithClient(ctx, at("198.51.100.1")), "ann", rostertest.Password); err != nil {
				return err
			}
			return env.Edit(ctx, ann.ID, func(u *roster.User) error {
				u.RealName = "Ann Example"
				return nil
			})
		}))
		u, err := env.ByID(t.Context(), ann.ID)
		must(t, err)
		if u.RealName != "Ann Example" {
			t.Error("the host's transaction was lost")
		}
		mails := env.Mail.To("ann@example.org")
		if n := len(mails) - before; (n == 1) != (fails == nil) {
			t.Errorf("mailer %v: %d notices", fails, n)
		}
		if m := mails[len(mails)-1]; fails == nil && (m.Kind != roster.MailNewSignIn || m.Client != at("198.51.100.1")) {
			t.Errorf("%+v", m)
		}
		rolled := errors.New("rolled back")
		env.Mail.Fail(nil)
		before = len(env.Mail.To("ann@example.org"))
		err = env.Atomic(roster.WithClient(t.Context(), at("203.0.113.1")), func(ctx context.Context) error {
			_, err := env.Authenticate(ctx, "ann", rostertest.Password)
			return cmp.Or(err, rolled)
		})
		if !errors.Is(err, rolled) || len(env.Mail.To("ann@example.org")) != before {
			t.Errorf("%v, and a notice of a sign-in that never was", err)
		}
	}
}
