package bunstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/go-roster/roster"
)

// Migration is one step from an empty database to the tables of today.
type Migration struct {
	ID   int // from 1, without gaps
	Name string
	SQL  string // several statements, the last of which says that it was applied
}

// CheckPrefix refuses what cannot begin the name of a table in every database:
// a prefix is made of at most 32 of a-z, 0-9 and _, and begins with no digit.
func CheckPrefix(prefix string) error {
	for i, r := range prefix {
		if !(r >= 'a' && r <= 'z' || r == '_' || r >= '0' && r <= '9' && i > 0) || i >= 32 {
			return errors.New("the prefix must be at most 32 of a-z, 0-9 and _, and begin with no digit")
		}
	}
	return nil
}

// replacer puts names with the prefix where a text has them in braces.
func replacer(prefix string) *strings.Replacer { return strings.NewReplacer("{", prefix, "}", "") }

// Migrations reads the files 0001_name.sql and so on.
func Migrations(files fs.FS, prefix string) ([]Migration, error) {
	paths, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	all := make([]Migration, 0, len(paths))
	for i, p := range paths { // sorted
		text, err := fs.ReadFile(files, p)
		if err != nil {
			return nil, err
		}
		number, name, _ := strings.Cut(strings.TrimSuffix(path.Base(p), ".sql"), "_")
		if id, err := strconv.Atoi(number); err != nil || id != i+1 {
			return nil, fmt.Errorf("the migration %s should have the number %d", p, i+1)
		}
		record := fmt.Sprintf("\nINSERT INTO {migrations} (id, name) VALUES (%d, '%s');\n", i+1, name)
		all = append(all, Migration{ID: i + 1, Name: name, SQL: replacer(prefix).Replace(string(text) + record)})
	}
	return all, nil
}

// Migrate brings the tables up to date, all of it or nothing, and then the
// host's columns. Any number of processes may do so at once.
func (s *Store) Migrate(ctx context.Context) error {
	if err := s.migrateTables(ctx); err != nil {
		return err
	}
	return s.migrateColumns(ctx)
}

func (s *Store) migrateTables(ctx context.Context) error {
	latest := len(s.migrations)
	p := s.patience()
	defer p.stop()
	var done int
	err := p.try(ctx, true, func() (err error) {
		done, err = s.number(ctx, s.db.DB, lastMigration)
		return err
	})
	switch {
	case err != nil && s.fault(err).Kind != Unmigrated:
		return s.failed(ctx, nil, false, false, err)
	case err == nil && done == latest:
		return nil
	case err == nil && done > latest:
		return s.newer(done)
	}
	t, err := s.begin(ctx)
	if err != nil {
		return err
	}
	if err := s.migrate(ctx, t); err != nil {
		_ = t.Rollback()
		return s.failed(ctx, nil, true, false, err)
	}
	return t.Commit(ctx)
}

// What is asked before migrating.
const lastMigration = "SELECT coalesce(max(id), 0) FROM {migrations}"

// number runs a query that gives one number.
func (s *Store) number(ctx context.Context, c conn, query string) (n int, err error) {
	rows, err := c.QueryContext(ctx, s.names.Replace(query))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return 0, err
		}
	}
	return n, rows.Err()
}

func (s *Store) newer(done int) error {
	return s.unfit(fmt.Sprintf("the tables are of migration %d, and this program knows only %d", done, len(s.migrations)))
}

// unfit says in its text why the tables cannot be used.
func (s *Store) unfit(text string) error {
	return &Error{s.dialect.Name + ": " + text, &roster.UnavailableError{What: roster.UnavailableDatabase}}
}

// migrate applies what is missing. Nobody else does meanwhile.
func (s *Store) migrate(ctx context.Context, t *tx) error {
	c := t.Tx
	if err := s.dialect.Migrating(ctx, c, s.prefix); err != nil {
		return err
	}
	done, err := s.number(ctx, c, s.dialect.HasMigrations)
	if err == nil && done > 0 {
		done, err = s.number(ctx, c, lastMigration)
	}
	if err != nil {
		return err
	}
	if done > len(s.migrations) {
		return s.newer(done)
	}
	for _, m := range s.migrations[done:] {
		if _, err := c.ExecContext(ctx, m.SQL); err != nil {
			return err
		}
	}
	return nil
}
