package roster_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// inStaff is ann in the group that her directory gives, besides a boss.
func inStaff(t *testing.T) (*rostertest.Env, *rostertest.Directory, *roster.Group) {
	t.Helper()
	ctx := context.Background()
	env, d := inCorp(t)
	admins, err := env.BuiltInGroup(ctx, roster.GroupAdmin)
	must(t, err)
	must(t, env.AddMember(ctx, admins.ID, env.MustRegister("boss").ID, ""))
	staff := &roster.Group{Name: "Staff"}
	must(t, env.CreateGroup(ctx, staff))
	d.Map(map[string]string{"cn=staff": "staff"})
	return env, d, staff
}

func annIn(d *rostertest.Directory, groups ...string) {
	id := annInCorp()
	id.Groups = groups
	d.Put(directoryPassword, id)
}

// A plan gives nobody back what was taken away since it was made.
func TestSyncOfGroupsThatMoved(t *testing.T) {
	ctx := context.Background()
	free := roster.Brake{Percent: 100}
	for what, c := range map[string]struct {
		before, planned []string // what the directory says
		since           func(env *rostertest.Env, d *rostertest.Directory, staff *roster.Group, u *roster.User) error
		want            []string
	}{
		"the directory has given it and taken it away": {nil, []string{"cn=staff"}, func(env *rostertest.Env, d *rostertest.Directory, _ *roster.Group, _ *roster.User) error {
			_, err := env.Authenticate(ctx, "ann", directoryPassword)
			annIn(d)
			_, err2 := env.Authenticate(ctx, "ann", directoryPassword)
			return errors.Join(err, err2)
		}, nil},
		"an administrator has given it and taken it away": {nil, []string{"cn=staff"}, func(env *rostertest.Env, _ *rostertest.Directory, staff *roster.Group, u *roster.User) error {
			return errors.Join(env.AddMember(ctx, staff.ID, u.ID, ""), env.RemoveMember(ctx, staff.ID, u.ID))
		}, nil},
		"it was taken away": {[]string{"cn=staff"}, []string{"cn=staff"}, func(env *rostertest.Env, _ *rostertest.Directory, staff *roster.Group, u *roster.User) error {
			return env.RemoveMember(ctx, staff.ID, u.ID)
		}, nil},
		"it was taken away and given back": {[]string{"cn=staff"}, nil, func(env *rostertest.Env, _ *rostertest.Directory, staff *roster.Group, u *roster.User) error {
			return errors.Join(env.RemoveMember(ctx, staff.ID, u.ID), env.AddMember(ctx, staff.ID, u.ID, ""))
		}, []string{"Staff"}},
	} {
		env, d, staff := inStaff(t)
		annIn(d, c.before...)
		signsIn(t, env, "ann", directoryPassword)
		u := signsIn(t, env, "ann", directoryPassword) // the first one moves the version itself
		id := annInCorp()
		id.Groups, id.RealName = c.planned, "Ann of the plan"
		d.Put(directoryPassword, id)
		d.Put(directoryPassword, worker(1))
		p, err := env.PlanSync(ctx, "corp", free)
		must(t, err)
		if what == "the directory has given it and taken it away" {
			annIn(d, c.planned...) // so that the name is no reason for a new version
		}
		must(t, c.since(env, d, staff, u))
		r, err := env.ApplySync(ctx, p)
		if err != nil || len(r.Stale) != 1 || r.Stale[0].Why != "changed" || r.Created != 1 {
			t.Errorf("%s: %+v, %v", what, r, err)
		}
		wantGroups(t, env, u.ID, c.want...)
	}
}

// Nor does it take an address that the directory has named since, or bring back what it
// said before.
func TestSyncOfAddressesThatMoved(t *testing.T) {
	env, d := inCorp(t)
	signsIn(t, env, "ann", directoryPassword)
	u := signsIn(t, env, "ann", directoryPassword)
	id := annInCorp()
	id.Emails = id.Emails[:1]
	d.Put(directoryPassword, id)
	d.Put("", worker(1))
	p, err := env.PlanSync(context.Background(), "corp", roster.Brake{Percent: 100})
	must(t, err)
	id.Emails = []string{"Ann@corp.example", "ann.example@corp.example", "new@corp.example"}
	d.Put(directoryPassword, id)
	env.Clock.Advance(time.Minute)
	signsIn(t, env, "ann", directoryPassword)
	if r := apply(t, env, p); len(r.Stale) != 1 {
		t.Errorf("%+v", r)
	}
	wantEmails(t, env, u.ID, "Ann@corp.example* ann.example@corp.example new@corp.example")

	id.Data = roster.Data{"phone": []byte(`"18"`)}
	d.Put(directoryPassword, id)
	p, err = env.PlanSync(context.Background(), "corp", roster.Brake{Percent: 100})
	must(t, err)
	for _, phone := range []string{`"18"`, `"19"`} {
		id.Data = roster.Data{"phone": []byte(phone)}
		d.Put(directoryPassword, id)
		signsIn(t, env, "ann", directoryPassword)
	}
	apply(t, env, p)
	if ids, err := env.Identities(context.Background(), u.ID); err != nil || string(ids[0].Data["phone"]) != `"19"` {
		t.Errorf("%v, %v", ids, err)
	}
}

// The version of a user moves with the groups that the directory rules, and with no
// others.
func TestVersionOfRuledGroups(t *testing.T) {
	ctx := context.Background()
	env, d, staff := inStaff(t)
	u := signsIn(t, env, "ann", directoryPassword)
	own := &roster.Group{Name: "own"}
	must(t, env.CreateGroup(ctx, own))
	version := func() int64 { return byName(t, env, "ann").Version }
	before := version()
	must(t, env.AddMember(ctx, own.ID, u.ID, ""))
	must(t, env.RemoveMember(ctx, staff.ID, u.ID)) // who is not in it
	if version() != before {
		t.Error("a group of the program's own, or nothing at all, has moved the version")
	}
	must(t, env.AddMember(ctx, staff.ID, u.ID, ""))
	if version() == before {
		t.Error("AddMember has not moved the version")
	}
	before = version()
	must(t, env.RemoveMember(ctx, staff.ID, u.ID))
	if version() == before {
		t.Error("RemoveMember has not moved the version")
	}
	d.Map(map[string]string{"cn=testers": roster.GroupTester})
	before = version()
	must(t, env.SetRank(ctx, u.ID, roster.RankTester))
	if version() == before {
		t.Error("SetRank has not moved the version")
	}
}

// The brake counts everybody whom the plan would take something from.
func TestSyncBrakeCountsLosses(t *testing.T) {
	ctx := context.Background()
	for what, c := range map[string]struct {
		change func(*roster.Identity)
		want   roster.BrakeError
	}{
		"addresses":       {func(id *roster.Identity) { id.Emails = nil }, roster.BrakeError{Emails: 11, Users: 40}},
		"another address": {func(id *roster.Identity) { id.Emails = []string{"new" + id.Emails[0]} }, roster.BrakeError{Emails: 11, Users: 40}},
		"groups":          {func(id *roster.Identity) { id.Groups = nil }, roster.BrakeError{Groups: 11, Users: 40}},
		"names":           {func(id *roster.Identity) { id.Name = "other." + id.Name }, roster.BrakeError{Names: 11, Users: 40}},
		"all three": {
			func(id *roster.Identity) { id.Name, id.Emails, id.Groups = "other."+id.Name, nil, nil },
			roster.BrakeError{Names: 11, Emails: 11, Groups: 11, Users: 40},
		},
		"no more than the spelling": {func(id *roster.Identity) { id.Name = "W" + id.Name[1:] }, roster.BrakeError{}},
		"nothing":                   {func(id *roster.Identity) { id.RealName, id.Locale = "Other", "fr" }, roster.BrakeError{}},
		"an address more":           {func(id *roster.Identity) { id.Emails = append(id.Emails, "2"+id.Emails[0]) }, roster.BrakeError{}},
	} {
		env, d := company(t, 0)
		staff := &roster.Group{Name: "staff"}
		must(t, env.CreateGroup(ctx, staff))
		d.Map(map[string]string{"cn=staff": "staff"})
		put := func(n int, change func(*roster.Identity)) {
			for i := range 40 {
				id := worker(i)
				id.Groups = []string{"cn=staff"}
				if i < n {
					change(&id)
				}
				d.Put(directoryPassword, id)
			}
		}
		put(0, nil)
		apply(t, env, planSync(t, env))
		put(10, c.change)
		apply(t, env, planSync(t, env)) // ten may
		put(0, nil)
		back, err := env.PlanSync(ctx, "corp", roster.Brake{Percent: 100})
		must(t, err)
		apply(t, env, back)
		put(11, c.change)
		p, err := env.PlanSync(ctx, "corp", roster.Brake{})
		var brake *roster.BrakeError
		if !errors.As(err, &brake) {
			if err != nil || c.want.Users != 0 {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		if *brake != c.want || !errors.Is(err, roster.ErrForbidden) {
			t.Errorf("%s: %+v, %v", what, *brake, err)
		}
		_, err = env.ApplySync(ctx, p)
		wantError(t, err, roster.ErrForbidden)
		p.Brake = roster.Brake{Users: 11}
		if r := apply(t, env, p); r.Updated+r.Regrouped != 11 {
			t.Errorf("%s: %+v", what, r)
		}
	}
	want := "roster: of 40 users the plan would disable 1, and take a name from 2, an address from 3, a group from 4"
	if got := (&roster.BrakeError{Disable: 1, Names: 2, Emails: 3, Groups: 4, Users: 40}).Error(); got != want {
		t.Error(got)
	}
}

// Whom an administrator has removed since the plan was made does not come back by it.
func TestSyncBringsNobodyBack(t *testing.T) {
	ctx := context.Background()
	for what, c := range map[string]struct {
		since func(env *rostertest.Env) error
		why   string
	}{
		"purged": {func(env *rostertest.Env) error {
			u, err := env.Authenticate(ctx, "worker00001", directoryPassword)
			if err != nil {
				return err
			}
			return env.Purge(ctx, u.ID)
		}, "purged"},
		"deleted": {func(env *rostertest.Env) error {
			u, err := env.Authenticate(ctx, "worker00001", directoryPassword)
			if err != nil {
				return err
			}
			return env.Delete(ctx, u.ID)
		}, "deleted"},
		"somebody of the name was purged": {func(env *rostertest.Env) error {
			return env.Purge(ctx, env.MustRegister("worker00001").ID)
		}, "purged"},
		"somebody of the name was deleted": {func(env *rostertest.Env) error {
			return env.Delete(ctx, env.MustRegister("worker00001").ID)
		}, "deleted"},
	} {
		d := rostertest.NewDirectory("corp")
		d.Put(directoryPassword, worker(1))
		env := rostertest.New(t, func(o *roster.Options) { o.Directories, o.NameHold = []roster.Directory{d}, -1 })
		must(t, env.Purge(ctx, env.MustRegister("before").ID)) // which the plan knows of
		p := planSync(t, env)
		must(t, c.since(env))
		r := apply(t, env, p)
		if r.Created != 0 || len(r.Stale) != 1 || r.Stale[0].Why != c.why {
			t.Errorf("%s: %+v", what, r)
		}
		if _, err := env.ByName(ctx, "worker00001"); !errors.Is(err, roster.ErrNotFound) {
			t.Errorf("%s: came back: %v", what, err)
		}
		if what == "purged" { // a new plan says what the directory says
			if r := apply(t, env, planSync(t, env)); r.Created != 1 {
				t.Errorf("%s: %+v", what, r)
			}
		}
	}

	// An account that nobody has ever activated may go on its own: that is no reason.
	d := rostertest.NewDirectory("corp")
	d.Put(directoryPassword, worker(1))
	env := rostertest.New(t, func(o *roster.Options) { o.Directories = []roster.Directory{d} })
	_, err := env.Register(ctx, roster.NewUser{Name: "pending", Email: "p@example.org", Password: herPassword})
	must(t, err)
	env.Clock.Advance(8*24*time.Hour - time.Minute)
	p := planSync(t, env)
	env.Clock.Advance(2 * time.Minute)
	gone := 0
	for range 3 {
		pruned, err := env.Prune(ctx, roster.Budget{Rows: 100})
		must(t, err)
		gone += pruned.Users
	}
	if gone != 1 {
		t.Fatalf("%d accounts were pruned", gone)
	}
	if r := apply(t, env, p); r.Created != 1 {
		t.Errorf("%+v", r)
	}
}

// A plan is good for a day.
func TestSyncOfAnOldPlan(t *testing.T) {
	ctx := context.Background()
	env, _ := company(t, 3)
	p := planSync(t, env)
	for _, at := range []time.Time{{}, p.MadeAt.Add(-24*time.Hour - time.Second), p.MadeAt.Add(2 * time.Minute)} {
		old := *p
		old.MadeAt = at
		_, err := env.ApplySync(ctx, &old)
		wantError(t, err, roster.ErrStale)
	}
	nobodyNew(t, env, 0)
	env.Clock.Advance(24 * time.Hour)
	if r := apply(t, env, p); r.Created != 3 {
		t.Errorf("%+v", r)
	}
}

// Each step that is not to be done says why, and the others are done.
func TestSyncSaysWhy(t *testing.T) {
	ctx := context.Background()
	env, d := company(t, 6)
	d.Map(map[string]string{"cn=admins": roster.GroupAdmin})
	boss := worker(0)
	boss.Groups = []string{"cn=admins"}
	d.Put(directoryPassword, boss)
	apply(t, env, planSync(t, env))
	for i := range 4 {
		d.Remove(worker(i).Subject)
	}
	d.Put("", worker(10))
	p := planSync(t, env)
	must(t, env.Edit(ctx, byName(t, env, "worker00001").ID, func(u *roster.User) error { u.RealName = "Edited"; return nil }))
	must(t, env.Purge(ctx, byName(t, env, "worker00002").ID))
	must(t, env.UnlinkDirectory(ctx, byName(t, env, "worker00003").ID))
	r := apply(t, env, p)
	var got []string
	for _, s := range r.Stale {
		got = append(got, string(s.Action)+" "+s.Subject+" "+s.Why)
	}
	want := []string{
		"disable subject-00000 last_admin", "disable subject-00001 changed", "disable subject-00002 gone", "disable subject-00003 changed",
		"create subject-00010 purged",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
