package postgres

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/bunstore"
)

// server is what a Store knows about the way to its database.
type server struct {
	db      *sql.DB
	prefix  string
	timeout string // for a lock, in milliseconds; 0 is none
	local   bool   // each transaction sets it

	// inTx says that a write alone is a transaction all the same: to set the
	// timeout, or because the driver would run it again if its answer got lost.
	inTx bool

	// What goes before the arguments of a constant statement, and of one that is
	// to be planned for its arguments.
	constant, planned []any
	unprepared        atomic.Bool // prepared statements get lost on the way: no more of them
}

func newServer(o *config) *server {
	return &server{prefix: o.Prefix, timeout: milliseconds(o.BusyTimeout)}
}

func (srv *server) dialect() bunstore.Dialect {
	return bunstore.Dialect{
		Name:  "postgres",
		Bun:   pgdialect.New(),
		Time:  func(t time.Time) any { return t.UTC() },
		IDs:   func(ids []int64) any { return ids },
		Texts: func(texts []string) any { return texts },
		In:    func(column string, n int) string { return column + " = ANY ($" + strconv.Itoa(n) + ")" },
		Each:  func(n int) string { return "(SELECT unnest($" + strconv.Itoa(n) + "::text[]) AS v)" },
		ForEach: func(outer, inner, column string) string {
			return "SELECT x." + column + " FROM (" + outer + ") h CROSS JOIN LATERAL (" + inner + ") x"
		},
		ForUpdate: " FOR NO KEY UPDATE",
		Modes:     srv.modes,
		Begun:     srv.begun,
		InTx:      srv.inTx,
		Columns: `SELECT a.attname, t.typname, a.attnotnull, a.atthasdef FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = to_regclass('{table}') AND a.attnum > 0 AND NOT a.attisdropped`,
		Uniques: `SELECT i.indexrelid::text, a.attname FROM pg_index i
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
WHERE i.indrelid = to_regclass('{table}') AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL ORDER BY 1, 2`,
		TypeOf:        columnType,
		Holds:         holds,
		HasMigrations: "SELECT count(*) FROM pg_class WHERE oid = to_regclass('{migrations}')",
		Migrating:     srv.migrating,
		Place:         place,
		Same:          func(a, b string) bool { return a == b },
		Fault:         srv.fault,
		Search:        bunstore.Search{Page: page, Count: count, Few: few},
	}
}

func (srv *server) modes(planned, guest bool) []any {
	switch {
	case guest && planned:
		return []any{pgx.QueryExecModeExec}
	case guest: // as the host's handle does it
		return nil
	}
	if planned || srv.unprepared.Load() {
		return srv.planned[:len(srv.planned):len(srv.planned)]
	}
	return srv.constant[:len(srv.constant):len(srv.constant)]
}

func (srv *server) begun(ctx context.Context, tx *sql.Tx) error {
	if !srv.local {
		return nil
	}
	_, err := tx.ExecContext(ctx, "SET LOCAL lock_timeout = "+srv.timeout)
	return err
}

// migrating waits for whoever migrates tables with this prefix, as long as that
// takes.
func (srv *server) migrating(ctx context.Context, tx *sql.Tx, prefix string) error {
	if _, err := tx.ExecContext(ctx, "SET LOCAL lock_timeout = 0"); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte("github.com/go-roster/roster migrations " + prefix))
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(binary.BigEndian.Uint64(sum[:])))
	return err
}

// place is the database and the table in it, and when that was made: a copy of
// the database elsewhere is another.
func place(ctx context.Context, c bunstore.Asker, prefix string) (place string, err error) {
	err = c.QueryRowContext(ctx, `SELECT concat_ws(' ', (SELECT oid FROM pg_database WHERE datname = current_database()),
	'`+prefix+`users'::regclass::oid, extract(epoch FROM min(applied_at))) FROM `+prefix+`migrations`).Scan(&place)
	return place, err
}

// checkEncoding refuses a database that does not keep every text, or does not
// know what it keeps.
func (srv *server) checkEncoding(ctx context.Context) error {
	var encoding string
	if err := srv.db.QueryRowContext(ctx, "SELECT current_setting('server_encoding')").Scan(&encoding); err != nil {
		return srv.failed(ctx, err)
	}
	if encoding != "UTF8" {
		return &bunstore.Error{
			Text:  "postgres: the encoding of the database is not UTF8",
			Cause: &roster.UnavailableError{What: roster.UnavailableDatabase},
		}
	}
	return nil
}
