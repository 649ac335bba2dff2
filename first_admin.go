package roster

import (
	"context"
	"errors"
	"maps"
)

// siteInitialized is the field of the group admin that says who was the first
// user.
const siteInitialized Field[UserID] = "site_initialized"

// Bootstrap makes a user the first administrator, on the program's own authority:
// it activates the account and puts it into the group admin, which is made if it
// is not there, and runs Options.InitSite if that was never run. Of many at once one succeeds. It
// does nothing for a member of admin. It returns ErrNotFound if there is no such
// user, or a [ConflictError] of [FieldGroup] if anybody else is a member of admin,
// in whatever state: then it is for them to add others.
func (us *Users) Bootstrap(ctx context.Context, id UserID) error {
	return wrap("make the first administrator of user", id, us.live(ctx, "Bootstrap", id, func(ctx context.Context, m Model) error {
		u := m.RosterUser()
		g, err := us.lockAdmins(ctx)
		if err != nil {
			return err
		}
		members, err := us.store.MembersAfter(ctx, g.ID, 0, 2)
		switch {
		case err != nil:
			return err
		case len(members) == 1 && members[0].UserID == id:
			return nil
		case len(members) > 0:
			return &ConflictError{FieldGroup}
		}
		if !u.IsActivated() {
			now := us.now()
			u.ActivatedAt, u.UpdatedAt = now, now
			if err := us.update(ctx, m); err != nil {
				return err
			}
		}
		return us.initSite(ctx, u, g, true)
	}))
}

// nowActivated is called at the end of what may have activated a user, was says
// whether it was before: it records that, and sees to the first user.
func (us *Users) nowActivated(ctx context.Context, u *User, was bool) error {
	if was || !u.IsActivated() {
		return nil
	}
	if err := us.emit(ctx, Event{Kind: EventUserActivated, User: u.ID}); err != nil {
		return err
	}
	return us.firstUser(ctx, u)
}

// firstUser does what there is to be done if the user, who is activated in this
// transaction, is the first ever.
func (us *Users) firstUser(ctx context.Context, u *User) error {
	if !us.opts.FirstUserIsAdmin && us.opts.InitSite == nil {
		return nil
	}
	g, err := groupOf(us.store.GroupByName(ctx, GroupAdmin))
	if err == nil && g.initialized() {
		return nil
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if g, err = us.lockAdmins(ctx); err != nil || g.initialized() {
		return err
	}
	if first, err := us.isFirstUser(ctx, u.ID, g.ID); err != nil || !first {
		return err
	}
	return us.initSite(ctx, u, g, us.opts.FirstUserIsAdmin)
}

// initialized reports whether there was a first user.
func (g *Group) initialized() bool {
	_, is := siteInitialized.In(g.Data)
	return is
}

// lockAdmins finds the group admin, or makes it, and locks its row.
func (us *Users) lockAdmins(ctx context.Context) (*Group, error) {
	g, err := us.builtInGroup(ctx, GroupAdmin)
	if err != nil {
		return nil, err
	}
	return groupOf(us.store.LockGroup(ctx, g.ID))
}

// isFirstUser reports whether nobody else is an administrator, or was ever
// activated, as far as is known: of those who are deleted all were, if they are many.
func (us *Users) isFirstUser(ctx context.Context, id UserID, admins GroupID) (bool, error) {
	members, err := us.store.MembersAfter(ctx, admins, 0, 1)
	if err != nil || len(members) > 0 {
		return false, err
	}
	for _, state := range []State{StateActivated, StateDeleted} {
		users, err := us.store.UserPage(ctx, UserQuery{State: state, Limit: maxLimit})
		if err != nil || len(users) == maxLimit {
			return false, err
		}
		for _, m := range users {
			if u := m.RosterUser(); u.ID != id && u.IsActivated() {
				return false, nil
			}
		}
	}
	return true, nil
}

// initSite sets up what there is for a first user. The row of the group is
// locked.
func (us *Users) initSite(ctx context.Context, u *User, g *Group, admin bool) error {
	program := *us
	program.actor = nil
	if admin {
		if err := program.join(ctx, unasked, g.ID, u.ID, ""); err != nil {
			return err
		}
	}
	if g.initialized() {
		return nil
	}
	holder := &User{Data: maps.Clone(g.Data)}
	if err := siteInitialized.Set(holder, u.ID); err != nil {
		return err
	}
	g.Data, g.UpdatedAt = holder.Data, us.now()
	if err := us.store.UpdateGroup(ctx, g.model()); err != nil {
		return err
	}
	e := Event{Kind: EventSiteInitialized, User: u.ID, Group: g.ID, Details: details("admin", admin)}
	if err := us.emit(ctx, e); err != nil || us.opts.InitSite == nil {
		return err
	}
	seen := *u
	seen.Row = Row{}
	return us.callHook(ctx, "InitSite", e, func(ctx context.Context, _ Event) error { return us.opts.InitSite(ctx, &seen) })
}
