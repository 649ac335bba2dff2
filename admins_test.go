package roster_test

import (
	"context"
	"errors"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// ways are how an administrator can cease to be one who can administrate.
var ways = map[string]func(ctx context.Context, us *roster.Users, admin roster.GroupID, id roster.UserID) error{
	"Disable": func(ctx context.Context, us *roster.Users, _ roster.GroupID, id roster.UserID) error {
		return us.Disable(ctx, id)
	},
	"Delete": func(ctx context.Context, us *roster.Users, _ roster.GroupID, id roster.UserID) error {
		return us.Delete(ctx, id)
	},
	"Purge": func(ctx context.Context, us *roster.Users, _ roster.GroupID, id roster.UserID) error {
		return us.Purge(ctx, id)
	},
	"RemovePassword": func(ctx context.Context, us *roster.Users, _ roster.GroupID, id roster.UserID) error {
		return us.RemovePassword(ctx, id)
	},
	"RemoveMember": func(ctx context.Context, us *roster.Users, admin roster.GroupID, id roster.UserID) error {
		return us.RemoveMember(ctx, admin, id)
	},
	"SetRank": func(ctx context.Context, us *roster.Users, _ roster.GroupID, id roster.UserID) error {
		return us.SetRank(ctx, id, roster.RankTester)
	},
	"ban": func(ctx context.Context, us *roster.Users, _ roster.GroupID, id roster.UserID) error {
		return us.Edit(ctx, id, func(u *roster.User) error { u.Flags |= roster.FlagBanned; return nil })
	},
	"lock": func(ctx context.Context, us *roster.Users, _ roster.GroupID, id roster.UserID) error {
		u, err := us.ByID(ctx, id)
		if err != nil {
			return err
		}
		u.Flags |= roster.FlagLocked
		return us.Save(ctx, u)
	},
}

// The last administrator stays, whoever asks; of two, one may go. Who cannot sign
// in is no administrator to count on, and may go at any time.
func TestLastAdmin(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			env := rostertest.New(t)
			ctx := t.Context()
			admin, err := env.BuiltInGroup(ctx, roster.GroupAdmin)
			if err != nil {
				t.Fatal(err)
			}
			join := func(name string) *roster.User {
				u := env.MustRegister(name)
				if err := env.AddMember(ctx, admin.ID, u.ID, ""); err != nil {
					t.Fatal(err)
				}
				return u
			}
			ann := join("ann")
			barred := join("barred")
			if err := env.Disable(ctx, barred.ID); err != nil {
				t.Fatal(err)
			}
			hers := env.For(roster.Actor{User: ann.ID, Level: roster.LevelAdmin})
			for who, us := range map[string]*roster.Users{"the program": env.Users, "herself": hers} {
				if err := way(ctx, us, admin.ID, ann.ID); !errors.Is(err, roster.ErrLastAdmin) {
					t.Errorf("%s: %v", who, err)
				}
			}
			if may, err := env.Can(ctx, ann.ID, roster.PermEditUser, 0, roster.GlobalOnly); err != nil || !may {
				t.Errorf("she may nothing any more: %v", err)
			}
			if _, err := env.Authenticate(ctx, "ann", rostertest.Password); err != nil {
				t.Error(err)
			}
			if err := way(ctx, hers, admin.ID, barred.ID); err != nil {
				t.Errorf("one who cannot sign in: %v", err)
			}
			ben := join("ben")
			if err := way(ctx, hers, admin.ID, ben.ID); err != nil {
				t.Errorf("one of two: %v", err)
			}
			cat := join("cat")
			both := env.Atomic(ctx, func(ctx context.Context) error {
				return errors.Join(way(ctx, env.Users, admin.ID, cat.ID), way(ctx, env.Users, admin.ID, ann.ID))
			})
			if name != "RemovePassword" && !errors.Is(both, roster.ErrLastAdmin) {
				t.Errorf("both in one transaction: %v", both)
			}
			if name != "RemoveMember" && name != "SetRank" { // nobody else is protected
				dan := env.MustRegister("dan")
				if err := way(ctx, env.Users, admin.ID, dan.ID); err != nil {
					t.Errorf("one who is no administrator: %v", err)
				}
			}
		})
	}
	t.Run("unlink", func(t *testing.T) {
		env := rostertest.New(t)
		ctx := t.Context()
		u := &roster.User{Name: "ann", DirectoryID: "corp", DirectoryDN: "cn=ann", ActivatedAt: env.Clock.Now()}
		if err := errors.Join(env.Create(ctx, u), env.SetRank(ctx, u.ID, roster.RankAdmin)); err != nil {
			t.Fatal(err)
		}
		err := env.Edit(ctx, u.ID, func(u *roster.User) error { u.DirectoryID, u.DirectoryDN = "", ""; return nil })
		if !errors.Is(err, roster.ErrLastAdmin) {
			t.Error(err)
		}
	})
}
