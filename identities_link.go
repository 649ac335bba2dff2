package roster

import (
	"context"
	"errors"
	"slices"
	"time"
)

// LinkIdentity lets a user sign in by an outside identity, too. It is for a
// program that has checked the provider's word just now, as for
// [Users.SignInWith], in a session of that user which is fresh
// ([Users.RequireFresh]). The primary address is told by [MailIdentityLinked], and
// gets a code for [Users.UndoChange]. It does nothing if the user has the identity.
//
// It returns ErrNotFound, a [ConflictError] of [FieldSubject] if somebody else has
// the identity, an [InvalidError] of [FieldProvider] or [FieldSubject], or one of
// [FieldDirectory] if the user belongs to a directory, which alone signs its people
// in.
func (us *Users) LinkIdentity(ctx context.Context, user UserID, id Identity) error {
	return wrap("link identity to user", user, us.live(ctx, "LinkIdentity", user, func(ctx context.Context, m Model) error {
		said, err := us.hearProvider(&id)
		if err != nil {
			return err
		}
		if m.RosterUser().DirectoryID != "" {
			return invalid(FieldDirectory, ReasonReadOnly)
		}
		mine, err := us.ownIdentity(ctx, user, said.Provider, said.Subject)
		if err != nil || mine {
			return err
		}
		_, err = us.link(ctx, m, said)
		return err
	}))
}

// ownIdentity reports whether the user has an identity. A ConflictError says that
// somebody else has it.
func (us *Users) ownIdentity(ctx context.Context, user UserID, provider, subject string) (bool, error) {
	i, _, err := us.store.IdentityBySubject(ctx, provider, subject)
	switch {
	case errors.Is(err, ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case i.UserID != user:
		return false, &ConflictError{FieldSubject}
	}
	return true, nil
}

// UnlinkIdentity takes an outside identity from a user, who cannot sign in by it
// any more. It is auth-sensitive: sessions end and codes are void. The primary
// address is told by [MailIdentityUnlinked], and gets a code for
// [Users.UndoChange].
//
// It returns ErrNotFound if there is no such user or identity; an [InvalidError]
// of [FieldPassword] with [ReasonEmpty] if it is the last way to sign in, so that a
// password or another identity is needed first; or one of [FieldDirectory] if it is
// that of the user's directory, see [Users.UnlinkDirectory].
func (us *Users) UnlinkIdentity(ctx context.Context, user UserID, provider, subject string) error {
	return wrap("unlink identity of user", user, us.live(ctx, "UnlinkIdentity", user, func(ctx context.Context, m Model) error {
		u := m.RosterUser()
		all, err := us.store.IdentitiesOf(ctx, user)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(all, func(i *UserIdentity) bool { return i.Provider == provider && i.Subject == subject }) {
			return ErrNotFound
		}
		if u.DirectoryID != "" {
			return invalid(FieldDirectory, ReasonReadOnly)
		}
		if len(all) == 1 {
			c, err := us.store.Credential(ctx, user, 0)
			if errors.Is(err, ErrNotFound) || err == nil && c.expired(us.now()) {
				return invalid(FieldPassword, ReasonEmpty)
			}
			if err != nil {
				return err
			}
		}
		if _, err := us.store.DeleteIdentities(ctx, user, provider, subject); err != nil {
			return err
		}
		now := us.now()
		if err := us.touched(ctx, m, now); err != nil {
			return err
		}
		if err := us.emit(ctx, Event{Kind: EventIdentityUnlinked, User: user, Details: details(detailProvider, provider)}); err != nil {
			return err
		}
		e, err := us.spokesman(ctx, user)
		if err != nil || e == nil {
			return err
		}
		return us.tellChanged(ctx, Mail{Kind: MailIdentityUnlinked, User: u}, e, noAddress, false, now)
	}))
}

// takeIdentities takes all outside identities from a user.
func (us *Users) takeIdentities(ctx context.Context, id UserID) error {
	n, err := us.store.DeleteIdentities(ctx, id, "", "")
	if err != nil || n == 0 {
		return err
	}
	return us.emit(ctx, Event{Kind: EventIdentityUnlinked, User: id, Details: details("identities", n)})
}

// ActivateWithIdentity is [Users.ActivateWithPassword] for somebody who signs in by
// an outside identity and has no password. If it is one that the account has, who
// redeems the code is who has made the account, and nothing else happens. Else it
// becomes the one way to sign in, and whatever was there before the first proof is
// dropped: passwords, other identities, sessions, other codes, other addresses that
// wait to be proven.
//
// It returns ErrActivation and ErrThrottled as ActivateWithPassword; and, which
// leaves the code good, a [ConflictError] of [FieldSubject] if somebody else has the
// identity, or an [InvalidError] of [FieldProvider], [FieldSubject] or
// [FieldDirectory].
func (us *Users) ActivateWithIdentity(ctx context.Context, code string, id Identity) (*User, error) {
	var u *User
	err := us.tryCode(ctx, "ActivateWithIdentity", func() error {
		said, err := us.hearProvider(&id)
		if err == nil {
			u, err = us.activateWithIdentity(ctx, code, said)
		}
		return err
	})
	return u, wrap("activate with identity", 0, err)
}

func (us *Users) activateWithIdentity(ctx context.Context, code string, said *testimony) (u *User, err error) {
	var mine bool
	may := func(ctx context.Context, m Model, _ *Activation) (err error) {
		id := m.RosterUser().ID
		if m.RosterUser().DirectoryID != "" {
			return invalid(FieldDirectory, ReasonReadOnly)
		}
		if err := us.firstProof(ctx, id); err != nil {
			return err
		}
		mine, err = us.ownIdentity(ctx, id, said.Provider, said.Subject)
		return err
	}
	err = us.store.Atomic(ctx, func(ctx context.Context) error {
		return us.redeem(ctx, code, may, func(ctx context.Context, m Model, a *Activation, p proof, now time.Time) error {
			u = m.RosterUser()
			if !mine {
				if err := us.dropUnproven(ctx, p.email); err != nil {
					return err
				}
				if err := us.store.DeleteCredential(ctx, u.ID, 0); err != nil {
					return err
				}
			}
			if err := us.prove(ctx, m, p, a.Purpose == PurposeChangeEmail, now); err != nil || mine {
				return err
			}
			u.PasswordChangedAt = time.Time{}
			if err := us.touched(ctx, m, now); err != nil {
				return err
			}
			_, err := us.bindIdentity(ctx, u.ID, said)
			return err
		}, PurposeActivate, PurposeChangeEmail, PurposeInvite)
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}
