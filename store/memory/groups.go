package memory

import (
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

type groupTable struct {
	byID   index[roster.GroupID, *roster.Group]
	byUUID index[string, roster.GroupID]
	byName index[string, roster.GroupID]
}

func groupUUIDKey(g *roster.Group) (string, bool) { return string(g.UUID[:]), true }

func groupNameKey(g *roster.Group) (string, bool) { return g.NameKey, true }

// setGroup puts row in the place of old. Either may be nil.
func (st *state) setGroup(id roster.GroupID, old, row *roster.Group) {
	t := &st.groups
	replace(st, &t.byID, id, row)
	reindex(st, &t.byUUID, groupUUIDKey, old, row, id)
	reindex(st, &t.byName, groupNameKey, old, row, id)
}

// newGroup is a row that shares nothing with g.
func newGroup(g *roster.Group) *roster.Group {
	row := *g
	row.Data = cloneData(g.Data)
	row.CreatedAt, row.UpdatedAt = micros(g.CreatedAt), micros(g.UpdatedAt)
	return &row
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

// groupOut copies a row for a caller. A nil row is ErrNotFound.
func groupOut(row *roster.Group) (*roster.Group, error) {
	if row == nil {
		return nil, roster.ErrNotFound
	}
	return newGroup(row), nil
}

// checkGroup refuses a name key that is empty or taken, and a UUID that is.
func (st *state) checkGroup(row *roster.Group) error {
	if err := keyed(roster.FieldName, row.NameKey); err != nil {
		return err
	}
	if holder := st.groups.byName.get(row.NameKey); holder != 0 && holder != row.ID {
		return &roster.ConflictError{Field: roster.FieldName}
	}
	if holder := st.groups.byUUID.get(string(row.UUID[:])); holder != 0 && holder != row.ID {
		return &roster.ConflictError{Field: roster.FieldUUID}
	}
	return nil
}

// InsertGroup implements [roster.GroupStore].
func (s *Store) InsertGroup(ctx context.Context, g *roster.Group) error {
	row := newGroup(g)
	row.ID = 0
	err := exec(ctx, s, func(st *state) error { return s.insertGroup(st, row) })
	if err == nil {
		g.ID = row.ID
	}
	return err
}

func (s *Store) insertGroup(st *state, row *roster.Group) error {
	if err := st.checkGroup(row); err != nil {
		return err
	}
	s.ids.group++
	row.ID = s.ids.group
	st.setGroup(row.ID, nil, row)
	return nil
}

// OfferGroup implements [roster.GroupStore].
func (s *Store) OfferGroup(ctx context.Context, g *roster.Group) (bool, error) {
	row := newGroup(g)
	row.ID = 0
	return write(ctx, s, func(st *state) (bool, error) {
		if st.groups.byName.get(row.NameKey) != 0 {
			return false, nil
		}
		err := s.insertGroup(st, row)
		return err == nil, err
	})
}

// UpdateGroup implements [roster.GroupStore].
func (s *Store) UpdateGroup(ctx context.Context, g *roster.Group) error {
	row := newGroup(g)
	err := exec(ctx, s, func(st *state) error {
		old := st.groups.byID.get(row.ID)
		if old == nil || old.Version != row.Version {
			return roster.ErrStale
		}
		row.UUID, row.CreatedBy, row.CreatedAt = old.UUID, old.CreatedBy, old.CreatedAt
		row.Version++
		if err := st.checkGroup(row); err != nil {
			return err
		}
		st.setGroup(row.ID, old, row)
		return nil
	})
	if err == nil {
		g.Version = row.Version
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
func (s *Store) GroupByName(ctx context.Context, key string) (*roster.Group, error) {
	return read(ctx, s, func(st *state) (*roster.Group, error) {
		return groupOut(st.groups.byID.get(st.groups.byName.get(key)))
	})
}

// GroupByUUID implements [roster.GroupStore].
func (s *Store) GroupByUUID(ctx context.Context, id uuid.UUID) (*roster.Group, error) {
	return read(ctx, s, func(st *state) (*roster.Group, error) {
		return groupOut(st.groups.byID.get(st.groups.byUUID.get(string(id[:]))))
	})
}

// LockGroup implements [roster.GroupStore]. A transaction has the store to
// itself anyway.
func (s *Store) LockGroup(ctx context.Context, id roster.GroupID) (*roster.Group, error) {
	return read(ctx, s, func(st *state) (*roster.Group, error) { return groupOut(st.groups.byID.get(id)) })
}

// GroupsByID implements [roster.GroupStore].
func (s *Store) GroupsByID(ctx context.Context, ids ...roster.GroupID) ([]*roster.Group, error) {
	return read(ctx, s, func(st *state) (groups []*roster.Group, _ error) {
		for _, id := range set(ids) {
			if row := st.groups.byID.get(id); row != nil {
				groups = append(groups, newGroup(row))
			}
		}
		return groups, nil
	})
}

// GroupPage implements [roster.GroupStore].
func (s *Store) GroupPage(ctx context.Context, after string, limit int) ([]*roster.Group, error) {
	return read(ctx, s, func(st *state) (groups []*roster.Group, _ error) {
		for key, id := range st.groups.byName.from(after) {
			if len(groups) >= limit {
				break
			}
			if key != after {
				groups = append(groups, newGroup(st.groups.byID.get(id)))
			}
		}
		return groups, nil
	})
}
