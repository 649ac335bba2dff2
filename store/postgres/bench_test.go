package postgres_test

import (
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/internal/storebench"
	"github.com/go-roster/roster/store/postgres"
)

var (
	compare       = storebench.Compare
	median        = storebench.Median
	benchUser     = storebench.User
	registerBench = storebench.Register
)

func only[T any](_ T, err error) error { return err }

// written is a time as a database has it.
func written(t time.Time) any { return t }

// place is a store without users, and a handle for the other side.
func place(b *testing.B) *storebench.Place {
	b.Helper()
	dsn := pgtest.DSN(b, pgtest.C)
	prefix := pgtest.Prefix(b, dsn)
	db := pgtest.Open(b, dsn)
	b.Cleanup(func() { _ = db.Close() })
	s := open(b, dsn, postgres.Prefix(prefix))
	return &storebench.Place{Store: s, DB: db, Prefix: prefix, Written: written, Returning: true}
}

// bench is a place with a thousand users.
func bench(b *testing.B) *storebench.Place {
	b.Helper()
	p := place(b)
	p.Fill(b)
	if _, err := p.DB.Exec("ANALYZE"); err != nil {
		b.Fatal(err)
	}
	return p
}

func BenchmarkRead(b *testing.B) { storebench.Reads(b, bench(b)) }

func BenchmarkSession(b *testing.B) { storebench.Session(b, bench(b)) }

func BenchmarkRegister(b *testing.B) { storebench.Registers(b, bench(b)) }

// BenchmarkRecordLogin is a write of one row without a transaction.
func BenchmarkRecordLogin(b *testing.B) {
	x := bench(b)
	stmt, err := x.DB.PrepareContext(b.Context(), "UPDATE "+x.Prefix+"users SET last_login_at = $2, last_login_ip = $3 WHERE id = $1")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = stmt.Close() })
	now := time.Now().UTC()
	made, err := postgres.New(x.DB, postgres.Prefix(x.Prefix))
	if err != nil {
		b.Fatal(err)
	}
	for name, s := range map[string]roster.Store{"Open": x.Store, "New": made} {
		b.Run(name, func(b *testing.B) {
			compare(b, func() error { return s.RecordLogin(b.Context(), x.Last.ID, now, "192.0.2.9") }, func() error {
				_, err := stmt.ExecContext(b.Context(), int64(x.Last.ID), now, "192.0.2.9")
				return err
			})
		})
	}
}

// BenchmarkOpen makes the tables, with a first user.
func BenchmarkOpen(b *testing.B) {
	dsn := pgtest.DSN(b, pgtest.C)
	b.ReportMetric(median(b, func() error {
		s, err := postgres.Open(b.Context(), dsn, postgres.Prefix(pgtest.Prefix(b, dsn)))
		if err != nil {
			return err
		}
		if err := s.InsertUser(b.Context(), benchUser(1), "ann"); err != nil {
			return err
		}
		return s.Close()
	}), "ms/median")
}
