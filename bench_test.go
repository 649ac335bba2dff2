package roster_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/crypto/argon2"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
	"github.com/go-roster/roster/store/sqlite"
)

// race runs a verb and what it is measured against in turn, so that both see
// the same machine, and reports how many times as long the verb takes, by the
// medians.
func race(b *testing.B, unit string, verb, hand func() error) {
	b.Helper()
	var times [2][]time.Duration
	for b.Loop() {
		for i, fn := range []func() error{verb, hand} {
			start := time.Now()
			if err := fn(); err != nil {
				b.Fatal(err)
			}
			times[i] = append(times[i], time.Since(start))
		}
	}
	median := func(i int) float64 {
		slices.Sort(times[i])
		return float64(times[i][len(times[i])/2])
	}
	b.ReportMetric(median(0)/median(1), unit)
	b.ReportMetric(median(0), "ns/op")
}

// bareArgon2id is the work that the default hasher cannot avoid.
func bareArgon2id(password string) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	argon2.IDKey([]byte(password), salt, 2, 19456, 1, 32)
}

// registered returns accounts with the default hasher and one activated user.
func registered(b *testing.B, store roster.Store) *roster.Users {
	b.Helper()
	env := rostertest.NewOn(b, store, func(o *roster.Options) { o.Hasher = nil })
	env.MustRegister("ann")
	return env.Users
}

// BenchmarkAuthenticate measures a sign-in against the bare argon2id call plus
// one prepared read, by hand, of what it needs.
func BenchmarkAuthenticate(b *testing.B) {
	ctx := context.Background()
	signIn := func(users *roster.Users) func() error {
		return func() error {
			_, err := users.Authenticate(ctx, "ann", rostertest.Password)
			return err
		}
	}
	b.Run("memory", func(b *testing.B) {
		users := registered(b, memory.New())
		race(b, "x/argon2id+read", signIn(users), func() error {
			bareArgon2id(rostertest.Password)
			return nil
		})
	})
	b.Run("sqlite", func(b *testing.B) {
		store, db := openBoth(b)
		users := registered(b, store)
		hash, err := db.Prepare("SELECT c.hash FROM roster_users u JOIN roster_credentials c ON c.user_id = u.id WHERE u.name_key = ? AND u.deleted_at IS NULL")
		if err != nil {
			b.Fatal(err)
		}
		race(b, "x/argon2id+read", signIn(users), func() error {
			var s string
			if err := hash.QueryRow("ann").Scan(&s); err != nil {
				return err
			}
			bareArgon2id(rostertest.Password)
			return nil
		})
	})
}

// BenchmarkAuthenticateLimited measures a sign-in with limits against the bare
// argon2id call, the read, and what limits take in any case: to look at six counts,
// to count under four and to give that back, and to note the sign-in, by hand.
func BenchmarkAuthenticateLimited(b *testing.B) {
	ctx := roster.WithClient(context.Background(), roster.Client{Addr: netip.MustParseAddr("2001:db8::1")})
	store, db := openBoth(b)
	env := rostertest.NewOn(b, store, func(o *roster.Options) { o.Hasher, o.Limits = nil, roster.Limits{} })
	u := env.MustRegister("ann")
	var stmts []*sql.Stmt
	for _, query := range []string{
		"SELECT c.hash FROM roster_users u JOIN roster_credentials c ON c.user_id = u.id WHERE u.name_key = ? AND u.deleted_at IS NULL",
		"SELECT key, n, last_at, expires_at FROM roster_limits WHERE key IN ('a', 'b', 'c', 'd', 'e', 'f') AND expires_at > ?",
		`INSERT INTO roster_limits (key, n, budget, last_at, expires_at) VALUES ('a', 1, 5, ?1, ?1), ('b', 1, 5, ?1, ?1), ('c', 1, 5, ?1, ?1), ('d', 1, 5, ?1, ?1)
ON CONFLICT (key) DO UPDATE SET n = n + 1, last_at = excluded.last_at, expires_at = excluded.expires_at WHERE n < 5 RETURNING key`,
		"UPDATE roster_limits SET n = 0, expires_at = ? WHERE key IN ('a', 'b', 'c', 'd')",
		"UPDATE roster_users SET last_login_at = ? WHERE id = ?",
	} {
		stmt, err := db.Prepare(query)
		if err != nil {
			b.Fatal(err)
		}
		defer stmt.Close()
		stmts = append(stmts, stmt)
	}
	race(b, "x/argon2id+statements", func() error {
		_, err := env.Authenticate(ctx, "ann", rostertest.Password)
		return err
	}, func() error {
		var s string
		now := time.Now().UTC().Format("2006-01-02 15:04:05.999999-07:00")
		if err := stmts[0].QueryRow("ann").Scan(&s); err != nil {
			return err
		}
		for i, stmt := range stmts[1:4] {
			if i < 2 {
				rows, err := stmt.Query(now)
				if err != nil {
					return err
				}
				for rows.Next() {
				}
				if err := rows.Close(); err != nil {
					return err
				}
			} else if _, err := stmt.Exec(now); err != nil {
				return err
			}
			if i == 1 {
				bareArgon2id(rostertest.Password)
			}
		}
		_, err := stmts[4].Exec(now, int64(u.ID))
		return err
	})
}

// BenchmarkThrottled measures what it costs to refuse somebody who has failed too
// often: one read more than to find out who is meant.
func BenchmarkThrottled(b *testing.B) {
	ctx := roster.WithClient(context.Background(), roster.Client{Addr: netip.MustParseAddr("2001:db8::1")})
	store, db := openBoth(b)
	env := rostertest.NewOn(b, store, func(o *roster.Options) { o.Limits = roster.Limits{} })
	env.MustRegister("ann")
	for range 5 {
		_, _ = env.Authenticate(ctx, "ann", "wrong")
	}
	read, err := db.Prepare("SELECT c.hash FROM roster_users u JOIN roster_credentials c ON c.user_id = u.id WHERE u.name_key = ? AND u.deleted_at IS NULL")
	if err != nil {
		b.Fatal(err)
	}
	defer read.Close()
	race(b, "x/read", func() error {
		if _, err := env.Authenticate(ctx, "ann", "wrong"); throttled(err) == 0 {
			return fmt.Errorf("not throttled: %w", err)
		}
		return nil
	}, func() error {
		var s string
		return read.QueryRow("ann").Scan(&s)
	})
}

// BenchmarkRegister measures a registration without the work of hashing against
// the same rows, written by hand in one transaction of the same database.
func BenchmarkRegister(b *testing.B) {
	ctx := context.Background()
	store, db := openBoth(b)
	env := rostertest.NewOn(b, store)
	hand := map[string]*sql.Stmt{}
	for name, query := range map[string]string{
		"user": `INSERT INTO roster_users (uuid, name, name_key, name_auto, real_name, locale, timezone, directory_dn, directory_id,
enabled, flags, last_login_ip, password_changed_at, created_at, updated_at, data, version, search)
VALUES (?, ?, ?, 0, '', '', '', '', '', 1, 0, '', ?, ?, ?, ?, 1, ?)`,
		"credential": "INSERT INTO roster_credentials (user_id, scope_id, hash, created_at) VALUES (?, 0, ?, ?)",
		"email":      "INSERT INTO roster_emails (user_id, address, address_key, is_primary, created_at) VALUES (?, ?, ?, 1, ?)",
		"activation": "INSERT INTO roster_activations (hash, purpose, user_id, email_id, created_at, expires_at) VALUES (?, 'activate', ?, ?, ?, ?)",
		"name":       "INSERT INTO roster_names (name_key, user_id) VALUES (?, ?)",
	} {
		stmt, err := db.Prepare(query)
		if err != nil {
			b.Fatal(err)
		}
		defer stmt.Close()
		hand[name] = stmt
	}
	now := env.Clock.Now().Format("2006-01-02 15:04:05.999999-07:00")
	n := 0
	race(b, "x/hand", func() error {
		n++
		name := fmt.Sprintf("verb%d", n)
		_, err := env.Register(ctx, roster.NewUser{Name: name, Email: name + "@example.org", Password: rostertest.Password})
		return err
	}, func() error {
		name := fmt.Sprintf("hand%d", n)
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
		row := func(table string, args ...any) (id int64) {
			if err == nil {
				var result sql.Result
				if result, err = tx.Stmt(hand[table]).Exec(args...); err == nil {
					id, err = result.LastInsertId()
				}
			}
			return id
		}
		user := row("user", uuid.NewString(), name, name, now, now, now, `{"registration_source":"email"}`, name+"\x1f")
		row("credential", user, "rostertest$"+rostertest.Password, now)
		email := row("email", user, name+"@example.org", name+"@example.org", now)
		row("activation", rand.Text(), user, email, now, now)
		row("name", name, user)
		if err != nil {
			return err
		}
		return tx.Commit()
	})
}

// BenchmarkOpen measures how long it takes until a new database has its first
// user: the file, the tables, the row.
func BenchmarkOpen(b *testing.B) {
	ctx := context.Background()
	n := 0
	for b.Loop() {
		n++
		store, err := sqlite.Open(ctx, filepath.Join(b.TempDir(), fmt.Sprintf("%d.db", n)))
		if err != nil {
			b.Fatal(err)
		}
		users, err := roster.New(store, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := users.Create(ctx, &roster.User{Name: "ann"}); err != nil {
			b.Fatal(err)
		}
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/60, "x/60ms")
}

// openBoth opens a new database as a store and as what a host would use by hand.
func openBoth(b *testing.B) (roster.Store, *sql.DB) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bench.db")
	store, err := sqlite.Open(context.Background(), path)
	if err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = db.Close()
		_ = store.Close()
	})
	return store, db
}

// BenchmarkMemory measures the verbs of rostertest's accounts, which test suites
// call all day.
func BenchmarkMemory(b *testing.B) {
	ctx := context.Background()
	env := rostertest.New(b)
	var users []*roster.User
	for i := range 1000 {
		users = append(users, env.MustRegister(fmt.Sprintf("u%d", i)))
	}
	for name, verb := range map[string]func(u *roster.User) error{
		"ByID":    func(u *roster.User) error { _, err := env.ByID(ctx, u.ID); return err },
		"ByUUID":  func(u *roster.User) error { _, err := env.ByUUID(ctx, u.UUID); return err },
		"ByName":  func(u *roster.User) error { _, err := env.ByName(ctx, u.Name); return err },
		"ByEmail": func(u *roster.User) error { _, err := env.ByEmail(ctx, u.Name+"@example.org"); return err },
	} {
		b.Run(name, func(b *testing.B) {
			i := 0
			for b.Loop() {
				if err := verb(users[i%len(users)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "x/1µs")
		})
	}
	b.Run("Register", func(b *testing.B) {
		i := 0
		for b.Loop() {
			i++
			name := fmt.Sprintf("new%d", i)
			_, err := env.Register(ctx, roster.NewUser{Name: name, Email: name + "@example.org", Password: rostertest.Password})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
