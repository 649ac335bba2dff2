package acceptance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/postgres"
)

func isNotFound(err error) bool { return errors.Is(err, roster.ErrNotFound) }

// elsewhere opens the same accounts as another process would.
func elsewhere(t *testing.T, w *world, changes ...func(*roster.Options)) *world {
	t.Helper()
	store := w.store
	switch s := store.(type) {
	case *sqliteStore:
		if s.path != ":memory:" {
			store = openSQLite(t, s.path)
		}
	case *postgresStore:
		other, err := postgres.Open(t.Context(), s.dsn, postgres.Prefix(s.prefix), postgres.PoolSize(2))
		w.must(err)
		t.Cleanup(func() { _ = other.Close() })
		store = other
	}
	return newWorld(t, store, append(changes, func(o *roster.Options) { o.Now = w.clock.Now })...)
}

// What one process takes away, another one refuses with the next question; one
// that answers from memory does after its bound, and what it writes itself it
// knows at once.
func TestRevokeIsSeenElsewhere(t *testing.T) {
	const bound = 30 * time.Second
	cached := func(o *roster.Options) { o.PermissionCache = bound }
	onEach(t, func(t *testing.T, k kind) {
		ctx := t.Context()
		w := newWorld(t, k.open(t), voting)
		there, remembers := elsewhere(t, w, voting), elsewhere(t, w, voting, cached)
		ann := w.active("ann", "ann@example.org")
		g := &roster.Group{Name: "jury"}
		w.must(w.CreateGroup(ctx, g))
		own, shared := roster.ToUser(ann.ID), roster.ToGroup(g.ID)
		for what, c := range map[string]struct{ on, off func(w *world) error }{
			"Revoke":  {func(w *world) error { return w.Grant(ctx, own, 1, "vote") }, func(w *world) error { return w.Revoke(ctx, own, 1, "vote") }},
			"Disable": {func(w *world) error { return errors.Join(w.Grant(ctx, own, 1, "vote"), w.Enable(ctx, ann.ID)) }, func(w *world) error { return w.Disable(ctx, ann.ID) }},
			"RemoveMember": {func(w *world) error {
				return errors.Join(w.Enable(ctx, ann.ID), w.Revoke(ctx, own, 1, "vote"), w.Grant(ctx, shared, 1, "vote"), w.AddMember(ctx, g.ID, ann.ID, ""))
			}, func(w *world) error { return w.RemoveMember(ctx, g.ID, ann.ID) }},
			"Revoke from the group": {func(w *world) error {
				return errors.Join(w.Enable(ctx, ann.ID), w.Revoke(ctx, own, 1, "vote"), w.Grant(ctx, shared, 1, "vote"), w.AddMember(ctx, g.ID, ann.ID, ""))
			}, func(w *world) error { return w.Revoke(ctx, shared, 1, "vote") }},
			"Ban": {func(w *world) error {
				return errors.Join(w.Grant(ctx, own, 1, "vote"), w.Enable(ctx, ann.ID), w.Edit(ctx, ann.ID, func(u *roster.User) error { u.Flags = 0; return nil }))
			}, func(w *world) error {
				return w.Edit(ctx, ann.ID, func(u *roster.User) error { u.Flags = roster.FlagBanned; return nil })
			}},
		} {
			may := func(w *world) bool {
				t.Helper()
				yes, err := w.Can(ctx, ann.ID, "vote", 1, roster.Either)
				w.must(err)
				return yes
			}
			for _, writer := range []*world{w, there, remembers} {
				w.must(w.Edit(ctx, ann.ID, func(u *roster.User) error { u.Flags = 0; return nil }))
				w.must(c.on(w))
				w.clock.Advance(bound)
				if !may(w) || !may(there) || !may(remembers) {
					t.Fatalf("%s: it was granted, and is not held", what)
				}
				w.must(c.off(writer))
				if may(w) || may(there) {
					t.Errorf("%s: is held after it was taken away", what)
				}
				if got := may(remembers); got != (writer != remembers) {
					t.Errorf("%s: from memory %v", what, got)
				}
				w.clock.Advance(bound - time.Microsecond)
				if got := may(remembers); got != (writer != remembers) {
					t.Errorf("%s: just within the bound %v", what, got)
				}
				w.clock.Advance(time.Microsecond)
				if may(remembers) {
					t.Errorf("%s: is held after the bound", what)
				}
			}
		}
	})
}

// In a transaction every question is asked anew, and one that is rolled back
// leaves nothing in memory.
func TestPermissionCacheAndTransactions(t *testing.T) {
	w := newWorld(t, kinds()[0].open(t), voting, func(o *roster.Options) { o.PermissionCache = time.Minute })
	ctx := t.Context()
	ann := w.active("ann", "ann@example.org")
	may := func(ctx context.Context) bool {
		t.Helper()
		yes, err := w.Can(ctx, ann.ID, "vote", 1, roster.Either)
		w.must(err)
		return yes
	}
	stop := errors.New("stop")
	if may(ctx) {
		t.Error("held at the beginning")
	}
	err := w.Atomic(ctx, func(inside context.Context) error {
		w.must(w.Grant(inside, roster.ToUser(ann.ID), 1, "vote"))
		if !may(inside) || may(ctx) {
			t.Error("inside not held, or outside")
		}
		return stop
	})
	if !errors.Is(err, stop) || may(ctx) {
		t.Errorf("after the rollback: %v", err)
	}
	w.must(w.Atomic(ctx, func(inside context.Context) error { return w.Grant(inside, roster.ToUser(ann.ID), 1, "vote") }))
	if !may(ctx) {
		t.Error("not held after the commit")
	}
	if _, err := w.Can(ctx, ann.ID, "votes", 1, roster.Either); !errors.Is(err, roster.ErrInvalid) {
		t.Errorf("an unknown name, from memory: %v", err)
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := w.Can(over, ann.ID, "vote", 1, roster.Either); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is over: %v", err)
	}
}

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
