package ldapauth

import (
	"errors"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// dnKey is the form in which DNs are compared: that of RFC 4514, without
// difference of case and of spaces in a row. It is no DN to send.
func dnKey(dn string) (string, error) {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return "", errors.New("is no DN (RFC 4514)")
	}
	for _, rdn := range parsed.RDNs {
		for _, a := range rdn.Attributes {
			a.Value = strings.ToLower(strings.Join(strings.Fields(a.Value), " "))
		}
	}
	return parsed.String(), nil
}

// checkBase refuses what no search can start at.
func checkBase(base string) error {
	if base == "" {
		return errors.New("is empty")
	}
	_, err := dnKey(base)
	return err
}

// escapeDN makes a value of any text, for the place of one in a DN (RFC 4514, section 2.4).
func escapeDN(value string) string {
	var b strings.Builder
	for i := range len(value) {
		c := value[i]
		switch {
		case c == ' ' && (i == 0 || i == len(value)-1), c == '#' && i == 0, strings.IndexByte(`"+,;<>=\`, c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c == 0x7f:
			b.WriteString(`\` + string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// bindName is whom a name binds as, where no entry is looked for first: a DN, or
// something like ann@corp.example.org.
func bindName(template, name string) string {
	return strings.ReplaceAll(template, placeName, escapeDN(name))
}

// isDN reports whether the template makes a DN.
func isDN(template string) bool {
	_, err := dnKey(bindName(template, "a"))
	return err == nil && strings.Contains(template, "=")
}

// checkBindName refuses a template in which a name could be anything but one value.
func checkBindName(template string) error {
	if strings.Count(template, placeName) != 1 {
		return errors.New("must contain {name} once")
	}
	if !strings.Contains(template, "=") {
		return nil
	}
	dn, err := ldap.ParseDN(bindName(template, "a"))
	if err != nil {
		return errors.New("is no DN (RFC 4514)")
	}
	for _, rdn := range dn.RDNs {
		for _, a := range rdn.Attributes {
			if a.Value == "a" {
				return nil
			}
		}
	}
	return errors.New("must have {name} for a whole value, as in uid={name},ou=people,dc=example,dc=org")
}
