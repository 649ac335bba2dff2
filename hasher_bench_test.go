//go:build unix

package roster_test

import (
	"context"
	"runtime/metrics"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

// BenchmarkSignInsAtOnce compares 256 sign-ins at once with sign-ins one after
// the other, and reports how high their rate is as a part of that, by the clock
// ("x-alone") and by the time of processors, which does not change with what
// else the machine does ("x-alone-cpu"); and the greatest heap.
func BenchmarkSignInsAtOnce(b *testing.B) {
	const crowd, queue = 256, 64
	users := registered(b, memory.New())
	sign := func() {
		if _, err := users.Authenticate(context.Background(), "ann", rostertest.Password); err != nil {
			b.Error(err)
		}
	}
	var sums [2][2]float64
	measure := func(i, n int, fn func()) {
		start, used := time.Now(), processorTime(b)
		fn()
		sums[i][0] += time.Since(start).Seconds() / float64(n)
		sums[i][1] += (processorTime(b) - used).Seconds() / float64(n)
	}
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	var most uint64
	var mu sync.Mutex
	for b.Loop() {
		measure(0, crowd, func() {
			var wg sync.WaitGroup
			for range crowd {
				wg.Go(func() {
					sign()
					mu.Lock()
					defer mu.Unlock()
					metrics.Read(heap)
					most = max(most, heap[0].Value.Uint64())
				})
			}
			wg.Wait()
		})
		measure(1, queue, func() {
			for range queue {
				sign()
			}
		})
	}
	b.ReportMetric(sums[1][0]/sums[0][0], "x-alone")
	b.ReportMetric(sums[1][1]/sums[0][1], "x-alone-cpu")
	b.ReportMetric(float64(b.N)/sums[0][0], "sign-ins/s")
	b.ReportMetric(float64(most)/(1<<20), "MiB-heap")
}

// processorTime is what the program has used of all processors.
func processorTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
