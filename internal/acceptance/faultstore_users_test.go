package acceptance

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

// The methods of roster.Store, each a point.

func (s *faultStore) InsertUser(ctx context.Context, m roster.Model, search string) error {
	return call1(ctx, s, func() error { return s.Store.InsertUser(ctx, m, search) })
}

func (s *faultStore) UpdateUser(ctx context.Context, m roster.Model, search string) error {
	return call1(ctx, s, func() error { return s.Store.UpdateUser(ctx, m, search) })
}

func (s *faultStore) PurgeUser(ctx context.Context, id roster.UserID) error {
	return call1(ctx, s, func() error { return s.Store.PurgeUser(ctx, id) })
}

func (s *faultStore) UserByID(ctx context.Context, id roster.UserID) (roster.Model, error) {
	return call(ctx, s, func() (roster.Model, error) { return s.Store.UserByID(ctx, id) })
}

func (s *faultStore) UserByUUID(ctx context.Context, id uuid.UUID) (roster.Model, error) {
	return call(ctx, s, func() (roster.Model, error) { return s.Store.UserByUUID(ctx, id) })
}

func (s *faultStore) UserByName(ctx context.Context, key string) (roster.Model, error) {
	return call(ctx, s, func() (roster.Model, error) { return s.Store.UserByName(ctx, key) })
}

func (s *faultStore) UserByEmail(ctx context.Context, key string) (roster.Model, error) {
	return call(ctx, s, func() (roster.Model, error) { return s.Store.UserByEmail(ctx, key) })
}

func (s *faultStore) LockUser(ctx context.Context, id roster.UserID) (roster.Model, error) {
	return call(ctx, s, func() (roster.Model, error) { return s.Store.LockUser(ctx, id) })
}

func (s *faultStore) UsersByID(ctx context.Context, ids ...roster.UserID) ([]roster.Model, error) {
	return call(ctx, s, func() ([]roster.Model, error) { return s.Store.UsersByID(ctx, ids...) })
}

func (s *faultStore) UserPage(ctx context.Context, q roster.UserQuery) ([]roster.Model, error) {
	return call(ctx, s, func() ([]roster.Model, error) { return s.Store.UserPage(ctx, q) })
}

func (s *faultStore) CountUsers(ctx context.Context, q roster.UserQuery) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.CountUsers(ctx, q) })
}

func (s *faultStore) UsersAfter(ctx context.Context, after roster.UserID, limit int) ([]roster.StoredUser, error) {
	return call(ctx, s, func() ([]roster.StoredUser, error) { return s.Store.UsersAfter(ctx, after, limit) })
}

func (s *faultStore) PruneUsers(
	ctx context.Context, before time.Time, without roster.Flags, limit int,
) ([]roster.UserID, error) {
	return call(ctx, s, func() ([]roster.UserID, error) { return s.Store.PruneUsers(ctx, before, without, limit) })
}

func (s *faultStore) ClaimName(ctx context.Context, key string, owner roster.UserID, now time.Time) error {
	return call1(ctx, s, func() error { return s.Store.ClaimName(ctx, key, owner, now) })
}

func (s *faultStore) RetireName(ctx context.Context, key string, owner roster.UserID, until time.Time) error {
	return call1(ctx, s, func() error { return s.Store.RetireName(ctx, key, owner, until) })
}

func (s *faultStore) NameOwners(ctx context.Context, keys ...string) (map[string]roster.UserID, error) {
	return call(ctx, s, func() (map[string]roster.UserID, error) { return s.Store.NameOwners(ctx, keys...) })
}

func (s *faultStore) PruneNames(ctx context.Context, now time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PruneNames(ctx, now, limit) })
}

func (s *faultStore) Credential(
	ctx context.Context, user roster.UserID, scope roster.ScopeID,
) (*roster.Credential, error) {
	return call(ctx, s, func() (*roster.Credential, error) { return s.Store.Credential(ctx, user, scope) })
}

func (s *faultStore) PutCredential(ctx context.Context, c *roster.Credential) error {
	return call1(ctx, s, func() error { return s.Store.PutCredential(ctx, c) })
}

func (s *faultStore) SwapCredential(
	ctx context.Context, user roster.UserID, scope roster.ScopeID, old, hash roster.Secret,
) error {
	return call1(ctx, s, func() error { return s.Store.SwapCredential(ctx, user, scope, old, hash) })
}

func (s *faultStore) CredentialsAfter(
	ctx context.Context, user roster.UserID, scope roster.ScopeID, limit int,
) ([]*roster.Credential, error) {
	return call(ctx, s, func() ([]*roster.Credential, error) { return s.Store.CredentialsAfter(ctx, user, scope, limit) })
}

func (s *faultStore) DeleteCredential(ctx context.Context, user roster.UserID, scope roster.ScopeID) error {
	return call1(ctx, s, func() error { return s.Store.DeleteCredential(ctx, user, scope) })
}

// login is what a sign-in reads.
type login struct {
	m roster.Model
	c *roster.Credential
}

func (s *faultStore) LoginByName(ctx context.Context, key string) (roster.Model, *roster.Credential, error) {
	l, err := call(ctx, s, func() (l login, err error) { l.m, l.c, err = s.Store.LoginByName(ctx, key); return l, err })
	return l.m, l.c, err
}

func (s *faultStore) LoginByEmail(ctx context.Context, key string) (roster.Model, *roster.Credential, error) {
	l, err := call(ctx, s, func() (l login, err error) { l.m, l.c, err = s.Store.LoginByEmail(ctx, key); return l, err })
	return l.m, l.c, err
}

func (s *faultStore) RecordLogin(ctx context.Context, id roster.UserID, at time.Time, ip string) error {
	return call1(ctx, s, func() error { return s.Store.RecordLogin(ctx, id, at, ip) })
}
