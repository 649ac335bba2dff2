package acceptance

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/sqlite"
)

// TestLimitFaults lets each call of the store fail in turn. No fault makes a wrong
// password right, and whatever was counted, who waits long enough gets in.
func TestLimitFaults(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		store := &faultStore{Store: k.open(t)}
		w, _ := newLimited(t, store, nil)
		w.active("ann", "ann@example.org")
		attempt := func(kind fault, point int, ctx context.Context, password string) (u *roster.User, panicked any, calls []string, err error) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			defer func() {
				panicked = recover()
				calls, _ = store.disarm()
			}()
			store.arm(kind, point, cancel)
			u, err = w.Authenticate(ctx, "ann", password)
			return u, nil, nil, err
		}
		seen := map[string]bool{}
		for _, password := range []string{otherPassword, goodPassword} {
			for kind := failBefore; kind < faultsEnd; kind++ {
				for point := 1; ; point++ {
					ctx := client(ctxOf(t), fmt.Sprintf("2001:db8:%x:%x::1", int(kind), point))
					u, panicked, calls, err := attempt(kind, point, ctx, password)
					if password != goodPassword && (u != nil || err == nil && panicked == nil) {
						t.Fatalf("%v at call %d of %v: a wrong password is right", kind, point, calls)
					}
					if err != nil && u != nil {
						t.Errorf("a user beside the error %v", err)
					}
					for _, c := range calls {
						seen[c] = true
					}
					if len(calls) < point {
						break
					}
					w.clock.Advance(time.Hour)
					if _, err := w.Authenticate(ctx, "ann", goodPassword); err != nil {
						t.Fatalf("%v at call %d of %v: afterwards the owner is kept out: %v", kind, point, calls, err)
					}
				}
			}
		}
		for _, call := range []string{"LimitCounts", "TakeLimits", "GiveLimits"} {
			if !seen[call] {
				t.Errorf("no fault came in %s", call)
			}
		}
		w.sound()
	})
}

// anywhere is a store whose events do not say from where.
type anywhere struct{ roster.Store }

func (s anywhere) CountEvent(ctx context.Context, key string, e *roster.Event) error {
	e.Addr = ""
	return s.Store.CountEvent(ctx, key, e)
}

// TestLimitsKeepNoSecrets types a password into the field for the name. It is not
// in the database; nor is the address of the client, but in the record of events.
func TestLimitsKeepNoSecrets(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		if k.dump == nil {
			return
		}
		store := k.open(t)
		w, _ := newLimited(t, anywhere{store}, nil)
		ctx := client(ctxOf(t), "192.0.2.77")
		for range 3 {
			for _, login := range []string{"xyzzy-hunter2", "xyzzy hunter2 !", "xyzzy-hunter2@example.org"} {
				mustNotSignIn(t, w.Users, login, "xyzzy", roster.ErrCredentials)
				_, _ = w.Authenticate(ctx, login, "xyzzy")
				w.must(w.RequestPasswordReset(ctx, login))
			}
		}
		if text := string(k.dump(t, store)); strings.Contains(text, "hunter2") || strings.Contains(text, "192.0.2.77") {
			t.Error("what was typed, or the address of the client, is in the database")
		}
		w.clock.Advance(1000 * time.Hour)
		if p, err := w.Prune(ctx, roster.Budget{}); err != nil || p.Limits < 6 {
			t.Errorf("pruned %+v, %v", p, err)
		}
	})
}

// TestLimitReadOnly signs in where nothing can be written: it is counted in memory.
func TestLimitReadOnly(t *testing.T) {
	path := filepath.Join(quickDir(t), "accounts.db")
	w, _ := newLimited(t, openSQLite(t, path), nil)
	w.active("ann", "ann@example.org")
	s, err := sqlite.New(handle(t, path, "&mode=ro"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	read, h := newLimited(t, s, nil)
	ctx := client(ctxOf(t), "192.0.2.1")
	for range 3 {
		if _, err := read.Authenticate(ctx, "ann", goodPassword); err != nil {
			t.Fatal(err)
		}
	}
	h.n.Store(0)
	errs := together(50, func(int) error {
		_, err := read.Authenticate(ctx, "ann", otherPassword)
		return err
	})
	if i := slices.IndexFunc(errs, func(err error) bool { return !errors.Is(err, roster.ErrCredentials) && !isThrottled(err) }); i >= 0 {
		t.Errorf("a guess: %v", errs[i])
	}
	if n := h.n.Load(); n > 5 || n < 1 {
		t.Errorf("%d hashes were looked at", n)
	}
}
