package acceptance

import (
	"context"
	"time"

	"github.com/go-roster/roster"
)

func (s *faultStore) InsertEmail(ctx context.Context, e *roster.UserEmail) error {
	return call1(ctx, s, func() error { return s.Store.InsertEmail(ctx, e) })
}

func (s *faultStore) EmailsByID(ctx context.Context, ids ...roster.EmailID) ([]*roster.UserEmail, error) {
	return call(ctx, s, func() ([]*roster.UserEmail, error) { return s.Store.EmailsByID(ctx, ids...) })
}

func (s *faultStore) EmailsOf(ctx context.Context, users ...roster.UserID) ([]*roster.UserEmail, error) {
	return call(ctx, s, func() ([]*roster.UserEmail, error) { return s.Store.EmailsOf(ctx, users...) })
}

func (s *faultStore) ActivatedEmails(ctx context.Context, keys ...string) ([]*roster.UserEmail, error) {
	return call(ctx, s, func() ([]*roster.UserEmail, error) { return s.Store.ActivatedEmails(ctx, keys...) })
}

func (s *faultStore) EmailsByKey(ctx context.Context, key string) ([]*roster.UserEmail, error) {
	return call(ctx, s, func() ([]*roster.UserEmail, error) { return s.Store.EmailsByKey(ctx, key) })
}

func (s *faultStore) LockEmails(ctx context.Context, key string) ([]*roster.UserEmail, error) {
	return call(ctx, s, func() ([]*roster.UserEmail, error) { return s.Store.LockEmails(ctx, key) })
}

func (s *faultStore) ActivateEmail(ctx context.Context, id roster.EmailID, at time.Time) error {
	return call1(ctx, s, func() error { return s.Store.ActivateEmail(ctx, id, at) })
}

func (s *faultStore) ClearPrimary(ctx context.Context, user roster.UserID) error {
	return call1(ctx, s, func() error { return s.Store.ClearPrimary(ctx, user) })
}

func (s *faultStore) MarkPrimary(ctx context.Context, id roster.EmailID) error {
	return call1(ctx, s, func() error { return s.Store.MarkPrimary(ctx, id) })
}

func (s *faultStore) DeleteReleased(ctx context.Context, key string, but roster.UserID) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.DeleteReleased(ctx, key, but) })
}

func (s *faultStore) DeleteEmails(ctx context.Context, ids ...roster.EmailID) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.DeleteEmails(ctx, ids...) })
}

func (s *faultStore) ReleaseEmails(ctx context.Context, user roster.UserID, at time.Time) error {
	return call1(ctx, s, func() error { return s.Store.ReleaseEmails(ctx, user, at) })
}

func (s *faultStore) ReclaimEmails(ctx context.Context, user roster.UserID) error {
	return call1(ctx, s, func() error { return s.Store.ReclaimEmails(ctx, user) })
}

func (s *faultStore) EmailsAfter(ctx context.Context, after roster.EmailID, limit int) ([]*roster.UserEmail, error) {
	return call(ctx, s, func() ([]*roster.UserEmail, error) { return s.Store.EmailsAfter(ctx, after, limit) })
}

func (s *faultStore) PruneEmails(ctx context.Context, before time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PruneEmails(ctx, before, limit) })
}

func (s *faultStore) InsertActivation(ctx context.Context, a *roster.Activation) error {
	return call1(ctx, s, func() error { return s.Store.InsertActivation(ctx, a) })
}

func (s *faultStore) ActivationByHash(ctx context.Context, hash string) (*roster.Activation, error) {
	return call(ctx, s, func() (*roster.Activation, error) { return s.Store.ActivationByHash(ctx, hash) })
}

func (s *faultStore) RedeemActivation(
	ctx context.Context, hash string, now time.Time, purposes ...roster.Purpose,
) (*roster.Activation, error) {
	return call(ctx, s, func() (*roster.Activation, error) { return s.Store.RedeemActivation(ctx, hash, now, purposes...) })
}

func (s *faultStore) VoidActivations(
	ctx context.Context, user roster.UserID, email roster.EmailID, purposes ...roster.Purpose,
) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.VoidActivations(ctx, user, email, purposes...) })
}

func (s *faultStore) PruneActivations(ctx context.Context, now time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PruneActivations(ctx, now, limit) })
}

func (s *faultStore) InsertUndo(ctx context.Context, u *roster.Undo) error {
	return call1(ctx, s, func() error { return s.Store.InsertUndo(ctx, u) })
}

func (s *faultStore) UndoByHash(ctx context.Context, hash string) (*roster.Undo, error) {
	return call(ctx, s, func() (*roster.Undo, error) { return s.Store.UndoByHash(ctx, hash) })
}

func (s *faultStore) UndosOf(ctx context.Context, user roster.UserID) ([]*roster.Undo, error) {
	return call(ctx, s, func() ([]*roster.Undo, error) { return s.Store.UndosOf(ctx, user) })
}

func (s *faultStore) RedeemUndo(ctx context.Context, hash string, now time.Time) (*roster.Undo, error) {
	return call(ctx, s, func() (*roster.Undo, error) { return s.Store.RedeemUndo(ctx, hash, now) })
}

func (s *faultStore) VoidUndos(ctx context.Context, user roster.UserID, key string, above int64) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.VoidUndos(ctx, user, key, above) })
}

func (s *faultStore) PruneUndos(ctx context.Context, now time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PruneUndos(ctx, now, limit) })
}
