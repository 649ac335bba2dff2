package password

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// readMediaWiki reads the password types of MediaWiki: :A:hex is MD5,
// :B:salt:hex is the MD5 of salt, hyphen and that, :pbkdf2:digest:rounds:bytes:salt:tag
// and :argon2: with a PHC string.
func readMediaWiki(s, rest string) (foreign, bool) {
	parts := strings.Split(rest, ":")
	switch {
	case parts[0] == "A" && len(parts) == 2:
		tag, ok := unhex(parts[1], md5.Size, md5.Size)
		return simple("mediawiki-a", zeroed(s, parts[1], '0'), tag, func(password []byte) []byte {
			return sum(md5.New, password)
		}), ok
	case parts[0] == "B" && len(parts) == 3:
		tag, ok := unhex(parts[2], md5.Size, md5.Size)
		return simple("mediawiki-b", zeroed(s, parts[2], '0'), tag, func(password []byte) []byte {
			return sum(md5.New, []byte(parts[1]+"-"+hex.EncodeToString(sum(md5.New, password))))
		}), ok && parts[1] != "" && len(parts[1]) <= maxForSalt
	case parts[0] == "pbkdf2" && len(parts) == 6:
		rounds, ok := number(parts[2], 1, maxWork)
		size, ok2 := number(parts[3], minForTag, maxForTag)
		salt, ok3 := unbase64(base64.StdEncoding, parts[4], 1, maxForSalt)
		tag, ok4 := unbase64(base64.StdEncoding, parts[5], size, size)
		if !ok || !ok2 || !ok3 || !ok4 {
			return foreign{}, false
		}
		return pbkdf2Hash("mediawiki-pbkdf2-"+parts[1], zeroed(s, parts[5], 'A'), parts[1], rounds, salt, tag)
	case parts[0] == "argon2":
		const mark = ":argon2:"
		inner := strings.TrimPrefix(s, mark)
		rest, ok := strings.CutPrefix(inner, "$argon2")
		if !ok {
			return foreign{}, false
		}
		f, ok := readArgon2(inner, rest)
		f.format, f.setting = "mediawiki-"+f.format, mark+f.setting
		return f, ok
	}
	return foreign{}, false
}
