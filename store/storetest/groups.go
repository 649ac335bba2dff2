package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var groupCases = []testCase{
	{name: "Group/RoundTrip", rule: "A group comes out as it went in, field by field, however it is looked for.", run: groupRoundTrip},
	{name: "Group/Conflict", rule: "A taken name key is a conflict of the name, else a taken UUID one of the UUID.", run: groupConflict},
	{name: "Group/Offer", rule: "OfferGroup writes if the name key is free, and says whether it has.", run: groupOffer},
	{name: "Group/Update", rule: "UpdateGroup writes what may change if the version is that of the row, and no other row.", run: groupUpdate},
	{name: "Group/Delete", rule: "DeleteGroup deletes the group, its members and its grants, and nothing else.", run: groupDelete},
	{name: "Group/Page", rule: "GroupPage returns the groups after a key, by the bytes of the key.", run: groupPage},
	{name: "Member/RoundTrip", rule: "A member comes out as it went in; put again, only its rights change.", run: memberRoundTrip},
	{name: "Member/Lists", rule: "MembersAfter pages through a group by user, MembershipsOf lists by user, then by group.", run: memberLists},
	{name: "Member/Missing", rule: "A member of no group, or who is nobody, is a conflict of the group. DeleteMember of nobody is ErrNotFound.", run: memberMissing},
}

func groupRoundTrip(t *testing.T, s roster.Store) {
	ctx := t.Context()
	want := insertGroup(t, s, group("jury"))
	filled(t, want, "Row")
	insertGroup(t, s, group("other"))
	same(t, "GroupByName", groupOf(s.GroupByName(ctx, "jury"))(t), want)
	same(t, "GroupByUUID", groupOf(s.GroupByUUID(ctx, want.UUID))(t), want)
	same(t, "LockGroup", groupOf(s.LockGroup(ctx, want.ID))(t), want)
	same(t, "GroupsByID", groupsOf(s.GroupsByID(ctx, want.ID, want.ID+1000, want.ID))(t), []*roster.Group{want})
	same(t, "of none", groupsOf(s.GroupsByID(ctx))(t), []*roster.Group{})
	for i, text := range nasty {
		g := group(fmt.Sprint("nasty ", i))
		g.Name, g.Description, g.Data, g.CreatedBy, g.CreatedAt = text, text, nil, 0, time.Time{}
		if len(text) < 1000 {
			g.NameKey = text
		}
		insertGroup(t, s, g)
		same(t, "GroupByName", groupOf(s.GroupByName(ctx, g.NameKey))(t), g)
	}
	for _, key := range []string{"none", "", "JURY"} {
		_, err := s.GroupByName(ctx, key)
		fails(t, "GroupByName", err, roster.ErrNotFound)
	}
	fails(t, "GroupByUUID", only(s.GroupByUUID(ctx, newUUID())), roster.ErrNotFound)
	fails(t, "LockGroup", only(s.LockGroup(ctx, want.ID+1000)), roster.ErrNotFound)
}

func groupConflict(t *testing.T, s roster.Store) {
	ctx := t.Context()
	a, b := insertGroup(t, s, group("a")), insertGroup(t, s, group("b"))
	name, uuid, both := group("a"), group("new"), group("a")
	uuid.UUID, both.UUID = b.UUID, b.UUID
	conflicts(t, "a taken name", s.InsertGroup(ctx, name), roster.FieldName)
	conflicts(t, "a taken UUID", s.InsertGroup(ctx, uuid), roster.FieldUUID)
	conflicts(t, "both taken", s.InsertGroup(ctx, both), roster.FieldName)
	conflicts(t, "an offer of a taken UUID", only(s.OfferGroup(ctx, uuid)), roster.FieldUUID)
	renamed := *b
	renamed.NameKey = "a"
	conflicts(t, "a new name that is taken", s.UpdateGroup(ctx, &renamed), roster.FieldName)
	same(t, "the groups", groupsOf(s.GroupPage(ctx, "", 10))(t), []*roster.Group{a, b})
	insertGroup(t, s, group("A"))
}

func groupOffer(t *testing.T, s roster.Store) {
	ctx := t.Context()
	g := group("a")
	same(t, "offered", got(s.OfferGroup(ctx, g))(t), true)
	same(t, "offered again", got(s.OfferGroup(ctx, group("a")))(t), false)
	stored := groupOf(s.GroupByName(ctx, "a"))(t)
	if stored.ID <= 0 {
		t.Errorf("the ID is %d", stored.ID)
	}
	g.ID = stored.ID
	same(t, "the group", stored, g)
	ok(t, s.Atomic(ctx, func(ctx context.Context) error {
		same(t, "offered in a transaction", got(s.OfferGroup(ctx, group("a")))(t), false)
		return nil
	}))
}

func groupUpdate(t *testing.T, s roster.Store) {
	ctx := t.Context()
	a, b := insertGroup(t, s, group("a")), insertGroup(t, s, group("b"))
	next := group("c")
	next.ID, next.Version = a.ID, a.Version
	next.Name, next.Description, next.Data, next.UpdatedAt = "New", "", nil, at(99*time.Hour)
	next.CreatedBy, next.CreatedAt = 1, at(98*time.Hour)
	ok(t, s.UpdateGroup(ctx, next))
	same(t, "the version", next.Version, a.Version+1)
	want := *next
	want.UUID, want.CreatedBy, want.CreatedAt = a.UUID, a.CreatedBy, a.CreatedAt
	same(t, "the group", groupOf(s.GroupByName(ctx, "c"))(t), &want)
	same(t, "the other one", groupOf(s.GroupByName(ctx, "b"))(t), b)
	fails(t, "the old version", s.UpdateGroup(ctx, a), roster.ErrStale)
	ghost := group("ghost")
	ghost.ID = b.ID + 1000
	fails(t, "a group that is not there", s.UpdateGroup(ctx, ghost), roster.ErrStale)
	fails(t, "the old name", only(s.GroupByName(ctx, "a")), roster.ErrNotFound)
}

func groupDelete(t *testing.T, s roster.Store) {
	ctx := t.Context()
	a, b := insertGroup(t, s, group("a")), insertGroup(t, s, group("b"))
	ann := insert(t, s, user("ann"))
	for _, g := range []*roster.Group{a, b} {
		putMember(t, s, g, ann)
		putGrants(t, s, forever(roster.ToGroup(g.ID), 1), "p", "q")
	}
	putGrants(t, s, forever(roster.ToUser(ann.ID), 1), "r")
	ok(t, s.DeleteGroup(ctx, a.ID))
	fails(t, "deleted again", s.DeleteGroup(ctx, a.ID), roster.ErrNotFound)
	same(t, "the groups", groupsOf(s.GroupPage(ctx, "", 10))(t), []*roster.Group{b})
	same(t, "the members", got(s.MembershipsOf(ctx, ann.ID))(t), []*roster.Membership{member(b, ann)})
	same(t, "the grants of a", got(s.GrantsOf(ctx, roster.ToGroup(a.ID)))(t), []*roster.Grant{})
	same(t, "the grants that are left", len(got(s.GrantsIn(ctx, 1, 0, 10))(t)), 3)
	again := insertGroup(t, s, group("a"))
	if again.ID <= b.ID {
		t.Errorf("the ID %d is used again", again.ID)
	}
	same(t, "the members of the new one", got(s.MembersAfter(ctx, again.ID, 0, 10))(t), []*roster.Membership{})
}

func groupPage(t *testing.T, s roster.Store) {
	ctx := t.Context()
	for _, key := range odd {
		insertGroup(t, s, group(key))
	}
	sorted := slices.Sorted(slices.Values(odd))
	for _, limit := range []int{0, -1} {
		same(t, "none asked for", groupsOf(s.GroupPage(ctx, "", limit))(t), []*roster.Group{})
	}
	var keys []string
	for after := ""; ; after = keys[len(keys)-1] {
		page := groupsOf(s.GroupPage(ctx, after, 5))(t)
		for _, g := range page {
			keys = append(keys, g.NameKey)
		}
		if len(page) < 5 {
			break
		}
	}
	same(t, "all of them", keys, sorted)
}

func memberRoundTrip(t *testing.T, s roster.Store) {
	ctx := t.Context()
	g, ann := insertGroup(t, s, group("a")), insert(t, s, user("ann"))
	m := member(g, ann)
	filled(t, m)
	same(t, "new", got(s.PutMember(ctx, m))(t), true)
	same(t, "the same again", got(s.PutMember(ctx, m))(t), false)
	later := *m
	later.CreatedAt = at(50 * time.Hour)
	same(t, "at another time", got(s.PutMember(ctx, &later))(t), false)
	for _, text := range append(nasty, "") {
		later.Rights = text
		same(t, "with other rights", got(s.PutMember(ctx, &later))(t), true)
		want := *m
		want.Rights = text
		same(t, "the member", got(s.MembersAfter(ctx, g.ID, 0, 10))(t), []*roster.Membership{&want})
	}
	ok(t, s.DeleteMember(ctx, g.ID, ann.ID))
	same(t, "nobody", got(s.MembersAfter(ctx, g.ID, 0, 10))(t), []*roster.Membership{})
	same(t, "the group", groupOf(s.GroupByName(ctx, "a"))(t), g)
}

func memberLists(t *testing.T, s roster.Store) {
	ctx := t.Context()
	a, b := insertGroup(t, s, group("a")), insertGroup(t, s, group("b"))
	ann, ben, cat := insert(t, s, user("ann")), insert(t, s, pendingUser("ben")), insert(t, s, deletedUser("cat"))
	putMember(t, s, b, cat, ann)
	putMember(t, s, a, cat, ben, ann)
	want := []*roster.Membership{member(a, ann), member(a, ben), member(a, cat)}
	same(t, "all", got(s.MembersAfter(ctx, a.ID, 0, 10))(t), want)
	same(t, "the first", got(s.MembersAfter(ctx, a.ID, -1, 1))(t), want[:1])
	same(t, "the next", got(s.MembersAfter(ctx, a.ID, ann.ID, 1))(t), want[1:2])
	same(t, "the last", got(s.MembersAfter(ctx, a.ID, ben.ID, 10))(t), want[2:])
	same(t, "after all", got(s.MembersAfter(ctx, a.ID, cat.ID, 10))(t), want[:0])
	for _, limit := range []int{0, -1} {
		same(t, "none asked for", got(s.MembersAfter(ctx, a.ID, 0, limit))(t), want[:0])
	}
	same(t, "of two", got(s.MembershipsOf(ctx, cat.ID, ann.ID, cat.ID+1000, cat.ID))(t), []*roster.Membership{
		member(a, ann), member(b, ann), member(a, cat), member(b, cat),
	})
	same(t, "of none", got(s.MembershipsOf(ctx))(t), want[:0])
}

func memberMissing(t *testing.T, s roster.Store) {
	ctx := t.Context()
	g, ann := insertGroup(t, s, group("a")), insert(t, s, user("ann"))
	noGroup, nobody := member(&roster.Group{ID: g.ID + 1000}, ann), member(g, &roster.User{ID: ann.ID + 1000})
	conflicts(t, "no group", only(s.PutMember(ctx, noGroup)), roster.FieldGroup)
	conflicts(t, "nobody", only(s.PutMember(ctx, nobody)), roster.FieldGroup)
	fails(t, "not a member", s.DeleteMember(ctx, g.ID, ann.ID), roster.ErrNotFound)
	same(t, "the members", got(s.MembersAfter(ctx, g.ID, 0, 10))(t), []*roster.Membership{})
}
