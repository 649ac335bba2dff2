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
func (us *Users) byDirectory(ctx context.Context, g *guess, list []Directory, login, typed string, m Model) (*User, error) {
	var u *User
	if m != nil {
		u = m.RosterUser()
	}
	mine, err := us.subjectOf(ctx, u)
	if err != nil {
		return nil, err
	}
	said, err := askDirectories(ctx, g, questionsFor(list, login, u), mine, typed)
	switch {
	case errors.Is(err, ErrCredentials):
		return nil, us.refuse(ctx, typed)
	case err != nil:
		us.opts.Logger.ErrorContext(ctx, "directory failed", slog.String("error", err.Error()))
		return nil, err
	case g.blind || said.Disabled:
		return nil, us.refuse(ctx, typed)
	}
	u, err = us.entered(ctx, said, nil)
	if errors.Is(err, ErrCredentials) {
		return nil, us.refuse(ctx, typed)
	}
	return u, err
}

// subjectOf is who a user is in the directory that it belongs to. It is empty if that is
// not known yet, or there is no user.
func (us *Users) subjectOf(ctx context.Context, u *User) (string, error) {
	if u == nil {
		u = new(User) // whose rows are looked for all the same
	}
	all, err := us.store.IdentitiesOf(ctx, u.ID)
	for _, i := range all {
		if i.Provider == u.DirectoryID {
			return i.Subject, err
		}
	}
	return "", err
}

// refuse returns ErrCredentials after the work of comparing a password.
func (us *Users) refuse(ctx context.Context, typed string) error {
	_, _, _ = us.verify(ctx, nil, typed) // for the time it takes; too busy to, it is no less wrong
	return ErrCredentials
}

// question is a name that a directory is asked for. With typed it is what somebody has
// typed, so that it may mean whoever has it there by now; else it is what the user is called
// here, and means nobody else.
type question struct {
	Directory
	name  string
	typed bool
}

// questionsFor are those to be asked for a login that means the user, nil if it means
// nobody: in the spelling of the directory first, which may know neither the address
// nor, any more, the name.
func questionsFor(list []Directory, login string, u *User) (all []question) {
	for _, d := range list {
		if u != nil && u.Name != login {
			key, err := NameKey(login)
			all = append(all, question{d, u.Name, err == nil && key == u.NameKey})
		}
		all = append(all, question{d, login, true})
	}
	return all
}

// askDirectories asks one question after the other, who it is that has the name and this
// password, until one is answered. If mine is not empty, it is the user with that subject
// that is meant: an answer of somebody else, who has the name there by now, counts
// only if it is yes, and to what was typed. If there is none for mine, the directory is
// asked what they are called by now.
func askDirectories(ctx context.Context, g *guess, questions []question, mine, typed string) (*testimony, error) {
	if !sendable(typed) {
		return nil, ErrCredentials
	}
	counted := false
	for _, q := range questions {
		a, err := ask(ctx, q, typed)
		switch {
		case err != nil:
			return nil, err
		case a.unknown:
			continue
		}
		counted = true
		may, err := g.entry(ctx, q.ID(), a.subject)
		if err != nil {
			return nil, err
		}
		if mine == "" || a.subject == "" || a.subject == mine || may && a.said != nil && q.typed {
			return a.heard(g, may)
		}
	}
	if mine != "" {
		return askRenamed(ctx, g, questions, mine, typed)
	}
	if !counted { // as much work as for who is known there
		if _, err := g.entry(ctx, "", ""); err != nil {
			return nil, err
		}
	}
	return nil, ErrCredentials
}

// askRenamed asks the directory for the password of who is called otherwise by now than
// in the questions, if it is one that finds them.
func askRenamed(ctx context.Context, g *guess, questions []question, mine, typed string) (*testimony, error) {
	d := questions[0].Directory
	finder, ok := d.(DirectoryFinder)
	if !ok {
		return nil, ErrCredentials
	}
	found, err := finder.Find(ctx, mine)
	switch {
	case errors.Is(err, ErrUnavailable), err != nil && !errors.Is(err, ErrUnknownUser):
		return nil, outage(ctx, err)
	case found == nil || found.Name == "" || slices.ContainsFunc(questions, func(q question) bool { return q.name == found.Name }):
		return nil, ErrCredentials
	}
	a, err := ask(ctx, question{d, found.Name, false}, typed)
	if err != nil {
		return nil, err
	}
	may, err := g.entry(ctx, d.ID(), a.subject)
	if err != nil {
		return nil, err
	}
	return a.heard(g, may && a.subject == mine)
}

// answer is what a directory says to a question.
type answer struct {
	said    *testimony // yes; nil is no
	subject string     // whose password it was, if the directory says so
	unknown bool       // nobody's
}

// heard is the answer for who has asked, if it may be told.
func (a *answer) heard(g *guess, may bool) (*testimony, error) {
	if g.blind = g.blind || !may; a.said == nil || !may {
		return nil, ErrCredentials
	}
	return a.said, nil
}

// ask asks one question. Its error is an outage.
func ask(ctx context.Context, q question, typed string) (*answer, error) {
	id, err := q.Authenticate(ctx, q.name, typed)
	var refused *RefusedError
	switch {
	case err == nil && id == nil:
		return nil, outage(ctx, errors.New("roster: a directory has nothing to say"))
	case err == nil:
		said, err := hearDirectory(q.Directory, id)
		if err != nil {
			return nil, err
		}
		return &answer{said: said, subject: said.Subject}, nil
	case errors.Is(err, ErrUnavailable):
		return nil, outage(ctx, err)
	case errors.Is(err, ErrUnknownUser):
		return &answer{unknown: true}, nil
	case errors.As(err, &refused):
		return &answer{subject: refused.Subject}, nil
	case errors.Is(err, ErrCredentials):
		return &answer{}, nil
	}
	return nil, outage(ctx, err)
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
func (us *Users) checkInDirectory(ctx context.Context, g *guess, u *User, typed string) (*testimony, error) {
	d := us.directory(u.DirectoryID)
	if d == nil {
		return nil, us.refuse(ctx, typed)
	}
	mine, err := us.subjectOf(ctx, u)
	if err != nil {
		return nil, err
	}
	said, err := askDirectories(ctx, g, []question{{d, u.Name, false}}, mine, typed)
	if err == nil && (said.Subject != mine || said.Disabled || g.blind || !u.mayLogin()) {
		err = ErrCredentials
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
	_, err = us.guess(ctx, "change password", accountByID(u.ID, u), func(ctx context.Context, g *guess) error {
		said, err := us.checkInDirectory(ctx, g, u, current)
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
