package password

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"strings"
)

// pbkdf2Hash is PBKDF2 (RFC 8018) with HMAC of a digest. It refuses more than
// ten million rounds, those of every block counted.
func pbkdf2Hash(format, setting, digestName string, rounds int, salt, tag []byte) (foreign, bool) {
	newHash, size := digest(digestName)
	if newHash == nil || len(tag) < minForTag || len(tag) > maxForTag {
		return foreign{}, false
	}
	blocks := (len(tag) + size - 1) / size
	ok := rounds >= 1 && rounds <= maxWork/blocks && len(salt) >= 1 && len(salt) <= maxForSalt
	return foreign{
		format: format, setting: setting, tag: tag, memory: small,
		derive: func(_ *Hasher, password []byte) ([]byte, error) {
			return pbkdf2Key(newHash, password, salt, rounds, len(tag))
		},
	}, ok
}

// pbkdf2Key spells the hash functions out: the generic one is compiled for each.
func pbkdf2Key(newHash func() hash.Hash, password, salt []byte, rounds, n int) ([]byte, error) {
	switch newHash().Size() {
	case sha1.Size:
		return pbkdf2.Key(sha1.New, string(password), salt, rounds, n)
	case sha256.Size:
		return pbkdf2.Key(sha256.New, string(password), salt, rounds, n)
	case sha512.Size:
		return pbkdf2.Key(sha512.New, string(password), salt, rounds, n)
	}
	return pbkdf2.Key(newHash, string(password), salt, rounds, n)
}

// readPBKDF2 reads $pbkdf2-sha256$rounds$salt$tag of passlib, and the PHC form
// that has i=rounds,l=bytes there. Without a digest it is SHA-1. Both omit the
// padding of base64; passlib writes a dot for the plus.
func readPBKDF2(s, rest string) (foreign, bool) {
	parts := strings.Split(rest, "$")
	if len(parts) != 4 {
		return foreign{}, false
	}
	name := "sha1"
	if parts[0] != "" {
		var ok bool
		if name, ok = strings.CutPrefix(parts[0], "-"); !ok {
			return foreign{}, false
		}
	}
	tag, ok := unab64(parts[3], minForTag, maxForTag)
	salt, ok2 := unab64(parts[2], 1, maxForSalt)
	count := parts[1]
	if i, isPHC := strings.CutPrefix(count, "i="); isPHC {
		length, has := "", false
		if count, length, has = strings.Cut(i, ",l="); has {
			n, ok := number(length, minForTag, maxForTag)
			ok2 = ok2 && ok && n == len(tag)
		}
	}
	rounds, ok3 := number(count, 1, maxWork)
	if !ok || !ok2 || !ok3 {
		return foreign{}, false
	}
	return pbkdf2Hash("pbkdf2-"+name, zeroed(s, parts[3], 'A'), name, rounds, salt, tag)
}

// unab64 decodes base64 without padding that may have dots for pluses.
func unab64(s string, least, most int) ([]byte, bool) {
	return unbase64(base64.RawStdEncoding, strings.ReplaceAll(s, ".", "+"), least, most)
}
