package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

func userFind(t *testing.T, s roster.Store) {
	ctx := t.Context()
	old1, live, old2 := insert(t, s, deletedUser("ann")), insert(t, s, pendingUser("ann")), insert(t, s, deletedUser("ann"))
	gone := insert(t, s, deletedUser("gone"))
	disabled := user("off")
	disabled.Enabled, disabled.Flags = false, roster.FlagBanned|roster.FlagInvisible
	insert(t, s, disabled)
	for _, u := range []*roster.User{old1, live, old2, gone, disabled} {
		same(t, "UserByID", rowOf(s.UserByID(ctx, u.ID))(t), u)
		same(t, "UserByUUID", rowOf(s.UserByUUID(ctx, u.UUID))(t), u)
		same(t, "LockUser", rowOf(s.LockUser(ctx, u.ID))(t), u)
	}
	same(t, "UserByName", rowOf(s.UserByName(ctx, "ann"))(t), live)
	same(t, "UserByName of a disabled user", rowOf(s.UserByName(ctx, "off"))(t), disabled)
	for _, key := range []string{"gone", "Ann", "ANN", "an", "ann ", "%", "a_n", "", "a\u0301nn"} {
		_, err := s.UserByName(ctx, key)
		fails(t, "UserByName "+key, err, roster.ErrNotFound)
	}
	for _, id := range []roster.UserID{0, -1, gone.ID + 1000, 1<<63 - 1} {
		_, err := s.UserByID(ctx, id)
		fails(t, "UserByID", err, roster.ErrNotFound)
		_, err = s.LockUser(ctx, id)
		fails(t, "LockUser", err, roster.ErrNotFound)
	}
	_, err := s.UserByUUID(ctx, newUUID())
	fails(t, "UserByUUID", err, roster.ErrNotFound)
	_, err = s.UserByUUID(ctx, [16]byte{})
	fails(t, "UserByUUID of the zero UUID", err, roster.ErrNotFound)
}

func userFindByEmail(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben, gone := insert(t, s, pendingUser("ann")), insert(t, s, user("ben")), insert(t, s, deletedUser("gone"))
	insertEmail(t, s, pending(ben, "shared@example.org"))
	insertEmail(t, s, pending(ann, "pending@example.org"))
	insertEmail(t, s, proven(gone, "gone@example.org"))
	_, err := s.UserByEmail(ctx, "shared@example.org")
	fails(t, "a pending address", err, roster.ErrNotFound)
	insertEmail(t, s, proven(ann, "shared@example.org"))
	insertEmail(t, s, proven(ann, "second@example.org"))
	same(t, "UserByEmail", rowOf(s.UserByEmail(ctx, "shared@example.org"))(t), ann)
	same(t, "UserByEmail", rowOf(s.UserByEmail(ctx, "second@example.org"))(t), ann)
	for _, key := range []string{
		"pending@example.org", "gone@example.org", "Shared@example.org", "Mail@shared@example.org", "nobody@example.org", "%", "",
	} {
		_, err := s.UserByEmail(ctx, key)
		fails(t, "UserByEmail "+key, err, roster.ErrNotFound)
	}

	ok(t, s.ReleaseEmails(ctx, gone.ID, at(time.Hour)))
	insertEmail(t, s, proven(ben, "gone@example.org"))
	same(t, "the new owner of a released address", rowOf(s.UserByEmail(ctx, "gone@example.org"))(t), ben)

	ok(t, s.ReleaseEmails(ctx, ann.ID, at(time.Hour))) // hers no more, though she is not deleted
	for _, key := range []string{"shared@example.org", "second@example.org"} {
		_, err := s.UserByEmail(ctx, key)
		fails(t, "UserByEmail of a released address", err, roster.ErrNotFound)
		_, _, err = s.LoginByEmail(ctx, key)
		fails(t, "LoginByEmail of a released address", err, roster.ErrNotFound)
	}
	insertEmail(t, s, proven(ben, "second@example.org"))
	same(t, "the new owner of a released address", rowOf(s.UserByEmail(ctx, "second@example.org"))(t), ben)
	login, _, err := s.LoginByEmail(ctx, "second@example.org")
	same(t, "the new owner of a released address", rowOf(login, err)(t), ben)
}

func userByIDs(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben, cat := insert(t, s, user("c")), insert(t, s, deletedUser("b")), insert(t, s, pendingUser("a"))
	none := cat.ID + 1000
	same(t, "in any order, some twice, some missing",
		rowsOf(s.UsersByID(ctx, cat.ID, none, ann.ID, cat.ID, 0, ben.ID, ann.ID, -1))(t), []*roster.User{ann, ben, cat})
	same(t, "none of the IDs", rowsOf(s.UsersByID(ctx, none, none+1))(t), []*roster.User{})
	same(t, "no IDs", rowsOf(s.UsersByID(ctx))(t), []*roster.User{})

	many := make([]roster.UserID, 70_000) // more than the parameters of any statement
	for i := range many {
		many[i] = none + roster.UserID(i)
	}
	many[65_600], many[33_000] = ann.ID, ben.ID
	same(t, "many IDs", rowsOf(s.UsersByID(ctx, many...))(t), []*roster.User{ann, ben})
}

func userAfter(t *testing.T, s roster.Store) {
	ctx := t.Context()
	var want []roster.StoredUser
	for _, u := range []*roster.User{user("d"), deletedUser("c"), pendingUser("b"), fullUser("a"), user("e")} {
		text := "Search Text of " + u.NameKey
		ok(t, s.InsertUser(ctx, u, text))
		want = append(want, roster.StoredUser{User: u, Search: text})
	}
	ok(t, s.UpdateUser(ctx, want[1].User, "another text"))
	want[1].Search = "another text"

	check := func(what string, after roster.UserID, limit int, want []roster.StoredUser) {
		t.Helper()
		var users, wantUsers []*roster.User
		var texts, wantTexts []string
		for _, u := range got(s.UsersAfter(ctx, after, limit))(t) {
			users, texts = append(users, u.User.RosterUser()), append(texts, u.Search)
		}
		for _, u := range want {
			wantUsers, wantTexts = append(wantUsers, u.User.RosterUser()), append(wantTexts, u.Search)
		}
		same(t, what, users, wantUsers)
		same(t, what, texts, wantTexts)
	}
	third := want[2].User.RosterUser().ID
	check("all", 0, 100, want)
	check("as many as there are", 0, 5, want)
	check("the first two", 0, 2, want[:2])
	check("after the third", third, 100, want[3:])
	check("one after the third", third, 1, want[3:4])
	check("after the last", want[4].User.RosterUser().ID, 100, nil)
	check("none asked for", 0, 0, nil)
	check("fewer than none", 0, -1, nil)
	ok(t, s.PurgeUser(ctx, third))
	check("after a purged user", third, 100, want[3:])
	check("all but the purged", 0, 100, slices.Delete(slices.Clone(want), 2, 3))
}

func userRecordLogin(t *testing.T, s roster.Store) {
	ctx := t.Context()
	other := insert(t, s, user("other"))
	for _, u := range []*roster.User{insert(t, s, fullUser("deleted")), insert(t, s, user("ann")), insert(t, s, pendingUser("new"))} {
		ok(t, s.RecordLogin(ctx, u.ID, at(100*time.Hour), "192.0.2.7"))
		u.LastLoginAt, u.LastLoginIP = at(100*time.Hour), "192.0.2.7"
		same(t, "recorded", rowOf(s.UserByID(ctx, u.ID))(t), u)
		ok(t, s.UpdateUser(ctx, u, "")) // the version is still good
		ok(t, s.RecordLogin(ctx, u.ID, time.Time{}, ""))
		u.LastLoginAt, u.LastLoginIP = time.Time{}, ""
		same(t, "taken back", rowOf(s.UserByID(ctx, u.ID))(t), u)
	}
	same(t, "another user", rowOf(s.UserByID(ctx, other.ID))(t), other)
	fails(t, "no such user", s.RecordLogin(ctx, other.ID+1000, at(0), ""), roster.ErrNotFound)
}
