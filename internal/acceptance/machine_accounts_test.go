package acceptance

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/go-roster/roster"
)

func (x *machine) rename() error {
	id, n := x.user(), x.name()
	bad := x.odds(15)
	if bad {
		n.typed = rapid.SampledFrom([]string{"", "a b", "\xff", "user-999999999", "a@b", "Admin"}).Draw(x.T, "bad name")
	}
	err := x.w.Edit(x.ctx, id, func(u *roster.User) error { u.Name = n.typed; return nil })
	u := x.m.users[id]
	switch {
	case u == nil:
		return x.want("rename", err, roster.ErrNotFound)
	case bad:
		return x.refused("rename", err, invalidOf(roster.FieldName))
	case n.typed == u.name:
		return x.want("rename", err, nil)
	case n.key != u.key && !u.deleted() && !x.m.nameFree(n.key, id, x.now()):
		return x.refused("rename", err, conflict(roster.FieldName))
	}
	x.want("rename", err, nil)
	if n.key != u.key && !u.deleted() {
		x.m.hold(u, x.now(), nameHold)
		x.m.names[n.key] = mName{owner: id}
	}
	if n.key != u.key { // not merely spelled in another way
		x.m.sensitive(u, x.now())
	}
	u.name, u.key = n.typed, n.key
	return nil
}

func (x *machine) setFlags() error {
	id := x.user()
	flags := rapid.SampledFrom([]roster.Flags{
		0, 0, roster.FlagBanned, roster.FlagLocked, roster.FlagNeverClean, roster.FlagPrivileged, roster.FlagShowEmail,
	}).Draw(x.T, "flags")
	err := x.w.Edit(x.ctx, id, func(u *roster.User) error { u.Flags = flags; return nil })
	u := x.m.users[id]
	if u == nil {
		return x.want("flags", err, roster.ErrNotFound)
	}
	if flags&^u.flags&barring != 0 {
		x.m.sensitive(u, x.now())
	}
	u.flags = flags
	return x.want("flags", err, nil)
}

func (x *machine) activateUser() error {
	id := x.user()
	err := x.w.ActivateUser(x.ctx, id)
	u := x.m.live(id)
	if u == nil {
		return x.want("activate user", err, roster.ErrNotFound)
	}
	if !u.active() {
		u.activatedAt = x.now()
	}
	return x.want("activate user", err, nil)
}

func (x *machine) enable() error  { return x.setEnabled(true) }
func (x *machine) disable() error { return x.setEnabled(false) }

func (x *machine) setEnabled(enabled bool) error {
	id := x.user()
	verb := x.w.Disable
	if enabled {
		verb = x.w.Enable
	}
	err := verb(x.ctx, id)
	u := x.m.live(id)
	if u == nil {
		return x.want("enable", err, roster.ErrNotFound)
	}
	if u.enabled != enabled {
		u.enabled = enabled
		x.m.sensitive(u, x.now())
	}
	return x.want("enable", err, nil)
}

func (x *machine) delete() error {
	id := x.user()
	err := x.w.Delete(x.ctx, id)
	u := x.m.live(id)
	if u == nil {
		return x.want("delete", err, roster.ErrNotFound)
	}
	u.deletedAt = x.now()
	x.m.sensitive(u, x.now())
	x.m.hold(u, x.now(), nameHold)
	return x.want("delete", err, nil)
}

func (x *machine) restore() error {
	id := x.user()
	err := x.w.Restore(x.ctx, id)
	u := x.m.users[id]
	if u == nil || !u.deleted() {
		return x.want("restore", err, roster.ErrNotFound)
	}
	if !x.m.nameFree(u.key, id, x.now()) {
		return x.refused("restore", err, conflict(roster.FieldName))
	}
	x.want("restore", err, nil)
	u.deletedAt = time.Time{}
	if u.primary() == nil { // it may have become somebody else's
		u.promote()
	}
	x.m.names[u.key] = mName{owner: id}
	x.m.sensitive(u, x.now())
	return nil
}

func (x *machine) purge() error {
	if !x.odds(3) {
		return errIdle
	}
	id := x.user()
	err := x.w.Purge(x.ctx, id)
	if x.m.users[id] == nil {
		return x.want("purge", err, roster.ErrNotFound)
	}
	x.m.purge(id)
	return x.want("purge", err, nil)
}

func (x *machine) setPassword() error {
	id, p := x.user(), x.password()
	if x.odds(10) {
		return x.refused("set password", x.w.SetPassword(x.ctx, id, rapid.SampledFrom(badPasswords).Draw(x.T, "bad password")),
			invalidOf(roster.FieldPassword))
	}
	err := x.w.SetPassword(x.ctx, id, p)
	u := x.m.live(id)
	if u == nil {
		return x.want("set password", err, roster.ErrNotFound)
	}
	x.m.setPassword(u, p, "", x.now())
	return x.want("set password", err, nil)
}

func (x *machine) changePassword() error {
	id, current, p := x.user(), x.password(), x.password()
	u := x.m.live(id)
	if u != nil && u.password != "" && x.odds(2) {
		current = u.password
	}
	err := x.w.ChangePassword(x.ctx, id, current, p)
	if u == nil || u.password != current || !u.mayLogin() {
		return x.want("change password", err, roster.ErrCredentials)
	}
	x.m.setPassword(u, p, "", x.now())
	return x.want("change password", err, nil)
}

func (x *machine) authenticate() error {
	p := x.password()
	var login string
	var u *mUser
	if x.odds(2) {
		a := x.spelledAddress()
		login = a.typed
		u, _ = x.m.owner(a.key)
	} else {
		n := x.spelledName()
		login = n.typed
		u = x.m.byKey(n.key)
	}
	if u != nil && u.password != "" && !x.odds(4) {
		p = u.password
	}
	got, err := x.w.Authenticate(x.ctx, login, p)
	if target := x.m.signsIn(u, p); target != nil {
		if got != nil {
			x.Fatalf("sign-in refused, and a user returned")
		}
		return x.want("authenticate", err, target)
	}
	x.want("authenticate", err, nil)
	u.loginAt = x.now()
	if u.loginAt.Before(u.authAt) { // the clock stands still
		u.loginAt = u.authAt
	}
	if got.ID != u.id || !got.LastLoginAt.Equal(u.loginAt) {
		x.Fatalf("signed in as user %d at %v, want %d", got.ID, got.LastLoginAt, u.id)
	}
	return nil
}

func (x *machine) prune() error {
	got, err := x.w.Prune(x.ctx, roster.Budget{})
	now := x.now()
	var want roster.Pruned
	for c := range x.m.codes {
		if x.m.codes[c] && !now.Before(c.expires) {
			x.m.codes[c] = false
			want.Activations++
		}
	}
	x.m.undos = slices.DeleteFunc(x.m.undos, func(un *mUndo) bool {
		if now.Before(un.expires) {
			return false
		}
		want.Undos++
		return true
	})
	for key, n := range x.m.names {
		if !n.until.IsZero() && !n.until.After(now) {
			delete(x.m.names, key)
			want.Names++
		}
	}
	before := now.Add(-pendingTTL - 24*time.Hour) // when the last code has expired
	for _, u := range x.m.users {
		only := len(u.emails) == 1
		for _, e := range slices.Clone(u.emails) {
			loose := !e.primary || u.active() && only
			if loose && !e.active() && e.createdAt.Before(before) && !x.m.waiting(u.id, e.id) {
				x.m.remove(u, e)
				want.Emails++
			}
		}
	}
	for id, u := range x.m.users {
		if u.createdAt.Before(before) && !u.active() && u.loginAt.IsZero() && !u.deleted() &&
			u.flags&(roster.FlagPrivileged|roster.FlagNeverClean) == 0 && len(u.emails) > 0 && !x.m.waiting(id, 0) {
			x.m.purge(id)
			want.Users++
		}
	}
	got.Events = 0 // of which the model knows nothing
	if got != want {
		x.Fatalf("pruned %+v, want %+v", got, want)
	}
	return x.want("prune", err, nil)
}

func (x *machine) clock() {
	x.w.clock.Advance(rapid.SampledFrom([]time.Duration{
		time.Microsecond, time.Second, time.Minute, time.Minute, 10 * time.Minute, time.Hour - time.Microsecond, time.Hour,
		24 * time.Hour, 8 * 24 * time.Hour, 91 * 24 * time.Hour, -time.Minute, -2 * time.Hour,
	}).Draw(x.T, "by"))
}
