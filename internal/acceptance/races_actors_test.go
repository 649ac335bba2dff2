package acceptance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// promotions are the ways in which somebody becomes privileged.
var promotions = []func(ctx context.Context, w *world, group roster.GroupID, id roster.UserID) error{
	func(ctx context.Context, w *world, _ roster.GroupID, id roster.UserID) error {
		return w.Grant(ctx, roster.ToUser(id), 7)
	},
	func(ctx context.Context, w *world, group roster.GroupID, id roster.UserID) error {
		return w.AddMember(ctx, group, id, "")
	},
	func(ctx context.Context, w *world, _ roster.GroupID, id roster.UserID) error {
		return w.Edit(ctx, id, func(u *roster.User) error { u.Flags |= roster.FlagPrivileged; return nil })
	},
}

// demotions are the ways in which somebody ceases to be an administrator.
var demotions = []func(ctx context.Context, us *roster.Users, admin roster.GroupID, id roster.UserID) error{
	func(ctx context.Context, us *roster.Users, _ roster.GroupID, id roster.UserID) error {
		return us.Disable(ctx, id)
	},
	func(ctx context.Context, us *roster.Users, admin roster.GroupID, id roster.UserID) error {
		return us.RemoveMember(ctx, admin, id)
	},
	func(ctx context.Context, us *roster.Users, _ roster.GroupID, id roster.UserID) error {
		return us.Delete(ctx, id)
	},
	func(ctx context.Context, us *roster.Users, _ roster.GroupID, id roster.UserID) error {
		return us.Edit(ctx, id, func(u *roster.User) error { u.Flags |= roster.FlagBanned; return nil })
	},
	func(ctx context.Context, us *roster.Users, _ roster.GroupID, id roster.UserID) error {
		return us.SetRank(ctx, id, roster.RankUser)
	},
	func(ctx context.Context, us *roster.Users, _ roster.GroupID, id roster.UserID) error {
		return us.Purge(ctx, id)
	},
}

var actorRaces = []race{
	{
		name: "Promotion beside edits with the weaker permission", few: 60, many: 10_000, always: true,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			group := w.group("privileged")
			w.must(w.Grant(ctx, roster.ToGroup(group), 7))
			editor, u := w.person("editor", round), w.person("target", round)
			w.must(w.Grant(ctx, roster.ToUser(editor), 0, roster.PermEditUser, roster.PermJudgeLogin))
			hers := w.For(roster.Actor{User: editor, Level: roster.LevelJudge})
			edit := func(i int) error {
				return w.Atomic(ctx, func(ctx context.Context) error { // whose context the function needs
					return hers.Edit(ctx, u, func(m *roster.User) error {
						m.RealName = fmt.Sprint("Edited by ", i)
						is, err := w.IsPrivileged(ctx, []roster.UserID{u})
						if err == nil && is[u] {
							err = errors.New("edited while privileged, with edit_user")
						}
						return err
					})
				})
			}
			errs := together(4, func(i int) error {
				if i == 0 {
					return promotions[round%len(promotions)](ctx, w, group, u)
				}
				err := edit(i)
				if errors.Is(err, roster.ErrForbidden) {
					return nil
				}
				return err
			})
			w.must(errors.Join(errs...))
			if err := edit(9); !errors.Is(err, roster.ErrForbidden) {
				t.Fatalf("after the promotion: %v", err)
			}
		},
	},
	{
		name: "Two administrators who remove each other", few: 60, many: 10_000, always: true,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			admin := w.group(roster.GroupAdmin)
			pair := []roster.UserID{w.person("first", round), w.person("second", round)}
			for _, id := range pair {
				w.must(w.SetPassword(ctx, id, "a way in for each of them"))
				w.must(w.AddMember(ctx, admin, id, ""))
			}
			for m, err := range roster.EachPage(func(p roster.Paging) (*roster.Page[*roster.Membership], error) {
				return w.Members(ctx, admin, p)
			}) { // the winners of the rounds before
				w.must(err)
				if !slices.Contains(pair, m.UserID) {
					w.must(w.RemoveMember(ctx, admin, m.UserID))
				}
			}
			acting := round%2 == 1
			errs := together(2, func(i int) error {
				us := w.Users
				if acting {
					us = w.For(roster.Actor{User: pair[i], Level: roster.LevelAdmin})
				}
				return demotions[(round/2+i*(round/12))%len(demotions)](ctx, us, admin, pair[1-i])
			})
			lost := is(roster.ErrLastAdmin)
			if acting { // who was removed before the question is asked is an administrator no more
				lost = either(lost, is(roster.ErrForbidden))
			}
			winner := oneWinner(t, errs, lost)
			for i, id := range pair {
				may, err := w.Can(ctx, id, roster.PermEditUser, 0, roster.GlobalOnly)
				w.must(err)
				if may != (i == winner) {
					t.Fatalf("%d won, and %d is an administrator: %v", winner, i, may)
				}
			}
		},
	},
}

// person is an account that can sign in, in its way.
func (w *world) person(name string, round int) roster.UserID {
	w.t.Helper()
	u := &roster.User{Name: fmt.Sprint(name, round), ActivatedAt: time.Now()}
	w.must(w.Create(context.Background(), u))
	return u.ID
}

// group finds a group, or makes it.
func (w *world) group(name string) roster.GroupID {
	w.t.Helper()
	ctx := context.Background()
	g, err := w.GroupByName(ctx, name)
	switch {
	case errors.Is(err, roster.ErrNotFound) && name == roster.GroupAdmin:
		g, err = w.BuiltInGroup(ctx, name)
	case errors.Is(err, roster.ErrNotFound):
		g = &roster.Group{Name: name}
		err = w.CreateGroup(ctx, g)
	}
	w.must(err)
	return g.ID
}
