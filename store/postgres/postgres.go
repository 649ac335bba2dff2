// Package postgres is a [roster.Store] on PostgreSQL 13 or later, by the driver
// github.com/jackc/pgx/v5.
//
//	store, err := postgres.Open(ctx, "host=/run/postgresql dbname=app")
//
// It keeps no state in a session, so it works behind a PgBouncer that pools
// transactions: where [Open] finds a pooler on the way it prepares no statements.
// To be sure of that, say default_query_exec_mode=exec in the DSN; to have them
// prepared all the same, by a PgBouncer that knows how (1.21 or later, with
// max_prepared_statements), say cache_statement. [New] leaves it to the handle.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/bunstore"
)

var _ roster.Store = (*Store)(nil)

// Store is a [roster.Store] on PostgreSQL. [Open] and [New] make one. It is safe
// for concurrent use.
type Store struct {
	rows
	core   *bunstore.Store
	server *server
	close  func() error
}

type rows = roster.Store

// The defaults of the pool that Open makes.
const (
	defaultPoolSize = 16
	connectTimeout  = 5 * time.Second
	cancelTimeout   = 90 * time.Millisecond // then the connection is given up
)

// Open connects to the database that the DSN names, as key=value pairs, as a
// URL, or by the variables that libpq knows, and brings its tables up to date.
// Close the Store at the end.
//
// An [roster.UnavailableError] says that the database cannot be used: it does
// not answer, it refuses, its encoding is not UTF8, or its tables were made by a
// later version of this package.
func Open(ctx context.Context, dsn string, opts ...Option) (*Store, error) {
	o, err := options(opts)
	if err != nil {
		return nil, err
	}
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, &bunstore.Error{Text: "postgres: the DSN is malformed", Cause: err}
	}
	srv := newServer(o)
	srv.inTx = c.DefaultQueryExecMode == pgx.QueryExecModeSimpleProtocol
	if !namesMode(dsn) {
		c.DefaultQueryExecMode = pgx.QueryExecModeExec
		if c.StatementCacheCapacity > 0 {
			srv.constant = []any{pgx.QueryExecModeCacheStatement}
		}
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	db, err := srv.connect(ctx, c, o)
	if err != nil {
		return nil, err
	}
	s, err := newStore(db, srv, o)
	if err == nil {
		s.close = sync.OnceValue(func() error { return errors.Join(s.core.Close(), db.Close()) })
		migrate := s.Migrate
		if o.asis {
			migrate = s.CheckTables
		}
		err = migrate(ctx)
	}
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return s, nil
}

// namesMode reports whether the DSN tells the driver how to run statements.
func namesMode(dsn string) bool {
	c, err := pgconn.ParseConfig(dsn)
	return err == nil && c.RuntimeParams["default_query_exec_mode"] != ""
}

// lockTimeout is the setting that bounds how long a statement waits for a lock.
const lockTimeout = "lock_timeout"

// connect opens a pool whose connections bound how long they wait for a lock,
// and asks whether they do. If something on the way does not let them, a pooler
// say, the transactions do, and no statement is prepared but by the DSN's mode:
// the next one may come to another session.
func (srv *server) connect(ctx context.Context, c *pgx.ConnConfig, o *config) (*sql.DB, error) {
	bounded := c.Copy()
	_, named := c.RuntimeParams[lockTimeout]
	if !named {
		bounded.RuntimeParams[lockTimeout] = srv.timeout
	}
	// A statement whose context ends is canceled in the database as well, so
	// that it does not happen after all when a lock becomes free.
	bounded.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelTimeout}
	}
	db := open(bounded, o)
	timeout, err := lockTimeoutOf(ctx, db)
	if e := (*pgconn.PgError)(nil); errors.As(err, &e) && e.Code == "08P01" || err == nil && timeout != srv.timeout && !named {
		_ = db.Close()
		srv.local, srv.inTx, srv.constant = o.BusyTimeout > 0, true, nil
		db = open(c, o)
		_, err = lockTimeoutOf(ctx, db)
	}
	if err != nil {
		_ = db.Close()
		return nil, srv.failed(ctx, err)
	}
	return db, nil
}

func open(c *pgx.ConnConfig, o *config) *sql.DB {
	db := stdlib.OpenDB(*c)
	db.SetMaxOpenConns(o.poolSize)
	db.SetMaxIdleConns(o.poolSize)
	return db
}

// lockTimeoutOf asks a connection, in milliseconds.
func lockTimeoutOf(ctx context.Context, db *sql.DB) (ms string, err error) {
	err = db.QueryRowContext(ctx,
		"SELECT (extract(epoch FROM current_setting('lock_timeout')::interval) * 1000)::bigint::text").Scan(&ms)
	return ms, err
}

// milliseconds writes a timeout. One that is over at once would be none.
func milliseconds(d time.Duration) string {
	if d <= 0 {
		return "0"
	}
	return strconv.FormatInt(max(1, d.Milliseconds()), 10)
}

// New returns a Store on an open handle of the driver
// github.com/jackc/pgx/v5/stdlib, which the caller closes after the Store. It
// asks the database nothing, and makes no tables: see [Store.Migrate].
//
// It knows nothing about the sessions of the handle, so each write is a
// transaction that bounds how long it waits for a lock. The handle needs two
// connections at least if a transaction is to read what is committed.
func New(db *sql.DB, opts ...Option) (*Store, error) {
	o, err := options(opts)
	if err != nil {
		return nil, err
	}
	srv := newServer(o)
	srv.local, srv.inTx = o.BusyTimeout > 0, true
	if _, ok := db.Driver().(*stdlib.Driver); ok {
		srv.planned = []any{pgx.QueryExecModeExec}
	}
	s, err := newStore(db, srv, o)
	if err != nil {
		return nil, err
	}
	s.close = s.core.Close
	return s, nil
}

func newStore(db *sql.DB, srv *server, o *config) (*Store, error) {
	migrations, err := bunstore.Migrations(files, o.Prefix)
	if err != nil {
		return nil, err
	}
	o.Options.Migrations = migrations
	srv.db = db
	core := bunstore.New(db, srv.dialect(), o.Options)
	return &Store{rows: core, core: core, server: srv}, nil
}

// Migrate makes the tables, or brings them up to date, in one transaction. It
// is safe to call from several processes at once: they wait for each other. It
// fails with an [roster.UnavailableError] if the encoding of the database is not
// UTF8, or if the tables were made by a later version of this package.
func (s *Store) Migrate(ctx context.Context) error {
	if err := s.server.checkEncoding(ctx); err != nil {
		return err
	}
	return s.core.Migrate(ctx)
}

// Close ends the Store. It closes the pool if [Open] has opened it. A second
// call does nothing.
func (s *Store) Close() error { return s.close() }
