package roster_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

// What is done with goes in time, and what a dead letter says as soon as its code
// has expired.
func TestPruneMails(t *testing.T) {
	ctx := context.Background()
	const keep = 30 * 24 * time.Hour
	for _, c := range []struct {
		name string
		keep time.Duration
		want []string
		n    int
	}{
		{"by default", 0, []string{"due", "sent", "dead", "dead, expired, emptied"}, 3},
		{"for an hour", time.Hour, []string{"due"}, 6}, // one of them is emptied first
		{"for ever", -1, []string{"due", "sent", "sent long ago", "dead", "dead long ago", "dead, expired, emptied"}, 1},
	} {
		store, clock := memory.New(), rostertest.NewClock()
		users, err := roster.New(store, &roster.Options{Hasher: rostertest.Hasher{}, Now: clock.Now, MailKeep: c.keep})
		must(t, err)
		now := clock.Now()
		for _, m := range []roster.QueuedMail{
			{To: "due", QueuedAt: now.Add(-9 * keep), ExpiresAt: now},
			{To: "sent", SentAt: now.Add(-keep)},
			{To: "sent long ago", SentAt: now.Add(-keep - time.Microsecond)},
			{To: "dead", FailedAt: now.Add(-keep), ExpiresAt: now.Add(time.Microsecond)},
			{To: "dead long ago", FailedAt: now.Add(-keep - time.Microsecond)},
			{To: "dead, expired", FailedAt: now.Add(-2 * time.Hour), ExpiresAt: now},
		} {
			m.Payload = roster.NewSecret("payload")
			must(t, store.InsertMail(ctx, &m))
		}
		p, err := users.Prune(ctx, roster.Budget{})
		must(t, err)
		if diff := cmp.Diff(roster.Pruned{Mails: c.n}, p); diff != "" || p.Total() != c.n {
			t.Errorf("%s: %s", c.name, diff)
		}
		var left []string
		for _, state := range []roster.OutboxState{roster.OutboxPending, roster.OutboxSent, roster.OutboxFailed} {
			mails, err := store.MailsAfter(ctx, state, 0, 100)
			must(t, err)
			for _, m := range mails {
				if m.State() != state {
					t.Errorf("%s is in the state %d", m.To, m.State())
				}
				if m.Payload.IsZero() {
					m.To += ", emptied"
				}
				left = append(left, m.To)
			}
		}
		if diff := cmp.Diff(c.want, left); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
