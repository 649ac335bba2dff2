package acceptance

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/postgres"
)

func isNotFound(err error) bool { return errors.Is(err, roster.ErrNotFound) }

// elsewhere opens the same accounts as another process would.
func elsewhere(t *testing.T, w *world, changes ...func(*roster.Options)) *world {
	t.Helper()
	store := w.store
	switch s := store.(type) {
	case *sqliteStore:
		if s.path != ":memory:" {
			store = openSQLite(t, s.path)
		}
	case *postgresStore:
		other, err := postgres.Open(t.Context(), s.dsn, postgres.Prefix(s.prefix), postgres.PoolSize(2))
		w.must(err)
		t.Cleanup(func() { _ = other.Close() })
		store = other
	}
	return newWorld(t, store, append(changes, func(o *roster.Options) { o.Now = w.clock.Now })...)
}

// What one process takes away, another one refuses with the next question; one
// that answers from memory does after its bound, and what it writes itself it
// knows at once.
func TestRevokeIsSeenElsewhere(t *testing.T) {
	const bound = 30 * time.Second
	cached := func(o *roster.Options) { o.PermissionCache = bound }
	onEach(t, func(t *testing.T, k kind) {
		ctx := t.Context()
		w := newWorld(t, k.open(t), voting)
		there, remembers := elsewhere(t, w, voting), elsewhere(t, w, voting, cached)
		ann := w.active("ann", "ann@example.org")
		g := &roster.Group{Name: "jury"}
		w.must(w.CreateGroup(ctx, g))
		own, shared := roster.ToUser(ann.ID), roster.ToGroup(g.ID)
		for what, c := range map[string]struct{ on, off func(w *world) error }{
			"Revoke":  {func(w *world) error { return w.Grant(ctx, own, 1, "vote") }, func(w *world) error { return w.Revoke(ctx, own, 1, "vote") }},
			"Disable": {func(w *world) error { return errors.Join(w.Grant(ctx, own, 1, "vote"), w.Enable(ctx, ann.ID)) }, func(w *world) error { return w.Disable(ctx, ann.ID) }},
			"RemoveMember": {func(w *world) error {
				return errors.Join(w.Enable(ctx, ann.ID), w.Revoke(ctx, own, 1, "vote"), w.Grant(ctx, shared, 1, "vote"), w.AddMember(ctx, g.ID, ann.ID, ""))
			}, func(w *world) error { return w.RemoveMember(ctx, g.ID, ann.ID) }},
			"Revoke from the group": {func(w *world) error {
				return errors.Join(w.Enable(ctx, ann.ID), w.Revoke(ctx, own, 1, "vote"), w.Grant(ctx, shared, 1, "vote"), w.AddMember(ctx, g.ID, ann.ID, ""))
			}, func(w *world) error { return w.Revoke(ctx, shared, 1, "vote") }},
			"Ban": {func(w *world) error {
				return errors.Join(w.Grant(ctx, own, 1, "vote"), w.Enable(ctx, ann.ID), w.Edit(ctx, ann.ID, func(u *roster.User) error { u.Flags = 0; return nil }))
			}, func(w *world) error {
				return w.Edit(ctx, ann.ID, func(u *roster.User) error { u.Flags = roster.FlagBanned; return nil })
			}},
		} {
			may := func(w *world) bool {
				t.Helper()
				yes, err := w.Can(ctx, ann.ID, "vote", 1, roster.Either)
				w.must(err)
				return yes
			}
			for _, writer := range []*world{w, there, remembers} {
				w.must(w.Edit(ctx, ann.ID, func(u *roster.User) error { u.Flags = 0; return nil }))
				w.must(c.on(w))
				w.clock.Advance(bound)
				if !may(w) || !may(there) || !may(remembers) {
					t.Fatalf("%s: it was granted, and is not held", what)
				}
				w.must(c.off(writer))
				if may(w) || may(there) {
					t.Errorf("%s: is held after it was taken away", what)
				}
				if got := may(remembers); got != (writer != remembers) {
					t.Errorf("%s: from memory %v", what, got)
				}
				w.clock.Advance(bound - time.Microsecond)
				if got := may(remembers); got != (writer != remembers) {
					t.Errorf("%s: just within the bound %v", what, got)
				}
				w.clock.Advance(time.Microsecond)
				if may(remembers) {
					t.Errorf("%s: is held after the bound", what)
				}
			}
		}
	})
}

// In a transaction every question is asked anew, and one that is rolled back
// leaves nothing in memory.
func TestPermissionCacheAndTransactions(t *testing.T) {
	w := newWorld(t, kinds()[0].open(t), voting, func(o *roster.Options) { o.PermissionCache = time.Minute })
	ctx := t.Context()
	ann := w.active("ann", "ann@example.org")
	may := func(ctx context.Context) bool {
		t.Helper()
		yes, err := w.Can(ctx, ann.ID, "vote", 1, roster.Either)
		w.must(err)
		return yes
	}
	stop := errors.New("stop")
	if may(ctx) {
		t.Error("held at the beginning")
	}
	err := w.Atomic(ctx, func(inside context.Context) error {
		w.must(w.Grant(inside, roster.ToUser(ann.ID), 1, "vote"))
		if !may(inside) || may(ctx) {
			t.Error("inside not held, or outside")
		}
		return stop
	})
	if !errors.Is(err, stop) || may(ctx) {
		t.Errorf("after the rollback: %v", err)
	}
	w.must(w.Atomic(ctx, func(inside context.Context) error { return w.Grant(inside, roster.ToUser(ann.ID), 1, "vote") }))
	if !may(ctx) {
		t.Error("not held after the commit")
	}
	if _, err := w.Can(ctx, ann.ID, "votes", 1, roster.Either); !errors.Is(err, roster.ErrInvalid) {
		t.Errorf("an unknown name, from memory: %v", err)
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := w.Can(over, ann.ID, "vote", 1, roster.Either); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is over: %v", err)
	}
}
