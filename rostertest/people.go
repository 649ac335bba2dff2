package rostertest

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/sessioncookie"
)

// Password is the password of every user that this package makes.
const Password = "correct horse battery"

// MustUser makes a user who can sign in: activated, with [Password] and an
// activated address, and no mail about it. Each change may alter the user before
// that. Without a name it is called "user-1" and so on, by its ID; the address is
// name@example.org, or user-1@example.org where the name does not go into one. A
// user of a directory gets no password. It fails the test if that does not work,
// and may be called by any number of tests at once.
func (env *Env) MustUser(t testing.TB, changes ...func(*roster.User)) *roster.User {
	t.Helper()
	u := new(roster.User)
	for _, change := range changes {
		change(u)
	}
	return env.MustCreate(t, u)
}

// MustCreate is [Env.MustUser] for a user of the program's own type. m is as
// [roster.Users.Create] leaves it; what is returned is the user as stored, and
// [roster.As] finds the way to the other columns.
func (env *Env) MustCreate(t testing.TB, m roster.Model) *roster.User {
	t.Helper()
	var stored *roster.User
	err := env.Atomic(context.Background(), func(ctx context.Context) error {
		if err := env.Create(ctx, m); err != nil {
			return err
		}
		u := m.RosterUser()
		if u.DirectoryID == "" { // before the address, which would be told
			if err := env.SetPassword(ctx, u.ID, Password); err != nil {
				return err
			}
		}
		address := u.Name + "@example.org"
		if _, err := roster.AddressKey(address); err != nil {
			address = fmt.Sprintf("user-%d@example.org", u.ID)
		}
		if _, err := env.AddActivatedEmail(ctx, u.ID, address); err != nil {
			return err
		}
		var err error
		stored, err = env.ByID(ctx, u.ID)
		return err
	})
	if err != nil {
		t.Fatalf("rostertest: %v", err)
	}
	return stored
}

// MustSignIn starts a session for a user, whatever the password. The cookie is
// that of package sessioncookie, for the requests of a test, and its Value is
// the token. It fails the test if the user cannot sign in.
func (env *Env) MustSignIn(t testing.TB, u *roster.User) (*roster.Session, *http.Cookie) {
	t.Helper()
	ctx := context.Background()
	stored, err := env.ByID(ctx, u.ID)
	if err != nil {
		t.Fatalf("rostertest: %v", err)
	}
	s, token, err := env.StartSession(ctx, stored)
	if err != nil {
		t.Fatalf("rostertest: %v", err)
	}
	return s, &http.Cookie{Name: sessioncookie.Name, Value: token.Reveal()}
}

// MustRegister signs up and activates a user called name, with [Password] and
// the address name@example.org, by the mail in Env.Mail. It fails the test if that
// does not work. [Env.MustUser] is quicker and leaves no mail.
//
// All of it happens at one moment of the [Clock]. It need not be advanced for what
// ends a session to end it.
func (env *Env) MustRegister(name string) *roster.User {
	env.t.Helper()
	ctx := context.Background()
	address := name + "@example.org"
	if _, err := env.Register(ctx, roster.NewUser{Name: name, Email: address, Password: Password}); err != nil {
		env.t.Fatalf("rostertest: %v", err)
	}
	u, err := env.ActivateWithPassword(ctx, env.Mail.MustCode(env.t, address), Password)
	if err != nil {
		env.t.Fatalf("rostertest: %v", err)
	}
	return u
}
