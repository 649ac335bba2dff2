package bunstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/go-roster/roster"
)

type emailQueries struct {
	insert, byID, of, after                *Query
	byKey, lock, activated                 *Query
	activate, clear, mark, remove, release *Query
	removeReleased                         *Query
	stale, prune                           *Query
}

const emailColumns = "id, user_id, address, address_key, is_primary, activated_at, released_at, created_at"

// staleEmail is what waits in vain, since before $1. A primary address goes with
// its user, unless that one stays.
const staleEmail = `e.activated_at IS NULL AND e.created_at < $1
AND (NOT e.is_primary OR EXISTS (SELECT 1 FROM {users} u WHERE u.id = e.user_id AND u.activated_at IS NOT NULL)
	AND NOT EXISTS (SELECT 1 FROM {emails} o WHERE o.user_id = e.user_id AND o.id <> e.id))
AND NOT EXISTS (SELECT 1 FROM {activations} a WHERE a.user_id = e.user_id AND a.email_id = e.id)`

func (s *Store) emailQueries() emailQueries {
	sel := "SELECT " + emailColumns + " FROM {emails} WHERE "
	byKey := sel + "address_key = $1 AND released_at IS NULL ORDER BY id"
	return emailQueries{
		insert: s.writing(`INSERT INTO {emails} (user_id, address, address_key, is_primary, activated_at, released_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`, roster.FieldUser),
		byID:           s.constant(sel + s.dialect.In("id", 1) + " ORDER BY id"),
		of:             s.constant(sel + s.dialect.In("user_id", 1) + " ORDER BY id"),
		byKey:          s.constant(byKey),
		lock:           s.constant(byKey + s.dialect.ForUpdate),
		activated:      s.constant(sel + s.dialect.In("address_key", 1) + " AND activated_at IS NOT NULL AND released_at IS NULL ORDER BY id"),
		after:          s.planned(sel + "id > $1 ORDER BY id LIMIT $2"),
		activate:       s.constant("UPDATE {emails} SET activated_at = $2 WHERE id = $1 AND activated_at IS NULL"),
		clear:          s.constant("UPDATE {emails} SET is_primary = FALSE WHERE user_id = $1 AND is_primary"),
		mark:           s.constant("UPDATE {emails} SET is_primary = TRUE WHERE id = $1"),
		remove:         s.constant("DELETE FROM {emails} WHERE " + s.dialect.In("id", 1)),
		release:        s.constant("UPDATE {emails} SET released_at = $2 WHERE user_id = $1"),
		removeReleased: s.constant("DELETE FROM {emails} WHERE address_key = $1 AND user_id <> $2 AND released_at IS NOT NULL AND activated_at IS NOT NULL"),
		stale: s.planned("SELECT e.id FROM {emails} e JOIN {users} w ON w.id = e.user_id WHERE " + staleEmail +
			" ORDER BY e.id LIMIT $2" + s.lockOf("w")), // whoever adds one or sends a code holds the user's row,
		prune: s.constant("DELETE FROM {emails} AS e WHERE " + staleEmail + " AND " + s.dialect.In("e.id", 2)),
	}
}

func scanEmail(rows *sql.Rows) (*roster.UserEmail, error) {
	e := new(roster.UserEmail)
	err := rows.Scan(&e.ID, &e.UserID, &e.Address, &e.AddressKey, &e.Primary,
		(*moment)(&e.ActivatedAt), (*moment)(&e.ReleasedAt), (*moment)(&e.CreatedAt))
	return e, err
}

func (s *Store) emailList(ctx context.Context, q *Query, args ...any) (list []*roster.UserEmail, err error) {
	err = s.rows(ctx, q, func(rows *sql.Rows) error {
		e, err := scanEmail(rows)
		list = append(list, e)
		return err
	}, args...)
	return listed(list, err)
}

// InsertEmail implements [roster.EmailStore].
func (s *Store) InsertEmail(ctx context.Context, e *roster.UserEmail) error {
	var id int64
	err := s.returning(ctx, s.email.insert, func(rows *sql.Rows) error { return rows.Scan(&id) },
		int64(e.UserID), e.Address, e.AddressKey, e.Primary,
		s.dialect.nullTime(e.ActivatedAt), s.dialect.nullTime(e.ReleasedAt), s.dialect.Time(e.CreatedAt))
	if err == nil {
		e.ID = roster.EmailID(id)
	}
	return err
}

// EmailsByID implements [roster.EmailStore].
func (s *Store) EmailsByID(ctx context.Context, ids ...roster.EmailID) ([]*roster.UserEmail, error) {
	if len(ids) == 0 {
		return nil, s.nothing(ctx)
	}
	return s.emailList(ctx, s.email.byID, s.dialect.IDs(int64s(ids)))
}

// EmailsOf implements [roster.EmailStore].
func (s *Store) EmailsOf(ctx context.Context, users ...roster.UserID) ([]*roster.UserEmail, error) {
	if len(users) == 0 {
		return nil, s.nothing(ctx)
	}
	return s.emailList(ctx, s.email.of, s.dialect.IDs(int64s(users)))
}

// EmailsByKey implements [roster.EmailStore].
func (s *Store) EmailsByKey(ctx context.Context, key string) ([]*roster.UserEmail, error) {
	return s.emailList(ctx, s.email.byKey, key)
}

// LockEmails implements [roster.EmailStore].
func (s *Store) LockEmails(ctx context.Context, key string) ([]*roster.UserEmail, error) {
	if _, inside, _ := s.txns.Tx(ctx); inside {
		return s.emailList(ctx, s.email.lock, key)
	}
	return s.EmailsByKey(ctx, key)
}

// ActivatedEmails implements [roster.EmailStore].
func (s *Store) ActivatedEmails(ctx context.Context, keys ...string) ([]*roster.UserEmail, error) {
	if len(keys) == 0 {
		return nil, s.nothing(ctx)
	}
	return s.emailList(ctx, s.email.activated, s.dialect.Texts(keys))
}

// ActivateEmail implements [roster.EmailStore].
func (s *Store) ActivateEmail(ctx context.Context, id roster.EmailID, at time.Time) error {
	return found(s.exec(ctx, s.email.activate, int64(id), s.dialect.nullTime(at)))
}

// ClearPrimary implements [roster.EmailStore].
func (s *Store) ClearPrimary(ctx context.Context, user roster.UserID) error {
	_, err := s.exec(ctx, s.email.clear, int64(user))
	return err
}

// MarkPrimary implements [roster.EmailStore].
func (s *Store) MarkPrimary(ctx context.Context, id roster.EmailID) error {
	return found(s.exec(ctx, s.email.mark, int64(id)))
}

// DeleteEmails implements [roster.EmailStore].
func (s *Store) DeleteEmails(ctx context.Context, ids ...roster.EmailID) (int, error) {
	if len(ids) == 0 {
		return 0, s.nothing(ctx)
	}
	return s.exec(ctx, s.email.remove, s.dialect.IDs(int64s(ids)))
}

// DeleteReleased implements [roster.EmailStore].
func (s *Store) DeleteReleased(ctx context.Context, key string, but roster.UserID) (int, error) {
	return s.exec(ctx, s.email.removeReleased, key, int64(but))
}

// ReleaseEmails implements [roster.EmailStore].
func (s *Store) ReleaseEmails(ctx context.Context, user roster.UserID, at time.Time) error {
	_, err := s.exec(ctx, s.email.release, int64(user), s.dialect.nullTime(at))
	return err
}

// ReclaimEmails implements [roster.EmailStore].
func (s *Store) ReclaimEmails(ctx context.Context, user roster.UserID) error {
	return s.ReleaseEmails(ctx, user, time.Time{})
}

// EmailsAfter implements [roster.EmailStore].
func (s *Store) EmailsAfter(ctx context.Context, after roster.EmailID, limit int) ([]*roster.UserEmail, error) {
	if limit <= 0 {
		return nil, s.nothing(ctx)
	}
	return s.emailList(ctx, s.email.after, int64(after), limit)
}

// PruneEmails implements [roster.EmailStore]. Those with the lowest IDs go
// first.
func (s *Store) PruneEmails(ctx context.Context, before time.Time, limit int) (n int, err error) {
	if limit <= 0 {
		return 0, s.nothing(ctx)
	}
	err = s.Atomic(ctx, func(ctx context.Context) error {
		var stale []int64
		err := s.returning(ctx, s.email.stale, collect(&stale), s.dialect.Time(before), limit)
		if err != nil || len(stale) == 0 {
			return err
		}
		n, err = s.exec(ctx, s.email.prune, s.dialect.Time(before), s.dialect.IDs(stale)) // see PruneUsers
		return err
	})
	return n, err
}
