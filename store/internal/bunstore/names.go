package bunstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/go-roster/roster"
)

type nameQueries struct{ claim, retire, owners, prune *Query }

func (s *Store) nameQueries() nameQueries {
	return nameQueries{
		claim: s.writing(`INSERT INTO {names} AS n (name_key, user_id) VALUES ($1, $2)
ON CONFLICT (name_key) DO UPDATE SET user_id = excluded.user_id, until = NULL
WHERE n.user_id = excluded.user_id AND n.until IS NOT NULL OR n.until <= $3`, roster.FieldUser),
		retire: s.constant("UPDATE {names} SET until = $3 WHERE name_key = $1 AND user_id = $2"),
		owners: s.constant("SELECT name_key, user_id FROM {names} WHERE " + s.dialect.In("name_key", 1)),
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

// NameOwners implements [roster.NameStore].
func (s *Store) NameOwners(ctx context.Context, keys ...string) (map[string]roster.UserID, error) {
	if len(keys) == 0 {
		return nil, s.nothing(ctx)
	}
	owners := make(map[string]roster.UserID, len(keys))
	err := s.rows(ctx, s.name.owners, func(rows *sql.Rows) error {
		var key string
		var owner roster.UserID
		err := rows.Scan(&key, &owner)
		owners[key] = owner
		return err
	}, s.dialect.Texts(keys))
	if err != nil {
		return nil, err
	}
	return owners, nil
}

// PruneNames implements [roster.NameStore]. Those that ended first go first.
func (s *Store) PruneNames(ctx context.Context, now time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, s.nothing(ctx)
	}
	return s.exec(ctx, s.name.prune, s.dialect.Time(now), limit)
}
