package roster_test

import (
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
	if len(p.Events) != told {
		t.Errorf("%d mails, %d events", told, len(p.Events))
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
