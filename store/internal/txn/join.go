package txn

import (
	"context"
	"errors"

	"github.com/go-roster/roster"
)

// ErrElsewhere says that a context is in another transaction already.
var ErrElsewhere = errors.New("the context is in another transaction")

// Join returns a context in which everything works in tx, which the host has
// begun and will end. There an Atomic is a savepoint, which is not run again, and
// whose failure leaves the rest as it is. Calls take turns: those beside an
// Atomic wait for its end.
//
// end closes that context and, if the host has committed, runs what waited for
// it. If ctx is in tx already, which same tells of the one it is in, end hands
// that on to the outer one, and nested is true. If ctx is in another one, the
// error is ErrElsewhere; if in one that is over, ErrTxDone or ErrTxAborted.
func (r *Runner[T]) Join(
	ctx context.Context, tx T, same func(T) bool,
) (joined context.Context, end func(committed bool), nested bool, err error) {
	s := &state[T]{tx: tx}
	if outer, ok := ctx.Value(key[T]{r}).(*state[T]); ok {
		if _, _, err := r.Tx(ctx); err != nil {
			return nil, nil, false, err
		}
		if !same(outer.tx) {
			return nil, nil, false, ErrElsewhere
		}
		s.tx, s.turn, nested = outer.tx, outer.turn, true
	} else {
		s.turn = make(chan struct{}, 1)
	}
	joined, run := roster.HoldAfterCommit(ctx)
	if s.turn == nil { // in an Atomic, which goes on to be the one to doom
		s = joined.Value(key[T]{r}).(*state[T])
	} else {
		joined = context.WithValue(joined, key[T]{r}, s)
	}
	return joined, func(committed bool) {
		if s.turn != nil {
			s.end()
		}
		if committed {
			run()
		}
	}, nested, nil
}

// Binder returns a function that puts a context that is in no transaction of this
// Runner into the one in ctx, if there is one.
func (r *Runner[T]) Binder(ctx context.Context) func(context.Context) context.Context {
	s, ok := ctx.Value(key[T]{r}).(*state[T])
	return func(ctx context.Context) context.Context {
		if !ok || ctx.Value(key[T]{r}) != nil {
			return ctx
		}
		return context.WithValue(ctx, key[T]{r}, s)
	}
}

// Joined reports whether ctx is in a transaction of the host, and in no
// savepoint there.
func (r *Runner[T]) Joined(ctx context.Context) bool {
	s, ok := ctx.Value(key[T]{r}).(*state[T])
	return ok && s.turn != nil
}

// Turn waits until nothing else works in the transaction in ctx, if that is
// joined, and keeps others out until leave is called.
func (r *Runner[T]) Turn(ctx context.Context) (leave func(), err error) {
	s, ok := ctx.Value(key[T]{r}).(*state[T])
	if !ok || s.turn == nil {
		return func() {}, nil
	}
	leave, err = r.Enter(ctx, s.turn)
	if err != nil {
		return nil, err
	}
	if _, _, err := r.Tx(ctx); err != nil { // it has ended meanwhile
		leave()
		return nil, err
	}
	return leave, nil
}

// Savepoint runs fn in a savepoint of the transaction in ctx, which there must
// be. If fn fails, that alone is undone.
func (r *Runner[T]) Savepoint(ctx context.Context, fn func(context.Context) error) error {
	leave, err := r.Turn(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if _, _, err := r.Tx(ctx); err != nil {
		return err
	}
	s := ctx.Value(key[T]{r}).(*state[T])
	tx, err := r.Save(ctx, s.tx)
	if err != nil {
		return r.Doom(ctx, err)
	}
	r.Wrote(ctx)
	_, err = r.run(ctx, tx, s, fn)
	return err
}
