package acceptance

import (
	"context"
	"fmt"
	"testing"

	"github.com/go-roster/roster"
)

var groupRaces = []race{
	{
		// Whatever wins, a group that is gone has neither members nor grants, nor
		// has a user who is; and nobody holds what was granted to either.
		name: "AddMember beside DeleteGroup and Purge", few: 40, many: 10_000, options: voting,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("member%d", round)
			u, other := w.active(name, name+"@example.org"), w.active(name+"b", name+"b@example.org")
			g := &roster.Group{Name: name}
			w.must(w.CreateGroup(ctx, g))
			refused(t, together(rivals, func(i int) error {
				switch i {
				case 0, 1:
					return w.AddMember(ctx, g.ID, u.ID, "")
				case 2:
					return w.AddMember(ctx, g.ID, other.ID, "")
				case 3:
					return w.DeleteGroup(ctx, g.ID)
				case 4:
					return w.Purge(ctx, u.ID)
				case 5:
					return w.RemoveMember(ctx, g.ID, u.ID)
				case 6:
					return w.Grant(ctx, roster.ToGroup(g.ID), 1, "vote")
				default:
					return w.Grant(ctx, roster.ToUser(u.ID), 1, "vote")
				}
			}), roster.ErrNotFound)
			if _, err := w.GroupByID(ctx, g.ID); !isNotFound(err) {
				t.Fatalf("the group is there: %v", err)
			}
			ms, err := w.store.MembershipsOf(ctx, u.ID, other.ID)
			w.must(err)
			grants, err := w.store.GrantsIn(ctx, 1, 0, 100)
			w.must(err)
			if len(ms) != 0 || len(grants) != 0 {
				t.Fatalf("left: %d members, %d grants", len(ms), len(grants))
			}
			w.post.take()
		},
	},
	{
		name: "The first SetRank", few: 20, many: 1000, options: voting,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			w.empty()
			users := make([]*roster.User, rivals)
			for i := range users {
				name := fmt.Sprintf("first%d-%d", round, i)
				users[i] = w.active(name, name+"@example.org")
			}
			refused(t, together(rivals, func(i int) error { return w.SetRank(ctx, users[i].ID, roster.RankAdmin) }))
			for _, u := range users {
				if may, err := w.Can(ctx, u.ID, "vote", 9, roster.ScopeOnly); err != nil || !may {
					t.Fatalf("an administrator may not: %v", err)
				}
			}
			groups, err := w.Groups(ctx, roster.Paging{})
			w.must(err)
			if len(groups.Items) != 2 {
				t.Fatalf("%d groups", len(groups.Items))
			}
			w.post.take()
		},
	},
	{
		// The last write is the one that counts, and the answer is one or the other.
		name: "Grant beside Revoke", few: 40, many: 5000, options: voting,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("grantee%d", round)
			u := w.active(name, name+"@example.org")
			refused(t, together(rivals, func(i int) error {
				if i%2 == 0 {
					return w.Grant(ctx, roster.ToUser(u.ID), 1, "vote", "close")
				}
				return w.Revoke(ctx, roster.ToUser(u.ID), 1, "close", "vote")
			}))
			ps, err := w.Permissions(ctx, u.ID, 1, roster.ScopeOnly)
			w.must(err)
			if len(ps) != 0 && len(ps) != 2 {
				t.Fatalf("half of a grant: %v", ps)
			}
			w.must(w.RevokeAll(ctx, roster.ToUser(u.ID), 1))
			w.post.take()
		},
	},
}
