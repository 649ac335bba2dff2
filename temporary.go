package roster

import (
	"context"
	"errors"
	"time"

	"github.com/go-roster/roster/password"
)

// defaultTemporaryTTL is how long somebody has to replace a password that was
// made for them.
const defaultTemporaryTTL = 7 * 24 * time.Hour

// RenewPassword is for somebody who cannot sign in because the password must be
// changed: login and current as in [Users.Authenticate], and the password to be.
// It works for any other password too. It is auth-sensitive as
// [Users.SetPassword] is. Nobody is signed in by it.
//
// It returns ErrCredentials after equal work, ErrNotActivated and a
// [ThrottledError] as Authenticate does, and an [InvalidError] of
// [FieldPassword], with [ReasonUnchanged] if it is the current one.
func (us *Users) RenewPassword(ctx context.Context, login, current, password string) (*User, error) {
	u, err := us.renewPassword(ctx, login, current, password)
	return u, wrap("renew password", 0, err)
}

func (us *Users) renewPassword(ctx context.Context, login, current, typed string) (*User, error) {
	if err := us.ask(ctx, "RenewPassword"); err != nil {
		return nil, err
	}
	// What can be told without asking who it is comes first.
	if _, err := us.preparePassword(typed); err != nil {
		return nil, err
	}
	if err := checkUnchanged(current, typed); err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		k, err := us.know(ctx, "renew password", login, current)
		if err != nil && !errors.Is(err, ErrMustChangePassword) {
			return nil, err
		}
		var u *User
		err = us.setPassword(ctx, unasked, k.user.ID, typed, k.credential, func(_ context.Context, m Model) error {
			u = m.RosterUser()
			return nil
		})
		switch {
		case err == nil:
			return u, nil
		case errors.Is(err, ErrNotFound): // deleted meanwhile
			return nil, ErrCredentials
		case !errors.Is(err, ErrStale) || try == 3: // see changePassword
			return nil, err
		}
	}
}

// checkUnchanged refuses a new password that is the old one, however it is typed.
func checkUnchanged(current, typed string) error {
	a, err := password.Prepare(current)
	b, err2 := password.Prepare(typed)
	if err == nil && err2 == nil && a == b {
		return invalid(FieldPassword, ReasonUnchanged)
	}
	return nil
}

// Generated says what [Users.GeneratePassword] makes. The zero Generated is a
// password of 26 characters that must be replaced within 7 days.
type Generated struct {
	// Generator makes the password. Its zero makes 26 characters, 130 bits;
	// password.Handout() makes 8, for paper.
	Generator password.Generator

	// TTL is how long the password is good. Zero means 7 days, or for ever if it
	// may be kept; negative means for ever.
	TTL time.Duration

	// Keep lets the user keep the password. Otherwise it is good for
	// [Users.RenewPassword] alone.
	Keep bool
}

// GeneratePassword gives a user a new password that nobody has chosen, and
// returns it, this once: only its hash is stored, and no mail holds it. It is
// auth-sensitive as [Users.SetPassword] is, and the primary address is told by
// [MailGeneratedPassword]. It does not ask Options.Policy.
//
// It returns ErrNotFound, an [InvalidError] of [FieldDirectory] if the user
// belongs to one, or what g.Generator.Validate says.
func (us *Users) GeneratePassword(ctx context.Context, id UserID, g Generated) (Secret, error) {
	s, err := us.generatePassword(ctx, id, g)
	return s, wrap("generate password of user", id, err)
}

func (us *Users) generatePassword(ctx context.Context, id UserID, g Generated) (Secret, error) {
	const verb = "GeneratePassword"
	u, err := us.byID(ctx, id) // before the work of hashing
	if err := us.on(ToUser(id)).askOf(ctx, verb, u, err); err != nil {
		return Secret{}, err
	}
	made, err := g.Generator.Generate()
	if err != nil {
		return Secret{}, err
	}
	hash, err := us.hash(ctx, made)
	if err != nil {
		return Secret{}, err
	}
	ttl := g.TTL
	if ttl == 0 && !g.Keep {
		ttl = defaultTemporaryTTL
	}
	err = us.live(ctx, verb, id, func(ctx context.Context, m Model) error {
		now := us.now()
		c := &Credential{UserID: id, Hash: NewSecret(hash), CreatedAt: now, MustChange: !g.Keep}
		if ttl > 0 {
			c.ExpiresAt = now.Add(ttl)
		}
		return us.writePassword(ctx, m, c, MailGeneratedPassword, noAddress, now)
	})
	if err != nil {
		return Secret{}, err
	}
	return NewSecret(made), nil
}

// RequirePasswordChange makes the password of a user good for
// [Users.RenewPassword] alone, and for that only within ttl, if it is positive,
// and no longer than it was good anyway. Sessions end, codes are void, and the
// primary address is told by [MailMustChangePassword]. It returns ErrNotFound,
// ErrLastAdmin, or an [InvalidError] of [FieldPassword] with [ReasonEmpty] if the
// user has none, or of [FieldDirectory] if the user belongs to one.
func (us *Users) RequirePasswordChange(ctx context.Context, id UserID, ttl time.Duration) error {
	return wrap("require password change of user", id, us.live(ctx, "RequirePasswordChange", id, func(ctx context.Context, m Model) error {
		c, err := us.localCredential(ctx, m)
		if errors.Is(err, ErrNotFound) {
			return invalid(FieldPassword, ReasonEmpty)
		}
		if err != nil {
			return err
		}
		now := us.now()
		c.MustChange = true
		if ttl > 0 {
			if err := us.keepAdminWithout(ctx, m.RosterUser()); err != nil {
				return err
			}
		}
		if ends := now.Add(ttl); ttl > 0 && (c.ExpiresAt.IsZero() || c.ExpiresAt.After(ends)) {
			c.ExpiresAt = ends
		}
		if err := us.store.PutCredential(ctx, c); err != nil {
			return err
		}
		u := m.RosterUser()
		if err := us.touched(ctx, m, now); err != nil {
			return err
		}
		if err := us.emit(ctx, Event{Kind: EventPasswordMustChange, User: id}); err != nil {
			return err
		}
		e, err := us.spokesman(ctx, id)
		if err != nil || e == nil {
			return err
		}
		return us.send(ctx, Mail{
			Kind: MailMustChangePassword, User: u, To: e.mailbox(), Locale: u.Locale, ExpiresAt: c.ExpiresAt, At: now, Client: ClientFrom(ctx),
		})
	}))
}

// RequirePasswordReset takes the password from a user and mails a code for
// [Users.ResetPassword] to the primary address, so that the user, and nobody
// else, chooses the next one. Sessions end and other codes are void. A code that
// came too late is replaced by [Users.RequestPasswordReset].
//
// It returns ErrNotFound, or an [InvalidError] of [FieldEmail] with
// [ReasonNotActive] if there is no activated address to mail to, or of
// [FieldDirectory] if the user belongs to one.
func (us *Users) RequirePasswordReset(ctx context.Context, id UserID) error {
	return wrap("require password reset of user", id, us.live(ctx, "RequirePasswordReset", id, func(ctx context.Context, m Model) error {
		e, err := us.spokesman(ctx, id)
		if err != nil {
			return err
		}
		if e == nil {
			return invalid(FieldEmail, ReasonNotActive)
		}
		now := us.now()
		if err := us.takePassword(ctx, m, now); err != nil {
			return err
		}
		return us.issueCode(ctx, m.RosterUser(), e, PurposeResetPassword, now)
	}))
}

// RemovePassword takes the password from a user, who then has none: whatever is
// typed, it signs nobody in until there is a new one, by a reset for instance.
// It is auth-sensitive as [Users.SetPassword] is. It does nothing if there is
// none. It returns ErrNotFound, ErrLastAdmin, or an [InvalidError] of
// [FieldDirectory] if the user belongs to one.
func (us *Users) RemovePassword(ctx context.Context, id UserID) error {
	return wrap("remove password of user", id, us.live(ctx, "RemovePassword", id, func(ctx context.Context, m Model) error {
		if _, err := us.localCredential(ctx, m); err != nil {
			return ignore(err, ErrNotFound)
		}
		if err := us.keepAdmin(ctx, m.RosterUser()); err != nil {
			return err
		}
		now := us.now()
		if err := us.takePassword(ctx, m, now); err != nil {
			return err
		}
		return us.tellPassword(ctx, m.RosterUser(), MailPasswordChanged, noAddress, now)
	}))
}

// takePassword deletes the credential of a user, if there is one, and ends what
// is older.
func (us *Users) takePassword(ctx context.Context, m Model, now time.Time) error {
	u := m.RosterUser()
	if u.DirectoryID != "" {
		return invalid(FieldDirectory, ReasonReadOnly)
	}
	if err := us.store.DeleteCredential(ctx, u.ID, 0); err != nil {
		return err
	}
	u.PasswordChangedAt = time.Time{}
	if err := us.touched(ctx, m, now); err != nil {
		return err
	}
	return us.emit(ctx, Event{Kind: EventPasswordRemoved, User: u.ID})
}

// localCredential is the credential of a user who belongs to no directory.
func (us *Users) localCredential(ctx context.Context, m Model) (*Credential, error) {
	if u := m.RosterUser(); u.DirectoryID != "" {
		return nil, invalid(FieldDirectory, ReasonReadOnly)
	}
	return us.store.Credential(ctx, m.RosterUser().ID, 0)
}

// spokesman is the primary address of a user if it is activated, else nil.
func (us *Users) spokesman(ctx context.Context, id UserID) (*UserEmail, error) {
	emails, err := us.store.EmailsOf(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, e := range emails {
		if e.Primary && e.IsActivated() {
			return e, nil
		}
	}
	return nil, nil
}
