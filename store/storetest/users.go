package storetest

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var userCases = []testCase{
	{name: "User/RoundTrip", rule: "A user comes out as it went in, field by field, however it is found.", run: userRoundTrip},
	{name: "User/ZeroFields", rule: "Empty text stays empty, zero times and nil Data stay zero.", run: userZeroFields},
	{name: "User/Times", rule: "Times keep their microseconds and nothing finer, and come out in UTC, whatever zone they went in with.", run: userTimes},
	{name: "User/Text", rule: "Every text comes out byte for byte.", run: userText},
	{name: "User/Data", rule: "The values in Data come out byte for byte.", run: userData},
	{name: "User/Flags", rule: "All 32 bits of the flags are kept.", run: userFlags},
	{name: "User/ID", rule: "The store sets the ID, ascending, and never gives one out again.", run: userID},
	{name: "User/NameConflict", rule: "A name key is unique among users that are not deleted, by its bytes.", run: userNameConflict},
	{name: "User/UUIDConflict", rule: "A UUID is unique among all users.", run: userUUIDConflict},
	{name: "User/Find", rule: "By ID and UUID users are found in whatever state, by name if they are not deleted.", run: userFind},
	{name: "User/FindByEmail", rule: "A user is found by an activated address, if the user is not deleted.", run: userFindByEmail},
	{name: "User/ByIDs", rule: "Of many IDs those users are returned that exist, once and ordered by ID.", run: userByIDs},
	{name: "User/After", rule: "Users are listed by ID in whatever state, with their search text, as many as asked for.", run: userAfter},
	{name: "User/RecordLogin", rule: "RecordLogin writes LastLoginAt and LastLoginIP and nothing else.", run: userRecordLogin},
}

func userRoundTrip(t *testing.T, s roster.Store) {
	ctx := t.Context()
	insert(t, s, user("another"))
	want := insert(t, s, fullUser("ann"))
	filled(t, want, "Row")
	for what, u := range map[string]*roster.User{
		"UserByID":   rowOf(s.UserByID(ctx, want.ID))(t),
		"UserByUUID": rowOf(s.UserByUUID(ctx, want.UUID))(t),
		"LockUser":   rowOf(s.LockUser(ctx, want.ID))(t),
		"UsersByID":  rowsOf(s.UsersByID(ctx, want.ID))(t)[0],
		"UsersAfter": got(s.UsersAfter(ctx, want.ID-1, 1))(t)[0].User.RosterUser(),
		"UserPage":   rowsOf(s.UserPage(ctx, roster.UserQuery{State: roster.StateDeleted, Limit: 1}))(t)[0],
	} {
		same(t, what, u, want)
	}

	live := fullUser("ben")
	live.DeletedAt = time.Time{}
	insert(t, s, live)
	insertEmail(t, s, proven(live, "ben@example.org"))
	byName, c, err := s.LoginByName(ctx, "ben")
	same(t, "LoginByName", rowOf(byName, err)(t), live)
	byEmail, c2, err := s.LoginByEmail(ctx, "ben@example.org")
	same(t, "LoginByEmail", rowOf(byEmail, err)(t), live)
	if c != nil || c2 != nil {
		t.Error("a credential that was never written")
	}
	same(t, "UserByName", rowOf(s.UserByName(ctx, "ben"))(t), live)
	same(t, "UserByEmail", rowOf(s.UserByEmail(ctx, "ben@example.org"))(t), live)
}

func userZeroFields(t *testing.T, s roster.Store) {
	want := &roster.User{UUID: newUUID(), NameKey: "zero"}
	ok(t, s.InsertUser(t.Context(), want, ""))
	same(t, "inserted", rowOf(s.UserByID(t.Context(), want.ID))(t), want)
}

func userTimes(t *testing.T, s roster.Store) {
	kathmandu := time.FixedZone("Kathmandu", 5*3600+45*60)
	for _, want := range []time.Time{
		start, start.Add(time.Microsecond), start.Truncate(time.Second), start.In(kathmandu),
		time.Date(2024, 12, 31, 23, 59, 59, 999999000, time.UTC), time.Date(2025, 1, 1, 3, 0, 0, 1000, kathmandu),
		time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC), time.Date(1890, 1, 1, 0, 0, 0, 100000000, time.UTC),
		time.Date(2500, 7, 1, 12, 30, 0, 120000000, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
	} {
		u := deletedUser("times")
		for _, f := range []*time.Time{
			&u.ActivatedAt, &u.DeletedAt, &u.LastLoginAt, &u.PasswordChangedAt, &u.AuthChangedAt, &u.CreatedAt, &u.UpdatedAt,
		} {
			*f = want
		}
		insert(t, s, u)
		same(t, want.String(), rowOf(s.UserByID(t.Context(), u.ID))(t), u)
		ok(t, s.RecordLogin(t.Context(), u.ID, want.Add(time.Microsecond), "::1"))
		u.LastLoginAt, u.LastLoginIP = want.Add(time.Microsecond), "::1"
		same(t, "RecordLogin at "+want.String(), rowOf(s.UserByID(t.Context(), u.ID))(t), u)
	}
	u := user("fine")
	for _, want := range []time.Time{start, time.Date(1969, 12, 31, 23, 59, 59, 999998000, time.UTC)} {
		u.LastLoginAt, u.CreatedAt = want.Add(999), want.Add(501) // nanoseconds
		insert(t, s, u)
		u.LastLoginAt, u.CreatedAt = want, want
		same(t, "what is finer than a microsecond", rowOf(s.UserByID(t.Context(), u.ID))(t), u)
		ok(t, s.PurgeUser(t.Context(), u.ID))
	}
}

func userText(t *testing.T, s roster.Store) {
	for i, text := range nasty {
		u := user(text)
		if len(text) > 1000 {
			u.NameKey = "long" // keys are in indexes, which have limits
		}
		u.Name, u.RealName, u.Locale, u.Timezone = text, text, text, text
		u.DirectoryDN, u.DirectoryID, u.LastLoginIP = text, text, text
		ok(t, s.InsertUser(t.Context(), u, text))
		same(t, "inserted", rowOf(s.UserByName(t.Context(), u.NameKey))(t), u)
		stored := got(s.UsersAfter(t.Context(), u.ID-1, 1))(t)
		if len(stored) != 1 || stored[0].Search != text {
			t.Errorf("the search text %q did not come out as it went in", text)
		}

		next := nasty[(i+1)%len(nasty)]
		u.Name, u.RealName, u.Locale, u.Timezone = next, next, next, next
		u.DirectoryDN, u.DirectoryID = next, next
		ok(t, s.UpdateUser(t.Context(), u, next))
		ok(t, s.RecordLogin(t.Context(), u.ID, u.LastLoginAt, next))
		u.LastLoginIP = next
		same(t, "updated", rowOf(s.UserByID(t.Context(), u.ID))(t), u)
	}
}

func userData(t *testing.T, s roster.Store) {
	data := roster.Data{"big": json.RawMessage(`"` + strings.Repeat("x", 60<<10) + `"`)}
	for i, raw := range []string{
		`null`, `true`, `""`, `[]`, `{}`, `0`, `-0`, `1.0`, `1.50`, `1e400`, `1E+2`, `12345678901234567890`, `0.1000000000000000055511151231257827`,
		`"<&>"`, "\"\u2028\u2029\"", `"\u003c\u2028\u00e9\/\"\\\b\f\n\r\t"`, `"é e` + "\u0301" + ` 😀 𠀀"`, `"\ud83d\ude00"`,
		`{"z":1,"a":2,"m":{"b":[1,2,{"c":null}],"a":""}}`, `[[[[[[[[1]]]]]]]]`, `"it's $1 ? :a -- \\"`,
	} {
		data[string(rune('a'+i))] = json.RawMessage(raw)
	}
	for _, key := range append(slices.Clone(nasty[:len(nasty)-1]), "", "<&>", "a.b", "$.a", "[0]") {
		data["key "+key] = json.RawMessage(`1`)
		data[key] = json.RawMessage(`"<'>"`)
	}
	u := user("data")
	u.Data = data
	insert(t, s, u)
	same(t, "inserted", rowOf(s.UserByID(t.Context(), u.ID))(t).Data, data)

	u.Data = roster.Data{"<": json.RawMessage(`"&"`)}
	ok(t, s.UpdateUser(t.Context(), u, ""))
	same(t, "updated", rowOf(s.UserByName(t.Context(), "data"))(t).Data, u.Data)
	u.Data = nil
	ok(t, s.UpdateUser(t.Context(), u, ""))
	same(t, "taken away", rowOf(s.UserByName(t.Context(), "data"))(t).Data, u.Data)
}

func userFlags(t *testing.T, s roster.Store) {
	u := insert(t, s, user("flags"))
	for bit := range 33 {
		u.Flags = ^roster.Flags(0)
		if bit < 32 {
			u.Flags = 1 << bit
		}
		ok(t, s.UpdateUser(t.Context(), u, ""))
		same(t, "flags", rowOf(s.UserByID(t.Context(), u.ID))(t).Flags, u.Flags)
	}
}

func userID(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben, cat := user("ann"), user("ben"), user("cat")
	ann.ID, ben.ID = 1<<40, 1<<40 // left over from a try of the transaction before
	insert(t, s, ann)
	insert(t, s, ben)
	insert(t, s, cat)
	if ann.ID <= 0 || ann.ID >= 1<<40 || ben.ID <= ann.ID || cat.ID <= ben.ID {
		t.Errorf("the IDs %d, %d, %d were not set by the store, ascending", ann.ID, ben.ID, cat.ID)
	}
	ok(t, s.PurgeUser(ctx, cat.ID))
	if dan := insert(t, s, user("dan")); dan.ID <= cat.ID {
		t.Errorf("the ID %d is used again after %d was purged", dan.ID, cat.ID)
	}
	_, err := s.UserByID(ctx, cat.ID)
	fails(t, "the purged user", err, roster.ErrNotFound)
}

func userNameConflict(t *testing.T, s roster.Store) {
	ctx := t.Context()
	for i, key := range []string{"ann", "Ann", "ANN", "ann ", " ann", "an\u0301n", "\u00e1nn", "ａnn", "ann\u200b"} {
		insert(t, s, user(key)) // none is the same by its bytes
		taken := user(key)
		conflicts(t, "a taken name", s.InsertUser(ctx, taken, "left behind"), roster.FieldName)
		same(t, "users", got(s.CountUsers(ctx, roster.UserQuery{State: roster.StateLive}))(t), i+1)
		_, err := s.UserByUUID(ctx, taken.UUID)
		fails(t, "the refused user", err, roster.ErrNotFound)
	}
	same(t, "found", got(s.CountUsers(ctx, roster.UserQuery{State: roster.StateLive, Contains: "left behind"}))(t), 0)

	insert(t, s, deletedUser("ann"))
	insert(t, s, deletedUser("ann"))
	ann := rowOf(s.UserByName(ctx, "ann"))(t)
	ann.DeletedAt = at(0)
	ok(t, s.UpdateUser(ctx, ann, ""))
	insert(t, s, user("ann")) // free now
	conflicts(t, "taken again", s.InsertUser(ctx, pendingUser("ann"), ""), roster.FieldName)
}

func userUUIDConflict(t *testing.T, s roster.Store) {
	for _, first := range []*roster.User{insert(t, s, user("ann")), insert(t, s, deletedUser("ben"))} {
		second := user("second")
		second.UUID = first.UUID
		conflicts(t, "a taken UUID", s.InsertUser(t.Context(), second, ""), roster.FieldUUID)
		second.DeletedAt = at(0)
		conflicts(t, "a taken UUID, deleted", s.InsertUser(t.Context(), second, ""), roster.FieldUUID)
	}
	both := user("ann")
	both.UUID = rowOf(s.UserByName(t.Context(), "ann"))(t).UUID
	conflicts(t, "name and UUID taken", s.InsertUser(t.Context(), both, ""), roster.FieldName)
}
