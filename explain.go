package roster

import (
	"context"
	"fmt"
	"strings"
)

// Explanation is why [Users.Can] says what it says.
type Explanation struct {
	User       UserID
	Permission Permission
	Scope      ScopeID
	Mode       Mode

	Allowed bool

	// CanLogin is [User.CanLogin]: if it is false, no grant gives the user
	// anything.
	CanLogin bool

	// By are the grants that give the permission, or would if the user could sign
	// in, by ID: to take it away takes revoking them all. One of the permission "*"
	// is what the members of the group admin have.
	By []Reach

	// Otherwise are grants of the permission that do not count here: not good yet
	// or no longer, or in scope 0 when the mode wants the scope itself, or in the
	// scope when it wants scope 0.
	Otherwise []Reach

	// Missing is the smallest grant that would do, or nil: if it is allowed, or
	// if no grant would help a user who cannot sign in.
	Missing *Grant
}

// Reach is a grant and the way in which it reaches a user.
type Reach struct {
	Held
	Group *Group // through which, or nil if the grant is the user's own
}

// String says it in a sentence, by IDs, for a log or an administrator.
func (e *Explanation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "user %d may", e.User)
	if !e.Allowed {
		b.WriteString(" not")
	}
	fmt.Fprintf(&b, " %s in scope %d", e.Permission, e.Scope)
	if !e.CanLogin {
		b.WriteString(", as one who cannot sign in")
	}
	for i, r := range e.By {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		fmt.Fprintf(&b, "%s%s", sep, &r)
	}
	for _, r := range e.Otherwise {
		fmt.Fprintf(&b, "; %s does not count", &r)
	}
	if m := e.Missing; m != nil {
		fmt.Fprintf(&b, "; a grant of %s to %s in scope %d is missing", m.Permission, m.Subject, m.ScopeID)
	}
	return b.String()
}

func (r *Reach) String() string {
	s := fmt.Sprintf("grant %d of %s in scope %d", r.GrantID, r.Permission, r.ScopeID)
	if r.GroupID != 0 {
		s += fmt.Sprintf(" through group %d", r.GroupID)
	}
	return s
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
	if _, err := us.byID(ctx, user); err != nil {
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
				byID[id] = &Group{ID: g.ID, Name: g.Name, NameKey: g.NameKey}
			}
		}
	}
	e := &Explanation{User: user, Permission: p, Scope: scope, Mode: mode, CanLogin: live}
	now := us.now()
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
	if live && !e.Allowed {
		one, _ := mode.scopes(scope)
		e.Missing = &Grant{Subject: ToUser(user), ScopeID: one, Permission: p}
	}
	return e, nil
}
