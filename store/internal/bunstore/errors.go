package bunstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/go-roster/roster"
)

// again marks an error of the database that gave a transaction up for the sake
// of others.
type again struct{ error }

func (e *again) Unwrap() error { return e.error }

// mayRetry reports whether a transaction that failed so may run again.
func mayRetry(err error) bool {
	var a *again
	return errors.As(err, &a)
}

// outcomeError is ErrOutcomeUnknown with its causes, which its text does not
// tell: one of them is that of the context, if it had ended.
type outcomeError struct{ causes []error }

func unknownOutcome(ctx context.Context, err error) error {
	causes := []error{roster.ErrOutcomeUnknown, err}
	if ctx.Err() != nil {
		causes = append(causes, ctx.Err())
	}
	return &outcomeError{causes}
}

func (e *outcomeError) Error() string   { return roster.ErrOutcomeUnknown.Error() }
func (e *outcomeError) Unwrap() []error { return e.causes }

// An Error is what stands for an error of the database whose own text may hold
// values, hosts, paths or statements. That one is there for [errors.As].
type Error struct {
	Text  string
	Cause error
}

func (e *Error) Error() string { return e.Text }
func (e *Error) Unwrap() error { return e.Cause }

// fault asks the dialect, after what database/sql says itself.
func (s *Store) fault(err error) Fault {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return Fault{Kind: Down}
	}
	return s.dialect.Fault(err)
}

// failed turns an error of the driver into one of roster. q may be nil. inside
// says that it ends a transaction, writes that a statement alone is to change
// something.
func (s *Store) failed(ctx context.Context, q *Query, inside, writes bool, err error) error {
	if err == nil || isOurs(err) {
		return err
	}
	f := s.fault(err)
	switch {
	case f.Kind == Unique && f.Field != "":
		return &roster.ConflictError{Field: f.Field}
	case f.Kind == Foreign && q != nil && q.foreign != "":
		return &roster.ConflictError{Field: q.foreign}
	case f.Kind == Foreign: // a table of the host
		return &roster.ConflictError{Field: roster.FieldReferenced}
	case f.Kind == Check && f.Field != "":
		return &roster.InvalidError{Field: f.Field, Reason: roster.ReasonEmpty}
	case f.Kind == Check && q != nil && q.foreign == roster.FieldModel:
		return &roster.InvalidError{Field: roster.FieldModel, Reason: roster.ReasonUnknown}
	case f.Lost && writes && !inside:
		return unknownOutcome(ctx, err)
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, sql.ErrTxDone):
		return roster.ErrTxDone
	}
	switch f.Kind {
	case Again, Stale:
		if inside {
			err = &again{err}
		}
		return &roster.UnavailableError{What: roster.UnavailableBusy, Cause: err}
	case Locked:
		return &roster.UnavailableError{What: roster.UnavailableBusy, Cause: err}
	case Down:
		return &roster.UnavailableError{What: roster.UnavailableDatabase, Cause: err}
	case ReadOnly:
		return &roster.UnavailableError{What: roster.UnavailableReadOnly, Cause: err}
	case Aborted:
		return roster.ErrTxAborted
	case Unmigrated:
		return &Error{s.dialect.Name + ": tables or columns are missing: call Migrate", &roster.UnavailableError{
			What: roster.UnavailableDatabase, Cause: err,
		}}
	default:
		if s.isClosed() {
			return &roster.UnavailableError{What: roster.UnavailableDatabase, Cause: err}
		}
		return &Error{s.dialect.Name + ": unexpected answer of the database, code " + f.Code, err}
	}
}

// isOurs reports whether err was made here, so that it is told as it is.
func isOurs(err error) bool {
	for _, ours := range []error{
		roster.ErrTxDone, roster.ErrTxAborted, roster.ErrUnavailable, roster.ErrOutcomeUnknown,
		roster.ErrNotFound, roster.ErrConflict, roster.ErrStale, roster.ErrInvalid,
	} {
		if errors.Is(err, ours) {
			return true
		}
	}
	var e *Error
	return errors.As(err, &e)
}
