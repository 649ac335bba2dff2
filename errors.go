package roster

import (
	"errors"
	"fmt"
	"time"
)

// The errors that a caller may branch on with [errors.Is]. Every method's
// comment names those that it returns. Data comes in [ConflictError],
// [InvalidError], [ThrottledError] and [UnavailableError], found with
// [errors.As].
//
// No error text holds a password, a code, a hash, an address or a name.
var (
	// ErrNotFound says that there is no such row, or none that this call may see.
	ErrNotFound = errors.New("roster: not found")

	// ErrConflict says that a name or an address is taken. See [ConflictError].
	ErrConflict = errors.New("roster: conflict")

	// ErrInvalid says that an argument is malformed. See [InvalidError].
	ErrInvalid = errors.New("roster: invalid")

	// ErrCredentials is the one answer to a sign-in that is refused: unknown
	// name, wrong password, disabled, deleted and so on, each after equal work.
	ErrCredentials = errors.New("roster: wrong credentials")

	// ErrUnknownUser is how a [Directory] says that it has nobody of that name. No
	// verb returns it.
	ErrUnknownUser = errors.New("roster: unknown user")

	// ErrNotActivated says that the password was right and the account is not
	// activated yet.
	ErrNotActivated = errors.New("roster: not activated")

	// ErrMustChangePassword says that the password was right and is good for one
	// thing only: for choosing another one, see [Users.RenewPassword]. Nobody is
	// signed in.
	ErrMustChangePassword = errors.New("roster: the password must be changed")

	// ErrActivation is the one answer to a code that is unknown, used, expired
	// or meant for something else.
	ErrActivation = errors.New("roster: activation code is not valid")

	// ErrNoSession is the one answer to a token of a session that is unknown,
	// has ended or run out, or whose user cannot sign in any more.
	ErrNoSession = errors.New("roster: no session")

	// ErrForbidden says that this must not be done by who asks.
	ErrForbidden = errors.New("roster: forbidden")

	// ErrLastAdmin says that nobody would be left who can administrate. Make
	// another user a member of [GroupAdmin] first.
	ErrLastAdmin = errors.New("roster: the last administrator")

	// ErrReauthenticate is an ErrForbidden that [Users.Reauthenticate], or a new
	// sign-in, removes: it was too long ago.
	ErrReauthenticate = fmt.Errorf("%w: reauthenticate first", ErrForbidden)

	// ErrThrottled says that there were too many failures, or requests for mails,
	// and nothing was looked at. See [ThrottledError].
	ErrThrottled = errors.New("roster: throttled")

	// ErrPasswordRequired says that the code is good and that a password has to
	// come with it: see [Users.ActivateWithPassword] and [Users.ActivateWithIdentity].
	ErrPasswordRequired = errors.New("roster: a password is required")

	// ErrStale says that the row was changed since it was read.
	ErrStale = errors.New("roster: stale")

	// ErrBusy says that so many passwords wait to be hashed that this one was
	// not even begun. Try again in some seconds. See Options.HashMemory.
	ErrBusy = errors.New("roster: busy")

	// ErrUnavailable says that something outside does not answer, as it should,
	// in time. See [UnavailableError].
	ErrUnavailable = errors.New("roster: unavailable")

	// ErrOutcomeUnknown says that the answer to a commit was lost: the
	// transaction may have taken effect or not. It is never tried again.
	ErrOutcomeUnknown = errors.New("roster: outcome unknown")

	// ErrTxAborted says that an earlier call in the transaction failed, so that
	// nothing of it can be kept.
	ErrTxAborted = errors.New("roster: transaction aborted")

	// ErrTxDone says that the context belongs to a transaction that has ended.
	ErrTxDone = errors.New("roster: transaction is over")
)

// The fields that [InvalidError] and [ConflictError] name.
const (
	FieldName      = "name"
	FieldRealName  = "real_name"
	FieldEmail     = "email"
	FieldPrimary   = "primary"
	FieldPassword  = "password"
	FieldLocale    = "locale"
	FieldTimezone  = "timezone"
	FieldData      = "data"
	FieldID        = "id"
	FieldUUID      = "uuid"
	FieldUser      = "user"
	FieldPattern   = "pattern"
	FieldCursor    = "cursor"
	FieldLimit     = "limit"
	FieldFlags     = "flags"
	FieldState     = "state"
	FieldDirectory = "directory"
	FieldProvider  = "provider"
	FieldSubject   = "subject"
	FieldSource    = "source"
	FieldModel     = "model"
	FieldKind      = "kind"

	FieldGroup       = "group"
	FieldDescription = "description"
	FieldRights      = "rights"
	FieldPermission  = "permission"
	FieldMode        = "mode"
	FieldPeriod      = "period"
	FieldChange      = "change"

	// FieldReferenced is the conflict of a row that is to go with a row of the
	// host's own that needs it.
	FieldReferenced = "referenced"
)

// Reason says why a value was refused, in a form that a program can translate.
type Reason string

// The reasons of [InvalidError].
const (
	ReasonEmpty       Reason = "empty"        // nothing there, or nothing left after mapping
	ReasonTooShort    Reason = "too_short"    // fewer characters than the policy asks for
	ReasonTooLong     Reason = "too_long"     // over the limit, in bytes or characters
	ReasonEncoding    Reason = "encoding"     // not UTF-8
	ReasonCharacter   Reason = "character"    // a character that is not allowed (here)
	ReasonReserved    Reason = "reserved"     // kept for the system
	ReasonConfusable  Reason = "confusable"   // mixes scripts, so it may pass for another
	ReasonSyntax      Reason = "syntax"       // malformed as a whole
	ReasonUnknown     Reason = "unknown"      // no such thing, a time zone say
	ReasonNotPositive Reason = "not_positive" // zero or negative where an ID is needed
	ReasonReadOnly    Reason = "read_only"    // may not be changed in this way
	ReasonNotActive   Reason = "not_active"   // must be activated first
	ReasonUnchanged   Reason = "unchanged"    // the same as before
	ReasonCommon      Reason = "common"       // a password that many people have
	ReasonContext     Reason = "context"      // a password to be expected: name, address, service
	ReasonBreached    Reason = "breached"     // a password that is known from a breach
	ReasonRefused     Reason = "refused"      // a password that the user's directory does not take
	ReasonRange       Reason = "range"        // a number or time that no store can keep
)

// InvalidError names one field that was refused, and why. It never carries the
// value. Several at once come joined, see [InvalidFields].
type InvalidError struct {
	Field  string
	Reason Reason
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("roster: invalid %s: %s", e.Field, e.Reason)
}

// Is makes an InvalidError an [ErrInvalid].
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

func invalid(field string, reason Reason) error { return &InvalidError{field, reason} }

// InvalidFields lists every [InvalidError] in the tree of err, in the order of
// the fields that were checked. It is nil if there is none.
func InvalidFields(err error) []*InvalidError {
	switch e := err.(type) {
	case nil:
		return nil
	case *InvalidError:
		return []*InvalidError{e}
	case interface{ Unwrap() []error }:
		var all []*InvalidError
		for _, err := range e.Unwrap() {
			all = append(all, InvalidFields(err)...)
		}
		return all
	default:
		return InvalidFields(errors.Unwrap(err))
	}
}

// ConflictError names the field whose value is taken: [FieldName],
// [FieldEmail], [FieldPrimary] and so on; or, of a store that was asked to add
// to a user or address that is not there, [FieldUser] and [FieldEmail]; or, of
// what rows of the host refer to, [FieldReferenced]. It never carries the value.
type ConflictError struct {
	Field string
}

func (e *ConflictError) Error() string { return "roster: conflict: " + e.Field }

// Is makes a ConflictError an [ErrConflict].
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// ThrottledError says how long to wait. It is the same whether there is such an
// account or not. See [Limits].
type ThrottledError struct {
	RetryAfter time.Duration // more than zero; trying before is in vain, and costs nothing
}

func (e *ThrottledError) Error() string {
	return fmt.Sprintf("roster: throttled for %s", e.RetryAfter.Round(time.Second))
}

// Is makes a ThrottledError an [ErrThrottled].
func (e *ThrottledError) Is(target error) bool { return target == ErrThrottled }

// What an [UnavailableError] names.
const (
	UnavailableDatabase  = "database"  // down, slow, full, broken
	UnavailableReadOnly  = "read_only" // the database can be read, and not written to
	UnavailableBusy      = "busy"      // another writer held the lock of the database for too long
	UnavailableLimiter   = "limiter"   // Options.Limiter has failed
	UnavailableDirectory = "directory" // a [Directory] has failed
	UnavailableBreaches  = "breaches"  // Policy.Breached has failed, and is not optional
	UnavailableHook      = "hook"      // Options.OnEvent has panicked, or did not return in time

	// UnavailablePepper is that a stored hash needs a key that Options.Hasher was
	// not given: a pepper, most often. No password can be told right or wrong without it.
	UnavailablePepper = "pepper"
)

// UnavailableError says what does not answer. Its text names no host, path or
// statement; the cause is there for the host's own log with [errors.Unwrap].
type UnavailableError struct {
	What  string
	Cause error
}

func (e *UnavailableError) Error() string { return "roster: unavailable: " + e.What }

// Is makes an UnavailableError an [ErrUnavailable].
func (e *UnavailableError) Is(target error) bool { return target == ErrUnavailable }

// Unwrap returns the cause, which may be nil.
func (e *UnavailableError) Unwrap() error { return e.Cause }
