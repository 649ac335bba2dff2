package storetest

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var lockCases = []testCase{
	{name: "Lock/User", rule: "LockUser holds off every other LockUser and UpdateUser of the row until the end of its transaction.", waits: lockUser},
	{name: "Lock/Emails", rule: "LockEmails holds off every other LockEmails and write of these rows until the end of its transaction.", waits: lockEmails},
	{name: "Lock/Group", rule: "LockGroup holds off every other LockGroup, UpdateGroup and DeleteGroup of the row until the end of its transaction.", waits: lockGroup},
}

// heldOff runs each of others in a goroutine of its own while hold is in a
// transaction, and reports those that end before it does.
func heldOff(t *testing.T, s roster.Store, hold func(ctx context.Context) error, others []call) {
	t.Helper()
	for _, other := range others {
		var over atomic.Bool
		begun, ended := make(chan struct{}), make(chan error, 1)
		ok(t, s.Atomic(t.Context(), func(ctx context.Context) error {
			if err := hold(ctx); err != nil {
				return err
			}
			go func() {
				close(begun)
				err := other.run(t.Context())
				if !over.Load() {
					t.Errorf("%s did not wait", other.name)
				}
				ended <- err
			}()
			<-begun
			time.Sleep(150 * time.Millisecond)
			over.Store(true)
			return nil
		}))
		ok(t, <-ended)
	}
}

func lockUser(t *testing.T, s roster.Store) {
	ann := insert(t, s, user("ann"))
	heldOff(t, s, func(ctx context.Context) error { return only(s.LockUser(ctx, ann.ID)) }, []call{
		{"LockUser", func(ctx context.Context) error {
			return s.Atomic(ctx, func(ctx context.Context) error { return only(s.LockUser(ctx, ann.ID)) })
		}},
		{"UpdateUser", func(ctx context.Context) error { return s.UpdateUser(ctx, ann, "") }},
	})
}

func lockEmails(t *testing.T, s roster.Store) {
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	anns, bens := insertEmail(t, s, pending(ann, "key")), insertEmail(t, s, primary(ben, "key"))
	heldOff(t, s, func(ctx context.Context) error { return only(s.LockEmails(ctx, "key")) }, []call{
		{"LockEmails", func(ctx context.Context) error {
			return s.Atomic(ctx, func(ctx context.Context) error { return only(s.LockEmails(ctx, "key")) })
		}},
		{"ActivateEmail", func(ctx context.Context) error { return s.ActivateEmail(ctx, anns.ID, at(0)) }},
		{"MarkPrimary", func(ctx context.Context) error { return s.MarkPrimary(ctx, anns.ID) }},
		{"ClearPrimary", func(ctx context.Context) error { return s.ClearPrimary(ctx, ben.ID) }},
		{"DeleteEmails", func(ctx context.Context) error { return only(s.DeleteEmails(ctx, bens.ID)) }},
		{"ReleaseEmails", func(ctx context.Context) error { return s.ReleaseEmails(ctx, ann.ID, at(0)) }},
	})
}

func lockGroup(t *testing.T, s roster.Store) {
	g := insertGroup(t, s, group("a"))
	heldOff(t, s, func(ctx context.Context) error { return only(s.LockGroup(ctx, g.ID)) }, []call{
		{"LockGroup", func(ctx context.Context) error {
			return s.Atomic(ctx, func(ctx context.Context) error { return only(s.LockGroup(ctx, g.ID)) })
		}},
		{"UpdateGroup", func(ctx context.Context) error { return s.UpdateGroup(ctx, g) }},
		{"DeleteGroup", func(ctx context.Context) error { return s.DeleteGroup(ctx, g.ID) }},
	})
}
