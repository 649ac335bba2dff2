package dbtest_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/rostertest/dbtest"
	"github.com/go-roster/roster/store/memory"
	"github.com/go-roster/roster/store/postgres"
	"github.com/go-roster/roster/store/sqlite"
)

// alone runs two tests at once, whose users would be in each other's way.
func alone(t *testing.T, of func(roster.Store) bool) {
	t.Helper()
	t.Run("tests", func(t *testing.T) {
		for _, name := range []string{"one", "two"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				store := dbtest.Store(t)
				if !of(store) {
					t.Fatalf("the store is a %T", store)
				}
				env := rostertest.NewOn(t, store)
				for range 3 {
					env.MustUser(t)
				}
				ann := env.MustUser(t, func(u *roster.User) { u.Name = "ann" })
				if ann.ID != 4 {
					t.Errorf("ann is user %d of a new database, want 4", ann.ID)
				}
				if _, err := env.Authenticate(t.Context(), "ann", rostertest.Password); err != nil {
					t.Error(err)
				}
				if problems, err := env.Check(t.Context()); err != nil || len(problems) > 0 {
					t.Error(problems, err)
				}
			})
		}
	})
}

func TestMemory(t *testing.T) {
	t.Setenv(dbtest.EnvPostgres, "")
	t.Setenv(dbtest.EnvSQLite, "")
	alone(t, func(s roster.Store) bool { _, ok := s.(*memory.Store); return ok })
}

// While tests run each has a directory of its own, and nothing is left of it.
func TestSQLite(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(dbtest.EnvPostgres, "")
	t.Setenv(dbtest.EnvSQLite, dir)
	alone(t, func(s roster.Store) bool {
		files, _ := filepath.Glob(filepath.Join(dir, "roster_test_*", "test.db"))
		_, ok := s.(*sqlite.Store)
		return ok && len(files) > 0
	})
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestPostgres(t *testing.T) {
	server := pgtest.Server(t)
	t.Setenv(dbtest.EnvSQLite, "")
	alone(t, func(s roster.Store) bool { _, ok := s.(*postgres.Store); return ok })

	var dsn string
	t.Run("database", func(t *testing.T) {
		dsn = dbtest.Postgres(t)
		left := pgtest.Open(t, dsn) // and does not close it
		if err := left.PingContext(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	db := pgtest.Open(t, server)
	defer db.Close()
	if err := gone(t, db, dsn); err != nil {
		t.Error(err)
	}
}

// gone looks for the database of a DSN.
func gone(t *testing.T, db *sql.DB, dsn string) error {
	t.Helper()
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := c.Database
	if !strings.HasPrefix(name, "roster_test_") {
		t.Fatalf("the database is called %q", name)
	}
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_database WHERE datname = $1", name).Scan(&n); err != nil {
		return err
	}
	if n != 0 {
		t.Errorf("the database %s is left", name)
	}
	return nil
}

// A host's own type comes back on whatever store it is.
func TestStoreOf(t *testing.T) {
	type subscriber struct {
		roster.User
		Plan string `bun:"plan,notnull,default:'free'"`
	}
	env := rostertest.NewOn(t, dbtest.StoreOf[subscriber](t))
	if err := env.Create(t.Context(), &subscriber{User: roster.User{Name: "ann"}, Plan: "pro"}); err != nil {
		t.Fatal(err)
	}
	u, err := env.ByName(t.Context(), "ann")
	if m, ok := roster.As[*subscriber](u); err != nil || !ok || m.Plan != "pro" {
		t.Errorf("%+v, %v", m, err)
	}
}
