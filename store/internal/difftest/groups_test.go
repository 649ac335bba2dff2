package difftest

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/go-roster/roster"
)

// The steps that concern groups. Permissions go by the names of counts, and by
// what stands for all and for none.
var groupKinds = []kind{
	{"InsertGroup", 9, "Group Name At Variant", false, func(ctx context.Context, p *player, o op) any {
		g := newGroup(o)
		err := p.s.InsertGroup(ctx, g)
		if err == nil {
			p.groups.put(o.Group, int64(g.ID))
		}
		return pair{g, err}
	}},
	{"OfferGroup", 2, "Group Name At Variant", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.OfferGroup(ctx, newGroup(o)))
	}},
	{"UpdateGroup", 4, "Group Name At Variant", false, func(ctx context.Context, p *player, o op) any {
		g := newGroup(o)
		g.ID, g.Version = p.group(o.Group), int64(1+o.Variant>>20%3)
		return pair{g, p.s.UpdateGroup(ctx, g)}
	}},
	{"DeleteGroup", 2, "Group", false, func(ctx context.Context, p *player, o op) any { return p.s.DeleteGroup(ctx, p.group(o.Group)) }},
	{"GroupByName", 2, "Name", true, func(ctx context.Context, p *player, o op) any { return two(p.s.GroupByName(ctx, o.Name)) }},
	{"GroupByUUID", 1, "Group", true, func(ctx context.Context, p *player, o op) any { return two(p.s.GroupByUUID(ctx, uuidOf(o.Group))) }},
	{"LockGroup", 2, "Group", false, func(ctx context.Context, p *player, o op) any { return two(p.s.LockGroup(ctx, p.group(o.Group))) }},
	{"GroupsByID", 1, "Groups", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.GroupsByID(ctx, p.groupsOf(o.Groups)...))
	}},
	{"GroupPage", 2, "Name Limit", true, func(ctx context.Context, p *player, o op) any { return two(p.s.GroupPage(ctx, o.Name, o.Limit-1)) }},
	{"PutMember", 9, "Group User Text At", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.PutMember(ctx, &roster.Membership{GroupID: p.group(o.Group), UserID: p.user(o.User), Rights: o.Text, CreatedAt: at(o.At)}))
	}},
	{"DeleteMember", 4, "Group User", false, func(ctx context.Context, p *player, o op) any {
		return p.s.DeleteMember(ctx, p.group(o.Group), p.user(o.User))
	}},
	{"MembersAfter", 2, "Group User Limit", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.MembersAfter(ctx, p.group(o.Group), p.user(o.User), o.Limit-1))
	}},
	{"MembershipsOf", 2, "Users", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.MembershipsOf(ctx, p.usersOf(o.Users)...))
	}},
	{"PutGrants", 12, "Group User Scope Names At Variant", false, func(ctx context.Context, p *player, o op) any {
		g := roster.Grant{Subject: p.subject(o), ScopeID: roster.ScopeID(o.Scope), CreatedAt: at(o.At)}
		if o.Variant&2 == 2 {
			g.From = at(int(o.Variant >> 3 % spread))
		}
		if o.Variant&4 == 4 {
			g.Until = at(int(o.Variant >> 8 % spread))
		}
		return two(p.s.PutGrants(ctx, g, granted(o)...))
	}},
	{"DeleteGrants", 3, "Group User Scope Names Variant", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.DeleteGrants(ctx, p.subject(o), roster.ScopeID(o.Scope), granted(o)...))
	}},
	{"GrantsOf", 2, "Group User Variant", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.GrantsOf(ctx, p.subject(o)))
	}},
	{"GrantsIn", 2, "Scope Limit", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.GrantsIn(ctx, roster.ScopeID(o.Scope), 0, 10_000))
	}},
	{"HeldGrants", 5, "User Scope", true, func(ctx context.Context, p *player, o op) any { return p.held(ctx, p.user(o.User), o.Scope) }},
	{"HeldAnywhere", 3, "Users User", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.HeldAnywhere(ctx, append(p.usersOf(o.Users), p.user(o.User))...))
	}},
	{"HeldByAll", 4, "Users User Name Scope At", true, func(ctx context.Context, p *player, o op) any {
		held, err := p.s.HeldByAll(ctx, roster.Permission(o.Name), at(o.At), []roster.ScopeID{0, roster.ScopeID(o.Scope)},
			append(p.usersOf(o.Users), p.user(o.User)))
		slices.SortFunc(held, func(a, b roster.Held) int {
			return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.GrantID, b.GrantID))
		})
		return pair{held, err}
	}},
	{"PruneGrants", 1, "At Limit", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.PruneGrants(ctx, at(o.At), o.Limit-1))
	}},
	{"Holds", 5, "Names Scope At User", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.Holds(ctx, p.user(o.User), named(o), at(o.At), roster.ScopeID(o.Scope), roster.ScopeID(o.At%2*o.Scope)))
	}},
	{"HoldersAfter", 5, "Names Scope At User Limit", true, func(ctx context.Context, p *player, o op) any {
		after := p.user(o.User)
		if o.At%2 == 0 {
			after = 0
		}
		return two(p.s.HoldersAfter(ctx, named(o), at(o.At), roster.ScopeID(o.Scope), 0, after, o.Limit-1))
	}},
	{"ScopesAfter", 5, "Names User At Limit", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.ScopesAfter(ctx, p.user(o.User), named(o), at(o.At), roster.ScopeID(o.At%3-2), o.Limit-1))
	}},
	{"Privileged", 4, "Users User Scope At", true, func(ctx context.Context, p *player, o op) any {
		var in []roster.ScopeID
		if o.At%2 == 0 {
			in = []roster.ScopeID{0, roster.ScopeID(o.Scope)}
		}
		return two(p.s.Privileged(ctx, at(o.At), in, append(p.usersOf(o.Users), p.user(o.User))...))
	}},
}

func newGroup(o op) *roster.Group {
	g := &roster.Group{
		UUID: uuidOf(o.Group), Name: "N " + o.Name, NameKey: o.Name, Description: searched[o.Variant&7], CreatedBy: roster.UserID(o.Variant >> 3 & 3),
		CreatedAt: at(o.At), UpdatedAt: at(o.At + 1), Version: 1,
	}
	if o.Variant&(7<<5) == 7<<5 {
		g.UUID = uuidOf(max(1, o.Group-1)) // another one's
	}
	return g
}

func (p *player) groupsOf(handles []int) []roster.GroupID {
	var ids []roster.GroupID
	for _, h := range handles {
		ids = append(ids, p.group(h))
	}
	return ids
}

func (p *player) subject(o op) roster.Subject {
	if o.Variant&1 == 1 {
		return roster.ToGroup(p.group(o.Group))
	}
	return roster.ToUser(p.user(o.User))
}

// granted are the permissions of a step, each once.
func granted(o op) []roster.Permission {
	var ps []roster.Permission
	for _, name := range limitKeys(o.Names) {
		ps = append(ps, permission(name))
	}
	return ps
}

// named is the first of them.
func named(o op) roster.Permission { return append(granted(o), "a")[0] }

// permission makes two of the names special ones.
func permission(name string) roster.Permission {
	switch name {
	case "B":
		return "*"
	case "\u00e4":
		return ""
	}
	return roster.Permission(name)
}

func (p *player) held(ctx context.Context, user roster.UserID, scope int) any {
	held, live, err := p.s.HeldGrants(ctx, user, roster.ScopeID(scope))
	return pair{pair{held, live}, err}
}

// dumpGroups writes down all that concerns groups.
func (p *player) dumpGroups(ctx context.Context, note func(string, any), users []roster.StoredUser) {
	groups, err := p.s.GroupPage(ctx, "", 10_000)
	note("all groups", pair{groups, err})
	for _, m := range groups {
		g := m.RosterGroup()
		note("members", two(p.s.MembersAfter(ctx, g.ID, 0, 10_000)))
		note("grants to a group", two(p.s.GrantsOf(ctx, roster.ToGroup(g.ID))))
	}
	for _, u := range users {
		id := u.User.RosterUser().ID
		note("grants to a user", two(p.s.GrantsOf(ctx, roster.ToUser(id))))
		note("what a user holds", p.held(ctx, id, 1))
	}
	for _, scope := range slices.Compact(slices.Clone(scopes)) {
		note("grants in a scope", two(p.s.GrantsIn(ctx, scope, 0, 10_000)))
	}
}

func (p *player) showGroup(g *roster.Group) string {
	if g == nil {
		return "no group"
	}
	return fmt.Sprintf("group{%s %x %q %q %q by %d %v v%d}", p.groups.name(int64(g.ID)), g.UUID[14:], g.Name, g.NameKey, g.Description,
		g.CreatedBy, moments(g.CreatedAt, g.UpdatedAt), g.Version)
}

// showGrant leaves the ID out: one that was given and taken back has another in
// each store.
func (p *player) showGrant(g *roster.Grant) string {
	return fmt.Sprintf("grant{%s %s in %d of %q %v}", p.users.name(int64(g.Subject.User)), p.groups.name(int64(g.Subject.Group)), g.ScopeID,
		g.Permission, moments(g.From, g.Until, g.CreatedAt))
}

func (p *player) showHeld(h roster.Held) string {
	return fmt.Sprintf("held{%s by %s in %d of %q %v}", p.users.name(int64(h.UserID)), p.groups.name(int64(h.GroupID)), h.ScopeID,
		h.Permission, moments(h.From, h.Until))
}
