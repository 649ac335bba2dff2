// Package memory is a [roster.Store] for tests and for trying things out: the
// rules and constraints of the databases, in microseconds, and nothing to
// install. It keeps everything in the process and nothing beyond it: there is
// no file, and when the [Store] is garbage so are its rows.
//
//	users, err := roster.New(memory.New(), nil)
//
// The rows are in immutable snapshots. A read outside a transaction looks at
// the last committed one, takes no lock and waits for nobody. There is one
// writer at a time: a transaction has the store to itself from its start to its
// end, so it never sees the changes of another and never has to run again. A
// write of somebody else waits for up to five seconds, then it is a
// [roster.UnavailableError] of [roster.UnavailableBusy].
//
// IDs ascend and are never given twice, not even after a rollback.
package memory

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/mixin"
	"github.com/go-roster/roster/store/internal/txn"
)

var _ roster.Store = (*Store)(nil)

// busyTimeout is how long a writer waits for another.
const busyTimeout = 5 * time.Second

// Store keeps the rows. [New] makes one; there is nothing to close. It is safe
// for concurrent use.
type Store struct {
	last  atomic.Pointer[state] // the last committed state
	model *mixin.Type[roster.Model]
	txns  txn.Runner[*tx]
	busy  time.Duration

	groupModel *mixin.Type[roster.GroupModel]

	writer chan struct{} // holds one value while somebody writes
	holder txn.Holder
	ids    struct { // the last ones given; of the writer
		user  roster.UserID
		email roster.EmailID
		mail  roster.MailID
		event roster.EventID
		group roster.GroupID
		grant roster.GrantID
	}
}

// New returns an empty Store. It panics if an option is wrong.
func New(opts ...Option) *Store {
	s := &Store{busy: busyTimeout, writer: make(chan struct{}, 1), model: mixin.User, groupModel: mixin.Group}
	s.apply(opts)
	s.last.Store(new(state))
	s.txns.Begin = s.begin
	s.txns.Retry = func(error) bool { return false } // the one writer is never given up
	return s
}

// Atomic implements [roster.Store]. It runs fn once.
func (s *Store) Atomic(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.txns.Atomic(ctx, fn)
}

// tx is a transaction: a state of its own, which is published at the end or
// dropped.
type tx struct {
	store *Store

	mu    sync.Mutex // fn may use goroutines
	state *state     // nil after the end
}

func (s *Store) begin(ctx context.Context) (*tx, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	s.holder.Hold(ctx)
	return &tx{store: s, state: s.last.Load().fork()}, nil
}

// Commit implements [txn.Tx].
func (t *tx) Commit(ctx context.Context) error { return t.end(ctx.Err()) }

// Rollback implements [txn.Tx].
func (t *tx) Rollback() error { return t.end(roster.ErrTxAborted) }

// end publishes the state unless err says not to, and lets the next writer in.
func (t *tx) end(err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == nil {
		return roster.ErrTxDone
	}
	if err == nil {
		t.store.publish(t.state)
	}
	t.state = nil
	t.store.holder.Release()
	t.store.unlock()
	return err
}

// lock makes the caller the writer.
func (s *Store) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.writer <- struct{}{}:
		return nil
	default:
	}
	timeout := time.NewTimer(s.busy)
	defer timeout.Stop()
	select {
	case s.writer <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		return s.holder.Busy(ctx)
	}
}

func (s *Store) unlock() { <-s.writer }

// publish makes st, if anything was written to it, what everybody sees.
func (s *Store) publish(st *state) {
	if st.dirty {
		s.last.Store(st)
	}
}

// read runs fn on the state that ctx sees.
func read[T any](ctx context.Context, s *Store, fn func(*state) (T, error)) (T, error) {
	t, inside, err := s.txns.Tx(ctx)
	switch {
	case inside:
		return within(ctx, t, err, fn)
	case ctx.Err() != nil:
		var none T
		return none, ctx.Err()
	default:
		return fn(s.last.Load())
	}
}

// write is read for an fn that changes the state. Without a transaction it is
// one of its own. An fn that answers ErrNotFound must have changed nothing.
func write[T any](ctx context.Context, s *Store, fn func(*state) (T, error)) (T, error) {
	t, inside, err := s.txns.Tx(ctx)
	if inside {
		s.txns.Wrote(ctx)
		return within(ctx, t, err, fn)
	}
	if err := s.lock(ctx); err != nil {
		var none T
		return none, err
	}
	defer s.unlock()
	st := s.last.Load().fork()
	v, err := fn(st)
	if err == nil {
		s.publish(st)
	}
	return v, err
}

// nothing is what a call answers that is asked for nothing. It is no write.
func nothing[T any](ctx context.Context, s *Store) (T, error) {
	return read(ctx, s, func(*state) (none T, err error) { return none, nil })
}

// exec is write for an fn with nothing to return but its error.
func exec(ctx context.Context, s *Store, fn func(*state) error) error {
	_, err := write(ctx, s, func(st *state) (struct{}, error) { return struct{}{}, fn(st) })
	return err
}

// within runs fn on the state of the transaction t, which ctx is in. What
// fails dooms it. err is what keeps fn from running, if anything does.
func within[T any](ctx context.Context, t *tx, err error, fn func(*state) (T, error)) (v T, _ error) {
	if err != nil {
		return v, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == nil {
		return v, roster.ErrTxDone
	}
	if err = ctx.Err(); err == nil {
		v, err = fn(t.state)
	}
	return v, t.store.txns.Doom(ctx, err)
}
