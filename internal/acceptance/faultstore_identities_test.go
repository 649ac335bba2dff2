package acceptance

import (
	"context"

	"github.com/go-roster/roster"
)

// known is what a sign-in by an outside identity reads.
type known struct {
	i *roster.UserIdentity
	m roster.Model
}

func (s *faultStore) InsertIdentity(ctx context.Context, i *roster.UserIdentity) error {
	return call1(ctx, s, func() error { return s.Store.InsertIdentity(ctx, i) })
}

func (s *faultStore) IdentityBySubject(
	ctx context.Context, provider, subject string,
) (*roster.UserIdentity, roster.Model, error) {
	k, err := call(ctx, s, func() (k known, err error) {
		k.i, k.m, err = s.Store.IdentityBySubject(ctx, provider, subject)
		return k, err
	})
	return k.i, k.m, err
}

func (s *faultStore) IdentitiesOf(ctx context.Context, users ...roster.UserID) ([]*roster.UserIdentity, error) {
	return call(ctx, s, func() ([]*roster.UserIdentity, error) { return s.Store.IdentitiesOf(ctx, users...) })
}

func (s *faultStore) IdentitiesAfter(
	ctx context.Context, provider, after string, limit int,
) ([]*roster.UserIdentity, error) {
	return call(ctx, s, func() ([]*roster.UserIdentity, error) { return s.Store.IdentitiesAfter(ctx, provider, after, limit) })
}

func (s *faultStore) UpdateIdentity(ctx context.Context, i *roster.UserIdentity) error {
	return call1(ctx, s, func() error { return s.Store.UpdateIdentity(ctx, i) })
}

func (s *faultStore) DeleteIdentities(ctx context.Context, user roster.UserID, provider, subject string) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.DeleteIdentities(ctx, user, provider, subject) })
}
