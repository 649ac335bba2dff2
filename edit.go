package roster

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// The bounds of the texts of a [User].
const (
	maxRealNameRunes  = 256
	maxDirectoryRunes = 1024
)

// Edit reads a user, lets fn change it, and writes it, in one transaction. fn
// may change Name, RealName, Locale, Timezone, the directory, Flags, Data and
// what a host's own type adds (see [As]); an [InvalidError] with
// [ReasonReadOnly] names each other field that it changed, since those have
// verbs of their own. fn may run more than once. Its error ends the edit.
//
// A new name must not be a reserved one, and holds the old one back
// (Options.NameHold). A new name or directory,
// and a ban or lock, are auth-sensitive: sessions end and codes are void. If a
// directory gets the password of a local user, the primary address is told, and
// codes for [Users.UndoChange] are void, too: nobody leaves a directory by mail.
//
// A deleted user may be edited too, so that a name that stands in the way of
// Restore can be changed. Edit returns ErrNotFound, every InvalidError at
// once, a [ConflictError] of [FieldName], or ErrLastAdmin.
func (us *Users) Edit(ctx context.Context, id UserID, fn func(u *User) error) error {
	return wrap("edit user", id, us.locked(ctx, "Edit", id, func(ctx context.Context, m Model) error {
		u := m.RosterUser()
		before := *u
		before.Data = before.Data.clone()
		e, err := us.editOf(ctx, "Edit", u)
		if err != nil {
			return err
		}
		e.hide(u)
		defer e.hide(u)
		if err := fn(u); err != nil {
			return err
		}
		hosts, err := us.hostChanges(ctx, m)
		if err != nil {
			return err
		}
		if err := e.check(ctx, u, hosts); err != nil {
			return err
		}
		return us.write(ctx, m, &before, hosts...)
	}))
}

// Save writes a user that was read before, with what a host's own type adds,
// if nobody has written it since; else it returns ErrStale. A *User that was read as
// part of such a value stands for all of it, as in [As]; a copy of the User is
// nobody's part, and leaves what the type adds alone. What may be changed,
// and the other errors, are those of [Users.Edit]. It brings m up to date; on an
// error m is unchanged. Inside [Users.Atomic] read m in the function, too: after
// a rollback it is ahead of what is stored.
func (us *Users) Save(ctx context.Context, m Model) error {
	m, err := given(m)
	if err != nil {
		return wrap("save user", 0, err)
	}
	u := m.RosterUser()
	draft := *u
	err = us.locked(ctx, "Save", u.ID, func(ctx context.Context, stored Model) error {
		*u = draft
		before := stored.RosterUser()
		if before.Version != u.Version {
			return ErrStale
		}
		u.LastLoginAt, u.LastLoginIP = before.LastLoginAt, before.LastLoginIP // those move without a Version
		e, err := us.editOf(ctx, "Save", before)
		if err != nil {
			return err
		}
		defer e.hide(u)
		hosts, err := us.hostChanges(ctx, m)
		if err != nil {
			return err
		}
		if err := e.check(ctx, u, hosts); err != nil {
			return err
		}
		return us.write(ctx, m, before, hosts...)
	})
	if err != nil {
		*u = draft
	}
	return wrap("save user", draft.ID, err)
}

// locked runs fn in a transaction on the user's row, deleted or not, that
// nobody else can change meanwhile. The actor is asked first, for the verb.
func (us *Users) locked(ctx context.Context, verb string, id UserID, fn func(ctx context.Context, m Model) error) error {
	return us.onRow(ctx, verb, id, false, fn)
}

// live is locked for users that are not deleted.
func (us *Users) live(ctx context.Context, verb string, id UserID, fn func(ctx context.Context, m Model) error) error {
	return us.onRow(ctx, verb, id, true, fn)
}

func (us *Users) onRow(ctx context.Context, verb string, id UserID, live bool, fn func(ctx context.Context, m Model) error) error {
	if id <= 0 {
		return invalid(FieldID, ReasonNotPositive)
	}
	return us.store.Atomic(ctx, func(ctx context.Context) error {
		m, err := us.store.LockUser(ctx, id)
		var u *User
		if err == nil {
			u = bind(m)
			if live && u.IsDeleted() {
				u, err = nil, ErrNotFound
			}
		}
		if err := us.on(ToUser(id)).askOf(ctx, verb, u, err); err != nil {
			return err
		}
		was := m.RosterUser().IsActivated()
		if err := fn(ctx, m); err != nil {
			return err
		}
		return us.nowActivated(ctx, m.RosterUser(), was)
	})
}

// write checks what was changed since before, and writes it. hosts are the columns
// of the host that were changed, too.
func (us *Users) write(ctx context.Context, m Model, before *User, hosts ...string) error {
	u := m.RosterUser()
	if err := errors.Join(us.check(u, before), guard(before, u)); err != nil {
		return err
	}
	now := us.now()
	if u.Name != before.Name {
		u.NameAuto = false
	}
	renamed := u.NameKey != before.NameKey // not merely spelt in another way
	if renamed && us.reserved(u.NameKey) && u.NameKey != autoName(int64(u.ID)) {
		return invalid(FieldName, ReasonReserved)
	}
	barred := u.Flags&^before.Flags&(FlagBanned|FlagLocked) != 0
	linked := u.DirectoryID != before.DirectoryID || u.DirectoryDN != before.DirectoryDN
	if barred || linked && us.directory(u.DirectoryID) == nil {
		if err := us.keepAdmin(ctx, before); err != nil {
			return err
		}
	}
	if renamed || barred || linked {
		if err := us.touchAuth(ctx, u, now); err != nil {
			return err
		}
	}
	u.UpdatedAt = now
	if err := us.update(ctx, m); err != nil {
		return err
	}
	if u.DirectoryID != before.DirectoryID { // who somebody is elsewhere is for that to say
		if err := us.takeIdentities(ctx, u.ID); err != nil {
			return err
		}
	}
	if u.DirectoryID != "" && before.DirectoryID == "" { // which has the password from now on
		if _, err := us.store.VoidUndos(ctx, u.ID, noAddress, 0); err != nil {
			return err
		}
		if err := us.store.DeleteCredential(ctx, u.ID, 0); err != nil {
			return err
		}
		if err := us.emit(ctx, Event{Kind: EventPasswordRemoved, User: u.ID}); err != nil {
			return err
		}
		if err := us.tellPassword(ctx, u, MailPasswordChanged, noAddress, now); err != nil {
			return err
		}
	}
	if renamed && !u.IsDeleted() {
		if err := us.retireName(ctx, before, now); err != nil {
			return err
		}
		if err := us.store.ClaimName(ctx, u.NameKey, u.ID, now); err != nil {
			return err
		}
	}
	return us.emitEdit(ctx, before, u, hosts)
}

// update writes the row.
func (us *Users) update(ctx context.Context, m Model) error {
	return us.store.UpdateUser(ctx, m, searchText(m.RosterUser()))
}

// retireName holds the name of u back, as long as Options.NameHold says.
func (us *Users) retireName(ctx context.Context, u *User, now time.Time) error {
	return us.store.RetireName(ctx, u.NameKey, u.ID, now.Add(max(0, us.opts.NameHold)))
}

// touchAuth marks an auth-sensitive change of a user that is about to be
// written: sessions are dead, also when the clock goes back or stands still, their
// rows are gone, and no code that is on its way is good any more. Undos are: they
// are there to outlast what is done to an account.
func (us *Users) touchAuth(ctx context.Context, u *User, now time.Time) error {
	at := now
	for _, earlier := range []time.Time{u.AuthChangedAt, u.LastLoginAt} {
		if !at.After(earlier) {
			at = earlier.Add(time.Microsecond)
		}
	}
	u.AuthChangedAt = at
	if _, err := us.store.VoidActivations(ctx, u.ID, 0); err != nil {
		return err
	}
	_, err := us.store.DeleteSessions(ctx, u.ID, uuid.Nil)
	return err
}

// check refuses fields that no user may have, all at once, and brings the
// others into their canonical form. A name that is not new is let be: rules may
// have changed since it was given.
func (us *Users) check(u, before *User) error {
	return errors.Join(us.checkName(u, before), us.checkFields(u))
}

func (us *Users) checkName(u, before *User) error {
	if u.Name == before.Name {
		u.NameKey = before.NameKey
		return nil
	}
	key, err := newNameKey(u.Name)
	u.NameKey = key
	if err == nil && isAutoName(key) && key != autoName(int64(u.ID)) {
		return invalid(FieldName, ReasonReserved)
	}
	return err
}

func (us *Users) checkFields(u *User) error {
	errs := []error{checkText(FieldRealName, u.RealName, 4*maxRealNameRunes, maxRealNameRunes)}
	if locale, err := canonicalLocale(u.Locale); err != nil {
		errs = append(errs, err)
	} else {
		u.Locale = locale
	}
	errs = append(errs,
		checkTimezone(u.Timezone),
		checkText(FieldDirectory, u.DirectoryDN, 4*maxDirectoryRunes, maxDirectoryRunes),
		checkText(FieldDirectory, u.DirectoryID, 4*maxDirectoryRunes, maxDirectoryRunes))
	if u.Flags >= flagsEnd {
		errs = append(errs, invalid(FieldFlags, ReasonUnknown))
	}
	if data, err := u.Data.canonical(); err != nil {
		errs = append(errs, err)
	} else {
		u.Data = data
	}
	return errors.Join(errs...)
}

// guard refuses changes of fields that have verbs of their own.
func guard(before, after *User) error {
	var errs []error
	for _, f := range []struct {
		name    string
		changed bool
	}{
		{"id", after.ID != before.ID},
		{"uuid", after.UUID != before.UUID},
		{"name_auto", after.NameAuto != before.NameAuto},
		{"enabled", after.Enabled != before.Enabled},
		{"activated_at", !after.ActivatedAt.Equal(before.ActivatedAt)},
		{"deleted_at", !after.DeletedAt.Equal(before.DeletedAt)},
		{"last_login_at", !after.LastLoginAt.Equal(before.LastLoginAt)},
		{"last_login_ip", after.LastLoginIP != before.LastLoginIP},
		{"password_changed_at", !after.PasswordChangedAt.Equal(before.PasswordChangedAt)},
		{"auth_changed_at", !after.AuthChangedAt.Equal(before.AuthChangedAt)},
		{"created_at", !after.CreatedAt.Equal(before.CreatedAt)},
		{"updated_at", !after.UpdatedAt.Equal(before.UpdatedAt)},
		{"version", after.Version != before.Version},
	} {
		if f.changed {
			errs = append(errs, invalid(f.name, ReasonReadOnly))
		}
	}
	return errors.Join(errs...)
}
