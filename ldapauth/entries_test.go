package ldapauth_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/internal/slapdtest"
	"github.com/go-roster/roster/ldapauth"
)

// Two entries for a name are nobody, whether the server sends both or says that there are
// more; an alias and a referral are nobody at all.
func TestAmbiguous(t *testing.T) {
	o := company()
	o.Entries = append(o.Entries,
		slapd.Person("twin", "first", map[string][]string{"mail": {"ann@example.org"}}),
		slapd.Person("other", "second", map[string][]string{"uid": {"other", "twin", "twin2"}}),
		slapd.Person("zoe", "zoe's", map[string][]string{"uid": {"zoe", "another"}}),
		slapd.Person("third", "third", map[string][]string{"uid": {"third", "twin"}}),
		ldap.NewEntry("uid=alias,ou=people,"+slapd.Base, map[string][]string{
			"objectClass": {"alias", "extensibleObject", "posixAccount"}, "uid": {"alias"}, "aliasedObjectName": {slapd.PersonDN("ann")},
			"cn": {"alias"}, "uidNumber": {"1"}, "gidNumber": {"1"}, "homeDirectory": {"/"},
		}),
	)
	trap := startScripted(t, nil, nil)
	o.Entries = append(o.Entries, ldap.NewEntry("ou=elsewhere,ou=people,"+slapd.Base, map[string][]string{
		"objectClass": {"referral", "extensibleObject"}, "ou": {"elsewhere"}, "ref": {"ldap://" + trap.addr + "/" + slapd.Base},
	}))
	s := slapdtest.Start(t, o)
	d := slapdtest.New(t, slapdtest.Options(s))
	for _, password := range []string{"first", "second", "third"} {
		_, err := d.Authenticate(t.Context(), "twin", password)
		checkError(t, err, ldapauth.StageSearch, ldap.LDAPResultSizeLimitExceeded, ldapauth.ReasonAmbiguous)
		refuses(t, d, "twin", password, roster.ErrCredentials)
	}
	refuses(t, d, "alias", "correct horse", roster.ErrCredentials)
	for name, password := range map[string]string{"other": "second", "twin2": "second", "ann": "correct horse", "another": "zoe's"} {
		id, err := d.Authenticate(t.Context(), name, password) // beside the referral
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if want := strings.NewReplacer("twin2", "other", "another", "zoe").Replace(name); id.Name != want {
			t.Errorf("%s is %s", name, id.Name)
		}
	}
	mail := slapdtest.Options(s)
	mail.Schema.Filter = "(|(uid={name})(mail={name}))"
	_, err := slapdtest.New(t, mail).Authenticate(t.Context(), "ann@example.org", "correct horse")
	checkError(t, err, ldapauth.StageSearch, 0, ldapauth.ReasonAmbiguous)
	if n := trap.conns.Load(); n != 0 {
		t.Errorf("%d connections where the referral leads", n)
	}
}

// A search by a sign-in is bounded, follows nothing, and asks for what it needs.
func TestRequest(t *testing.T) {
	s := startScripted(t, nil, nil)
	o := plain(s)
	o.Schema.Data = map[string]string{"employeeNumber": "staff_number"}
	if _, err := slapdtest.New(t, o).Authenticate(t.Context(), "a*n", annsSecret); err != nil {
		t.Fatal(err)
	}
	var search *ber.Packet
	for _, r := range s.requests {
		if op(r) == ldap.ApplicationSearchRequest {
			search = r.Children[1]
		}
	}
	filter, err := ldap.DecompileFilter(search.Children[6])
	if err != nil {
		t.Fatal(err)
	}
	var attributes []string
	for _, a := range search.Children[7].Children {
		attributes = append(attributes, a.Data.String())
	}
	got := []any{search.Children[0].Data.String(), filter, attributes}
	for _, n := range search.Children[1:5] {
		got = append(got, n.Value)
	}
	want := []any{
		slapd.Base, `(&(objectClass=posixAccount)(uid=a\2an))`,
		[]string{"cn", "employeeNumber", "entryUUID", "mail", "nsAccountLock", "preferredLanguage", "pwdAccountLockedTime", "shadowExpire", "uid"},
		int64(ldap.ScopeWholeSubtree), int64(ldap.NeverDerefAliases), int64(2), int64(60),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Attributes that are missing, huge, many, or not text: the person gets in, without what cannot be
// taken over; but without an ID or a name there is nobody.
func TestAttributes(t *testing.T) {
	many := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("a%d@example.org", i))
		}
		return all
	}
	for name, test := range map[string]struct {
		attributes map[string][]string
		want       *roster.Identity
		reason     ldapauth.Reason
		refused    bool
	}{
		"nothing but what is needed": {map[string][]string{}, &roster.Identity{}, "", false},
		"in other cases":             {map[string][]string{"CN": {" Ann "}, "MAIL": {"a@b"}}, &roster.Identity{RealName: "Ann", Emails: []string{"a@b"}}, "", false},
		"markup":                     {map[string][]string{"cn": {"<script>"}}, &roster.Identity{RealName: "<script>"}, "", false},
		"no text":                    {map[string][]string{"cn": {"\xff", "a\r\nb", "Ann"}, "mail": {"\x00", "", "x\ny@b"}}, &roster.Identity{RealName: "Ann"}, "", false},
		"a long name":                {map[string][]string{"cn": {strings.Repeat("x", 1025)}}, &roster.Identity{}, "", false},
		"many mails":                 {map[string][]string{"mail": many(10_000)}, &roster.Identity{Emails: many(50)}, "", false},
		"the same mail":              {map[string][]string{"mail": {"a@b", "a@b"}}, &roster.Identity{Emails: []string{"a@b"}}, "", false},
		"10 MB":                      {map[string][]string{"cn": {strings.Repeat("x", 10_000_000)}}, nil, ldapauth.ReasonTooBig, false},
		"100,000 mails":              {map[string][]string{"mail": many(100_000)}, nil, ldapauth.ReasonTooBig, false},
		"no ID":                      {map[string][]string{"entryUUID": nil}, nil, ldapauth.ReasonNoID, false},
		"two IDs":                    {map[string][]string{"entryUUID": {annID, annID}}, nil, ldapauth.ReasonNoID, false},
		"an endless ID":              {map[string][]string{"entryUUID": {strings.Repeat("x", 256)}}, nil, ldapauth.ReasonNoID, false},
		"no name":                    {map[string][]string{"uid": nil}, nil, ldapauth.ReasonNoName, true},
		"an endless name":            {map[string][]string{"uid": {strings.Repeat("x", 256)}}, nil, ldapauth.ReasonNoName, true},
		"a name that is no text":     {map[string][]string{"uid": {"\xff"}}, nil, ldapauth.ReasonNoName, true},
		"an ID in capitals":          {map[string][]string{"entryUUID": {strings.ToUpper(annID)}}, &roster.Identity{}, "", false},
		"languages":                  {map[string][]string{"preferredLanguage": {"en;q=0.3, fr;q=0.9,*;q=1"}}, &roster.Identity{Locale: "fr"}, "", false},
		"no languages":               {map[string][]string{"preferredLanguage": {";;,q=x"}}, &roster.Identity{}, "", false},
		"data":                       {map[string][]string{"employeeType": {"b", "\xff", "a"}}, &roster.Identity{Data: roster.Data{"type": []byte(`["b","a"]`)}}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			attributes := map[string][]string{"uid": {"ann"}, "entryUUID": {annID}}
			for name, values := range test.attributes {
				attributes[name] = values
			}
			s := startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
				if op(r) != ldap.ApplicationSearchRequest {
					return false
				}
				id := r.Children[0].Value.(int64)
				p.send(entry(id, annDN, attributes), result(id, ldap.ApplicationSearchResultDone, 0, ""))
				return true
			})
			o := plain(s)
			o.Schema.Data = map[string]string{"employeeType": "type"}
			got, err := slapdtest.New(t, o).Authenticate(t.Context(), "ann", annsSecret)
			switch {
			case test.refused:
				refuses(t, slapdtest.New(t, o), "ann", annsSecret, roster.ErrCredentials)
				checkError(t, err, ldapauth.StageEntry, 0, test.reason)
			case test.want == nil:
				stage := ldapauth.StageEntry
				if test.reason == ldapauth.ReasonTooBig {
					stage = ldapauth.StageSearch
				}
				checkReason(t, err, stage, 0, test.reason)
			default:
				want := test.want
				want.Provider, want.Subject, want.DN, want.Name = "corp", annID, annDN, "ann"
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(err, diff)
				}
			}
		})
	}
}

// The bytes of an objectGUID are in the order of Microsoft.
func TestActiveDirectory(t *testing.T) {
	guid := []byte{0x3e, 0x9c, 0x6e, 0x0b, 0x52, 0x4a, 0x4e, 0x4c, 0x8a, 0x6f, 0x6a, 0x1f, 0x6c, 0x1d, 0x9a, 0x11} // annID
	user := func(name, control string, guid []byte) *ldap.Entry {
		return slapd.Person(name, "secret", map[string][]string{
			"objectClass": {"inetOrgPerson", "posixAccount", "user"}, "sAMAccountName": {strings.ToUpper(name)}, "objectCategory": {"person"},
			"userPrincipalName": {name + "@corp.example.org"}, "objectGUID": {string(guid)}, "userAccountControl": {control},
		})
	}
	s := slapdtest.Start(t, slapd.Options{Entries: []*ldap.Entry{
		user("ann", "512", guid), user("gone", "514", bytes.Repeat([]byte{1}, 16)), user("odd", "512", []byte("short")),
	}})
	o := slapdtest.Options(s)
	o.Schema = ldapauth.ActiveDirectory()
	d := slapdtest.New(t, o)
	for _, name := range []string{"ann", "ANN", "ann@corp.example.org"} {
		id, err := d.Authenticate(t.Context(), name, "secret")
		if err != nil {
			t.Fatal(err)
		}
		if id.Subject != annID || id.Name != "ANN" {
			t.Errorf("%s is %s, %s", name, id.Subject, id.Name)
		}
	}
	refuses(t, d, "gone", "secret", roster.ErrCredentials)
	if id, err := d.Find(t.Context(), annID); err != nil || id.Subject != annID || id.Name != "ANN" || id.Disabled {
		t.Error(id, err)
	}
	_, err := d.Authenticate(t.Context(), "odd", "secret")
	checkReason(t, err, ldapauth.StageEntry, 0, ldapauth.ReasonNoID)
}

func TestFreeIPA(t *testing.T) {
	user := func(name string, more map[string][]string) *ldap.Entry {
		more["objectClass"] = []string{"inetOrgPerson", "posixAccount", "ipaObject"}
		more["displayName"] = []string{"Ann E."}
		more["ipaUniqueID"] = []string{name + "-id"}
		return slapd.Person(name, "secret", more)
	}
	s := slapdtest.Start(t, slapd.Options{Entries: []*ldap.Entry{
		user("ann", map[string][]string{}), user("gone", map[string][]string{"nsAccountLock": {"TRUE"}}),
	}})
	o := slapdtest.Options(s)
	o.Schema = ldapauth.FreeIPA()
	d := slapdtest.New(t, o)
	id, err := d.Authenticate(t.Context(), "ann", "secret")
	if err != nil || id.Subject != "ann-id" || id.RealName != "Ann E." {
		t.Error(id, err)
	}
	refuses(t, d, "gone", "secret", roster.ErrCredentials)
	if ids, err := all(t.Context(), d); err != nil || len(ids) != 2 || ids[0].Disabled == ids[1].Disabled {
		t.Error(ids, err)
	}
	if id, err := d.Find(t.Context(), "gone-id"); err != nil || !id.Disabled {
		t.Error(id, err)
	}
}
