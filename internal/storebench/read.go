package storebench

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// Columns are those of a user u, as [Scan] reads them.
const Columns = `u.id, u.uuid, u.name, u.name_key, u.name_auto, u.real_name, u.locale, u.timezone, u.directory_dn,
u.directory_id, u.enabled, u.flags, u.activated_at, u.deleted_at, u.last_login_at, u.last_login_ip, u.password_changed_at,
u.auth_changed_at, u.created_at, u.updated_at, u.data, u.version`

// Scan reads a user and what stands behind it.
func Scan(row *sql.Row, more ...any) (*roster.User, error) {
	u := new(roster.User)
	var data []byte
	err := row.Scan(append([]any{
		&u.ID, &u.UUID, &u.Name, &u.NameKey, &u.NameAuto, &u.RealName, &u.Locale, &u.Timezone, &u.DirectoryDN,
		&u.DirectoryID, &u.Enabled, &u.Flags,
		Time{&u.ActivatedAt},
		Time{&u.DeletedAt},
		Time{&u.LastLoginAt},
		&u.LastLoginIP,
		Time{&u.PasswordChangedAt},
		Time{&u.AuthChangedAt},
		Time{&u.CreatedAt},
		Time{&u.UpdatedAt},
		&data, &u.Version,
	}, more...)...)
	if err == nil && data != nil {
		err = json.Unmarshal(data, &u.Data)
	}
	return u, err
}

// Time scans what a database has for a time: one, text, or nothing.
type Time struct{ To *time.Time }

// Scan implements [sql.Scanner].
func (t Time) Scan(from any) (err error) {
	switch from := from.(type) {
	case nil:
	case time.Time:
		*t.To = from.UTC()
	case string:
		*t.To, err = time.Parse("2006-01-02 15:04:05.999999-07:00", from)
		*t.To = t.To.UTC()
	default:
		err = fmt.Errorf("a %T is no time", from)
	}
	return err
}

// Reads are the look-ups of one user.
func Reads(b *testing.B, p *Place) {
	s, u := p.Store, p.Last
	users := " FROM " + p.Prefix + "users u"
	email := " FROM " + p.Prefix + "emails e JOIN " + p.Prefix + `users u ON u.id = e.user_id WHERE e.address_key = $1
AND e.activated_at IS NOT NULL AND e.released_at IS NULL AND u.deleted_at IS NULL`
	for _, c := range []struct {
		name, query string
		arg         any
		ours        func(ctx context.Context) (roster.Model, error)
	}{
		{"ByID", users + " WHERE u.id = $1", int64(u.ID), func(ctx context.Context) (roster.Model, error) {
			return s.UserByID(ctx, u.ID)
		}},
		{"ByUUID", users + " WHERE u.uuid = $1", u.UUID.String(), func(ctx context.Context) (roster.Model, error) {
			return s.UserByUUID(ctx, u.UUID)
		}},
		{"ByName", users + " WHERE u.name_key = $1 AND u.deleted_at IS NULL", u.NameKey, func(ctx context.Context) (roster.Model, error) {
			return s.UserByName(ctx, u.NameKey)
		}},
		{"ByEmail", email, u.NameKey + "@example.org", func(ctx context.Context) (roster.Model, error) {
			return s.UserByEmail(ctx, u.NameKey+"@example.org")
		}},
	} {
		stmt := p.prepare(b, "SELECT "+Columns+c.query)
		b.Run(c.name, func(b *testing.B) {
			ctx := b.Context()
			Compare(b, func() error { return only(c.ours(ctx)) }, func() error { return only(Scan(stmt.QueryRowContext(ctx, c.arg))) })
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

// Session is the check of every request, from the token to the user.
func Session(b *testing.B, p *Place) {
	users, err := roster.New(p.Store, nil)
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	var token string
	for range 1000 {
		_, secret, err := users.StartSession(ctx, p.Last)
		if err != nil {
			b.Fatal(err)
		}
		token = secret.Reveal()
	}
	stmt := p.prepare(b, "SELECT "+Columns+`, s.id, s.user_id, s.impersonator_id, s.auth_changed_at,
s.impersonator_changed_at, s.created_at, s.authenticated_at, s.last_seen_at, s.expires_at, s.addr, s.user_agent, s.tls
FROM `+p.Prefix+"sessions s JOIN "+p.Prefix+"users u ON u.id = s.user_id WHERE s.hash = $1")
	Compare(b, func() error { return only(users.Session(ctx, token)) }, func() error {
		sum := sha256.Sum256([]byte(token))
		s := new(roster.Session)
		var impersonator sql.NullInt64
		u, err := Scan(stmt.QueryRowContext(ctx, hex.EncodeToString(sum[:])), &s.ID, &s.UserID, &impersonator, Time{&s.AuthChangedAt},
			Time{&s.ImpersonatorChangedAt}, Time{&s.CreatedAt}, Time{&s.AuthenticatedAt}, Time{&s.LastSeenAt}, Time{&s.ExpiresAt},
			&s.Addr, &s.UserAgent, &s.TLS)
		s.User = u
		return err
	})
}
