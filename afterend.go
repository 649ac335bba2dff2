package roster

import (
	"context"
	"sync"
)

// afterEnd runs fn when the outermost transaction in ctx has ended, however it has
// ended, with the context of that Atomic; of one that is run again, only what its
// last try asked for. Without a transaction it runs fn at once, with ctx. In a
// transaction that was not begun by [Users.Atomic] or a verb it is [AfterCommit].
func afterEnd(ctx context.Context, fn func(ctx context.Context)) {
	if e, ok := ctx.Value(endingKey{}).(*ending); ok && e.add(fn) {
		return
	}
	AfterCommit(ctx, fn)
}

type endingKey struct{}

// ending is what waits for the end of a transaction.
type ending struct {
	mu   sync.Mutex
	over bool
	fns  []func(context.Context)
}

// add reports whether it is not too late.
func (e *ending) add(fn func(context.Context)) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.over {
		e.fns = append(e.fns, fn)
	}
	return !e.over
}

// again forgets what another try has asked for.
func (e *ending) again() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fns = nil
}

// end runs them all.
func (e *ending) end(ctx context.Context) {
	e.mu.Lock()
	fns := e.fns
	e.fns, e.over = nil, true
	e.mu.Unlock()
	runAll(ctx, fns)
}

// endingStore makes [afterEnd] work in its transactions.
type endingStore struct{ Store }

func (s endingStore) Atomic(ctx context.Context, fn func(ctx context.Context) error) error {
	if inTransaction(ctx) {
		return s.Store.Atomic(ctx, fn)
	}
	e := new(ending)
	defer e.end(ctx)
	return s.Store.Atomic(ctx, func(ctx context.Context) error {
		e.again()
		return fn(context.WithValue(ctx, endingKey{}, e))
	})
}
