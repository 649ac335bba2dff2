package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var emailCases = []testCase{
	{name: "Email/RoundTrip", rule: "An address comes out as it went in, field by field, however it is found.", run: emailRoundTrip},
	{name: "Email/Text", rule: "Addresses and their keys come out byte for byte, and are told apart by their bytes.", run: emailText},
	{name: "Email/ID", rule: "The store sets the ID, ascending, and never gives one out again.", run: emailID},
	{name: "Email/OwnTwice", rule: "A user has an address once, whatever state it is in.", run: emailOwnTwice},
	{name: "Email/ActivatedOnce", rule: "Any number may claim a pending address, but only one row that is not released may be activated.", run: emailActivatedOnce},
	{name: "Email/PrimaryOnce", rule: "A user has one primary address at most.", run: emailPrimaryOnce},
	{name: "Email/ConflictOrder", rule: "Of several conflicts InsertEmail reports the address first, then the mark, then the user.", run: emailConflictOrder},
	{name: "Email/Lists", rule: "Addresses are listed by ID: those that exist, once, and those of the users that were asked for.", run: emailLists},
	{name: "Email/ByKey", rule: "EmailsByKey and LockEmails return every claim on an address that is not released.", run: emailByKey},
	{name: "Email/Activated", rule: "ActivatedEmails returns the rows with these keys that are activated and not released, by ID.", run: emailActivated},
	{name: "Email/After", rule: "Addresses are listed by ID in whatever state, as many as asked for.", run: emailAfter},
}

func emailRoundTrip(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	want := proven(ann, "ann@example.org")
	want.Address, want.Primary, want.ReleasedAt = "Ann@Example.ORG", true, at(5*time.Hour)
	insertEmail(t, s, want)
	filled(t, want)
	zone := time.FixedZone("somewhere", -3*3600-1800)
	least := &roster.UserEmail{UserID: ann.ID, Address: "x", AddressKey: "y"}
	other := pending(ann, "other@example.org")
	other.CreatedAt, other.ActivatedAt = at(time.Microsecond).In(zone), time.Date(9999, 12, 31, 23, 59, 59, 999999000, zone)
	other.ReleasedAt = time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC)
	insertEmail(t, s, least)
	insertEmail(t, s, other)
	for what, list := range map[string][]*roster.UserEmail{
		"EmailsByID":  got(s.EmailsByID(ctx, want.ID, least.ID, other.ID))(t),
		"EmailsOf":    got(s.EmailsOf(ctx, ann.ID))(t),
		"EmailsAfter": got(s.EmailsAfter(ctx, 0, 100))(t),
	} {
		same(t, what, list, []*roster.UserEmail{want, least, other})
	}

	ben := insert(t, s, user("ben"))
	full := proven(ben, "ben@example.org")
	full.Primary = true
	insertEmail(t, s, full)
	same(t, "EmailsByKey", got(s.EmailsByKey(ctx, full.AddressKey))(t), []*roster.UserEmail{full})
	same(t, "LockEmails", got(s.LockEmails(ctx, full.AddressKey))(t), []*roster.UserEmail{full})
}

func emailText(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	keys := append(slices.Clone(nasty[:len(nasty)-1]), "ann@x", "Ann@x", "ann@x ", "ANN@X", "e\u0301", "%", "_")
	var want []*roster.UserEmail
	for i, key := range keys {
		e := proven(ann, key)
		e.Address = nasty[i%len(nasty)]
		want = append(want, insertEmail(t, s, e))
	}
	same(t, "all", got(s.EmailsOf(ctx, ann.ID))(t), want)
	for _, e := range want {
		same(t, "by key", got(s.EmailsByKey(ctx, e.AddressKey))(t), []*roster.UserEmail{e})
		same(t, "locked", got(s.LockEmails(ctx, e.AddressKey))(t), []*roster.UserEmail{e})
	}
}

func emailID(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	first, second := pending(ann, "1"), pending(ann, "2")
	first.ID, second.ID = 1<<40, 1<<40 // left over from a try of the transaction before
	insertEmail(t, s, first)
	insertEmail(t, s, second)
	if first.ID <= 0 || second.ID >= 1<<40 || first.ID >= second.ID {
		t.Errorf("the IDs %d and %d were not set by the store, ascending", first.ID, second.ID)
	}
	same(t, "deleted", got(s.DeleteEmails(ctx, second.ID))(t), 1)
	if third := insertEmail(t, s, pending(ann, "3")); third.ID <= second.ID {
		t.Errorf("the ID %d is used again after %d was deleted", third.ID, second.ID)
	}
}

func emailOwnTwice(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	insertEmail(t, s, pending(ann, "pending"))
	insertEmail(t, s, proven(ann, "proven"))
	released := proven(ann, "released")
	released.ReleasedAt = at(time.Hour)
	insertEmail(t, s, released)
	before := got(s.EmailsOf(ctx, ann.ID))(t)
	for _, key := range []string{"pending", "proven", "released"} {
		e := pending(ann, key)
		e.Address = "spelled otherwise"
		conflicts(t, key+" again", s.InsertEmail(ctx, e), roster.FieldEmail)
		conflicts(t, key+" again, proven", s.InsertEmail(ctx, proven(ann, key)), roster.FieldEmail)
		insertEmail(t, s, pending(ben, key)) // somebody else may claim it
	}
	same(t, "the addresses", got(s.EmailsOf(ctx, ann.ID))(t), before)
}

func emailActivatedOnce(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben, cat := insert(t, s, user("ann")), insert(t, s, user("ben")), insert(t, s, user("cat"))
	insertEmail(t, s, pending(ann, "key"))
	bens := insertEmail(t, s, pending(ben, "key"))
	owner := insertEmail(t, s, proven(cat, "key")) // beside any number of claims
	dan := insert(t, s, deletedUser("dan"))
	conflicts(t, "activated by another user", s.InsertEmail(ctx, proven(dan, "key")), roster.FieldEmail)
	conflicts(t, "activating a second", s.ActivateEmail(ctx, bens.ID, at(9*time.Hour)), roster.FieldEmail)
	insertEmail(t, s, pending(dan, "key"))
	insertEmail(t, s, proven(dan, "Key"))

	ok(t, s.ReleaseEmails(ctx, cat.ID, at(8*time.Hour))) // does not count any more
	eve := insert(t, s, user("eve"))
	eves := insertEmail(t, s, proven(eve, "key"))
	conflicts(t, "activating a second", s.ActivateEmail(ctx, bens.ID, at(9*time.Hour)), roster.FieldEmail)
	ok(t, s.ReleaseEmails(ctx, eve.ID, at(8*time.Hour)))
	ok(t, s.ActivateEmail(ctx, bens.ID, at(9*time.Hour)))
	bens.ActivatedAt, owner.ReleasedAt, eves.ReleasedAt = at(9*time.Hour), at(8*time.Hour), at(8*time.Hour)
	same(t, "the rows", got(s.EmailsByID(ctx, bens.ID, owner.ID, eves.ID))(t), []*roster.UserEmail{bens, owner, eves})
}

func emailPrimaryOnce(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	first := insertEmail(t, s, primary(ann, "first"))
	second := proven(ann, "second")
	second.Primary = true
	conflicts(t, "a second mark", s.InsertEmail(ctx, second), roster.FieldPrimary)
	same(t, "the addresses", got(s.EmailsOf(ctx, ann.ID))(t), []*roster.UserEmail{first})
	second.Primary = false
	insertEmail(t, s, second)
	insertEmail(t, s, primary(ben, "first"))
	ok(t, s.ReleaseEmails(ctx, ann.ID, at(0)))
	conflicts(t, "beside a released one", s.InsertEmail(ctx, primary(ann, "third")), roster.FieldPrimary)
}

func emailConflictOrder(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	ghost := &roster.User{ID: ben.ID + 1000}
	insertEmail(t, s, primary(ann, "own"))
	insertEmail(t, s, proven(ben, "taken"))

	conflicts(t, "own address, and a mark", s.InsertEmail(ctx, primary(ann, "own")), roster.FieldEmail)
	marked := proven(ann, "taken")
	marked.Primary = true
	conflicts(t, "taken address, and a mark", s.InsertEmail(ctx, marked), roster.FieldEmail)
	conflicts(t, "taken address, and no user", s.InsertEmail(ctx, proven(ghost, "taken")), roster.FieldEmail)
	conflicts(t, "no user", s.InsertEmail(ctx, pending(ghost, "taken")), roster.FieldUser)
	conflicts(t, "no user", s.InsertEmail(ctx, primary(ghost, "free")), roster.FieldUser)
	conflicts(t, "user zero", s.InsertEmail(ctx, pending(&roster.User{}, "free")), roster.FieldUser)
	same(t, "addresses of nobody", got(s.EmailsOf(ctx, ghost.ID, 0))(t), []*roster.UserEmail{})
	same(t, "addresses", len(got(s.EmailsAfter(ctx, 0, 100))(t)), 2)
}

func emailLists(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben, cat := insert(t, s, user("c")), insert(t, s, deletedUser("b")), insert(t, s, user("a"))
	b1 := insertEmail(t, s, pending(ben, "z"))
	a1 := insertEmail(t, s, proven(ann, "y"))
	a2 := insertEmail(t, s, pending(ann, "x"))
	b2 := insertEmail(t, s, primary(ben, "w"))
	a3 := insertEmail(t, s, primary(ann, "v"))
	ok(t, s.ReleaseEmails(ctx, ben.ID, at(0)))
	b1.ReleasedAt, b2.ReleasedAt = at(0), at(0)
	none := a3.ID + 1000
	type list = []*roster.UserEmail
	same(t, "EmailsByID", got(s.EmailsByID(ctx, a3.ID, none, b1.ID, a3.ID, 0, -1, a1.ID))(t), list{b1, a1, a3})
	same(t, "EmailsByID of none", got(s.EmailsByID(ctx, none))(t), list{})
	same(t, "EmailsByID of nothing", got(s.EmailsByID(ctx))(t), list{})
	same(t, "EmailsOf one", got(s.EmailsOf(ctx, ann.ID))(t), list{a1, a2, a3})
	same(t, "EmailsOf two", got(s.EmailsOf(ctx, ben.ID, ann.ID, ben.ID, cat.ID+1000, 0))(t), list{b1, a1, a2, b2, a3})
	same(t, "EmailsOf one without", got(s.EmailsOf(ctx, cat.ID))(t), list{})
	same(t, "EmailsOf nobody", got(s.EmailsOf(ctx))(t), list{})

	ids, users := make([]roster.EmailID, 2000), make([]roster.UserID, 2000) // more than some statements take
	for i := range ids {
		ids[i], users[i] = none+roster.EmailID(i), cat.ID+roster.UserID(i)
	}
	ids[1500], users[1500] = a1.ID, ben.ID
	same(t, "EmailsByID of many", got(s.EmailsByID(ctx, ids...))(t), list{a1})
	same(t, "EmailsOf many", got(s.EmailsOf(ctx, users...))(t), list{b1, b2})
}

func emailByKey(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben, cat, dan := insert(t, s, user("d")), insert(t, s, user("c")), insert(t, s, deletedUser("b")), insert(t, s, pendingUser("a"))
	first := insertEmail(t, s, pending(ann, "key"))
	insertEmail(t, s, proven(ann, "another key"))
	second := insertEmail(t, s, proven(ben, "key"))
	gone := insertEmail(t, s, pending(cat, "key"))
	third := insertEmail(t, s, primary(dan, "key"))
	ok(t, s.ReleaseEmails(ctx, cat.ID, at(0)))
	for what, list := range map[string]func() ([]*roster.UserEmail, error){
		"EmailsByKey": func() ([]*roster.UserEmail, error) { return s.EmailsByKey(ctx, "key") },
		"LockEmails":  func() ([]*roster.UserEmail, error) { return s.LockEmails(ctx, "key") },
	} {
		same(t, what, got(list())(t), []*roster.UserEmail{first, second, third})
	}
	for _, key := range []string{"KEY", "Mail@key", "ke", "%", "k_y", ""} {
		same(t, "EmailsByKey "+key, got(s.EmailsByKey(ctx, key))(t), []*roster.UserEmail{})
		same(t, "LockEmails "+key, got(s.LockEmails(ctx, key))(t), []*roster.UserEmail{})
	}
	ok(t, s.ReclaimEmails(ctx, cat.ID))
	same(t, "reclaimed", got(s.EmailsByKey(ctx, "key"))(t), []*roster.UserEmail{first, second, gone, third})
}

func emailActivated(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben, cat := insert(t, s, user("b")), insert(t, s, user("a")), insert(t, s, deletedUser("c"))
	insertEmail(t, s, pending(ann, "one"))
	two := insertEmail(t, s, proven(ann, "two"))
	insertEmail(t, s, proven(cat, "released"))
	ok(t, s.ReleaseEmails(ctx, cat.ID, at(0)))
	one := insertEmail(t, s, proven(ben, "one"))
	insertEmail(t, s, pending(ben, "two"))
	insertEmail(t, s, proven(ben, "another"))
	insertEmail(t, s, pending(ben, "pending"))
	same(t, "several", got(s.ActivatedEmails(ctx, "one", "none", "two", "pending", "released", "one", "Two", ""))(t), []*roster.UserEmail{two, one})
	same(t, "one", got(s.ActivatedEmails(ctx, "one"))(t), []*roster.UserEmail{one})
	for _, keys := range [][]string{nil, {"none"}, {"pending"}, {"released"}, {"%"}, {"ONE"}, {"Mail@one"}} {
		same(t, "none", got(s.ActivatedEmails(ctx, keys...))(t), []*roster.UserEmail{})
	}
	ok(t, s.ReclaimEmails(ctx, cat.ID))
	same(t, "reclaimed", len(got(s.ActivatedEmails(ctx, "released"))(t)), 1)
}

func emailAfter(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, deletedUser("ben"))
	want := []*roster.UserEmail{
		insertEmail(t, s, primary(ben, "d")), insertEmail(t, s, proven(ann, "c")),
		insertEmail(t, s, pending(ben, "b")), insertEmail(t, s, pending(ann, "a")),
	}
	ok(t, s.ReleaseEmails(ctx, ben.ID, at(0)))
	want[0].ReleasedAt, want[2].ReleasedAt = at(0), at(0)
	same(t, "all", got(s.EmailsAfter(ctx, 0, 100))(t), want)
	same(t, "as many as there are", got(s.EmailsAfter(ctx, 0, 4))(t), want)
	same(t, "the first two", got(s.EmailsAfter(ctx, 0, 2))(t), want[:2])
	same(t, "the one after the second", got(s.EmailsAfter(ctx, want[1].ID, 1))(t), want[2:3])
	same(t, "after the last", got(s.EmailsAfter(ctx, want[3].ID, 100))(t), want[4:])
	same(t, "none asked for", got(s.EmailsAfter(ctx, 0, 0))(t), want[:0])
	same(t, "fewer than none", got(s.EmailsAfter(ctx, 0, -1))(t), want[:0])
	same(t, "deleted", got(s.DeleteEmails(ctx, want[1].ID))(t), 1)
	same(t, "after a deleted one", got(s.EmailsAfter(ctx, want[1].ID, 1))(t), want[2:3])
}
