package bunstore

import (
	"context"
	"time"
)

// savepoint is the name of all savepoints of a store: inner ones hide outer
// ones, and those of two stores that work in one transaction stay apart.
func (s *Store) savepoint() string { return s.prefix + "atomic" }

// backTimeout is how long it may take to go back to a savepoint. The context
// that ended may be the reason to.
const backTimeout = 5 * time.Second

// enter implements Enter of the Runner.
func (s *Store) enter(ctx context.Context, place chan struct{}) (leave func(), err error) {
	p := s.patience()
	defer p.stop()
	return p.enter(ctx, place)
}

// save implements Save of the Runner.
func (s *Store) save(ctx context.Context, t *tx) (*tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.lock(ctx); err != nil {
		return nil, s.failed(ctx, nil, true, false, err)
	}
	if _, err := t.ExecContext(ctx, "SAVEPOINT "+s.savepoint()); err != nil {
		return nil, s.failed(ctx, nil, true, false, err)
	}
	return &tx{session: t.session, inner: true, noted: len(t.events)}, nil
}

// lock makes a transaction of the host the writer, if there is one at a time.
func (t *tx) lock(ctx context.Context) error {
	if !t.joined || t.locked || t.store.dialect.Lock == nil {
		return nil
	}
	err := t.store.dialect.Lock(ctx, t.Tx)
	t.locked = err == nil
	return err
}

// release keeps what was done since the savepoint.
func (t *tx) release(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	_, err := t.ExecContext(ctx, "RELEASE SAVEPOINT "+t.store.savepoint())
	return t.store.failed(ctx, nil, true, false, err)
}

// back undoes what was done since the savepoint.
func (t *tx) back() error {
	ctx, cancel := context.WithTimeout(context.Background(), backTimeout)
	defer cancel()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = t.events[:t.noted]
	name := t.store.savepoint()
	_, err := t.ExecContext(ctx, "ROLLBACK TO SAVEPOINT "+name+"; RELEASE SAVEPOINT "+name)
	return t.store.failed(ctx, nil, true, false, err)
}
