package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

type sessionTable struct {
	byHash   index[string, *roster.Session]
	byUser   index[string, string] // by user and ID
	byActor  index[string, string] // by impersonator and hash
	byExpiry index[string, string] // by expiry and hash
}

func sessionUserKey(s *roster.Session) (string, bool) {
	return ints(int64(s.UserID)) + string(s.ID[:]), true
}

func sessionActorKey(s *roster.Session) (string, bool) {
	return ints(int64(s.ImpersonatorID)) + s.Hash.Reveal(), s.ImpersonatorID != 0
}

func sessionExpiryKey(s *roster.Session) (string, bool) {
	return ints(s.ExpiresAt.UnixMicro()) + s.Hash.Reveal(), true
}

// setSession puts row in the place of old. Either may be nil. A row whose hash
// is another one is put in after the old one is taken out.
func (st *state) setSession(old, row *roster.Session) {
	var hash string
	if row != nil {
		hash = row.Hash.Reveal()
	} else {
		hash = old.Hash.Reveal()
	}
	t := &st.sessions
	replace(st, &t.byHash, hash, row)
	reindex(st, &t.byUser, sessionUserKey, old, row, hash)
	reindex(st, &t.byActor, sessionActorKey, old, row, hash)
	reindex(st, &t.byExpiry, sessionExpiryKey, old, row, hash)
}

// newSession is a row that shares nothing with s.
func newSession(s *roster.Session) *roster.Session {
	row := *s
	row.User, row.Impersonator = nil, nil
	for _, t := range []*time.Time{
		&row.AuthChangedAt, &row.ImpersonatorChangedAt, &row.CreatedAt, &row.AuthenticatedAt, &row.LastSeenAt, &row.ExpiresAt,
	} {
		*t = micros(*t)
	}
	return &row
}

// dropSessions deletes the sessions of a user, and those in which the user acts
// as somebody else, but the user's own with the ID if there is one. It returns
// how many.
func (st *state) dropSessions(user roster.UserID, but *uuid.UUID) int {
	var hashes []string
	for _, ix := range []index[string, string]{st.sessions.byUser, st.sessions.byActor} {
		for _, hash := range prefixed(ix, ints(int64(user))) {
			hashes = append(hashes, hash)
		}
	}
	n := 0
	for _, hash := range hashes {
		if row := st.sessions.byHash.get(hash); row != nil && (row.UserID != user || but == nil || row.ID != *but) {
			st.setSession(row, nil)
			n++
		}
	}
	return n
}

// InsertSession implements [roster.SessionStore].
func (s *Store) InsertSession(ctx context.Context, in *roster.Session) error {
	row := newSession(in)
	return exec(ctx, s, func(st *state) error {
		if err := keyed(roster.FieldID, row.Hash.Reveal()); err != nil {
			return err
		}
		if row.ImpersonatorID == row.UserID {
			return &roster.InvalidError{Field: roster.FieldUser, Reason: roster.ReasonUnknown}
		}
		key, _ := sessionUserKey(row)
		if st.sessions.byHash.get(row.Hash.Reveal()) != nil || st.sessions.byUser.get(key) != "" {
			return &roster.ConflictError{Field: roster.FieldID}
		}
		if st.users.byID.get(row.UserID) == nil || row.ImpersonatorID != 0 && st.users.byID.get(row.ImpersonatorID) == nil {
			return &roster.ConflictError{Field: roster.FieldUser}
		}
		st.setSession(nil, row)
		return nil
	})
}

// SessionByHash implements [roster.SessionStore].
func (s *Store) SessionByHash(ctx context.Context, hash roster.Secret) (out *roster.Session, _ roster.Model, _ error) {
	m, err := read(ctx, s, func(st *state) (roster.Model, error) {
		row := st.sessions.byHash.get(hash.Reveal())
		if row == nil {
			return nil, roster.ErrNotFound
		}
		c := *row
		out = &c
		return st.users.byID.get(row.UserID).out()
	})
	if err != nil {
		return nil, nil, err
	}
	return out, m, nil
}

// UpdateSession implements [roster.SessionStore].
func (s *Store) UpdateSession(ctx context.Context, old roster.Secret, in *roster.Session) error {
	row := newSession(in)
	return exec(ctx, s, func(st *state) error {
		if err := keyed(roster.FieldID, row.Hash.Reveal()); err != nil {
			return err
		}
		was := st.sessions.byHash.get(old.Reveal())
		if was == nil {
			return roster.ErrNotFound
		}
		if !row.Hash.Equal(old) && st.sessions.byHash.get(row.Hash.Reveal()) != nil {
			return &roster.ConflictError{Field: roster.FieldID}
		}
		next := *was
		next.Hash, next.AuthenticatedAt, next.LastSeenAt, next.ExpiresAt = row.Hash, row.AuthenticatedAt, row.LastSeenAt, row.ExpiresAt
		next.Addr, next.UserAgent, next.TLS = row.Addr, row.UserAgent, row.TLS
		st.setSession(was, nil)
		st.setSession(nil, &next)
		return nil
	})
}

// SeeSession implements [roster.SessionStore].
func (s *Store) SeeSession(ctx context.Context, hash roster.Secret, at, before time.Time) error {
	at, before = micros(at), micros(before)
	return exec(ctx, s, func(st *state) error {
		was := st.sessions.byHash.get(hash.Reveal())
		if was == nil || was.LastSeenAt.After(before) {
			return nil
		}
		next := *was
		next.LastSeenAt = at
		st.setSession(was, &next)
		return nil
	})
}

// SessionsOf implements [roster.SessionStore].
func (s *Store) SessionsOf(ctx context.Context, user roster.UserID, limit int) ([]*roster.Session, error) {
	return read(ctx, s, func(st *state) ([]*roster.Session, error) {
		if limit <= 0 {
			return nil, nil
		}
		var all []*roster.Session
		for _, hash := range prefixed(st.sessions.byUser, ints(int64(user))) {
			c := *st.sessions.byHash.get(hash)
			all = append(all, &c)
		}
		slices.SortFunc(all, func(a, b *roster.Session) int {
			return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), bytes.Compare(b.ID[:], a.ID[:]))
		})
		return all[:min(len(all), limit)], nil
	})
}

// DeleteSession implements [roster.SessionStore].
func (s *Store) DeleteSession(ctx context.Context, user roster.UserID, id uuid.UUID) error {
	return exec(ctx, s, func(st *state) error {
		row := st.sessions.byHash.get(st.sessions.byUser.get(ints(int64(user)) + string(id[:])))
		if row == nil {
			return roster.ErrNotFound
		}
		st.setSession(row, nil)
		return nil
	})
}

// DropSession implements [roster.SessionStore].
func (s *Store) DropSession(ctx context.Context, hash roster.Secret) error {
	return exec(ctx, s, func(st *state) error {
		if row := st.sessions.byHash.get(hash.Reveal()); row != nil {
			st.setSession(row, nil)
		}
		return nil
	})
}

// DeleteSessions implements [roster.SessionStore].
func (s *Store) DeleteSessions(ctx context.Context, user roster.UserID, but uuid.UUID) (int, error) {
	return write(ctx, s, func(st *state) (int, error) { return st.dropSessions(user, &but), nil })
}

// PruneSessions implements [roster.SessionStore]. Those that expired first go
// first.
func (s *Store) PruneSessions(ctx context.Context, now time.Time, limit int) (int, error) {
	if limit <= 0 {
		return nothing[int](ctx, s)
	}
	now = micros(now)
	return write(ctx, s, func(st *state) (int, error) {
		var rows []*roster.Session
		for _, hash := range st.sessions.byExpiry.from("") {
			row := st.sessions.byHash.get(hash)
			if len(rows) >= limit || row.ExpiresAt.After(now) {
				break
			}
			rows = append(rows, row)
		}
		for _, row := range rows {
			st.setSession(row, nil)
		}
		return len(rows), nil
	})
}
