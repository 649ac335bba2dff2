package roster_test

import (
	"errors"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// The permissions and the states of IPFire's pbs: five names, everything for
// administrators, a vote for testers, and an error for the two names that pbs asked
// for and nobody had.
func TestPermissionsOfPBS(t *testing.T) {
	pbs := []roster.Permission{"create_scratch_builds", "maintain_builders", "manage_critical_path", "manage_mirrors", "vote"}
	env := rostertest.New(t, declare(pbs...))
	ctx := t.Context()
	admin, tester, user, keeper := env.MustRegister("ada"), env.MustRegister("ted"), env.MustRegister("uli"), env.MustRegister("kim")
	testers, err := env.BuiltInGroup(ctx, roster.GroupTester)
	must(t, err)
	must(t, env.Grant(ctx, roster.ToGroup(testers.ID), 0, "vote"))
	must(t, env.SetRank(ctx, admin.ID, roster.RankAdmin))
	must(t, env.SetRank(ctx, tester.ID, roster.RankTester))
	must(t, env.Grant(ctx, roster.ToUser(keeper.ID), 0, "manage_mirrors"))
	for _, p := range pbs {
		answers(t, env.Users, true, admin.ID, p, 0, roster.GlobalOnly)
		answers(t, env.Users, p == "vote", tester.ID, p, 0, roster.GlobalOnly)
		answers(t, env.Users, false, user.ID, p, 0, roster.GlobalOnly)
		answers(t, env.Users, p == "manage_mirrors", keeper.ID, p, 0, roster.GlobalOnly)
	}
	for _, p := range []roster.Permission{"manage_keys", "maintain_mirrors"} {
		var invalid *roster.InvalidError
		if may, err := env.Can(ctx, admin.ID, p, 0, roster.GlobalOnly); may || !errors.As(err, &invalid) || invalid.Field != roster.FieldPermission {
			t.Errorf("%s: %v, %v", p, may, err)
		}
	}
	ranks := func(want roster.Rank) {
		t.Helper()
		if got, err := env.Ranks(ctx, tester.ID); err != nil || got[tester.ID] != want {
			t.Errorf("%v, not %v: %v", got, want, err)
		}
	}
	ranks(roster.RankTester)
	must(t, env.SetRank(ctx, tester.ID, roster.RankAdmin)) // a tester no more
	ranks(roster.RankAdmin)
	if in, err := env.InGroup(ctx, tester.ID, roster.GroupTester); in || err != nil {
		t.Error(in, err)
	}
	must(t, env.SetRank(ctx, tester.ID, roster.RankUser))
	ranks(roster.RankUser)
	answers(t, env.Users, false, tester.ID, "vote", 0, roster.GlobalOnly)
}
