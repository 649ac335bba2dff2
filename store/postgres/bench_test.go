package postgres_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/postgres"
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
	var times [7]sql.NullTime
	var data []byte
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
			*to = times[i].Time.UTC()
		}
	}
	if data != nil {
		err = json.Unmarshal(data, &u.Data)
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

// bench is a store with a thousand users, and a handle for the other side.
type bench struct {
	*postgres.Store
	prefix string
	db     *sql.DB
	last   *roster.User
}

func newBench(b *testing.B) *bench {
	b.Helper()
	dsn := pgtest.DSN(b, pgtest.C)
	x := &bench{prefix: pgtest.Prefix(b, dsn), db: pgtest.Open(b, dsn)}
	b.Cleanup(func() { _ = x.db.Close() })
	s, err := postgres.Open(b.Context(), dsn, postgres.Prefix(x.prefix))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	x.Store = s
	if err := s.Atomic(b.Context(), func(ctx context.Context) error {
		for i := range 1000 {
			if x.last, err = registerBench(ctx, s, i); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	if _, err := x.db.Exec("ANALYZE"); err != nil {
		b.Fatal(err)
	}
	return x
}

// registerBench writes the rows of a new user.
func registerBench(ctx context.Context, s roster.Store, i int) (*roster.User, error) {
	u := benchUser(i)
	if err := s.InsertUser(ctx, u, u.NameKey+" ann example"); err != nil {
		return nil, err
	}
	if err := s.ClaimName(ctx, u.NameKey, u.ID, u.CreatedAt); err != nil {
		return nil, err
	}
	if err := s.PutCredential(ctx, &roster.Credential{UserID: u.ID, Hash: roster.NewSecret("$argon2id$…"), CreatedAt: u.CreatedAt}); err != nil {
		return nil, err
	}
	e := &roster.UserEmail{
		UserID: u.ID, Address: u.NameKey + "@example.org", AddressKey: u.NameKey + "@example.org", Primary: true,
		ActivatedAt: u.CreatedAt, CreatedAt: u.CreatedAt,
	}
	if err := s.InsertEmail(ctx, e); err != nil {
		return nil, err
	}
	return u, s.InsertActivation(ctx, &roster.Activation{
		Hash: uuid.NewString(), Purpose: roster.PurposeActivate, UserID: u.ID, EmailID: e.ID,
		CreatedAt: u.CreatedAt, ExpiresAt: u.CreatedAt.Add(time.Hour),
	})
}

func BenchmarkRead(b *testing.B) {
	x := newBench(b)
	u := x.last
	users := " FROM " + x.prefix + "users u"
	email := " FROM " + x.prefix + "emails e JOIN " + x.prefix + `users u ON u.id = e.user_id WHERE e.address_key = $1
AND e.activated_at IS NOT NULL AND e.released_at IS NULL AND u.deleted_at IS NULL`
	for _, c := range []struct {
		name, query string
		arg         any
		ours        func(ctx context.Context) (roster.Model, error)
	}{
		{"ByID", users + " WHERE u.id = $1", int64(u.ID), func(ctx context.Context) (roster.Model, error) {
			return x.UserByID(ctx, u.ID)
		}},
		{"ByUUID", users + " WHERE u.uuid = $1", u.UUID.String(), func(ctx context.Context) (roster.Model, error) {
			return x.UserByUUID(ctx, u.UUID)
		}},
		{"ByName", users + " WHERE u.name_key = $1 AND u.deleted_at IS NULL", u.NameKey, func(ctx context.Context) (roster.Model, error) {
			return x.UserByName(ctx, u.NameKey)
		}},
		{"ByEmail", email, u.NameKey + "@example.org", func(ctx context.Context) (roster.Model, error) {
			return x.UserByEmail(ctx, u.NameKey+"@example.org")
		}},
	} {
		stmt, err := x.db.PrepareContext(b.Context(), "SELECT "+handColumns+c.query)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = stmt.Close() })
		b.Run(c.name, func(b *testing.B) {
			ctx := b.Context()
			compare(b, func() error { return only(c.ours(ctx)) }, func() error {
				_, err := handScan(stmt.QueryRowContext(ctx, c.arg))
				return err
			})
		})
	}
	b.Run("LoginByName", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := x.LoginByName(b.Context(), u.NameKey); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRegister writes the rows of a new user in a transaction.
func BenchmarkRegister(b *testing.B) {
	x := newBench(b)
	n := 1000
	table := func(name string) string { return x.prefix + name }
	prepare := func(query string) *sql.Stmt {
		stmt, err := x.db.PrepareContext(b.Context(), query)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = stmt.Close() })
		return stmt
	}
	user := prepare("INSERT INTO " + table("users") + ` (uuid, name, name_key, name_auto, real_name, locale, timezone,
directory_dn, directory_id, enabled, flags, activated_at, last_login_at, last_login_ip, password_changed_at, auth_changed_at,
created_at, updated_at, data, version, search)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21) RETURNING id`)
	name := prepare("INSERT INTO " + table("names") + " (name_key, user_id) VALUES ($1, $2)")
	credential := prepare("INSERT INTO " + table("credentials") + " (user_id, scope_id, hash, created_at) VALUES ($1, $2, $3, $4)")
	email := prepare("INSERT INTO " + table("emails") + ` (user_id, address, address_key, is_primary, activated_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`)
	activation := prepare("INSERT INTO " + table("activations") + ` (hash, purpose, user_id, email_id, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)`)
	ctx := b.Context()
	compare(b, func() error {
		n++
		return x.Atomic(ctx, func(ctx context.Context) error { return only(registerBench(ctx, x, n)) })
	}, func() error {
		n++
		u := benchUser(n)
		data, err := json.Marshal(u.Data)
		if err != nil {
			return err
		}
		tx, err := x.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // after a commit it does nothing
		var id, mail int64
		if err := tx.StmtContext(ctx, user).QueryRowContext(ctx, u.UUID.String(), u.Name, u.NameKey, u.NameAuto, u.RealName,
			u.Locale, u.Timezone, u.DirectoryDN, u.DirectoryID, u.Enabled, int64(u.Flags), u.ActivatedAt, u.LastLoginAt,
			u.LastLoginIP, u.PasswordChangedAt, u.AuthChangedAt, u.CreatedAt, u.UpdatedAt, string(data), u.Version,
			u.NameKey+" ann example").Scan(&id); err != nil {
			return err
		}
		if _, err := tx.StmtContext(ctx, name).ExecContext(ctx, u.NameKey, id); err != nil {
			return err
		}
		if _, err := tx.StmtContext(ctx, credential).ExecContext(ctx, id, int64(0), "$argon2id$…", u.CreatedAt); err != nil {
			return err
		}
		address := u.NameKey + "@example.org"
		if err := tx.StmtContext(ctx, email).QueryRowContext(ctx, id, address, address, true, u.CreatedAt, u.CreatedAt).Scan(&mail); err != nil {
			return err
		}
		if _, err := tx.StmtContext(ctx, activation).ExecContext(ctx, uuid.NewString(), "activate", id, mail, u.CreatedAt,
			u.CreatedAt.Add(time.Hour)); err != nil {
			return err
		}
		return tx.Commit()
	})
}

// BenchmarkRecordLogin is a write of one row without a transaction.
func BenchmarkRecordLogin(b *testing.B) {
	x := newBench(b)
	stmt, err := x.db.PrepareContext(b.Context(), "UPDATE "+x.prefix+"users SET last_login_at = $2, last_login_ip = $3 WHERE id = $1")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = stmt.Close() })
	now := time.Now().UTC()
	made, err := postgres.New(x.db, postgres.Prefix(x.prefix))
	if err != nil {
		b.Fatal(err)
	}
	for name, s := range map[string]roster.Store{"Open": x, "New": made} {
		b.Run(name, func(b *testing.B) {
			compare(b, func() error { return s.RecordLogin(b.Context(), x.last.ID, now, "192.0.2.9") }, func() error {
				_, err := stmt.ExecContext(b.Context(), int64(x.last.ID), now, "192.0.2.9")
				return err
			})
		})
	}
}

// BenchmarkOpen makes the tables, with a first user.
func BenchmarkOpen(b *testing.B) {
	dsn := pgtest.DSN(b, pgtest.C)
	b.ReportMetric(median(b, func() error {
		s, err := postgres.Open(b.Context(), dsn, postgres.Prefix(pgtest.Prefix(b, dsn)))
		if err != nil {
			return err
		}
		if err := s.InsertUser(b.Context(), benchUser(1), "ann"); err != nil {
			return err
		}
		return s.Close()
	}), "ms/median")
}

func only[T any](_ T, err error) error { return err }
