package password_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"

	"github.com/go-roster/roster/password"
)

// Each of these alternates with the bare function of the standard library or
// x/crypto that it is made of, at the same cost, and reports how many times as
// long it takes (by the medians) as "x-bare". What is made of many digests is
// compared with as many digests of a block. A hash that does not match is paid
// for with an argon2id more, which is its own case.
func BenchmarkVerifyForeign(b *testing.B) {
	pw := []byte(plainWords)
	salt16 := make([]byte, 16)
	digests := func(n int, sum func([]byte)) func() {
		block := make([]byte, 100)
		return func() {
			for range n {
				sum(block)
			}
		}
	}
	md5s := func(n int) func() { return digests(n, func(b []byte) { md5.Sum(b) }) }
	sha256s := func(n int) func() { return digests(n, func(b []byte) { sha256.Sum256(b) }) }
	sha512s := func(n int) func() { return digests(n, func(b []byte) { sha512.Sum512(b) }) }
	bcrypts := func(cost int) func() {
		hash, err := bcrypt.GenerateFromPassword(pw, cost)
		if err != nil {
			b.Fatal(err)
		}
		return func() { _ = bcrypt.CompareHashAndPassword(hash, pw) }
	}
	scrypts := func(n, r, p int) func() {
		return func() { _, _ = scrypt.Key(pw, salt16, n, r, p, 64) }
	}
	for _, bm := range []struct {
		name, hash string
		bare       func()
	}{
		{"salted-sha512", "sha512$abcdefgh12345678$e180cb4c69e0bc87b2430c3f1c88b567ed728609e2d89c664413ca07b1a40f4a892f9cd1dc9669a713ee334965aca1ca9fa1701410ebb2053d45c6eadb84d5d9", sha512s(1)},
		{"salted-sha1", "sha1$evkDk4bcBBX6KW7Sikf4Ow$4f25cfe8162a6559a5788081f376e4102cad727a", func() { sha1.Sum(pw) }},
		{"pbkdf2-sha256", "{pbkdf2@SpringSecurity_v5_8}000102030405060708090a0b0c0d0e0f7bfa2eb2993820b0247a2bca98d96a1b24795fed8ee86507dc372eaa428a716f", func() {
			_, _ = pbkdf2.Key(sha256.New, plainWords, salt16, 310_000, 32)
		}},
		{"bcrypt", "$2b$06$abcdefghijklmnopqrstuuw1oUcbqlBRii/5ylE8CRE/KMqasSX3i", bcrypts(6)},
		{"wordpress", "$wp$2y$05$dU14mUaNG.ZPgMtyJoS29Oc5Axn.VthRN1fKXA/tMrh8s/JO8uZ1i", func() {
			mac := hmac.New(sha512.New384, []byte("wp-sha384"))
			mac.Write(pw)
			key := base64.StdEncoding.AppendEncode(nil, mac.Sum(nil))
			_, _ = bcrypt.GenerateFromPassword(key, 5)
		}},
		{"scrypt", "scrypt:1024:8:1$NaClSaltNaClSalt$1d73af2b502df76efdf0cc73e39cb0b2ab4b0f1e614f0c850ae4637a9007fab9d36d91d0c4f46cc07bc6583bec438326013e93726c5f236856efe83f5f6dae6f", scrypts(1024, 8, 1)},
		{"yescrypt", "$y$j9T$STHgrekfUUem4KeBwMWgR1$DPR7dKUKEfzqWRK2C8oEfPnLB0by.u84u0VIQgapFlC", scrypts(4096, 32, 1)}, // of the same size
		{"argon2i", "$argon2i$v=19$m=512,t=2,p=2$Rai1VkpJCcH4v9d6733PeQ$tozNcaGpBTuBE0KCvYDXVg", func() { argon2.Key(pw, salt16, 2, 512, 2, 16) }},
		{"argon2d", "$argon2d$v=19$m=64,t=2,p=3$c29tZXNhbHRzb21lc2FsdA$Riq1keQ255yEiD1Bd9Ang3AiV7MJPLR6AqdadJD3zbs", func() { argon2.IDKey(pw, salt16, 2, 64, 3, 32) }},
		{"phpass", "$P$BgmTG3Jc7A2oL2nn3PL9mBxXENwc311", md5s(1 << 13)},
		{"drupal", "$S$Dilv3tQOI6PNSD9LIlQulPkxVUfgd6AAb.VO.mnHTMn8X/aiKxBE", sha512s(1 << 15)},
		{"md5-crypt", "$1$8sHV/Zj6$.5qa8LbR5mTD8GnCyrN0F1", md5s(1000)},
		{"sha256-crypt", "$5$y6XMs4s7T4fluKd0$yxSIO6wPnlP4v7C40fteFKNNZKIhAgTDc4HnNIeYwiC", sha256s(5000)},
		{"sha512-crypt", "$6$qZMu1Jx4tCLgrQZS$J6wXcqcazHGk/eLCG6jl0RfklvuCPq3kA3tz1HvgEnrWpdJFqcrs.ykg9VwEG6S7JU7zWgUFNfzCUJzR8f7z01", sha512s(5000)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			h := password.Hasher{}
			versus(b, func() {
				if ok, _, err := h.Verify(b.Context(), bm.hash, plainWords); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}, bm.bare)
		})
	}
	b.Run("foreign mismatch", func(b *testing.B) {
		h := password.Hasher{}
		versus(b, func() {
			if ok, _, err := h.Verify(b.Context(), "plain$x", plainWords); ok || err != nil {
				b.Fatal(ok, err)
			}
		}, func() { argon2.IDKey(pw, salt16, 2, 19456, 1, 32) })
	})
	b.Run("wrapped", func(b *testing.B) {
		h := password.Hasher{}
		wrapped, err := h.Wrap(b.Context(), "plain$"+plainWords)
		if err != nil {
			b.Fatal(err)
		}
		versus(b, func() {
			if ok, _, err := h.Verify(b.Context(), wrapped, plainWords); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}, func() { argon2.IDKey(pw, salt16, 2, 19456, 1, 32) })
	})
}

// versus alternates the two and reports the ratio of the medians.
func versus(b *testing.B, do, bare func()) {
	var ours, theirs []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		do()
		ours = append(ours, time.Since(start))
		b.StopTimer()
		start = time.Now()
		bare()
		theirs = append(theirs, time.Since(start))
		b.StartTimer()
	}
	b.ReportMetric(float64(median(ours))/float64(median(theirs)), "x-bare")
}
