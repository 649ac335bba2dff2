package roster

import (
	"context"
	"errors"
	"log/slog"
	"sync"
)

// denial is a verb that was refused to an actor.
type denial struct {
	actor  Actor
	verb   string
	target UserID // zero: none, or the actor may not know
}

// denials are those of one transaction. They outlive it, whatever becomes of it.
type denials struct {
	mu   sync.Mutex
	list []denial
}

type denialsKey struct{}

// refused hands the answer to a question on, and sees to it that a no is
// recorded.
func (q *asking) refused(ctx context.Context, target UserID, err error) error {
	if !errors.Is(err, ErrForbidden) {
		return err
	}
	us, d := q.us, denial{q.actor, q.op.Verb, target}
	if ds, ok := ctx.Value(denialsKey{}).(*denials); ok {
		ds.mu.Lock()
		defer ds.mu.Unlock()
		ds.list = append(ds.list, d)
		return err
	}
	AfterCommit(ctx, func(ctx context.Context) { us.recordDenial(ctx, d) }) // of the host's own transaction
	return err
}

// atomic is Users.Atomic for a verb.
func (us *Users) atomic(ctx context.Context, fn func(ctx context.Context) error) error {
	if us.actor == nil {
		return us.store.Atomic(ctx, fn)
	}
	return us.Atomic(ctx, fn)
}

// keepDenials is the Atomic of the store, but that what was refused in it is
// recorded when it is over. Of a transaction that the host has begun by itself
// it is recorded with the commit.
func (us *Users) keepDenials(ctx context.Context, fn func(ctx context.Context) error) error {
	if inTransaction(ctx) {
		return us.store.Atomic(ctx, fn)
	}
	var ds denials
	defer func() { // also when fn panics
		for _, d := range ds.list {
			us.recordDenial(ctx, d)
		}
	}()
	return us.store.Atomic(context.WithValue(ctx, denialsKey{}, &ds), func(ctx context.Context) error {
		ds.mu.Lock()
		ds.list = nil // of a try before
		ds.mu.Unlock()
		return fn(ctx)
	})
}

// recordDenial tells who wanted what. Who hangs up meanwhile is recorded all the
// same.
func (us *Users) recordDenial(_ context.Context, d denial) {
	us.opts.Logger.Warn("denied", slog.String("verb", d.verb), slog.Int64("actor", int64(d.actor.User)),
		slog.Int64("real", int64(d.actor.Real)), slog.Int64("user", int64(d.target)), slog.Int64("scope", int64(d.actor.Scope)))
}
