package bunstore

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"

	"github.com/go-roster/roster"
)

// Query is a statement with placeholders. It is made once per store, and its
// text depends on nothing but the prefix of the tables.
type Query struct {
	text    string
	foreign string // the field of the conflict, if a foreign key refuses
	planned bool   // to be planned for its arguments, each time

	mu       sync.Mutex
	prepared atomic.Pointer[sql.Stmt]
}

// Rows runs a query that changes nothing and calls scan for each row.
type Rows func(ctx context.Context, q *Query, scan func(*sql.Rows) error, args ...any) error

// constant makes a query. In its text {users} is the table users.
func (s *Store) constant(text string) *Query { return &Query{text: s.names.Replace(text)} }

// writing is constant for a statement that a foreign key may refuse, which is a
// conflict of that field.
func (s *Store) writing(text, foreign string) *Query {
	q := s.constant(text)
	q.foreign = foreign
	return q
}

// planned is constant for a statement whose best plan depends on its arguments.
func (s *Store) planned(text string) *Query {
	q := s.constant(text)
	q.planned = true
	return q
}

// rows implements Rows.
func (s *Store) rows(ctx context.Context, q *Query, scan func(*sql.Rows) error, args ...any) error {
	return s.ask(ctx, q, false, scan, args)
}

// row runs a query that changes nothing for one row, or ErrNotFound.
func (s *Store) row(ctx context.Context, q *Query, scan func(*sql.Rows) error, args ...any) error {
	found := false
	err := s.rows(ctx, q, func(rows *sql.Rows) error {
		found = true
		return scan(rows)
	}, args...)
	if err == nil && !found {
		return roster.ErrNotFound
	}
	return err
}

// returning runs a statement that writes, and calls scan for each row that it
// returns.
func (s *Store) returning(ctx context.Context, q *Query, scan func(*sql.Rows) error, args ...any) error {
	return s.ask(ctx, q, true, scan, args)
}

func (s *Store) ask(ctx context.Context, q *Query, writes bool, scan func(*sql.Rows) error, args []any) error {
	return s.run(ctx, q, writes, func(t *tx, p *patience) error {
		var rows *sql.Rows
		err := p.try(ctx, !writes, func() (err error) { // the drivers have read the first row then
			rows, err = s.query(ctx, t, q, args)
			return err
		})
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return rows.Close()
	})
}

// exec runs a statement that writes, and returns how many rows it did.
func (s *Store) exec(ctx context.Context, q *Query, args ...any) (int, error) {
	var n int64
	err := s.run(ctx, q, true, func(t *tx, p *patience) error {
		return p.try(ctx, false, func() error {
			result, err := s.execute(ctx, t, q, args)
			if err != nil {
				return err
			}
			n, err = result.RowsAffected()
			return err
		})
	})
	return int(n), err
}

// nothing is what a call answers that has nothing to ask the database.
func (s *Store) nothing(ctx context.Context) error {
	if _, _, err := s.txns.Tx(ctx); err != nil {
		return err
	}
	return s.txns.Doom(ctx, ctx.Err())
}

// run runs fn in the transaction in ctx or, with a nil tx and with patience,
// alone.
func (s *Store) run(ctx context.Context, q *Query, writes bool, fn func(*tx, *patience) error) error {
	t, inside, err := s.txns.Tx(ctx)
	switch {
	case err != nil:
		return err
	case inside && writes && s.txns.Joined(ctx): // what the host does besides must survive its failure
		return s.txns.Savepoint(ctx, func(ctx context.Context) error { return s.run(ctx, q, writes, fn) })
	case inside:
		leave, err := s.txns.Turn(ctx)
		if err != nil {
			return err
		}
		defer leave()
		t.mu.Lock()
		defer t.mu.Unlock()
		if writes {
			s.txns.Wrote(ctx)
		}
		return s.txns.Doom(ctx, s.failed(ctx, q, inside, writes, fn(t, nil)))
	case writes && s.dialect.InTx:
		return s.txns.Atomic(ctx, func(ctx context.Context) error { return s.run(ctx, q, writes, fn) })
	}
	if err := ctx.Err(); err != nil {
		return err
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
	return s.failed(ctx, q, inside, writes, fn(nil, p))
}

// conn is a *sql.DB or a *sql.Tx.
type conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

func (s *Store) conn(t *tx) conn {
	if t != nil {
		return t.Tx
	}
	return s.db.DB
}

func (s *Store) query(ctx context.Context, t *tx, q *Query, args []any) (*sql.Rows, error) {
	if stmt := s.statement(ctx, t, q); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return s.conn(t).QueryContext(ctx, q.text, s.modes(t, q, args)...)
}

func (s *Store) execute(ctx context.Context, t *tx, q *Query, args []any) (sql.Result, error) {
	if stmt := s.statement(ctx, t, q); stmt != nil {
		return stmt.ExecContext(ctx, args...)
	}
	return s.conn(t).ExecContext(ctx, q.text, s.modes(t, q, args)...)
}

// lockOf is the end of a SELECT that locks what it finds in one of its tables.
func (s *Store) lockOf(alias string) string {
	if s.dialect.ForUpdate == "" {
		return ""
	}
	return s.dialect.ForUpdate + " OF " + alias
}

// modes puts before the arguments what tells the driver how to run a query.
func (s *Store) modes(t *tx, q *Query, args []any) []any {
	if s.dialect.Modes == nil {
		return args
	}
	return append(s.dialect.Modes(q.planned, t != nil && t.guest), args...)
}
