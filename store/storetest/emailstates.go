package storetest

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var emailStateCases = []testCase{
	{name: "Email/Activate", rule: "ActivateEmail sets ActivatedAt of a pending row and nothing else; any other row is not found.", run: emailActivate},
	{name: "Email/Primary", rule: "ClearPrimary takes the mark off, MarkPrimary puts it on a row of a user without one.", run: emailPrimary},
	{name: "Email/Delete", rule: "DeleteEmails deletes those rows and no others, and counts them.", run: emailDelete},
	{name: "Email/DeleteActivations", rule: "With an address go the activations that were sent to it, and no others.", run: emailDeleteActivations},
	{name: "Email/Release", rule: "ReleaseEmails sets ReleasedAt of all addresses of a user and of nobody else; ReclaimEmails takes it back.", run: emailRelease},
	{name: "Email/ReclaimConflict", rule: "If somebody has activated one address meanwhile, ReclaimEmails takes none back.", run: emailReclaimConflict},
	{name: "Email/DeleteReleased", rule: "DeleteReleased deletes the rows with that key that are activated and released, but for one user's, and no other row.", run: emailDeleteReleased},
	{name: "PruneEmails/Rules", rule: "PruneEmails deletes exactly pending addresses that were created before that time, have no activation, and are not primary or the only one of an activated user.", run: pruneEmailsRules},
	{name: "PruneEmails/Primary", rule: "A pending primary address goes only if its user is activated and has no other.", run: pruneEmailsPrimary},
	{name: "PruneEmails/Limit", rule: "PruneEmails deletes at most limit addresses, those with the lowest IDs first.", run: pruneEmailsLimit},
}

func emailActivate(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	first, second := insertEmail(t, s, primary(ann, "first")), insertEmail(t, s, pending(ann, "second"))
	when := time.Date(2030, 5, 6, 7, 8, 9, 10000, time.FixedZone("", 7200))
	ok(t, s.ActivateEmail(ctx, first.ID, when))
	first.ActivatedAt = when
	same(t, "the addresses", got(s.EmailsOf(ctx, ann.ID))(t), []*roster.UserEmail{first, second})
	same(t, "the user", rowOf(s.UserByID(ctx, ann.ID))(t), ann)
	fails(t, "an activated row", s.ActivateEmail(ctx, first.ID, at(0)), roster.ErrNotFound)
	fails(t, "no row", s.ActivateEmail(ctx, second.ID+1000, at(0)), roster.ErrNotFound)
	fails(t, "row zero", s.ActivateEmail(ctx, 0, at(0)), roster.ErrNotFound)
	same(t, "the addresses", got(s.EmailsOf(ctx, ann.ID))(t), []*roster.UserEmail{first, second})

	ben := insert(t, s, user("ben"))
	rival := insertEmail(t, s, pending(ben, "first"))
	conflicts(t, "another row has activated it", s.ActivateEmail(ctx, rival.ID, at(0)), roster.FieldEmail)
	same(t, "the rival", got(s.EmailsOf(ctx, ben.ID))(t), []*roster.UserEmail{rival})
	same(t, "UserByEmail", rowOf(s.UserByEmail(ctx, "first"))(t), ann)
}

func emailPrimary(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	first, second, bens := insertEmail(t, s, primary(ann, "1")), insertEmail(t, s, proven(ann, "2")), insertEmail(t, s, primary(ben, "3"))
	check := func(what string) {
		t.Helper()
		same(t, what, got(s.EmailsAfter(ctx, 0, 100))(t), []*roster.UserEmail{first, second, bens})
	}
	conflicts(t, "beside another", s.MarkPrimary(ctx, second.ID), roster.FieldPrimary)
	check("after the conflict")
	ok(t, s.MarkPrimary(ctx, first.ID)) // has it already
	check("marked again")
	ok(t, s.ClearPrimary(ctx, ann.ID))
	first.Primary = false
	check("cleared")
	ok(t, s.ClearPrimary(ctx, ann.ID)) // there is none any more
	ok(t, s.ClearPrimary(ctx, ben.ID+1000))
	ok(t, s.MarkPrimary(ctx, second.ID))
	second.Primary = true
	check("moved")
	fails(t, "no row", s.MarkPrimary(ctx, bens.ID+1000), roster.ErrNotFound)
	ok(t, s.ReleaseEmails(ctx, ben.ID, at(0)))
	ok(t, s.ClearPrimary(ctx, ben.ID))
	bens.Primary, bens.ReleasedAt = false, at(0)
	check("cleared on a released row")
	ok(t, s.MarkPrimary(ctx, bens.ID))
	bens.Primary = true
	check("marked a released row")
}

func emailDelete(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	a := insertEmail(t, s, primary(ann, "1"))
	b := insertEmail(t, s, proven(ann, "2"))
	c := insertEmail(t, s, proven(ben, "3"))
	d := insertEmail(t, s, pending(ben, "2"))
	none := d.ID + 1000
	same(t, "nothing", got(s.DeleteEmails(ctx))(t), 0)
	same(t, "no such rows", got(s.DeleteEmails(ctx, none, 0, -1))(t), 0)
	same(t, "one thrice, one not there", got(s.DeleteEmails(ctx, b.ID, none, b.ID, b.ID))(t), 1)
	same(t, "the rest", got(s.EmailsAfter(ctx, 0, 100))(t), []*roster.UserEmail{a, c, d})
	ok(t, s.ActivateEmail(ctx, d.ID, at(0))) // free now
	same(t, "of two users", got(s.DeleteEmails(ctx, d.ID, a.ID))(t), 2)
	same(t, "the rest", got(s.EmailsAfter(ctx, 0, 100))(t), []*roster.UserEmail{c})
	same(t, "again", got(s.DeleteEmails(ctx, d.ID, a.ID))(t), 0)
	insertEmail(t, s, primary(ann, "2"))
	same(t, "the user", rowOf(s.UserByID(ctx, ann.ID))(t), ann)
	many := make([]roster.EmailID, 2000)
	for i := range many {
		many[i] = none + roster.EmailID(i)
	}
	many[1999] = c.ID
	same(t, "of many", got(s.DeleteEmails(ctx, many...))(t), 1)
}

func emailDeleteActivations(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	first, second := insertEmail(t, s, pending(ann, "1")), insertEmail(t, s, pending(ann, "2"))
	insertActivation(t, s, activation(first, "a"))
	stays := insertActivation(t, s, activation(second, "b"))
	insertActivation(t, s, activation(first, "c"))
	same(t, "deleted", got(s.DeleteEmails(ctx, first.ID))(t), 1)
	for _, hash := range []string{"a", "c"} {
		_, err := s.ActivationByHash(ctx, hash)
		fails(t, "an activation of the deleted address", err, roster.ErrNotFound)
		_, err = s.RedeemActivation(ctx, hash, at(0), roster.PurposeActivate)
		fails(t, "an activation of the deleted address", err, roster.ErrNotFound)
		insertActivation(t, s, activation(second, hash)) // the hash is free
	}
	same(t, "another activation", got(s.ActivationByHash(ctx, "b"))(t), stays)
	same(t, "voided", got(s.VoidActivations(ctx, ann.ID, 0))(t), 3)
}

func emailRelease(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	rows := []*roster.UserEmail{
		insertEmail(t, s, primary(ann, "1")), insertEmail(t, s, proven(ann, "2")),
		insertEmail(t, s, primary(ben, "1")), insertEmail(t, s, proven(ben, "3")),
	}
	check := func(what string) {
		t.Helper()
		same(t, what, got(s.EmailsAfter(ctx, 0, 100))(t), rows)
	}
	for _, when := range []time.Time{at(0), at(time.Hour)} {
		ok(t, s.ReleaseEmails(ctx, ann.ID, when))
		rows[0].ReleasedAt, rows[1].ReleasedAt = when, when
		check("released")
	}
	ok(t, s.ReclaimEmails(ctx, ben.ID)) // has none released
	check("those of somebody else reclaimed")
	ok(t, s.ReclaimEmails(ctx, ann.ID))
	rows[0].ReleasedAt, rows[1].ReleasedAt = time.Time{}, time.Time{}
	check("reclaimed")
	ok(t, s.ReclaimEmails(ctx, ann.ID))
	ok(t, s.ReleaseEmails(ctx, ben.ID+1000, at(0)))
	ok(t, s.ReclaimEmails(ctx, ben.ID+1000))
	check("nobody's")
	conflicts(t, "reclaimed, so it counts", s.InsertEmail(ctx, proven(ben, "2")), roster.FieldEmail)
	same(t, "UserByEmail", rowOf(s.UserByEmail(ctx, "2"))(t), ann)
}

func emailReclaimConflict(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, deletedUser("ann")), insert(t, s, user("ben"))
	for _, key := range []string{"1", "2", "3"} {
		insertEmail(t, s, proven(ann, key))
	}
	insertEmail(t, s, pending(ann, "4"))
	ok(t, s.ReleaseEmails(ctx, ann.ID, at(0)))
	rival := insertEmail(t, s, proven(ben, "2"))
	insertEmail(t, s, pending(ben, "1"))
	insertEmail(t, s, proven(ben, "4")) // beside a pending one it is no conflict
	before := got(s.EmailsAfter(ctx, 0, 100))(t)
	conflicts(t, "ReclaimEmails", s.ReclaimEmails(ctx, ann.ID), roster.FieldEmail)
	same(t, "the addresses", got(s.EmailsAfter(ctx, 0, 100))(t), before)
	same(t, "deleted", got(s.DeleteEmails(ctx, rival.ID))(t), 1)
	ok(t, s.ReclaimEmails(ctx, ann.ID))
	for _, e := range got(s.EmailsOf(ctx, ann.ID))(t) {
		if !e.ReleasedAt.IsZero() {
			t.Errorf("the address %s is still released", e.AddressKey)
		}
	}
}

func pruneEmailsRules(t *testing.T, s roster.Store) {
	ctx := t.Context()
	before := at(10 * time.Hour)
	ann, ben := insert(t, s, user("ann")), insert(t, s, pendingUser("ben"))
	add := func(e *roster.UserEmail, created time.Time) *roster.UserEmail {
		e.CreatedAt = created
		return insertEmail(t, s, e)
	}
	stays := []*roster.UserEmail{
		add(pending(ann, "created at that very time"), before),
		add(pending(ann, "created later"), before.Add(time.Hour)),
		add(primary(ann, "primary"), at(0)),
		add(proven(ann, "activated"), at(0)),
		add(primary(ben, "goes for another"), at(0)),
		add(pending(ann, "with a code on its way"), at(0)),
	}
	insertActivation(t, s, activation(stays[5], "on its way"))
	add(pending(ann, "goes"), before.Add(-time.Microsecond))
	add(pending(ann, "goes for another"), at(0))
	add(pending(ben, "goes too"), time.Time{})
	for _, limit := range []int{0, -1} {
		same(t, "none asked for", got(s.PruneEmails(ctx, before, limit))(t), 0)
	}
	same(t, "pruned", got(s.PruneEmails(ctx, before, 100))(t), 3)
	same(t, "pruned again", got(s.PruneEmails(ctx, before, 100))(t), 0)
	same(t, "the rest", got(s.EmailsAfter(ctx, 0, 100))(t), stays)
}

func pruneEmailsPrimary(t *testing.T, s roster.Store) {
	ctx := t.Context()
	before := at(10 * time.Hour)
	deleted := deletedUser("deleted")
	users := map[string]*roster.User{"active": user("active"), "deleted": deleted, "waits": pendingUser("waits"), "later": user("later"), "code": user("code"), "two": user("two")}
	for _, name := range slices.Sorted(maps.Keys(users)) {
		e := primary(insert(t, s, users[name]), name+"@example.org")
		e.CreatedAt = at(0)
		if name == "later" {
			e.CreatedAt = before
		}
		insertEmail(t, s, e)
		if name == "code" {
			insertActivation(t, s, activation(e, "on its way"))
		}
	}
	ok(t, s.ReleaseEmails(ctx, deleted.ID, at(0)))
	second := pending(users["two"], "second@example.org")
	second.CreatedAt = before
	insertEmail(t, s, second)
	left := func() []string {
		var keys []string
		for _, e := range got(s.EmailsAfter(ctx, 0, 100))(t) {
			keys = append(keys, e.AddressKey)
		}
		slices.Sort(keys)
		return keys
	}
	same(t, "pruned", got(s.PruneEmails(ctx, before, 100))(t), 2)
	same(t, "left", left(), []string{"code@example.org", "later@example.org", "second@example.org", "two@example.org", "waits@example.org"})
	same(t, "removed", got(s.DeleteEmails(ctx, second.ID))(t), 1)
	same(t, "pruned", got(s.PruneEmails(ctx, before, 100))(t), 1)
	same(t, "left", left(), []string{"code@example.org", "later@example.org", "waits@example.org"})
}

func emailDeleteReleased(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben, cat, dan := insert(t, s, deletedUser("ann")), insert(t, s, deletedUser("ben")), insert(t, s, deletedUser("cat")), insert(t, s, user("dan"))
	key := proven(ann, "key")
	key.Primary = true
	insertEmail(t, s, key)
	insertActivation(t, s, activation(key, "to a lost address"))
	other, upper := insertEmail(t, s, proven(ann, "key2")), insertEmail(t, s, proven(ann, "KEY"))
	ok(t, s.ReleaseEmails(ctx, ann.ID, at(0)))
	bens := insertEmail(t, s, proven(ben, "key"))
	ok(t, s.ReleaseEmails(ctx, ben.ID, at(0)))
	cats := insertEmail(t, s, pending(cat, "key"))
	ok(t, s.ReleaseEmails(ctx, cat.ID, at(0)))
	dans := insertEmail(t, s, proven(dan, "key"))
	for _, e := range []*roster.UserEmail{key, other, upper, bens, cats} {
		e.ReleasedAt = at(0)
	}
	for _, none := range []string{"none", "ke", "%", ""} {
		same(t, "of another key", got(s.DeleteReleased(ctx, none, dan.ID))(t), 0)
	}
	same(t, "all", got(s.EmailsAfter(ctx, 0, 100))(t), []*roster.UserEmail{key, other, upper, bens, cats, dans})
	same(t, "but for ben's", got(s.DeleteReleased(ctx, "key", ben.ID))(t), 1)
	same(t, "but for ben's", got(s.EmailsAfter(ctx, 0, 100))(t), []*roster.UserEmail{other, upper, bens, cats, dans})
	_, err := s.ActivationByHash(ctx, "to a lost address")
	fails(t, "a code to a lost address", err, roster.ErrNotFound)
	same(t, "but for dan's", got(s.DeleteReleased(ctx, "key", dan.ID))(t), 1)
	same(t, "but for dan's", got(s.EmailsAfter(ctx, 0, 100))(t), []*roster.UserEmail{other, upper, cats, dans})
	ok(t, s.ReclaimEmails(ctx, ann.ID)) // nothing stands in the way now
	same(t, "dan's", rowOf(s.UserByEmail(ctx, "key"))(t), dan)
}

func pruneEmailsLimit(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, pendingUser("ann"))
	var rows []*roster.UserEmail
	for n, key := range []string{"e", "d", "c", "b", "a"} {
		e := pending(ann, key)
		e.CreatedAt = at(-time.Duration(n) * time.Hour)
		rows = append(rows, insertEmail(t, s, e))
	}
	rows = append(rows, insertEmail(t, s, primary(ann, "stays")))
	for _, n := range []int{2, 2, 1, 0} {
		same(t, "pruned", got(s.PruneEmails(ctx, at(10*time.Hour), 2))(t), n)
		rows = rows[n:]
		same(t, "left, without the lowest", got(s.EmailsOf(ctx, ann.ID))(t), rows)
	}
	insertEmail(t, s, pending(ann, "a")) // free again
}
