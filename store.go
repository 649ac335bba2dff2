package roster

import (
	"context"
	"sync"
)

// Store keeps rows and constraints. It knows no rule: those are in [Users],
// once, above every store. The packages store/memory, store/sqlite and
// store/postgres are stores; store/storetest checks that one is.
//
// What every store promises:
//
//   - A method is one atomic statement. It uses the transaction in its context
//     if there is one of this store, else it runs alone. "By ID" is ascending.
//     A list that was asked for nothing is empty.
//   - What a method does not find is ErrNotFound. What a constraint refuses is
//     a *ConflictError that names the field. A database that is down, slow,
//     full or read-only is an *UnavailableError. A context that ends gives the
//     context's error.
//   - Rows are copied in and copied out.
//   - Equality and order are by the bytes of keys that Go made. A key is never
//     empty. A limit of zero or less, or no IDs, asks for nothing: that writes
//     nothing. Of what is pruned, the lowest
//     IDs or the earliest times go first.
//   - Times go in as UTC with microseconds and come out equal; a zero time
//     comes out zero. A store never asks for the time.
//   - It is safe for concurrent use.
type Store interface {
	// Atomic runs fn in a transaction that travels in fn's context, and commits
	// it if fn returns nil. An Atomic inside another joins it.
	//
	// A call that fails, other than by not finding something, dooms the
	// transaction: every later call answers ErrTxAborted, and so does Atomic,
	// even if fn returns nil. An inner Atomic whose fn fails does the same if it
	// has written anything, since that cannot be undone alone. A panic rolls back
	// and goes on.
	//
	// The outermost Atomic runs fn again, a bounded number of times, if the
	// database gave up on it for the sake of others (serialization failure,
	// deadlock, busy). So fn changes nothing outside but by [AfterCommit].
	//
	// A lost answer to the commit is ErrOutcomeUnknown, and the context's error
	// as well if that has ended meanwhile. A context kept past the
	// end answers ErrTxDone. A call inside fn with the context outside sees the
	// last committed state if it reads, and fails within the busy timeout if it
	// writes what the transaction locks.
	Atomic(ctx context.Context, fn func(ctx context.Context) error) error

	UserStore
	NameStore
	EmailStore
	ActivationStore
	CredentialStore
	UndoStore
	LoginStore
	OutboxStore
	LimitStore
	SessionStore
	IdentityStore
	EventStore
	GroupStore
	MemberStore
	GrantStore
}

// AfterCommit runs fn after the outermost transaction in ctx has committed, in
// the order of the calls, with the context of that Atomic; never if it rolls
// back, nor if an inner Atomic that it was called in failed, nor with the
// context of a transaction that has ended. Without a transaction it runs fn at
// once, with ctx.
func AfterCommit(ctx context.Context, fn func(ctx context.Context)) {
	if held, ok := ctx.Value(afterCommitKey{}).(*afterCommit); ok {
		held.mu.Lock()
		defer held.mu.Unlock()
		held.fns = append(held.fns, fn)
		return
	}
	fn(ctx)
}

// HoldAfterCommit is for the authors of stores: the context it returns makes
// [AfterCommit] hold its functions back until run is called, once, after the
// commit. If ctx is in the transaction of another store, or holds back itself,
// run hands them on to that. Each try of a transaction holds its own.
func HoldAfterCommit(ctx context.Context) (held context.Context, run func()) {
	h := new(afterCommit)
	return context.WithValue(ctx, afterCommitKey{}, h), func() {
		h.mu.Lock()
		fns := h.fns
		h.fns = nil
		h.mu.Unlock()
		runAll(ctx, fns)
	}
}

// runAll runs them all, also if one panics.
func runAll(ctx context.Context, fns []func(context.Context)) {
	for i, fn := range fns {
		func() {
			finished := false
			defer func() {
				if !finished {
					runAll(ctx, fns[i+1:])
				}
			}()
			AfterCommit(ctx, fn)
			finished = true
		}()
	}
}

// inTransaction reports whether ctx is in the transaction of a store.
func inTransaction(ctx context.Context) bool { return ctx.Value(afterCommitKey{}) != nil }

type afterCommitKey struct{}

type afterCommit struct {
	mu  sync.Mutex
	fns []func(context.Context)
}
