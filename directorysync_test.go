package roster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

// company is a directory of n people beside accounts.
func company(t testing.TB, n int) (*rostertest.Env, *rostertest.Directory) {
	t.Helper()
	d := rostertest.NewDirectory("corp")
	for i := range n {
		d.Put(directoryPassword, worker(i))
	}
	return rostertest.New(t, func(o *roster.Options) { o.Directories = []roster.Directory{d} }), d
}

func worker(i int) roster.Identity {
	name := fmt.Sprintf("worker%05d", i)
	return roster.Identity{
		Subject: fmt.Sprintf("subject-%05d", i), DN: "uid=" + name, Name: name, RealName: "Worker " + fmt.Sprint(i),
		Emails: []string{name + "@corp.example"}, EmailsVerified: true,
	}
}

func planSync(t testing.TB, env *rostertest.Env) *roster.Plan {
	t.Helper()
	p, err := env.PlanSync(context.Background(), "corp", roster.Brake{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func apply(t testing.TB, env *rostertest.Env, p *roster.Plan) roster.SyncReport {
	t.Helper()
	r, err := env.ApplySync(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSync(t *testing.T) {
	ctx := context.Background()
	env, d := company(t, 30)
	env.MustRegister("worker00007") // a local one of that name
	bad := worker(90)
	bad.Name = "not a name"
	d.Put("", bad)
	off := worker(91)
	off.Disabled = true
	d.Put("", off)
	p := planSync(t, env)
	if p.Count(roster.SyncCreate) != 29 || p.Count(roster.SyncSkip) != 2 || len(p.Steps) != 31 || p.Entries != 32 || p.Users != 0 {
		t.Fatal(p)
	}
	nobodyNew(t, env, 1) // it is but a plan
	r := apply(t, env, p)
	if diff := cmp.Diff(roster.SyncReport{Created: 29, Skipped: 2}, r); diff != "" {
		t.Error(diff)
	}
	nobodyNew(t, env, 30)
	u := signsIn(t, env, "worker00003", directoryPassword)
	wantEmails(t, env, u.ID, "worker00003@corp.example*")
	if diff := cmp.Diff(roster.SyncReport{Unchanged: 29, Skipped: 2}, apply(t, env, p)); diff != "" {
		t.Error("again:", diff)
	}
	if again := planSync(t, env); len(again.Steps) != 2 || again.Users != 29 {
		t.Error(again)
	}

	// One is gone, one disabled, one has changed, one is changed here meanwhile.
	d.Remove(worker(1).Subject)
	off = worker(2)
	off.Disabled = true
	d.Put("", off)
	changed := worker(3)
	changed.Name, changed.RealName = "renamed", "Renamed"
	d.Put(directoryPassword, changed)
	changed = worker(4)
	changed.Emails = nil
	d.Put(directoryPassword, changed)
	must(t, env.Disable(ctx, byName(t, env, "worker00005").ID))
	p = planSync(t, env)
	text := p.String()
	for _, line := range []string{
		"corp: 31 entries, 28 users; create 0, update 2, regroup 0, disable 2, skip 3",
		`disable user 3 ("subject-00001"): gone`, `disable user 4 "worker00002" ("subject-00002"): disabled`,
		`update user 5 "renamed" ("subject-00003"): name, real_name; loses name`, `update user 6 "worker00004" ("subject-00004"): email; loses email`,
		`skip user 7 "worker00005" ("subject-00005"): disabled_here`,
		`skip "worker00007" ("subject-00007"): name_taken`, `skip "not a name" ("subject-00090"): name_not_allowed`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
	raw, err := json.Marshal(p)
	must(t, err)
	kept := new(roster.Plan)
	must(t, json.Unmarshal(raw, kept))
	if diff := cmp.Diff(p, kept); diff != "" {
		t.Error(diff)
	}
	_, token, err := env.SignIn(ctx, "worker00004", directoryPassword)
	must(t, err) // which has taken over what is new already
	must(t, env.Edit(ctx, byName(t, env, "worker00001").ID, func(u *roster.User) error { u.RealName = "Edited"; return nil }))
	r = apply(t, env, kept)
	if r.Updated != 1 || r.Disabled != 1 || r.Unchanged != 1 || r.Skipped != 3 || len(r.Stale) != 1 || r.Stale[0].Subject != "subject-00001" {
		t.Errorf("%+v", r)
	}
	if s, err := env.Session(ctx, token.Reveal()); err != nil || s.User.Name != "worker00004" {
		t.Errorf("%v", err)
	}
	if u := byName(t, env, "renamed"); u.RealName != "Renamed" {
		t.Errorf("%+v", u)
	}
	if u := byName(t, env, "worker00002"); u.Enabled {
		t.Errorf("%+v", u)
	}
	if u := byName(t, env, "worker00001"); !u.Enabled {
		t.Errorf("%+v", u)
	}
	r = apply(t, env, planSync(t, env))
	if r.Disabled != 1 || len(r.Stale) != 0 {
		t.Errorf("%+v", r)
	}
	// Who comes back there is not enabled here.
	d.Put(directoryPassword, worker(1))
	if p = planSync(t, env); p.Count(roster.SyncUpdate)+p.Count(roster.SyncDisable)+p.Count(roster.SyncCreate) != 0 {
		t.Error(p)
	}
	_, err = env.Authenticate(ctx, "worker00001", directoryPassword)
	wantError(t, err, roster.ErrCredentials)
	healthy(t, env)
}

func byName(t *testing.T, env *rostertest.Env, name string) *roster.User {
	t.Helper()
	u, err := env.ByName(context.Background(), name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return u
}

// From a list that is not whole nothing follows.
func TestSyncOfHalfAList(t *testing.T) {
	ctx := context.Background()
	env, d := company(t, 20)
	apply(t, env, planSync(t, env))
	d.Fail(errors.New("the server is going down"))
	if p, err := env.PlanSync(ctx, "corp", roster.Brake{Percent: 100}); p != nil || !errors.Is(err, roster.ErrUnavailable) {
		t.Errorf("%v, %v", p, err)
	}
	d.Fail(nil)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if p, err := env.PlanSync(ended, "corp", roster.Brake{Percent: 100}); p != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", p, err)
	}
	for i := range 20 {
		d.Remove(worker(i).Subject)
	}
	if p, err := env.PlanSync(ctx, "corp", roster.Brake{Percent: 100}); p != nil || !errors.Is(err, roster.ErrUnavailable) {
		t.Errorf("an empty list: %v, %v", p, err)
	}
	for what, list := range map[string][]*roster.Identity{
		"no subject": {{Name: "a"}}, "nothing": {nil}, "twice": {{Subject: "1", Name: "a"}, {Subject: "1", Name: "b"}},
	} {
		env := rostertest.New(t, func(o *roster.Options) { o.Directories = []roster.Directory{lists{d, list}} })
		if p, err := env.PlanSync(ctx, "corp", roster.Brake{}); p != nil || !errors.Is(err, roster.ErrUnavailable) {
			t.Errorf("%s: %v, %v", what, p, err)
		}
	}
	_, err := env.PlanSync(ctx, "none", roster.Brake{})
	wantError(t, err, roster.ErrInvalid)
	mute := rostertest.New(t, func(o *roster.Options) { o.Directories = []roster.Directory{odds{d, nil}} })
	_, err = mute.PlanSync(ctx, "corp", roster.Brake{})
	wantError(t, err, roster.ErrInvalid)
}

// lists is a directory with that list.
type lists struct {
	roster.Directory
	list []*roster.Identity
}

func (l lists) All(context.Context) iter.Seq2[*roster.Identity, error] {
	return func(yield func(*roster.Identity, error) bool) {
		for _, id := range l.list {
			if !yield(id, nil) {
				return
			}
		}
	}
}

// The brake holds when the plan is made, and when it is applied.
func TestSyncBrake(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		users, gone int
		brake       roster.Brake
		ok          bool
	}{
		{100, 10, roster.Brake{}, true},
		{100, 11, roster.Brake{}, false},
		{400, 20, roster.Brake{}, true},
		{400, 21, roster.Brake{}, false},
		{9, 8, roster.Brake{}, true},
		{10, 3, roster.Brake{Users: 3}, true},
		{10, 4, roster.Brake{Users: 3}, false},
		{10, 4, roster.Brake{Percent: 40}, true},
		{10, 5, roster.Brake{Percent: 40}, false},
		{10, 0, roster.Brake{Users: -1}, true},
		{10, 1, roster.Brake{Users: -1}, false},
		{10, 9, roster.Brake{Users: 100}, true},
		{10, 10, roster.Brake{Users: 100}, false}, // all of them
		{10, 10, roster.Brake{Percent: 100}, true},
	} {
		env, d := company(t, c.users)
		apply(t, env, planSync(t, env))
		for i := range c.gone {
			d.Remove(worker(i).Subject)
		}
		d.Put("", worker(1000)) // somebody is left
		p, err := env.PlanSync(ctx, "corp", c.brake)
		if p == nil || (err == nil) != c.ok || p.Count(roster.SyncDisable) != c.gone {
			t.Errorf("%+v: %v, %v", c, p, err)
			continue
		}
		var brake *roster.BrakeError
		if !c.ok && (!errors.As(err, &brake) || brake.Disable != c.gone || brake.Users != c.users || !errors.Is(err, roster.ErrForbidden)) {
			t.Errorf("%+v: %v", c, err)
		}
		_, err = env.ApplySync(ctx, p)
		if (err == nil) != c.ok {
			t.Errorf("%+v: applied: %v", c, err)
		}
		off := 0
		for u, err := range env.All(ctx) {
			must(t, err)
			if !u.Enabled {
				off++
			}
		}
		if want := c.gone; c.ok && off != want || !c.ok && off != 0 {
			t.Errorf("%+v: %d are disabled", c, off)
		}
	}
}

// A plan that somebody has tampered with, or for other accounts, does no harm to
// who does not belong to the directory.
func TestSyncOfAnotherPlan(t *testing.T) {
	ctx := context.Background()
	env, _ := company(t, 3)
	local := env.MustRegister("local")
	id := worker(1)
	now := env.Clock.Now()
	p := &roster.Plan{Directory: "corp", MadeAt: now, Users: 100, Steps: []roster.PlanStep{
		{Action: roster.SyncDisable, User: local.ID, Version: local.Version, Subject: "subject-00001"},
		{Action: roster.SyncUpdate, User: local.ID, Version: local.Version, Subject: id.Subject, Identity: &id},
		{Action: roster.SyncUpdate, User: local.ID, Version: local.Version, Subject: id.Subject},
		{Action: roster.SyncDisable, User: 99, Version: 1, Subject: "subject-00001"},
	}}
	r, err := env.ApplySync(ctx, p)
	if err != nil || len(r.Stale) != 4 {
		t.Errorf("%+v, %v", r, err)
	}
	if u := byName(t, env, "local"); !u.Enabled || u.Version != local.Version {
		t.Errorf("%+v", u)
	}
	for _, p := range []*roster.Plan{
		{Directory: "none"},
		{Directory: "corp", MadeAt: now, Steps: []roster.PlanStep{{Action: "drop"}}},
		{Directory: "corp", MadeAt: now, Steps: []roster.PlanStep{{Action: roster.SyncCreate, Subject: "other", Identity: &id}}},
	} {
		_, err = env.ApplySync(ctx, p)
		wantError(t, err, roster.ErrInvalid)
	}
}

// askedStore counts the questions.
type askedStore struct {
	roster.Store
	n *int
}

func (s askedStore) IdentitiesAfter(ctx context.Context, provider, after string, limit int) ([]*roster.UserIdentity, error) {
	*s.n++
	return s.Store.IdentitiesAfter(ctx, provider, after, limit)
}

func (s askedStore) UsersByID(ctx context.Context, ids ...roster.UserID) ([]roster.Model, error) {
	*s.n++
	return s.Store.UsersByID(ctx, ids...)
}

func (s askedStore) ActivatedEmails(ctx context.Context, keys ...string) ([]*roster.UserEmail, error) {
	*s.n++
	return s.Store.ActivatedEmails(ctx, keys...)
}

// A plan asks a few questions for each page of people, and none for each person.
func TestSyncPages(t *testing.T) {
	var n int
	d := rostertest.NewDirectory("corp")
	for i := range 1200 {
		d.Put(directoryPassword, worker(i))
	}
	env := rostertest.NewOn(t, askedStore{memory.New(), &n}, func(o *roster.Options) { o.Directories = []roster.Directory{d} })
	apply(t, env, planSync(t, env))
	n = 0
	if p := planSync(t, env); len(p.Steps) != 0 || p.Users != 1200 {
		t.Error(p)
	}
	if n > 12 {
		t.Errorf("%d questions for 1,200 people", n)
	}
}

func BenchmarkPlanSync(b *testing.B) {
	const people = 10_000
	env, d := company(b, people)
	if r := apply(b, env, planSync(b, env)); r.Created != people {
		b.Fatal(r)
	}
	b.Run("read the list alone", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for range d.All(context.Background()) {
				n++
			}
		}
	})
	b.Run("plan of 10000", func(b *testing.B) {
		for b.Loop() {
			if p := planSync(b, env); len(p.Steps) != 0 {
				b.Fatal(p)
			}
		}
	})
}
