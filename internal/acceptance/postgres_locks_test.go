package acceptance

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/postgres"
)

// TestPostgresTooManyConnections gives the accounts a role that may connect
// only so often.
func TestPostgresTooManyConnections(t *testing.T) {
	w := newPgWorld(t)
	t.Parallel()
	role := "limited_" + w.store.prefix
	w.exec("CREATE ROLE " + role + " LOGIN CONNECTION LIMIT 2")
	t.Cleanup(func() {
		_ = w.store.Close()
		w.exec("DROP OWNED BY " + role)
		w.exec("DROP ROLE " + role)
	})
	w.exec("GRANT ALL ON SCHEMA public TO " + role)
	config, err := pgx.ParseConfig(w.dsn)
	if err != nil {
		t.Fatal(err)
	}
	dsn := fmt.Sprintf("host=%s port=%d dbname=%s user=%s sslmode=disable", config.Host, config.Port, config.Database, role)
	s, err := postgres.Open(t.Context(), dsn, postgres.Prefix("few_"), postgres.PoolSize(8))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	few := newWorld(t, s)
	few.active("ann", "ann@example.org")
	ctx := ctxOf(t)
	// Somebody else has both.
	w.terminate()
	var taken []*pgx.Conn
	for range 2 {
		conn, err := pgx.Connect(ctx, dsn)
		w.must(err)
		taken = append(taken, conn)
	}
	_, err = few.Register(ctx, roster.NewUser{Name: "refused", Email: "refused@example.org", Password: goodPassword})
	if !unavailable(roster.UnavailableDatabase)(err) {
		t.Errorf("without a connection: %v", err)
	} else {
		decent(t, err)
	}
	if u, err := few.Authenticate(ctx, "ann", goodPassword); u != nil || !unavailable(roster.UnavailableDatabase)(err) {
		t.Errorf("a sign-in without a connection: %v", err)
	}
	for _, conn := range taken {
		w.must(conn.Close(ctx))
	}
	w.until("they have hung up", "SELECT count(*) = 0"+others+" AND usename = '"+role+"'")

	// Many want them, and some get one.
	var refused atomic.Int64
	errs := together(16, func(i int) error {
		for n := range 10 {
			name := fmt.Sprintf("many%d-%d", i, n)
			_, err := few.Register(ctx, roster.NewUser{Name: name, Email: name + "@example.org", Password: goodPassword})
			if err != nil {
				if !unavailable(roster.UnavailableDatabase)(err) {
					return err
				}
				decent(t, err)
				refused.Add(1)
			}
			if _, err := few.Authenticate(ctx, "ann", otherPassword); !errors.Is(err, roster.ErrCredentials) && !unavailable()(err) {
				return fmt.Errorf("sign-in: %w", err)
			}
		}
		return nil
	})
	w.must(errors.Join(errs...))
	t.Logf("%d calls were refused", refused.Load())
	mustSignIn(t, few.Users, "ann", goodPassword)
	whole(t, few)
}

// TestPostgresLocked lets another session hold the locks.
func TestPostgresLocked(t *testing.T) {
	w := newPgWorld(t, postgres.BusyTimeout(300*time.Millisecond))
	t.Parallel()
	ctx := ctxOf(t)
	c := newCast(w.world)
	slow, err := postgres.Open(ctx, w.dsn, postgres.Prefix(w.store.prefix), postgres.BusyTimeout(-1))
	w.must(err)
	t.Cleanup(func() { _ = slow.Close() })
	patient := newWorld(t, slow) // the same accounts, waiting for as long as the context lets them
	for what, lock := range map[string]string{
		"table": "LOCK TABLE " + w.store.prefix + "users IN ACCESS EXCLUSIVE MODE",
		"row":   fmt.Sprintf("SELECT 1 FROM %susers WHERE id = %d FOR UPDATE", w.store.prefix, c.ann.ID),
	} {
		t.Run(what, func(t *testing.T) {
			tx, err := w.admin.Begin()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(lock); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if err := w.Disable(ctx, c.ann.ID); !unavailable(roster.UnavailableBusy)(err) {
				t.Errorf("a write: %v", err)
			}
			if d := time.Since(start); d < 250*time.Millisecond || d > time.Minute {
				t.Errorf("it took %v", d)
			}
			u, err := w.Authenticate(ctx, "ann", goodPassword)
			if err != nil && (u != nil || !unavailable(roster.UnavailableBusy)(err)) {
				t.Errorf("a sign-in: %v", err)
			}
			if _, err := w.Authenticate(ctx, "ann", otherPassword); !errors.Is(err, roster.ErrCredentials) && !unavailable(roster.UnavailableBusy)(err) {
				t.Errorf("a sign-in with a wrong password: %v", err)
			}
			short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			defer cancel()
			if err := patient.Disable(short, c.ann.ID); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a write with a deadline: %v", err)
			}
			w.must(tx.Rollback())
			if u, err := w.ByName(ctx, "ann"); err != nil || !u.Enabled {
				t.Errorf("what was given up has happened: %v", err)
			}
		})
	}
	w.works()
}

// TestPostgresStatementTimeout has the server give up on what waits.
func TestPostgresStatementTimeout(t *testing.T) {
	w := newPgWorld(t)
	t.Parallel()
	ctx := ctxOf(t)
	c := newCast(w.world)
	w.set("SET statement_timeout = '100ms'")
	tx, err := w.admin.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(fmt.Sprintf("SELECT 1 FROM %susers WHERE id = %d FOR UPDATE", w.store.prefix, c.ann.ID)); err != nil {
		t.Fatal(err)
	}
	if err := w.Disable(ctx, c.ann.ID); !unavailable()(err) {
		t.Errorf("%v", err)
	}
	w.must(tx.Rollback())
	w.set("RESET statement_timeout")
	w.works()
}

// TestPostgresSerializable makes every transaction serializable, so that the
// database gives up on many for the sake of others.
func TestPostgresSerializable(t *testing.T) {
	w := newPgWorld(t)
	t.Parallel()
	w.set("SET default_transaction_isolation = 'serializable'")
	ctx := ctxOf(t)
	u := w.active("ann", "ann@example.org")
	w.must(errors.Join(together(4, func(i int) error {
		for range 5 {
			for { // it is tried again a bounded number of times, and somebody may be unlucky each time
				err := w.Edit(ctx, u.ID, func(u *roster.User) error { return counter.Set(u, counter.Get(u)+1) })
				if err == nil {
					break
				}
				if !unavailable(roster.UnavailableBusy)(err) {
					return err
				}
			}
		}
		return nil
	})...))
	now, err := w.ByID(ctx, u.ID)
	w.must(err)
	if counter.Get(now) != 20 {
		t.Errorf("of 20 edits %d are left", counter.Get(now))
	}
	for round := range count(5, 500) {
		name := fmt.Sprintf("racer%d", round)
		oneWinner(t, together(rivals, func(i int) error {
			_, err := w.Register(ctx, roster.NewUser{Name: spelled(name, i), Email: fmt.Sprintf("%s-%d@example.org", name, i), Password: goodPassword})
			return err
		}), either(conflict(roster.FieldName), unavailable(roster.UnavailableBusy)))
	}
	w.works()
}
