package roster

import (
	"context"
	"slices"
	"time"
)

// outranked returns ErrForbidden if a user holds anything that the other one
// does not hold, in the same scope and for as long. What it would hold if it could
// sign in counts, and what is yet to begin: what is kept from being taken over
// today would be worth taking over tomorrow.
func (us *Users) outranked(ctx context.Context, user, other UserID) error {
	held, err := us.store.HeldAnywhere(ctx, user, other)
	if err != nil || user == other {
		return err
	}
	theirs := slices.DeleteFunc(slices.Clone(held), func(h Held) bool { return h.UserID != user })
	return allCovered(theirs, held, other, us.now())
}

// holdsAll returns ErrForbidden unless a user holds all that, in those scopes and
// for as long.
func (us *Users) holdsAll(ctx context.Context, user UserID, all []Held) error {
	held, err := us.store.HeldAnywhere(ctx, user)
	if err != nil {
		return err
	}
	return allCovered(all, held, user, us.now())
}

// allCovered looks among what was read for what the user holds.
func allCovered(all, held []Held, user UserID, now time.Time) error {
	for i := range all {
		h := &all[i]
		if h.Permission != permNone && !h.isOver(now) && !slices.ContainsFunc(held, func(o Held) bool {
			return o.UserID == user && o.isValid(now) && o.covers(h)
		}) {
			return ErrForbidden
		}
	}
	return nil
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

// mayPass asks, of a verb that gives or takes permissions, whether the actor
// holds them all. An empty grant, which makes somebody safe from the weaker
// permissions, is for those who may edit the privileged.
func (us *Users) mayPass(ctx context.Context, verb string, all []Held) error {
	q := us.asking(verb)
	if q == nil {
		return nil
	}
	err := us.holdsAll(ctx, q.actor.User, all)
	if err == nil && slices.ContainsFunc(all, func(h Held) bool { return h.Permission == permNone && !h.isOver(q.now) }) {
		err = sure(q.everywhere(ctx, PermPrivEditUser)) // as the flag, which does the same
	}
	return q.refused(ctx, 0, err)
}

// mayPassGroup is mayPass for all that a group has.
func (us *Users) mayPassGroup(ctx context.Context, verb string, group GroupID) error {
	if us.actor == nil {
		return nil
	}
	grants, err := us.store.GrantsOf(ctx, ToGroup(group))
	if err != nil {
		return err
	}
	all := make([]Held, len(grants))
	for i, g := range grants {
		all[i] = Held{ScopeID: g.ScopeID, Permission: g.Permission, Until: g.Until}
	}
	return us.on(ToGroup(group)).mayPass(ctx, verb, all)
}

// heldUntil are permissions in a scope, for mayPass.
func heldUntil(until time.Time, scope ScopeID, ps []Permission) []Held {
	all := make([]Held, len(ps))
	for i, p := range ps {
		all[i] = Held{ScopeID: scope, Permission: p, Until: until}
	}
	return all
}

// by is who acts, for what remembers who made it. Zero is the program.
func (us *Users) by() UserID {
	if us.actor == nil {
		return 0
	}
	return us.actor.User
}
