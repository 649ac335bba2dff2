package acceptance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// oracle is what there is, kept in another way, and asked in the plainest one.
type oracle struct {
	now    time.Time
	users  []roster.UserID
	live   map[roster.UserID]bool
	admins map[roster.UserID]bool
	groups map[roster.GroupID]map[roster.UserID]bool
	grants map[mGrant]roster.Period
}

type mGrant struct {
	to    roster.Subject
	scope roster.ScopeID
	p     roster.Permission
}

// holds reports whether a grant of the permission in that very scope reaches the
// user now.
func (o *oracle) holds(u roster.UserID, p roster.Permission, scope roster.ScopeID) bool {
	if !o.live[u] {
		return false
	}
	for g, during := range o.grants {
		if g.scope != scope || g.p != p || g.to.User != u && !o.groups[g.to.Group][u] {
			continue
		}
		if (during.From.IsZero() || !during.From.After(o.now)) && (during.Until.IsZero() || during.Until.After(o.now)) {
			return true
		}
	}
	return false
}

func (o *oracle) can(u roster.UserID, p roster.Permission, scope roster.ScopeID, mode roster.Mode) bool {
	if o.live[u] && o.admins[u] {
		return true
	}
	return mode != roster.GlobalOnly && o.holds(u, p, scope) || mode != roster.ScopeOnly && o.holds(u, p, 0)
}

// TestQuestionsAgree changes groups and grants at random and asks every question
// in every way: all agree with a plain model, and Diff says before a change what
// it turns out to do.
func TestQuestionsAgree(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		rng := random(t)
		steps := k.some(240, 20_000)
		w := newWorld(t, k.open(t), voting)
		o := newOracle(t, w)
		for range steps {
			o.step(t, w, rng)
			if t.Failed() {
				return
			}
		}
	})
}

func newOracle(t *testing.T, w *world) *oracle {
	o := &oracle{
		live: map[roster.UserID]bool{}, admins: map[roster.UserID]bool{}, groups: map[roster.GroupID]map[roster.UserID]bool{},
		grants: map[mGrant]roster.Period{},
	}
	ctx := t.Context()
	for i := range 6 {
		u := w.active(fmt.Sprint("user", i), fmt.Sprintf("user%d@example.org", i))
		o.users, o.live[u.ID] = append(o.users, u.ID), true
	}
	w.must(w.SetRank(ctx, w.active("boss", "boss@example.org").ID, roster.RankAdmin)) // the last one stays
	for i := range 3 {
		g := &roster.Group{Name: fmt.Sprint("group ", i)}
		w.must(w.CreateGroup(ctx, g))
		o.groups[g.ID] = map[roster.UserID]bool{}
	}
	return o
}

func some[T any](rng *rand.Rand, of []T) T { return of[rng.IntN(len(of))] }

// step makes one change that is told to Diff before, and compares all answers.
func (o *oracle) step(t *testing.T, w *world, rng *rand.Rand) {
	t.Helper()
	ctx := t.Context()
	var groups []roster.GroupID
	for id := range o.groups {
		groups = append(groups, id)
	}
	slices.Sort(groups)
	u, g, scope, p := some(rng, o.users), some(rng, groups), roster.ScopeID(rng.IntN(3)), some(rng, []roster.Permission{"vote", "close"})
	to := roster.ToUser(u)
	if rng.IntN(2) == 0 {
		to = roster.ToGroup(g)
	}
	o.now = w.clock.Now()
	before := o.all()
	var change *roster.Change
	is := func(c roster.Change) { change = &c }
	var do func() error
	switch rng.IntN(9) {
	case 0, 1:
		during := roster.Period{}
		if rng.IntN(2) == 0 {
			during.From = o.now.Add(time.Duration(rng.IntN(3)-1) * time.Hour)
			during.Until = during.From.Add(time.Duration(1+rng.IntN(3)) * time.Hour)
		}
		is(roster.ChangeGrant(to, scope, during, p))
		o.grants[mGrant{to, scope, p}] = during
		do = func() error { return w.GrantDuring(ctx, to, scope, during, p) }
	case 2:
		is(roster.ChangeRevoke(to, scope, p))
		delete(o.grants, mGrant{to, scope, p})
		do = func() error { return w.Revoke(ctx, to, scope, p) }
	case 3, 4:
		is(roster.ChangeAddMember(g, u))
		o.groups[g][u] = true
		do = func() error { return w.AddMember(ctx, g, u, "") }
	case 5:
		is(roster.ChangeRemoveMember(g, u))
		delete(o.groups[g], u)
		do = func() error { return w.RemoveMember(ctx, g, u) }
	case 6:
		is(roster.ChangeDeleteGroup(g))
		do = func() error {
			if err := w.DeleteGroup(ctx, g); err != nil {
				return err
			}
			again := &roster.Group{Name: fmt.Sprint("group of ", g)}
			err := w.CreateGroup(ctx, again)
			o.groups[again.ID] = map[roster.UserID]bool{}
			return err
		}
		delete(o.groups, g)
		for grant := range o.grants {
			if grant.to.Group == g {
				delete(o.grants, grant)
			}
		}
	case 7:
		o.live[u] = !o.live[u]
		do = func() error {
			if o.live[u] {
				return w.Enable(ctx, u)
			}
			return w.Disable(ctx, u)
		}
	default:
		o.admins[u] = !o.admins[u]
		rank := roster.RankUser
		if o.admins[u] {
			rank = roster.RankAdmin
		}
		do = func() error { return w.SetRank(ctx, u, rank) }
	}
	if change != nil {
		o.compareDiff(t, w, before, o.all(), *change)
	}
	w.must(do())
	w.clock.Advance(20 * time.Minute)
	o.now = w.clock.Now()
	o.ask(t, w, some(rng, []roster.Permission{"vote", "close"}), roster.ScopeID(rng.IntN(3)), roster.Mode(rng.IntN(3)))
	w.post.take()
}

// all is who holds what where, but those who hold everything.
func (o *oracle) all() map[roster.Difference]bool {
	all := map[roster.Difference]bool{}
	for _, u := range o.users {
		for scope := range roster.ScopeID(3) {
			for _, p := range []roster.Permission{"vote", "close"} {
				if !o.admins[u] && o.holds(u, p, scope) {
					all[roster.Difference{User: u, Scope: scope, Permission: p}] = true
				}
			}
		}
	}
	return all
}

func (o *oracle) compareDiff(t *testing.T, w *world, before, after map[roster.Difference]bool, c roster.Change) {
	t.Helper()
	var want []roster.Difference
	for d := range before {
		if !after[d] {
			want = append(want, d)
		}
	}
	for d := range after {
		if !before[d] {
			d.Gains = true
			want = append(want, d)
		}
	}
	n := 0
	for d, err := range w.Diff(t.Context(), c) {
		w.must(err)
		if !slices.Contains(want, d) {
			t.Errorf("Diff says %+v, want %+v", d, want)
		}
		n++
	}
	if n != len(want) {
		t.Errorf("Diff says %d things, want %+v", n, want)
	}
}

// ask compares all answers about a permission in a scope.
func (o *oracle) ask(t *testing.T, w *world, p roster.Permission, scope roster.ScopeID, mode roster.Mode) {
	t.Helper()
	ctx := t.Context()
	var asks []roster.Ask
	var who []roster.UserID
	for _, u := range o.users {
		want := o.can(u, p, scope, mode)
		if want {
			who = append(who, u)
		}
		asks = append(asks, roster.Ask{User: u, Scope: scope}, roster.Ask{User: u, Scope: 2})
		may, err := w.Can(ctx, u, p, scope, mode)
		w.must(err)
		e, err := w.Explain(ctx, u, p, scope, mode)
		w.must(err)
		ps, err := w.Permissions(ctx, u, scope, mode)
		w.must(err)
		if may != want || e.Allowed != want || slices.Contains(ps, p) != want {
			t.Errorf("user %d, %s in %d, mode %d: Can %v, Explain %v, Permissions %v, want %v", u, p, scope, mode, may, e, ps, want)
		}
		where, err := w.WhereCan(ctx, u, p, roster.Paging{})
		w.must(err)
		var scopes []roster.ScopeID
		for s := range roster.ScopeID(3) {
			if o.holds(u, p, s) || s == 0 && o.live[u] && o.admins[u] {
				scopes = append(scopes, s)
			}
		}
		if !slices.Equal(where.Items, scopes) {
			t.Errorf("WhereCan of user %d says %v, want %v", u, where.Items, scopes)
		}
	}
	all, err := w.CanAll(ctx, p, mode, asks...)
	w.must(err)
	for i, a := range asks {
		if want := o.can(a.User, p, a.Scope, mode); all[i] != want {
			t.Errorf("CanAll says %v of %+v, want %v", all[i], a, want)
		}
	}
	var listed []roster.UserID
	for id, err := range roster.EachPage(func(page roster.Paging) (*roster.Page[roster.UserID], error) {
		page.Limit = 2
		return w.WhoCan(ctx, p, scope, mode, page)
	}) {
		w.must(err)
		if slices.Contains(o.users, id) { // and not the boss
			listed = append(listed, id)
		}
	}
	if !slices.Equal(listed, who) {
		t.Errorf("WhoCan says %v, want %v", listed, who)
	}
}
