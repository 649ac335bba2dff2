package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/sqlite"
)

// unavailable wants an UnavailableError whose text tells neither path nor
// statement.
func unavailable(t *testing.T, err error, what string, secrets ...string) {
	t.Helper()
	var u *roster.UnavailableError
	if !errors.As(err, &u) || u.What != what || !errors.Is(err, roster.ErrUnavailable) {
		t.Fatalf("%v, want an UnavailableError of %s", err, what)
	}
	for _, secret := range append(secrets, "SELECT", "INSERT", "roster_users") {
		if secret != "" && strings.Contains(err.Error(), secret) {
			t.Errorf("the text %q tells %q", err, secret)
		}
	}
}

func insert(t testing.TB, s roster.Store, i int) *roster.User {
	t.Helper()
	u := benchUser(i)
	if err := s.InsertUser(t.Context(), u, u.NameKey); err != nil {
		t.Fatal(err)
	}
	return u
}

// Whatever a path is made of, the file has that name and nothing else is made.
func TestPaths(t *testing.T) {
	for _, name := range []string{
		"plain.db", "a b.db", "a?mode=memory&b.db", "a#b.db", "100%.db", "%41%2f.db", "a;b,c+d=e&f.db", "ünï漢😀.db", `back\slash"'.db`,
		"file:a.db", ":memory:x", "-x.db", "a%00b.db",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, filepath.Join(dir, name))
			u := insert(t, s, 1)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			files, err := os.ReadDir(dir)
			if err != nil || len(files) != 1 || files[0].Name() != name {
				t.Fatalf("%v, %v: want %q alone", files, err, name)
			}
			again := open(t, filepath.Join(dir, name))
			if _, err := again.UserByID(t.Context(), u.ID); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A relative path means what it meant when the store was opened.
func TestRelativePath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	s := open(t, "app.db")
	t.Chdir(t.TempDir())
	insert(t, s, 1)
	if err := s.Atomic(t.Context(), func(ctx context.Context) error { // needs a second connection
		_, err := s.UserByID(t.Context(), 1)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "app.db")); err != nil {
		t.Error(err)
	}
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, path := range map[string]string{
		"missing directory":  filepath.Join(dir, "none", "app.db"),
		"a directory":        dir,
		"no database":        write("text", strings.Repeat("This is no database. ", 1000)),
		"a short text":       write("short", "no database"),
		"header, then noise": write("noise", "SQLite format 3\x00"+strings.Repeat("\xff\x01noise", 2000)),
		"NUL":                filepath.Join(dir, "a\x00b"),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := sqlite.Open(t.Context(), path)
			if s != nil {
				t.Error("a store beside the error")
			}
			unavailable(t, err, roster.UnavailableDatabase, path, dir)
		})
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none", "app.db"): "sqlite: the directory that the file is to be in does not exist",
		dir:                                  "sqlite: the path is that of a directory, and not of a file",
	} {
		if _, err := sqlite.Open(t.Context(), path); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "none.db"), sqlite.NoMigrate()); err == nil || err.Error() != "sqlite: there is no such file" {
		t.Errorf("no file, and not to be made: %v", err)
	}
	if _, err := sqlite.Open(t.Context(), ""); err == nil {
		t.Error("the empty path was opened")
	}
	for _, prefix := range []string{"a-b", "A", "1a", "a b", `a"`, "ä", strings.Repeat("a", 33), "a.b"} {
		if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "app.db"), sqlite.Prefix(prefix)); err == nil {
			t.Errorf("the prefix %q was taken", prefix)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sqlite.Open(ctx, filepath.Join(dir, "late.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

// Wherever bytes flip, there is an error or none, but no panic, and never the
// wrong rows without one from a store that could not be opened.
func TestFlippedBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	s := open(t, path)
	for i := range 100 {
		insert(t, s, i)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	broken, refused := filepath.Join(t.TempDir(), "broken.db"), 0
	for i := range 60 {
		content := append([]byte{}, whole...)
		from := i * len(content) / 60
		for j := from; j < min(from+200, len(content)); j++ {
			content[j] ^= 0x5a
		}
		if err := os.WriteFile(broken, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := func() error {
			s, err := sqlite.Open(t.Context(), broken)
			if err != nil {
				return err
			}
			defer s.Close()
			_, err = s.UserPage(t.Context(), roster.UserQuery{State: roster.StateLive, Contains: "user", Limit: 200})
			_, byID := s.UserByID(t.Context(), 50)
			if errors.Is(byID, roster.ErrNotFound) {
				byID = nil
			}
			_, search := s.UserPage(t.Context(), roster.UserQuery{State: roster.StateLive, Contains: "user0000050", Limit: 1})
			return errors.Join(err, byID, search, s.InsertUser(t.Context(), benchUser(1000), "x"))
		}(); err != nil {
			refused++
			for _, e := range []string{broken, "SELECT", "INSERT", "user0"} {
				if strings.Contains(err.Error(), e) {
					t.Errorf("the text %q tells %q", err, e)
				}
			}
		}
	}
	if refused == 0 {
		t.Errorf("none of 60 broken files was noticed")
	}
}

func TestMemoryVanishes(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	a, b := open(t, ":memory:"), open(t, ":memory:")
	u := insert(t, a, 1)
	if _, err := b.UserByID(t.Context(), u.ID); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("two databases in memory share their rows: %v", err)
	}
	for _, s := range []*sqlite.Store{a, b} {
		for range 2 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("%v, %v: want nothing left behind", left, err)
	}
	_, err := a.UserByID(t.Context(), u.ID)
	unavailable(t, err, roster.UnavailableDatabase)
	err = a.Atomic(t.Context(), func(context.Context) error { return nil })
	unavailable(t, err, roster.UnavailableDatabase)
	t.Setenv("TMPDIR", filepath.Join(tmp, "none"))
	_, err = sqlite.Open(t.Context(), ":memory:")
	unavailable(t, err, roster.UnavailableDatabase, tmp)
}

func TestPragmas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	open(t, path)
	db := sqlite.Handle(open(t, path))
	var conns []*sql.Conn
	for range 3 { // of every connection
		c, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
		for pragma, want := range map[string]string{
			"foreign_keys": "1", "journal_mode": "wal", "synchronous": "2", "busy_timeout": "100", "encoding": "UTF-8",
		} {
			var got string
			if err := c.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %s, want %s (%v)", pragma, got, want, err)
			}
		}
	}
	for _, c := range conns {
		_ = c.Close()
	}
	// A transaction has the lock of the writer from its beginning.
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() // the end
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if other, err := raw(t, path).BeginTx(ctx, nil); err == nil {
		_ = other.Rollback()
		t.Error("two transactions have begun")
	}
}

func TestNewRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ dsn, want string }{
		"no foreign keys": {"file:" + filepath.Join(dir, "a.db"), "foreign keys"},
		"memory":          {"file::memory:?_pragma=foreign_keys(1)", "memory"},
		"UTF-16":          {"file:" + filepath.Join(dir, "b.db") + "?_pragma=encoding('UTF-16')&_pragma=foreign_keys(1)", "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := sql.Open("sqlite", c.dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			s, err := sqlite.New(db)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			err = s.Migrate(t.Context())
			unavailable(t, err, roster.UnavailableDatabase, dir)
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the text %q does not tell what is wrong", err)
			}
		})
	}
}

// Before Migrate, the error says what to do.
func TestNotMigrated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	s, err := sqlite.New(raw(t, path))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, err := range map[string]error{
		"read":  only(s.UserByID(t.Context(), 1)),
		"write": s.RecordLogin(t.Context(), 1, time.Now(), ""),
		"tx":    s.Atomic(t.Context(), func(ctx context.Context) error { return s.RecordLogin(ctx, 1, time.Now(), "") }),
	} {
		t.Run(name, func(t *testing.T) {
			unavailable(t, err, roster.UnavailableDatabase, path)
			if !strings.Contains(err.Error(), "Migrate") {
				t.Errorf("the text %q does not tell what to do", err)
			}
		})
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	insert(t, s, 1)
}

// A handle that begins without the lock of the writer does: nothing that was
// read in a transaction is stale when it writes.
func TestDeferredHandle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=foreign_keys(1)&_pragma=journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, err := sqlite.New(db)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	u := insert(t, s, 1)
	other := open(t, path) // as if in another process
	errs := make(chan error)
	for i := range 4 {
		go func() {
			errs <- func() error {
				store := []roster.Store{s, other}[i%2]
				for range 20 {
					if err := store.Atomic(t.Context(), func(ctx context.Context) error {
						m, err := store.UserByID(ctx, u.ID)
						if err != nil {
							return err
						}
						m.RosterUser().RealName += "x"
						return store.UpdateUser(ctx, m, "")
					}); err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	m, err := s.UserByID(t.Context(), u.ID)
	if err != nil || len(m.RosterUser().RealName) != len(u.RealName)+80 {
		t.Errorf("%v, %v: updates were lost", m, err)
	}
}

func TestNoLeak(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, path := range []string{filepath.Join(t.TempDir(), "app.db"), ":memory:"} {
		s, err := sqlite.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		insert(t, s, 1)
		for i := range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Duration(i)*50*time.Microsecond, cancel)
			_ = s.Atomic(ctx, func(ctx context.Context) error {
				_, _ = s.UserPage(ctx, roster.UserQuery{State: roster.StateLive, Contains: "user", Limit: 10})
				return s.RecordLogin(ctx, 1, time.Now(), "")
			})
			_, _ = s.UserPage(ctx, roster.UserQuery{State: roster.StateLive, Limit: 10})
			cancel()
		}
		if err := s.RecordLogin(t.Context(), 1, time.Now(), ""); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A transaction takes the lock of the writer when it begins, on any handle, so
// that what it has read is still so when it writes.
func TestNewTakesTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	insert(t, open(t, path), 1)
	handle := func(settings string) *sql.DB {
		db, err := sql.Open("sqlite", "file:"+path+"?_pragma=foreign_keys(1)"+settings)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	s, err := sqlite.New(handle("&_pragma=busy_timeout(100)")) // deferred
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	other := handle("&_pragma=busy_timeout(0)")
	const write = "UPDATE roster_users SET real_name = 'Other'"
	if err := s.Atomic(t.Context(), func(ctx context.Context) error {
		if _, err := other.ExecContext(ctx, write); err == nil {
			t.Error("somebody else has written inside of the transaction")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), write); err != nil {
		t.Error(err)
	}
}
