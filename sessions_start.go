package roster

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// SignIn is [Users.Authenticate] and the start of a session. The token is for
// the client alone to keep: package sessioncookie puts it into a cookie. It is
// new each time, so whatever token the client had before is not signed in by it.
//
// It returns the errors of Authenticate, and ErrStale if the account changed
// between the check of the password and the start, by a new password say; then
// there is no session, and the client may try again.
func (us *Users) SignIn(ctx context.Context, login, password string) (*Session, Secret, error) {
	if err := us.ask(ctx, "SignIn"); err != nil {
		return nil, Secret{}, wrap("sign in", 0, err)
	}
	at := us.now()
	u, err := us.authenticate(ctx, login, password)
	if err != nil {
		return nil, Secret{}, wrap("sign in", 0, err)
	}
	s, token, err := us.startSession(ctx, u, at)
	return s, token, wrap("sign in", 0, err)
}

// StartSession starts a session for somebody who was authenticated just now in
// another way than by SignIn. u is the user as it was read before that. It
// returns ErrStale if the account has changed since, ErrNotActivated if it waits
// to be activated, or ErrCredentials if it cannot sign in for another reason.
//
// Do not read u anew for it: it is by the age of u that a change in between is
// noticed.
func (us *Users) StartSession(ctx context.Context, u *User) (*Session, Secret, error) {
	if err := us.ask(ctx, "StartSession"); err != nil {
		return nil, Secret{}, wrap("start session of user", u.ID, err)
	}
	s, token, err := us.startSession(ctx, u, us.now())
	return s, token, wrap("start session of user", u.ID, err)
}

func (us *Users) startSession(ctx context.Context, u *User, at time.Time) (s *Session, token Secret, err error) {
	err = us.store.Atomic(ctx, func(ctx context.Context) error {
		m, err := us.lockUnchanged(ctx, u)
		if err != nil {
			return err
		}
		stored := m.RosterUser()
		switch {
		case !stored.mayLogin():
			return ErrCredentials
		case !stored.IsActivated():
			return ErrNotActivated
		}
		s, token, err = us.insertSession(ctx, &Session{User: stored, AuthenticatedAt: at})
		return err
	})
	if err != nil {
		return nil, Secret{}, err
	}
	return s, token, nil
}

// lockUnchanged locks the row of a user that was read before. ErrStale says that
// the account has changed since.
func (us *Users) lockUnchanged(ctx context.Context, u *User) (Model, error) {
	m, err := us.store.LockUser(ctx, u.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, ErrStale
	case err != nil:
		return nil, err
	case !bind(m).AuthChangedAt.Equal(u.AuthChangedAt):
		return nil, ErrStale
	}
	return m, nil
}

// insertSession writes a new session of s.User, whose row is locked, and of
// s.Impersonator if there is one. AuthenticatedAt is set; a zero ExpiresAt is
// counted from it.
func (us *Users) insertSession(ctx context.Context, s *Session) (*Session, Secret, error) {
	now := us.now()
	s.ID, s.UserID, s.AuthChangedAt = uuid.New(), s.User.ID, s.User.AuthChangedAt
	if s.Impersonator != nil {
		s.ImpersonatorID, s.ImpersonatorChangedAt = s.Impersonator.ID, s.Impersonator.AuthChangedAt
	}
	if s.ExpiresAt.IsZero() {
		s.ExpiresAt = s.AuthenticatedAt.Add(us.opts.SessionTTL)
	}
	s.CreatedAt = now
	token := s.renew(ctx, now)
	if err := us.store.InsertSession(ctx, s); err != nil {
		return nil, Secret{}, err
	}
	if err := us.emitSession(ctx, EventSessionStarted, s); err != nil {
		return nil, Secret{}, err
	}
	return s, token, nil
}

// renew gives a session that is about to be written a new token.
func (s *Session) renew(ctx context.Context, now time.Time) Secret {
	token := newCode()
	hash, _ := hashCode(token.Reveal())
	client := ClientFrom(ctx)
	s.Hash, s.LastSeenAt = NewSecret(hash), now
	s.Addr, s.UserAgent, s.TLS = client.addr(), cleanLine(client.UserAgent, maxUserAgentBytes), client.TLS
	return token
}

const maxUserAgentBytes = 512

// RenewSession gives a session a new token; the old one is dead at once. It is
// for a change of what the session may do, not for each request: of two requests
// that come together with the old token, one would find itself signed out. The
// session does not live longer by it. It returns ErrNoSession.
func (us *Users) RenewSession(ctx context.Context, token string) (*Session, Secret, error) {
	s, err := us.session(ctx, "RenewSession", token)
	if err != nil {
		return nil, Secret{}, wrap("renew session", 0, err)
	}
	renewed, err := us.renewSession(ctx, s, EventSessionRenewed)
	return orNone(s, renewed, wrap("renew session of user", s.UserID, err))
}

// Reauthenticate asks the user of a session for the password again. The session
// is fresh then, gets a new token, and lives on from now as after a sign-in. It
// returns ErrNoSession, ErrForbidden if somebody else acts as the user, or
// ErrCredentials and ErrThrottled as [Users.CheckPassword].
func (us *Users) Reauthenticate(ctx context.Context, token, password string) (*Session, Secret, error) {
	const verb = "reauthenticate user"
	at := us.now()
	s, err := us.ownSession(ctx, "Reauthenticate", token)
	if err != nil {
		return nil, Secret{}, wrap("reauthenticate", 0, err)
	}
	if _, err := us.checkPassword(ctx, s.UserID, password); err != nil {
		return nil, Secret{}, wrap(verb, s.UserID, err)
	}
	s.AuthenticatedAt, s.ExpiresAt = at, at.Add(us.opts.SessionTTL)
	renewed, err := us.renewSession(ctx, s, EventReauthenticated)
	return orNone(s, renewed, wrap(verb, s.UserID, err))
}

// renewSession writes a session under a new token in the place of the old one.
func (us *Users) renewSession(ctx context.Context, s *Session, kind EventKind) (Secret, error) {
	old := s.Hash
	token := s.renew(ctx, us.now())
	err := us.store.Atomic(ctx, func(ctx context.Context) error {
		if err := us.store.UpdateSession(ctx, old, s); err != nil {
			return err
		}
		return us.emitSession(ctx, kind, s)
	})
	if errors.Is(err, ErrNotFound) {
		return Secret{}, ErrNoSession // ended or renewed meanwhile
	}
	return token, err
}

// orNone is the session and its token, or nothing beside an error.
func orNone(s *Session, token Secret, err error) (*Session, Secret, error) {
	if err != nil {
		return nil, Secret{}, err
	}
	return s, token, nil
}

// ChangePasswordIn is [Users.ChangePassword] for the user of a session: all
// other sessions end, and this one goes on as a new one with a new token. It
// returns ErrNoSession, ErrForbidden if somebody else acts as the user, and what
// ChangePassword does.
func (us *Users) ChangePasswordIn(ctx context.Context, token, current, password string) (s *Session, renewed Secret, err error) {
	own, err := us.ownSession(ctx, "ChangePasswordIn", token)
	if err != nil {
		return nil, Secret{}, wrap("change password", 0, err)
	}
	at := us.now()
	err = us.changePassword(ctx, unasked, own.UserID, current, password, func(ctx context.Context, m Model) error {
		if !m.RosterUser().CanLogin() {
			return ErrCredentials
		}
		s, renewed, err = us.insertSession(ctx, &Session{User: m.RosterUser(), AuthenticatedAt: at})
		return err
	})
	return orNone(s, renewed, wrap("change password of user", own.UserID, err))
}
