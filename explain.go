package roster

import (
	"context"
	"time"
)

// Explanation is why [Users.Can] says what it says.
type Explanation struct {
	User       UserID
	Permission Permission
	Scope      ScopeID
	Mode       Mode
	At         time.Time // when it was so

	Allowed bool

	// CanLogin is [User.CanLogin]: if it is false, no grant gives the user
	// anything, and Bars say why: "not activated", "disabled", "banned", "locked".
	CanLogin bool
	Bars     []string

	// By are the grants that give the permission, or would if the user could sign
	// in, by ID: to take it away takes revoking them all. One of the permission "*"
	// is what the members of the group admin have.
	By []Reach

	// Otherwise are grants of the permission that do not count here: not good yet
	// or no longer, or in scope 0 when the mode wants the scope itself, or in the
	// scope when it wants scope 0.
	Otherwise []Reach

	// Missing is the smallest grant that would do, or nil if there is one By. To a
	// user who cannot sign in it gives the permission no sooner than they can.
	Missing *Grant
}

// Reach is a grant and the way in which it reaches a user.
type Reach struct {
	Held
	Group *Group // through which, or nil if the grant is the user's own
}

// Explain says which grants give a user a permission, and through which groups,
// or what is missing. It answers as [Users.Can] does at that moment, never from
// memory. It returns ErrNotFound if there is no such user, or an [InvalidError]
// as Can does.
func (us *Users) Explain(ctx context.Context, user UserID, p Permission, scope ScopeID, mode Mode) (*Explanation, error) {
	const verb = "explain permission of user"
	if err := us.askID(ctx, "Explain", user); err != nil {
		return nil, wrap(verb, user, err)
	}
	e, err := us.explain(ctx, user, p, scope, mode)
	return e, wrap(verb, user, err)
}

func (us *Users) explain(ctx context.Context, user UserID, p Permission, scope ScopeID, mode Mode) (*Explanation, error) {
	if err := us.askable(p, mode); err != nil {
		return nil, err
	}
	u, err := us.byID(ctx, user)
	if err != nil {
		return nil, err
	}
	held, live, err := us.store.HeldGrants(ctx, user, scope)
	if err != nil {
		return nil, err
	}
	var groups []GroupID
	for i := range held {
		if held[i].GroupID != 0 {
			groups = append(groups, held[i].GroupID)
		}
	}
	byID, err := us.groupsByID(ctx, groups)
	if err != nil {
		return nil, err
	}
	if q := us.asking("Explain"); q != nil {
		if lists, err := q.everywhere(ctx, PermListUsers); err != nil {
			return nil, err
		} else if !lists {
			for id, g := range byID {
				byID[id] = g.named()
			}
		}
	}
	now := us.now()
	e := &Explanation{User: user, Permission: p, Scope: scope, Mode: mode, At: now, CanLogin: live}
	if !live {
		e.Bars = bars(u)
	}
	for i := range held {
		h := &held[i]
		r := Reach{*h, byID[h.GroupID]}
		switch {
		case mode.counts(h, p, scope) && h.isValid(now):
			e.By = append(e.By, r)
		case h.Permission == p:
			e.Otherwise = append(e.Otherwise, r)
		}
	}
	e.Allowed = live && len(e.By) > 0
	if len(e.By) == 0 {
		one, _ := mode.scopes(scope)
		e.Missing = &Grant{Subject: ToUser(user), ScopeID: one, Permission: p}
	}
	return e, nil
}

// bars are why a user cannot sign in.
func bars(u *User) (all []string) {
	for _, b := range []struct {
		is   bool
		name string
	}{
		{!u.IsActivated(), "not activated"},
		{!u.Enabled, "disabled"},
		{u.Flags.Has(FlagBanned), "banned"},
		{u.Flags.Has(FlagLocked), "locked"},
	} {
		if b.is {
			all = append(all, b.name)
		}
	}
	return all
}
