package password_test

import (
	"context"
	"crypto/sha1"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-roster/roster/password"
)

func TestCheckBreached(t *testing.T) {
	const pw = "correct horse battery"
	down := errors.New("down")
	asked := 0
	says := func(known bool, err error) func(context.Context, [20]byte) (bool, error) {
		return func(_ context.Context, sum [20]byte) (bool, error) {
			if asked++; sum != sha1.Sum([]byte(pw)) {
				t.Errorf("asked for %x", sum)
			}
			return known, err
		}
	}
	for _, tt := range []struct {
		name   string
		policy password.Policy
		reason password.Reason
		fails  bool
	}{
		{"nobody is asked", password.Policy{}, "", false},
		{"no", password.Policy{Breached: says(false, nil)}, "", false},
		{"yes", password.Policy{Breached: says(true, nil)}, password.ReasonBreached, false},
		{"yes, optional", password.Policy{Breached: says(true, nil), BreachedOptional: true}, password.ReasonBreached, false},
		{"down", password.Policy{Breached: says(false, down)}, "", true},
		{"down, whatever it says", password.Policy{Breached: says(true, down)}, "", true},
		{"down, optional", password.Policy{Breached: says(true, down), BreachedOptional: true}, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.policy.CheckBreached(t.Context(), pw)
			if tt.fails {
				if !errors.Is(err, password.ErrBreachCheck) || !errors.Is(err, down) {
					t.Errorf("got %v", err)
				}
			} else if got := reasonOf(t, err); got != tt.reason {
				t.Errorf("got %q, want %q", got, tt.reason)
			}
			if err := tt.policy.Check(pw); err != nil {
				t.Errorf("Check: %v", err)
			}
		})
	}
	if asked != 6 {
		t.Errorf("asked %d times", asked)
	}
}

// A hook that hangs, minding its context or not, ends when its time or that of
// the caller is up.
func TestBreachedHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deaf := make(chan struct{})
		for name, hook := range map[string]func(context.Context, [20]byte) (bool, error){
			"minds": func(ctx context.Context, _ [20]byte) (bool, error) { <-ctx.Done(); return true, ctx.Err() },
			"deaf":  func(context.Context, [20]byte) (bool, error) { <-deaf; return true, nil },
		} {
			for _, optional := range []bool{false, true} {
				policy := password.Policy{Breached: hook, BreachedOptional: optional}
				start := time.Now()
				err := policy.CheckBreached(t.Context(), "correct horse battery")
				if errors.Is(err, password.ErrBreachCheck) == optional || errors.Is(err, context.DeadlineExceeded) == optional {
					t.Errorf("%s, %v: %v", name, optional, err)
				}
				if took := time.Since(start); took != 5*time.Second {
					t.Errorf("%s took %v", name, took)
				}
				policy.BreachedTimeout = time.Minute
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				start = time.Now()
				err = policy.CheckBreached(ctx, "correct horse battery")
				if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, password.ErrBreachCheck) {
					t.Errorf("%s: %v", name, err)
				}
				if took := time.Since(start); took != time.Second {
					t.Errorf("%s took %v", name, took)
				}
				cancel()
			}
		}
		close(deaf)
	})
}

func TestBreachedPanics(t *testing.T) {
	defer func() {
		if got := recover(); got != "boom" {
			t.Errorf("recovered %v", got)
		}
	}()
	policy := password.Policy{Breached: func(context.Context, [20]byte) (bool, error) { panic("boom") }}
	t.Error(policy.CheckBreached(t.Context(), "correct horse battery"))
}
