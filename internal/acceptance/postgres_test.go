package acceptance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/postgres"
)

// pgWorld is accounts in a database of their own, and a superuser beside them.
type pgWorld struct {
	*world
	dsn   string
	admin *sql.DB
	store *postgresStore
}

func newPgWorld(t *testing.T, opts ...postgres.Option) *pgWorld {
	t.Helper()
	dsn := pgtest.Database(t, "ENCODING 'UTF8'")
	admin := pgtest.Open(t, dsn)
	t.Cleanup(func() { _ = admin.Close() })
	s := openPostgres(t, dsn, opts...)
	return &pgWorld{newWorld(t, s), dsn, admin, s}
}

func (w *pgWorld) exec(query string) {
	w.t.Helper()
	if _, err := w.admin.Exec(query); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
}

// set changes a setting for whoever connects from now on, and for those who
// are connected.
func (w *pgWorld) set(setting string) {
	w.t.Helper()
	var name string
	if err := w.admin.QueryRow("SELECT current_database()").Scan(&name); err != nil {
		w.t.Fatal(err)
	}
	w.exec("ALTER DATABASE " + name + " " + setting)
	w.terminate()
}

// others are the sessions of everybody else.
const others = " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"

// terminate ends the sessions of everybody else, and waits until they are gone.
func (w *pgWorld) terminate() {
	w.t.Helper()
	var pids string
	if err := w.admin.QueryRow("SELECT coalesce(string_agg(pid::text, ','), '0') FROM (SELECT pid, pg_terminate_backend(pid)" + others + " OFFSET 0) ended").Scan(&pids); err != nil {
		w.t.Fatal(err)
	}
	w.until("terminated sessions are gone", "SELECT count(*) = 0"+others+" AND pid IN ("+pids+")")
}

// until waits for the answer to be true. How long that takes is nobody's fault
// but the machine's.
func (w *pgWorld) until(what, query string) {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		var is bool
		if err := w.admin.QueryRow(query).Scan(&is); err != nil {
			w.t.Fatal(err)
		}
		if is {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("after a minute not yet: %s", what)
		}
	}
}

// works checks that everything is as it should be after the trouble.
func (w *pgWorld) works() {
	w.t.Helper()
	u := w.active(next("after%d"), next("after%d@example.org"))
	mustSignIn(w.t, w.Users, u.Name, goodPassword)
	w.sound()
	w.quiet()
}

// quiet checks that nobody works any more, and no transaction is left open.
func (w *pgWorld) quiet() {
	w.t.Helper()
	w.until("no transaction is open", "SELECT count(*) = 0"+others+" AND state <> 'idle'")
}

func TestPostgresTerminated(t *testing.T) {
	w := newPgWorld(t)
	t.Parallel()
	ctx := ctxOf(t)
	ann := w.active("ann", "ann@example.org")
	t.Run("between calls", func(t *testing.T) {
		for range 5 {
			w.terminate()
			if _, err := w.ByName(ctx, "ann"); err != nil {
				t.Errorf("a look-up on a connection that was cut: %v", err)
			}
			w.terminate()
			mustSignIn(t, w.Users, "ann", goodPassword)
			w.terminate()
			if err := w.Edit(ctx, ann.ID, func(u *roster.User) error { return counter.Set(u, counter.Get(u)+1) }); err != nil {
				t.Errorf("a transaction on a connection that was cut: %v", err)
			}
		}
		if u, err := w.ByID(ctx, ann.ID); err != nil || counter.Get(u) != 5 {
			t.Errorf("%d edits, %v", counter.Get(u), err)
		}
	})
	t.Run("in a transaction", func(t *testing.T) {
		for _, swallow := range []bool{false, true} {
			name := fmt.Sprintf("cut-%v", swallow)
			runs := 0
			err := w.Atomic(ctx, func(ctx context.Context) error {
				runs++
				w.must(w.Create(ctx, &roster.User{Name: name}))
				w.terminate()
				err := w.Create(ctx, &roster.User{Name: name + "-two"})
				if err == nil || !unavailable(roster.UnavailableDatabase)(err) {
					t.Errorf("the next verb: %v", err)
				}
				if swallow {
					return nil
				}
				return err
			})
			if err == nil || !errors.Is(err, roster.ErrUnavailable) && !errors.Is(err, roster.ErrTxAborted) {
				t.Errorf("the transaction: %v", err)
			}
			decent(t, err)
			if _, err := w.ByName(ctx, name); !errors.Is(err, roster.ErrNotFound) {
				t.Errorf("half of the transaction is there: %v", err)
			}
			if runs != 1 {
				t.Errorf("it ran %d times", runs)
			}
		}
	})
	t.Run("before the commit", func(t *testing.T) {
		err := w.Atomic(ctx, func(ctx context.Context) error {
			if err := w.Create(ctx, &roster.User{Name: "late"}); err != nil {
				return err
			}
			w.terminate()
			return nil
		})
		// From here it cannot be told from a commit whose answer was lost.
		if !errors.Is(err, roster.ErrOutcomeUnknown) && !unavailable()(err) {
			t.Errorf("%v", err)
		}
		if _, err := w.ByName(ctx, "late"); !errors.Is(err, roster.ErrNotFound) {
			t.Errorf("it is there: %v", err)
		}
	})
	w.works()
}

// TestPostgresTerminatedAtRandom cuts the connections of busy callers again and
// again, and lets a sign-up through now and then.
func TestPostgresTerminatedAtRandom(t *testing.T) {
	w := newPgWorld(t)
	t.Parallel()
	ctx := ctxOf(t)
	rng := random(t)
	var acked, failed, unknown atomic.Int64
	var over atomic.Bool
	seeds := []uint64{rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64()}
	cuts := count(40, 2000)
	errs := together(len(seeds)+1, func(i int) error {
		if i == len(seeds) {
			defer over.Store(true)
			for n := range cuts {
				done, got := acked.Load()+failed.Load()+unknown.Load(), acked.Load()
				for ctx.Err() == nil && (acked.Load()+failed.Load()+unknown.Load() == done || n%10 == 9 && acked.Load() == got) {
					time.Sleep(time.Duration(1+rng.IntN(20)) * time.Millisecond) // so that the cut comes anywhere
				}
				w.terminate()
			}
			return ctx.Err()
		}
		return signUpThroughCuts(ctx, w.world, i, rand.New(rand.NewPCG(seeds[i], 1)), &over, &acked, &failed, &unknown)
	})
	w.must(errors.Join(errs...))
	t.Logf("%d cuts: %d acknowledged, %d failed, %d unknown", cuts, acked.Load(), failed.Load(), unknown.Load())
	whole(t, w.world)
	w.works()
}

// signUpThroughCuts registers people until it is over, and looks after each what
// has become of it.
func signUpThroughCuts(
	ctx context.Context, w *world, i int, rng *rand.Rand, over *atomic.Bool, acked, failed, unknown *atomic.Int64,
) error {
	for n := 0; !over.Load(); n++ {
		name := fmt.Sprintf("cut%d-%d", i, n)
		u, err := w.Register(ctx, roster.NewUser{Name: name, Email: name + "@example.org", Password: goodPassword})
		if err == nil && rng.IntN(2) == 0 {
			_, err := w.Authenticate(ctx, name, otherPassword)
			if !errors.Is(err, roster.ErrCredentials) && !unavailable()(err) {
				return fmt.Errorf("sign-in: %w", err)
			}
		}
		found, look := w.ByName(ctx, name)
		for unavailable()(look) {
			found, look = w.ByName(ctx, name)
		}
		switch {
		case err == nil && (look != nil || found.ID != u.ID):
			return fmt.Errorf("%s was acknowledged and is lost: %w", name, look)
		case err == nil:
			acked.Add(1)
		case errors.Is(err, roster.ErrOutcomeUnknown):
			unknown.Add(1)
		case !unavailable()(err):
			return fmt.Errorf("register: %w", err)
		case !errors.Is(look, roster.ErrNotFound):
			return fmt.Errorf("%s failed and is there: %w", name, look)
		default:
			failed.Add(1)
		}
	}
	return nil
}

func TestPostgresReadOnly(t *testing.T) {
	w := newPgWorld(t)
	t.Parallel()
	c := newCast(w.world)
	w.set("SET default_transaction_read_only = on")
	readOnly(t, w.world, c)
	w.set("RESET default_transaction_read_only")
	w.works()
}

// TestPostgresTablesGone takes the tables away under the running accounts.
func TestPostgresTablesGone(t *testing.T) {
	w := newPgWorld(t)
	t.Parallel()
	c := newCast(w.world)
	w.exec("ALTER TABLE " + w.store.prefix + "emails RENAME TO elsewhere")
	ctx := ctxOf(t)
	if _, err := w.Register(ctx, roster.NewUser{Name: "nina", Email: "nina@example.org", Password: goodPassword}); !unavailable()(err) {
		t.Errorf("register: %v", err)
	}
	if _, err := w.ByName(ctx, "nina"); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("half a registration: %v", err)
	}
	if _, err := w.AddEmail(ctx, c.ann.ID, "nina@example.org"); !unavailable()(err) {
		t.Errorf("add: %v", err)
	} else {
		decent(t, err)
	}
	if u, err := w.Authenticate(ctx, "ann@example.org", goodPassword); !unavailable()(err) || u != nil {
		t.Errorf("sign-in by address: %v", err)
	}
	w.exec("ALTER TABLE elsewhere RENAME TO " + w.store.prefix + "emails")
	w.post.take()
	w.works()
}
