package roster_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

// officer is ann, who is no administrator, at the door of the administrators
// and with these permissions, and ben, who is nobody.
func officer(t *testing.T, env *rostertest.Env, ps ...roster.Permission) (hers *roster.Users, ann, ben *roster.User) {
	t.Helper()
	ann, ben = env.MustUser(t), env.MustUser(t)
	must(t, env.Grant(t.Context(), roster.ToUser(ann.ID), 0, append(ps, roster.PermMasterLogin)...))
	return env.For(roster.Actor{User: ann.ID, Level: roster.LevelAdmin}), ann, ben
}

// What somebody does not hold they do not take from others either, by a period
// that is over or otherwise, nor what makes others safe from them.
func TestNobodyIsMadeWeaker(t *testing.T) {
	ctx := t.Context()
	env := rostertest.New(t)
	hers, _, ben := officer(t, env, roster.PermEditGrants, roster.PermEditGroups, roster.PermEditPasswd)
	must(t, env.Grant(ctx, roster.ToUser(ben.ID), 0, roster.PermDeleteUser))
	over := roster.Period{Until: env.Clock.Now()}
	wantError(t, hers.GrantDuring(ctx, roster.ToUser(ben.ID), 0, over, roster.PermDeleteUser), roster.ErrForbidden)
	wantError(t, hers.SetPassword(ctx, ben.ID, "another fine password"), roster.ErrForbidden)

	cat := env.MustUser(t)
	must(t, env.Grant(ctx, roster.ToUser(cat.ID), 7))
	wantError(t, hers.Revoke(ctx, roster.ToUser(cat.ID), 7), roster.ErrForbidden)
	wantError(t, hers.RevokeAll(ctx, roster.ToUser(cat.ID), 7), roster.ErrForbidden)
	wantError(t, hers.SetPassword(ctx, cat.ID, "another fine password"), roster.ErrForbidden)
	wantError(t, hers.Grant(ctx, roster.ToUser(env.MustUser(t).ID), 7), roster.ErrForbidden)
}

// The group of a name that a directory or a program goes by is no other group
// tomorrow, for who could not join it.
func TestGroupsKeepTheirNames(t *testing.T) {
	ctx := t.Context()
	env := rostertest.New(t)
	hers, ann, _ := officer(t, env, roster.PermEditGroups)
	staff := &roster.Group{Name: "staff"}
	must(t, env.CreateGroup(ctx, staff))
	must(t, env.Grant(ctx, roster.ToGroup(staff.ID), 0, roster.PermEditUser))
	wantError(t, hers.EditGroup(ctx, staff.ID, func(g *roster.Group) error { g.Name = "old"; return nil }), roster.ErrForbidden)
	must(t, hers.EditGroup(ctx, staff.ID, func(g *roster.Group) error { g.Description = "the staff"; return nil }))
	wantError(t, hers.SetRank(ctx, ann.ID, roster.RankAdmin), roster.ErrForbidden)
}

// Edit is no way around Enable, Disable and the link to a directory.
func TestEditAsksForWhatOtherVerbsDo(t *testing.T) {
	ctx := t.Context()
	env := rostertest.New(t)
	hers, ann, ben := officer(t, env, roster.PermCreateUser, roster.PermEditUser, roster.PermPrivEditUser)
	must(t, env.Grant(ctx, roster.ToUser(ben.ID), 0, roster.PermEditPasswd))
	must(t, env.Edit(ctx, ben.ID, func(u *roster.User) error { u.Flags |= roster.FlagBanned; return nil }))
	wantError(t, hers.Edit(ctx, ben.ID, func(u *roster.User) error { u.Flags &^= roster.FlagBanned; return nil }), roster.ErrForbidden)

	acting := env.For(roster.Actor{User: ann.ID, Real: env.MustUser(t).ID, Level: roster.LevelAdmin})
	cat := env.MustUser(t)
	for _, flag := range []roster.Flags{roster.FlagBanned, roster.FlagLocked, roster.FlagPrivileged} {
		wantError(t, acting.Edit(ctx, cat.ID, func(u *roster.User) error { u.Flags |= flag; return nil }), roster.ErrForbidden)
		must(t, hers.Edit(ctx, cat.ID, func(u *roster.User) error { u.Flags |= flag; return nil }))
	}
	wantError(t, hers.Create(ctx, &roster.User{Name: "dan", DirectoryID: "corp", DirectoryDN: "cn=dan"}), roster.ErrForbidden)
}

// planned is a type of a host's own.
type planned struct {
	roster.User
	Plan string `bun:"plan,notnull,default:'free'"`
}

// What a host adds to users is not theirs to change, by Edit or Save.
func TestOwnColumnsAreTheHosts(t *testing.T) {
	ctx := t.Context()
	env := rostertest.NewOn(t, memory.New(memory.Model[planned]()))
	ann := env.MustUser(t)
	hers := env.For(roster.Actor{User: ann.ID})
	upgrade := func(u *roster.User) error {
		m, ok := roster.As[*planned](u)
		if !ok {
			t.Fatal("no planned")
		}
		m.Plan = "team"
		return nil
	}
	wantError(t, hers.Edit(ctx, ann.ID, upgrade), roster.ErrForbidden)
	u, err := hers.ByID(ctx, ann.ID)
	must(t, err)
	must(t, upgrade(u))
	m, _ := roster.As[*planned](u)
	wantError(t, hers.Save(ctx, m), roster.ErrForbidden)
	must(t, hers.Edit(ctx, ann.ID, func(u *roster.User) error { u.RealName = "Ann"; return nil }))
	must(t, env.Edit(ctx, ann.ID, upgrade))
	u, err = env.ByID(ctx, ann.ID)
	must(t, err)
	if m, _ := roster.As[*planned](u); m.Plan != "team" || u.RealName != "Ann" {
		t.Errorf("%+v", m)
	}
}

// One's own events do not tell whose an address is that one has named, however
// they are paged.
func TestOwnEventsTellNothing(t *testing.T) {
	ctx := t.Context()
	seen := map[bool][]roster.EventKind{}
	for _, taken := range []bool{false, true} {
		env := rostertest.New(t)
		spy := env.MustUser(t)
		if taken {
			env.MustRegister("ben")
		}
		_, err := env.AddEmail(ctx, spy.ID, "ben@example.org")
		must(t, err)
		_, err = env.AddEmail(ctx, spy.ID, "ben@example.org")
		must(t, err)
		own := env.For(roster.Actor{User: spy.ID})
		for q := (roster.EventQuery{User: spy.ID, Limit: 1}); ; {
			p, err := own.Events(ctx, q)
			must(t, err)
			for _, e := range p.Items {
				seen[taken] = append(seen[taken], e.Kind)
				if _, ok := e.Details["owner"]; ok {
					t.Errorf("%+v", e)
				}
			}
			if q.Cursor = p.Next; p.Next == "" {
				break
			}
			if len(p.Items) != 1 {
				t.Errorf("a page of %d", len(p.Items))
			}
		}
	}
	if len(seen[true]) == 0 || len(seen[true]) != len(seen[false]) {
		t.Errorf("%v and %v", seen[true], seen[false])
	}
}

// Who has lost every way in is no administrator to count on.
func TestLastAdminWithAWayIn(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	admin, err := env.BuiltInGroup(ctx, roster.GroupAdmin)
	must(t, err)
	var ids []roster.UserID
	for _, name := range []string{"a", "b"} {
		u := &roster.User{Name: name, ActivatedAt: env.Clock.Now()}
		must(t, env.Create(ctx, u))
		must(t, env.SetPassword(ctx, u.ID, rostertest.Password))
		must(t, env.AddMember(ctx, admin.ID, u.ID, ""))
		ids = append(ids, u.ID)
	}
	must(t, env.RemovePassword(ctx, ids[0]))
	wantError(t, env.RemovePassword(ctx, ids[1]), roster.ErrLastAdmin)
	wantError(t, env.RequirePasswordChange(ctx, ids[1], time.Hour), roster.ErrLastAdmin)
	wantError(t, env.Edit(ctx, ids[1], func(u *roster.User) error { u.DirectoryID = "nosuch"; return nil }), roster.ErrLastAdmin)
	must(t, env.RequirePasswordChange(ctx, ids[1], 0))
}
