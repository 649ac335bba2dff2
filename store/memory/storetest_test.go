package memory_test

import (
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/hosttype"
	"github.com/go-roster/roster/store/memory"
	"github.com/go-roster/roster/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) roster.Store { return memory.New() })
}

func TestStoreOfOwnType(t *testing.T) {
	t.Parallel()
	storetest.RunModel(t, func(*testing.T) roster.Store { return memory.New(memory.Model[hosttype.Subscriber]()) }, hosttype.Fill)
}

func TestStoreOfPointer(t *testing.T) {
	t.Parallel()
	storetest.RunModel(t, func(*testing.T) roster.Store { return memory.New(memory.Model[hosttype.Member]()) }, hosttype.FillMember)
}

func TestStoreOfOwnGroups(t *testing.T) {
	t.Parallel()
	storetest.RunGroupModel(t, func(*testing.T) roster.Store {
		return memory.New(memory.GroupModel[hosttype.Team]())
	}, hosttype.FillTeam)
}

func TestStoreOfOwnGroupPointers(t *testing.T) {
	t.Parallel()
	storetest.RunGroupModel(t, func(*testing.T) roster.Store {
		return memory.New(memory.GroupModel[hosttype.Crew]())
	}, hosttype.FillCrew)
}
