package bunstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-roster/roster"
)

type limitQueries struct {
	counts, give, prune *Query
	take                [roster.MaxLimits]*Query // of one key, of two and so on
}

// over is when a count has expired in which nothing is left.
var over = time.Unix(0, 0)

func (s *Store) limitQueries() limitQueries {
	q := limitQueries{
		counts: s.constant("SELECT key, n, last_at, expires_at FROM {limits} WHERE " + s.dialect.In("key", 1) +
			" AND expires_at > $2 AND n > 0 ORDER BY key"),
		// The rows are locked in the order of the keys, as by those who take, so that
		// nobody waits in a circle.
		give: s.constant("WITH held AS MATERIALIZED (SELECT key FROM {limits} WHERE " + s.dialect.In("key", 1) + " ORDER BY key" +
			s.dialect.ForUpdate + `)
UPDATE {limits} SET n = CASE WHEN n < 2 OR ` + s.dialect.In("key", 2) + ` THEN 0 ELSE n - 1 END,
expires_at = CASE WHEN n < 2 OR ` + s.dialect.In("key", 2) + ` THEN $3 ELSE expires_at END
WHERE key IN (SELECT key FROM held)`),
		prune: s.planned(`WITH found AS MATERIALIZED (
SELECT key FROM {limits} WHERE expires_at <= $1 ORDER BY expires_at, key LIMIT $2), gone AS MATERIALIZED (
SELECT key FROM {limits} WHERE key IN (SELECT key FROM found) AND expires_at <= $1 ORDER BY key` + s.dialect.ForUpdate + `)
DELETE FROM {limits} WHERE key IN (SELECT key FROM gone)`),
	}
	values := make([]string, 0, len(q.take))
	for i := range q.take {
		values = append(values, fmt.Sprintf("($%d, 1, $%d, $1, $%d)", 3*i+2, 3*i+3, 3*i+4))
		q.take[i] = s.constant("INSERT INTO {limits} AS l (key, n, budget, last_at, expires_at) VALUES " + strings.Join(values, ", ") + `
ON CONFLICT (key) DO UPDATE SET n = CASE WHEN l.expires_at > excluded.last_at THEN l.n + 1 ELSE 1 END, budget = excluded.budget, last_at = excluded.last_at,
expires_at = CASE WHEN l.expires_at > excluded.expires_at THEN l.expires_at ELSE excluded.expires_at END
WHERE l.expires_at <= excluded.last_at OR l.n < excluded.budget
RETURNING key`)
	}
	return q
}

// fewLimits refuses calls with too many keys.
func fewLimits(n int) error {
	if n > roster.MaxLimits {
		return &roster.InvalidError{Field: roster.FieldLimit, Reason: roster.ReasonTooLong}
	}
	return nil
}

// LimitCounts implements [roster.Limiter].
func (s *Store) LimitCounts(ctx context.Context, now time.Time, keys ...string) (counts []roster.LimitCount, err error) {
	if err := fewLimits(len(keys)); err != nil {
		return nil, s.txns.Doom(ctx, err)
	}
	if len(keys) == 0 {
		return nil, s.nothing(ctx)
	}
	err = s.rows(ctx, s.limit.counts, func(rows *sql.Rows) error {
		var c roster.LimitCount
		err := rows.Scan(&c.Key, &c.N, (*moment)(&c.LastAt), (*moment)(&c.ExpiresAt))
		counts = append(counts, c)
		return err
	}, s.dialect.Texts(keys), s.dialect.Time(now))
	return counts, err
}

// TakeLimits implements [roster.Limiter].
func (s *Store) TakeLimits(ctx context.Context, now time.Time, takes ...roster.LimitTake) (taken []string, err error) {
	if err := fewLimits(len(takes)); err != nil {
		return nil, s.txns.Doom(ctx, err)
	}
	if len(takes) == 0 {
		return nil, s.nothing(ctx)
	}
	takes = slices.Clone(takes)
	slices.SortFunc(takes, func(a, b roster.LimitTake) int { return cmp.Compare(a.Key, b.Key) })
	args := []any{s.dialect.Time(now)}
	for _, t := range takes {
		args = append(args, t.Key, t.Max, s.dialect.Time(t.ExpiresAt))
	}
	err = s.returning(ctx, s.limit.take[len(takes)-1], func(rows *sql.Rows) error {
		var key string
		err := rows.Scan(&key)
		taken = append(taken, key)
		return err
	}, args...)
	slices.Sort(taken)
	return taken, err
}

// GiveLimits implements [roster.Limiter].
func (s *Store) GiveLimits(ctx context.Context, one, all []string) error {
	keys := slices.Concat(one, all)
	if err := fewLimits(len(keys)); err != nil {
		return s.txns.Doom(ctx, err)
	}
	if len(keys) == 0 {
		return s.nothing(ctx)
	}
	_, err := s.exec(ctx, s.limit.give, s.dialect.Texts(keys), s.dialect.Texts(slices.Concat([]string{}, all)), s.dialect.Time(over))
	return err
}

// PruneLimits implements [roster.LimitStore]. Those that expired first go
// first.
func (s *Store) PruneLimits(ctx context.Context, now time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, s.nothing(ctx)
	}
	return s.exec(ctx, s.limit.prune, s.dialect.Time(now), limit)
}
