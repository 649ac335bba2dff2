package password

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// Calibrate returns the strongest parameters whose hash takes about target on
// this machine as it is now, in one thread and at most mostKiB of memory:
// first more memory, then more passes. Call it by hand or at installation, and
// keep what it returns: a program that calibrates at every start rehashes
// everybody again and again. On a busy machine it comes out weaker.
//
// It never returns less than what the OWASP Password Storage Cheat Sheet calls
// equal to 2 passes over 19 MiB, however slow the machine. Zero for target means
// 250 ms, zero for mostKiB 64 MiB. It returns an error if target is
// negative, or mostKiB less than the 7 MiB of the smallest of those
// parameters or more than 256 MiB, or the error of ctx.
func Calibrate(ctx context.Context, target time.Duration, mostKiB uint32) (Argon2id, error) {
	return calibrate(ctx, target, mostKiB, func(a Argon2id) time.Duration {
		h := phc{cost: a, salt: make([]byte, saltLen)}
		best := time.Duration(1<<63 - 1)
		for range 3 {
			start := time.Now()
			h.derive("calibrate", tagLen)
			best = min(best, time.Since(start))
		}
		return best
	})
}

// floors are what OWASP calls equal, the most memory first.
var floors = [...]Argon2id{
	{Time: 1, MemoryKiB: 47104, Threads: 1},
	{Time: 2, MemoryKiB: 19456, Threads: 1},
	{Time: 3, MemoryKiB: 12288, Threads: 1},
	{Time: 4, MemoryKiB: 9216, Threads: 1},
	{Time: 5, MemoryKiB: 7168, Threads: 1},
}

func calibrate(
	ctx context.Context, target time.Duration, mostKiB uint32, measure func(Argon2id) time.Duration,
) (Argon2id, error) {
	target, mostKiB = cmp.Or(target, 250*time.Millisecond), cmp.Or(mostKiB, 64<<10)
	least := floors[len(floors)-1].MemoryKiB
	if target < 0 || mostKiB < least || mostKiB > maxMemoryKiB {
		return Argon2id{}, fmt.Errorf("password: Calibrate: target is %v and mostKiB %d, must be positive and %d to %d",
			target, mostKiB, least, maxMemoryKiB)
	}
	best := floors[1]
	for i := 1; best.MemoryKiB > mostKiB; i++ {
		best = floors[i]
	}
	floor := best
	// Each step asks how long the last one took: time is near proportional to
	// the memory gone through.
	for range 8 {
		if err := ctx.Err(); err != nil {
			return Argon2id{}, err
		}
		took := max(measure(best), 1)
		next := best.scaled(float64(target)/float64(took), floor, mostKiB)
		if near := float64(took) / float64(target); next == best || near > 0.9 && near <= 1.1 {
			break
		}
		best = next
	}
	return best, nil
}

// scaled returns parameters that go through as many times more memory, in so
// much of it and never less than floor.
func (a Argon2id) scaled(times float64, floor Argon2id, mostKiB uint32) Argon2id {
	work := float64(a.Time) * float64(a.MemoryKiB) * times
	a.Time = floor.Time
	if work > float64(floor.Time)*float64(mostKiB) {
		a.Time = uint32(min(work/float64(mostKiB), maxTime))
	}
	memory := min(work/float64(a.Time), float64(mostKiB))
	a.MemoryKiB = max(uint32(memory)&^1023, floor.MemoryKiB)
	return a
}
