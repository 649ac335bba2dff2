package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/hosttest"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/postgres"
	"github.com/go-roster/roster/store/storetest"
)

// Every promise of a store is kept in transactions of the host.
func TestJoinedStore(t *testing.T) {
	dsn := pgtest.DSN(t, pgtest.C)
	storetest.Run(t, func(t *testing.T) roster.Store {
		return hosttest.Joining(open(t, dsn), handle(t, dsn+" lock_timeout=5000"))
	})
}

// Transactions of the host are joined behind a PgBouncer that pools transactions,
// and nothing is left in its sessions.
func TestJoinBouncer(t *testing.T) {
	direct := pgtest.Database(t, "")
	dsn := bounced(t, direct)
	db := handle(t, direct)
	var names []string // all in a soak
	if os.Getenv("ROSTER_SOAK") != "1" {
		names = []string{"DB/Atomic", "DB/Builders", "Join/Commit", "Join/Failure", "Join/Turns"}
	}
	hosttest.Run(t, func(t testing.TB, prefixes ...string) []*hosttest.Place {
		if len(names) == 0 && t.Name() == "TestJoinBouncer/Join/Elsewhere" {
			return places(t, bounced(t.(*testing.T), pgtest.Database(t, "")), prefixes...)
		}
		for _, query := range []string{"DROP SCHEMA public CASCADE", "CREATE SCHEMA public"} {
			if _, err := db.ExecContext(t.Context(), query); err != nil {
				t.Fatal(err)
			}
		}
		all := places(t, dsn, prefixes...)
		for _, p := range all { // as every program has it behind a pooler
			p.DB = handle(t, dsn+" default_query_exec_mode=exec")
		}
		return all
	}, names...)
	sessions(t, dsn)
}

// What the database gives up for the sake of others is told to the host, who
// begins again; roster does not.
func TestJoinSerializable(t *testing.T) {
	dsn := pgtest.DSN(t, pgtest.C)
	s, db := open(t, dsn), handle(t, dsn)
	users, err := roster.New(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	ann := &roster.User{Name: "ann"}
	if err := users.Create(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	ran := 0
	rename := func(between func()) error {
		tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback() }()
		joined, done, err := s.Join(t.Context(), tx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := users.ByID(joined, ann.ID); err != nil { // takes the snapshot
			t.Fatal(err)
		}
		between()
		if err := users.Edit(joined, ann.ID, func(u *roster.User) error {
			ran++
			u.RealName += "x"
			return nil
		}); err != nil {
			return err
		}
		return done(tx.Commit())
	}
	err = rename(func() {
		if err := users.Edit(t.Context(), ann.ID, func(u *roster.User) error { u.RealName = "of another"; return nil }); err != nil {
			t.Fatal(err)
		}
	})
	var un *roster.UnavailableError
	var e *pgconn.PgError
	if !errors.As(err, &un) || un.What != roster.UnavailableBusy || !errors.As(err, &e) || e.Code != "40001" || ran > 1 {
		t.Errorf("after another one: %v in %d tries, want an UnavailableError of %q in one", err, ran, roster.UnavailableBusy)
	}
	if err := rename(func() {}); err != nil {
		t.Error(err)
	}
	if u, err := users.ByID(t.Context(), ann.ID); err != nil || u.RealName != "of anotherx" {
		t.Errorf("%v, %v", u, err)
	}
}

// What is printed for other tools leads to tables that Open takes as they are,
// for a role that may change none of them.
func TestPrintedMigrations(t *testing.T) {
	empty := emptied(t)
	all, err := postgres.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	steps := make([]hosttest.Step, len(all))
	for i, m := range all {
		steps[i] = hosttest.Step{ID: m.ID, SQL: m.SQL, Goose: m.Goose(), Atlas: m.Atlas()}
	}
	role := "roster_test_app_" + pgtest.Prefix(t, pgtest.DSN(t, pgtest.C))
	if _, err := handle(t, pgtest.DSN(t, pgtest.C)).ExecContext(t.Context(), "CREATE ROLE "+role+" LOGIN"); err != nil {
		t.Fatal(err)
	}
	hosttest.Printed(t, steps, func(t testing.TB) (*sql.DB, func() (roster.Store, error)) {
		dsn := empty(t)
		c, err := pgx.ParseConfig(dsn)
		if err != nil {
			t.Fatal(err)
		}
		app := fmt.Sprintf("host=%s port=%d user=%s dbname=%s sslmode=disable", c.Host, c.Port, role, c.Database)
		db := handle(t, dsn)
		t.Cleanup(func() {
			if _, err := db.ExecContext(context.WithoutCancel(t.Context()), "DROP OWNED BY "+role); err != nil {
				t.Error(err)
			}
		})
		return db, func() (roster.Store, error) {
			if _, err := db.ExecContext(t.Context(), "GRANT USAGE ON SCHEMA public TO "+role+
				"; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "+role); err != nil {
				return nil, err
			}
			s, err := postgres.Open(t.Context(), app, postgres.NoMigrate())
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { _ = s.Close() })
			return s, nil
		}
	})
}
