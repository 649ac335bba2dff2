package password

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// readDjangoPBKDF2 reads pbkdf2_sha256$rounds$salt$tag of Django, the salt as
// text and the tag as base64.
func readDjangoPBKDF2(s, rest string) (foreign, bool) {
	parts := strings.Split(rest, "$")
	if len(parts) != 4 {
		return foreign{}, false
	}
	_, size := digest(parts[0])
	rounds, ok := number(parts[1], 1, maxWork)
	tag, ok2 := unbase64(base64.StdEncoding, parts[3], size, size)
	if !ok || !ok2 {
		return foreign{}, false
	}
	return pbkdf2Hash("django-pbkdf2-"+parts[0], zeroed(s, parts[3], 'A'), parts[0], rounds, []byte(parts[2]), tag)
}

// readDjangoArgon2 reads argon2 and a PHC string.
func readDjangoArgon2(s, _ string) (foreign, bool) {
	inner := strings.TrimPrefix(s, "argon2")
	f, ok := readArgon2(inner, strings.TrimPrefix(inner, "$argon2"))
	f.format, f.setting = "django-"+f.format, "argon2"+f.setting
	return f, ok
}

// readDjangoBcrypt reads bcrypt$ and a bcrypt hash.
func readDjangoBcrypt(s, rest string) (foreign, bool) { return bcryptOf("django-bcrypt", s, rest, nil) }

// readDjangoBcryptSHA256 reads bcrypt_sha256$ and a bcrypt hash of the SHA-256
// in hexadecimal.
func readDjangoBcryptSHA256(s, rest string) (foreign, bool) {
	return bcryptOf("django-bcrypt-sha256", s, rest, func(_ *Hasher, password []byte) ([]byte, error) {
		return hexSum(sha256.New, password), nil
	})
}

// readDjangoScrypt reads scrypt$N$salt$r$p$tag.
func readDjangoScrypt(s, rest string) (foreign, bool) {
	parts := strings.Split(rest, "$")
	if len(parts) != 5 {
		return foreign{}, false
	}
	log2N, ok := powerOfTwo(parts[0])
	r, ok2 := number(parts[2], 1, 1<<10)
	p, ok3 := number(parts[3], 1, 1<<10)
	tag, ok4 := unbase64(base64.StdEncoding, parts[4], minForTag, maxForTag)
	if !ok || !ok2 || !ok3 || !ok4 {
		return foreign{}, false
	}
	return scryptHash("django-scrypt", zeroed(s, parts[4], 'A'), scryptCost{log2N, r, p}, []byte(parts[1]), tag)
}

// fromDjango gives bare hashes, of the unsalted hashers, the name that Django
// writes before the others.
func fromDjango(value string) string {
	switch _, isHex := unhex(value, 16, 20); {
	case isHex && len(value) == 32:
		return "md5$$" + value
	case isHex && len(value) == 40:
		return "sha1$$" + value
	}
	return value
}
