// Package txn runs the transactions of a store: nesting, dooming, retries and
// what waits for the commit, the same for every store.
package txn

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-roster/roster"
)

// Tx is a database's own transaction, or a savepoint in one. Commit and
// Rollback end it.
type Tx interface {
	Commit(ctx context.Context) error
	Rollback() error
}

// Runner runs transactions of type T. Its address is the identity of the
// store: the transactions of two stores may travel in one context.
type Runner[T Tx] struct {
	// Begin starts a transaction. Its errors are final, but those that Retry
	// accepts.
	Begin func(ctx context.Context) (T, error)

	// Retry reports whether the database gave up on a transaction for the sake
	// of others.
	Retry func(error) bool

	// Save sets a savepoint in a transaction: a Tx of its own, which Commit
	// releases and Rollback goes back to. Enter waits for a place in turn, which
	// leave gives up again. Both are needed for Savepoint and Join alone.
	Save  func(ctx context.Context, tx T) (T, error)
	Enter func(ctx context.Context, turn chan struct{}) (leave func(), err error)
}

// The bounds of the retries of one Atomic.
const (
	maxTries = 12
	maxWait  = 200 * time.Millisecond
)

type key[T Tx] struct{ r *Runner[T] }

// state is one try of a transaction, a savepoint, or a transaction of the host
// that was joined.
type state[T Tx] struct {
	tx   T
	turn chan struct{} // of a joined one: holds a value while a call works in it

	mu     sync.Mutex
	done   bool
	writes int   // calls that write, so far
	blind  bool  // others may write without Wrote being called
	cause  error // what doomed it
}

// Tx returns the transaction in ctx, and whether there is one. It fails with
// ErrTxDone if that has ended and with ErrTxAborted if it is doomed.
func (r *Runner[T]) Tx(ctx context.Context) (tx T, ok bool, err error) {
	s, ok := ctx.Value(key[T]{r}).(*state[T])
	if !ok {
		return tx, false, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.done:
		return tx, true, roster.ErrTxDone
	case s.cause != nil:
		return tx, true, roster.ErrTxAborted
	}
	return s.tx, true, nil
}

// Wrote notes that a call in the transaction in ctx, if there is one, writes.
func (r *Runner[T]) Wrote(ctx context.Context) {
	if s, ok := ctx.Value(key[T]{r}).(*state[T]); ok {
		s.mu.Lock()
		s.writes++
		s.mu.Unlock()
	}
}

// Unwatched notes that from now on anything may be written in the transaction in
// ctx, if there is one, without Wrote being called.
func (r *Runner[T]) Unwatched(ctx context.Context) {
	if s, ok := ctx.Value(key[T]{r}).(*state[T]); ok {
		s.mu.Lock()
		s.blind = true
		s.mu.Unlock()
	}
}

// Doom marks the transaction in ctx, if there is one and it is not the host's,
// as failed by err, unless err is nil or ErrNotFound. It returns err.
func (r *Runner[T]) Doom(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, roster.ErrNotFound) {
		return err
	}
	if s, ok := ctx.Value(key[T]{r}).(*state[T]); ok && s.turn == nil {
		s.doom(err)
	}
	return err
}

func (s *state[T]) doom(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		s.cause = err
	}
}

// wrote reports whether more calls than that have written.
func (s *state[T]) wrote(before int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes > before || s.blind
}

func (s *state[T]) isBlind() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blind
}

// progress returns how many calls have written, and what doomed the transaction.
func (s *state[T]) progress() (writes int, cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes, s.cause
}

// Atomic runs fn in a transaction as [roster.Store] describes.
func (r *Runner[T]) Atomic(ctx context.Context, fn func(context.Context) error) error {
	if _, inside, err := r.Tx(ctx); err != nil {
		return err
	} else if inside && r.Joined(ctx) {
		return r.Savepoint(ctx, fn)
	} else if inside {
		return r.nest(ctx, fn)
	}
	for try := 1; ; try++ {
		again, err := r.try(ctx, fn)
		if !again || try == maxTries {
			return err
		}
		if err := wait(ctx, try); err != nil {
			return err
		}
	}
}

// nest runs fn in the transaction that ctx is in already. What fn has written
// cannot be undone alone, so its failure is that of the whole then.
func (r *Runner[T]) nest(ctx context.Context, fn func(context.Context) error) (err error) {
	s := ctx.Value(key[T]{r}).(*state[T])
	before, _ := s.progress()
	held, run := roster.HoldAfterCommit(ctx)
	finished := false
	defer func() {
		if !finished {
			s.doom(errors.New("panic"))
		}
	}()
	err = fn(held)
	finished = true
	_, cause := s.progress()
	switch {
	case err != nil && s.wrote(before):
		s.doom(err)
		return err
	case err != nil:
		return err
	case cause != nil:
		return aborted(cause)
	}
	run() // hands on to the outer one
	return nil
}

// aborted is the answer of an Atomic whose fn was content, though cause, if it
// is not nil, doomed the transaction.
func aborted(cause error) error {
	if cause == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", roster.ErrTxAborted, cause)
}

// try runs fn once. again says that it failed for the sake of others.
func (r *Runner[T]) try(ctx context.Context, fn func(context.Context) error) (again bool, err error) {
	tx, err := r.Begin(ctx)
	if err != nil {
		return r.Retry(err), err
	}
	return r.run(ctx, tx, nil, fn)
}

// run runs fn in tx and ends it. outer is what tx is a savepoint in, if it is
// one. It is doomed if there is no way back.
func (r *Runner[T]) run(
	ctx context.Context, tx T, outer *state[T], fn func(context.Context) error,
) (again bool, err error) {
	s := &state[T]{tx: tx, blind: outer != nil && outer.isBlind()}
	held, run := roster.HoldAfterCommit(ctx)
	inner := context.WithValue(held, key[T]{r}, s)
	rollback := func() {
		if err := tx.Rollback(); err != nil && outer != nil {
			outer.doom(err)
		}
	}
	ended := false
	defer func() {
		if !ended { // fn panicked
			s.end()
			rollback()
		}
	}()
	err = fn(inner)
	ended = true
	cause := s.end()
	if err == nil {
		err = aborted(cause)
	}
	if err != nil {
		rollback()
		return r.Retry(err) || cause != nil && r.Retry(cause), err
	}
	if err := tx.Commit(ctx); err != nil {
		if outer != nil {
			rollback()
		}
		return r.Retry(err), err
	}
	run()
	return false, nil
}

// end closes the transaction to further calls and returns what doomed it.
func (s *state[T]) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = true
	return s.cause
}

// wait sleeps a random while that grows with the tries.
func wait(ctx context.Context, try int) error {
	var b [1]byte
	_, _ = rand.Read(b[:])
	t := time.NewTimer(min(maxWait, time.Millisecond<<try) * time.Duration(b[0]) / 256)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
