package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/storebench"
	"github.com/go-roster/roster/store/sqlite"
)

// subscriber is a host's own type.
type subscriber struct {
	roster.User
	Plan      string    `bun:"plan,notnull,default:'free'"`
	Seats     int32     `bun:"seats,notnull,default:1"`
	PaidUntil time.Time `bun:"paid_until,nullzero"`
	Nick      *string   `bun:"nick"`
}

func benchSubscriber() *subscriber {
	nick := "annie"
	return &subscriber{User: *benchUser(1), Plan: "pro", Seats: 3, PaidUntil: time.Now(), Nick: &nick}
}

// BenchmarkReadOwn reads a user of the host's own type by ID.
func BenchmarkReadOwn(b *testing.B) {
	ctx := b.Context()
	path := filepath.Join(b.TempDir(), "bench.db")
	s := open(b, path, sqlite.Model[subscriber]())
	m := benchSubscriber()
	if err := s.InsertUser(ctx, m, "ann"); err != nil {
		b.Fatal(err)
	}
	stmt, err := raw(b, path).PrepareContext(ctx, "SELECT "+storebench.Columns+", u.plan, u.seats, u.paid_until, u.nick FROM roster_users u WHERE u.id = $1")
	if err != nil {
		b.Fatal(err)
	}
	defer stmt.Close()
	hand := func() error {
		own := new(subscriber)
		u, err := storebench.Scan(stmt.QueryRowContext(ctx, int64(m.ID)), &own.Plan, &own.Seats, storebench.Time{To: &own.PaidUntil}, &own.Nick)
		if err != nil {
			return err
		}
		own.User = *u
		return nil
	}
	compare(b, func() error { return only(s.UserByID(ctx, m.ID)) }, hand)
}
