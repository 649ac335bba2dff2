package txn_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/txn"
)

var (
	errBusy   = errors.New("busy") // worth another try
	errBroken = errors.New("broken")
)

// fakeTx writes down how it ended.
type fakeTx struct {
	db  *fakeDB
	try int
}

func (tx *fakeTx) Commit(ctx context.Context) error {
	err := ctx.Err()
	if tx.db.commit != nil {
		err = tx.db.commit(tx.try)
	}
	if err != nil {
		tx.db.log("commit %d: %v", tx.try, err)
		return err
	}
	tx.db.log("commit %d", tx.try)
	return nil
}

func (tx *fakeTx) Rollback() error {
	tx.db.log("rollback %d", tx.try)
	return tx.db.rollback
}

// fakeDB is a store without rows.
type fakeDB struct {
	txn.Runner[*fakeTx]
	begin, commit func(try int) error
	rollback      error

	mu    sync.Mutex
	tries int
	lines []string
}

func newDB() *fakeDB {
	db := new(fakeDB)
	db.Begin = func(context.Context) (*fakeTx, error) {
		db.tries++
		if db.begin != nil {
			if err := db.begin(db.tries); err != nil {
				return nil, err
			}
		}
		return &fakeTx{db: db, try: db.tries}, nil
	}
	db.Retry = func(err error) bool { return errors.Is(err, errBusy) }
	return db
}

func (db *fakeDB) log(format string, args ...any) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.lines = append(db.lines, fmt.Sprintf(format, args...))
}

// call is a method of the store that ends with err.
func (db *fakeDB) call(ctx context.Context, err error) error {
	if _, _, err := db.Tx(ctx); err != nil {
		return err
	}
	return db.Doom(ctx, err)
}

// write is call for one that writes.
func (db *fakeDB) write(ctx context.Context, err error) error {
	if _, _, err := db.Tx(ctx); err != nil {
		return err
	}
	db.Wrote(ctx)
	return db.Doom(ctx, err)
}

func (db *fakeDB) want(t *testing.T, lines ...string) {
	t.Helper()
	if !slices.Equal(db.lines, lines) {
		t.Errorf("the database saw %q, want %q", db.lines, lines)
	}
}

func wantErr(t *testing.T, what string, err error, wants ...error) {
	t.Helper()
	for _, want := range wants {
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
}

func wantNil(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func TestCommitAndRollback(t *testing.T) {
	db := newDB()
	wantNil(t, "Atomic", db.Atomic(t.Context(), func(ctx context.Context) error {
		tx, ok, err := db.Tx(ctx)
		if tx == nil || !ok || err != nil {
			t.Errorf("inside: %v, %v, %v", tx, ok, err)
		}
		return nil
	}))
	wantErr(t, "Atomic", db.Atomic(t.Context(), func(context.Context) error { return errBroken }), errBroken)
	db.want(t, "commit 1", "rollback 2")
	if _, ok, err := db.Tx(t.Context()); ok || err != nil {
		t.Errorf("outside: %v, %v", ok, err)
	}
	wantErr(t, "Doom outside", db.Doom(t.Context(), errBroken), errBroken)
}

func TestNestedJoins(t *testing.T) {
	db := newDB()
	wantNil(t, "Atomic", db.Atomic(t.Context(), func(outer context.Context) error {
		return db.Atomic(outer, func(inner context.Context) error {
			a, _, _ := db.Tx(outer)
			b, _, _ := db.Tx(inner)
			if a != b {
				t.Error("the inner one is a transaction of its own")
			}
			return nil
		})
	}))
	db.want(t, "commit 1")
}

func TestNestedFailureDooms(t *testing.T) {
	for _, cause := range []error{errBroken, roster.ErrNotFound} {
		db := newDB()
		err := db.Atomic(t.Context(), func(ctx context.Context) error {
			wantErr(t, "inner", db.Atomic(ctx, func(ctx context.Context) error {
				wantNil(t, "the write", db.write(ctx, nil))
				return cause
			}), cause)
			wantErr(t, "a later call", db.call(ctx, nil), roster.ErrTxAborted)
			wantErr(t, "a later Atomic", db.Atomic(ctx, func(context.Context) error {
				t.Error("fn of the later Atomic ran")
				return nil
			}), roster.ErrTxAborted)
			return nil
		})
		wantErr(t, "Atomic", err, roster.ErrTxAborted, cause)
		db.want(t, "rollback 1")
	}
}

func TestNestedRefusalDoesNotDoom(t *testing.T) {
	db := newDB()
	wantNil(t, "Atomic", db.Atomic(t.Context(), func(ctx context.Context) error {
		wantNil(t, "a write outside the inner one", db.write(ctx, nil))
		wantErr(t, "inner", db.Atomic(ctx, func(ctx context.Context) error {
			roster.AfterCommit(ctx, func(context.Context) { t.Error("AfterCommit of an inner Atomic that failed ran") })
			wantNil(t, "a read", db.call(ctx, nil))
			return errBroken
		}), errBroken)
		return db.write(ctx, nil)
	}))
	db.want(t, "commit 1")
}

func TestSwallowedErrorDooms(t *testing.T) {
	db := newDB()
	err := db.Atomic(t.Context(), func(ctx context.Context) error {
		wantErr(t, "the call", db.call(ctx, errBroken), errBroken)
		wantErr(t, "a later call", db.call(ctx, nil), roster.ErrTxAborted)
		return nil
	})
	wantErr(t, "Atomic", err, roster.ErrTxAborted, errBroken)

	err = db.Atomic(t.Context(), func(ctx context.Context) error {
		wantErr(t, "the inner one", db.Atomic(ctx, func(ctx context.Context) error {
			_ = db.call(ctx, errBroken)
			return nil
		}), roster.ErrTxAborted, errBroken)
		return nil
	})
	wantErr(t, "Atomic around another", err, roster.ErrTxAborted, errBroken)
	db.want(t, "rollback 1", "rollback 2")
}

func TestOwnErrorComesBack(t *testing.T) {
	db := newDB()
	own := errors.New("what fn makes of it")
	err := db.Atomic(t.Context(), func(ctx context.Context) error {
		_ = db.call(ctx, errBroken)
		return own
	})
	wantErr(t, "Atomic", err, own)
}

func TestNotFoundDoesNotDoom(t *testing.T) {
	db := newDB()
	wantNil(t, "Atomic", db.Atomic(t.Context(), func(ctx context.Context) error {
		wantErr(t, "the call", db.call(ctx, fmt.Errorf("wrapped: %w", roster.ErrNotFound)), roster.ErrNotFound)
		return db.call(ctx, nil)
	}))
	db.want(t, "commit 1")
}

func TestRetry(t *testing.T) {
	for what, fail := range map[string]func(*fakeDB, context.Context) error{
		"fn":        func(*fakeDB, context.Context) error { return fmt.Errorf("wrapped: %w", errBusy) },
		"swallowed": func(db *fakeDB, ctx context.Context) error { _ = db.call(ctx, errBusy); return nil },
		"covered":   func(db *fakeDB, ctx context.Context) error { _ = db.call(ctx, errBusy); return errBroken },
		"aborted":   func(db *fakeDB, ctx context.Context) error { _ = db.call(ctx, errBusy); return db.call(ctx, nil) },
		"inner": func(db *fakeDB, ctx context.Context) error {
			return db.Atomic(ctx, func(context.Context) error { return errBusy })
		},
	} {
		t.Run(what, func(t *testing.T) {
			db := newDB()
			wantNil(t, "Atomic", db.Atomic(t.Context(), func(ctx context.Context) error {
				if db.tries < 3 {
					return fail(db, ctx)
				}
				return nil
			}))
			db.want(t, "rollback 1", "rollback 2", "commit 3")
		})
	}
}

func TestRetryBeginAndCommit(t *testing.T) {
	db := newDB()
	db.begin = func(try int) error { return map[int]error{1: errBusy}[try] }
	db.commit = func(try int) error { return map[int]error{2: errBusy}[try] }
	ran := 0
	wantNil(t, "Atomic", db.Atomic(t.Context(), func(context.Context) error { ran++; return nil }))
	db.want(t, "commit 2: busy", "commit 3")
	if ran != 2 {
		t.Errorf("fn ran %d times, want 2", ran)
	}
	for what, set := range map[string]func(*fakeDB, error){
		"Begin":  func(db *fakeDB, err error) { db.begin = func(int) error { return err } },
		"Commit": func(db *fakeDB, err error) { db.commit = func(int) error { return err } },
	} {
		for _, final := range []error{errBroken, roster.ErrOutcomeUnknown} {
			db := newDB()
			set(db, final)
			err := db.Atomic(t.Context(), func(context.Context) error { return nil })
			if !errors.Is(err, final) || db.tries != 1 {
				t.Errorf("%s: %v after %d tries, want %v after 1", what, err, db.tries, final)
			}
		}
	}
}

func TestRetryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newDB()
		began := time.Now()
		err := db.Atomic(t.Context(), func(context.Context) error { return errBusy })
		wantErr(t, "Atomic", err, errBusy)
		if db.tries != 12 || len(db.lines) != 12 {
			t.Errorf("%d tries and %d ends, want 12", db.tries, len(db.lines))
		}
		if waited := time.Since(began); waited > 2*time.Second {
			t.Errorf("it waited for %v", waited)
		}
	})
}

func TestRetryEndsWithContext(t *testing.T) {
	db := newDB()
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Atomic(ctx, func(context.Context) error {
		cancel()
		return errBusy
	})
	wantErr(t, "Atomic", err, context.Canceled)
	if db.tries != 1 {
		t.Errorf("%d tries, want 1", db.tries)
	}
}

func TestCanceledCommit(t *testing.T) {
	db := newDB()
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Atomic(ctx, func(ctx context.Context) error {
		roster.AfterCommit(ctx, func(context.Context) { t.Error("AfterCommit ran without a commit") })
		cancel()
		return nil
	})
	wantErr(t, "Atomic", err, context.Canceled)
}

func TestPanic(t *testing.T) {
	db := newDB()
	func() {
		defer func() {
			if p := recover(); p != "boom" {
				t.Errorf("recovered %v, want the panic of fn", p)
			}
		}()
		_ = db.Atomic(t.Context(), func(ctx context.Context) error {
			roster.AfterCommit(ctx, func(context.Context) { t.Error("AfterCommit ran without a commit") })
			panic("boom")
		})
	}()
	db.want(t, "rollback 1")

	// One that is caught between the inner and the outer Atomic dooms both.
	err := db.Atomic(t.Context(), func(ctx context.Context) error {
		func() {
			defer func() { _ = recover() }()
			_ = db.Atomic(ctx, func(context.Context) error { panic("boom") })
		}()
		wantErr(t, "a later call", db.call(ctx, nil), roster.ErrTxAborted)
		return nil
	})
	wantErr(t, "Atomic", err, roster.ErrTxAborted)
	db.want(t, "rollback 1", "rollback 2")
}

func TestGoexitRollsBack(t *testing.T) {
	db := newDB()
	done := make(chan struct{})
	go func() { // as t.FailNow does
		defer close(done)
		_ = db.Atomic(t.Context(), func(context.Context) error {
			runtime.Goexit()
			return nil
		})
	}()
	<-done
	db.want(t, "rollback 1")
}

func TestDone(t *testing.T) {
	db := newDB()
	for _, end := range []error{nil, errBroken} {
		var kept context.Context
		_ = db.Atomic(t.Context(), func(ctx context.Context) error {
			kept = ctx
			return end
		})
		wantErr(t, "a call", db.call(kept, nil), roster.ErrTxDone)
		wantErr(t, "Atomic", db.Atomic(kept, func(context.Context) error {
			t.Error("fn ran in a transaction that is over")
			return nil
		}), roster.ErrTxDone)
	}
	db.want(t, "commit 1", "rollback 2")
}

type markKey struct{}

func TestAfterCommit(t *testing.T) {
	db := newDB()
	ctx := context.WithValue(t.Context(), markKey{}, "outer")
	after := func(ctx context.Context, what string) {
		roster.AfterCommit(ctx, func(ctx context.Context) {
			if _, inside, err := db.Tx(ctx); inside || err != nil || ctx.Value(markKey{}) != "outer" {
				t.Errorf("%s ran with another context than that of the outermost Atomic", what)
			}
			db.log("%s", what)
		})
	}
	wantNil(t, "Atomic", db.Atomic(ctx, func(ctx context.Context) error {
		after(ctx, fmt.Sprintf("first, of try %d", db.tries))
		err := db.Atomic(context.WithValue(ctx, markKey{}, "inner"), func(ctx context.Context) error {
			after(ctx, "second")
			return nil
		})
		after(ctx, "third")
		if db.tries == 1 {
			return errBusy
		}
		return err
	}))
	db.want(t, "rollback 1", "commit 2", "first, of try 2", "second", "third")
	after(ctx, "at once")
	db.want(t, "rollback 1", "commit 2", "first, of try 2", "second", "third", "at once")
}

func TestAfterCommitMayWrite(t *testing.T) {
	db := newDB()
	wantNil(t, "Atomic", db.Atomic(t.Context(), func(ctx context.Context) error {
		roster.AfterCommit(ctx, func(ctx context.Context) {
			wantNil(t, "the second Atomic", db.Atomic(ctx, func(ctx context.Context) error {
				roster.AfterCommit(ctx, func(context.Context) { db.log("after both") })
				return nil
			}))
		})
		return nil
	}))
	db.want(t, "commit 1", "commit 2", "after both")
}

func TestTwoStores(t *testing.T) {
	a, b := newDB(), newDB()
	wantNil(t, "Atomic", a.Atomic(t.Context(), func(ctx context.Context) error {
		if _, inside, _ := b.Tx(ctx); inside {
			t.Error("a transaction of one store is taken for one of the other")
		}
		err := b.Atomic(ctx, func(ctx context.Context) error {
			for _, db := range []*fakeDB{a, b} {
				if tx, _, err := db.Tx(ctx); err != nil || tx.db != db {
					t.Errorf("a store does not find its own transaction: %v", err)
				}
			}
			return b.call(ctx, errBroken)
		})
		wantErr(t, "the other store", err, errBroken)
		return a.call(ctx, nil)
	}))
	a.want(t, "commit 1")
	b.want(t, "rollback 1")
}

func TestGoroutines(t *testing.T) {
	db := newDB()
	err := db.Atomic(t.Context(), func(ctx context.Context) error {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_ = db.call(ctx, map[int]error{5: errBroken}[i])
				_ = db.Atomic(ctx, func(context.Context) error { return nil })
			})
		}
		wg.Wait()
		return nil
	})
	wantErr(t, "Atomic", err, roster.ErrTxAborted, errBroken)
	db.want(t, "rollback 1")
}
