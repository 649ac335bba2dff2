package storetest

import (
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var credentialCases = []testCase{
	{name: "Credential/RoundTrip", rule: "A credential comes out as it went in, field by field.", run: credentialRoundTrip},
	{name: "Credential/Scopes", rule: "The credentials of users and scopes have nothing to do with each other.", run: credentialScopes},
	{name: "Credential/Put", rule: "PutCredential writes the whole row over an older one, and only for a user that exists.", run: credentialPut},
	{name: "Credential/Swap", rule: "SwapCredential replaces the hash, and only the hash, if it still is the old one.", run: credentialSwap},
	{name: "Credential/After", rule: "CredentialsAfter pages through all credentials by user, then scope, of users in whatever state.", run: credentialAfter},
	{name: "Credential/Delete", rule: "DeleteCredential deletes one row, and is content if there is none.", run: credentialDelete},
}

func credentialRoundTrip(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	want := putCredential(t, s, credential(ann, 7, "$argon2id$v=19$m=65536,t=2,p=1$c2FsdA$aGFzaA"))
	filled(t, want)
	same(t, "Credential", got(s.Credential(ctx, ann.ID, 7))(t), want)
	for i, text := range nasty {
		c := credential(ann, roster.ScopeID(i+100), text)
		c.CreatedAt = at(time.Duration(i) * time.Microsecond).In(time.FixedZone("", -11*3600))
		c.MustChange, c.ExpiresAt = i%2 == 0, at(time.Duration(-i)*time.Microsecond).In(time.FixedZone("", 9*3600))
		if i == 0 {
			c.CreatedAt = time.Time{}
		}
		if i%3 == 0 {
			c.ExpiresAt = time.Time{}
		}
		putCredential(t, s, c)
		read := got(s.Credential(ctx, ann.ID, c.ScopeID))(t)
		same(t, "Credential", read, c)
		same(t, "the text", read.Hash.Reveal(), text)
	}
}

func credentialScopes(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, deletedUser("ben"))
	scopes := []roster.ScopeID{0, 1, 2, -1, 1<<63 - 1, -1 << 63}
	for i, scope := range scopes {
		_, err := s.Credential(ctx, ann.ID, scope)
		fails(t, "a scope without", err, roster.ErrNotFound)
		fails(t, "a scope without", s.SwapCredential(ctx, ann.ID, scope, roster.NewSecret("old"), roster.NewSecret("new")), roster.ErrStale)
		putCredential(t, s, credential(ann, scope, string(rune('a'+i))))
	}
	for i, scope := range scopes {
		same(t, "each scope", got(s.Credential(ctx, ann.ID, scope))(t), credential(ann, scope, string(rune('a'+i))))
		_, err := s.Credential(ctx, ben.ID, scope)
		fails(t, "another user", err, roster.ErrNotFound)
	}
	putCredential(t, s, credential(ben, 1, "ben's"))
	ok(t, s.DeleteCredential(ctx, ann.ID, 1))
	same(t, "another user's", got(s.Credential(ctx, ben.ID, 1))(t), credential(ben, 1, "ben's"))
	same(t, "another scope's", got(s.Credential(ctx, ann.ID, 0))(t), credential(ann, 0, "a"))
	_, err := s.Credential(ctx, ann.ID, 1)
	fails(t, "deleted", err, roster.ErrNotFound)
}

func credentialPut(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	putCredential(t, s, credential(ann, 0, "first"))
	putCredential(t, s, credential(ann, 1, "another scope"))
	over := credential(ann, 0, "second")
	over.CreatedAt, over.MustChange, over.ExpiresAt = at(500*time.Hour), false, time.Time{}
	putCredential(t, s, over)
	same(t, "the row", got(s.Credential(ctx, ann.ID, 0))(t), over)
	putCredential(t, s, credential(ann, 0, "third"))
	same(t, "the row", got(s.Credential(ctx, ann.ID, 0))(t), credential(ann, 0, "third"))
	same(t, "another scope", got(s.Credential(ctx, ann.ID, 1))(t), credential(ann, 1, "another scope"))
	ghost := &roster.User{ID: ann.ID + 1000}
	conflicts(t, "nobody", s.PutCredential(ctx, credential(ghost, 0, "hash")), roster.FieldUser)
	_, err := s.Credential(ctx, ghost.ID, 0)
	fails(t, "of nobody", err, roster.ErrNotFound)
}

func credentialSwap(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	want := putCredential(t, s, credential(ann, 0, "Old $1 'hash'"))
	others := []*roster.Credential{
		putCredential(t, s, credential(ann, 1, "Old $1 'hash'")), putCredential(t, s, credential(ben, 0, "Old $1 'hash'")),
	}
	swap := func(u *roster.User, scope roster.ScopeID, old, hash string) error {
		return s.SwapCredential(ctx, u.ID, scope, roster.NewSecret(old), roster.NewSecret(hash))
	}
	for _, old := range []string{"", "old $1 'hash'", "Old $1 'hash' ", "new", "%"} {
		fails(t, "not the old hash", swap(ann, 0, old, "new"), roster.ErrStale)
	}
	fails(t, "no such row", swap(ann, 2, "Old $1 'hash'", "new"), roster.ErrStale)
	fails(t, "no such user", swap(&roster.User{ID: ben.ID + 1000}, 0, "Old $1 'hash'", "new"), roster.ErrStale)
	same(t, "the row", got(s.Credential(ctx, ann.ID, 0))(t), want)

	ok(t, swap(ann, 0, "Old $1 'hash'", "new $2 'hash'"))
	want.Hash = roster.NewSecret("new $2 'hash'") // and no other time
	same(t, "the row", got(s.Credential(ctx, ann.ID, 0))(t), want)
	for _, c := range others {
		same(t, "another row", got(s.Credential(ctx, c.UserID, c.ScopeID))(t), c)
	}
	fails(t, "swapped again", swap(ann, 0, "Old $1 'hash'", "third"), roster.ErrStale)
	ok(t, s.DeleteCredential(ctx, ann.ID, 0))
	fails(t, "gone", swap(ann, 0, "new $2 'hash'", "third"), roster.ErrStale)
	_, err := s.Credential(ctx, ann.ID, 0)
	fails(t, "still gone", err, roster.ErrNotFound)
}

func credentialAfter(t *testing.T, s roster.Store) {
	ctx := t.Context()
	same(t, "nothing there", len(got(s.CredentialsAfter(ctx, 0, 0, 10))(t)), 0)
	ann, ben, cat := insert(t, s, user("ann")), insert(t, s, deletedUser("ben")), insert(t, s, user("cat"))
	var want []*roster.Credential
	for _, u := range []*roster.User{ann, ben, cat} {
		for _, scope := range []roster.ScopeID{-1 << 63, -1, 0, 1, 256, 1<<63 - 1} {
			c := credential(u, scope, "hash of "+u.Name)
			c.MustChange, c.ExpiresAt = scope == 1, at(time.Hour)
			want = append(want, c)
		}
	}
	for i := range want { // not in order
		putCredential(t, s, want[(i*7+3)%len(want)])
	}
	same(t, "all", got(s.CredentialsAfter(ctx, 0, 0, 100))(t), want)
	same(t, "as many as there are", got(s.CredentialsAfter(ctx, 0, 1<<62, len(want)))(t), want)
	for i, c := range want {
		rest := want[i+1:]
		same(t, "the next two", got(s.CredentialsAfter(ctx, c.UserID, c.ScopeID, 2))(t), rest[:min(2, len(rest))])
	}
	same(t, "after a row that is not there", got(s.CredentialsAfter(ctx, ben.ID, 7, 2))(t), want[10:12])
	same(t, "none asked for", len(got(s.CredentialsAfter(ctx, 0, 0, 0))(t)), 0)
	same(t, "fewer than none", len(got(s.CredentialsAfter(ctx, 0, 0, -1))(t)), 0)
	ok(t, s.DeleteCredential(ctx, ben.ID, -1))
	same(t, "after a deleted one", got(s.CredentialsAfter(ctx, ben.ID, -1, 1))(t), want[8:9])
}

func credentialDelete(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	ok(t, s.DeleteCredential(ctx, ann.ID, 0))
	ok(t, s.DeleteCredential(ctx, ann.ID+1000, 0))
	putCredential(t, s, credential(ann, 0, "first"))
	putCredential(t, s, credential(ann, 1, "second"))
	ok(t, s.DeleteCredential(ctx, ann.ID, 0))
	_, err := s.Credential(ctx, ann.ID, 0)
	fails(t, "deleted", err, roster.ErrNotFound)
	same(t, "another scope", got(s.Credential(ctx, ann.ID, 1))(t), credential(ann, 1, "second"))
	ok(t, s.DeleteCredential(ctx, ann.ID, 0))
	same(t, "the user", rowOf(s.UserByID(ctx, ann.ID))(t), ann)
	putCredential(t, s, credential(ann, 0, "third"))
}
