package ldapauth

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
)

// maxProven is how many places a connection remembers.
const maxProven = 256

// prove makes sure that the success of a bind was one. RFC 4513 has a bind with a name and a
// password make the connection that of the name, and only one without either succeed
// for nobody; which is never sent. What is left is a server, or a proxy in front
// of a part of its tree, that says yes and means nothing by it. That shows with the first
// bind as well as with each: so WhoAmI is asked once on each connection for each entry that
// people are right below, and with every password that a server might take for none
// when it has dropped what does not count (RFC 4013): spaces, or a soft hyphen. A bind
// may not be followed by anything until it is answered (RFC 4511, section 4.2.1), so to
// ask each time would cost every sign-in a third wait.
func (d *Directory) prove(ctx context.Context, c *conn, dn, password string) *Error {
	if d.opts.SkipWhoAmI {
		return nil
	}
	place := placeOf(dn)
	if c.proven[place] && visible(password) {
		return nil
	}
	if e := d.whoAmI(ctx, c, dn); e != nil {
		return e
	}
	if c.proven == nil || len(c.proven) >= maxProven {
		c.proven = map[string]bool{}
	}
	c.proven[place] = true
	return nil
}

// placeOf is what a bind name is right below: the entry, or the domain.
func placeOf(dn string) string {
	parsed, err := ldap.ParseDN(dn)
	if err != nil || !strings.Contains(dn, "=") {
		_, domain, _ := strings.Cut(dn, "@")
		return "@" + domain
	}
	parsed.RDNs = parsed.RDNs[min(1, len(parsed.RDNs)):]
	return parsed.String()
}

// visible reports whether there is anything in a password that no server drops.
func visible(password string) bool {
	return strings.ContainsFunc(password, func(r rune) bool {
		return r != utf8.RuneError && unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S)
	})
}

// whoAmI makes sure that a bind as dn has made the connection that of dn.
func (d *Directory) whoAmI(ctx context.Context, c *conn, dn string) *Error {
	var answer *ldap.WhoAmIResult
	e := c.do(ctx, StageWhoAmI, toExtended, d.budget(), func(l *ldap.Conn) (err error) {
		answer, err = l.WhoAmI(nil)
		return err
	})
	if e != nil {
		return e
	}
	who, isDN := strings.CutPrefix(answer.AuthzID, "dn:")
	if who == "" {
		return &Error{Stage: StageWhoAmI, Reason: ReasonAnonymous}
	}
	if isDN && strings.Contains(dn, "=") && who != dn {
		theirs, err := dnKey(who)
		ours, err2 := dnKey(dn)
		if err != nil || err2 != nil || theirs != ours {
			return &Error{Stage: StageWhoAmI, Reason: ReasonOther}
		}
	}
	return nil
}
