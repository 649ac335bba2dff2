package password_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/go-roster/roster/password"
)

func TestSaltsAreUnique(t *testing.T) {
	const hashes, dummies = 2_000, 100_000
	seen := make(map[string]bool, hashes+2*dummies)
	add := func(part string) {
		if seen[part] {
			t.Fatalf("a salt or tag came twice after %d", len(seen))
		}
		seen[part] = true
	}
	for range hashes {
		hash, err := cheap.Hash(t.Context(), "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		add(strings.Split(hash, "$")[4])
	}
	for range dummies {
		parts := strings.Split(cheap.Dummy(), "$")
		add(parts[4])
		add(parts[5])
	}
}

func TestDummyNeverMatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pw, hash := rapid.String().Draw(t, "password"), cheap.Dummy()
		for _, pw := range []string{pw, "", hash, strings.Split(hash, "$")[5]} {
			ok, rehash, err := cheap.Verify(context.Background(), hash, pw)
			if ok || rehash || err != nil {
				t.Fatalf("%q: %v %v %v", pw, ok, rehash, err)
			}
		}
	})
}

// The best of interleaved runs, since the machine may be busy.
func TestDummyCostsAsMuch(t *testing.T) {
	hasher := password.Argon2id{Time: 1, MemoryKiB: 8 << 10, Threads: 1}
	hash, err := hasher.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 64<<20)
	verify := func(hash, pw string) time.Duration {
		start := time.Now()
		if _, _, err := hasher.Verify(t.Context(), hash, pw); err != nil {
			t.Fatal(err)
		}
		return time.Since(start)
	}
	const never = time.Hour
	right, dummy, empty, huge := never, never, never, never
	for range 21 {
		right = min(right, verify(hash, "correct horse"))
		dummy = min(dummy, verify(hasher.Dummy(), "correct horse"))
		empty = min(empty, verify(hash, ""))
		huge = min(huge, verify(hash, long))
	}
	for what, took := range map[string]time.Duration{"dummy": dummy, "empty": empty, "64 MiB": huge} {
		if ratio := float64(took) / float64(right); ratio < 0.7 || ratio > 1.6 {
			t.Errorf("%s takes %.2f times as long (%v, %v)", what, ratio, took, right)
		}
	}
}

// allocates returns what Verify allocates, and checks what it answers.
func allocates(t *testing.T, h interface {
	Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error)
},
) func(hash, pw string, want bool) int64 {
	return func(hash, pw string, want bool) int64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ok, _, err := h.Verify(t.Context(), hash, pw)
		runtime.ReadMemStats(&after)
		if ok != want || err != nil {
			t.Fatalf("Verify of %s: %v %v", hash, ok, err)
		}
		return int64(after.TotalAlloc - before.TotalAlloc)
	}
}

// A hash of lower parameters that does not match costs what one of today's does; one
// that matches, or is of higher ones, costs what it says.
func TestOldHashesCostAsMuch(t *testing.T) {
	const mib = 1 << 20
	bare := password.Argon2id{Time: 2, MemoryKiB: 8 << 10, Threads: 1}
	peppered := password.Hasher{Cost: bare}
	for _, tt := range []struct {
		old             password.Argon2id
		match, mismatch int64 // MiB
	}{
		{password.Argon2id{Time: 2, MemoryKiB: 8 << 10, Threads: 1}, 8, 8},
		{password.Argon2id{Time: 2, MemoryKiB: 2 << 10, Threads: 1}, 2, 2 + 6},
		{password.Argon2id{Time: 1, MemoryKiB: 8 << 10, Threads: 1}, 8, 8 + 4},
		{password.Argon2id{Time: 8, MemoryKiB: 1 << 10, Threads: 1}, 1, 1 + 4},
		{password.Argon2id{Time: 4, MemoryKiB: 4 << 10, Threads: 1}, 4, 4},
		{password.Argon2id{Time: 2, MemoryKiB: 16 << 10, Threads: 1}, 16, 16},
	} {
		hash, err := tt.old.Hash(t.Context(), "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		for name, verify := range map[string]func(hash, pw string, want bool) int64{
			"bare": allocates(t, bare), "hasher": allocates(t, peppered),
		} {
			match, mismatch := verify(hash, "correct horse", true), verify(hash, "wrong horse", false)
			if (match+mib/2)/mib != tt.match || (mismatch+mib/2)/mib != tt.mismatch {
				t.Errorf("%s, %+v: %d and %d KiB", name, tt.old, match>>10, mismatch>>10)
			}
		}
		if bare.Memory(hash) != peppered.Memory(hash) || peppered.Memory(hash) < tt.mismatch-tt.match {
			t.Errorf("%+v: Memory %d and %d", tt.old, bare.Memory(hash), peppered.Memory(hash))
		}
	}
}

// A mismatch of whatever another system has stored, cheap or dear, pays for one
// argon2id more, as a name that is unknown does; a match does not. Told by the
// memory, which no other load on the machine changes, and Memory counts it.
func TestForeignMismatchCostsAsMuch(t *testing.T) {
	h := reader(t)
	h.Cost = password.Argon2id{Time: 1, MemoryKiB: 8 << 10, Threads: 1}
	const own = 8 << 20
	allocates := allocates(t, h)
	seen := make(map[string]bool)
	for _, v := range stored(t) {
		format, err := h.Format(v.column)
		if err != nil {
			t.Fatal(err)
		}
		// Of each kind the first, and those that cost what is common.
		if common := strings.Contains(v.column, "$10000$") || strings.HasPrefix(v.column, "$P$B"); format == "argon2id" || seen[format] && !common {
			continue
		}
		seen[format] = true
		match, mismatch := allocates(v.column, v.password, true), allocates(v.column, "x"+v.password, false)
		if more := mismatch - match; more < own*9/10 {
			t.Errorf("%s, %.24s: a mismatch takes %d KiB more than a match", format, v.column, more>>10)
		}
		if got := h.Memory(v.column); got < own {
			t.Errorf("Memory of %s: %d", v.column, got)
		}
	}
}
