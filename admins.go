package roster

import (
	"context"
	"errors"
	"slices"
)

// keepAdminWithout is keepAdmin for somebody whose password goes, or expires: an
// activated address is a way to another one.
func (us *Users) keepAdminWithout(ctx context.Context, u *User) error {
	if proven, err := us.hasProven(ctx, u.ID); err != nil || proven {
		return err
	}
	return us.keepAdmin(ctx, u)
}

// hasWayIn reports whether a user can come by a session: by a directory, a
// password, an address to get a new one by, or an outside identity.
func (us *Users) hasWayIn(ctx context.Context, u *User) (bool, error) {
	if u.DirectoryID != "" {
		return us.directory(u.DirectoryID) != nil, nil
	}
	c, err := us.store.Credential(ctx, u.ID, 0)
	if err == nil && !c.expired(us.now()) {
		return true, nil
	}
	if err := ignore(err, ErrNotFound); err != nil {
		return false, err
	}
	if proven, err := us.hasProven(ctx, u.ID); err != nil || proven {
		return proven, err
	}
	outside, err := us.store.IdentitiesOf(ctx, u.ID)
	return len(outside) > 0, err
}

// keepAdmin returns ErrLastAdmin if the user, who is about to become one that
// cannot administrate any more, is the only one who can: a member of
// [GroupAdmin] who can sign in. It holds for the program itself, too, since
// nobody could let anybody in again; make another administrator first.
//
// The row of the group is locked until the end of the transaction, so that of two
// who remove each other only one does.
func (us *Users) keepAdmin(ctx context.Context, u *User) error {
	if !u.CanLogin() {
		return nil
	}
	places, err := us.store.MembershipsOf(ctx, u.ID)
	if err != nil || len(places) == 0 {
		return err
	}
	g, err := groupOf(us.store.GroupByName(ctx, GroupAdmin))
	if errors.Is(err, ErrNotFound) || err == nil && !slices.ContainsFunc(places, func(m *Membership) bool { return m.GroupID == g.ID }) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := us.store.LockGroup(ctx, g.ID); err != nil {
		return err
	}
	for after := UserID(0); ; {
		page, err := us.store.MembersAfter(ctx, g.ID, after, checkBatch)
		if err != nil {
			return err
		}
		ids := make([]UserID, len(page))
		for i, m := range page {
			ids[i], after = m.UserID, m.UserID
		}
		members, err := us.store.UsersByID(ctx, ids...)
		if err != nil {
			return err
		}
		for _, m := range members {
			if other := m.RosterUser(); other.ID != u.ID && other.CanLogin() {
				if in, err := us.hasWayIn(ctx, other); err != nil || in {
					return err
				}
			}
		}
		if len(page) < checkBatch {
			return ErrLastAdmin
		}
	}
}
