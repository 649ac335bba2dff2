// Package sqlite is a [roster.Store] in a file, or for as long as a program
// runs in no file, by SQLite compiled to Go: there is nothing to install.
//
//	store, err := sqlite.Open(ctx, "app.db")
//
// Any number of readers work beside one writer, and any number of processes may
// share a file. The writers of a process wait for each other in order, those of
// several processes as SQLite lets them. What Open sets up, every commit is on
// the disk when it returns.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"modernc.org/sqlite"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/bunstore"
)

var _ roster.Store = (*Store)(nil)

// Store is a [roster.Store] on SQLite. [Open] and [New] make one. It is safe for
// concurrent use.
type Store struct {
	rows
	core  *bunstore.Store
	db    *sql.DB
	close func() error
}

type rows = roster.Store

// Open opens the database in a file, makes it, for its owner alone to read, if
// there is none, and brings its tables up to date (see [NoMigrate]). Close it at the end.
//
// The path ":memory:" is a new and empty database of this Store alone, which is
// gone with Close. It is kept in a file of the directory for temporary files:
// only so several connections can share it and readers see the last committed
// state.
//
// An [roster.UnavailableError] says that the file cannot be used: it is no
// database, it is broken, its directory is missing, it cannot be written to, or
// its tables were made by a later version of this package.
func Open(ctx context.Context, path string, opts ...Option) (*Store, error) {
	o, err := options(opts)
	if err != nil {
		return nil, err
	}
	remove := func() error { return nil }
	durable := true
	switch path {
	case "":
		return nil, errors.New("sqlite: the path is empty")
	case ":memory:":
		dir, err := os.MkdirTemp("", "roster-")
		if err != nil {
			return nil, unavailable("no temporary directory", err)
		}
		path, durable = filepath.Join(dir, "memory.db"), false
		remove = func() error { return os.RemoveAll(dir) }
	}
	s, err := open(ctx, path, durable, o)
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	db := s.close
	s.close = sync.OnceValue(func() error { return errors.Join(db(), remove()) })
	return s, nil
}

func open(ctx context.Context, path string, durable bool, o *config) (*Store, error) {
	uri, err := uri(path, durable, o.asis)
	if err != nil {
		return nil, err
	}
	if err := usable(path, o.asis); err != nil {
		return nil, err
	}
	// It holds password hashes: a new file is for its owner alone. If it cannot be
	// made, or is there, SQLite tells what is to be told.
	if !o.asis {
		if f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
			_ = f.Close()
		}
	}
	connector, err := sqlite.NewConnector(uri)
	if err != nil {
		return nil, unavailable("the path cannot be used", err)
	}
	db := sql.OpenDB(connector)
	conns := max(4, runtime.GOMAXPROCS(0)+1)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	s, err := newStore(db, true, o)
	if err == nil {
		s.close = func() error { return errors.Join(s.core.Close(), db.Close()) }
		migrate := s.Migrate
		if o.asis {
			migrate = s.CheckTables
		}
		err = migrate(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// usable tells what SQLite says of all paths in the same words.
func usable(path string, there bool) error {
	if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
		return unavailable("the directory that the file is to be in does not exist", err)
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return unavailable("the path is that of a directory, and not of a file", nil)
	case there && errors.Is(err, fs.ErrNotExist):
		return unavailable("there is no such file", err)
	}
	return nil
}

// New returns a Store on an open handle of the driver modernc.org/sqlite, which
// the caller closes after the Store. It asks the database nothing, and makes no
// tables: see [Store.Migrate].
//
// Every connection of the handle must enforce foreign keys, so the handle is to
// be opened with _pragma=foreign_keys(1). It should be opened with
// _txlock=immediate, _pragma=journal_mode(WAL) and a small
// _pragma=busy_timeout(100): the rest of the time the Store waits itself, so
// that it can stop when a context ends. It needs two connections at least if a
// transaction is to read what is committed.
func New(db *sql.DB, opts ...Option) (*Store, error) {
	o, err := options(opts)
	if err != nil {
		return nil, err
	}
	s, err := newStore(db, false, o)
	if err != nil {
		return nil, err
	}
	s.close = s.core.Close
	return s, nil
}

func newStore(db *sql.DB, opened bool, o *config) (*Store, error) {
	migrations, err := bunstore.Migrations(files, o.Prefix)
	if err != nil {
		return nil, err
	}
	o.Options.Migrations = migrations
	core := bunstore.New(db, dialect(o.Prefix, opened), o.Options)
	return &Store{rows: core, core: core, db: db}, nil
}

// Migrate makes the tables, or brings them up to date, in one transaction. It
// is safe to call from several processes at once. It fails with an
// [roster.UnavailableError] if the handle cannot be used, which its text says
// why, or if the tables were made by a later version of this package.
func (s *Store) Migrate(ctx context.Context) error { return s.core.Migrate(ctx) }

// Close ends the Store. It closes the database if [Open] has opened it. A
// second call does nothing.
func (s *Store) Close() error { return s.close() }

// unavailable says in its text what cannot be used, and keeps the cause, which
// may hold a path, for errors.As.
func unavailable(what string, cause error) error {
	return &bunstore.Error{
		Text:  "sqlite: " + what,
		Cause: &roster.UnavailableError{What: roster.UnavailableDatabase, Cause: cause},
	}
}
