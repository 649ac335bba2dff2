package difftest

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/hosttype"
)

// TestStoresOfOwnTypeAgree runs scripts whose users and groups are part of a host's
// own types, but for some.
func TestStoresOfOwnTypeAgree(t *testing.T) {
	all := targets[hosttype.Subscriber, hosttype.Team](t)
	for i, target := range all {
		all[i].open = func(t *testing.T) roster.Store { return owned{target.open(t)} }
	}
	agree(t, all, max(1, seeds(t)/5))
}

// owned writes users as part of a subscriber, whose fields follow from the user, and
// groups as part of a team.
type owned struct{ roster.Store }

// around is what a user is written as.
func around(u *roster.User) roster.Model {
	h := fnv.New32()
	_, _ = fmt.Fprint(h, u.NameKey, u.RealName, u.Locale)
	n := int(h.Sum32() % 10_000)
	if n%4 == 0 {
		return u // a plain one
	}
	m := hosttype.Fill(n)
	if n%5 == 0 {
		*m = hosttype.Subscriber{} // with what is the default, where it is the zero value
	}
	m.User = *u
	return m
}

func (s owned) InsertUser(ctx context.Context, in roster.Model, search string) error {
	m := around(in.RosterUser())
	err := s.Store.InsertUser(ctx, m, search)
	*in.RosterUser() = *m.RosterUser()
	return err
}

func (s owned) UpdateUser(ctx context.Context, in roster.Model, search string) error {
	m := around(in.RosterUser())
	err := s.Store.UpdateUser(ctx, m, search)
	*in.RosterUser() = *m.RosterUser()
	return err
}

// team is what a group is written as.
func team(g *roster.Group) roster.GroupModel {
	h := fnv.New32()
	_, _ = fmt.Fprint(h, g.NameKey, g.Description)
	n := int(h.Sum32() % 10_000)
	if n%4 == 0 {
		return g // a plain one
	}
	m := hosttype.FillTeam(n)
	if n%5 == 0 {
		*m = hosttype.Team{}
	}
	m.Group = *g
	return m
}

func (s owned) InsertGroup(ctx context.Context, in roster.GroupModel) error {
	m := team(in.RosterGroup())
	err := s.Store.InsertGroup(ctx, m)
	*in.RosterGroup() = *m.RosterGroup()
	return err
}

func (s owned) OfferGroup(ctx context.Context, in roster.GroupModel) (bool, error) {
	return s.Store.OfferGroup(ctx, team(in.RosterGroup()))
}

func (s owned) UpdateGroup(ctx context.Context, in roster.GroupModel) error {
	m := team(in.RosterGroup())
	err := s.Store.UpdateGroup(ctx, m)
	*in.RosterGroup() = *m.RosterGroup()
	return err
}

// showTeam is showOwn for groups.
func showTeam(m *hosttype.Team) string {
	own := *m
	own.Group = roster.Group{}
	raw, err := json.Marshal(own)
	return fmt.Sprintf("%s %v", raw, err)
}

// showOwn is what is the host's.
func showOwn(s *hosttype.Subscriber) string {
	own := *s
	own.User = roster.User{}
	raw, err := json.Marshal(own)
	return fmt.Sprintf("%s %v", raw, err)
}
