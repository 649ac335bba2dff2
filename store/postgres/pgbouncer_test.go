//go:build unix

package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/postgres"
	"github.com/go-roster/roster/store/storetest"
)

// bouncerPool is how many sessions of the server PgBouncer lends. They are lent
// in turn, so what is left in one meets somebody else soon.
const bouncerPool = 12

// bounced starts a PgBouncer that pools transactions before the server, and
// returns the DSN by which it leads to the database of dsn. It skips the test
// if there is none.
func bounced(t *testing.T, dsn string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil { // Debian's is where the PATH of most users does not lead
		if program, err = exec.LookPath("/usr/sbin/pgbouncer"); err != nil {
			t.Skip("pgbouncer is not in PATH")
		}
	}
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "roster-bouncer-") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	log := filepath.Join(dir, "log")
	ini := filepath.Join(dir, "pgbouncer.ini")
	password := ""
	if c.Password != "" {
		password = " password=" + c.Password
	}
	if err := os.WriteFile(ini, fmt.Appendf(nil, `[databases]
* = host=%s port=%d user=%s%s

[pgbouncer]
pool_mode = transaction
default_pool_size = %d
server_round_robin = 1
max_client_conn = 500
listen_addr =
listen_port = 6432
unix_socket_dir = %s
unix_socket_mode = 0777
auth_type = any
logfile = %s
`, c.Host, c.Port, c.User, password, bouncerPool, dir, log), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-q", ini)
	// It refuses to work for root: it works for the owner of the server then.
	if os.Getuid() == 0 {
		info, err := os.Stat(filepath.Join(c.Host, fmt.Sprintf(".s.PGSQL.%d", c.Port)))
		if err != nil {
			t.Skip("root can run pgbouncer only as the owner of the server's socket: ", err)
		}
		owner := info.Sys().(*syscall.Stat_t)
		if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &out, "/"
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	dsn = fmt.Sprintf("host=%s port=6432 user=%s dbname=%s sslmode=disable", dir, c.User, c.Database)
	for ctx := t.Context(); ; time.Sleep(20 * time.Millisecond) {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			_ = conn.Close(ctx)
			return dsn
		}
		select {
		case err := <-ended:
			ended <- err
			text, _ := os.ReadFile(log)
			t.Fatalf("pgbouncer has ended: %v\n%s%s", err, out.Bytes(), text)
		default:
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
}

// TestBouncer holds the store to its promises behind a PgBouncer that pools
// transactions, which the DSN says or Open finds out, and looks that nothing of
// it all is left in the sessions. What Open finds out leads to what the DSN says,
// so the whole suite runs in both ways in a soak alone.
func TestBouncer(t *testing.T) {
	for name, mode := range map[string]string{"exec": " default_query_exec_mode=exec", "default": ""} {
		t.Run(name, func(t *testing.T) {
			direct := pgtest.DSN(t, pgtest.C)
			dsn := bounced(t, direct)
			if mode == "" || os.Getenv("ROSTER_SOAK") == "1" {
				storetest.Run(t, func(t *testing.T) roster.Store { return behindBouncer(t, direct, dsn+mode) })
			}
			t.Run("Sessions", func(t *testing.T) {
				everyCallWorks(t, behindBouncer(t, direct, dsn+mode))
				sessions(t, dsn)
			})
		})
	}
}

func behindBouncer(t *testing.T, direct, dsn string) roster.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, postgres.Prefix(pgtest.Prefix(t, direct)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if !postgres.Local(s) {
		t.Error("a session behind a pooler is told how long to wait for a lock")
	}
	return s
}

// sessions looks into all that PgBouncer lends at once, and reports what is left
// there: prepared statements, settings, locks, cursors, temporary tables,
// channels.
func sessions(t *testing.T, dsn string) {
	t.Helper()
	var mu sync.Mutex
	seen := map[int]bool{}
	held := make(chan struct{})
	var wg, ready sync.WaitGroup
	ready.Add(bouncerPool)
	for range bouncerPool {
		wg.Go(func() {
			err := lent(t.Context(), dsn, func(ctx context.Context, tx pgx.Tx) error {
				var pid, prepared, locks, cursors, tables, channels int
				var settings string
				err := tx.QueryRow(ctx, `SELECT pg_backend_pid(), (SELECT count(*) FROM pg_prepared_statements),
	(SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'), (SELECT count(*) FROM pg_cursors WHERE name <> ''),
	(SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()), (SELECT count(*) FROM pg_listening_channels()),
	(SELECT coalesce(string_agg(name || '=' || setting, ' '), '') FROM pg_settings WHERE source = 'session'
		AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings'))`,
					pgx.QueryExecModeSimpleProtocol).Scan(&pid, &prepared, &locks, &cursors, &tables, &channels, &settings)
				mu.Lock()
				seen[pid] = true
				mu.Unlock()
				if prepared+locks+cursors+tables+channels > 0 || settings != "" {
					t.Errorf("a session keeps %d statements, %d locks, %d cursors, %d tables, %d channels, and %q",
						prepared, locks, cursors, tables, channels, settings)
				}
				ready.Done()
				<-held
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	ready.Wait()
	close(held)
	wg.Wait()
	if len(seen) != bouncerPool {
		t.Errorf("%d sessions were seen, not %d", len(seen), bouncerPool)
	}
}

// lent runs fn in a transaction, which has a session to itself.
func lent(ctx context.Context, dsn string, fn func(ctx context.Context, tx pgx.Tx) error) error {
	conn, err := pgx.Connect(ctx, dsn+" default_query_exec_mode=simple_protocol")
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return fn(ctx, tx) })
}
