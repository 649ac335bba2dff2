package roster

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// lookUp finds a code that is still good, and the address it was sent to,
// without redeeming it.
func (us *Users) lookUp(ctx context.Context, code string, now time.Time) (*Activation, *UserEmail, error) {
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
	case a.Purpose != PurposeActivate && a.Purpose != PurposeChangeEmail:
		return nil, nil, us.dead("wrong purpose")
	}
	e, err := us.emailOf(ctx, a.UserID, a.EmailID)
	if err != nil {
		return nil, nil, us.deadIf(err, ErrNotFound, "address gone")
	}
	return a, e, nil
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

// sendCode makes a code for an address and mails it. Older codes for the
// address are void.
func (us *Users) sendCode(ctx context.Context, u *User, e *UserEmail, purpose Purpose, now time.Time) error {
	if _, err := us.store.VoidActivations(ctx, u.ID, e.ID); err != nil {
		return err
	}
	code := newCode()
	hash, _ := hashCode(code.Reveal())
	a := &Activation{
		Hash: hash, Purpose: purpose, UserID: u.ID, EmailID: e.ID,
		CreatedAt: now, ExpiresAt: now.Add(us.opts.ActivationTTL),
	}
	if err := us.store.InsertActivation(ctx, a); err != nil {
		return err
	}
	mail := Mail{
		Kind: MailActivateEmail, User: u, To: e.Address, Locale: u.Locale,
		Code: code, ExpiresAt: a.ExpiresAt,
	}
	switch {
	case purpose == PurposeChangeEmail:
		mail.Kind = MailChangeEmail
	case !u.IsActivated():
		mail.Kind = MailActivateAccount
	}
	if us.opts.ActivationURL != "" {
		mail.Link = NewSecret(strings.Replace(us.opts.ActivationURL, codePlaceholder, code.Reveal(), 1))
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
