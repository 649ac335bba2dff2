package acceptance

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

// voting declares the permission of the groups' flows.
func voting(o *roster.Options) {
	o.Permissions = []roster.PermissionInfo{{Name: "vote"}, {Name: "close"}}
}

// withJury makes the group jury of ann and ben, with grants to it and to ann, and
// an administrator.
func withJury(w *world, c *cast) {
	ctx := context.Background()
	g := &roster.Group{Name: "jury"}
	w.must(w.CreateGroup(ctx, g))
	c.group = g.ID
	for _, u := range []*roster.User{c.ann, c.ben} {
		w.must(w.AddMember(ctx, g.ID, u.ID, "of "+u.Name))
	}
	w.must(w.Grant(ctx, roster.ToGroup(g.ID), 1, "vote"))
	w.must(w.Grant(ctx, roster.ToUser(c.ann.ID), 0, "vote", "close"))
	w.must(w.SetRank(ctx, c.cid.ID, roster.RankAdmin))
}

// groupFlow is a flow on what withJury has made. Its answer, if there is one, has
// no IDs.
func groupFlow(verb string, run func(ctx context.Context, w *world, c *cast) (any, error)) flow {
	return flow{verb: verb, options: voting, prepare: withJury, run: run}
}

var groupFlows = []flow{
	groupFlow("CreateGroup", func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.CreateGroup(ctx, &roster.Group{Name: "New", Data: roster.Data{"a": []byte("1")}})
	}),
	{verb: "BuiltInGroup", name: "that was never needed", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		_, err := w.BuiltInGroup(ctx, roster.GroupAdmin)
		return nil, err
	}},
	groupFlow("BuiltInGroup", func(ctx context.Context, w *world, c *cast) (any, error) {
		_, err := w.BuiltInGroup(ctx, roster.GroupAdmin)
		return nil, err
	}),
	groupFlow("EditGroup", func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.EditGroup(ctx, c.group, func(g *roster.Group) error { g.Name = "New"; return nil })
	}),
	groupFlow("DeleteGroup", func(ctx context.Context, w *world, c *cast) (any, error) { return nil, w.DeleteGroup(ctx, c.group) }),
	groupFlow("GroupByID", func(ctx context.Context, w *world, c *cast) (any, error) {
		_, err := w.GroupByID(ctx, c.group)
		return nil, err
	}),
	{verb: "GroupByUUID", refused: roster.ErrNotFound, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		_, err := w.GroupByUUID(ctx, uuid.New())
		return nil, err
	}},
	groupFlow("GroupByName", func(ctx context.Context, w *world, c *cast) (any, error) {
		_, err := w.GroupByName(ctx, "JURY")
		return nil, err
	}),
	groupFlow("Groups", func(ctx context.Context, w *world, c *cast) (any, error) {
		l, err := w.Groups(ctx, roster.Paging{Limit: 1})
		return l != nil && l.Next != "", err
	}),
	groupFlow("AddMember", func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.AddMember(ctx, c.group, c.cid.ID, "new")
	}),
	groupFlow("RemoveMember", func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.RemoveMember(ctx, c.group, c.ann.ID)
	}),
	groupFlow("Members", func(ctx context.Context, w *world, c *cast) (any, error) {
		l, err := w.Members(ctx, c.group, roster.Paging{})
		return l != nil && len(l.Items) == 2, err
	}),
	groupFlow("Memberships", func(ctx context.Context, w *world, c *cast) (any, error) {
		ms, err := w.Memberships(ctx, c.ann.ID, c.ben.ID)
		return len(ms), err
	}),
	groupFlow("GroupsOf", func(ctx context.Context, w *world, c *cast) (any, error) {
		of, err := w.GroupsOf(ctx, c.ann.ID, c.cid.ID)
		return len(of), err
	}),
	groupFlow("InGroup", func(ctx context.Context, w *world, c *cast) (any, error) { return w.InGroup(ctx, c.ann.ID, "jury") }),
	groupFlow("Ranks", func(ctx context.Context, w *world, c *cast) (any, error) {
		ranks, err := w.Ranks(ctx, c.ann.ID, c.cid.ID)
		return ranks[c.cid.ID], err
	}),
	groupFlow("SetRank", func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.SetRank(ctx, c.ann.ID, roster.RankTester)
	}),
	groupFlow("Grant", func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.Grant(ctx, roster.ToUser(c.cid.ID), 3, "vote", "close")
	}),
	groupFlow("GrantDuring", func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.GrantDuring(ctx, roster.ToGroup(c.group), 1, roster.Period{Until: w.clock.Now().Add(time.Hour)}, "vote", "close")
	}),
	groupFlow("Revoke", func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.Revoke(ctx, roster.ToGroup(c.group), 1, "vote", "close")
	}),
	groupFlow("RevokeAll", func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.RevokeAll(ctx, roster.ToUser(c.ann.ID), 0)
	}),
	groupFlow("GrantsOf", func(ctx context.Context, w *world, c *cast) (any, error) {
		grants, err := w.GrantsOf(ctx, roster.ToUser(c.ann.ID))
		return len(grants), err
	}),
	groupFlow("GrantsIn", func(ctx context.Context, w *world, c *cast) (any, error) {
		l, err := w.GrantsIn(ctx, 1, roster.Paging{})
		return l != nil && len(l.Items) == 1, err
	}),
	groupFlow("Can", func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Can(ctx, c.ann.ID, "vote", 1, roster.ScopeOnly)
	}),
	groupFlow("CanAll", func(ctx context.Context, w *world, c *cast) (any, error) {
		may, err := w.CanAll(ctx, "vote", roster.ScopeOnly, roster.Ask{User: c.ann.ID, Scope: 1}, roster.Ask{User: c.cid.ID, Scope: 2})
		return len(may), err
	}),
	groupFlow("Permissions", func(ctx context.Context, w *world, c *cast) (any, error) {
		ps, err := w.Permissions(ctx, c.ann.ID, 1, roster.Either)
		return len(ps), err
	}),
	groupFlow("WhoCan", func(ctx context.Context, w *world, c *cast) (any, error) {
		l, err := w.WhoCan(ctx, "vote", 1, roster.Either, roster.Paging{})
		return l != nil && len(l.Items) == 2, err
	}),
	groupFlow("WhereCan", func(ctx context.Context, w *world, c *cast) (any, error) {
		l, err := w.WhereCan(ctx, c.ann.ID, "vote", roster.Paging{})
		return l != nil && len(l.Items) == 2, err
	}),
	groupFlow("IsPrivileged", func(ctx context.Context, w *world, c *cast) (any, error) {
		is, err := w.IsPrivileged(ctx, []roster.UserID{c.ann.ID, c.fay.ID})
		return is[c.ann.ID], err
	}),
	groupFlow("Explain", func(ctx context.Context, w *world, c *cast) (any, error) {
		e, err := w.Explain(ctx, c.ann.ID, "vote", 1, roster.Either)
		return e != nil && e.Allowed, err
	}),
	groupFlow("Diff", func(ctx context.Context, w *world, c *cast) (any, error) {
		n := 0
		for _, err := range w.Diff(ctx, roster.ChangeDeleteGroup(c.group)) {
			if err != nil {
				return nil, err
			}
			n++
		}
		return n, nil
	}),
	{verb: "For", name: "a member", options: voting, prepare: withJury, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.For(roster.Actor{User: c.ann.ID}).Can(ctx, c.ann.ID, "vote", 1, roster.Either)
	}},
	{verb: "DeclaredPermissions", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return len(w.DeclaredPermissions()), nil
	}},
}

// showGroups is all that a store holds of groups and grants, by the names that
// users stand for.
func showGroups(ctx context.Context, s roster.Store, users map[roster.UserID]int) (lines []string, _ error) {
	groups, err := s.GroupPage(ctx, "", 1000)
	if err != nil {
		return nil, err
	}
	show := func(of roster.Subject, who string) error {
		grants, err := s.GrantsOf(ctx, of)
		for _, g := range grants {
			lines = append(lines, fmt.Sprintf("grant to %s in %d of %q from %s until %s created %s", who, g.ScopeID, g.Permission,
				at(g.From), at(g.Until), at(g.CreatedAt)))
		}
		return err
	}
	for _, m := range groups {
		g := m.RosterGroup()
		if raw, is := g.Data["site_initialized"]; is { // whose the site is, by a name that lasts
			if id, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
				g.Data["site_initialized"] = fmt.Appendf(nil, "%d", users[roster.UserID(id)])
			}
		}
		lines = append(lines, fmt.Sprintf("group %q %q %s created %s updated %s version %d", g.NameKey, g.Name, g.Data, at(g.CreatedAt), at(g.UpdatedAt), g.Version))
		members, err := s.MembersAfter(ctx, g.ID, 0, 1000)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			lines = append(lines, fmt.Sprintf("member of %q: %d %q since %s", g.NameKey, users[m.UserID], m.Rights, at(m.CreatedAt)))
		}
		if err := show(roster.ToGroup(g.ID), "group "+g.NameKey); err != nil {
			return nil, err
		}
	}
	for id, n := range users {
		if err := show(roster.ToUser(id), fmt.Sprint("user ", n)); err != nil {
			return nil, err
		}
	}
	return lines, nil
}
