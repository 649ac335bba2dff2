// Package bunstore is what the SQL stores have in common. Each of them adds a
// [Dialect], its migrations and its ways to open.
package bunstore

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"sync/atomic"
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
	Model *mixin.Type[roster.Model]

	// Group is that of groups. Nil is a plain group.
	Group *mixin.Type[roster.GroupModel]
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
	users      *model[roster.Model]
	groups     *model[roster.GroupModel]
	txns       txn.Runner[*tx]

	own atomic.Pointer[string] // see place

	writer chan struct{} // holds one value while somebody writes; nil if many may
	holder txn.Holder    // of writer

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
	group      groupQueries
	member     memberQueries
	grant      grantQueries
	held       heldQueries
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
	s.txns.Save = s.save
	s.txns.Enter = s.enter
	if o.Model == nil {
		o.Model = mixin.User
	}
	if o.Group == nil {
		o.Group = mixin.Group
	}
	s.users, s.groups = newModel(s.db, &s.dialect, o.Model, "u"), newModel(s.db, &s.dialect, o.Group, "g")
	s.queries = queries{
		user: s.userQueries(), name: s.nameQueries(), email: s.emailQueries(), activation: s.activationQueries(),
		credential: s.credentialQueries(), undo: s.undoQueries(), login: s.loginQueries(), outbox: s.outboxQueries(),
		limit: s.limitQueries(), session: s.sessionQueries(), identity: s.identityQueries(), event: s.eventQueries(),
		search: s.searchQueries(),
		group:  s.groupQueries(), member: s.memberQueries(), grant: s.grantQueries(), held: s.heldQueries(),
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
