package acceptance

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/memory"
	"github.com/go-roster/roster/store/postgres"
	"github.com/go-roster/roster/store/sqlite"
)

// soak says whether the counts are long.
var soak = os.Getenv("ROSTER_SOAK") == "1"

// count is few, or many in a soak.
func count(few, many int) int {
	if soak {
		return many
	}
	return few
}

// kind is one of the stores that every test runs on.
type kind struct {
	name string
	open func(t testing.TB) roster.Store // empty, closed by a cleanup
	sql  bool

	// fewer says that it is slow under the race detector, or differs from the
	// store before it in where it keeps the same rows.
	fewer bool

	// dump returns all that the database keeps, as bytes. Nil if there is none.
	dump func(t testing.TB, s roster.Store) []byte
}

// some scales a short count down for a store that is slow. The seed is another
// one each time, so what one run leaves out the next may try.
func (k kind) some(few, many int) int {
	switch {
	case soak:
		return many
	case !k.sql:
		return few
	case raced && k.fewer:
		return max(1, few/10)
	default:
		return max(1, few/4)
	}
}

// leaveOut says of one of many things whether to leave it out this time: never
// in memory or in a soak, often on a database.
func (k kind) leaveOut(rng *rand.Rand) bool {
	switch {
	case soak || !k.sql:
		return false
	case raced && k.fewer:
		return rng.IntN(8) > 0
	default:
		return rng.IntN(4) > 0
	}
}

// kinds are all the stores.
func kinds() []kind {
	return []kind{
		{name: "memory", open: func(testing.TB) roster.Store { return memory.New() }},
		{name: "sqlite file", sql: true, fewer: true, open: func(t testing.TB) roster.Store {
			return openSQLite(t, filepath.Join(quickDir(t), "accounts.db"))
		}, dump: dumpSQLite},
		{name: "sqlite memory", sql: true, fewer: true, open: func(t testing.TB) roster.Store {
			return openSQLite(t, ":memory:")
		}},
		{name: "postgres C", sql: true, open: func(t testing.TB) roster.Store {
			return openPostgres(t, pgtest.DSN(t, pgtest.C))
		}, dump: dumpPostgres},
		{name: "postgres ICU", sql: true, fewer: true, open: func(t testing.TB) roster.Store {
			return openPostgres(t, pgtest.DSN(t, pgtest.EN))
		}, dump: dumpPostgres},
	}
}

// postgresStore knows where it is.
type postgresStore struct {
	*postgres.Store
	dsn, prefix string
}

func openPostgres(t testing.TB, dsn string, opts ...postgres.Option) *postgresStore {
	t.Helper()
	prefix := pgtest.Prefix(t, dsn)
	// Many tests run side by side, and the server has a limit.
	opts = append([]postgres.Option{postgres.Prefix(prefix), postgres.PoolSize(10)}, opts...)
	s, err := postgres.Open(context.Background(), dsn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &postgresStore{s, dsn, prefix}
}

// dumpPostgres returns every row of every table as text.
func dumpPostgres(t testing.TB, s roster.Store) []byte {
	t.Helper()
	p := s.(*postgresStore)
	db := pgtest.Open(t, p.dsn)
	defer db.Close()
	texts := func(query string) []string {
		t.Helper()
		rows, err := db.QueryContext(context.Background(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var all []string
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				t.Fatal(err)
			}
			all = append(all, text)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return all
	}
	tables := texts("SELECT tablename FROM pg_tables WHERE starts_with(tablename, '" + p.prefix + "')")
	if len(tables) < 6 {
		t.Fatalf("there are only the tables %v", tables)
	}
	var b strings.Builder
	for _, table := range tables {
		for _, row := range texts("SELECT t::text FROM " + table + " t") {
			b.WriteString(row + "\n")
		}
	}
	return []byte(b.String())
}

// quickDir is a directory in memory, if there are such: what is tested here
// needs files but no disk.
func quickDir(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "roster-acceptance-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func openSQLite(t testing.TB, path string, opts ...sqlite.Option) *sqliteStore {
	t.Helper()
	s, err := sqlite.Open(context.Background(), path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &sqliteStore{s, path}
}

// sqliteStore knows its file.
type sqliteStore struct {
	*sqlite.Store
	path string
}

// dumpSQLite returns the bytes of the database file and of those beside it.
func dumpSQLite(t testing.TB, s roster.Store) []byte {
	t.Helper()
	var all []byte
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		b, err := os.ReadFile(s.(*sqliteStore).path + suffix)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	if len(all) < 10_000 {
		t.Fatalf("the database has %d bytes", len(all))
	}
	return all
}

// onEach runs a test on every store, side by side.
func onEach(t *testing.T, run func(t *testing.T, k kind)) {
	t.Helper()
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			run(t, k)
		})
	}
}

// random returns a source of numbers for a test, and prints how to get the same
// ones if the test fails.
func random(t testing.TB) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("ROSTER_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("run it again with ROSTER_SEED=%d", seed)
		}
	})
	h := fnv.New64a()
	_, _ = h.Write([]byte(t.Name()))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// ctxOf is the context of a test, with a deadline that a hang runs into long
// before the whole run does.
func ctxOf(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(count(5, 120))*time.Minute)
	t.Cleanup(cancel)
	return ctx
}
