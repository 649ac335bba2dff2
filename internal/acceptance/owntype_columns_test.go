package acceptance

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/go-roster/roster"
)

// A host adds its type to a database that has users, and other programs go on
// with it.
func TestOwnTypeOfOldDatabase(t *testing.T) {
	ctx := t.Context()
	databases(t, func(t *testing.T, p *place) {
		before := openAs[roster.User](p)
		ann := before.pending("ann", "ann@example.org")

		w := openAs[customer](p)
		got := as[*customer](t, must(t, w.Users.ByID, ann.ID), nil)
		if got.Plan != "free" || got.Number != nil || got.Tags != nil {
			t.Errorf("of before: %+v", got)
		}
		number := "7"
		got.Plan, got.Number, got.Tags = "pro", &number, []string{"a"}
		check(t, w.Save(ctx, got))

		// Another one knows another column, and the plain one none.
		type other struct {
			roster.User
			Team string `bun:"team,notnull,default:''"`
		}
		o := openAs[other](p)
		team := as[*other](t, must(t, o.Users.ByID, ann.ID), nil)
		team.Team = "red"
		check(t, o.Save(ctx, team))
		check(t, before.Edit(ctx, ann.ID, func(u *roster.User) error { u.RealName = "Ann"; return nil }))
		check(t, before.Create(ctx, &roster.User{Name: "ben"}))
		check(t, o.Create(ctx, &other{User: roster.User{Name: "cat"}, Team: "blue"}))
		check(t, w.Create(ctx, &customer{User: roster.User{Name: "dan"}, Plan: "team"}))

		for name, plan := range map[string]string{"ann": "pro", "ben": "free", "cat": "free", "dan": "team"} {
			u, err := w.ByName(ctx, name)
			if got := as[*customer](t, u, err); got.Plan != plan {
				t.Errorf("%s has the plan %q, want %q", name, got.Plan, plan)
			}
		}
		for name, team := range map[string]string{"ann": "red", "ben": "", "cat": "blue", "dan": ""} {
			u, err := o.ByName(ctx, name)
			if got := as[*other](t, u, err); got.Team != team {
				t.Errorf("%s is in the team %q, want %q", name, got.Team, team)
			}
		}
		if u := must(t, before.Users.ByID, ann.ID); u.RealName != "Ann" {
			t.Errorf("%+v", u)
		}
	})
}

// What does not fit the table is told when it is opened, all of it, and what it
// says to run helps.
func TestOwnTypeThatDoesNotFit(t *testing.T) {
	databases(t, func(t *testing.T, p *place) {
		type needy struct {
			roster.User
			Company string `bun:"company,notnull"`
			Seats   int    `bun:"seats,notnull"`
			Old     *int   `bun:"old"`
			Strict  *int   `bun:"strict"`
		}
		if _, err := tryOpen[needy](p); err != nil { // nobody is there who has no company
			t.Fatal(err)
		}
		p.exec("ALTER TABLE {users} DROP COLUMN company")
		p.exec("ALTER TABLE {users} DROP COLUMN seats")
		p.exec("ALTER TABLE {users} DROP COLUMN old")
		p.exec("ALTER TABLE {users} DROP COLUMN strict")
		p.exec("ALTER TABLE {users} ADD COLUMN old TEXT")
		p.exec("ALTER TABLE {users} ADD COLUMN strict INTEGER NOT NULL DEFAULT 0")
		plain := openAs[roster.User](p)
		ann := plain.pending("ann", "ann@example.org")

		_, err := tryOpen[needy](p)
		if err == nil {
			t.Fatal("opened")
		}
		text := err.Error()
		for _, want := range []string{
			"needy.Company: there is no column company",
			"needy.Seats: there is no column seats",
			"needy.Old: the column old is a ", "which does not hold it",
			"needy.Strict: the column strict must not be NULL: say notnull",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the error does not say %q:\n%s", want, text)
			}
		}
		for _, line := range strings.Split(text, "\n") {
			if _, run, ok := strings.Cut(line, "run: "); ok {
				if _, err := p.db.Exec(run); err != nil {
					t.Errorf("%s: %v", run, err)
				}
			}
		}
		type fits struct {
			roster.User
			Company string `bun:"company,notnull"`
			Seats   int    `bun:"seats,notnull"`
			Old     string `bun:"old"`
			Strict  int    `bun:"strict,notnull"`
		}
		w := openAs[fits](p)
		if got := as[*fits](t, must(t, w.Users.ByID, ann.ID), nil); got.Company != "" || got.Seats != 0 {
			t.Errorf("%+v", got)
		}
	})
}

// What the host's constraints refuse is told by name, and never what it was.
func TestOwnConstraints(t *testing.T) {
	ctx := t.Context()
	places(t, func(t *testing.T, p *place) {
		w := openAs[customer](p)
		number := "secret-7"
		ann := &customer{User: roster.User{Name: "ann"}, Number: &number}
		check(t, w.Create(ctx, ann))
		ben := &customer{User: roster.User{Name: "ben"}}
		check(t, w.Create(ctx, ben))
		conflict := func(what string, err error, field string) {
			t.Helper()
			var c *roster.ConflictError
			if !errors.As(err, &c) || c.Field != field || strings.Contains(err.Error(), number) {
				t.Errorf("%s: %v, want a conflict of %s", what, err, field)
			}
		}
		again := &customer{User: roster.User{Name: "cat"}, Number: &number}
		conflict("Create", w.Create(ctx, again), "number")
		ben.Number = &number
		conflict("Save", w.Save(ctx, ben), "number")
		ann.Number, ben.Number = nil, nil
		check(t, w.Save(ctx, ann))
		check(t, w.Save(ctx, ben)) // NULL is no value
		check(t, w.Create(ctx, again))
		check(t, w.Purge(ctx, again.ID))
		ben.Number = &number
		check(t, w.Save(ctx, ben))

		for what, c := range map[string]struct {
			m      *customer
			field  string
			reason roster.Reason
		}{
			"NUL":   {&customer{Plan: "a\x00"}, "plan", roster.ReasonCharacter},
			"UTF-8": {&customer{Plan: "a\xff"}, "plan", roster.ReasonEncoding},
		} {
			c.m.Name = "dan"
			var invalid *roster.InvalidError
			if err := w.Create(ctx, c.m); !errors.As(err, &invalid) || invalid.Field != c.field || invalid.Reason != c.reason {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
	databases(t, func(t *testing.T, p *place) {
		openAs[roster.User](p)
		p.exec("CREATE TABLE {teams} (id bigint PRIMARY KEY)")
		p.exec("ALTER TABLE {users} ADD COLUMN team_id INTEGER REFERENCES {teams} (id) CHECK (team_id < 1000)")
		type player struct {
			roster.User
			TeamID *int32 `bun:"team_id"`
		}
		w := openAs[player](p)
		team := int32(1)
		var c *roster.ConflictError
		if err := w.Create(ctx, &player{User: roster.User{Name: "ann"}, TeamID: &team}); !errors.As(err, &c) || c.Field != roster.FieldModel {
			t.Errorf("no such team: %v", err)
		}
		p.exec("INSERT INTO {teams} (id) VALUES (1), (1001)")
		check(t, w.Create(ctx, &player{User: roster.User{Name: "ann"}, TeamID: &team}))
		team = 1001
		var invalid *roster.InvalidError
		if err := w.Create(ctx, &player{User: roster.User{Name: "ben"}, TeamID: &team}); !errors.As(err, &invalid) || invalid.Field != roster.FieldModel {
			t.Errorf("refused by the host's check: %v", err)
		}
		p.exec("ALTER TABLE {users} ADD COLUMN needed INTEGER NOT NULL DEFAULT 5")
		if p.path == "" {
			p.exec("ALTER TABLE {users} ALTER COLUMN needed DROP DEFAULT")
			if err := w.Create(ctx, &player{User: roster.User{Name: "cat"}}); !errors.As(err, &invalid) || invalid.Field != "needed" {
				t.Errorf("a column that somebody else needs: %v", err)
			}
		}
	})
}

// Any number of programs may bring a new type.
func TestOwnTypeManyOpenAtOnce(t *testing.T) {
	databases(t, func(t *testing.T, p *place) {
		errs := make([]error, 6)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, errs[i] = tryOpen[customer](p) })
		}
		wg.Wait()
		check(t, errors.Join(errs...))
		check(t, openAs[customer](p).Create(t.Context(), &customer{User: roster.User{Name: "ann"}}))
	})
}
