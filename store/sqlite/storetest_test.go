package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/hosttype"
	"github.com/go-roster/roster/store/sqlite"
	"github.com/go-roster/roster/store/storetest"
)

func TestStore(t *testing.T) {
	t.Run("file", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) roster.Store {
			return open(t, filepath.Join(t.TempDir(), "test.db"))
		})
	})
	t.Run("memory", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) roster.Store { return open(t, ":memory:") })
	})
}

// open opens a store for a test.
func open(t testing.TB, path string, opts ...sqlite.Option) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestStoreOfOwnType(t *testing.T) {
	storetest.RunModel(t, func(t *testing.T) roster.Store {
		return open(t, ":memory:", sqlite.Model[hosttype.Subscriber]())
	}, hosttype.Fill)
}

func TestStoreOfOwnGroups(t *testing.T) {
	storetest.RunGroupModel(t, func(t *testing.T) roster.Store {
		return open(t, ":memory:", sqlite.GroupModel[hosttype.Team]())
	}, hosttype.FillTeam)
}
