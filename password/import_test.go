package password_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/go-roster/roster/password"
)

func unbase64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// reader verifies everything: it has the keys that the vectors need.
func reader(t testing.TB) password.Hasher {
	t.Helper()
	// The example project of github.com/firebase/scrypt.
	signer := unbase64(t, "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==")
	return password.Hasher{
		Cost:         cheap,
		DevisePepper: password.NewKey([]byte(devisePepper)),
		Firebase:     password.Firebase{SignerKey: password.NewKey(signer), SaltSeparator: []byte{7}},
	}
}

// stored is every vector as it is stored here.
func stored(t testing.TB) []vector {
	t.Helper()
	var all []vector
	for _, v := range vectors {
		hash, err := password.Import(v.from, v.column)
		if err != nil {
			t.Errorf("Import(%q, %q): %v", v.from, v.column, err)
			continue
		}
		all = append(all, vector{v.from, v.password, hash})
	}
	for _, v := range keycloakVectors {
		hash, err := password.ImportKeycloak(v.secret, v.credential)
		if err != nil {
			t.Errorf("ImportKeycloak(%q, %q): %v", v.secret, v.credential, err)
		}
		all = append(all, vector{"keycloak", v.password, hash})
	}
	for _, v := range firebaseVectors {
		hash, err := password.ImportFirebase(v.salt, v.hash)
		if err != nil {
			t.Errorf("ImportFirebase(%q, %q): %v", v.salt, v.hash, err)
		}
		all = append(all, vector{"firebase", v.password, hash})
	}
	return all
}

// What another program has stored verifies, also wrapped; a wrong password does
// not; and what matched is to be made again.
func TestForeignVectors(t *testing.T) {
	h := reader(t)
	seen := make(map[string]bool)
	for _, v := range stored(t) {
		format, err := h.Format(v.column)
		if err != nil {
			t.Fatal(err)
		}
		wrong := wrongs(v.password)
		if seen[format] || !quick(h, v.column) { // the whole list once is enough
			wrong = wrong[:1]
		}
		seen[format] = true
		t.Run(string(v.from)+" "+v.column[:min(len(v.column), 24)], func(t *testing.T) {
			t.Parallel()
			wrapped, err := h.Wrap(t.Context(), v.column)
			if err != nil {
				t.Fatalf("Wrap: %v", err)
			}
			if got, err := h.Format(wrapped); got != "argon2id("+format+")" && got != "argon2id" || err != nil {
				t.Errorf("Format of %s: %s, %v", wrapped, got, err)
			}
			for _, hash := range []string{v.column, wrapped} {
				if ok, rehash, err := h.Verify(t.Context(), hash, v.password); !ok || !rehash || err != nil {
					t.Errorf("Verify of %s: %v %v %v", hash, ok, rehash, err)
				}
				for _, wrong := range wrong {
					if ok, rehash, err := h.Verify(t.Context(), hash, wrong); ok || rehash || err != nil {
						t.Errorf("Verify of %s with %q: %v %v %v", hash, wrong, ok, rehash, err)
					}
				}
				if h.Memory(hash) <= 0 {
					t.Errorf("Memory of %s: %d", hash, h.Memory(hash))
				}
			}
		})
	}
}

// quick reports whether a hash is verified in less than some milliseconds.
func quick(h password.Hasher, hash string) bool {
	slow := strings.Contains(hash, "0000") || strings.HasPrefix(hash, "{pbkdf2") || strings.Contains(hash, "$10$")
	return h.Memory(hash) <= 64<<10 && !slow
}

// wrongs are passwords that are not quite right. White space means nothing to
// ejudge, so none differs in that alone.
func wrongs(right string) []string {
	return []string{right + "x", right + "\x00", "x" + right, right[:len(right)-1], strings.ToUpper(right), right + right, "", right + "\x00" + right}
}

// Every origin has a vector, and accepts nothing of another one's that says
// what it is.
func TestOrigins(t *testing.T) {
	has := make(map[password.Origin]bool)
	for _, v := range vectors {
		has[v.from] = true
	}
	for _, from := range password.Origins() {
		if !has[from] {
			t.Errorf("no vector of %s", from)
		}
	}
	for _, tt := range []struct {
		from  password.Origin
		value string
	}{
		{password.Django, "!unusable"},
		{password.Django, "{SSHA}zmCJo+M4FxSjWs8tc8yNXknfByG0Jqaw"},
		{password.Django, "Secret1"},
		{password.Django, "sha512$abcdefgh12345678$" + strings.Repeat("0", 128)},
		{password.PBS, "Secret1"},
		{password.PBS, "plain$"},
		{password.LDAP, "Secret1"},
		{password.LDAP, "{noop}Secret1"},
		{password.LDAP, "{CLEARTEXT}Secret1"},
		{password.Spring, "{null}"},
		{password.Spring, "Secret1"},
		{password.EjudgePlain, ""},
		{password.EjudgeSHA1, "Secret1"},
		{password.EjudgeBase64, "Secret1"},
		{password.EjudgeBase64, ""},
		{password.EjudgeSHA256, "AbC+"},
		{password.WordPress, "Secret1"},
		{password.Crypt, "!"},
		{password.Crypt, "*"},
		{password.Crypt, "x"},
		{password.Crypt, ""},
		{password.Htpasswd, "Secret1"},
		{password.Htpasswd, "rl.3StKT.4T8M"}, // DES
		{password.ASPNET, ""},
		{password.Laravel, "$1$8sHV/Zj6$.5qa8LbR5mTD8GnCyrN0F1"},
		{password.Devise, "$devise$2a$05$5vGrZc/KQkwXjQFgObV.tejk9zEOoOt9WwIP6brIdf5RQ28ccrQii"},
		{password.Passlib, "$pepper$a" + cheap.Dummy()},
		{password.Passlib, "$wrapped" + cheap.Dummy() + "$plain$-"},
	} {
		if got, err := password.Import(tt.from, tt.value); !errors.Is(err, password.ErrHash) || got != "" {
			t.Errorf("Import(%s, %q) is %q, %v", tt.from, tt.value, got, err)
		}
	}
	if _, err := password.Import("nowhere", "plain$x"); err == nil || errors.Is(err, password.ErrHash) {
		t.Errorf("no such origin: %v", err)
	}
}

// The legacy vectors of pbs and ejudge. ejudge takes white space out before it
// hashes, so a password is right as typed and without.
func TestLegacySpelling(t *testing.T) {
	h := reader(t)
	for _, tt := range []struct {
		from  password.Origin
		value string
		also  bool // without the space too
	}{
		{password.PBS, "sha512$abcdefgh12345678$15ab235b2dbf7cd2e1cd3180f269598db571e8aadd1715fffb4a43f1d650c053727bd1f1586bc3fb5c9c04ac5cb3017cc428454f56f2dca19be4292e5f2e1c66", false},
		{password.PBS, "plain$Secret 1", false},
		{password.EjudgePlain, "Secret1", true},
		{password.EjudgePlain, "Secret 1", false}, // typed and stored before ejudge took space out
		{password.EjudgeBase64, "U2VjcmV0MQ==", true},
		{password.EjudgeSHA1, "2d9b7a3cf465b0dbe74d992a8ae1443496c733b7", true},
		{password.EjudgeSHA256, "AbC+0tYpEfnvAFpiIaDkQa3PeMK2b96RoX7KObQDJ4ueHNU=", true},
	} {
		hash, err := password.Import(tt.from, tt.value)
		if err != nil {
			t.Fatal(err)
		}
		wrapped, err := h.Wrap(t.Context(), hash)
		if err != nil {
			t.Fatal(err)
		}
		for _, hash := range []string{hash, wrapped} {
			for pw, want := range map[string]bool{
				"Secret 1": true, "Secret1": tt.also, "\tSec ret 1\r\n": tt.also, "Secret 2": false, " ": false, "secret1": false,
			} {
				ok, rehash, err := h.Verify(t.Context(), hash, pw)
				if ok != want || rehash != want || err != nil {
					t.Errorf("%s, %q: %v %v %v", hash, pw, ok, rehash, err)
				}
			}
		}
	}
}
