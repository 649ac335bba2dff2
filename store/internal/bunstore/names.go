package bunstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/go-roster/roster"
)

type nameQueries struct{ claim, retire, owner, prune *Query }

func (s *Store) nameQueries() nameQueries {
	return nameQueries{
		claim: s.writing(`INSERT INTO {names} AS n (name_key, user_id) VALUES ($1, $2)
ON CONFLICT (name_key) DO UPDATE SET user_id = excluded.user_id, until = NULL
WHERE n.user_id = excluded.user_id AND n.until IS NOT NULL OR n.until <= $3`, roster.FieldUser),
		retire: s.constant("UPDATE {names} SET until = $3 WHERE name_key = $1 AND user_id = $2"),
		owner:  s.constant("SELECT user_id FROM {names} WHERE name_key = $1"),
		prune: s.planned(`WITH gone AS MATERIALIZED (
SELECT name_key FROM {names} WHERE until <= $1 ORDER BY until, name_key LIMIT $2` + s.dialect.ForUpdate + `)
DELETE FROM {names} WHERE name_key IN (SELECT name_key FROM gone)`),
	}
}

// ClaimName implements [roster.NameStore].
func (s *Store) ClaimName(ctx context.Context, key string, owner roster.UserID, now time.Time) error {
	n, err := s.exec(ctx, s.name.claim, key, int64(owner), s.dialect.Time(now))
	if err == nil && n == 0 {
		return s.txns.Doom(ctx, &roster.ConflictError{Field: roster.FieldName})
	}
	return err
}

// RetireName implements [roster.NameStore].
func (s *Store) RetireName(ctx context.Context, key string, owner roster.UserID, until time.Time) error {
	return found(s.exec(ctx, s.name.retire, key, int64(owner), s.dialect.nullTime(until)))
}

// NameOwner implements [roster.NameStore].
func (s *Store) NameOwner(ctx context.Context, key string) (owner roster.UserID, err error) {
	err = s.row(ctx, s.name.owner, func(rows *sql.Rows) error { return rows.Scan(&owner) }, key)
	return owner, err
}

// PruneNames implements [roster.NameStore]. Those that ended first go first.
func (s *Store) PruneNames(ctx context.Context, now time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, s.nothing(ctx)
	}
	return s.exec(ctx, s.name.prune, s.dialect.Time(now), limit)
}
