package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var activationCases = []testCase{
	{name: "Activation/RoundTrip", rule: "An activation comes out as it went in, field by field, expired or not, and looking does not redeem it.", run: activationRoundTrip},
	{name: "Activation/Conflict", rule: "A taken hash is a conflict of the ID, an address that the user does not have one of the address, in this order.", run: activationConflict},
	{name: "Activation/Redeem", rule: "RedeemActivation returns an activation once and deletes it, and no other.", run: activationRedeem},
	{name: "Activation/Expiry", rule: "An activation is redeemed strictly before it expires.", run: activationExpiry},
	{name: "Activation/Purpose", rule: "An activation is redeemed for its own purpose only, and stays if it is tried for another.", run: activationPurpose},
	{name: "Activation/Void", rule: "VoidActivations deletes exactly those of the user, of the address if given, of the purposes if given.", run: activationVoid},
	{name: "PruneActivations", rule: "PruneActivations deletes at most limit rows that expired at or before now, the earliest first, of one moment by the bytes of the hashes.", run: pruneActivations},
}

func activationRoundTrip(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	e := insertEmail(t, s, pending(ann, "ann@example.org"))
	want := insertActivation(t, s, activation(e, "hash"))
	filled(t, want)
	for range 2 {
		same(t, "ActivationByHash", got(s.ActivationByHash(ctx, "hash"))(t), want)
	}
	same(t, "RedeemActivation", got(s.RedeemActivation(ctx, "hash", at(0), want.Purpose))(t), want)

	zone := time.FixedZone("somewhere", 9*3600)
	for i, text := range nasty {
		a := activation(e, "hash")
		a.Purpose = roster.Purpose(text)
		a.CreatedAt, a.ExpiresAt = time.Time{}, at(time.Duration(i)*time.Microsecond).In(zone)
		if len(text) < 1000 {
			a.Hash = text
		}
		insertActivation(t, s, a)
		same(t, "ActivationByHash", got(s.ActivationByHash(ctx, a.Hash))(t), a)
		same(t, "RedeemActivation", got(s.RedeemActivation(ctx, a.Hash, at(-time.Hour), a.Purpose))(t), a)
	}
	for _, hash := range []string{"none", "", "%"} {
		_, err := s.ActivationByHash(ctx, hash)
		fails(t, "ActivationByHash", err, roster.ErrNotFound)
	}
	long := activation(e, "long ago")
	long.ExpiresAt = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	insertActivation(t, s, long)
	same(t, "an expired one", got(s.ActivationByHash(ctx, "long ago"))(t), long)
}

func activationConflict(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	e := insertEmail(t, s, pending(ann, "1"))
	want := insertActivation(t, s, activation(e, "hash"))
	other := activation(insertEmail(t, s, pending(ann, "2")), "hash")
	other.Purpose, other.ExpiresAt = roster.PurposeChangeEmail, at(1000*time.Hour)
	conflicts(t, "a taken hash", s.InsertActivation(ctx, other), roster.FieldID)
	missing := activation(&roster.UserEmail{ID: e.ID + 1000, UserID: ann.ID}, "hash")
	conflicts(t, "a taken hash and no address", s.InsertActivation(ctx, missing), roster.FieldID)
	missing.Hash = "free"
	conflicts(t, "no address", s.InsertActivation(ctx, missing), roster.FieldEmail)
	foreign := activation(e, "free")
	foreign.UserID = insert(t, s, user("ben")).ID
	conflicts(t, "an address of another user", s.InsertActivation(ctx, foreign), roster.FieldEmail)
	_, err := s.ActivationByHash(ctx, "free")
	fails(t, "the refused one", err, roster.ErrNotFound)
	same(t, "the first", got(s.ActivationByHash(ctx, "hash"))(t), want)
	insertActivation(t, s, activation(e, "HASH")) // another by its bytes
	insertActivation(t, s, activation(e, "hash "))
}

func activationRedeem(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	e := insertEmail(t, s, pending(ann, "1"))
	first, second := insertActivation(t, s, activation(e, "first")), insertActivation(t, s, activation(e, "second"))
	same(t, "the first time", got(s.RedeemActivation(ctx, "first", at(0), roster.PurposeActivate))(t), first)
	_, err := s.RedeemActivation(ctx, "first", at(0), roster.PurposeActivate)
	fails(t, "the second time", err, roster.ErrNotFound)
	_, err = s.ActivationByHash(ctx, "first")
	fails(t, "looking for it", err, roster.ErrNotFound)
	_, err = s.RedeemActivation(ctx, "Second", at(0), roster.PurposeActivate)
	fails(t, "another hash", err, roster.ErrNotFound)
	same(t, "another one", got(s.ActivationByHash(ctx, "second"))(t), second)
	same(t, "the address", got(s.EmailsByID(ctx, e.ID))(t), []*roster.UserEmail{e})
	insertActivation(t, s, first) // the hash is free
}

func activationExpiry(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	a := insertActivation(t, s, activation(insertEmail(t, s, pending(ann, "1")), "hash"))
	for _, now := range []time.Time{a.ExpiresAt, a.ExpiresAt.Add(time.Microsecond), a.ExpiresAt.Add(1000 * time.Hour)} {
		_, err := s.RedeemActivation(ctx, "hash", now, roster.PurposeActivate)
		fails(t, "expired", err, roster.ErrNotFound)
		same(t, "the row", got(s.ActivationByHash(ctx, "hash"))(t), a)
	}
	zone := time.FixedZone("ahead", 14*3600) // the clock on the wall says later
	same(t, "just in time",
		got(s.RedeemActivation(ctx, "hash", a.ExpiresAt.Add(-time.Microsecond).In(zone), roster.PurposeActivate))(t), a)
}

func activationPurpose(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	e := insertEmail(t, s, pending(ann, "1"))
	purposes := []roster.Purpose{roster.PurposeActivate, roster.PurposeChangeEmail, "host's own", "Activate"}
	for i, purpose := range purposes {
		a := activation(e, "hash")
		a.Purpose = purpose
		insertActivation(t, s, a)
		var others []roster.Purpose
		for j, p := range purposes {
			if i == j {
				continue
			}
			others = append(others, p)
			_, err := s.RedeemActivation(ctx, "hash", at(0), p)
			fails(t, "for another purpose", err, roster.ErrNotFound)
		}
		_, err := s.RedeemActivation(ctx, "hash", at(0), others...)
		fails(t, "for other purposes", err, roster.ErrNotFound)
		_, err = s.RedeemActivation(ctx, "hash", at(0))
		fails(t, "for no purpose", err, roster.ErrNotFound)
		same(t, "the row", got(s.ActivationByHash(ctx, "hash"))(t), a)
		same(t, "one of several purposes", got(s.RedeemActivation(ctx, "hash", at(0), append(others, purpose, purpose)...))(t), a)
	}
}

func activationVoid(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	a1, a2 := insertEmail(t, s, pending(ann, "1")), insertEmail(t, s, pending(ann, "2"))
	b := insertEmail(t, s, pending(ben, "1"))
	const act, change, other = roster.PurposeActivate, roster.PurposeChangeEmail, roster.Purpose("other")
	all := map[string]*roster.Activation{}
	for name, e := range map[string]*roster.UserEmail{"a1": a1, "a2": a2, "b": b} {
		for _, p := range []roster.Purpose{act, change, other} {
			a := activation(e, name+" "+string(p))
			a.Purpose = p
			a.ExpiresAt = at(0).Add(-time.Hour) // expired ones too
			all[a.Hash] = a
		}
	}
	for _, c := range []struct {
		user     roster.UserID
		email    roster.EmailID
		purposes []roster.Purpose
		gone     []string
	}{
		{ann.ID, 0, nil, []string{"a1 activate", "a1 change_email", "a1 other", "a2 activate", "a2 change_email", "a2 other"}},
		{ann.ID, a1.ID, nil, []string{"a1 activate", "a1 change_email", "a1 other"}},
		{ann.ID, 0, []roster.Purpose{change}, []string{"a1 change_email", "a2 change_email"}},
		{ann.ID, 0, []roster.Purpose{change, other, "none", other}, []string{"a1 change_email", "a2 change_email", "a1 other", "a2 other"}},
		{ann.ID, a2.ID, []roster.Purpose{act}, []string{"a2 activate"}},
		{ann.ID, a2.ID, []roster.Purpose{"none"}, nil},
		{ann.ID, b.ID, nil, nil}, // of somebody else
		{ann.ID, b.ID + 1000, nil, nil},
		{ben.ID, 0, []roster.Purpose{act, change, other}, []string{"b activate", "b change_email", "b other"}},
		{ben.ID + 1000, 0, nil, nil},
		{0, 0, nil, nil},
		{0, a1.ID, nil, nil},
	} {
		for hash, a := range all {
			if _, err := s.ActivationByHash(ctx, hash); err != nil {
				insertActivation(t, s, a)
			}
		}
		same(t, "voided", got(s.VoidActivations(ctx, c.user, c.email, c.purposes...))(t), len(c.gone))
		gone := map[string]bool{}
		for _, hash := range c.gone {
			gone[hash] = true
		}
		for hash := range all {
			if _, err := s.ActivationByHash(ctx, hash); (err != nil) != gone[hash] {
				t.Errorf("void %v: %s: %v", c, hash, err)
			}
		}
		same(t, "voided again", got(s.VoidActivations(ctx, c.user, c.email, c.purposes...))(t), 0)
	}
	same(t, "the addresses", got(s.EmailsAfter(ctx, 0, 100))(t), []*roster.UserEmail{a1, a2, b})
}

func pruneActivations(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	e := insertEmail(t, s, pending(ann, "1"))
	now := at(10 * time.Hour)
	for _, hash := range odd {
		a := activation(e, hash)
		a.ExpiresAt = now
		insertActivation(t, s, a)
	}
	for _, hash := range slices.Sorted(slices.Values(odd)) {
		same(t, "pruned", got(s.PruneActivations(ctx, now, 1))(t), 1)
		_, err := s.ActivationByHash(ctx, hash)
		fails(t, "the first by its bytes, "+hash, err, roster.ErrNotFound)
	}
	for hash, expires := range map[string]time.Time{
		"a now": now, "b before": now.Add(-time.Microsecond), "c long ago": at(-1000 * time.Hour), "d never": {},
		"e after": now.Add(time.Microsecond), "f much later": at(1000 * time.Hour),
	} {
		a := activation(e, hash)
		a.CreatedAt, a.ExpiresAt = now, expires
		insertActivation(t, s, a)
	}
	for _, limit := range []int{0, -1} {
		same(t, "none asked for", got(s.PruneActivations(ctx, now, limit))(t), 0)
	}
	left := []string{"d never", "c long ago", "b before", "a now", "e after", "f much later"} // in the order of their times
	for _, n := range []int{3, 1, 0} {
		same(t, "pruned", got(s.PruneActivations(ctx, now, 3))(t), n)
		for _, hash := range left[:n] {
			_, err := s.ActivationByHash(ctx, hash)
			fails(t, hash, err, roster.ErrNotFound)
		}
		left = left[n:]
		for _, hash := range left {
			same(t, hash, got(s.ActivationByHash(ctx, hash))(t).Hash, hash)
		}
	}
	same(t, "all of them", got(s.PruneActivations(ctx, at(10_000*time.Hour), 100))(t), 2)
}
