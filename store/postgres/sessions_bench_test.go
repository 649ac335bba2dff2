package postgres_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// BenchmarkSession is the check of every request, from the token to the user,
// beside a prepared statement that somebody writes who needs no rule.
func BenchmarkSession(b *testing.B) {
	x := newBench(b)
	users, err := roster.New(x, nil)
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	var token string
	for range 1000 {
		_, secret, err := users.StartSession(ctx, x.last)
		if err != nil {
			b.Fatal(err)
		}
		token = secret.Reveal()
	}
	stmt, err := x.db.PrepareContext(ctx, "SELECT "+handColumns+`, s.id, s.user_id, s.impersonator_id, s.auth_changed_at,
s.impersonator_changed_at, s.created_at, s.authenticated_at, s.last_seen_at, s.expires_at, s.addr, s.user_agent, s.tls
FROM `+x.prefix+"sessions s JOIN "+x.prefix+"users u ON u.id = s.user_id WHERE s.hash = $1")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = stmt.Close() })
	compare(b, func() error { return only(users.Session(ctx, token)) }, func() error {
		sum := sha256.Sum256([]byte(token))
		return handSession(stmt.QueryRowContext(ctx, hex.EncodeToString(sum[:])))
	})
}

// handSession scans a session and its user.
func handSession(row *sql.Row) error {
	u, s := new(roster.User), new(roster.Session)
	var times [13]sql.NullTime
	var data []byte
	var impersonator sql.NullInt64
	err := row.Scan(&u.ID, &u.UUID, &u.Name, &u.NameKey, &u.NameAuto, &u.RealName, &u.Locale, &u.Timezone, &u.DirectoryDN,
		&u.DirectoryID, &u.Enabled, &u.Flags, &times[0], &times[1], &times[2], &u.LastLoginIP, &times[3], &times[4], &times[5],
		&times[6], &data, &u.Version, &s.ID, &s.UserID, &impersonator, &times[7], &times[8], &times[9], &times[10], &times[11],
		&times[12], &s.Addr, &s.UserAgent, &s.TLS)
	if err != nil {
		return err
	}
	for i, to := range []*time.Time{
		&u.ActivatedAt, &u.DeletedAt, &u.LastLoginAt, &u.PasswordChangedAt, &u.AuthChangedAt, &u.CreatedAt, &u.UpdatedAt,
		&s.AuthChangedAt, &s.ImpersonatorChangedAt, &s.CreatedAt, &s.AuthenticatedAt, &s.LastSeenAt, &s.ExpiresAt,
	} {
		if times[i].Valid {
			*to = times[i].Time.UTC()
		}
	}
	if data != nil {
		err = json.Unmarshal(data, &u.Data)
	}
	return err
}
