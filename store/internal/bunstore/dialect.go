package bunstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/uptrace/bun/schema"

	"github.com/go-roster/roster/store/internal/mixin"
)

// Dialect is what a database does in its own way.
type Dialect struct {
	// Name is how the package is called, in the text of errors.
	Name string

	// Bun is what bun calls a dialect.
	Bun schema.Dialect

	// Time is a time as an argument; IDs and Texts are a list as one argument.
	Time  func(time.Time) any
	IDs   func([]int64) any
	Texts func([]string) any

	// In is the condition that the column is in the list that is argument n.
	In func(column string, n int) string

	// Each is the texts of the list that is argument n as rows with a column v.
	Each func(n int) string

	// ForEach is a SELECT of the column of what inner finds for each row of
	// outer, which it calls h: as much of it as inner limits each to, and not all.
	ForEach func(outer, inner, column string) string

	// ForUpdate ends a SELECT that locks what it finds.
	ForUpdate string

	// Prepare asks for prepared statements of database/sql. Modes, if not nil,
	// returns what goes before the arguments of a query, to tell the driver
	// whether to prepare it or to plan it for its arguments, on the store's handle
	// or in a transaction of another.
	Prepare bool
	Modes   func(planned, guest bool) []any

	// OneWriter makes writers wait for each other here, in order.
	OneWriter bool

	// Begun, if not nil, is called when a transaction has begun.
	Begun func(ctx context.Context, tx *sql.Tx) error

	// Lock, if not nil, makes a transaction of the host the writer.
	Lock func(ctx context.Context, tx *sql.Tx) error

	// Place tells the database that a connection leads to from all others, and
	// refuses a connection that does not keep what the tables promise. Same
	// compares two answers.
	Place func(ctx context.Context, c Asker, prefix string) (string, error)
	Same  func(a, b string) bool

	// InTx says that a write must be in a transaction, alone too.
	InTx bool

	// Columns is a query for the columns of {table}: the name, the type, whether it
	// is not null, and whether it has a default. Uniques is one for the columns of
	// its unique indices: the name of the index, and that of a column.
	Columns, Uniques string

	// TypeOf is the type to make a column of, and Holds reports whether one of a
	// type that is there will do.
	TypeOf func(c *mixin.Column) string
	Holds  func(c *mixin.Column, typ string) bool

	// HasMigrations is a query that counts the tables {migrations}.
	HasMigrations string

	// Migrating is called in the transaction that migrates, before anything
	// else, and keeps other processes out until its end.
	Migrating func(ctx context.Context, tx *sql.Tx, prefix string) error

	// Fault says what an error of the driver means.
	Fault func(error) Fault

	Search Search
}

// Asker is a *sql.DB or a *sql.Tx.
type Asker interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Fault is what an error of a driver means.
type Fault struct {
	Kind  Kind
	Field string // of Unique; of Check, if it is known
	Code  string // the database's own, for the text of errors that mean nothing here

	// Lost says that the connection broke when the request may have arrived, so
	// that nobody knows what became of it.
	Lost bool

	// Unsent says that the connection broke before, so that the request has not
	// arrived.
	Unsent bool
}

// Kind is a kind of Fault.
type Kind int

// The kinds.
const (
	Unexpected Kind = iota
	Unique          // a unique index refuses
	Foreign         // a foreign key refuses
	Check           // the column Field must not be null, or another check refuses
	Again           // given up for the sake of others
	Stale           // a prepared statement is not good any more
	Locked          // waited too long for a lock
	Down            // the database does not answer, or cannot
	ReadOnly        // the database does not take writes
	Unmigrated      // tables or columns are missing
	Aborted         // the transaction has failed before
)
