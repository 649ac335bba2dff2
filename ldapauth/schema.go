package ldapauth

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// The places in filters and templates that a value goes into, escaped as it has to be
// there.
const (
	placeName = "{name}" // what was typed
	placeDN   = "{dn}"   // the DN of a person or group
)

// Schema says how people look in a directory. Start from one that there is and
// change what differs:
//
//	people := ldapauth.PosixAccount()
//	people.Filter = "(&(objectClass=posixAccount)(|(uid={name})(mail={name})))"
//	people.Data = map[string]string{"employeeNumber": "staff_number"}
type Schema struct {
	// Filter finds the entry of a person (RFC 4515). {name} is what was typed to sign
	// in; the library escapes it. Who has nothing to do here should not be found; who
	// only may not sign in at present should, see Disabled.
	Filter string

	// Disabled are attributes by which an entry says that nobody is let in by it, each with
	// what it says so by. Then the right password is refused, and a sync disables the user. The
	// service account has to be allowed to read them. Nil: the directory alone refuses.
	Disabled map[string]Condition

	// Everybody finds all of whom Filter finds one, for [Directory.All]. Empty means Filter with
	// * for {name}, so that nobody is missing in one and found by the other.
	Everybody string

	// ID is the attribute with the ID that an entry keeps for good. GUID says that it
	// holds 16 bytes in the order of Microsoft.
	ID   string
	GUID bool

	// Name is the attribute with the name of the account. Where an entry has
	// several, the one that its DN begins with counts, or else the first in order of bytes.
	Name string

	// RealName are the attributes with a person's full name: the first that there is
	// counts. Mail are those with addresses: all count, in this order. Empty: nothing is
	// taken over.
	RealName []string
	Mail     []string

	// Locale is an attribute with a language, as "de-AT" or "de-AT, en;q=0.5" (RFC
	// 2798, section 2.7). Timezone is one with a zone of the IANA database. Empty:
	// nothing is taken over.
	Locale   string
	Timezone string

	// Data are more attributes, each with the key that it has in the Data of the user:
	// a list of strings, always. Nil: none.
	Data map[string]string

	// UnicodePwd says that passwords are changed as Active Directory wants it, and not
	// by the operation of RFC 3062.
	UnicodePwd bool

	// DomainScope asks Active Directory not to refer to its other partitions, in which there
	// are no people, so that what it answers is complete.
	DomainScope bool
}

// PosixAccount is people as Unix systems know them (RFC 2307), by uid. The filter is
// that of the IPFire build service. Disabled is who is locked by an administrator
// (OpenLDAP, 389 Directory Server) or has expired (shadowExpire).
func PosixAccount() Schema {
	return Schema{
		Filter:   "(&(objectClass=posixAccount)(uid={name}))",
		ID:       "entryUUID",
		Name:     "uid",
		RealName: []string{"cn"},
		Mail:     []string{"mail"},
		Locale:   "preferredLanguage",
		Disabled: map[string]Condition{"pwdAccountLockedTime": LockedForGood, "shadowExpire": DayReached, "nsAccountLock": IsTrue},
	}
}

// InetOrgPerson is people of RFC 2798, by uid.
func InetOrgPerson() Schema {
	s := PosixAccount()
	s.Filter = "(&(objectClass=inetOrgPerson)(uid={name}))"
	s.RealName = []string{"displayName", "cn"}
	return s
}

// ActiveDirectory is the users of Active Directory, by sAMAccountName ("ann") or
// userPrincipalName ("ann@corp.example.org"). Disabled is who is, or has expired.
func ActiveDirectory() Schema {
	return Schema{
		Filter:      "(&(objectCategory=person)(objectClass=user)(|(sAMAccountName={name})(userPrincipalName={name})))",
		Disabled:    map[string]Condition{"userAccountControl": AccountDisabled, "accountExpires": FileTimeReached},
		ID:          "objectGUID",
		GUID:        true,
		Name:        "sAMAccountName",
		RealName:    []string{"displayName", "cn"},
		Mail:        []string{"mail"},
		Locale:      "preferredLanguage",
		UnicodePwd:  true,
		DomainScope: true,
	}
}

// FreeIPA is the users of FreeIPA, by uid. Disabled is who is (nsAccountLock). Groups there are
// those of [MemberOf], nested ones with them.
func FreeIPA() Schema {
	s := PosixAccount()
	s.Disabled = map[string]Condition{"nsAccountLock": IsTrue}
	s.ID = "ipaUniqueID"
	s.RealName = []string{"displayName", "cn"}
	return s
}

// Groups says which groups of the directory mean something, and how those of a
// person are found. The zero Groups asks for none.
type Groups struct {
	// Map are the groups that mean something, by DN, each with the name of the group of
	// roster whose members are kept by it (see [roster.DirectoryGroups]):
	//
	//	"cn=staff,ou=groups,dc=example,dc=org": "staff",
	//
	// What is not in it is never told, and with nothing in it nothing is asked. A DN may be
	// spelt in any way; Identity.Groups has it as it stands here.
	Map map[string]string

	// MemberOf is the attribute of a person, and of a group, that lists the groups
	// around them. Empty: there is none.
	MemberOf string

	// Base and Filter look for the groups around somebody, or around a group: {dn} is theirs,
	// {name} the person's name, both escaped. Without a Filter nothing is looked for.
	Base   string
	Filter string

	// Nested goes on from each group to those around it, as a client has to where
	// the server does not do so itself. Groups that contain each other do no harm.
	Nested bool

	byKey map[string]string // the DNs in Map, by dnKey
}

// MemberOf is groups as an attribute of people lists them: the overlay of OpenLDAP,
// Active Directory without nested groups, FreeIPA with them.
func MemberOf(groups map[string]string) Groups {
	return Groups{Map: groups, MemberOf: "memberOf"}
}

// GroupOfNames is groups that list the DNs of members (RFC 4519, section 3.5), nested ones included.
func GroupOfNames(base string, groups map[string]string) Groups {
	return Groups{Map: groups, Base: base, Filter: "(|(member={dn})(uniqueMember={dn}))", Nested: true}
}

// PosixGroup is groups that list the names of members (RFC 2307).
func PosixGroup(base string, groups map[string]string) Groups {
	return Groups{Map: groups, Base: base, Filter: "(&(objectClass=posixGroup)(memberUid={name}))"}
}

// ActiveDirectoryGroups is the groups of Active Directory, nested ones included: the
// server follows them itself, by LDAP_MATCHING_RULE_IN_CHAIN.
func ActiveDirectoryGroups(base string, groups map[string]string) Groups {
	return Groups{Map: groups, Base: base, Filter: "(member:1.2.840.113556.1.4.1941:={dn})"}
}

// attribute is a name, or an OID, with or without options (RFC 4512, section 2.5).
var attribute = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*|[0-9]+(\.[0-9]+)+)(;[A-Za-z0-9-]+)*$`)

func checkAttribute(name string) error {
	if len(name) > 256 || !attribute.MatchString(name) {
		return errors.New("is no name of an attribute")
	}
	return nil
}

// check lists what is wrong with the schema, and fills in what follows from the rest.
func (s *Schema) check(wrong func(option string, err error)) {
	s.RealName, s.Mail, s.Data = slices.Clone(s.RealName), slices.Clone(s.Mail), maps.Clone(s.Data)
	wrong("Schema.Filter", checkFilter(s.Filter, placeName))
	if s.Everybody == "" {
		s.Everybody = strings.ReplaceAll(s.Filter, placeName, "*")
		if strings.Contains(s.Filter, ":="+placeName) {
			wrong("Schema.Everybody", errors.New("must be set: a rule in Filter knows no *"))
		}
	}
	if strings.Contains(s.Everybody, placeName) {
		wrong("Schema.Everybody", errors.New("is not about one name"))
	}
	if s.Filter != "" {
		wrong("Schema.Everybody", checkFilter(s.Everybody))
	}
	wrong("Schema.ID", checkAttribute(s.ID))
	wrong("Schema.Name", checkAttribute(s.Name))
	for _, name := range s.RealName {
		wrong("Schema.RealName", checkAttribute(name))
	}
	for _, name := range s.Mail {
		wrong("Schema.Mail", checkAttribute(name))
	}
	if s.Locale != "" {
		wrong("Schema.Locale", checkAttribute(s.Locale))
	}
	if s.Timezone != "" {
		wrong("Schema.Timezone", checkAttribute(s.Timezone))
	}
	s.Disabled = maps.Clone(s.Disabled)
	for _, name := range slices.Sorted(maps.Keys(s.Disabled)) {
		wrong("Schema.Disabled", checkAttribute(name))
		if s.Disabled[name] == nil {
			wrong("Schema.Disabled", errors.New("needs a condition for each attribute"))
		}
	}
	keys := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(s.Data)) {
		wrong("Schema.Data", checkAttribute(name))
		if key := s.Data[name]; key == "" || len(key) > maxKey || keys[key] {
			wrong("Schema.Data", errors.New("needs a key for each attribute, and another one for each"))
		}
		keys[s.Data[name]] = true
	}
}

// check lists what is wrong with the groups.
func (g *Groups) check(wrong func(option string, err error)) {
	g.Map = maps.Clone(g.Map)
	g.byKey = make(map[string]string, len(g.Map))
	for _, dn := range slices.Sorted(maps.Keys(g.Map)) {
		key, err := dnKey(dn)
		switch {
		case err != nil || key == "":
			wrong("Groups.Map", errors.New("has a key that is no DN"))
		case g.byKey[key] != "":
			wrong("Groups.Map", errors.New("has a group twice"))
		case g.Map[dn] == "" || len(g.Map[dn]) > maxKey:
			wrong("Groups.Map", errors.New("needs a name for each group"))
		}
		g.byKey[key] = dn
	}
	if g.MemberOf != "" {
		wrong("Groups.MemberOf", checkAttribute(g.MemberOf))
	}
	if g.Filter != "" {
		places := []string{placeDN}
		if strings.Contains(g.Filter, placeName) && !strings.Contains(g.Filter, placeDN) {
			places = []string{placeName}
		}
		wrong("Groups.Filter", checkFilter(g.Filter, places...))
		wrong("Groups.Base", checkBase(g.Base))
	}
	switch {
	case len(g.Map) > 0 && g.MemberOf == "" && g.Filter == "":
		wrong("Groups", errors.New("need MemberOf or Filter to be found"))
	case g.Nested && g.MemberOf == "" && !strings.Contains(g.Filter, placeDN):
		wrong("Groups.Nested", fmt.Errorf("needs MemberOf, or %s in Filter", placeDN))
	}
}

// checkFilter refuses what the library cannot compile, or what lacks a place.
func checkFilter(filter string, places ...string) error {
	for _, place := range places {
		if !strings.Contains(filter, place) {
			return fmt.Errorf("must contain %s", place)
		}
	}
	if len(filter) > 8192 {
		return errors.New("is too long")
	}
	if _, err := ldap.CompileFilter(fill(filter, "a", "cn=a")); err != nil {
		return errors.New("is no filter (RFC 4515)")
	}
	return nil
}

// fill puts values into a filter. They can be nothing but values there: what
// has a meaning in a filter is escaped by the library (RFC 4515, section 3).
func fill(filter, name, dn string) string {
	return strings.NewReplacer(placeName, ldap.EscapeFilter(name), placeDN, ldap.EscapeFilter(dn)).Replace(filter)
}
