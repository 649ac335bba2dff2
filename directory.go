package roster

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Directory is an outside source of people who sign in with a password that it
// keeps: LDAP, most often, see package ldapauth. It is named in
// Options.Directories, and must be safe for concurrent use.
//
// It may also be a [DirectoryPasswordChanger], a [DirectoryLister], a
// [DirectoryFinder] and a [DirectoryGroups].
type Directory interface {
	// ID names the directory: in [Identity.Provider], in User.DirectoryID and in
	// the rows of identities. It never changes, whatever happens to the server
	// behind it: "corp".
	ID() string

	// Authenticate reports who it is that has this name and password. It is never
	// asked with an empty password, one that contains NUL, or a name that nobody
	// here could have. ErrUnknownUser says that it has nobody of that name, so
	// that the next directory is asked. ErrCredentials says that it has, and that
	// the password is wrong, or that it lets nobody in there. Any other error ends
	// the sign-in without success, as an [UnavailableError].
	//
	// What it knows about the person is from the entry that the password was
	// checked against, never from the name that was typed.
	Authenticate(ctx context.Context, name, password string) (*Identity, error)
}

// DirectoryPasswordChanger is a [Directory] in which people can change their
// password. ErrCredentials says that the old one is wrong, an [InvalidError] of
// [FieldPassword] that the new one is refused. Any other error is an outage.
type DirectoryPasswordChanger interface {
	ChangePassword(ctx context.Context, dn, old, new string) error
}

// RefusedError is the ErrCredentials of a [Directory] that says whose password it was that
// was wrong: so the failures at one entry are counted together, by whatever name,
// address or spelling somebody has guessed at it, and whether there is a user yet or not.
// It is for roster alone, which tells nobody.
type RefusedError struct {
	Subject string // of the entry
	Cause   error  // for the operator; nil if there is nothing more to say
}

func (e *RefusedError) Error() string {
	if e.Cause == nil {
		return ErrCredentials.Error()
	}
	return e.Cause.Error()
}

// Is makes a RefusedError an [ErrCredentials].
func (e *RefusedError) Is(target error) bool { return target == ErrCredentials }

// Unwrap returns the cause, which may be nil.
func (e *RefusedError) Unwrap() error { return e.Cause }

// DirectoryFinder is a [Directory] that finds people by the subject, whatever they are
// called by now. With it somebody who was renamed there signs in by the address or
// the name that roster knows, though another person has the name by now; and that person
// gets it here. Find takes no password and signs nobody in. ErrUnknownUser says that there
// is no such entry, any other error is an outage.
type DirectoryFinder interface {
	Find(ctx context.Context, subject string) (*Identity, error)
}

// DirectoryLister is a [Directory] that can say whom it has, for
// [Users.PlanSync]. All yields every entry once, in any order, and ends after an
// error: then the list is not complete, and nothing is to be done by it.
type DirectoryLister interface {
	All(ctx context.Context) iter.Seq2[*Identity, error]
}

// DirectoryGroups is a [Directory] whose groups mean something here.
// GroupNames is the allow-list: from the name of a group in the directory, as it
// stands in [Identity.Groups], to the name of the group here that its members
// are in. A group here that it names belongs to the directory: whose entry is
// not in it is taken out. Groups outside the list mean nothing, and a group that
// does not exist here is not made.
type DirectoryGroups interface {
	GroupNames() map[string]string
}

// directories finds the directories of the Options by their IDs.
func (us *Users) directory(id string) Directory {
	for _, d := range us.opts.Directories {
		if d.ID() == id {
			return d
		}
	}
	return nil
}

// checkDirectories refuses what cannot be told apart.
func checkDirectories(list []Directory) error {
	var errs []error
	seen := make(map[string]bool)
	for i, d := range list {
		if d == nil {
			errs = append(errs, fmt.Errorf("directory %d is nil", i))
			continue
		}
		id := d.ID()
		if err := checkProvider(id); err != nil {
			errs = append(errs, fmt.Errorf("directory %d: its ID is empty, longer than %d bytes, or no plain text", i, maxProviderBytes))
		}
		if seen[id] {
			errs = append(errs, fmt.Errorf("directory %d: another one has its ID", i))
		}
		seen[id] = true
	}
	return errors.Join(errs...)
}
