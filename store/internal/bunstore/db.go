package bunstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/go-roster/roster"
)

var _ bun.IDB = DB{}

// SQL runs statements of the host: in the transaction of the store that their
// context is in, else in the one that it was made for, else alone. A statement
// that fails dooms the transaction as one of the store does, unless the host has
// begun it. It cannot end a transaction.
type SQL struct {
	store *Store
	bind  func(ctx context.Context) context.Context
}

// SQL returns what runs statements of the host in the transaction in ctx.
func (s *Store) SQL(ctx context.Context) SQL { return SQL{s, s.txns.Binder(ctx)} }

// host runs fn, which is the query as one statement of the host, and says in its error that
// the transaction is over or aborted as the store does. Every other error is that
// of the driver.
func (s *Store) host(ctx context.Context, query string, writes bool, fn func(conn) error) error {
	t, inside, err := s.txns.Tx(ctx)
	if err != nil {
		return err
	}
	if inside {
		leave, err := s.txns.Turn(ctx)
		if err != nil {
			return err
		}
		defer leave()
		t.mu.Lock()
		defer t.mu.Unlock()
		if controls(query) {
			return s.refused(nestedText, nil)
		}
		s.txns.Wrote(ctx) // who knows
		return s.told(ctx, fn(t.Tx))
	}
	p := s.patience()
	defer p.stop()
	if writes {
		leave, err := p.enter(ctx, s.writer)
		if err != nil {
			return err
		}
		defer leave()
	}
	return p.try(ctx, false, func() error { return fn(s.db.DB) })
}

// told dooms the transaction for err, with which a statement of the host failed,
// and returns what the host is told of it.
func (s *Store) told(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	ours := s.failed(ctx, nil, true, false, err)
	switch {
	case errors.Is(ours, roster.ErrTxDone), errors.Is(ours, roster.ErrTxAborted):
		return s.txns.Doom(ctx, ours)
	case errors.Is(ours, roster.ErrUnavailable), ctx.Err() != nil:
	default:
		ours = s.refused("a statement of the host has failed", err)
	}
	_ = s.txns.Doom(ctx, ours)
	return err
}

const nestedText = "only Atomic begins and ends what is inside a transaction"

// controls reports whether the query begins, ends or divides a transaction.
func controls(query string) bool {
	for {
		query = strings.TrimLeft(query, " \t\r\n\f\v;\ufeff")
		if rest, ok := strings.CutPrefix(query, "--"); ok {
			_, query, _ = strings.Cut(rest, "\n")
		} else if rest, ok := strings.CutPrefix(query, "/*"); ok {
			_, query, _ = strings.Cut(rest, "*/")
		} else {
			break
		}
	}
	word, _, _ := strings.Cut(query, ";")
	words := append(strings.Fields(word), "", "")
	switch strings.ToUpper(words[0]) {
	case "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE":
		return true
	case "PREPARE":
		return strings.EqualFold(words[1], "TRANSACTION")
	}
	return false
}

// ExecContext runs a statement with the placeholders of the driver.
func (q SQL) ExecContext(ctx context.Context, query string, args ...any) (result sql.Result, err error) {
	err = q.store.host(q.bind(ctx), query, true, func(c conn) error {
		result, err = c.ExecContext(ctx, query, args...)
		return err
	})
	return result, err
}

// QueryContext is ExecContext for a statement that returns rows, which have to be
// closed before the next one.
func (q SQL) QueryContext(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	err = q.store.host(q.bind(ctx), query, false, func(c conn) error {
		rows, err = c.QueryContext(ctx, query, args...) //nolint:rowserrcheck,sqlclosecheck // the caller's
		return err
	})
	return rows, err
}

// QueryRowContext is QueryContext for one row.
func (q SQL) QueryRowContext(ctx context.Context, query string, args ...any) (row *sql.Row) {
	var failed error
	err := q.store.host(q.bind(ctx), query, false, func(c conn) error {
		row = c.QueryRowContext(ctx, query, args...)
		failed = row.Err()
		return failed
	})
	if err != failed { //nolint:errorlint // it is the driver's own, or not
		return noRow(err)
	}
	return row
}

// PrepareContext prepares a statement, which is good until the transaction ends.
func (q SQL) PrepareContext(ctx context.Context, query string) (stmt *sql.Stmt, err error) {
	ctx = q.bind(ctx)
	err = q.store.host(ctx, query, false, func(c conn) error {
		stmt, err = c.PrepareContext(ctx, query)
		return err
	})
	if err == nil {
		q.store.txns.Unwatched(ctx)
	}
	return stmt, err
}

// noRow is a row whose Scan fails so.
func noRow(err error) *sql.Row {
	db := sql.OpenDB(nowhere{err})
	defer db.Close()
	return db.QueryRowContext(context.Background(), "")
}

// nowhere connects to nothing.
type nowhere struct{ err error }

// Connect implements [driver.Connector].
func (n nowhere) Connect(context.Context) (driver.Conn, error) { return nil, n.err }

// Driver implements [driver.Connector].
func (n nowhere) Driver() driver.Driver { return nil }

// DB is SQL with the query builders of bun, and bun's placeholders.
type DB struct{ sql SQL }

// DB returns what builds and runs statements of the host in the transaction in
// ctx.
func (s *Store) DB(ctx context.Context) DB { return DB{s.SQL(ctx)} }

func (d DB) bun() *bun.DB { return d.sql.store.db }

func (d DB) format(query string, args []any) string {
	return d.bun().QueryGen().FormatQuery(query, args...)
}

// ExecContext implements [bun.IDB].
func (d DB) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return d.sql.ExecContext(ctx, d.format(query, args))
}

// QueryContext implements [bun.IDB].
func (d DB) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return d.sql.QueryContext(ctx, d.format(query, args))
}

// QueryRowContext implements [bun.IDB].
func (d DB) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return d.sql.QueryRowContext(ctx, d.format(query, args))
}

// BeginTx implements [bun.IDB]. It fails inside a transaction: there, Atomic is
// the way.
func (d DB) BeginTx(ctx context.Context, opts *sql.TxOptions) (tx bun.Tx, err error) {
	s := d.sql.store
	if _, inside, err := s.txns.Tx(d.sql.bind(ctx)); err != nil {
		return bun.Tx{}, err
	} else if inside {
		return bun.Tx{}, s.refused(nestedText, nil)
	}
	p := s.patience()
	defer p.stop()
	err = p.try(ctx, true, func() error {
		tx, err = s.db.BeginTx(ctx, opts)
		return err
	})
	return tx, err
}

// RunInTx implements [bun.IDB]. It fails inside a transaction, as BeginTx does.
func (d DB) RunInTx(ctx context.Context, opts *sql.TxOptions, fn func(context.Context, bun.Tx) error) error {
	tx, err := d.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	if err := fn(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// Dialect implements [bun.IDB].
func (d DB) Dialect() schema.Dialect { return d.bun().Dialect() }
