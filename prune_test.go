package roster_test

import (
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// Prune leaves those alone whom somebody has given a place or a right, and takes
// the rights away that are over long enough.
func TestPruneAndGrants(t *testing.T) {
	env := rostertest.New(t, declare("vote"))
	ctx := t.Context()
	invite := func(name string) roster.UserID {
		u, err := env.Invite(ctx, roster.NewUser{Name: name, Email: name + "@example.org"})
		must(t, err)
		return u.ID
	}
	granted, placed, gone := invite("granted"), invite("placed"), invite("gone")
	jury := mustGroup(t, env.Users, "Jury")
	must(t, env.AddMember(ctx, jury.ID, placed, ""))
	must(t, env.Grant(ctx, roster.ToUser(granted), 7, "vote"))
	ends := env.Clock.Now().Add(30 * 24 * time.Hour)
	must(t, env.GrantDuring(ctx, roster.ToGroup(jury.ID), 0, roster.Period{Until: ends}, "vote"))
	grants := func(want int) {
		t.Helper()
		if left, err := env.GrantsOf(ctx, roster.ToGroup(jury.ID)); err != nil || len(left) != want {
			t.Errorf("%d grants are left, not %d: %v", len(left), want, err)
		}
	}

	env.Clock.Advance(60 * 24 * time.Hour) // 30 days after the end
	p, err := env.Prune(ctx, roster.Budget{})
	must(t, err)
	if p.Users != 1 || p.Grants != 0 {
		t.Errorf("at the last moment: %+v", p)
	}
	grants(1)
	for id, want := range map[roster.UserID]bool{granted: true, placed: true, gone: false} {
		if _, err := env.ByID(ctx, id); (err == nil) != want {
			t.Errorf("user %d is there: %v", id, err)
		}
	}
	env.Clock.Advance(time.Microsecond)
	p, err = env.Prune(ctx, roster.Budget{})
	must(t, err)
	if p.Grants != 1 || p.Total() != 1 {
		t.Errorf("and after it: %+v", p)
	}
	grants(0)
	page, err := env.Events(ctx, roster.EventQuery{Kind: roster.EventPruned, Limit: 1})
	must(t, err)
	if n, _ := roster.Field[int]("grants").In(page.Items[0].Details); n != 1 {
		t.Error(page.Items[0])
	}

	keep := rostertest.New(t, declare("vote"), func(o *roster.Options) { o.GrantKeep = -1 })
	ann := keep.MustRegister("ann")
	must(t, keep.GrantDuring(ctx, roster.ToUser(ann.ID), 0, roster.Period{Until: keep.Clock.Now().Add(time.Hour)}, "vote"))
	keep.Clock.Advance(300 * 24 * time.Hour)
	p, err = keep.Prune(ctx, roster.Budget{})
	must(t, err)
	if left, _ := keep.GrantsOf(ctx, roster.ToUser(ann.ID)); p.Grants != 0 || len(left) != 1 {
		t.Errorf("for ever: %+v", p)
	}
}
