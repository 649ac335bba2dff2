package bunstore

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

type sessionQueries struct{ insert, byHash, update, see, of, remove, drop, removeAll, prune *Query }

const sessionColumns = `s.hash, s.id, s.user_id, s.impersonator_id, s.auth_changed_at, s.impersonator_changed_at,
s.created_at, s.authenticated_at, s.last_seen_at, s.expires_at, s.addr, s.user_agent, s.tls`

func (s *Store) sessionQueries() sessionQueries {
	return sessionQueries{
		insert: s.writing("INSERT INTO {sessions} ("+strings.ReplaceAll(sessionColumns, "s.", "")+
			") VALUES ("+placeholders(13)+")", roster.FieldUser),
		byHash: s.constant("SELECT " + s.users.columns + ", " + sessionColumns +
			" FROM {sessions} s JOIN {users} u ON u.id = s.user_id WHERE s.hash = $1"),
		update: s.constant(`UPDATE {sessions} SET hash = $2, authenticated_at = $3, last_seen_at = $4, expires_at = $5,
addr = $6, user_agent = $7, tls = $8 WHERE hash = $1`),
		see: s.constant("UPDATE {sessions} SET last_seen_at = $2 WHERE hash = $1 AND last_seen_at <= $3"),
		of: s.constant("SELECT " + sessionColumns +
			" FROM {sessions} s WHERE s.user_id = $1 ORDER BY s.created_at DESC, s.id DESC LIMIT $2"),
		remove:    s.constant("DELETE FROM {sessions} WHERE user_id = $1 AND id = $2"),
		drop:      s.constant("DELETE FROM {sessions} WHERE hash = $1"),
		removeAll: s.constant("DELETE FROM {sessions} WHERE user_id = $1 AND id <> $2 OR impersonator_id = $1"),
		prune: s.planned(`WITH gone AS MATERIALIZED (
SELECT hash FROM {sessions} WHERE expires_at <= $1 ORDER BY expires_at, hash LIMIT $2` + s.dialect.ForUpdate + `)
DELETE FROM {sessions} WHERE hash IN (SELECT hash FROM gone)`),
	}
}

// sessionDests are where the columns of a session are scanned to.
func sessionDests(s *roster.Session) []any {
	return []any{
		(*secret)(&s.Hash), &s.ID, &s.UserID, (*optionalID)(&s.ImpersonatorID), (*moment)(&s.AuthChangedAt),
		(*moment)(&s.ImpersonatorChangedAt), (*moment)(&s.CreatedAt), (*moment)(&s.AuthenticatedAt), (*moment)(&s.LastSeenAt),
		(*moment)(&s.ExpiresAt), &s.Addr, &s.UserAgent, &s.TLS,
	}
}

// optionalID scans an ID. NULL is zero.
type optionalID roster.UserID

// Scan implements [sql.Scanner].
func (id *optionalID) Scan(src any) error {
	var n sql.NullInt64
	err := n.Scan(src)
	*id = optionalID(n.Int64)
	return err
}

// InsertSession implements [roster.SessionStore].
func (s *Store) InsertSession(ctx context.Context, in *roster.Session) error {
	var impersonator any
	if in.ImpersonatorID != 0 {
		impersonator = int64(in.ImpersonatorID)
	}
	_, err := s.exec(ctx, s.session.insert, in.Hash.Reveal(), in.ID.String(), int64(in.UserID), impersonator,
		s.dialect.nullTime(in.AuthChangedAt), s.dialect.nullTime(in.ImpersonatorChangedAt), s.dialect.Time(in.CreatedAt),
		s.dialect.Time(in.AuthenticatedAt), s.dialect.Time(in.LastSeenAt), s.dialect.Time(in.ExpiresAt),
		in.Addr, in.UserAgent, in.TLS)
	return err
}

// SessionByHash implements [roster.SessionStore].
func (s *Store) SessionByHash(ctx context.Context, hash roster.Secret) (out *roster.Session, m roster.Model, err error) {
	out = new(roster.Session)
	err = s.row(ctx, s.session.byHash, func(rows *sql.Rows) (err error) {
		m, err = s.users.scan(rows, sessionDests(out)...)
		return err
	}, hash.Reveal())
	if err != nil {
		return nil, nil, err
	}
	return out, m, nil
}

// UpdateSession implements [roster.SessionStore].
func (s *Store) UpdateSession(ctx context.Context, old roster.Secret, in *roster.Session) error {
	return found(s.exec(ctx, s.session.update, old.Reveal(), in.Hash.Reveal(), s.dialect.Time(in.AuthenticatedAt),
		s.dialect.Time(in.LastSeenAt), s.dialect.Time(in.ExpiresAt), in.Addr, in.UserAgent, in.TLS))
}

// SeeSession implements [roster.SessionStore].
func (s *Store) SeeSession(ctx context.Context, hash roster.Secret, at, before time.Time) error {
	_, err := s.exec(ctx, s.session.see, hash.Reveal(), s.dialect.Time(at), s.dialect.Time(before))
	return err
}

// SessionsOf implements [roster.SessionStore].
func (s *Store) SessionsOf(ctx context.Context, user roster.UserID, limit int) (all []*roster.Session, err error) {
	if limit <= 0 {
		return nil, s.nothing(ctx)
	}
	err = s.rows(ctx, s.session.of, func(rows *sql.Rows) error {
		one := new(roster.Session)
		all = append(all, one)
		return rows.Scan(sessionDests(one)...)
	}, int64(user), limit)
	return listed(all, err)
}

// DeleteSession implements [roster.SessionStore].
func (s *Store) DeleteSession(ctx context.Context, user roster.UserID, id uuid.UUID) error {
	return found(s.exec(ctx, s.session.remove, int64(user), id.String()))
}

// DropSession implements [roster.SessionStore].
func (s *Store) DropSession(ctx context.Context, hash roster.Secret) error {
	_, err := s.exec(ctx, s.session.drop, hash.Reveal())
	return err
}

// DeleteSessions implements [roster.SessionStore].
func (s *Store) DeleteSessions(ctx context.Context, user roster.UserID, but uuid.UUID) (int, error) {
	return s.exec(ctx, s.session.removeAll, int64(user), but.String())
}

// PruneSessions implements [roster.SessionStore]. Those that expired first go
// first.
func (s *Store) PruneSessions(ctx context.Context, now time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, s.nothing(ctx)
	}
	return s.exec(ctx, s.session.prune, s.dialect.Time(now), limit)
}
