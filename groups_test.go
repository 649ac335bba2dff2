package roster_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

// mustGroup makes a group with members.
func mustGroup(t testing.TB, us *roster.Users, name string, members ...*roster.User) *roster.Group {
	t.Helper()
	g := &roster.Group{Name: name}
	must(t, us.CreateGroup(t.Context(), g))
	for _, u := range members {
		must(t, us.AddMember(t.Context(), g.ID, u.ID, ""))
	}
	return g
}

// refusedField fails unless err is an InvalidError of the field and reason.
func refusedField(t testing.TB, err error, field string, reason roster.Reason) {
	t.Helper()
	for _, f := range roster.InvalidFields(err) {
		if f.Field == field && f.Reason == reason {
			return
		}
	}
	t.Errorf("got %v, want an invalid %s: %s", err, field, reason)
}

func TestGroupKey(t *testing.T) {
	for name, want := range map[string]string{
		"Jury": "jury", "JURY": "jury", "ＪＵＲＹ": "jury", "Straße": "strasse", "Chief  Editors": "chief editors", "ADMIN": "admin",
	} {
		if key, err := roster.GroupKey(name); key != want || err != nil {
			t.Errorf("GroupKey(%q) = %q, %v, want %q", name, key, err, want)
		}
	}
	for name, reason := range map[string]roster.Reason{
		"": roster.ReasonEmpty, " a": roster.ReasonCharacter, "a ": roster.ReasonCharacter, "a\x00": roster.ReasonCharacter,
		"a\u202eb": roster.ReasonCharacter, "a\xff": roster.ReasonEncoding, fmt.Sprintf("%0129d", 1): roster.ReasonTooLong,
	} {
		_, err := roster.GroupKey(name)
		refusedField(t, err, roster.FieldName, reason)
	}
}

func TestCreateGroup(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	g := &roster.Group{
		ID: 99, UUID: uuid.New(), Name: "Jury", NameKey: "x", Description: "Who judges", Data: roster.Data{"a": []byte(" 1 ")}, CreatedBy: 7, Version: 9,
	}
	theirs := g.UUID
	must(t, env.CreateGroup(ctx, g))
	now := env.Clock.Now().UTC().Truncate(time.Microsecond)
	want := &roster.Group{
		ID: g.ID, UUID: g.UUID, Name: "Jury", NameKey: "jury", Description: "Who judges", Data: roster.Data{"a": []byte("1")},
		CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	if g.ID == 99 || g.UUID == theirs {
		t.Error("the ID or the UUID is what was handed in")
	}
	for what, find := range map[string]func() (*roster.Group, error){
		"created": func() (*roster.Group, error) { return g, nil },
		"by ID":   func() (*roster.Group, error) { return env.GroupByID(ctx, g.ID) },
		"by UUID": func() (*roster.Group, error) { return env.GroupByUUID(ctx, g.UUID) },
		"by name": func() (*roster.Group, error) { return env.GroupByName(ctx, "JURY") },
	} {
		got, err := find()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", what, err, diff)
		}
	}
	taken := &roster.Group{Name: "ｊury"}
	var conflict *roster.ConflictError
	if err := env.CreateGroup(ctx, taken); !errors.As(err, &conflict) || conflict.Field != roster.FieldName || taken.ID != 0 {
		t.Errorf("a taken name: %v, and %+v", err, taken)
	}
	for _, name := range []string{"admin", "Tester"} {
		refusedField(t, env.CreateGroup(ctx, &roster.Group{Name: name}), roster.FieldName, roster.ReasonReserved)
	}
	err := env.CreateGroup(ctx, &roster.Group{Name: "", Description: "a\nb", Data: roster.Data{"a": []byte("{")}})
	if len(roster.InvalidFields(err)) != 3 {
		t.Errorf("not everything that is wrong: %v", err)
	}
	for what, err := range map[string]error{
		"no ID":        only(env.GroupByID(ctx, g.ID+1)),
		"no UUID":      only(env.GroupByUUID(ctx, theirs)),
		"no name":      only(env.GroupByName(ctx, "none")),
		"no such name": only(env.GroupByName(ctx, "\x00")),
		"not built in": only(env.BuiltInGroup(ctx, "jury")),
		"not needed":   only(env.GroupByName(ctx, roster.GroupAdmin)),
	} {
		if !errors.Is(err, roster.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func only[T any](_ T, err error) error { return err }

func TestEditGroup(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	g, other := mustGroup(t, env.Users, "Jury"), mustGroup(t, env.Users, "Staff")
	admin, err := env.BuiltInGroup(ctx, roster.GroupAdmin)
	must(t, err)
	env.Clock.Advance(time.Hour)
	must(t, env.EditGroup(ctx, g.ID, func(g *roster.Group) error {
		g.Name, g.Description = "New Jury", "x"
		return nil
	}))
	got, err := env.GroupByName(ctx, "new jury")
	must(t, err)
	if !got.UpdatedAt.Equal(env.Clock.Now()) || got.CreatedAt.Equal(got.UpdatedAt) || got.Version != 2 || got.Description != "x" {
		t.Errorf("%+v", got)
	}
	edit := func(id roster.GroupID, fn func(g *roster.Group)) error {
		return env.EditGroup(ctx, id, func(g *roster.Group) error { fn(g); return nil })
	}
	for field, fn := range map[string]func(g *roster.Group){
		"id": func(g *roster.Group) { g.ID++ }, "uuid": func(g *roster.Group) { g.UUID = uuid.New() },
		"created_by": func(g *roster.Group) { g.CreatedBy++ }, "version": func(g *roster.Group) { g.Version++ },
		"created_at": func(g *roster.Group) { g.CreatedAt = time.Now() }, "updated_at": func(g *roster.Group) { g.UpdatedAt = time.Now() },
	} {
		refusedField(t, edit(g.ID, fn), field, roster.ReasonReadOnly)
	}
	for _, name := range []string{"other", "Admin"} {
		refusedField(t, edit(admin.ID, func(g *roster.Group) { g.Name = name }), roster.FieldName, roster.ReasonReadOnly)
	}
	must(t, edit(admin.ID, func(g *roster.Group) { g.Description = "They may do all" }))
	refusedField(t, edit(g.ID, func(g *roster.Group) { g.Name = "Tester" }), roster.FieldName, roster.ReasonReserved)
	if err := edit(g.ID, func(g *roster.Group) { g.Name = "STAFF" }); !errors.Is(err, roster.ErrConflict) {
		t.Errorf("a taken name: %v", err)
	}
	stop := errors.New("stop")
	if err := env.EditGroup(ctx, g.ID, func(*roster.Group) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
	refusedField(t, env.DeleteGroup(ctx, admin.ID), roster.FieldGroup, roster.ReasonReserved)
	must(t, env.DeleteGroup(ctx, other.ID))
	for _, err := range []error{env.DeleteGroup(ctx, other.ID), edit(other.ID, func(*roster.Group) {})} {
		if !errors.Is(err, roster.ErrNotFound) {
			t.Errorf("a group that is gone: %v", err)
		}
	}
}

func TestMembers(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	ann, ben, cat := env.MustRegister("ann"), env.MustRegister("ben"), env.MustRegister("cat")
	jury, staff := mustGroup(t, env.Users, "Jury", cat, ann, ben), mustGroup(t, env.Users, "A staff", ann)
	env.Clock.Advance(time.Hour)
	must(t, env.AddMember(ctx, jury.ID, ann.ID, "chair"))
	must(t, env.RemoveMember(ctx, jury.ID, ben.ID))
	must(t, env.RemoveMember(ctx, jury.ID, ben.ID)) // again
	l, err := env.Members(ctx, jury.ID, roster.Paging{})
	must(t, err)
	if len(l.Items) != 2 || l.Items[0].UserID != ann.ID || l.Items[0].Rights != "chair" || l.Items[1].UserID != cat.ID || l.Next != "" ||
		!l.Items[0].CreatedAt.Equal(l.Items[1].CreatedAt) {
		t.Errorf("%+v", l)
	}
	if got, err := env.GroupByID(ctx, jury.ID); err != nil || !got.UpdatedAt.Equal(jury.UpdatedAt) || got.Version != jury.Version {
		t.Errorf("who is in a group has moved the group: %+v, %v", got, err)
	}
	of, err := env.GroupsOf(ctx, ben.ID, cat.ID, ann.ID)
	must(t, err)
	var names []string
	for _, g := range of[ann.ID] {
		names = append(names, g.Name)
	}
	if !slices.Equal(names, []string{"A staff", "Jury"}) || len(of[cat.ID]) != 1 || len(of) != 2 {
		t.Errorf("%v %v", names, of)
	}
	if in, err := env.InGroup(ctx, ann.ID, "jury"); !in || err != nil {
		t.Error(in, err)
	}
	if in, err := env.InGroup(ctx, ben.ID, "jury"); in || err != nil {
		t.Error(in, err)
	}
	if ms, err := env.Memberships(ctx, ann.ID); err != nil || len(ms) != 2 || ms[0].GroupID != jury.ID {
		t.Errorf("%v %v", ms, err)
	}
	must(t, env.Delete(ctx, cat.ID))
	for what, err := range map[string]error{
		"deleted":           env.AddMember(ctx, jury.ID, cat.ID, ""),
		"nobody":            env.AddMember(ctx, jury.ID, 1000, ""),
		"no group":          env.AddMember(ctx, 1000, ann.ID, ""),
		"nobody to remove":  env.RemoveMember(ctx, jury.ID, 1000),
		"no group to leave": env.RemoveMember(ctx, 1000, ann.ID),
	} {
		if !errors.Is(err, roster.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refusedField(t, env.AddMember(ctx, jury.ID, ann.ID, "a\nb"), roster.FieldRights, roster.ReasonCharacter)
	refusedField(t, env.AddMember(ctx, 0, ann.ID, ""), roster.FieldGroup, roster.ReasonNotPositive)
	must(t, env.RemoveMember(ctx, jury.ID, cat.ID)) // also of one who is deleted
	must(t, env.Purge(ctx, ann.ID))
	if l, err := env.Members(ctx, staff.ID, roster.Paging{}); err != nil || len(l.Items) != 0 {
		t.Errorf("%v %v", l, err)
	}
}

func TestPagesOfGroups(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	var want []string
	for i := range 7 {
		want = append(want, mustGroup(t, env.Users, fmt.Sprint("Group ", i)).Name)
	}
	var got []string
	p, pages := roster.Paging{Limit: 3}, 0
	for {
		l, err := env.Groups(ctx, p)
		must(t, err)
		for _, g := range l.Items {
			got = append(got, g.Name)
		}
		pages++
		if p.Cursor = l.Next; p.Cursor == "" {
			break
		}
	}
	if !slices.Equal(got, want) || pages != 3 {
		t.Errorf("%v in %d pages", got, pages)
	}
	got = nil
	for g, err := range roster.EachPage(func(p roster.Paging) (*roster.Page[*roster.Group], error) {
		p.Limit = 2
		return env.Groups(ctx, p)
	}) {
		must(t, err)
		got = append(got, g.Name)
	}
	if !slices.Equal(got, want) {
		t.Error(got)
	}
	first, err := env.Groups(ctx, roster.Paging{Limit: 1})
	must(t, err)
	refusedField(t, only(env.Groups(ctx, roster.Paging{Limit: -1})), roster.FieldLimit, roster.ReasonNotPositive)
	refusedField(t, only(env.Groups(ctx, roster.Paging{Limit: 501})), roster.FieldLimit, roster.ReasonTooLong)
	refusedField(t, only(env.Groups(ctx, roster.Paging{Cursor: "x"})), roster.FieldCursor, roster.ReasonSyntax)
	refusedField(t, only(env.Members(ctx, 1, roster.Paging{Cursor: first.Next})), roster.FieldCursor, roster.ReasonSyntax)
	for _, err := range roster.EachPage(func(p roster.Paging) (*roster.Page[*roster.Group], error) {
		return env.Groups(ctx, roster.Paging{Limit: -1})
	}) {
		refusedField(t, err, roster.FieldLimit, roster.ReasonNotPositive)
	}
}

func TestRanks(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	ann, ben, cat := env.MustRegister("ann"), env.MustRegister("ben"), env.MustRegister("cat")
	must(t, env.SetRank(ctx, ann.ID, roster.RankAdmin))
	must(t, env.SetRank(ctx, ben.ID, roster.RankAdmin))
	must(t, env.SetRank(ctx, ben.ID, roster.RankTester))
	ranks, err := env.Ranks(ctx, ann.ID, ben.ID, cat.ID)
	must(t, err)
	if diff := cmp.Diff(map[roster.UserID]roster.Rank{ann.ID: roster.RankAdmin, ben.ID: roster.RankTester}, ranks); diff != "" {
		t.Error(diff)
	}
	must(t, env.SetRank(ctx, ben.ID, roster.RankUser))
	if in, err := env.InGroup(ctx, ben.ID, roster.GroupTester); in || err != nil {
		t.Error(in, err)
	}
	refusedField(t, env.SetRank(ctx, ben.ID, 3), roster.FieldState, roster.ReasonUnknown)
	for r, want := range map[roster.Rank]string{roster.RankUser: "user", roster.RankTester: "tester", roster.RankAdmin: "admin"} {
		if r.String() != want {
			t.Error(r)
		}
	}
}

// Every change of groups and grants is recorded, and what changes nothing is
// not.
func TestEventsOfGroups(t *testing.T) {
	store := memory.New()
	env := rostertest.NewOn(t, store, declare("vote"))
	ctx := t.Context()
	ann := env.MustRegister("ann")
	last := roster.EventID(0)
	step := func(what string, fn func() error, want ...roster.Event) {
		t.Helper()
		for range 2 { // the second time nothing changes
			must(t, fn())
			all, err := store.EventPage(ctx, roster.EventFilter{Limit: 100})
			must(t, err)
			var got []roster.Event
			for _, e := range slices.Backward(all) {
				if e.ID > last {
					got = append(got, roster.Event{Kind: e.Kind, User: e.User, Group: e.Group, Scope: e.Scope, Details: e.Details})
				}
			}
			last = all[0].ID
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", what, diff)
			}
			want = nil
			if what == "EditGroup" || what == "CreateGroup" || what == "DeleteGroup" {
				break
			}
		}
	}
	must(t, env.SetPassword(ctx, ann.ID, "another good password"))
	if all, err := store.EventPage(ctx, roster.EventFilter{Limit: 100}); err == nil && len(all) > 0 {
		last = all[0].ID
	}
	g := &roster.Group{Name: "Jury"}
	step("CreateGroup", func() error { return env.CreateGroup(ctx, g) }, roster.Event{Kind: roster.EventGroupCreated, Group: 1})
	step("EditGroup", func() error {
		return env.EditGroup(ctx, g.ID, func(g *roster.Group) error { g.Description = "x"; return nil })
	}, roster.Event{Kind: roster.EventGroupEdited, Group: g.ID, Details: roster.Data{"fields": []byte(`["description"]`)}})
	step("AddMember", func() error { return env.AddMember(ctx, g.ID, ann.ID, "") }, roster.Event{Kind: roster.EventMemberAdded, User: ann.ID, Group: g.ID})
	votes := roster.Data{"permissions": []byte(`["vote"]`)}
	step("Grant", func() error { return env.Grant(ctx, roster.ToUser(ann.ID), 5, "vote") },
		roster.Event{Kind: roster.EventGranted, User: ann.ID, Scope: 5, Details: votes})
	until := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	step("GrantDuring", func() error {
		return env.GrantDuring(ctx, roster.ToGroup(g.ID), 0, roster.Period{Until: until}, "vote")
	}, roster.Event{Kind: roster.EventGranted, Group: g.ID, Details: roster.Data{"permissions": []byte(`["vote"]`), "until": []byte(`"2030-01-02T03:04:05Z"`)}})
	step("Revoke", func() error { return env.Revoke(ctx, roster.ToUser(ann.ID), 5, "vote") },
		roster.Event{Kind: roster.EventRevoked, User: ann.ID, Scope: 5, Details: votes})
	step("RevokeAll", func() error { return env.RevokeAll(ctx, roster.ToGroup(g.ID), 0) },
		roster.Event{Kind: roster.EventRevoked, Group: g.ID, Details: votes})
	step("RemoveMember", func() error { return env.RemoveMember(ctx, g.ID, ann.ID) }, roster.Event{Kind: roster.EventMemberRemoved, User: ann.ID, Group: g.ID})
	step("DeleteGroup", func() error { return env.DeleteGroup(ctx, g.ID) }, roster.Event{Kind: roster.EventGroupDeleted, Group: g.ID})
}

// declare adds permissions of the host.
func declare(names ...roster.Permission) func(*roster.Options) {
	return func(o *roster.Options) {
		for _, name := range names {
			o.Permissions = append(o.Permissions, roster.PermissionInfo{Name: name})
		}
	}
}
