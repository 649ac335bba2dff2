package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var loginCases = []testCase{
	{name: "Login/ByName", rule: "LoginByName returns the user that is not deleted together with the credential of scope 0, or none.", run: loginByName},
	{name: "Login/ByEmail", rule: "LoginByEmail finds by an activated address of a user that is not deleted.", run: loginByEmail},
}

// login is a user with the credential that belongs to it.
type login struct {
	User       *roster.User
	Credential *roster.Credential
}

func loginOf(m roster.Model, c *roster.Credential, err error) func(testing.TB) login {
	return func(t testing.TB) login {
		t.Helper()
		return login{rowOf(m, err)(t), c}
	}
}

// noLogin wants ErrNotFound, and nothing beside it.
func noLogin(t testing.TB, what string, c *roster.Credential, err error) {
	t.Helper()
	fails(t, what, err, roster.ErrNotFound)
	if c != nil {
		t.Errorf("%s: a credential of nobody", what)
	}
}

func loginByName(t *testing.T, s roster.Store) {
	ctx := t.Context()
	old := insert(t, s, deletedUser("ann"))
	putCredential(t, s, credential(old, 0, "of the deleted one"))
	ann := insert(t, s, user("ann"))
	putCredential(t, s, credential(ann, 1, "in a scope"))
	putCredential(t, s, credential(ann, -1, "in another"))
	same(t, "without a password", loginOf(s.LoginByName(ctx, "ann"))(t), login{ann, nil})
	c := putCredential(t, s, credential(ann, 0, "hash"))
	same(t, "with a password", loginOf(s.LoginByName(ctx, "ann"))(t), login{ann, c})

	ben := pendingUser("ben")
	ben.Enabled, ben.Flags = false, roster.FlagBanned|roster.FlagLocked
	insert(t, s, ben)
	plain := credential(ben, 0, "hash of ben")
	plain.MustChange, plain.ExpiresAt = false, time.Time{}
	c = putCredential(t, s, plain)
	same(t, "a user who may not sign in", loginOf(s.LoginByName(ctx, "ben"))(t), login{ben, c})

	gone := insert(t, s, deletedUser("gone"))
	putCredential(t, s, credential(gone, 0, "hash"))
	for _, key := range []string{"gone", "ANN", "an", "", "%"} {
		_, c, err := s.LoginByName(ctx, key)
		noLogin(t, key, c, err)
	}
	ok(t, s.DeleteCredential(ctx, ann.ID, 0))
	same(t, "after the password is gone", loginOf(s.LoginByName(ctx, "ann"))(t), login{ann, nil})
}

func loginByEmail(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben, cat := insert(t, s, user("ann")), insert(t, s, pendingUser("ben")), insert(t, s, deletedUser("cat"))
	c := putCredential(t, s, credential(ben, 0, "hash of ben"))
	putCredential(t, s, credential(ann, 0, "hash of ann"))
	putCredential(t, s, credential(cat, 0, "hash of cat"))
	insertEmail(t, s, pending(ann, "shared"))
	_, none, err := s.LoginByEmail(ctx, "shared")
	noLogin(t, "a pending address", none, err)
	insertEmail(t, s, proven(cat, "cat's"))
	_, none, err = s.LoginByEmail(ctx, "cat's")
	noLogin(t, "a deleted user", none, err)
	insertEmail(t, s, proven(ben, "shared"))
	insertEmail(t, s, proven(ben, "ben's"))
	for _, key := range []string{"shared", "ben's"} {
		same(t, key, loginOf(s.LoginByEmail(ctx, key))(t), login{ben, c})
	}
	for _, key := range []string{"Shared", "Mail@shared", "ben", "%", ""} {
		_, none, err = s.LoginByEmail(ctx, key)
		noLogin(t, key, none, err)
	}

	ok(t, s.ReleaseEmails(ctx, cat.ID, at(0)))
	insertEmail(t, s, proven(ann, "cat's"))
	ok(t, s.DeleteCredential(ctx, ann.ID, 0))
	putCredential(t, s, credential(ann, 3, "in a scope"))
	same(t, "the new owner, without a password", loginOf(s.LoginByEmail(ctx, "cat's"))(t), login{ann, nil})
	ok(t, s.Atomic(ctx, func(ctx context.Context) error {
		ok(t, s.RecordLogin(ctx, ann.ID, at(time.Hour), "::2"))
		ann.LastLoginAt, ann.LastLoginIP = at(time.Hour), "::2"
		same(t, "inside a transaction", loginOf(s.LoginByEmail(ctx, "cat's"))(t), login{ann, nil})
		same(t, "inside a transaction", loginOf(s.LoginByName(ctx, "ben"))(t), login{ben, c})
		return nil
	}))
}
