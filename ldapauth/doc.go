// Package ldapauth signs people in against an LDAP directory: OpenLDAP, Active
// Directory, FreeIPA, 389 Directory Server and others that speak RFC 4511. A
// [Directory] is a [roster.Directory] for [roster.Options].Directories:
//
//	corp, err := ldapauth.New(ldapauth.Options{
//		ID:              "corp",
//		URLs:            []string{"ldaps://ldap1.example.org", "ldaps://ldap2.example.org"},
//		Base:            "ou=people,dc=example,dc=org",
//		ServiceDN:       "cn=roster,ou=services,dc=example,dc=org",
//		ServicePassword: roster.NewSecret(os.Getenv("LDAP_PASSWORD")),
//		Schema:          ldapauth.PosixAccount(),
//	})
//
// # How somebody is signed in
//
// The service account looks for the one entry that the name means. Then the
// password is tried by binding as that entry, on another connection, and a server that is new
// to it is asked who it thinks is there (RFC 4532): nobody is let in as "anonymous". An
// empty password, which many servers take for an anonymous bind and answer with
// success (RFC 4513, section 5.1.2), never leaves the program. Two entries for a name
// are nobody. With [Options].BindName the name is made into a DN and
// bound at once, without a service account.
//
// Whoever that is has the entry's immutable ID (entryUUID, objectGUID) and the
// name that stands in the entry, not the one that was typed: servers take "ALICE",
// "alice " and full-width letters for the same.
//
// # What fails
//
// An outage is never an answer. What the server does not answer as it should, in
// time and over a verified connection, is a [roster.UnavailableError]; so is every
// result that is not known to speak of the password. Referrals are never
// followed. No error or log line of this package holds a name, a DN, a password or
// what the server said: an [Error] has the stage, the result code, and the three
// or so hexadecimal digits by which Active Directory tells why.
package ldapauth
