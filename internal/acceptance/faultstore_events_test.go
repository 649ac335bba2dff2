package acceptance

import (
	"context"
	"time"

	"github.com/go-roster/roster"
)

func (s *faultStore) InsertEvent(ctx context.Context, e *roster.Event) error {
	return call1(ctx, s, func() error { return s.Store.InsertEvent(ctx, e) })
}

func (s *faultStore) CountEvent(ctx context.Context, key string, e *roster.Event) error {
	return call1(ctx, s, func() error { return s.Store.CountEvent(ctx, key, e) })
}

func (s *faultStore) EventPage(ctx context.Context, q roster.EventFilter) ([]*roster.Event, error) {
	return call(ctx, s, func() ([]*roster.Event, error) { return s.Store.EventPage(ctx, q) })
}

func (s *faultStore) ForgetClients(ctx context.Context, users ...roster.UserID) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.ForgetClients(ctx, users...) })
}

func (s *faultStore) PruneEvents(ctx context.Context, before time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PruneEvents(ctx, before, limit) })
}
