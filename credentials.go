package roster

import (
	"context"
	"errors"
	"time"
)

// ScopeID is where a credential, grant or registration holds: zero is global,
// any other number is a contest (or tenant, or project) of the host.
type ScopeID int64

// Credential is the stored hash that a password is checked against: of a user
// (scope 0) or of a user in one scope. A user without one has no password, and
// no password, the empty one neither, signs it in.
type Credential struct {
	UserID    UserID
	ScopeID   ScopeID
	Hash      Secret    // PHC string
	CreatedAt time.Time // when the password was set; a rehash does not move it

	// MustChange says that the password is good for one thing only, for choosing
	// another one. ExpiresAt is when it is not even good for that; zero is never.
	MustChange bool
	ExpiresAt  time.Time
}

// SetPassword gives a user a new password on the program's own authority. It is
// auth-sensitive: sessions end, codes are void, and the primary address is
// told. Hashing takes its time: inside [Users.Atomic] the transaction waits for
// it. It returns ErrNotFound, or an [InvalidError] of [FieldPassword], or of
// [FieldDirectory] if the user belongs to one, which has the password.
func (us *Users) SetPassword(ctx context.Context, id UserID, password string) error {
	err := us.askAbout(ctx, "SetPassword", id)
	if err == nil {
		err = us.setPassword(ctx, "SetPassword", id, password, nil, nil)
	}
	return wrap("set password of user", id, err)
}

// ChangePassword is SetPassword for somebody who knows the current password. It
// returns ErrCredentials if that is wrong, also if it was changed meanwhile, and
// a [ThrottledError] to who has tried too often. It ends the session that it is
// called from, too; [Users.ChangePasswordIn] does not.
func (us *Users) ChangePassword(ctx context.Context, id UserID, current, password string) error {
	err := us.askAbout(ctx, "ChangePassword", id)
	if err == nil {
		err = us.changePassword(ctx, "ChangePassword", id, current, password, nil)
	}
	return wrap("change password of user", id, err)
}

// changePassword is setPassword for somebody who knows the current one.
func (us *Users) changePassword(
	ctx context.Context, verb string, id UserID, current, password string, then func(ctx context.Context, m Model) error,
) error {
	if u, err := us.byID(ctx, id); err == nil && u.DirectoryID != "" {
		return us.changeInDirectory(ctx, verb, u, current, password, then)
	}
	if _, err := us.preparePassword(password); err != nil {
		return err
	}
	for try := 1; ; try++ {
		c, err := us.checkPassword(ctx, id, current)
		if errors.Is(err, ErrMustChangePassword) {
			err = checkUnchanged(current, password)
		}
		if err != nil {
			return err
		}
		err = us.setPassword(ctx, verb, id, password, c, then)
		// Stale: a sign-in has rehashed the current one, or somebody has changed it.
		if !errors.Is(err, ErrStale) || try == 3 {
			return err
		}
	}
}

// expired reports whether the password is not good for anything any more.
func (c *Credential) expired(now time.Time) bool {
	return !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt)
}

// mustChange is what somebody is told who knows the password.
func (c *Credential) mustChange() error {
	if c.MustChange {
		return ErrMustChangePassword
	}
	return nil
}

// CheckPassword asks a user who is signed in for the password again. It returns
// ErrCredentials, after equal work, if it is wrong or there is none, or no such
// user, or one who cannot sign in any more; and a [ThrottledError] to who has
// failed too often, which is counted together with sign-ins, see [Limits]. A
// right password that must be changed is ErrMustChangePassword.
func (us *Users) CheckPassword(ctx context.Context, id UserID, password string) error {
	err := us.askAbout(ctx, "CheckPassword", id)
	if err == nil {
		_, err = us.checkPassword(ctx, id, password)
	}
	if err == nil {
		err = us.store.Atomic(ctx, func(ctx context.Context) error {
			return us.emit(ctx, Event{Kind: EventPasswordConfirmed, User: id})
		})
	}
	return wrap("check password of user", id, err)
}

// setPassword hashes and writes a password; if current is given, only in its
// place. then, if it is given, runs in the transaction when all is written.
func (us *Users) setPassword(
	ctx context.Context, verb string, id UserID, password string, current *Credential, then func(ctx context.Context, m Model) error,
) error {
	prepared, err := us.newPassword(ctx, password, func() (*User, error) { return us.byID(ctx, id) })
	if err != nil {
		return err
	}
	hash, err := us.hash(ctx, prepared) // before the transaction: it takes its time
	if err != nil {
		return err
	}
	return us.live(ctx, verb, id, func(ctx context.Context, m Model) error {
		if current != nil {
			if !m.RosterUser().mayLogin() {
				return ErrCredentials
			}
			now, err := us.store.Credential(ctx, id, 0)
			if errors.Is(err, ErrNotFound) || err == nil && !now.Hash.Equal(current.Hash) {
				return ErrStale
			}
			if err != nil {
				return err
			}
		}
		now := us.now()
		c := &Credential{UserID: id, Hash: NewSecret(hash), CreatedAt: now}
		err := us.writePassword(ctx, m, c, MailPasswordChanged, noAddress, now)
		if err == nil && then != nil {
			err = then(ctx, m)
		}
		return err
	})
}

// writePassword stores a new credential, ends what is older, and tells the
// primary address, which can undo it. proven is the key of the address by whose
// code the password was set, or noAddress.
func (us *Users) writePassword(
	ctx context.Context, m Model, c *Credential, kind MailKind, proven string, now time.Time,
) error {
	u := m.RosterUser()
	if u.DirectoryID != "" {
		return invalid(FieldDirectory, ReasonReadOnly)
	}
	if err := us.store.PutCredential(ctx, c); err != nil {
		return err
	}
	u.PasswordChangedAt = now
	if err := us.touched(ctx, m, now); err != nil {
		return err
	}
	e := Event{Kind: EventPasswordChanged, User: u.ID}
	switch {
	case kind == MailGeneratedPassword:
		e.Kind, e.Details = EventPasswordGenerated, details("keep", !c.MustChange)
	case proven != noAddress:
		e.Kind = EventPasswordReset
	}
	if err := us.emit(ctx, e); err != nil {
		return err
	}
	return us.tellPassword(ctx, u, kind, proven, now)
}

// tellPassword tells the primary address, if it is activated, that the password
// was changed.
func (us *Users) tellPassword(ctx context.Context, u *User, kind MailKind, proven string, now time.Time) error {
	emails, err := us.store.EmailsOf(ctx, u.ID)
	if err != nil {
		return err
	}
	var primary *UserEmail
	m := Mail{Kind: kind, User: u}
	for _, e := range emails {
		if !e.IsActivated() {
			continue
		}
		if kind == MailPasswordChanged && u.DirectoryID == "" {
			m.Emails = append(m.Emails, e.mailbox())
		}
		if e.Primary {
			primary = e
		}
	}
	if primary == nil {
		return nil
	}
	return us.tellChanged(ctx, m, primary, proven, proven != noAddress, now)
}

// checkPassword returns the credential that the password of a user matches, also
// beside ErrMustChangePassword.
func (us *Users) checkPassword(ctx context.Context, id UserID, password string) (*Credential, error) {
	u, err := us.byID(ctx, id)
	var c *Credential
	if err == nil && u.DirectoryID == "" {
		c, err = us.store.Credential(ctx, id, 0)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	_, err = us.guess(ctx, "check password", accountByID(id, u), func(ctx context.Context, g *guess) error {
		if u != nil && u.DirectoryID != "" {
			_, err := us.checkInDirectory(ctx, g, u, password)
			return err
		}
		ok, _, err := us.verify(ctx, c, password)
		if err != nil {
			return err
		}
		if !ok || g.blind || !u.mayLogin() || c.expired(us.now()) {
			return ErrCredentials
		}
		return c.mustChange()
	})
	return c, err
}

// CredentialStore keeps the rows of credentials.
type CredentialStore interface {
	// Credential returns the credential of a user in a scope.
	Credential(ctx context.Context, user UserID, scope ScopeID) (*Credential, error)

	// PutCredential writes the row, over an older one if there is. A
	// [ConflictError] of [FieldUser] says that there is no such user.
	PutCredential(ctx context.Context, c *Credential) error

	// SwapCredential replaces the hash, and only the hash, if it still is old.
	// ErrStale if it is not, or if the row is gone.
	SwapCredential(ctx context.Context, user UserID, scope ScopeID, old, hash Secret) error

	// CredentialsAfter returns the next rows by user and scope, of users in
	// whatever state.
	CredentialsAfter(ctx context.Context, user UserID, scope ScopeID, limit int) ([]*Credential, error)

	// DeleteCredential deletes the row, if there is one.
	DeleteCredential(ctx context.Context, user UserID, scope ScopeID) error
}
