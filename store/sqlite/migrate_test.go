package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/hosttest"
	"github.com/go-roster/roster/store/sqlite"
)

// schema is the SQL of everything in a database, but what SQLite adds.
func schema(t *testing.T, path string) string {
	t.Helper()
	rows, err := raw(t, path).QueryContext(t.Context(),
		"SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type, name")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all strings.Builder
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all.WriteString(text + ";\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// openedSchema is the path of a database that Open has made.
func openedSchema(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "opened.db")
	open(t, path)
	return path
}

// What is printed is what is applied.
func TestMigrationsAreWhatIsApplied(t *testing.T) {
	steps, err := sqlite.Migrations()
	if err != nil || len(steps) == 0 {
		t.Fatal(steps, err)
	}
	path := filepath.Join(t.TempDir(), "by-hand.db")
	db := raw(t, path)
	for i, m := range steps {
		if m.ID != i+1 || m.Name == "" {
			t.Errorf("step %d is %d, %q", i+1, m.ID, m.Name)
		}
		if _, err := db.ExecContext(t.Context(), m.SQL); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := schema(t, path), schema(t, openedSchema(t)); got != want {
		t.Errorf("by hand\n%s\nby Open\n%s", got, want)
	}
	insert(t, open(t, path), 1) // finds nothing to do
}

// What is printed for other tools leads to tables that Open takes as they are.
func TestPrintedMigrations(t *testing.T) {
	all, err := sqlite.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	steps := make([]hosttest.Step, len(all))
	for i, m := range all {
		steps[i] = hosttest.Step{ID: m.ID, SQL: m.SQL, Goose: m.Goose(), Atlas: m.Atlas()}
	}
	hosttest.Printed(t, steps, func(t testing.TB) (*sql.DB, func() (roster.Store, error)) {
		path := filepath.Join(t.TempDir(), "printed.db")
		if s, err := sqlite.Open(t.Context(), path, sqlite.NoMigrate()); err == nil || s != nil {
			t.Error("a file that is not there was opened")
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("NoMigrate has made a file (%v)", err)
		}
		db := raw(t, path)
		if err := db.Ping(); err != nil {
			t.Fatal(err)
		}
		return db, func() (roster.Store, error) {
			s, err := sqlite.Open(t.Context(), path, sqlite.NoMigrate())
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { _ = s.Close() })
			return s, nil
		}
	})
}

// CheckTables says what Migrate would.
func TestCheckTables(t *testing.T) {
	path := openedSchema(t)
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, err := sqlite.New(db)
	if err != nil {
		t.Fatal(err)
	}
	err = s.CheckTables(t.Context())
	unavailable(t, err, roster.UnavailableDatabase, path)
	if !strings.Contains(err.Error(), "foreign_keys") {
		t.Errorf("%v, want it to tell of foreign keys", err)
	}
	if s, err = sqlite.New(raw(t, path)); err != nil {
		t.Fatal(err)
	}
	if err := s.CheckTables(t.Context()); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.CheckTables(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
	type member struct {
		roster.User
		Plan string `bun:"plan,notnull,default:'free'"`
	}
	if s, err = sqlite.New(raw(t, path), sqlite.Model[member]()); err != nil {
		t.Fatal(err)
	}
	if err := s.CheckTables(t.Context()); err == nil || !strings.Contains(err.Error(), "ALTER TABLE") {
		t.Errorf("%v, want the SQL that makes the columns", err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.CheckTables(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMigrateTwice(t *testing.T) {
	path := openedSchema(t)
	steps := func() (n int) {
		if err := raw(t, path).QueryRow("SELECT count(*) FROM roster_migrations").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before, n := schema(t, path), steps()
	s := open(t, path)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if schema(t, path) != before || steps() != n {
		t.Error("the second time changed something")
	}
}

func TestNewerSchema(t *testing.T) {
	path := openedSchema(t)
	if _, err := raw(t, path).Exec("INSERT INTO roster_migrations (id, name) VALUES (1000, 'later')"); err != nil {
		t.Fatal(err)
	}
	before := schema(t, path)
	s, err := sqlite.Open(t.Context(), path)
	if s != nil {
		t.Error("a store beside the error")
	}
	unavailable(t, err, roster.UnavailableDatabase, path)
	if !strings.Contains(err.Error(), "1000") {
		t.Errorf("the text %q does not tell what is wrong", err)
	}
	if schema(t, path) != before {
		t.Error("the schema was changed")
	}
}

// A migration that fails leaves nothing behind.
func TestMigrateFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	db := raw(t, path)
	if _, err := db.Exec("CREATE TABLE roster_credentials (x)"); err != nil { // the last one is in the way
		t.Fatal(err)
	}
	before := schema(t, path)
	if _, err := sqlite.Open(t.Context(), path); err == nil {
		t.Error("Open succeeded")
	}
	if got := schema(t, path); got != before {
		t.Errorf("left behind: %s", got)
	}
	if _, err := db.Exec("DROP TABLE roster_credentials"); err != nil {
		t.Fatal(err)
	}
	insert(t, open(t, path), 1)
}

func TestManyMigrateAtOnce(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "app.db")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				s, err := sqlite.Open(context.Background(), path)
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

// Two prefixes are two stores in one file, whatever is in it besides.
func TestPrefix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	if _, err := raw(t, path).Exec("CREATE TABLE users (x); INSERT INTO users VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	a, b := open(t, path, sqlite.Prefix("a_")), open(t, path, sqlite.Prefix(strings.Repeat("b", 31)+"_"))
	insert(t, a, 1)
	insert(t, b, 1)
	err := a.InsertUser(t.Context(), benchUser(1), "")
	if c := new(roster.ConflictError); !asConflict(err, c) || c.Field != roster.FieldName {
		t.Errorf("%v, want a conflict of the name", err)
	}
	insert(t, a, 2)
	for s, want := range map[*sqlite.Store]int{a: 2, b: 1} {
		if n, err := s.CountUsers(t.Context(), roster.UserQuery{}); err != nil || n != want {
			t.Errorf("%d, %v: want %d", n, err, want)
		}
	}
	for _, line := range strings.Split(schema(t, path), "\n") {
		if strings.Contains(line, "roster_") {
			t.Errorf("without the prefix: %s", line)
		}
	}
}
