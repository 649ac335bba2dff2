package postgres_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/postgres"
)

// schema tells every column, index and constraint with the prefix, without it.
func schema(t *testing.T, db *sql.DB, prefix string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' ||
	coalesce(collation_name, '') || ' ' || coalesce(datetime_precision::text, '') || ' ' || is_identity
FROM information_schema.columns WHERE starts_with(table_name, $1)
UNION ALL SELECT indexdef FROM pg_indexes WHERE starts_with(tablename, $1)
UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE starts_with(conname, $1)
ORDER BY 1`, prefix)
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
		all.WriteString(strings.ReplaceAll(text, prefix, "") + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func schemaDB(t *testing.T) (string, *sql.DB) {
	t.Helper()
	dsn := pgtest.DSN(t, pgtest.C)
	db := pgtest.Open(t, dsn)
	t.Cleanup(func() { _ = db.Close() })
	return dsn, db
}

// openedSchema is what Open makes.
func openedSchema(t *testing.T, dsn string, db *sql.DB) string {
	t.Helper()
	prefix := pgtest.Prefix(t, dsn)
	s, err := postgres.Open(t.Context(), dsn, postgres.Prefix(prefix))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return schema(t, db, prefix)
}

// What is printed is what is applied.
func TestMigrationsAreWhatIsApplied(t *testing.T) {
	dsn, db := schemaDB(t)
	prefix := pgtest.Prefix(t, dsn)
	steps, err := postgres.Migrations(postgres.Prefix(prefix))
	if err != nil || len(steps) == 0 {
		t.Fatal(steps, err)
	}
	for i, m := range steps {
		if m.ID != i+1 || m.Name == "" {
			t.Errorf("step %d is %d, %q", i+1, m.ID, m.Name)
		}
		if _, err := db.ExecContext(t.Context(), m.SQL); err != nil {
			t.Fatal(err)
		}
	}
	want := openedSchema(t, dsn, db)
	if got := schema(t, db, prefix); got != want {
		t.Errorf("by hand\n%s\nby Open\n%s", got, want)
	}
	if !strings.Contains(want, "gin_trgm_ops") {
		t.Error("there is no index of trigrams")
	}
	s, err := postgres.Open(t.Context(), dsn, postgres.Prefix(prefix)) // finds nothing to do
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	insertUser(t, s, 1)
}

func TestManyMigrateAtOnce(t *testing.T) {
	dsn, db := schemaDB(t)
	want := openedSchema(t, dsn, db)
	for range 3 {
		prefix := pgtest.Prefix(t, dsn)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				s, err := postgres.Open(t.Context(), dsn, postgres.Prefix(prefix), postgres.PoolSize(2))
				if err != nil {
					t.Error(err)
					return
				}
				_ = s.Close()
			})
		}
		wg.Wait()
		var n int
		if err := db.QueryRow("SELECT count(*) FROM " + prefix + "migrations").Scan(&n); err != nil {
			t.Fatal(err)
		}
		steps, err := postgres.Migrations()
		if err != nil || n != len(steps) || schema(t, db, prefix) != want {
			t.Errorf("%d steps were applied, %v", n, err)
		}
	}
}

// The extension may be where the search path does not lead.
func TestExtensionElsewhere(t *testing.T) {
	dsn := pgtest.Database(t, "ENCODING 'UTF8' LOCALE 'C.UTF-8'")
	db := pgtest.Open(t, dsn)
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), `CREATE SCHEMA "else where"; CREATE EXTENSION pg_trgm SCHEMA "else where"`); err != nil {
		t.Fatal(err)
	}
	s, err := postgres.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !strings.Contains(schema(t, db, "roster_"), "gin_trgm_ops") {
		t.Error("there is no index of trigrams")
	}
	insertUser(t, s, 1)
	if ms, err := s.UserPage(t.Context(), roster.UserQuery{Contains: "nobody", Limit: 3}); err != nil || len(ms) > 0 {
		t.Errorf("%d users, %v", len(ms), err)
	}
}

// Several stores may start at once on a database without the extension.
func TestExtensionRace(t *testing.T) {
	dsn := pgtest.Database(t, "ENCODING 'UTF8' LOCALE 'C.UTF-8'")
	db := pgtest.Open(t, dsn)
	t.Cleanup(func() { _ = db.Close() })
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			s, err := postgres.Open(t.Context(), dsn, postgres.Prefix(fmt.Sprintf("r%d_", i)), postgres.PoolSize(2))
			if err != nil {
				t.Error(err)
				return
			}
			_ = s.Close()
		})
	}
	wg.Wait()
	for i := range 6 {
		if !strings.Contains(schema(t, db, fmt.Sprintf("r%d_", i)), "gin_trgm_ops") {
			t.Errorf("store %d has no index of trigrams", i)
		}
	}
}

// Cut short anywhere, a migration leaves nothing behind, and the next one makes
// the rest.
func TestMigrationCutShort(t *testing.T) {
	dsn, db := schemaDB(t)
	want := openedSchema(t, dsn, db)
	cut := 0
	for i := range 20 {
		prefix := pgtest.Prefix(t, dsn)
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*4*time.Millisecond)
		s, err := postgres.Open(ctx, dsn, postgres.Prefix(prefix))
		cancel()
		if err == nil {
			_ = s.Close()
		} else {
			cut++
		}
		if got := schema(t, db, prefix); err != nil && got != "" && got != want {
			t.Fatalf("left behind:\n%s", got)
		}
		again, err := postgres.Open(t.Context(), dsn, postgres.Prefix(prefix))
		if err != nil {
			t.Fatal(err)
		}
		_ = again.Close()
		if got := schema(t, db, prefix); got != want {
			t.Fatalf("after the second time:\n%s\nwant\n%s", got, want)
		}
	}
	if cut == 0 {
		t.Error("none was cut short")
	}
}

func TestNewerSchema(t *testing.T) {
	dsn, db := schemaDB(t)
	prefix := pgtest.Prefix(t, dsn)
	s, err := postgres.Open(t.Context(), dsn, postgres.Prefix(prefix))
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if _, err := db.Exec("INSERT INTO " + prefix + "migrations (id, name) VALUES (1000, 'later')"); err != nil {
		t.Fatal(err)
	}
	_, err = postgres.Open(t.Context(), dsn, postgres.Prefix(prefix))
	unavailable(t, err, roster.UnavailableDatabase)
	if !strings.Contains(err.Error(), "1000") {
		t.Errorf("the text %q does not tell what is wrong", err)
	}
}

// Before Migrate, the error says what to do.
func TestNotMigrated(t *testing.T) {
	dsn, db := schemaDB(t)
	s, err := postgres.New(db, postgres.Prefix(pgtest.Prefix(t, dsn)))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		only(s.UserByID(t.Context(), 1)), s.RecordLogin(t.Context(), 1, time.Now(), ""),
		s.Atomic(t.Context(), func(ctx context.Context) error { return s.RecordLogin(ctx, 1, time.Now(), "") }),
	} {
		if unavailable(t, err, roster.UnavailableDatabase); !strings.Contains(err.Error(), "Migrate") {
			t.Errorf("the text %q does not tell what to do", err)
		}
	}
}

// Who may not create the extension gets the tables without it, and the search
// works.
func TestWithoutPrivilege(t *testing.T) {
	dsn := pgtest.Database(t, "ENCODING 'UTF8' LOCALE 'C'")
	admin := pgtest.Open(t, dsn)
	defer admin.Close()
	role := "poor" + strings.TrimSuffix(pgtest.Prefix(t, dsn), "_")
	for _, query := range []string{"CREATE ROLE " + role + " LOGIN", "GRANT USAGE, CREATE ON SCHEMA public TO " + role} {
		if _, err := admin.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		db := pgtest.Open(t, dsn)
		defer db.Close()
		if _, err := db.Exec("DROP OWNED BY " + role + "; DROP ROLE " + role); err != nil {
			t.Error(err)
		}
	})
	s, err := postgres.Open(t.Context(), dsn+" user="+role)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if strings.Contains(schema(t, admin, "roster_"), "gin_trgm_ops") {
		t.Fatal("the role may create the extension")
	}
	everyCallWorks(t, s)
}
