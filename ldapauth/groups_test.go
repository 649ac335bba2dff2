package ldapauth_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/internal/slapdtest"
	"github.com/go-roster/roster/ldapauth"
)

// Groups that are nested, contain each other, or are in no list.
func TestGroups(t *testing.T) {
	o := company()
	group := func(name string, members ...string) { o.Groups = append(o.Groups, slapd.Group(name, members...)) }
	group("team", slapd.PersonDN("ann"), slapd.GroupDN("ring1"))
	group("staff", slapd.GroupDN("team"))
	group("ring1", slapd.GroupDN("ring2"))
	group("ring2", slapd.GroupDN("ring3"), slapd.PersonDN("user0001"))
	group("ring3", slapd.GroupDN("ring1"))
	group("secret", slapd.PersonDN("ann"))
	for i := range 200 {
		group(fmt.Sprintf("many%03d", i), slapd.PersonDN("user0002"))
	}
	s := slapdtest.Start(t, o)

	const upper = "CN=Staff, OU=groups,DC=example,DC=org" // in whatever spelling
	names := map[string]string{
		slapd.GroupDN("team"): "team", upper: "employees", slapd.GroupDN("ring3"): "ring", slapd.GroupDN("many150"): "many",
	}
	nested := ldapauth.MemberOf(names)
	nested.Nested = true
	base := "ou=groups," + slapd.Base
	flat := ldapauth.GroupOfNames(base, names)
	flat.Nested = false
	for name, groups := range map[string]ldapauth.Groups{
		"memberOf": ldapauth.MemberOf(names), "memberOf nested": nested, "search": flat, "search nested": ldapauth.GroupOfNames(base, names),
	} {
		t.Run(name, func(t *testing.T) {
			o := slapdtest.Options(s)
			o.Groups, o.PageSize = groups, 50
			d := slapdtest.New(t, o)
			if diff := cmp.Diff(names, d.GroupNames()); diff != "" {
				t.Error(diff)
			}
			want := map[string][]string{"ann": {slapd.GroupDN("team")}, "user0001": nil, "user0002": {slapd.GroupDN("many150")}, "user0003": nil}
			if groups.Nested {
				want["ann"] = []string{upper, slapd.GroupDN("team")}
				want["user0001"] = []string{upper, slapd.GroupDN("ring3"), slapd.GroupDN("team")}
			}
			ids, err := all(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string][]string{}
			for _, id := range ids {
				got[id.Name] = id.Groups
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("All: %s", diff)
			}
			for name, password := range map[string]string{"ann": "correct horse", "user0001": "user0001", "user0002": "user0002"} {
				id, err := d.Authenticate(t.Context(), name, password)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want[name], id.Groups); diff != "" {
					t.Errorf("Authenticate %s: %s", name, diff)
				}
			}
		})
	}
}
