package bunstore

import (
	"context"
	"database/sql"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

type groupQueries struct {
	insert, offer, update, remove     *Query
	byName, byUUID, lock, byIDs, page *Query
}

const groupColumns = "id, uuid, name, name_key, description, data, created_by, created_at, updated_at, version"

func (s *Store) groupQueries() groupQueries {
	insert := "INSERT INTO {groups} (uuid, name, name_key, description, data, created_by, created_at, updated_at, version) VALUES (" +
		placeholders(9) + ")"
	sel := "SELECT " + groupColumns + " FROM {groups} g WHERE "
	return groupQueries{
		insert: s.constant(insert + " RETURNING id"),
		offer:  s.constant(insert + " ON CONFLICT (name_key) DO NOTHING"),
		update: s.constant(`UPDATE {groups} SET name = $3, name_key = $4, description = $5, data = $6, updated_at = $7, version = version + 1
WHERE id = $1 AND version = $2`),
		remove: s.constant("DELETE FROM {groups} WHERE id = $1"),
		byName: s.constant(sel + "name_key = $1"),
		byUUID: s.constant(sel + "uuid = $1"),
		lock:   s.constant(sel + "id = $1" + s.dialect.ForUpdate),
		byIDs:  s.constant(sel + s.dialect.In("id", 1) + " ORDER BY id"),
		page:   s.planned(sel + "name_key > $1 ORDER BY name_key LIMIT $2"),
	}
}

// collectGroups returns a scan that appends to a list of groups.
func collectGroups(to *[]*roster.Group) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		g := new(roster.Group)
		*to = append(*to, g)
		return rows.Scan(&g.ID, &g.UUID, &g.Name, &g.NameKey, &g.Description, (*data)(&g.Data), &g.CreatedBy,
			(*moment)(&g.CreatedAt), (*moment)(&g.UpdatedAt), &g.Version)
	}
}

// groupArgs are the arguments of an INSERT.
func (s *Store) groupArgs(g *roster.Group) ([]any, error) {
	bag, err := encodeData(g.Data)
	return []any{
		g.UUID.String(), g.Name, g.NameKey, g.Description, bag, int64(g.CreatedBy),
		s.dialect.Time(g.CreatedAt), s.dialect.Time(g.UpdatedAt), g.Version,
	}, err
}

// InsertGroup implements [roster.GroupStore].
func (s *Store) InsertGroup(ctx context.Context, g *roster.Group) error {
	args, err := s.groupArgs(g)
	if err != nil {
		return s.txns.Doom(ctx, err)
	}
	var id int64
	err = s.returning(ctx, s.group.insert, func(rows *sql.Rows) error { return rows.Scan(&id) }, args...)
	if err == nil {
		g.ID = roster.GroupID(id)
	}
	return err
}

// OfferGroup implements [roster.GroupStore].
func (s *Store) OfferGroup(ctx context.Context, g *roster.Group) (bool, error) {
	args, err := s.groupArgs(g)
	if err != nil {
		return false, s.txns.Doom(ctx, err)
	}
	n, err := s.exec(ctx, s.group.offer, args...)
	return n > 0, err
}

// UpdateGroup implements [roster.GroupStore].
func (s *Store) UpdateGroup(ctx context.Context, g *roster.Group) error {
	bag, err := encodeData(g.Data)
	if err != nil {
		return s.txns.Doom(ctx, err)
	}
	n, err := s.exec(ctx, s.group.update, int64(g.ID), g.Version, g.Name, g.NameKey, g.Description, bag, s.dialect.Time(g.UpdatedAt))
	switch {
	case err != nil:
		return err
	case n == 0:
		return s.txns.Doom(ctx, roster.ErrStale)
	}
	g.Version++
	return nil
}

// DeleteGroup implements [roster.GroupStore].
func (s *Store) DeleteGroup(ctx context.Context, id roster.GroupID) error {
	return found(s.exec(ctx, s.group.remove, int64(id)))
}

// GroupByName implements [roster.GroupStore].
func (s *Store) GroupByName(ctx context.Context, key string) (*roster.Group, error) {
	return s.oneGroup(ctx, s.group.byName, key)
}

// GroupByUUID implements [roster.GroupStore].
func (s *Store) GroupByUUID(ctx context.Context, id uuid.UUID) (*roster.Group, error) {
	return s.oneGroup(ctx, s.group.byUUID, id.String())
}

// LockGroup implements [roster.GroupStore].
func (s *Store) LockGroup(ctx context.Context, id roster.GroupID) (*roster.Group, error) {
	if _, inside, _ := s.txns.Tx(ctx); inside {
		return s.oneGroup(ctx, s.group.lock, int64(id))
	}
	groups, err := s.GroupsByID(ctx, id)
	if err != nil || len(groups) == 0 {
		return nil, found(0, err)
	}
	return groups[0], nil
}

func (s *Store) oneGroup(ctx context.Context, q *Query, arg any) (*roster.Group, error) {
	var groups []*roster.Group
	if err := s.row(ctx, q, collectGroups(&groups), arg); err != nil {
		return nil, err
	}
	return groups[0], nil
}

// GroupsByID implements [roster.GroupStore].
func (s *Store) GroupsByID(ctx context.Context, ids ...roster.GroupID) (groups []*roster.Group, err error) {
	if len(ids) == 0 {
		return nil, s.nothing(ctx)
	}
	err = s.rows(ctx, s.group.byIDs, collectGroups(&groups), s.dialect.IDs(int64s(ids)))
	return listed(groups, err)
}

// GroupPage implements [roster.GroupStore].
func (s *Store) GroupPage(ctx context.Context, after string, limit int) (groups []*roster.Group, err error) {
	if limit <= 0 {
		return nil, s.nothing(ctx)
	}
	err = s.rows(ctx, s.group.page, collectGroups(&groups), after, limit)
	return listed(groups, err)
}
