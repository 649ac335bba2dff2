package roster

import (
	"context"
	"time"

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

// Sessions lists the sessions that a user has, those in which somebody else acts
// as the user too, the newest first and a thousand at most. It returns
// ErrNotFound if there is no such user.
func (us *Users) Sessions(ctx context.Context, id UserID) ([]*Session, error) {
	const verb = "list sessions of user"
	u, err := us.byID(ctx, id)
	if err := us.on(ToUser(id)).askOf(ctx, "Sessions", u, err); err != nil {
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
