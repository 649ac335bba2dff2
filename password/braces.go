package password

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
)

// readBraces reads {name} and what follows: the schemes of LDAP, in capitals,
// and the encoders of Spring Security, as DelegatingPasswordEncoder names them.
func readBraces(s, _ string) (foreign, bool) {
	name, value, ok := strings.Cut(s[1:], "}")
	if !ok {
		return foreign{}, false
	}
	switch name {
	case "SHA", "SHA256", "SHA384", "SHA512", "SSHA", "SSHA256", "SSHA384", "SSHA512", "SMD5":
		return readLDAPDigest(name, value)
	case "MD5":
		if len(value) == base64.StdEncoding.EncodedLen(md5.Size) {
			return readLDAPDigest(name, value)
		}
		return readSpringDigest(s, "md5", value)
	case "SHA-1":
		return readSpringDigest(s, "sha1", value)
	case "SHA-256":
		return readSpringDigest(s, "sha256", value)
	case "CRYPT", "ARGON2":
		return readWithin("ldap-"+strings.ToLower(name), s, value)
	case "argon2@SpringSecurity_v5_8":
		return readWithin("spring-argon2", s, value)
	case "bcrypt", "argon2", "ldap":
		return readWithin("spring-"+name, s, value)
	case "PBKDF2", "PBKDF2-SHA1", "PBKDF2-SHA256", "PBKDF2-SHA512":
		digest := strings.TrimPrefix(strings.TrimPrefix(name, "PBKDF2"), "-")
		return readLDAPPBKDF2(s, strings.ToLower(digest), value)
	case "PBKDF2_SHA256":
		return read389DS(s, value)
	case "noop":
		return clearText("spring-noop", "{noop}", value)
	case "sha256":
		return readSpringStandard(s, value)
	case "pbkdf2":
		return readSpringPBKDF2(s, value, "sha1", 185_000, 8)
	case "pbkdf2@SpringSecurity_v5_8":
		return readSpringPBKDF2(s, value, "sha256", 310_000, 16)
	case "scrypt", "scrypt@SpringSecurity_v5_8":
		return readSpringScrypt(s, value)
	}
	return foreign{}, false
}

// within are the hashes that may stand in braces, by how they begin.
var within = map[string][]struct {
	prefix string
	read   func(s, rest string) (foreign, bool)
}{
	"ldap-crypt": {
		{"$1$", readMD5Crypt},
		{"$5$", readSHACrypt},
		{"$6$", readSHACrypt},
		{"$7$", readScryptCrypt},
		{"$y$", readYescrypt},
		{"$2", readBcrypt},
	},
	"ldap-argon2":   {{"$argon2", readArgon2}},
	"spring-argon2": {{"$argon2", readArgon2}},
	"spring-bcrypt": {{"$2", readBcrypt}},
	"spring-ldap":   {{"{", readLDAP}},
}

// readWithin reads {name} before a hash that names itself.
func readWithin(format, s, value string) (foreign, bool) {
	for _, r := range within[format] {
		if rest, ok := strings.CutPrefix(value, r.prefix); ok {
			f, ok := r.read(value, rest)
			f.format, f.setting = format, strings.TrimSuffix(s, value)+f.setting
			return f, ok
		}
	}
	return foreign{}, false
}

// readLDAP reads {SHA} and {SSHA}, which are all that LdapShaPasswordEncoder
// makes.
func readLDAP(_, rest string) (foreign, bool) {
	name, value, ok := strings.Cut(rest, "}")
	if !ok || name != "SHA" && name != "SSHA" {
		return foreign{}, false
	}
	return readLDAPDigest(name, value)
}

// readLDAPDigest reads {SSHA} and its kin: the base64 of the digest of password
// and salt, followed by the salt (RFC 2307, and OpenLDAP's pw-sha2).
func readLDAPDigest(name, value string) (foreign, bool) {
	bare := strings.ToLower(name)
	salted := strings.HasPrefix(bare, "ss") || bare == "smd5"
	if salted {
		bare = bare[1:]
	}
	if bare == "sha" {
		bare = "sha1"
	}
	newHash, size := digest(bare)
	least, most := size, size
	if salted {
		least, most = size+1, size+maxForSalt
	}
	blob, ok := unbase64(base64.StdEncoding, value, least, most)
	if !ok {
		return foreign{}, false
	}
	tag, salt := blob[:size], blob[size:]
	setting := "{" + name + "}" + base64.StdEncoding.EncodeToString(append(make([]byte, size), salt...))
	return simple("ldap-"+strings.ToLower(name), setting, tag, func(password []byte) []byte {
		return sum(newHash, password, salt)
	}), true
}

// readLDAPPBKDF2 reads rounds$salt$tag of OpenLDAP's pw-pbkdf2 and of 389
// Directory Server.
func readLDAPPBKDF2(s, digest, value string) (foreign, bool) {
	parts := strings.Split(value, "$")
	if len(parts) != 3 {
		return foreign{}, false
	}
	if digest == "" {
		digest = "sha1"
	}
	rounds, ok := number(parts[0], 1, maxWork)
	salt, ok2 := unab64(strings.TrimRight(parts[1], "="), 1, maxForSalt)
	tag, ok3 := unab64(strings.TrimRight(parts[2], "="), minForTag, maxForTag)
	if !ok || !ok2 || !ok3 {
		return foreign{}, false
	}
	return pbkdf2Hash("ldap-pbkdf2-"+digest, zeroed(s, parts[2], 'A'), digest, rounds, salt, tag)
}

// read389DS reads {PBKDF2_SHA256} of 389 Directory Server: the base64 of four
// bytes of rounds, 64 of salt and 256 of tag.
func read389DS(_, value string) (foreign, bool) {
	const size = 4 + 64 + 256
	blob, ok := unbase64(base64.StdEncoding, value, size, size)
	if !ok {
		return foreign{}, false
	}
	rounds := binary.BigEndian.Uint32(blob)
	setting := "{PBKDF2_SHA256}" + base64.StdEncoding.EncodeToString(append(blob[:68:68], make([]byte, 256)...))
	f, ok := pbkdf2Hash("ldap-pbkdf2_sha256", setting, "sha256", int(min(rounds, maxWork+1)), blob[4:68], blob[68:])
	return f, ok
}

// readSpringDigest reads {salt}hex or hex of MessageDigestPasswordEncoder: the
// digest of the password and the salt with its braces.
func readSpringDigest(s, name, value string) (foreign, bool) {
	salt, text := "", value
	if strings.HasPrefix(value, "{") {
		end := strings.LastIndexByte(value, '}') + 1
		salt, text = value[:end], value[end:]
	}
	newHash, size := digest(name)
	tag, ok := unhex(text, size, size)
	return simple("spring-"+name, zeroed(s, text, '0'), tag, func(password []byte) []byte {
		return sum(newHash, password, []byte(salt))
	}), ok && len(salt) <= maxForSalt
}

// readSpringStandard reads {sha256} of StandardPasswordEncoder without a
// secret: the hexadecimal of eight bytes of salt and of 1024 times SHA-256.
func readSpringStandard(s, value string) (foreign, bool) {
	blob, ok := unhex(value, 8+sha256.Size, 8+sha256.Size)
	if !ok {
		return foreign{}, false
	}
	salt := blob[:8]
	return simple("spring-standard", zeroed(s, value[16:], '0'), blob[8:], func(password []byte) []byte {
		state := sum(sha256.New, salt, password)
		for range 1023 {
			state = sum(sha256.New, state)
		}
		return state
	}), true
}

// readSpringPBKDF2 reads the hexadecimal of salt and tag of
// Pbkdf2PasswordEncoder with its defaults and no secret.
func readSpringPBKDF2(s, value, digest string, rounds, saltSize int) (foreign, bool) {
	blob, ok := unhex(value, saltSize+32, saltSize+32)
	if !ok {
		return foreign{}, false
	}
	setting := zeroed(s, value[2*saltSize:], '0')
	return pbkdf2Hash("spring-pbkdf2-"+digest, setting, digest, rounds, blob[:saltSize], blob[saltSize:])
}

// readSpringScrypt reads $params$salt$tag of SCryptPasswordEncoder: params is
// log2 N, r and p in hexadecimal, of which r and p have eight bits each.
func readSpringScrypt(s, value string) (foreign, bool) {
	parts := strings.Split(value, "$")
	if len(parts) != 4 || parts[0] != "" || len(parts[1]) < 5 || len(parts[1]) > 6 {
		return foreign{}, false
	}
	params, ok := unhex(strings.Repeat("0", len(parts[1])%2)+parts[1], 3, 3)
	salt, ok2 := unbase64(base64.StdEncoding, parts[2], 1, maxForSalt)
	tag, ok3 := unbase64(base64.StdEncoding, parts[3], minForTag, maxForTag)
	if !ok || !ok2 || !ok3 {
		return foreign{}, false
	}
	cost := scryptCost{int(params[0]), int(params[1]), int(params[2])}
	return scryptHash("spring-scrypt", zeroed(s, parts[3], 'A'), cost, salt, tag)
}

// fromLDAP writes the scheme, whose case means nothing, in capitals.
func fromLDAP(value string) string {
	name, rest, ok := strings.Cut(value, "}")
	if !ok {
		return value
	}
	return strings.ToUpper(name) + "}" + rest
}
