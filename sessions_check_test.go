package roster_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

// plant writes a session as it stands and returns its token.
func plant(t testing.TB, store roster.Store, s roster.Session) string {
	t.Helper()
	s.ID = uuid.New()
	token := strings.Repeat("x", 7) + s.ID.String()
	sum := sha256.Sum256([]byte(token))
	s.Hash = roster.NewSecret(hex.EncodeToString(sum[:]))
	if err := store.InsertSession(t.Context(), &s); err != nil {
		t.Fatal(err)
	}
	return token
}

// TestStanding is the rule, a microsecond to either side of every limit.
func TestStanding(t *testing.T) {
	const (
		us   = time.Microsecond
		day  = 24 * time.Hour
		ttl  = 7 * day
		idle = day
		skew = time.Minute
	)
	env := rostertest.New(t)
	ctx := t.Context()
	env.MustRegister("ann")
	env.MustRegister("ben")
	for _, name := range []string{"ann", "ben"} { // so that AuthChangedAt is set
		u, err := env.ByName(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if err := env.EndSessions(ctx, u.ID); err != nil {
			t.Fatal(err)
		}
	}
	ann, err := env.ByName(ctx, "ann")
	if err != nil {
		t.Fatal(err)
	}
	env.Clock.Advance(100 * day)
	now := env.Clock.Now()
	for _, c := range []struct {
		what   string
		change func(s *roster.Session)
		good   bool
		gone   bool // and the row with it
	}{
		{"as it is started", func(*roster.Session) {}, true, false},

		{"expires in a moment", func(s *roster.Session) { s.ExpiresAt = now.Add(us) }, true, false},
		{"expires now", func(s *roster.Session) { s.ExpiresAt = now }, false, true},
		{"has expired", func(s *roster.Session) { s.ExpiresAt = now.Add(-us) }, false, true},
		{"never had an end", func(s *roster.Session) { s.ExpiresAt = time.Time{} }, false, true},

		{"authenticated nearly too long ago", func(s *roster.Session) { s.AuthenticatedAt = now.Add(us - ttl) }, true, false},
		{"authenticated too long ago", func(s *roster.Session) { s.AuthenticatedAt = now.Add(-ttl) }, false, true},
		{"never authenticated", func(s *roster.Session) { s.AuthenticatedAt = time.Time{} }, false, true},

		{"nearly idle", func(s *roster.Session) { s.LastSeenAt = now.Add(us - idle) }, true, false},
		{"idle", func(s *roster.Session) { s.LastSeenAt = now.Add(-idle) }, false, true},
		{"long idle", func(s *roster.Session) { s.LastSeenAt = now.Add(-idle - us) }, false, true},
		{"never seen", func(s *roster.Session) { s.LastSeenAt = time.Time{} }, false, true},
		{"seen in the future", func(s *roster.Session) { s.LastSeenAt = now.Add(day) }, true, false},

		{"of the account a moment before", func(s *roster.Session) { s.AuthChangedAt = ann.AuthChangedAt.Add(-us) }, false, true},
		{"of the account a moment later", func(s *roster.Session) { s.AuthChangedAt = ann.AuthChangedAt.Add(us) }, false, true},
		{"of the account that never changed", func(s *roster.Session) { s.AuthChangedAt = time.Time{} }, false, true},

		{"created before the change, and of it", func(s *roster.Session) { s.CreatedAt = ann.AuthChangedAt.Add(-us) }, true, false},
		{"created never", func(s *roster.Session) { s.CreatedAt = time.Time{} }, false, true},
		{"created at the beginning of time", func(s *roster.Session) { s.CreatedAt = time.Unix(0, 0) }, true, false},
		{"created by a clock that is ahead", func(s *roster.Session) { s.CreatedAt = now.Add(skew) }, true, false},
		{"created in the future", func(s *roster.Session) { s.CreatedAt = now.Add(skew + us) }, false, false},
		{"created in an hour", func(s *roster.Session) { s.CreatedAt = now.Add(time.Hour) }, false, false},
		{"authenticated by a clock that is ahead", func(s *roster.Session) { s.AuthenticatedAt = now.Add(skew) }, true, false},
		{"authenticated in the future", func(s *roster.Session) { s.AuthenticatedAt = now.Add(skew + us) }, false, false},
	} {
		s := roster.Session{
			UserID: ann.ID, AuthChangedAt: ann.AuthChangedAt, CreatedAt: now, AuthenticatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(ttl),
		}
		c.change(&s)
		token := plant(t, env.Store, s)
		list, err := env.Sessions(ctx, ann.ID)
		if err != nil || len(list) == 1 != c.good {
			t.Errorf("%s: %d are listed (%v)", c.what, len(list), err)
		}
		if c.good {
			live(t, env, c.what, token)
		} else {
			dead(t, env, c.what, token)
		}
		rows, err := env.Store.SessionsOf(ctx, ann.ID, 9)
		if err != nil || (len(rows) == 0) != c.gone {
			t.Errorf("%s: %d rows are left (%v)", c.what, len(rows), err)
		}
		if _, err := env.Store.DeleteSessions(ctx, ann.ID, uuid.Nil); err != nil {
			t.Fatal(err)
		}
	}
}

// Who cannot sign in has no session, however that came about.
func TestWhoCannotSignInHasNoSession(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	now := env.Clock.Now()
	for i, c := range []struct {
		what   string
		change func(u *roster.User)
		good   bool
	}{
		{"as they are", func(*roster.User) {}, true},
		{"not activated", func(u *roster.User) { u.ActivatedAt = time.Time{} }, false},
		{"disabled", func(u *roster.User) { u.Enabled = false }, false},
		{"deleted", func(u *roster.User) { u.DeletedAt = now }, false},
		{"banned", func(u *roster.User) { u.Flags = roster.FlagBanned }, false},
		{"locked", func(u *roster.User) { u.Flags = roster.FlagLocked | roster.FlagPrivileged }, false},
		{"privileged", func(u *roster.User) { u.Flags = roster.FlagPrivileged }, true},
	} {
		u := env.MustRegister(fmt.Sprintf("user%d", i))
		c.change(u)
		if err := env.Store.UpdateUser(ctx, u, u.NameKey); err != nil { // past every verb
			t.Fatal(err)
		}
		token := plant(t, env.Store, roster.Session{
			UserID: u.ID, AuthChangedAt: u.AuthChangedAt, CreatedAt: now, AuthenticatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(time.Hour),
		})
		if c.good {
			live(t, env, c.what, token)
		} else {
			dead(t, env, c.what, token)
		}
	}
}

// TestSessionsOnAWanderingClock lets the clock go on, stand still and go back
// while people sign in and change their accounts: a session that has been ended,
// by a change or by time, is never good again, and what is good is what a model
// in plain words says.
func TestSessionsOnAWanderingClock(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	env := rostertest.New(t)
	ctx := t.Context()
	ann := env.MustRegister("ann")
	type known struct {
		token                          string
		created, seen, proven, expires time.Time
		ended                          bool
	}
	var all []*known
	steps := []time.Duration{
		0, 0, time.Microsecond, time.Second, 50 * time.Second, 10 * time.Minute, 26 * time.Hour, -time.Microsecond, -time.Minute, -24 * time.Hour,
	}
	counts := map[string]int{}
	for range 20_000 {
		env.Clock.Advance(steps[rng.IntN(len(steps))])
		now := env.Clock.Now()
		switch action := rng.IntN(20); {
		case action < 4:
			_, token, err := env.SignIn(ctx, "ann", rostertest.Password)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, &known{token.Reveal(), now, now, now, now.Add(7 * 24 * time.Hour), false})
		case action == 4 && rng.IntN(4) == 0:
			if err := env.SetPassword(ctx, ann.ID, rostertest.Password); err != nil {
				t.Fatal(err)
			}
			for _, k := range all {
				k.ended = true
			}
		}
		for i := len(all) - 1; i >= 0 && i >= len(all)-6; i-- {
			k := all[i]
			over := !now.Before(k.expires) || !now.Before(k.seen.Add(24*time.Hour)) || !now.Before(k.proven.Add(7*24*time.Hour))
			future := k.created.After(now.Add(time.Minute))
			want := !k.ended && !over && !future
			_, err := env.Session(ctx, k.token)
			if (err == nil) != want || err != nil && !errors.Is(err, roster.ErrNoSession) {
				t.Fatalf("at %v: %v, want %v: %+v", now, err, want, *k)
			}
			switch {
			case want:
				counts["good"]++
			case k.ended && !over && !future:
				counts["ended before, and nothing else"]++
			case over && !k.ended:
				counts["just over"]++
			case future && !k.ended:
				counts["ahead"]++
			}
			k.ended = k.ended || over
			if want && now.Sub(k.seen) >= time.Minute {
				k.seen = now
			}
		}
	}
	t.Log(counts)
	for _, what := range []string{"good", "ended before, and nothing else", "just over", "ahead"} {
		if counts[what] < 100 {
			t.Errorf("this has proven little of what is %s", what)
		}
	}
}

// noteCounter counts the notes that sessions are in use, and can refuse them.
type noteCounter struct {
	roster.Store
	mu    sync.Mutex
	notes int
	err   error
}

func (c *noteCounter) SeeSession(ctx context.Context, hash roster.Secret, at, before time.Time) error {
	c.mu.Lock()
	c.notes++
	err := c.err
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return c.Store.SeeSession(ctx, hash, at, before)
}

func (c *noteCounter) noted() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.notes
	c.notes = 0
	return n
}

func TestSessionsAreSeenOnceAMinute(t *testing.T) {
	var log bytes.Buffer
	store := &noteCounter{Store: memory.New()}
	env := rostertest.NewOn(t, store, func(o *roster.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	ctx := t.Context()
	env.MustRegister("ann")
	first, token := signIn(t, env, "ann")
	check := func(what string, on time.Duration, want int) {
		t.Helper()
		env.Clock.Advance(on)
		for range 100 {
			live(t, env, what, token)
		}
		if n := store.noted(); n != want {
			t.Errorf("%s: noted %d times, want %d", what, n, want)
		}
	}
	check("at once", 0, 0)
	check("just before", time.Minute-time.Microsecond, 0)
	check("a minute later", time.Microsecond, 1)
	check("just before, again", time.Minute-time.Microsecond, 0)
	check("much later", 10*time.Hour, 1)
	if s := live(t, env, "seen", token); !s.LastSeenAt.Equal(env.Clock.Now()) || s.LastSeenAt.Equal(first.LastSeenAt) {
		t.Errorf("seen at %v", s.LastSeenAt)
	}

	// Many at once: whoever comes while it is being written lets it be.
	env.Clock.Advance(time.Hour)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				if _, err := env.Session(ctx, token); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := store.noted(); n < 1 || n > 8 {
		t.Errorf("noted %d times by 8000 checks", n)
	}

	// A store that cannot be written to is left alone for a minute, and the
	// session is good.
	store.err = &roster.UnavailableError{What: roster.UnavailableReadOnly}
	check("read only", time.Hour, 1)
	check("still, just before", time.Minute-time.Microsecond, 0)
	check("still", time.Microsecond, 1)
	if n := strings.Count(log.String(), "not noted"); n != 2 {
		t.Errorf("%d lines in the log: %s", n, log.String())
	}
	store.err = nil
	check("it works again", time.Minute, 1)

	// In a transaction it waits for the commit, and does not end that by failing.
	env.Clock.Advance(time.Hour)
	store.err = errors.New("no")
	if err := env.Atomic(ctx, func(ctx context.Context) error {
		if _, err := env.Users.Session(ctx, token); err != nil {
			return err
		}
		if n := store.noted(); n != 0 {
			t.Errorf("noted %d times in the transaction", n)
		}
		return env.Create(ctx, &roster.User{Name: "ben"})
	}); err != nil {
		t.Error(err)
	}
	if n := store.noted(); n != 1 {
		t.Errorf("noted %d times after the transaction", n)
	}
}

func TestPinnedSessions(t *testing.T) {
	env := rostertest.New(t, func(o *roster.Options) { o.SessionPinned = true })
	env.MustRegister("ann")
	from := func(addr string, tls bool) context.Context {
		return roster.WithClient(t.Context(), roster.Client{Addr: netip.MustParseAddr(addr), TLS: tls, UserAgent: addr})
	}
	_, token, err := env.SignIn(from("192.0.2.7", true), "ann", rostertest.Password)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		ctx  context.Context
		good bool
	}{
		"the same":          {from("192.0.2.7", true), true},
		"the same, mapped":  {from("::ffff:192.0.2.7", true), true},
		"another address":   {from("192.0.2.8", true), false},
		"without TLS":       {from("192.0.2.7", false), false},
		"an unknown client": {t.Context(), false},
	} {
		if _, err := env.Session(c.ctx, token.Reveal()); (err == nil) != c.good || err != nil && !errors.Is(err, roster.ErrNoSession) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := env.Session(from("192.0.2.7", true), token.Reveal()); err != nil {
		t.Errorf("it was refused elsewhere, and is gone: %v", err)
	}
}

// What the database cannot tell is not ErrNoSession: the program must not go on
// as if nobody were signed in.
func TestSessionWithoutAnAnswer(t *testing.T) {
	broken := &silent{Store: memory.New()}
	env := rostertest.NewOn(t, broken)
	ann := env.MustRegister("ann")
	_, token := signIn(t, env, "ann")
	broken.down = true
	if s, err := env.Session(t.Context(), token); !errors.Is(err, roster.ErrUnavailable) || errors.Is(err, roster.ErrNoSession) || s != nil {
		t.Errorf("%v", err)
	}
	broken.down = false
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := env.Session(ctx, token); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	if s := live(t, env, "up again", token); s.UserID != ann.ID {
		t.Errorf("%+v", s)
	}
}

// silent is a store that may not answer for sessions.
type silent struct {
	roster.Store
	down bool
}

func (s *silent) SessionByHash(ctx context.Context, hash roster.Secret) (*roster.Session, roster.Model, error) {
	if s.down {
		return nil, nil, &roster.UnavailableError{What: roster.UnavailableDatabase}
	}
	return s.Store.SessionByHash(ctx, hash)
}

func TestSessionOptions(t *testing.T) {
	ok := func(o roster.Options) error { _, err := roster.New(memory.New(), &o); return err }
	for what, o := range map[string]roster.Options{
		"SessionTTL 1":  {SessionTTL: 30*24*time.Hour + 1},
		"SessionTTL 2":  {SessionTTL: -1},
		"SessionIdle 1": {SessionIdle: 5*time.Minute - 1},
		"FreshFor 1":    {FreshFor: time.Hour + 1},
		"FreshFor 2":    {FreshFor: -1},
	} {
		if err := ok(o); err == nil || !strings.Contains(err.Error(), strings.Fields(what)[0]) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, o := range []roster.Options{
		{SessionTTL: 30 * 24 * time.Hour, SessionIdle: -1, FreshFor: time.Hour}, {SessionTTL: time.Minute, SessionIdle: 5 * time.Minute},
	} {
		if err := ok(o); err != nil {
			t.Error(err)
		}
	}
	env := rostertest.New(t, func(o *roster.Options) { o.SessionTTL, o.SessionIdle = 30*24*time.Hour, -1 })
	env.MustRegister("ann")
	_, token := signIn(t, env, "ann")
	env.Clock.Advance(30*24*time.Hour - time.Microsecond)
	live(t, env, "without a limit of disuse", token)
	env.Clock.Advance(time.Microsecond)
	dead(t, env, "at the end", token)

	// A program that is started with a shorter limit holds old sessions to it.
	_, token = signIn(t, env, "ann")
	env.Clock.Advance(2 * time.Hour)
	short, err := roster.New(env.Store, &roster.Options{SessionTTL: 2*time.Hour + 1, Now: env.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := short.Session(t.Context(), token); err != nil {
		t.Error(err)
	}
	env.Clock.Advance(time.Microsecond)
	if _, err := short.Session(t.Context(), token); !errors.Is(err, roster.ErrNoSession) {
		t.Errorf("by a shorter limit: %v", err)
	}
}
