package roster

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// GroupID is the key of a [Group]. It is never reused, and zero is none.
type GroupID int64

// Group is a named set of users, who hold what is granted to it. It answers to
// the groups of websauna and of ejudge. A host embeds Group in a struct of its own
// to add columns, see [GroupModel].
type Group struct {
	ID          GroupID   `bun:"id,pk,autoincrement"`
	UUID        uuid.UUID `bun:"uuid,notnull"`            // random (version 4), what the world sees
	Name        string    `bun:"name,notnull"`            // as typed, at most 128 characters
	NameKey     string    `bun:"name_key,notnull"`        // canonical and unique, see [GroupKey]
	Description string    `bun:"description,notnull"`     // at most 512 characters; may be empty
	Data        Data      `bun:"data,type:json,nullzero"` // of the host, bounded as [User.Data] is
	CreatedBy   UserID    `bun:"created_by,notnull"`      // who made it; zero is the program, and who it was may be gone
	CreatedAt   time.Time `bun:"created_at,notnull"`
	UpdatedAt   time.Time `bun:"updated_at,notnull"` // last EditGroup; who joins or leaves does not move it
	Version     int64     `bun:"version,notnull"`    // counts the writes

	Row Row `bun:"-" json:"-"` // see [AsGroup]
}

// named is what of a group is for those who may see a user in it.
func (g *Group) named() *Group { return &Group{ID: g.ID, Name: g.Name, NameKey: g.NameKey} }

// The bounds of the texts of a [Group].
const (
	maxGroupNameRunes   = 128
	maxDescriptionRunes = 512
)

// GroupKey returns the canonical form of the name of a group: folded, whatever
// the case and the width of its letters, with single spaces. It returns an
// [InvalidError] of [FieldName] for a name that is empty, longer than 128
// characters, or has spaces at its ends or characters that nobody can see.
func GroupKey(name string) (string, error) {
	if err := checkText(FieldName, name, 4*maxGroupNameRunes, maxGroupNameRunes); err != nil {
		return "", err
	}
	key := strings.Join(strings.Fields(foldSearch(name)), " ")
	switch {
	case key == "":
		return "", invalid(FieldName, ReasonEmpty)
	case strings.TrimSpace(name) != name:
		return "", invalid(FieldName, ReasonCharacter)
	}
	return key, nil
}

// CreateGroup makes a group of the name, the description and the data in m, with
// what a host's own type adds (see [GroupModel]), and brings m up to date. On an
// error its Group is unchanged. It returns every [InvalidError] at once, with
// [ReasonReserved] for the name of a group that is built in, or a [ConflictError]
// of [FieldName] or of a column of the host.
func (us *Users) CreateGroup(ctx context.Context, m GroupModel) error {
	if err := us.ask(ctx, "CreateGroup"); err != nil {
		return wrap("create group", 0, err)
	}
	return wrap("create group", 0, us.createGroup(ctx, m))
}

func (us *Users) createGroup(ctx context.Context, m GroupModel) error {
	if m == nil || m.RosterGroup() == nil {
		return invalid(FieldModel, ReasonEmpty)
	}
	g := m.RosterGroup()
	if whole, ok := g.whole().(GroupModel); ok {
		m = whole
	}
	before := *g
	draft, err := us.newGroup(g)
	if err != nil {
		return err
	}
	if draft.IsBuiltIn() {
		return invalid(FieldName, ReasonReserved)
	}
	err = us.store.Atomic(ctx, func(ctx context.Context) error {
		*g = draft
		bindGroup(m)
		if err := us.store.InsertGroup(ctx, m); err != nil {
			return err
		}
		return us.emit(ctx, Event{Kind: EventGroupCreated, Group: g.ID})
	})
	if err != nil {
		*g = before
	}
	return err
}

// newGroup is the row for what a group is to be.
func (us *Users) newGroup(g *Group) (Group, error) {
	now := us.now()
	row := Group{
		UUID: uuid.New(), Name: g.Name, Description: g.Description, Data: g.Data,
		CreatedBy: us.by(), CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	err := row.check()
	return row, err
}

// check refuses what no group may have, all at once, and brings the rest into
// its canonical form.
func (g *Group) check() error {
	key, err := GroupKey(g.Name)
	data, dataErr := g.Data.canonical()
	g.NameKey, g.Data = key, data
	return errors.Join(err, checkText(FieldDescription, g.Description, 4*maxDescriptionRunes, maxDescriptionRunes), dataErr)
}

// EditGroup reads a group, lets fn change its Name, Description and Data, with
// what a host's own type adds (see [AsGroup]), and writes it, in one transaction. fn
// may run more than once. Its error ends the
// edit. It returns ErrNotFound, every [InvalidError] at once, with
// [ReasonReadOnly] for what fn must not change, the name of a built-in group
// too, or a [ConflictError] of [FieldName].
func (us *Users) EditGroup(ctx context.Context, id GroupID, fn func(g *Group) error) error {
	return wrapGroup("edit group", id, us.lockedGroup(ctx, "EditGroup", id, func(ctx context.Context, m GroupModel) error {
		g := m.RosterGroup()
		before := *g
		before.Data = before.Data.clone()
		if err := fn(g); err != nil {
			return err
		}
		if err := errors.Join(g.check(), guardGroup(&before, g)); err != nil {
			return err
		}
		if g.NameKey != before.NameKey { // by which a directory, or a program, may know it
			if err := us.mayPassGroup(ctx, "EditGroup", id); err != nil {
				return err
			}
		}
		fields, err := us.hostGroupChanges(ctx, m)
		if err != nil {
			return err
		}
		g.UpdatedAt = us.now()
		if err := us.store.UpdateGroup(ctx, m); err != nil {
			return err
		}
		for name, changed := range map[string]bool{
			FieldName: g.Name != before.Name, FieldDescription: g.Description != before.Description, FieldData: !sameData(g.Data, before.Data),
		} {
			if changed {
				fields = append(fields, name)
			}
		}
		slices.Sort(fields)
		return us.emit(ctx, Event{Kind: EventGroupEdited, Group: id, Details: details("fields", fields)})
	}))
}

func guardGroup(before, after *Group) error {
	var errs []error
	for _, f := range []struct {
		name    string
		changed bool
	}{
		{FieldID, after.ID != before.ID},
		{FieldUUID, after.UUID != before.UUID},
		{FieldName, before.IsBuiltIn() && after.Name != before.Name},
		{FieldData, before.NameKey == GroupAdmin && !bytes.Equal(after.Data[string(siteInitialized)], before.Data[string(siteInitialized)])},
		{"created_by", after.CreatedBy != before.CreatedBy},
		{"created_at", !after.CreatedAt.Equal(before.CreatedAt)},
		{"updated_at", !after.UpdatedAt.Equal(before.UpdatedAt)},
		{"version", after.Version != before.Version},
	} {
		if f.changed {
			errs = append(errs, invalid(f.name, ReasonReadOnly))
		}
	}
	if !before.IsBuiltIn() && after.IsBuiltIn() {
		errs = append(errs, invalid(FieldName, ReasonReserved))
	}
	return errors.Join(errs...)
}

// DeleteGroup deletes a group: its members are in it no more, and what was
// granted to it they hold no more. It cannot be undone. It returns ErrNotFound,
// an [InvalidError] of [FieldGroup] with [ReasonReserved] for a group that is
// built in, or a [ConflictError] of [FieldReferenced] if a row of the host's refers
// to it.
func (us *Users) DeleteGroup(ctx context.Context, id GroupID) error {
	return wrapGroup("delete group", id, us.lockedGroup(ctx, "DeleteGroup", id, func(ctx context.Context, m GroupModel) error {
		if m.RosterGroup().IsBuiltIn() {
			return invalid(FieldGroup, ReasonReserved)
		}
		if err := us.mayPassGroup(ctx, "DeleteGroup", id); err != nil {
			return err
		}
		if err := us.store.DeleteGroup(ctx, id); err != nil {
			return err
		}
		return us.emit(ctx, Event{Kind: EventGroupDeleted, Group: id})
	}))
}

// lockedGroup runs fn in a transaction on the row of a group that nobody else
// can change meanwhile. The verb asks first.
func (us *Users) lockedGroup(ctx context.Context, verb string, id GroupID, fn func(ctx context.Context, m GroupModel) error) error {
	if id <= 0 {
		return invalid(FieldGroup, ReasonNotPositive)
	}
	return us.store.Atomic(ctx, func(ctx context.Context) error {
		if verb != unasked {
			if err := us.on(ToGroup(id)).ask(ctx, verb); err != nil {
				return err
			}
		}
		m, err := us.store.LockGroup(ctx, id)
		if err != nil {
			return err
		}
		bindGroup(m)
		return fn(ctx, m)
	})
}

// GroupByID finds a group. It returns ErrNotFound.
func (us *Users) GroupByID(ctx context.Context, id GroupID) (*Group, error) {
	if err := us.on(ToGroup(id)).ask(ctx, "GroupByID"); err != nil {
		return nil, wrapGroup("find group", id, err)
	}
	g, err := us.groupByID(ctx, id)
	return g, wrapGroup("find group", id, err)
}

func (us *Users) groupByID(ctx context.Context, id GroupID) (*Group, error) {
	if id <= 0 {
		return nil, invalid(FieldGroup, ReasonNotPositive)
	}
	groups, err := allGroups(us.store.GroupsByID(ctx, id))
	switch {
	case err != nil:
		return nil, err
	case len(groups) == 0:
		return nil, ErrNotFound
	}
	return groups[0], nil
}

// GroupByUUID finds a group by the ID that the world sees. It returns
// ErrNotFound.
func (us *Users) GroupByUUID(ctx context.Context, id uuid.UUID) (*Group, error) {
	if err := us.ask(ctx, "GroupByUUID"); err != nil {
		return nil, wrap("find group by UUID", 0, err)
	}
	g, err := groupOf(us.store.GroupByUUID(ctx, id))
	return g, wrap("find group by UUID", 0, err)
}

// GroupByName finds a group by name, in any spelling that has the same
// canonical form. It returns ErrNotFound, also for a group that is built in and
// was not needed yet: [Users.BuiltInGroup] makes it.
func (us *Users) GroupByName(ctx context.Context, name string) (*Group, error) {
	if err := us.ask(ctx, "GroupByName"); err != nil {
		return nil, wrap("find group by name", 0, err)
	}
	key, err := GroupKey(name)
	if err != nil {
		return nil, wrap("find group by name", 0, ErrNotFound)
	}
	g, err := groupOf(us.store.GroupByName(ctx, key))
	return g, wrap("find group by name", 0, err)
}

// Groups lists the groups in the order of their canonical names. It returns an
// [InvalidError] of [FieldLimit] or [FieldCursor].
func (us *Users) Groups(ctx context.Context, p Paging) (*Page[*Group], error) {
	if err := us.ask(ctx, "Groups"); err != nil {
		return nil, wrap("list groups", 0, err)
	}
	l, err := pageOf(p, "groups", func(key string, _ int64, limit int) ([]*Group, error) {
		return allGroups(us.store.GroupPage(ctx, key, limit))
	}, func(g *Group) (string, int64) { return g.NameKey, int64(g.ID) })
	return l, wrap("list groups", 0, err)
}

// wrapGroup is wrap for the ID of a group.
func wrapGroup(verb string, id GroupID, err error) error { return wrap(verb, UserID(id), err) }

// GroupStore keeps the rows of groups. A [GroupModel] of a type that the store was
// not opened for is an [InvalidError] of [FieldModel].
type GroupStore interface {
	// InsertGroup writes a new row and sets its ID. A taken name key is a
	// [ConflictError] of [FieldName], else a taken UUID one of [FieldUUID].
	InsertGroup(ctx context.Context, m GroupModel) error

	// OfferGroup is InsertGroup, but content to do nothing if the name key is
	// taken. It reports whether it wrote, and does not set the ID.
	OfferGroup(ctx context.Context, m GroupModel) (bool, error)

	// UpdateGroup writes every column of m but ID, UUID, CreatedBy and
	// CreatedAt, if the row still has m's Version, and then adds one to both.
	// ErrStale if the row has moved on or is gone, conflicts as in InsertGroup.
	UpdateGroup(ctx context.Context, m GroupModel) error

	// DeleteGroup deletes the row, and with it its members and the grants to it.
	// ErrNotFound if there is none, a conflict of FieldReferenced if a row that the
	// store does not know refers to it.
	DeleteGroup(ctx context.Context, id GroupID) error

	// GroupByName and GroupByUUID find a group.
	GroupByName(ctx context.Context, key string) (GroupModel, error)
	GroupByUUID(ctx context.Context, id uuid.UUID) (GroupModel, error)

	// LockGroup finds a group and, in a transaction, holds off every other
	// LockGroup, UpdateGroup and DeleteGroup of it until its end.
	LockGroup(ctx context.Context, id GroupID) (GroupModel, error)

	// GroupsByID returns those groups that exist, in the order of their IDs.
	GroupsByID(ctx context.Context, ids ...GroupID) ([]GroupModel, error)

	// GroupPage returns the groups whose keys follow that one, by the bytes of
	// the key.
	GroupPage(ctx context.Context, after string, limit int) ([]GroupModel, error)
}
