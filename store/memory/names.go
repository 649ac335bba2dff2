package memory

import (
	"context"
	"time"

	"github.com/go-roster/roster"
)

// nameRow says whose a name key is. It is held back if until is not zero.
type nameRow struct {
	key   string
	owner roster.UserID
	until time.Time
}

type nameTable struct {
	byKey   index[string, *nameRow]
	byOwner index[string, string] // by owner and key
	held    index[string, string] // by end and key
}

func (r *nameRow) ownerKey() (string, bool) { return ints(int64(r.owner)) + r.key, true }

func (r *nameRow) heldKey() (string, bool) {
	return ints(r.until.UnixMicro()) + r.key, !r.until.IsZero()
}

func (st *state) setName(key string, old, row *nameRow) {
	t := &st.names
	replace(st, &t.byKey, key, row)
	reindex(st, &t.byOwner, (*nameRow).ownerKey, old, row, key)
	reindex(st, &t.held, (*nameRow).heldKey, old, row, key)
}

// dropNames deletes the keys of a user.
func (st *state) dropNames(owner roster.UserID) {
	var keys []string
	for _, key := range prefixed(st.names.byOwner, ints(int64(owner))) {
		keys = append(keys, key)
	}
	for _, key := range keys {
		st.setName(key, st.names.byKey.get(key), nil)
	}
}

// ClaimName implements [roster.NameStore].
func (s *Store) ClaimName(ctx context.Context, key string, owner roster.UserID, now time.Time) error {
	now = micros(now)
	return exec(ctx, s, func(st *state) error {
		if err := keyed(roster.FieldName, key); err != nil {
			return err
		}
		old := st.names.byKey.get(key)
		if old != nil {
			held := !old.until.IsZero()
			if !held || old.owner != owner && old.until.After(now) {
				return &roster.ConflictError{Field: roster.FieldName}
			}
		}
		if st.users.byID.get(owner) == nil {
			return &roster.ConflictError{Field: roster.FieldUser}
		}
		st.setName(key, old, &nameRow{key: key, owner: owner})
		return nil
	})
}

// RetireName implements [roster.NameStore].
func (s *Store) RetireName(ctx context.Context, key string, owner roster.UserID, until time.Time) error {
	return exec(ctx, s, func(st *state) error {
		old := st.names.byKey.get(key)
		if old == nil || old.owner != owner {
			return roster.ErrNotFound
		}
		st.setName(key, old, &nameRow{key: key, owner: owner, until: micros(until)})
		return nil
	})
}

// NameOwners implements [roster.NameStore].
func (s *Store) NameOwners(ctx context.Context, keys ...string) (map[string]roster.UserID, error) {
	return read(ctx, s, func(st *state) (map[string]roster.UserID, error) {
		owners := make(map[string]roster.UserID, len(keys))
		for _, key := range keys {
			if r := st.names.byKey.get(key); r != nil {
				owners[key] = r.owner
			}
		}
		return owners, nil
	})
}

// PruneNames implements [roster.NameStore]. Those that ended first go first.
func (s *Store) PruneNames(ctx context.Context, now time.Time, limit int) (int, error) {
	if limit <= 0 {
		return nothing[int](ctx, s)
	}
	now = micros(now)
	return write(ctx, s, func(st *state) (int, error) {
		var rows []*nameRow
		for _, key := range st.names.held.from("") {
			r := st.names.byKey.get(key)
			if len(rows) >= limit || r.until.After(now) {
				break
			}
			rows = append(rows, r)
		}
		for _, r := range rows {
			st.setName(r.key, r, nil)
		}
		return len(rows), nil
	})
}
