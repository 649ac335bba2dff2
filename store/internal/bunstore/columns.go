package bunstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/mixin"
)

// hosted is a table that the host's own type adds columns to.
type hosted struct {
	*mixin.Shape
	table string // its name in braces
	one   string // what a row of it is
}

// hosted are those that the store was opened with.
func (s *Store) hosted() (all []hosted) {
	for _, h := range []hosted{{&s.users.own.Shape, "users", "user"}, {&s.groups.own.Shape, "groups", "group"}} {
		if h.IsOwn() {
			all = append(all, h)
		}
	}
	return all
}

// table is what the database says of one.
type table struct {
	columns map[string]columnOf
	uniques map[string][]string // the columns of each index, in order
	empty   bool
}

type columnOf struct {
	typ                 string
	notNull, hasDefault bool
}

// migrateColumns makes the columns of the host's types that are missing, where
// that changes no row, and refuses those that do not fit.
func (s *Store) migrateColumns(ctx context.Context) error {
	steps, err := s.missingColumns(ctx)
	if err != nil || len(steps) == 0 {
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

// missingColumns are the statements that make the columns.
func (s *Store) missingColumns(ctx context.Context) (steps []string, err error) {
	p := s.patience()
	defer p.stop()
	var mistakes error
	err = p.try(ctx, true, func() (err error) {
		steps, mistakes, err = s.compareColumns(ctx, s.db.DB)
		return err
	})
	if err != nil {
		return nil, s.failed(ctx, nil, false, false, err)
	}
	return steps, mistakes
}

// makeColumns looks again, now that nobody else migrates.
func (s *Store) makeColumns(ctx context.Context, c *sql.Tx) error {
	if err := s.dialect.Migrating(ctx, c, s.prefix); err != nil {
		return err
	}
	steps, mistakes, err := s.compareColumns(ctx, c)
	if err == nil {
		err = mistakes
	}
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

// compareColumns asks the database what is missing.
func (s *Store) compareColumns(ctx context.Context, c conn) (steps []string, mistakes, err error) {
	for _, h := range s.hosted() {
		there, err := s.table(ctx, c, h.table)
		if err != nil {
			return nil, nil, err
		}
		more, wrong := s.columnSteps(h, there)
		steps, mistakes = append(steps, more...), errors.Join(mistakes, wrong)
	}
	return steps, mistakes, nil
}

// table asks the database.
func (s *Store) table(ctx context.Context, c conn, name string) (*table, error) {
	t := &table{columns: map[string]columnOf{}, uniques: map[string][]string{}}
	list := func(query string, scan func(*sql.Rows) error) error {
		rows, err := c.QueryContext(ctx, s.names.Replace(strings.ReplaceAll(query, "{table}", "{"+name+"}")))
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
		list("SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT 1) u", func(rows *sql.Rows) error { return rows.Scan(&some) }),
	)
	t.empty = some == 0
	return t, err
}

// columnSteps are the statements that make what is missing. All that does not
// fit, or cannot be made without a word of the host, is the error.
func (s *Store) columnSteps(h hosted, there *table) (steps []string, err error) {
	var mistakes []error
	wrong := func(c *mixin.Column, format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("%s: %s: %s", s.dialect.Name, c.Field, fmt.Sprintf(format, args...)))
	}
	for _, c := range h.Columns {
		is, ok := there.columns[c.Name]
		switch {
		case !ok && c.NotNull && !c.HasDefault() && !there.empty:
			wrong(c, "there is no column %s, and no default for the %ss that there are: give it one in the tag, or run: %s;",
				c.Name, h.one, s.addColumn(h, c, zeroOf(c)))
		case !ok:
			steps = append(steps, s.addColumn(h, c, c.Default()))
		case !s.dialect.Holds(c, is.typ):
			wrong(c, "the column %s is a %s, which does not hold it", c.Name, is.typ)
		case is.notNull && c.MayBeNull():
			wrong(c, "the column %s must not be NULL: say notnull in the tag", c.Name)
		case is.notNull && c.HasDefault() && !is.hasDefault:
			wrong(c, "the column %s has no default, so a program that does not know it cannot write a %s: give it the one in the tag", c.Name, h.one)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(there.columns)) {
		if is := there.columns[name]; is.notNull && !is.hasDefault && !h.Knows(name) {
			mistakes = append(mistakes, fmt.Errorf("%s: %s: there is a column %s that must not be NULL and has no default, and no field for it, so no %s could be written: "+
				"name it in the tag of a field, as in bun:\"%s,notnull\", or give it a default, or drop it", s.dialect.Name, h.Name(), name, h.one, name))
		}
	}
	for _, set := range h.Uniques() {
		names := make([]string, len(set))
		for i, n := range set {
			names[i] = h.Columns[n].Name
		}
		if !there.unique(names) {
			steps = append(steps, s.names.Replace(fmt.Sprintf("CREATE UNIQUE INDEX {%s_%s_key} ON {%s} (%s)", h.table,
				strings.Join(names, "_"), h.table, `"`+strings.Join(names, `", "`)+`"`)))
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
func (s *Store) addColumn(h hosted, c *mixin.Column, def string) string {
	text := s.names.Replace("ALTER TABLE {"+h.table+"} ADD COLUMN ") + quote(c.Name) + " " + s.dialect.TypeOf(c)
	if c.NotNull {
		text += " NOT NULL"
	}
	if def != "" {
		text += " DEFAULT " + def
	}
	return text
}

// zeroOf is a default for the rows that there are, if the host knows none
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
