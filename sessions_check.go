package roster

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Session finds the session with a token, and who is signed in by it. Call it
// with every request. It asks the store once, and reads nothing from anywhere
// else, so a session that was ended is refused by every process at once, unless
// Options.SessionCache says otherwise.
//
// It returns ErrNoSession if the token is malformed or unknown; if the session
// was ended, has reached its limit (Options.SessionTTL) or was not used for too
// long (Options.SessionIdle); if the user cannot sign in any more, or the
// account had an auth-sensitive change since (see [User.AuthChangedAt]); if the
// session begins in the future, by more than clocks differ; or if somebody acts
// as the user who may not any more.
//
// That the session is in use is noted once a minute at most. If that fails the
// session is good all the same.
func (us *Users) Session(ctx context.Context, token string) (*Session, error) {
	s, err := us.session(ctx, "Session", token)
	return s, wrap("find session", 0, err)
}

func (us *Users) session(ctx context.Context, verb, token string) (*Session, error) {
	if err := us.ask(ctx, verb); err != nil {
		return nil, err
	}
	text, ok := hashCode(token)
	if !ok {
		return nil, ErrNoSession
	}
	now := us.now()
	s, err := us.loadSession(ctx, text, now)
	if err != nil {
		return nil, err
	}
	switch us.standing(s, now) {
	case over:
		us.drop(ctx, s.Hash)
		return nil, ErrNoSession
	case refused:
		return nil, ErrNoSession
	}
	if us.opts.SessionPinned {
		if c := ClientFrom(ctx); c.addr() != s.Addr || c.TLS != s.TLS {
			return nil, ErrNoSession
		}
	}
	if s.IsImpersonated() {
		if err := us.mayGoOn(ctx, s); err != nil {
			return nil, err
		}
	}
	us.see(ctx, s, now)
	return s, nil
}

// loadSession finds a session in whatever state, with its users: in the memory
// of this process, if it is there, and else in the store.
func (us *Users) loadSession(ctx context.Context, hash string, now time.Time) (*Session, error) {
	if us.cache == nil || inTransaction(ctx) {
		return us.readSession(ctx, hash)
	}
	if s := us.cache.get(hash, now); s != nil {
		return s, nil
	}
	seen := us.cache.seen()
	s, err := us.readSession(ctx, hash)
	if err == nil && !s.IsImpersonated() {
		us.cache.put(s, seen, now)
	}
	return s, err
}

func (us *Users) readSession(ctx context.Context, hash string) (*Session, error) {
	s, m, err := us.store.SessionByHash(ctx, NewSecret(hash))
	if errors.Is(err, ErrNotFound) {
		return nil, ErrNoSession
	}
	if err != nil {
		return nil, err
	}
	s.User = bind(m)
	if s.IsImpersonated() {
		if err := us.loadImpersonator(ctx, s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// ownSession is session for what an impersonator must not do.
func (us *Users) ownSession(ctx context.Context, verb, token string) (*Session, error) {
	s, err := us.session(ctx, verb, token)
	if err == nil && s.IsImpersonated() {
		us.denied(ctx, s.Actor(), verb, ToUser(s.UserID), 0)
		return nil, ErrForbidden
	}
	return s, err
}

// standing says what a session is good for at a moment.
type standing int

const (
	good    standing = iota
	refused          // now; who can sign in may change, and so may the clock
	over             // for ever
)

// clockSkew is how far the clocks of two machines may be apart.
const clockSkew = time.Minute

// standing is the one rule of when a session is good, of users as they are
// stored now. Times are compared as every store keeps them, to the microsecond.
//
// AuthChangedAt only ever moves on, whatever the clock does, so it numbers the
// states of an account: a session is of the state that it was started in, and of
// no other. No clock brings that back. What has run out is deleted when it is
// seen, so that a clock that is set back does not revive it either.
func (us *Users) standing(s *Session, now time.Time) standing {
	ends := s.ExpiresAt
	if at := s.AuthenticatedAt.Add(us.opts.SessionTTL); at.Before(ends) {
		ends = at // the option was longer once
	}
	idle := us.opts.SessionIdle
	switch {
	case s.CreatedAt.IsZero() || s.AuthenticatedAt.IsZero() || s.LastSeenAt.IsZero(),
		!now.Before(ends),
		idle > 0 && !now.Before(s.LastSeenAt.Add(idle)),
		!s.AuthChangedAt.Equal(s.User.AuthChangedAt),
		s.Impersonator != nil && !s.ImpersonatorChangedAt.Equal(s.Impersonator.AuthChangedAt):
		return over
	case s.CreatedAt.After(now.Add(clockSkew)), s.AuthenticatedAt.After(now.Add(clockSkew)),
		!s.User.CanLogin(),
		s.Impersonator != nil && !s.Impersonator.CanLogin():
		return refused
	}
	return good
}

// drop deletes a session that is over, so far as that can be done now.
func (us *Users) drop(ctx context.Context, hash Secret) {
	AfterCommit(ctx, func(ctx context.Context) {
		if err := us.store.DropSession(ctx, hash); err != nil && ctx.Err() == nil {
			us.opts.Logger.WarnContext(ctx, "session not removed", slog.Any("error", err))
		}
	})
}

// IsFresh reports whether the user of a session proved to be there, by the
// password say, within Options.FreshFor.
func (us *Users) IsFresh(s *Session) bool {
	now := us.now()
	return now.Before(s.AuthenticatedAt.Add(us.opts.FreshFor)) && !s.AuthenticatedAt.After(now.Add(clockSkew))
}

// RequireFresh returns ErrReauthenticate, which is an ErrForbidden, unless the
// session is fresh: [Users.Reauthenticate] makes it so. It returns ErrForbidden
// if somebody else acts as the user. Ask it before whatever could take an
// account over: a new address, a new password, deleting it, granting.
func (us *Users) RequireFresh(s *Session) error {
	return wrap("require a fresh session of user", s.UserID, us.requireFresh(s))
}

func (us *Users) requireFresh(s *Session) error {
	switch {
	case s.IsImpersonated():
		return ErrForbidden
	case !us.IsFresh(s):
		return ErrReauthenticate
	}
	return nil
}

// seenEvery is how often it is written down that a session is in use, and
// seenTimeout how long a request waits for that.
const (
	seenEvery   = time.Minute
	seenTimeout = time.Second
)

// seeing keeps the notes of sessions in use from piling up.
type seeing struct {
	mu     sync.Mutex
	busy   map[string]struct{} // hashes of those that are being written
	failed time.Time           // when writing failed last; zero if it has not
}

// begin reports whether the session is to be written now. If so, end follows.
func (v *seeing) begin(hash string, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, busy := v.busy[hash]; busy || now.Sub(v.failed).Abs() < seenEvery {
		return false
	}
	if v.busy == nil {
		v.busy = map[string]struct{}{}
	}
	v.busy[hash] = struct{}{}
	return true
}

func (v *seeing) end(hash string, now time.Time, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.busy, hash)
	if err != nil {
		v.failed = now
	}
}

// see notes that a session is in use, if that is due. A database that cannot be
// written to is left alone for as long.
func (us *Users) see(ctx context.Context, s *Session, now time.Time) {
	if now.Sub(s.LastSeenAt) < seenEvery {
		return
	}
	hash := s.Hash
	AfterCommit(ctx, func(ctx context.Context) { // in a transaction its failure would be that of all
		if !us.seeing.begin(hash.Reveal(), now) {
			return
		}
		var err error
		defer func() { us.seeing.end(hash.Reveal(), now, err) }()
		ctx, cancel := context.WithTimeout(ctx, seenTimeout)
		defer cancel()
		err = us.store.SeeSession(ctx, hash, now, now.Add(-seenEvery))
		if errors.Is(err, context.Canceled) {
			err = nil // the request has ended
		}
		if err != nil {
			us.opts.Logger.WarnContext(ctx, "session not noted as in use", slog.Any("error", err))
		}
	})
}
