package storetest

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

// RunGroupModel is RunModel for a store that was opened for a host's own type of
// groups, M, a pointer to it. It checks all of Run that concerns groups, with groups
// that are part of an M, and what a store promises of own types.
func RunGroupModel[M roster.GroupModel](t *testing.T, newStore func(t *testing.T) roster.Store, fill func(n int) M) {
	run(t, slices.Concat(groupCases, grantCases, copyCases, doomCases, lockCases), func(t *testing.T) roster.Store {
		return ownedGroups[M]{newStore(t), t, fill}
	})
	runOwn(t, "GroupModel/", func(t *testing.T) own[M] { return ownGroups(newStore(t), fill) })
}

// ownedGroups writes the groups that it is given as part of an M, and checks that
// they come back so.
type ownedGroups[M roster.GroupModel] struct {
	roster.Store
	t    *testing.T
	fill func(n int) M
}

// around is the M that a group is written as part of.
func (s ownedGroups[M]) around(g *roster.Group) M {
	h := fnv.New32()
	_, _ = fmt.Fprintf(h, "%q %q %q", g.Name, g.NameKey, g.Description)
	m := s.fill(int(h.Sum32() % 10_000))
	*m.RosterGroup() = *g
	m.RosterGroup().Row = roster.Row{}
	return m
}

func (s ownedGroups[M]) InsertGroup(ctx context.Context, in roster.GroupModel) error {
	g := in.RosterGroup()
	m := s.around(g)
	err := s.Store.InsertGroup(ctx, m)
	g.ID = m.RosterGroup().ID
	return err
}

func (s ownedGroups[M]) OfferGroup(ctx context.Context, in roster.GroupModel) (bool, error) {
	return s.Store.OfferGroup(ctx, s.around(in.RosterGroup()))
}

func (s ownedGroups[M]) UpdateGroup(ctx context.Context, in roster.GroupModel) error {
	g := in.RosterGroup()
	m := s.around(g)
	err := s.Store.UpdateGroup(ctx, m)
	g.Version = m.RosterGroup().Version
	return err
}

// check reports a group that is not part of the M that was written.
func (s ownedGroups[M]) check(in roster.GroupModel, err error) (roster.GroupModel, error) {
	if err == nil {
		want := s.around(in.RosterGroup())
		*want.RosterGroup() = *in.RosterGroup()
		sameModel(s.t, "a row", in, want)
	}
	return in, err
}

func (s ownedGroups[M]) checkAll(in []roster.GroupModel, err error) ([]roster.GroupModel, error) {
	for _, m := range in {
		_, _ = s.check(m, nil)
	}
	return in, err
}

func (s ownedGroups[M]) GroupByName(ctx context.Context, key string) (roster.GroupModel, error) {
	return s.check(s.Store.GroupByName(ctx, key))
}

func (s ownedGroups[M]) GroupByUUID(ctx context.Context, id uuid.UUID) (roster.GroupModel, error) {
	return s.check(s.Store.GroupByUUID(ctx, id))
}

func (s ownedGroups[M]) LockGroup(ctx context.Context, id roster.GroupID) (roster.GroupModel, error) {
	return s.check(s.Store.LockGroup(ctx, id))
}

func (s ownedGroups[M]) GroupsByID(ctx context.Context, ids ...roster.GroupID) ([]roster.GroupModel, error) {
	return s.checkAll(s.Store.GroupsByID(ctx, ids...))
}

func (s ownedGroups[M]) GroupPage(ctx context.Context, after string, limit int) ([]roster.GroupModel, error) {
	return s.checkAll(s.Store.GroupPage(ctx, after, limit))
}
