package acceptance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver, for handles that Open does not make

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/sqlite"
)

// unavailable is an *UnavailableError of one of these, or of any if none is
// given.
func unavailable(what ...string) func(error) bool {
	return func(err error) bool {
		u, ok := errors.AsType[*roster.UnavailableError](err)
		if !ok || !errors.Is(err, roster.ErrUnavailable) {
			return false
		}
		for _, w := range what {
			if u.What == w {
				return true
			}
		}
		return len(what) == 0
	}
}

// troubled runs every flow on a store that is in trouble. None panics, none
// lets anybody in who should stay out, and what fails says that something is
// unavailable and nothing about it. It returns how many flows succeeded.
func troubled(t *testing.T, w *world, c *cast) (succeeded int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	wrong := map[string][]string{} // verbs by what they answered
	defer func() {
		for what, verbs := range wrong {
			t.Errorf("%d verbs, %s among them, answered %q", len(verbs), verbs[0], what)
		}
	}()
	for _, f := range flows {
		if f.prepare != nil || f.options != nil || f.name == "with a rehash" {
			continue // works on what it has prepared, or with options or a hasher of its own
		}
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("%v: panic: %v", f, p)
				}
			}()
			_, err := f.run(ctx, w, c)
			switch {
			case err == nil && f.refused != nil:
				t.Errorf("%v succeeded", f)
			case err == nil:
				succeeded++
			case f.refused != nil && errors.Is(err, f.refused):
			case errors.Is(err, roster.ErrOutcomeUnknown), unavailable()(err):
				decent(t, err)
			default:
				what := digits.ReplaceAllString(err.Error(), "#")
				if _, rest, ok := strings.Cut(what, ": "); ok {
					what = rest
				}
				wrong[what] = append(wrong[what], f.String())
			}
		}()
	}
	return succeeded
}

// decent fails the test if the text of an error tells more than it should.
func decent(t *testing.T, err error) {
	t.Helper()
	text := strings.ToLower(err.Error())
	for _, word := range []string{"select", "insert into", "update ", "/", ".db", "roster_", "@", "password=", "host=", "sqlstate", "constraint", "ann", "socket"} {
		if strings.Contains(text, word) {
			t.Errorf("the error tells %q: %s", word, text)
		}
	}
}

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

// readOnly checks accounts that can be read and not written.
func readOnly(t *testing.T, w *world, c *cast) {
	t.Helper()
	ctx := context.Background()
	if u := mustSignIn(t, w.Users, "ann", goodPassword); u.ID != c.ann.ID {
		t.Errorf("signed in as user %d", u.ID)
	}
	mustNotSignIn(t, w.Users, "ann", otherPassword, roster.ErrCredentials)
	mustNotSignIn(t, w.Users, "eve", goodPassword, roster.ErrCredentials)
	for name, err := range map[string]error{
		"Create":      w.Create(ctx, &roster.User{Name: "nina"}),
		"Disable":     w.Disable(ctx, c.ann.ID),
		"Purge":       w.Purge(ctx, c.ann.ID),
		"SetPassword": w.SetPassword(ctx, c.ann.ID, otherPassword),
	} {
		if !unavailable(roster.UnavailableReadOnly)(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.Register(ctx, roster.NewUser{Name: "nina", Email: "nina@example.org", Password: goodPassword}); !unavailable(roster.UnavailableReadOnly)(err) {
		t.Errorf("Register: %v", err)
	}
	if _, err := w.Activate(ctx, c.codes["ben@example.org"]); !unavailable(roster.UnavailableReadOnly)(err) {
		t.Errorf("Activate: %v", err)
	}
	if p, err := w.Peek(ctx, c.codes["ben@example.org"]); err != nil || p.User.ID != c.ben.ID {
		t.Errorf("Peek: %v", err)
	}
	if mails := w.post.take(); len(mails) > 0 {
		t.Errorf("%d mails left", len(mails))
	}
	troubled(t, w, c)
	w.post.take()
	w.sound()
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
	s, err := sqlite.Open(t.Context(), path)
	if err == nil {
		_ = s.Close()
		t.Fatal("it was opened")
	}
	if !unavailable()(err) {
		t.Errorf("%v", err)
	}
	decent(t, err)
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "new.db")); !unavailable()(err) {
		t.Errorf("a new one: %v", err)
	}
}

// TestSQLiteFull fills the disk, or the database as far as it may grow.
func TestSQLiteFull(t *testing.T) {
	t.Parallel()
	t.Run("pages", func(t *testing.T) {
		path, _ := settled(t)
		db := handle(t, path, "&_pragma=journal_mode(WAL)&_pragma=max_page_count(60)")
		db.SetMaxOpenConns(1) // the limit is that of a connection
		s, err := sqlite.New(db)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		full(t, newWorld(t, s), path)
	})
	t.Run("disk", func(t *testing.T) {
		dir, _, ok := mounted(t, 3<<20)
		if !ok {
			t.Log("no right to mount a small disk")
			return
		}
		path := filepath.Join(dir, "accounts.db")
		s, err := sqlite.Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, s)
		newCast(w)
		full(t, w, path)
		w.must(s.Close())
	})
}

func full(t *testing.T, w *world, path string) {
	t.Helper()
	ctx := context.Background()
	var acked, failed []string
	for i := 0; len(failed) < 30; i++ {
		if i > 20_000 {
			t.Fatal("it never gets full")
		}
		name := fmt.Sprintf("filler%d", i)
		u, err := w.Register(ctx, roster.NewUser{Name: name, Email: name + "@example.org", Password: goodPassword, RealName: strings.Repeat("x", 200)})
		if err == nil {
			acked = append(acked, u.Name)
			continue
		}
		if !unavailable(roster.UnavailableDatabase)(err) {
			t.Fatalf("a full disk gave %v", err)
		}
		decent(t, err)
		failed = append(failed, name)
	}
	for _, name := range acked {
		if _, err := w.ByName(ctx, name); err != nil {
			t.Fatalf("%s was acknowledged and is lost: %v", name, err)
		}
	}
	for _, name := range failed {
		if _, err := w.ByName(ctx, name); !errors.Is(err, roster.ErrNotFound) {
			t.Fatalf("%s failed and is there: %v", name, err)
		}
	}
	mustNotSignIn(t, w.Users, "ann", otherPassword, roster.ErrCredentials)
	if u, err := w.Authenticate(ctx, "ann", goodPassword); err != nil && (!unavailable()(err) || u != nil) {
		t.Errorf("a sign-in: %v", err)
	}
	w.sound()
	intact(t, path)
	// There is room again.
	for _, name := range acked[:len(acked)/2] {
		u, err := w.ByName(ctx, name)
		w.must(err)
		if err := w.Purge(ctx, u.ID); err != nil && !unavailable()(err) {
			t.Fatalf("purge: %v", err)
		}
	}
	t.Logf("%d registrations fitted in", len(acked))
	w.sound()
	intact(t, path)
}

// TestSQLiteGarbage opens what is no database, or no more, or something else.
func TestSQLiteGarbage(t *testing.T) {
	t.Parallel()
	rng := random(t)
	path, _ := settled(t)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 64<<10)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	half := append([]byte(nil), good[:len(good)/2]...)
	for name, data := range map[string][]byte{
		"noise": noise, "text": []byte("this is not a database, whatever its name says; it goes on for longer than a header"),
		"header and noise": append(append([]byte(nil), good[:100]...), noise...), "zeroes": make([]byte, 8192), "half": half,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(quickDir(t), "accounts.db")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := sqlite.Open(context.Background(), path)
			if err != nil {
				if !unavailable(roster.UnavailableDatabase)(err) {
					t.Errorf("open: %v", err)
				}
				decent(t, err)
				if now, _ := os.ReadFile(path); string(now[:min(len(now), len(data))]) != string(data) {
					t.Error("the file was changed")
				}
				return
			}
			defer s.Close()
			w := newWorld(t, s)
			if name != "half" { // where a part of the tables may be whole
				t.Error("it was opened")
			}
			if u, err := w.Authenticate(context.Background(), "ann", otherPassword); err == nil {
				t.Errorf("signed in as %s with a wrong password", nameOf(u))
			}
		})
	}
	for name, path := range map[string]string{
		"directory": t.TempDir(), "missing directory": filepath.Join(t.TempDir(), "no", "accounts.db"), "device": "/dev/null",
		"NUL": "acc\x00ounts.db", "file for a directory": filepath.Join(path, "accounts.db"),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := sqlite.Open(context.Background(), path)
			if err == nil {
				_ = s.Close()
				t.Fatal("it was opened")
			}
			if !unavailable()(err) {
				t.Errorf("%v", err)
			}
			decent(t, err)
		})
	}
}

// TestSQLiteBroken breaks the file while it is open. Whatever comes of it, it
// is no panic and no sign-in.
func TestSQLiteBroken(t *testing.T) {
	t.Parallel()
	rng := random(t)
	for i := range count(12, 400) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			path, c := settled(t)
			s, err := sqlite.Open(context.Background(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			w := newWorld(t, s)
			mustSignIn(t, w.Users, "ann", goodPassword)
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			switch i % 4 {
			case 0: // noise all over
				for range 200 {
					_, _ = f.WriteAt([]byte{byte(rng.Uint32())}, rng.Int64N(info.Size()))
				}
			case 1: // a page of noise here and there
				page := make([]byte, 4096)
				for range 5 {
					for j := range page {
						page[j] = byte(rng.Uint32())
					}
					_, _ = f.WriteAt(page, 4096*rng.Int64N(info.Size()/4096))
				}
			case 2: // cut off
				_ = f.Truncate(4096 * (1 + rng.Int64N(info.Size()/4096)))
			case 3: // the log as well
				_ = os.Truncate(path+"-wal", 32)
				_ = f.Truncate(info.Size() / 2)
			}
			_ = f.Close()
			ctx := context.Background()
			for _, signIns := range []bool{true, false} { // first those that must fail
				for _, f := range flows {
					if f.prepare != nil || (f.verb == "Authenticate") != signIns {
						continue
					}
					func() {
						defer func() {
							if p := recover(); p != nil {
								t.Errorf("%v: panic: %v", f, p)
							}
						}()
						if _, err := f.run(ctx, w, c); err == nil && signIns && f.refused != nil {
							t.Errorf("%v succeeded", f)
						}
					}()
				}
			}
		})
	}
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
		if n := troubled(t, w, c); n > 2 { // CheckNewUser and IsFresh ask no store
			t.Errorf("%d verbs succeeded", n)
		}
		w.must(closer.Close())
	})
}
