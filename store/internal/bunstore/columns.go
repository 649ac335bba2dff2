package bunstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/mixin"
)

// table is what the database says of the users.
type table struct {
	columns map[string]columnOf
	uniques map[string][]string // the columns of each index, in order
	empty   bool
}

type columnOf struct {
	typ                 string
	notNull, hasDefault bool
}

// migrateColumns makes the columns of the host's type that are missing, where
// that changes no row, and refuses those that do not fit.
func (s *Store) migrateColumns(ctx context.Context) error {
	p := s.patience()
	defer p.stop()
	var there *table
	err := p.try(ctx, true, func() (err error) {
		there, err = s.table(ctx, s.db.DB)
		return err
	})
	if err != nil {
		return s.failed(ctx, nil, false, false, err)
	}
	if steps, err := s.columnSteps(there); err != nil || len(steps) == 0 {
		return err
	}
	t, err := s.begin(ctx)
	if err != nil {
		return err
	}
	if err := s.makeColumns(ctx, t.Tx); err != nil {
		_ = t.Rollback()
		return s.failed(ctx, nil, true, false, err)
	}
	return t.Commit(ctx)
}

// makeColumns looks again, now that nobody else migrates.
func (s *Store) makeColumns(ctx context.Context, c *sql.Tx) error {
	if err := s.dialect.Migrating(ctx, c, s.prefix); err != nil {
		return err
	}
	there, err := s.table(ctx, c)
	if err != nil {
		return err
	}
	steps, err := s.columnSteps(there)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if _, err := c.ExecContext(ctx, step); err != nil {
			return &Error{s.dialect.Name + ": this could not be done, do it by hand: " + step + ";", &roster.UnavailableError{
				What: roster.UnavailableDatabase, Cause: err,
			}}
		}
	}
	return nil
}

// table asks the database.
func (s *Store) table(ctx context.Context, c conn) (*table, error) {
	t := &table{columns: map[string]columnOf{}, uniques: map[string][]string{}}
	list := func(query string, scan func(*sql.Rows) error) error {
		rows, err := c.QueryContext(ctx, s.names.Replace(query))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}
	some := 0
	err := errors.Join(
		list(s.dialect.Columns, func(rows *sql.Rows) error {
			var name string
			var c columnOf
			err := rows.Scan(&name, &c.typ, &c.notNull, &c.hasDefault)
			t.columns[name] = c
			return err
		}),
		list(s.dialect.Uniques, func(rows *sql.Rows) error {
			var index, column string
			err := rows.Scan(&index, &column)
			t.uniques[index] = append(t.uniques[index], column)
			return err
		}),
		list("SELECT count(*) FROM (SELECT 1 FROM {users} LIMIT 1) u", func(rows *sql.Rows) error { return rows.Scan(&some) }),
	)
	t.empty = some == 0
	return t, err
}

// columnSteps are the statements that make what is missing. All that does not
// fit, or cannot be made without a word of the host, is the error.
func (s *Store) columnSteps(there *table) (steps []string, err error) {
	var mistakes []error
	wrong := func(c *mixin.Column, format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("%s: %s: %s", s.dialect.Name, c.Field, fmt.Sprintf(format, args...)))
	}
	for _, c := range s.users.own.Columns {
		is, ok := there.columns[c.Name]
		switch {
		case !ok && c.NotNull && !c.HasDefault() && !there.empty:
			wrong(c, "there is no column %s, and no default for the users that there are: give it one in the tag, or run: %s;",
				c.Name, s.addColumn(c, zeroOf(c)))
		case !ok:
			steps = append(steps, s.addColumn(c, c.Default()))
		case !s.dialect.Holds(c, is.typ):
			wrong(c, "the column %s is a %s, which does not hold it", c.Name, is.typ)
		case is.notNull && c.MayBeNull():
			wrong(c, "the column %s must not be NULL: say notnull in the tag", c.Name)
		case is.notNull && c.HasDefault() && !is.hasDefault:
			wrong(c, "the column %s has no default, so a program that does not know it cannot write a user: give it the one in the tag", c.Name)
		}
	}
	for _, set := range s.users.own.Uniques() {
		names := make([]string, len(set))
		for i, n := range set {
			names[i] = s.users.own.Columns[n].Name
		}
		if !there.unique(names) {
			steps = append(steps, s.names.Replace(fmt.Sprintf("CREATE UNIQUE INDEX {users_%s_key} ON {users} (%s)",
				strings.Join(names, "_"), `"`+strings.Join(names, `", "`)+`"`)))
		}
	}
	return steps, errors.Join(mistakes...)
}

func (t *table) unique(names []string) bool {
	names = slices.Sorted(slices.Values(names))
	for _, columns := range t.uniques {
		if slices.Equal(slices.Sorted(slices.Values(columns)), names) {
			return true
		}
	}
	return false
}

// addColumn is the statement that makes a column. def may be empty.
func (s *Store) addColumn(c *mixin.Column, def string) string {
	text := s.names.Replace("ALTER TABLE {users} ADD COLUMN ") + quote(c.Name) + " " + s.dialect.TypeOf(c)
	if c.NotNull {
		text += " NOT NULL"
	}
	if def != "" {
		text += " DEFAULT " + def
	}
	return text
}

// zeroOf is a default for the users that there are, if the host knows none
// better.
func zeroOf(c *mixin.Column) string {
	switch c.Holds() {
	case mixin.Bool:
		return "false"
	case mixin.Int, mixin.Uint, mixin.Float:
		return "0"
	case mixin.Time:
		return "'0001-01-01 00:00:00+00:00'"
	case mixin.UUID:
		return "'00000000-0000-0000-0000-000000000000'"
	case mixin.JSON:
		return "'null'"
	default:
		return "''"
	}
}
