package password

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const (
	salt16 = "AAECAwQFBgcICQoLDA0ODw"                      // 16 bytes
	tag32  = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" // 32 bytes
	good   = "$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + tag32
)

func TestParse(t *testing.T) {
	got, err := parsePHC(good)
	if err != nil {
		t.Fatal(err)
	}
	want := phc{cost: OWASP(), salt: count(16), tag: count(32)}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(phc{})); diff != "" {
		t.Error(diff)
	}
	if got.encode() != good {
		t.Errorf("printed as %s", got.encode())
	}
}

// A hash at every bound is accepted, and one step beyond it refused.
func TestParseBounds(t *testing.T) {
	for _, tt := range []struct {
		name string
		h    phc
		ok   bool
	}{
		{"t=0", phc{Argon2id{0, 64, 1}, count(16), count(32)}, false},
		{"t=1", phc{Argon2id{1, 64, 1}, count(16), count(32)}, true},
		{"t=16", phc{Argon2id{16, 64, 1}, count(16), count(32)}, true},
		{"t=17", phc{Argon2id{17, 64, 1}, count(16), count(32)}, false},
		{"t=2^32-1", phc{Argon2id{1<<32 - 1, 64, 1}, count(16), count(32)}, false},
		{"p=0", phc{Argon2id{1, 64, 0}, count(16), count(32)}, false},
		{"p=16", phc{Argon2id{1, 128, 16}, count(16), count(32)}, true},
		{"p=17", phc{Argon2id{1, 256, 17}, count(16), count(32)}, false},
		{"p=255", phc{Argon2id{1, 1 << 14, 255}, count(16), count(32)}, false},
		{"m=0", phc{Argon2id{1, 0, 1}, count(16), count(32)}, false},
		{"m=7", phc{Argon2id{1, 7, 1}, count(16), count(32)}, false},
		{"m=8", phc{Argon2id{1, 8, 1}, count(16), count(32)}, true},
		{"m=8p-1", phc{Argon2id{1, 31, 4}, count(16), count(32)}, false},
		{"m=8p", phc{Argon2id{1, 32, 4}, count(16), count(32)}, true},
		{"m=256 MiB", phc{Argon2id{1, 1 << 18, 1}, count(16), count(32)}, true},
		{"m=256 MiB+1", phc{Argon2id{1, 1<<18 + 1, 1}, count(16), count(32)}, false},
		{"m=2^32-1", phc{Argon2id{1, 1<<32 - 1, 1}, count(16), count(32)}, false},
		{"salt 0", phc{Argon2id{1, 8, 1}, nil, count(32)}, false},
		{"salt 7", phc{Argon2id{1, 8, 1}, count(7), count(32)}, false},
		{"salt 8", phc{Argon2id{1, 8, 1}, count(8), count(32)}, true},
		{"salt 64", phc{Argon2id{1, 8, 1}, count(64), count(32)}, true},
		{"salt 65", phc{Argon2id{1, 8, 1}, count(65), count(32)}, false},
		{"tag 0", phc{Argon2id{1, 8, 1}, count(16), nil}, false},
		{"tag 15", phc{Argon2id{1, 8, 1}, count(16), count(15)}, false},
		{"tag 16", phc{Argon2id{1, 8, 1}, count(16), count(16)}, true},
		{"tag 64", phc{Argon2id{1, 8, 1}, count(16), count(64)}, true},
		{"tag 65", phc{Argon2id{1, 8, 1}, count(16), count(65)}, false},
		{"all at most", phc{Argon2id{16, 1 << 18, 16}, count(64), count(64)}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parsePHC(tt.h.encode()); (err == nil) != tt.ok {
				t.Errorf("%v", err)
			}
		})
	}
}

// bad lists strings that are no hash, each one mistake away from a good one.
var bad = map[string]string{
	"empty":                       "",
	"a password":                  "correct horse battery",
	"marker":                      "!",
	"star":                        "*",
	"dollars":                     "$$$$$",
	"prefix only":                 "$argon2id$v=19$",
	"no leading dollar":           good[1:],
	"leading space":               " " + good,
	"trailing newline":            good + "\n",
	"trailing NUL":                good + "\x00",
	"trailing dollar":             good + "$",
	"upper case":                  strings.Replace(good, "argon2id", "ARGON2ID", 1),
	"argon2i":                     strings.Replace(good, "argon2id", "argon2i", 1),
	"argon2d":                     strings.Replace(good, "argon2id", "argon2d", 1),
	"bcrypt":                      "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
	"no version":                  strings.Replace(good, "v=19$", "", 1),
	"version 16":                  strings.Replace(good, "v=19", "v=16", 1),
	"version 19 with zero":        strings.Replace(good, "v=19", "v=019", 1),
	"version twice":               strings.Replace(good, "v=19$", "v=19$v=19$", 1),
	"no parameters":               strings.Replace(good, "m=19456,t=2,p=1", "", 1),
	"m missing":                   strings.Replace(good, "m=19456,", "", 1),
	"t missing":                   strings.Replace(good, "t=2,", "", 1),
	"p missing":                   strings.Replace(good, ",p=1", "", 1),
	"m twice":                     strings.Replace(good, "m=19456", "m=19456,m=19456", 1),
	"p twice":                     strings.Replace(good, "p=1", "p=1,p=1", 1),
	"order t m p":                 strings.Replace(good, "m=19456,t=2", "t=2,m=19456", 1),
	"order m p t":                 strings.Replace(good, "t=2,p=1", "p=1,t=2", 1),
	"keyid":                       strings.Replace(good, "p=1", "p=1,keyid=AA", 1),
	"data":                        strings.Replace(good, "p=1", "p=1,data=AA", 1),
	"trailing comma":              strings.Replace(good, "p=1", "p=1,", 1),
	"leading comma":               strings.Replace(good, "m=", ",m=", 1),
	"space in parameters":         strings.Replace(good, ",t", ", t", 1),
	"m empty":                     strings.Replace(good, "m=19456", "m=", 1),
	"m negative":                  strings.Replace(good, "m=19456", "m=-1", 1),
	"m signed":                    strings.Replace(good, "m=19456", "m=+19456", 1),
	"m hex":                       strings.Replace(good, "m=19456", "m=0x4c00", 1),
	"m with underscore":           strings.Replace(good, "m=19456", "m=19_456", 1),
	"m with exponent":             strings.Replace(good, "m=19456", "m=2e4", 1),
	"m leading zero":              strings.Replace(good, "m=19456", "m=019456", 1),
	"m in other digits":           strings.Replace(good, "m=19456", "m=１９４５６", 1),
	"m over 32 bits":              strings.Replace(good, "m=19456", "m=4294986752", 1), // 19456 modulo 2^32
	"m over 64 bits":              strings.Replace(good, "m=19456", "m=18446744073709571072", 1),
	"m=2^32-1":                    strings.Replace(good, "m=19456", "m=4294967295", 1),
	"t=0":                         strings.Replace(good, "t=2", "t=0", 1),
	"t=007":                       strings.Replace(good, "t=2", "t=007", 1),
	"t=-1":                        strings.Replace(good, "t=2", "t=-1", 1),
	"t=4294967295":                strings.Replace(good, "t=2", "t=4294967295", 1),
	"p=0":                         strings.Replace(good, "p=1", "p=0", 1),
	"p=01":                        strings.Replace(good, "p=1", "p=01", 1),
	"p over 8 bits":               strings.Replace(good, "p=1", "p=257", 1),
	"p over the lanes of m":       strings.Replace(good, "m=19456,t=2,p=1", "m=64,t=2,p=9", 1),
	"dollar missing":              strings.Replace(good, "$"+tag32, tag32, 1),
	"tag missing":                 strings.Replace(good, "$"+tag32, "", 1),
	"tag empty":                   strings.Replace(good, tag32, "", 1),
	"salt empty":                  strings.Replace(good, salt16, "", 1),
	"two salts":                   strings.Replace(good, salt16, salt16+"$"+salt16, 1),
	"padded salt":                 strings.Replace(good, salt16, salt16+"==", 1),
	"padded tag":                  good + "=",
	"salt with trailing bits":     strings.Replace(good, salt16, salt16[:21]+"x", 1),
	"tag with trailing bits":      good[:len(good)-1] + "9",
	"salt with newline":           strings.Replace(good, salt16, salt16[:8]+"\n"+salt16[8:], 1),
	"tag with carriage return":    strings.Replace(good, tag32, tag32[:8]+"\r"+tag32[8:], 1),
	"salt of URL base64":          strings.Replace(good, salt16, "-_ECAwQFBgcICQoLDA0ODw", 1),
	"salt of impossible length":   strings.Replace(good, salt16, salt16+"AAA", 1),
	"salt with NUL":               strings.Replace(good, salt16, "\x00"+salt16[1:], 1),
	"salt not base64":             strings.Replace(good, salt16, "this is not base 64 .", 1),
	"not UTF-8":                   strings.Replace(good, salt16, "\xff"+salt16[1:], 1),
	"257 bytes":                   good + strings.Repeat("A", 257-len(good)),
	"1 MiB":                       good + strings.Repeat("A", 1<<20),
	"64 MiB of digits":            "$argon2id$v=19$m=" + strings.Repeat("1", 64<<20) + ",t=2,p=1$" + salt16 + "$" + tag32,
	"256 bytes of leading zeroes": "$argon2id$v=19$m=" + strings.Repeat("0", 130) + "19456,t=2,p=1$" + salt16 + "$" + tag32,
}

func TestParseBad(t *testing.T) {
	for name, s := range bad {
		t.Run(name, func(t *testing.T) {
			if s == good {
				t.Fatal("the mistake is missing")
			}
			got, err := parsePHC(s)
			if !errors.Is(err, ErrHash) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(phc{}, got, cmp.AllowUnexported(phc{})); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(err.Error(), tag32[:6]) || strings.Contains(err.Error(), "$") {
				t.Errorf("%v shows the hash", err)
			}
			// Nor does anything sign in with it, not even itself.
			for _, pw := range []string{"", " ", "password", s} {
				ok, rehash, err := Argon2id{}.Verify(t.Context(), s, pw)
				if ok || rehash || !errors.Is(err, ErrHash) {
					t.Errorf("Verify: %v %v %v", ok, rehash, err)
				}
			}
		})
	}
}

// Neither the length nor the numbers of a string make refusing it expensive.
func TestParseBadIsCheap(t *testing.T) {
	for name, s := range bad {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = parsePHC(s)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<10 {
			t.Errorf("%s: %d bytes", name, n)
		}
	}
}

func TestPrintParse(t *testing.T) {
	bytes := func(least, most int) *rapid.Generator[[]byte] { return rapid.SliceOfN(rapid.Byte(), least, most) }
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.Uint8Range(1, maxThreads).Draw(t, "p")
		want := phc{
			cost: Argon2id{
				Time:      rapid.Uint32Range(1, maxTime).Draw(t, "t"),
				MemoryKiB: rapid.Uint32Range(8*uint32(p), maxMemoryKiB).Draw(t, "m"),
				Threads:   p,
			},
			salt: bytes(minSalt, maxSalt).Draw(t, "salt"),
			tag:  bytes(minTag, maxTag).Draw(t, "tag"),
		}
		got, err := parsePHC(want.encode())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(phc{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	for _, s := range bad {
		if len(s) <= 2*maxPHC {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parsePHC(s)
		if err != nil {
			if !errors.Is(err, ErrHash) {
				t.Fatal(err)
			}
			return
		}
		if got := h.encode(); got != s {
			t.Fatalf("%q was printed as %q", s, got)
		}
		if err := h.cost.check(); err != nil {
			t.Fatal(err)
		}
		if len(h.salt) < minSalt || len(h.salt) > maxSalt || len(h.tag) < minTag || len(h.tag) > maxTag {
			t.Fatalf("salt of %d bytes, tag of %d", len(h.salt), len(h.tag))
		}
	})
}

// count returns the bytes 0, 1, 2 and so on.
func count(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}
