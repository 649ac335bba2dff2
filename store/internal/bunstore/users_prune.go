package bunstore

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-roster/roster"
)

// keep is how long a user who could not be pruned is left alone: a row of the
// host is in the way.
const keep = 24 * time.Hour

// staleUser is who waits in vain, since before $1 and with none of the flags $2.
const staleUser = `u.activated_at IS NULL AND u.deleted_at IS NULL AND u.last_login_at IS NULL
AND u.directory_id = '' AND u.created_at < $1 AND u.flags & $2 = 0
AND NOT EXISTS (SELECT 1 FROM {members} m WHERE m.user_id = u.id) AND NOT EXISTS (SELECT 1 FROM {grants} g WHERE g.user_id = u.id)
AND EXISTS (SELECT 1 FROM {emails} e WHERE e.user_id = u.id)
AND NOT EXISTS (SELECT 1 FROM {activations} a WHERE a.user_id = u.id)`

// PruneUsers implements [roster.UserStore]. Those with the lowest IDs go first.
func (s *Store) PruneUsers(
	ctx context.Context, before time.Time, without roster.Flags, limit int,
) (ids []roster.UserID, err error) {
	if limit <= 0 {
		return nil, s.nothing(ctx)
	}
	var stale []int64
	err = s.apart(ctx, func(ctx context.Context) error {
		s.txns.Wrote(ctx) // also if it finds nobody, as every call that may write
		stale = nil
		err := s.returning(ctx, s.user.stale, collect(&stale),
			s.dialect.Time(before), int64(without), s.dialect.Time(before.Add(-keep)), limit)
		if err != nil || len(stale) == 0 {
			return err
		}
		// Now that the rows are locked, look again: a code may have been sent
		// while the lock was waited for.
		ids, err = s.pruned(ctx, before, without, stale)
		return err
	})
	if err != nil {
		ids = nil
	}
	if referenced(err) {
		var kept []int64
		if ids, kept, err = s.sift(ctx, before, without, stale); err == nil && len(kept) > 0 {
			_, err = s.exec(ctx, s.user.keep, s.dialect.Time(before), s.dialect.IDs(kept))
		}
	}
	slices.Sort(ids)
	return ids, err
}

func (s *Store) pruned(ctx context.Context, before time.Time, without roster.Flags, stale []int64) (ids []roster.UserID, err error) {
	err = s.returning(ctx, s.user.prune, collect(&ids), s.dialect.Time(before), int64(without), s.dialect.IDs(stale))
	return ids, err
}

// sift removes those of the users whom no row of the host holds fast, which only
// trying tells, and returns the others as kept. They cannot be removed all at
// once.
func (s *Store) sift(
	ctx context.Context, before time.Time, without roster.Flags, stale []int64,
) (ids []roster.UserID, kept []int64, err error) {
	if len(stale) == 1 {
		return nil, stale, nil
	}
	for _, half := range [][]int64{stale[:len(stale)/2], stale[len(stale)/2:]} {
		var gone []roster.UserID
		var held []int64
		err := s.apart(ctx, func(ctx context.Context) (err error) {
			gone, err = s.pruned(ctx, before, without, half)
			return err
		})
		if referenced(err) {
			gone, held, err = s.sift(ctx, before, without, half)
		}
		if err != nil {
			return ids, kept, err
		}
		ids, kept = append(ids, gone...), append(kept, held...)
	}
	return ids, kept, nil
}

// apart runs fn so that its failure undoes nothing else.
func (s *Store) apart(ctx context.Context, fn func(context.Context) error) error {
	if _, inside, _ := s.txns.Tx(ctx); inside && !s.txns.Joined(ctx) {
		return s.txns.Savepoint(ctx, fn)
	}
	return s.Atomic(ctx, fn)
}

// referenced reports whether rows of the host are in the way.
func referenced(err error) bool {
	var c *roster.ConflictError
	return errors.As(err, &c) && c.Field == roster.FieldReferenced
}
