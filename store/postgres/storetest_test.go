package postgres_test

import (
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/hosttype"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/postgres"
	"github.com/go-roster/roster/store/storetest"
)

func TestStore(t *testing.T) {
	for _, locale := range []string{pgtest.C, pgtest.EN} {
		t.Run(locale, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) roster.Store { return open(t, pgtest.DSN(t, locale)) })
		})
	}
}

// open opens a store for a test, on tables of its own.
func open(t testing.TB, dsn string, opts ...postgres.Option) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, append([]postgres.Option{postgres.Prefix(pgtest.Prefix(t, dsn))}, opts...)...)
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
		return open(t, pgtest.DSN(t, pgtest.C), postgres.Model[hosttype.Subscriber]())
	}, hosttype.Fill)
}

func TestStoreOfOwnGroups(t *testing.T) {
	storetest.RunGroupModel(t, func(t *testing.T) roster.Store {
		return open(t, pgtest.DSN(t, pgtest.C), postgres.GroupModel[hosttype.Team]())
	}, hosttype.FillTeam)
}
