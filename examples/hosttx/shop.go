package main

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"sync/atomic"

	"github.com/uptrace/bun"
	_ "modernc.org/sqlite" // the driver of the handle

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/sqlite"
)

// Shop has tables of its own beside those of roster, on one handle.
type Shop struct {
	Users *roster.Users

	db       *sql.DB
	store    *sqlite.Store
	welcomed atomic.Int64
}

// Customer is a row of the shop. It goes with its user.
type Customer struct {
	bun.BaseModel `bun:"table:customers"`

	UserID roster.UserID `bun:"user_id,pk"`
	Plan   string        `bun:"plan"`
}

// The tables of the shop. Those of roster are there before.
const schema = `
CREATE TABLE IF NOT EXISTS customers (
	user_id INTEGER PRIMARY KEY REFERENCES roster_users (id) ON DELETE CASCADE,
	plan    TEXT NOT NULL CHECK (plan IN ('free', 'pro'))
) STRICT;

CREATE TABLE IF NOT EXISTS invoices (
	id      INTEGER PRIMARY KEY,
	user_id INTEGER NOT NULL REFERENCES roster_users (id) ON DELETE RESTRICT,
	cents   INTEGER NOT NULL CHECK (cents > 0)
) STRICT;

CREATE INDEX IF NOT EXISTS invoices_user ON invoices (user_id);
`

// Open opens the shop in a file. Close it at the end.
func Open(ctx context.Context, path string) (*Shop, error) {
	dsn := url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"foreign_keys(1)", "journal_mode(WAL)", "busy_timeout(5000)"},
	}.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	shop, err := open(ctx, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return shop, nil
}

func open(ctx context.Context, db *sql.DB) (*Shop, error) {
	store, err := sqlite.New(db)
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, err
	}
	users, err := roster.New(store, nil)
	if err != nil {
		return nil, err
	}
	return &Shop{Users: users, db: db, store: store}, nil
}

// Close closes the shop. A second call does nothing.
func (s *Shop) Close() error { return errors.Join(s.store.Close(), s.db.Close()) }

// SignUp makes a user and its customer in a transaction of roster, in which the
// shop writes as well.
func (s *Shop) SignUp(ctx context.Context, name, email, plan string) (user *roster.User, err error) {
	err = s.Users.Atomic(ctx, func(ctx context.Context) error {
		user, err = s.Users.Register(ctx, roster.NewUser{Name: name, Email: email, Password: "correct horse battery"})
		if err != nil {
			return err
		}
		_, err = s.store.DB(ctx).NewInsert().Model(&Customer{UserID: user.ID, Plan: plan}).Exec(ctx)
		s.welcome(ctx)
		return err
	})
	return user, err
}

// Buy writes an invoice in a transaction of the shop, in which roster works as
// well: it makes the user if there is none of that name.
func (s *Shop) Buy(ctx context.Context, name, email string, cents int) (user *roster.User, err error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // nothing is left to roll back after a commit
	joined, done, err := s.store.Join(ctx, tx)
	if err != nil {
		return nil, err
	}

	user, err = s.Users.Register(joined, roster.NewUser{Name: name, Email: email, Password: "correct horse battery"})
	switch {
	case err == nil:
		s.welcome(joined)
	case errors.Is(err, roster.ErrConflict): // what Register did is undone, and the transaction goes on
		if user, err = s.Users.ByName(joined, name); err != nil {
			return nil, err
		}
	default:
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO invoices (user_id, cents) VALUES (?, ?)", int64(user.ID), cents); err != nil {
		return nil, err
	}
	return user, done(tx.Commit())
}

// welcome waits for the commit, whoever does it.
func (s *Shop) welcome(ctx context.Context) {
	roster.AfterCommit(ctx, func(context.Context) { s.welcomed.Add(1) })
}

// Welcomed is how many people were welcomed.
func (s *Shop) Welcomed() int { return int(s.welcomed.Load()) }

// Counts are how many rows there are.
type Counts struct{ Users, Customers, Invoices int }

// Count counts.
func (s *Shop) Count(ctx context.Context) (n Counts, err error) {
	if n.Users, err = s.Users.Count(ctx, roster.Query{State: roster.StateLive}); err != nil {
		return n, err
	}
	err = s.db.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM invoices)").
		Scan(&n.Customers, &n.Invoices)
	return n, err
}
