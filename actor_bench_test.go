package roster_test

import (
	"context"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

// BenchmarkActor measures a verb that asks against the same one that does not,
// plus one prepared query for a permission, by hand.
func BenchmarkActor(b *testing.B) {
	ctx := context.Background()
	const query = `SELECT 1 FROM roster_grants WHERE user_id = ? AND scope_id = 0 AND permission = 'edit_user'
UNION ALL SELECT 1 FROM roster_members m JOIN roster_grants g ON g.group_id = m.group_id
WHERE m.user_id = ? AND g.scope_id = 0 AND g.permission IN ('edit_user', '*') LIMIT 1`
	verbs := map[string]func(us *roster.Users, own, other roster.UserID) error{
		"own": func(us *roster.Users, own, _ roster.UserID) error {
			return us.Edit(ctx, own, func(u *roster.User) error { u.RealName = "Edited"; return nil })
		},
		"other": func(us *roster.Users, _, other roster.UserID) error {
			return us.Edit(ctx, other, func(u *roster.User) error { u.RealName = "Edited"; return nil })
		},
		"look-up": func(us *roster.Users, _, other roster.UserID) error {
			_, err := us.ByID(ctx, other)
			return err
		},
	}
	for name, verb := range verbs {
		for _, kind := range []string{"memory", "sqlite"} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				store, hand := roster.Store(memory.New()), func(roster.UserID) error { return nil }
				if kind == "sqlite" {
					opened, db := openBoth(b)
					stmt, err := db.PrepareContext(ctx, query)
					if err != nil {
						b.Fatal(err)
					}
					store, hand = opened, func(id roster.UserID) error {
						var one int
						return stmt.QueryRowContext(ctx, int64(id), int64(id)).Scan(&one)
					}
				}
				env := rostertest.NewOn(b, store)
				ann, ben := env.MustRegister("ann"), env.MustRegister("ben")
				err := env.Grant(ctx, roster.ToUser(ann.ID), 0, roster.PermEditUser, roster.PermListUsers, roster.PermGetUser, roster.PermJudgeLogin)
				if err != nil {
					b.Fatal(err)
				}
				hers := env.For(roster.Actor{User: ann.ID, Level: roster.LevelJudge})
				race(b, "x/unchecked+query", func() error { return verb(hers, ann.ID, ben.ID) }, func() error {
					if err := hand(ann.ID); err != nil {
						return err
					}
					return verb(env.Users, ann.ID, ben.ID)
				})
			})
		}
	}
}

// BenchmarkFor is what a request pays once.
func BenchmarkFor(b *testing.B) {
	users := rostertest.New(b).Users
	for b.Loop() {
		_ = users.For(roster.Actor{User: 1})
	}
}
