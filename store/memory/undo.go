package memory

import (
	"context"
	"time"

	"github.com/go-roster/roster"
)

type undoTable struct {
	byHash   index[string, *roster.Undo]
	byUser   index[string, string] // by user, rank and hash
	byExpiry index[string, string] // by expiry and hash
}

func undoUserKey(u *roster.Undo) (string, bool) { return ints(int64(u.UserID), u.Rank) + u.Hash, true }

func undoExpiryKey(u *roster.Undo) (string, bool) {
	return ints(u.ExpiresAt.UnixMicro()) + u.Hash, true
}

func (st *state) setUndo(old, row *roster.Undo, hash string) {
	t := &st.undos
	replace(st, &t.byHash, hash, row)
	reindex(st, &t.byUser, undoUserKey, old, row, hash)
	reindex(st, &t.byExpiry, undoExpiryKey, old, row, hash)
}

// undosOf lists the rows of a user, by rank, then by hash.
func (st *state) undosOf(user roster.UserID) []*roster.Undo {
	var rows []*roster.Undo
	for _, hash := range prefixed(st.undos.byUser, ints(int64(user))) {
		rows = append(rows, st.undos.byHash.get(hash))
	}
	return rows
}

// dropUndos deletes those rows of a user that which picks. It returns how many.
func (st *state) dropUndos(user roster.UserID, which func(*roster.Undo) bool) int {
	n := 0
	for _, u := range st.undosOf(user) {
		if which(u) {
			st.setUndo(u, nil, u.Hash)
			n++
		}
	}
	return n
}

// InsertUndo implements [roster.UndoStore].
func (s *Store) InsertUndo(ctx context.Context, u *roster.Undo) error {
	row := *u
	row.CreatedAt, row.ExpiresAt = micros(row.CreatedAt), micros(row.ExpiresAt)
	return exec(ctx, s, func(st *state) error {
		if err := keyed(roster.FieldID, row.Hash); err != nil {
			return err
		}
		if err := keyed(roster.FieldEmail, row.AddressKey); err != nil {
			return err
		}
		if st.undos.byHash.get(row.Hash) != nil {
			return &roster.ConflictError{Field: roster.FieldID}
		}
		if st.users.byID.get(row.UserID) == nil {
			return &roster.ConflictError{Field: roster.FieldUser}
		}
		st.setUndo(nil, &row, row.Hash)
		return nil
	})
}

// UndoByHash implements [roster.UndoStore].
func (s *Store) UndoByHash(ctx context.Context, hash string) (*roster.Undo, error) {
	return read(ctx, s, func(st *state) (*roster.Undo, error) {
		u := st.undos.byHash.get(hash)
		if u == nil {
			return nil, roster.ErrNotFound
		}
		c := *u
		return &c, nil
	})
}

// UndosOf implements [roster.UndoStore].
func (s *Store) UndosOf(ctx context.Context, user roster.UserID) ([]*roster.Undo, error) {
	return read(ctx, s, func(st *state) ([]*roster.Undo, error) {
		rows := []*roster.Undo{}
		for _, u := range st.undosOf(user) {
			c := *u
			rows = append(rows, &c)
		}
		return rows, nil
	})
}

// RedeemUndo implements [roster.UndoStore].
func (s *Store) RedeemUndo(ctx context.Context, hash string, now time.Time) (*roster.Undo, error) {
	now = micros(now)
	return write(ctx, s, func(st *state) (*roster.Undo, error) {
		u := st.undos.byHash.get(hash)
		if u == nil || !u.ExpiresAt.After(now) {
			return nil, roster.ErrNotFound
		}
		st.setUndo(u, nil, hash)
		c := *u // readers of the last state may have the row still
		return &c, nil
	})
}

// VoidUndos implements [roster.UndoStore].
func (s *Store) VoidUndos(ctx context.Context, user roster.UserID, key string, above int64) (int, error) {
	return write(ctx, s, func(st *state) (int, error) {
		return st.dropUndos(user, func(u *roster.Undo) bool { return u.AddressKey == key || u.Rank > above }), nil
	})
}

// PruneUndos implements [roster.UndoStore]. Those that expired first go first.
func (s *Store) PruneUndos(ctx context.Context, now time.Time, limit int) (int, error) {
	if limit <= 0 {
		return nothing[int](ctx, s)
	}
	now = micros(now)
	return write(ctx, s, func(st *state) (int, error) {
		var rows []*roster.Undo
		for _, hash := range st.undos.byExpiry.from("") {
			u := st.undos.byHash.get(hash)
			if len(rows) >= limit || u.ExpiresAt.After(now) {
				break
			}
			rows = append(rows, u)
		}
		for _, u := range rows {
			st.setUndo(u, nil, u.Hash)
		}
		return len(rows), nil
	})
}
