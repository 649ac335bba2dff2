package roster_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// admins lists who is a member of the group admin.
func admins(t testing.TB, us *roster.Users) (ids []roster.UserID) {
	t.Helper()
	g, err := us.BuiltInGroup(t.Context(), roster.GroupAdmin)
	must(t, err)
	l, err := us.Members(t.Context(), g.ID, roster.Paging{})
	must(t, err)
	for _, m := range l.Items {
		ids = append(ids, m.UserID)
	}
	return ids
}

func firstIsAdmin(o *roster.Options) { o.FirstUserIsAdmin = true }

func TestNobodyIsAdminByBeingFirst(t *testing.T) {
	env := rostertest.New(t)
	env.MustRegister("ann")
	if ids := admins(t, env.Users); len(ids) != 0 {
		t.Errorf("%v", ids)
	}
}

func TestFirstUserIsAdmin(t *testing.T) {
	for name, first := range map[string]func(ctx context.Context, env *rostertest.Env) roster.UserID{
		"signs up": func(context.Context, *rostertest.Env) roster.UserID { return 0 },
		"is created": func(ctx context.Context, env *rostertest.Env) roster.UserID {
			u := &roster.User{Name: "zoe", ActivatedAt: env.Clock.Now()}
			must(t, env.Create(ctx, u))
			return u.ID
		},
		"is activated": func(ctx context.Context, env *rostertest.Env) roster.UserID {
			u := &roster.User{Name: "zoe"}
			must(t, env.Create(ctx, u))
			must(t, env.ActivateUser(ctx, u.ID))
			return u.ID
		},
		"is vouched for": func(ctx context.Context, env *rostertest.Env) roster.UserID {
			u := &roster.User{Name: "zoe"}
			must(t, env.Create(ctx, u))
			_, err := env.AddActivatedEmail(ctx, u.ID, "zoe@example.org")
			must(t, err)
			return u.ID
		},
		"finds groups": func(ctx context.Context, env *rostertest.Env) roster.UserID {
			_, err := env.BuiltInGroup(ctx, roster.GroupTester)
			must(t, err)
			_, err = env.BuiltInGroup(ctx, roster.GroupAdmin)
			must(t, err)
			return 0
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := rostertest.New(t, firstIsAdmin)
			id := first(t.Context(), env)
			u := env.MustRegister("ann")
			if id == 0 {
				id = u.ID
			}
			env.MustRegister("ben")
			if ids := admins(t, env.Users); len(ids) != 1 || ids[0] != id {
				t.Errorf("%v, not %d", ids, id)
			}
			if may, err := env.Can(t.Context(), id, roster.PermPrivDeleteUser, 0, roster.GlobalOnly); err != nil || !may {
				t.Errorf("%v, %v", may, err)
			}
		})
	}
}

// Where somebody was there before the option, nobody is first.
func TestFirstUserCameBefore(t *testing.T) {
	env := rostertest.New(t)
	ann := env.MustRegister("ann")
	later := rostertest.NewOn(t, env.Store, firstIsAdmin)
	later.MustRegister("ben")
	must(t, env.Delete(t.Context(), ann.ID))
	later.MustRegister("cat")
	if ids := admins(t, later.Users); len(ids) != 0 {
		t.Errorf("%v", ids)
	}
}

func TestFirstUserRace(t *testing.T) {
	ran := 0
	env := rostertest.New(t, firstIsAdmin, func(o *roster.Options) {
		o.InitSite = func(context.Context, *roster.User) error { ran++; return nil }
	})
	ctx := t.Context()
	const people = 8
	var ids []roster.UserID
	for i := range people {
		u := &roster.User{Name: string(rune('a'+i)) + "-user"}
		must(t, env.Create(ctx, u))
		ids = append(ids, u.ID)
	}
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			if err := env.ActivateUser(ctx, id); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := admins(t, env.Users); len(got) != 1 || ran != 1 {
		t.Errorf("%d administrators, %d initializations", len(got), ran)
	}
}

func TestInitSite(t *testing.T) {
	errNo := errors.New("no")
	ran, fail := 0, errNo
	var env *rostertest.Env
	env = rostertest.New(t, func(o *roster.Options) {
		o.InitSite = func(ctx context.Context, u *roster.User) error {
			ran++
			err := env.CreateGroup(ctx, &roster.Group{Name: "staff"})
			return errors.Join(err, env.Edit(ctx, u.ID, func(u *roster.User) error { u.RealName = "First"; return nil }), fail)
		}
	})
	ctx := t.Context()
	u := &roster.User{Name: "ann"}
	must(t, env.Create(ctx, u))
	if err := env.ActivateUser(ctx, u.ID); !errors.Is(err, errNo) {
		t.Error(err)
	}
	if u, _ := env.ByID(ctx, u.ID); u.IsActivated() || u.RealName != "" {
		t.Errorf("%+v", u)
	}
	fail = nil
	ann := env.MustRegister("ben")
	env.MustRegister("cat")
	must(t, env.ActivateUser(ctx, u.ID))
	if ran != 2 || len(admins(t, env.Users)) != 0 {
		t.Errorf("ran %d times, administrators %v", ran, admins(t, env.Users))
	}
	if u, _ := env.ByID(ctx, ann.ID); u.RealName != "First" {
		t.Errorf("%+v", u)
	}
}

func TestBootstrap(t *testing.T) {
	ran := 0
	env := rostertest.New(t, func(o *roster.Options) {
		o.InitSite = func(context.Context, *roster.User) error { ran++; return nil }
	})
	ctx := t.Context()
	ann := &roster.User{Name: "ann"}
	must(t, env.Create(ctx, ann))
	ben := env.MustRegister("ben")
	must(t, env.Bootstrap(ctx, ann.ID))
	must(t, env.Bootstrap(ctx, ann.ID)) // again
	if u, _ := env.ByID(ctx, ann.ID); !u.IsActivated() {
		t.Error("she cannot sign in")
	}
	var conflict *roster.ConflictError
	if err := env.Bootstrap(ctx, ben.ID); !errors.As(err, &conflict) || conflict.Field != roster.FieldGroup {
		t.Error(err)
	}
	if err := env.Bootstrap(ctx, 99); !errors.Is(err, roster.ErrNotFound) {
		t.Error(err)
	}
	if ids := admins(t, env.Users); len(ids) != 1 || ids[0] != ann.ID || ran != 1 {
		t.Errorf("%v, ran %d times", ids, ran)
	}
}
