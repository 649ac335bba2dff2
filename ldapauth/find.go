package ldapauth

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

// Find implements [roster.DirectoryFinder]: the entry with an immutable ID, if it is one
// of those that Schema.Everybody finds, without its groups. Without a service account
// ([Options].BindName) it finds nobody.
func (d *Directory) Find(ctx context.Context, subject string) (*roster.Identity, error) {
	value, ok := d.opts.Schema.filterID(subject)
	if !ok || d.opts.BindName != "" {
		return nil, roster.ErrUnknownUser
	}
	r := d.lookup(d.opts.Base, ldap.ScopeWholeSubtree, "")
	r.Filter = "(&" + d.opts.Schema.Everybody + "(" + d.opts.Schema.ID + "=" + value + "))"
	var found []*ldap.Entry
	e, err := d.with(ctx, d.service, func(c *conn) (e *Error) {
		found, e = d.search(ctx, c, r)
		return e
	})
	if e != nil {
		d.report(ctx, err)
		return nil, err
	}
	if len(found) != 1 {
		return nil, roster.ErrUnknownUser
	}
	id, e := d.identity(found[0])
	if id == nil || id.Subject != subject {
		return nil, roster.ErrUnknownUser
	}
	if e != nil && e.Reason != ReasonNoName {
		return nil, unavailable(ctx, e)
	}
	return id, nil
}

// filterID is an immutable ID as the value of a filter.
func (s *Schema) filterID(subject string) (string, bool) {
	if subject == "" || len(subject) > maxKey {
		return "", false
	}
	if !s.GUID {
		return ldap.EscapeFilter(subject), true
	}
	id, err := uuid.Parse(subject)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	for _, octet := range swapped(id) {
		b.WriteString(`\` + hex.EncodeToString([]byte{octet}))
	}
	return b.String(), true
}

// swapped is a UUID in the order of Microsoft, which keeps the first three parts
// little-endian ([MS-DTYP], section 2.3.4.2), or one of Microsoft's in the usual order.
func swapped(v uuid.UUID) uuid.UUID {
	return uuid.UUID{v[3], v[2], v[1], v[0], v[5], v[4], v[7], v[6], v[8], v[9], v[10], v[11], v[12], v[13], v[14], v[15]}
}
