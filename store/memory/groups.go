package memory

import (
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/mixin"
)

// groupRow is a row of a group. Here and nowhere else groups are copied in and
// out.
type groupRow struct {
	*roster.Group
	added

	model *mixin.Type[roster.GroupModel]
}

type groupTable struct {
	byID   index[roster.GroupID, *groupRow]
	byUUID index[string, roster.GroupID]
	byName index[string, roster.GroupID]

	unique index[string, roster.GroupID] // by what the host's type says is unique
}

func (r *groupRow) uuidKey() (string, bool) { return string(r.UUID[:]), true }

func (r *groupRow) nameKey() (string, bool) { return r.NameKey, true }

// setGroup puts row in the place of old. Either may be nil.
func (st *state) setGroup(id roster.GroupID, old, row *groupRow) {
	t := &st.groups
	replace(st, &t.byID, id, row)
	reindex(st, &t.byUUID, (*groupRow).uuidKey, old, row, id)
	reindex(st, &t.byName, (*groupRow).nameKey, old, row, id)
	var before, after []string
	if old != nil {
		before = old.unique
	}
	if row != nil {
		after = row.unique
	}
	setUnique(st, &t.unique, id, before, after)
}

// cloneGroup returns a copy that shares nothing with g.
func cloneGroup(g *roster.Group) *roster.Group {
	c := *g
	c.Row = roster.Row{}
	c.Data = cloneData(g.Data)
	c.CreatedAt, c.UpdatedAt = micros(g.CreatedAt), micros(g.UpdatedAt)
	return &c
}

func cloneData(d roster.Data) roster.Data {
	if d == nil {
		return nil
	}
	d = maps.Clone(d)
	for key, raw := range d {
		d[key] = slices.Clone(raw)
	}
	return d
}

// out copies the row for a caller. A nil row is ErrNotFound.
func (r *groupRow) out() (roster.GroupModel, error) {
	switch {
	case r == nil:
		return nil, roster.ErrNotFound
	case !r.model.IsOwn():
		return cloneGroup(r.Group), nil
	}
	return fill(r.model, r.added, func(m roster.GroupModel) { *m.RosterGroup() = *cloneGroup(r.Group) })
}

// groupsOut copies rows for a caller.
func groupsOut(rows []*groupRow) ([]roster.GroupModel, error) {
	groups := make([]roster.GroupModel, len(rows))
	for i, r := range rows {
		m, err := r.out()
		if err != nil {
			return nil, err
		}
		groups[i] = m
	}
	return groups, nil
}

// checkGroup refuses a name key that is empty or taken, a UUID that is, and values
// of the host's columns.
func (st *state) checkGroup(row *groupRow) error {
	if err := keyed(roster.FieldName, row.NameKey); err != nil {
		return err
	}
	if holder := st.groups.byName.get(row.NameKey); holder != 0 && holder != row.ID {
		return &roster.ConflictError{Field: roster.FieldName}
	}
	if holder := st.groups.byUUID.get(string(row.UUID[:])); holder != 0 && holder != row.ID {
		return &roster.ConflictError{Field: roster.FieldUUID}
	}
	return checkUnique(st.groups.unique, row.ID, row.added)
}

// newGroupRow copies what a caller handed in for a new row.
func (s *Store) newGroupRow(m roster.GroupModel) (*groupRow, error) {
	own, err := inserts(s.groupModel, m)
	if err != nil {
		return nil, err
	}
	row := &groupRow{cloneGroup(m.RosterGroup()), own, s.groupModel}
	row.ID = 0
	return row, nil
}

// InsertGroup implements [roster.GroupStore].
func (s *Store) InsertGroup(ctx context.Context, m roster.GroupModel) error {
	row, err := s.newGroupRow(m)
	if err != nil {
		return s.txns.Doom(ctx, err)
	}
	err = exec(ctx, s, func(st *state) error { return s.insertGroup(st, row) })
	if err == nil {
		m.RosterGroup().ID = row.ID
		s.groupModel.Settle(m, row.values)
	}
	return err
}

func (s *Store) insertGroup(st *state, row *groupRow) error {
	if err := st.checkGroup(row); err != nil {
		return err
	}
	s.ids.group++
	row.ID = s.ids.group
	st.setGroup(row.ID, nil, row)
	return nil
}

// OfferGroup implements [roster.GroupStore].
func (s *Store) OfferGroup(ctx context.Context, m roster.GroupModel) (bool, error) {
	row, err := s.newGroupRow(m)
	if err != nil {
		return false, s.txns.Doom(ctx, err)
	}
	return write(ctx, s, func(st *state) (bool, error) {
		if st.groups.byName.get(row.NameKey) != 0 {
			return false, nil
		}
		err := s.insertGroup(st, row)
		return err == nil, err
	})
}

// UpdateGroup implements [roster.GroupStore].
func (s *Store) UpdateGroup(ctx context.Context, m roster.GroupModel) error {
	own, err := updates(s.groupModel, m)
	if err != nil {
		return s.txns.Doom(ctx, err)
	}
	row := &groupRow{Group: cloneGroup(m.RosterGroup()), model: s.groupModel}
	err = exec(ctx, s, func(st *state) error {
		old := st.groups.byID.get(row.ID)
		if old == nil || old.Version != row.Version {
			return roster.ErrStale
		}
		row.UUID, row.CreatedBy, row.CreatedAt = old.UUID, old.CreatedBy, old.CreatedAt
		row.Version++
		if row.added = old.added; own != nil {
			row.added = *own
		}
		if err := st.checkGroup(row); err != nil {
			return err
		}
		st.setGroup(row.ID, old, row)
		return nil
	})
	if err == nil {
		m.RosterGroup().Version = row.Version
		s.groupModel.Settle(m, row.values)
	}
	return err
}

// DeleteGroup implements [roster.GroupStore].
func (s *Store) DeleteGroup(ctx context.Context, id roster.GroupID) error {
	return exec(ctx, s, func(st *state) error {
		old := st.groups.byID.get(id)
		if old == nil {
			return roster.ErrNotFound
		}
		st.dropMembers(st.members.byGroup, int64(id))
		st.dropGrants(st.grants.byGroup, int64(id))
		st.setGroup(id, old, nil)
		return nil
	})
}

// GroupByName implements [roster.GroupStore].
func (s *Store) GroupByName(ctx context.Context, key string) (roster.GroupModel, error) {
	return read(ctx, s, func(st *state) (roster.GroupModel, error) {
		return st.groups.byID.get(st.groups.byName.get(key)).out()
	})
}

// GroupByUUID implements [roster.GroupStore].
func (s *Store) GroupByUUID(ctx context.Context, id uuid.UUID) (roster.GroupModel, error) {
	return read(ctx, s, func(st *state) (roster.GroupModel, error) {
		return st.groups.byID.get(st.groups.byUUID.get(string(id[:]))).out()
	})
}

// LockGroup implements [roster.GroupStore]. A transaction has the store to
// itself anyway.
func (s *Store) LockGroup(ctx context.Context, id roster.GroupID) (roster.GroupModel, error) {
	return read(ctx, s, func(st *state) (roster.GroupModel, error) { return st.groups.byID.get(id).out() })
}

// GroupsByID implements [roster.GroupStore].
func (s *Store) GroupsByID(ctx context.Context, ids ...roster.GroupID) ([]roster.GroupModel, error) {
	return read(ctx, s, func(st *state) ([]roster.GroupModel, error) {
		var rows []*groupRow
		for _, id := range set(ids) {
			if row := st.groups.byID.get(id); row != nil {
				rows = append(rows, row)
			}
		}
		return groupsOut(rows)
	})
}

// GroupPage implements [roster.GroupStore].
func (s *Store) GroupPage(ctx context.Context, after string, limit int) ([]roster.GroupModel, error) {
	return read(ctx, s, func(st *state) ([]roster.GroupModel, error) {
		var rows []*groupRow
		for key, id := range st.groups.byName.from(after) {
			if len(rows) >= limit {
				break
			}
			if key != after {
				rows = append(rows, st.groups.byID.get(id))
			}
		}
		return groupsOut(rows)
	})
}
