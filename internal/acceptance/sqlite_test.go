package acceptance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver, for handles that Open does not make

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/sqlite"
)

// handle opens a database file with settings of its own.
func handle(t testing.TB, path, settings string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=foreign_keys(1)&_pragma=busy_timeout(100)"+settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// settled makes a database file with a cast in it, and closes it.
func settled(t *testing.T) (path string, c *cast) {
	t.Helper()
	path = filepath.Join(quickDir(t), "accounts.db")
	s, err := sqlite.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, s)
	c = newCast(w)
	w.must(s.Close())
	return path, c
}

func TestSQLiteReadOnly(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]string{"mode=ro": "&mode=ro", "query_only": "&_pragma=query_only(1)", "immutable": "&immutable=1"} {
		t.Run(name, func(t *testing.T) {
			path, c := settled(t)
			s, err := sqlite.New(handle(t, path, settings))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			readOnly(t, newWorld(t, s), c)
			// Nothing has happened to it, and it works once it can be written to.
			again(t, path)
		})
	}
}

// again opens a database after the trouble is over.
func again(t *testing.T, path string) {
	t.Helper()
	w := newWorld(t, openSQLite(t, path))
	w.sound()
	intact(t, path)
	mustSignIn(t, w.Users, "ann", goodPassword)
	w.active(next("again%d"), next("again%d@example.org"))
}

// intact asks SQLite itself whether a file is in order.
func intact(t testing.TB, path string) {
	t.Helper()
	db := handle(t, path, "")
	defer db.Close()
	var answer string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&answer); err != nil || answer != "ok" {
		t.Errorf("integrity: %s %v", answer, err)
	}
	rows, err := db.Query("PRAGMA foreign_key_check")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if rows.Next() {
		t.Error("a row refers to one that is not there")
	}
}

// mounted returns a directory of so many bytes that can be written to, and what
// makes it read-only. It needs rights that not everybody has.
func mounted(t *testing.T, size int) (dir string, seal func(), ok bool) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		return "", nil, false
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir, func() {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
	}, true
}

// TestSQLiteReadOnlyFile takes the right to write away: by a mount where that
// is allowed, else by the mode, which binds everybody but root.
func TestSQLiteReadOnlyFile(t *testing.T) {
	from, _ := settled(t)
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	dir, seal, ok := mounted(t, 8<<20)
	if !ok {
		dir = t.TempDir()
		seal = func() {
			if err := errors.Join(os.Chmod(filepath.Join(dir, "accounts.db"), 0o400), os.Chmod(dir, 0o500)); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
		}
		if os.Geteuid() == 0 {
			t.Log("root without the right to mount: nothing is read-only for it")
			return
		}
	}
	path := filepath.Join(dir, "accounts.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	seal()
	mustNotOpen(t, path)
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "new.db")); !unavailable()(err) {
		t.Errorf("a new one: %v", err)
	}
}

// mustNotOpen checks that there is no store to be had from the path, and that
// the error says so.
func mustNotOpen(t *testing.T, path string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err == nil {
		_ = s.Close()
		t.Fatal("it was opened")
	}
	if !unavailable()(err) {
		t.Errorf("%v", err)
	}
	decent(t, err)
}

// TestSQLiteLocked lets another program hold the lock of the writer.
func TestSQLiteLocked(t *testing.T) {
	t.Parallel()
	path, c := settled(t)
	w := newWorld(t, openSQLite(t, path, sqlite.BusyTimeout(300*time.Millisecond)))
	db := handle(t, path, "")
	tx, err := db.Begin() // immediate
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	start := time.Now()
	if err := w.Disable(ctx, c.ann.ID); !unavailable(roster.UnavailableBusy)(err) {
		t.Errorf("a write: %v", err)
	}
	if d := time.Since(start); d < 250*time.Millisecond || d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
	if _, err := w.ByName(ctx, "ann"); err != nil {
		t.Errorf("a read: %v", err)
	}
	mustNotSignIn(t, w.Users, "ann", otherPassword, roster.ErrCredentials)
	if u, err := w.Authenticate(ctx, "ann", goodPassword); err != nil && (u != nil || !unavailable()(err)) {
		t.Errorf("a sign-in: %v", err)
	}
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	start = time.Now()
	if err := w.Disable(short, c.ann.ID); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a write with a deadline: %v", err)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("it took %v", d)
	}
	w.must(tx.Rollback())
	w.must(w.Disable(ctx, c.ann.ID))
	w.sound()
}

// TestSQLiteTwoHandles shares a file between two stores, as two programs do.
func TestSQLiteTwoHandles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(quickDir(t), "accounts.db")
	a, b := newWorld(t, openSQLite(t, path)), newWorld(t, openSQLite(t, path))
	start := time.Now()
	n := count(30, 3000)
	for round := range n {
		ctx := context.Background()
		name := fmt.Sprintf("shared%d", round)
		oneWinner(t, together(rivals, func(i int) error {
			w := []*world{a, b}[i%2]
			_, err := w.Register(ctx, roster.NewUser{Name: spelled(name, i), Email: fmt.Sprintf("%s-%d@example.org", name, i), Password: goodPassword})
			return err
		}), conflict(roster.FieldName))
	}
	rate(t, n, start)
	a.sound()
	b.sound()
	intact(t, path)
}

// TestClosed calls every verb after the store was closed.
func TestClosed(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		s := k.open(t)
		w := newWorld(t, s)
		c := newCast(w)
		closer, ok := s.(interface{ Close() error })
		if !ok {
			return // memory
		}
		w.must(closer.Close())
		if n := troubled(t, w, c); n > 3 { // CheckNewUser, IsFresh and DeclaredPermissions ask no store
			t.Errorf("%d verbs succeeded", n)
		}
		w.must(closer.Close())
	})
}
