package password

import "strings"

// readWerkzeugPBKDF2 reads pbkdf2:sha256:rounds$salt$hex.
func readWerkzeugPBKDF2(s, rest string) (foreign, bool) {
	method, salt, text, ok := werkzeugParts(rest)
	name, count, ok2 := strings.Cut(method, ":")
	rounds, ok3 := number(count, 1, maxWork)
	tag, ok4 := unhex(text, minForTag, maxForTag)
	if !ok || !ok2 || !ok3 || !ok4 {
		return foreign{}, false
	}
	return pbkdf2Hash("werkzeug-pbkdf2-"+name, zeroed(s, text, '0'), name, rounds, []byte(salt), tag)
}

// readWerkzeugScrypt reads scrypt:N:r:p$salt$hex.
func readWerkzeugScrypt(s, rest string) (foreign, bool) {
	method, salt, text, ok := werkzeugParts(rest)
	params := strings.Split(method, ":")
	if !ok || len(params) != 3 {
		return foreign{}, false
	}
	log2N, ok := powerOfTwo(params[0])
	r, ok2 := number(params[1], 1, 1<<10)
	p, ok3 := number(params[2], 1, 1<<10)
	tag, ok4 := unhex(text, minForTag, maxForTag)
	if !ok || !ok2 || !ok3 || !ok4 {
		return foreign{}, false
	}
	return scryptHash("werkzeug-scrypt", zeroed(s, text, '0'), scryptCost{log2N, r, p}, []byte(salt), tag)
}

func werkzeugParts(rest string) (method, salt, text string, ok bool) {
	parts := strings.Split(rest, "$")
	if len(parts) != 3 {
		return "", "", "", false
	}
	return parts[0], parts[1], parts[2], true
}

// fromWerkzeug marks what would read as the salted digest of Django or pbs.
func fromWerkzeug(value string) string {
	method, _, _ := strings.Cut(value, "$")
	if newHash, _ := digest(method); newHash != nil {
		return "$werkzeug$" + value
	}
	return value
}
