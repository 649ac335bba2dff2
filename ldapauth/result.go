package ldapauth

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/go-roster/roster"
)

// What an [roster.UnavailableError] of this package names.
const (
	UnavailableLDAP        = "ldap"         // no server answers as it should
	UnavailableLDAPTLS     = "ldap_tls"     // there is no safe connection to any
	UnavailableLDAPService = "ldap_service" // the service account is refused
)

// Stage is how far something had come when it failed.
type Stage string

// The stages, in their order.
const (
	StageDial     Stage = "dial"
	StageTLS      Stage = "tls"
	StageStartTLS Stage = "starttls"
	StageService  Stage = "service" // binding as the service account
	StageSearch   Stage = "search"
	StageBind     Stage = "bind" // with the password of a person
	StageWhoAmI   Stage = "whoami"
	StageEntry    Stage = "entry" // making sense of it
	StageGroups   Stage = "groups"
	StagePassword Stage = "password" // changing it
)

// Reason says why something failed that has no result code.
type Reason string

// The reasons of an [Error].
const (
	ReasonTimeout    Reason = "timeout"    // it took too long
	ReasonLost       Reason = "lost"       // the connection did not come about, or has ended
	ReasonPool       Reason = "pool"       // all connections were taken
	ReasonClosed     Reason = "closed"     // by [Directory.Close]
	ReasonTooBig     Reason = "too_big"    // see [Options].MaxMessage
	ReasonProtocol   Reason = "protocol"   // this is not LDAP as it was asked for
	ReasonReferral   Reason = "referral"   // part of the answer is at another server
	ReasonAmbiguous  Reason = "ambiguous"  // the name means several entries
	ReasonAnonymous  Reason = "anonymous"  // the server said yes, and does not know to whom
	ReasonOther      Reason = "other"      // the server said yes, to somebody else
	ReasonNoID       Reason = "no_id"      // the entry has no immutable ID, or it cannot be read
	ReasonNoName     Reason = "no_name"    // the entry has no name that can be used
	ReasonDisabled   Reason = "disabled"   // the password was right; see [Schema].Disabled
	ReasonDuplicate  Reason = "duplicate"  // two entries have one ID
	ReasonIncomplete Reason = "incomplete" // more values or groups than can be read
	ReasonEmpty      Reason = "empty"      // there is nobody at all
)

// Error says where something failed, and how. Its text is made of words of this
// package and numbers: what a server says may hold names.
type Error struct {
	Stage  Stage
	Code   int    // the server's result code (RFC 4511, section 4.1.9); zero if there was none
	Detail string // Active Directory's reason for the code, in hexadecimal: "52e" is a wrong password, "533" a disabled account
	Reason Reason // if there was no code

	// Cause is an error of the network, of TLS or of the context, with the addresses that
	// are in such. It may be nil.
	Cause error

	answer error // ErrCredentials or ErrUnknownUser, if that is what it means
}

func (e *Error) Error() string {
	text := "ldapauth: " + string(e.Stage)
	if e.Code != 0 {
		text += fmt.Sprintf(": result %d", e.Code)
	}
	if e.Detail != "" {
		text += " (" + e.Detail + ")"
	}
	if e.Reason != "" {
		text += ": " + string(e.Reason)
	}
	return text
}

// Is makes an Error that says no to somebody an [roster.ErrCredentials], or a
// [roster.ErrUnknownUser].
func (e *Error) Is(target error) bool { return e.answer != nil && target == e.answer }

// Unwrap returns the cause, which may be nil.
func (e *Error) Unwrap() error { return e.Cause }

// refused is the answer to a password that is no good.
func refused(e *Error) error {
	e.answer = roster.ErrCredentials
	return e
}

// unavailable makes an Error the outage that it is. What the caller has
// given up is none.
func unavailable(ctx context.Context, e *Error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		e.Cause = ctx.Err()
		return e
	}
	what := UnavailableLDAP
	switch e.Stage {
	case StageTLS, StageStartTLS:
		what = UnavailableLDAPTLS
	case StageService:
		if e.Code != 0 && !busy(e.Code) {
			what = UnavailableLDAPService
		}
	}
	return &roster.UnavailableError{What: what, Cause: e}
}

// The result codes that mean something here (RFC 4511, appendix A).
const (
	codeSizeLimit       = ldap.LDAPResultSizeLimitExceeded
	codeReferral        = ldap.LDAPResultReferral
	codeConstraint      = ldap.LDAPResultConstraintViolation
	codeNoSuchObject    = ldap.LDAPResultNoSuchObject
	codeInappropriate   = ldap.LDAPResultInappropriateAuthentication
	codeCredentials     = ldap.LDAPResultInvalidCredentials
	codeBusy            = ldap.LDAPResultBusy
	codeUnavailable     = ldap.LDAPResultUnavailable
	codeUnwilling       = ldap.LDAPResultUnwillingToPerform
	codeInvalidDNSyntax = ldap.LDAPResultInvalidDNSyntax
)

// refusesBind reports whether the code, as the answer to a bind with a person's
// password, speaks of the person: wrong password, no such entry, an entry without a
// password (389 Directory Server answers 48), locked, disabled or expired. Everything
// else says that the server, or the way to it, is out of order.
func refusesBind(code int) bool {
	switch code {
	case codeCredentials, codeNoSuchObject, codeInappropriate, codeConstraint, codeUnwilling:
		return true
	}
	return false
}

// busy reports whether another server may well answer.
func busy(code int) bool { return code == codeBusy || code == codeUnavailable }

// failed makes an Error of what a request on the connection has come to. It keeps
// nothing of the text, in which the server may have put anything.
func (c *conn) failed(ctx context.Context, stage Stage, err error) *Error {
	e := &Error{Stage: stage}
	broken := c.wire.err()
	said, _ := errors.AsType[*ldap.Error](err)
	last := c.wire.last.Load()
	switch {
	case said != nil && last != 0 && uint32(said.ResultCode) == last: // it may have hung up since
		e.Code, e.Detail = int(last), detail(said)
	case ctx.Err() != nil:
		e.Reason, e.Cause = ReasonTimeout, ctx.Err()
	case errors.Is(broken, errTooBig):
		e.Reason = ReasonTooBig
	case errors.Is(broken, errMalformed), errors.Is(broken, errUnasked), broken == nil && !c.ldap.IsClosing():
		e.Reason = ReasonProtocol
	default:
		e.Reason, e.Cause = ReasonLost, broken
	}
	return e
}

// data is how Active Directory says more: "80090308: LdapErr: DSID-0C090447,
// comment: AcceptSecurityContext error, data 52e, v3839".
var data = regexp.MustCompile(`\bdata ([0-9a-fA-F]{1,8}),`)

// leading is how it does so for a password that it does not take: "0000052D:
// Constraint violation ...".
var leading = regexp.MustCompile(`^([0-9A-F]{8}): `)

func detail(said *ldap.Error) string {
	text := fmt.Sprint(said.Err)
	for _, form := range []*regexp.Regexp{data, leading} {
		if m := form.FindStringSubmatch(text); m != nil {
			return strings.ToLower(strings.TrimLeft(m[1], "0"))
		}
	}
	return ""
}
