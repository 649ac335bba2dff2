package acceptance

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/memory"
	"github.com/go-roster/roster/store/postgres"
	"github.com/go-roster/roster/store/sqlite"
)

// squad is a host's own type of groups.
type squad struct {
	roster.Group
	Plan   string   `bun:"plan,notnull,nullzero,default:'free'"` // as a customer has one
	Number *string  `bun:"number,unique"`
	Tags   []string `bun:"tags"`
}

// tryOpenGroups opens the place for customers, and groups that are part of a G.
func tryOpenGroups[G any, P roster.GroupModelOf[G]](p *place) (s interface {
	roster.Store
	Close() error
}, err error,
) {
	ctx := context.Background()
	if p.path != "" {
		s, err = sqlite.Open(ctx, p.path, sqlite.Model[customer](), sqlite.GroupModel[G, P]())
	} else {
		s, err = postgres.Open(ctx, p.dsn, postgres.Prefix(p.prefix), postgres.PoolSize(3), postgres.Model[customer](), postgres.GroupModel[G, P]())
	}
	if err == nil {
		p.t.Cleanup(func() { _ = s.Close() })
	}
	return s, err
}

func openGroups[G any, P roster.GroupModelOf[G]](p *place) *world {
	p.t.Helper()
	if p.db == nil {
		return newWorld(p.t, memory.New(memory.Model[customer](), memory.GroupModel[G, P]()))
	}
	s, err := tryOpenGroups[G, P](p)
	if err != nil {
		p.t.Fatal(err)
	}
	return newWorld(p.t, s)
}

// A host adds its type of groups to a database that has groups, and other programs
// go on with it.
func TestOwnGroupsOfOldDatabase(t *testing.T) {
	ctx := t.Context()
	databases(t, func(t *testing.T, p *place) {
		before := openAs[roster.User](p)
		old := &roster.Group{Name: "old"}
		check(t, before.CreateGroup(ctx, old))
		_ = must(t, before.BuiltInGroup, roster.GroupAdmin)

		w := openGroups[squad](p)
		edit := func(name string, number string) error {
			g := must(t, w.GroupByName, name)
			return w.EditGroup(ctx, g.ID, func(g *roster.Group) error {
				m, ok := roster.AsGroup[*squad](g)
				if !ok || m.Plan != "free" {
					t.Errorf("of before: %+v", m)
				}
				m.Number, m.Tags = &number, []string{"a"}
				return nil
			})
		}
		check(t, edit("old", "7"))
		var c *roster.ConflictError
		if err := edit("admin", "7"); !errors.As(err, &c) || c.Field != "number" || strings.Contains(err.Error(), "7:") {
			t.Errorf("a number that is taken: %v", err)
		}
		check(t, before.EditGroup(ctx, old.ID, func(g *roster.Group) error { g.Description = "x"; return nil }))
		made := &roster.Group{Name: "plain"}
		check(t, before.CreateGroup(ctx, made))
		for name, number := range map[string]string{"old": "7", "plain": "", "admin": ""} {
			m, ok := roster.AsGroup[*squad](must(t, w.GroupByName, name))
			if !ok || m.Plan != "free" || (m.Number != nil) != (number != "") {
				t.Errorf("%s: %+v", name, m)
			}
		}
		ann := &customer{User: roster.User{Name: "ann"}, Plan: "pro"}
		check(t, w.Create(ctx, ann)) // the two do not get into each other's way
		check(t, w.AddMember(ctx, old.ID, ann.ID, ""))
		of, err := w.GroupsOf(ctx, ann.ID)
		check(t, err)
		if m, ok := roster.AsGroup[*squad](of[ann.ID][0]); !ok || *m.Number != "7" {
			t.Errorf("GroupsOf: %+v", m)
		}
	})
}

// What does not fit is told of users and groups at once, also what nobody could
// fill, and what it says to run helps.
func TestOwnTypesThatDoNotFit(t *testing.T) {
	databases(t, func(t *testing.T, p *place) {
		openGroups[squad](p)
		type needy struct {
			roster.Group
			Tier  string `bun:"tier,notnull"` // was called plan
			Tags  int    `bun:"tags"`
			Other *int   `bun:"other"`
		}
		for _, table := range []string{"users", "groups"} {
			p.exec("ALTER TABLE {" + table + "} DROP COLUMN plan")
			p.exec("ALTER TABLE {" + table + "} ADD COLUMN plan_name TEXT NOT NULL") // since there are no rows
		}
		told := func(wants ...string) error {
			t.Helper()
			_, err := tryOpenGroups[needy](p)
			if err == nil {
				t.Fatal("opened")
			}
			for _, want := range wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q:\n%s", want, err)
				}
			}
			return err
		}
		unknown := "there is a column plan_name that must not be NULL and has no default, and no field for it"
		_ = told("customer: "+unknown, "needy: "+unknown, "so no user could be written", "so no group could be written", "needy.Tags: the column tags is a ")
		for _, table := range []string{"users", "groups"} {
			p.exec("ALTER TABLE {" + table + "} DROP COLUMN plan_name")
		}
		w := openAs[roster.User](p)
		check(t, w.CreateGroup(t.Context(), &roster.Group{Name: "old"}))
		err := told("needy.Tier: there is no column tier, and no default for the groups that there are", "needy.Tags: the column tags is a ")
		for _, line := range strings.Split(err.Error(), "\n") {
			if _, run, ok := strings.Cut(line, "run: "); ok {
				if _, err := p.db.Exec(run); err != nil {
					t.Errorf("%s: %v", run, err)
				}
			}
		}
		type fits struct {
			roster.Group
			Tier string   `bun:"tier,notnull"`
			Tags []string `bun:"tags"`
		}
		f := openGroups[fits](p)
		if m, ok := roster.AsGroup[*fits](must(t, f.GroupByName, "old")); !ok || m.Tier != "" {
			t.Errorf("%+v", m)
		}
	})
}
