package roster

import (
	"context"
	"slices"
)

// LinkDirectory makes a user one of a directory, on the word of an administrator
// that both are the same person: who signs in there as subject, the immutable name
// of the entry, is the user from then on, and nobody else is. It is the only way for
// somebody of a directory into an account that was there before, since a name or
// an address that is the same proves nothing.
//
// The password here is gone, and so are other outside identities and addresses
// that wait to be proven. It is auth-sensitive: sessions end, codes are void, those for
// [Users.UndoChange] with them, and the primary address is told by
// [MailPasswordChanged], without a code: who belongs to a directory does not leave it by
// mail. The next sign-in takes over
// what the directory says of the user.
//
// It returns ErrNotFound; an [InvalidError] of [FieldDirectory] with
// [ReasonUnknown] if Options.Directories has none of that ID, with [ReasonReadOnly]
// if the user belongs to another one, or of [FieldSubject]; or a [ConflictError] of
// FieldSubject if somebody else has the entry. If the user belongs to the directory
// already, the entry takes the place of the former one.
func (us *Users) LinkDirectory(ctx context.Context, user UserID, directory, subject string) error {
	return wrap("link directory to user", user, us.live(ctx, "LinkDirectory", user, func(ctx context.Context, m Model) error {
		if us.directory(directory) == nil {
			return invalid(FieldDirectory, ReasonUnknown)
		}
		if err := checkSubject(subject); err != nil {
			return err
		}
		u := m.RosterUser()
		if u.DirectoryID != "" && u.DirectoryID != directory {
			return invalid(FieldDirectory, ReasonReadOnly)
		}
		mine, err := us.ownIdentity(ctx, user, directory, subject)
		if err != nil || mine && u.DirectoryID == directory {
			return err
		}
		before := *u
		u.DirectoryID, u.DirectoryDN = directory, ""
		if err := us.write(ctx, m, &before); err != nil {
			return err
		}
		if err := us.dropClaims(ctx, user); err != nil {
			return err
		}
		if err := us.takeIdentities(ctx, user); err != nil { // of the former entry
			return err
		}
		_, err = us.bindIdentity(ctx, user, &testimony{Identity: Identity{Provider: directory, Subject: subject}})
		return err
	}))
}

// dropClaims removes the addresses of a user that nobody has proven.
func (us *Users) dropClaims(ctx context.Context, id UserID) error {
	emails, err := us.store.EmailsOf(ctx, id)
	if err != nil {
		return err
	}
	emails = slices.DeleteFunc(emails, (*UserEmail).IsActivated)
	var gone []EmailID
	for _, e := range emails {
		gone = append(gone, e.ID)
	}
	if _, err := us.store.DeleteEmails(ctx, gone...); err != nil {
		return err
	}
	return us.emitRemoved(ctx, id, gone...)
}

// UnlinkDirectory makes a user of a directory a local one, who has no password:
// there is a way in again by [Users.RequestPasswordReset], if an address is
// activated, or [Users.SetPassword]. The directory lets nobody into the account any
// more, and whoever it is that signs in by the same name is refused. It is
// auth-sensitive: sessions end and codes are void; the primary address is told by
// [MailIdentityUnlinked]. It does nothing if the user is a local one. It returns
// ErrNotFound.
func (us *Users) UnlinkDirectory(ctx context.Context, user UserID) error {
	return wrap("unlink directory of user", user, us.live(ctx, "UnlinkDirectory", user, func(ctx context.Context, m Model) error {
		u := m.RosterUser()
		if u.DirectoryID == "" {
			return nil
		}
		before := *u
		u.DirectoryID, u.DirectoryDN = "", ""
		if err := us.write(ctx, m, &before); err != nil {
			return err
		}
		e, err := us.spokesman(ctx, user)
		if err != nil || e == nil {
			return err
		}
		return us.notify(ctx, MailIdentityUnlinked, u, e)
	}))
}
