package ldapauth

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
)

// valuesOf is the values of an attribute, as far as the entry has them. Active Directory
// sends some 1,500 of them at most, under the name "memberOf;range=0-1499", and wants to
// be asked for the others, from next on; next is zero if there are no others ([MS-ADTS],
// section 3.1.1.3.1.3.3).
func valuesOf(entry *ldap.Entry, attribute string) (values []string, from, next int, ok bool) {
	for _, a := range entry.Attributes {
		if len(a.Name) <= len(attribute) || !strings.EqualFold(a.Name[:len(attribute)], attribute) {
			continue
		}
		span, is := strings.CutPrefix(strings.ToLower(a.Name[len(attribute):]), ";range=")
		if !is {
			continue
		}
		low, high, _ := strings.Cut(span, "-")
		from, err := strconv.Atoi(low)
		if err != nil || from < 0 {
			return nil, 0, 0, false
		}
		if high == "*" {
			return a.Values, from, 0, true
		}
		last, err := strconv.Atoi(high)
		if err != nil || last < from || last-from+1 != len(a.Values) {
			return nil, 0, 0, false
		}
		return a.Values, from, last + 1, true
	}
	return entry.GetEqualFoldAttributeValues(attribute), 0, 0, true
}

// listed is all values of an attribute that lists DNs, in as many reads as it takes.
func (d *Directory) listed(ctx context.Context, c *conn, entry *ldap.Entry, attribute string) (all []string, e *Error) {
	incomplete := &Error{Stage: StageGroups, Reason: ReasonIncomplete}
	for expected := 0; ; {
		values, from, next, ok := valuesOf(entry, attribute)
		if !ok || from != expected || expected > 0 && len(values) == 0 {
			return nil, incomplete
		}
		for _, dn := range values {
			if utf8.ValidString(dn) {
				all = append(all, dn)
			}
		}
		if next == 0 {
			return all, nil
		}
		if expected = next; expected > maxGroups {
			return nil, incomplete
		}
		if entry, e = d.group(ctx, c, entry.DN, attribute+";range="+strconv.Itoa(next)+"-*"); e != nil {
			return nil, e
		}
		if entry == nil { // gone meanwhile
			return nil, incomplete
		}
	}
}
