package acceptance

import (
	"context"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// TestSessions walks through sensitive changes and sign-ins on a clock that
// goes on, stands still, or is put back. Whoever signs in has a session that is
// valid, and every change ends those that are older.
func TestSessions(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		for name, step := range map[string]time.Duration{"on": time.Microsecond, "still": 0, "back": -time.Hour} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, k.open(t))
				ctx := context.Background()
				u := w.active("ann", "ann@example.org")
				w.proven(u.ID, "ann-2@example.org")
				second := emailOf(w, u.ID, "ann-2@example.org").ID
				first := emailOf(w, u.ID, "ann@example.org").ID
				password := goodPassword
				for _, c := range []struct {
					name string
					run  func() error
				}{
					{"SetPassword", func() error {
						password = next("password number %d")
						return w.SetPassword(ctx, u.ID, password)
					}},
					{"ChangePassword", func() error {
						old := password
						password = next("password number %d")
						return w.ChangePassword(ctx, u.ID, old, password)
					}},
					{"SetPrimaryEmail", func() error { return w.SetPrimaryEmail(ctx, u.ID, second) }},
					{"SetPrimaryEmail back", func() error { return w.SetPrimaryEmail(ctx, u.ID, first) }},
					{"Disable", func() error {
						if err := w.Disable(ctx, u.ID); err != nil {
							return err
						}
						return w.Enable(ctx, u.ID)
					}},
					{"Delete", func() error {
						if err := w.Delete(ctx, u.ID); err != nil {
							return err
						}
						return w.Restore(ctx, u.ID)
					}},
					{"Edit", func() error {
						return w.Edit(ctx, u.ID, func(u *roster.User) error { u.Flags ^= roster.FlagLocked; return nil })
					}},
					{"Edit back", func() error {
						return w.Edit(ctx, u.ID, func(u *roster.User) error { u.Flags &^= roster.FlagLocked; return nil })
					}},
				} {
					if now, err := w.ByID(ctx, u.ID); err != nil || !now.CanLogin() {
						w.must(w.Edit(ctx, u.ID, func(u *roster.User) error { u.Flags = 0; return nil }))
					}
					before := mustSignIn(t, w.Users, "ann", password)
					now, err := w.ByID(ctx, u.ID)
					w.must(err)
					if !now.SessionValid(before.LastLoginAt) {
						t.Errorf("before %s: who has just signed in has a session that is dead", c.name)
					}
					changed := now.AuthChangedAt
					w.clock.Advance(step)
					w.must(c.run())
					if step > 0 {
						w.clock.Advance(step)
					}
					now, err = w.ByID(ctx, u.ID)
					w.must(err)
					if now.AuthChangedAt.Equal(changed) {
						continue // there was nothing to change
					}
					if now.SessionValid(before.LastLoginAt) {
						t.Errorf("a session outlived %s", c.name)
					}
				}
			})
		}
	})
}
