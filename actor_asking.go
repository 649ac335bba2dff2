package roster

import (
	"context"
	"errors"
	"slices"
	"time"
)

// unasked is the verb of a step that some verb has asked for.
const unasked = ""

// asking is one question of an actor, in the transaction of the verb. What was
// read for it is not read again. The nil asking is the program's, which may
// everything.
type asking struct {
	us     *Users
	actor  Actor
	about  ScopeID // where the permission has to be held, as Operation.Mode says
	target Subject // whom the verb names
	op     Operation
	ok     bool // there is such a row in the table
	now    time.Time

	held   []Held    // what the actor has in
	scopes []ScopeID // these, and in scope 0
}

func (us *Users) asking(verb string) *asking {
	if us.actor == nil || verb == unasked {
		return nil
	}
	q := &asking{us: us, actor: *us.actor, about: us.actor.Scope, target: us.target, now: us.now()}
	if us.about != nil {
		q.about = *us.about
	}
	q.op, q.ok = operationOf(verb)
	return q
}

// in is us for verbs about a scope: that is where the actor has to hold the
// permission. The door stays where it is.
func (us *Users) in(scope ScopeID) *Users {
	if us.actor == nil {
		return us
	}
	about := *us
	about.about = &scope
	return &about
}

// ask is the question of a verb that has no target, or cannot know it yet.
func (us *Users) ask(ctx context.Context, verb string) error { return us.asking(verb).ask(ctx) }

// askAbout is the question of a verb that has to know the answer before its
// transaction, in which it asks again: it hashes, or counts.
func (us *Users) askAbout(ctx context.Context, verb string, id UserID) error {
	if us.actor == nil {
		return nil
	}
	u, err := us.byID(ctx, id)
	return us.on(ToUser(id)).askOf(ctx, verb, u, err)
}

// askOf is the question of a verb whose target was just read: found is why there
// is none, and u is nil then.
func (us *Users) askOf(ctx context.Context, verb string, u *User, found error) error {
	return us.asking(verb).of(ctx, u, found)
}

// askID is the question of a verb that says the same of users who do not exist.
func (us *Users) askID(ctx context.Context, verb string, id UserID) error {
	q := us.on(ToUser(id)).asking(verb)
	switch {
	case q != nil && id <= 0:
		return invalid(FieldID, ReasonNotPositive)
	case q == nil || q.op.Self != SelfFree || id != q.actor.User:
		return q.ask(ctx)
	}
	err := q.present(ctx)
	if err == nil {
		err = q.read(ctx, q.actor.Scope)
	}
	return q.refused(ctx, id, err)
}

// ask asks for all that does not depend on a target.
func (q *asking) ask(ctx context.Context) error {
	if q == nil {
		return nil
	}
	return q.refused(ctx, 0, q.base(ctx))
}

// of asks for everything. Who may not do it to anybody is not told that there is
// no such target.
func (q *asking) of(ctx context.Context, u *User, found error) error {
	if q == nil || found != nil && !errors.Is(found, ErrNotFound) {
		return found
	}
	if found == nil && !q.stranger(u) && (q.op.Self == SelfFree || q.op.Self == SelfEdit && !u.Flags.Has(FlagReadOnly)) {
		err := q.present(ctx)
		if err == nil && !u.CanLogin() {
			err = ErrForbidden
		}
		return q.refused(ctx, u.ID, err)
	}
	if err := q.base(ctx); err != nil {
		if u != nil {
			return q.refused(ctx, u.ID, err)
		}
		return q.refused(ctx, 0, err)
	}
	if found != nil {
		return found
	}
	return q.refused(ctx, u.ID, q.onto(ctx, u))
}

// stranger reports whether a user is not the actor.
func (q *asking) stranger(u *User) bool { return u.ID != q.actor.User }

// present asks whether there is somebody, and whether the verb is for actors.
func (q *asking) present(ctx context.Context) error {
	a := q.actor
	if a.User <= 0 || !q.ok || q.op.Access == AccessProgram || q.op.Care.Has(CareDirect) && a.acting() {
		return ErrForbidden
	}
	if q.op.Access == AccessRight && a.acting() {
		_, live, err := q.us.store.HeldGrants(ctx, a.Real, 0)
		return sure(live, err)
	}
	return nil
}

// base asks for the actor, the door and the permission.
func (q *asking) base(ctx context.Context) error {
	if err := q.present(ctx); err != nil || q.op.Access != AccessRight {
		return err
	}
	if err := errors.Join(q.read(ctx, q.actor.Scope), q.read(ctx, q.about)); err != nil {
		return err
	}
	if !q.throughDoor() || !q.has(q.op.Permission) && !q.has(q.op.Privileged) {
		return ErrForbidden
	}
	return nil
}

// read reads what the actor holds in a scope. An actor who cannot sign in is
// refused.
func (q *asking) read(ctx context.Context, scope ScopeID) error {
	if slices.Contains(q.scopes, scope) {
		return nil
	}
	held, live, err := q.us.store.HeldGrants(ctx, q.actor.User, scope)
	if err := sure(live, err); err != nil {
		return err
	}
	q.held, q.scopes = append(q.held, held...), append(q.scopes, scope)
	return nil
}

// throughDoor asks for the level: that the actor came in there, and may.
func (q *asking) throughDoor() bool {
	a := q.actor
	switch q.op.Level {
	case LevelUser:
		return true
	case LevelJudge:
		return a.Level >= LevelJudge && (q.holds(PermJudgeLogin, a.Scope, ScopeOnly) || q.holds(PermMasterLogin, a.Scope, ScopeOnly))
	default:
		return a.Level >= q.op.Level && q.holds(PermMasterLogin, a.Scope, ScopeOnly)
	}
}

// has asks for a permission where the verb wants it.
func (q *asking) has(p Permission) bool { return q.holds(p, q.about, q.op.Mode) }

// holds asks for a permission in a scope that was read. Nobody holds the empty
// one.
func (q *asking) holds(p Permission, scope ScopeID, mode Mode) bool {
	return p != permNone && slices.ContainsFunc(q.held, func(h Held) bool {
		return mode.counts(&h, p, scope) && h.isValid(q.now)
	})
}

// everywhere asks for a permission in scope 0, of an actor who was not asked
// for anything else, maybe.
func (q *asking) everywhere(ctx context.Context, p Permission) (bool, error) {
	err := q.read(ctx, q.actor.Scope)
	return err == nil && q.holds(p, 0, GlobalOnly), ignore(err, ErrForbidden)
}

// onto asks for what depends on the target.
func (q *asking) onto(ctx context.Context, u *User) error {
	if q.op.Privileged != q.op.Permission {
		privileged, err := q.us.arePrivileged(ctx, []*User{u})
		if err != nil {
			return err
		}
		p := q.op.Permission
		if privileged[u.ID] {
			p = q.op.Privileged
		}
		if !q.has(p) {
			return ErrForbidden
		}
	}
	if q.op.Care.Has(CareTakeover) && q.stranger(u) {
		return q.us.outranked(ctx, u.ID, q.actor.User)
	}
	return nil
}

// sure is ErrForbidden unless it is a yes.
func sure(yes bool, err error) error {
	if err == nil && !yes {
		err = ErrForbidden
	}
	return err
}
