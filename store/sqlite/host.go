package sqlite

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"
)

// Conn runs statements. It is what sqlc calls DBTX; *sql.DB and *sql.Tx are
// others.
type Conn = interface {
	// ExecContext runs a statement that returns no rows.
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	// PrepareContext prepares a statement, which is good until the transaction ends.
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	// QueryContext runs a statement that returns rows, which have to be closed.
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	// QueryRowContext runs a statement that returns one row.
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// DB returns what reads and writes the host's own tables: in the transaction of
// this Store that ctx is in, that of [roster.Users.Atomic] or of an event, else on
// the handle. It has the query builders of bun, and bun's placeholder ?.
//
// A statement uses the transaction that its own context is in, else that of ctx.
// Both belong to the calls of roster around it: they are committed together or
// not at all. A statement that fails dooms the transaction, and an inner Atomic
// that fails after a statement dooms the outer one. Its error is that of the
// driver, but for ErrTxDone if the transaction has ended and ErrTxAborted if it is
// doomed. Rows have to be closed before the next call.
//
// Nothing here can commit or roll back: inside a transaction BeginTx, RunInTx and
// statements such as COMMIT fail, and Atomic is what they are for.
func (s *Store) DB(ctx context.Context) bun.IDB { return s.core.DB(ctx) }

// SQL is [Store.DB] for database/sql, sqlc and the like, with the placeholders of
// the driver.
func (s *Store) SQL(ctx context.Context) Conn { return s.core.SQL(ctx) }

// Join returns a context in which this Store, and all verbs of roster on it, work
// in a transaction that the host has begun and ends itself:
//
//	tx, err := db.BeginTx(ctx, nil)
//	if err != nil {
//		return err
//	}
//	defer tx.Rollback()
//	joined, done, err := store.Join(ctx, tx)
//	if err != nil {
//		return err
//	}
//	// users.Register(joined, …), tx.ExecContext(ctx, …)
//	return done(tx.Commit())
//
// A bun.Tx or *sqlx.Tx has its *sql.Tx in the field Tx. The handle may be
// another than that of the Store, of the driver modernc.org/sqlite on the same
// file. It has to be opened with _pragma=foreign_keys(1), and should be with
// _txlock=immediate: without, the transaction becomes a writer with the first
// verb that writes, and if others have written since it began to read, that is an
// UnavailableError as below.
//
// done has to be told how the transaction ended, as soon as it has: nil for
// committed. It returns what it is told. What waits for the commit by
// [roster.AfterCommit] runs then, or never: without done nothing of it runs, and
// nobody is told. Afterwards the context answers ErrTxDone. done(nil) fails and runs
// nothing if the transaction has not ended, and can be called again when it has; and
// if it was rolled back, as far as a verb has changed anything in it, which is looked
// up.
//
// In the joined context each verb, and each outermost Atomic, is a savepoint: if it
// fails, all of it is undone and nothing else, and the host may go on. Nothing is
// run again. If the database gave up for the sake of others, by a serialization
// failure, a deadlock or a lock, that is an [roster.UnavailableError] of
// [roster.UnavailableBusy]: roll back, and begin again. Calls from several
// goroutines take turns; the host keeps off tx meanwhile. The transaction
// holds up all other writers, those of the Store as well: they wait for it as for
// another process.
//
// Joining the same transaction again, in the joined context, hands what waits on
// to the outer one: so a savepoint of the host can be told of its end, too.
//
// It fails if the transaction is of another database or does not enforce foreign
// keys, or if ctx is in another transaction of this Store; with ErrTxDone if the
// transaction has ended.
func (s *Store) Join(
	ctx context.Context, tx *sql.Tx,
) (joined context.Context, done func(outcome error) error, err error) {
	return s.core.Join(ctx, tx)
}
