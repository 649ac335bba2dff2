package ldapauth

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// Whatever passes is one message to the library too, if it reads it, with the result that was
// seen.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{
		"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00", "\x30\x0c\x02\x01\x02\x65\x07\x0a\x01\x31\x04\x00\x04\x00",
		"\x30\x16\x02\x01\x03\x64\x11\x04\x01a\x30\x0c\x30\x0a\x04\x02cn\x31\x04\x04\x02hi", "\x30\x80\x02\x01\x01\x61\x00\x00\x00",
		"\x30\x05\x02\x01\x01\x61\x00", "\x30\x84\xff\xff\xff\xff", "\x30\x06\x02\x04\xff\xff\xff\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		text, err := readMessage(bytes.NewReader(in), minMaxMessage)
		if err != nil {
			return
		}
		if !bytes.HasPrefix(in, text) {
			t.Fatalf("%x is not what was sent", text)
		}
		m, err := parseMessage(text)
		if err != nil {
			return
		}
		rest := bytes.NewReader(text)
		packet, err := ber.ReadPacket(rest)
		if err != nil { // it is of no type that the library knows: an error there
			return
		}
		if rest.Len() > 0 {
			t.Fatalf("%d bytes left", rest.Len())
		}
		if id, ok := packet.Children[0].Value.(int64); !ok || id != m.id {
			t.Errorf("id %v is %d", packet.Children[0].Value, m.id)
		}
		switch m.reply {
		case replyBind, replySearch, replyModify, replyExtended:
			if err := ldap.GetLDAPError(packet); err == nil && m.code != 0 {
				t.Errorf("%d is success", m.code)
			}
		}
	})
}

// Whatever a name is, it is one value in a DN, and stands for itself in a filter.
func FuzzName(f *testing.F) {
	for _, seed := range []string{"ann", " ann ", "#a", "a,b=c", `a\`, "a+b", "\x00", "ä", "*)(uid=*", "{dn}", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" || !utf8.ValidString(name) {
			return
		}
		dn, err := ldap.ParseDN(bindName("uid={name},ou=people,dc=example", name))
		if err != nil || len(dn.RDNs) != 3 || len(dn.RDNs[0].Attributes) != 1 || dn.RDNs[0].Attributes[0].Value != name {
			t.Errorf("%q: %v %v", name, dn, err)
		}
		packet, err := ldap.CompileFilter(fill("(&(a=b)(uid={name})(c={dn}))", name, name))
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if len(packet.Children) != 3 || packet.Children[1].Tag != ldap.FilterEqualityMatch || packet.Children[2].Tag != ldap.FilterEqualityMatch {
			t.Fatalf("%q is no value", name)
		}
		for _, part := range packet.Children[1:] {
			if got := part.Children[1].Data.String(); got != name {
				t.Errorf("%q is %q", name, got)
			}
		}
	})
}

// DNs are the same in whatever spelling.
func TestDNKey(t *testing.T) {
	want, err := dnKey("cn=Ann Example+uid=ann,ou=people,dc=example,dc=org")
	if err != nil {
		t.Fatal(err)
	}
	for _, dn := range []string{
		"UID=ANN+CN=ann example, OU=People, DC=example,DC=org", `cn=Ann\20Example+uid=ann,ou=people,dc=example,dc=org`, "cn=Ann   Example +uid=ann,ou=people,dc=example,dc=org",
	} {
		if key, err := dnKey(dn); err != nil || key != want {
			t.Errorf("%q: %q %v", dn, key, err)
		}
	}
	for _, dn := range []string{"cn=Ann Example,uid=ann,ou=people,dc=example,dc=org", "cn=AnnExample+uid=ann,ou=people,dc=example,dc=org"} {
		if key, err := dnKey(dn); err != nil || key == want {
			t.Errorf("%q: %q %v", dn, key, err)
		}
	}
}

func TestUnicodePwd(t *testing.T) {
	if got := unicodePwd("ä𝄞"); got != "\"\x00\xe4\x00\x34\xd8\x1e\xdd\"\x00" {
		t.Errorf("%q", got)
	}
}

// What is no whole part of the values is none.
func TestValuesOf(t *testing.T) {
	for name, want := range map[string]struct {
		n, from, next int
		ok            bool
	}{
		"memberOf": {2, 0, 0, true}, "MEMBEROF;Range=0-1": {2, 0, 2, true}, "memberOf;range=5-*": {2, 5, 0, true}, "memberOf;range=7-8": {2, 7, 9, true},
		"memberOf;range=0-2": {}, "memberOf;range=1-0": {}, "memberOf;range=-1-0": {}, "memberOf;range=a-b": {}, "memberOf;range=": {}, "memberOf;range=0": {},
		"memberOfOther": {0, 0, 0, true}, "memberOf;lang-de": {0, 0, 0, true},
	} {
		e := ldap.NewEntry("cn=a", map[string][]string{"cn": {"a"}, name: {"x", "y"}})
		values, from, next, ok := valuesOf(e, "memberOf")
		if len(values) != want.n || from != want.from || next != want.next || ok != want.ok {
			t.Errorf("%s: %d values from %d, next %d, %v", name, len(values), from, next, ok)
		}
	}
}

func TestVisible(t *testing.T) {
	for password, want := range map[string]bool{
		"": false, " ": false, "\t \n": false, "\u00ad\u200b\ufeff": false, "\xff": false, "\u3000": false, "a": true, " a ": true, "ü": true, "-": true, "€": true, "漢": true,
	} {
		if visible(password) != want {
			t.Errorf("%+q", password)
		}
	}
	for dn, want := range map[string]string{
		"uid=ann,ou=people,dc=x": "ou=people,dc=x", "uid=a\\,b+cn=c,dc=x": "dc=x", "dc=x": "", "ann@corp.example": "@corp.example", "ann": "@",
	} {
		if got := placeOf(dn); got != want {
			t.Errorf("%s: %q", dn, got)
		}
	}
}
