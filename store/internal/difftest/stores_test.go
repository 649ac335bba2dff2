package difftest

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/memory"
	"github.com/go-roster/roster/store/postgres"
	"github.com/go-roster/roster/store/sqlite"
)

// target is a store that scripts run on.
type target struct {
	name string
	open func(t *testing.T) roster.Store
}

// targets are the stores that are there, for users who are part of an M and groups
// that are part of a G. The first is the one that the others are compared with.
// Postgres is there if there is a server.
func targets[M, G any, P roster.ModelOf[M], Q roster.GroupModelOf[G]](t *testing.T) []target {
	all := []target{
		{"memory", func(*testing.T) roster.Store { return memory.New(memory.Model[M, P](), memory.GroupModel[G, Q]()) }},
		{"sqlite in a file", func(t *testing.T) roster.Store {
			s, err := sqlite.Open(t.Context(), filepath.Join(quickDir(t), "test.db"), sqlite.Model[M, P](), sqlite.GroupModel[G, Q]())
			return opened(t, s, err)
		}},
		{"sqlite in memory", func(t *testing.T) roster.Store {
			s, err := sqlite.Open(t.Context(), ":memory:", sqlite.Model[M, P](), sqlite.GroupModel[G, Q]())
			return opened(t, s, err)
		}},
	}
	if os.Getenv(pgtest.Env) == "" {
		t.Logf("without Postgres: %s is not set", pgtest.Env)
		return all
	}
	for _, locale := range []string{pgtest.C, pgtest.EN} {
		all = append(all, target{"postgres with the locale " + locale, func(t *testing.T) roster.Store {
			dsn := pgtest.DSN(t, locale)
			s, err := postgres.Open(t.Context(), dsn, postgres.Prefix(pgtest.Prefix(t, dsn)), postgres.Model[M, P](), postgres.GroupModel[G, Q]())
			return opened(t, s, err)
		}})
	}
	return all
}

// quickDir is a directory in memory, if there are such: what is compared here
// needs a file but no disk.
func quickDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "roster-difftest-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// opened closes the store at the end of the test.
func opened[S interface {
	roster.Store
	io.Closer
}](t *testing.T, s S, err error) roster.Store {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}
