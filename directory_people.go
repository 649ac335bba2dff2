package roster

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
)

// entered is the user of somebody who has shown a directory the right password:
// by the immutable subject, whatever was typed and whatever the entry is called by
// now. Who is new is made here, in one transaction. It returns ErrCredentials, and
// the operator learns why, for whom there is no account to be had.
//
// may is asked last when somebody is made, in the transaction; nil lets everybody.
func (us *Users) entered(ctx context.Context, said *testimony, may func(ctx context.Context) error) (u *User, err error) {
	handed := false
	for try := 1; ; try++ {
		var m Model
		m, err = us.enter(ctx, said, may, try)
		taken := errors.Is(err, errNameTaken)
		if (taken || err == nil && us.namedOtherwise(m.RosterUser(), said) && m.RosterUser().mayLogin()) && !handed {
			free, err := us.handOver(ctx, said)
			if err != nil {
				return nil, err
			}
			if handed = true; free {
				continue
			}
		}
		if taken {
			return nil, us.barred(ctx, 0, said, "name taken")
		}
		if err == nil {
			return us.admit(ctx, m.RosterUser(), said)
		}
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrStale) || try == maxRaces || inTransaction(ctx) {
			break
		}
	}
	if errors.Is(err, ErrConflict) {
		return nil, us.barred(ctx, 0, said, "name taken")
	}
	return nil, err
}

// errNameTaken is that there is no account to be had by the name.
var errNameTaken = errors.New("roster: name taken")

// enter is entered for one try. The first one writes nothing if nothing is new.
func (us *Users) enter(ctx context.Context, said *testimony, may func(ctx context.Context) error, try int) (Model, error) {
	if try == 1 {
		i, m, err := us.store.IdentityBySubject(ctx, said.Provider, said.Subject)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if err == nil {
			u := bind(m)
			if !u.mayLogin() || u.DirectoryID != said.Provider {
				return m, nil // to be refused
			}
			owners, err := us.ownersOf(ctx, said.keys, i.Emails)
			if err != nil {
				return nil, err
			}
			groups, err := us.regroupNow(ctx, u.ID, said)
			if err != nil {
				return nil, err
			}
			if len(us.driftOf(u, i, owners, said)) == 0 && groups.empty() && !returning(u) {
				return m, nil
			}
		}
	}
	var m Model
	err := us.store.Atomic(ctx, func(ctx context.Context) (err error) {
		var i *UserIdentity
		m, i, err = us.lockIdentity(ctx, said)
		if err != nil {
			return err
		}
		if m == nil {
			if m, err = us.awaited(ctx, said); err != nil {
				return err
			}
			if m == nil {
				if m, err = us.provision(ctx, said); err != nil || may == nil {
					return err
				}
				return may(ctx)
			}
			if i, err = us.bindIdentity(ctx, m.RosterUser().ID, said); err != nil {
				return err
			}
		}
		u := m.RosterUser()
		if !u.mayLogin() || u.DirectoryID != said.Provider {
			return nil
		}
		if err := us.follow(ctx, m, i, said, try <= 2); err != nil || !returning(u) {
			return err
		}
		if err := FirstLogin.Set(u, false); err != nil {
			return err
		}
		u.UpdatedAt = us.now()
		return us.update(ctx, m)
	})
	return m, err
}

// returning reports whether a user who is still marked as new has signed in before.
func returning(u *User) bool { return FirstLogin.Get(u) && !u.LastLoginAt.IsZero() }

// awaited finds and locks a user who belongs to the directory by an
// administrator's word, and whose entry has not been seen yet: with its DN, or, if
// none was given, with its name.
func (us *Users) awaited(ctx context.Context, said *testimony) (Model, error) {
	key, err := NameKey(said.Name)
	if err != nil {
		return nil, nil
	}
	m, err := us.store.UserByName(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if m, err = us.store.LockUser(ctx, m.RosterUser().ID); err != nil {
		return nil, ignore(err, ErrNotFound)
	}
	u := bind(m)
	if u.NameKey != key || u.IsDeleted() || u.DirectoryID != said.Provider || u.DirectoryDN != "" && !strings.EqualFold(u.DirectoryDN, said.DN) {
		return nil, nil
	}
	all, err := us.store.IdentitiesOf(ctx, u.ID)
	if err != nil || slices.ContainsFunc(all, func(i *UserIdentity) bool { return i.Provider == said.Provider }) {
		return nil, err
	}
	return m, nil
}

// provision makes the account of somebody who is new here. There is no password.
func (us *Users) provision(ctx context.Context, said *testimony) (Model, error) {
	now := us.now()
	draft := User{
		Name: said.Name, RealName: said.RealName, Locale: said.Locale, Timezone: said.Timezone,
		DirectoryID: said.Provider, DirectoryDN: said.DN, ActivatedAt: now,
	}
	if said.Name == "" || us.checkName(&draft, new(User)) != nil || us.reserved(draft.NameKey) {
		return nil, us.barred(ctx, 0, said, "name not allowed")
	}
	// Looked for first, so that a transaction of the program is left as it was.
	switch _, err := us.store.UserByName(ctx, draft.NameKey); {
	case err == nil:
		// Unless it is the very same person, who has come in meanwhile.
		if _, _, err := us.store.IdentityBySubject(ctx, said.Provider, said.Subject); !errors.Is(err, ErrNotFound) {
			return nil, cmp.Or(err, ErrStale)
		}
		return nil, errNameTaken
	case !errors.Is(err, ErrNotFound):
		return nil, err
	}
	m, err := us.arrive(ctx, draft, said.Provider, now)
	if err != nil {
		return nil, err
	}
	i, err := us.bindIdentity(ctx, m.RosterUser().ID, said)
	if err != nil {
		return nil, err
	}
	return m, us.follow(ctx, m, i, said, false)
}
