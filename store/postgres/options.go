package postgres

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/bunstore"
	"github.com/go-roster/roster/store/internal/mixin"
)

// Option changes how a Store is opened.
type Option func(*config)

type config struct {
	bunstore.Options
	poolSize int
	mistakes error // in what the options were given
	asis     bool  // Open does not migrate
}

func options(opts []Option) (*config, error) {
	o := &config{
		Options:  bunstore.Options{Prefix: bunstore.DefaultPrefix, BusyTimeout: bunstore.DefaultBusyTimeout},
		poolSize: defaultPoolSize,
	}
	for _, opt := range opts {
		opt(o)
	}
	if o.poolSize < 1 {
		return nil, errors.New("postgres: the pool must have a connection")
	}
	if err := errors.Join(bunstore.CheckPrefix(o.Prefix), o.mistakes); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return o, nil
}

// Prefix is what the names of all tables and indices begin with: at most 32 of
// a-z, 0-9 and _. Without this option it is "roster_".
func Prefix(prefix string) Option { return func(o *config) { o.Prefix = prefix } }

// BusyTimeout is how long a statement waits for a lock before it fails with an
// [roster.UnavailableError] of [roster.UnavailableBusy]. Zero or less is as long
// as its context allows. Without this option it is five seconds. With it or
// without, Open leaves a lock_timeout alone that the DSN names.
func BusyTimeout(d time.Duration) Option { return func(o *config) { o.BusyTimeout = d } }

// PoolSize is how many connections [Open] uses at most. Without this option it
// is 16. It matters to Open alone.
func PoolSize(n int) Option { return func(o *config) { o.poolSize = n } }

// Model makes the store one of the host's own type of users, a struct that
// embeds [roster.User] or a pointer to it, and keeps its other fields in columns
// of the table of users, named by the tags that bun knows: see
// [roster.Model]. All that is read is an M then, see [roster.As].
//
// The columns are made by [Store.Migrate], if they have a default or may be
// NULL, or while there are no users; else it says which SQL to run. What it is
// that cannot be stored, or does not fit the table, is refused when the store is
// opened, all of it at once. A program that knows nothing of M, or another type,
// can open the same database: it leaves the columns alone.
func Model[M any, P roster.ModelOf[M]]() Option {
	return func(o *config) {
		own, err := mixin.Of[M, P]()
		o.Model, o.mistakes = own, errors.Join(o.mistakes, err)
	}
}

// GroupModel is [Model] for groups: M is a struct that embeds [roster.Group] or a
// pointer to it, and its other fields are columns of the table of groups. All groups
// that are read are part of an M then, see [roster.AsGroup].
func GroupModel[M any, P roster.GroupModelOf[M]]() Option {
	return func(o *config) {
		own, err := mixin.OfGroup[M, P]()
		o.Group, o.mistakes = own, errors.Join(o.mistakes, err)
	}
}

// NoMigrate makes [Open] leave the tables as they are, for hosts that apply
// [Migrations] with a tool of their own: Open fails as [Store.CheckTables] does.
func NoMigrate() Option { return func(o *config) { o.asis = true } }
