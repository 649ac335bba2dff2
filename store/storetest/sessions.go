package storetest

import (
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var sessionCases = []testCase{
	{name: "Session/RoundTrip", rule: "A session comes out as it went in, field by field, with its user in whatever state.", run: sessionRoundTrip},
	{name: "Session/Conflict", rule: "A taken hash, or ID of the user, is a conflict of the ID, else a user who is missing one of the user.", run: sessionConflict},
	{name: "Session/Update", rule: "UpdateSession moves a session to another hash and writes what may change, of this one session.", run: sessionUpdate},
	{name: "Session/See", rule: "SeeSession sets the time, and only the time, if it was at or before the other one, and is content without a row.", run: sessionSee},
	{name: "Session/List", rule: "SessionsOf returns the newest sessions of one user, the newest first, of equal ones that with the greater ID.", run: sessionList},
	{name: "Session/Delete", rule: "DeleteSession deletes the session of that user and with that ID, DropSession the one with the hash.", run: sessionDelete},
	{name: "Session/DeleteAll", rule: "DeleteSessions deletes exactly the sessions of a user but one, and those in which the user acts as another.", run: sessionDeleteAll},
	{name: "PruneSessions", rule: "PruneSessions deletes at most limit rows that expired at or before now, the earliest first.", run: pruneSessions},
}

// signedIn is a session with its user.
type signedIn struct {
	Session *roster.Session
	User    *roster.User
}

func sessionOf(one *roster.Session, m roster.Model, err error) func(testing.TB) signedIn {
	return func(t testing.TB) signedIn {
		t.Helper()
		return signedIn{one, rowOf(m, err)(t)}
	}
}

// noSession wants that there is none with the hash.
func noSession(t testing.TB, s roster.Store, hash string) {
	t.Helper()
	one, m, err := s.SessionByHash(t.Context(), roster.NewSecret(hash))
	fails(t, "no session "+hash, err, roster.ErrNotFound)
	if one != nil || m != nil {
		t.Errorf("%s: something beside the error", hash)
	}
}

func sessionRoundTrip(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, fullUser("ben"))
	want := insertSession(t, s, acting(ben, ann, 1, "token"))
	filled(t, want, "User", "Impersonator")
	for range 2 {
		same(t, "SessionByHash", sessionOf(s.SessionByHash(ctx, want.Hash))(t), signedIn{want, ben})
	}
	same(t, "the hash", got(s.SessionsOf(ctx, ben.ID, 1))(t)[0].Hash.Reveal(), "token")
	bare := &roster.Session{ID: sessionID(2), Hash: roster.NewSecret("bare"), UserID: ann.ID}
	insertSession(t, s, bare)
	same(t, "without anything", sessionOf(s.SessionByHash(ctx, bare.Hash))(t), signedIn{bare, ann})

	zone := time.FixedZone("somewhere", 9*3600)
	for i, text := range nasty {
		one := session(ann, byte(i+10), "nasty")
		one.Addr, one.UserAgent, one.TLS = text, text, false
		one.AuthChangedAt = at(time.Duration(i) * time.Microsecond).In(zone)
		one.CreatedAt, one.LastSeenAt = one.AuthChangedAt, one.AuthChangedAt.Add(time.Microsecond)
		one.AuthenticatedAt, one.ExpiresAt = one.AuthChangedAt.Add(-time.Microsecond), one.AuthChangedAt.Add(2*time.Microsecond)
		if len(text) < 1000 {
			one.Hash = roster.NewSecret(text)
		}
		insertSession(t, s, one)
		same(t, "SessionByHash", sessionOf(s.SessionByHash(ctx, one.Hash))(t), signedIn{one, ann})
		ok(t, s.DropSession(ctx, one.Hash))
	}
	for _, hash := range []string{"none", "", "%", "Token", "token "} {
		noSession(t, s, hash)
	}
	stored := session(ann, 3, "with users")
	stored.User, stored.Impersonator = ann, ben
	insertSession(t, s, stored)
	if one := got(s.SessionsOf(ctx, ann.ID, 9))(t)[0]; one.User != nil || one.Impersonator != nil {
		t.Error("the store keeps a user with the session")
	}
}

func sessionConflict(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	ghost := &roster.User{ID: ben.ID + 1000}
	want := insertSession(t, s, session(ann, 1, "token"))
	conflicts(t, "a taken hash", s.InsertSession(ctx, session(ben, 2, "token")), roster.FieldID)
	conflicts(t, "a taken ID", s.InsertSession(ctx, session(ann, 1, "free")), roster.FieldID)
	conflicts(t, "a taken hash and nobody", s.InsertSession(ctx, session(ghost, 1, "token")), roster.FieldID)
	conflicts(t, "nobody", s.InsertSession(ctx, session(ghost, 1, "free")), roster.FieldUser)
	conflicts(t, "nobody acting", s.InsertSession(ctx, acting(ann, ghost, 2, "free")), roster.FieldUser)
	if s.InsertSession(ctx, acting(ann, ann, 2, "free")) == nil {
		t.Error("somebody acts as themselves")
	}
	noSession(t, s, "free")
	same(t, "the first", sessionOf(s.SessionByHash(ctx, want.Hash))(t), signedIn{want, ann})
	insertSession(t, s, session(ben, 1, "Token")) // another by its bytes, and the ID of another user
}

func sessionUpdate(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	want := insertSession(t, s, acting(ann, ben, 1, "token"))
	other := insertSession(t, s, session(ann, 2, "other"))
	next := session(ben, 9, "next") // none of which is written but:
	next.AuthChangedAt, next.CreatedAt = at(900*time.Hour), at(900*time.Hour)
	next.AuthenticatedAt, next.LastSeenAt, next.ExpiresAt = at(11*time.Hour), at(12*time.Hour), at(13*time.Hour)
	next.Addr, next.UserAgent, next.TLS = "192.0.2.9", "Other/2", false
	fails(t, "no such hash", s.UpdateSession(ctx, roster.NewSecret("none"), next), roster.ErrNotFound)
	conflicts(t, "a taken hash", s.UpdateSession(ctx, want.Hash, other), roster.FieldID)
	same(t, "the row", sessionOf(s.SessionByHash(ctx, want.Hash))(t), signedIn{want, ann})

	ok(t, s.UpdateSession(ctx, want.Hash, next))
	noSession(t, s, "token")
	want.Hash, want.AuthenticatedAt, want.LastSeenAt, want.ExpiresAt = next.Hash, next.AuthenticatedAt, next.LastSeenAt, next.ExpiresAt
	want.Addr, want.UserAgent, want.TLS = next.Addr, next.UserAgent, next.TLS
	same(t, "moved", sessionOf(s.SessionByHash(ctx, next.Hash))(t), signedIn{want, ann})
	same(t, "the list", got(s.SessionsOf(ctx, ann.ID, 9))(t), []*roster.Session{other, want})
	fails(t, "again", s.UpdateSession(ctx, roster.NewSecret("token"), next), roster.ErrNotFound)
	want.UserAgent = "the same hash"
	ok(t, s.UpdateSession(ctx, next.Hash, want))
	same(t, "in its place", sessionOf(s.SessionByHash(ctx, next.Hash))(t), signedIn{want, ann})
	same(t, "the other one", sessionOf(s.SessionByHash(ctx, other.Hash))(t), signedIn{other, ann})
}

func sessionSee(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	want := insertSession(t, s, session(ann, 1, "token"))
	other := insertSession(t, s, session(ann, 2, "other"))
	ok(t, s.SeeSession(ctx, roster.NewSecret("none"), at(100*time.Hour), at(100*time.Hour)))
	ok(t, s.SeeSession(ctx, want.Hash, at(100*time.Hour), want.LastSeenAt.Add(-time.Microsecond)))
	same(t, "seen later than that", sessionOf(s.SessionByHash(ctx, want.Hash))(t), signedIn{want, ann})
	ok(t, s.SeeSession(ctx, want.Hash, at(100*time.Hour), want.LastSeenAt))
	want.LastSeenAt = at(100 * time.Hour)
	same(t, "seen just then", sessionOf(s.SessionByHash(ctx, want.Hash))(t), signedIn{want, ann})
	same(t, "the other one", sessionOf(s.SessionByHash(ctx, other.Hash))(t), signedIn{other, ann})
}

func sessionList(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	insertSession(t, s, acting(ben, ann, 1, "not of ann"))
	var want []*roster.Session
	for i, created := range []time.Duration{9 * time.Hour, 9 * time.Hour, 8 * time.Hour, 2 * time.Microsecond, time.Microsecond, 0, -time.Hour} {
		one := session(ann, byte(200-i), string(rune('a'+(i*5)%7)))
		one.CreatedAt = at(created)
		want = append(want, one)
	}
	for i := range want { // in no order
		insertSession(t, s, want[(i*3)%len(want)])
	}
	for limit := range len(want) + 2 {
		same(t, "the newest", got(s.SessionsOf(ctx, ann.ID, limit))(t), want[:min(limit, len(want))])
	}
	for _, limit := range []int{0, -1} {
		same(t, "none asked for", got(s.SessionsOf(ctx, ann.ID, limit))(t), []*roster.Session{})
	}
	same(t, "nobody", got(s.SessionsOf(ctx, ben.ID+1000, 9))(t), []*roster.Session{})
}

func sessionDelete(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	first, second := insertSession(t, s, acting(ann, ben, 1, "first")), insertSession(t, s, session(ann, 2, "second"))
	bens := insertSession(t, s, session(ben, 1, "ben's"))
	fails(t, "another user's", s.DeleteSession(ctx, ben.ID, second.ID), roster.ErrNotFound)
	fails(t, "no ID", s.DeleteSession(ctx, ann.ID, sessionID(3)), roster.ErrNotFound)
	fails(t, "nobody", s.DeleteSession(ctx, ben.ID+1000, first.ID), roster.ErrNotFound)
	ok(t, s.DropSession(ctx, roster.NewSecret("First")))
	ok(t, s.DeleteSession(ctx, ann.ID, first.ID))
	noSession(t, s, "first")
	fails(t, "again", s.DeleteSession(ctx, ann.ID, first.ID), roster.ErrNotFound)
	same(t, "the same ID of another", sessionOf(s.SessionByHash(ctx, bens.Hash))(t), signedIn{bens, ben})
	for range 2 {
		ok(t, s.DropSession(ctx, second.Hash))
		noSession(t, s, "second")
	}
	same(t, "left of ann's", got(s.SessionsOf(ctx, ann.ID, 9))(t), []*roster.Session{})
	same(t, "left of ben's", got(s.SessionsOf(ctx, ben.ID, 9))(t), []*roster.Session{bens})
	insertSession(t, s, first) // hash and ID are free
}

func sessionDeleteAll(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben, cat := insert(t, s, user("ann")), insert(t, s, user("ben")), insert(t, s, user("cat"))
	all := []*roster.Session{
		session(ann, 1, "ann 1"), session(ann, 2, "ann 2"), acting(ann, ben, 3, "ben as ann"),
		session(ben, 1, "ben 1"), acting(ben, ann, 2, "ann as ben"), acting(cat, ann, 1, "ann as cat"), acting(cat, ben, 2, "ben as cat"),
	}
	for _, c := range []struct {
		user roster.UserID
		but  [16]byte
		left []string
	}{
		{ann.ID, sessionID(1), []string{"ann 1", "ben 1", "ben as cat"}},
		{ann.ID, [16]byte{}, []string{"ben 1", "ben as cat"}},
		{ann.ID, sessionID(9), []string{"ben 1", "ben as cat"}},
		{ben.ID, sessionID(2), []string{"ann 1", "ann 2", "ann as ben", "ann as cat"}},
		{cat.ID, [16]byte{}, []string{"ann 1", "ann 2", "ben as ann", "ben 1", "ann as ben"}},
		{cat.ID + 1000, [16]byte{}, []string{"ann 1", "ann 2", "ben as ann", "ben 1", "ann as ben", "ann as cat", "ben as cat"}},
	} {
		for _, one := range all {
			ok(t, s.DropSession(ctx, one.Hash))
			insertSession(t, s, one)
		}
		same(t, "deleted", got(s.DeleteSessions(ctx, c.user, c.but))(t), len(all)-len(c.left))
		var left []string
		for _, one := range all {
			if _, _, err := s.SessionByHash(ctx, one.Hash); err == nil {
				left = append(left, one.Hash.Reveal())
			}
		}
		same(t, "left", left, c.left)
		same(t, "deleted again", got(s.DeleteSessions(ctx, c.user, c.but))(t), 0)
	}
}

func pruneSessions(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	now := at(10 * time.Hour)
	for hash, expires := range map[string]time.Time{
		"a now": now, "b before": now.Add(-time.Microsecond), "c long ago": at(-1000 * time.Hour), "d never": {},
		"e after": now.Add(time.Microsecond), "f much later": at(1000 * time.Hour),
	} {
		one := session(ann, hash[0], hash)
		one.ExpiresAt = expires
		insertSession(t, s, one)
	}
	for _, limit := range []int{0, -1} {
		same(t, "none asked for", got(s.PruneSessions(ctx, now, limit))(t), 0)
	}
	left := []string{"d never", "c long ago", "b before", "a now", "e after", "f much later"} // in the order of their times
	for _, n := range []int{3, 1, 0} {
		same(t, "pruned", got(s.PruneSessions(ctx, now, 3))(t), n)
		for _, hash := range left[:n] {
			noSession(t, s, hash)
		}
		left = left[n:]
		for _, hash := range left {
			same(t, hash, sessionOf(s.SessionByHash(ctx, roster.NewSecret(hash)))(t).Session.Hash.Reveal(), hash)
		}
	}
	same(t, "all of them", got(s.PruneSessions(ctx, at(10_000*time.Hour), 100))(t), 2)
}
