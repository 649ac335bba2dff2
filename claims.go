package roster

import (
	"context"
	"slices"
	"time"
)

// AddEmail adds a pending address to a user and sends a code to it, for
// [Users.Activate]. If the user has claimed the address before, a new code is
// sent and the older ones are void. It returns ErrNotFound, an [InvalidError] of
// [FieldEmail], a [ConflictError] of FieldEmail if the user has activated the
// address already, or a [ThrottledError] as [Users.Register]. Of an address that
// somebody else has activated it says nothing, as Register.
func (us *Users) AddEmail(ctx context.Context, id UserID, address string) (*UserEmail, error) {
	e, err := us.addEmail(ctx, "AddEmail", id, address, PurposeActivate)
	return e, wrap("add e-mail to user", id, err)
}

// ChangeEmail is AddEmail for an address that becomes the primary one as soon
// as its code is redeemed. The former primary address is told then, and stays
// with the user until [Users.RemoveEmail]. If the user has activated the
// address already, it becomes primary at once. Its other errors are those of AddEmail.
func (us *Users) ChangeEmail(ctx context.Context, id UserID, address string) (*UserEmail, error) {
	e, err := us.addEmail(ctx, "ChangeEmail", id, address, PurposeChangeEmail)
	return e, wrap("change e-mail of user", id, err)
}

func (us *Users) addEmail(ctx context.Context, verb string, id UserID, address string, purpose Purpose) (e *UserEmail, err error) {
	if err := us.askAbout(ctx, verb, id); err != nil {
		return nil, err
	}
	if err := us.countRequest(ctx); err != nil {
		return nil, err
	}
	mail, done, err := us.countClaim(ctx, address)
	if err != nil {
		return nil, err
	}
	defer func() { done(err) }()
	err = us.live(ctx, verb, id, func(ctx context.Context, m Model) error {
		mine, err := us.store.EmailsOf(ctx, id)
		if err != nil {
			return err
		}
		e, err = us.claim(ctx, m, mine, address, purpose, mail, us.now())
		return err
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// AddActivatedEmail adds an address that was proven elsewhere, by a directory
// or in another system: the program vouches for it, no mail is sent. It ends
// the claims of others and activates the account, as [Users.Activate] does. It
// returns ErrNotFound, an [InvalidError] of [FieldEmail], or a [ConflictError]
// of FieldEmail if anybody has activated the address.
func (us *Users) AddActivatedEmail(ctx context.Context, id UserID, address string) (e *UserEmail, err error) {
	err = us.live(ctx, "AddActivatedEmail", id, func(ctx context.Context, m Model) error {
		key, err := AddressKey(address)
		if err != nil {
			return err
		}
		now := us.now()
		claims, err := us.store.LockEmails(ctx, key)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(claims, (*UserEmail).IsActivated) {
			return &ConflictError{FieldEmail}
		}
		emails, err := us.store.EmailsOf(ctx, id)
		if err != nil {
			return err
		}
		if e = withKey(emails, key); e == nil {
			e = &UserEmail{UserID: id, Address: address, AddressKey: key, Primary: len(emails) == 0, CreatedAt: now}
			if err := us.store.InsertEmail(ctx, e); err != nil {
				return err
			}
		}
		return us.prove(ctx, m, proof{e, claims}, false, now)
	})
	if err != nil {
		return nil, wrap("add e-mail to user", id, err)
	}
	return e, nil
}

// claim adds a pending address to a user who has those of mine, and sends the
// code, or the notice to the owner, if there may be a mail.
func (us *Users) claim(
	ctx context.Context, m Model, mine []*UserEmail, address string, purpose Purpose, mail bool, now time.Time,
) (*UserEmail, error) {
	key, err := AddressKey(address)
	if err != nil {
		return nil, err
	}
	u := m.RosterUser()
	// Locked, so that nobody proves the address, and ends this claim, meanwhile.
	claims, err := us.store.LockEmails(ctx, key)
	if err != nil {
		return nil, err
	}
	own := ofUser(claims, u.ID)
	first := len(mine) == 0
	if own != nil && us.stale(own, now) { // claimed anew, else Prune takes it away with the code on its way
		if _, err := us.store.DeleteEmails(ctx, own.ID); err != nil {
			return nil, err
		}
		first, own = own.Primary, nil
	}
	if own != nil && own.IsActivated() {
		if purpose == PurposeChangeEmail {
			return own, us.movePrimary(ctx, m, own, now)
		}
		return nil, &ConflictError{FieldEmail}
	}
	var taken *UserEmail
	if i := slices.IndexFunc(claims, (*UserEmail).IsActivated); i >= 0 {
		taken = claims[i]
	}
	if taken != nil && us.opts.TellTakenAddress {
		return nil, &ConflictError{FieldEmail}
	}
	send := us.sendCode
	if own == nil {
		own = &UserEmail{UserID: u.ID, Address: address, AddressKey: key, Primary: first, CreatedAt: now}
		if err := us.store.InsertEmail(ctx, own); err != nil {
			return nil, err
		}
		send = us.issueCode // there are no older ones
	}
	e := Event{Kind: EventEmailClaimed, User: u.ID, Details: details(detailEmail, own.ID)}
	if taken != nil {
		e.Details = details(detailEmail, own.ID, detailOwner, taken.UserID)
	}
	if err := us.emit(ctx, e); err != nil {
		return nil, err
	}
	if !mail {
		return own, nil
	}
	if taken != nil {
		return own, us.tellOwner(ctx, taken)
	}
	return own, send(ctx, u, own, purpose, now)
}

// ofUser finds the address of a user in a list, nil if it is not there.
func ofUser(emails []*UserEmail, id UserID) *UserEmail {
	for _, e := range emails {
		if e.UserID == id {
			return e
		}
	}
	return nil
}

// withKey finds an address in a list, nil if it is not there.
func withKey(emails []*UserEmail, key string) *UserEmail {
	for _, e := range emails {
		if e.AddressKey == key {
			return e
		}
	}
	return nil
}

// proof is an address that is about to be taken for proven, and everybody's
// claims on it, which are locked and none of which another user has activated.
type proof struct {
	email  *UserEmail
	claims []*UserEmail
}

// prove takes for proven that an address belongs to the user m: it activates
// both, and sees to it that the primary address is an activated one; this one,
// if primary is set. A ConflictError says that somebody else was quicker.
//
// The claims of others are worth nothing from now on. They stay until Prune, as
// those on a free address do: else who claims the address of another would see
// when that one gets an account.
func (us *Users) prove(ctx context.Context, m Model, p proof, primary bool, now time.Time) error {
	e := p.email
	if !e.IsActivated() {
		if err := us.store.ActivateEmail(ctx, e.ID, now); err != nil {
			return err
		}
		e.ActivatedAt = now
		// Who was deleted with the address does not come back with it.
		if _, err := us.store.DeleteReleased(ctx, e.AddressKey, e.UserID); err != nil {
			return err
		}
		if err := us.emit(ctx, Event{Kind: EventEmailActivated, User: e.UserID, Details: details(detailEmail, e.ID)}); err != nil {
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

// takenByOther reports whether somebody else has activated the address of e.
func takenByOther(claims []*UserEmail, e *UserEmail) bool {
	return slices.ContainsFunc(claims, func(c *UserEmail) bool {
		return c.UserID != e.UserID && c.IsActivated()
	})
}
