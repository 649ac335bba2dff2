package acceptance

import (
	"context"
	"database/sql"
	"errors"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/memory"
	"github.com/go-roster/roster/store/postgres"
	"github.com/go-roster/roster/store/sqlite"
)

// customer is a host's own type of users.
type customer struct {
	roster.User
	Plan   string   `bun:"plan,notnull,nullzero,default:'free'"`
	Number *string  `bun:"number,unique"`
	Tags   []string `bun:"tags"`
}

// place is a database that can be opened again, for other types too.
type place struct {
	t           testing.TB
	db          *sql.DB // nil in memory
	path        string  // of SQLite
	dsn, prefix string  // of Postgres
}

// places are the databases, and memory.
func places(t *testing.T, run func(t *testing.T, p *place)) {
	t.Run("memory", func(t *testing.T) { run(t, &place{t: t}) })
	databases(t, run)
}

func databases(t *testing.T, run func(t *testing.T, p *place)) {
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(quickDir(t), "accounts.db")
		db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		run(t, &place{t: t, path: path, prefix: "roster_", db: db})
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := pgtest.DSN(t, pgtest.C)
		db := pgtest.Open(t, dsn)
		t.Cleanup(func() { _ = db.Close() })
		run(t, &place{t: t, dsn: dsn, prefix: pgtest.Prefix(t, dsn), db: db})
	})
}

// exec runs a statement of the host, in which {users} is the table.
func (p *place) exec(query string) {
	p.t.Helper()
	if _, err := p.db.ExecContext(context.Background(), strings.NewReplacer("{", p.prefix, "}", "").Replace(query)); err != nil {
		p.t.Fatalf("%s: %v", query, err)
	}
}

// tryOpen opens the place for users who are part of an M.
func tryOpen[M any, P roster.ModelOf[M]](p *place) (roster.Store, error) {
	ctx := context.Background()
	switch {
	case p.db == nil:
		return memory.New(memory.Model[M, P]()), nil
	case p.path != "":
		s, err := sqlite.Open(ctx, p.path, sqlite.Model[M, P]())
		if err == nil {
			p.t.Cleanup(func() { _ = s.Close() })
		}
		return s, err
	default:
		s, err := postgres.Open(ctx, p.dsn, postgres.Prefix(p.prefix), postgres.PoolSize(3), postgres.Model[M, P]())
		if err == nil {
			p.t.Cleanup(func() { _ = s.Close() })
		}
		return s, err
	}
}

func openAs[M any, P roster.ModelOf[M]](p *place) *world {
	p.t.Helper()
	s, err := tryOpen[M, P](p)
	if err != nil {
		p.t.Fatal(err)
	}
	return newWorld(p.t, s)
}

// as is roster.As for what must be an M.
func as[M roster.Model](t testing.TB, u *roster.User, err error) M {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	m, ok := roster.As[M](u)
	if !ok {
		t.Fatalf("the user %d is not part of a %T", u.ID, m)
	}
	return m
}

func must[A, V any](t testing.TB, call func(context.Context, A) (V, error), arg A) V {
	t.Helper()
	v, err := call(context.Background(), arg)
	check(t, err)
	return v
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Every verb that hands out a user hands out one that is part of the host's own
// value.
func TestOwnTypeEverywhere(t *testing.T) {
	places(t, func(t *testing.T, p *place) {
		ctx := roster.WithClient(t.Context(), roster.Client{Addr: netip.MustParseAddr("192.0.2.1")})
		w := openAs[customer](p)
		ann := &customer{Plan: "pro", Tags: []string{"x"}}
		u, err := w.Register(ctx, roster.NewUser{Name: "ann", Email: "ann@example.org", Password: goodPassword, Model: ann})
		check(t, err)
		if u != &ann.User {
			t.Error("Register did not make the account of what came with it")
		}
		code := w.post.code(t, "ann@example.org")
		is := func(what string, u *roster.User, err error) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %v", what, err)
				return
			}
			if m, ok := roster.As[*customer](u); !ok || m.Plan != "pro" || len(m.Tags) != 1 || &m.User != u {
				t.Errorf("%s: %+v, %v", what, m, ok)
			}
		}
		is("Register", u, err)
		peeked, err := w.Peek(ctx, code)
		check(t, err)
		is("Peek", peeked.User, nil)
		u, err = w.Activate(ctx, code)
		is("Activate", u, err)
		u, err = w.ByID(ctx, ann.ID)
		is("ByID", u, err)
		u, err = w.ByUUID(ctx, ann.UUID)
		is("ByUUID", u, err)
		u, err = w.ByName(ctx, "ANN")
		is("ByName", u, err)
		u, err = w.ByEmail(ctx, "ann@example.org")
		is("ByEmail", u, err)
		u, err = w.ByAddress(ctx, "Ann <ann@example.org>")
		is("ByAddress", u, err)
		us, err := w.ByIDs(ctx, ann.ID)
		is("ByIDs", us[0], err)
		for u, err := range w.All(ctx) {
			is("All", u, err)
		}
		page, err := w.Search(ctx, roster.Query{Pattern: "ann"})
		is("Search", page.Items[0], err)
		u, err = w.Authenticate(ctx, "ann", goodPassword)
		is("Authenticate", u, err)
		session, token, err := w.SignIn(ctx, "ann", goodPassword)
		check(t, err)
		is("SignIn", session.User, nil)
		session, err = w.Session(ctx, token.Reveal())
		check(t, err)
		is("Session", session.User, nil)
		check(t, w.Edit(ctx, ann.ID, func(u *roster.User) error {
			is("Edit", u, nil)
			u.RealName = "Ann"
			return nil
		}))
		check(t, w.Disable(ctx, ann.ID))
		check(t, w.Enable(ctx, ann.ID))
		u, err = w.ByID(ctx, ann.ID)
		is("after other verbs", u, err)

		// Edit writes the host's fields as well, and Save compares versions.
		check(t, w.Edit(ctx, ann.ID, func(u *roster.User) error {
			m, _ := roster.As[*customer](u)
			m.Plan = "team"
			return nil
		}))
		stale, _ := roster.As[*customer](u)
		stale.Plan = "stale"
		if err := w.Save(ctx, stale); !errors.Is(err, roster.ErrStale) {
			t.Errorf("Save of an old value: %v", err)
		}
		now := as[*customer](t, must(t, w.Users.ByID, ann.ID), nil)
		if now.Plan != "team" {
			t.Errorf("the plan is %q", now.Plan)
		}
		// The zero value is the default where the tag says so, and then m has it.
		now.Plan = ""
		check(t, w.Save(ctx, now))
		if now.Plan != "free" {
			t.Errorf("the plan is %q after Save", now.Plan)
		}
		if got := as[*customer](t, must(t, w.Users.ByID, ann.ID), nil); got.Plan != "free" {
			t.Errorf("the plan is %q", got.Plan)
		}
	})
}

// Who signs up without a value of the host's type becomes what NewModel makes.
func TestNewModel(t *testing.T) {
	ctx := t.Context()
	type company struct {
		*roster.User
		Company string `bun:"company,notnull,nullzero"` // must be filled
	}
	places(t, func(t *testing.T, p *place) {
		s, err := tryOpen[company](p)
		check(t, err)
		failure := errors.New("no company")
		w := newWorld(t, s, func(o *roster.Options) {
			o.NewModel = func(_ context.Context, draft *roster.User) (roster.Model, error) {
				if draft.Name == "failing" {
					return nil, failure
				}
				name := draft.Name
				draft.Name, draft.Flags = "other", roster.FlagPrivileged // does not matter
				if name == "empty" {
					return nil, nil
				}
				return &company{User: &roster.User{Name: "other", Flags: roster.FlagPrivileged}, Company: name + " & co"}, nil
			}
		})
		u, err := w.Register(ctx, roster.NewUser{Name: "ann", Email: "ann@example.org", Password: goodPassword})
		if m := as[*company](t, u, err); m.Company != "ann & co" || m.Name != "ann" || m.Flags != 0 {
			t.Errorf("Register made %+v", m)
		}
		u, err = w.Invite(ctx, roster.NewUser{Name: "ben", Email: "ben@example.org"})
		if m := as[*company](t, u, err); m.Company != "ben & co" || m.Name != "ben" || m.Flags != 0 {
			t.Errorf("Invite made %+v", m)
		}
		if m := as[*company](t, must(t, w.Users.ByID, u.ID), nil); m.Company != "ben & co" {
			t.Errorf("stored is %+v", m)
		}
		if _, err := w.Register(ctx, roster.NewUser{Name: "failing", Email: "x@example.org", Password: goodPassword}); !errors.Is(err, failure) {
			t.Errorf("a NewModel that fails: %v", err)
		}
		var invalid *roster.InvalidError
		_, err = w.Register(ctx, roster.NewUser{Name: "empty", Email: "x@example.org", Password: goodPassword})
		if !errors.As(err, &invalid) || invalid.Field != "company" || invalid.Reason != roster.ReasonEmpty {
			t.Errorf("a field that must be filled, and is not: %v", err)
		}
		for what, m := range map[string]roster.Model{"no User": &company{Company: "x"}, "another type": &customer{}} {
			if err := w.Create(ctx, m); !errors.As(err, &invalid) || invalid.Field != roster.FieldModel {
				t.Errorf("Create of %s: %v", what, err)
			}
			_, err := w.Register(ctx, roster.NewUser{Name: "dan", Email: "x@example.org", Password: goodPassword, Model: m})
			if !errors.As(err, &invalid) || invalid.Field != roster.FieldModel {
				t.Errorf("Register of %s: %v", what, err)
			}
		}
		// One that could not be signed up is as it was.
		taken := &company{User: &roster.User{Name: "mine"}, Company: "x"}
		if _, err := w.Register(ctx, roster.NewUser{Name: "ann", Email: "x@example.org", Password: goodPassword, Model: taken}); !errors.Is(err, roster.ErrConflict) {
			t.Errorf("a taken name: %v", err)
		}
		if taken.Name != "mine" || taken.UUID != uuid.Nil {
			t.Errorf("left as %+v", taken.User)
		}
	})
}

// A session from memory has a user who is part of nothing, as Options says.
func TestOwnTypeWithSessionCache(t *testing.T) {
	ctx := t.Context()
	p := &place{t: t}
	s, err := tryOpen[customer](p)
	check(t, err)
	w := newWorld(t, s, func(o *roster.Options) { o.SessionCache = 10 * time.Second })
	m := &customer{User: roster.User{Name: "ann", ActivatedAt: w.clock.Now()}, Plan: "pro"}
	check(t, w.Create(ctx, m))
	_, token, err := w.StartSession(ctx, &m.User)
	check(t, err)
	for i := range 2 {
		session, err := w.Session(ctx, token.Reveal())
		check(t, err)
		if _, ok := roster.As[*customer](session.User); ok != (i == 0) {
			t.Errorf("question %d: part of a customer: %v", i, ok)
		}
	}
}
