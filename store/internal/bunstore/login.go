package bunstore

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/go-roster/roster"
)

type loginQueries struct{ byName, byEmail, record *Query }

func (s *Store) loginQueries() loginQueries {
	sel := "SELECT " + s.users.columns + ", c.hash, c.created_at, c.must_change, c.expires_at"
	with := func(from string) *Query {
		tables, where, _ := strings.Cut(from, "WHERE")
		return s.constant(sel + tables + "LEFT JOIN {credentials} c ON c.user_id = u.id AND c.scope_id = 0 WHERE" + where)
	}
	return loginQueries{
		byName: with(fromName), byEmail: with(fromEmail),
		record: s.constant("UPDATE {users} SET last_login_at = $2, last_login_ip = $3 WHERE id = $1"),
	}
}

// LoginByName implements [roster.LoginStore].
func (s *Store) LoginByName(ctx context.Context, key string) (roster.Model, *roster.Credential, error) {
	return s.oneLogin(ctx, s.login.byName, key)
}

// LoginByEmail implements [roster.LoginStore].
func (s *Store) LoginByEmail(ctx context.Context, key string) (roster.Model, *roster.Credential, error) {
	return s.oneLogin(ctx, s.login.byEmail, key)
}

func (s *Store) oneLogin(ctx context.Context, q *Query, key string) (m roster.Model, c *roster.Credential, err error) {
	var hash sql.NullString
	var mustChange sql.NullBool
	var created, expires moment
	err = s.row(ctx, q, func(rows *sql.Rows) (err error) {
		m, err = s.users.scan(rows, &hash, &created, &mustChange, &expires)
		return err
	}, key)
	if err != nil {
		return nil, nil, err
	}
	if hash.Valid {
		c = &roster.Credential{
			UserID: m.RosterUser().ID, Hash: roster.NewSecret(hash.String), CreatedAt: time.Time(created),
			MustChange: mustChange.Bool, ExpiresAt: time.Time(expires),
		}
	}
	return m, c, nil
}

// RecordLogin implements [roster.LoginStore].
func (s *Store) RecordLogin(ctx context.Context, id roster.UserID, at time.Time, ip string) error {
	return found(s.exec(ctx, s.login.record, int64(id), s.dialect.nullTime(at), ip))
}
