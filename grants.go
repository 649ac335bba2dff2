package roster

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// GrantID is the key of a [Grant]. It is never reused, and zero is none.
type GrantID int64

// Subject is whom something is granted to: a user or a group, by ID, so that a
// new name changes no right. [ToUser] and [ToGroup] make one.
type Subject struct {
	User  UserID  // zero if it is a group
	Group GroupID // zero if it is a user
}

// ToUser is a user as the subject of a grant.
func ToUser(id UserID) Subject { return Subject{User: id} }

// ToGroup is a group, that is its members, as the subject of a grant.
func ToGroup(id GroupID) Subject { return Subject{Group: id} }

func (s Subject) String() string {
	if s.Group != 0 {
		return fmt.Sprintf("group %d", s.Group)
	}
	return fmt.Sprintf("user %d", s.User)
}

// Grant is one permission that a user or a group has in one scope. It gives
// nothing while its user cannot sign in.
type Grant struct {
	ID         GrantID
	Subject    Subject
	ScopeID    ScopeID    // zero is global
	Permission Permission // empty: the grant gives nothing, but makes its subject privileged
	From       time.Time  // good from then on; zero is from ever
	Until      time.Time  // good strictly before; zero is for ever
	CreatedBy  UserID     // who has granted it first; zero is the program, and who it was may be gone
	CreatedAt  time.Time
}

// Period is when a grant is good: from From on, strictly before Until. A zero
// time does not limit it.
type Period struct{ From, Until time.Time }

// IsValid reports whether the grant is good at that time, as far as its period
// says.
func (g *Grant) IsValid(at time.Time) bool { return Period{g.From, g.Until}.contains(at) }

func (p Period) contains(at time.Time) bool {
	return (p.From.IsZero() || !at.Before(p.From)) && (p.Until.IsZero() || at.Before(p.Until))
}

// Grant gives permissions in a scope, without limit in time. What the subject
// has already it keeps, and if that was limited it is no longer. With no
// permission at all it makes an empty grant: that gives nothing but, as every
// grant does, it makes the subject privileged. It returns ErrNotFound if there is
// no such user or group, or an [InvalidError] of [FieldSubject] or, for a name that
// nobody has declared, of [FieldPermission].
func (us *Users) Grant(ctx context.Context, to Subject, scope ScopeID, ps ...Permission) error {
	return wrap("grant to "+to.String(), 0, us.grant(ctx, "Grant", to, scope, Period{}, ps))
}

// GrantDuring is Grant for a time. What the subject has already gets the new
// period, which may be shorter. It also returns an [InvalidError] of
// [FieldPeriod] if the period ends before it begins, or is of no year from 1 to
// 9999.
func (us *Users) GrantDuring(ctx context.Context, to Subject, scope ScopeID, during Period, ps ...Permission) error {
	return wrap("grant to "+to.String(), 0, us.grant(ctx, "GrantDuring", to, scope, during, ps))
}

func (us *Users) grant(ctx context.Context, verb string, to Subject, scope ScopeID, during Period, ps []Permission) error {
	during = Period{stamp(during.From), stamp(during.Until)}
	if !during.Until.IsZero() && !during.Until.After(during.From) {
		return invalid(FieldPeriod, ReasonTooShort)
	}
	for _, t := range []time.Time{during.From, during.Until} {
		if y := t.Year(); y < 1 || y > 9999 {
			return invalid(FieldPeriod, ReasonTooLong)
		}
	}
	names, err := us.named(ps)
	if err != nil {
		return err
	}
	us = us.in(scope)
	return us.onSubject(ctx, verb, to, us.live, func(ctx context.Context) error {
		until, soon := during.Until, us.now().Add(time.Microsecond)
		if !until.IsZero() && until.Before(soon) { // which takes it back
			until = soon
		}
		if err := us.on(to).mayPass(ctx, verb, heldUntil(until, scope, names)); err != nil {
			return err
		}
		g := Grant{Subject: to, ScopeID: scope, From: during.From, Until: during.Until, CreatedBy: us.by(), CreatedAt: us.now()}
		if n, err := us.store.PutGrants(ctx, g, names...); err != nil || n == 0 {
			return err
		}
		return us.emitGrant(ctx, EventGranted, g, names)
	})
}

// emitGrant records what was granted or revoked, by the names and the period.
func (us *Users) emitGrant(ctx context.Context, kind EventKind, g Grant, names []Permission) error {
	details := map[string]any{"permissions": names}
	for key, t := range map[string]time.Time{"from": g.From, "until": g.Until} {
		if !t.IsZero() {
			details[key] = t
		}
	}
	e := Event{Kind: kind, User: g.Subject.User, Group: g.Subject.Group, Scope: g.ScopeID, Details: Data{}}
	for key, v := range details {
		raw, err := json.Marshal(v)
		if err != nil {
			return err
		}
		e.Details[key] = raw
	}
	return us.emit(ctx, e)
}

// Revoke takes permissions back in a scope. With no permission at all it takes
// the empty grant back. What the subject does not have is no error. What the
// subject, or the members of the group, hold through another grant they go on
// to hold: see [Users.Explain]. It returns ErrNotFound if there is no such user
// or group, or an [InvalidError] as Grant does.
func (us *Users) Revoke(ctx context.Context, from Subject, scope ScopeID, ps ...Permission) error {
	names, err := us.named(ps)
	if err == nil {
		us = us.in(scope)
		err = us.onSubject(ctx, "Revoke", from, us.locked, func(ctx context.Context) error {
			return us.revoke(ctx, "Revoke", from, scope, names)
		})
	}
	return wrap("revoke from "+from.String(), 0, err)
}

// RevokeAll takes everything back that a subject has in a scope, also the empty
// grant and what nobody has declared. It returns ErrNotFound or an [InvalidError]
// of [FieldSubject].
func (us *Users) RevokeAll(ctx context.Context, from Subject, scope ScopeID) error {
	us = us.in(scope)
	return wrap("revoke all from "+from.String(), 0, us.onSubject(ctx, "RevokeAll", from, us.locked, func(ctx context.Context) error {
		grants, err := us.store.GrantsOf(ctx, from)
		if err != nil {
			return err
		}
		var names []Permission
		for _, g := range grants {
			if g.ScopeID == scope && g.Permission != permAll {
				names = append(names, g.Permission)
			}
		}
		return us.revoke(ctx, "RevokeAll", from, scope, names)
	}))
}

func (us *Users) revoke(ctx context.Context, verb string, from Subject, scope ScopeID, names []Permission) error {
	if len(names) == 0 {
		return nil
	}
	soon := us.now().Add(time.Microsecond) // it is enough to hold them now
	if err := us.on(from).mayPass(ctx, verb, heldUntil(soon, scope, names)); err != nil {
		return err
	}
	if n, err := us.store.DeleteGrants(ctx, from, scope, names...); err != nil || n == 0 {
		return err
	}
	return us.emitGrant(ctx, EventRevoked, Grant{Subject: from, ScopeID: scope}, names)
}

// named are the names to be written, each once.
func (us *Users) named(ps []Permission) ([]Permission, error) {
	if len(ps) == 0 {
		return []Permission{permNone}, nil
	}
	names := slices.Clone(ps)
	slices.Sort(names)
	return slices.Compact(names), us.perms.check(ps...)
}

// onSubject runs fn in a transaction on the row of the subject, of a user by
// the function that locks one.
func (us *Users) onSubject(
	ctx context.Context, verb string, s Subject,
	lock func(context.Context, string, UserID, func(context.Context, Model) error) error,
	fn func(ctx context.Context) error,
) error {
	switch {
	case (s.User == 0) == (s.Group == 0):
		return invalid(FieldSubject, ReasonEmpty)
	case s.Group != 0:
		return us.lockedGroup(ctx, verb, s.Group, func(ctx context.Context, _ GroupModel) error { return fn(ctx) })
	default:
		return lock(ctx, verb, s.User, func(ctx context.Context, _ Model) error { return fn(ctx) })
	}
}

// GrantsOf lists what was granted to a user or a group itself, good now or not,
// by scope and then by permission. What a user holds through groups is in
// [Users.Explain].
func (us *Users) GrantsOf(ctx context.Context, s Subject) ([]*Grant, error) {
	if err := us.on(s).ask(ctx, "GrantsOf"); err != nil {
		return nil, wrap("list grants of "+s.String(), 0, err)
	}
	grants, err := us.store.GrantsOf(ctx, s)
	return us.declared(grants), wrap("list grants of "+s.String(), 0, err)
}

// GrantsIn lists the grants in a scope, good now or not, in the order of their
// IDs. It returns an [InvalidError] of [FieldLimit] or [FieldCursor].
func (us *Users) GrantsIn(ctx context.Context, scope ScopeID, p Paging) (*Page[*Grant], error) {
	if err := us.in(scope).ask(ctx, "GrantsIn"); err != nil {
		return nil, wrap("list grants", 0, err)
	}
	l, err := pageOf(p, fmt.Sprint("grants in ", scope), func(_ string, after int64, limit int) ([]*Grant, error) {
		return us.store.GrantsIn(ctx, scope, GrantID(after), limit)
	}, func(g *Grant) (string, int64) { return "", int64(g.ID) })
	if err != nil {
		return nil, wrap("list grants", 0, err)
	}
	l.Items = us.declared(l.Items)
	return l, nil
}

// declared leaves out, and logs, grants of what nobody has declared, and what
// the built-in group has of its own.
func (us *Users) declared(grants []*Grant) []*Grant {
	return slices.DeleteFunc(grants, func(g *Grant) bool {
		return g.Permission != permNone && (g.Permission == permAll || !us.isDeclared(g.Permission, g.ID))
	})
}

// isDeclared reports whether a name counts that was read.
func (us *Users) isDeclared(p Permission, id GrantID) bool {
	if _, known := us.perms.info[p]; known {
		return true
	}
	us.opts.Logger.Warn("grant of a permission that is not declared", slog.Int64("grant", int64(id)))
	return false
}

// Held is a grant as it reaches a user: its own, or through a group.
type Held struct {
	GrantID    GrantID
	UserID     UserID
	GroupID    GroupID // zero: the user's own
	ScopeID    ScopeID
	Permission Permission
	From       time.Time
	Until      time.Time
}

// GrantStore keeps the rows of grants. Where it looks for a permission it also
// counts the name "*" in scope 0, which the group admin has and which stands for
// all of them. A user who cannot sign in ([User.CanLogin]) holds nothing.
type GrantStore interface {
	// PutGrants writes g once for each of the permissions, and of rows that
	// are there the period. The ID and the Permission of g do not matter. It
	// returns how many rows are new or have another period. A [ConflictError] of
	// [FieldSubject] says that there is no such user or group.
	PutGrants(ctx context.Context, g Grant, ps ...Permission) (int, error)

	// DeleteGrants deletes the rows of a subject in a scope that are of these
	// permissions. It returns how many.
	DeleteGrants(ctx context.Context, s Subject, scope ScopeID, ps ...Permission) (int, error)

	// GrantsOf returns the rows of a subject, by scope, then by permission.
	GrantsOf(ctx context.Context, s Subject) ([]*Grant, error)

	// GrantsIn returns the next rows of a scope, by ID.
	GrantsIn(ctx context.Context, scope ScopeID, after GrantID, limit int) ([]*Grant, error)

	// HeldGrants returns what reaches a user in the scope and in scope 0,
	// whenever it is good, by grant, and whether the user can sign in: also of
	// one who cannot.
	HeldGrants(ctx context.Context, user UserID, scope ScopeID) (held []Held, live bool, err error)

	// Holds reports whether a user holds the permission in one of the two scopes,
	// which may be the same, at that time.
	Holds(ctx context.Context, user UserID, p Permission, now time.Time, one, other ScopeID) (bool, error)

	// HeldAnywhere returns what reaches the users in every scope, whenever it is
	// good and also if they cannot sign in, by user, then by grant.
	HeldAnywhere(ctx context.Context, users ...UserID) ([]Held, error)

	// HeldByAll returns of the permission what reaches the users in the scopes
	// at that time, the period left zero, in whatever order.
	HeldByAll(ctx context.Context, p Permission, now time.Time, scopes []ScopeID, users []UserID) ([]Held, error)

	// HoldersAfter returns the next users who hold the permission in one of the
	// two scopes, which may be the same, at that time, by ID.
	HoldersAfter(ctx context.Context, p Permission, now time.Time, one, other ScopeID, after UserID, limit int) ([]UserID, error)

	// ScopesAfter returns the next scopes that the user holds the permission in
	// at that time, by ID.
	ScopesAfter(ctx context.Context, user UserID, p Permission, now time.Time, after ScopeID, limit int) ([]ScopeID, error)

	// Privileged returns those of the users, also of those who cannot sign in,
	// that some grant reaches which does not end at or before now, in one of the
	// scopes or, if there are none, anywhere; by ID.
	Privileged(ctx context.Context, now time.Time, scopes []ScopeID, users ...UserID) ([]UserID, error)

	// PruneGrants deletes at most limit grants that ended before that time, the
	// first to end first. It returns how many.
	PruneGrants(ctx context.Context, before time.Time, limit int) (int, error)
}
