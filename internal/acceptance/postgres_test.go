package acceptance

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

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

// cutter is a proxy on the way to the server that does something when it sees
// a commit.
type cutter struct {
	net.Listener
	to   string
	mode atomic.Int32 // of the next commit
	any  atomic.Bool  // or of whatever comes next

	seen chan struct{} // has a value when the server has answered what was cut

	mu    sync.Mutex
	conns []net.Conn
}

const (
	pass        int32 = iota
	cutBefore         // the commit never arrives
	cutAfter          // its answer never arrives
	silent            // nothing arrives any more
	cutInside         // a part of the answer arrives
	afterCutoff       // the rest of the connection
)

func newCutter(t *testing.T, config *pgx.ConnConfig) (*cutter, string) {
	t.Helper()
	dir := quickDir(t)
	l, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	network, address := "unix", filepath.Join(config.Host, fmt.Sprintf(".s.PGSQL.%d", config.Port))
	if !strings.HasPrefix(config.Host, "/") {
		network, address = "tcp", net.JoinHostPort(config.Host, fmt.Sprint(config.Port))
	}
	c := &cutter{Listener: l, to: address, seen: make(chan struct{}, 1)}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			c.mu.Lock()
			c.conns = append(c.conns, client, server)
			c.mu.Unlock()
			wg.Go(func() { c.carry(client, server) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		c.hangUp()
		wg.Wait()
	})
	password := ""
	if config.Password != "" {
		password = " password=" + config.Password
	}
	return c, fmt.Sprintf("host=%s port=5432 user=%s dbname=%s sslmode=disable%s", dir, config.User, config.Database, password)
}

// begin sets what becomes of the next commit.
func (c *cutter) begin(mode int32) {
	select {
	case <-c.seen:
	default:
	}
	c.mode.Store(mode)
}

func (c *cutter) hangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

// carry passes on what both sides say, until a commit is to be cut.
func (c *cutter) carry(client, server net.Conn) {
	defer client.Close()
	defer server.Close()
	var answers atomic.Int32 // what happens to what the server says
	var wg sync.WaitGroup
	wg.Go(func() {
		b := make([]byte, 32<<10)
		for {
			n, err := server.Read(b)
			switch {
			case err != nil:
				if answers.Load() != silent {
					_ = client.Close()
				}
				return
			case answers.Load() == silent:
				select {
				case c.seen <- struct{}{}:
				default:
				}
				continue
			case answers.Load() == cutInside:
				_, _ = client.Write(b[:1])
				_ = client.Close()
				return
			case answers.Load() == cutAfter:
				_ = client.Close()
				return
			}
			if _, err := client.Write(b[:n]); err != nil {
				return
			}
		}
	})
	b := make([]byte, 32<<10)
	for {
		n, err := client.Read(b)
		if err != nil {
			break
		}
		if c.any.Load() || bytes.Contains(bytes.ToLower(b[:n]), []byte("commit")) {
			switch mode := c.mode.Swap(pass); mode {
			case cutBefore:
				_ = client.Close()
				_ = server.Close()
			case cutAfter, cutInside, silent:
				answers.Store(mode)
			}
		}
		if _, err := server.Write(b[:n]); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) {
			break
		}
	}
	if answers.Load() == cutAfter || answers.Load() == cutInside {
		wg.Wait() // for the answer, which says that the server has done what it was told
	}
	_ = server.Close()
	wg.Wait()
}

// TestPostgresCommitCut loses the commit, or its answer, on the way.
func TestPostgresCommitCut(t *testing.T) {
	w := newPgWorld(t)
	t.Parallel()
	config, err := pgx.ParseConfig(w.dsn)
	if err != nil {
		t.Fatal(err)
	}
	cut, dsn := newCutter(t, config)
	s, err := postgres.Open(t.Context(), dsn, postgres.Prefix(w.store.prefix), postgres.PoolSize(2))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	far := newWorld(t, s) // the same accounts, seen through the proxy
	ctx := ctxOf(t)
	register := func(ctx context.Context, name string) error {
		_, err := far.Register(ctx, roster.NewUser{Name: name, Email: name + "@example.org", Password: goodPassword})
		return err
	}
	w.must(register(ctx, "plain"))
	far.post.take()
	for mode, name := range map[int32]string{cutBefore: "before", cutAfter: "after", cutInside: "inside", silent: "silent"} {
		t.Run(name, func(t *testing.T) {
			for i := range count(3, 100) {
				name := fmt.Sprintf("%s%d", name, i)
				call, cancel := context.WithCancel(ctx)
				cut.begin(mode)
				if mode == silent { // who waits for an answer gives up when none can come any more
					go func() {
						select {
						case <-cut.seen:
							cancel()
						case <-call.Done():
						}
					}()
				}
				err := register(call, name)
				cancel()
				if cut.mode.Swap(pass) != pass {
					t.Fatalf("no commit came by; the verb ended by %v", err)
				}
				switch {
				case mode == silent:
					if !errors.Is(err, context.Canceled) && !errors.Is(err, roster.ErrOutcomeUnknown) {
						t.Errorf("%v", err)
					}
				case !errors.Is(err, roster.ErrOutcomeUnknown):
					t.Errorf("%v, want ErrOutcomeUnknown", err)
				}
				if err != nil {
					decent(t, err)
				}
				if mails := far.post.take(); len(mails) > 0 {
					t.Errorf("%d mails left", len(mails))
				}
				// It has happened, or not, but not in part.
				w.quiet()
				if _, err = w.ByName(ctx, name); (err == nil) != (mode != cutBefore) {
					t.Errorf("afterwards: %v", err)
				}
			}
		})
	}
	t.Run("of a single statement", func(t *testing.T) {
		for i := range count(6, 100) {
			first := far.pending(next("lone%d"), next("lone%d@example.org"))
			second := far.pending(next("lone%d"), next("lone%d@example.org"))
			far.post.take()
			w.must(far.Purge(ctx, first.ID)) // so that the statement is prepared
			cut.any.Store(true)
			cut.begin([]int32{cutBefore, cutAfter, cutInside}[i%3])
			err := far.Purge(ctx, second.ID)
			cut.any.Store(false)
			cut.mode.Store(pass)
			w.quiet()
			_, look := w.ByID(ctx, second.ID)
			gone := errors.Is(look, roster.ErrNotFound)
			switch {
			case err == nil && !gone, errors.Is(err, roster.ErrNotFound):
				t.Errorf("purged, and it is there: %v, %v", err, look)
			case err != nil && gone && !errors.Is(err, roster.ErrOutcomeUnknown):
				t.Errorf("it has happened; told was %v", err)
			case err != nil && !errors.Is(err, roster.ErrOutcomeUnknown) && !unavailable()(err):
				t.Errorf("%v", err)
			}
			if !gone {
				w.must(w.Purge(ctx, second.ID))
			}
		}
	})
	w.must(register(ctx, "at-last"))
	far.post.take()
	whole(t, w.world)
	w.works()
}

// TestPostgresHung stops the server in the middle of whatever it does, as far
// as the accounts can see.
func TestPostgresHung(t *testing.T) {
	w := newPgWorld(t)
	t.Parallel()
	config, err := pgx.ParseConfig(w.dsn)
	if err != nil {
		t.Fatal(err)
	}
	cut, dsn := newCutter(t, config)
	s, err := postgres.Open(t.Context(), dsn, postgres.Prefix(w.store.prefix), postgres.PoolSize(3))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	far := newWorld(t, s)
	far.active("ann", "ann@example.org")
	w.must(cut.Listener.Close()) // whoever connects anew is refused
	cut.hangUp()
	for range 3 {
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		start := time.Now()
		u, err := far.Authenticate(ctx, "ann", goodPassword)
		if err == nil || u != nil || !unavailable()(err) && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a sign-in without a database: %s, %v", nameOf(u), err)
		}
		if _, err := far.ByName(ctx, "ann"); errors.Is(err, roster.ErrNotFound) || err == nil {
			t.Errorf("a look-up without a database: %v", err)
		}
		if d := time.Since(start); d > time.Minute {
			t.Errorf("it took %v", d)
		}
		cancel()
	}
	w.works()
}
