package roster

import (
	"context"
	"slices"
	"time"
)

// granted answers what an actor may do by what was granted, as [Users.Can] does.
// It asks for nobody, whoever the accounts act for.
type granted struct{ us *Users }

func (g granted) can(ctx context.Context, user UserID, p Permission, scope ScopeID, mode Mode) (bool, error) {
	return g.us.can(ctx, user, p, scope, mode)
}

func (g granted) isPrivileged(ctx context.Context, u *User) (bool, error) {
	is, err := g.us.arePrivileged(ctx, []*User{u})
	return is[u.ID], err
}

// exceeds looks at what a user would hold if it could sign in, also at what is
// yet to begin: what is kept from being taken over today would be worth taking
// over tomorrow.
func (g granted) exceeds(ctx context.Context, user, other UserID) (bool, error) {
	if user == other {
		return false, nil
	}
	held, err := g.us.store.HeldAnywhere(ctx, user, other)
	if err != nil {
		return false, err
	}
	now := g.us.now()
	others := slices.DeleteFunc(slices.Clone(held), func(h Held) bool { return h.UserID != other || !h.isValid(now) })
	return slices.ContainsFunc(held, func(h Held) bool {
		return h.UserID == user && h.Permission != permNone && !h.isOver(now) &&
			!slices.ContainsFunc(others, func(o Held) bool { return o.covers(&h) })
	}), nil
}

// isOver reports whether the grant is good no more.
func (h *Held) isOver(now time.Time) bool { return !h.Until.IsZero() && !now.Before(h.Until) }

// covers reports whether o gives what h does, where it does, and as long.
func (o *Held) covers(h *Held) bool {
	if !o.Until.IsZero() && (h.Until.IsZero() || h.Until.After(o.Until)) {
		return false
	}
	return o.Permission == permAll && o.ScopeID == 0 || o.Permission == h.Permission && o.ScopeID == h.ScopeID
}
