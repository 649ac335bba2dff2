package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/hosttest"
	"github.com/go-roster/roster/store/sqlite"
	"github.com/go-roster/roster/store/storetest"
)

// Every promise of a store is kept in transactions of the host.
func TestJoinedStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) roster.Store {
		path := filepath.Join(t.TempDir(), "test.db")
		return hosttest.Joining(open(t, path), deferred(t, path, "&_txlock=immediate"))
	})
}

// deferred is a handle whose transactions begin without a lock, if more does not
// say otherwise.
func deferred(t *testing.T, path, more string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=foreign_keys(1)&_pragma=busy_timeout(100)"+more)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// A transaction that did not begin as a writer becomes one with the first verb. If
// others have written since it began to read, it never can: the host is told to
// begin again.
func TestJoinDeferred(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	s := open(t, path)
	users, err := roster.New(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	db := deferred(t, path, "")
	work := func(before func(tx *sql.Tx)) error {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback() }()
		before(tx)
		joined, done, err := s.Join(t.Context(), tx)
		if err != nil {
			t.Fatal(err)
		}
		if err := users.Create(joined, &roster.User{Name: "ann"}); err != nil {
			return err
		}
		return done(tx.Commit())
	}
	read := func(tx *sql.Tx) {
		if err := tx.QueryRowContext(t.Context(), "SELECT count(*) FROM roster_users").Scan(new(int)); err != nil {
			t.Fatal(err)
		}
	}
	err = work(func(tx *sql.Tx) {
		read(tx)
		if err := users.Create(t.Context(), &roster.User{Name: "ben"}); err != nil {
			t.Fatal(err)
		}
	})
	var un *roster.UnavailableError
	if !errors.As(err, &un) || un.What != roster.UnavailableBusy {
		t.Errorf("after others have written: %v, want an UnavailableError of %q", err, roster.UnavailableBusy)
	}
	if err := work(read); err != nil {
		t.Errorf("again: %v", err)
	}
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// From its beginning on an Atomic is the writer: what it has read stays true.
	impatient := open(t, path, sqlite.BusyTimeout(hosttest.Busy))
	tx, err := db.BeginTx(t.Context(), nil)
	ok(err)
	defer func() { _ = tx.Rollback() }()
	joined, done, err := s.Join(t.Context(), tx)
	ok(err)
	ok(s.Atomic(joined, func(ctx context.Context) error {
		if _, err := s.UserByName(ctx, "ann"); err != nil {
			return err
		}
		if err := impatient.InsertUser(t.Context(), benchUser(1), ""); !errors.As(err, &un) {
			t.Errorf("another writer: %v, want an UnavailableError", err)
		}
		return s.InsertUser(ctx, benchUser(2), "")
	}))
	ok(done(tx.Commit()))
	if err := work(func(*sql.Tx) {}); !errors.Is(err, roster.ErrConflict) {
		t.Errorf("the same name: %v, want a conflict", err)
	}
}

// A host whose handle has one connection can have a transaction joined.
func TestJoinOnlyConnection(t *testing.T) {
	path := openedSchema(t)
	db := raw(t, path)
	db.SetMaxOpenConns(1)
	s, err := sqlite.New(db)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // else it waits for good
	defer cancel()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	joined, done, err := s.Join(ctx, tx)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.InsertUser(joined, benchUser(1), ""); err != nil {
		t.Fatal(err)
	}
	if err := done(tx.Commit()); err != nil {
		t.Fatal(err)
	}
	if n, err := s.CountUsers(ctx, roster.UserQuery{State: roster.StateLive}); err != nil || n != 1 {
		t.Errorf("%d users, %v", n, err)
	}
}

// The connection of a host that does not enforce foreign keys is refused, and so
// are a database in memory and another file.
func TestJoinRefuses(t *testing.T) {
	path := openedSchema(t)
	s := open(t, path)
	for what, dsn := range map[string]string{
		"no foreign keys": "file:" + path,
		"in memory":       "file::memory:?_pragma=foreign_keys(1)",
		"another file":    "file:" + openedSchema(t) + "?_pragma=foreign_keys(1)",
	} {
		db, err := sql.Open("sqlite", dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Join(t.Context(), tx); err == nil {
			t.Errorf("%s: joined", what)
		}
		_ = tx.Rollback()
	}
}
