package storetest

import (
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var undoCases = []testCase{
	{name: "Undo/RoundTrip", rule: "An undo comes out as it went in, field by field, expired or not, and looking does not redeem it.", run: undoRoundTrip},
	{name: "Undo/Conflict", rule: "A taken hash is a conflict of the ID, a user that is missing one of the user, in this order.", run: undoConflict},
	{name: "Undo/OfUser", rule: "UndosOf returns those of one user, by rank, then by the bytes of the hash.", run: undosOfUser},
	{name: "Undo/Redeem", rule: "RedeemUndo returns an undo once, strictly before it expires, and deletes it and no other.", run: undoRedeem},
	{name: "Undo/Void", rule: "VoidUndos deletes exactly those of the user that have the address key or a higher rank.", run: undoVoid},
	{name: "Undo/Survives", rule: "What becomes of addresses and activations does not touch an undo.", run: undoSurvives},
	{name: "PruneUndos", rule: "PruneUndos deletes at most limit rows that expired at or before now, the earliest first.", run: pruneUndos},
}

func undoRoundTrip(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	want := insertUndo(t, s, undo(ann, "ann@example.org", 7, "hash"))
	filled(t, want)
	for range 2 {
		same(t, "UndoByHash", got(s.UndoByHash(ctx, "hash"))(t), want)
		same(t, "UndosOf", got(s.UndosOf(ctx, ann.ID))(t), []*roster.Undo{want})
	}
	same(t, "RedeemUndo", got(s.RedeemUndo(ctx, "hash", at(0)))(t), want)
	zone := time.FixedZone("somewhere", 9*3600)
	for i, text := range nasty {
		u := undo(ann, "key", int64(-i)<<40, "hash")
		u.Address, u.AddressKey = text, text
		u.CreatedAt, u.ExpiresAt = time.Time{}, at(time.Duration(i)*time.Microsecond).In(zone)
		if len(text) < 1000 {
			u.Hash = text
		}
		insertUndo(t, s, u)
		same(t, "UndoByHash", got(s.UndoByHash(ctx, u.Hash))(t), u)
		same(t, "RedeemUndo", got(s.RedeemUndo(ctx, u.Hash, at(-time.Hour)))(t), u)
	}
	for _, hash := range []string{"none", "", "%"} {
		_, err := s.UndoByHash(ctx, hash)
		fails(t, "UndoByHash", err, roster.ErrNotFound)
	}
	same(t, "of a user without", got(s.UndosOf(ctx, ann.ID))(t), []*roster.Undo{})
	same(t, "of nobody", got(s.UndosOf(ctx, ann.ID+1000))(t), []*roster.Undo{})
}

func undoConflict(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, deletedUser("ben"))
	want := insertUndo(t, s, undo(ann, "1", 1, "hash"))
	ghost := &roster.User{ID: ben.ID + 1000}
	conflicts(t, "a taken hash", s.InsertUndo(ctx, undo(ben, "2", 2, "hash")), roster.FieldID)
	conflicts(t, "a taken hash and nobody", s.InsertUndo(ctx, undo(ghost, "1", 1, "hash")), roster.FieldID)
	conflicts(t, "nobody", s.InsertUndo(ctx, undo(ghost, "1", 1, "free")), roster.FieldUser)
	_, err := s.UndoByHash(ctx, "free")
	fails(t, "the refused one", err, roster.ErrNotFound)
	same(t, "the first", got(s.UndoByHash(ctx, "hash"))(t), want)
	insertUndo(t, s, undo(ann, "1", 1, "HASH")) // another by its bytes, and for the same
	insertUndo(t, s, undo(ben, "1", 1, "hash "))
}

func undosOfUser(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	want := []*roster.Undo{
		undo(ann, "5", -3, "z"), undo(ann, "4", 1, "B"), undo(ann, "3", 1, "a"), undo(ann, "2", 2, "A"), undo(ann, "1", 10, "0"),
	}
	for _, i := range []int{3, 0, 4, 2, 1} {
		insertUndo(t, s, want[i])
	}
	bens := insertUndo(t, s, undo(ben, "1", 1, "b"))
	same(t, "of ann", got(s.UndosOf(ctx, ann.ID))(t), want)
	same(t, "of ben", got(s.UndosOf(ctx, ben.ID))(t), []*roster.Undo{bens})
}

func undoRedeem(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	first, second := insertUndo(t, s, undo(ann, "1", 1, "first")), insertUndo(t, s, undo(ann, "1", 1, "second"))
	for _, now := range []time.Time{first.ExpiresAt, first.ExpiresAt.Add(time.Microsecond), first.ExpiresAt.Add(1000 * time.Hour)} {
		_, err := s.RedeemUndo(ctx, "first", now)
		fails(t, "expired", err, roster.ErrNotFound)
		same(t, "the row", got(s.UndoByHash(ctx, "first"))(t), first)
	}
	zone := time.FixedZone("ahead", 14*3600)
	same(t, "just in time", got(s.RedeemUndo(ctx, "first", first.ExpiresAt.Add(-time.Microsecond).In(zone)))(t), first)
	for _, hash := range []string{"first", "Second", "", "%"} {
		_, err := s.RedeemUndo(ctx, hash, at(0))
		fails(t, "no such one", err, roster.ErrNotFound)
	}
	same(t, "the other", got(s.UndosOf(ctx, ann.ID))(t), []*roster.Undo{second})
	insertUndo(t, s, first) // the hash is free
}

func undoVoid(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	all := []*roster.Undo{
		undo(ann, "1", 1, "a1"), undo(ann, "2", 2, "a2"), undo(ann, "1", 3, "a3"), undo(ann, "4", 4, "a4"), undo(ben, "1", 3, "b"),
	}
	all[0].ExpiresAt = at(-time.Hour) // expired ones too
	const most = 1<<63 - 1
	for _, c := range []struct {
		user  roster.UserID
		key   string
		above int64
		gone  []string
	}{
		{ann.ID, "1", most, []string{"a1", "a3"}},
		{ann.ID, "none", 2, []string{"a3", "a4"}},
		{ann.ID, "2", 3, []string{"a2", "a4"}},
		{ann.ID, "", 0, []string{"a1", "a2", "a3", "a4"}},
		{ann.ID, "", -1 << 63, []string{"a1", "a2", "a3", "a4"}},
		{ann.ID, "%", most, nil},
		{ben.ID, "1", most, []string{"b"}},
		{ben.ID, "", 3, nil},
		{ben.ID + 1000, "1", 0, nil},
		{0, "1", 0, nil},
	} {
		for _, u := range all {
			if _, err := s.UndoByHash(ctx, u.Hash); err != nil {
				insertUndo(t, s, u)
			}
		}
		same(t, "voided", got(s.VoidUndos(ctx, c.user, c.key, c.above))(t), len(c.gone))
		gone := map[string]bool{}
		for _, hash := range c.gone {
			gone[hash] = true
		}
		for _, u := range all {
			if _, err := s.UndoByHash(ctx, u.Hash); (err != nil) != gone[u.Hash] {
				t.Errorf("void %v: %s: %v", c, u.Hash, err)
			}
		}
		same(t, "voided again", got(s.VoidUndos(ctx, c.user, c.key, c.above))(t), 0)
	}
}

func undoSurvives(t *testing.T, s roster.Store) {
	ctx := t.Context()
	w := populate(t, s)
	want := got(s.UndosOf(ctx, w.ann.ID))(t)
	got(s.VoidActivations(ctx, w.ann.ID, 0))(t)
	ok(t, s.ClearPrimary(ctx, w.ann.ID))
	same(t, "deleted", got(s.DeleteEmails(ctx, w.mails["ann"].ID, w.mails["ann 2"].ID))(t), 2)
	ok(t, s.DeleteCredential(ctx, w.ann.ID, 0))
	same(t, "the undos", got(s.UndosOf(ctx, w.ann.ID))(t), want)
	if len(want) != 2 {
		t.Errorf("%d undos, want 2", len(want))
	}
}

func pruneUndos(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	now := at(10 * time.Hour)
	for hash, expires := range map[string]time.Time{
		"a now": now, "b before": now.Add(-time.Microsecond), "c long ago": at(-1000 * time.Hour), "d never": {},
		"e after": now.Add(time.Microsecond), "f much later": at(1000 * time.Hour),
	} {
		u := undo(ann, "1", 1, hash)
		u.CreatedAt, u.ExpiresAt = now, expires
		insertUndo(t, s, u)
	}
	for _, limit := range []int{0, -1} {
		same(t, "none asked for", got(s.PruneUndos(ctx, now, limit))(t), 0)
	}
	left := []string{"d never", "c long ago", "b before", "a now", "e after", "f much later"} // in the order of their times
	for _, n := range []int{3, 1, 0} {
		same(t, "pruned", got(s.PruneUndos(ctx, now, 3))(t), n)
		for _, hash := range left[:n] {
			_, err := s.UndoByHash(ctx, hash)
			fails(t, hash, err, roster.ErrNotFound)
		}
		left = left[n:]
		for _, hash := range left {
			same(t, hash, got(s.UndoByHash(ctx, hash))(t).Hash, hash)
		}
	}
	same(t, "all of them", got(s.PruneUndos(ctx, at(10_000*time.Hour), 100))(t), 2)
}
