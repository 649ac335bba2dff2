package roster

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"
)

// ownersOf finds who has activated the addresses.
func (us *Users) ownersOf(ctx context.Context, keys ...[]string) (map[string]*UserEmail, error) {
	emails, err := us.store.ActivatedEmails(ctx, slices.Concat(keys...)...)
	if err != nil {
		return nil, err
	}
	owners := make(map[string]*UserEmail, len(emails))
	for _, e := range emails {
		owners[e.AddressKey] = e
	}
	return owners, nil
}

// driftOf says in what a user is not, or no longer, as the directory has it. owners
// are those of the addresses that the directory names, or has given to the user.
func (us *Users) driftOf(u *User, i *UserIdentity, owners map[string]*UserEmail, said *testimony) (drift []string) {
	for _, d := range []struct {
		what string
		is   bool
	}{
		{FieldName, us.namedOtherwise(u, said)},
		{FieldRealName, said.RealName != "" && said.RealName != u.RealName},
		{FieldLocale, said.Locale != "" && said.Locale != u.Locale},
		{FieldTimezone, said.Timezone != "" && said.Timezone != u.Timezone},
		{FieldDirectory, said.DN != "" && said.DN != u.DirectoryDN},
		{FieldEmail, said.EmailsVerified && mailDrift(u, i, owners, said)},
		{FieldData, !sameData(i.Data, mergeData(i.Data, said.Data))},
		{FieldState, !u.IsActivated()},
	} {
		if d.is {
			drift = append(drift, d.what)
		}
	}
	return drift
}

// namedOtherwise reports whether a user should have another name, if it is free.
func (us *Users) namedOtherwise(u *User, said *testimony) bool {
	other := User{ID: u.ID, Name: said.Name}
	return said.Name != "" && said.Name != u.Name && us.checkName(&other, new(User)) == nil &&
		(other.NameKey == u.NameKey || !us.reserved(other.NameKey))
}

// mailDrift reports whether the addresses of a user are others than the directory
// says: one is missing that is free, one is left that is gone there, or another one
// is the main one.
func mailDrift(u *User, i *UserIdentity, owners map[string]*UserEmail, said *testimony) bool {
	given := func(key string) bool { return slices.Contains(i.Emails, key) }
	var mine []*UserEmail
	for _, key := range said.keys {
		switch e := owners[key]; {
		case e == nil, e.UserID == u.ID && !given(key):
			return true
		case e.UserID == u.ID:
			mine = append(mine, e)
		case given(key):
			return true // it is somebody else's by now
		}
	}
	for _, key := range i.Emails {
		if !slices.Contains(said.keys, key) {
			return true
		}
	}
	// The main one, unless the user has chosen one of their own.
	return slices.ContainsFunc(mine, func(e *UserEmail) bool { return e.Primary }) && !mine[0].Primary
}

// follow makes a user what the directory says, see driftOf. The row is locked.
// What cannot be had, a name or an address of somebody else, is left out, and the
// operator told.
func (us *Users) follow(ctx context.Context, m Model, i *UserIdentity, said *testimony, rename bool) error {
	u, now := m.RosterUser(), us.now()
	owners, err := us.ownersOf(ctx, said.keys, i.Emails)
	if err != nil {
		return err
	}
	drift := us.driftOf(u, i, owners, said)
	has := func(what string) bool { return slices.Contains(drift, what) }
	changed, skipped := false, said.skipped
	if has(FieldName) && rename {
		done, err := us.renameAs(ctx, u, said, now)
		if err != nil {
			return err
		}
		changed = done
	}
	if has(FieldRealName) || has(FieldLocale) || has(FieldTimezone) || has(FieldDirectory) || has(FieldState) {
		u.RealName, u.Locale = cmp.Or(said.RealName, u.RealName), cmp.Or(said.Locale, u.Locale)
		u.Timezone, u.DirectoryDN = cmp.Or(said.Timezone, u.Timezone), cmp.Or(said.DN, u.DirectoryDN)
		if !u.IsActivated() {
			u.ActivatedAt = now
			if err := us.emit(ctx, Event{Kind: EventUserActivated, User: u.ID}); err != nil {
				return err
			}
		}
		changed = true
	}
	groups, err := us.regroupNow(ctx, u.ID, said)
	if err != nil {
		return err
	}
	// What the directory gives is a new Version, wherever it is kept: a plan that was made
	// before is old.
	if changed || has(FieldEmail) || has(FieldData) || !groups.empty() {
		u.UpdatedAt = now
		if err := us.update(ctx, m); err != nil {
			return err
		}
	}
	if has(FieldEmail) {
		taken, err := us.followEmails(ctx, m, i, said, now)
		if err != nil {
			return err
		}
		skipped += taken
	}
	if has(FieldEmail) || has(FieldData) {
		i.Data, i.UpdatedAt = mergeData(i.Data, said.Data), now
		if err := us.store.UpdateIdentity(ctx, i); err != nil {
			return err
		}
	}
	if err := us.regroup(ctx, u, groups); err != nil {
		return err
	}
	if !groups.empty() {
		drift = append(drift, "groups")
	}
	if len(drift) == 0 {
		return nil
	}
	if skipped > 0 {
		us.opts.Logger.WarnContext(ctx, "addresses of a directory skipped",
			slog.String("provider", said.Provider), slog.Int64("user", int64(u.ID)), slog.Int("addresses", skipped))
	}
	return us.emit(ctx, Event{
		Kind: EventUserFollowed, User: u.ID, Details: details(detailProvider, said.Provider, "fields", drift, "skipped", skipped),
	})
}

// renameAs gives a user the name that the entry has now, if it is free. The former
// one is free at once: the directory says whose it is. It reports whether u was
// changed, which is to be written then.
func (us *Users) renameAs(ctx context.Context, u *User, said *testimony, now time.Time) (bool, error) {
	before := *u
	u.Name, u.NameAuto = said.Name, false
	if err := us.checkName(u, &before); err != nil {
		return false, err
	}
	if u.NameKey == before.NameKey {
		return true, nil
	}
	free, err := us.nameFree(ctx, u)
	if err != nil {
		return false, err
	}
	if !free {
		us.opts.Logger.WarnContext(ctx, "name of a directory is taken", slog.String("provider", said.Provider), slog.Int64("user", int64(u.ID)))
		u.Name, u.NameKey, u.NameAuto = before.Name, before.NameKey, before.NameAuto
		return false, nil
	}
	return true, us.changeName(ctx, u, &before, now)
}

// nameFree reports whether nobody has the name of u, or holds it back. What was held back
// long enough goes at once: a name that a directory has taken from one person is for
// the next.
func (us *Users) nameFree(ctx context.Context, u *User) (bool, error) {
	for pruned := false; ; pruned = true {
		owners, err := us.store.NameOwners(ctx, u.NameKey)
		owner := owners[u.NameKey]
		if err != nil || owner == 0 || owner == u.ID || pruned {
			return owner == 0 || owner == u.ID, err
		}
		if _, err := us.store.PruneNames(ctx, us.now(), defaultPruneRows); err != nil {
			return false, err
		}
	}
}

// changeName makes the name that u has now its own. The former one is free at once.
func (us *Users) changeName(ctx context.Context, u, before *User, now time.Time) error {
	if err := us.touchAuth(ctx, u, now); err != nil {
		return err
	}
	if err := us.store.RetireName(ctx, before.NameKey, u.ID, now); err != nil {
		return err
	}
	if err := us.store.ClaimName(ctx, u.NameKey, u.ID, now); err != nil {
		return err
	}
	return us.emit(ctx, Event{Kind: EventUserRenamed, User: u.ID})
}

// followEmails gives a user the addresses that the directory names, and takes those
// that it has given and does not name any more; which are told. It returns how many
// are somebody else's.
func (us *Users) followEmails(ctx context.Context, m Model, i *UserIdentity, said *testimony, now time.Time) (taken int, err error) {
	u := m.RosterUser()
	given := i.Emails
	if i.Emails, taken, err = us.giveEmails(ctx, m, said, now); err != nil {
		return taken, err
	}
	emails, err := us.store.EmailsOf(ctx, u.ID)
	if err != nil {
		return taken, err
	}
	var gone []*UserEmail
	ownChoice := false
	for _, e := range emails {
		dropped := slices.Contains(given, e.AddressKey) && !slices.Contains(i.Emails, e.AddressKey)
		if dropped {
			gone = append(gone, e)
		}
		ownChoice = ownChoice || e.Primary && e.IsActivated() && !dropped && !slices.Contains(i.Emails, e.AddressKey)
	}
	if len(i.Emails) > 0 && !ownChoice {
		if err := us.movePrimary(ctx, m, withKey(emails, i.Emails[0]), now); err != nil {
			return taken, err
		}
	}
	return taken, us.takeEmails(ctx, m, gone, now)
}

// takeEmails removes addresses of a user, which are told.
func (us *Users) takeEmails(ctx context.Context, m Model, gone []*UserEmail, now time.Time) error {
	if len(gone) == 0 {
		return nil
	}
	u := m.RosterUser()
	var ids []EmailID
	for _, e := range gone {
		ids = append(ids, e.ID)
	}
	if _, err := us.store.DeleteEmails(ctx, ids...); err != nil {
		return err
	}
	if err := us.emitRemoved(ctx, u.ID, ids...); err != nil {
		return err
	}
	left, err := us.store.EmailsOf(ctx, u.ID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(left, func(e *UserEmail) bool { return e.Primary }) {
		if err := us.promote(ctx, u.ID); err != nil {
			return err
		}
	}
	if err := us.touched(ctx, m, now); err != nil {
		return err
	}
	for _, e := range gone {
		if err := us.notify(ctx, MailEmailRemoved, u, e); err != nil {
			return err
		}
	}
	return nil
}
