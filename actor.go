package roster

import (
	"context"
	"errors"
	"slices"
)

// Level is the door that somebody has come through: the pages for everybody,
// those of the judges (or tutors, or support), those of the administrators. It
// answers to the privilege level of ejudge. A program sets it by where a request
// arrives; it counts for no more than what the actor's own permissions allow.
type Level uint8

// The levels, each with what the one before may do.
const (
	LevelUser  Level = iota // what every session begins with
	LevelJudge              // takes [PermJudgeLogin] or [PermMasterLogin] in Actor.Scope
	LevelAdmin              // takes [PermMasterLogin] in Actor.Scope
)

// String is the name of the level.
func (l Level) String() string {
	switch l {
	case LevelUser:
		return "user"
	case LevelJudge:
		return "judge"
	case LevelAdmin:
		return "admin"
	}
	return "unknown"
}

// Actor is somebody who asks, for [Users.For]. The zero Actor is nobody, and may
// nothing. An Actor is no proof of anything: make it of a session that was
// checked, by [Session.Actor], and raise the level where the page asks for it.
type Actor struct {
	User  UserID  // who acts
	Real  UserID  // who really sits there while acting as User; zero: User
	Level Level   // the door that they came through
	Scope ScopeID // the scope that they have signed into; zero is global
}

// Actor is who acts in a session: its user, at [LevelUser] and in no scope, and
// who really sits there if somebody acts as the user.
func (s *Session) Actor() Actor { return Actor{User: s.UserID, Real: s.ImpersonatorID} }

// acting reports whether somebody else acts as the user.
func (a Actor) acting() bool { return a.Real != 0 && a.Real != a.User }

// For returns accounts that act for somebody: the same store and the same verbs,
// each of which asks first whether the actor may do that, at that moment, in the
// transaction of the verb; what New returns is trusted, and asks nothing. What a
// verb asks is in [Operations]. For on what For returned is for the other actor
// alone. It costs nothing but the copy, so call it once a request.
//
// What is refused is ErrForbidden, in an order that tells nobody what they may
// not know: who may not do it to anybody learns nothing of the one that they
// named, not even if there is such a user. Beyond that, with or without a
// permission:
//
//   - An actor has to be a user who can sign in at that moment.
//   - The own account needs no permission where the table says so, and then only
//     what is harmless may be edited: the real name, the language, the time zone,
//     FlagShowLogin, FlagShowEmail, and Data. FlagReadOnly keeps one from that.
//   - A target that is flagged Privileged, or holds any grant, takes the
//     privileged variant of the permission.
//   - What could lead to acting as the target (a password, an address) is not
//     done to somebody who holds what the actor does not hold, with whatever
//     permission.
//   - Who acts as somebody else changes neither password, address nor rights.
//   - A user that was looked up comes without Data, last sign-in and times of the
//     password, unless the actor holds [PermGetUser]. What a host's own type adds
//     is for the host to hide.
func (us *Users) For(a Actor) *Users {
	acting := *us
	acting.actor = &a
	return &acting
}

// authority answers what an actor may do.
type authority interface {
	// can reports whether a user holds a permission.
	can(ctx context.Context, user UserID, p Permission, scope ScopeID, mode Mode) (bool, error)

	// isPrivileged reports whether a user is flagged, or holds any grant.
	isPrivileged(ctx context.Context, u *User) (bool, error)

	// exceeds reports whether a user holds anything, in any scope, that the other
	// one does not hold there.
	exceeds(ctx context.Context, user, other UserID) (bool, error)
}

// unasked is the verb of a step that some verb has asked for.
const unasked = ""

// ask is the question of a verb that has no target, or cannot know it yet.
func (us *Users) ask(ctx context.Context, verb string) error {
	if us.actor == nil {
		return nil
	}
	q := us.asking(verb)
	return us.refused(ctx, verb, 0, q.base(ctx))
}

// askAbout is the question of a verb that has to know the answer before its
// transaction, in which it asks again: it hashes, or counts.
func (us *Users) askAbout(ctx context.Context, verb string, id UserID) error {
	if us.actor == nil {
		return nil
	}
	u, err := us.byID(ctx, id)
	return us.askOf(ctx, verb, u, err)
}

// askOf is the question of a verb whose target was just read: found is why there
// is none, and u is nil then. Who may not know that there is none is told
// something else.
func (us *Users) askOf(ctx context.Context, verb string, u *User, found error) error {
	if us.actor == nil || verb == unasked || found != nil && !errors.Is(found, ErrNotFound) {
		return found
	}
	q := us.asking(verb)
	if found == nil && u.ID == us.actor.User {
		switch q.op.Self {
		case SelfEdit:
			if u.Flags.Has(FlagReadOnly) {
				break
			}
			fallthrough
		case SelfFree:
			return us.refused(ctx, verb, u.ID, q.present(ctx))
		}
	}
	if err := q.base(ctx); err != nil {
		return us.refused(ctx, verb, 0, err)
	}
	if found != nil {
		return found
	}
	return us.refused(ctx, verb, u.ID, q.onto(ctx, u))
}

// asking is one question of one actor.
type asking struct {
	us *Users
	op Operation
	ok bool // there is such a row
}

func (us *Users) asking(verb string) asking {
	op, ok := operationOf(verb)
	return asking{us, op, ok}
}

// present asks whether there is somebody, and whether the verb is for actors.
func (q asking) present(ctx context.Context) error {
	a := q.us.actor
	if a.User <= 0 || !q.ok || q.op.Access == AccessProgram || q.op.Care.Has(Alone) && a.acting() {
		return ErrForbidden
	}
	if q.op.Access != AccessRight {
		return nil
	}
	ids := []UserID{a.User}
	if a.acting() {
		ids = append(ids, a.Real)
	}
	users, err := q.us.store.UsersByID(ctx, ids...)
	if err != nil {
		return err
	}
	if len(users) != len(ids) || slices.ContainsFunc(users, func(m Model) bool { return !m.RosterUser().CanLogin() }) {
		return ErrForbidden
	}
	return nil
}

// base asks for all that does not depend on the target.
func (q asking) base(ctx context.Context) error {
	if err := q.present(ctx); err != nil || q.op.Access != AccessRight {
		return err
	}
	if err := q.level(ctx); err != nil {
		return err
	}
	held, err := q.holds(ctx, q.op.Permission)
	if err == nil && !held && q.op.Privileged != q.op.Permission {
		held, err = q.holds(ctx, q.op.Privileged)
	}
	return yes(held, err)
}

// level asks for the door: that the actor came through it, and may.
func (q asking) level(ctx context.Context) error {
	a := q.us.actor
	switch {
	case q.op.Level == LevelUser:
		return nil
	case a.Level < q.op.Level:
		return ErrForbidden
	}
	held, err := q.us.auth.can(ctx, a.User, PermMasterLogin, a.Scope, ScopeOnly)
	if err == nil && !held && q.op.Level == LevelJudge {
		held, err = q.us.auth.can(ctx, a.User, PermJudgeLogin, a.Scope, ScopeOnly)
	}
	return yes(held, err)
}

// onto asks for what depends on the target.
func (q asking) onto(ctx context.Context, u *User) error {
	p := q.op.Permission
	if q.op.Privileged != p {
		privileged, err := q.us.auth.isPrivileged(ctx, u)
		if err != nil {
			return err
		}
		if privileged {
			p = q.op.Privileged
		}
		if err := yes(q.holds(ctx, p)); err != nil {
			return err
		}
	}
	if q.op.Care.Has(Over) {
		return q.above(ctx, u)
	}
	return nil
}

// above asks that the target holds nothing that the actor lacks.
func (q asking) above(ctx context.Context, u *User) error {
	exceeds, err := q.us.auth.exceeds(ctx, u.ID, q.us.actor.User)
	return yes(!exceeds, err)
}

// holds asks for one permission. The empty one nobody holds.
func (q asking) holds(ctx context.Context, p Permission) (bool, error) {
	if p == "" {
		return false, nil
	}
	return q.us.auth.can(ctx, q.us.actor.User, p, q.us.actor.Scope, q.op.Mode)
}

func yes(held bool, err error) error {
	if err == nil && !held {
		err = ErrForbidden
	}
	return err
}
