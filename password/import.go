package password

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Origin is the system that a stored hash comes from. Some of them store what
// could be anything, a bare MD5 or the password itself, so [Import] has to be
// told.
type Origin string

// The origins that [Import] knows.
const (
	PBS            Origin = "pbs"             // IPFire's build service: sha512$salt$hex, plain$password
	EjudgePlain    Origin = "ejudge-plain"    // ejudge, password method plain
	EjudgeBase64   Origin = "ejudge-base64"   // ejudge, password method base64
	EjudgeSHA1     Origin = "ejudge-sha1"     // ejudge, password method sha1
	EjudgeSHA256   Origin = "ejudge-sha256"   // ejudge, password method sha256
	Websauna       Origin = "websauna"        // argon2 in PHC strings
	Django         Origin = "django"          // all hashers of django.contrib.auth up to 5
	Werkzeug       Origin = "werkzeug"        // Flask: pbkdf2, scrypt, and the HMAC of before 3.0
	ASPNET         Origin = "aspnet"          // ASP.NET Identity, versions 2 and 3
	Devise         Origin = "devise"          // Rails, without config.pepper
	DevisePeppered Origin = "devise-peppered" // Rails, with config.pepper: see Hasher.DevisePepper
	Laravel        Origin = "laravel"         // bcrypt, argon2i, argon2id
	WordPress      Origin = "wordpress"       // $wp$2y$, $P$, and the bare MD5 of before 2.5
	PhpBB          Origin = "phpbb"           // $H$, $2y$, argon2, and the bare MD5 of before 3
	Drupal         Origin = "drupal"          // $S$, U$S$, $P$, $2y$, and the bare MD5 of Drupal 6
	MediaWiki      Origin = "mediawiki"       // :A:, :B:, :pbkdf2:, :argon2:
	Spring         Origin = "spring"          // {id} of Spring Security's DelegatingPasswordEncoder
	LDAP           Origin = "ldap"            // userPassword with a {scheme}
	Htpasswd       Origin = "htpasswd"        // Apache: $apr1$, $2y$, {SHA}, crypt(3)
	Crypt          Origin = "crypt"           // /etc/shadow: $1$, $5$, $6$, $7$, $y$, $2b$
	Passlib        Origin = "passlib"         // modular crypt format and PHC strings
)

// origin says how what is in its column is stored here, and which formats it
// may then have: their names, or how those begin before a star.
type origin struct {
	rewrite func(value string) string
	accept  []string
}

func prefixed(prefix string) func(string) string {
	return func(value string) string { return prefix + value }
}

func asIs(value string) string { return value }

var origins = map[Origin]origin{
	PBS:            {asIs, []string{"salted-*", "plain"}},
	EjudgePlain:    {prefixed("$ejudge-plain$"), []string{"ejudge-plain"}},
	EjudgeBase64:   {prefixed("$ejudge-base64$"), []string{"ejudge-base64"}},
	EjudgeSHA1:     {prefixed("$ejudge-sha1$"), []string{"ejudge-sha1"}},
	EjudgeSHA256:   {prefixed("$ejudge-sha256$"), []string{"ejudge-sha256"}},
	Websauna:       {asIs, []string{"argon2i", "argon2id"}},
	Django:         {fromDjango, []string{"django-*", "salted-md5", "salted-sha1", "unsalted-md5", "unsalted-sha1"}},
	Werkzeug:       {fromWerkzeug, []string{"werkzeug-*"}},
	ASPNET:         {prefixed("$aspnet$"), []string{"aspnet-*"}},
	Devise:         {asIs, []string{"bcrypt"}},
	DevisePeppered: {prefixed("$devise"), []string{"devise"}},
	Laravel:        {asIs, []string{"bcrypt", "argon2i", "argon2id"}},
	WordPress:      {fromPHP, []string{"wordpress", "phpass", "bcrypt", "unsalted-md5"}},
	PhpBB:          {fromPHP, []string{"phpass", "bcrypt", "argon2i", "argon2id", "unsalted-md5"}},
	Drupal:         {fromPHP, []string{"drupal", "drupal-upgraded", "phpass", "bcrypt", "unsalted-md5"}},
	MediaWiki:      {asIs, []string{"mediawiki-*"}},
	Spring:         {asIs, []string{"spring-*"}},
	LDAP:           {fromLDAP, []string{"ldap-*"}},
	Htpasswd:       {asIs, []string{"apr1", "bcrypt", "ldap-sha", "sha256-crypt", "sha512-crypt", "md5-crypt"}},
	Crypt:          {asIs, []string{"md5-crypt", "sha256-crypt", "sha512-crypt", "scrypt-crypt", "yescrypt", "bcrypt"}},
	Passlib: {asIs, []string{
		"pbkdf2-*", "scrypt", "scrypt-crypt", "argon2i", "argon2id", "argon2d", "bcrypt", "passlib-bcrypt-sha256",
		"phpass", "md5-crypt", "apr1", "sha256-crypt", "sha512-crypt",
	}},
}

// Origins lists the origins in order of their names.
func Origins() []Origin {
	all := make([]Origin, 0, len(origins))
	for o := range origins {
		all = append(all, o)
	}
	slices.Sort(all)
	return all
}

// Import turns what a system has in its column into what is stored here: a
// string that says by itself what it is. Nothing is hashed. What says so already
// comes back as it is.
//
// The error wraps [ErrHash] if the value is nothing that this origin stores, out
// of bounds, or the mark of an account without a password; or it says that
// there is no such origin. Keycloak and Firebase have two columns: see
// [ImportKeycloak] and [ImportFirebase].
func Import(from Origin, value string) (string, error) {
	o, ok := origins[from]
	if !ok {
		return "", fmt.Errorf("password: no origin %q", string(from))
	}
	return imported(o.rewrite(value), o.accept...)
}

// imported checks that a stored string can be read and has one of the formats.
func imported(s string, accept ...string) (string, error) {
	st, err := parseStored(s)
	if err != nil {
		return "", err
	}
	if st.wrapped || st.pepper != "" {
		return "", badHash("not of this origin")
	}
	format := "argon2id"
	if st.foreign != nil {
		format = st.foreign.format
	}
	for _, pattern := range accept {
		prefix, open := strings.CutSuffix(pattern, "*")
		if format == pattern || open && strings.HasPrefix(format, prefix) {
			return s, nil
		}
	}
	return "", badHash("not of this origin")
}

// ImportKeycloak is [Import] for a credential of Keycloak, from the columns or
// the realm export: secretData and credentialData are JSON. It makes the PHC
// string of argon2, or $pbkdf2-sha256$rounds$salt$tag as passlib writes it,
// from the algorithms pbkdf2, pbkdf2-sha256, pbkdf2-sha512 and argon2.
func ImportKeycloak(secretData, credentialData string) (string, error) {
	var secret struct{ Value, Salt string }
	var credential struct {
		HashIterations       int
		Algorithm            string
		AdditionalParameters map[string][]string
	}
	const most = 4096
	if len(secretData) > most || len(credentialData) > most ||
		json.Unmarshal([]byte(secretData), &secret) != nil || json.Unmarshal([]byte(credentialData), &credential) != nil {
		return "", badHash("malformed JSON")
	}
	tag, ok := unbase64(base64.StdEncoding, secret.Value, minForTag, maxForTag)
	salt, ok2 := unbase64(base64.StdEncoding, secret.Salt, 1, maxForSalt)
	if !ok || !ok2 {
		return "", badHash("malformed base64")
	}
	end := "$" + phcBase64.EncodeToString(salt) + "$" + phcBase64.EncodeToString(tag)
	rounds := strconv.Itoa(credential.HashIterations)
	switch credential.Algorithm {
	case "pbkdf2", "pbkdf2-sha256", "pbkdf2-sha512":
		return imported("$"+credential.Algorithm+"$"+rounds+strings.ReplaceAll(end, "+", "."), "pbkdf2-*")
	case "argon2":
		extra := func(key string) string { return strings.Join(credential.AdditionalParameters[key], ",") }
		if extra("version") != "1.3" {
			return "", badHash("not argon2 of version 1.3")
		}
		params := "$v=19$m=" + extra("memory") + ",t=" + rounds + ",p=" + extra("parallelism")
		return imported("$argon2"+extra("type")+params+end, "argon2i", "argon2id")
	}
	return "", badHash("of no known algorithm")
}
