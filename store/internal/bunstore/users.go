package bunstore

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

type userQueries struct {
	insert, update, purge, touch        *Query
	byID, byUUID, byName, byEmail, lock *Query
	byIDs, after, stale, keep, prune    *Query
}

// The columns that are not written by InsertUser, and not by UpdateUser.
var (
	notInserted = []string{"id"}
	notUpdated  = []string{"id", "uuid", "created_at", "last_login_at", "last_login_ip", "version"}
)

// The users that are found by name or by address.
const (
	fromName  = " FROM {users} u WHERE u.name_key = $1 AND u.deleted_at IS NULL"
	fromEmail = ` FROM {emails} e JOIN {users} u ON u.id = e.user_id
WHERE e.address_key = $1 AND e.activated_at IS NOT NULL AND e.released_at IS NULL AND u.deleted_at IS NULL`
)

func (s *Store) userQueries() userQueries {
	sel := "SELECT " + s.users.columns
	byID := sel + " FROM {users} u WHERE u.id = $1"
	inserted := append(append(s.users.written(notInserted...), "search"), s.users.added()...)
	updated := append(s.users.written(notUpdated...), "search")
	foreign := s.users.foreign()
	update := func(columns []string) *Query {
		return s.writing("UPDATE {users} SET "+assigned(columns)+", version = version + 1 WHERE id = $1 AND version = $2", foreign)
	}
	return userQueries{
		insert:  s.writing("INSERT INTO {users} ("+strings.Join(inserted, ", ")+") VALUES ("+placeholders(len(inserted))+") RETURNING id", foreign),
		update:  update(append(slices.Clip(updated), s.users.added()...)),
		touch:   update(updated),
		purge:   s.constant("DELETE FROM {users} WHERE id = $1"),
		byID:    s.constant(byID),
		byUUID:  s.constant(sel + " FROM {users} u WHERE u.uuid = $1"),
		byName:  s.constant(sel + fromName),
		byEmail: s.constant(sel + fromEmail),
		lock:    s.constant(byID + s.dialect.ForUpdate),
		byIDs:   s.constant(sel + " FROM {users} u WHERE " + s.dialect.In("u.id", 1) + " ORDER BY u.id"),
		after:   s.planned(sel + ", u.search FROM {users} u WHERE u.id > $1 ORDER BY u.id LIMIT $2"),
		stale:   s.planned("SELECT u.id FROM {users} u WHERE " + staleUser + " AND (u.kept_at IS NULL OR u.kept_at < $3) ORDER BY u.id LIMIT $4" + s.dialect.ForUpdate),
		keep:    s.constant("UPDATE {users} AS u SET kept_at = $1 WHERE " + s.dialect.In("u.id", 2)),
		prune:   s.constant("DELETE FROM {users} AS u WHERE " + staleUser + " AND " + s.dialect.In("u.id", 3) + " RETURNING id"),
	}
}

// InsertUser implements [roster.UserStore].
func (s *Store) InsertUser(ctx context.Context, m roster.Model, search string) error {
	args, added, err := s.users.inserts(m, notInserted...)
	if err != nil {
		return s.txns.Doom(ctx, err)
	}
	args = append(append(args, search), s.users.addedArgs(added)...)
	var id int64
	err = s.returning(ctx, s.user.insert, func(rows *sql.Rows) error { return rows.Scan(&id) }, args...)
	if err == nil {
		m.RosterUser().ID = roster.UserID(id)
		s.users.own.Settle(m, added)
	}
	return err
}

// UpdateUser implements [roster.UserStore].
func (s *Store) UpdateUser(ctx context.Context, m roster.Model, search string) error {
	args, added, own, err := s.users.updates(m, notUpdated...)
	if err != nil {
		return s.txns.Doom(ctx, err)
	}
	u := m.RosterUser()
	args = append(append([]any{int64(u.ID), u.Version}, args...), search)
	q := s.user.touch // a plain user leaves the host's columns alone
	if own {
		args, q = append(args, s.users.addedArgs(added)...), s.user.update
	}
	n, err := s.exec(ctx, q, args...)
	if err == nil && n == 0 {
		return s.txns.Doom(ctx, roster.ErrStale)
	}
	if err == nil {
		u.Version++
		s.users.own.Settle(m, added)
	}
	return err
}

// found is ErrNotFound for a statement that did nothing.
func found(n int, err error) error {
	if err == nil && n == 0 {
		return roster.ErrNotFound
	}
	return err
}

// PurgeUser implements [roster.UserStore].
func (s *Store) PurgeUser(ctx context.Context, id roster.UserID) error {
	return found(s.exec(ctx, s.user.purge, int64(id)))
}

// UserByID implements [roster.UserStore].
func (s *Store) UserByID(ctx context.Context, id roster.UserID) (roster.Model, error) {
	return s.oneUser(ctx, s.user.byID, int64(id))
}

// UserByUUID implements [roster.UserStore].
func (s *Store) UserByUUID(ctx context.Context, id uuid.UUID) (roster.Model, error) {
	return s.oneUser(ctx, s.user.byUUID, id.String())
}

// UserByName implements [roster.UserStore].
func (s *Store) UserByName(ctx context.Context, key string) (roster.Model, error) {
	return s.oneUser(ctx, s.user.byName, key)
}

// UserByEmail implements [roster.UserStore].
func (s *Store) UserByEmail(ctx context.Context, key string) (roster.Model, error) {
	return s.oneUser(ctx, s.user.byEmail, key)
}

// LockUser implements [roster.UserStore].
func (s *Store) LockUser(ctx context.Context, id roster.UserID) (roster.Model, error) {
	if _, inside, _ := s.txns.Tx(ctx); inside {
		return s.oneUser(ctx, s.user.lock, int64(id))
	}
	return s.UserByID(ctx, id)
}

func (s *Store) oneUser(ctx context.Context, q *Query, arg any) (m roster.Model, err error) {
	if err := s.row(ctx, q, s.users.one(&m), arg); err != nil {
		return nil, err
	}
	return m, nil
}

// UsersByID implements [roster.UserStore].
func (s *Store) UsersByID(ctx context.Context, ids ...roster.UserID) (ms []roster.Model, err error) {
	if len(ids) == 0 {
		return nil, s.nothing(ctx)
	}
	err = s.rows(ctx, s.user.byIDs, s.users.many(&ms), s.dialect.IDs(int64s(ids)))
	return listed(ms, err)
}

// collect returns a scan that appends to a list of IDs.
func collect[ID ~int64](to *[]ID) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var id ID
		err := rows.Scan(&id)
		*to = append(*to, id)
		return err
	}
}

// int64s are the IDs as the drivers take them.
func int64s[ID ~int64](ids []ID) []int64 {
	out := make([]int64, len(ids))
	for i, id := range ids {
		out[i] = int64(id)
	}
	return out
}

// listed is nothing but the error, if there is one.
func listed[T any](list []T, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	return list, nil
}

// UsersAfter implements [roster.UserStore].
func (s *Store) UsersAfter(ctx context.Context, after roster.UserID, limit int) (users []roster.StoredUser, err error) {
	if limit <= 0 {
		return nil, s.nothing(ctx)
	}
	err = s.rows(ctx, s.user.after, func(rows *sql.Rows) error {
		var u roster.StoredUser
		var err error
		u.User, err = s.users.scan(rows, &u.Search)
		users = append(users, u)
		return err
	}, int64(after), limit)
	return listed(users, err)
}
