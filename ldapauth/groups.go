package ldapauth

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// maxGroups is how many groups are walked for one person.
const maxGroups = 4096

// parents remembers the groups around a group, by dnKey, while many people are read.
type parents map[string][]string

// GroupNames implements [roster.DirectoryGroups] by Options.Groups.
func (d *Directory) GroupNames() map[string]string { return maps.Clone(d.opts.Groups.Map) }

// groups are those of Options.Groups that a person is in. seen may be nil.
func (d *Directory) groups(ctx context.Context, c *conn, entry *ldap.Entry, name string, seen parents) ([]string, *Error) {
	g := &d.opts.Groups
	if len(g.Map) == 0 {
		return nil, nil
	}
	next, e := d.around(ctx, c, entry, entry.DN, name)
	if e != nil {
		return nil, e
	}
	if seen == nil {
		seen = parents{}
	}
	found := map[string]bool{}
	visited := map[string]bool{}
	for len(next) > 0 {
		dn := next[len(next)-1]
		next = next[:len(next)-1]
		key, err := dnKey(dn)
		if err != nil || visited[key] {
			continue
		}
		if visited[key] = true; len(visited) > maxGroups {
			return nil, &Error{Stage: StageGroups, Reason: ReasonIncomplete}
		}
		if known := g.byKey[key]; known != "" {
			found[known] = true
		}
		if !g.Nested {
			continue
		}
		above, known := seen[key]
		if !known {
			if above, e = d.around(ctx, c, nil, dn, ""); e != nil {
				return nil, e
			}
			seen[key] = above
		}
		next = append(next, above...)
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// around is the DNs of the groups right around a person, whose entry is there, or around
// a group, whose entry is not.
func (d *Directory) around(ctx context.Context, c *conn, entry *ldap.Entry, dn, name string) (all []string, e *Error) {
	g := &d.opts.Groups
	if g.MemberOf != "" {
		if entry == nil && !strings.Contains(g.Filter, placeDN) {
			if entry, e = d.group(ctx, c, dn, g.MemberOf); e != nil {
				return nil, e
			}
		}
		if entry != nil {
			if all, e = d.listed(ctx, c, entry, g.MemberOf); e != nil {
				return nil, e
			}
		}
	}
	if g.Filter == "" || entry == nil && !strings.Contains(g.Filter, placeDN) {
		return all, nil
	}
	e = d.pages(ctx, c, &ldap.SearchRequest{
		BaseDN:       g.Base,
		Scope:        ldap.ScopeWholeSubtree,
		DerefAliases: ldap.NeverDerefAliases,
		TimeLimit:    d.timeLimit(),
		Filter:       fill(g.Filter, name, dn),
		Attributes:   []string{"1.1"}, // none (RFC 4511, section 4.5.1.8)
		Controls:     d.opts.Schema.controls(),
	}, func(found *ldap.Entry) *Error {
		if all = append(all, found.DN); len(all) > maxGroups {
			return &Error{Stage: StageGroups, Reason: ReasonIncomplete}
		}
		return nil
	})
	if e != nil {
		e.Stage = StageGroups
		return nil, e
	}
	return all, nil
}

// group reads an attribute of the entry of a group, or of a person. It is nil if there is none: a name may be left of
// a group that is gone.
func (d *Directory) group(ctx context.Context, c *conn, dn, attribute string) (*ldap.Entry, *Error) {
	found, e := d.search(ctx, c, &ldap.SearchRequest{
		BaseDN:           dn,
		Scope:            ldap.ScopeBaseObject,
		DerefAliases:     ldap.NeverDerefAliases,
		SizeLimit:        1,
		TimeLimit:        d.timeLimit(),
		Filter:           "(objectClass=*)",
		Attributes:       []string{attribute},
		Controls:         d.opts.Schema.controls(),
		EnforceSizeLimit: true,
	})
	switch {
	case e != nil && e.Code == codeNoSuchObject, e != nil && e.Code == codeInvalidDNSyntax:
		return nil, nil
	case e != nil:
		e.Stage = StageGroups
		return nil, e
	case len(found) != 1:
		return nil, nil
	}
	return found[0], nil
}
