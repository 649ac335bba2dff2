package roster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

// counting is a hasher that counts how often it was asked.
type counting struct {
	rostertest.Hasher
	n atomic.Int64
}

func (h *counting) Verify(ctx context.Context, hash, password string) (bool, bool, error) {
	h.n.Add(1)
	return h.Hasher.Verify(ctx, hash, password)
}

// limited returns accounts with the default limits, and what their hasher counts.
func limited(t testing.TB, changes ...func(*roster.Options)) (*rostertest.Env, *counting) {
	t.Helper()
	h := new(counting)
	return rostertest.New(t, append([]func(*roster.Options){func(o *roster.Options) {
		o.Limits, o.Hasher = roster.Limits{}, h
	}}, changes...)...), h
}

// at is a context with a client.
func at(addr string) context.Context {
	return roster.WithClient(context.Background(), roster.Client{Addr: netip.MustParseAddr(addr)})
}

// throttled is for how long an error says to wait, zero if it is another error.
func throttled(err error) time.Duration {
	var e *roster.ThrottledError
	if errors.As(err, &e) && errors.Is(err, roster.ErrThrottled) {
		return e.RetryAfter
	}
	return 0
}

// After five failures each one more doubles the wait, to the microsecond; and it
// is the same for a name that nobody has.
func TestDelaysGrow(t *testing.T) {
	env, hasher := limited(t)
	env.MustRegister("ann")
	ctx := at("192.0.2.1")
	hasher.n.Store(0)
	want := []time.Duration{0, 0, 0, 0, 0, 30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, time.Hour, time.Hour}
	for n, wait := range want {
		for _, login := range []string{"ann", "nobody", "nobody@example.org"} {
			if wait == 0 {
				continue
			}
			before := hasher.n.Load()
			_, err := env.Authenticate(ctx, login, rostertest.Password)
			if got := throttled(err); got != wait {
				t.Fatalf("%s after %d failures: %v, want a wait of %s", login, n, err, wait)
			}
			if hasher.n.Load() != before {
				t.Errorf("%s: who is throttled costs a hash", login)
			}
		}
		if wait > 0 {
			env.Clock.Advance(wait - time.Microsecond)
			_, err := env.Authenticate(ctx, "ann", "wrong")
			if got := throttled(err); got != time.Microsecond {
				t.Fatalf("just before the end: %v", err)
			}
			env.Clock.Advance(time.Microsecond)
		}
		for _, login := range []string{"ann", "nobody", "nobody@example.org"} {
			_, err := env.Authenticate(ctx, login, "wrong")
			wantError(t, err, roster.ErrCredentials)
		}
	}
	env.Clock.Advance(time.Hour)
	_, err := env.Authenticate(ctx, "ann", rostertest.Password)
	must(t, err)
	for range 5 { // all is forgotten
		_, err := env.Authenticate(ctx, "ann", "wrong")
		wantError(t, err, roster.ErrCredentials)
	}
}

// At a hundred failures in a row one source is stopped, until the password is
// another. Elsewhere nothing is stopped.
func TestHundredFailures(t *testing.T) {
	env, _ := limited(t)
	u := env.MustRegister("ann")
	ctx := at("192.0.2.1")
	failures := 0
	for failures < 100 {
		_, err := env.Authenticate(ctx, "ann", "wrong")
		if wait := throttled(err); wait > 0 {
			env.Clock.Advance(wait)
			continue
		}
		wantError(t, err, roster.ErrCredentials)
		failures++
	}
	env.Clock.Advance(24 * time.Hour)
	_, err := env.Authenticate(ctx, "ann", rostertest.Password)
	if wait := throttled(err); wait < 28*24*time.Hour {
		t.Fatalf("after a hundred failures: %v", err)
	}
	_, err = env.Authenticate(at("192.0.2.2"), "ann", rostertest.Password)
	must(t, err)
	must(t, env.SetPassword(context.Background(), u.ID, "another password"))
	_, err = env.Authenticate(ctx, "ann", "another password")
	must(t, err)
}

// Ten thousand failures from everywhere keep the owner out neither at a place
// that is known nor at a new one. But each new place has one failure.
func TestStrangersLockNobodyOut(t *testing.T) {
	env, hasher := limited(t)
	env.MustRegister("ann")
	_, err := env.Authenticate(at("198.51.100.1"), "ann", rostertest.Password)
	must(t, err)
	evaluated := 0
	for i := range 10_000 {
		before := hasher.n.Load()
		_, err := env.Authenticate(at(fmt.Sprintf("10.0.%d.%d", i/4%250, i%4)), "ann", "wrong")
		if throttled(err) == 0 {
			wantError(t, err, roster.ErrCredentials)
		}
		evaluated += int(hasher.n.Load() - before)
	}
	if evaluated < 1000 || evaluated > 1100 { // of a thousand sources
		t.Errorf("%d guesses were looked at", evaluated)
	}
	for _, addr := range []string{"203.0.113.7", "198.51.100.2"} { // new ones
		_, err := env.Authenticate(at(addr), "ann", "wrong")
		wantError(t, err, roster.ErrCredentials)
		_, err = env.Authenticate(at(addr), "ann", rostertest.Password)
		if wait := throttled(err); wait != time.Hour {
			t.Errorf("a second try from a new place while the account is under attack: %v", err)
		}
	}
	for range 4 { // it is known
		_, err = env.Authenticate(at("198.51.100.1"), "ann", "wrong")
		wantError(t, err, roster.ErrCredentials)
	}
	_, err = env.Authenticate(at("198.51.100.1"), "ann", rostertest.Password)
	must(t, err)
	_, err = env.Authenticate(at("2001:db8::1"), "ann", rostertest.Password)
	must(t, err)
}

// All spellings of a name and all of an address are one, and those of one user
// together have twice the budget.
func TestSpellingsShareABudget(t *testing.T) {
	env, hasher := limited(t, func(o *roster.Options) { o.Limits.Delay = time.Hour })
	u := env.MustRegister("ann")
	_, err := env.AddActivatedEmail(context.Background(), u.ID, "second@example.org")
	must(t, err)
	ctx := at("192.0.2.1")
	hasher.n.Store(0)
	names := []string{"ann", "ANN", "Ann", "ａｎｎ", "ＡＮＮ", "aNn", "anN", "AnN"}
	addresses := []string{"ann@example.org", "ANN@example.org", "ann@EXAMPLE.ORG", "Ann@Example.Org", "ann@ｅxample.org", "ann@example。org"}
	evaluated := 0
	for i := range 50 {
		for _, login := range []string{names[i%len(names)], addresses[i%len(addresses)]} {
			_, err := env.Authenticate(ctx, login, "wrong")
			if (i < 5) != errors.Is(err, roster.ErrCredentials) || (i >= 5) != (throttled(err) > 0) {
				t.Fatalf("guess %d of each kind: %v", i+1, err)
			}
			if i < 5 {
				evaluated++
			}
		}
	}
	if got := hasher.n.Load(); got != 10 || evaluated != 10 {
		t.Errorf("%d guesses were looked at", got)
	}
	// A third one is not told apart from an address that nobody has, and in vain.
	for range 5 {
		before := hasher.n.Load()
		_, err := env.Authenticate(ctx, "second@example.org", rostertest.Password)
		wantError(t, err, roster.ErrCredentials)
		_, err = env.Authenticate(ctx, "nobody@example.org", rostertest.Password)
		wantError(t, err, roster.ErrCredentials)
		if hasher.n.Load() != before+2 {
			t.Error("not the same work")
		}
	}
	for _, login := range []string{"second@example.org", "nobody@example.org"} {
		if _, err := env.Authenticate(ctx, login, rostertest.Password); throttled(err) != time.Hour {
			t.Errorf("%s: %v", login, err)
		}
	}
	_, err = env.Authenticate(at("192.0.2.2"), "second@example.org", rostertest.Password)
	must(t, err)
}

// One's own success gives back nothing of what was tried for others.
func TestOwnSuccessDoesNotHelp(t *testing.T) {
	env, hasher := limited(t, func(o *roster.Options) { o.Limits.SourceFailures = 50 })
	env.MustRegister("mallory")
	ctx := at("192.0.2.1")
	for i := range 12 {
		env.MustRegister(fmt.Sprintf("victim%d", i))
	}
	evaluated := 0
	for i := range 200 {
		_, err := env.Authenticate(ctx, "mallory", rostertest.Password)
		must(t, err)
		before := hasher.n.Load()
		_, err = env.Authenticate(ctx, fmt.Sprintf("victim%d", i%12), "wrong")
		if hasher.n.Load() != before {
			wantError(t, err, roster.ErrCredentials)
			evaluated++
		} else if throttled(err) == 0 {
			t.Fatal(err)
		}
	}
	if evaluated != 50 {
		t.Errorf("%d guesses were looked at, and the source has 50", evaluated)
	}
	env.Clock.Advance(10 * time.Minute)
	_, err := env.Authenticate(ctx, "victim11", "wrong")
	wantError(t, err, roster.ErrCredentials)
}

// What is one customer's is one source, however it is written.
func TestSources(t *testing.T) {
	for name, addrs := range map[string][]string{
		"a /64":       {"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:0:1::%eth0", "2001:db8::%1", "2001:db8::dead:beef"},
		"mapped":      {"192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201"},
		"no client":   {""},
		"a link":      {"fe80::1%eth0", "fe80::1%eth1", "fe80::2"},
		"an old form": {"::192.0.2.1", "::192.0.2.2"},
	} {
		t.Run(name, func(t *testing.T) {
			env, hasher := limited(t)
			env.MustRegister("ann")
			hasher.n.Store(0)
			for i := range 20 {
				ctx := context.Background()
				if addr := addrs[i%len(addrs)]; addr != "" {
					ctx = at(addr)
				}
				_, err := env.Authenticate(ctx, "ann", "wrong")
				if (i < 5) != errors.Is(err, roster.ErrCredentials) || (i >= 5) != (throttled(err) == 30*time.Second) {
					t.Fatalf("guess %d: %v", i+1, err)
				}
			}
			_, err := env.Authenticate(at("2001:db8:0:1::1"), "ann", rostertest.Password)
			must(t, err)
		})
	}
}

// Whoever has a /48 does not have 65,536 times the budget of a source.
func TestSitesOfManySources(t *testing.T) {
	env, hasher := limited(t, func(o *roster.Options) { o.Limits.SourceFailures = 20 })
	evaluated := 0
	for i := range 1000 {
		_, err := env.Authenticate(at(fmt.Sprintf("2001:db8:0:%x::1", i)), fmt.Sprintf("nobody%d", i), "wrong")
		if throttled(err) == 0 {
			evaluated++
		}
	}
	if evaluated != 200 || hasher.n.Load() != 200 {
		t.Errorf("%d guesses", evaluated)
	}
	_, err := env.Authenticate(at("2001:db8:1::1"), "nobody", "wrong")
	wantError(t, err, roster.ErrCredentials)
}

// In a house with one address one person does not keep out those who have been
// there before.
func TestNeighbours(t *testing.T) {
	env, _ := limited(t)
	for _, name := range []string{"ann", "ben"} {
		env.MustRegister(name)
	}
	house := at("192.0.2.1")
	_, err := env.Authenticate(house, "ann", rostertest.Password)
	must(t, err)
	for i := range 150 {
		_, _ = env.Authenticate(house, fmt.Sprintf("nobody%d", i), "wrong")
	}
	_, err = env.Authenticate(house, "ann", rostertest.Password)
	must(t, err)
	_, err = env.Authenticate(house, "ben", rostertest.Password)
	if wait := throttled(err); wait <= 0 || wait > 10*time.Minute {
		t.Errorf("who is new there: %v", err)
	}
	for range 3 { // each sign-in makes her known for a month
		env.Clock.Advance(29 * 24 * time.Hour)
		for i := range 150 {
			_, _ = env.Authenticate(house, fmt.Sprintf("nobody%d", i), "wrong")
		}
		_, err = env.Authenticate(house, "ann", rostertest.Password)
		must(t, err)
	}
	env.Clock.Advance(31 * 24 * time.Hour)
	for i := range 150 {
		_, _ = env.Authenticate(house, fmt.Sprintf("nobody%d", i), "wrong")
	}
	if _, err = env.Authenticate(house, "ann", rostertest.Password); throttled(err) == 0 {
		t.Errorf("known for longer than a month: %v", err)
	}
}

// A disabled account with the right password looks like a wrong one also in what
// is counted; one that is not activated does not.
func TestWhatCountsAsFailure(t *testing.T) {
	env, hasher := limited(t)
	u := env.MustRegister("ann")
	must(t, env.Disable(context.Background(), u.ID))
	_, err := env.Register(context.Background(), roster.NewUser{Name: "ben", Email: "ben@example.org", Password: rostertest.Password})
	must(t, err)
	ctx := at("192.0.2.1")
	for i := range 7 {
		_, err := env.Authenticate(ctx, "ann", rostertest.Password)
		if (i < 5) != errors.Is(err, roster.ErrCredentials) || (i >= 5) != (throttled(err) > 0) {
			t.Errorf("disabled, %d: %v", i, err)
		}
		_, err = env.Authenticate(ctx, "ben", rostertest.Password)
		wantError(t, err, roster.ErrNotActivated)
	}
	must(t, env.Enable(context.Background(), u.ID))
	ctx = at("192.0.2.2")
	for i := range 7 { // asked again, which counts with the sign-ins
		var err error
		if i%2 == 0 {
			err = env.CheckPassword(ctx, u.ID, "wrong")
		} else {
			err = env.ChangePassword(ctx, u.ID, "wrong", "another password")
		}
		if (i < 5) != errors.Is(err, roster.ErrCredentials) || (i >= 5) != (throttled(err) > 0) {
			t.Errorf("asked again, %d: %v", i, err)
		}
	}
	for range 5 {
		_, err := env.Authenticate(ctx, "ann", "wrong")
		wantError(t, err, roster.ErrCredentials)
	}
	hasher.n.Store(0)
	if _, err := env.Authenticate(ctx, "ann", "wrong"); throttled(err) == 0 || hasher.n.Load() != 0 {
		t.Errorf("%v", err)
	}
	// An error that says nothing of the password does not count.
	canceled, cancel := context.WithCancel(at("192.0.2.3"))
	cancel()
	for range 20 {
		_, err := env.Authenticate(canceled, "ann", "wrong")
		wantError(t, err, context.Canceled)
	}
	_, err = env.Authenticate(at("192.0.2.3"), "ann", rostertest.Password)
	must(t, err)
}

// A clock that goes back keeps nobody out, and forgets little.
func TestLimitsWhenTheClockGoesBack(t *testing.T) {
	for _, jump := range []time.Duration{time.Second, time.Hour, 365 * 24 * time.Hour} {
		env, _ := limited(t)
		env.MustRegister("ann")
		ctx := at("192.0.2.1")
		for range 5 {
			_, err := env.Authenticate(ctx, "ann", "wrong")
			wantError(t, err, roster.ErrCredentials)
		}
		env.Clock.Advance(-jump)
		_, err := env.Authenticate(ctx, "ann", "wrong")
		if jump > time.Minute {
			wantError(t, err, roster.ErrCredentials)
		} else if wait := throttled(err); wait != 30*time.Second+jump {
			t.Errorf("back by %s: %v", jump, err)
		}
		_, err = env.Authenticate(ctx, "ann", rostertest.Password)
		if wait := throttled(err); wait <= 0 || wait > time.Minute {
			t.Errorf("back by %s: %v", jump, err)
		}
		env.Clock.Advance(time.Minute)
		_, err = env.Authenticate(ctx, "ann", rostertest.Password)
		must(t, err)
	}
}

// What is counted outlives the transaction of the caller.
func TestFailuresOutliveARollback(t *testing.T) {
	env, hasher := limited(t)
	env.MustRegister("ann")
	hasher.n.Store(0)
	for range 50 {
		err := env.Atomic(at("192.0.2.1"), func(ctx context.Context) error {
			_, err := env.Authenticate(ctx, "ann", "wrong")
			return err
		})
		if err == nil {
			t.Fatal("no error")
		}
	}
	if n := hasher.n.Load(); n != 5 {
		t.Errorf("%d guesses were looked at", n)
	}
}

// unwritable is a store whose counts cannot be written.
type unwritable struct {
	roster.Store
	err error
}

func (s *unwritable) TakeLimits(ctx context.Context, now time.Time, takes ...roster.LimitTake) ([]string, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.Store.TakeLimits(ctx, now, takes...)
}

// A store that cannot be written to counts in memory; one that is down, and a
// Limiter that fails, refuse.
func TestLimiterFails(t *testing.T) {
	for what, counted := range map[string]bool{roster.UnavailableReadOnly: true, roster.UnavailableBusy: true, roster.UnavailableDatabase: false} {
		inner := rostertest.New(t)
		inner.MustRegister("ann")
		env := rostertest.NewOn(t, &unwritable{inner.Store, &roster.UnavailableError{What: what}}, func(o *roster.Options) { o.Limits = roster.Limits{} })
		_, err := env.Authenticate(at("192.0.2.1"), "ann", rostertest.Password)
		if !counted {
			wantError(t, err, roster.ErrUnavailable)
			continue
		}
		must(t, err)
		for i := range 7 {
			_, err := env.Authenticate(at("192.0.2.2"), "ann", "wrong")
			if (i < 5) != errors.Is(err, roster.ErrCredentials) || (i >= 5) != (throttled(err) > 0) {
				t.Errorf("%s, guess %d: %v", what, i+1, err)
			}
		}
	}
	env, hasher := limited(t, func(o *roster.Options) {
		o.Limiter = &unwritable{rostertest.New(t).Store, errors.New("the server is gone")}
	})
	must(t, env.Create(context.Background(), &roster.User{Name: "ann"}))
	_, err := env.Authenticate(at("192.0.2.1"), "ann", rostertest.Password)
	var unavailable *roster.UnavailableError
	if !errors.As(err, &unavailable) || unavailable.What != roster.UnavailableLimiter || hasher.n.Load() != 0 {
		t.Errorf("%v, %d hashes", err, hasher.n.Load())
	}
	if strings.Contains(err.Error(), "gone") {
		t.Errorf("the error tells more than it should: %v", err)
	}
}

// A Limiter of one's own is used in place of the store.
func TestOwnLimiter(t *testing.T) {
	env, _ := limited(t, func(o *roster.Options) { o.Limiter = roster.NewMemoryLimiter(0) })
	env.MustRegister("ann")
	for range 5 {
		_, err := env.Authenticate(at("192.0.2.1"), "ann", "wrong")
		wantError(t, err, roster.ErrCredentials)
	}
	if _, err := env.Authenticate(at("192.0.2.1"), "ann", rostertest.Password); throttled(err) == 0 {
		t.Error(err)
	}
	env.Clock.Advance(1000 * time.Hour)
	if p, err := env.Prune(context.Background(), roster.Budget{}); err != nil || p.Limits != 0 {
		t.Errorf("the store has counted: %+v, %v", p, err)
	}
}

// A sign-in after five failures is told to the owner, once.
func TestSignInAfterFailures(t *testing.T) {
	env, _ := limited(t, func(o *roster.Options) { o.NoSignInNotices = true })
	env.MustRegister("ann")
	env.Mail.Clear()
	for range 4 {
		_, _ = env.Authenticate(at("192.0.2.1"), "ann", "wrong")
	}
	_, err := env.Authenticate(at("192.0.2.1"), "ann", rostertest.Password)
	must(t, err)
	if mails := env.Mail.All(); len(mails) != 0 {
		t.Errorf("after four: %v", mails)
	}
	for i := range 6 {
		_, err := env.Authenticate(at(fmt.Sprintf("192.0.2.%d", i)), "ann", "wrong")
		wantError(t, err, roster.ErrCredentials)
	}
	env.Clock.Advance(time.Hour)
	client := roster.Client{Addr: netip.MustParseAddr("198.51.100.7"), UserAgent: "curl"}
	for range 3 {
		_, err = env.Authenticate(roster.WithClient(context.Background(), client), "ann", rostertest.Password)
		must(t, err)
	}
	mails := env.Mail.All()
	if len(mails) != 1 {
		t.Fatalf("mails: %v", mails)
	}
	m := mails[0]
	if m.Kind != roster.MailSignInAfterFailures || m.To != "ann@example.org" || m.Failures != 6 || m.Client != client || !m.At.Equal(env.Clock.Now()) {
		t.Errorf("%+v", m)
	}
	for range 6 {
		_, _ = env.Authenticate(at("192.0.2.9"), "ann", "wrong")
	}
	env.Mail.Fail(errors.New("no mail today"))
	_, err = env.Authenticate(at("192.0.2.10"), "ann", rostertest.Password)
	must(t, err)
}

// The failures are told whatever the right password was given for, since they are
// forgotten then: also to a RenewPassword that is refused in the end, and to a
// sign-in with a password that must be changed first.
func TestFailuresBeforeRenewal(t *testing.T) {
	for _, change := range []bool{false, true} {
		env, _ := limited(t)
		u := env.MustRegister("ann")
		if change {
			must(t, env.RequirePasswordChange(context.Background(), u.ID, 0))
		}
		env.Mail.Clear()
		for i := range 6 {
			_, err := env.Authenticate(at(fmt.Sprintf("192.0.2.%d", i)), "ann", "wrong")
			wantError(t, err, roster.ErrCredentials)
		}
		var err error
		if change {
			_, err = env.Authenticate(at("198.51.100.7"), "ann", rostertest.Password)
			wantError(t, err, roster.ErrMustChangePassword)
		} else {
			_, err = env.RenewPassword(at("198.51.100.7"), "ann", rostertest.Password, "ann@example.org")
			wantError(t, err, roster.ErrInvalid)
			_, err = env.Authenticate(at("198.51.100.7"), "ann", rostertest.Password)
			must(t, err)
		}
		mails := env.Mail.All()
		if len(mails) != 1 || mails[0].Kind != roster.MailSignInAfterFailures || mails[0].Failures != 6 {
			t.Errorf("must change %v: mails %v", change, mails)
		}
	}
}

// Every attempt is one record, which names nobody and says no password.
func TestAttemptsAreLogged(t *testing.T) {
	var log bytes.Buffer
	env, _ := limited(t, func(o *roster.Options) {
		o.Logger = slog.New(slog.NewJSONHandler(&log, nil))
		o.Now = nil
	})
	u, err := env.Register(context.Background(), roster.NewUser{Name: "annabel", Email: "anna@example.org", Password: rostertest.Password})
	must(t, err)
	log.Reset()
	ctx := at("2001:db8::17")
	var want []string
	for range 5 {
		_, _ = env.Authenticate(ctx, "annabel", "hunter2-hunter2")
		want = append(want, "refused user")
	}
	_, _ = env.Authenticate(ctx, "annabel", rostertest.Password)
	_, _ = env.Authenticate(ctx, "hunter3-hunter3", "x")
	_, _ = env.Authenticate(at("192.0.2.1"), "annabel", rostertest.Password)
	_, err = env.ActivateWithPassword(context.Background(), env.Mail.MustCode(t, "anna@example.org"), rostertest.Password)
	must(t, err)
	_, err = env.Authenticate(at("192.0.2.1"), "annabel", rostertest.Password)
	must(t, err)
	must(t, env.CheckPassword(at("192.0.2.1"), u.ID, rostertest.Password))
	want = append(want, "throttled user", "refused", "not_activated user", "success user", "success user")
	var got []string
	for line := range strings.Lines(log.String()) {
		var r struct {
			Msg, Outcome, Method, Source, Verb string
			Time                               time.Time
			User                               roster.UserID
		}
		must(t, json.Unmarshal([]byte(line), &r))
		if r.Msg != "password attempt" {
			continue
		}
		if r.User == u.ID {
			r.Outcome += " user"
		}
		if r.Method != "password" || r.Verb == "" || r.Time.IsZero() || r.Source != "2001:db8::/64" && r.Source != "192.0.2.1/32" {
			t.Errorf("record: %s", line)
		}
		got = append(got, r.Outcome)
	}
	if !slices.Equal(got, want) {
		t.Errorf("outcomes:\n%q, want\n%q", got, want)
	}
	for _, secret := range []string{"annabel", "anna@", "hunter", rostertest.Password, "::17"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log says %q:\n%s", secret, log.String())
		}
	}
}

func TestLimitsThatMakeNoSense(t *testing.T) {
	for _, l := range []roster.Limits{{Failures: 101}, {Delay: -1}, {Delay: time.Hour, MaxDelay: time.Minute}, {MaxDelay: 25 * time.Hour}, {MaxDelay: -1}} {
		if _, err := roster.New(rostertest.New(t).Store, &roster.Options{Limits: l}); err == nil || !strings.Contains(err.Error(), "Limits") {
			t.Errorf("%+v: %v", l, err)
		}
	}
}

// Without limits nothing is counted or written.
func TestUnlimited(t *testing.T) {
	env := rostertest.New(t)
	env.MustRegister("ann")
	for range 300 {
		_, err := env.Authenticate(at("192.0.2.1"), "ann", "wrong")
		wantError(t, err, roster.ErrCredentials)
		must(t, env.RequestPasswordReset(at("192.0.2.1"), "ann"))
		_, err = env.Activate(at("192.0.2.1"), strings.Repeat("x", 43))
		wantError(t, err, roster.ErrActivation)
	}
	env.Clock.Advance(1000 * time.Hour)
	if p, err := env.Prune(context.Background(), roster.Budget{}); err != nil || p.Limits != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestLimitsLast shows that the hundredth failure is the last one, however many
// are free.
func TestLimitsLast(t *testing.T) {
	t.Parallel()
	ctx := roster.WithClient(t.Context(), roster.Client{Addr: netip.MustParseAddr("192.0.2.1")})
	for _, free := range []int{5, 99, 100} {
		env := rostertest.New(t, func(o *roster.Options) { o.Limits = roster.Limits{Failures: free, SourceFailures: -1} })
		env.MustRegister("ann")
		for range 100 {
			_, err := env.Authenticate(ctx, "ann", "wrong password")
			if throttled := new(roster.ThrottledError); errors.As(err, &throttled) {
				env.Clock.Advance(throttled.RetryAfter)
				_, err = env.Authenticate(ctx, "ann", "wrong password")
			}
			if !errors.Is(err, roster.ErrCredentials) {
				t.Fatal(err)
			}
		}
		_, err := env.Authenticate(ctx, "ann", "wrong password")
		if throttled := new(roster.ThrottledError); !errors.As(err, &throttled) || throttled.RetryAfter < 29*24*time.Hour {
			t.Errorf("%d free: after 100 failures %v", free, err)
		}
	}
}

func TestLimitsHuge(t *testing.T) {
	t.Parallel()
	for what, limits := range map[string]roster.Limits{
		"SourceMails": {SourceMails: 1 << 30}, "SourceFailures": {SourceFailures: 1 << 30}, "Mails": {Mails: 100_000_001},
	} {
		if _, err := roster.New(memory.New(), &roster.Options{Limits: limits}); err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
	ctx := roster.WithClient(t.Context(), roster.Client{Addr: netip.MustParseAddr("2001:db8::1")})
	env := rostertest.New(t, func(o *roster.Options) {
		o.Limits = roster.Limits{SourceMails: 100_000_000, SourceFailures: 100_000_000}
	})
	if _, err := env.Register(ctx, roster.NewUser{Name: "ann", Email: "ann@example.org", Password: rostertest.Password}); err != nil {
		t.Error(err)
	}
}
