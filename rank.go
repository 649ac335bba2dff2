package roster

import (
	"context"
	"slices"
)

// Rank is what the built-in groups make of a user: the state of IPFire's pbs.
type Rank uint8

// The ranks.
const (
	RankUser   Rank = iota // in neither of the groups
	RankTester             // in [GroupTester]
	RankAdmin              // in [GroupAdmin], and perhaps in the other
	ranksEnd
)

func (r Rank) String() string {
	switch r {
	case RankAdmin:
		return GroupAdmin
	case RankTester:
		return GroupTester
	default:
		return "user"
	}
}

// Ranks returns the ranks of users, with two questions however many there are.
// Who is not in the map is a plain user.
func (us *Users) Ranks(ctx context.Context, users ...UserID) (map[UserID]Rank, error) {
	if err := us.onOne(users).ask(ctx, "Ranks"); err != nil {
		return nil, wrap("look up ranks", 0, err)
	}
	of, err := us.groupsOf(ctx, users...)
	if err != nil {
		return nil, wrap("look up ranks", 0, err)
	}
	ranks := map[UserID]Rank{}
	for user, groups := range of {
		for _, g := range groups {
			switch g.NameKey {
			case GroupAdmin:
				ranks[user] = RankAdmin
			case GroupTester:
				ranks[user] = max(ranks[user], RankTester)
			}
		}
	}
	return ranks, nil
}

// SetRank puts a user into the built-in group that the rank stands for and
// takes it out of the other. It returns ErrNotFound, ErrLastAdmin, or an
// [InvalidError] of [FieldState] for a rank that there is not.
func (us *Users) SetRank(ctx context.Context, user UserID, r Rank) error {
	return wrap("set rank of user", user, us.setRank(ctx, user, r))
}

func (us *Users) setRank(ctx context.Context, user UserID, r Rank) error {
	if r >= ranksEnd {
		return invalid(FieldState, ReasonUnknown)
	}
	const verb = "SetRank"
	return us.live(ctx, verb, user, func(ctx context.Context, m Model) error {
		of, err := us.groupsOf(ctx, user)
		if err != nil {
			return err
		}
		for _, name := range builtInGroups {
			g, err := us.builtInGroup(ctx, name)
			if err != nil {
				return err
			}
			is := slices.ContainsFunc(of[user], func(o *Group) bool { return o.ID == g.ID })
			want := name == r.String()
			if want { // also if it is there: who may not know is not told
				if err := us.on(ToUser(user)).mayPassGroup(ctx, verb, g.ID); err != nil {
					return err
				}
			}
			switch {
			case want && !is:
				err = us.regrouped(ctx, m, g.ID, func(ctx context.Context) error { return us.join(ctx, verb, g.ID, user, "") })
			case is && !want:
				err = us.regrouped(ctx, m, g.ID, func(ctx context.Context) error { return us.leave(ctx, verb, g.ID, m.RosterUser()) })
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
