package roster

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Session is one signed-in browser or program. It is found by a token that only
// its holder has, 43 characters of URL-safe base64 with 256 random bits, of
// which the SHA-256 is kept. It answers to the Session of IPFire's pbs and the
// cookie of ejudge.
type Session struct {
	ID     uuid.UUID // to list and end it by; signs nobody in
	Hash   Secret    // hexadecimal SHA-256 of the token, the key of the row
	UserID UserID    // who is signed in

	// ImpersonatorID is who acts as the user, see [Users.Impersonate]. Zero is
	// nobody but the user.
	ImpersonatorID UserID

	// AuthChangedAt is the user's at the time of the sign-in, and
	// ImpersonatorChangedAt the impersonator's. When either has moved on the
	// session is dead for good.
	AuthChangedAt         time.Time
	ImpersonatorChangedAt time.Time

	CreatedAt       time.Time // a renewal does not move it
	AuthenticatedAt time.Time // when the person last proved to be there, see [Users.RequireFresh]
	LastSeenAt      time.Time // written once a minute at most
	ExpiresAt       time.Time // valid strictly before

	// Where the session was started, or got its newest token: see [WithClient].
	Addr      string // empty is unknown
	UserAgent string // at most 512 bytes, without what cannot be printed
	TLS       bool

	// User is who is signed in, as stored at that moment, and Impersonator who
	// acts as the user, or nil. [Users.Sessions] leaves both nil.
	User         *User
	Impersonator *User
}

// IsImpersonated reports whether somebody else acts as the user. What concerns
// the account itself, the password, the addresses, the permissions, is to be
// refused then: [Users.RequireFresh] does.
func (s *Session) IsImpersonated() bool { return s.ImpersonatorID != 0 }

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

// addr is the address as it is kept and compared: IPv4 as such also if it was
// mapped into IPv6, without a zone, empty if it is unknown.
func (c Client) addr() string {
	if !c.Addr.IsValid() {
		return ""
	}
	return c.Addr.Unmap().WithZone("").String()
}

// cleanLine makes text from outside fit for keeping and showing: at most so many
// bytes, whole characters, none that is hidden.
func cleanLine(s string, maxBytes int) string {
	s = s[:min(len(s), 4*maxBytes)]
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || hidden(r) {
			return -1
		}
		return r
	}, s)
	if len(s) <= maxBytes {
		return s
	}
	end := maxBytes
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

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

// Sessions lists the sessions that a user has, those in which somebody else acts
// as the user too, the newest first and a thousand at most. It returns
// ErrNotFound if there is no such user.
func (us *Users) Sessions(ctx context.Context, id UserID) ([]*Session, error) {
	const verb = "list sessions of user"
	u, err := us.byID(ctx, id)
	if err := us.askOf(ctx, "Sessions", u, err); err != nil {
		return nil, wrap(verb, id, err)
	}
	all, err := us.store.SessionsOf(ctx, id, maxSessions)
	if err != nil {
		return nil, wrap(verb, id, err)
	}
	now, live := us.now(), all[:0]
	for _, s := range all {
		s.User = u
		if us.standing(s, now) == good {
			live = append(live, s)
		}
		s.User = nil
	}
	if q := us.asking("Sessions"); q != nil && !q.stranger(u) {
		err = q.hideClients(ctx, live)
	}
	return live, wrap(verb, id, err)
}

// hideClients takes out where others are who act as the actor.
func (q *asking) hideClients(ctx context.Context, all []*Session) error {
	if details, err := q.everywhere(ctx, PermGetUser); err != nil || details {
		return err
	}
	for _, s := range all {
		if s.ImpersonatorID != 0 {
			s.Addr, s.UserAgent = "", ""
		}
	}
	return nil
}

const maxSessions = 1000

// EndSession ends a session of a user by its ID. Codes are void, since somebody
// who should not have been there may have asked for them. It returns ErrNotFound
// if there is none, also if the session is somebody else's.
func (us *Users) EndSession(ctx context.Context, user UserID, id uuid.UUID) error {
	return wrap("end session of user", user, us.endingSessions(ctx, "EndSession", user, func(ctx context.Context) error {
		if err := us.store.DeleteSession(ctx, user, id); err != nil {
			return err
		}
		return us.emit(ctx, Event{Kind: EventSessionEnded, User: user, Details: details(detailSession, id)})
	}))
}

// endingSessions runs fn, which deletes sessions of a user, and voids codes.
func (us *Users) endingSessions(ctx context.Context, verb string, user UserID, fn func(ctx context.Context) error) error {
	return us.locked(ctx, verb, user, func(ctx context.Context, _ Model) error {
		if err := fn(ctx); err != nil {
			return err
		}
		_, err := us.store.VoidActivations(ctx, user, 0)
		return err
	})
}

// EndOtherSessions ends all sessions of the user of a session but this one, and
// those in which the user acts as somebody else. Codes are void, as by EndSession.
// It returns how many, ErrNoSession, or ErrForbidden if somebody else acts as the
// user.
func (us *Users) EndOtherSessions(ctx context.Context, token string) (int, error) {
	s, err := us.ownSession(ctx, "EndOtherSessions", token)
	if err != nil {
		return 0, wrap("end other sessions", 0, err)
	}
	n := 0
	err = us.endingSessions(ctx, unasked, s.UserID, func(ctx context.Context) (err error) {
		if n, err = us.store.DeleteSessions(ctx, s.UserID, s.ID); err != nil {
			return err
		}
		return us.emit(ctx, Event{Kind: EventSessionsEnded, User: s.UserID, Actor: s.UserID, Details: details("others", n)})
	})
	if err != nil {
		return 0, wrap("end other sessions of user", s.UserID, err)
	}
	return n, nil
}

// EndSessions ends all sessions of a user, also those that are just about to
// start: it is auth-sensitive, and codes are void. It returns ErrNotFound.
func (us *Users) EndSessions(ctx context.Context, id UserID) error {
	return wrap("end sessions of user", id, us.live(ctx, "EndSessions", id, func(ctx context.Context, m Model) error {
		if err := us.touched(ctx, m, us.now()); err != nil {
			return err
		}
		return us.emit(ctx, Event{Kind: EventSessionsEnded, User: id})
	}))
}

// SignOut ends the session with the token. It does nothing if there is none.
func (us *Users) SignOut(ctx context.Context, token string) error {
	if err := us.ask(ctx, "SignOut"); err != nil {
		return wrap("sign out", 0, err)
	}
	hash, ok := hashCode(token)
	if !ok {
		return nil
	}
	return wrap("sign out", 0, us.signOut(ctx, NewSecret(hash)))
}

func (us *Users) signOut(ctx context.Context, hash Secret) error {
	return us.store.Atomic(ctx, func(ctx context.Context) error {
		s, _, err := us.store.SessionByHash(ctx, hash)
		if err != nil {
			return ignore(err, ErrNotFound)
		}
		if err := us.store.DropSession(ctx, hash); err != nil {
			return err
		}
		return us.emitSession(ctx, EventSessionEnded, s)
	})
}

// SessionStore keeps the rows of sessions.
type SessionStore interface {
	// InsertSession writes a new row. A taken hash, or ID of the user, is a
	// [ConflictError] of [FieldID], else a user or impersonator that does not
	// exist one of [FieldUser].
	InsertSession(ctx context.Context, s *Session) error

	// SessionByHash finds a session with its user, both in whatever state. User
	// and Impersonator of the session are nil.
	SessionByHash(ctx context.Context, hash Secret) (*Session, Model, error)

	// UpdateSession writes Hash, AuthenticatedAt, LastSeenAt, ExpiresAt, Addr,
	// UserAgent and TLS of the row that has the hash old. ErrNotFound if there
	// is none, a conflict as in InsertSession.
	UpdateSession(ctx context.Context, old Secret, s *Session) error

	// SeeSession sets LastSeenAt and nothing else, if it was at or before that
	// time. It is content if there is no such row.
	SeeSession(ctx context.Context, hash Secret, at, before time.Time) error

	// SessionsOf returns the newest sessions of a user by CreatedAt, the newest
	// first, of equal ones that with the greater ID.
	SessionsOf(ctx context.Context, user UserID, limit int) ([]*Session, error)

	// DeleteSession deletes the session of a user. ErrNotFound if there is none.
	DeleteSession(ctx context.Context, user UserID, id uuid.UUID) error

	// DropSession deletes the session with the hash, if there is one.
	DropSession(ctx context.Context, hash Secret) error

	// DeleteSessions deletes every session that the user is the user or the
	// impersonator of, but the user's own with the ID. It returns how many.
	DeleteSessions(ctx context.Context, user UserID, but uuid.UUID) (int, error)

	// PruneSessions deletes at most limit rows that expired at or before now. It
	// returns how many.
	PruneSessions(ctx context.Context, now time.Time, limit int) (int, error)
}
