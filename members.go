package roster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// Membership is a user's place in a group.
type Membership struct {
	GroupID   GroupID
	UserID    UserID
	Rights    string // what the host says about it, at most 512 characters; roster gives it no meaning
	CreatedAt time.Time
}

const maxRightsRunes = 512

// AddMember puts a user into a group, with a text of the host's that says what
// the user may do there; roster gives it no meaning. Of somebody who is in it
// already only the text changes. It returns ErrNotFound if there is no such user
// or group, or an [InvalidError] of [FieldRights].
func (us *Users) AddMember(ctx context.Context, group GroupID, user UserID, rights string) error {
	return wrap("add to a group the user", user, us.addMember(ctx, "AddMember", group, user, rights))
}

func (us *Users) addMember(ctx context.Context, verb string, group GroupID, user UserID, rights string) error {
	if err := checkText(FieldRights, rights, 4*maxRightsRunes, maxRightsRunes); err != nil {
		return err
	}
	return us.on(ToGroup(group)).live(ctx, verb, user, func(ctx context.Context, m Model) error {
		return us.regrouped(ctx, m, group, func(ctx context.Context) error { return us.join(ctx, verb, group, user, rights) })
	})
}

// regrouped runs fn, which may put the user of m into the group or take it out. If the
// user's directory rules the group, that is a new Version: for a [Plan] that has
// seen the user there, or not, and for nobody else.
func (us *Users) regrouped(ctx context.Context, m Model, group GroupID, fn func(ctx context.Context) error) error {
	u := m.RosterUser()
	if us.directory(u.DirectoryID) == nil {
		return fn(ctx)
	}
	in := func() (bool, error) {
		ms, err := us.store.MembershipsOf(ctx, u.ID)
		return slices.ContainsFunc(ms, func(m *Membership) bool { return m.GroupID == group }), err
	}
	before, err := in()
	if err != nil {
		return err
	}
	if err := fn(ctx); err != nil {
		return err
	}
	after, err := in()
	if err != nil || before == after {
		return err
	}
	groups, err := us.store.GroupsByID(ctx, group)
	if err != nil || len(groups) == 0 || !us.ruled(u, groups[0].RosterGroup()) {
		return err
	}
	u.UpdatedAt = us.now()
	return us.update(ctx, m)
}

// join is AddMember for a user whose row is locked.
func (us *Users) join(ctx context.Context, verb string, group GroupID, user UserID, rights string) error {
	return us.lockedGroup(ctx, unasked, group, func(ctx context.Context, _ GroupModel) error {
		if err := us.on(ToUser(user)).mayPassGroup(ctx, verb, group); err != nil {
			return err
		}
		m := &Membership{GroupID: group, UserID: user, Rights: rights, CreatedAt: us.now()}
		if changed, err := us.store.PutMember(ctx, m); err != nil || !changed {
			return err
		}
		return us.emit(ctx, Event{Kind: EventMemberAdded, User: user, Group: group})
	})
}

// RemoveMember takes a user out of a group. It does nothing if the user is not
// in it. It returns ErrNotFound if there is no such user or group, or
// ErrLastAdmin.
func (us *Users) RemoveMember(ctx context.Context, group GroupID, user UserID) error {
	const verb = "RemoveMember"
	return wrap("remove from a group the user", user, us.on(ToGroup(group)).locked(ctx, verb, user, func(ctx context.Context, m Model) error {
		return us.regrouped(ctx, m, group, func(ctx context.Context) error { return us.leave(ctx, verb, group, m.RosterUser()) })
	}))
}

// leave is RemoveMember for a user whose row is locked.
func (us *Users) leave(ctx context.Context, verb string, group GroupID, u *User) error {
	return us.lockedGroup(ctx, unasked, group, func(ctx context.Context, m GroupModel) error {
		if err := us.on(ToUser(u.ID)).mayPassGroup(ctx, verb, group); err != nil {
			return err
		}
		if m.RosterGroup().NameKey == GroupAdmin {
			if err := us.keepAdmin(ctx, u); err != nil {
				return err
			}
		}
		if err := us.store.DeleteMember(ctx, group, u.ID); err != nil {
			return ignore(err, ErrNotFound)
		}
		return us.emit(ctx, Event{Kind: EventMemberRemoved, User: u.ID, Group: group})
	})
}

// Members lists who is in a group, in the order of the users' IDs, in whatever
// state they are. Nobody is in a group that does not exist. It returns an
// [InvalidError] of [FieldLimit] or [FieldCursor].
func (us *Users) Members(ctx context.Context, group GroupID, p Paging) (*Page[*Membership], error) {
	if err := us.on(ToGroup(group)).ask(ctx, "Members"); err != nil {
		return nil, wrapGroup("list members of group", group, err)
	}
	l, err := pageOf(p, fmt.Sprint("members ", group), func(_ string, after int64, limit int) ([]*Membership, error) {
		return us.store.MembersAfter(ctx, group, UserID(after), limit)
	}, func(m *Membership) (string, int64) { return "", int64(m.UserID) })
	return l, wrapGroup("list members of group", group, err)
}

// Memberships returns the places in groups that the users have, by user and
// then by group, with one question.
func (us *Users) Memberships(ctx context.Context, users ...UserID) ([]*Membership, error) {
	if err := us.onOne(users).ask(ctx, "Memberships"); err != nil {
		return nil, wrap("list memberships", 0, err)
	}
	ms, err := us.store.MembershipsOf(ctx, users...)
	return ms, wrap("list memberships", 0, err)
}

// GroupsOf returns the groups of each user, in the order of their canonical
// names, with two questions however many users there are. Who is in no group is
// not in the map. Through [Users.For] all but the ID and the name of the groups is
// for those who hold [PermListUsers] globally.
func (us *Users) GroupsOf(ctx context.Context, users ...UserID) (map[UserID][]*Group, error) {
	if err := us.onOne(users).ask(ctx, "GroupsOf"); err != nil {
		return nil, wrap("list groups of users", 0, err)
	}
	of, err := us.groupsOf(ctx, users...)
	if q := us.asking("GroupsOf"); q != nil && err == nil {
		var lists bool
		if lists, err = q.everywhere(ctx, PermListUsers); !lists {
			for _, groups := range of {
				for i, g := range groups {
					groups[i] = g.named()
				}
			}
		}
	}
	if err != nil {
		return nil, wrap("list groups of users", 0, err)
	}
	return of, nil
}

func (us *Users) groupsOf(ctx context.Context, users ...UserID) (map[UserID][]*Group, error) {
	ms, err := us.store.MembershipsOf(ctx, users...)
	if err != nil {
		return nil, err
	}
	ids := make([]GroupID, len(ms))
	for i, m := range ms {
		ids[i] = m.GroupID
	}
	byID, err := us.groupsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	of := map[UserID][]*Group{}
	for _, m := range ms {
		if g := byID[m.GroupID]; g != nil { // deleted meanwhile
			of[m.UserID] = append(of[m.UserID], g)
		}
	}
	for _, groups := range of {
		slices.SortFunc(groups, func(a, b *Group) int { return cmp.Compare(a.NameKey, b.NameKey) })
	}
	return of, nil
}

func (us *Users) groupsByID(ctx context.Context, ids []GroupID) (map[GroupID]*Group, error) {
	slices.Sort(ids)
	groups, err := allGroups(us.store.GroupsByID(ctx, slices.Compact(ids)...))
	if err != nil {
		return nil, err
	}
	byID := make(map[GroupID]*Group, len(groups))
	for _, g := range groups {
		byID[g.ID] = g
	}
	return byID, nil
}

// InGroup reports whether a user is in the group with the name, also while the
// user cannot sign in. It answers to is_in_group of websauna. Whether somebody
// may do something is a question for [Users.Can].
func (us *Users) InGroup(ctx context.Context, user UserID, name string) (bool, error) {
	err := us.askID(ctx, "InGroup", user)
	var of map[UserID][]*Group
	if err == nil {
		of, err = us.groupsOf(ctx, user)
	}
	if err != nil {
		return false, wrap("look for group of user", user, err)
	}
	key, err := GroupKey(name)
	return err == nil && slices.ContainsFunc(of[user], func(g *Group) bool { return g.NameKey == key }), nil
}

// MemberStore keeps who is in which group.
type MemberStore interface {
	// PutMember writes a new row or, of one that is there, its Rights. It
	// reports whether anything is new. A [ConflictError] of [FieldGroup] says that
	// the group or the user is not there.
	PutMember(ctx context.Context, m *Membership) (bool, error)

	// DeleteMember deletes a row. ErrNotFound if there is none.
	DeleteMember(ctx context.Context, group GroupID, user UserID) error

	// MembersAfter returns the next rows of a group, by user.
	MembersAfter(ctx context.Context, group GroupID, after UserID, limit int) ([]*Membership, error)

	// MembershipsOf returns the rows of the users, by user, then by group.
	MembershipsOf(ctx context.Context, users ...UserID) ([]*Membership, error)
}
