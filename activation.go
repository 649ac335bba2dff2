package roster

import (
	"context"
	"errors"
	"time"
)

// Purpose says what an [Activation] is good for. A code of one purpose is
// worthless for another.
type Purpose string

// The purposes.
const (
	// PurposeActivate proves an address, and activates the account with it if
	// it is not activated yet.
	PurposeActivate Purpose = "activate"

	// PurposeChangeEmail proves an address and makes it the primary one.
	PurposeChangeEmail Purpose = "change_email"

	// PurposeInvite is PurposeActivate for somebody who was invited, and has to
	// choose a password.
	PurposeInvite Purpose = "invite"

	// PurposeResetPassword sets a new password, and proves the address.
	PurposeResetPassword Purpose = "reset_password"

	// PurposeUndo undoes a change, or accepts it. An [Undo] has it, and no
	// Activation.
	PurposeUndo Purpose = "undo"
)

// Activation is a single-use secret that was sent to an address. The secret
// itself, the code, is in the mail and nowhere else; here is its SHA-256.
type Activation struct {
	Hash      string // hexadecimal SHA-256 of the code, the key of the row
	Purpose   Purpose
	UserID    UserID  // whose address it is
	EmailID   EmailID // the row of the address that the code was sent to
	CreatedAt time.Time
	ExpiresAt time.Time // valid strictly before
}

// Peeked is what a code would do.
type Peeked struct {
	Purpose   Purpose
	User      *User
	Email     *UserEmail
	ExpiresAt time.Time

	// NeedsPassword says that the page has to ask for a password: for
	// [Users.ActivateWithPassword], ResetPassword or UndoChange.
	NeedsPassword bool
}

// Peek tells what a code would do and leaves it good. It is for the page that
// the link in a mail leads to, which mail scanners open as well; the code is
// redeemed when a person then clicks there. It returns ErrActivation if the
// verb for its purpose would, and a [ThrottledError] to a source that has tried
// too many that were no good (Limits.SourceCodes), like every verb that takes a
// code.
func (us *Users) Peek(ctx context.Context, code string) (*Peeked, error) {
	var p *Peeked
	err := us.tryCode(ctx, "Peek", func() (err error) {
		p, err = us.peek(ctx, code)
		return err
	})
	return p, wrap("peek at code", 0, err)
}

func (us *Users) peek(ctx context.Context, code string) (*Peeked, error) {
	if hash, ok := hashCode(code); ok {
		switch _, err := us.store.UndoByHash(ctx, hash); {
		case err == nil:
			return us.peekUndo(ctx, code)
		case !errors.Is(err, ErrNotFound):
			return nil, err
		}
	}
	a, e, err := us.lookUp(ctx, code, us.now(), PurposeActivate, PurposeChangeEmail, PurposeInvite, PurposeResetPassword)
	if err != nil {
		return nil, err
	}
	u, err := us.byID(ctx, a.UserID)
	if err != nil {
		return nil, us.deadIf(ctx, err, ErrNotFound, "no such user")
	}
	if !u.mayLogin() {
		return nil, us.dead(ctx, "no such user")
	}
	claims, err := us.store.EmailsByKey(ctx, e.AddressKey)
	if err != nil {
		return nil, err
	}
	if takenByOther(claims, e) {
		return nil, us.dead(ctx, "address taken")
	}
	needs := a.Purpose == PurposeResetPassword
	if !needs {
		if needs, err = us.unproven(ctx, u, a); err != nil {
			return nil, err
		}
	}
	return &Peeked{a.Purpose, u, e, a.ExpiresAt, needs}, nil
}

// Activate redeems a code: the address that it was sent to is activated, and
// the account too if it is not activated yet. Other users' claims on the
// address are worth nothing from then on. A code of [Users.ChangeEmail] also makes the address the
// primary one. Nobody is signed in by it.
//
// The first proof of an address of somebody who has a password already (or was
// invited, and has none) needs that as well, since who chose it may not be who
// reads the mail: it is ErrPasswordRequired, which leaves the code good for
// [Users.ActivateWithPassword]. Options.KeepEarlyPassword waives it.
//
// It returns ErrActivation if the code is unknown, used, expired or void, if
// somebody else was quicker, or if the user is disabled, deleted, banned or
// locked; and ErrThrottled as [Users.Peek].
func (us *Users) Activate(ctx context.Context, code string) (*User, error) {
	var u *User
	err := us.tryCode(ctx, "Activate", func() (err error) {
		u, err = us.activate(ctx, code)
		return err
	})
	return u, wrap("activate", 0, err)
}

func (us *Users) activate(ctx context.Context, code string) (u *User, err error) {
	err = us.store.Atomic(ctx, func(ctx context.Context) error {
		return us.redeem(ctx, code, func(ctx context.Context, m Model, a *Activation) error {
			needs, err := us.unproven(ctx, m.RosterUser(), a)
			if err == nil && needs {
				err = ErrPasswordRequired
			}
			return err
		}, func(ctx context.Context, m Model, a *Activation, p proof, now time.Time) error {
			u = m.RosterUser()
			return us.prove(ctx, m, p, a.Purpose == PurposeChangeEmail, now)
		}, PurposeActivate, PurposeChangeEmail, PurposeInvite)
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// ResendActivation sends a new code to somebody who has signed up and waits for
// one: login is the name of the account or the address that it claims. Of an
// address that several such accounts claim each gets a code, the oldest five at
// most; the mails say for which account they are. The older codes are void.
//
// Nothing is sent for an account that is activated (its owner can call
// [Users.AddEmail] again), that cannot sign in anyway, or that was made longer
// than Options.PendingTTL ago. Whether there is such an account is not told, not
// even by what fails, as in [Users.RequestPasswordReset], nor by
// Limits.AddressMails: the answer is nil. It takes a little longer if there is
// one; a program that minds answers the request first and calls this after it. A
// source that asks too often gets a [ThrottledError], see Limits.SourceMails.
func (us *Users) ResendActivation(ctx context.Context, login string) error {
	const verb = "resend activation"
	if err := us.ask(ctx, "ResendActivation"); err != nil {
		return wrap(verb, 0, err)
	}
	return wrap(verb, 0, us.sendAgain(ctx, verb, login, mailsOfProofs, func(ctx context.Context, u *User, e *UserEmail) error {
		if u.IsActivated() {
			return nil
		}
		purpose, err := us.proofOf(ctx, u)
		if err != nil {
			return err
		}
		return us.sendCode(ctx, u, e, purpose, us.now())
	}))
}

// ignore returns err unless it is target.
func ignore(err, target error) error {
	if errors.Is(err, target) && !isVeto(err) {
		return nil
	}
	return err
}

// ActivationStore keeps the rows of activations.
type ActivationStore interface {
	// InsertActivation writes a new row. A taken hash is a [ConflictError] of
	// [FieldID], an address that is missing or not the user's one of
	// [FieldEmail].
	InsertActivation(ctx context.Context, a *Activation) error

	// ActivationByHash looks without redeeming, expired or not.
	ActivationByHash(ctx context.Context, hash string) (*Activation, error)

	// RedeemActivation deletes and returns, in one statement, the activation
	// with this hash that has one of the purposes and expires after now.
	// ErrNotFound if there is none.
	RedeemActivation(ctx context.Context, hash string, now time.Time, purposes ...Purpose) (*Activation, error)

	// VoidActivations deletes the activations of a user: all of them, or only
	// those for an address (if email is not zero) and of the purposes (if any
	// are given). It returns how many.
	VoidActivations(ctx context.Context, user UserID, email EmailID, purposes ...Purpose) (int, error)

	// PruneActivations deletes at most limit rows that expired at or before
	// now. It returns how many.
	PruneActivations(ctx context.Context, now time.Time, limit int) (int, error)
}
