package acceptance

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

// token is what a check of a session reads.
type token struct {
	s *roster.Session
	m roster.Model
}

func (s *faultStore) SessionByHash(ctx context.Context, hash roster.Secret) (*roster.Session, roster.Model, error) {
	k, err := call(ctx, s, func() (k token, err error) { k.s, k.m, err = s.Store.SessionByHash(ctx, hash); return k, err })
	return k.s, k.m, err
}

func (s *faultStore) InsertSession(ctx context.Context, in *roster.Session) error {
	return call1(ctx, s, func() error { return s.Store.InsertSession(ctx, in) })
}

func (s *faultStore) UpdateSession(ctx context.Context, old roster.Secret, in *roster.Session) error {
	return call1(ctx, s, func() error { return s.Store.UpdateSession(ctx, old, in) })
}

func (s *faultStore) SeeSession(ctx context.Context, hash roster.Secret, at, before time.Time) error {
	return call1(ctx, s, func() error { return s.Store.SeeSession(ctx, hash, at, before) })
}

func (s *faultStore) SessionsOf(ctx context.Context, user roster.UserID, limit int) ([]*roster.Session, error) {
	return call(ctx, s, func() ([]*roster.Session, error) { return s.Store.SessionsOf(ctx, user, limit) })
}

func (s *faultStore) DeleteSession(ctx context.Context, user roster.UserID, id uuid.UUID) error {
	return call1(ctx, s, func() error { return s.Store.DeleteSession(ctx, user, id) })
}

func (s *faultStore) DropSession(ctx context.Context, hash roster.Secret) error {
	return call1(ctx, s, func() error { return s.Store.DropSession(ctx, hash) })
}

func (s *faultStore) DeleteSessions(ctx context.Context, user roster.UserID, but uuid.UUID) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.DeleteSessions(ctx, user, but) })
}

func (s *faultStore) PruneSessions(ctx context.Context, now time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PruneSessions(ctx, now, limit) })
}

func (s *faultStore) InsertMail(ctx context.Context, m *roster.QueuedMail) error {
	return call1(ctx, s, func() error { return s.Store.InsertMail(ctx, m) })
}

func (s *faultStore) ClaimMails(
	ctx context.Context, claim string, now, until time.Time, limit int,
) ([]*roster.QueuedMail, error) {
	return call(ctx, s, func() ([]*roster.QueuedMail, error) { return s.Store.ClaimMails(ctx, claim, now, until, limit) })
}

func (s *faultStore) SettleMail(ctx context.Context, m *roster.QueuedMail) error {
	return call1(ctx, s, func() error { return s.Store.SettleMail(ctx, m) })
}

func (s *faultStore) MailsAfter(
	ctx context.Context, state roster.OutboxState, after roster.MailID, limit int,
) ([]*roster.QueuedMail, error) {
	return call(ctx, s, func() ([]*roster.QueuedMail, error) { return s.Store.MailsAfter(ctx, state, after, limit) })
}

func (s *faultStore) CountMails(ctx context.Context, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.CountMails(ctx, limit) })
}

func (s *faultStore) RequeueMails(ctx context.Context, due time.Time, ids ...roster.MailID) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.RequeueMails(ctx, due, ids...) })
}

func (s *faultStore) WipeMails(ctx context.Context, now time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.WipeMails(ctx, now, limit) })
}

func (s *faultStore) PruneMails(ctx context.Context, before time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PruneMails(ctx, before, limit) })
}

func (s *faultStore) LimitCounts(ctx context.Context, now time.Time, keys ...string) ([]roster.LimitCount, error) {
	return call(ctx, s, func() ([]roster.LimitCount, error) { return s.Store.LimitCounts(ctx, now, keys...) })
}

func (s *faultStore) TakeLimits(ctx context.Context, now time.Time, takes ...roster.LimitTake) ([]string, error) {
	return call(ctx, s, func() ([]string, error) { return s.Store.TakeLimits(ctx, now, takes...) })
}

func (s *faultStore) GiveLimits(ctx context.Context, one, all []string) error {
	return call1(ctx, s, func() error { return s.Store.GiveLimits(ctx, one, all) })
}

func (s *faultStore) PruneLimits(ctx context.Context, now time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PruneLimits(ctx, now, limit) })
}
