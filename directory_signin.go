package roster

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxDirectoryPassword is longer than any directory takes, in bytes.
const maxDirectoryPassword = 1024

// directoriesFor are the directories to ask for who signs in so, m being the user
// who was found for it, if any: that of the user, or all of them, in their order,
// for somebody who is unknown here. A local user has the password here, whatever
// a directory says of the same name.
func (us *Users) directoriesFor(login string, m Model) []Directory {
	if m != nil {
		if d := us.directory(m.RosterUser().DirectoryID); d != nil {
			return []Directory{d}
		}
		return nil
	}
	keyOf := NameKey
	if isAddress(login) {
		keyOf = AddressKey
	}
	if _, err := keyOf(login); err != nil {
		return nil
	}
	return us.opts.Directories
}

// byDirectory finds, or makes, the user who has this name and password in one of
// the directories. It returns ErrCredentials after the work that a wrong local
// password takes, and an [UnavailableError] if a directory fails.
func (us *Users) byDirectory(ctx context.Context, list []Directory, login, typed string, m Model, blind bool) (*User, error) {
	names := []string{login}
	if m != nil { // in the spelling of the directory, which may know neither the address nor, any more, the name
		names = slices.Compact([]string{m.RosterUser().Name, login})
	}
	said, err := askDirectories(ctx, list, names, typed)
	switch {
	case errors.Is(err, ErrCredentials):
		return nil, us.refuse(ctx, typed)
	case err != nil:
		us.opts.Logger.Error("directory failed", slog.String("error", err.Error()))
		return nil, err
	case blind || said.Disabled:
		return nil, us.refuse(ctx, typed)
	}
	u, err := us.entered(ctx, said, nil)
	if errors.Is(err, ErrCredentials) {
		return nil, us.refuse(ctx, typed)
	}
	return u, err
}

// refuse returns ErrCredentials after the work of comparing a password.
func (us *Users) refuse(ctx context.Context, typed string) error {
	_, _, _ = us.verify(ctx, nil, typed) // for the time it takes; too busy to, it is no less wrong
	return ErrCredentials
}

// askDirectories asks one after the other who has one of the names and this
// password, until one knows the name.
func askDirectories(ctx context.Context, list []Directory, names []string, typed string) (*testimony, error) {
	if !sendable(typed) {
		return nil, ErrCredentials
	}
	for _, q := range questions(list, names) {
		d := q.Directory
		id, err := d.Authenticate(ctx, q.name, typed)
		switch {
		case err == nil && id != nil:
			return hearDirectory(d, id)
		case err == nil:
			return nil, outage(ctx, errors.New("roster: a directory has nothing to say"))
		case errors.Is(err, ErrUnavailable):
			return nil, outage(ctx, err)
		case errors.Is(err, ErrUnknownUser):
			continue
		case errors.Is(err, ErrCredentials):
			return nil, ErrCredentials
		default:
			return nil, outage(ctx, err)
		}
	}
	return nil, ErrCredentials
}

// question is a name that a directory is asked for.
type question struct {
	Directory
	name string
}

func questions(list []Directory, names []string) (all []question) {
	for _, d := range list {
		for _, name := range names {
			all = append(all, question{d, name})
		}
	}
	return all
}

// sendable reports whether a password may be sent to a directory. One takes the
// empty one for no sign-in at all, and says yes (RFC 4513, section 5.1.2); some
// read no further than NUL.
func sendable(typed string) bool {
	return typed != "" && len(typed) <= maxDirectoryPassword && utf8.ValidString(typed) && !strings.Contains(typed, "\x00")
}

// hearDirectory is hear for what a directory says of its own people.
func hearDirectory(d Directory, id *Identity) (*testimony, error) {
	mine := *id
	mine.Provider = d.ID()
	said, err := hear(&mine)
	if err != nil {
		return nil, &UnavailableError{UnavailableDirectory, err}
	}
	return said, nil
}

// outage is what a directory that fails leads to.
func outage(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var said *UnavailableError
	if errors.As(err, &said) { // and nothing else of what its text may hold
		return said
	}
	return &UnavailableError{UnavailableDirectory, err}
}

// checkInDirectory asks the directory of a user for the password.
func (us *Users) checkInDirectory(ctx context.Context, u *User, typed string, blind bool) (*testimony, error) {
	d := us.directory(u.DirectoryID)
	if d == nil {
		return nil, us.refuse(ctx, typed)
	}
	said, err := askDirectories(ctx, []Directory{d}, []string{u.Name}, typed)
	if err == nil {
		var i *UserIdentity
		i, _, err = us.store.IdentityBySubject(ctx, said.Provider, said.Subject)
		if errors.Is(err, ErrNotFound) || err == nil && (i.UserID != u.ID || said.Disabled || blind || !u.mayLogin()) {
			err = ErrCredentials
		}
	}
	if errors.Is(err, ErrCredentials) {
		return nil, us.refuse(ctx, typed)
	}
	return said, err
}

// changeInDirectory changes the password of a user of a directory there, if that
// can be done.
func (us *Users) changeInDirectory(
	ctx context.Context, verb string, u *User, current, typed string, then func(ctx context.Context, m Model) error,
) error {
	changer, ok := us.directory(u.DirectoryID).(DirectoryPasswordChanger)
	if !ok {
		return invalid(FieldDirectory, ReasonReadOnly)
	}
	_, err := us.preparePassword(typed)
	if err == nil && !sendable(typed) {
		err = invalid(FieldPassword, ReasonCharacter)
	}
	if err != nil {
		return err
	}
	_, err = us.guess(ctx, "change password", accountByID(u.ID, u), func(ctx context.Context, blind bool) error {
		said, err := us.checkInDirectory(ctx, u, current, blind)
		if err != nil {
			return err
		}
		err = changer.ChangePassword(ctx, said.DN, current, typed)
		if err == nil || errors.Is(err, ErrInvalid) || errors.Is(err, ErrCredentials) {
			return err
		}
		return outage(ctx, err)
	})
	if err != nil {
		return err
	}
	return us.live(ctx, verb, u.ID, func(ctx context.Context, m Model) error {
		u, now := m.RosterUser(), us.now()
		u.PasswordChangedAt = now
		if err := us.touched(ctx, m, now); err != nil {
			return err
		}
		if err := us.emit(ctx, Event{Kind: EventPasswordChanged, User: u.ID, Details: details(detailProvider, u.DirectoryID)}); err != nil {
			return err
		}
		e, err := us.spokesman(ctx, u.ID)
		if err == nil && e != nil {
			err = us.notify(ctx, MailPasswordChanged, u, e)
		}
		if err == nil && then != nil {
			err = then(ctx, m)
		}
		return err
	})
}
