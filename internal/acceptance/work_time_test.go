package acceptance

import (
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/password"
	"github.com/go-roster/roster/rostertest"
)

// stoppingHasher stops at one password until it is told to go on.
type stoppingHasher struct {
	roster.Hasher
	inside, end chan struct{}
}

const stopPassword = "stop here, please"

func (h *stoppingHasher) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	if password == stopPassword {
		h.inside <- struct{}{}
		<-h.end
	}
	return h.Hasher.Verify(ctx, hash, password)
}

// suspect is what measuring a state against the unknown name gave.
type suspect struct {
	median time.Duration // of the unknown name
	diff   float64       // median of the differences of pairs, as a part of that
	z      float64       // of the sign test
	t      float64       // of Welch's test, for the record: one hiccup spoils it
}

func (s suspect) String() string {
	return fmt.Sprintf("median %v, pairs differ by %+.2f%%, sign test z %+.1f, Welch t %+.1f", s.median, 100*s.diff, s.z, s.t)
}

// guilty says that the difference is large and that it is no accident.
func (s suspect) guilty(limit float64) bool {
	return math.Abs(s.diff) > limit && math.Abs(s.z) > 3.5
}

// measure compares two things in interleaved pairs of random order.
func measure(rng *rand.Rand, pairs int, one, other func()) suspect {
	timed := func(fn func()) float64 {
		start := time.Now()
		fn()
		return float64(time.Since(start))
	}
	var ones, others, diffs []float64
	signs := 0
	for range pairs {
		var a, b float64
		if rng.IntN(2) == 0 {
			a = timed(one)
			b = timed(other)
		} else {
			b = timed(other)
			a = timed(one)
		}
		ones, others, diffs = append(ones, a), append(others, b), append(diffs, b-a)
		if b > a {
			signs++
		}
	}
	slices.Sort(diffs)
	mean := func(xs []float64) (m, v float64) {
		for _, x := range xs {
			m += x / float64(len(xs))
		}
		for _, x := range xs {
			v += (x - m) * (x - m) / float64(len(xs)-1)
		}
		return m, v
	}
	m1, v1 := mean(ones)
	m2, v2 := mean(others)
	n := float64(pairs)
	slices.Sort(ones)
	return suspect{
		median: time.Duration(ones[pairs/2]),
		diff:   diffs[pairs/2] / ones[pairs/2],
		z:      (float64(signs) - n/2) / math.Sqrt(n/4),
		t:      (m2 - m1) / math.Sqrt(v1/n+v2/n),
	}
}

// convict measures until a state is acquitted. On a machine that does other
// things a first measurement may lie, several do not.
func convict(rng *rand.Rand, limit float64, one, other func()) (s suspect, guilty bool) {
	for try := range 4 {
		s = measure(rng, count(30, 500)<<try, one, other)
		if !s.guilty(limit) {
			return s, false
		}
	}
	return s, true
}

// leaky is a hasher that does less work for a hash that is nobody's.
type leaky struct {
	password.Argon2id
	dummy password.Argon2id
}

func (h leaky) Dummy() string { return h.dummy.Dummy() }

func (h leaky) Verify(ctx context.Context, hash, pw string) (ok, rehash bool, err error) {
	if strings.Contains(hash, fmt.Sprintf("$m=%d,", h.dummy.MemoryKiB)) { // it would make good for what that lacks
		return h.dummy.Verify(ctx, hash, pw)
	}
	return h.Argon2id.Verify(ctx, hash, pw)
}

// TestEqualTime measures that every refusal takes as long as that of an
// unknown name, and that it would be noticed if it did not.
func TestEqualTime(t *testing.T) {
	rng := random(t)
	limit := 0.10
	if soak {
		limit = 0.02
	}
	cost := password.Argon2id{Time: 1, MemoryKiB: 2048, Threads: 1}
	plant := password.Argon2id{Time: 1, MemoryKiB: 1024, Threads: 1}
	if soak {
		cost = password.OWASP()
		plant = password.Argon2id{Time: 2, MemoryKiB: cost.MemoryKiB * 95 / 100, Threads: 1}
	}
	w := newWorld(t, kinds()[0].open(t), func(o *roster.Options) { o.Hasher = password.Hasher{Cost: cost} })
	states := refusals(w)
	ctx := ctxOf(t)
	imported := w.active("imported", "imported@example.org")
	sum := sha512.Sum512([]byte("0123456789abcdef" + goodPassword))
	w.must(w.store.PutCredential(ctx, &roster.Credential{
		UserID: imported.ID, Hash: roster.NewSecret(fmt.Sprintf("sha512$0123456789abcdef$%x", sum)), CreatedAt: w.clock.Now(),
	}))
	states = append(states,
		refusal{"imported hash that costs nothing, wrong password", "imported", otherPassword},
		refusal{"imported hash that costs nothing, empty password", "imported", ""})
	try := func(us *roster.Users, s refusal) func() {
		return func() {
			if _, err := us.Authenticate(ctx, s.login, s.password); !errors.Is(err, roster.ErrCredentials) {
				t.Fatalf("%s: %v", s.name, err)
			}
		}
	}
	for _, s := range states[1:] {
		got, guilty := convict(rng, limit, try(w.Users, states[0]), try(w.Users, s))
		if guilty {
			t.Errorf("%s can be told from an unknown name: %v", s.name, got)
		} else if soak || testing.Verbose() {
			t.Logf("%s: %v", s.name, got)
		}
	}
	planted, err := roster.New(w.store, &roster.Options{Hasher: leaky{cost, plant}, Now: w.clock.Now, Limits: rostertest.Unlimited()})
	w.must(err)
	i := slices.IndexFunc(states, func(s refusal) bool { return s.name == "wrong password" })
	var got suspect
	for attempt := 0; attempt < 4 && !got.guilty(limit); attempt++ {
		got = measure(rng, count(100, 1000), try(planted, states[0]), try(planted, states[i]))
	}
	if !got.guilty(limit) {
		t.Errorf("a leak that was planted went unnoticed: %v", got)
	}
	t.Logf("planted leak: %v", got)
}
