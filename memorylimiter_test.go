package roster_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/memory"
)

// The limiter in memory answers what a store does.
func TestMemoryLimiterAgrees(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(1, 2))
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	m, s := roster.Limiter(roster.NewMemoryLimiter(0)), roster.Limiter(memory.New())
	for range 20_000 {
		now = now.Add(time.Duration(rng.IntN(2000)-500) * time.Millisecond)
		var keys []string
		var takes []roster.LimitTake
		for _, i := range rng.Perm(12)[:rng.IntN(10)] {
			keys = append(keys, fmt.Sprint("key", i))
			takes = append(takes, roster.LimitTake{Key: keys[len(keys)-1], Max: 1 + rng.IntN(6), ExpiresAt: now.Add(time.Duration(rng.IntN(20)) * time.Second)})
		}
		var a, b any
		var errA, errB error
		switch rng.IntN(4) {
		case 0:
			a, errA = m.LimitCounts(ctx, now, keys...)
			b, errB = s.LimitCounts(ctx, now, keys...)
		case 1:
			n := rng.IntN(len(keys) + 1)
			errA, errB = m.GiveLimits(ctx, keys[:n], keys[n:]), s.GiveLimits(ctx, keys[:n], keys[n:])
		default:
			a, errA = m.TakeLimits(ctx, now, takes...)
			b, errB = s.TakeLimits(ctx, now, takes...)
		}
		if !reflect.DeepEqual(a, b) || fmt.Sprint(errA) != fmt.Sprint(errB) {
			t.Fatalf("in memory %v %v, in the store %v %v", a, errA, b, errB)
		}
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, err := m.TakeLimits(canceled, now)
	wantError(t, err, context.Canceled)
}

// A flood of names that nobody has pushes out neither what was counted for
// somebody who is attacked nor the bound.
func TestMemoryLimiterFlood(t *testing.T) {
	names := 100_000
	if os.Getenv("ROSTER_SOAK") == "1" {
		names = 1_000_000
	}
	const most = 1000
	m := roster.NewMemoryLimiter(most)
	ctx := context.Background()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	end := now.Add(24 * time.Hour)
	for range 5 {
		_, err := m.TakeLimits(ctx, now, roster.LimitTake{Key: "victim", Max: 5, ExpiresAt: end})
		must(t, err)
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range names {
		taken, err := m.TakeLimits(ctx, now, roster.LimitTake{Key: fmt.Sprint("nobody", i), Max: 5, ExpiresAt: end})
		if err != nil || len(taken) != 1 {
			t.Fatal(taken, err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("a thousand keys take %d bytes", grown)
	}
	counts, err := m.LimitCounts(ctx, now, "victim")
	if err != nil || len(counts) != 1 || counts[0].N != 5 {
		t.Errorf("the victim's count: %v, %v", counts, err)
	}
	left := 0
	for i := range names {
		counts, err := m.LimitCounts(ctx, now, fmt.Sprint("nobody", i))
		must(t, err)
		left += len(counts)
	}
	if left != most-1 {
		t.Errorf("%d keys are left beside the victim's", left)
	}
	runtime.KeepAlive(m)
}

// What has expired makes room before anything else goes, however high it was.
func TestMemoryLimiterForgetsTheExpired(t *testing.T) {
	m := roster.NewMemoryLimiter(10)
	ctx := context.Background()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 10 {
		for range 100 {
			_, err := m.TakeLimits(ctx, now, roster.LimitTake{Key: fmt.Sprint("old", i), Max: 100, ExpiresAt: now.Add(time.Duration(i%5+1) * time.Hour)})
			must(t, err)
		}
	}
	now = now.Add(5 * time.Hour)
	var keys []string
	for i := range 8 {
		keys = append(keys, fmt.Sprint("new", i))
		_, err := m.TakeLimits(ctx, now, roster.LimitTake{Key: keys[i], Max: 1, ExpiresAt: now.Add(time.Hour)})
		must(t, err)
	}
	if counts, err := m.LimitCounts(ctx, now, keys...); err != nil || len(counts) != len(keys) {
		t.Errorf("%v, %v", counts, err)
	}
}
