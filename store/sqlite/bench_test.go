package sqlite_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/sqlite"
)

// compare runs both in turn and reports the ratio of their medians.
func compare(b *testing.B, ours, hand func() error) {
	b.Helper()
	var times [2][]time.Duration
	for b.Loop() {
		for i, fn := range []func() error{ours, hand} {
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
	b.ReportMetric(median(0)/median(1), "x/hand")
	b.ReportMetric(median(0), "ns/ours")
	b.ReportMetric(median(1), "ns/hand")
}

// handColumns and handScan are what somebody writes who needs nothing else.
const handColumns = `u.id, u.uuid, u.name, u.name_key, u.name_auto, u.real_name, u.locale, u.timezone, u.directory_dn,
u.directory_id, u.enabled, u.flags, u.activated_at, u.deleted_at, u.last_login_at, u.last_login_ip, u.password_changed_at,
u.auth_changed_at, u.created_at, u.updated_at, u.data, u.version`

func handScan(row *sql.Row, more ...any) (*roster.User, error) {
	u := new(roster.User)
	var times [7]sql.NullString
	var data sql.NullString
	err := row.Scan(append([]any{
		&u.ID, &u.UUID, &u.Name, &u.NameKey, &u.NameAuto, &u.RealName, &u.Locale, &u.Timezone, &u.DirectoryDN,
		&u.DirectoryID, &u.Enabled, &u.Flags, &times[0], &times[1], &times[2], &u.LastLoginIP, &times[3], &times[4], &times[5],
		&times[6], &data, &u.Version,
	}, more...)...)
	if err != nil {
		return nil, err
	}
	for i, to := range []*time.Time{
		&u.ActivatedAt, &u.DeletedAt, &u.LastLoginAt, &u.PasswordChangedAt, &u.AuthChangedAt, &u.CreatedAt, &u.UpdatedAt,
	} {
		if times[i].Valid {
			t, err := time.Parse("2006-01-02 15:04:05.999999-07:00", times[i].String)
			if err != nil {
				return nil, err
			}
			*to = t.UTC()
		}
	}
	if data.Valid {
		err = json.Unmarshal([]byte(data.String), &u.Data)
	}
	return u, err
}

// benchUser is one whose every column but one is filled.
func benchUser(i int) *roster.User {
	now := time.Now().UTC().Truncate(time.Microsecond)
	return &roster.User{
		UUID: uuid.New(), Name: fmt.Sprintf("User%07d", i), NameKey: fmt.Sprintf("user%07d", i), RealName: "Ann Example",
		Locale: "de", Timezone: "Europe/Berlin", Enabled: true, ActivatedAt: now, LastLoginAt: now, LastLoginIP: "192.0.2.7",
		PasswordChangedAt: now, AuthChangedAt: now, CreatedAt: now, UpdatedAt: now,
		Data: roster.Data{"plan": json.RawMessage(`"pro"`)}, Version: 1,
	}
}

// benchStore has a thousand users, and a handle for the other side.
func benchStore(b *testing.B) (*sqlite.Store, *sql.DB, *roster.User) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bench.db")
	s := open(b, path)
	var u *roster.User
	if err := s.Atomic(b.Context(), func(ctx context.Context) error {
		for i := range 1000 {
			u = benchUser(i)
			if err := s.InsertUser(ctx, u, u.NameKey+" ann example"); err != nil {
				return err
			}
			if err := s.InsertEmail(ctx, &roster.UserEmail{
				UserID: u.ID, Address: u.NameKey + "@example.org", AddressKey: u.NameKey + "@example.org", Primary: true,
				ActivatedAt: u.CreatedAt, CreatedAt: u.CreatedAt,
			}); err != nil {
				return err
			}
			if err := s.PutCredential(ctx, &roster.Credential{UserID: u.ID, Hash: roster.NewSecret("$argon2id$…"), CreatedAt: u.CreatedAt}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return s, raw(b, path), u
}

// raw is a handle without a store.
func raw(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)&_pragma=synchronous(FULL)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func BenchmarkRead(b *testing.B) {
	s, db, u := benchStore(b)
	const email = ` FROM roster_emails e JOIN roster_users u ON u.id = e.user_id WHERE e.address_key = $1
AND e.activated_at IS NOT NULL AND e.released_at IS NULL AND u.deleted_at IS NULL`
	for _, c := range []struct {
		name, query string
		arg         any
		ours        func(ctx context.Context) (roster.Model, error)
	}{
		{
			"ByID", " FROM roster_users u WHERE u.id = $1", int64(u.ID),
			func(ctx context.Context) (roster.Model, error) { return s.UserByID(ctx, u.ID) },
		},
		{
			"ByUUID", " FROM roster_users u WHERE u.uuid = $1", u.UUID.String(),
			func(ctx context.Context) (roster.Model, error) { return s.UserByUUID(ctx, u.UUID) },
		},
		{
			"ByName", " FROM roster_users u WHERE u.name_key = $1 AND u.deleted_at IS NULL", u.NameKey,
			func(ctx context.Context) (roster.Model, error) { return s.UserByName(ctx, u.NameKey) },
		},
		{
			"ByEmail", email, u.NameKey + "@example.org",
			func(ctx context.Context) (roster.Model, error) {
				return s.UserByEmail(ctx, u.NameKey+"@example.org")
			},
		},
	} {
		stmt, err := db.PrepareContext(b.Context(), "SELECT "+handColumns+c.query)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = stmt.Close() })
		hand := func(ctx context.Context) error {
			_, err := handScan(stmt.QueryRowContext(ctx, c.arg))
			return err
		}
		b.Run(c.name, func(b *testing.B) {
			ctx := b.Context()
			compare(b, func() error { return only(c.ours(ctx)) }, func() error { return hand(ctx) })
		})
	}
	b.Run("LoginByName", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := s.LoginByName(b.Context(), u.NameKey); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func only[T any](_ T, err error) error { return err }

// registerBench writes the rows of a new user.
func registerBench(ctx context.Context, s roster.Store, i int) error {
	u := benchUser(i)
	if err := s.InsertUser(ctx, u, u.NameKey+" ann example"); err != nil {
		return err
	}
	if err := s.ClaimName(ctx, u.NameKey, u.ID, u.CreatedAt); err != nil {
		return err
	}
	if err := s.PutCredential(ctx, &roster.Credential{UserID: u.ID, Hash: roster.NewSecret("$argon2id$…"), CreatedAt: u.CreatedAt}); err != nil {
		return err
	}
	e := &roster.UserEmail{
		UserID: u.ID, Address: u.NameKey + "@example.org", AddressKey: u.NameKey + "@example.org", Primary: true,
		ActivatedAt: u.CreatedAt, CreatedAt: u.CreatedAt,
	}
	if err := s.InsertEmail(ctx, e); err != nil {
		return err
	}
	return s.InsertActivation(ctx, &roster.Activation{
		Hash: uuid.NewString(), Purpose: roster.PurposeActivate, UserID: u.ID, EmailID: e.ID,
		CreatedAt: u.CreatedAt, ExpiresAt: u.CreatedAt.Add(time.Hour),
	})
}

// BenchmarkRegister writes the rows of a new user in a transaction. Each commit
// waits for the disk.
func BenchmarkRegister(b *testing.B) {
	s, db, _ := benchStore(b)
	n := 1000
	prepare := func(query string) *sql.Stmt {
		stmt, err := db.PrepareContext(b.Context(), query)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = stmt.Close() })
		return stmt
	}
	user := prepare(`INSERT INTO roster_users (uuid, name, name_key, name_auto, real_name, locale, timezone,
directory_dn, directory_id, enabled, flags, activated_at, last_login_at, last_login_ip, password_changed_at, auth_changed_at,
created_at, updated_at, data, version, search)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`)
	name := prepare("INSERT INTO roster_names (name_key, user_id) VALUES ($1, $2)")
	credential := prepare("INSERT INTO roster_credentials (user_id, scope_id, hash, created_at) VALUES ($1, $2, $3, $4)")
	email := prepare(`INSERT INTO roster_emails (user_id, address, address_key, is_primary, activated_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6)`)
	activation := prepare(`INSERT INTO roster_activations (hash, purpose, user_id, email_id, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)`)
	text := func(t time.Time) string { return t.Format("2006-01-02 15:04:05.999999-07:00") }
	ctx := b.Context()
	hand := func() error {
		n++
		u := benchUser(n)
		data, err := json.Marshal(u.Data)
		if err != nil {
			return err
		}
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // after a commit it does nothing
		now := text(u.CreatedAt)
		r, err := tx.StmtContext(ctx, user).ExecContext(ctx, u.UUID.String(), u.Name, u.NameKey, u.NameAuto, u.RealName,
			u.Locale, u.Timezone, u.DirectoryDN, u.DirectoryID, u.Enabled, int64(u.Flags), now, now, u.LastLoginIP, now, now,
			now, now, string(data), u.Version, u.NameKey+" ann example")
		if err != nil {
			return err
		}
		id, err := r.LastInsertId()
		if err != nil {
			return err
		}
		if _, err := tx.StmtContext(ctx, name).ExecContext(ctx, u.NameKey, id); err != nil {
			return err
		}
		if _, err := tx.StmtContext(ctx, credential).ExecContext(ctx, id, int64(0), "$argon2id$…", now); err != nil {
			return err
		}
		address := u.NameKey + "@example.org"
		if r, err = tx.StmtContext(ctx, email).ExecContext(ctx, id, address, address, true, now, now); err != nil {
			return err
		}
		mail, err := r.LastInsertId()
		if err != nil {
			return err
		}
		if _, err := tx.StmtContext(ctx, activation).ExecContext(ctx, uuid.NewString(), "activate", id, mail, now,
			text(u.CreatedAt.Add(time.Hour))); err != nil {
			return err
		}
		return tx.Commit()
	}
	compare(b, func() error {
		n++
		return s.Atomic(ctx, func(ctx context.Context) error { return registerBench(ctx, s, n) })
	}, hand)
}

// BenchmarkOpen makes a database, with a first user.
func BenchmarkOpen(b *testing.B) {
	for name, path := range map[string]func(int) string{
		"file":   func(i int) string { return filepath.Join(b.TempDir(), fmt.Sprint(i, ".db")) },
		"memory": func(int) string { return ":memory:" },
	} {
		b.Run(name, func(b *testing.B) {
			i := 0
			b.ReportMetric(median(b, func() error {
				i++
				s, err := sqlite.Open(b.Context(), path(i))
				if err != nil {
					return err
				}
				if err := s.InsertUser(b.Context(), benchUser(1), "ann"); err != nil {
					return err
				}
				return s.Close()
			}), "ms/median")
		})
	}
}
