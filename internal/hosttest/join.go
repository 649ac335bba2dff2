package hosttest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// later notes the name after the commit.
func later(ctx context.Context, ran *[]string, name string) {
	roster.AfterCommit(ctx, func(context.Context) { *ran = append(*ran, name) })
}

func wantRan(t testing.TB, ran []string, want ...string) {
	t.Helper()
	if !slices.Equal(ran, want) {
		t.Errorf("after the commit ran %v, want %v", ran, want)
	}
}

func joinCommit(t *testing.T, p *Place) {
	type key struct{}
	outer := context.WithValue(t.Context(), key{}, "outer")
	var ran []string
	joined, tx, done := p.begin(t, outer)
	later(joined, &ran, "first")
	ann, err := p.user(joined, "ann")
	ok(t, err)
	add(t, tx, ann, "lamp")
	ok(t, p.Store.Atomic(joined, func(ctx context.Context) error {
		later(ctx, &ran, "second")
		ben, err := p.user(ctx, "ben")
		if err != nil {
			return err
		}
		return order(ctx, p.Store.DB(ctx), ben, "desk")
	}))
	ok(t, order(joined, p.Store.DB(joined), ann, "chair"))
	roster.AfterCommit(joined, func(ctx context.Context) {
		ran = append(ran, "third")
		if ctx.Value(key{}) != "outer" {
			t.Error("it runs with another context than that which was joined")
		}
		_, err := p.user(ctx, "cat") // nothing is locked any more
		ok(t, err)
	})
	if m, err := p.Store.UserByName(joined, "ann"); err != nil || m.RosterUser().ID != ann.ID {
		t.Errorf("%v, %v inside, want ann", m, err)
	}
	_, err = p.Store.UserByName(outer, "ann")
	fails(t, "outside before the commit", err, roster.ErrNotFound)
	wantRan(t, ran)
	p.rows(t, 0, 0)
	ok(t, done(tx.Commit()))
	wantRan(t, ran, "first", "second", "third")
	ok(t, done(nil))
	wantRan(t, ran, "first", "second", "third")
	p.rows(t, 3, 3)
}

func joinRollback(t *testing.T, p *Place) {
	var ran []string
	joined, tx, done := p.begin(t, t.Context())
	later(joined, &ran, "never")
	ok(t, p.Store.Atomic(joined, func(ctx context.Context) error {
		later(ctx, &ran, "never either")
		_, err := p.user(ctx, "ann")
		return err
	}))
	ok(t, tx.Rollback())
	fails(t, "done", done(errHost), errHost)
	fails(t, "told otherwise", done(nil), errHost)
	wantRan(t, ran)
	p.rows(t, 0, 0)
}

// A verb that fails is undone alone, and the host goes on.
func joinFailure(t *testing.T, p *Place) {
	users, err := roster.New(p.Store, nil)
	ok(t, err)
	ok(t, users.Create(t.Context(), &roster.User{Name: "taken"}))
	var ran []string
	joined, tx, done := p.begin(t, t.Context())
	ann := &roster.User{Name: "ann"}
	ok(t, users.Create(joined, ann))
	add(t, tx, ann, "before")
	fails(t, "a conflict", users.Create(joined, &roster.User{Name: "taken"}), roster.ErrConflict)
	fails(t, "an Atomic", users.Atomic(joined, func(ctx context.Context) error {
		later(ctx, &ran, "of what failed")
		ben := &roster.User{Name: "ben"}
		ok(t, users.Create(ctx, ben))
		ok(t, order(ctx, p.Store.DB(ctx), ben, "undone"))
		add(t, tx, ben, "undone too")
		return errHost
	}), errHost)
	fails(t, "a doomed Atomic", users.Atomic(joined, func(ctx context.Context) error {
		ok(t, users.Create(ctx, &roster.User{Name: "ben"}))
		_ = users.Create(ctx, &roster.User{Name: "taken"})
		fails(t, "a later call", users.Create(ctx, &roster.User{Name: "cat"}), roster.ErrTxAborted)
		p.refuses(ctx, t, "after a conflict", roster.ErrTxAborted)
		return nil
	}), roster.ErrTxAborted)
	fails(t, "an Atomic with a statement that fails", users.Atomic(joined, func(ctx context.Context) error {
		ok(t, users.Create(ctx, &roster.User{Name: "ben"}))
		_, _ = p.Store.DB(ctx).ExecContext(ctx, "INSERT INTO orders (user_id, item) VALUES (-1, 'nobody')")
		return nil
	}), roster.ErrTxAborted)
	later(joined, &ran, "of what went on")
	add(t, tx, ann, "after")
	ok(t, users.Create(joined, &roster.User{Name: "ben"}))
	ok(t, done(tx.Commit()))
	wantRan(t, ran, "of what went on")
	p.rows(t, 3, 2)
}

// A single write of the store that fails is undone alone as well.
func joinWrite(t *testing.T, p *Place) {
	joined, tx, done := p.begin(t, t.Context())
	ann, err := p.user(joined, "ann")
	ok(t, err)
	for range 3 {
		_, err = p.user(joined, "ann")
		fails(t, "a taken name", err, roster.ErrConflict)
	}
	fails(t, "nobody", p.Store.PurgeUser(joined, ann.ID+100), roster.ErrNotFound)
	add(t, tx, ann, "lamp")
	if _, err := p.Store.UserByID(joined, ann.ID); err != nil {
		t.Error(err)
	}
	ok(t, done(tx.Commit()))
	p.rows(t, 1, 1)
}

// Inside a savepoint an Atomic joins as everywhere: its failure is that of the
// outermost, and of no more.
func joinNested(t *testing.T, p *Place) {
	joined, tx, done := p.begin(t, t.Context())
	ann, err := p.user(joined, "ann")
	ok(t, err)
	fails(t, "the outer one", p.Store.Atomic(joined, func(ctx context.Context) error {
		_, err := p.user(ctx, "ben")
		ok(t, err)
		fails(t, "the inner one", p.Store.Atomic(ctx, func(ctx context.Context) error {
			_, err := p.user(ctx, "cat")
			ok(t, err)
			return errHost
		}), errHost)
		_, err = p.user(ctx, "dan")
		fails(t, "afterwards", err, roster.ErrTxAborted)
		return nil
	}), roster.ErrTxAborted)
	ok(t, p.Store.Atomic(joined, func(ctx context.Context) error {
		fails(t, "an inner one that only looks", p.Store.Atomic(ctx, func(ctx context.Context) error {
			_, err := p.Store.UserByName(ctx, "nobody")
			return err
		}), roster.ErrNotFound)
		return p.Store.Atomic(ctx, func(ctx context.Context) error {
			_, err := p.user(ctx, "eve")
			return err
		})
	}))
	add(t, tx, ann, "lamp")
	ok(t, done(tx.Commit()))
	p.rows(t, 2, 1)
}

func joinPanic(t *testing.T, p *Place) {
	var kept context.Context
	var ran []string
	joined, tx, done := p.begin(t, t.Context())
	ann, err := p.user(joined, "ann")
	ok(t, err)
	func() {
		defer func() {
			if v := recover(); v != "boom" {
				t.Errorf("%v, want the panic to go on", v)
			}
		}()
		_ = p.Store.Atomic(joined, func(ctx context.Context) error {
			kept = ctx //nolint:fatcontext // on purpose
			later(ctx, &ran, "of what panicked")
			_, err := p.user(ctx, "ben")
			ok(t, err)
			panic("boom")
		})
	}()
	_, err = p.user(kept, "cat")
	fails(t, "the context that is over", err, roster.ErrTxDone)
	p.refuses(kept, t, "in what panicked", roster.ErrTxDone)
	add(t, tx, ann, "lamp")
	_, err = p.user(joined, "dan")
	ok(t, err)
	ok(t, done(tx.Commit()))
	wantRan(t, ran)
	p.rows(t, 2, 1)
}

// Joining again hands on what waits, and what a savepoint of the host has undone
// never runs.
func joinAgain(t *testing.T, p *Place) {
	var ran []string
	joined, tx, done := p.begin(t, t.Context())
	later(joined, &ran, "first")
	for _, result := range []error{errHost, nil} {
		_, err := tx.ExecContext(t.Context(), "SAVEPOINT of_the_host")
		ok(t, err)
		again, told, err := p.Store.Join(joined, tx)
		ok(t, err)
		later(again, &ran, fmt.Sprint("second: ", result))
		_, err = p.user(again, fmt.Sprint("ann ", result))
		ok(t, err)
		end := "RELEASE SAVEPOINT of_the_host"
		if result != nil {
			end = "ROLLBACK TO SAVEPOINT of_the_host"
		}
		_, err = tx.ExecContext(t.Context(), end)
		ok(t, err)
		fails(t, "told", told(result), result)
		_, err = p.user(again, "cat")
		fails(t, "the inner context", err, roster.ErrTxDone)
	}
	ok(t, p.Store.Atomic(joined, func(ctx context.Context) error {
		again, told, err := p.Store.Join(ctx, tx)
		ok(t, err)
		later(again, &ran, "third")
		_, err = p.user(again, "dan")
		ok(t, err)
		return told(nil)
	}))
	later(joined, &ran, "fourth")
	wantRan(t, ran)
	ok(t, done(tx.Commit()))
	wantRan(t, ran, "first", "second: <nil>", "third", "fourth")
	p.rows(t, 2, 0)
}

// Goroutines may share a joined context: what fails takes nothing of the others
// with it.
func joinTurns(t *testing.T, p *Place) {
	joined, tx, done := p.begin(t, t.Context())
	const workers = 4
	rounds := 10
	if os.Getenv("ROSTER_SOAK") == "1" {
		rounds = 2500
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				name := fmt.Sprint(w, " ", i)
				err := p.Store.Atomic(joined, func(ctx context.Context) error {
					u, err := p.user(ctx, name)
					if err != nil {
						return err
					}
					if err := order(ctx, p.Store.DB(ctx), u, name); err != nil || i%2 == 0 {
						return errors.Join(errHost, err)
					}
					return nil
				})
				want := errHost
				if i%2 == 1 {
					want = nil
				}
				fails(t, name, err, want)
				if _, err := p.Store.UserByName(joined, name); (err == nil) != (i%2 == 1) {
					t.Errorf("%s: %v", name, err)
				}
				if _, err := p.user(joined, name+" alone"); err != nil {
					t.Errorf("%s alone: %v", name, err)
				}
			}
		})
	}
	wg.Wait()
	ok(t, done(tx.Commit()))
	p.rows(t, workers*rounds*3/2, workers*rounds/2)
}

// A call inside an Atomic with the joined context is not of the Atomic: it does
// not hang for good.
func joinOuter(t *testing.T, p *Place) {
	p.Store = p.Hasty
	joined, tx, done := p.begin(t, t.Context())
	ok(t, p.Store.Atomic(joined, func(ctx context.Context) error {
		_, err := p.user(ctx, "ann")
		ok(t, err)
		for what, err := range map[string]error{
			"a write":     func() error { _, err := p.user(joined, "ben"); return err }(),
			"a read":      func() error { _, err := p.Store.UserByName(joined, "ann"); return err }(),
			"an Atomic":   p.Store.Atomic(joined, func(context.Context) error { return nil }),
			"a statement": func() error { _, err := p.Store.DB(joined).ExecContext(joined, "DELETE FROM orders"); return err }(),
		} {
			var un *roster.UnavailableError
			if !errors.As(err, &un) || un.What != roster.UnavailableBusy {
				t.Errorf("%s: %v, want an UnavailableError of %q", what, err, roster.UnavailableBusy)
			}
			if !strings.Contains(err.Error(), "use the context of its function, and not the joined one") {
				t.Errorf("%s: %v, which does not say why", what, err)
			}
		}
		return nil
	}))
	ok(t, done(tx.Commit()))
	p.rows(t, 1, 0)
}

// A context that ends in an Atomic undoes that, if the database lets it.
func joinCanceled(t *testing.T, p *Place) {
	joined, tx, done := p.begin(t, t.Context())
	ann, err := p.user(joined, "ann")
	ok(t, err)
	ctx, cancel := context.WithCancel(joined)
	fails(t, "Atomic", p.Store.Atomic(ctx, func(ctx context.Context) error {
		_, err := p.user(ctx, "ben")
		cancel()
		return err
	}), context.Canceled)
	fails(t, "the next", p.Store.Atomic(ctx, func(context.Context) error { return nil }), context.Canceled)
	add(t, tx, ann, "lamp")
	_, err = p.user(joined, "cat")
	ok(t, err)
	ok(t, done(tx.Commit()))
	p.rows(t, 2, 1)
}

// A transaction that the store's own handle has begun is joined as well.
func joinOwn(t *testing.T, p *Place) {
	tx, err := p.Store.DB(t.Context()).BeginTx(t.Context(), nil)
	ok(t, err)
	defer func() { _ = tx.Rollback() }()
	joined, done, err := p.Store.Join(t.Context(), tx.Tx)
	ok(t, err)
	for i := range 3 { // by text, by what was prepared
		ann, err := p.user(joined, fmt.Sprint("ann ", i))
		ok(t, err)
		ok(t, order(joined, tx, ann, fmt.Sprint("lamp ", i)))
	}
	ok(t, done(tx.Commit()))
	p.rows(t, 3, 3)
}

// Writers beside a joined transaction wait for it and go on; and it waits for them.
func joinWriters(t *testing.T, p *Place) {
	joined, tx, done := p.begin(t, t.Context())
	ann, err := p.user(joined, "ann")
	ok(t, err)
	began, wrote := make(chan struct{}), make(chan error, 1)
	go func() {
		close(began)
		_, err := p.user(t.Context(), "ben")
		wrote <- err
	}()
	<-began
	time.Sleep(Busy / 4) // not a check: it gives the other something to wait for
	_, err = p.user(joined, "cat")
	ok(t, err)
	add(t, tx, ann, "lamp")
	ok(t, done(tx.Commit()))
	ok(t, <-wrote)

	within, end := make(chan struct{}), make(chan struct{})
	go func() {
		wrote <- p.Store.Atomic(t.Context(), func(ctx context.Context) error {
			_, err := p.user(ctx, "dan")
			close(within)
			<-end
			return err
		})
	}()
	<-within
	time.AfterFunc(Busy/4, func() { close(end) })
	joined, tx, done = p.begin(t, t.Context())
	_, err = p.user(joined, "eve")
	ok(t, err)
	ok(t, done(tx.Commit()))
	ok(t, <-wrote)
	p.rows(t, 5, 1)
}

// Where there is no way back to the savepoint, nothing of roster goes on.
func joinBroken(t *testing.T, p *Place) {
	joined, tx, done := p.begin(t, t.Context())
	err := p.Store.Atomic(joined, func(ctx context.Context) error {
		_, err := p.user(ctx, "ann")
		ok(t, err)
		ok(t, tx.Rollback()) // behind its back
		return nil
	})
	fails(t, "Atomic", err, roster.ErrTxDone)
	_, err = p.user(joined, "ben")
	if !errors.Is(err, roster.ErrTxAborted) && !errors.Is(err, roster.ErrTxDone) {
		t.Errorf("afterwards: %v", err)
	}
	_ = done(errHost)
	p.rows(t, 0, 0)
}

// What is of no use here is refused, and says why.
func joinElsewhere(t *testing.T, p, other *Place) {
	ctx := t.Context()
	refuse := func(what string, ctx context.Context, tx *sql.Tx) { //nolint:revive // what comes first
		t.Helper()
		if joined, done, err := p.Store.Join(ctx, tx); err == nil || joined != nil || done != nil {
			t.Errorf("%s was joined (%v)", what, err)
		}
	}
	refuse("nothing", ctx, nil)
	theirs, err := other.DB.BeginTx(ctx, nil)
	ok(t, err)
	defer func() { _ = theirs.Rollback() }()
	refuse("a transaction of another database", ctx, theirs)

	mine, err := p.DB.BeginTx(ctx, nil)
	ok(t, err)
	joined, done, err := p.Store.Join(ctx, mine)
	ok(t, err)
	refuse("another transaction beside a joined one", joined, theirs)
	ok(t, p.Store.Atomic(joined, func(ctx context.Context) error {
		refuse("another transaction in a savepoint", ctx, theirs)
		return nil
	}))
	ok(t, done(mine.Commit()))
	_, _, err = p.Store.Join(ctx, mine)
	fails(t, "a transaction that is over", err, roster.ErrTxDone)
	_, _, err = p.Store.Join(joined, mine)
	fails(t, "a context that is over", err, roster.ErrTxDone)
	ok(t, p.Store.Atomic(ctx, func(ctx context.Context) error {
		refuse("a transaction in that of the store", ctx, theirs)
		_, err := p.user(ctx, "ann") // that has doomed nothing
		return err
	}))
}

// Two stores work in one transaction, each as alone.
func joinTwoStores(t *testing.T, places []*Place) {
	a, b := places[0], places[1]
	tx, err := a.DB.BeginTx(t.Context(), nil)
	ok(t, err)
	defer func() { _ = tx.Rollback() }()
	var ran []string
	both, doneA, err := a.Store.Join(t.Context(), tx)
	ok(t, err)
	both, doneB, err := b.Store.Join(both, tx)
	ok(t, err)
	ok(t, a.Store.Atomic(both, func(ctx context.Context) error {
		later(ctx, &ran, "a")
		_, err := a.user(ctx, "ann")
		ok(t, err)
		fails(t, "the other", b.Store.Atomic(ctx, func(ctx context.Context) error {
			later(ctx, &ran, "never")
			_, err := b.user(ctx, "ben")
			ok(t, err)
			return errHost
		}), errHost)
		return b.Store.Atomic(ctx, func(ctx context.Context) error {
			later(ctx, &ran, "b")
			_, err := b.user(ctx, "cat")
			return err
		})
	}))
	err = tx.Commit()
	ok(t, doneB(err))
	ok(t, doneA(err))
	for _, name := range []string{"ann", "cat"} {
		_, errA := a.Store.UserByName(t.Context(), name)
		_, errB := b.Store.UserByName(t.Context(), name)
		if (errA == nil) != (name == "ann") || (errB == nil) != (name == "cat") {
			t.Errorf("%s: %v, %v", name, errA, errB)
		}
	}
	slices.Sort(ran)
	wantRan(t, ran, "a", "b")
}
