package memory

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/go-roster/roster"
)

type identityTable struct {
	bySubject index[string, *roster.UserIdentity] // by provider and subject
	byUser    index[string, string]               // by user, provider and subject
}

func identityKey(provider, subject string) string { return text(provider) + text(subject) }

func identityUserKey(i *roster.UserIdentity) (string, bool) {
	return ints(int64(i.UserID)) + identityKey(i.Provider, i.Subject), true
}

func (st *state) setIdentity(old, row *roster.UserIdentity, key string) {
	t := &st.identities
	replace(st, &t.bySubject, key, row)
	reindex(st, &t.byUser, identityUserKey, old, row, key)
}

// copyIdentity is a row that shares nothing with i.
func copyIdentity(i *roster.UserIdentity) *roster.UserIdentity {
	c := *i
	c.CreatedAt, c.UpdatedAt = micros(c.CreatedAt), micros(c.UpdatedAt)
	c.Emails, c.Data = nil, nil
	if len(i.Emails) > 0 {
		c.Emails = slices.Clone(i.Emails)
	}
	if len(i.Data) > 0 {
		c.Data = maps.Clone(i.Data)
		for key, raw := range c.Data {
			c.Data[key] = slices.Clone(raw)
		}
	}
	return &c
}

// dropIdentities deletes those of a user, of a provider and with a subject if
// these are not empty. It returns how many.
func (st *state) dropIdentities(user roster.UserID, provider, subject string) int {
	var gone []*roster.UserIdentity
	for _, key := range prefixed(st.identities.byUser, ints(int64(user))) {
		i := st.identities.bySubject.get(key)
		if (provider == "" || i.Provider == provider) && (subject == "" || i.Subject == subject) {
			gone = append(gone, i)
		}
	}
	for _, i := range gone {
		st.setIdentity(i, nil, identityKey(i.Provider, i.Subject))
	}
	return len(gone)
}

// InsertIdentity implements [roster.IdentityStore].
func (s *Store) InsertIdentity(ctx context.Context, i *roster.UserIdentity) error {
	row := copyIdentity(i)
	return exec(ctx, s, func(st *state) error {
		if err := keyed(roster.FieldProvider, row.Provider); err != nil {
			return err
		}
		if err := keyed(roster.FieldSubject, row.Subject); err != nil {
			return err
		}
		key := identityKey(row.Provider, row.Subject)
		if st.identities.bySubject.get(key) != nil {
			return &roster.ConflictError{Field: roster.FieldSubject}
		}
		if st.users.byID.get(row.UserID) == nil {
			return &roster.ConflictError{Field: roster.FieldUser}
		}
		st.setIdentity(nil, row, key)
		return nil
	})
}

// IdentityBySubject implements [roster.IdentityStore].
func (s *Store) IdentityBySubject(
	ctx context.Context, provider, subject string,
) (out *roster.UserIdentity, _ roster.Model, _ error) {
	m, err := read(ctx, s, func(st *state) (roster.Model, error) {
		row := st.identities.bySubject.get(identityKey(provider, subject))
		if row == nil {
			return nil, roster.ErrNotFound
		}
		out = copyIdentity(row)
		return st.users.byID.get(row.UserID).out()
	})
	if err != nil {
		return nil, nil, err
	}
	return out, m, nil
}

// IdentitiesOf implements [roster.IdentityStore].
func (s *Store) IdentitiesOf(ctx context.Context, users ...roster.UserID) ([]*roster.UserIdentity, error) {
	return read(ctx, s, func(st *state) ([]*roster.UserIdentity, error) {
		var rows []*roster.UserIdentity
		for _, user := range slices.Sorted(slices.Values(set(users))) {
			for _, key := range prefixed(st.identities.byUser, ints(int64(user))) {
				rows = append(rows, copyIdentity(st.identities.bySubject.get(key)))
			}
		}
		return rows, nil
	})
}

// IdentitiesAfter implements [roster.IdentityStore].
func (s *Store) IdentitiesAfter(
	ctx context.Context, provider, after string, limit int,
) ([]*roster.UserIdentity, error) {
	return read(ctx, s, func(st *state) ([]*roster.UserIdentity, error) {
		var rows []*roster.UserIdentity
		last := identityKey(provider, after)
		for key, row := range st.identities.bySubject.from(last) {
			if len(rows) >= limit || !strings.HasPrefix(key, text(provider)) {
				break
			}
			if key != last {
				rows = append(rows, copyIdentity(row))
			}
		}
		return rows, nil
	})
}

// UpdateIdentity implements [roster.IdentityStore].
func (s *Store) UpdateIdentity(ctx context.Context, i *roster.UserIdentity) error {
	in := copyIdentity(i)
	return exec(ctx, s, func(st *state) error {
		key := identityKey(in.Provider, in.Subject)
		old := st.identities.bySubject.get(key)
		if old == nil || old.UserID != in.UserID {
			return roster.ErrNotFound
		}
		row := *old
		row.Emails, row.Data, row.UpdatedAt = in.Emails, in.Data, in.UpdatedAt
		st.setIdentity(old, &row, key)
		return nil
	})
}

// DeleteIdentities implements [roster.IdentityStore].
func (s *Store) DeleteIdentities(ctx context.Context, user roster.UserID, provider, subject string) (int, error) {
	return write(ctx, s, func(st *state) (int, error) {
		return st.dropIdentities(user, provider, subject), nil
	})
}
