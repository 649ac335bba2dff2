// Package bunstore is what the SQL stores have in common. Each of them adds a
// [Dialect], its migrations and its ways to open.
package bunstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/mixin"
	"github.com/go-roster/roster/store/internal/txn"
)

var _ roster.Store = (*Store)(nil)

// DefaultPrefix is what the names of the tables begin with.
const DefaultPrefix = "roster_"

// DefaultBusyTimeout is how long a write waits for others.
const DefaultBusyTimeout = 5 * time.Second

// Options are what the stores are configured with.
type Options struct {
	Prefix string // see CheckPrefix

	// BusyTimeout is how long a write waits for others. Zero or less is as long
	// as its context allows.
	BusyTimeout time.Duration

	// Migrations are those of the dialect, in order.
	Migrations []Migration

	// Model is the type that users are read into. Nil is a plain user.
	Model *mixin.Type
}

// Store is a [roster.Store] on a database/sql handle. It is safe for concurrent
// use.
type Store struct {
	db         *bun.DB
	dialect    Dialect
	prefix     string
	names      *strings.Replacer
	busy       time.Duration
	migrations []Migration
	users      *model
	txns       txn.Runner[*tx]

	writer chan struct{} // holds one value while somebody writes; nil if many may

	mu       sync.Mutex
	closed   bool
	wanted   []*Query // to be prepared before the next transaction
	prepared []*sql.Stmt

	queries
}

// queries are all statements, by noun.
type queries struct {
	user       userQueries
	name       nameQueries
	email      emailQueries
	activation activationQueries
	credential credentialQueries
	undo       undoQueries
	login      loginQueries
	outbox     outboxQueries
	limit      limitQueries
	session    sessionQueries
	identity   identityQueries
	event      eventQueries
	search     searchQueries
}

// New returns a store on an open handle. It does not ask the database anything.
func New(db *sql.DB, d Dialect, o Options) *Store {
	s := &Store{
		db: bun.NewDB(db, d.Bun), dialect: d, prefix: o.Prefix, busy: o.BusyTimeout, migrations: o.Migrations,
		names: replacer(o.Prefix),
	}
	if d.OneWriter {
		s.writer = make(chan struct{}, 1)
	}
	s.txns.Begin = s.begin
	s.txns.Retry = mayRetry
	if o.Model == nil {
		o.Model = mixin.Plain
	}
	s.users = newModel(s.db, &s.dialect, o.Model)
	s.queries = queries{
		user: s.userQueries(), name: s.nameQueries(), email: s.emailQueries(), activation: s.activationQueries(),
		credential: s.credentialQueries(), undo: s.undoQueries(), login: s.loginQueries(), outbox: s.outboxQueries(),
		limit: s.limitQueries(), session: s.sessionQueries(), identity: s.identityQueries(), event: s.eventQueries(),
		search: s.searchQueries(),
	}
	return s
}

// Close frees the prepared statements. The handle stays open.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, stmt := range s.prepared {
		_ = stmt.Close()
	}
	s.prepared = nil
	return nil
}

func (s *Store) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Atomic implements [roster.Store].
func (s *Store) Atomic(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.txns.Atomic(ctx, fn)
}

// tx is a transaction of the database.
type tx struct {
	bun.Tx
	store *Store
	leave func()

	mu    sync.Mutex // one statement at a time: fn may use goroutines
	stmts map[*Query]*sql.Stmt
}

func (s *Store) begin(ctx context.Context) (*tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := s.patience()
	defer p.stop()
	leave, err := p.enter(ctx)
	if err != nil {
		return nil, err
	}
	s.prepareWanted(ctx)
	t := &tx{store: s, leave: sync.OnceFunc(leave)}
	if err := p.try(ctx, true, func() error { return t.begin(ctx) }); err != nil {
		t.leave()
		return nil, s.failed(ctx, nil, false, false, err)
	}
	return t, nil
}

func (t *tx) begin(ctx context.Context) (err error) {
	d := &t.store.dialect
	if t.Tx, err = t.store.db.BeginTx(ctx, nil); err != nil || d.Begun == nil {
		return err
	}
	if err = d.Begun(ctx, t.Tx.Tx); err != nil {
		_ = t.Tx.Rollback()
	}
	return err
}

// Commit implements [txn.Tx].
func (t *tx) Commit(ctx context.Context) error {
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
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.leave()
	return t.Tx.Rollback()
}
