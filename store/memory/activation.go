package memory

import (
	"context"
	"slices"
	"time"

	"github.com/go-roster/roster"
)

type activationTable struct {
	byHash   index[string, *roster.Activation]
	byEmail  index[string, string] // by user, address and hash
	byExpiry index[string, string] // by expiry and hash
}

func activationEmailKey(a *roster.Activation) (string, bool) {
	return ints(int64(a.UserID), int64(a.EmailID)) + a.Hash, true
}

func activationExpiryKey(a *roster.Activation) (string, bool) {
	return ints(a.ExpiresAt.UnixMicro()) + a.Hash, true
}

func (st *state) setActivation(old, row *roster.Activation, hash string) {
	t := &st.activations
	replace(st, &t.byHash, hash, row)
	reindex(st, &t.byEmail, activationEmailKey, old, row, hash)
	reindex(st, &t.byExpiry, activationExpiryKey, old, row, hash)
}

// dropActivations deletes those of the purposes, or of all if there are none,
// whose user, or user and address, the prefix gives. It returns how many.
func (st *state) dropActivations(prefix string, purposes ...roster.Purpose) int {
	var rows []*roster.Activation
	for _, hash := range prefixed(st.activations.byEmail, prefix) {
		a := st.activations.byHash.get(hash)
		if len(purposes) == 0 || slices.Contains(purposes, a.Purpose) {
			rows = append(rows, a)
		}
	}
	for _, a := range rows {
		st.setActivation(a, nil, a.Hash)
	}
	return len(rows)
}

// InsertActivation implements [roster.ActivationStore]. The address must be one
// of the activation's user.
func (s *Store) InsertActivation(ctx context.Context, a *roster.Activation) error {
	row := *a
	row.CreatedAt = micros(row.CreatedAt)
	row.ExpiresAt = micros(row.ExpiresAt)
	return exec(ctx, s, func(st *state) error {
		if err := keyed(roster.FieldID, row.Hash); err != nil {
			return err
		}
		if st.activations.byHash.get(row.Hash) != nil {
			return &roster.ConflictError{Field: roster.FieldID}
		}
		if e := st.emails.byID.get(row.EmailID); e == nil || e.UserID != row.UserID {
			return &roster.ConflictError{Field: roster.FieldEmail}
		}
		st.setActivation(nil, &row, row.Hash)
		return nil
	})
}

// ActivationByHash implements [roster.ActivationStore].
func (s *Store) ActivationByHash(ctx context.Context, hash string) (*roster.Activation, error) {
	return read(ctx, s, func(st *state) (*roster.Activation, error) {
		a := st.activations.byHash.get(hash)
		if a == nil {
			return nil, roster.ErrNotFound
		}
		c := *a
		return &c, nil
	})
}

// RedeemActivation implements [roster.ActivationStore].
func (s *Store) RedeemActivation(
	ctx context.Context, hash string, now time.Time, purposes ...roster.Purpose,
) (*roster.Activation, error) {
	now = micros(now)
	return write(ctx, s, func(st *state) (*roster.Activation, error) {
		a := st.activations.byHash.get(hash)
		if a == nil || !slices.Contains(purposes, a.Purpose) || !a.ExpiresAt.After(now) {
			return nil, roster.ErrNotFound
		}
		st.setActivation(a, nil, hash)
		c := *a // readers of the last state may have the row still
		return &c, nil
	})
}

// VoidActivations implements [roster.ActivationStore].
func (s *Store) VoidActivations(
	ctx context.Context, user roster.UserID, email roster.EmailID, purposes ...roster.Purpose,
) (int, error) {
	prefix := ints(int64(user))
	if email != 0 {
		prefix = ints(int64(user), int64(email))
	}
	return write(ctx, s, func(st *state) (int, error) {
		return st.dropActivations(prefix, purposes...), nil
	})
}

// hasActivation reports whether there is one for a user, or for an address of a
// user, by the beginning of its key.
func (st *state) hasActivation(prefix string) bool {
	for range prefixed(st.activations.byEmail, prefix) {
		return true
	}
	return false
}

// PruneActivations implements [roster.ActivationStore]. Those that expired
// first go first.
func (s *Store) PruneActivations(ctx context.Context, now time.Time, limit int) (int, error) {
	if limit <= 0 {
		return nothing[int](ctx, s)
	}
	now = micros(now)
	return write(ctx, s, func(st *state) (int, error) {
		var rows []*roster.Activation
		for _, hash := range st.activations.byExpiry.from("") {
			a := st.activations.byHash.get(hash)
			if len(rows) >= limit || a.ExpiresAt.After(now) {
				break
			}
			rows = append(rows, a)
		}
		for _, a := range rows {
			st.setActivation(a, nil, a.Hash)
		}
		return len(rows), nil
	})
}
