package password_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/go-roster/roster/password"
)

// newGate returns a gate for so many units at once, on so many processors.
func newGate(t testing.TB, memory int64, processors, places int) *password.Gate {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
	g, err := password.NewGate(memory, places)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// job is work that lasts until it is told to end.
type job struct {
	cancel context.CancelFunc
	end    chan struct{}
	began  atomic.Bool
	err    error // of Do, once it is done
	done   atomic.Bool
}

func (j *job) state() string {
	switch {
	case !j.done.Load() && !j.began.Load():
		return "waits"
	case !j.done.Load():
		return "runs"
	case errors.Is(j.err, password.ErrFull) && !j.began.Load():
		return "full"
	case errors.Is(j.err, context.Canceled) && !j.began.Load():
		return "cancelled"
	case j.err == nil && j.began.Load():
		return "done"
	}
	return fmt.Sprintf("began %v, error %v", j.began.Load(), j.err)
}

// start begins a job, in a bubble, and returns once it runs or waits.
func start(t *testing.T, g *password.Gate, source string, bytes int64) *job {
	ctx, cancel := context.WithCancel(t.Context())
	j := &job{cancel: cancel, end: make(chan struct{})}
	go func() {
		j.err = g.Do(ctx, source, bytes, func() {
			j.began.Store(true)
			<-j.end
		})
		j.done.Store(true)
	}()
	synctest.Wait()
	return j
}

func wantStates(t *testing.T, want string, jobs ...*job) {
	t.Helper()
	synctest.Wait()
	var got []string
	for _, j := range jobs {
		got = append(got, j.state())
	}
	if got := strings.Join(got, " "); got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

func TestGateBoundsMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, 10, 4, 9)
		a, b, c := start(t, g, "", 4), start(t, g, "", 4), start(t, g, "", 4)
		small := start(t, g, "", 1) // would fit, and does not overtake
		wantStates(t, "runs runs waits waits", a, b, c, small)
		close(a.end)
		wantStates(t, "done runs runs runs", a, b, c, small)
		huge := start(t, g, "", 1000)
		last := start(t, g, "", 1)
		close(b.end)
		close(c.end)
		wantStates(t, "runs waits waits", small, huge, last)
		close(small.end)
		wantStates(t, "runs waits", huge, last) // alone
		close(huge.end)
		wantStates(t, "done runs", huge, last)
		close(last.end)
		wantStates(t, "done", last)
	})
}

func TestGateBoundsProcessors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, 1<<40, 2, 9)
		a, b, c := start(t, g, "", 1), start(t, g, "", 1), start(t, g, "", 1)
		free := start(t, g, "", 0) // needs nothing, so it does not wait
		wantStates(t, "runs runs waits runs", a, b, c, free)
		for _, j := range []*job{a, b, c, free} {
			close(j.end)
		}
		wantStates(t, "done done done done", a, b, c, free)
	})
}

// Who comes first is served first in its line, and the lines take turns.
func TestGateIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, 1, 1, 100)
		first := start(t, g, "flood", 1)
		var order []string
		var mu sync.Mutex
		enter := func(source string, i int) {
			go func() {
				err := g.Do(t.Context(), source, 1, func() {
					mu.Lock()
					defer mu.Unlock()
					order = append(order, fmt.Sprintf("%s%d", source, i))
				})
				if err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
		}
		for i := range 5 {
			enter("flood", i)
		}
		for i := range 2 {
			enter("ann", i)
		}
		enter("ben", 0)
		close(first.end)
		synctest.Wait()
		want := []string{"flood0", "ann0", "ben0", "flood1", "ann1", "flood2", "flood3", "flood4"}
		if !slices.Equal(order, want) {
			t.Errorf("got %v", order)
		}
	})
}

func TestGateIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, 1, 1, 3)
		runs := start(t, g, "flood", 1)
		f1, f2, f3 := start(t, g, "flood", 1), start(t, g, "flood", 1), start(t, g, "flood", 1)
		f4 := start(t, g, "flood", 1)
		wantStates(t, "runs waits waits waits full", runs, f1, f2, f3, f4)
		ann := start(t, g, "ann", 1) // takes the last place of the flood
		wantStates(t, "waits waits full waits", f1, f2, f3, ann)
		ann2 := start(t, g, "ann", 1) // who has 1 of 3 does not take another one's second
		ben := start(t, g, "ben", 1)
		cid := start(t, g, "cid", 1)
		wantStates(t, "waits full waits full waits full", f1, f2, ann, ann2, ben, cid)
		close(runs.end)
		wantStates(t, "runs", f1)
		close(f1.end)
		wantStates(t, "runs waits", ann, ben)
		close(ann.end)
		close(ben.end)
		wantStates(t, "done done", ann, ben)
	})
}

func TestGateWithoutPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, 1, 1, 0)
		a, b := start(t, g, "a", 1), start(t, g, "b", 1)
		wantStates(t, "runs full", a, b)
		close(a.end)
		wantStates(t, "done full", a, b)
		c := start(t, g, "b", 1)
		wantStates(t, "done runs", a, c)
		close(c.end)
	})
}

// Who gives up leaves the line, and those behind go on.
func TestGateCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, 10, 4, 9)
		a := start(t, g, "", 5)
		big, small := start(t, g, "", 6), start(t, g, "", 5)
		wantStates(t, "runs waits waits", a, big, small)
		big.cancel()
		wantStates(t, "runs cancelled runs", a, big, small)
		close(a.end)
		close(small.end)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		hold := start(t, g, "", 10)
		if err := g.Do(ctx, "", 1, func() { t.Error("ran") }); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if err := g.Do(ctx, "", 0, func() { t.Error("ran") }); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		close(hold.end)
	})
}

// Who gives up at the moment of being let in gives the slot back.
func TestGateCancelledWhenLetIn(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that the one who waits wakes up after both
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, 1, 1, 1)
		for range 100 {
			ctx, cancel := context.WithCancel(t.Context())
			err := g.Do(t.Context(), "", 1, func() {
				go func() {
					err := g.Do(ctx, "", 1, func() { t.Error("it ran") })
					if !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
				}()
				synctest.Wait()
				cancel()
			})
			synctest.Wait()
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestGateSurvivesPanic(t *testing.T) {
	g := newGate(t, 1, 1, 0)
	for range 3 {
		func() {
			defer func() {
				if recover() != "boom" {
					t.Error("the panic was swallowed")
				}
			}()
			if err := g.Do(t.Context(), "", 1, func() { panic("boom") }); err != nil {
				t.Error(err)
			}
		}()
	}
}

// A thousand who give up at any moment leave nothing behind: the whole gate is
// free again.
func TestGateLeaksNothing(t *testing.T) {
	const slots = 2
	g := newGate(t, slots, slots, 50)
	var wg sync.WaitGroup
	var running, most, ran, refused atomic.Int64
	for i := range 1000 {
		wg.Add(1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			defer wg.Done()
			err := g.Do(ctx, fmt.Sprint(i%7), 1, func() {
				if n := running.Add(1); n > most.Load() {
					most.Store(n)
				}
				runtime.Gosched()
				running.Add(-1)
				ran.Add(1)
			})
			if err != nil {
				refused.Add(1)
			}
		}()
		go cancel()
	}
	wg.Wait()
	if ran.Load()+refused.Load() != 1000 || most.Load() > slots || most.Load() < 1 {
		t.Errorf("%d ran, %d were refused, %d at once", ran.Load(), refused.Load(), most.Load())
	}
	t.Logf("%d ran, %d gave up or were refused", ran.Load(), refused.Load())

	inside, end := make(chan struct{}), make(chan struct{})
	for range slots {
		wg.Go(func() {
			if err := g.Do(t.Context(), "", 1, func() { inside <- struct{}{}; <-end }); err != nil {
				t.Error(err)
			}
		})
	}
	for range slots {
		<-inside // both at once: no slot is lost
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Do(ctx, "", 1, func() {}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(end)
	wg.Wait()
}

// A gate that is driven at random: what runs fits, nobody waits for nothing,
// everybody gets an answer.
func TestGateAtRandom(t *testing.T) {
	type step struct {
		what, which int
		bytes       int64
		source      string
	}
	steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			what:   rapid.IntRange(0, 4).Draw(t, "what"),
			which:  rapid.IntRange(0, 1000).Draw(t, "which"),
			bytes:  rapid.Int64Range(1, 25).Draw(t, "bytes"),
			source: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "source"),
		}
	}), 1, 40)
	rapid.Check(t, func(rt *rapid.T) {
		memory := rapid.Int64Range(1, 20).Draw(rt, "memory")
		slots := rapid.IntRange(1, 4).Draw(rt, "slots")
		places := rapid.IntRange(0, 6).Draw(rt, "places")
		script := steps.Draw(rt, "steps")
		var wrong []string
		synctest.Test(t, func(t *testing.T) {
			g := newGate(t, memory, slots, places)
			var jobs []*job
			need := make(map[*job]int64)
			in := func(state string) (found []*job, sum int64) {
				synctest.Wait()
				for _, j := range jobs {
					if j.state() == state && !closed(j.end) {
						found, sum = append(found, j), sum+need[j]
					}
				}
				return found, sum
			}
			for _, s := range script {
				running, _ := in("runs")
				waiting, _ := in("waits")
				switch {
				case s.what < 3:
					j := start(t, g, s.source, s.bytes)
					need[j] = s.bytes
					jobs = append(jobs, j)
				case s.what == 3 && len(running) > 0:
					close(running[s.which%len(running)].end)
				case s.what == 4 && len(waiting) > 0:
					waiting[s.which%len(waiting)].cancel()
				}
				running, used := in("runs")
				waiting, _ = in("waits")
				if len(running) > slots || used > memory && len(running) > 1 || len(waiting) > places {
					wrong = append(wrong, fmt.Sprintf("%d run in %d bytes, %d wait", len(running), used, len(waiting)))
				}
				if len(waiting) > 0 && len(running) == 0 {
					wrong = append(wrong, "somebody waits for nothing")
				}
			}
			for running, _ := in("runs"); len(running) > 0; running, _ = in("runs") {
				close(running[0].end)
			}
			for _, j := range jobs {
				j.cancel()
				synctest.Wait()
				if s := j.state(); s != "done" && s != "full" && s != "cancelled" {
					wrong = append(wrong, "a job "+s)
				}
			}
		})
		if wrong != nil {
			rt.Fatal(wrong)
		}
	})
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestNewGate(t *testing.T) {
	for _, tt := range []struct {
		memory int64
		places int
		errs   int
	}{{1, 0, 0}, {1 << 40, 1 << 20, 0}, {0, 1, 1}, {-1, 1, 1}, {1, -1, 1}, {0, -1, 2}} {
		g, err := password.NewGate(tt.memory, tt.places)
		n := 0
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			n = len(joined.Unwrap())
		}
		if n != tt.errs || (g == nil) != (err != nil) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}
