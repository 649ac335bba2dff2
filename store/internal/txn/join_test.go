package txn_test

import (
	"context"
	"errors"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/txn"
)

// withSavepoints makes the database set savepoints, which it numbers like tries,
// and let one work at a time.
func withSavepoints(db *fakeDB) *fakeDB {
	db.Save = func(_ context.Context, tx *fakeTx) (*fakeTx, error) {
		db.tries++
		db.log("save %d in %d", db.tries, tx.try)
		return &fakeTx{db: db, try: db.tries}, nil
	}
	db.Enter = func(ctx context.Context, turn chan struct{}) (func(), error) {
		select {
		case turn <- struct{}{}:
			return func() { <-turn }, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return db
}

// join joins a transaction of the host, which has the number 1.
func join(t *testing.T, db *fakeDB, ctx context.Context) (context.Context, func(bool)) { //nolint:revive // t comes first
	t.Helper()
	db.tries++
	joined, end, nested, err := db.Join(ctx, &fakeTx{db: db, try: db.tries}, func(*fakeTx) bool { return false })
	if err != nil || nested {
		t.Fatal(nested, err)
	}
	return joined, end
}

func TestJoinedAtomicIsASavepoint(t *testing.T) {
	db := withSavepoints(newDB())
	joined, end := join(t, db, t.Context())
	ran := ""
	later := func(ctx context.Context, s string) { roster.AfterCommit(ctx, func(context.Context) { ran += s }) }
	later(joined, "a")
	wantErr(t, "the first", db.Atomic(joined, func(ctx context.Context) error {
		later(ctx, "b")
		return db.write(ctx, errBroken)
	}), errBroken)
	wantNil(t, "the second", db.Atomic(joined, func(ctx context.Context) error {
		later(ctx, "c")
		return db.Atomic(ctx, func(ctx context.Context) error { return db.write(ctx, nil) })
	}))
	wantErr(t, "a busy one", db.Atomic(joined, func(context.Context) error { return errBusy }), errBusy) // and not again
	_ = db.call(joined, errBroken)                                                                       // the host knows
	wantNil(t, "a call", db.call(joined, nil))
	if ran != "" {
		t.Errorf("%q ran before the commit", ran)
	}
	end(true)
	if ran != "ac" {
		t.Errorf("%q ran after the commit, want ac", ran)
	}
	wantErr(t, "afterwards", db.call(joined, nil), roster.ErrTxDone)
	db.want(t, "save 2 in 1", "rollback 2", "save 3 in 1", "commit 3", "save 4 in 1", "rollback 4")
}

func TestJoinedReleaseFails(t *testing.T) {
	db := withSavepoints(newDB())
	db.commit = func(int) error { return errBroken }
	joined, _ := join(t, db, t.Context())
	wantErr(t, "Atomic", db.Atomic(joined, func(ctx context.Context) error {
		roster.AfterCommit(ctx, func(context.Context) { t.Error("AfterCommit ran") })
		return nil
	}), errBroken)
	db.want(t, "save 2 in 1", "commit 2: broken", "rollback 2")
}

func TestSavepointWithoutWayBackDooms(t *testing.T) {
	db := withSavepoints(newDB())
	db.rollback = errBroken
	joined, end := join(t, db, t.Context())
	wantErr(t, "Atomic", db.Atomic(joined, func(context.Context) error { return errBusy }), errBusy)
	wantErr(t, "a later call", db.call(joined, nil), roster.ErrTxAborted)
	end(false)

	wantErr(t, "an own one", db.Atomic(t.Context(), func(ctx context.Context) error {
		wantErr(t, "Savepoint", db.Savepoint(ctx, func(context.Context) error { return errBusy }), errBusy)
		return nil
	}), roster.ErrTxAborted, errBroken)
}

func TestSavepointUndoesAlone(t *testing.T) {
	db := withSavepoints(newDB())
	wantNil(t, "Atomic", db.Atomic(t.Context(), func(ctx context.Context) error {
		wantErr(t, "Savepoint", db.Savepoint(ctx, func(ctx context.Context) error { return db.write(ctx, errBroken) }), errBroken)
		return db.call(ctx, nil)
	}))
	db.want(t, "save 2 in 1", "rollback 2", "commit 1")
	wantErr(t, "a doomed one", db.Atomic(t.Context(), func(ctx context.Context) error {
		_ = db.call(ctx, errBroken)
		wantErr(t, "Savepoint", db.Savepoint(ctx, func(context.Context) error { t.Error("it ran"); return nil }), roster.ErrTxAborted)
		return nil
	}), roster.ErrTxAborted)
	wantErr(t, "one that is nested", db.Atomic(t.Context(), func(ctx context.Context) error {
		wantErr(t, "the inner one", db.Atomic(ctx, func(ctx context.Context) error {
			wantNil(t, "Savepoint", db.Savepoint(ctx, func(ctx context.Context) error { return db.write(ctx, nil) }))
			return errBroken
		}), errBroken)
		return nil
	}), roster.ErrTxAborted)
}

func TestTurns(t *testing.T) {
	db := withSavepoints(newDB())
	joined, end := join(t, db, t.Context())
	wantNil(t, "Atomic", db.Atomic(joined, func(inner context.Context) error {
		ctx, cancel := context.WithCancel(joined)
		cancel()
		wantErr(t, "a turn beside", turn(db, ctx), context.Canceled)
		wantErr(t, "an Atomic beside", db.Atomic(ctx, func(context.Context) error { return nil }), context.Canceled)
		wantNil(t, "a turn inside", turn(db, inner))
		wantNil(t, "a turn elsewhere", turn(db, t.Context()))
		return nil
	}))
	wantNil(t, "a turn afterwards", turn(db, joined))
	db.Enter = func(context.Context, chan struct{}) (func(), error) {
		end(true) // while somebody waits
		return func() {}, nil
	}
	wantErr(t, "a turn after the end", turn(db, joined), roster.ErrTxDone)
}

func turn(db *fakeDB, ctx context.Context) error { //nolint:revive // the database is the receiver
	leave, err := db.Turn(ctx)
	if err == nil {
		leave()
	}
	return err
}

func TestJoinAgain(t *testing.T) {
	db := withSavepoints(newDB())
	yes := func(*fakeTx) bool { return true }
	joined, end := join(t, db, t.Context())
	if _, _, _, err := db.Join(joined, &fakeTx{db: db}, func(*fakeTx) bool { return false }); !errors.Is(err, txn.ErrElsewhere) {
		t.Errorf("another one: %v", err)
	}
	wantErr(t, "an own one", db.Atomic(t.Context(), func(ctx context.Context) error {
		_, _, _, err := db.Join(ctx, &fakeTx{db: db}, func(*fakeTx) bool { return false })
		return err
	}), txn.ErrElsewhere)
	ran := ""
	for _, committed := range []bool{false, true} {
		again, tell, nested, err := db.Join(joined, &fakeTx{db: db}, yes)
		if err != nil || !nested {
			t.Fatal(nested, err)
		}
		roster.AfterCommit(again, func(context.Context) { ran += "again" })
		tell(committed)
		wantErr(t, "the inner context", db.call(again, nil), roster.ErrTxDone)
		wantNil(t, "the outer context", db.call(joined, nil))
	}
	wantErr(t, "Atomic", db.Atomic(joined, func(ctx context.Context) error {
		again, tell, _, err := db.Join(ctx, &fakeTx{db: db}, yes)
		if err != nil {
			return err
		}
		_ = db.call(again, errBroken) // dooms the Atomic
		tell(true)
		wantErr(t, "Atomic's context", db.call(ctx, nil), roster.ErrTxAborted)
		return errBusy
	}), errBusy)
	end(true)
	if ran != "again" {
		t.Errorf("%q ran", ran)
	}
	if _, _, _, err := db.Join(joined, &fakeTx{db: db}, yes); !errors.Is(err, roster.ErrTxDone) {
		t.Errorf("of one that is over: %v", err)
	}
}

func TestUnwatchedWrites(t *testing.T) {
	db := withSavepoints(newDB())
	wantErr(t, "Atomic", db.Atomic(t.Context(), func(ctx context.Context) error {
		db.Unwatched(ctx)
		wantErr(t, "the inner one", db.Atomic(ctx, func(context.Context) error { return errBroken }), errBroken)
		return nil
	}), roster.ErrTxAborted)
	wantErr(t, "Atomic", db.Atomic(t.Context(), func(ctx context.Context) error {
		db.Unwatched(ctx)
		return db.Savepoint(ctx, func(ctx context.Context) error {
			wantErr(t, "the inner one", db.Atomic(ctx, func(context.Context) error { return errBroken }), errBroken)
			return nil
		})
	}), roster.ErrTxAborted)
}

func TestBinder(t *testing.T) {
	db := withSavepoints(newDB())
	outer := db.Binder(t.Context())
	_ = db.Atomic(t.Context(), func(ctx context.Context) error {
		bind := db.Binder(ctx)
		_ = db.Atomic(t.Context(), func(other context.Context) error {
			for what, c := range map[string]struct {
				ctx  context.Context
				want int
			}{"bound": {bind(t.Context()), 1}, "its own": {bind(other), 2}, "outer": {outer(ctx), 1}} {
				if tx, ok, err := db.Tx(c.ctx); !ok || err != nil || tx.try != c.want {
					t.Errorf("%s: %v, %v", what, ok, err)
				}
			}
			if _, ok, _ := db.Tx(outer(t.Context())); ok {
				t.Error("bound to nothing, and yet in a transaction")
			}
			return nil
		})
		return nil
	})
}
