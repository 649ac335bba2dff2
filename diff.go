package roster

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"time"
)

// Change is a change of groups or grants that is yet to be made, for
// [Users.Diff]. The functions that begin with Change make one.
type Change struct {
	subject Subject
	rows    []Held // what the subject gets
	revokes bool   // or loses
	member  UserID // who joins the group, or leaves it
	leaves  bool
	deletes bool // the group
}

// ChangeGrant is what [Users.GrantDuring] would do.
func ChangeGrant(to Subject, scope ScopeID, during Period, ps ...Permission) Change {
	c := Change{subject: to}
	for _, p := range ps {
		c.rows = append(c.rows, Held{
			GroupID: to.Group, ScopeID: scope, Permission: p, From: stamp(during.From), Until: stamp(during.Until),
		})
	}
	return c
}

// ChangeRevoke is what [Users.Revoke] would do.
func ChangeRevoke(from Subject, scope ScopeID, ps ...Permission) Change {
	c := ChangeGrant(from, scope, Period{}, ps...)
	c.revokes = true
	return c
}

// ChangeAddMember is what [Users.AddMember] would do.
func ChangeAddMember(group GroupID, user UserID) Change {
	return Change{subject: ToGroup(group), member: user}
}

// ChangeRemoveMember is what [Users.RemoveMember] would do.
func ChangeRemoveMember(group GroupID, user UserID) Change {
	return Change{subject: ToGroup(group), member: user, leaves: true}
}

// ChangeDeleteGroup is what [Users.DeleteGroup] would do.
func ChangeDeleteGroup(group GroupID) Change { return Change{subject: ToGroup(group), deletes: true} }

// Difference is a permission that somebody would gain or lose.
type Difference struct {
	User       UserID
	Scope      ScopeID
	Permission Permission // "*" in scope 0 stands for every one in every scope
	Gains      bool       // or loses
}

// Diff yields who would gain and who would lose what if the changes were made
// now, one after the other, by user, scope and permission. It changes nothing.
// Of somebody who holds everything before and after nothing is said, nor of one
// who cannot sign in. An error comes once, as the last pair: ErrNotFound if there
// is no such user or group, or an [InvalidError] of [FieldPermission], or of
// [FieldSubject] for a change that is about nobody.
func (us *Users) Diff(ctx context.Context, changes ...Change) iter.Seq2[Difference, error] {
	return func(yield func(Difference, error) bool) {
		asked := us
		if len(changes) == 1 {
			asked = us.on(Subject{changes[0].member, 0}).on(changes[0].subject)
		}
		err := asked.ask(ctx, "Diff")
		if err == nil {
			d := differ{us: us, now: us.now(), groups: map[GroupID]*groupChange{}, own: map[UserID][]Change{}}
			err = d.run(ctx, changes, yield)
		}
		if err != nil {
			yield(Difference{}, wrap("compare permissions", 0, err))
		}
	}
}

// diffBatch is how many users are looked at with one set of questions.
const diffBatch = 500

type differ struct {
	us     *Users
	now    time.Time
	groups map[GroupID]*groupChange
	own    map[UserID][]Change // of users' own grants
}

// groupChange is a group after the changes.
type groupChange struct {
	rows    []Held
	members map[UserID]bool // who has joined, or left
	deleted bool
}

func (d *differ) run(ctx context.Context, changes []Change, yield func(Difference, error) bool) error {
	var users []UserID
	for _, c := range changes {
		affected, err := d.prepare(ctx, c)
		if err != nil {
			return err
		}
		users = append(users, affected...)
	}
	slices.Sort(users)
	for batch := range slices.Chunk(slices.Compact(users), diffBatch) {
		differences, err := d.batch(ctx, batch)
		if err != nil {
			return err
		}
		for _, one := range differences {
			if !yield(one, nil) {
				return nil
			}
		}
	}
	return nil
}

// prepare notes a change and returns whom it may concern.
func (d *differ) prepare(ctx context.Context, c Change) ([]UserID, error) {
	for _, row := range c.rows {
		if err := d.us.perms.check(row.Permission); err != nil {
			return nil, err
		}
	}
	if (c.subject.User == 0) == (c.subject.Group == 0) {
		return nil, invalid(FieldSubject, ReasonEmpty)
	}
	if c.subject.User != 0 {
		d.own[c.subject.User] = append(d.own[c.subject.User], c)
		_, err := d.us.byID(ctx, c.subject.User)
		return []UserID{c.subject.User}, err
	}
	g, err := d.group(ctx, c.subject.Group)
	if err != nil {
		return nil, err
	}
	switch {
	case c.member != 0:
		g.members[c.member] = !c.leaves
		_, err := d.us.byID(ctx, c.member)
		return []UserID{c.member}, err
	case c.deletes:
		g.deleted = true
	default:
		g.rows = c.apply(g.rows)
	}
	users := slices.Collect(maps.Keys(g.members))
	for after := UserID(0); ; {
		page, err := d.us.store.MembersAfter(ctx, c.subject.Group, after, checkBatch)
		if err != nil {
			return nil, err
		}
		for _, m := range page {
			users = append(users, m.UserID)
			after = m.UserID
		}
		if len(page) < checkBatch {
			return users, nil
		}
	}
}

// group is what is known of a group that changes.
func (d *differ) group(ctx context.Context, id GroupID) (*groupChange, error) {
	if g := d.groups[id]; g != nil {
		return g, nil
	}
	if _, err := d.us.groupByID(ctx, id); err != nil {
		return nil, err
	}
	grants, err := d.us.store.GrantsOf(ctx, ToGroup(id))
	if err != nil {
		return nil, err
	}
	g := &groupChange{members: map[UserID]bool{}}
	for _, one := range grants {
		g.rows = append(g.rows, Held{
			GrantID: one.ID, GroupID: id, ScopeID: one.ScopeID, Permission: one.Permission, From: one.From, Until: one.Until,
		})
	}
	d.groups[id] = g
	return g, nil
}

// apply makes the change in the rows of a subject.
func (c Change) apply(rows []Held) []Held {
	rows = slices.DeleteFunc(slices.Clone(rows), func(h Held) bool {
		return slices.ContainsFunc(c.rows, func(r Held) bool { return r.ScopeID == h.ScopeID && r.Permission == h.Permission })
	})
	if c.revokes {
		return rows
	}
	return append(rows, c.rows...)
}

// batch compares what some users hold before and after.
func (d *differ) batch(ctx context.Context, users []UserID) ([]Difference, error) {
	models, err := d.us.store.UsersByID(ctx, users...)
	if err != nil {
		return nil, err
	}
	held, err := d.us.store.HeldAnywhere(ctx, users...)
	if err != nil {
		return nil, err
	}
	members, err := d.us.store.MembershipsOf(ctx, users...)
	if err != nil {
		return nil, err
	}
	rowsOf, groupsOf := map[UserID][]Held{}, map[UserID]map[GroupID]bool{}
	for _, h := range held {
		rowsOf[h.UserID] = append(rowsOf[h.UserID], h)
	}
	for _, m := range members {
		if groupsOf[m.UserID] == nil {
			groupsOf[m.UserID] = map[GroupID]bool{}
		}
		groupsOf[m.UserID][m.GroupID] = true
	}
	var out []Difference
	for _, m := range models {
		if u := m.RosterUser(); u.CanLogin() {
			out = append(out, d.compare(u.ID, rowsOf[u.ID], d.after(u.ID, rowsOf[u.ID], groupsOf[u.ID]))...)
		}
	}
	return out, nil
}

// after is what reaches a user after the changes.
func (d *differ) after(user UserID, rows []Held, in map[GroupID]bool) []Held {
	var own, shared []Held
	for _, h := range rows {
		switch {
		case h.GroupID == 0:
			own = append(own, h)
		case d.groups[h.GroupID] == nil:
			shared = append(shared, h)
		}
	}
	for _, c := range d.own[user] {
		own = c.apply(own)
	}
	for id, g := range d.groups {
		member, moved := g.members[user]
		if !moved {
			member = in[id]
		}
		if member && !g.deleted {
			shared = append(shared, g.rows...)
		}
	}
	return append(own, shared...)
}

// place is a permission in a scope.
type place struct {
	scope ScopeID
	p     Permission
}

func (d *differ) compare(user UserID, before, after []Held) []Difference {
	was, is := d.places(before), d.places(after)
	all := place{0, permAll}
	if was[all] && is[all] {
		return nil
	}
	var out []Difference
	for at := range was {
		if !is[at] {
			out = append(out, Difference{user, at.scope, at.p, false})
		}
	}
	for at := range is {
		if !was[at] {
			out = append(out, Difference{user, at.scope, at.p, true})
		}
	}
	slices.SortFunc(out, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Permission, b.Permission))
	})
	return out
}

// places are the permissions that the grants give now.
func (d *differ) places(rows []Held) map[place]bool {
	places := map[place]bool{}
	for i := range rows {
		h := &rows[i]
		_, known := d.us.perms.info[h.Permission]
		if (known || h.Permission == permAll && h.ScopeID == 0) && h.isValid(d.now) {
			places[place{h.ScopeID, h.Permission}] = true
		}
	}
	return places
}
