package bunstore

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

type groupQueries struct {
	insert, offer, update, touch, remove *Query
	byName, byUUID, lock, byIDs, page    *Query
}

// groupNotUpdated are the columns that are not written by UpdateGroup.
var groupNotUpdated = []string{"id", "uuid", "created_by", "created_at", "version"}

func (s *Store) groupQueries() groupQueries {
	inserted := append(s.groups.written(notInserted...), s.groups.added()...)
	updated := s.groups.written(groupNotUpdated...)
	foreign := s.groups.foreign()
	insert := "INSERT INTO {groups} (" + strings.Join(inserted, ", ") + ") VALUES (" + placeholders(len(inserted)) + ")"
	update := func(columns []string) *Query {
		return s.writing("UPDATE {groups} SET "+assigned(columns)+", version = version + 1 WHERE id = $1 AND version = $2", foreign)
	}
	sel := "SELECT " + s.groups.columns + " FROM {groups} g WHERE "
	return groupQueries{
		insert: s.writing(insert+" RETURNING id", foreign),
		offer:  s.writing(insert+" ON CONFLICT (name_key) DO NOTHING", foreign),
		update: update(append(slices.Clip(updated), s.groups.added()...)),
		touch:  update(updated),
		remove: s.constant("DELETE FROM {groups} WHERE id = $1"),
		byName: s.constant(sel + "name_key = $1"),
		byUUID: s.constant(sel + "uuid = $1"),
		lock:   s.constant(sel + "id = $1" + s.dialect.ForUpdate),
		byIDs:  s.constant(sel + s.dialect.In("id", 1) + " ORDER BY id"),
		page:   s.planned(sel + "name_key > $1 ORDER BY name_key LIMIT $2"),
	}
}

// InsertGroup implements [roster.GroupStore].
func (s *Store) InsertGroup(ctx context.Context, m roster.GroupModel) error {
	args, added, err := s.groups.inserts(m, notInserted...)
	if err != nil {
		return s.txns.Doom(ctx, err)
	}
	var id int64
	err = s.returning(ctx, s.group.insert, func(rows *sql.Rows) error { return rows.Scan(&id) }, append(args, s.groups.addedArgs(added)...)...)
	if err == nil {
		m.RosterGroup().ID = roster.GroupID(id)
		s.groups.own.Settle(m, added)
	}
	return err
}

// OfferGroup implements [roster.GroupStore].
func (s *Store) OfferGroup(ctx context.Context, m roster.GroupModel) (bool, error) {
	args, added, err := s.groups.inserts(m, notInserted...)
	if err != nil {
		return false, s.txns.Doom(ctx, err)
	}
	n, err := s.exec(ctx, s.group.offer, append(args, s.groups.addedArgs(added)...)...)
	return n > 0, err
}

// UpdateGroup implements [roster.GroupStore].
func (s *Store) UpdateGroup(ctx context.Context, m roster.GroupModel) error {
	args, added, own, err := s.groups.updates(m, groupNotUpdated...)
	if err != nil {
		return s.txns.Doom(ctx, err)
	}
	g := m.RosterGroup()
	args = append([]any{int64(g.ID), g.Version}, args...)
	q := s.group.touch // a plain group leaves the host's columns alone
	if own {
		args, q = append(args, s.groups.addedArgs(added)...), s.group.update
	}
	n, err := s.exec(ctx, q, args...)
	switch {
	case err != nil:
		return err
	case n == 0:
		return s.txns.Doom(ctx, roster.ErrStale)
	}
	g.Version++
	s.groups.own.Settle(m, added)
	return nil
}

// DeleteGroup implements [roster.GroupStore].
func (s *Store) DeleteGroup(ctx context.Context, id roster.GroupID) error {
	return found(s.exec(ctx, s.group.remove, int64(id)))
}

// GroupByName implements [roster.GroupStore].
func (s *Store) GroupByName(ctx context.Context, key string) (roster.GroupModel, error) {
	return s.oneGroup(ctx, s.group.byName, key)
}

// GroupByUUID implements [roster.GroupStore].
func (s *Store) GroupByUUID(ctx context.Context, id uuid.UUID) (roster.GroupModel, error) {
	return s.oneGroup(ctx, s.group.byUUID, id.String())
}

// LockGroup implements [roster.GroupStore].
func (s *Store) LockGroup(ctx context.Context, id roster.GroupID) (roster.GroupModel, error) {
	if _, inside, _ := s.txns.Tx(ctx); inside {
		return s.oneGroup(ctx, s.group.lock, int64(id))
	}
	groups, err := s.GroupsByID(ctx, id)
	if err != nil || len(groups) == 0 {
		return nil, found(0, err)
	}
	return groups[0], nil
}

func (s *Store) oneGroup(ctx context.Context, q *Query, arg any) (roster.GroupModel, error) {
	var m roster.GroupModel
	if err := s.row(ctx, q, s.groups.one(&m), arg); err != nil {
		return nil, err
	}
	return m, nil
}

// GroupsByID implements [roster.GroupStore].
func (s *Store) GroupsByID(ctx context.Context, ids ...roster.GroupID) (groups []roster.GroupModel, err error) {
	if len(ids) == 0 {
		return nil, s.nothing(ctx)
	}
	err = s.rows(ctx, s.group.byIDs, s.groups.many(&groups), s.dialect.IDs(int64s(ids)))
	return listed(groups, err)
}

// GroupPage implements [roster.GroupStore].
func (s *Store) GroupPage(ctx context.Context, after string, limit int) (groups []roster.GroupModel, err error) {
	if limit <= 0 {
		return nil, s.nothing(ctx)
	}
	err = s.rows(ctx, s.group.page, s.groups.many(&groups), after, limit)
	return listed(groups, err)
}
