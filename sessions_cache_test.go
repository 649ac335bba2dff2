package roster_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

// countingStore counts the questions for sessions, and runs asked, if there is
// one, when an answer has been read and is about to be given.
type countingStore struct {
	roster.Store
	mu    sync.Mutex
	n     int
	asked func()
}

func (s *countingStore) SessionByHash(ctx context.Context, hash roster.Secret) (*roster.Session, roster.Model, error) {
	session, m, err := s.Store.SessionByHash(ctx, hash)
	s.mu.Lock()
	asked := s.asked
	s.n++
	s.mu.Unlock()
	if asked != nil {
		asked()
	}
	return session, m, err
}

func (s *countingStore) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

func newCached(t testing.TB) (*rostertest.Env, *countingStore) {
	store := &countingStore{Store: memory.New()}
	return rostertest.NewOn(t, store, func(o *roster.Options) {
		o.SessionCache = 30 * time.Second
		o.MayImpersonate = func(context.Context, *roster.User, *roster.User) error { return nil }
	}), store
}

func TestSessionCacheAsksOnce(t *testing.T) {
	t.Parallel()
	env, store := newCached(t)
	ann := env.MustRegister("ann")
	plan := roster.Field[string]("plan")
	if err := env.Edit(t.Context(), ann.ID, func(u *roster.User) error { return plan.Set(u, "pro") }); err != nil {
		t.Fatal(err)
	}
	_, token := signIn(t, env, "ann")
	first := live(t, env, "asked", token)
	for range 10 {
		s := live(t, env, "remembered", token)
		if s == first || s.User == first.User || s.ID != first.ID || s.User.Name != "ann" || plan.Get(s.User) != "pro" {
			t.Fatalf("remembered %+v", s)
		}
		s.User.Name = "changed"
		s.User.Data["plan"][1] = 'x'
		s.UserID = 99
	}
	if n := store.count(); n != 1 {
		t.Errorf("the store was asked %d times", n)
	}

	env.Clock.Advance(30*time.Second - time.Microsecond)
	live(t, env, "nearly old", token)
	if n := store.count(); n != 1 {
		t.Errorf("the store was asked %d times", n)
	}
	env.Clock.Advance(time.Microsecond)
	live(t, env, "old", token)
	if n := store.count(); n != 2 {
		t.Errorf("the store was asked %d times", n)
	}
	env.Clock.Advance(-time.Second)
	live(t, env, "from the future", token)
	if n := store.count(); n != 3 {
		t.Errorf("the store was asked %d times", n)
	}

	err := env.Atomic(t.Context(), func(ctx context.Context) error {
		_, err := env.Session(ctx, token)
		return err
	})
	if n := store.count(); err != nil || n != 4 {
		t.Errorf("in a transaction the store was asked %d times, %v", n, err)
	}
}

// TestSessionCacheForgets ends a session that is remembered in every way: it is
// over at once.
func TestSessionCacheForgets(t *testing.T) {
	t.Parallel()
	for what, end := range map[string]func(ctx context.Context, env *rostertest.Env, s *roster.Session, token string) error{
		"SignOut": func(ctx context.Context, env *rostertest.Env, _ *roster.Session, token string) error {
			return env.SignOut(ctx, token)
		},
		"EndSession": func(ctx context.Context, env *rostertest.Env, s *roster.Session, _ string) error {
			return env.EndSession(ctx, s.UserID, s.ID)
		},
		"EndSessions": func(ctx context.Context, env *rostertest.Env, s *roster.Session, _ string) error {
			return env.EndSessions(ctx, s.UserID)
		},
		"EndOtherSessions": func(ctx context.Context, env *rostertest.Env, _ *roster.Session, _ string) error {
			_, other, err := env.SignIn(ctx, "ann", rostertest.Password)
			if err == nil {
				_, err = env.EndOtherSessions(ctx, other.Reveal())
			}
			return err
		},
		"RenewSession": func(ctx context.Context, env *rostertest.Env, _ *roster.Session, token string) error {
			_, _, err := env.RenewSession(ctx, token)
			return err
		},
		"Reauthenticate": func(ctx context.Context, env *rostertest.Env, _ *roster.Session, token string) error {
			_, _, err := env.Reauthenticate(ctx, token, rostertest.Password)
			return err
		},
		"ChangePasswordIn": func(ctx context.Context, env *rostertest.Env, _ *roster.Session, token string) error {
			_, _, err := env.ChangePasswordIn(ctx, token, rostertest.Password, "another long password")
			return err
		},
		"SetPassword": func(ctx context.Context, env *rostertest.Env, s *roster.Session, _ string) error {
			return env.SetPassword(ctx, s.UserID, "another long password")
		},
		"Disable": func(ctx context.Context, env *rostertest.Env, s *roster.Session, _ string) error {
			return env.Disable(ctx, s.UserID)
		},
		"Delete": func(ctx context.Context, env *rostertest.Env, s *roster.Session, _ string) error {
			return env.Delete(ctx, s.UserID)
		},
		"Purge": func(ctx context.Context, env *rostertest.Env, s *roster.Session, _ string) error {
			return errors.Join(env.Delete(ctx, s.UserID), env.Purge(ctx, s.UserID))
		},
		"ban": func(ctx context.Context, env *rostertest.Env, s *roster.Session, _ string) error {
			return env.Edit(ctx, s.UserID, func(u *roster.User) error { u.Flags |= roster.FlagBanned; return nil })
		},
		"Impersonate": func(ctx context.Context, env *rostertest.Env, _ *roster.Session, token string) error {
			_, _, err := env.Impersonate(ctx, token, env.MustRegister("ben").ID)
			return err
		},
		"in a transaction": func(ctx context.Context, env *rostertest.Env, s *roster.Session, token string) error {
			return env.Atomic(ctx, func(inside context.Context) error {
				if err := env.EndSessions(inside, s.UserID); err != nil {
					return err
				}
				if _, err := env.Session(inside, token); !errors.Is(err, roster.ErrNoSession) {
					return fmt.Errorf("inside: %w", err)
				}
				_, err := env.Session(ctx, token) // outside, where it is still good
				return err
			})
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			env, _ := newCached(t)
			env.MustRegister("ann")
			s, token := signIn(t, env, "ann")
			live(t, env, "before", token)
			if err := end(t.Context(), env, s, token); err != nil {
				t.Fatal(err)
			}
			dead(t, env, "after", token)
			if len(env.Mail.All()) == 0 {
				t.Error("nothing happened")
			}
		})
	}
}

// TestSessionCacheShowsEdits reads what is written to a user whose session is
// remembered.
func TestSessionCacheShowsEdits(t *testing.T) {
	t.Parallel()
	env, _ := newCached(t)
	ann := env.MustRegister("ann")
	_, token := signIn(t, env, "ann")
	live(t, env, "before", token)
	if err := env.Edit(t.Context(), ann.ID, func(u *roster.User) error { u.RealName = "Ann"; return nil }); err != nil {
		t.Fatal(err)
	}
	if s := live(t, env, "after", token); s.User.RealName != "Ann" {
		t.Errorf("the real name is %q", s.User.RealName)
	}
	env.Clock.Advance(time.Second)
	signIn(t, env, "ann")
	if s := live(t, env, "after", token); !s.User.LastLoginAt.Equal(env.Clock.Now()) {
		t.Errorf("the last sign-in was %s", s.User.LastLoginAt)
	}
}

// TestSessionCacheRead ends a session while somebody has read it and not yet
// remembered it.
func TestSessionCacheRead(t *testing.T) {
	t.Parallel()
	env, store := newCached(t)
	ann := env.MustRegister("ann")
	_, token := signIn(t, env, "ann")
	store.asked = func() {
		store.mu.Lock()
		store.asked = nil
		store.mu.Unlock()
		if err := env.EndSessions(context.Background(), ann.ID); err != nil {
			t.Error(err)
		}
	}
	live(t, env, "read before the end", token)
	dead(t, env, "after the end", token)
}

// TestSessionCacheElsewhere ends a session in what may be another process.
func TestSessionCacheElsewhere(t *testing.T) {
	t.Parallel()
	env, store := newCached(t)
	env.MustRegister("ann")
	_, token := signIn(t, env, "ann")
	other, err := roster.New(store, &roster.Options{Now: env.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	live(t, env, "before", token)
	if err := other.SignOut(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	env.Clock.Advance(30 * time.Second)
	dead(t, env, "as long as is allowed after the end elsewhere", token)
}

// TestSessionCacheBounded starts more sessions than are remembered.
func TestSessionCacheBounded(t *testing.T) {
	t.Parallel()
	const most, more = 10_000, 500
	env, store := newCached(t)
	ann := env.MustRegister("ann")
	tokens := make([]string, most+more)
	for i := range tokens {
		_, token, err := env.StartSession(t.Context(), ann)
		if err != nil {
			t.Fatal(err)
		}
		tokens[i] = token.Reveal()
	}
	for range 2 {
		for _, token := range tokens {
			live(t, env, "started", token)
		}
	}
	if n := store.count(); n < len(tokens)+more {
		t.Errorf("the store was asked %d times for %d sessions", n, len(tokens))
	}
}

func TestSessionCacheOption(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{-1, time.Minute + 1} {
		if _, err := roster.New(memory.New(), &roster.Options{SessionCache: d}); err == nil {
			t.Errorf("%s is accepted", d)
		}
	}
}

// TestSessionCacheRace checks sessions while they end: what has ended before a
// check began is over.
func TestSessionCacheRace(t *testing.T) {
	t.Parallel()
	env, _ := newCached(t)
	ann := env.MustRegister("ann")
	for range 300 {
		s, secret, err := env.StartSession(t.Context(), ann)
		if err != nil {
			t.Fatal(err)
		}
		var ended sync.WaitGroup
		ended.Go(func() {
			if err := env.EndSession(context.Background(), s.UserID, s.ID); err != nil {
				t.Error(err)
			}
		})
		var checks sync.WaitGroup
		for range 3 {
			checks.Go(func() {
				for range 5 {
					if _, err := env.Session(context.Background(), secret.Reveal()); err != nil && !errors.Is(err, roster.ErrNoSession) {
						t.Error(err)
					}
				}
			})
		}
		ended.Wait()
		dead(t, env, "ended", secret.Reveal())
		checks.Wait()
		dead(t, env, "ended", secret.Reveal())
	}
	if err := env.EndSession(t.Context(), ann.ID, uuid.New()); !errors.Is(err, roster.ErrNotFound) {
		t.Error(err)
	}
}

// BenchmarkSessionRemembered is the check of a session that is in memory.
func BenchmarkSessionRemembered(b *testing.B) {
	env, _ := newCached(b)
	env.MustRegister("ann")
	_, token := signIn(b, env, "ann")
	ctx := b.Context()
	for b.Loop() {
		if _, err := env.Session(ctx, token); err != nil {
			b.Fatal(err)
		}
	}
}
