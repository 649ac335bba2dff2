package password_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-roster/roster/password"
)

const (
	b64of16 = "AAECAwQFBgcICQoLDA0ODw"
	b64of32 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	hexOf16 = "000102030405060708090a0b0c0d0e0f"
	hexOf20 = hexOf16 + "10111213"
	hexOf32 = hexOf16 + hexOf16
)

// Stored strings that ask for too much, or are not quite what they seem. Each
// has a %s where the good parameter stands first and the bad ones after it, so
// that nothing but that makes it bad.
var hostile = []struct {
	form string
	good string
	bad  []string
}{
	{"$argon2i$v=19$%s$" + b64of16 + "$" + b64of32, "m=64,t=2,p=3", []string{
		"m=64,t=0,p=3", "m=64,t=2,p=0", "m=0,t=2,p=1", "m=64,t=2", "m=64,t=2,p=-1", "m=64,t=02,p=3", "m=4294967295,t=2,p=1",
		"m=4294967296,t=2,p=1", "m=262145,t=2,p=1", "m=64,t=17,p=3", "m=64,t=4294967295,p=3", "m=64,t=2,p=17", "m=64,t=2,p=256",
		"m=23,t=2,p=3", "t=2,m=64,p=3", "m=64,t=2,p=3,keyid=AAAA", "m=64,t=2,p=3 ", "m=+64,t=2,p=3", "",
	}},
	{"$argon2i$%s$m=64,t=2,p=3$" + b64of16 + "$" + b64of32, "v=19", []string{"v=20", "v=18", "v=17", "v=0", "v=-1", "v=019", "v=", "19", ""}},
	{"$argon2i$v=19$m=64,t=2,p=3$%s", b64of16 + "$" + b64of32, []string{
		b64of16, b64of16 + "$", "$" + b64of32, b64of16 + "$" + b64of16 + "$" + b64of32, b64of16 + "==$" + b64of32, b64of16 + "$" + b64of32 + "=",
		"AAAA$" + b64of32, b64of16 + "$AAAA", b64of16 + "$" + b64of32[:42] + "9", b64of16 + "\n$" + b64of32, strings.Repeat("A", 88) + "$" + b64of32,
	}},
	{"$2b$%s$abcdefghijklmnopqrstuuw1oUcbqlBRii/5ylE8CRE/KMqasSX3i", "06", []string{"03", "00", "17", "31", "32", "99", "6", "-6", "+6", "6 ", " 6", "0x"}},
	{"$2%s$06$abcdefghijklmnopqrstuuw1oUcbqlBRii/5ylE8CRE/KMqasSX3i", "y", []string{"", "z", "c", "A", "yy"}},
	{"$2b$06$%s", "abcdefghijklmnopqrstuuw1oUcbqlBRii/5ylE8CRE/KMqasSX3i", []string{
		"", "abcdefghijklmnopqrstuu", "abcdefghijklmnopqrstuuw1oUcbqlBRii/5ylE8CRE/KMqasSX3", "abcdefghijklmnopqrstuuw1oUcbqlBRii/5ylE8CRE/KMqasSX3ii",
		"abcdefghijklmnopqrstu+w1oUcbqlBRii/5ylE8CRE/KMqasSX3i", "abcdefghijklmnopqrst\nuw1oUcbqlBRii/5ylE8CRE/KMqasSX3i",
	}},
	{"pbkdf2_sha256$%s$salt$" + b64of32 + "=", "10000000", []string{"10000001", "0", "-1", "+1", "007", "2147483648", "4294967297", "18446744073709551617", "1e3", " 1", ""}},
	{"pbkdf2_%s$1000$salt$" + b64of32 + "=", "sha256", []string{"md5", "sha1", "sha512", "sha3", "", "SHA256"}},
	{"pbkdf2_sha256$1000$%s", "salt$" + b64of32 + "=", []string{"$" + b64of32 + "=", "salt$", "salt", "salt$salt$" + b64of32 + "=", "salt$" + b64of32, strings.Repeat("s", 129) + "$" + b64of32 + "="}},
	{"$pbkdf2-sha512$%s$" + b64of16 + "$" + b64of32, "5000", []string{"10000001", "0", "-1", "007", "i=0", "i=10000001", "i=007", "i=5,l=31", "i=5,l=", "l=32,i=5", "rounds=5"}},
	{"scrypt$%s$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw==", "16384$salt$8$1", []string{
		"1073741824$salt$8$1", "16383$salt$8$1", "1$salt$8$1", "0$salt$8$1", "-2$salt$8$1", "016384$salt$8$1", "16384$salt$0$1", "16384$salt$8$0",
		"16384$salt$8$129", "16384$salt$1025$1", "16384$salt$8$1$1", "16384$$8$1", "4294967296$salt$1$1", "2$salt$1024$1025",
	}},
	{"$scrypt$%s$" + b64of16 + "$" + b64of32, "ln=8,r=8,p=2", []string{
		"ln=30,r=8,p=1", "ln=19,r=8,p=1", "ln=0,r=8,p=1", "ln=64,r=1,p=1", "ln=255,r=8,p=1", "ln=8,r=0,p=1", "ln=8,r=8,p=0", "ln=8,r=1073741824,p=1",
		"ln=8,r=8,p=1073741823", "ln=8,r=8", "ln=08,r=8,p=1", "r=8,ln=8,p=1", "ln=8,r=8,p=1,x=1", "ln=18,r=8,p=5",
	}},
	{"$7$%s1muXLnbQHBH5K6Yz8f5P1/$sArf9nt/XsAzT9O/aDNl5Ilrh.0.xd3hW7CdhdLb3WD", "BU..../....", []string{"SU..../....", "zU..../....", ".U..../....", "Bzzzzz/....", "B...../....", "BU....zzzzz", "BU.........", "B!..../....", "BU"}},
	{"scrypt:%s$salt$" + hexOf32, "1024:8:1", []string{"1073741824:8:1", "1000:8:1", "1024:8", "1024:8:1:1", "1024:0:1", "1024:8:0", "01024:8:1", "::"}},
	{"pbkdf2:%s$salt$" + hexOf32, "sha256:1000", []string{"sha256", "sha256:", "sha256:0", "sha256:10000001", "md4:1000", ":1000", "sha256:1000:1"}},
	{"$werkzeug$%s", "sha1$salt$" + hexOf20, []string{"sha1$$" + hexOf20, "sha1$salt$" + hexOf16, "plain$salt$" + hexOf20, "sha1$salt", "sha1$salt$" + hexOf20 + "00"}},
	{"$S$%s", "Dilv3tQOI6PNSD9LIlQulPkxVUfgd6AAb.VO.mnHTMn8X/aiKxBE", []string{"Silv3tQOI6PNSD9LIlQulPkxVUfgd6AAb.VO.mnHTMn8X/aiKxBE", "Lilv3tQOI6PNSD9LIlQulPkxVUfgd6AAb.VO.mnHTMn8X/aiKxBE", "4ilv3tQOI6PNSD9LIlQulPkxVUfgd6AAb.VO.mnHTMn8X/aiKxBE", "Dilv3tQOI6PNSD9LIlQulPkxVUfgd6AAb.VO.mnHTMn8X/aiKxB", "Dilv3tQOI6PN!D9LIlQulPkxVUfgd6AAb.VO.mnHTMn8X/aiKxBE", ""}},
	{"$P$%s", "6kbHOOp3UlSI7Ss1l3BJe1bPzW290B/", []string{"SkbHOOp3UlSI7Ss1l3BJe1bPzW290B/", "NkbHOOp3UlSI7Ss1l3BJe1bPzW290B/", "zkbHOOp3UlSI7Ss1l3BJe1bPzW290B/", ".kbHOOp3UlSI7Ss1l3BJe1bPzW290B/", "6kbHOOp3UlSI7Ss1l3BJe1bPzW290B", "6kbHOOp3UlSI7Ss1l3BJe1bPzW290B//"}},
	{"U%s", "$S$5vNHDQyLqCTvsYBLWBUWXJWhA0m3DTpBh04acFEOGB.bKBclhKgo", []string{"", "$", "U$S$5vNHDQyLqCTvsYBLWBUWXJWhA0m3DTpBh04acFEOGB.bKBclhKgo", "$S$SvNHDQyLqCTvsYBLWBUWXJWhA0m3DTpBh04acFEOGB.bKBclhKgo", "$2b$06$abcdefghijklmnopqrstuuw1oUcbqlBRii/5ylE8CRE/KMqasSX3i"}},
	{"$6$%sG1D11cD84tGZnNmt$4vA1AfjynFzr8XNWa1fi7VZWzx1U1nkjlMFzuhOFzfjZHtFWBgNLYfKtHKlF3zfh2U5yZ046Y.Rj10y3/Y3m7.", "rounds=1000$", []string{"rounds=999999999$", "rounds=5000001$", "rounds=999$", "rounds=0$", "rounds=-1000$", "rounds=01000$", "rounds=$", "rounds=1000", "rounds=1000$rounds=1000$", "salt$", "xxxxxxxxxxxxxxxxx"}},
	{"$1$%s", "GSNWuYZ6$o6HzWJ4YZir2EV7iB44Xd.", []string{"$o6HzWJ4YZir2EV7iB44Xd.", "GSNWuYZ6x$o6HzWJ4YZir2EV7iB44Xd.", "GSNWuYZ6$o6HzWJ4YZir2EV7iB44Xd", "GSNWuYZ6$o6HzWJ4YZir2EV7iB44Xd.$", "GSNWuYZ6", "GSNWuYZ6$o6HzWJ4YZir2EV7iB44X!."}},
	{"$y$%s$Zgf1frjfFvS77zx22z3lG1$gv4ltNLQ9G53ap.OabcBT/FpiCQRQgIvHkE72964Jn6", "j85", []string{"jS5", "jz5", "jzzzzzz", "j8zzzzzz", "j8", "j", "", "k85", ".85", "j855", "j85.", "j!5", "jFz1..", "j.5"}},
	{"$y$j85$%s", "Zgf1frjfFvS77zx22z3lG1$gv4ltNLQ9G53ap.OabcBT/FpiCQRQgIvHkE72964Jn6", []string{"Zgf1frjfFvS77zx22z3lG1", "Zgf1frjfFvS77zx22z3lG1$", "Zgf1frjfFvS77zx22z3lG!$gv4ltNLQ9G53ap.OabcBT/FpiCQRQgIvHkE72964Jn6", "Zgf1frjfFvS77zx22z3lG1$gv4ltNLQ9G53ap.OabcBT/FpiCQRQgIvHkE72964Jn", "Zgf1frjfFvS77zx22z3lG1$Zgf1frjfFvS77zx22z3lG1$gv4ltNLQ9G53ap.OabcBT/FpiCQRQgIvHkE72964Jn6"}},
	{"$aspnet$%s", "AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==", []string{
		"", "AQ==", "AAAA", "AgAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==",
		"AQAAAAMAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==", // no such digest
		"AQAAAAH/////AAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==", // 2^32-1 rounds
		"AQAAAAEAAAAAAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==", // none
		"AQAAAAEAACcQ/////wABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==", // a salt of 2^32-1 bytes
		"AQAAAAEAACcQAAAAMAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==", // no tag
		"AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw=",
	}},
	{":%s", "pbkdf2:sha512:1500:64:4nbTUmauOqnFKOo79y46qA==:LQsiVsGyIS7HHx2/xvIAbwsKutjieXo+f8pK/hTpfixvgjuv5oWwMTWCoU7MFXUU3nV1bT/PZ1oamBnnGspU5w==", []string{"", ":", "A:", "A:" + hexOf20, "B::" + hexOf16, "B:x", "C:x:" + hexOf16, "pbkdf2:sha512:10000001:32:4nbTUmauOqnFKOo79y46qA==:" + b64of32 + "=", "pbkdf2:sha512:1500:99999:4nbTUmauOqnFKOo79y46qA==:" + b64of32 + "=", "argon2:x", "argon2:$2b$06$abcdefghijklmnopqrstuuw1oUcbqlBRii/5ylE8CRE/KMqasSX3i"}},
	{"{SSHA}%s", "zmCJo+M4FxSjWs8tc8yNXknfByG0Jqaw", []string{"", "zmCJo+M4FxSjWs8tc8yNXknfByE=", "zmCJo-M4FxSjWs8tc8yNXknfByG0Jqaw", "zmCJ\no+M4FxSjWs8tc8yNXknfByG0Jqaw", strings.Repeat("A", 200)}},
	{"{PBKDF2_SHA256}%s", "ABMS0AAA" + strings.Repeat("A", 424), []string{"", "AAAI", "ABMS0QAA" + strings.Repeat("A", 424), "////" + strings.Repeat("A", 428), strings.Repeat("A", 432), "AAAI" + strings.Repeat("A", 432)}},
	{"{%s", "MD5}" + hexOf16, []string{"", "}", "MD5", "MD5}", "MD5}{" + hexOf16, "MD4}" + hexOf16, "null}", "md5}" + hexOf16, "CRYPT}x", "CRYPT}{CRYPT}$1$GSNWuYZ6$o6HzWJ4YZir2EV7iB44Xd.", "ldap}{ldap}{SHA}x5fPvYFgDcbGATGvaDXPPkWxnc8=", "noop}", "bcrypt}" + hexOf16}},
	{"{scrypt}$%s$8bWJaSu2IKSn9Z9kM+TPXfOc/9bdYSrN1oD9qfVThWEwdRTnO7re7Ei+fUZRJ68k9lTyuTeUp4of4g24hHnazw==$OAOec05+bXxvuu/1qZ6NUR+xQYvYv7BeL1QxwRpY5Pc=", "e0801", []string{"1e0801", "ff0801", "00801", "e0001", "e0800", "7fffffffffffffff", "", "xyz01"}},
	{"sha1$%s", "salt$" + hexOf20, []string{"", "$", "salt", "salt$", "salt$" + hexOf16, "salt$salt$" + hexOf20, "salt$" + hexOf20 + "0", strings.Repeat("s", 129) + "$" + hexOf20}},
	{"plain$%s", "x", []string{"", "a\x00b", strings.Repeat("x", 1100)}},
	{"$ejudge-%s", "sha1$" + hexOf20, []string{"", "sha1", "sha1$", "sha1$" + hexOf16, "md5$" + hexOf16, "plain$", "plain", "base64$", "base64$!", "sha256$", "sha256$abc", "sha256$AbC+"}},
	{"$firebase$%s", "42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==", []string{"", "$", "42xEC+ixf3L2lw==", "42xEC+ixf3L2lw==$", "$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="}},
	{"$pepper$%s", "a$argon2id$v=19$m=8,t=1,p=1$" + b64of16 + "$" + b64of32, []string{"", "a", "a$", "$argon2id$v=19$m=8,t=1,p=1$" + b64of16 + "$" + b64of32, "a$argon2i$v=19$m=8,t=1,p=1$" + b64of16 + "$" + b64of32, "a/b$argon2id$v=19$m=8,t=1,p=1$" + b64of16 + "$" + b64of32, "a$argon2id$v=19$m=8,t=1,p=1$" + b64of16 + "$" + b64of16, "a$pepper$a$argon2id$v=19$m=8,t=1,p=1$" + b64of16 + "$" + b64of32}},
	{"$wrapped$argon2id$v=19$m=8,t=1,p=1$" + b64of16 + "$" + b64of32 + "%s", "$plain$-", []string{
		"", "$", "$plain$", "$plain$x", "$sha1$salt$" + hexOf20, "$wrapped$argon2id$v=19$m=8,t=1,p=1$" + b64of16 + "$" + b64of32 + "$plain$-", "$$argon2id$v=19$m=8,t=1,p=1$" + b64of16 + "$" + b64of32, "plain$-",
	}},
	{"%s", "plain$x", []string{"", "$", "$$", "$$$$$$", "x", "{", "!", "*", "Secret 1", hexOf16, hexOf20, "$wrapped", "$wrapped$", "$pepper$", "$2", "$y$", "U$", "$argon2", "$argon2$", "$pbkdf2", "$pbkdf2x$1$a$b", "$wp", "$devise", strings.Repeat("$", 2000), strings.Repeat("A", 1<<20), "plain$" + strings.Repeat("x", 1<<20)}},
}

// None of them is read by any path, and each of them would be but for one thing.
func TestHostile(t *testing.T) {
	h := reader(t)
	for _, tt := range hostile {
		if _, err := h.Format(fmt.Sprintf(tt.form, tt.good)); err != nil {
			t.Errorf("the good one, %.100q: %v", fmt.Sprintf(tt.form, tt.good), err)
		}
		for _, bad := range tt.bad {
			hash := fmt.Sprintf(tt.form, bad)
			ok, rehash, err := h.Verify(t.Context(), hash, "correct horse 1")
			if ok || rehash || !errors.Is(err, password.ErrHash) || errors.Is(err, password.ErrKey) {
				t.Errorf("Verify of %.200q: %v %v %v", hash, ok, rehash, err)
			}
			format, err := h.Format(hash)
			if format != "" || !errors.Is(err, password.ErrHash) {
				t.Errorf("Format of %.200q: %q, %v", hash, format, err)
			}
			if err != nil && len(bad) > 8 && strings.Contains(err.Error(), bad) {
				t.Errorf("the error shows the hash: %v", err)
			}
			if wrapped, err := h.Wrap(t.Context(), hash); wrapped != "" || !errors.Is(err, password.ErrHash) {
				t.Errorf("Wrap of %.200q: %q, %v", hash, wrapped, err)
			}
			if n := h.Memory(hash); n != 0 && hash != "" {
				t.Errorf("Memory of %.200q: %d", hash, n)
			}
		}
	}
}

func TestHostileKeycloak(t *testing.T) {
	good := keycloakVectors[0]
	argon := keycloakVectors[3]
	for _, tt := range []struct{ secret, credential string }{
		{"", ""},
		{"{}", "{}"},
		{"null", "null"},
		{"[]", "[]"},
		{good.secret, "{}"},
		{"{}", good.credential},
		{good.secret, strings.Replace(good.credential, "2750", "10000001", 1)},
		{good.secret, strings.Replace(good.credential, "2750", "-1", 1)},
		{good.secret, strings.Replace(good.credential, "2750", "1e99", 1)},
		{good.secret, strings.Replace(good.credential, "pbkdf2-sha256", "bcrypt", 1)},
		{good.secret, strings.Replace(good.credential, "pbkdf2-sha256", "pbkdf2-sha256$1$x", 1)},
		{argon.secret, strings.Replace(argon.credential, `["256"]`, `["4294967295"]`, 1)},
		{argon.secret, strings.Replace(argon.credential, `["256"]`, `[]`, 1)},
		{argon.secret, strings.Replace(argon.credential, `["id"]`, `["id$v=19$m=8,t=1,p=1$x"]`, 1)},
		{argon.secret, strings.Replace(argon.credential, `"1.3"`, `"1.0"`, 1)},
		{strings.Repeat(" ", 1<<20) + good.secret, good.credential},
	} {
		if hash, err := password.ImportKeycloak(tt.secret, tt.credential); hash != "" || !errors.Is(err, password.ErrHash) {
			t.Errorf("ImportKeycloak(%.60q, %.60q): %q, %v", tt.secret, tt.credential, hash, err)
		}
	}
}

// Whatever a stored string is, reading it is harmless, what is read can be
// wrapped, and what is wrapped reads the same. Work is not done: it is bounded.
func FuzzFormat(f *testing.F) {
	for _, v := range stored(f) {
		f.Add(v.column)
	}
	for _, tt := range hostile {
		f.Add(fmt.Sprintf(tt.form, tt.good))
	}
	h := reader(f)
	f.Fuzz(func(t *testing.T, hash string) {
		format, err := h.Format(hash)
		if err != nil {
			if !errors.Is(err, password.ErrHash) || hash != "" && h.Memory(hash) != 0 {
				t.Fatalf("%v, %d", err, h.Memory(hash))
			}
			return
		}
		if n := h.Memory(hash); n <= 0 || n > 257<<20 {
			t.Errorf("takes %d bytes", n)
		}
		wrapped, err := h.Wrap(t.Context(), hash)
		if err != nil {
			t.Fatal(err)
		}
		again, err := h.Format(wrapped)
		if err != nil || again != format && again != "argon2id("+format+")" {
			t.Errorf("%s is wrapped to %s: %v", format, again, err)
		}
	})
}

// Import never makes a string that cannot be read.
func FuzzImport(f *testing.F) {
	for _, v := range vectors {
		f.Add(string(v.from), v.column)
	}
	f.Fuzz(func(t *testing.T, from, value string) {
		hash, err := password.Import(password.Origin(from), value)
		if err != nil {
			if hash != "" {
				t.Errorf("%q beside %v", hash, err)
			}
			return
		}
		if _, err := (password.Hasher{}).Format(hash); err != nil {
			t.Errorf("%q: %v", hash, err)
		}
	})
}

// ImportKeycloak neither.
func FuzzImportKeycloak(f *testing.F) {
	for _, v := range keycloakVectors {
		f.Add(v.secret, v.credential)
	}
	f.Fuzz(func(t *testing.T, secret, credential string) {
		hash, err := password.ImportKeycloak(secret, credential)
		if err != nil {
			return
		}
		if _, err := (password.Hasher{}).Format(hash); err != nil {
			t.Errorf("%q: %v", hash, err)
		}
	})
}
