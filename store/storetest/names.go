package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var nameCases = []testCase{
	{name: "Name/Claim", rule: "A name key that is free becomes the owner's; one that is taken is a conflict.", run: nameClaim},
	{name: "Name/Bytes", rule: "Name keys are told apart by their bytes.", run: nameBytes},
	{name: "Name/Owners", rule: "NameOwners tells whose each of the keys is, held back or not, and nothing of the others.", run: nameOwners},
	{name: "Name/NoUser", rule: "Only a user can own a name; a taken name is reported before a missing user.", run: nameNoUser},
	{name: "Name/Retire", rule: "A name held back goes to others at that time and not before, and back to its owner at any time.", run: nameRetire},
	{name: "Name/RetireNotFound", rule: "Only the owner can hold a name back.", run: nameRetireNotFound},
	{name: "Name/Prune", rule: "PruneNames deletes at most limit keys that were held back until now or earlier, the earliest first, of one moment by the bytes of the keys.", run: namePrune},
}

func nameClaim(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, deletedUser("ben"))
	_, err := nameOwner(ctx, s, "name")
	fails(t, "the owner of a free name", err, roster.ErrNotFound)
	ok(t, s.ClaimName(ctx, "name", ann.ID, at(0)))
	ok(t, s.ClaimName(ctx, "second", ann.ID, at(0)))
	ok(t, s.ClaimName(ctx, "third", ben.ID, at(0)))
	for name, owner := range map[string]*roster.User{"name": ann, "second": ann, "third": ben} {
		same(t, name, got(nameOwner(ctx, s, name))(t), owner.ID)
		for _, now := range []time.Time{{}, at(0), at(100_000 * time.Hour)} { // it is not held back, so no time frees it
			for _, u := range []*roster.User{ann, ben} { // nor is it claimed twice
				conflicts(t, "a taken name", s.ClaimName(ctx, name, u.ID, now), roster.FieldName)
			}
		}
		same(t, name, got(nameOwner(ctx, s, name))(t), owner.ID)
	}
}

func nameBytes(t *testing.T, s roster.Store) {
	ctx := t.Context()
	names := append([]string{"ann", "Ann", "ann ", "\u00e9", "e\u0301", "%", "_", "a_n"}, nasty[:len(nasty)-1]...)
	names = names[:len(names)-2] // "é" is there already
	owners := map[string]*roster.User{}
	for i, name := range names {
		owners[name] = insert(t, s, user(string(rune('A'+i))))
		ok(t, s.ClaimName(ctx, name, owners[name].ID, at(0)))
	}
	for _, name := range names {
		same(t, name, got(nameOwner(ctx, s, name))(t), owners[name].ID)
	}
	ok(t, s.RetireName(ctx, "ann", owners["ann"].ID, at(0)))
	same(t, "pruned", got(s.PruneNames(ctx, at(0), 100))(t), 1)
	same(t, "another one", got(nameOwner(ctx, s, "Ann"))(t), owners["Ann"].ID)
}

// nameOwner asks whose key it is.
func nameOwner(ctx context.Context, s roster.Store, key string) (roster.UserID, error) {
	owners, err := s.NameOwners(ctx, key)
	if owner, ok := owners[key]; ok || err != nil {
		return owner, err
	}
	return 0, roster.ErrNotFound
}

func nameOwners(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, deletedUser("ben"))
	for name, u := range map[string]*roster.User{"a": ann, "b": ben, "B": ann, "c": ann, "%": ben} {
		ok(t, s.ClaimName(ctx, name, u.ID, at(0)))
	}
	ok(t, s.RetireName(ctx, "b", ben.ID, at(time.Hour)))
	same(t, "the owners", got(s.NameOwners(ctx, "b", "none", "a", "B", "b", "A", "", "_"))(t),
		map[string]roster.UserID{"a": ann.ID, "b": ben.ID, "B": ann.ID})
	if owners := got(s.NameOwners(ctx))(t); len(owners) > 0 {
		t.Errorf("the owners of no names: %v", owners)
	}
	many := make([]string, 70_000) // more than the parameters of any statement
	for i := range many {
		many[i] = fmt.Sprint("none ", i)
	}
	many[66_000] = "c"
	same(t, "one of many", got(s.NameOwners(ctx, many...))(t), map[string]roster.UserID{"c": ann.ID})
}

func nameNoUser(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	ghost := ann.ID + 1000
	conflicts(t, "a free name", s.ClaimName(ctx, "free", ghost, at(0)), roster.FieldUser)
	_, err := nameOwner(ctx, s, "free")
	fails(t, "the free name", err, roster.ErrNotFound)
	ok(t, s.ClaimName(ctx, "name", ann.ID, at(0)))
	conflicts(t, "a taken name", s.ClaimName(ctx, "name", ghost, at(0)), roster.FieldName)
	ok(t, s.RetireName(ctx, "name", ann.ID, at(time.Hour)))
	conflicts(t, "a name held back", s.ClaimName(ctx, "name", ghost, at(0)), roster.FieldName)
	conflicts(t, "a name held back until now", s.ClaimName(ctx, "name", ghost, at(time.Hour)), roster.FieldUser)
	same(t, "the owner", got(nameOwner(ctx, s, "name"))(t), ann.ID)
}

func nameRetire(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	until := at(time.Hour)
	for _, name := range []string{"back", "at", "later", "moved", "shortened"} {
		ok(t, s.ClaimName(ctx, name, ann.ID, at(0)))
		ok(t, s.RetireName(ctx, name, ann.ID, until))
		same(t, "the owner of a name held back", got(nameOwner(ctx, s, name))(t), ann.ID)
	}
	for _, now := range []time.Time{{}, at(0), until.Add(-time.Microsecond)} {
		conflicts(t, "held back", s.ClaimName(ctx, "at", ben.ID, now), roster.FieldName)
	}
	ok(t, s.ClaimName(ctx, "at", ben.ID, until))
	ok(t, s.ClaimName(ctx, "later", ben.ID, until.Add(time.Hour)))
	same(t, "the new owner", got(nameOwner(ctx, s, "at"))(t), ben.ID)
	same(t, "the new owner", got(nameOwner(ctx, s, "later"))(t), ben.ID)
	conflicts(t, "the old owner", s.ClaimName(ctx, "at", ann.ID, until.Add(time.Hour)), roster.FieldName)
	fails(t, "the old owner", s.RetireName(ctx, "at", ann.ID, until), roster.ErrNotFound)

	ok(t, s.ClaimName(ctx, "back", ann.ID, at(0)))
	conflicts(t, "taken back", s.ClaimName(ctx, "back", ben.ID, until.Add(time.Hour)), roster.FieldName)
	same(t, "pruned after it was taken back", got(s.PruneNames(ctx, until, 100))(t), 2) // moved and shortened, below
	ok(t, s.ClaimName(ctx, "moved", ann.ID, at(0)))
	ok(t, s.ClaimName(ctx, "shortened", ann.ID, at(0)))

	ok(t, s.RetireName(ctx, "moved", ann.ID, until))
	ok(t, s.RetireName(ctx, "moved", ann.ID, until.Add(time.Hour)))
	conflicts(t, "held back for longer", s.ClaimName(ctx, "moved", ben.ID, until), roster.FieldName)
	ok(t, s.RetireName(ctx, "shortened", ann.ID, until))
	ok(t, s.RetireName(ctx, "shortened", ann.ID, at(time.Minute)))
	ok(t, s.ClaimName(ctx, "shortened", ben.ID, at(time.Minute)))
}

func nameRetireNotFound(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	ok(t, s.ClaimName(ctx, "name", ann.ID, at(0)))
	fails(t, "another user", s.RetireName(ctx, "name", ben.ID, at(0)), roster.ErrNotFound)
	fails(t, "no user", s.RetireName(ctx, "name", 0, at(0)), roster.ErrNotFound)
	fails(t, "another name", s.RetireName(ctx, "Name", ann.ID, at(0)), roster.ErrNotFound)
	fails(t, "a free name", s.RetireName(ctx, "free", ann.ID, at(0)), roster.ErrNotFound)
	conflicts(t, "still taken", s.ClaimName(ctx, "name", ben.ID, at(100*time.Hour)), roster.FieldName)
}

func namePrune(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	for _, name := range odd {
		ok(t, s.ClaimName(ctx, name, ann.ID, at(0)))
		ok(t, s.RetireName(ctx, name, ann.ID, at(time.Hour)))
	}
	for _, name := range slices.Sorted(slices.Values(odd)) {
		same(t, "pruned", got(s.PruneNames(ctx, at(time.Hour), 1))(t), 1)
		_, err := nameOwner(ctx, s, name)
		fails(t, "the first by its bytes, "+name, err, roster.ErrNotFound)
	}

	now := at(time.Hour)
	for name, until := range map[string]time.Time{
		"a": now, "b": now.Add(-time.Microsecond), "z": at(0), "later": now.Add(time.Microsecond), "much later": at(100 * time.Hour), "held": {},
	} {
		ok(t, s.ClaimName(ctx, name, ann.ID, at(0)))
		if name != "held" {
			ok(t, s.RetireName(ctx, name, ann.ID, until))
		}
	}
	for _, limit := range []int{0, -1} {
		same(t, "none asked for", got(s.PruneNames(ctx, now, limit))(t), 0)
	}
	same(t, "too early", got(s.PruneNames(ctx, at(-time.Hour), 100))(t), 0)
	left := []string{"z", "b", "a", "held", "later", "much later"} // in the order of their times
	for _, n := range []int{2, 1, 0} {
		same(t, "pruned", got(s.PruneNames(ctx, now, 2))(t), n)
		for _, name := range left[:n] {
			_, err := nameOwner(ctx, s, name)
			fails(t, name, err, roster.ErrNotFound)
		}
		left = left[n:]
		for _, name := range left {
			same(t, name, got(nameOwner(ctx, s, name))(t), ann.ID)
		}
	}
}
