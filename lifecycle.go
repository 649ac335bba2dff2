package roster

import (
	"context"
	"slices"
	"time"
)

// The states of an account, and the verbs that lead from one to another:
//
//	pending   Activate, ActivateUser     -> active
//	active    Disable / Enable           -> disabled / active (also while pending)
//	any       Delete                     -> deleted
//	deleted   Restore                    -> what it was before
//	any       Purge                      -> gone
//	pending   Prune, after PendingTTL    -> gone

// ActivateUser activates an account on the program's own authority. Its
// addresses still have to be proven. It does nothing if the account is
// activated. It returns ErrNotFound if there is no such user.
func (us *Users) ActivateUser(ctx context.Context, id UserID) error {
	return wrap("activate user", id, us.live(ctx, "ActivateUser", id, func(ctx context.Context, m Model) error {
		u := m.RosterUser()
		if u.IsActivated() {
			return nil
		}
		now := us.now()
		u.ActivatedAt, u.UpdatedAt = now, now
		return us.update(ctx, m)
	}))
}

// Disable keeps a user from signing in, ends the sessions and voids the codes,
// but those of [Users.UndoChange]: the owner may need them. It does nothing if
// the user is disabled. It returns ErrNotFound if there is no such user, or
// ErrLastAdmin.
func (us *Users) Disable(ctx context.Context, id UserID) error {
	return wrap("disable user", id, us.setEnabled(ctx, "Disable", id, false))
}

// Enable undoes Disable. Sessions and codes do not come back, but for the codes
// of notices: those for [Users.UndoChange] are good again, until they expire. It
// returns ErrNotFound if there is no such user.
func (us *Users) Enable(ctx context.Context, id UserID) error {
	return wrap("enable user", id, us.setEnabled(ctx, "Enable", id, true))
}

func (us *Users) setEnabled(ctx context.Context, verb string, id UserID, enabled bool) error {
	return us.live(ctx, verb, id, func(ctx context.Context, m Model) error {
		u := m.RosterUser()
		if u.Enabled == enabled {
			return nil
		}
		if !enabled {
			if err := us.keepAdmin(ctx, u); err != nil {
				return err
			}
		}
		u.Enabled = enabled
		if err := us.touched(ctx, m, us.now()); err != nil {
			return err
		}
		kind := EventUserDisabled
		if enabled {
			kind = EventUserEnabled
		}
		return us.emit(ctx, Event{Kind: kind, User: id})
	})
}

// touched writes m after an auth-sensitive change.
func (us *Users) touched(ctx context.Context, m Model, now time.Time) error {
	u := m.RosterUser()
	if err := us.touchAuth(ctx, u, now); err != nil {
		return err
	}
	u.UpdatedAt = now
	return us.update(ctx, m)
}

// Delete takes a user out of sight: no look-up, search or sign-in finds it,
// sessions end and codes are void. The row stays, and so does what hangs on its
// ID, until Purge. The addresses are free for others at once, the name after
// Options.NameHold. It returns ErrNotFound if there is no such user or it is
// deleted already, or ErrLastAdmin.
func (us *Users) Delete(ctx context.Context, id UserID) error {
	return wrap("delete user", id, us.live(ctx, "Delete", id, func(ctx context.Context, m Model) error {
		u := m.RosterUser()
		if err := us.keepAdmin(ctx, u); err != nil {
			return err
		}
		now := us.now()
		u.DeletedAt = now
		if err := us.touched(ctx, m, now); err != nil {
			return err
		}
		if err := us.store.ReleaseEmails(ctx, id, now); err != nil {
			return err
		}
		if err := us.retireName(ctx, u, now); err != nil {
			return err
		}
		return us.emit(ctx, Event{Kind: EventUserDeleted, User: id})
	}))
}

// Restore undoes Delete, with name and addresses. Sessions and codes do not
// come back (but for those of notices, as with [Users.Enable]), nor does an
// address that somebody else has activated meanwhile, also if they have given it
// up: who reads its mail now is not known. It returns ErrNotFound if there is no
// such deleted user, or a [ConflictError]
// of [FieldName] if somebody has taken the name meanwhile: change it by
// [Users.Edit], and try again.
func (us *Users) Restore(ctx context.Context, id UserID) error {
	return wrap("restore user", id, us.locked(ctx, "Restore", id, func(ctx context.Context, m Model) error {
		u := m.RosterUser()
		if !u.IsDeleted() {
			return ErrNotFound
		}
		now := us.now()
		u.DeletedAt = time.Time{}
		if err := us.touched(ctx, m, now); err != nil {
			return err
		}
		if err := us.store.ClaimName(ctx, u.NameKey, id, now); err != nil {
			return err
		}
		if err := us.reclaim(ctx, id); err != nil {
			return err
		}
		return us.emit(ctx, Event{Kind: EventUserRestored, User: id})
	}))
}

// reclaim takes back the addresses of a user who was deleted. The primary one
// may have gone.
func (us *Users) reclaim(ctx context.Context, id UserID) error {
	emails, err := us.store.EmailsOf(ctx, id)
	if err != nil {
		return err
	}
	for _, e := range emails { // whoever is about to prove one has done so then, or finds it taken
		if _, err := us.store.LockEmails(ctx, e.AddressKey); err != nil {
			return err
		}
	}
	if err := us.store.ReclaimEmails(ctx, id); err != nil {
		return err
	}
	emails, err = us.store.EmailsOf(ctx, id)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(emails, func(e *UserEmail) bool { return e.Primary }) {
		return nil
	}
	return us.promote(ctx, id)
}

// Purge removes a user and every row that belongs to it, deleted before or
// not. It cannot be undone, and the name is free at once. The record of what has
// happened ([Users.Events]) stays, by the ID, without the addresses that the user
// was at. It returns ErrNotFound if there is no such user, ErrLastAdmin, or a
// [ConflictError] of [FieldReferenced] if a foreign key of the host's own tables
// needs the row.
func (us *Users) Purge(ctx context.Context, id UserID) error {
	return wrap("purge user", id, us.locked(ctx, "Purge", id, func(ctx context.Context, m Model) error {
		if err := us.keepAdmin(ctx, m.RosterUser()); err != nil {
			return err
		}
		if err := us.store.PurgeUser(ctx, id); err != nil {
			return err
		}
		return us.purged(ctx, false, id)
	}))
}

// purged records who was purged, and forgets where they were.
func (us *Users) purged(ctx context.Context, pruned bool, ids ...UserID) error {
	if _, err := us.store.ForgetClients(ctx, ids...); err != nil {
		return err
	}
	for _, id := range ids {
		if err := us.emit(ctx, Event{Kind: EventUserPurged, User: id, Details: details(detailPruned, pruned)}); err != nil {
			return err
		}
	}
	return nil
}
