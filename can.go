package roster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// Mode says where a permission counts: ejudge calls the three db, cnts and
// dbcnts.
type Mode uint8

// The modes. Of scope 0 they mean the same.
const (
	GlobalOnly Mode = iota // in scope 0, whatever the scope that is asked about
	ScopeOnly              // in the scope itself: what is held in scope 0 does not count
	Either                 // in the scope or in scope 0
	modesEnd
)

// scopes are where a permission counts, of which the second may be the first
// again.
func (m Mode) scopes(scope ScopeID) (one, other ScopeID) {
	switch m {
	case GlobalOnly:
		return 0, 0
	case ScopeOnly:
		return scope, scope
	default:
		return scope, 0
	}
}

// counts reports whether something that is held there counts for a permission
// in the scope.
func (m Mode) counts(h *Held, p Permission, scope ScopeID) bool {
	one, other := m.scopes(scope)
	return h.gives(p, one, other)
}

// gives reports whether it is of the permission in one of the scopes, or of all.
func (h *Held) gives(p Permission, one, other ScopeID) bool {
	if h.Permission == permAll {
		return h.ScopeID == 0
	}
	return (h.ScopeID == one || h.ScopeID == other) && h.Permission == p
}

// Can reports whether a user holds a permission, itself or through a group, in
// a scope as the mode says. The members of the group admin hold every one. Who
// cannot sign in (see [User.CanLogin]), or does not exist, holds none, and a
// grant that is not good yet or no longer gives none.
//
// Whatever changed is seen by the next call in every process, unless
// Options.PermissionCache says otherwise.
//
// It returns an [InvalidError] of [FieldPermission] for a name that nobody has
// declared, or of [FieldMode]. An error is no permission: treat it as a no.
func (us *Users) Can(ctx context.Context, user UserID, p Permission, scope ScopeID, mode Mode) (bool, error) {
	const verb = "ask for permission of user"
	if err := us.askID(ctx, "Can", user); err != nil {
		return false, wrap(verb, user, err)
	}
	may, err := us.answer(ctx, user, p, scope, mode)
	return may, wrap(verb, user, err)
}

// can is Can for what is about to be done: it does not rest on memory.
func (us *Users) can(ctx context.Context, user UserID, p Permission, scope ScopeID, mode Mode) (bool, error) {
	fresh := *us
	fresh.held = nil
	return fresh.answer(ctx, user, p, scope, mode)
}

func (us *Users) answer(ctx context.Context, user UserID, p Permission, scope ScopeID, mode Mode) (bool, error) {
	if err := us.askable(p, mode); err != nil {
		return false, err
	}
	if user <= 0 {
		return false, invalid(FieldID, ReasonNotPositive)
	}
	one, other := mode.scopes(scope)
	if us.held == nil || inTransaction(ctx) {
		return us.store.Holds(ctx, user, p, us.now(), one, other)
	}
	held, live, err := us.holding(ctx, user, scope)
	if err != nil || !live {
		return false, err
	}
	for i := range held {
		// What time it is, is half of the work if all is in memory.
		if h := &held[i]; h.gives(p, one, other) && (h.isEver() || h.isValid(us.opts.Now())) {
			return true, nil
		}
	}
	return false, nil
}

func (us *Users) askable(p Permission, mode Mode) error {
	if mode >= modesEnd {
		return invalid(FieldMode, ReasonUnknown)
	}
	return us.perms.check(p)
}

// isEver reports whether the grant is good whenever it is asked for.
func (h *Held) isEver() bool { return h.From.IsZero() && h.Until.IsZero() }

func (h *Held) isValid(at time.Time) bool { return h.isEver() || Period{h.From, h.Until}.contains(at) }

// Ask is a question of [Users.CanAll]: about a user, in a scope.
type Ask struct {
	User  UserID
	Scope ScopeID
}

// CanAll is [Users.Can] for a page of users, of scopes, or both, with one
// question to the store. The answers are in the order of asks. For a user who
// cannot be there, of ID 0 say, the answer is no.
func (us *Users) CanAll(ctx context.Context, p Permission, mode Mode, asks ...Ask) ([]bool, error) {
	named := make([]UserID, len(asks))
	for i, a := range asks {
		named[i] = a.User
	}
	if err := us.onOne(named).ask(ctx, "CanAll"); err != nil {
		return nil, wrap("ask for permission of users", 0, err)
	}
	may, err := us.canAll(ctx, p, mode, asks)
	return may, wrap("ask for permission of users", 0, err)
}

func (us *Users) canAll(ctx context.Context, p Permission, mode Mode, asks []Ask) ([]bool, error) {
	if err := us.askable(p, mode); err != nil {
		return nil, err
	}
	users, scopes := make([]UserID, 0, len(asks)), []ScopeID{0}
	for _, a := range asks {
		users, scopes = append(users, a.User), append(scopes, a.Scope)
	}
	slices.Sort(users)
	slices.Sort(scopes)
	held, err := us.store.HeldByAll(ctx, p, us.now(), slices.Compact(scopes), slices.Compact(users))
	if err != nil {
		return nil, err
	}
	byUser := map[UserID][]*Held{}
	for i := range held {
		byUser[held[i].UserID] = append(byUser[held[i].UserID], &held[i])
	}
	answers := make([]bool, len(asks))
	for i, a := range asks {
		answers[i] = slices.ContainsFunc(byUser[a.User], func(h *Held) bool { return mode.counts(h, p, a.Scope) })
	}
	return answers, nil
}

// Permissions returns what a user holds in a scope, as the mode says, in the
// order of the names: for a member of the group admin every permission that
// there is. It answers as [Users.Can] does; take it where many questions are
// asked about one user. It returns an [InvalidError] of [FieldMode].
func (us *Users) Permissions(ctx context.Context, user UserID, scope ScopeID, mode Mode) ([]Permission, error) {
	if err := us.askID(ctx, "Permissions", user); err != nil {
		return nil, wrap("list permissions of user", user, err)
	}
	ps, err := us.permissionsOf(ctx, user, scope, mode)
	return ps, wrap("list permissions of user", user, err)
}

func (us *Users) permissionsOf(ctx context.Context, user UserID, scope ScopeID, mode Mode) ([]Permission, error) {
	if mode >= modesEnd {
		return nil, invalid(FieldMode, ReasonUnknown)
	}
	if user <= 0 {
		return nil, invalid(FieldID, ReasonNotPositive)
	}
	now := us.now()
	held, live, err := us.holding(ctx, user, scope)
	if err != nil || !live {
		return nil, err
	}
	var ps []Permission
	for i := range held {
		switch h := &held[i]; {
		case !mode.counts(h, h.Permission, scope) || !h.isValid(now) || h.Permission == permNone:
		case h.Permission == permAll:
			for _, info := range us.perms.all {
				ps = append(ps, info.Name)
			}
		case us.isDeclared(h.Permission, h.GrantID):
			ps = append(ps, h.Permission)
		}
	}
	slices.Sort(ps)
	return slices.Compact(ps), nil
}

// WhoCan lists the users who hold a permission in a scope, as the mode says, in
// the order of their IDs: those for whom [Users.Can] says yes. For the mode Either
// that is also who holds it in scope 0, and for every mode the members of the group
// admin; who holds it in the scope itself is what [Users.GrantsIn] lists.
// Which of the two it is for one of them, [Users.Explain] says. [EachPage] goes
// through them all. Through [Users.For] it takes edit_grants there, and then tells the
// IDs of all of them: whoever answers for a scope is to know who can do what in it. It returns an [InvalidError] of [FieldPermission],
// [FieldMode], [FieldLimit] or [FieldCursor].
func (us *Users) WhoCan(ctx context.Context, p Permission, scope ScopeID, mode Mode, page Paging) (*Page[UserID], error) {
	one, other := mode.scopes(scope)
	if err := cmp.Or(us.in(one).ask(ctx, "WhoCan"), us.askable(p, mode)); err != nil {
		return nil, wrap("list who has permission", 0, err)
	}
	l, err := pageOf(page, fmt.Sprint("who can ", p, one, other), func(_ string, after int64, limit int) ([]UserID, error) {
		return us.store.HoldersAfter(ctx, p, us.now(), one, other, UserID(after), limit)
	}, func(id UserID) (string, int64) { return "", int64(id) })
	return l, wrap("list who has permission", 0, err)
}

// WhereCan lists the scopes that a user holds a permission in, in their order.
// Scope 0 among them says that it holds globally: in every scope for the mode
// Either, and for a member of the group admin for any mode. It returns an
// [InvalidError] of [FieldPermission], [FieldLimit] or [FieldCursor].
func (us *Users) WhereCan(ctx context.Context, user UserID, p Permission, page Paging) (*Page[ScopeID], error) {
	if err := cmp.Or(us.askID(ctx, "WhereCan", user), us.perms.check(p)); err != nil {
		return nil, wrap("list where permitted is user", user, err)
	}
	l, err := pageOf(page, fmt.Sprint("where can ", user, p), func(_ string, after int64, limit int) ([]ScopeID, error) {
		return us.store.ScopesAfter(ctx, user, p, us.now(), ScopeID(after), limit)
	}, func(id ScopeID) (string, int64) { return "", int64(id) })
	return l, wrap("list where permitted is user", user, err)
}

// IsPrivileged reports which of the users are privileged: flagged
// [FlagPrivileged], or reached by any grant, an empty one too, in scope 0 or one
// of the scopes, or, if none is named, in any scope. A grant that is yet to
// begin counts, one that is over does not. It takes two questions, however many
// users there are; who is deleted is not in the map.
func (us *Users) IsPrivileged(ctx context.Context, users []UserID, scopes ...ScopeID) (map[UserID]bool, error) {
	const verb = "look for privileged users"
	if err := us.onOne(users).ask(ctx, "IsPrivileged"); err != nil {
		return nil, wrap(verb, 0, err)
	}
	models, err := us.store.UsersByID(ctx, users...)
	if err != nil {
		return nil, wrap(verb, 0, err)
	}
	found := make([]*User, 0, len(models))
	for _, m := range models {
		if u := bind(m); !u.IsDeleted() {
			found = append(found, u)
		}
	}
	is, err := us.arePrivileged(ctx, found, scopes...)
	return is, wrap(verb, 0, err)
}

func (us *Users) arePrivileged(ctx context.Context, users []*User, scopes ...ScopeID) (map[UserID]bool, error) {
	if len(scopes) > 0 {
		scopes = append(slices.Clone(scopes), 0)
		slices.Sort(scopes)
		scopes = slices.Compact(scopes)
	}
	ids, is := make([]UserID, len(users)), make(map[UserID]bool, len(users))
	for i, u := range users {
		ids[i], is[u.ID] = u.ID, u.Flags.Has(FlagPrivileged)
	}
	granted, err := us.store.Privileged(ctx, us.now(), scopes, ids...)
	if err != nil {
		return nil, err
	}
	for _, id := range granted {
		is[id] = true
	}
	return is, nil
}
