package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/bunstore"
)

// conflicts are the fields of unique indices.
var conflicts = map[string]string{
	"users_name":       roster.FieldName,
	"users_uuid":       roster.FieldUUID,
	"emails_own":       roster.FieldEmail,
	"emails_active":    roster.FieldEmail,
	"emails_primary":   roster.FieldPrimary,
	"activations_pkey": roster.FieldID,
	"undos_pkey":       roster.FieldID,
	"groups_name":      roster.FieldName,
	"groups_uuid":      roster.FieldUUID,
	"sessions_pkey":    roster.FieldID,
	"sessions_user":    roster.FieldID,
	"identities_pkey":  roster.FieldSubject,
}

// fault says what an error of the driver means.
func (srv *server) fault(err error) bunstore.Fault {
	var connect *pgconn.ConnectError
	connecting := errors.As(err, &connect)
	var e *pgconn.PgError
	if errors.As(err, &e) {
		f := bunstore.Fault{Code: e.Code, Kind: kind(e)}
		switch f.Kind {
		case bunstore.Unique:
			f.Field = srv.field(e)
		case bunstore.Check:
			if srv.hosts(e) {
				f.Field = e.ColumnName
			}
		case bunstore.Stale:
			if e.Code != cannotReplan {
				srv.unprepared.Store(true)
			}
		case bunstore.Down: // who hangs up may have done what was asked
			f.Lost = !connecting && (e.SeverityUnlocalized == "FATAL" || e.SeverityUnlocalized == "PANIC")
		}
		return f
	}
	var network net.Error
	switch {
	case errors.Is(err, pgx.ErrTxCommitRollback):
		return bunstore.Fault{Kind: bunstore.Aborted}
	case errors.Is(err, pgconn.ErrConnClosed): // also if the answer to a commit was the end of the connection
		return bunstore.Fault{Kind: bunstore.Down, Lost: true}
	case connecting:
		return bunstore.Fault{Kind: bunstore.Down}
	case pgconn.SafeToRetry(err):
		return bunstore.Fault{Kind: bunstore.Down, Unsent: true}
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed), errors.Is(err, context.DeadlineExceeded):
		return bunstore.Fault{Kind: bunstore.Down, Lost: true}
	}
	return bunstore.Fault{Code: "none"}
}

// hosts reports whether the table is one that the host may have added columns to.
func (srv *server) hosts(e *pgconn.PgError) bool {
	return e.TableName == srv.prefix+"users" || e.TableName == srv.prefix+"groups"
}

// field is what the columns of a unique index are called. Those of a user or group that
// are not roster's own are the host's, and have their own name: it stands before
// the values, in every language.
func (srv *server) field(e *pgconn.PgError) string {
	if field := conflicts[strings.TrimPrefix(e.ConstraintName, srv.prefix)]; field != "" || !srv.hosts(e) {
		return field
	}
	_, columns, _ := strings.Cut(e.Detail, "(")
	columns, _, _ = strings.Cut(columns, ")=(")
	first, _, _ := strings.Cut(columns, ", ")
	return strings.Trim(first, `"`)
}

// cannotReplan is the code for a cached plan whose result has another type now,
// among other things.
const cannotReplan = "0A000"

// kind tells by the code.
func kind(e *pgconn.PgError) bunstore.Kind {
	switch e.Code {
	case "23505":
		return bunstore.Unique
	case "23503", "23001": // foreign_key_violation, restrict_violation since PostgreSQL 18
		return bunstore.Foreign
	case "23502", "23514": // not_null_violation, check_violation
		return bunstore.Check
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return bunstore.Again
	case "26000", "42P05": // a pooler lent another session, which does not know the statement, or knows it already
		return bunstore.Stale
	case cannotReplan:
		if e.Routine == "RevalidateCachedQuery" {
			return bunstore.Stale
		}
	case "55P03": // lock_not_available
		return bunstore.Locked
	case "25006": // read_only_sql_transaction
		return bunstore.ReadOnly
	case "25P02": // in_failed_sql_transaction
		return bunstore.Aborted
	case "42P01", "42703": // undefined_table, undefined_column
		return bunstore.Unmigrated
	case "3D000": // invalid_catalog_name
		return bunstore.Down
	}
	switch e.Code[:min(2, len(e.Code))] {
	case "08", "28", "53", "57", "58", "XX": // connection, authorization, resources, operator, system, internal
		return bunstore.Down
	}
	return bunstore.Unexpected
}

// failed turns an error before there is a Store into one of roster.
func (srv *server) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &roster.UnavailableError{What: roster.UnavailableDatabase, Cause: err}
}
