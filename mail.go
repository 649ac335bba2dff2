package roster

import (
	"context"
	"time"
)

// MailKind says why a mail is sent.
type MailKind string

// The kinds of mail.
const (
	// MailActivateAccount carries the code that activates a new account.
	MailActivateAccount MailKind = "activate_account"

	// MailActivateEmail carries the code that activates one more address.
	MailActivateEmail MailKind = "activate_email"

	// MailChangeEmail carries the code that activates an address and makes it
	// the primary one.
	MailChangeEmail MailKind = "change_email"

	// MailResetPassword carries the code that sets a new password.
	MailResetPassword MailKind = "reset_password"

	// MailAddressTaken goes to the owner of an address that somebody else tried
	// to sign up with or to add. It carries no code.
	MailAddressTaken MailKind = "address_taken"

	// MailEmailChanged tells the former primary address that another one is
	// primary now.
	MailEmailChanged MailKind = "email_changed"

	// MailEmailRemoved tells an address that it was removed from an account.
	MailEmailRemoved MailKind = "email_removed"

	// MailPasswordChanged tells the primary address of a new password.
	MailPasswordChanged MailKind = "password_changed"
)

// Mail is what roster wants to tell somebody. How it reads is the Mailer's
// business.
type Mail struct {
	Kind      MailKind
	User      *User     // a copy: whom it concerns
	To        string    // the address as it is stored; a domain that is not ASCII is encoded
	Code      Secret    // empty where the kind has none
	Link      Secret    // the code in Options.ActivationURL or ResetURL; empty without one
	ExpiresAt time.Time // of the code
	Locale    string    // BCP 47 tag of the recipient; empty is unknown
}

// Mailer sends mails. Send is called inside the transaction that causes the
// mail, which may still fail or run again: it should hold the sending back with
// [AfterCommit]; an error rolls the cause back. It must be safe for
// concurrent use, and ready to be called again for a transaction that is run
// again.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

// MailerFunc is a function as a [Mailer].
type MailerFunc func(ctx context.Context, m Mail) error

// Send calls f.
func (f MailerFunc) Send(ctx context.Context, m Mail) error { return f(ctx, m) }

// tellOwner mails the owner of an address that somebody else named as theirs.
func (us *Users) tellOwner(ctx context.Context, taken *UserEmail) error {
	m, err := us.store.UserByID(ctx, taken.UserID)
	if err != nil {
		return ignore(err, ErrNotFound) // gone meanwhile
	}
	return us.notify(ctx, MailAddressTaken, m.RosterUser(), taken)
}

// notify sends a mail without a code.
func (us *Users) notify(ctx context.Context, kind MailKind, u *User, e *UserEmail) error {
	return us.send(ctx, Mail{Kind: kind, User: u, To: e.mailbox(), Locale: u.Locale})
}

// send hands a mail to the Mailer, with a copy of the user.
func (us *Users) send(ctx context.Context, m Mail) error {
	if us.opts.Mailer == nil {
		return nil
	}
	u := *m.User
	u.Row = Row{}
	m.User = &u
	if err := us.opts.Mailer.Send(ctx, m); err != nil {
		return &mailError{m.Kind, err}
	}
	return nil
}

// mailError is an error of the Mailer.
type mailError struct {
	kind MailKind
	err  error
}

func (e *mailError) Error() string { return "mail " + string(e.kind) + " was not taken" }
func (e *mailError) Unwrap() error { return e.err }
