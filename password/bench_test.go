package password_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/go-roster/roster/password"
)

// Each of these alternates with the bare argon2id call at the same cost, and
// reports how many times as long it takes (by the medians) as "x-bare".
func BenchmarkHash(b *testing.B) {
	benchmark(b, func(hasher password.Argon2id) func() {
		return func() {
			if _, err := hasher.Hash(b.Context(), "correct horse battery"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	benchmark(b, func(hasher password.Argon2id) func() {
		hash, err := hasher.Hash(b.Context(), "correct horse battery")
		if err != nil {
			b.Fatal(err)
		}
		return func() {
			if ok, _, err := hasher.Verify(b.Context(), hash, "correct horse battery"); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
}

func benchmark(b *testing.B, work func(password.Argon2id) func()) {
	for _, bm := range []struct {
		name   string
		hasher password.Argon2id
	}{
		{"OWASP", password.OWASP()},
		{"RFC9106", password.RFC9106()},
		{"cheap", cheap}, // shows what is not argon2id
	} {
		b.Run(bm.name, func(b *testing.B) {
			hasher := bm.hasher
			pw, salt := []byte("correct horse battery"), make([]byte, 16)
			do := work(hasher)
			var ours, bare []time.Duration
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				do()
				ours = append(ours, time.Since(start))
				b.StopTimer()
				start = time.Now()
				argon2.IDKey(pw, salt, hasher.Time, hasher.MemoryKiB, hasher.Threads, 32)
				bare = append(bare, time.Since(start))
				b.StartTimer()
			}
			b.ReportMetric(float64(median(ours))/float64(median(bare)), "x-bare")
		})
	}
}

func BenchmarkPrepare(b *testing.B) {
	for _, bm := range []struct{ name, in string }{
		{"ascii", "correct horse battery"},
		{"decomposed", strings.Repeat("e\u0301", 10)},
		{"longest", strings.Repeat("\u00e9", password.MaxRunes)},
		{"64MiB", strings.Repeat("x", 64<<20)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = password.Prepare(bm.in)
			}
		})
	}
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
