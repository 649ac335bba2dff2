package roster

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// lookUp finds a code that is still good for one of the purposes, and the
// address it was sent to, without redeeming it.
func (us *Users) lookUp(ctx context.Context, code string, now time.Time, purposes ...Purpose) (*Activation, *UserEmail, error) {
	hash, ok := hashCode(code)
	if !ok {
		return nil, nil, us.dead("malformed")
	}
	a, err := us.store.ActivationByHash(ctx, hash)
	if err != nil {
		return nil, nil, us.deadIf(err, ErrNotFound, "unknown")
	}
	switch {
	case !now.Before(a.ExpiresAt):
		return nil, nil, us.dead("expired")
	case !slices.Contains(purposes, a.Purpose):
		return nil, nil, us.dead("wrong purpose")
	}
	e, err := us.emailOf(ctx, a.UserID, a.EmailID)
	if err != nil {
		return nil, nil, us.deadIf(err, ErrNotFound, "address gone")
	}
	return a, e, nil
}

// redeem uses a code up, in the transaction of ctx, and runs fn for what it is
// good for: the user is enabled and locked, and so are the claims on the
// address.
func (us *Users) redeem(
	ctx context.Context,
	code string,
	fn func(ctx context.Context, m Model, a *Activation, e *UserEmail, now time.Time) error,
	purposes ...Purpose,
) error {
	now := us.now()
	a, e, err := us.lookUp(ctx, code, now, purposes...)
	if err != nil {
		return err
	}
	m, err := us.lockClaimants(ctx, a.UserID, e.AddressKey)
	if err != nil {
		return us.deadIf(err, ErrNotFound, "no such user")
	}
	if u := bind(m); u.IsDeleted() || !u.Enabled {
		return us.dead("no such user")
	}
	// In one statement: what was found above may be gone by now.
	if _, err := us.store.RedeemActivation(ctx, a.Hash, now, a.Purpose); err != nil {
		return us.deadIf(err, ErrNotFound, "used")
	}
	if e, err = us.emailOf(ctx, a.UserID, a.EmailID); err != nil {
		return us.deadIf(err, ErrNotFound, "address gone")
	}
	return us.deadIf(fn(ctx, m, a, e, now), ErrConflict, "address taken")
}

// dead is the one answer to a code that is no good. The reason is for the
// operator.
func (us *Users) dead(reason string) error {
	us.opts.Logger.Info("activation refused", slog.String("reason", reason))
	return ErrActivation
}

// deadIf is dead for an err that is target, and err else.
func (us *Users) deadIf(err, target error, reason string) error {
	if errors.Is(err, target) {
		return us.dead(reason)
	}
	return err
}

// lockClaimants locks everybody who claims an address, in the order of their
// IDs, so that two of them who prove it at once do not wait for each other in a
// circle. It returns the one in question, or ErrNotFound.
func (us *Users) lockClaimants(ctx context.Context, id UserID, key string) (Model, error) {
	claims, err := us.store.EmailsByKey(ctx, key)
	if err != nil {
		return nil, err
	}
	ids := []UserID{id}
	for _, c := range claims {
		ids = append(ids, c.UserID)
	}
	slices.Sort(ids)
	var found Model
	for _, claimant := range slices.Compact(ids) {
		m, err := us.store.LockUser(ctx, claimant)
		switch {
		case errors.Is(err, ErrNotFound):
			continue // gone meanwhile
		case err != nil:
			return nil, err
		case claimant == id:
			found = m
		}
	}
	if found == nil {
		return nil, ErrNotFound
	}
	return found, nil
}

// takenByOther reports whether somebody else has activated the address of e.
func takenByOther(claims []*UserEmail, e *UserEmail) bool {
	return slices.ContainsFunc(claims, func(c *UserEmail) bool {
		return c.UserID != e.UserID && c.IsActivated()
	})
}

// prove takes for proven that the address e belongs to the user m: it activates
// both, drops the claims of others, and sees to it that the primary address is
// an activated one; e itself, if primary is set. A ConflictError says that
// somebody else was quicker.
func (us *Users) prove(ctx context.Context, m Model, e *UserEmail, primary bool, now time.Time) error {
	claims, err := us.store.LockEmails(ctx, e.AddressKey)
	if err != nil {
		return err
	}
	if takenByOther(claims, e) {
		return &ConflictError{FieldEmail}
	}
	if !e.IsActivated() {
		if err := us.store.ActivateEmail(ctx, e.ID, now); err != nil {
			return err
		}
		e.ActivatedAt = now
	}
	for _, rival := range claims {
		if rival.UserID == e.UserID {
			continue
		}
		if err := us.dropClaim(ctx, rival); err != nil {
			return err
		}
	}
	if _, err := us.store.VoidActivations(ctx, e.UserID, e.ID); err != nil {
		return err
	}
	u := m.RosterUser()
	first := !u.IsActivated()
	if first {
		u.ActivatedAt, u.UpdatedAt = now, now
	}
	switch {
	case primary && !e.Primary:
		return us.movePrimary(ctx, m, e, now) // writes the user
	case !e.Primary:
		emails, err := us.store.EmailsOf(ctx, e.UserID)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(emails, func(e *UserEmail) bool { return e.Primary && e.IsActivated() }) {
			if err := us.markPrimary(ctx, e); err != nil {
				return err
			}
		}
	}
	if first {
		return us.update(ctx, m)
	}
	return nil
}

// dropClaim removes a claim that has lost.
func (us *Users) dropClaim(ctx context.Context, rival *UserEmail) error {
	if _, err := us.store.DeleteEmails(ctx, rival.ID); err != nil {
		return err
	}
	if rival.Primary {
		return us.promote(ctx, rival.UserID)
	}
	return nil
}

// sendCode makes a code for an address and mails it. Older codes for it are
// void: a new password's by a new password's, a proof's by a proof's.
func (us *Users) sendCode(ctx context.Context, u *User, e *UserEmail, purpose Purpose, now time.Time) error {
	older := []Purpose{PurposeActivate, PurposeChangeEmail}
	if purpose == PurposeResetPassword {
		older = []Purpose{PurposeResetPassword}
	}
	if _, err := us.store.VoidActivations(ctx, u.ID, e.ID, older...); err != nil {
		return err
	}
	code := newCode()
	hash, _ := hashCode(code.Reveal())
	mail := Mail{Kind: MailActivateEmail, User: u, To: e.Address, Locale: u.Locale, Code: code}
	ttl, link := us.opts.ActivationTTL, us.opts.ActivationURL
	switch {
	case purpose == PurposeChangeEmail:
		mail.Kind = MailChangeEmail
	case purpose == PurposeResetPassword:
		mail.Kind, ttl, link = MailResetPassword, us.opts.ResetTTL, us.opts.ResetURL
	case !u.IsActivated():
		mail.Kind = MailActivateAccount
	}
	mail.ExpiresAt = now.Add(ttl)
	if link != "" {
		mail.Link = NewSecret(strings.Replace(link, codePlaceholder, code.Reveal(), 1))
	}
	err := us.store.InsertActivation(ctx, &Activation{
		Hash: hash, Purpose: purpose, UserID: u.ID, EmailID: e.ID, CreatedAt: now, ExpiresAt: mail.ExpiresAt,
	})
	if err != nil {
		return err
	}
	return us.send(ctx, mail)
}

// tellOwner mails the owner of an address that somebody else named as theirs.
func (us *Users) tellOwner(ctx context.Context, taken *UserEmail) error {
	m, err := us.store.UserByID(ctx, taken.UserID)
	if err != nil {
		return err
	}
	return us.notify(ctx, MailAddressTaken, m.RosterUser(), taken)
}

// notify sends a mail without a code.
func (us *Users) notify(ctx context.Context, kind MailKind, u *User, e *UserEmail) error {
	return us.send(ctx, Mail{Kind: kind, User: u, To: e.Address, Locale: u.Locale})
}

// send hands a mail to the Mailer, with a copy of the user.
func (us *Users) send(ctx context.Context, m Mail) error {
	if us.opts.Mailer == nil {
		return nil
	}
	u := *m.User
	u.Row = Row{}
	m.User = &u
	return us.opts.Mailer.Send(ctx, m)
}
