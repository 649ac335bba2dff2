// Package hosttest checks what the SQL stores promise to a host that has tables
// and transactions of its own.
package hosttest

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/go-roster/roster"
)

// Conn is what the stores return for statements of the host.
type Conn = interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Store is a SQL store.
type Store interface {
	roster.Store
	DB(ctx context.Context) bun.IDB
	SQL(ctx context.Context) Conn
	Join(ctx context.Context, tx *sql.Tx) (context.Context, func(error) error, error)
}

// Place is a database with the tables of a store, and those of a host, which
// [Tables] has made.
type Place struct {
	Store  Store   // waits for others as long as it may take, for Patience
	Hasty  Store   // the same tables, waits for Busy at most
	DB     *sql.DB // the host's own handle
	Users  string  // the name of the table of users
	Orders string  // that of the host's, with foreign keys on it
	Serial string  // what declares a key that counts by itself
}

// How long the stores of a Place wait for others. Nothing comes close to Patience
// but where something is wrong.
const (
	Busy     = 300 * time.Millisecond
	Patience = 2 * time.Minute
)

// Order is a row of the host.
type Order struct {
	bun.BaseModel `bun:"table:orders,alias:o"`

	ID     int64         `bun:"id,pk,autoincrement"`
	UserID roster.UserID `bun:"user_id"`
	Item   string        `bun:"item"`
	Lines  []*Line       `bun:"rel:has-many,join:id=order_id"`
}

// Line belongs to an Order.
type Line struct {
	bun.BaseModel `bun:"table:order_lines,alias:l"`

	ID      int64  `bun:"id,pk,autoincrement"`
	OrderID int64  `bun:"order_id"`
	Text    string `bun:"text"`
}

// Tables makes the tables of the host.
func (p *Place) Tables(t testing.TB, onDelete string) {
	t.Helper()
	for _, query := range []string{
		"CREATE TABLE orders (id " + p.Serial + ", user_id BIGINT NOT NULL REFERENCES " + p.Users + " (id) " + onDelete + ", item TEXT NOT NULL UNIQUE)",
		"CREATE TABLE order_lines (id " + p.Serial + ", order_id BIGINT NOT NULL REFERENCES orders (id) ON DELETE CASCADE, text TEXT NOT NULL)",
	} {
		if _, err := p.DB.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
}

// Run runs all cases, each in a place of its own. open returns one without the
// tables of the host. The prefix is that of the store's tables: two stores in one
// place share the database. With names, only those cases are run.
func Run(t *testing.T, open func(t testing.TB, prefixes ...string) []*Place, names ...string) {
	wanted := func(name string) bool { return len(names) == 0 || slices.Contains(names, name) }
	for name, run := range map[string]func(*testing.T, *Place){
		"DB/Atomic": dbAtomic, "DB/Doom": dbDoom, "DB/Inner": dbInner, "DB/Kept": dbKept, "DB/Ends": dbEnds,
		"DB/Outside": dbOutside, "DB/Bound": dbBound, "DB/Builders": dbBuilders, "DB/Retry": dbRetry, "DB/Event": dbEvent,
		"Join/Commit": joinCommit, "Join/Rollback": joinRollback, "Join/Failure": joinFailure, "Join/Write": joinWrite,
		"Join/Nested": joinNested, "Join/Panic": joinPanic, "Join/Early": joinEarly, "Join/Lie": joinLie, "Join/Kept": joinKept, "Join/Again": joinAgain,
		"Join/Turns": joinTurns, "Join/Outer": joinOuter, "Join/Canceled": joinCanceled, "Join/Own": joinOwn, "Join/Writers": joinWriters,
		"Join/Broken": joinBroken,
	} {
		if !wanted(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			p := open(t, "roster_")[0]
			p.Tables(t, "ON DELETE CASCADE")
			run(t, p)
		})
	}
	if len(names) > 0 {
		return
	}
	t.Run("Join/Elsewhere", func(t *testing.T) { joinElsewhere(t, open(t, "roster_")[0], open(t, "roster_")[0]) })
	t.Run("Join/TwoStores", func(t *testing.T) { joinTwoStores(t, open(t, "a_", "b_")) })
	for _, onDelete := range []string{"ON DELETE CASCADE", "ON DELETE RESTRICT", "", "DEFERRABLE INITIALLY DEFERRED"} {
		name := onDelete
		if name == "" {
			name = "NO ACTION"
		}
		t.Run("Reference/"+name, func(t *testing.T) {
			p := open(t, "roster_")[0]
			p.Tables(t, onDelete)
			purge(t, p, onDelete)
			prune(t, p, onDelete)
			deleteGroup(t, p, onDelete)
		})
	}
}

var errHost = errors.New("the host has changed its mind")

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

func fails(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// user inserts one.
func (p *Place) user(ctx context.Context, name string) (*roster.User, error) {
	u := newUser(name)
	return u, p.Store.InsertUser(ctx, u, name)
}

// order inserts one by what IDB there is.
func order(ctx context.Context, db bun.IDB, u *roster.User, item string) error {
	_, err := db.NewInsert().Model(&Order{UserID: u.ID, Item: item}).Exec(ctx)
	return err
}

// rows wants these users and orders to be committed.
func (p *Place) rows(t testing.TB, users, orders int) {
	t.Helper()
	for table, want := range map[string]int{p.Users: users, "orders": orders} {
		var n int
		ok(t, p.DB.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
		if n != want {
			t.Errorf("%d rows in %s, want %d", n, table, want)
		}
	}
}

// begin begins a transaction of the host and joins it.
func (p *Place) begin(t testing.TB, ctx context.Context) (joined context.Context, tx *sql.Tx, done func(error) error) { //nolint:revive // t comes first
	t.Helper()
	tx, err := p.DB.BeginTx(ctx, nil)
	ok(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	joined, done, err = p.Store.Join(ctx, tx)
	ok(t, err)
	return joined, tx, done
}

// add is a statement of the host by its own transaction.
func add(t testing.TB, tx *sql.Tx, u *roster.User, item string) {
	t.Helper()
	_, err := tx.ExecContext(t.Context(), "INSERT INTO orders (user_id, item) VALUES ($1, $2)", int64(u.ID), item)
	ok(t, err)
}
