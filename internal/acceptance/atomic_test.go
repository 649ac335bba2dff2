package acceptance

import (
	"context"
	"errors"
	"testing"

	"github.com/go-roster/roster"
)

// TestNotFoundDoomsNothing looks for what is not there in a transaction that
// has work to keep. Not finding something is an answer.
func TestNotFoundDoomsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w := newWorld(t, k.open(t))
		ctx := ctxOf(t)
		const nobody = roster.UserID(1 << 50)
		ann := w.active("ann", "ann@example.org")
		for verb, run := range map[string]func(ctx context.Context) error{
			"ByID":         func(ctx context.Context) error { _, err := w.ByID(ctx, nobody); return err },
			"ByName":       func(ctx context.Context) error { _, err := w.ByName(ctx, "nobody-here"); return err },
			"ByEmail":      func(ctx context.Context) error { _, err := w.ByEmail(ctx, "x@example.net"); return err },
			"Emails":       func(ctx context.Context) error { _, err := w.Emails(ctx, nobody); return err },
			"PrimaryEmail": func(ctx context.Context) error { _, err := w.PrimaryEmail(ctx, nobody); return err },
			"Edit":         func(ctx context.Context) error { return w.Edit(ctx, nobody, func(*roster.User) error { return nil }) },
			"AddEmail":     func(ctx context.Context) error { _, err := w.AddEmail(ctx, nobody, "x@example.org"); return err },
			"AddActivatedEmail": func(ctx context.Context) error {
				_, err := w.AddActivatedEmail(ctx, nobody, "x@example.org")
				return err
			},
			"SetPrimaryEmail": func(ctx context.Context) error { return w.SetPrimaryEmail(ctx, ann.ID, 1<<50) },
			"RemoveEmail":     func(ctx context.Context) error { return w.RemoveEmail(ctx, ann.ID, 1<<50) },
			"ActivateUser":    func(ctx context.Context) error { return w.ActivateUser(ctx, nobody) },
			"Disable":         func(ctx context.Context) error { return w.Disable(ctx, nobody) },
			"Delete":          func(ctx context.Context) error { return w.Delete(ctx, nobody) },
			"Restore":         func(ctx context.Context) error { return w.Restore(ctx, ann.ID) },
			"Purge":           func(ctx context.Context) error { return w.Purge(ctx, nobody) },
			"SetPassword":     func(ctx context.Context) error { return w.SetPassword(ctx, nobody, otherPassword) },
		} {
			t.Run(verb, func(t *testing.T) {
				u := &roster.User{}
				err := w.Atomic(ctx, func(ctx context.Context) error {
					if err := w.Create(ctx, u); err != nil {
						return err
					}
					if err := run(ctx); !errors.Is(err, roster.ErrNotFound) {
						t.Errorf("%v", err)
					}
					return nil
				})
				if err != nil {
					t.Errorf("ErrNotFound cost the transaction: %v", err)
				} else if _, err := w.ByID(ctx, u.ID); err != nil {
					t.Errorf("the user that was created beside: %v", err)
				}
			})
		}
	})
}

// TestFailureDooms goes on after a verb has failed, as if nothing had happened.
func TestFailureDooms(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w := newWorld(t, k.open(t))
		ctx := ctxOf(t)
		w.active("ann", "ann@example.org")
		w.active("ben", "ben@example.org")
		later := false
		err := w.Atomic(ctx, func(ctx context.Context) error {
			w.must(w.Create(ctx, &roster.User{Name: "cid"}))
			if err := w.Create(ctx, &roster.User{Name: "ann"}); !errors.Is(err, roster.ErrConflict) {
				t.Errorf("a taken name: %v", err)
			}
			roster.AfterCommit(ctx, func(context.Context) { later = true })
			if err := w.Create(ctx, &roster.User{Name: "dora"}); !errors.Is(err, roster.ErrTxAborted) {
				t.Errorf("after a conflict: %v", err)
			}
			if _, err := w.ByName(ctx, "ann"); !errors.Is(err, roster.ErrTxAborted) {
				t.Errorf("a look-up after a conflict: %v", err)
			}
			return nil
		})
		if !errors.Is(err, roster.ErrTxAborted) || later {
			t.Errorf("the transaction ended by %v, and what waits for the commit has run: %v", err, later)
		}
		for _, name := range []string{"cid", "dora"} {
			if _, err := w.ByName(ctx, name); !errors.Is(err, roster.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
