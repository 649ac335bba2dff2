package acceptance

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
)

// killed starts a child, lets it work for a moment, kills it, and returns what
// it has said.
func killed(t *testing.T, rng *rand.Rand, env ...string) (said []string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timeout := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() }) // should it hang
	defer timeout.Stop()
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // what is not a whole line was not said
		}
		if said == nil {
			time.AfterFunc(time.Duration(20_000+rng.IntN(230_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		}
		said = append(said, strings.TrimSuffix(line, "\n"))
	}
	_ = cmd.Wait()
	if len(said) == 0 || stderr.Len() > 0 {
		t.Fatalf("the child said nothing, or this: %s", stderr.String())
	}
	return said
}

// kept checks that everything that was said is true.
func kept(t *testing.T, w *world, said []string) {
	t.Helper()
	ctx := context.Background()
	edited, deleted := map[string]bool{}, map[string]bool{}
	var names []string
	for _, line := range said {
		what, name, _ := strings.Cut(line, " ")
		switch what {
		case "registered":
			names = append(names, name)
		case "edited":
			edited[name] = true
		case "deleted":
			deleted[name] = true
		default:
			t.Fatalf("the child said %q", line)
		}
	}
	for _, name := range names {
		u, err := w.ByName(ctx, name)
		if deleted[name] {
			if !errors.Is(err, roster.ErrNotFound) {
				t.Fatalf("%s was deleted, and is there: %v", name, err)
			}
			continue
		}
		if errors.Is(err, roster.ErrNotFound) { // it may have been deleted, and had no time to say so
			n, err := w.Count(ctx, roster.Query{Pattern: name, State: roster.StateDeleted})
			if err != nil || n == 0 {
				t.Fatalf("%s was acknowledged and is lost: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if edited[name] && u.RealName != "Edited "+name {
			t.Fatalf("the edit of %s was acknowledged and is lost", name)
		}
		emails, err := w.Emails(ctx, u.ID)
		if err != nil || len(emails) != 1 || !emails[0].Primary {
			t.Fatalf("%s is torn: %d addresses, %v", name, len(emails), err)
		}
		if err := w.CheckPassword(ctx, u.ID, goodPassword); err != nil {
			t.Fatalf("%s is torn: %v", name, err)
		}
	}
}

// whole checks that every registration, also one that nobody was told of, is
// there as a whole.
func whole(t *testing.T, w *world) (users int) {
	t.Helper()
	rows, err := readRows(context.Background(), w.store)
	w.must(err)
	if len(rows.emails) != len(rows.users) || len(rows.creds) != len(rows.users) {
		t.Fatalf("torn: %d users, %d addresses, %d credentials", len(rows.users), len(rows.emails), len(rows.creds))
	}
	w.sound()
	return len(rows.users)
}

// TestKillSQLite kills a program while it writes. Nothing that it was told is
// done is lost, and nothing is half done.
func TestKillSQLite(t *testing.T) {
	t.Parallel()
	rng := random(t)
	path := filepath.Join(quickDir(t), "accounts.db")
	var all []string
	users := 0
	n := count(6, 1000)
	start := time.Now()
	for i := range n {
		said := killed(t, rng, childEnv+"=sqlite", childWhat+"="+path, childName+fmt.Sprintf("=k%d", i))
		all = append(all, said...)
		if i%10 != 0 && i < n-1 {
			continue // the log is then the work of several who were killed
		}
		s := openSQLite(t, path)
		w := newWorld(t, s)
		kept(t, w, all)
		users = whole(t, w)
		w.must(s.Close())
		intact(t, path)
	}
	t.Logf("%d kills in %v, %d acknowledgements, 0 lost; %d users", n, time.Since(start).Round(time.Millisecond), len(all), users)
}

// TestKillPostgres does the same to a program on PostgreSQL, which must also
// notice that its client is gone.
func TestKillPostgres(t *testing.T) {
	dsn := pgtest.Database(t, "ENCODING 'UTF8'")
	t.Parallel()
	rng := random(t)
	s := openPostgres(t, dsn)
	w := newWorld(t, s)
	var all []string
	n := count(4, 300)
	for i := range n {
		all = append(all, killed(t, rng, childEnv+"=postgres", childWhat+"="+dsn, childMore+"="+s.prefix, childName+fmt.Sprintf("=k%d", i))...)
	}
	db := pgtest.Open(t, dsn)
	defer db.Close()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		var left int
		if err := db.QueryRow(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
			AND xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'`).Scan(&left); err != nil {
			t.Fatal(err)
		}
		if left == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d transactions of clients that are gone", left)
		}
	}
	kept(t, w, all)
	t.Logf("%d kills, %d acknowledgements, 0 lost; %d users", n, len(all), whole(t, w))
}
