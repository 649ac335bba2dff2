package memory

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/go-roster/roster"
)

type limitTable struct {
	byKey    index[string, *roster.LimitCount]
	byExpiry index[string, string] // by expiry and key
}

// over is when a count has expired in which nothing is left.
var over = time.Unix(0, 0).UTC()

func limitExpiryKey(c *roster.LimitCount) (string, bool) {
	return ints(c.ExpiresAt.UnixMicro()) + c.Key, true
}

func (st *state) setLimit(old, row *roster.LimitCount, key string) {
	replace(st, &st.limits.byKey, key, row)
	reindex(st, &st.limits.byExpiry, limitExpiryKey, old, row, key)
}

// fewLimits refuses calls with too many keys.
func fewLimits(n int) error {
	if n > roster.MaxLimits {
		return &roster.InvalidError{Field: roster.FieldLimit, Reason: roster.ReasonTooLong}
	}
	return nil
}

// LimitCounts implements [roster.Limiter].
func (s *Store) LimitCounts(ctx context.Context, now time.Time, keys ...string) ([]roster.LimitCount, error) {
	now = micros(now)
	return read(ctx, s, func(st *state) (counts []roster.LimitCount, err error) {
		if err := fewLimits(len(keys)); err != nil {
			return nil, err
		}
		for _, key := range keys {
			if c := st.limits.byKey.get(key); c != nil && c.N > 0 && c.ExpiresAt.After(now) {
				counts = append(counts, *c)
			}
		}
		slices.SortFunc(counts, func(a, b roster.LimitCount) int { return strings.Compare(a.Key, b.Key) })
		return counts, nil
	})
}

// TakeLimits implements [roster.Limiter].
func (s *Store) TakeLimits(ctx context.Context, now time.Time, takes ...roster.LimitTake) ([]string, error) {
	if len(takes) == 0 {
		return nothing[[]string](ctx, s)
	}
	now = micros(now)
	return write(ctx, s, func(st *state) (taken []string, err error) {
		if err := fewLimits(len(takes)); err != nil {
			return nil, err
		}
		for _, t := range takes {
			if err := keyed(roster.FieldID, t.Key); err != nil {
				return nil, err
			}
			row := roster.LimitCount{Key: t.Key, N: 1, LastAt: now, ExpiresAt: micros(t.ExpiresAt)}
			old := st.limits.byKey.get(t.Key)
			if old != nil {
				if old.ExpiresAt.After(now) {
					if row.N += old.N; old.N >= t.Max {
						continue
					}
				}
				if old.ExpiresAt.After(row.ExpiresAt) {
					row.ExpiresAt = old.ExpiresAt
				}
			}
			st.setLimit(old, &row, t.Key)
			taken = append(taken, t.Key)
		}
		slices.Sort(taken)
		return taken, nil
	})
}

// GiveLimits implements [roster.Limiter].
func (s *Store) GiveLimits(ctx context.Context, one, all []string) error {
	if len(one)+len(all) == 0 {
		_, err := nothing[struct{}](ctx, s)
		return err
	}
	return exec(ctx, s, func(st *state) error {
		if err := fewLimits(len(one) + len(all)); err != nil {
			return err
		}
		for i, key := range slices.Concat(one, all) {
			old := st.limits.byKey.get(key)
			if old == nil {
				continue
			}
			row := *old
			if row.N--; row.N < 1 || i >= len(one) {
				row.N, row.ExpiresAt = 0, over
			}
			st.setLimit(old, &row, key)
		}
		return nil
	})
}

// PruneLimits implements [roster.LimitStore]. Those that expired first go
// first.
func (s *Store) PruneLimits(ctx context.Context, now time.Time, limit int) (int, error) {
	if limit <= 0 {
		return nothing[int](ctx, s)
	}
	now = micros(now)
	return write(ctx, s, func(st *state) (int, error) {
		var rows []*roster.LimitCount
		for _, key := range st.limits.byExpiry.from("") {
			c := st.limits.byKey.get(key)
			if len(rows) >= limit || c.ExpiresAt.After(now) {
				break
			}
			rows = append(rows, c)
		}
		for _, c := range rows {
			st.setLimit(c, nil, c.Key)
		}
		return len(rows), nil
	})
}
