package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/sqlite"
)

// What another process does, by the name in this variable.
const childEnv = "ROSTER_TEST_CHILD"

func TestMain(m *testing.M) {
	name, path, ok := strings.Cut(os.Getenv(childEnv), " ")
	if !ok {
		os.Exit(m.Run())
	}
	if err := children[name](path); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

var children = map[string]func(path string) error{
	// open opens the store and closes it.
	"open": func(path string) error {
		s, err := sqlite.Open(context.Background(), path)
		if err != nil {
			return err
		}
		return s.Close()
	},
	// write inserts users until it is killed, and tells of each that is committed.
	"write": func(path string) error {
		s, err := sqlite.Open(context.Background(), path)
		if err != nil {
			return err
		}
		for {
			u := benchUser(0)
			u.NameKey = u.UUID.String()
			if err := s.Atomic(context.Background(), func(ctx context.Context) error {
				if err := s.InsertUser(ctx, u, u.NameKey); err != nil {
					return err
				}
				return s.ClaimName(ctx, u.NameKey, u.ID, u.CreatedAt)
			}); err != nil {
				return err
			}
			fmt.Println(u.NameKey)
		}
	},
	// hold has the lock of the writer until its input ends.
	"hold": func(path string) error {
		s, err := sqlite.Open(context.Background(), path)
		if err != nil {
			return err
		}
		return s.Atomic(context.Background(), func(context.Context) error {
			fmt.Println("held")
			_, err := os.Stdin.Read(make([]byte, 1))
			return err
		})
	},
	// readOnly finds a database that it may only read.
	"readOnly": func(path string) error {
		s, err := sqlite.Open(context.Background(), path)
		if err != nil {
			return err
		}
		m, err := s.UserByID(context.Background(), 1)
		if err != nil {
			return err
		}
		err = s.RecordLogin(context.Background(), 1, time.Now(), "")
		if !readOnly(err) || m.RosterUser().ID != 1 {
			return fmt.Errorf("the write: %w", err)
		}
		return nil
	},
	// refused finds one that it cannot even read.
	"refused": func(path string) error {
		if _, err := sqlite.Open(context.Background(), path); !readOnly(err) {
			return fmt.Errorf("Open: %w", err)
		}
		return nil
	},
}

func readOnly(err error) bool {
	var u *roster.UnavailableError
	return errors.As(err, &u) && u.What == roster.UnavailableReadOnly
}

// child starts another process.
func child(t *testing.T, name, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+name+" "+path)
	return cmd
}

// Many processes may start at once on no database.
func TestManyProcessesOpen(t *testing.T) {
	for range 3 {
		path := filepath.Join(t.TempDir(), "app.db")
		var cmds []*exec.Cmd
		for range 8 {
			cmd := child(t, "open", path)
			cmd.Stdout, cmd.Stderr = new(strings.Builder), new(strings.Builder)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			cmds = append(cmds, cmd)
		}
		for _, cmd := range cmds {
			if err := cmd.Wait(); err != nil {
				t.Errorf("%v: %s%s", err, cmd.Stdout, cmd.Stderr)
			}
		}
		insert(t, open(t, path), 1)
	}
}

// Killed anywhere in the making of a database, the next start makes the rest.
func TestKilledWhileOpening(t *testing.T) {
	want := schema(t, openedSchema(t))
	for i := range rounds(12, 60) {
		path := filepath.Join(t.TempDir(), "app.db")
		cmd := child(t, "open", path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i%20) * 3 * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		open(t, path)
		if got := schema(t, path); got != want {
			t.Fatalf("killed after %d ms, the schema is\n%s\nwant\n%s", i%20*3, got, want)
		}
	}
}

// What was committed outlives the process, whole.
func TestKilledWhileWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	open(t, path)
	acked := 0
	for range rounds(5, 60) {
		cmd := child(t, "write", path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(150*time.Millisecond, func() { _ = cmd.Process.Kill() })
		var names []string
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if len(lines.Text()) == 36 { // the last one may be cut
				names = append(names, lines.Text())
			} else if strings.HasPrefix(lines.Text(), "error") {
				t.Error(lines.Text())
			}
		}
		_ = cmd.Wait()
		acked += len(names)
		s := open(t, path)
		for _, name := range names {
			if _, err := s.UserByName(t.Context(), name); err != nil {
				t.Fatalf("%s was committed, and is gone: %v", name, err)
			}
		}
	}
	if acked == 0 {
		t.Error("nothing was written")
	}
	db := raw(t, path)
	var users, names int
	var integrity string
	if err := errors.Join(
		db.QueryRow("SELECT (SELECT count(*) FROM roster_users), (SELECT count(*) FROM roster_names)").Scan(&users, &names),
		db.QueryRow("PRAGMA integrity_check").Scan(&integrity),
	); err != nil || users != names || users < acked || integrity != "ok" {
		t.Errorf("%d users, %d names, %d were told of, %s, %v", users, names, acked, integrity, err)
	}
}

// A writer waits for one in another process as long as the busy timeout says,
// and no longer than its context; readers do not wait.
func TestAnotherProcessWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	s := open(t, path, sqlite.BusyTimeout(400*time.Millisecond))
	u := insert(t, s, 1)
	cmd := child(t, "hold", path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatal(line, err)
	}
	write := func(ctx context.Context) error { return s.RecordLogin(ctx, u.ID, time.Now(), "") }
	for name, call := range map[string]func(ctx context.Context) error{
		"alone":  write,
		"Atomic": func(ctx context.Context) error { return s.Atomic(ctx, write) },
	} {
		start := time.Now()
		err := call(t.Context())
		unavailable(t, err, roster.UnavailableBusy, path)
		if d := time.Since(start); d < 300*time.Millisecond || d > 3*time.Second {
			t.Errorf("%s waited for %s", name, d)
		}
		start = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
		if d := time.Since(start); d > 250*time.Millisecond+slack {
			t.Errorf("%s waited for %s, with 50 ms to go", name, d)
		}
	}
	if _, err := s.UserByID(t.Context(), u.ID); err != nil {
		t.Error(err)
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = in.Close() })
	if err := write(t.Context()); err != nil {
		t.Errorf("when the other let go: %v", err)
	}
	_ = cmd.Wait()
}

// slack is for a busy machine.
const slack = time.Second

// A file that may only be read can be read, if its directory takes the index of
// the log; else Open says what is wrong.
func TestReadOnlyFile(t *testing.T) {
	dir, err := os.MkdirTemp("", "roster-test-") // t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o755); _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "app.db")
	s := open(t, path)
	insert(t, s, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "test"), binary, 0o755), os.Chmod(path, 0o444)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		mode os.FileMode
	}{{"refused", 0o555}, {"readOnly", 0o777}} { // which leaves a log behind
		if err := os.Chmod(dir, c.mode); err != nil {
			t.Fatal(err)
		}
		cmd := child(t, c.name, path)
		if os.Getuid() == 0 { // may write to everything
			cmd.Path = filepath.Join(dir, "test")
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534, NoSetGroups: true}}
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", c.name, err, out)
		}
	}
}

// A disk that is full is told, nothing is lost, and room helps.
func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	open(t, path)
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=foreign_keys(1)&_pragma=max_page_count(80)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, err := sqlite.New(db)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	written := 0
	for i := range 5000 {
		err = s.Atomic(t.Context(), func(ctx context.Context) error {
			u := benchUser(i)
			return errors.Join(s.InsertUser(ctx, u, strconv.Itoa(i)), s.ClaimName(ctx, u.NameKey, u.ID, u.CreatedAt))
		})
		if err != nil {
			break
		}
		written++
	}
	unavailable(t, err, roster.UnavailableDatabase, path)
	n, err := s.CountUsers(t.Context(), roster.UserQuery{})
	if err != nil || n != written || n == 0 {
		t.Errorf("%d users, %d were written, %v", n, written, err)
	}
	insert(t, open(t, path), 9999) // without the limit
}

func rounds(few, many int) int {
	if os.Getenv("ROSTER_SOAK") == "1" {
		return many
	}
	return few
}
