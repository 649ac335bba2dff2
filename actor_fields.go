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
func (us *Users) show(ctx context.Context, verb string, u *User, found error) (*User, error) {
	q := us.asking(verb)
	if err := q.of(ctx, u, found); err != nil {
		return nil, err
	}
	seen, err := q.visible(ctx, []*User{u})
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
func (q *asking) visible(ctx context.Context, users []*User) ([]*User, error) {
	if q == nil || !slices.ContainsFunc(users, q.stranger) {
		return users, nil
	}
	if details, err := q.everywhere(ctx, PermGetUser); err != nil || details {
		return users, err
	}
	all := q.holds(PermListUsers, 0, GlobalOnly)
	users = slices.DeleteFunc(users, func(u *User) bool { return q.stranger(u) && !all && u.Flags.Has(FlagInvisible) })
	for _, u := range users {
		if q.stranger(u) {
			hide(u)
		}
	}
	return users, nil
}

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

// edit is the change of a user by an actor. The zero edit is by the program.
type edit struct {
	q      *asking
	before User // as stored
	hidden bool // of it, what the actor may not see
}

// editOf is the change of a user as stored, which verb was allowed.
func (us *Users) editOf(ctx context.Context, verb string, stored *User) (e edit, err error) {
	q := us.asking(verb)
	if q == nil {
		return e, nil
	}
	e = edit{q: q, before: *stored}
	e.before.Data = maps.Clone(stored.Data)
	for key, raw := range e.before.Data {
		e.before.Data[key] = bytes.Clone(raw)
	}
	if q.stranger(stored) {
		var sees bool
		sees, err = q.everywhere(ctx, PermGetUser)
		e.hidden = !sees
	}
	return e, err
}

// hide takes out of u what the actor may not see.
func (e edit) hide(u *User) {
	if e.hidden {
		hide(u)
	}
}

// check refuses what the actor may not change, beyond what the verb has asked
// for, and puts back what was hidden. hosts are the columns of the host that were
// changed.
func (e edit) check(ctx context.Context, u *User, hosts []string) error {
	if e.q == nil {
		return nil
	}
	err := e.forbidden(ctx, u, len(hosts) > 0)
	if err == nil && e.hidden {
		unhide(u, &e.before)
	}
	return e.q.refused(ctx, u.ID, err)
}

func (e edit) forbidden(ctx context.Context, u *User, hosts bool) error {
	q, before := e.q, &e.before
	flags := u.Flags ^ before.Flags
	linked := u.DirectoryID != before.DirectoryID || u.DirectoryDN != before.DirectoryDN
	if e.hidden && u.Data != nil {
		return notYours(FieldData)
	}
	var fields []string
	if !q.stranger(before) {
		for _, f := range []struct {
			name    string
			changed bool
		}{
			{FieldName, u.Name != before.Name},
			{FieldDirectory, linked},
			{FieldFlags, flags&^selfFlags != 0},
			{FieldData, q.us.reservedChanged(u.Data, before.Data)},
			{FieldModel, hosts},
		} {
			if f.changed {
				fields = append(fields, f.name)
			}
		}
	}
	if len(fields) > 0 { // what it takes for anybody else
		err := q.base(ctx)
		if err == nil {
			err = q.onto(ctx, before)
		}
		if err != nil {
			return naming(err, fields...)
		}
	}
	if barred := flags & (FlagBanned | FlagLocked); barred != 0 { // as Disable, and as Enable
		p := *q
		p.op.Care = CareDirect
		if u.Flags&barred != barred {
			p.op.Care = CareTakeover | CareDirect
		}
		err := p.base(ctx)
		if err == nil {
			err = p.onto(ctx, before)
		}
		if err != nil {
			return naming(err, FieldFlags)
		}
	}
	if flags&FlagPrivileged != 0 && q.actor.acting() {
		return notYours(FieldFlags)
	}
	if flags.Has(FlagPrivileged) { // makes somebody safe from the weaker permission, or takes that away
		if may, err := q.everywhere(ctx, PermPrivEditUser); err != nil || !may {
			return naming(sure(may, err), FieldFlags)
		}
	}
	if linked { // a directory has the password
		p := *q
		p.op.Permission, p.op.Privileged, p.op.Care = PermEditPasswd, PermPrivEditPasswd, CareTakeover|CareDirect
		err := p.base(ctx)
		if err == nil {
			err = p.onto(ctx, before)
		}
		return naming(err, FieldDirectory)
	}
	return nil
}

// askCreate is the question of Create.
func (us *Users) askCreate(ctx context.Context, u *User) error {
	q := us.asking("Create")
	if err := q.ask(ctx); err != nil || q == nil {
		return err
	}
	if u.DirectoryID != "" || u.DirectoryDN != "" { // a directory has the password
		if may, err := q.everywhere(ctx, PermEditPasswd); err != nil || !may {
			return q.refused(ctx, 0, naming(sure(may, err), FieldDirectory))
		}
	}
	if !u.Flags.Has(FlagPrivileged) {
		return nil
	}
	may, err := q.everywhere(ctx, PermPrivEditUser)
	return q.refused(ctx, 0, naming(sure(may, err), FieldFlags))
}

// naming is notYours for an ErrForbidden.
func naming(err error, fields ...string) error {
	if errors.Is(err, ErrForbidden) {
		return notYours(fields...)
	}
	return err
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
