package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"strconv"

	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/go-roster/roster/store/internal/bunstore"
	"github.com/go-roster/roster/store/internal/mixin"
)

// dialect is how SQLite does it. opened says that the handle is our own.
func dialect(prefix string, opened bool) bunstore.Dialect {
	d := bunstore.Dialect{
		Name:  "sqlite",
		Bun:   sqlitedialect.New(),
		Time:  bunstore.FormatTime,
		IDs:   list[int64],
		Texts: list[string],
		In: func(column string, n int) string {
			return column + " IN (SELECT value FROM json_each($" + strconv.Itoa(n) + "))"
		},
		Columns: `SELECT name, type, "notnull", dflt_value IS NOT NULL FROM pragma_table_info('{table}')`,
		Uniques: `SELECT l.name, i.name FROM pragma_index_list('{table}') l JOIN pragma_index_info(l.name) i
WHERE l."unique" AND NOT l.partial AND i.name IS NOT NULL ORDER BY l.name, i.seqno`,
		TypeOf: columnType,
		Holds:  func(c *mixin.Column, typ string) bool { return holds(columnType(c), typ) || c.Kind == mixin.Own },
		Each:   func(n int) string { return "(SELECT value AS v FROM json_each($" + strconv.Itoa(n) + "))" },
		ForEach: func(outer, inner, column string) string { // there is no LATERAL
			return "SELECT x.value AS " + column + " FROM (" + outer + ") h, json_each((SELECT json_group_array(y." + column +
				") FROM (" + inner + ") y)) x"
		},
		Prepare:       true,
		OneWriter:     true,
		HasMigrations: "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '{migrations}'",
		Migrating:     func(ctx context.Context, tx *sql.Tx, _ string) error { return check(ctx, tx) },
		Lock:          func(ctx context.Context, tx *sql.Tx) error { return lock(ctx, tx, prefix) },
		Place:         place,
		Same:          sameFile,
		Fault:         faults(prefix),
		Search:        bunstore.Search{Page: page, Count: count, Few: few},
	}
	if !opened {
		d.Begun = d.Lock
	}
	return d
}

// list is a list as one argument: JSON.
func list[T any](values []T) any {
	text, _ := json.Marshal(values) // numbers and strings
	return string(text)
}

// lock makes a transaction that may have begun without the lock of the writer
// take it, so that it does not fail later because others have written.
func lock(ctx context.Context, tx *sql.Tx, prefix string) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM "+prefix+"migrations WHERE FALSE")
	if f := faults(prefix)(err); f.Kind == bunstore.Unmigrated {
		return nil
	}
	return err
}

// place is the path of the file.
func place(ctx context.Context, c bunstore.Asker, _ string) (file string, err error) {
	var foreignKeys bool
	err = c.QueryRowContext(ctx, "SELECT file, (SELECT foreign_keys FROM pragma_foreign_keys) FROM pragma_database_list WHERE name = 'main'").
		Scan(&file, &foreignKeys)
	if err == nil && !foreignKeys {
		err = unavailable(noForeignKeys, nil)
	}
	return file, err
}

// sameFile reports whether two paths lead to one file.
func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

const noForeignKeys = "foreign keys are not enforced: open the handle with _pragma=foreign_keys(1)"

// check refuses connections that do not keep what the tables promise.
func check(ctx context.Context, c bunstore.Asker) error {
	for _, rule := range []struct{ query, want, what string }{
		{"PRAGMA foreign_keys", "1", noForeignKeys},
		{"SELECT file <> '' FROM pragma_database_list WHERE name = 'main'", "1", `a database in memory is not shared by its connections: use sqlite.Open(ctx, ":memory:")`},
		{"PRAGMA encoding", "UTF-8", "the encoding of the database is not UTF-8"},
	} {
		var got string
		if err := c.QueryRowContext(ctx, rule.query).Scan(&got); err != nil {
			return err
		}
		if got != rule.want {
			return unavailable(rule.what, nil)
		}
	}
	return nil
}
