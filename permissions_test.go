package roster_test

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

// answers reports whether Can says what is wanted.
func answers(t testing.TB, us *roster.Users, want bool, user roster.UserID, p roster.Permission, scope roster.ScopeID, mode roster.Mode) {
	t.Helper()
	got, err := us.Can(t.Context(), user, p, scope, mode)
	if err != nil || got != want {
		t.Errorf("may user %d %s in scope %d, mode %d: %v, %v", user, p, scope, mode, got, err)
	}
}

func TestCanModes(t *testing.T) {
	env := rostertest.New(t, declare("vote"))
	ctx := t.Context()
	ann, ben, cat, root := env.MustRegister("ann"), env.MustRegister("ben"), env.MustRegister("cat"), env.MustRegister("rut")
	jury := mustGroup(t, env.Users, "Jury", ben)
	must(t, env.Grant(ctx, roster.ToUser(ann.ID), 0, "vote"))
	must(t, env.Grant(ctx, roster.ToGroup(jury.ID), 7, "vote"))
	must(t, env.SetRank(ctx, root.ID, roster.RankAdmin))
	must(t, env.SetRank(ctx, env.MustRegister("max").ID, roster.RankAdmin)) // the last one stays
	for _, c := range []struct {
		user                   roster.UserID
		scope                  roster.ScopeID
		global, scoped, either bool
	}{
		{ann.ID, 0, true, true, true},
		{ann.ID, 7, true, false, true},
		{ben.ID, 0, false, false, false},
		{ben.ID, 7, false, true, true},
		{ben.ID, 8, false, false, false},
		{cat.ID, 7, false, false, false},
		{root.ID, 0, true, true, true},
		{root.ID, 7, true, true, true},
		{9999, 7, false, false, false},
	} {
		answers(t, env.Users, c.global, c.user, "vote", c.scope, roster.GlobalOnly)
		answers(t, env.Users, c.scoped, c.user, "vote", c.scope, roster.ScopeOnly)
		answers(t, env.Users, c.either, c.user, "vote", c.scope, roster.Either)
		answers(t, env.Users, c.user == root.ID, c.user, roster.PermEditUser, c.scope, roster.Either)
	}
	must(t, env.Edit(ctx, ann.ID, func(u *roster.User) error { u.Name = "anna"; return nil }))
	answers(t, env.Users, true, ann.ID, "vote", 0, roster.Either) // a right hangs on no name
	must(t, env.RemoveMember(ctx, jury.ID, ben.ID))
	answers(t, env.Users, false, ben.ID, "vote", 7, roster.Either)
	must(t, env.SetRank(ctx, root.ID, roster.RankUser))
	answers(t, env.Users, false, root.ID, "vote", 7, roster.Either)
}

func TestWhoCannotSignInHoldsNothing(t *testing.T) {
	env := rostertest.New(t, declare("vote"))
	ctx := t.Context()
	ann, root := env.MustRegister("ann"), env.MustRegister("rut")
	must(t, env.Grant(ctx, roster.ToUser(ann.ID), 0, "vote"))
	must(t, env.SetRank(ctx, root.ID, roster.RankAdmin))
	must(t, env.SetRank(ctx, env.MustRegister("max").ID, roster.RankAdmin)) // the last one stays
	flag := func(on bool, f roster.Flags) func(*roster.User) error {
		return func(u *roster.User) error {
			u.Flags &^= f
			if on {
				u.Flags |= f
			}
			return nil
		}
	}
	for _, u := range []*roster.User{ann, root} {
		for what, c := range map[string]struct{ off, on func() error }{
			"disabled": {func() error { return env.Disable(ctx, u.ID) }, func() error { return env.Enable(ctx, u.ID) }},
			"deleted":  {func() error { return env.Delete(ctx, u.ID) }, func() error { return env.Restore(ctx, u.ID) }},
			"banned":   {func() error { return env.Edit(ctx, u.ID, flag(true, roster.FlagBanned)) }, func() error { return env.Edit(ctx, u.ID, flag(false, roster.FlagBanned)) }},
			"locked":   {func() error { return env.Edit(ctx, u.ID, flag(true, roster.FlagLocked)) }, func() error { return env.Edit(ctx, u.ID, flag(false, roster.FlagLocked)) }},
		} {
			answers(t, env.Users, true, u.ID, "vote", 0, roster.Either)
			must(t, c.off())
			answers(t, env.Users, false, u.ID, "vote", 0, roster.Either)
			if ps, err := env.Permissions(ctx, u.ID, 0, roster.Either); err != nil || len(ps) > 0 {
				t.Errorf("%s: %v %v", what, ps, err)
			}
			must(t, c.on())
			answers(t, env.Users, true, u.ID, "vote", 0, roster.Either)
		}
	}
}

func TestGrantPeriods(t *testing.T) {
	env := rostertest.New(t, declare("vote"))
	ctx := t.Context()
	ann := env.MustRegister("ann")
	now := env.Clock.Now()
	to := roster.ToUser(ann.ID)
	must(t, env.GrantDuring(ctx, to, 0, roster.Period{From: now.Add(time.Hour), Until: now.Add(2 * time.Hour)}, "vote"))
	for range 4 {
		answers(t, env.Users, env.Clock.Now().Equal(now.Add(time.Hour)) || env.Clock.Now().Equal(now.Add(90*time.Minute)), ann.ID, "vote", 0, roster.Either)
		env.Clock.Advance(30 * time.Minute)
	}
	answers(t, env.Users, false, ann.ID, "vote", 0, roster.Either)
	must(t, env.Grant(ctx, to, 0, "vote"))
	answers(t, env.Users, true, ann.ID, "vote", 0, roster.Either)
	must(t, env.GrantDuring(ctx, to, 0, roster.Period{Until: now}, "vote"))
	answers(t, env.Users, false, ann.ID, "vote", 0, roster.Either)
	refusedField(t, env.GrantDuring(ctx, to, 0, roster.Period{From: now, Until: now}, "vote"), roster.FieldPeriod, roster.ReasonTooShort)
}

// What nobody has declared is an error where it is written or asked for, and
// nothing where it is read.
func TestUnknownPermissions(t *testing.T) {
	store := memory.New()
	var log strings.Builder
	env := rostertest.NewOn(t, store, declare("vote"), logTo(&log))
	ctx := t.Context()
	ann := env.MustRegister("ann")
	to := roster.ToUser(ann.ID)
	for _, name := range []roster.Permission{"unknown", "", "*", "VOTE", "edit_user "} {
		for what, err := range map[string]error{
			"Grant":    env.Grant(ctx, to, 0, "vote", name),
			"Revoke":   env.Revoke(ctx, to, 0, name),
			"Can":      only(env.Can(ctx, ann.ID, name, 0, roster.Either)),
			"CanAll":   only(env.CanAll(ctx, name, roster.Either)),
			"WhoCan":   only(env.WhoCan(ctx, name, 0, roster.Either, roster.Paging{})),
			"WhereCan": only(env.WhereCan(ctx, ann.ID, name, roster.Paging{})),
			"Explain":  only(env.Explain(ctx, ann.ID, name, 0, roster.Either)),
		} {
			t.Log(what)
			refusedField(t, err, roster.FieldPermission, roster.ReasonUnknown)
		}
	}
	refusedField(t, only(env.Can(ctx, ann.ID, "vote", 0, 3)), roster.FieldMode, roster.ReasonUnknown)
	refusedField(t, only(env.Can(ctx, 0, "vote", 0, roster.Either)), roster.FieldID, roster.ReasonNotPositive)
	if grants, err := env.GrantsOf(ctx, to); err != nil || len(grants) != 0 {
		t.Errorf("some of it was granted: %v, %v", grants, err)
	}
	if _, err := store.PutGrants(ctx, roster.Grant{Subject: to, CreatedAt: time.Now()}, "vote", "old", "*"); err != nil {
		t.Fatal(err)
	}
	must(t, env.Revoke(ctx, to, 0, "vote"))
	if _, err := store.DeleteGrants(ctx, to, 0, "*"); err != nil {
		t.Fatal(err)
	}
	ps, err := env.Permissions(ctx, ann.ID, 0, roster.Either)
	if err != nil || len(ps) != 0 || !strings.Contains(log.String(), "not declared") {
		t.Errorf("%v, %v, log %q", ps, err, log.String())
	}
	if grants, err := env.GrantsOf(ctx, to); err != nil || len(grants) != 0 {
		t.Errorf("%v, %v", grants, err)
	}
	must(t, env.RevokeAll(ctx, to, 0))
	if rows, err := store.GrantsOf(ctx, to); err != nil || len(rows) != 0 {
		t.Errorf("RevokeAll leaves %v, %v", rows, err)
	}
}

func TestDeclaredPermissions(t *testing.T) {
	infos := []roster.PermissionInfo{{Name: "vote", Description: "Vote."}, {Name: "close", Privileged: "priv_close"}, {Name: "priv_close"}}
	env := rostertest.New(t, func(o *roster.Options) { o.Permissions = infos })
	all := env.DeclaredPermissions()
	if diff := cmp.Diff(infos, all[len(all)-3:]); diff != "" || all[0].Name != roster.PermCreateUser {
		t.Error(diff, all[0])
	}
	all[0].Name = "scribble"
	if env.DeclaredPermissions()[0].Name != roster.PermCreateUser {
		t.Error("the registry can be changed from outside")
	}
	for _, wrong := range [][]roster.PermissionInfo{
		{{Name: ""}},
		{{Name: "*"}},
		{{Name: "Vote"}},
		{{Name: "a b"}},
		{{Name: "1a"}},
		{{Name: roster.Permission(strings.Repeat("a", 65))}},
		{{Name: "vote"}, {Name: "vote"}},
		{{Name: roster.PermEditUser}},
		{{Name: "vote", Privileged: "priv_vote"}},
	} {
		if _, err := roster.New(memory.New(), &roster.Options{Permissions: wrong}); err == nil || !strings.Contains(err.Error(), "Permissions") {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}

func TestGrantsAreSets(t *testing.T) {
	env := rostertest.New(t, declare("a", "b", "c"))
	ctx := t.Context()
	ann := env.MustRegister("ann")
	jury := mustGroup(t, env.Users, "Jury")
	for _, to := range []roster.Subject{roster.ToUser(ann.ID), roster.ToGroup(jury.ID)} {
		list := func() (ps []roster.Permission) {
			grants, err := env.GrantsOf(ctx, to)
			must(t, err)
			for _, g := range grants {
				if g.Subject != to || g.ScopeID != 3 {
					t.Errorf("%+v", g)
				}
				ps = append(ps, g.Permission)
			}
			return ps
		}
		must(t, env.Grant(ctx, to, 3, "b", "a", "b"))
		must(t, env.Grant(ctx, to, 3, "a"))
		must(t, env.Grant(ctx, to, 3))
		must(t, env.Revoke(ctx, to, 3, "b", "c"))
		must(t, env.Revoke(ctx, to, 3, "b"))
		if got := list(); !slices.Equal(got, []roster.Permission{"", "a"}) {
			t.Errorf("%v", got)
		}
		must(t, env.Revoke(ctx, to, 3))
		must(t, env.Revoke(ctx, to, 4, "a"))
		if got := list(); !slices.Equal(got, []roster.Permission{"a"}) {
			t.Errorf("%v", got)
		}
		must(t, env.RevokeAll(ctx, to, 4))
		must(t, env.RevokeAll(ctx, to, 3))
		if got := list(); len(got) != 0 {
			t.Errorf("%v", got)
		}
	}
	for _, s := range []roster.Subject{{}, {User: ann.ID, Group: jury.ID}} {
		refusedField(t, env.Grant(ctx, s, 0, "a"), roster.FieldSubject, roster.ReasonEmpty)
		refusedField(t, env.Revoke(ctx, s, 0, "a"), roster.FieldSubject, roster.ReasonEmpty)
	}
	for _, s := range []roster.Subject{roster.ToUser(1000), roster.ToGroup(1000)} {
		for _, err := range []error{env.Grant(ctx, s, 0, "a"), env.Revoke(ctx, s, 0, "a"), env.RevokeAll(ctx, s, 0)} {
			if !errors.Is(err, roster.ErrNotFound) {
				t.Errorf("%s: %v", s, err)
			}
		}
	}
	// The built-in group keeps what makes it one.
	must(t, env.SetRank(ctx, ann.ID, roster.RankAdmin))
	admin, err := env.BuiltInGroup(ctx, roster.GroupAdmin)
	must(t, err)
	must(t, env.RevokeAll(ctx, roster.ToGroup(admin.ID), 0))
	answers(t, env.Users, true, ann.ID, "a", 9, roster.ScopeOnly)
	if l, err := env.GrantsIn(ctx, 0, roster.Paging{}); err != nil || len(l.Items) != 0 {
		t.Errorf("%v, %v", l, err)
	}
}

func TestIsPrivileged(t *testing.T) {
	env := rostertest.New(t, declare("a"))
	ctx := t.Context()
	plain, flagged, empty, member, gone := env.MustRegister("plain"), env.MustRegister("flagged"), env.MustRegister("empty"), env.MustRegister("member"), env.MustRegister("gone")
	must(t, env.Edit(ctx, flagged.ID, func(u *roster.User) error { u.Flags = roster.FlagPrivileged; return nil }))
	must(t, env.Grant(ctx, roster.ToUser(empty.ID), 5))
	must(t, env.Grant(ctx, roster.ToGroup(mustGroup(t, env.Users, "Jury", member).ID), 6, "a"))
	must(t, env.Disable(ctx, member.ID)) // what it holds comes back with it
	must(t, env.Delete(ctx, gone.ID))
	ids := []roster.UserID{plain.ID, flagged.ID, empty.ID, member.ID, gone.ID, 1000}
	for _, c := range []struct {
		scopes []roster.ScopeID
		want   map[roster.UserID]bool
	}{
		{nil, map[roster.UserID]bool{plain.ID: false, flagged.ID: true, empty.ID: true, member.ID: true}},
		{[]roster.ScopeID{5}, map[roster.UserID]bool{plain.ID: false, flagged.ID: true, empty.ID: true, member.ID: false}},
		{[]roster.ScopeID{0}, map[roster.UserID]bool{plain.ID: false, flagged.ID: true, empty.ID: false, member.ID: false}},
		{[]roster.ScopeID{6, 5, 6}, map[roster.UserID]bool{plain.ID: false, flagged.ID: true, empty.ID: true, member.ID: true}},
	} {
		got, err := env.IsPrivileged(ctx, ids, c.scopes...)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("in %v: %v %s", c.scopes, err, diff)
		}
	}
}

func TestExplain(t *testing.T) {
	env := rostertest.New(t, declare("vote"))
	ctx := t.Context()
	ann := env.MustRegister("ann")
	jury := mustGroup(t, env.Users, "Jury", ann)
	explain := func(scope roster.ScopeID, mode roster.Mode) *roster.Explanation {
		t.Helper()
		e, err := env.Explain(ctx, ann.ID, "vote", scope, mode)
		must(t, err)
		answers(t, env.Users, e.Allowed, ann.ID, "vote", scope, mode)
		return e
	}
	e := explain(3, roster.Either)
	want := &roster.Grant{Subject: roster.ToUser(ann.ID), ScopeID: 3, Permission: "vote"}
	if diff := cmp.Diff(want, e.Missing); diff != "" || e.Allowed || !e.CanLogin || e.By != nil || e.Otherwise != nil {
		t.Errorf("%+v %s", e, diff)
	}
	if e := explain(3, roster.GlobalOnly); e.Missing.ScopeID != 0 {
		t.Errorf("%+v", e.Missing)
	}
	must(t, env.GrantDuring(ctx, roster.ToUser(ann.ID), 3, roster.Period{Until: env.Clock.Now().Add(-time.Hour)}, "vote"))
	must(t, env.Grant(ctx, roster.ToGroup(jury.ID), 0, "vote"))
	e = explain(3, roster.Either)
	if len(e.By) != 1 || e.By[0].Group.Name != "Jury" || e.By[0].ScopeID != 0 || len(e.Otherwise) != 1 || e.Otherwise[0].Group != nil || e.Missing != nil {
		t.Errorf("%+v", e)
	}
	says := func(e *roster.Explanation, want string) {
		t.Helper()
		if e.String() != want {
			t.Errorf("%s\nnot\n%s", e, want)
		}
	}
	ended := env.Clock.Now().Add(-time.Hour).UTC().Format(time.DateTime) + " UTC"
	says(e, "user 1 may vote in scope 3: grant 2 of vote in scope 0 (global) through group 1; grant 1 of vote in scope 3 ended at "+ended)
	e = explain(3, roster.ScopeOnly)
	if e.Allowed || len(e.Otherwise) != 2 || e.Missing == nil {
		t.Errorf("%v", e)
	}
	says(e, "user 1 may not vote in scope 3: grant 1 of vote in scope 3 ended at "+ended+
		"; grant 2 of vote in scope 0 (global) through group 1 does not count: the question is what is held in the scope itself"+
		"; what is missing is a grant of vote to user 1 in scope 3")
	ben := &roster.User{Name: "ben"}
	must(t, env.Create(ctx, ben))
	begins := env.Clock.Now().Add(time.Hour)
	must(t, env.GrantDuring(ctx, roster.ToUser(ben.ID), 0, roster.Period{From: begins}, "vote"))
	must(t, env.GrantDuring(ctx, roster.ToUser(ben.ID), 3, roster.Period{Until: begins}, "vote"))
	of := func(scope roster.ScopeID, mode roster.Mode) *roster.Explanation {
		t.Helper()
		e, err := env.Explain(ctx, ben.ID, "vote", scope, mode)
		must(t, err)
		return e
	}
	says(of(3, roster.GlobalOnly), "user 2 may not vote in scope 3: the user is not activated; grant 3 of vote in scope 0 (global) begins at "+
		begins.UTC().Format(time.DateTime)+" UTC; grant 4 of vote in scope 3 does not count: the question is what is held globally"+
		"; what is missing is a grant of vote to user 2 in scope 0 (global)")
	says(of(3, roster.ScopeOnly), "user 2 may not vote in scope 3: the user is not activated; grant 4 of vote in scope 3 until "+
		begins.UTC().Format(time.DateTime)+" UTC waits for that to change; grant 3 of vote in scope 0 (global) begins at "+begins.UTC().Format(time.DateTime)+" UTC")
	must(t, env.Edit(ctx, ben.ID, func(u *roster.User) error { u.Flags |= roster.FlagBanned | roster.FlagLocked; return nil }))
	must(t, env.Disable(ctx, ben.ID))
	if e := of(7, roster.Either); strings.Join(e.Bars, " ") != "not activated disabled banned locked" || e.Missing == nil || e.Missing.ScopeID != 7 || e.Allowed {
		t.Errorf("%v", e)
	}
	must(t, env.SetRank(ctx, ann.ID, roster.RankAdmin))
	if e := explain(9, roster.ScopeOnly); len(e.By) != 1 || e.By[0].Group.Name != roster.GroupAdmin || !strings.Contains(e.String(), " of everything in scope 0 (global) through group ") {
		t.Errorf("%v", e)
	}
	must(t, env.SetRank(ctx, env.MustRegister("max").ID, roster.RankAdmin)) // the last one stays
	must(t, env.Disable(ctx, ann.ID))
	if e := explain(3, roster.Either); e.Allowed || e.CanLogin || len(e.By) != 2 || e.Missing != nil || !strings.Contains(e.String(), ": the user is disabled; grant ") {
		t.Errorf("%v", e)
	}
	if _, err := env.Explain(ctx, 1000, "vote", 0, roster.Either); !errors.Is(err, roster.ErrNotFound) {
		t.Error(err)
	}
}

func TestDiff(t *testing.T) {
	env := rostertest.New(t, declare("a", "b"))
	ctx := t.Context()
	ann, ben, off := env.MustRegister("ann"), env.MustRegister("ben"), env.MustRegister("off")
	jury := mustGroup(t, env.Users, "Jury", ann, off)
	must(t, env.Grant(ctx, roster.ToGroup(jury.ID), 1, "a"))
	must(t, env.Grant(ctx, roster.ToUser(ann.ID), 1, "b"))
	must(t, env.Disable(ctx, off.ID))
	diff := func(want []roster.Difference, changes ...roster.Change) {
		t.Helper()
		var got []roster.Difference
		for d, err := range env.Diff(ctx, changes...) {
			must(t, err)
			got = append(got, d)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	ever := roster.Period{}
	diff([]roster.Difference{{ann.ID, 1, "a", false}}, roster.ChangeDeleteGroup(jury.ID))
	diff([]roster.Difference{{ann.ID, 1, "a", false}}, roster.ChangeRemoveMember(jury.ID, ann.ID))
	diff([]roster.Difference{{ben.ID, 1, "a", true}}, roster.ChangeAddMember(jury.ID, ben.ID))
	diff(nil, roster.ChangeGrant(roster.ToGroup(jury.ID), 1, ever, "b"))
	diff([]roster.Difference{{ann.ID, 0, "b", true}, {ann.ID, 1, "a", false}, {ben.ID, 0, "b", true}},
		roster.ChangeAddMember(jury.ID, ben.ID), roster.ChangeGrant(roster.ToGroup(jury.ID), 0, ever, "b"),
		roster.ChangeRevoke(roster.ToGroup(jury.ID), 1, "a"))
	diff(nil, roster.ChangeGrant(roster.ToUser(ben.ID), 0, roster.Period{From: env.Clock.Now().Add(time.Hour)}, "b"))
	diff([]roster.Difference{{ann.ID, 1, "b", false}}, roster.ChangeGrant(roster.ToUser(ann.ID), 1, roster.Period{Until: env.Clock.Now()}, "b"))
	admin, err := env.BuiltInGroup(ctx, roster.GroupAdmin)
	must(t, err)
	diff([]roster.Difference{{ann.ID, 0, "*", true}}, roster.ChangeAddMember(admin.ID, ann.ID))
	must(t, env.AddMember(ctx, admin.ID, ann.ID, ""))
	diff(nil, roster.ChangeDeleteGroup(jury.ID)) // who holds everything loses nothing
	for what, c := range map[string]struct {
		change roster.Change
		want   error
	}{
		"nobody":     {roster.ChangeGrant(roster.ToUser(1000), 0, ever, "a"), roster.ErrNotFound},
		"no group":   {roster.ChangeDeleteGroup(1000), roster.ErrNotFound},
		"no member":  {roster.ChangeAddMember(jury.ID, 1000), roster.ErrNotFound},
		"unknown":    {roster.ChangeRevoke(roster.ToUser(ann.ID), 0, "x"), roster.ErrInvalid},
		"no subject": {roster.Change{}, roster.ErrInvalid},
	} {
		n := 0
		for _, err := range env.Diff(ctx, c.change) {
			if n++; !errors.Is(err, c.want) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d pairs", what, n)
		}
	}
}

// logTo makes the log of the accounts go to b.
func logTo(b *strings.Builder) func(*roster.Options) {
	return func(o *roster.Options) { o.Logger = slog.New(slog.NewTextHandler(b, nil)) }
}
