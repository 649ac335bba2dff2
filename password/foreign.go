package password

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"strings"
)

// The bounds of what other systems have stored: the work of one hash stays near
// that of the dearest argon2id, which is a few seconds.
const (
	maxStored = 1024       // bytes of a stored string
	maxWork   = 10_000_000 // rounds of a digest, those of every block of PBKDF2 counted
	maxMemory = maxMemoryKiB << 10

	maxForSalt           = 128 // bytes
	minForTag, maxForTag = 16, 256

	small = 4 << 10 // bytes that a hash takes which takes next to none
)

// foreign is a hash of another system in parts. Whatever it costs has been
// checked: derive may be called.
type foreign struct {
	format  string // what Format calls it
	setting string // the stored string with a tag of zeros
	tag     []byte // what derive gives for the right password
	memory  int64  // bytes that derive takes

	// derive computes the tag. It gives nil, after the work, for a password that
	// the system could not have told from another one, and an error that is
	// ErrKey if a key is needed and not there.
	derive func(h *Hasher, password []byte) ([]byte, error)

	// spell gives another form in which the system may have hashed a password.
	// Nil means none.
	spell func(password string) string
}

// match compares a password. It does the work also if none can match.
func (f foreign) match(h *Hasher, password string, possible bool, same func(tag []byte) bool) (bool, error) {
	forms := []string{password}
	if f.spell != nil {
		forms = append(forms, f.spell(password))
	}
	ok := false
	for _, form := range slices.Compact(forms) {
		tag, err := f.derive(h, []byte(form))
		if err != nil {
			return false, err
		}
		ok = same(tag) && tag != nil && form != "" && possible || ok
	}
	return ok, nil
}

func (f foreign) same(tag []byte) bool { return subtle.ConstantTimeCompare(tag, f.tag) == 1 }

// readers know each stored string of another system by how it begins.
var readers = []struct {
	prefix string
	read   func(s, rest string) (foreign, bool)
}{
	{"$argon2", readArgon2},
	{"$2a$", readBcrypt},
	{"$2b$", readBcrypt},
	{"$2x$", readBcrypt},
	{"$2y$", readBcrypt},
	{"$bcrypt-sha256$", readPasslibBcrypt},
	{"$devise", readDevise},
	{"$wp", readWordPress},
	{"$pbkdf2", readPBKDF2},
	{"$scrypt$", readScrypt},
	{"$7$", readScryptCrypt},
	{"$y$", readYescrypt},
	{"$1$", readMD5Crypt},
	{"$apr1$", readMD5Crypt},
	{"$5$", readSHACrypt},
	{"$6$", readSHACrypt},
	{"$P$", readPhpass},
	{"$H$", readPhpass},
	{"$S$", readDrupal},
	{"U$", readDrupalUpgraded},
	{"$aspnet$", readASPNET},
	{"$firebase$", readFirebase},
	{"$ejudge-", readEjudge},
	{"$werkzeug$", readWerkzeugHMAC},
	{"pbkdf2:", readWerkzeugPBKDF2},
	{"scrypt:", readWerkzeugScrypt},
	{":", readMediaWiki},
	{"pbkdf2_", readDjangoPBKDF2},
	{"argon2$", readDjangoArgon2},
	{"bcrypt$", readDjangoBcrypt},
	{"bcrypt_sha256$", readDjangoBcryptSHA256},
	{"scrypt$", readDjangoScrypt},
	{"plain$", readPlain},
	{"md5$", readSalted},
	{"sha1$", readSalted},
	{"sha224$", readSalted},
	{"sha256$", readSalted},
	{"sha384$", readSalted},
	{"sha512$", readSalted},
	{"{", readBraces},
}

// parseForeign reads a stored string of another system. The error wraps ErrHash
// and carries nothing of s.
func parseForeign(s string) (foreign, error) {
	for _, r := range readers {
		rest, ok := strings.CutPrefix(s, r.prefix)
		if !ok {
			continue
		}
		f, ok := r.read(s, rest)
		if !ok {
			return foreign{}, badHash("malformed, or its cost is out of bounds")
		}
		return f, nil
	}
	return foreign{}, badHash("of no known kind")
}

// number reads a decimal number without sign or leading zeros.
func number(s string, least, most int) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || s[0] == '+' || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	return int(n), int(n) >= least && int(n) <= most
}

// unbase64 decodes what has so many bytes and no second spelling.
func unbase64(enc *base64.Encoding, s string, least, most int) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") || len(s) > maxStored {
		return nil, false
	}
	b, err := enc.Strict().DecodeString(s)
	return b, err == nil && len(b) >= least && len(b) <= most
}

// unhex decodes what has so many bytes.
func unhex(s string, least, most int) ([]byte, bool) {
	if len(s) > 2*most {
		return nil, false
	}
	b, err := hex.DecodeString(s)
	return b, err == nil && len(b) >= least
}

// zeroed is s, which ends in the text of its tag, with that of a tag of zeros:
// zero is the digit for it.
func zeroed(s, tag string, zero byte) string {
	b := []byte(s)
	for i := len(s) - len(tag); i < len(b); i++ {
		if b[i] != '=' {
			b[i] = zero
		}
	}
	return string(b)
}

// sum is the digest of all parts.
func sum(newHash func() hash.Hash, parts ...[]byte) []byte {
	h := newHash()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// oneOf reports whether every byte of s is in the alphabet.
func oneOf(alphabet, s string) bool {
	for i := range len(s) {
		if strings.IndexByte(alphabet, s[i]) < 0 {
			return false
		}
	}
	return true
}

// cryptAlphabet are the digits of crypt(3), lowest first.
const cryptAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
