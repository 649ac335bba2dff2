package hosttest

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/go-roster/roster"
)

// Joining returns the store with every outermost Atomic in a transaction that a
// host begins on the handle, and begins again if the store says that it should:
// storetest passes with it.
func Joining(s Store, db *sql.DB) roster.Store {
	return &joining{Store: s, db: db, key: new(int)}
}

// patience is how long the host waits for other writers.
const patience = 5 * time.Second

type joining struct {
	Store
	db  *sql.DB
	key *int // in a context that is joined
}

func (j *joining) Atomic(ctx context.Context, fn func(ctx context.Context) error) error {
	if ctx.Value(j.key) != nil {
		return j.Store.Atomic(ctx, fn)
	}
	for try := 1; ; try++ {
		err := j.try(ctx, fn)
		var un *roster.UnavailableError
		if try == 12 || !errors.As(err, &un) || un.What != roster.UnavailableBusy || ctx.Err() != nil || !GaveUp(err) {
			return err
		}
		time.Sleep(time.Millisecond << try)
	}
}

func (j *joining) try(ctx context.Context, fn func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var tx *sql.Tx
	for over := time.Now().Add(patience); tx == nil; {
		var err error
		if tx, err = j.db.BeginTx(ctx, nil); err != nil {
			if err = busy(ctx, err); !errors.Is(err, roster.ErrUnavailable) || time.Now().After(over) {
				return err
			}
		}
	}
	defer func() { _ = tx.Rollback() }()
	joined, done, err := j.Store.Join(ctx, tx)
	if err != nil {
		return err
	}
	if err := j.Store.Atomic(context.WithValue(joined, j.key, true), fn); err != nil {
		return done(err)
	}
	if err := ctx.Err(); err != nil { // database/sql may not have heard of it
		return done(err)
	}
	return done(tx.Commit())
}

// GaveUp reports whether the database gave up on a transaction for the sake of
// others.
func GaveUp(err error) bool {
	var state interface{ SQLState() string }
	return errors.As(err, &state) && (state.SQLState() == "40001" || state.SQLState() == "40P01")
}

// busy is what the host makes of a transaction that could not begin.
func busy(ctx context.Context, err error) error {
	var code interface{ Code() int }
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &code) && code.Code()&0xff == 5: // SQLITE_BUSY
		return &roster.UnavailableError{What: roster.UnavailableBusy, Cause: err}
	}
	return err
}
