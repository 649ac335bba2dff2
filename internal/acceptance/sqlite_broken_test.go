package acceptance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/sqlite"
)

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
			mustNotOpen(t, path)
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
