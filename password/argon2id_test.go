package password_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"pgregory.net/rapid"

	"github.com/go-roster/roster/password"
)

// cheap is the least that argon2id does, for tests that are not about the cost.
var cheap = password.Argon2id{Time: 1, MemoryKiB: 8, Threads: 1}

// What a program that takes any hasher asks for.
var _ interface {
	Hash(ctx context.Context, password string) (string, error)
	Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error)
	Dummy() string
	Memory(hash string) int64
} = password.Argon2id{}

// The vectors of the argon2 reference implementation, version 0x13 (test.c of
// phc-winner-argon2). That of RFC 9106 needs a secret, which a PHC string has
// no place for.
func TestVectors(t *testing.T) {
	for _, tt := range []struct{ password, hash string }{
		{"password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
		{"password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"},
		{"password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"},
		{"password", "$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg"},
		{"password", "$argon2id$v=19$m=65536,t=4,p=1$c29tZXNhbHQ$kCXUjmjvc5XMqQedpMTsOv+zyJEf5PhtGiUghW9jFyw"},
		{"differentpassword", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94"},
		{"password", "$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw"},
	} {
		ok, rehash, err := password.Argon2id{}.Verify(t.Context(), tt.hash, tt.password)
		if !ok || !rehash || err != nil {
			t.Errorf("%s: %v %v %v", tt.hash, ok, rehash, err)
		}
	}
	const short = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	if ok, rehash, err := cheap.Verify(t.Context(), short, "Password"); ok || rehash || err != nil {
		t.Errorf("wrong password: %v %v %v", ok, rehash, err)
	}
}

func TestHash(t *testing.T) {
	for _, tt := range []struct {
		name   string
		hasher password.Argon2id
		prefix string
	}{
		{"zero", password.Argon2id{}, "$argon2id$v=19$m=19456,t=2,p=1$"},
		{"OWASP", password.OWASP(), "$argon2id$v=19$m=19456,t=2,p=1$"},
		{"RFC 9106", password.RFC9106(), "$argon2id$v=19$m=65536,t=3,p=4$"},
		{"cheap", cheap, "$argon2id$v=19$m=8,t=1,p=1$"},
		{"time only", password.Argon2id{Time: 1}, "$argon2id$v=19$m=19456,t=1,p=1$"},
		{"memory only", password.Argon2id{MemoryKiB: 8}, "$argon2id$v=19$m=8,t=2,p=1$"},
		{"threads only", password.Argon2id{Threads: 2}, "$argon2id$v=19$m=19456,t=2,p=2$"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hash, err := tt.hasher.Hash(t.Context(), "correct horse")
			if err != nil {
				t.Fatal(err)
			}
			for what, hash := range map[string]string{"Hash": hash, "Dummy": tt.hasher.Dummy()} {
				rest, ok := strings.CutPrefix(hash, tt.prefix)
				salt, tag, _ := strings.Cut(rest, "$")
				if !ok || len(salt) != 22 || len(tag) != 43 { // 16 and 32 bytes
					t.Errorf("%s made %s", what, hash)
				}
			}
			for pw, want := range map[string]bool{"correct horse": true, "correct horsf": false} {
				ok, rehash, err := tt.hasher.Verify(t.Context(), hash, pw)
				if ok != want || rehash || err != nil {
					t.Errorf("%q: %v %v %v", pw, ok, rehash, err)
				}
			}
		})
	}
}

func TestMemory(t *testing.T) {
	hash, err := cheap.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		hash string
		want int64
	}{
		{"", 19 << 20},
		{password.OWASP().Dummy(), 19 << 20},
		{password.RFC9106().Dummy(), 64 << 20},
		{password.Argon2id{MemoryKiB: 256 << 10}.Dummy(), 256 << 20},
		{password.Argon2id{MemoryKiB: 256<<10 + 1}.Dummy(), 0}, // Verify refuses it
		{hash, 19<<20 - 4<<10},                                 // what is left of the work when it does not match
		{"garbage", 0},
		{"$argon2id$v=19$m=4294967295,t=2,p=1$c2FsdHNhbHQ$dGFndGFndGFndGFndGFndA", 0},
	} {
		if got := (password.Argon2id{}).Memory(tt.hash); got != tt.want {
			t.Errorf("%q: %d, want %d", tt.hash, got, tt.want)
		}
	}
	if got := cheap.Memory(""); got != 8<<10 {
		t.Errorf("cheap: %d", got)
	}
}

func TestRehash(t *testing.T) {
	hash, err := cheap.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		hasher password.Argon2id
		hash   string
		rehash bool
	}{
		{"same", cheap, hash, false},
		{"more time", password.Argon2id{Time: 2, MemoryKiB: 8, Threads: 1}, hash, true},
		{"more memory", password.Argon2id{Time: 1, MemoryKiB: 16, Threads: 1}, hash, true},
		{"more threads", password.Argon2id{Time: 1, MemoryKiB: 16, Threads: 2}, hash, true},
		{"default", password.Argon2id{}, hash, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ok, rehash, err := tt.hasher.Verify(t.Context(), tt.hash, "correct horse")
			if !ok || rehash != tt.rehash || err != nil {
				t.Errorf("right: %v %v %v", ok, rehash, err)
			}
			ok, rehash, err = tt.hasher.Verify(t.Context(), tt.hash, "wrong horse")
			if ok || rehash || err != nil {
				t.Errorf("wrong: %v %v %v", ok, rehash, err)
			}
		})
	}
	// A salt of 8 bytes and a tag of 16, with the parameters of the receiver.
	tag := argon2.IDKey([]byte("password"), []byte("somesaltsomesalt"), 1, 8, 1, 16)
	short := "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$" + base64.RawStdEncoding.EncodeToString(tag)
	if ok, rehash, err := cheap.Verify(t.Context(), short, "password"); !ok || !rehash || err != nil {
		t.Errorf("short tag: %v %v %v", ok, rehash, err)
	}
	short = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	if ok, rehash, err := (password.Argon2id{MemoryKiB: 256}).Verify(t.Context(), short, "password"); !ok || !rehash || err != nil {
		t.Errorf("short salt: %v %v %v", ok, rehash, err)
	}
}

// Every byte of a password counts, up to the longest one.
func TestEveryByteCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		runes := rapid.SliceOfN(rapid.SampledFrom([]rune("ab \u00e9\u4e2d🐴")), 1, password.MaxRunes).Draw(t, "password")
		i := rapid.IntRange(0, len(runes)-1).Draw(t, "position")
		hash, err := cheap.Hash(context.Background(), string(runes))
		if err != nil {
			t.Fatal(err)
		}
		changed := slices.Clone(runes)
		changed[i] = 'x'
		for what, pw := range map[string]string{
			"changed":   string(changed),
			"removed":   string(slices.Delete(slices.Clone(runes), i, i+1)),
			"inserted":  string(slices.Insert(slices.Clone(runes), i, 'x')),
			"appended":  string(runes) + "x",
			"NUL added": string(runes) + "\x00",
			"doubled":   string(runes) + string(runes),
		} {
			if ok, _, err := cheap.Verify(context.Background(), hash, pw); ok || err != nil {
				t.Fatalf("%s at %d of %d: %v %v", what, i, len(runes), ok, err)
			}
		}
		if ok, _, err := cheap.Verify(context.Background(), hash, string(runes)); !ok || err != nil {
			t.Fatal(ok, err)
		}
	})
}

// From what is typed to the answer.
func TestPreparedPasswords(t *testing.T) {
	for _, tt := range []struct {
		name, set, typed string
		want             bool
	}{
		{"canonically equal", "caf\u00e9 au lait", "cafe\u0301 au lait", true},
		{"the other way round", "cafe\u0301 au lait", "caf\u00e9 au lait", true},
		{"other space", "correct horse", "correct\u00a0horse", true},
		{"ligature", "\ufb01ne feathers", "fine feathers", false},
		{"fullwidth", "\uff21bcdefgh", "Abcdefgh", false},
		{"superscript", "squared x\u00b2", "squared x2", false},
		{"case", "Correct horse", "correct horse", false},
		{"leading space", " correct horse", "correct horse", false},
		{"trailing space", "correct horse ", "correct horse", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set, err := password.Prepare(tt.set)
			if err != nil {
				t.Fatal(err)
			}
			typed, err := password.Prepare(tt.typed)
			if err != nil {
				t.Fatal(err)
			}
			hash, err := cheap.Hash(t.Context(), set)
			if err != nil {
				t.Fatal(err)
			}
			if ok, _, err := cheap.Verify(t.Context(), hash, typed); ok != tt.want || err != nil {
				t.Errorf("%v %v, want %v", ok, err, tt.want)
			}
		})
	}
}

func TestLimitsHoldWithoutPrepare(t *testing.T) {
	hash, err := cheap.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		pw     string
		reason password.Reason
	}{
		{"", password.ReasonEmpty},
		{strings.Repeat("x", password.MaxBytes), ""},
		{strings.Repeat("x", password.MaxBytes+1), password.ReasonTooLong},
		{strings.Repeat("x", 64<<20), password.ReasonTooLong},
	} {
		if _, err := cheap.Hash(t.Context(), tt.pw); reasonOf(t, err) != tt.reason {
			t.Errorf("Hash of %d bytes: %v", len(tt.pw), err)
		}
		if ok, rehash, err := cheap.Verify(t.Context(), hash, tt.pw); ok || rehash || err != nil {
			t.Errorf("Verify of %d bytes: %v %v %v", len(tt.pw), ok, rehash, err)
		}
	}
	// A hash of the empty password that another program made.
	tag := argon2.IDKey(nil, []byte("somesalt"), 1, 8, 1, 32)
	empty := "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" + base64.RawStdEncoding.EncodeToString(tag)
	if ok, _, err := cheap.Verify(t.Context(), empty, ""); ok || err != nil {
		t.Errorf("the empty password matched: %v %v", ok, err)
	}
}

func TestContext(t *testing.T) {
	hash := password.Argon2id{}.Dummy()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	start := time.Now()
	if hash, err := password.RFC9106().Hash(ctx, "correct horse"); hash != "" || !errors.Is(err, context.Canceled) {
		t.Errorf("Hash: %v", err)
	}
	if ok, rehash, err := password.RFC9106().Verify(ctx, hash, "correct horse"); ok || rehash || !errors.Is(err, context.Canceled) || errors.Is(err, password.ErrHash) {
		t.Errorf("Verify: %v %v %v", ok, rehash, err)
	}
	if took := time.Since(start); took > 50*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

func TestConcurrency(t *testing.T) {
	hasher := password.Argon2id{Time: 1, MemoryKiB: 64, Threads: 2}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			pw := fmt.Sprintf("password %d", i)
			for range 10 {
				hash, err := hasher.Hash(t.Context(), pw)
				if err != nil {
					t.Error(err)
				}
				if ok, rehash, err := hasher.Verify(t.Context(), hash, pw); !ok || rehash || err != nil {
					t.Error(ok, rehash, err)
				}
			}
		})
	}
	wg.Wait()
}
