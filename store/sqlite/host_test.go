package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/go-roster/roster/internal/hosttest"
	"github.com/go-roster/roster/store/sqlite"
)

func TestHost(t *testing.T) {
	hosttest.Run(t, func(t testing.TB, prefixes ...string) []*hosttest.Place {
		path := filepath.Join(t.TempDir(), "app.db")
		places := make([]*hosttest.Place, len(prefixes))
		for i, prefix := range prefixes {
			places[i] = &hosttest.Place{
				Store: open(t, path, sqlite.Prefix(prefix), sqlite.BusyTimeout(hosttest.Patience)),
				Hasty: open(t, path, sqlite.Prefix(prefix), sqlite.BusyTimeout(hosttest.Busy)),
				DB:    raw(t, path), Users: prefix + "users", Serial: "INTEGER PRIMARY KEY",
			}
		}
		return places
	})
}

func BenchmarkHost(b *testing.B) {
	path := filepath.Join(b.TempDir(), "bench.db")
	hosttest.Bench(b, &hosttest.Place{
		Store: open(b, path), DB: raw(b, path), Users: "roster_users", Serial: "INTEGER PRIMARY KEY",
	}, written, compare)
}
