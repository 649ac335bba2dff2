package password

import (
	"encoding/base64"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// scryptCost are the parameters of scrypt, RFC 7914.
type scryptCost struct{ log2N, r, p int }

// ok reports whether scrypt takes at most 256 MiB, and goes over at most a
// gigabyte.
func (c scryptCost) ok() bool {
	if c.log2N < 1 || c.log2N > 30 || c.r < 1 || c.r > 1<<10 || c.p < 1 || c.p > 1<<10 {
		return false
	}
	memory := int64(128) << c.log2N * int64(c.r)
	return memory <= maxMemory && memory*int64(c.p) <= 4*maxMemory
}

func (c scryptCost) memory() int64 { return int64(128)<<c.log2N*int64(c.r) + int64(256*c.r*c.p) }

func (c scryptCost) key(password, salt []byte, n int) ([]byte, error) {
	return scrypt.Key(password, salt, 1<<c.log2N, c.r, c.p, n)
}

func scryptHash(format, setting string, cost scryptCost, salt, tag []byte) (foreign, bool) {
	ok := cost.ok() && len(salt) >= 1 && len(salt) <= maxForSalt && len(tag) >= minForTag && len(tag) <= maxForTag
	return foreign{
		format: format, setting: setting, tag: tag, memory: cost.memory(),
		derive: func(_ *Hasher, password []byte) ([]byte, error) { return cost.key(password, salt, len(tag)) },
	}, ok
}

// readScrypt reads $scrypt$ln=16,r=8,p=1$salt$tag, PHC and passlib.
func readScrypt(s, rest string) (foreign, bool) {
	parts := strings.Split(rest, "$")
	if len(parts) != 3 {
		return foreign{}, false
	}
	params := strings.Split(parts[0], ",")
	if len(params) != 3 {
		return foreign{}, false
	}
	var cost scryptCost
	for i, field := range []struct {
		key string
		to  *int
	}{{"ln=", &cost.log2N}, {"r=", &cost.r}, {"p=", &cost.p}} {
		text, named := strings.CutPrefix(params[i], field.key)
		n, ok := number(text, 1, 1<<30)
		if !named || !ok {
			return foreign{}, false
		}
		*field.to = n
	}
	salt, ok := unbase64(base64.RawStdEncoding, parts[1], 1, maxForSalt)
	tag, ok2 := unbase64(base64.RawStdEncoding, parts[2], minForTag, maxForTag)
	if !ok || !ok2 {
		return foreign{}, false
	}
	return scryptHash("scrypt", zeroed(s, parts[2], 'A'), cost, salt, tag)
}

// powerOfTwo reads a number that is one, and returns its exponent.
func powerOfTwo(s string) (exponent int, ok bool) {
	n, ok := number(s, 2, 1<<30)
	for n > 1 && n&1 == 0 {
		n >>= 1
		exponent++
	}
	return exponent, ok && n == 1
}

// readScryptCrypt reads $7$ of crypt(3): one digit for log2 N, five each for r
// and p, the salt as text, and the tag of 32 bytes.
func readScryptCrypt(s, rest string) (foreign, bool) {
	settings, text, ok := strings.Cut(rest, "$")
	if !ok || len(settings) < 12 || !oneOf(cryptAlphabet, settings[:11]) || !oneOf(cryptAlphabet, text) {
		return foreign{}, false
	}
	digits := func(s string) (n int) {
		for i := range len(s) {
			n |= strings.IndexByte(cryptAlphabet, s[i]) << (6 * i)
		}
		return n
	}
	cost := scryptCost{digits(settings[:1]), digits(settings[1:6]), digits(settings[6:11])}
	tag, ok := uncrypt64(text, 32)
	if !ok {
		return foreign{}, false
	}
	return scryptHash("scrypt-crypt", zeroed(s, text, '.'), cost, []byte(settings[11:]), tag)
}
