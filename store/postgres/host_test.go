package postgres_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"

	"github.com/go-roster/roster/internal/hosttest"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/postgres"
)

func TestHost(t *testing.T) {
	empty := emptied(t)
	hosttest.Run(t, func(t testing.TB, prefixes ...string) []*hosttest.Place {
		return places(t, empty(t), prefixes...)
	})
}

// emptied returns a function that returns the DSN of an empty database, another
// one with each call in a test. They are used again by the tests after.
func emptied(t *testing.T) func(t testing.TB) string {
	var mu sync.Mutex
	var all []string
	calls := map[testing.TB]int{}
	return func(inner testing.TB) string {
		inner.Helper()
		mu.Lock()
		defer mu.Unlock()
		n := calls[inner]
		calls[inner]++
		if n == len(all) {
			all = append(all, pgtest.Database(t, ""))
		}
		db := handle(inner, all[n])
		for _, query := range []string{
			"DROP SCHEMA public CASCADE", "CREATE SCHEMA public",
			// so that it is found sooner
			"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = 100', current_database()); END $$",
		} {
			if _, err := db.ExecContext(context.WithoutCancel(inner.Context()), query); err != nil {
				inner.Fatal(err)
			}
		}
		return all[n]
	}
}

// handle is one of the host.
func handle(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// places are stores in one database, and beside each a handle of the host, to
// which the DSN leads.
func places(t testing.TB, dsn string, prefixes ...string) []*hosttest.Place {
	t.Helper()
	all := make([]*hosttest.Place, len(prefixes))
	for i, prefix := range prefixes {
		patient := func(d time.Duration) hosttest.Store {
			s, err := postgres.Open(t.Context(), dsn, postgres.Prefix(prefix), postgres.BusyTimeout(d))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return s
		}
		all[i] = &hosttest.Place{
			Store: patient(hosttest.Patience), Hasty: patient(hosttest.Busy), DB: handle(t, dsn),
			Users: prefix + "users", Serial: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
		}
	}
	return all
}

func BenchmarkHost(b *testing.B) {
	hosttest.Bench(b, places(b, pgtest.Database(b, ""), "roster_")[0], written, compare)
}
