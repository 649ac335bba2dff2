package password

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strings"
)

// digest finds a hash function by its name in Python's hashlib.
func digest(name string) (newHash func() hash.Hash, size int) {
	switch name {
	case "md5":
		newHash = md5.New
	case "sha1":
		newHash = sha1.New
	case "sha224":
		newHash = sha256.New224
	case "sha256":
		newHash = sha256.New
	case "sha384":
		newHash = sha512.New384
	case "sha512":
		newHash = sha512.New
	default:
		return nil, 0
	}
	return newHash, newHash().Size()
}

// simple is a hash that is one digest of the password and a salt.
func simple(format, setting string, tag []byte, compute func(password []byte) []byte) foreign {
	return foreign{
		format: format, setting: setting, tag: tag, memory: small,
		derive: func(_ *Hasher, password []byte) ([]byte, error) { return compute(password), nil },
	}
}

// clearText is a password that was never hashed. What is compared is its SHA-256,
// so that neither time nor a wrapped hash tell how long it is.
func clearText(format, prefix, password string) (foreign, bool) {
	tag := sha256.Sum256([]byte(password))
	return simple(format, prefix+"-", tag[:], func(password []byte) []byte {
		tag := sha256.Sum256(password)
		return tag[:]
	}), password != "" && len(password) <= MaxBytes && !strings.Contains(password, "\x00")
}

// readPlain reads what pbs of IPFire accepts: plain$password.
func readPlain(s, rest string) (foreign, bool) {
	return clearText("plain", strings.TrimSuffix(s, rest), rest)
}

// readSalted reads algorithm$salt$hex, the digest of salt and password: what
// pbs of IPFire stores (check_password), and Django's salted and, with an empty
// salt, unsalted hashers.
func readSalted(s, _ string) (foreign, bool) {
	parts := strings.Split(s, "$")
	if len(parts) != 3 {
		return foreign{}, false
	}
	newHash, size := digest(parts[0])
	tag, ok := unhex(parts[2], size, size)
	salt, format := []byte(parts[1]), "salted-"+parts[0]
	if len(salt) == 0 {
		format = "unsalted-" + parts[0]
	}
	return simple(format, zeroed(s, parts[2], '0'), tag, func(password []byte) []byte {
		return sum(newHash, salt, password)
	}), ok && len(salt) <= maxForSalt
}

// readWerkzeugHMAC reads $werkzeug$algorithm$salt$hex: an HMAC keyed with the
// salt, as generate_password_hash of Werkzeug before 3.0 made it.
func readWerkzeugHMAC(s, rest string) (foreign, bool) {
	parts := strings.Split(rest, "$")
	if len(parts) != 3 {
		return foreign{}, false
	}
	newHash, size := digest(parts[0])
	tag, ok := unhex(parts[2], size, size)
	salt := []byte(parts[1])
	return simple("werkzeug-"+parts[0], zeroed(s, parts[2], '0'), tag, func(password []byte) []byte {
		mac := hmac.New(newHash, salt)
		mac.Write(password)
		return mac.Sum(nil)
	}), ok && len(salt) > 0 && len(salt) <= maxForSalt
}

// readEjudge reads what [Import] makes of the password methods of ejudge
// (userlist): $ejudge-sha1$hex and so on. ejudge takes all white space out
// before it hashes.
func readEjudge(s, rest string) (f foreign, ok bool) {
	method, value, _ := strings.Cut(rest, "$")
	prefix := strings.TrimSuffix(s, value)
	switch method {
	case "plain":
		f, ok = clearText("ejudge-plain", prefix, value)
	case "base64":
		var password []byte
		if password, ok = unbase64(base64.StdEncoding, value, 1, MaxBytes); ok {
			f, ok = clearText("ejudge-base64", prefix, string(password))
			f.setting = prefix + "LQ=="
		}
	case "sha1":
		var tag []byte
		tag, ok = unhex(value, sha1.Size, sha1.Size)
		f = simple("ejudge-sha1", zeroed(s, value, '0'), tag, func(password []byte) []byte {
			return sum(sha1.New, password)
		})
	case "sha256":
		f, ok = readEjudgeSHA256(s, value)
	}
	f.spell = withoutSpace
	return f, ok
}

// readEjudgeSHA256 reads four characters of salt and the base64 of
// SHA-256(salt, password).
func readEjudgeSHA256(s, value string) (foreign, bool) {
	if len(value) < 4 {
		return foreign{}, false
	}
	salt, text := value[:4], value[4:]
	tag, ok := unbase64(base64.StdEncoding, text, sha256.Size, sha256.Size)
	return simple("ejudge-sha256", zeroed(s, text, 'A'), tag, func(password []byte) []byte {
		return sum(sha256.New, []byte(salt), password)
	}), ok && !strings.ContainsAny(salt, "$\r\n")
}

// withoutSpace takes out what ejudge does: every byte up to the space.
func withoutSpace(password string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, password)
}

// hexSum is the digest in lower-case hexadecimal.
func hexSum(newHash func() hash.Hash, parts ...[]byte) []byte {
	return hex.AppendEncode(nil, sum(newHash, parts...))
}
