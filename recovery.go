package roster

import (
	"context"
	"time"
)

// RequestPasswordReset sends a code for a new password to somebody who has
// forgotten the old one, which stays good. login is a name or an activated
// address; the code goes to that address, or to the primary one. An account
// that was never activated gets it at the address it has claimed.
//
// Whether there is such an account is not told, not even by a Mailer that fails,
// a database that can only be read or is busy for too long, nor by
// Limits.AddressMails: the answer is nil, and what failed is in the log. It takes
// a little longer if there is an account, by what is written then; a program that
// minds answers the request first and calls this after it, for whatever login. A
// source that asks too often gets a [ThrottledError], see Limits.SourceMails.
// Users of a directory, and whoever cannot sign in for a reason other than the
// missing activation, get no code.
func (us *Users) RequestPasswordReset(ctx context.Context, login string) error {
	const verb = "request password reset"
	if err := us.ask(ctx, "RequestPasswordReset"); err != nil {
		return wrap(verb, 0, err)
	}
	return wrap(verb, 0, us.sendAgain(ctx, verb, login, mailsOfResets, func(ctx context.Context, u *User, e *UserEmail) error {
		if u.DirectoryID != "" || u.IsActivated() && !e.IsActivated() {
			return nil
		}
		return us.sendCode(ctx, u, e, PurposeResetPassword, us.now())
	}))
}

// ResetPassword redeems a code of [Users.RequestPasswordReset]: it sets the
// password and, since the code proves the address, activates the address and
// the account if they are not. If it is the first proof of an address, the other
// addresses that the account claims are dropped. Sessions end, every other code of the user is
// void, and the primary address is told. Nobody is signed in by it.
//
// It returns an [InvalidError] of [FieldPassword], which leaves the code good,
// or ErrActivation if the code is unknown, used, expired, void or meant for
// something else; and ErrThrottled as [Users.Peek].
func (us *Users) ResetPassword(ctx context.Context, code, password string) (*User, error) {
	var u *User
	err := us.tryCode(ctx, "ResetPassword", func() (err error) {
		u, err = us.resetPassword(ctx, code, password)
		return err
	})
	return u, wrap("reset password", 0, err)
}

func (us *Users) resetPassword(ctx context.Context, code, password string) (u *User, err error) {
	prepared, err := us.newPassword(ctx, password, func() (*User, error) { // before the work of hashing
		a, _, err := us.lookUp(ctx, code, us.now(), PurposeResetPassword)
		if err != nil {
			return nil, err
		}
		m, err := us.store.UserByID(ctx, a.UserID)
		if err != nil {
			return nil, us.deadIf(ctx, err, ErrNotFound, "no such user")
		}
		return m.RosterUser(), nil
	})
	if err != nil {
		return nil, err
	}
	hash, err := us.hash(ctx, prepared)
	if err != nil {
		return nil, err
	}
	err = us.store.Atomic(ctx, func(ctx context.Context) error {
		anybody := func(context.Context, Model, *Activation) error { return nil }
		return us.redeem(ctx, code, anybody, func(ctx context.Context, m Model, _ *Activation, p proof, now time.Time) error {
			u = m.RosterUser()
			if err := us.dropUnproven(ctx, p.email); err != nil {
				return err
			}
			if err := us.prove(ctx, m, p, false, now); err != nil {
				return err
			}
			c := &Credential{UserID: u.ID, Hash: NewSecret(hash), CreatedAt: now}
			return us.writePassword(ctx, m, c, MailPasswordChanged, p.email.AddressKey, now)
		}, PurposeResetPassword)
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}
