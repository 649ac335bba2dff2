package roster

import (
	"context"
	"errors"
	"log/slog"
)

// handOver frees the name of somebody who has just signed in through a directory, if it is
// one here that belongs to another person of that directory, who is called otherwise there
// by now. That one gets the new name at once, or, until the next sign-in, an automatic
// one if it is not free. It reports whether the name may be had now.
//
// The directory is asked for the other person by the immutable subject, and only if it
// has them under another name: who is gone there keeps the name here until an
// administrator says otherwise, since what they own may hang on it.
func (us *Users) handOver(ctx context.Context, said *testimony) (bool, error) {
	key, err := NameKey(said.Name)
	if err != nil {
		return false, nil
	}
	finder, ok := us.directory(said.Provider).(DirectoryFinder)
	if !ok {
		return false, nil
	}
	m, err := us.store.UserByName(ctx, key)
	if err != nil {
		return false, ignore(err, ErrNotFound)
	}
	if m.RosterUser().DirectoryID != said.Provider {
		return false, nil
	}
	subject, err := us.subjectOf(ctx, m.RosterUser())
	if err != nil || subject == "" || subject == said.Subject {
		return false, err
	}
	found, err := finder.Find(ctx, subject)
	switch {
	case errors.Is(err, ErrUnavailable), err != nil && !errors.Is(err, ErrUnknownUser):
		return false, outage(ctx, err)
	case found == nil:
		return false, nil
	}
	theirs, err := hearDirectory(us.directory(said.Provider), found)
	if err != nil || theirs.Subject != subject {
		return false, err
	}
	if now, err := NameKey(theirs.Name); err != nil || now == key { // both are called so
		return false, nil
	}
	freed := false
	err = us.store.Atomic(ctx, func(ctx context.Context) error {
		m, _, err := us.lockIdentity(ctx, theirs)
		if err != nil || m == nil {
			return err
		}
		u := m.RosterUser()
		if u.NameKey != key || u.DirectoryID != said.Provider || u.IsDeleted() {
			return nil
		}
		freed = true
		return us.giveUpName(ctx, m, theirs)
	})
	return freed && err == nil, ignore(err, ErrConflict)
}

// giveUpName gives a user the name that the directory has now, or an automatic one.
func (us *Users) giveUpName(ctx context.Context, m Model, said *testimony) error {
	u, now := m.RosterUser(), us.now()
	before := *u
	done := false
	if us.namedOtherwise(u, said) {
		var err error
		if done, err = us.renameAs(ctx, u, said, now); err != nil {
			return err
		}
	}
	if !done {
		u.Name, u.NameAuto = autoName(int64(u.ID)), true
		u.NameKey = u.Name
		if err := us.changeName(ctx, u, &before, now); err != nil {
			return err
		}
	}
	us.opts.Logger.InfoContext(ctx, "name of a directory handed over", slog.String("provider", said.Provider), slog.Int64("user", int64(u.ID)))
	u.UpdatedAt = now
	return us.update(ctx, m)
}
