package roster

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// show is askOf for what was looked up, and hides what the actor may not see.
func (us *Users) show(ctx context.Context, verb string, u *User, err error) (*User, error) {
	if us.actor == nil {
		return u, err
	}
	if err := us.askOf(ctx, verb, u, err); err != nil {
		return nil, err
	}
	seen, err := us.visible(ctx, []*User{u})
	if err == nil && len(seen) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

// visible leaves out whom the actor may not see, and hides of the others what
// is not for them. Who is flagged Invisible is there for those who may list
// users everywhere, and not in one scope alone.
func (us *Users) visible(ctx context.Context, users []*User) ([]*User, error) {
	if us.actor == nil || !slices.ContainsFunc(users, us.stranger) {
		return users, nil
	}
	details, err := us.auth.can(ctx, us.actor.User, PermGetUser, 0, GlobalOnly)
	if err != nil || details {
		return users, err
	}
	everywhere, err := us.auth.can(ctx, us.actor.User, PermListUsers, 0, GlobalOnly)
	if err != nil {
		return nil, err
	}
	users = slices.DeleteFunc(users, func(u *User) bool { return us.stranger(u) && !everywhere && u.Flags.Has(FlagInvisible) })
	for _, u := range users {
		if us.stranger(u) {
			hide(u)
		}
	}
	return users, nil
}

func (us *Users) stranger(u *User) bool { return u.ID != us.actor.User }

// hide takes out of a user what PermGetUser is for.
func hide(u *User) {
	u.Data, u.LastLoginAt, u.LastLoginIP, u.PasswordChangedAt = nil, time.Time{}, "", time.Time{}
}

// unhide puts it back where nobody has written over it.
func unhide(u, stored *User) {
	if u.Data == nil {
		u.Data = stored.Data
	}
	if u.LastLoginAt.IsZero() && u.LastLoginIP == "" {
		u.LastLoginAt, u.LastLoginIP = stored.LastLoginAt, stored.LastLoginIP
	}
	if u.PasswordChangedAt.IsZero() {
		u.PasswordChangedAt = stored.PasswordChangedAt
	}
}

// edit is the change of a user by an actor; the zero edit by the program.
type edit struct {
	us     *Users
	verb   string
	before User // as stored
	hidden bool // of it, what the actor may not see
}

// editOf is the change of a user as stored, which verb was allowed.
func (us *Users) editOf(ctx context.Context, verb string, stored *User) (e edit, err error) {
	if us.actor == nil {
		return e, nil
	}
	e = edit{us: us, verb: verb, before: *stored}
	e.before.Data = maps.Clone(stored.Data)
	for key, raw := range e.before.Data {
		e.before.Data[key] = bytes.Clone(raw)
	}
	if us.stranger(stored) {
		e.hidden, err = us.auth.can(ctx, us.actor.User, PermGetUser, 0, GlobalOnly)
		e.hidden = !e.hidden
	}
	return e, err
}

// hide takes out of u what the actor may not see.
func (e edit) hide(u *User) {
	if e.hidden {
		hide(u)
	}
}

// check refuses what the actor may not change, and puts back what was hidden.
func (e edit) check(ctx context.Context, u *User) error {
	if e.us == nil {
		return nil
	}
	if e.hidden {
		if u.Data != nil {
			return e.us.refused(ctx, e.verb, u.ID, notYours(FieldData))
		}
		unhide(u, &e.before)
	}
	return e.us.mayWrite(ctx, e.verb, u, &e.before)
}

// notYours refuses a field: both an ErrForbidden and an [InvalidError] that
// names it.
func notYours(fields ...string) error {
	errs := make([]error, 0, 1+len(fields))
	errs = append(errs, ErrForbidden)
	for _, f := range fields {
		errs = append(errs, invalid(f, ReasonReadOnly))
	}
	return errors.Join(errs...)
}

// selfFlags are what everybody may set on their own account.
const selfFlags = FlagShowLogin | FlagShowEmail

// mayWrite refuses what an actor may not change of a user, beyond what the verb
// has asked for already.
func (us *Users) mayWrite(ctx context.Context, verb string, u, before *User) error {
	q := us.asking(verb)
	flags := u.Flags ^ before.Flags
	linked := u.DirectoryID != before.DirectoryID || u.DirectoryDN != before.DirectoryDN
	if !us.stranger(before) {
		var fields []string
		for _, f := range []struct {
			name    string
			changed bool
		}{
			{FieldName, u.Name != before.Name},
			{FieldDirectory, linked},
			{FieldFlags, flags&^selfFlags != 0},
			{FieldData, reservedChanged(u.Data, before.Data)},
		} {
			if f.changed {
				fields = append(fields, f.name)
			}
		}
		if len(fields) > 0 { // what it takes for anybody else
			err := q.base(ctx)
			if err == nil {
				err = q.onto(ctx, before)
			}
			if errors.Is(err, ErrForbidden) {
				err = notYours(fields...)
			}
			if err != nil {
				return us.refused(ctx, verb, before.ID, err)
			}
		}
	}
	if flags.Has(FlagPrivileged) { // makes somebody safe from the weaker permission, or takes that away
		if err := us.also(ctx, q, PermPrivEditUser, FieldFlags); err != nil {
			return us.refused(ctx, verb, before.ID, err)
		}
	}
	if linked { // a directory has the password
		q.op.Permission, q.op.Privileged, q.op.Care = PermEditPasswd, PermPrivEditPasswd, Over|Alone
		err := q.present(ctx)
		if err == nil {
			err = q.onto(ctx, before)
		}
		if errors.Is(err, ErrForbidden) {
			err = notYours(FieldDirectory)
		}
		if err != nil {
			return us.refused(ctx, verb, before.ID, err)
		}
	}
	return nil
}

// also asks for another permission, because of a field.
func (us *Users) also(ctx context.Context, q asking, p Permission, field string) error {
	held, err := q.holds(ctx, p)
	if err == nil && !held {
		err = notYours(field)
	}
	return err
}

// reservedChanged reports whether a key was changed that is not for everybody
// to write on their own account.
func reservedChanged(after, before Data) bool {
	for _, f := range []Field[string]{RegistrationSource, Field[string](FirstLogin), Field[string](Social)} {
		if !bytes.Equal(after[string(f)], before[string(f)]) {
			return true
		}
	}
	return false
}
