package roster

import (
	"context"
	"errors"
	"slices"
)

// The groups that are built in. They are there as soon as they are asked for,
// see [Users.BuiltInGroup], and can be neither renamed nor deleted.
const (
	GroupAdmin  = "admin"  // its members hold every permission in every scope
	GroupTester = "tester" // what its members hold is for the program to grant
)

var builtInGroups = []string{GroupAdmin, GroupTester}

// IsBuiltIn reports whether the group is one of those that can be neither
// renamed nor deleted.
func (g *Group) IsBuiltIn() bool { return slices.Contains(builtInGroups, g.NameKey) }

// BuiltInGroup finds [GroupAdmin] or [GroupTester], and makes it if nobody has
// needed it yet. It returns ErrNotFound for any other name.
func (us *Users) BuiltInGroup(ctx context.Context, name string) (*Group, error) {
	const verb = "find built-in group"
	if err := us.ask(ctx, "BuiltInGroup"); err != nil {
		return nil, wrap(verb, 0, err)
	}
	g, err := us.builtInGroup(ctx, name)
	return g, wrap(verb, 0, err)
}

func (us *Users) builtInGroup(ctx context.Context, name string) (*Group, error) {
	if !slices.Contains(builtInGroups, name) {
		return nil, ErrNotFound
	}
	g, err := groupOf(us.store.GroupByName(ctx, name))
	if !errors.Is(err, ErrNotFound) {
		return g, err
	}
	row, err := us.newGroup(&Group{Name: name})
	if err != nil {
		return nil, err
	}
	m, err := us.newGroupModel(ctx, row)
	if err != nil {
		return nil, err
	}
	err = us.store.Atomic(ctx, func(ctx context.Context) error {
		*m.RosterGroup() = row
		made, err := us.store.OfferGroup(ctx, m)
		if err != nil {
			return err
		}
		if g, err = groupOf(us.store.GroupByName(ctx, name)); err != nil || !made {
			return err
		}
		if err := us.emit(ctx, Event{Kind: EventGroupCreated, Group: g.ID}); err != nil || name != GroupAdmin {
			return err
		}
		_, err = us.store.PutGrants(ctx, Grant{Subject: ToGroup(g.ID), CreatedAt: row.CreatedAt}, permAll)
		return err
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}
