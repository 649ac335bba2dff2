package acceptance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/postgres"
)

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

// far returns the same accounts, seen through a proxy.
func (w *pgWorld) far(t *testing.T, connections int) (*cutter, *world) {
	t.Helper()
	config, err := pgx.ParseConfig(w.dsn)
	if err != nil {
		t.Fatal(err)
	}
	cut, dsn := newCutter(t, config)
	s, err := postgres.Open(t.Context(), dsn, postgres.Prefix(w.store.prefix), postgres.PoolSize(connections))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return cut, newWorld(t, s)
}

// TestPostgresCommitCut loses the commit, or its answer, on the way.
func TestPostgresCommitCut(t *testing.T) {
	w := newPgWorld(t)
	t.Parallel()
	cut, far := w.far(t, 2)
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
	cut, far := w.far(t, 3)
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
