package sqlite

import (
	"context"
	"embed"
	"errors"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/bunstore"
)

// Migration is one step from an empty database to the tables of today.
type Migration struct {
	ID   int // from 1, without gaps
	Name string
	SQL  string // several statements, the last of which records the step
}

// Goose is the step as a file for goose, which has a name such as
// 0001_roster_accounts.sql. There is no way down.
func (m Migration) Goose() string { return bunstore.Goose(m.SQL) }

// Atlas is the step as a file for the versioned migrations of Atlas, which want
// "atlas migrate hash" then.
func (m Migration) Atlas() string { return bunstore.Atlas(m.SQL) }

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns, in order, what [Open] and [Store.Migrate] apply, for hosts
// that apply it with a tool of their own: each SQL as it stands, in one
// transaction. [Migration.Goose] and [Migration.Atlas] are the same for these
// tools. A step never changes once it was released; new ones come behind. Only
// the option [Prefix] matters. It fails if that is malformed.
func Migrations(opts ...Option) ([]Migration, error) {
	o, err := options(opts)
	if err != nil {
		return nil, err
	}
	steps, err := bunstore.Migrations(files, o.Prefix)
	if err != nil {
		return nil, err
	}
	out := make([]Migration, len(steps))
	for i, m := range steps {
		out[i] = Migration(m)
	}
	return out, nil
}

// CheckTables fails with an [roster.UnavailableError], whose text says what is to
// be done, if the tables are not exactly those that this package was made for:
// they are missing, of an earlier or a later version, not all steps were applied,
// or columns of [Model] are missing; or if [Store.Migrate] would refuse the
// database. It changes nothing. [Open] calls it with [NoMigrate]; who calls [New]
// and not Migrate should.
func (s *Store) CheckTables(ctx context.Context) error {
	if err := check(ctx, s.db); err != nil {
		if errors.Is(err, roster.ErrUnavailable) || ctx.Err() != nil {
			return err
		}
		return unavailable("the database cannot be read", err)
	}
	return s.core.CheckTables(ctx)
}
