package bunstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// tx is a transaction of the database, or a savepoint in one.
type tx struct {
	*session
	leave func()
	inner bool // a savepoint, and
	noted int  // how many events there were before
}

// session is what a transaction has in common with its savepoints.
type session struct {
	*sql.Tx // not bun's, which would replace placeholders
	store   *Store
	joined  bool // the host has begun it, and ends it
	guest   bool // of a handle that is not the store's

	mu     sync.Mutex // one statement at a time: fn may use goroutines
	locked bool       // see lock
	events []noted    // see note
	stmts  map[*Query]*sql.Stmt
}

func (s *Store) begin(ctx context.Context) (*tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := s.patience()
	defer p.stop()
	leave, err := p.enter(ctx, s.writer)
	if err != nil {
		return nil, err
	}
	s.prepareWanted(ctx)
	if s.writer != nil {
		s.holder.Hold(ctx)
	}
	t := &tx{session: &session{store: s}, leave: sync.OnceFunc(func() {
		s.holder.Release()
		leave()
	})}
	if err := p.try(ctx, true, func() error { return t.begin(ctx) }); err != nil {
		t.leave()
		return nil, s.failed(ctx, nil, false, false, err)
	}
	return t, nil
}

func (t *tx) begin(ctx context.Context) (err error) {
	d := &t.store.dialect
	if t.Tx, err = t.store.db.DB.BeginTx(ctx, nil); err != nil || d.Begun == nil {
		return err
	}
	if err = d.Begun(ctx, t.Tx); err != nil {
		_ = t.Tx.Rollback()
	}
	return err
}

// Commit implements [txn.Tx].
func (t *tx) Commit(ctx context.Context) error {
	if t.inner {
		return t.release(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.leave()
	if err := ctx.Err(); err != nil {
		_ = t.Tx.Rollback()
		return err
	}
	err := t.Tx.Commit()
	if err == nil {
		return nil
	}
	// database/sql gives the context's error itself, as it is, or ErrTxDone if it
	// has not asked for the commit.
	asked := err != ctx.Err() && !errors.Is(err, sql.ErrTxDone) //nolint:errorlint // wrapped, it comes from the driver
	if asked && (ctx.Err() != nil || t.store.fault(err).Lost) {
		return unknownOutcome(ctx, err)
	}
	return t.store.failed(ctx, nil, true, false, err)
}

// Rollback implements [txn.Tx].
func (t *tx) Rollback() error {
	if t.inner {
		return t.back()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.leave()
	return t.Tx.Rollback()
}
