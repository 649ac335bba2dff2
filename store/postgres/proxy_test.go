package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// proxy stands between a store and its server and breaks connections.
type proxy struct {
	dsn string

	// cut, if it is set, breaks the connection on which the client sends that:
	// before it gets through, or when the server answers.
	cut    atomic.Pointer[string]
	before atomic.Bool

	hang atomic.Bool // nothing gets through

	// startup, if it is set, gets the first message of each client. It returns
	// what to send instead, or an answer that ends the connection.
	startup func(message []byte) (instead, answer []byte)

	cuts atomic.Int32
	mu   sync.Mutex
	all  []net.Conn
}

func newProxy(t *testing.T, dsn string, startup func([]byte) (instead, answer []byte)) *proxy {
	t.Helper()
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	network, address := "tcp", fmt.Sprintf("%s:%d", c.Host, c.Port)
	if strings.HasPrefix(c.Host, "/") {
		network, address = "unix", filepath.Join(c.Host, fmt.Sprintf(".s.PGSQL.%d", c.Port))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{startup: startup, dsn: fmt.Sprintf("host=127.0.0.1 port=%d user=%s dbname=%s password='%s' sslmode=disable",
		l.Addr().(*net.TCPAddr).Port, c.User, c.Database, c.Password)}
	t.Cleanup(func() { _ = l.Close(); p.breakAll() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				return
			}
			p.mu.Lock()
			p.all = append(p.all, client, server)
			p.mu.Unlock()
			if p.startup != nil && !p.start(client, server) {
				continue
			}
			var answered atomic.Bool // what comes next from the server is the answer to what is to be cut
			go p.copy(server, client, func(data []byte) bool {
				if cut := p.cut.Load(); cut != nil && bytes.Contains(data, []byte(*cut)) {
					answered.Store(true)
					return p.before.Load()
				}
				return false
			})
			go p.copy(client, server, func([]byte) bool { return answered.Load() })
		}
	}()
	return p
}

func (p *proxy) start(client, server net.Conn) bool {
	buf := make([]byte, 1<<12)
	n, err := client.Read(buf)
	if err == nil {
		instead, answer := p.startup(buf[:n])
		if answer == nil {
			_, err = server.Write(instead)
			return err == nil
		}
		_, _ = client.Write(answer)
	}
	_, _ = client.Close(), server.Close()
	return false
}

func (p *proxy) copy(to, from net.Conn, cut func([]byte) bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 1<<16)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		for p.hang.Load() {
			time.Sleep(5 * time.Millisecond)
		}
		if cut(buf[:n]) {
			p.cuts.Add(1)
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// breakAll breaks every connection there is.
func (p *proxy) breakAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.all {
		_ = c.Close()
	}
	p.all = nil
}

// behind opens a store behind a proxy, with more in its DSN, and one beside it on
// the same tables.
func behind(t *testing.T, params string) (behind, beside *postgres.Store, p *proxy) {
	t.Helper()
	dsn := pgtest.DSN(t, pgtest.C)
	prefix := postgres.Prefix(pgtest.Prefix(t, dsn))
	p = newProxy(t, dsn, nil)
	for _, s := range []struct {
		to  **postgres.Store
		dsn string
	}{{&beside, dsn}, {&behind, p.dsn + params}} {
		var err error
		if *s.to, err = postgres.Open(t.Context(), s.dsn, prefix); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = (*s.to).Close() })
	}
	return behind, beside, p
}

// A lost answer to a commit is told as such, whatever became of it, and the
// transaction is not run again.
func TestCommitCut(t *testing.T) {
	for name, before := range map[string]bool{"before it arrives": true, "before the answer": false} {
		t.Run(name, func(t *testing.T) {
			s, beside, p := behind(t, "")
			commit := "commit"
			p.before.Store(before)
			p.cut.Store(&commit)
			u, ran, after := benchUser(1), 0, false
			err := s.Atomic(t.Context(), func(ctx context.Context) error {
				ran++
				roster.AfterCommit(ctx, func(context.Context) { after = true })
				return s.InsertUser(ctx, u, "")
			})
			p.cut.Store(nil)
			if !errors.Is(err, roster.ErrOutcomeUnknown) || ran != 1 || after || p.cuts.Load() != 1 {
				t.Errorf("%v after %d runs and %d cuts, want ErrOutcomeUnknown after one", err, ran, p.cuts.Load())
			}
			if err != nil && strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("the text %q tells the host", err)
			}
			deadline := time.Now().Add(5 * time.Second)
			for {
				_, err = beside.UserByName(t.Context(), u.NameKey)
				if before == errors.Is(err, roster.ErrNotFound) || time.Now().After(deadline) {
					break
				}
			}
			if before != errors.Is(err, roster.ErrNotFound) {
				t.Errorf("the row: %v", err)
			}
			insertUser(t, s, 2) // the store goes on
		})
	}
}

// A write alone is its own commit. It is not run again either.
func TestWriteCut(t *testing.T) {
	for _, mode := range []string{"", " default_query_exec_mode=exec", " default_query_exec_mode=simple_protocol"} {
		t.Run(mode, func(t *testing.T) { writeCut(t, mode) })
	}
}

func writeCut(t *testing.T, mode string) {
	s, beside, p := behind(t, mode)
	u := insertUser(t, beside, 1)
	if err := s.RecordLogin(t.Context(), u.ID, time.Now(), "first"); err != nil {
		t.Fatal(err)
	}
	if mode != " default_query_exec_mode=simple_protocol" { // which is cut at the commit only
		mark := "the one to cut"
		p.cut.Store(&mark)
		if err := s.RecordLogin(t.Context(), u.ID, time.Now(), mark); !errors.Is(err, roster.ErrOutcomeUnknown) || p.cuts.Load() != 1 {
			t.Errorf("%v after %d cuts, want ErrOutcomeUnknown after one", err, p.cuts.Load())
		}
		another := benchUser(2)
		another.RealName = mark
		if err := s.InsertUser(t.Context(), another, ""); !errors.Is(err, roster.ErrOutcomeUnknown) || p.cuts.Load() != 2 {
			t.Errorf("%v after %d cuts, want ErrOutcomeUnknown after two", err, p.cuts.Load())
		}
		// A read changes nothing, so it is asked again, and what becomes of it is known.
		_, err := s.UserByName(t.Context(), mark)
		unavailable(t, err, roster.UnavailableDatabase, "127.0.0.1")
		if errors.Is(err, roster.ErrOutcomeUnknown) || p.cuts.Load() < 4 {
			t.Errorf("a read: %v after %d cuts", err, p.cuts.Load())
		}
		// In a transaction the commit is still to come.
		err = s.Atomic(t.Context(), func(ctx context.Context) error {
			return s.RecordLogin(ctx, u.ID, time.Now(), mark)
		})
		unavailable(t, err, roster.UnavailableDatabase, "127.0.0.1")
	} else {
		commit := "commit"
		p.cut.Store(&commit)
		if err := s.InsertUser(t.Context(), benchUser(2), ""); !errors.Is(err, roster.ErrOutcomeUnknown) {
			t.Errorf("%v, want ErrOutcomeUnknown", err)
		}
	}
	p.cut.Store(nil)
	if err := s.RecordLogin(t.Context(), u.ID, time.Now(), "last"); err != nil {
		t.Error(err)
	}
	if n, err := beside.CountUsers(t.Context(), roster.UserQuery{State: roster.StateLive}); err != nil || n != 2 {
		t.Errorf("%d users, %v: want 2", n, err)
	}
}

// A commit that is cut short by its context gives the context's error.
func TestCommitDeadline(t *testing.T) {
	s, _, p := behind(t, "")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	var start time.Time
	err := s.Atomic(ctx, func(ctx context.Context) error {
		err := s.InsertUser(ctx, benchUser(1), "")
		p.hang.Store(true)
		start = time.Now()
		return err
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want DeadlineExceeded", err)
	}
	if d := time.Since(start); d > 400*time.Millisecond+slack {
		t.Errorf("it took %s, with 200 ms to go", d)
	}
	p.hang.Store(false)
	insertUser(t, s, 2)
}

// slack is for a busy machine.
const slack = time.Second

// A server that hangs costs no more than the context allows.
func TestServerHangs(t *testing.T) {
	s, _, p := behind(t, "")
	u := insertUser(t, s, 1)
	p.hang.Store(true)
	for name, call := range map[string]func(ctx context.Context) error{
		"read":  func(ctx context.Context) error { return only(s.UserByID(ctx, u.ID)) },
		"write": func(ctx context.Context) error { return s.RecordLogin(ctx, u.ID, time.Now(), "") },
		"tx": func(ctx context.Context) error {
			return s.Atomic(ctx, func(ctx context.Context) error { return s.RecordLogin(ctx, u.ID, time.Now(), "") })
		},
	} {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want DeadlineExceeded", name, err)
		}
		cancel()
		if d := time.Since(start); d > 300*time.Millisecond+slack {
			t.Errorf("%s: it took %s, with 100 ms to go", name, d)
		}
	}
	p.hang.Store(false)
	if _, err := s.UserByID(t.Context(), u.ID); err != nil {
		t.Error(err)
	}
}

// Connections that broke while nobody looked are no trouble to anybody.
func TestBrokenPool(t *testing.T) {
	s, _, p := behind(t, "")
	u := insertUser(t, s, 1)
	var wg sync.WaitGroup
	for range 12 { // so that there are many
		wg.Go(func() {
			_ = s.Atomic(t.Context(), func(context.Context) error { time.Sleep(50 * time.Millisecond); return nil })
		})
	}
	wg.Wait()
	for range 3 {
		p.breakAll()
		if _, err := s.UserByID(t.Context(), u.ID); err != nil {
			t.Error("a read:", err)
		}
		p.breakAll()
		if err := s.Atomic(t.Context(), func(ctx context.Context) error {
			return s.RecordLogin(ctx, u.ID, time.Now(), "")
		}); err != nil {
			t.Error("a transaction:", err)
		}
	}
}

// Where something on the way does not let a session bound how long it waits for
// a lock, each transaction does.
func TestPooler(t *testing.T) {
	const setting = "lock_timeout"
	refusal := append([]byte("E\x00\x00\x00\x00"), "SFATAL\x00VFATAL\x00C08P01\x00Munsupported startup parameter: lock_timeout\x00\x00"...)
	refusal[4] = byte(len(refusal) - 1)
	for name, startup := range map[string]func([]byte) (instead, answer []byte){
		"refuses": func(message []byte) (instead, answer []byte) {
			if bytes.Contains(message, []byte(setting)) {
				return nil, refusal
			}
			return message, nil
		},
		"ignores": func(message []byte) (instead, answer []byte) {
			return bytes.Replace(message, []byte(setting), []byte("temp_buffers"), 1), nil // another one of that length
		},
		"lets through": func(message []byte) (instead, answer []byte) { return message, nil },
	} {
		t.Run(name, func(t *testing.T) {
			dsn := pgtest.DSN(t, pgtest.C)
			p := newProxy(t, dsn, startup)
			prefix := pgtest.Prefix(t, dsn)
			s, err := postgres.Open(t.Context(), p.dsn, postgres.Prefix(prefix), postgres.BusyTimeout(300*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if got, want := postgres.Local(s), name != "lets through"; got != want {
				t.Errorf("transactions bound their waiting: %v, want %v", got, want)
			}
			u := insertUser(t, s, 1)
			db := pgtest.Open(t, dsn)
			defer db.Close()
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback() // the end
			if _, err := tx.ExecContext(t.Context(), "LOCK TABLE "+prefix+"users IN SHARE MODE"); err != nil {
				t.Fatal(err)
			}
			unavailable(t, s.RecordLogin(t.Context(), u.ID, time.Now(), ""), roster.UnavailableBusy)
			unavailable(t, s.Atomic(t.Context(), func(ctx context.Context) error {
				return s.RecordLogin(ctx, u.ID, time.Now(), "")
			}), roster.UnavailableBusy)
		})
	}
}
