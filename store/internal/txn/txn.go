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

// Tx is a database's own transaction. Commit and Rollback end it.
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
}

// The bounds of the retries of one Atomic.
const (
	maxTries = 12
	maxWait  = 200 * time.Millisecond
)

type key[T Tx] struct{ r *Runner[T] }

// state is one try of a transaction.
type state[T Tx] struct {
	tx T

	mu     sync.Mutex
	done   bool
	writes int   // calls that write, so far
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

// Doom marks the transaction in ctx, if there is one, as failed by err, unless
// err is nil or ErrNotFound. It returns err.
func (r *Runner[T]) Doom(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, roster.ErrNotFound) {
		return err
	}
	if s, ok := ctx.Value(key[T]{r}).(*state[T]); ok {
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
	} else if inside {
		return r.join(ctx, fn)
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

// join runs fn in the transaction that ctx is in already. What fn has written
// cannot be undone alone, so its failure is that of the whole then.
func (r *Runner[T]) join(ctx context.Context, fn func(context.Context) error) (err error) {
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
	writes, cause := s.progress()
	switch {
	case err != nil && writes > before:
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
	s := &state[T]{tx: tx}
	held, run := roster.HoldAfterCommit(ctx)
	inner := context.WithValue(held, key[T]{r}, s)
	ended := false
	defer func() {
		if !ended { // fn panicked
			s.end()
			_ = tx.Rollback()
		}
	}()
	err = fn(inner)
	ended = true
	cause := s.end()
	if err == nil {
		err = aborted(cause)
	}
	if err != nil {
		_ = tx.Rollback()
		return r.Retry(err) || cause != nil && r.Retry(cause), err
	}
	if err := tx.Commit(ctx); err != nil {
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
