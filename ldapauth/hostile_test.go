package ldapauth_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/internal/slapdtest"
	"github.com/go-roster/roster/ldapauth"
)

// rounds is how many there are in make test, and in make soak.
func rounds(short, soak int) int {
	if os.Getenv("ROSTER_SOAK") != "" {
		return soak
	}
	return short
}

// What people type who want in: pieces of filters, of DNs, of BER, wildcards, and names that
// there are.
var pieces = []string{
	"ann", "ben", "*", "(", ")", "&", "|", "!", "=", "~=", ">=", ":=", "\\", "\\2a", "\\28", "\\00", "\x00", "\x01", ",", "+", ";", "#",
	"\"", "<", ">", " ", "\u00a0", "{name}", "{dn}", "%s", "uid=", "cn=root", slapd.Base, slapd.RootDN, slapd.ServiceDN, slapd.PersonDN("ann"),
	"*)(uid=*", "ann)(objectClass=*", "ann)(|(uid=*", "*)(&", "objectClass=*", "memberOf", "@example.org", "ä", "a\u0308", "ß", "İ", "\xff",
	"\xc0\x80", "\u202e", "ﬀ", "０", "'", "--", "\r\n", "\t", "0\x84\x7f\xff\xff\xff", "\x30\x80", "correct", "wrong",
}

func hostile(r *rand.Rand) string {
	if r.IntN(20) == 0 {
		return ""
	}
	var b strings.Builder
	for range 1 + r.IntN(5) {
		if r.IntN(4) == 0 {
			b.WriteByte(byte(r.Uint32()))
		} else {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
	}
	if r.IntN(500) == 0 {
		return strings.Repeat(b.String(), 200)
	}
	return b.String()
}

// Nobody gets in by a clever name or password, at a server that takes an empty password for an
// anonymous bind: not one of a hundred thousand. Nobody gets an outage either.
func TestHostile(t *testing.T) {
	o := company()
	o.Entries = append(o.Entries, slapd.Person("ben", "staple battery", nil))
	s := slapdtest.Start(t, o)
	search := slapdtest.Options(s)
	either := search
	either.Schema.Filter = "(|(uid={name})(mail={name})(cn={name}))"
	direct := search
	direct.BindName = "uid={name},ou=people," + slapd.Base
	groups := search
	groups.Groups = ldapauth.GroupOfNames(slapd.Base, map[string]string{slapd.GroupDN("staff"): "staff"})
	directories := []*ldapauth.Directory{
		slapdtest.New(t, search), slapdtest.New(t, either), slapdtest.New(t, direct), slapdtest.New(t, groups),
	}
	var asked, refused atomic.Int64
	var wait sync.WaitGroup
	const workers = 8
	for w := range workers {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 5))
			for range rounds(4000, 100_000) / workers {
				name, password := hostile(r), hostile(r)
				switch r.IntN(4) {
				case 0:
					name = "ann"
				case 1:
					password = ""
				}
				asked.Add(1)
				id, err := directories[r.IntN(len(directories))].Authenticate(t.Context(), name, password)
				if id != nil || err == nil {
					t.Errorf("%q with %q is %v", name, password, id)
				}
				if errors.Is(err, roster.ErrCredentials) || errors.Is(err, roster.ErrUnknownUser) {
					refused.Add(1)
				} else {
					t.Errorf("%q with %q: %v %v", name, password, err, errors.Unwrap(errors.Unwrap(err)))
				}
			}
		})
	}
	wait.Wait()
	t.Logf("%d sign-ins, %d refused", asked.Load(), refused.Load())
	for _, d := range directories {
		if _, err := d.Authenticate(t.Context(), "ann", "correct horse"); err != nil {
			t.Error(err)
		}
	}
}

// Every byte in a name means itself: in a filter it finds who is called so, and nobody
// else.
func TestNames(t *testing.T) {
	names := []string{"a(b)", "a*b", `a\b`, `a\2ab`, "a,b", "a+b", `a"b`, "a=b", "#ab", "a;b", "a<b>", "äb", "a  b c", "{name}", "{dn}", "%s", "a/b", "@"}
	o := slapd.Options{}
	for _, name := range names {
		o.Entries = append(o.Entries, slapd.Person(name, "secret of "+name, nil))
	}
	s := slapdtest.Start(t, o)
	opts := slapdtest.Options(s)
	for _, template := range []string{"", "uid={name},ou=people," + slapd.Base} {
		opts.BindName = template
		d := slapdtest.New(t, opts)
		for _, name := range names {
			id, err := d.Authenticate(t.Context(), name, "secret of "+name)
			if err != nil || id.Name != name {
				t.Errorf("%q: %v %v", name, id, err)
			}
			for b := range 256 {
				other := "a" + string([]byte{byte(b)})
				if id, err := d.Authenticate(t.Context(), other, "secret of "+name); err == nil {
					t.Errorf("%q is %q", other, id.Name)
				}
			}
		}
	}
}

// Servers take many spellings for the same name. Whoever that is, is one person with one
// name.
func TestSpellings(t *testing.T) {
	s := slapdtest.Start(t, company())
	d := slapdtest.New(t, slapdtest.Options(s))
	subjects := map[string]bool{}
	signedIn := 0
	for _, name := range []string{"ann", "ANN", "Ann", "aNN", "ann ", " ann", "  ann  ", "ａｎｎ", "ＡＮＮ", "Aｎn"} {
		id, err := d.Authenticate(t.Context(), name, "correct horse")
		if errors.Is(err, roster.ErrUnknownUser) {
			continue
		}
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		signedIn++
		subjects[id.Subject+" "+id.Name] = true
	}
	if len(subjects) != 1 || signedIn < 5 {
		t.Errorf("%d spellings are %v", signedIn, subjects)
	}
}

// Nothing that cannot be a password, or a name, is sent anywhere.
func TestNothingSent(t *testing.T) {
	s := startScripted(t, nil, nil)
	d := slapdtest.New(t, plain(s))
	for _, password := range []string{"", "\x00", "pw\x00", "\x00pw", strings.Repeat("x", 4097)} {
		refuses(t, d, "ann", password, roster.ErrCredentials)
	}
	for _, name := range []string{"", "ann\x00", "an\xff", "ann\n", "a\x7f", strings.Repeat("x", 1025)} {
		refuses(t, d, name, annsSecret, roster.ErrUnknownUser)
	}
	if n := s.conns.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}
