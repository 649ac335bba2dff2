package roster_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
	"github.com/go-roster/roster/store/sqlite"
)

// race runs a verb and what it is measured against in turn, so that both see
// the same machine, and reports how many times as long the verb takes.
func race(b *testing.B, unit string, verb, hand func() error) {
	b.Helper()
	var verbTime, handTime time.Duration
	for b.Loop() {
		start := time.Now()
		if err := verb(); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		if err := hand(); err != nil {
			b.Fatal(err)
		}
		verbTime += middle.Sub(start)
		handTime += time.Since(middle)
	}
	b.ReportMetric(float64(verbTime)/float64(handTime), unit)
	b.ReportMetric(float64(verbTime.Nanoseconds())/float64(b.N), "ns/op")
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
		path := filepath.Join(b.TempDir(), "bench.db")
		store, err := sqlite.Open(ctx, path)
		if err != nil {
			b.Fatal(err)
		}
		defer store.Close()
		users := registered(b, store)
		db, err := sql.Open("sqlite", "file:"+path)
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
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
