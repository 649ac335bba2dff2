package bunstore

import (
	"context"
	"database/sql"

	"github.com/go-roster/roster"
)

type credentialQueries struct{ get, put, swap, after, remove *Query }

const credentialColumns = "user_id, scope_id, hash, created_at, must_change, expires_at"

func (s *Store) credentialQueries() credentialQueries {
	return credentialQueries{
		get: s.constant("SELECT " + credentialColumns + " FROM {credentials} WHERE user_id = $1 AND scope_id = $2"),
		put: s.writing("INSERT INTO {credentials} ("+credentialColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (user_id, scope_id) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at,
must_change = excluded.must_change, expires_at = excluded.expires_at`, roster.FieldUser),
		swap: s.constant("UPDATE {credentials} SET hash = $4 WHERE user_id = $1 AND scope_id = $2 AND hash = $3"),
		after: s.constant("SELECT " + credentialColumns + ` FROM {credentials} WHERE (user_id, scope_id) > ($1, $2)
ORDER BY user_id, scope_id LIMIT $3`),
		remove: s.constant("DELETE FROM {credentials} WHERE user_id = $1 AND scope_id = $2"),
	}
}

// Credential implements [roster.CredentialStore].
func (s *Store) Credential(ctx context.Context, user roster.UserID, scope roster.ScopeID) (*roster.Credential, error) {
	c := new(roster.Credential)
	err := s.row(ctx, s.credential.get, scanCredential(c), int64(user), int64(scope))
	if err != nil {
		return nil, err
	}
	return c, nil
}

func scanCredential(c *roster.Credential) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		return rows.Scan(&c.UserID, &c.ScopeID, (*secret)(&c.Hash), (*moment)(&c.CreatedAt), &c.MustChange, (*moment)(&c.ExpiresAt))
	}
}

// CredentialsAfter implements [roster.CredentialStore].
func (s *Store) CredentialsAfter(
	ctx context.Context, user roster.UserID, scope roster.ScopeID, limit int,
) ([]*roster.Credential, error) {
	if limit <= 0 {
		return nil, s.nothing(ctx)
	}
	var page []*roster.Credential
	err := s.rows(ctx, s.credential.after, func(rows *sql.Rows) error {
		c := new(roster.Credential)
		page = append(page, c)
		return scanCredential(c)(rows)
	}, int64(user), int64(scope), limit)
	return listed(page, err)
}

// secret scans text that must not be shown. NULL is empty.
type secret roster.Secret

// Scan implements [sql.Scanner].
func (s *secret) Scan(src any) error {
	var text sql.NullString
	err := text.Scan(src)
	*s = secret(roster.NewSecret(text.String))
	return err
}

// PutCredential implements [roster.CredentialStore].
func (s *Store) PutCredential(ctx context.Context, c *roster.Credential) error {
	_, err := s.exec(ctx, s.credential.put, int64(c.UserID), int64(c.ScopeID), c.Hash.Reveal(), s.dialect.Time(c.CreatedAt),
		c.MustChange, s.dialect.nullTime(c.ExpiresAt))
	return err
}

// SwapCredential implements [roster.CredentialStore].
func (s *Store) SwapCredential(
	ctx context.Context, user roster.UserID, scope roster.ScopeID, old, hash roster.Secret,
) error {
	n, err := s.exec(ctx, s.credential.swap, int64(user), int64(scope), old.Reveal(), hash.Reveal())
	if err == nil && n == 0 {
		return s.txns.Doom(ctx, roster.ErrStale)
	}
	return err
}

// DeleteCredential implements [roster.CredentialStore].
func (s *Store) DeleteCredential(ctx context.Context, user roster.UserID, scope roster.ScopeID) error {
	_, err := s.exec(ctx, s.credential.remove, int64(user), int64(scope))
	return err
}
