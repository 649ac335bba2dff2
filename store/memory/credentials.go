package memory

import (
	"context"

	"github.com/go-roster/roster"
)

type credentialTable struct {
	byUser index[string, *roster.Credential] // by user and scope
}

func credentialKey(user roster.UserID, scope roster.ScopeID) string {
	return ints(int64(user), int64(scope))
}

// credential copies a row for a caller. It is nil if there is none.
func (st *state) credential(user roster.UserID, scope roster.ScopeID) *roster.Credential {
	c := st.credentials.byUser.get(credentialKey(user, scope))
	if c == nil {
		return nil
	}
	out := *c
	return &out
}

// dropCredentials deletes the credentials of a user, in whatever scope.
func (st *state) dropCredentials(user roster.UserID) {
	var keys []string
	for key := range prefixed(st.credentials.byUser, ints(int64(user))) {
		keys = append(keys, key)
	}
	for _, key := range keys {
		drop(st, &st.credentials.byUser, key)
	}
}

// Credential implements [roster.CredentialStore].
func (s *Store) Credential(
	ctx context.Context, user roster.UserID, scope roster.ScopeID,
) (*roster.Credential, error) {
	return read(ctx, s, func(st *state) (*roster.Credential, error) {
		if c := st.credential(user, scope); c != nil {
			return c, nil
		}
		return nil, roster.ErrNotFound
	})
}

// PutCredential implements [roster.CredentialStore].
func (s *Store) PutCredential(ctx context.Context, c *roster.Credential) error {
	row := *c
	row.CreatedAt, row.ExpiresAt = micros(row.CreatedAt), micros(row.ExpiresAt)
	return exec(ctx, s, func(st *state) error {
		if st.users.byID.get(row.UserID) == nil {
			return &roster.ConflictError{Field: roster.FieldUser}
		}
		put(st, &st.credentials.byUser, credentialKey(row.UserID, row.ScopeID), &row)
		return nil
	})
}

// SwapCredential implements [roster.CredentialStore].
func (s *Store) SwapCredential(
	ctx context.Context, user roster.UserID, scope roster.ScopeID, old, hash roster.Secret,
) error {
	return exec(ctx, s, func(st *state) error {
		row := st.credential(user, scope)
		if row == nil || !row.Hash.Equal(old) {
			return roster.ErrStale
		}
		row.Hash = hash
		put(st, &st.credentials.byUser, credentialKey(user, scope), row)
		return nil
	})
}

// CredentialsAfter implements [roster.CredentialStore].
func (s *Store) CredentialsAfter(
	ctx context.Context, user roster.UserID, scope roster.ScopeID, limit int,
) ([]*roster.Credential, error) {
	return read(ctx, s, func(st *state) ([]*roster.Credential, error) {
		var rows []*roster.Credential
		after := credentialKey(user, scope)
		for key, c := range st.credentials.byUser.from(after) {
			if len(rows) >= limit {
				break
			}
			if key != after {
				row := *c
				rows = append(rows, &row)
			}
		}
		return rows, nil
	})
}

// DeleteCredential implements [roster.CredentialStore].
func (s *Store) DeleteCredential(ctx context.Context, user roster.UserID, scope roster.ScopeID) error {
	return exec(ctx, s, func(st *state) error {
		key := credentialKey(user, scope)
		if st.credentials.byUser.get(key) != nil {
			drop(st, &st.credentials.byUser, key)
		}
		return nil
	})
}
