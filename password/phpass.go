package password

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strings"
)

// The bounds of the logarithm of the rounds: a few seconds.
const maxPhpassMD5, maxPhpassSHA512 = 24, 22

// portable reads the hash of phpass: a digit for the logarithm of the rounds,
// eight characters of salt, and the tag, of which some systems keep a part.
func portable(format, s, rest string, newHash func() hash.Hash, most, digits int) (foreign, bool) {
	if len(rest) != 9+digits || !oneOf(cryptAlphabet, rest[:1]+rest[9:]) {
		return foreign{}, false
	}
	log2 := strings.IndexByte(cryptAlphabet, rest[0])
	salt, text := []byte(rest[1:9]), rest[9:]
	return foreign{
		format: format, setting: zeroed(s, text, '.'), tag: []byte(text), memory: small,
		derive: func(_ *Hasher, password []byte) ([]byte, error) {
			h := newHash()
			state := sum(newHash, salt, password)
			for range 1 << log2 {
				h.Reset()
				h.Write(state)
				h.Write(password)
				state = h.Sum(state[:0])
			}
			return crypt64(state)[:digits], nil
		},
	}, log2 >= 7 && log2 <= most
}

// readPhpass reads $P$ of WordPress and $H$ of phpBB: MD5.
func readPhpass(s, rest string) (foreign, bool) {
	return portable("phpass", s, rest, md5.New, maxPhpassMD5, 22)
}

// readDrupal reads $S$ of Drupal 7: SHA-512, of which it keeps 43 digits.
func readDrupal(s, rest string) (foreign, bool) {
	return portable("drupal", s, rest, sha512.New, maxPhpassSHA512, 43)
}

// readDrupalUpgraded reads U and one of the above, over the MD5 that Drupal 6
// had stored.
func readDrupalUpgraded(s, _ string) (f foreign, ok bool) {
	switch inner := s[1:]; {
	case strings.HasPrefix(inner, "$S$"):
		f, ok = readDrupal(inner, inner[3:])
	case strings.HasPrefix(inner, "$P$"), strings.HasPrefix(inner, "$H$"):
		f, ok = readPhpass(inner, inner[3:])
	}
	if !ok {
		return f, false
	}
	derive := f.derive
	f.format, f.setting = "drupal-upgraded", "U"+f.setting
	f.derive = func(h *Hasher, password []byte) ([]byte, error) { return derive(h, hexSum(md5.New, password)) }
	return f, true
}

// readWordPress reads $wp and a bcrypt hash, which WordPress makes since 6.8
// of the base64 of HMAC-SHA-384 keyed with "wp-sha384" (wp_check_password).
func readWordPress(s, rest string) (foreign, bool) {
	return bcryptOf("wordpress", s, rest, func(_ *Hasher, password []byte) ([]byte, error) {
		mac := hmac.New(sha512.New384, []byte("wp-sha384"))
		mac.Write(password)
		return base64.StdEncoding.AppendEncode(nil, mac.Sum(nil)), nil
	})
}

// fromPHP marks the bare MD5 that is older than phpass.
func fromPHP(value string) string {
	if _, err := hex.DecodeString(value); err == nil && len(value) == 32 {
		return "md5$$" + value
	}
	return value
}

// crypt64 writes bytes in the digits of crypt(3), the lowest six bits of each
// three bytes first.
func crypt64(b []byte) []byte {
	var out []byte
	for len(b) > 0 {
		n := min(3, len(b))
		var w uint32
		for i, c := range b[:n] {
			w |= uint32(c) << (8 * i)
		}
		for range (n*8 + 5) / 6 {
			out = append(out, cryptAlphabet[w&63])
			w >>= 6
		}
		b = b[n:]
	}
	return out
}

// uncrypt64 is the inverse of crypt64 for at most so many bytes.
func uncrypt64(s string, most int) ([]byte, bool) {
	var out []byte
	for i := 0; i < len(s); i += 4 {
		part := s[i:min(i+4, len(s))]
		var w uint32
		for j := range len(part) {
			digit := strings.IndexByte(cryptAlphabet, part[j])
			if digit < 0 {
				return nil, false
			}
			w |= uint32(digit) << (6 * j)
		}
		for range len(part) * 6 / 8 {
			out = append(out, byte(w))
			w >>= 8
		}
		if w != 0 || len(part) == 1 {
			return nil, false
		}
	}
	return out, len(out) <= most
}
