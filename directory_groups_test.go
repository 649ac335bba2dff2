package roster_test

import (
	"context"
	"slices"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

func wantGroups(t *testing.T, env *rostertest.Env, id roster.UserID, want ...string) {
	t.Helper()
	of, err := env.GroupsOf(context.Background(), id)
	must(t, err)
	var got []string
	for _, g := range of[id] {
		got = append(got, g.Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("groups %q, want %q", got, want)
	}
}

// What the allow-list names follows the directory, both ways; nothing else does.
func TestDirectoryGroups(t *testing.T) {
	ctx := context.Background()
	env, d := inCorp(t)
	groups := map[string]*roster.Group{}
	for _, name := range []string{"Staff", "writers", "own"} {
		g := &roster.Group{Name: name}
		must(t, env.CreateGroup(ctx, g))
		groups[name] = g
	}
	admins, err := env.BuiltInGroup(ctx, roster.GroupAdmin)
	must(t, err)
	must(t, env.AddMember(ctx, admins.ID, env.MustRegister("boss").ID, ""))
	is := func(names ...string) {
		id := annInCorp()
		id.Groups = names
		d.Put(directoryPassword, id)
	}
	is("cn=staff", "cn=admins", "own", "Staff", "admin")
	u := signsIn(t, env, "ann", directoryPassword)
	wantGroups(t, env, u.ID) // nothing is mapped
	d.Map(map[string]string{"cn=staff": "staff", "cn=writers": "writers", "cn=editors": "writers", "cn=admins": "admin", "cn=none": "no such", "cn=bad": "\n"})
	must(t, env.AddMember(ctx, groups["own"].ID, u.ID, ""))
	must(t, env.AddMember(ctx, groups["writers"].ID, u.ID, "by hand"))
	signsIn(t, env, "ann", directoryPassword)
	wantGroups(t, env, u.ID, "admin", "own", "Staff")
	if ok, err := env.Can(ctx, u.ID, roster.PermEditUser, 0, roster.GlobalOnly); err != nil || !ok {
		t.Errorf("%v, %v", ok, err)
	}
	is("cn=editors", "cn=none", "cn=bad", "CN=STAFF")
	signsIn(t, env, "ann", directoryPassword)
	wantGroups(t, env, u.ID, "own", "writers")
	if ok, err := env.Can(ctx, u.ID, roster.PermEditUser, 0, roster.GlobalOnly); err != nil || ok {
		t.Errorf("%v, %v", ok, err)
	}
	version := byName(t, env, "ann").Version
	signsIn(t, env, "ann", directoryPassword)
	if byName(t, env, "ann").Version != version {
		t.Error("a sign-in that says nothing new has written the user")
	}

	// The plan says the same.
	is("cn=staff")
	d.Put(directoryPassword, worker(1))
	extra := worker(2)
	extra.Groups = []string{"cn=writers", "cn=unknown"}
	d.Put(directoryPassword, extra)
	p := planSync(t, env)
	if p.Count(roster.SyncRegroup) != 1 || p.Count(roster.SyncCreate) != 2 {
		t.Fatal(p)
	}
	for _, s := range p.Steps {
		if s.Action == roster.SyncRegroup && (!slices.Equal(s.Join, []string{"Staff"}) || !slices.Equal(s.Leave, []string{"writers"})) {
			t.Errorf("%+v", s)
		}
	}
	if r := apply(t, env, p); r.Regrouped != 1 || r.Created != 2 {
		t.Errorf("%+v", r)
	}
	if r := apply(t, env, p); r.Unchanged != 3 {
		t.Errorf("%+v", r)
	}
	wantGroups(t, env, u.ID, "own", "Staff")
	wantGroups(t, env, byName(t, env, "worker00002").ID, "writers")
	if p := planSync(t, env); len(p.Steps) > 0 {
		t.Error(p)
	}
	must(t, env.DeleteGroup(ctx, groups["Staff"].ID))
	signsIn(t, env, "ann", directoryPassword)
	wantGroups(t, env, u.ID, "own")
}

// The last administrator stays one, and comes in, whatever the directory says.
func TestDirectoryLastAdmin(t *testing.T) {
	env, d := inCorp(t)
	d.Map(map[string]string{"cn=admins": roster.GroupAdmin})
	id := annInCorp()
	id.Groups = []string{"cn=admins"}
	d.Put(directoryPassword, id)
	u := signsIn(t, env, "ann", directoryPassword)
	wantGroups(t, env, u.ID, "admin")
	d.Put(directoryPassword, annInCorp())
	signsIn(t, env, "ann", directoryPassword)
	wantGroups(t, env, u.ID, "admin")
	d.Remove(annInCorp().Subject)
	d.Put(directoryPassword, worker(1))
	p, err := env.PlanSync(context.Background(), "corp", roster.Brake{Percent: 100})
	must(t, err)
	if r := apply(t, env, p); len(r.Stale) != 1 || r.Disabled != 0 || r.Created != 1 {
		t.Errorf("%+v", r)
	}
}
