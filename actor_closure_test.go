package roster_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// Some people who are no administrators act, at random, and nobody else does.
// Whatever they do to whomever, those whom they act as (themselves, whom they have
// made, and whose password, address or session they got) hold together no more
// than they held at the beginning, nowhere and at no time.
func TestPermissionsNeverGrow(t *testing.T) {
	steps := 6000
	if os.Getenv("ROSTER_SOAK") != "" {
		steps = 1_000_000
	}
	const perWorld = 60
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	tally := map[string]int{}
	for world := range steps / perWorld {
		c := newCoalition(t, rand.New(rand.NewPCG(seed, uint64(world))))
		for range perWorld {
			what, err := c.step(t.Context())
			if err == nil {
				tally[what]++
			}
			if !errors.Is(err, roster.ErrForbidden) {
				c.check(t, what)
			}
			if t.Failed() {
				t.Fatalf("world %d of seed %d, after %v", world, seed, c.done)
			}
		}
	}
	for _, what := range []string{"grant", "revoke", "add", "remove", "password", "generate", "address", "primary", "link", "impersonate", "enable", "disable"} {
		if tally[what] == 0 {
			t.Errorf("nobody ever managed to %s: %v", what, tally)
		}
	}
	t.Log(tally)
}

// right is a permission in a scope, and until when it is held: zero is for ever.
type right struct {
	permission roster.Permission
	scope      roster.ScopeID
}

type rights map[right]time.Time

// add notes a grant. The later end counts, of whatever begin.
func (rs rights) add(g *roster.Grant) {
	r := right{g.Permission, g.ScopeID}
	until, had := rs[r]
	if !had || g.Until.IsZero() || !until.IsZero() && g.Until.After(until) {
		rs[r] = g.Until
	}
}

// beyond lists what rs has and other has not.
func (rs rights) beyond(other rights) (more []right) {
	for r, until := range rs {
		limit, held := other[r]
		if !held || !limit.IsZero() && (until.IsZero() || until.After(limit)) {
			more = append(more, r)
		}
	}
	slices.SortFunc(more, func(a, b right) int {
		return cmp.Or(cmp.Compare(a.permission, b.permission), cmp.Compare(a.scope, b.scope))
	})
	return more
}

type coalition struct {
	*rostertest.Env
	rnd      *rand.Rand
	everyone []roster.UserID
	groups   []roster.GroupID
	members  []roster.UserID        // who act
	as       map[roster.UserID]bool // whom they can act as
	had      rights
	n        int
	done     []string
}

var (
	closurePermissions = []roster.Permission{
		roster.PermEditGrants, roster.PermEditGroups, roster.PermEditUser, roster.PermPrivEditUser, roster.PermEditPasswd,
		roster.PermPrivEditPasswd, roster.PermDeleteUser, roster.PermPrivDeleteUser, roster.PermImpersonate, roster.PermCreateUser, grade,
	}
	closureScopes = []roster.ScopeID{0, 1, 2}
)

func newCoalition(t *testing.T, rnd *rand.Rand) *coalition {
	t.Helper()
	ctx := t.Context()
	c := &coalition{rnd: rnd, as: map[roster.UserID]bool{}, had: rights{}}
	c.Env = rostertest.New(t, func(o *roster.Options) {
		o.Permissions = []roster.PermissionInfo{{Name: grade}}
		o.TellTakenAddress = true
	})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 7 {
		c.everyone = append(c.everyone, c.MustRegister(fmt.Sprint("person", i)).ID)
	}
	for i := range 3 {
		g := &roster.Group{Name: fmt.Sprint("group ", i)}
		must(c.CreateGroup(ctx, g))
		c.groups = append(c.groups, g.ID)
		for range rnd.IntN(4) {
			must(c.GrantDuring(ctx, roster.ToGroup(g.ID), c.scope(), c.period(), c.permission()))
		}
	}
	admin, err := c.BuiltInGroup(ctx, roster.GroupAdmin)
	must(err)
	c.groups = append(c.groups, admin.ID)
	must(c.AddMember(ctx, admin.ID, c.everyone[0], ""))
	c.members = c.everyone[1 : 2+rnd.IntN(3)]
	for i, id := range c.everyone[1:] {
		for range rnd.IntN(8) + 12*max(0, len(c.members)-i)/len(c.members) {
			must(c.GrantDuring(ctx, roster.ToUser(id), c.scope(), c.period(), c.permission()))
		}
		if rnd.IntN(3) == 0 {
			must(c.AddMember(ctx, c.groups[rnd.IntN(3)], id, ""))
		}
		if i < len(c.members) { // without the door, and something to do there, there is nothing to see
			must(c.Grant(ctx, roster.ToUser(id), 0, closurePermissions[rnd.IntN(len(closurePermissions))], closurePermissions[rnd.IntN(len(closurePermissions))]))
			must(c.Grant(ctx, roster.ToUser(id), 0, roster.PermMasterLogin))
		}
	}
	for _, id := range c.members {
		c.as[id] = true
	}
	c.had = c.rights(t)
	return c
}

func (c *coalition) scope() roster.ScopeID { return closureScopes[c.rnd.IntN(len(closureScopes))] }

func (c *coalition) permission() roster.Permission {
	return closurePermissions[c.rnd.IntN(len(closurePermissions))]
}

func (c *coalition) period() (p roster.Period) {
	if c.rnd.IntN(4) == 0 {
		p.Until = c.Clock.Now().Add(time.Duration(1+c.rnd.IntN(100)) * time.Hour)
	}
	return p
}

func (c *coalition) person() roster.UserID { return c.everyone[c.rnd.IntN(len(c.everyone))] }

func (c *coalition) group() roster.GroupID { return c.groups[c.rnd.IntN(len(c.groups))] }

func (c *coalition) subject() roster.Subject {
	if c.rnd.IntN(3) == 0 {
		return roster.ToGroup(c.group())
	}
	return roster.ToUser(c.person())
}

// rights are what those together hold whom the coalition can act as: what is
// stored, read row by row.
func (c *coalition) rights(t *testing.T) rights {
	t.Helper()
	ctx, all := t.Context(), rights{}
	subjects := map[roster.Subject]bool{}
	for id := range c.as {
		subjects[roster.ToUser(id)] = true
	}
	places, err := c.Memberships(ctx, slices.Sorted(maps.Keys(c.as))...)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range places {
		subjects[roster.ToGroup(m.GroupID)] = true
		if m.GroupID == c.groups[3] {
			all[right{"everything", 0}] = time.Time{}
		}
	}
	for s := range subjects {
		grants, err := c.GrantsOf(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range grants {
			if g.Permission != "" && (g.Until.IsZero() || c.Clock.Now().Before(g.Until)) {
				all.add(g)
			}
		}
	}
	return all
}

func (c *coalition) check(t *testing.T, what string) {
	t.Helper()
	if more := c.rights(t).beyond(c.had); len(more) > 0 {
		t.Errorf("by %s they got %v", what, more)
	}
}

// step lets somebody of the coalition do something.
func (c *coalition) step(ctx context.Context) (what string, err error) {
	actors := slices.Sorted(maps.Keys(c.as))
	who := actors[c.rnd.IntN(len(actors))]
	hers := c.For(roster.Actor{User: who, Level: roster.LevelAdmin})
	target := c.person()
	control := false
	c.n++
	switch c.rnd.IntN(24) {
	case 0, 1, 2:
		what, err = "grant", hers.GrantDuring(ctx, c.subject(), c.scope(), c.period(), c.permission())
	case 3:
		what, err = "revoke", hers.Revoke(ctx, c.subject(), c.scope(), c.permission())
	case 4, 5:
		what, err = "add", hers.AddMember(ctx, c.group(), target, "")
	case 6:
		what, err = "remove", hers.RemoveMember(ctx, c.group(), target)
	case 7:
		what, err = "rank", hers.SetRank(ctx, target, roster.Rank(c.rnd.IntN(3)))
	case 8:
		what, control, err = "password", true, hers.SetPassword(ctx, target, rostertest.Password+" again")
	case 9:
		what, control = "generate", true
		_, err = hers.GeneratePassword(ctx, target, roster.Generated{})
	case 10:
		what, control = "address", true
		_, err = hers.AddEmail(ctx, target, fmt.Sprintf("mine%d@example.org", c.n))
	case 11:
		what, control = "primary", true
		_, err = hers.ChangeEmail(ctx, target, fmt.Sprintf("mine%d@example.org", c.n))
	case 12:
		what, control = "vouch", true
		_, err = hers.AddActivatedEmail(ctx, target, fmt.Sprintf("mine%d@example.org", c.n))
	case 13, 20, 21:
		what, control = "link", true
		err = hers.Edit(ctx, target, func(u *roster.User) error {
			if u.DirectoryID == "" {
				u.DirectoryID, u.DirectoryDN = "corp", "cn=mine"
			} else {
				u.DirectoryID, u.DirectoryDN = "", ""
			}
			return nil
		})
	case 14:
		what, err = "enable", hers.Enable(ctx, target)
	case 15:
		what, err = "disable", hers.Disable(ctx, target)
	case 16, 22, 23:
		what, control = "impersonate", true
		var u *roster.User
		if u, err = c.ByID(ctx, who); err != nil {
			break
		}
		var token roster.Secret
		if _, token, err = c.StartSession(ctx, u); err == nil {
			_, _, err = c.Impersonate(ctx, token.Reveal(), target)
		}
	case 17:
		what, err = "delete", hers.Delete(ctx, target)
	case 18:
		what, err = "restore", hers.Restore(ctx, target)
	case 19:
		what = "create"
		u := &roster.User{UUID: uuid.New(), ActivatedAt: c.Clock.Now()}
		if len(c.everyone) < 12 {
			if err = hers.Create(ctx, u); err == nil {
				c.everyone, c.as[u.ID] = append(c.everyone, u.ID), true
			}
		}
		if c.n%10 == 0 {
			c.Clock.Advance(time.Duration(c.rnd.IntN(20)) * time.Hour)
		}
	}
	if err == nil {
		if control {
			c.as[target] = true
		}
		c.done = append(c.done, fmt.Sprintf("%d: %s %d", who, what, target))
	}
	return what, err
}
