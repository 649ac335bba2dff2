package roster

import (
	"context"
	"errors"
	"slices"
	"time"
)

// ActivateWithPassword is [Users.Activate] for the first proof of an address of
// an account, with the password that is to be good from then on. If it is the
// one that the account has, who redeems the code is who has chosen it, and
// nothing else happens. Else it becomes the password: whatever was there before
// that proof, a password, sessions, other codes, other addresses that wait to be
// proven, was somebody else's, for all that is known, and is dropped. That takes
// from those who sign up with the address of somebody else whatever they could
// prepare (Sudhodanan and Paverd, Pre-hijacked accounts, USENIX Security 2022).
//
// It is how an invitation is accepted ([Users.Invite]). Nobody is signed in by
// it. It returns an [InvalidError] of [FieldPassword], which leaves the code
// good, ErrActivation as Activate, also if an address of the account was proven
// before, or an InvalidError of [FieldDirectory] if the user belongs to one; and
// ErrThrottled as [Users.Peek].
func (us *Users) ActivateWithPassword(ctx context.Context, code, password string) (*User, error) {
	var u *User
	err := us.tryCode(ctx, "ActivateWithPassword", func() (err error) {
		for try := 1; ; try++ {
			u, err = us.activateWithPassword(ctx, code, password)
			if !errors.Is(err, ErrStale) || try == 3 { // the password was changed meanwhile
				return err
			}
		}
	})
	return u, wrap("activate", 0, err)
}

func (us *Users) activateWithPassword(ctx context.Context, code, password string) (u *User, err error) {
	purposes := []Purpose{PurposeActivate, PurposeChangeEmail, PurposeInvite}
	var id UserID
	prepared, err := us.newPassword(ctx, password, func() (*User, error) {
		a, _, err := us.lookUp(ctx, code, us.now(), purposes...)
		if err != nil {
			return nil, err
		}
		m, err := us.store.UserByID(ctx, a.UserID)
		if err != nil {
			return nil, us.deadIf(ctx, err, ErrNotFound, "no such user")
		}
		id = a.UserID
		return m.RosterUser(), nil
	})
	if err != nil {
		return nil, err
	}
	had, err := us.store.Credential(ctx, id, 0)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	var same bool
	if had != nil && !had.expired(us.now()) {
		if same, _, err = us.verify(ctx, had, password); err != nil {
			return nil, err
		}
	}
	var hash string
	if !same {
		if hash, err = us.hash(ctx, prepared); err != nil {
			return nil, err
		}
	}
	may := func(ctx context.Context, m Model, _ *Activation) error {
		if m.RosterUser().DirectoryID != "" {
			return invalid(FieldDirectory, ReasonReadOnly)
		}
		if err := us.firstProof(ctx, id); err != nil {
			return err
		}
		now, err := us.store.Credential(ctx, id, 0)
		switch {
		case err != nil && !errors.Is(err, ErrNotFound):
			return err
		case (now == nil) != (had == nil), now != nil && !now.Hash.Equal(had.Hash):
			return ErrStale
		}
		return nil
	}
	err = us.store.Atomic(ctx, func(ctx context.Context) error {
		return us.redeem(ctx, code, may, func(ctx context.Context, m Model, a *Activation, p proof, now time.Time) error {
			u = m.RosterUser()
			if !same {
				if err := us.dropUnproven(ctx, p.email); err != nil {
					return err
				}
			}
			if err := us.prove(ctx, m, p, a.Purpose == PurposeChangeEmail, now); err != nil || same {
				return err
			}
			if err := us.store.PutCredential(ctx, &Credential{UserID: id, Hash: NewSecret(hash), CreatedAt: now}); err != nil {
				return err
			}
			u.PasswordChangedAt = now
			if err := us.touched(ctx, m, now); err != nil {
				return err
			}
			return us.emit(ctx, Event{Kind: EventPasswordChanged, User: id})
		}, purposes...)
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// unproven reports whether a code that proves an address needs a password or an
// identity beside it: nobody has proven an address of the user yet, and there is one
// whose owner is not known, or there has to be one.
func (us *Users) unproven(ctx context.Context, u *User, a *Activation) (bool, error) {
	if u.DirectoryID != "" {
		return false, nil
	}
	if a.Purpose != PurposeInvite {
		if us.opts.KeepEarlyPassword {
			return false, nil
		}
		ways, err := us.hasWays(ctx, u.ID)
		if err != nil || !ways {
			return false, err
		}
	}
	proven, err := us.hasProven(ctx, u.ID)
	return !proven, err
}

// hasWays reports whether a user has a password or an outside identity.
func (us *Users) hasWays(ctx context.Context, id UserID) (bool, error) {
	_, err := us.store.Credential(ctx, id, 0)
	if !errors.Is(err, ErrNotFound) {
		return err == nil, err
	}
	all, err := us.store.IdentitiesOf(ctx, id)
	return len(all) > 0, err
}

// firstProof refuses a code if an address of the user was proven before.
func (us *Users) firstProof(ctx context.Context, id UserID) error {
	proven, err := us.hasProven(ctx, id)
	if err == nil && proven {
		err = us.dead(ctx, "not the first proof")
	}
	return err
}

// hasProven reports whether a user has an activated address.
func (us *Users) hasProven(ctx context.Context, id UserID) (bool, error) {
	emails, err := us.store.EmailsOf(ctx, id)
	return slices.ContainsFunc(emails, (*UserEmail).IsActivated), err
}

// dropUnproven removes the other addresses of the user of e, and the outside
// identities, if nobody has proven any address: e is about to be.
func (us *Users) dropUnproven(ctx context.Context, e *UserEmail) error {
	emails, err := us.store.EmailsOf(ctx, e.UserID)
	if err != nil || slices.ContainsFunc(emails, (*UserEmail).IsActivated) {
		return err
	}
	var gone []EmailID
	for _, other := range emails {
		if other.ID != e.ID {
			gone = append(gone, other.ID)
		}
	}
	if err := us.takeIdentities(ctx, e.UserID); err != nil {
		return err
	}
	if _, err := us.store.DeleteEmails(ctx, gone...); err != nil {
		return err
	}
	if err := us.emitRemoved(ctx, e.UserID, gone...); err != nil || e.Primary {
		return err
	}
	return us.markPrimary(ctx, e)
}

// proofOf is the purpose of a new code for somebody who waits to be activated.
// Who has no password is invited to choose one.
func (us *Users) proofOf(ctx context.Context, u *User) (Purpose, error) {
	if u.DirectoryID != "" {
		return PurposeActivate, nil
	}
	_, err := us.store.Credential(ctx, u.ID, 0)
	if errors.Is(err, ErrNotFound) {
		return PurposeInvite, nil
	}
	return PurposeActivate, err
}
