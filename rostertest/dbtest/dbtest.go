// Package dbtest gives each test a database of its own, where the environment
// names one: so the same tests run in memory on the desk, and on the database of
// production before a release.
//
//	env := rostertest.NewOn(t, dbtest.Store(t))
//
// It is apart from package rostertest because it compiles SQLite and the driver
// of PostgreSQL.
package dbtest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/memory"
	"github.com/go-roster/roster/store/postgres"
	"github.com/go-roster/roster/store/sqlite"
)

// The environment variables that name a database.
const (
	// EnvPostgres has the DSN of a role that may create databases, on a server
	// that is there for tests.
	EnvPostgres = pgtest.Env

	// EnvSQLite has a directory for database files: /tmp, or /dev/shm where the
	// disk is slow.
	EnvSQLite = "ROSTER_TEST_SQLITE"
)

// Store returns an empty store that nobody else uses: on a new database of
// [EnvPostgres] or in a new file in [EnvSQLite] if one of them is set, else in
// memory. At the end of the test it is closed and removed; only a process that is
// killed leaves it behind, under a name that begins with roster_test_. It fails the
// test if both are set, or if the database cannot be made. Any number of tests may
// call it at once.
func Store(t testing.TB) roster.Store {
	t.Helper()
	return StoreOf[roster.User](t)
}

// StoreOf is [Store] for a host's own type of users, see [roster.Model].
func StoreOf[M any, P roster.ModelOf[M]](t testing.TB) roster.Store {
	t.Helper()
	dir := os.Getenv(EnvSQLite)
	switch {
	case os.Getenv(EnvPostgres) != "" && dir != "":
		t.Fatalf("dbtest: both %s and %s are set: which one is it to be?", EnvPostgres, EnvSQLite)
	case os.Getenv(EnvPostgres) != "":
		s, err := postgres.Open(context.Background(), Postgres(t), postgres.PoolSize(poolSize), postgres.Model[M, P]())
		return opened(t, s, err)
	case dir != "":
		dir, err := os.MkdirTemp(dir, "roster_test_")
		if err != nil {
			t.Fatalf("dbtest: %s: %v", EnvSQLite, err)
		}
		t.Cleanup(func() {
			if err := os.RemoveAll(dir); err != nil {
				t.Errorf("dbtest: %v", err)
			}
		})
		s, err := sqlite.Open(context.Background(), filepath.Join(dir, "test.db"), sqlite.Model[M, P]())
		return opened(t, s, err)
	}
	return memory.New(memory.Model[M, P]())
}

// poolSize is for many tests at once: a server has 100 connections by default.
const poolSize = 4

// opened closes a store at the end of the test.
func opened[S interface {
	roster.Store
	Close() error
}](t testing.TB, s S, err error,
) roster.Store {
	t.Helper()
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("dbtest: %v", err)
		}
	})
	return s
}

// Postgres returns the DSN of a new and empty database on the server of
// [EnvPostgres], which is dropped at the end of the test, whoever is connected to
// it. It skips the test if there is no server. It is for a test that opens the store
// with options of its own, or that needs more than the store. SQLite needs nothing
// like it: a file in t.TempDir() will do.
func Postgres(t testing.TB) string {
	t.Helper()
	return pgtest.Database(t, "ENCODING 'UTF8'")
}
