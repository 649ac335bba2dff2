package slapd

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// config is slapd.conf. Passwords are stored as they are.
func (s *Server) config(o Options) (string, error) {
	schema := firstOf("/etc/ldap/schema", "/etc/openldap/schema", "/usr/local/etc/openldap/schema")
	if schema == "" {
		return "", errors.New("slapd has no schema: it should be in /etc/ldap/schema")
	}
	var b strings.Builder
	line := func(words ...string) { b.WriteString(strings.Join(words, " ") + "\n") }
	for _, name := range []string{"core", "cosine", "inetorgperson", "nis"} {
		line("include", filepath.Join(schema, name+".schema"))
	}
	if err := os.WriteFile(s.path("microsoft.schema"), []byte(microsoft), 0o600); err != nil {
		return "", err
	}
	line("include", s.path("microsoft.schema"))
	if modules := firstOf("/usr/lib/ldap", "/usr/lib64/openldap", "/usr/lib/openldap", "/usr/libexec/openldap"); modules != "" {
		line("modulepath", modules)
		for _, name := range []string{"back_mdb", "memberof", "refint", "ppolicy"} {
			if exists(filepath.Join(modules, name+".so")) || exists(filepath.Join(modules, name+".la")) {
				line("moduleload", name)
			}
		}
	}
	line("pidfile", s.path("slapd.pid"))
	line("argsfile", s.path("slapd.args"))
	line("TLSCACertificateFile", s.path("ca.pem"))
	line("TLSCertificateFile", s.path("cert.pem"))
	line("TLSCertificateKeyFile", s.path("key.pem"))
	line("TLSVerifyClient", "try")
	line("threads", "4")
	line(o.Global)
	line("database", "mdb")
	line("suffix", Base)
	line("rootdn", RootDN)
	line("rootpw", `"`+RootPassword+`"`)
	line("directory", s.path("data"))
	line("maxsize", "67108864")
	line("dbnosync")
	line("index", "objectClass,uid,entryUUID,mail,cn,member,memberUid,sAMAccountName", "eq")
	line(`access to attrs=userPassword by self =xw by anonymous auth by * none`)
	line(`access to * by dn.exact="` + ServiceDN + `" read by self read by * none`)
	line(o.Database)
	line("overlay", "memberof")
	line("overlay", "refint")
	line("refint_attributes", "member")
	return b.String(), nil
}

// microsoft is what of Active Directory a test needs: the schema that comes with slapd
// cannot be used beside the overlay for memberOf.
const microsoft = `
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.159 NAME 'accountExpires' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.782 NAME 'objectCategory' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 2.16.840.1.113730.3.1.610 NAME 'nsAccountLock' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 2.16.840.1.113730.3.8.3.1 NAME 'ipaUniqueID' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP top AUXILIARY MAY ( sAMAccountName $ userPrincipalName $ objectGUID $ userAccountControl $ accountExpires $ objectCategory ) )
objectclass ( 2.16.840.1.113730.3.8.4.1 NAME 'ipaObject' SUP top AUXILIARY MAY ( ipaUniqueID $ nsAccountLock ) )
`
