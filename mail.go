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
	// primary now. It carries a code for [Users.UndoChange], unless the change
	// itself undoes one.
	MailEmailChanged MailKind = "email_changed"

	// MailEmailRemoved tells an address that it was removed from an account. It
	// carries an undo code if the address was the primary one until lately.
	MailEmailRemoved MailKind = "email_removed"

	// MailPasswordChanged tells the primary address that the password was set,
	// changed or removed, or that a directory has it now. It carries an undo code, unless
	// the user belongs to a directory; then Mail.Emails is empty, too.
	MailPasswordChanged MailKind = "password_changed"

	// MailInvitation carries the code by which somebody who was invited proves
	// the address and chooses a password. [Users.Invite] sends it.
	MailInvitation MailKind = "invitation"

	// MailGeneratedPassword tells the primary address that a password was made
	// for the account, which somebody will hand over. It does not hold the
	// password. It carries an undo code.
	MailGeneratedPassword MailKind = "generated_password"

	// MailMustChangePassword tells the primary address that the password has to
	// be changed at the next sign-in.
	MailMustChangePassword MailKind = "must_change_password"

	// MailIdentityLinked tells the primary address that an outside identity can be
	// used to sign in from now on, MailIdentityUnlinked that one no longer can. They
	// carry an undo code.
	MailIdentityLinked   MailKind = "identity_linked"
	MailIdentityUnlinked MailKind = "identity_unlinked"

	// MailNewSignIn tells the primary address of a sign-in from a network (of IPv4
	// a /24, of IPv6 a /48) that is not among those of the user's last 500 sign-ins
	// within 90 days, as far as Options.EventKeep keeps them: never of the first one,
	// nor where the context has no client ([WithClient]), and three times a day at
	// most. Options.NoSignInNotices switches it off.
	MailNewSignIn MailKind = "new_sign_in"

	// MailSignInAfterFailures tells the primary address of a sign-in that came
	// after many that failed.
	MailSignInAfterFailures MailKind = "sign_in_after_failures"
)

// MailKinds returns every kind of mail there is, for who has a text for each.
func MailKinds() []MailKind {
	return []MailKind{
		MailActivateAccount, MailActivateEmail, MailChangeEmail, MailResetPassword, MailAddressTaken,
		MailEmailChanged, MailEmailRemoved, MailPasswordChanged, MailInvitation, MailGeneratedPassword,
		MailMustChangePassword, MailIdentityLinked, MailIdentityUnlinked, MailNewSignIn, MailSignInAfterFailures,
	}
}

// IsNotice reports whether a mail of the kind tells somebody what has happened
// to their account. Its code, if there is one, is an undo code.
func (k MailKind) IsNotice() bool {
	switch k {
	case MailEmailChanged, MailEmailRemoved, MailPasswordChanged, MailGeneratedPassword, MailMustChangePassword,
		MailIdentityLinked, MailIdentityUnlinked, MailNewSignIn, MailSignInAfterFailures:
		return true
	}
	return false
}

// Mail is what roster wants to tell somebody. How it reads is the Mailer's
// business.
type Mail struct {
	Kind   MailKind
	User   *User  // a copy: whom it concerns
	To     string // the address as it is stored; a domain that is not ASCII is encoded
	Locale string // BCP 47 tag of the recipient; empty is unknown

	// Code is empty where the kind has none, or this mail has none. Link is the
	// code in Options.ActivationURL (activate_account, activate_email,
	// change_email, invitation), ResetURL (reset_password) or UndoURL (the
	// notices); empty without one.
	Code Secret
	Link Secret

	// ExpiresAt is when the code is not good any more. In MailMustChangePassword
	// it is when the password is not, zero for never.
	ExpiresAt time.Time

	// Of a notice ([MailKind.IsNotice]) only:
	At       time.Time // when it happened
	Client   Client    // from where, if the context said so
	Failures int       // how many sign-ins failed before, in MailSignInAfterFailures
	Emails   []string  // the addresses that can reset the password, in MailPasswordChanged
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
	m := Mail{Kind: kind, User: u, To: e.mailbox(), Locale: u.Locale}
	if kind.IsNotice() {
		m.At, m.Client = us.now(), ClientFrom(ctx)
	}
	return us.send(ctx, m)
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
