package bunstore

import (
	"context"
	"fmt"
	"strings"
)

// CheckTables refuses tables that are not of the last migration, with the host's
// columns. It changes nothing.
func (s *Store) CheckTables(ctx context.Context) error {
	var done, applied int
	p := s.patience()
	defer p.stop()
	err := p.try(ctx, true, func() (err error) {
		if done, err = s.number(ctx, s.db.DB, lastMigration); err != nil {
			return err
		}
		applied, err = s.number(ctx, s.db.DB, "SELECT count(*) FROM {migrations}")
		return err
	})
	switch {
	case err != nil && s.fault(err).Kind == Unmigrated:
		return s.unfit(fmt.Sprintf("there are no tables %s…: apply the migrations, of which there are %d", s.prefix, len(s.migrations)))
	case err != nil:
		return s.failed(ctx, nil, false, false, err)
	case done > len(s.migrations):
		return s.newer(done)
	case done < len(s.migrations):
		return s.unfit(fmt.Sprintf("the tables are of migration %d, and this program needs %d: apply those between", done, len(s.migrations)))
	case applied < done:
		return s.unfit(fmt.Sprintf("of %d migrations only %d were applied", done, applied))
	}
	steps, err := s.missingColumns(ctx)
	if err == nil && len(steps) > 0 {
		err = s.unfit("columns are missing, and this makes them:\n" + strings.Join(steps, ";\n") + ";")
	}
	return err
}

// Goose is SQL as a file for goose: one statement, in which it looks for no
// others.
func Goose(sql string) string {
	return "-- +goose Up\n-- +goose StatementBegin\n" + sql + "-- +goose StatementEnd\n"
}

// Atlas is SQL as a file for Atlas: one statement, in which it looks for no
// others.
func Atlas(sql string) string {
	const end = "-- the end of the migration"
	return "-- atlas:delimiter " + end + "\n\n" + sql + end + "\n"
}
