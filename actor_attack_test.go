package roster_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// A key that is reserved is so in every case, however it is written.
func TestReservedDataInAnyCase(t *testing.T) {
	env := rostertest.New(t, func(o *roster.Options) { o.ReservedDataKeys = []string{"plan", "billing.*"} })
	ctx := t.Context()
	ann := env.MustRegister("ann")
	hers := env.For(roster.Actor{User: ann.ID})
	for key, want := range map[string]bool{
		"plan": true, "Plan": true, "PLAN": true, "billing.x": true, "BILLING.x": true, "bIlling.": true, "Registration_Source": true,
		"regi\u017ftration_source": true, "FIRST_LOGIN": true, "Social": true,
		"plans": false, "billing": false, "Billin.x": false, "theme": false, "soci\u00e4l": false,
	} {
		for what, err := range map[string]error{
			"MergeData": hers.MergeData(ctx, ann.ID, roster.Data{key: []byte(`1`)}),
			"Update":    roster.Field[int](key).Update(ctx, hers, ann.ID, func(int) (int, error) { return 2, nil }),
			"Edit": hers.Edit(ctx, ann.ID, func(u *roster.User) error {
				return roster.Field[int](key).Set(u, 3)
			}),
		} {
			if refused := errors.Is(err, roster.ErrForbidden); refused != want && (want || err != nil) {
				t.Errorf("%s of %q: %v", what, key, err)
			}
		}
		must(t, env.MergeData(ctx, ann.ID, roster.Data{key: []byte(`4`)})) // the program may
	}
}

// Who may edit groups takes nothing out of the group admin that says that the site
// has its first user.
func TestSiteInitializedStays(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	ada, ann := env.MustRegister("ada"), env.MustRegister("ann")
	must(t, env.Bootstrap(ctx, ada.ID))
	must(t, env.Grant(ctx, roster.ToUser(ann.ID), 0, roster.PermMasterLogin, roster.PermEditGroups))
	admins, err := env.BuiltInGroup(ctx, roster.GroupAdmin)
	must(t, err)
	if len(admins.Data) == 0 {
		t.Fatal("nothing says who was the first")
	}
	for _, us := range []*roster.Users{env.Users, env.For(roster.Actor{User: ann.ID, Level: roster.LevelAdmin})} {
		for _, to := range []string{"", "1"} {
			refusedField(t, us.EditGroup(ctx, admins.ID, func(g *roster.Group) error {
				delete(g.Data, "site_initialized")
				if to != "" {
					g.Data["site_initialized"] = []byte(to + "0")
				}
				return nil
			}), roster.FieldData, roster.ReasonReadOnly)
		}
		must(t, us.EditGroup(ctx, admins.ID, func(g *roster.Group) error {
			g.Data["color"] = []byte(`"red"`)
			return nil
		}))
	}
}

// Who may see users sees the names of their groups, and not what else they hold.
func TestGroupsOfHides(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	ann, ben := env.MustRegister("ann"), env.MustRegister("ben")
	jury := mustGroup(t, env.Users, "Jury", ann)
	must(t, env.EditGroup(ctx, jury.ID, func(g *roster.Group) error {
		g.Description, g.Data = "of the finals", roster.Data{"room": []byte(`7`)}
		return nil
	}))
	must(t, env.Grant(ctx, roster.ToUser(ben.ID), 0, roster.PermJudgeLogin, roster.PermGetUser))
	for _, lists := range []bool{false, true} {
		of, err := env.For(roster.Actor{User: ben.ID, Level: roster.LevelJudge}).GroupsOf(ctx, ann.ID)
		must(t, err)
		if g := of[ann.ID][0]; g.Name != "Jury" || g.ID != jury.ID || (g.Description != "") != lists || (g.Data != nil) != lists {
			t.Errorf("%+v", g)
		}
		must(t, env.Grant(ctx, roster.ToUser(ben.ID), 0, roster.PermListUsers))
	}
}

// A period that a database would order in another way is none.
func TestGrantPeriodsAreBounded(t *testing.T) {
	env := rostertest.New(t, declare("vote"))
	ann := env.MustRegister("ann")
	year := func(y int) time.Time { return time.Date(y, 6, 1, 0, 0, 0, 0, time.UTC) }
	for _, p := range []roster.Period{
		{Until: year(10000)}, {From: year(12000)}, {From: year(-5)}, {From: year(0)}, {Until: time.Unix(math.MaxInt64/2, 0)},
	} {
		err := env.GrantDuring(t.Context(), roster.ToUser(ann.ID), 5, p, "vote")
		var invalid *roster.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != roster.FieldPeriod {
			t.Errorf("%v: %v", p, err)
		}
	}
	must(t, env.GrantDuring(t.Context(), roster.ToUser(ann.ID), 5, roster.Period{From: year(1), Until: year(9999)}, "vote"))
	answers(t, env.Users, true, ann.ID, "vote", 5, roster.ScopeOnly)
}
