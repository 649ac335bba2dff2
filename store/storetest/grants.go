package storetest

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var grantCases = []testCase{
	{name: "Grant/RoundTrip", rule: "A grant comes out as it went in; put again, only its period changes, and only that counts.", run: grantRoundTrip},
	{name: "Grant/Delete", rule: "DeleteGrants deletes exactly the permissions of the subject in the scope.", run: grantDelete},
	{name: "Grant/Lists", rule: "GrantsOf lists by scope, then by the bytes of the permission; GrantsIn pages through a scope by ID.", run: grantLists},
	{name: "Grant/Missing", rule: "A grant to nobody is a conflict of the subject.", run: grantMissing},
	{name: "Grant/Prune", rule: "PruneGrants deletes at most limit grants that ended before that time, the first to end first.", run: grantPrune},
	{name: "Held/Grants", rule: "HeldGrants returns what a user has itself and through groups, in the scope and in scope 0, whenever it is good, by ID.", run: heldGrants},
	{name: "Held/Live", rule: "HeldGrants tells whether the user can sign in, and nobody else holds anything for the others.", run: heldLive},
	{name: "Held/Period", rule: "A grant is good from From on, strictly before Until.", run: heldPeriod},
	{name: "Held/All", rule: "HeldByAll returns what reaches the users, of the permission or of all, in the scopes.", run: heldByAll},
	{name: "Held/Holders", rule: "HoldersAfter returns the next holders by ID, each once, at most as many as asked for; Holds says the same of one user.", run: heldHolders},
	{name: "Held/Scopes", rule: "ScopesAfter returns the next scopes by ID, each once.", run: heldScopes},
	{name: "Held/Privileged", rule: "Privileged returns whom any grant reaches that is not over, in the scopes or anywhere.", run: heldPrivileged},
}

// noon is when the grants of the fixtures are good.
var noon = at(50 * time.Hour)

func grantRoundTrip(t *testing.T, s roster.Store) {
	ctx := t.Context()
	g, ann := insertGroup(t, s, group("a")), insert(t, s, user("ann"))
	for _, to := range []roster.Subject{roster.ToUser(ann.ID), roster.ToGroup(g.ID)} {
		want := grant(to, 7, "p")
		putGrants(t, s, want, "p")
		stored := got(s.GrantsOf(ctx, to))(t)
		want.ID = stored[0].ID
		filled(t, &want)
		same(t, "GrantsOf", stored, []*roster.Grant{&want})
		again := want
		again.ID, again.CreatedBy, again.CreatedAt = 0, 99, at(99*time.Hour)
		same(t, "the same again", got(s.PutGrants(ctx, again, "p"))(t), 0)
		same(t, "is as it was", got(s.GrantsOf(ctx, to))(t), []*roster.Grant{&want})
		for _, during := range [][2]time.Time{{}, {at(1)}, {{}, at(2)}, {at(1), at(2)}, {at(1), {}}} {
			again.From, again.Until = during[0], during[1]
			want.From, want.Until = micro(during[0]), micro(during[1])
			same(t, "with another period", got(s.PutGrants(ctx, again, "p"))(t), 1)
			same(t, "the grant", got(s.GrantsOf(ctx, to))(t), []*roster.Grant{&want})
		}
		same(t, "one of three is there", got(s.PutGrants(ctx, again, "p", "", "*"))(t), 2)
		same(t, "none", got(s.PutGrants(ctx, again))(t), 0)
		same(t, "all", permissions(got(s.GrantsOf(ctx, to))(t)), []roster.Permission{"", "*", "p"})
	}
}

// micro is a time as stores keep it.
func micro(t time.Time) time.Time { return t.Truncate(time.Microsecond) }

func permissions(gs []*roster.Grant) []roster.Permission {
	out := make([]roster.Permission, len(gs))
	for i, g := range gs {
		out[i] = g.Permission
	}
	return out
}

func grantDelete(t *testing.T, s roster.Store) {
	ctx := t.Context()
	g, ann, ben := insertGroup(t, s, group("a")), insert(t, s, user("ann")), insert(t, s, user("ben"))
	for _, to := range []roster.Subject{roster.ToUser(ann.ID), roster.ToUser(ben.ID), roster.ToGroup(g.ID)} {
		for _, scope := range []roster.ScopeID{0, 1} {
			putGrants(t, s, forever(to, scope), "", "p", "P", "q")
		}
	}
	of := roster.ToUser(ann.ID)
	same(t, "two of three", got(s.DeleteGrants(ctx, of, 1, "p", "", "x"))(t), 2)
	same(t, "again", got(s.DeleteGrants(ctx, of, 1, "p", ""))(t), 0)
	same(t, "none", got(s.DeleteGrants(ctx, of, 1))(t), 0)
	same(t, "nobody's", got(s.DeleteGrants(ctx, roster.ToUser(ben.ID+1000), 1, "p"))(t), 0)
	same(t, "what is left", permissions(got(s.GrantsOf(ctx, of))(t)), []roster.Permission{"", "P", "p", "q", "P", "q"})
	for _, other := range []roster.Subject{roster.ToUser(ben.ID), roster.ToGroup(g.ID)} {
		same(t, "of others", len(got(s.GrantsOf(ctx, other))(t)), 8)
	}
}

func grantLists(t *testing.T, s roster.Store) {
	ctx := t.Context()
	g, ann := insertGroup(t, s, group("a")), insert(t, s, user("ann"))
	var names []roster.Permission
	for _, key := range odd {
		names = append(names, roster.Permission(key))
	}
	of := roster.ToUser(ann.ID)
	for _, scope := range []roster.ScopeID{5, -1, 0} {
		putGrants(t, s, forever(of, scope), names...)
	}
	putGrants(t, s, forever(roster.ToGroup(g.ID), 5), "g")
	sorted := slices.Sorted(slices.Values(names))
	listed := got(s.GrantsOf(ctx, of))(t)
	same(t, "GrantsOf", permissions(listed), slices.Concat(sorted, sorted, sorted))
	if !slices.IsSortedFunc(listed, func(a, b *roster.Grant) int { return cmp.Compare(a.ScopeID, b.ScopeID) }) {
		t.Error("GrantsOf is not by scope")
	}
	var in []*roster.Grant
	after := roster.GrantID(0)
	for {
		page := got(s.GrantsIn(ctx, 5, after, 4))(t)
		in = append(in, page...)
		if len(page) < 4 {
			break
		}
		after = page[3].ID
	}
	same(t, "GrantsIn", len(in), len(odd)+1)
	if !slices.IsSortedFunc(in, func(a, b *roster.Grant) int { return cmp.Compare(a.ID, b.ID) }) {
		t.Error("GrantsIn is not by ID")
	}
	for _, one := range in {
		if one.ScopeID != 5 {
			t.Errorf("GrantsIn returns a grant of scope %d", one.ScopeID)
		}
	}
	same(t, "none asked for", got(s.GrantsIn(ctx, 5, 0, 0))(t), []*roster.Grant{})
	same(t, "of nobody", got(s.GrantsOf(ctx, roster.Subject{}))(t), []*roster.Grant{})
}

func grantPrune(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, g := insert(t, s, user("ann")), insertGroup(t, s, group("a"))
	now := at(10 * time.Hour)
	end := func(to roster.Subject, p roster.Permission, until time.Time) {
		one := forever(to, 1)
		one.Until = until
		putGrants(t, s, one, p)
	}
	toAnn := roster.ToUser(ann.ID)
	end(toAnn, "never", time.Time{})
	end(toAnn, "now", now)
	end(toAnn, "before", now.Add(-time.Microsecond))
	end(roster.ToGroup(g.ID), "long ago", at(0))
	end(toAnn, "longer ago", at(-time.Hour))
	end(toAnn, "longest ago", at(-2*time.Hour))
	end(toAnn, "longest ago", at(20*time.Hour)) // not any more
	end(toAnn, "later", at(30*time.Hour))
	end(toAnn, "later", time.Time{}) // never any more
	left := func() (names []roster.Permission) {
		for _, of := range []roster.Subject{toAnn, roster.ToGroup(g.ID)} {
			for _, one := range got(s.GrantsOf(ctx, of))(t) {
				names = append(names, one.Permission)
			}
		}
		return names
	}
	all := left()
	for _, limit := range []int{0, -1} {
		same(t, "none asked for", got(s.PruneGrants(ctx, now, limit))(t), 0)
	}
	same(t, "nothing is gone", left(), all)
	same(t, "pruned", got(s.PruneGrants(ctx, now, 2))(t), 2)
	same(t, "left", left(), []roster.Permission{"before", "later", "longest ago", "never", "now"})
	same(t, "pruned", got(s.PruneGrants(ctx, now, 2))(t), 1)
	same(t, "pruned again", got(s.PruneGrants(ctx, now, 2))(t), 0)
	same(t, "left", left(), []roster.Permission{"later", "longest ago", "never", "now"})
	same(t, "all that ever end", got(s.PruneGrants(ctx, at(10_000*time.Hour), 10))(t), 2)
	same(t, "left", left(), []roster.Permission{"later", "never"})
	same(t, "in the scope", len(got(s.GrantsIn(ctx, 1, 0, 10))(t)), 2)
}

func grantMissing(t *testing.T, s roster.Store) {
	ctx := t.Context()
	g, ann := insertGroup(t, s, group("a")), insert(t, s, user("ann"))
	for _, to := range []roster.Subject{roster.ToUser(ann.ID + 1000), roster.ToGroup(g.ID + 1000)} {
		conflicts(t, "nobody", only(s.PutGrants(ctx, forever(to, 0), "p")), roster.FieldSubject)
		same(t, "the grants", got(s.GrantsOf(ctx, to))(t), []*roster.Grant{})
	}
}

func heldGrants(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	a, b, none := insertGroup(t, s, group("a")), insertGroup(t, s, group("b")), insertGroup(t, s, group("none"))
	putMember(t, s, a, ann, ben)
	putMember(t, s, b, ann)
	over := forever(roster.ToGroup(a.ID), 3)
	over.From, over.Until = at(1*time.Hour), at(2*time.Hour)
	putGrants(t, s, over, "over")
	putGrants(t, s, forever(roster.ToUser(ann.ID), 0), "", "global")
	putGrants(t, s, forever(roster.ToUser(ann.ID), 3), "own")
	putGrants(t, s, forever(roster.ToUser(ann.ID), 4), "elsewhere")
	putGrants(t, s, forever(roster.ToGroup(b.ID), 0), "global")
	putGrants(t, s, forever(roster.ToGroup(a.ID), 4), "elsewhere")
	putGrants(t, s, forever(roster.ToUser(ben.ID), 3), "ben's")
	putGrants(t, s, forever(roster.ToGroup(none.ID), 3), "nobody's")
	name := func(h roster.Held) string {
		return string(h.Permission) + map[roster.GroupID]string{a.ID: " by a", b.ID: " by b"}[h.GroupID]
	}
	reaches := func(u roster.UserID, scope roster.ScopeID) (names []string) {
		held, _, err := s.HeldGrants(ctx, u, scope)
		ok(t, err)
		for i, h := range held {
			names = append(names, name(h))
			if h.UserID != u || h.ScopeID != 0 && h.ScopeID != scope || i > 0 && h.GrantID <= held[i-1].GrantID {
				t.Errorf("%+v in scope %d", h, scope)
			}
		}
		return names
	}
	same(t, "ann in 3", reaches(ann.ID, 3), []string{"over by a", "", "global", "own", "global by b"})
	same(t, "ann in 0", reaches(ann.ID, 0), []string{"", "global", "global by b"})
	same(t, "ann in 4", reaches(ann.ID, 4), []string{"", "global", "elsewhere", "global by b", "elsewhere by a"})
	same(t, "ben in 3", reaches(ben.ID, 3), []string{"over by a", "ben's"})
	same(t, "nobody", reaches(ben.ID+1000, 3), []string(nil))
	var all []string
	for _, h := range got(s.HeldAnywhere(ctx, ben.ID, ann.ID, ben.ID, ben.ID+1000))(t) {
		all = append(all, map[roster.UserID]string{ann.ID: "ann: ", ben.ID: "ben: "}[h.UserID]+name(h))
	}
	same(t, "both anywhere", all, []string{
		"ann: over by a", "ann: ", "ann: global", "ann: own", "ann: elsewhere", "ann: global by b", "ann: elsewhere by a",
		"ben: over by a", "ben: elsewhere by a", "ben: ben's",
	})
	same(t, "of nobody", got(s.HeldAnywhere(ctx))(t), []roster.Held{})
	held, _, err := s.HeldGrants(ctx, ben.ID, 3)
	ok(t, err)
	same(t, "the period", []time.Time{held[0].From, held[0].Until}, []time.Time{over.From, over.Until})
}

// dead are users who cannot sign in, for one reason each.
func dead(t *testing.T, s roster.Store) map[string]*roster.User {
	t.Helper()
	disabled, banned, locked := user("disabled"), user("banned"), user("locked")
	disabled.Enabled, banned.Flags, locked.Flags = false, roster.FlagBanned, roster.FlagLocked|roster.FlagInvisible
	all := map[string]*roster.User{}
	for _, u := range []*roster.User{disabled, banned, locked, pendingUser("pending"), deletedUser("deleted")} {
		all[u.NameKey] = insert(t, s, u)
	}
	return all
}

func heldLive(t *testing.T, s roster.Store) {
	ctx := t.Context()
	g := insertGroup(t, s, group("a"))
	ann, flagged := insert(t, s, user("ann")), user("flagged")
	flagged.Flags = roster.FlagPrivileged | roster.FlagInvisible | roster.FlagReadOnly | roster.FlagNeverClean | roster.FlagShowLogin
	insert(t, s, flagged)
	ghosts := dead(t, s)
	var users []roster.UserID
	live := map[roster.UserID]bool{ann.ID: true, flagged.ID: true}
	for _, u := range append([]*roster.User{ann, flagged}, ghosts["disabled"], ghosts["banned"], ghosts["locked"], ghosts["pending"], ghosts["deleted"]) {
		putGrants(t, s, forever(roster.ToUser(u.ID), 1), "p")
		putMember(t, s, g, u)
		users = append(users, u.ID)
	}
	putGrants(t, s, forever(roster.ToGroup(g.ID), 1), "q")
	for _, id := range users {
		held, can, err := s.HeldGrants(ctx, id, 1)
		ok(t, err)
		same(t, "how much reaches a user", len(held), 2)
		same(t, "can sign in", can, live[id])
		for _, p := range []roster.Permission{"p", "q"} {
			scopes := got(s.ScopesAfter(ctx, id, p, noon, 0, 10))(t)
			same(t, "somewhere", len(scopes) > 0, live[id])
		}
	}
	for _, p := range []roster.Permission{"p", "q"} {
		same(t, "holders", got(s.HoldersAfter(ctx, p, noon, 1, 1, 0, 10))(t), []roster.UserID{ann.ID, flagged.ID})
		for _, id := range users {
			same(t, "holds", got(s.Holds(ctx, id, p, noon, 1, 1))(t), live[id])
		}
		var by []roster.UserID
		for _, h := range got(s.HeldByAll(ctx, p, noon, []roster.ScopeID{0, 1}, users))(t) {
			by = append(by, h.UserID)
		}
		slices.Sort(by)
		same(t, "of all", by, []roster.UserID{ann.ID, flagged.ID})
	}
	slices.Sort(users)
	same(t, "privileged", got(s.Privileged(ctx, noon, nil, users...))(t), users)
	_, can, err := s.HeldGrants(ctx, users[len(users)-1]+1000, 1)
	ok(t, err)
	same(t, "nobody can sign in", can, false)
}

func heldPeriod(t *testing.T, s roster.Store) {
	ctx := t.Context()
	from, until := at(10*time.Hour), at(20*time.Hour)
	ann := insert(t, s, user("ann"))
	group := insertGroup(t, s, group("a"))
	ben := insert(t, s, user("ben"))
	putMember(t, s, group, ben)
	for _, to := range []roster.Subject{roster.ToUser(ann.ID), roster.ToGroup(group.ID)} {
		g := forever(to, 1)
		g.From = from
		putGrants(t, s, g, "from")
		g.From, g.Until = time.Time{}, until
		putGrants(t, s, g, "until")
		g.From = from
		putGrants(t, s, g, "during")
	}
	for _, c := range []struct {
		at                  time.Time
		from, until, during bool
	}{
		{from.Add(-time.Microsecond), false, true, false},
		{from, true, true, true},
		{until.Add(-time.Microsecond), true, true, true},
		{until, true, false, false},
	} {
		for _, u := range []roster.UserID{ann.ID, ben.ID} {
			for p, want := range map[roster.Permission]bool{"from": c.from, "until": c.until, "during": c.during} {
				n := 0
				if want {
					n = 1
				}
				same(t, string(p)+" of all", len(got(s.HeldByAll(ctx, p, c.at, []roster.ScopeID{1}, []roster.UserID{u}))(t)), n)
				same(t, string(p)+" in scopes", len(got(s.ScopesAfter(ctx, u, p, c.at, 0, 10))(t)), n)
				same(t, string(p)+" held", got(s.Holds(ctx, u, p, c.at, 1, 1))(t), want)
				same(t, string(p)+" of holders", len(got(s.HoldersAfter(ctx, p, c.at, 1, 1, u-1, 1))(t)), n)
			}
		}
	}
}

func heldByAll(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben, cat := insert(t, s, user("ann")), insert(t, s, user("ben")), insert(t, s, user("cat"))
	a, admin := insertGroup(t, s, group("a")), insertGroup(t, s, group("admin"))
	putMember(t, s, a, ann, ben)
	putMember(t, s, admin, cat)
	putGrants(t, s, forever(roster.ToUser(ann.ID), 1), "p", "other")
	putGrants(t, s, forever(roster.ToUser(ann.ID), 2), "p")
	putGrants(t, s, forever(roster.ToGroup(a.ID), 0), "p")
	putGrants(t, s, forever(roster.ToGroup(a.ID), 1), "*") // in another scope it is nothing
	putGrants(t, s, forever(roster.ToGroup(admin.ID), 0), "*")
	type hit struct {
		User, Group string
		Scope       roster.ScopeID
		P           roster.Permission
	}
	users := map[roster.UserID]string{ann.ID: "ann", ben.ID: "ben", cat.ID: "cat"}
	groups := map[roster.GroupID]string{a.ID: "a", admin.ID: "admin"}
	ask := func(scopes []roster.ScopeID, ids ...roster.UserID) []hit {
		var hits []hit
		for _, h := range got(s.HeldByAll(ctx, "p", noon, scopes, ids))(t) {
			if h.GrantID <= 0 {
				t.Errorf("the grant has no ID: %+v", h)
			}
			hits = append(hits, hit{users[h.UserID], groups[h.GroupID], h.ScopeID, h.Permission})
		}
		slices.SortFunc(hits, func(a, b hit) int {
			return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Scope, b.Scope))
		})
		return hits
	}
	same(t, "all", ask([]roster.ScopeID{0, 1, 3}, cat.ID, ann.ID, ben.ID, ann.ID, cat.ID+1000), []hit{
		{"ann", "", 1, "p"}, {"ann", "a", 0, "p"}, {"ben", "a", 0, "p"}, {"cat", "admin", 0, "*"},
	})
	same(t, "in scope 2", ask([]roster.ScopeID{2}, ann.ID, ben.ID), []hit{{"ann", "", 2, "p"}})
	same(t, "in no scope", ask(nil, ann.ID), []hit(nil))
	same(t, "of nobody", ask([]roster.ScopeID{0}), []hit(nil))
}

func heldHolders(t *testing.T, s roster.Store) {
	ctx := t.Context()
	var users []*roster.User
	var ids []roster.UserID
	for _, name := range []string{"u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7"} {
		users = append(users, insert(t, s, user(name)))
		ids = append(ids, users[len(users)-1].ID)
	}
	a, b, admin := insertGroup(t, s, group("a")), insertGroup(t, s, group("b")), insertGroup(t, s, group("admin"))
	putMember(t, s, a, users[1], users[2], users[4])
	putMember(t, s, b, users[4], users[5], users[6])
	putMember(t, s, admin, users[7])
	putGrants(t, s, forever(roster.ToGroup(a.ID), 1), "p")
	putGrants(t, s, forever(roster.ToGroup(b.ID), 0), "p")
	putGrants(t, s, forever(roster.ToGroup(b.ID), 1), "other", "*")
	putGrants(t, s, forever(roster.ToGroup(admin.ID), 0), "*")
	putGrants(t, s, forever(roster.ToUser(ids[3]), 1), "p")
	putGrants(t, s, forever(roster.ToUser(ids[2]), 1), "p")
	putGrants(t, s, forever(roster.ToUser(ids[0]), 2), "p")
	pick := func(which ...int) []roster.UserID {
		var out []roster.UserID
		for _, i := range which {
			out = append(out, ids[i])
		}
		return out
	}
	for _, c := range []struct {
		one, other roster.ScopeID
		want       []roster.UserID
	}{
		{1, 1, pick(1, 2, 3, 4, 7)}, {0, 0, pick(4, 5, 6, 7)}, {1, 0, pick(1, 2, 3, 4, 5, 6, 7)}, {2, 0, pick(0, 4, 5, 6, 7)}, {9, 9, pick(7)},
	} {
		for _, id := range ids {
			same(t, "holds", got(s.Holds(ctx, id, "p", noon, c.one, c.other))(t), slices.Contains(c.want, id))
			same(t, "holds what nobody has", got(s.Holds(ctx, id, "x", noon, c.one, c.other))(t), id == ids[7])
		}
		same(t, "nobody holds", got(s.Holds(ctx, ids[7]+1000, "p", noon, c.one, c.other))(t), false)
		same(t, "all holders", got(s.HoldersAfter(ctx, "p", noon, c.one, c.other, 0, 100))(t), c.want)
		for limit := 1; limit < 4; limit++ {
			var all []roster.UserID
			for after := roster.UserID(-5); ; after = all[len(all)-1] {
				page := got(s.HoldersAfter(ctx, "p", noon, c.one, c.other, after, limit))(t)
				all = append(all, page...)
				if len(page) < limit {
					break
				}
			}
			same(t, "the pages", all, c.want)
		}
	}
	same(t, "none asked for", got(s.HoldersAfter(ctx, "p", noon, 1, 0, 0, 0))(t), ids[:0])
	same(t, "of what nobody has", got(s.HoldersAfter(ctx, "x", noon, 1, 0, 0, 10))(t), pick(7))
}

func heldScopes(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	a := insertGroup(t, s, group("a"))
	putMember(t, s, a, ann)
	for _, scope := range []roster.ScopeID{5, 3, -2, 9, 0} {
		putGrants(t, s, forever(roster.ToUser(ann.ID), scope), "p", "q")
	}
	for _, scope := range []roster.ScopeID{3, 7} {
		putGrants(t, s, forever(roster.ToGroup(a.ID), scope), "p", "*")
	}
	want := []roster.ScopeID{-2, 0, 3, 5, 7, 9}
	same(t, "all", got(s.ScopesAfter(ctx, ann.ID, "p", noon, -100, 100))(t), want)
	same(t, "some", got(s.ScopesAfter(ctx, ann.ID, "p", noon, 0, 2))(t), want[2:4])
	same(t, "the rest", got(s.ScopesAfter(ctx, ann.ID, "p", noon, 5, 10))(t), want[4:])
	same(t, "of another", got(s.ScopesAfter(ctx, ann.ID, "q", noon, -100, 100))(t), []roster.ScopeID{-2, 0, 3, 5, 9})
	same(t, "of nobody's", got(s.ScopesAfter(ctx, ann.ID, "x", noon, -100, 100))(t), want[:0])
	same(t, "none asked for", got(s.ScopesAfter(ctx, ann.ID, "p", noon, -100, 0))(t), want[:0])
	putGrants(t, s, forever(roster.ToGroup(a.ID), 0), "*")
	same(t, "of everything", got(s.ScopesAfter(ctx, ann.ID, "x", noon, -100, 100))(t), []roster.ScopeID{0})
}

func heldPrivileged(t *testing.T, s roster.Store) {
	ctx := t.Context()
	var ids []roster.UserID
	for _, name := range []string{"plain", "empty", "in group", "elsewhere", "over", "yet to begin", "in an empty group"} {
		ids = append(ids, insert(t, s, user(name)).ID)
	}
	a, none := insertGroup(t, s, group("a")), insertGroup(t, s, group("none"))
	putMember(t, s, a, &roster.User{ID: ids[2]})
	putMember(t, s, none, &roster.User{ID: ids[6]})
	putGrants(t, s, forever(roster.ToUser(ids[1]), 0), "")
	putGrants(t, s, forever(roster.ToGroup(a.ID), 1), "p")
	putGrants(t, s, forever(roster.ToUser(ids[3]), 2), "p")
	over := forever(roster.ToUser(ids[4]), 1)
	over.Until = noon
	putGrants(t, s, over, "p")
	later := forever(roster.ToUser(ids[5]), 1)
	later.From, later.Until = noon.Add(time.Hour), noon.Add(2*time.Hour)
	putGrants(t, s, later, "p")
	for _, c := range []struct {
		scopes []roster.ScopeID
		want   []roster.UserID
	}{
		{nil, []roster.UserID{ids[1], ids[2], ids[3], ids[5]}},
		{[]roster.ScopeID{0}, []roster.UserID{ids[1]}},
		{[]roster.ScopeID{0, 1}, []roster.UserID{ids[1], ids[2], ids[5]}},
		{[]roster.ScopeID{2, 9}, []roster.UserID{ids[3]}},
	} {
		same(t, "privileged", got(s.Privileged(ctx, noon, c.scopes, ids...))(t), c.want)
	}
	same(t, "just before it was over", got(s.Privileged(ctx, noon.Add(-time.Microsecond), nil, ids[4], ids[4], ids[0]))(t), []roster.UserID{ids[4]})
	same(t, "of nobody", got(s.Privileged(ctx, noon, nil))(t), ids[:0])
}
