package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/go-roster/roster"
)

type emailTable struct {
	byID   index[roster.EmailID, *roster.UserEmail]
	byUser index[string, roster.EmailID] // by user and ID

	// Of those that are not released: every one by key and ID, and the one
	// that is activated by key.
	claims index[string, roster.EmailID]
	proven index[string, roster.EmailID]

	gone    index[string, roster.EmailID]   // activated and released ones by key and ID
	pending index[roster.EmailID, struct{}] // may be pruned one day
}

func emailUserKey(e *roster.UserEmail) (string, bool) {
	return ints(int64(e.UserID), int64(e.ID)), true
}

func emailClaimKey(e *roster.UserEmail) (string, bool) {
	return text(e.AddressKey) + ints(int64(e.ID)), e.ReleasedAt.IsZero()
}

func emailProvenKey(e *roster.UserEmail) (string, bool) {
	return e.AddressKey, e.IsActivated() && e.ReleasedAt.IsZero()
}

func emailGoneKey(e *roster.UserEmail) (string, bool) {
	return text(e.AddressKey) + ints(int64(e.ID)), e.IsActivated() && !e.ReleasedAt.IsZero()
}

func emailPendingKey(e *roster.UserEmail) (roster.EmailID, bool) { return e.ID, !e.IsActivated() }

// setEmail puts row in the place of old. Either may be nil.
func (st *state) setEmail(id roster.EmailID, old, row *roster.UserEmail) {
	t := &st.emails
	replace(st, &t.byID, id, row)
	reindex(st, &t.byUser, emailUserKey, old, row, id)
	reindex(st, &t.claims, emailClaimKey, old, row, id)
	reindex(st, &t.proven, emailProvenKey, old, row, id)
	reindex(st, &t.gone, emailGoneKey, old, row, id)
	reindex(st, &t.pending, emailPendingKey, old, row, struct{}{})
}

// changeEmail replaces a row by one that differs by what change does to it.
func (st *state) changeEmail(old *roster.UserEmail, change func(*roster.UserEmail)) error {
	row := *old
	change(&row)
	if st.addressTaken(&row) {
		return &roster.ConflictError{Field: roster.FieldEmail}
	}
	st.setEmail(row.ID, old, &row)
	return nil
}

// addressTaken reports whether another row stands in the way of e being
// activated.
func (st *state) addressTaken(e *roster.UserEmail) bool {
	key, proven := emailProvenKey(e)
	if !proven {
		return false
	}
	holder := st.emails.proven.get(key)
	return holder != 0 && holder != e.ID
}

// emailsOf returns the rows of a user, by ID.
func (st *state) emailsOf(user roster.UserID) []*roster.UserEmail {
	var rows []*roster.UserEmail
	for _, id := range prefixed(st.emails.byUser, ints(int64(user))) {
		rows = append(rows, st.emails.byID.get(id))
	}
	return rows
}

func (st *state) hasEmail(user roster.UserID) bool {
	for range prefixed(st.emails.byUser, ints(int64(user))) {
		return true
	}
	return false
}

// primaryOf returns the primary address of a user, or nil.
func (st *state) primaryOf(user roster.UserID) *roster.UserEmail {
	for _, e := range st.emailsOf(user) {
		if e.Primary {
			return e
		}
	}
	return nil
}

// deleteEmail deletes a row and the activations sent to it.
func (st *state) deleteEmail(e *roster.UserEmail) {
	st.dropActivations(ints(int64(e.UserID), int64(e.ID)))
	st.setEmail(e.ID, e, nil)
}

func cloneEmails(rows []*roster.UserEmail) []*roster.UserEmail {
	for i, e := range rows {
		c := *e
		rows[i] = &c
	}
	return rows
}

// InsertEmail implements [roster.EmailStore].
func (s *Store) InsertEmail(ctx context.Context, e *roster.UserEmail) error {
	row := *e
	row.ID = 0
	row.ActivatedAt = micros(row.ActivatedAt)
	row.ReleasedAt = micros(row.ReleasedAt)
	row.CreatedAt = micros(row.CreatedAt)
	err := exec(ctx, s, func(st *state) error {
		if err := keyed(roster.FieldEmail, row.AddressKey); err != nil {
			return err
		}
		own := st.emailsOf(row.UserID)
		switch {
		case st.addressTaken(&row), slices.ContainsFunc(own, func(o *roster.UserEmail) bool {
			return o.AddressKey == row.AddressKey
		}):
			return &roster.ConflictError{Field: roster.FieldEmail}
		case row.Primary && st.primaryOf(row.UserID) != nil:
			return &roster.ConflictError{Field: roster.FieldPrimary}
		case st.users.byID.get(row.UserID) == nil:
			return &roster.ConflictError{Field: roster.FieldUser}
		}
		s.ids.email++
		row.ID = s.ids.email
		st.setEmail(row.ID, nil, &row)
		return nil
	})
	if err == nil {
		e.ID = row.ID
	}
	return err
}

// EmailsByID implements [roster.EmailStore].
func (s *Store) EmailsByID(ctx context.Context, ids ...roster.EmailID) ([]*roster.UserEmail, error) {
	return read(ctx, s, func(st *state) ([]*roster.UserEmail, error) {
		return cloneEmails(st.emailsByID(ids)), nil
	})
}

// emailsByID returns the rows that exist, in order, each once.
func (st *state) emailsByID(ids []roster.EmailID) []*roster.UserEmail {
	var rows []*roster.UserEmail
	for _, id := range set(ids) {
		if e := st.emails.byID.get(id); e != nil {
			rows = append(rows, e)
		}
	}
	return rows
}

// EmailsOf implements [roster.EmailStore].
func (s *Store) EmailsOf(ctx context.Context, users ...roster.UserID) ([]*roster.UserEmail, error) {
	return read(ctx, s, func(st *state) ([]*roster.UserEmail, error) {
		var rows []*roster.UserEmail
		for _, user := range set(users) {
			rows = append(rows, st.emailsOf(user)...)
		}
		slices.SortFunc(rows, func(a, b *roster.UserEmail) int { return cmp.Compare(a.ID, b.ID) })
		return cloneEmails(rows), nil
	})
}

// EmailsByKey implements [roster.EmailStore].
func (s *Store) EmailsByKey(ctx context.Context, key string) ([]*roster.UserEmail, error) {
	return read(ctx, s, func(st *state) ([]*roster.UserEmail, error) {
		var rows []*roster.UserEmail
		for _, id := range prefixed(st.emails.claims, text(key)) {
			rows = append(rows, st.emails.byID.get(id))
		}
		return cloneEmails(rows), nil
	})
}

// LockEmails implements [roster.EmailStore]. A transaction has the store to
// itself anyway.
func (s *Store) LockEmails(ctx context.Context, key string) ([]*roster.UserEmail, error) {
	return s.EmailsByKey(ctx, key)
}

// ActivatedEmails implements [roster.EmailStore].
func (s *Store) ActivatedEmails(ctx context.Context, keys ...string) ([]*roster.UserEmail, error) {
	return read(ctx, s, func(st *state) ([]*roster.UserEmail, error) {
		var ids []roster.EmailID
		for _, key := range keys {
			ids = append(ids, st.emails.proven.get(key))
		}
		return cloneEmails(st.emailsByID(ids)), nil
	})
}

// ActivateEmail implements [roster.EmailStore].
func (s *Store) ActivateEmail(ctx context.Context, id roster.EmailID, at time.Time) error {
	return exec(ctx, s, func(st *state) error {
		e := st.emails.byID.get(id)
		if e == nil || e.IsActivated() {
			return roster.ErrNotFound
		}
		return st.changeEmail(e, func(e *roster.UserEmail) { e.ActivatedAt = micros(at) })
	})
}

// ClearPrimary implements [roster.EmailStore].
func (s *Store) ClearPrimary(ctx context.Context, user roster.UserID) error {
	return exec(ctx, s, func(st *state) error {
		e := st.primaryOf(user)
		if e == nil {
			return nil
		}
		return st.changeEmail(e, func(e *roster.UserEmail) { e.Primary = false })
	})
}

// MarkPrimary implements [roster.EmailStore].
func (s *Store) MarkPrimary(ctx context.Context, id roster.EmailID) error {
	return exec(ctx, s, func(st *state) error {
		e := st.emails.byID.get(id)
		if e == nil {
			return roster.ErrNotFound
		}
		if p := st.primaryOf(e.UserID); p != nil && p.ID != id {
			return &roster.ConflictError{Field: roster.FieldPrimary}
		}
		return st.changeEmail(e, func(e *roster.UserEmail) { e.Primary = true })
	})
}

// DeleteEmails implements [roster.EmailStore].
func (s *Store) DeleteEmails(ctx context.Context, ids ...roster.EmailID) (int, error) {
	if len(ids) == 0 {
		return nothing[int](ctx, s)
	}
	return write(ctx, s, func(st *state) (int, error) {
		rows := st.emailsByID(ids)
		for _, e := range rows {
			st.deleteEmail(e)
		}
		return len(rows), nil
	})
}

// DeleteReleased implements [roster.EmailStore].
func (s *Store) DeleteReleased(ctx context.Context, key string, but roster.UserID) (int, error) {
	return write(ctx, s, func(st *state) (int, error) {
		var rows []*roster.UserEmail
		for _, id := range prefixed(st.emails.gone, text(key)) {
			if e := st.emails.byID.get(id); e.UserID != but {
				rows = append(rows, e)
			}
		}
		for _, e := range rows {
			st.deleteEmail(e)
		}
		return len(rows), nil
	})
}

// ReleaseEmails implements [roster.EmailStore].
func (s *Store) ReleaseEmails(ctx context.Context, user roster.UserID, at time.Time) error {
	return exec(ctx, s, func(st *state) error {
		for _, e := range st.emailsOf(user) {
			if err := st.changeEmail(e, func(e *roster.UserEmail) { e.ReleasedAt = micros(at) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReclaimEmails implements [roster.EmailStore].
func (s *Store) ReclaimEmails(ctx context.Context, user roster.UserID) error {
	return s.ReleaseEmails(ctx, user, time.Time{})
}

// EmailsAfter implements [roster.EmailStore].
func (s *Store) EmailsAfter(ctx context.Context, after roster.EmailID, limit int) ([]*roster.UserEmail, error) {
	return read(ctx, s, func(st *state) ([]*roster.UserEmail, error) {
		var rows []*roster.UserEmail
		for id, e := range st.emails.byID.from(after) {
			if len(rows) >= limit {
				break
			}
			if id != after {
				rows = append(rows, e)
			}
		}
		return cloneEmails(rows), nil
	})
}

// loose reports whether a pending address may go without its user.
func (st *state) loose(e *roster.UserEmail) bool {
	return !e.Primary || st.users.byID.get(e.UserID).IsActivated() && len(st.emailsOf(e.UserID)) == 1
}

// PruneEmails implements [roster.EmailStore]. Those with the lowest IDs go
// first.
func (s *Store) PruneEmails(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit <= 0 {
		return nothing[int](ctx, s)
	}
	before = micros(before)
	return write(ctx, s, func(st *state) (int, error) {
		var rows []*roster.UserEmail
		for id := range st.emails.pending.from(0) {
			if len(rows) >= limit {
				break
			}
			e := st.emails.byID.get(id)
			if e.CreatedAt.Before(before) && st.loose(e) && !st.hasActivation(ints(int64(e.UserID), int64(id))) {
				rows = append(rows, e)
			}
		}
		for _, e := range rows {
			st.deleteEmail(e)
		}
		return len(rows), nil
	})
}
