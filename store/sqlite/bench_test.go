package sqlite_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-roster/roster/internal/storebench"
	"github.com/go-roster/roster/store/sqlite"
)

var (
	compare   = storebench.Compare
	median    = storebench.Median
	benchUser = storebench.User
)

func only[T any](_ T, err error) error { return err }

// written is a time as a database has it.
func written(t time.Time) any { return t.Format("2006-01-02 15:04:05.999999-07:00") }

// bench is a store in a file with a thousand users.
func bench(b *testing.B) *storebench.Place {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bench.db")
	p := &storebench.Place{Store: open(b, path), DB: raw(b, path), Prefix: "roster_", Written: written}
	p.Fill(b)
	return p
}

// raw is a handle without a store.
func raw(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)&_pragma=synchronous(FULL)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func BenchmarkRead(b *testing.B) { storebench.Reads(b, bench(b)) }

func BenchmarkSession(b *testing.B) { storebench.Session(b, bench(b)) }

func BenchmarkRegister(b *testing.B) { storebench.Registers(b, bench(b)) }

// BenchmarkOpen makes a database, with a first user.
func BenchmarkOpen(b *testing.B) {
	for name, path := range map[string]func(int) string{
		"file":   func(i int) string { return filepath.Join(b.TempDir(), fmt.Sprint(i, ".db")) },
		"memory": func(int) string { return ":memory:" },
	} {
		b.Run(name, func(b *testing.B) {
			i := 0
			b.ReportMetric(median(b, func() error {
				i++
				s, err := sqlite.Open(b.Context(), path(i))
				if err != nil {
					return err
				}
				if err := s.InsertUser(b.Context(), benchUser(1), "ann"); err != nil {
					return err
				}
				return s.Close()
			}), "ms/median")
		})
	}
}
