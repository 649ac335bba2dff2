package memory

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/go-roster/roster"
)

// everything is the name that the group admin has in scope 0.
const everything = "*"

// isLive reports whether there is such a user who can sign in.
func (st *state) isLive(id roster.UserID) bool {
	u := st.users.byID.get(id)
	return u != nil && u.CanLogin()
}

// reaching goes through the grants that reach a user in any scope: its own, and
// those of its groups.
func (st *state) reaching(user roster.UserID) iter.Seq[*roster.Grant] {
	return func(yield func(*roster.Grant) bool) {
		for _, g := range prefixed(st.grants.byUser, ints(int64(user))) {
			if !yield(g) {
				return
			}
		}
		for _, m := range prefixed(st.members.byUser, ints(int64(user))) {
			for _, g := range prefixed(st.grants.byGroup, ints(int64(m.GroupID))) {
				if !yield(g) {
					return
				}
			}
		}
	}
}

// gives reports whether a grant is of the permission, or of all, at that time.
func gives(g *roster.Grant, p roster.Permission, now time.Time) bool {
	if g.Permission == everything {
		return g.ScopeID == 0 && g.IsValid(now)
	}
	return g.Permission == p && g.IsValid(now)
}

// HeldGrants implements [roster.GrantStore].
func (s *Store) HeldGrants(ctx context.Context, user roster.UserID, scope roster.ScopeID) (held []roster.Held, live bool, err error) {
	held, err = read(ctx, s, func(st *state) (held []roster.Held, _ error) {
		live = st.isLive(user)
		scopes := set([]roster.ScopeID{0, scope})
		add := func(ix index[string, *roster.Grant], id int64) {
			for _, sc := range scopes {
				for _, g := range prefixed(ix, ints(id, int64(sc))) {
					held = append(held, heldBy(user, g))
				}
			}
		}
		add(st.grants.byUser, int64(user))
		for _, m := range prefixed(st.members.byUser, ints(int64(user))) {
			add(st.grants.byGroup, int64(m.GroupID))
		}
		slices.SortFunc(held, byGrant)
		return held, nil
	})
	return held, live && err == nil, err
}

func heldBy(user roster.UserID, g *roster.Grant) roster.Held {
	return roster.Held{
		GrantID: g.ID, UserID: user, GroupID: g.Subject.Group, ScopeID: g.ScopeID, Permission: g.Permission,
		From: g.From, Until: g.Until,
	}
}

func byGrant(a, b roster.Held) int { return cmp.Compare(a.GrantID, b.GrantID) }

// Holds implements [roster.GrantStore].
func (s *Store) Holds(
	ctx context.Context, user roster.UserID, p roster.Permission, now time.Time, one, other roster.ScopeID,
) (bool, error) {
	now = micros(now)
	return read(ctx, s, func(st *state) (bool, error) {
		if !st.isLive(user) {
			return false, nil
		}
		scopes := set([]roster.ScopeID{one, other, 0})
		among := func(ix index[string, *roster.Grant], id int64) bool {
			for _, sc := range scopes {
				for _, g := range prefixed(ix, ints(id, int64(sc))) {
					if gives(g, p, now) && (g.Permission == everything || sc == one || sc == other) {
						return true
					}
				}
			}
			return false
		}
		if among(st.grants.byUser, int64(user)) {
			return true, nil
		}
		for _, m := range prefixed(st.members.byUser, ints(int64(user))) {
			if among(st.grants.byGroup, int64(m.GroupID)) {
				return true, nil
			}
		}
		return false, nil
	})
}

// HeldAnywhere implements [roster.GrantStore].
func (s *Store) HeldAnywhere(ctx context.Context, users ...roster.UserID) ([]roster.Held, error) {
	return read(ctx, s, func(st *state) (held []roster.Held, _ error) {
		for _, user := range set(users) {
			first := len(held)
			for g := range st.reaching(user) {
				held = append(held, heldBy(user, g))
			}
			slices.SortFunc(held[first:], byGrant)
		}
		return held, nil
	})
}

// HeldByAll implements [roster.GrantStore].
func (s *Store) HeldByAll(
	ctx context.Context, p roster.Permission, now time.Time, scopes []roster.ScopeID, users []roster.UserID,
) ([]roster.Held, error) {
	now = micros(now)
	return read(ctx, s, func(st *state) (held []roster.Held, _ error) {
		in := map[roster.ScopeID]bool{}
		for _, scope := range scopes {
			in[scope] = true
		}
		for _, user := range set(users) {
			if !st.isLive(user) {
				continue
			}
			for g := range st.reaching(user) {
				if in[g.ScopeID] && gives(g, p, now) {
					held = append(held, roster.Held{
						GrantID: g.ID, UserID: user, GroupID: g.Subject.Group, ScopeID: g.ScopeID, Permission: g.Permission,
					})
				}
			}
		}
		return held, nil
	})
}

// HoldersAfter implements [roster.GrantStore].
func (s *Store) HoldersAfter(
	ctx context.Context, p roster.Permission, now time.Time, one, other roster.ScopeID, after roster.UserID, limit int,
) ([]roster.UserID, error) {
	if limit <= 0 {
		return nothing[[]roster.UserID](ctx, s)
	}
	now = micros(now)
	return read(ctx, s, func(st *state) ([]roster.UserID, error) {
		var ids []roster.UserID
		for _, g := range st.granting(p, now, one, other) {
			if g.Subject.Group == 0 {
				if g.Subject.User > after && st.isLive(g.Subject.User) {
					ids = append(ids, g.Subject.User)
				}
				continue
			}
			n := 0
			for _, m := range st.members.byGroup.from(ints(int64(g.Subject.Group), int64(after))) {
				if m.GroupID != g.Subject.Group || n == limit {
					break
				}
				if m.UserID > after && st.isLive(m.UserID) {
					ids = append(ids, m.UserID)
					n++
				}
			}
		}
		ids = set(ids)
		return ids[:min(len(ids), limit)], nil
	})
}

// granting lists the grants that give a permission in one of the scopes.
func (st *state) granting(p roster.Permission, now time.Time, one, other roster.ScopeID) []*roster.Grant {
	var gs []*roster.Grant
	find := func(p roster.Permission, scope roster.ScopeID) {
		for _, g := range prefixed(st.grants.byPermission, text(string(p))+ints(int64(scope))) {
			if gives(g, p, now) {
				gs = append(gs, g)
			}
		}
	}
	for _, scope := range set([]roster.ScopeID{one, other}) {
		find(p, scope)
	}
	if p != everything {
		find(everything, 0)
	}
	return gs
}

// ScopesAfter implements [roster.GrantStore].
func (s *Store) ScopesAfter(
	ctx context.Context, user roster.UserID, p roster.Permission, now time.Time, after roster.ScopeID, limit int,
) ([]roster.ScopeID, error) {
	if limit <= 0 {
		return nothing[[]roster.ScopeID](ctx, s)
	}
	now = micros(now)
	return read(ctx, s, func(st *state) ([]roster.ScopeID, error) {
		if !st.isLive(user) {
			return nil, nil
		}
		var ids []roster.ScopeID
		for g := range st.reaching(user) {
			if g.ScopeID > after && gives(g, p, now) {
				ids = append(ids, g.ScopeID)
			}
		}
		ids = set(ids)
		return ids[:min(len(ids), limit)], nil
	})
}

// Privileged implements [roster.GrantStore].
func (s *Store) Privileged(
	ctx context.Context, now time.Time, scopes []roster.ScopeID, users ...roster.UserID,
) ([]roster.UserID, error) {
	now = micros(now)
	return read(ctx, s, func(st *state) (ids []roster.UserID, _ error) {
		for _, user := range set(users) {
			for g := range st.reaching(user) {
				if (g.Until.IsZero() || g.Until.After(now)) && (len(scopes) == 0 || slices.Contains(scopes, g.ScopeID)) {
					ids = append(ids, user)
					break
				}
			}
		}
		return ids, nil
	})
}
