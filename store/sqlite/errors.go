package sqlite

import (
	"errors"
	"strconv"
	"strings"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/bunstore"
)

// conflicts are the fields of unique indices. SQLite names their columns, and
// only in the text of the error.
var conflicts = map[string]string{
	"users.name_key":                          roster.FieldName,
	"users.uuid":                              roster.FieldUUID,
	"emails.user_id, emails.address_key":      roster.FieldEmail,
	"emails.address_key":                      roster.FieldEmail,
	"emails.user_id":                          roster.FieldPrimary,
	"activations.hash":                        roster.FieldID,
	"undos.hash":                              roster.FieldID,
	"sessions.hash":                           roster.FieldID,
	"sessions.user_id, sessions.id":           roster.FieldID,
	"groups.name_key":                         roster.FieldName,
	"groups.uuid":                             roster.FieldUUID,
	"identities.provider, identities.subject": roster.FieldSubject,
}

// faults returns what an error of the driver means.
func faults(prefix string) func(error) bunstore.Fault {
	return func(err error) bunstore.Fault {
		var e *sqlite.Error
		if !errors.As(err, &e) {
			return bunstore.Fault{Code: "none"}
		}
		f := bunstore.Fault{Code: strconv.Itoa(e.Code())}
		switch e.Code() {
		case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY, lib.SQLITE_CONSTRAINT_ROWID:
			f.Kind, f.Field = bunstore.Unique, field(columns(e.Error(), "UNIQUE", prefix))
			return f
		case lib.SQLITE_CONSTRAINT_NOTNULL:
			f.Kind, f.Field = bunstore.Check, field(columns(e.Error(), "NOT NULL", prefix))
			return f
		case lib.SQLITE_CONSTRAINT_CHECK:
			f.Kind = bunstore.Check
			return f
		case lib.SQLITE_CONSTRAINT_FOREIGNKEY:
			f.Kind = bunstore.Foreign
			return f
		case lib.SQLITE_CONSTRAINT_TRIGGER: // ON DELETE RESTRICT is one
			if strings.Contains(e.Error(), "FOREIGN KEY constraint failed") {
				f.Kind = bunstore.Foreign
				return f
			}
		}
		switch e.Code() & 0xff {
		case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_PROTOCOL:
			f.Kind = bunstore.Again
		case lib.SQLITE_READONLY:
			f.Kind = bunstore.ReadOnly
		case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_CANTOPEN, lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB,
			lib.SQLITE_NOMEM, lib.SQLITE_PERM, lib.SQLITE_AUTH, lib.SQLITE_NOLFS, lib.SQLITE_FORMAT:
			f.Kind = bunstore.Down
		case lib.SQLITE_ERROR:
			if text := e.Error(); strings.Contains(text, "no such table: "+prefix) || strings.Contains(text, "no such column: ") ||
				strings.Contains(text, "has no column named ") || strings.Contains(text, "no such index: "+prefix) {
				f.Kind = bunstore.Unmigrated
			}
		}
		return f
	}
}

// field is what the columns of a constraint are called. Those of a user or group that
// are not roster's own are the host's, and have their own name.
func field(columns string) string {
	if name := conflicts[columns]; name != "" {
		return name
	}
	first, _, _ := strings.Cut(columns, ", ")
	if table, name, _ := strings.Cut(first, "."); table == "users" || table == "groups" {
		return name
	}
	return ""
}

// columns returns the columns that the text of an error names, without the
// prefix of their table.
func columns(text, constraint, prefix string) string {
	_, text, _ = strings.Cut(text, constraint+" constraint failed: ")
	text, _, _ = strings.Cut(text, " (")
	names := strings.Split(text, ", ")
	for i, name := range names {
		names[i] = strings.TrimPrefix(name, prefix)
	}
	return strings.Join(names, ", ")
}
