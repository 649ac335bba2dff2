package slapd

import (
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// Person is somebody of ou=people, as inetOrgPerson and posixAccount. More are
// attributes besides, or instead: without values there is none.
func Person(uid, password string, more map[string][]string) *ldap.Entry {
	a := map[string][]string{
		"objectClass":   {"inetOrgPerson", "posixAccount"},
		"uid":           {uid},
		"cn":            {uid + " Example"},
		"sn":            {"Example"},
		"mail":          {uid + "@example.org"},
		"userPassword":  {password},
		"uidNumber":     {"1000"},
		"gidNumber":     {"1000"},
		"homeDirectory": {"/home/" + uid},
	}
	for name, values := range more {
		if a[name] = values; len(values) == 0 {
			delete(a, name)
		}
	}
	return ldap.NewEntry(PersonDN(uid), a)
}

// PersonDN is the DN of a [Person].
func PersonDN(uid string) string { return "uid=" + ldap.EscapeDN(uid) + ",ou=people," + Base }

// Group is a groupOfNames of ou=groups.
func Group(cn string, members ...string) *ldap.Entry {
	return ldap.NewEntry(GroupDN(cn), map[string][]string{"objectClass": {"groupOfNames"}, "cn": {cn}, "member": members})
}

// GroupDN is the DN of a [Group].
func GroupDN(cn string) string { return "cn=" + ldap.EscapeDN(cn) + ",ou=groups," + Base }

// People are n persons, named "user0001" and on, each with the name as the password.
func People(n int) (all []*ldap.Entry) {
	for i := range n {
		all = append(all, Person(Name(i), Name(i), nil))
	}
	return all
}

// Name is that of the person with the index i in [People].
func Name(i int) string { return fmt.Sprintf("user%04d", i+1) }
