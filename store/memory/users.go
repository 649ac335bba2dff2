package memory

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/mixin"
)

// userRow is a row of a user. Here and nowhere else users are copied in and
// out.
type userRow struct {
	*roster.User
	added

	search string
	model  *mixin.Type[roster.Model]
}

// newUserRow copies what a caller handed in, but for the host's columns.
func (s *Store) newUserRow(m roster.Model, search string) *userRow {
	u := cloneUser(m.RosterUser())
	u.ActivatedAt = micros(u.ActivatedAt)
	u.DeletedAt = micros(u.DeletedAt)
	u.LastLoginAt = micros(u.LastLoginAt)
	u.PasswordChangedAt = micros(u.PasswordChangedAt)
	u.AuthChangedAt = micros(u.AuthChangedAt)
	u.CreatedAt = micros(u.CreatedAt)
	u.UpdatedAt = micros(u.UpdatedAt)
	return &userRow{User: u, search: search, model: s.model}
}

// with returns a row that differs from r by what change does to its user.
// change must not touch what Data refers to.
func (r *userRow) with(change func(*roster.User)) *userRow {
	u, row := *r.User, *r
	change(&u)
	row.User = &u
	return &row
}

// out copies the row for a caller. A nil row is ErrNotFound.
func (r *userRow) out() (roster.Model, error) {
	switch {
	case r == nil:
		return nil, roster.ErrNotFound
	case !r.model.IsOwn():
		return cloneUser(r.User), nil
	}
	return fill(r.model, r.added, func(m roster.Model) { *m.RosterUser() = *cloneUser(r.User) })
}

// usersOut copies rows for a caller.
func usersOut(rows []*userRow) ([]roster.Model, error) {
	if rows == nil {
		return nil, nil
	}
	out := make([]roster.Model, len(rows))
	for i, r := range rows {
		m, err := r.out()
		if err != nil {
			return nil, err
		}
		out[i] = m
	}
	return out, nil
}

// cloneUser returns a copy that shares nothing with u.
func cloneUser(u *roster.User) *roster.User {
	c := *u
	c.Row = roster.Row{}
	c.Data = cloneData(c.Data)
	return &c
}

// userTable holds the users. All indices but the first lead to IDs, so that a
// write touches only those where something has moved.
type userTable struct {
	byID   index[roster.UserID, *userRow]
	byUUID index[string, roster.UserID]

	// By name key; it is unique among those that are not deleted.
	live    index[string, roster.UserID]
	active  index[string, roster.UserID]
	pending index[string, roster.UserID]
	deleted index[string, roster.UserID] // by name key and ID

	idle index[roster.UserID, struct{}] // may be pruned one day

	unique index[string, roster.UserID] // by what the host's type says is unique
}

func (r *userRow) uuidKey() (string, bool) { return string(r.UUID[:]), true }

func (r *userRow) liveKey() (string, bool) { return r.NameKey, !r.IsDeleted() }

func (r *userRow) activeKey() (string, bool) { return r.NameKey, !r.IsDeleted() && r.IsActivated() }

func (r *userRow) pendingKey() (string, bool) { return r.NameKey, !r.IsDeleted() && !r.IsActivated() }

func (r *userRow) deletedKey() (string, bool) {
	if !r.IsDeleted() {
		return "", false
	}
	return text(r.NameKey) + ints(int64(r.ID)), true
}

func (r *userRow) idleKey() (roster.UserID, bool) {
	return r.ID, !r.IsDeleted() && !r.IsActivated() && r.LastLoginAt.IsZero() && r.DirectoryID == ""
}

// setUser puts row in the place of old. Either may be nil.
func (st *state) setUser(id roster.UserID, old, row *userRow) {
	t := &st.users
	replace(st, &t.byID, id, row)
	reindex(st, &t.byUUID, (*userRow).uuidKey, old, row, id)
	reindex(st, &t.live, (*userRow).liveKey, old, row, id)
	reindex(st, &t.active, (*userRow).activeKey, old, row, id)
	reindex(st, &t.pending, (*userRow).pendingKey, old, row, id)
	reindex(st, &t.deleted, (*userRow).deletedKey, old, row, id)
	reindex(st, &t.idle, (*userRow).idleKey, old, row, struct{}{})
	setUnique(st, &t.unique, id, uniqueOf(old), uniqueOf(row))
}

// uniqueOf are the keys of a row, which may be nil.
func uniqueOf(r *userRow) []string {
	if r == nil {
		return nil
	}
	return r.unique
}

// checkName refuses a name key that is empty, or that another user has.
func (st *state) checkName(row *userRow) error {
	if err := keyed(roster.FieldName, row.NameKey); err != nil {
		return err
	}
	holder := st.users.live.get(row.NameKey)
	if row.IsDeleted() || holder == 0 || holder == row.ID {
		return nil
	}
	return &roster.ConflictError{Field: roster.FieldName}
}

// InsertUser implements [roster.UserStore].
func (s *Store) InsertUser(ctx context.Context, m roster.Model, search string) error {
	own, err := inserts(s.model, m)
	if err != nil {
		return s.txns.Doom(ctx, err)
	}
	row := s.newUserRow(m, search)
	row.ID, row.added = 0, own
	err = exec(ctx, s, func(st *state) error {
		if err := st.checkName(row); err != nil {
			return err
		}
		if key, _ := row.uuidKey(); st.users.byUUID.get(key) != 0 {
			return &roster.ConflictError{Field: roster.FieldUUID}
		}
		if err := checkUnique(st.users.unique, row.ID, row.added); err != nil {
			return err
		}
		s.ids.user++
		row.ID = s.ids.user
		st.setUser(row.ID, nil, row)
		return nil
	})
	if err == nil {
		m.RosterUser().ID = row.ID
		s.model.Settle(m, row.values)
	}
	return err
}

// UpdateUser implements [roster.UserStore].
func (s *Store) UpdateUser(ctx context.Context, m roster.Model, search string) error {
	own, err := updates(s.model, m)
	if err != nil {
		return s.txns.Doom(ctx, err)
	}
	row := s.newUserRow(m, search)
	err = exec(ctx, s, func(st *state) error {
		old := st.users.byID.get(row.ID)
		if old == nil || old.Version != row.Version {
			return roster.ErrStale
		}
		row.UUID, row.CreatedAt = old.UUID, old.CreatedAt
		row.LastLoginAt, row.LastLoginIP = old.LastLoginAt, old.LastLoginIP
		row.Version++
		if row.added = old.added; own != nil {
			row.added = *own
		}
		if err := st.checkName(row); err != nil {
			return err
		}
		if err := checkUnique(st.users.unique, row.ID, row.added); err != nil {
			return err
		}
		st.setUser(row.ID, old, row)
		return nil
	})
	if err == nil {
		m.RosterUser().Version = row.Version
		s.model.Settle(m, row.values)
	}
	return err
}

// PurgeUser implements [roster.UserStore].
func (s *Store) PurgeUser(ctx context.Context, id roster.UserID) error {
	return exec(ctx, s, func(st *state) error {
		if st.users.byID.get(id) == nil {
			return roster.ErrNotFound
		}
		st.purge(id)
		return nil
	})
}

// purge deletes a user and all that belongs to it.
func (st *state) purge(id roster.UserID) {
	st.dropActivations(ints(int64(id)))
	for _, e := range st.emailsOf(id) {
		st.setEmail(e.ID, e, nil)
	}
	st.dropCredentials(id)
	st.dropMails(id)
	st.dropUndos(id, func(*roster.Undo) bool { return true })
	st.dropSessions(id, nil)
	st.dropIdentities(id, "", "")
	st.dropMembers(st.members.byUser, int64(id))
	st.dropGrants(st.grants.byUser, int64(id))
	st.dropNames(id)
	st.setUser(id, st.users.byID.get(id), nil)
}

// UserByID implements [roster.UserStore].
func (s *Store) UserByID(ctx context.Context, id roster.UserID) (roster.Model, error) {
	return read(ctx, s, func(st *state) (roster.Model, error) {
		return st.users.byID.get(id).out()
	})
}

// UserByUUID implements [roster.UserStore].
func (s *Store) UserByUUID(ctx context.Context, id uuid.UUID) (roster.Model, error) {
	return read(ctx, s, func(st *state) (roster.Model, error) {
		return st.users.byID.get(st.users.byUUID.get(string(id[:]))).out()
	})
}

// UserByName implements [roster.UserStore].
func (s *Store) UserByName(ctx context.Context, key string) (roster.Model, error) {
	return read(ctx, s, func(st *state) (roster.Model, error) {
		return st.userByName(key).out()
	})
}

func (st *state) userByName(key string) *userRow {
	return st.users.byID.get(st.users.live.get(key))
}

// UserByEmail implements [roster.UserStore].
func (s *Store) UserByEmail(ctx context.Context, key string) (roster.Model, error) {
	return read(ctx, s, func(st *state) (roster.Model, error) {
		return st.userByEmail(key).out()
	})
}

func (st *state) userByEmail(key string) *userRow {
	e := st.emails.byID.get(st.emails.proven.get(key))
	if e == nil {
		return nil
	}
	u := st.users.byID.get(e.UserID)
	if u == nil || u.IsDeleted() {
		return nil
	}
	return u
}

// LockUser implements [roster.UserStore]. A transaction has the store to
// itself anyway.
func (s *Store) LockUser(ctx context.Context, id roster.UserID) (roster.Model, error) {
	return s.UserByID(ctx, id)
}

// UsersByID implements [roster.UserStore].
func (s *Store) UsersByID(ctx context.Context, ids ...roster.UserID) ([]roster.Model, error) {
	return read(ctx, s, func(st *state) ([]roster.Model, error) {
		var rows []*userRow
		for _, id := range set(ids) {
			if r := st.users.byID.get(id); r != nil {
				rows = append(rows, r)
			}
		}
		return usersOut(rows)
	})
}

// set returns the IDs in order, each once.
func set[ID ~int64](ids []ID) []ID {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// isPlaced reports whether somebody has put a user into a group, or granted
// something.
func (st *state) isPlaced(id roster.UserID) bool {
	for range prefixed(st.members.byUser, ints(int64(id))) {
		return true
	}
	for range prefixed(st.grants.byUser, ints(int64(id))) {
		return true
	}
	return false
}

// PruneUsers implements [roster.UserStore]. Those with the lowest IDs go first.
func (s *Store) PruneUsers(
	ctx context.Context, before time.Time, without roster.Flags, limit int,
) ([]roster.UserID, error) {
	if limit <= 0 {
		return nothing[[]roster.UserID](ctx, s)
	}
	before = micros(before)
	return write(ctx, s, func(st *state) ([]roster.UserID, error) {
		var ids []roster.UserID
		for id := range st.users.idle.from(0) {
			if len(ids) >= limit {
				break
			}
			r := st.users.byID.get(id)
			if r.CreatedAt.Before(before) && r.Flags&without == 0 && !st.isPlaced(id) && st.hasEmail(id) && !st.hasActivation(ints(int64(id))) {
				ids = append(ids, id)
			}
		}
		for _, id := range ids {
			st.purge(id)
		}
		return ids, nil
	})
}
