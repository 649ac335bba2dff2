package roster

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// impersonationTTL is how long somebody may act as somebody else at a time.
const impersonationTTL = time.Hour

// Impersonate lets the user of a session act as another user, to see what that
// one sees: it ends the session and starts one of the target, with a new token,
// for an hour at most, and not beyond what was left of the former one.
// [Users.StopImpersonating] leads back. Both start and end are logged with both
// users, and the session carries both as long as it lasts.
//
// It takes [PermImpersonate] in scope 0 or, if it is set, what Options.MayImpersonate
// says, now and at every check of the session. Who asks is taken from the session
// and from nowhere else, and has to be fresh, see [Users.RequireFresh]. Whatever
// they hold, nobody acts as themselves, as a user who is flagged Privileged or
// cannot sign in, as one who holds anything, in any scope, that they do not hold
// there, or as somebody while acting as somebody else; and the session ends when
// either account has an auth-sensitive change.
//
// It returns ErrNoSession; ErrReauthenticate; ErrForbidden, also if there is no
// such target, of which nothing is told; or else the error of MayImpersonate.
func (us *Users) Impersonate(ctx context.Context, token string, target UserID) (*Session, Secret, error) {
	own, err := us.ownSession(ctx, "Impersonate", token)
	if err != nil {
		return nil, Secret{}, wrap("impersonate", 0, err)
	}
	s, renewed, err := us.impersonate(ctx, own, target)
	var no *impersonationError
	if errors.As(err, &no) {
		err = no.error
	}
	if no != nil || errors.Is(err, ErrForbidden) && !errors.Is(err, ErrReauthenticate) {
		us.denied(ctx, own.Actor(), "Impersonate", ToUser(max(0, target)), 0)
	}
	return s, renewed, wrap("impersonate as user", own.UserID, err)
}

func (us *Users) impersonate(ctx context.Context, own *Session, target UserID) (s *Session, token Secret, err error) {
	switch {
	case target <= 0 || target == own.UserID:
		return nil, Secret{}, ErrForbidden
	case !us.IsFresh(own):
		return nil, Secret{}, ErrReauthenticate
	}
	err = us.store.Atomic(ctx, func(ctx context.Context) error {
		actor, u, err := us.lockPair(ctx, own.User, target)
		if err != nil {
			return err
		}
		if err := us.mayImpersonate(ctx, actor, u); err != nil {
			if errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
				return err
			}
			return &impersonationError{err}
		}
		if err := us.endOwn(ctx, own); err != nil {
			return err
		}
		ends := us.now().Add(impersonationTTL)
		if own.ExpiresAt.Before(ends) {
			ends = own.ExpiresAt
		}
		s, token, err = us.insertSession(ctx, &Session{
			User: u, Impersonator: actor, AuthenticatedAt: own.AuthenticatedAt, ExpiresAt: ends,
		})
		if err != nil {
			return err
		}
		us.recordImpersonation(ctx, "started", s)
		return us.emitSession(ctx, EventImpersonationStarted, s)
	})
	return orNone(s, token, err)
}

// impersonationError is the no of mayImpersonate, whatever the host says.
type impersonationError struct{ error }

func (e *impersonationError) Unwrap() error { return e.error }

// lockPair locks the actor, who must be as it was read, and the target, in the
// order of their IDs.
func (us *Users) lockPair(ctx context.Context, actor *User, target UserID) (a, u *User, err error) {
	lockTarget := func() error {
		m, err := us.store.LockUser(ctx, target)
		if errors.Is(err, ErrNotFound) {
			return ErrForbidden
		}
		if err == nil {
			u = bind(m)
		}
		return err
	}
	if target < actor.ID {
		err = lockTarget()
	}
	if err != nil {
		return nil, nil, err
	}
	m, err := us.lockUnchanged(ctx, actor)
	if errors.Is(err, ErrStale) {
		err = ErrNoSession
	}
	if err != nil {
		return nil, nil, err
	}
	if target > actor.ID {
		err = lockTarget()
	}
	return m.RosterUser(), u, err
}

// mayImpersonate returns ErrForbidden, or what Options.MayImpersonate answers.
func (us *Users) mayImpersonate(ctx context.Context, actor, target *User) error {
	if !actor.CanLogin() || !target.CanLogin() || target.Flags.Has(FlagPrivileged) {
		return ErrForbidden
	}
	if us.opts.MayImpersonate == nil {
		if err := sure(us.can(ctx, actor.ID, PermImpersonate, 0, GlobalOnly)); err != nil {
			return err
		}
	} else if err := us.opts.MayImpersonate(ctx, actor, target); err != nil {
		return err
	}
	return us.outranked(ctx, target.ID, actor.ID)
}

// mayGoOn asks again for a session that somebody acts in. What keeps it from
// being known is told, everything else is the end.
func (us *Users) mayGoOn(ctx context.Context, s *Session) error {
	err := us.mayImpersonate(ctx, s.Impersonator, s.User)
	if err != nil && !errors.Is(err, ErrUnavailable) && ctx.Err() == nil {
		return ErrNoSession
	}
	return err
}

// loadImpersonator reads who acts as the user.
func (us *Users) loadImpersonator(ctx context.Context, s *Session) error {
	m, err := us.store.UserByID(ctx, s.ImpersonatorID)
	if errors.Is(err, ErrNotFound) {
		return ErrNoSession
	}
	if err == nil {
		s.Impersonator = bind(m)
	}
	return err
}

// StopImpersonating ends a session in which somebody acts as somebody else, and
// starts one of who did: as fresh as the one before, ending when that would
// have, with a new token. Who that is stands in the stored session. It returns
// ErrNoSession, or ErrForbidden if nobody acts as anybody in it.
func (us *Users) StopImpersonating(ctx context.Context, token string) (*Session, Secret, error) {
	acting, err := us.session(ctx, "StopImpersonating", token)
	if err == nil && !acting.IsImpersonated() {
		err = ErrForbidden
	}
	if err != nil {
		return nil, Secret{}, wrap("stop impersonating", 0, err)
	}
	var s *Session
	var renewed Secret
	err = us.store.Atomic(ctx, func(ctx context.Context) error {
		m, err := us.lockUnchanged(ctx, acting.Impersonator)
		if errors.Is(err, ErrStale) {
			return ErrNoSession
		}
		if err != nil {
			return err
		}
		if err := us.endOwn(ctx, acting); err != nil {
			return err
		}
		s, renewed, err = us.insertSession(ctx, &Session{User: m.RosterUser(), AuthenticatedAt: acting.AuthenticatedAt})
		if err != nil {
			return err
		}
		us.recordImpersonation(ctx, "ended", acting)
		return us.emitSession(ctx, EventImpersonationEnded, acting)
	})
	return orNone(s, renewed, wrap("stop impersonating as user", acting.ImpersonatorID, err))
}

// endOwn ends the session that another one takes the place of. ErrNoSession says
// that it has ended meanwhile.
func (us *Users) endOwn(ctx context.Context, s *Session) error {
	err := us.store.DeleteSession(ctx, s.UserID, s.ID)
	if errors.Is(err, ErrNotFound) {
		return ErrNoSession
	}
	if err != nil {
		return err
	}
	return us.emitSession(ctx, EventSessionEnded, s)
}

// recordImpersonation tells the operator who acts as whom, once it is so.
func (us *Users) recordImpersonation(ctx context.Context, what string, s *Session) {
	by, as, id := s.ImpersonatorID, s.UserID, s.ID
	AfterCommit(ctx, func(context.Context) {
		us.opts.Logger.InfoContext(ctx, "impersonation", slog.String("what", what), slog.Int64("impersonator", int64(by)), slog.Int64("user", int64(as)), slog.String("session", id.String()))
	})
}
