package password_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/go-roster/roster/password"
)

// What a program that takes any hasher asks for.
var _ interface {
	Hash(ctx context.Context, password string) (string, error)
	Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error)
	Dummy() string
	Memory(hash string) int64
	Format(hash string) (string, error)
	Wrap(ctx context.Context, hash string) (string, error)
} = password.Hasher{}

// pepper is a key that counts up from its first byte.
func pepper(id string, first byte) password.Pepper {
	key := make([]byte, 32)
	for i := range key {
		key[i] = first + byte(i)
	}
	return password.Pepper{ID: id, Key: password.NewKey(key)}
}

func peppered(peppers ...password.Pepper) password.Hasher {
	return password.Hasher{Cost: cheap, Peppers: peppers}
}

func verifies(t *testing.T, h password.Hasher, hash, pw string, wantOK, wantRehash bool) {
	t.Helper()
	if ok, rehash, err := h.Verify(t.Context(), hash, pw); ok != wantOK || rehash != wantRehash || err != nil {
		t.Errorf("Verify of %s: %v %v %v, want %v %v", hash, ok, rehash, err, wantOK, wantRehash)
	}
}

func must(t testing.TB, s string, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHasher(t *testing.T) {
	const right = "correct horse"
	plain, a, b := peppered(), peppered(pepper("a", 1)), peppered(pepper("b", 2), pepper("a", 1))
	of := func(h password.Hasher) string {
		hash, err := h.Hash(t.Context(), right)
		return must(t, hash, err)
	}
	for _, tt := range []struct {
		name   string
		hasher password.Hasher
		hash   string
		prefix string
		format string
		rehash bool
	}{
		{"no pepper", plain, of(plain), "$argon2id$v=19$m=8,t=1,p=1$", "argon2id", false},
		{"pepper", a, of(a), "$pepper$a$argon2id$v=19$m=8,t=1,p=1$", "argon2id+pepper:a", false},
		{"pepper comes", a, of(plain), "$argon2id$", "argon2id", true},
		{"pepper rotates", b, of(a), "$pepper$a$", "argon2id+pepper:a", true},
		{"pepper rotated", b, of(b), "$pepper$b$", "argon2id+pepper:b", false},
		{"another cost", password.Hasher{Cost: password.Argon2id{Time: 2, MemoryKiB: 8}}, of(plain), "$argon2id$", "argon2id", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.HasPrefix(tt.hash, tt.prefix) {
				t.Errorf("Hash made %s", tt.hash)
			}
			if format, err := tt.hasher.Format(tt.hash); format != tt.format || err != nil {
				t.Errorf("Format: %s, %v", format, err)
			}
			if got, want := tt.hasher.Memory(tt.hash), int64(8<<10); got != want {
				t.Errorf("Memory: %d", got)
			}
			verifies(t, tt.hasher, tt.hash, right, true, tt.rehash)
			for _, wrong := range []string{"correct horsf", "", right + "\x00", strings.Repeat("x", password.MaxBytes+1)} {
				verifies(t, tt.hasher, tt.hash, wrong, false, false)
			}
			verifies(t, tt.hasher, tt.hasher.Dummy(), right, false, false)
		})
	}
}

// Without its pepper a hash is neither right nor wrong, whoever asks.
func TestLostKey(t *testing.T) {
	a := peppered(pepper("a", 1))
	hash, err := a.Hash(t.Context(), "correct horse")
	must(t, hash, err)
	imported, err := password.Import(password.EjudgeSHA1, strings.Repeat("0", 40))
	must(t, imported, err)
	wrapped, err := a.Wrap(t.Context(), imported)
	must(t, wrapped, err)
	devise, err := password.Import(password.DevisePeppered, "$2a$05$5vGrZc/KQkwXjQFgObV.tejk9zEOoOt9WwIP6brIdf5RQ28ccrQii")
	must(t, devise, err)
	firebase, err := password.ImportFirebase(firebaseVectors[0].salt, firebaseVectors[0].hash)
	must(t, firebase, err)
	for _, hash := range []string{hash, wrapped, devise, firebase} {
		for _, h := range []password.Hasher{peppered(), peppered(pepper("b", 1))} {
			for _, pw := range []string{"correct horse", "wrong", ""} {
				ok, rehash, err := h.Verify(t.Context(), hash, pw)
				if ok || rehash || !errors.Is(err, password.ErrKey) || errors.Is(err, password.ErrHash) {
					t.Errorf("Verify of %s: %v %v %v", hash, ok, rehash, err)
				}
			}
			if _, err := h.Format(hash); err != nil {
				t.Errorf("Format of %s: %v", hash, err)
			}
		}
	}
	// The right ID with another key is a wrong password: nothing can tell.
	verifies(t, peppered(pepper("a", 9)), hash, "correct horse", false, false)
}

func TestWrap(t *testing.T) {
	const value, right = "2d9b7a3cf465b0dbe74d992a8ae1443496c733b7", "Secret1"
	imported, err := password.Import(password.EjudgeSHA1, value)
	must(t, imported, err)
	wrap := func(h password.Hasher, hash string) string {
		wrapped, err := h.Wrap(t.Context(), hash)
		return must(t, wrapped, err)
	}
	plain, a := peppered(), peppered(pepper("a", 1))
	both := peppered(pepper("b", 7), pepper("a", 1))
	wrapped := wrap(plain, imported)
	if strings.Contains(wrapped, value) || wrap(plain, wrapped) != wrapped || wrap(plain, imported) == wrapped {
		t.Errorf("Wrap made %s", wrapped)
	}
	verifies(t, plain, wrapped, right, true, true)
	verifies(t, plain, wrapped, "secret1", false, false)

	// A pepper comes onto what has none, and nothing else happens to it.
	own, err := plain.Hash(t.Context(), right)
	must(t, own, err)
	for _, hash := range []string{own, wrapped, imported} {
		sealed := wrap(a, hash)
		if !strings.Contains(sealed, "$pepper$a$argon2id$") || wrap(a, sealed) != sealed || wrap(both, sealed) != sealed {
			t.Errorf("Wrap of %s made %s", hash, sealed)
		}
		verifies(t, a, sealed, right, true, hash != own)
		verifies(t, both, sealed, right, true, true)
		verifies(t, a, sealed, "wrong", false, false)
	}
	if got := wrap(plain, own); got != own {
		t.Errorf("Wrap of %s made %s", own, got)
	}
	for _, hash := range []string{"", "x", value, wrapped + "x"} {
		if got, err := plain.Wrap(t.Context(), hash); got != "" || !errors.Is(err, password.ErrHash) {
			t.Errorf("Wrap of %q: %q, %v", hash, got, err)
		}
	}
}

func TestHasherValidate(t *testing.T) {
	key := func(b ...byte) password.Key { return password.NewKey(bytes.Repeat(b, 32/len(b))) }
	good := key(1, 2, 3, 4)
	for _, tt := range []struct {
		name   string
		hasher password.Hasher
		want   string // in the text; empty for a good one
	}{
		{"zero", password.Hasher{}, ""},
		{"pepper", peppered(password.Pepper{ID: "2026-01_a.b", Key: good}), ""},
		{"cost", password.Hasher{Cost: password.Argon2id{Time: 17}}, "Time"},
		{"no key", peppered(password.Pepper{ID: "a"}), "fewer than 32 bytes"},
		{"short key", peppered(password.Pepper{ID: "a", Key: password.NewKey(make([]byte, 31))}), "fewer than 32 bytes"},
		{"zero key", peppered(password.Pepper{ID: "a", Key: key(0)}), "one byte"},
		{"key of one byte", peppered(password.Pepper{ID: "a", Key: key('x')}), "one byte"},
		{"no ID", peppered(password.Pepper{Key: good}), "ID"},
		{"ID with a dollar", peppered(password.Pepper{ID: "a$b", Key: good}), "ID"},
		{"ID with a slash", peppered(password.Pepper{ID: "a/b", Key: good}), "ID"},
		{"long ID", peppered(password.Pepper{ID: strings.Repeat("a", 33), Key: good}), "ID"},
		{"ID twice", peppered(pepper("a", 1), pepper("a", 2)), "another one"},
		{"many", peppered(make([]password.Pepper, 17)...), "more than 16"},
		{"Firebase rounds", password.Hasher{Firebase: password.Firebase{Rounds: 9}}, "Firebase"},
		{"Firebase memory", password.Hasher{Firebase: password.Firebase{MemCost: 30}}, "Firebase"},
		{"Firebase signer", password.Hasher{Firebase: password.Firebase{SignerKey: password.NewKey([]byte("short"))}}, "Firebase"},
		{"Firebase separator", password.Hasher{Firebase: password.Firebase{SaltSeparator: make([]byte, 129)}}, "Firebase"},
	} {
		err := tt.hasher.Validate()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err == nil {
			continue
		}
		if _, got := tt.hasher.Hash(t.Context(), "x"); got == nil {
			t.Errorf("%s: Hash works", tt.name)
		}
		if ok, _, got := tt.hasher.Verify(t.Context(), cheap.Dummy(), "x"); ok || got == nil {
			t.Errorf("%s: Verify works", tt.name)
		}
		if _, got := tt.hasher.Wrap(t.Context(), cheap.Dummy()); got == nil {
			t.Errorf("%s: Wrap works", tt.name)
		}
	}
}

func TestHasherContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := peppered()
	_, err1 := h.Hash(ctx, "x")
	_, _, err2 := h.Verify(ctx, h.Dummy(), "x")
	_, err3 := h.Wrap(ctx, "plain$x")
	for _, err := range []error{err1, err2, err3} {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// However a Hasher or a key is shown, none of its bytes are.
func TestKeysDoNotPrint(t *testing.T) {
	const secret = "canary-canary-canary-canary-canary"
	key := password.NewKey([]byte(secret))
	h := password.Hasher{
		Peppers: []password.Pepper{{ID: "a", Key: key}}, DevisePepper: key, Firebase: password.Firebase{SignerKey: key},
	}
	var shown []string
	for _, v := range []any{h, &h, key, &key, h.Peppers, h.Firebase} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
			shown = append(shown, fmt.Sprintf(verb, v))
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		shown = append(shown, string(text), log.String())
	}
	for _, text := range shown {
		for _, part := range []string{"canary", fmt.Sprintf("%x", "canary"), fmt.Sprint([]byte("canary"))[1:20], "Y2FuYXJ5"} {
			if strings.Contains(text, part) {
				t.Errorf("shown: %s", text)
			}
		}
	}
	b := []byte(secret)
	copied := password.NewKey(b)
	clear(b)
	hash, err := peppered(password.Pepper{ID: "a", Key: key}).Hash(t.Context(), "x")
	verifies(t, peppered(password.Pepper{ID: "a", Key: copied}), must(t, hash, err), "x", true, false)
}

// A changed, added or removed rune is a wrong password, whatever the format.
// White space is not among them: ejudge takes it out.
func TestEveryRuneCounts(t *testing.T) {
	h := reader(t)
	var all []vector
	for _, v := range stored(t) {
		if quick(h, v.column) {
			all = append(all, v)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SampledFrom(all).Draw(t, "vector")
		runes := []rune(v.password)
		i := rapid.IntRange(0, len(runes)-1).Draw(t, "position")
		other := rapid.SampledFrom([]rune("xX1é中ß\u00df🐴~")).Filter(func(r rune) bool { return r != runes[i] }).Draw(t, "rune")
		changed := slices.Clone(runes)
		changed[i] = other
		wrong := map[string]string{
			"changed":  string(changed),
			"inserted": string(slices.Insert(slices.Clone(runes), i, other)),
			"appended": v.password + string(other),
		}
		if runes[i] != ' ' {
			wrong["removed"] = string(slices.Delete(slices.Clone(runes), i, i+1))
		}
		for what, pw := range wrong {
			if ok, _, err := h.Verify(context.Background(), v.column, pw); ok && pw != v.password || err != nil {
				t.Fatalf("%s: %q for %q: %v %v", v.column, pw, v.password, what, err)
			}
		}
	})
}

// bcrypt looks at 72 bytes, so nothing longer matches, also under a pepper that
// it does not see any more.
func TestBcryptOver72(t *testing.T) {
	h := reader(t)
	for _, v := range stored(t) {
		if len(v.password) != 72 {
			continue
		}
		verifies(t, h, v.column, v.password, true, true)
		wrapped, err := h.Wrap(t.Context(), v.column)
		must(t, wrapped, err)
		verifies(t, h, wrapped, v.password, true, true)
		for _, hash := range []string{v.column, wrapped} {
			verifies(t, h, hash, v.password+"x", false, false)
			verifies(t, h, hash, v.password+devisePepper, false, false)
			verifies(t, h, hash, v.password[:71], false, false)
		}
	}
}
