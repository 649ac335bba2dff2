package acceptance

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

// reach is what a question about a permission reads.
type reach struct {
	held []roster.Held
	live bool
}

func (s *faultStore) HeldGrants(ctx context.Context, user roster.UserID, scope roster.ScopeID) ([]roster.Held, bool, error) {
	r, err := call(ctx, s, func() (r reach, err error) { r.held, r.live, err = s.Store.HeldGrants(ctx, user, scope); return r, err })
	return r.held, r.live, err
}

func (s *faultStore) InsertGroup(ctx context.Context, g roster.GroupModel) error {
	return call1(ctx, s, func() error { return s.Store.InsertGroup(ctx, g) })
}

func (s *faultStore) OfferGroup(ctx context.Context, g roster.GroupModel) (bool, error) {
	return call(ctx, s, func() (bool, error) { return s.Store.OfferGroup(ctx, g) })
}

func (s *faultStore) UpdateGroup(ctx context.Context, g roster.GroupModel) error {
	return call1(ctx, s, func() error { return s.Store.UpdateGroup(ctx, g) })
}

func (s *faultStore) DeleteGroup(ctx context.Context, id roster.GroupID) error {
	return call1(ctx, s, func() error { return s.Store.DeleteGroup(ctx, id) })
}

func (s *faultStore) GroupByName(ctx context.Context, key string) (roster.GroupModel, error) {
	return call(ctx, s, func() (roster.GroupModel, error) { return s.Store.GroupByName(ctx, key) })
}

func (s *faultStore) GroupByUUID(ctx context.Context, id uuid.UUID) (roster.GroupModel, error) {
	return call(ctx, s, func() (roster.GroupModel, error) { return s.Store.GroupByUUID(ctx, id) })
}

func (s *faultStore) LockGroup(ctx context.Context, id roster.GroupID) (roster.GroupModel, error) {
	return call(ctx, s, func() (roster.GroupModel, error) { return s.Store.LockGroup(ctx, id) })
}

func (s *faultStore) GroupsByID(ctx context.Context, ids ...roster.GroupID) ([]roster.GroupModel, error) {
	return call(ctx, s, func() ([]roster.GroupModel, error) { return s.Store.GroupsByID(ctx, ids...) })
}

func (s *faultStore) GroupPage(ctx context.Context, after string, limit int) ([]roster.GroupModel, error) {
	return call(ctx, s, func() ([]roster.GroupModel, error) { return s.Store.GroupPage(ctx, after, limit) })
}

func (s *faultStore) PutMember(ctx context.Context, m *roster.Membership) (bool, error) {
	return call(ctx, s, func() (bool, error) { return s.Store.PutMember(ctx, m) })
}

func (s *faultStore) DeleteMember(ctx context.Context, group roster.GroupID, user roster.UserID) error {
	return call1(ctx, s, func() error { return s.Store.DeleteMember(ctx, group, user) })
}

func (s *faultStore) MembersAfter(
	ctx context.Context, group roster.GroupID, after roster.UserID, limit int,
) ([]*roster.Membership, error) {
	return call(ctx, s, func() ([]*roster.Membership, error) { return s.Store.MembersAfter(ctx, group, after, limit) })
}

func (s *faultStore) MembershipsOf(ctx context.Context, users ...roster.UserID) ([]*roster.Membership, error) {
	return call(ctx, s, func() ([]*roster.Membership, error) { return s.Store.MembershipsOf(ctx, users...) })
}

func (s *faultStore) PutGrants(ctx context.Context, g roster.Grant, ps ...roster.Permission) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PutGrants(ctx, g, ps...) })
}

func (s *faultStore) DeleteGrants(
	ctx context.Context, of roster.Subject, scope roster.ScopeID, ps ...roster.Permission,
) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.DeleteGrants(ctx, of, scope, ps...) })
}

func (s *faultStore) GrantsOf(ctx context.Context, of roster.Subject) ([]*roster.Grant, error) {
	return call(ctx, s, func() ([]*roster.Grant, error) { return s.Store.GrantsOf(ctx, of) })
}

func (s *faultStore) GrantsIn(
	ctx context.Context, scope roster.ScopeID, after roster.GrantID, limit int,
) ([]*roster.Grant, error) {
	return call(ctx, s, func() ([]*roster.Grant, error) { return s.Store.GrantsIn(ctx, scope, after, limit) })
}

func (s *faultStore) PruneGrants(ctx context.Context, before time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PruneGrants(ctx, before, limit) })
}

func (s *faultStore) Holds(
	ctx context.Context, user roster.UserID, p roster.Permission, now time.Time, one, other roster.ScopeID,
) (bool, error) {
	return call(ctx, s, func() (bool, error) { return s.Store.Holds(ctx, user, p, now, one, other) })
}

func (s *faultStore) HeldByAll(
	ctx context.Context, p roster.Permission, now time.Time, scopes []roster.ScopeID, users []roster.UserID,
) ([]roster.Held, error) {
	return call(ctx, s, func() ([]roster.Held, error) { return s.Store.HeldByAll(ctx, p, now, scopes, users) })
}

func (s *faultStore) HoldersAfter(
	ctx context.Context, p roster.Permission, now time.Time, one, other roster.ScopeID, after roster.UserID, limit int,
) ([]roster.UserID, error) {
	return call(ctx, s, func() ([]roster.UserID, error) { return s.Store.HoldersAfter(ctx, p, now, one, other, after, limit) })
}

func (s *faultStore) ScopesAfter(
	ctx context.Context, user roster.UserID, p roster.Permission, now time.Time, after roster.ScopeID, limit int,
) ([]roster.ScopeID, error) {
	return call(ctx, s, func() ([]roster.ScopeID, error) { return s.Store.ScopesAfter(ctx, user, p, now, after, limit) })
}

func (s *faultStore) Privileged(
	ctx context.Context, now time.Time, scopes []roster.ScopeID, users ...roster.UserID,
) ([]roster.UserID, error) {
	return call(ctx, s, func() ([]roster.UserID, error) { return s.Store.Privileged(ctx, now, scopes, users...) })
}

func (s *faultStore) HeldAnywhere(ctx context.Context, users ...roster.UserID) ([]roster.Held, error) {
	return call(ctx, s, func() ([]roster.Held, error) { return s.Store.HeldAnywhere(ctx, users...) })
}
