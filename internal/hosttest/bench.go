package hosttest

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// Bench writes a user and a row of the host in one transaction, in every way that
// there is, and compares each with prepared statements written by hand. written
// is a time as the database has it.
func Bench(b *testing.B, p *Place, written func(time.Time) any, compare func(b *testing.B, ours, hand func() error)) {
	p.Tables(b, "ON DELETE CASCADE")
	prepare := func(query string) *sql.Stmt {
		stmt, err := p.DB.PrepareContext(b.Context(), query)
		ok(b, err)
		b.Cleanup(func() { _ = stmt.Close() })
		return stmt
	}
	user := prepare("INSERT INTO " + p.Users + ` (uuid, name, name_key, name_auto, real_name, locale, timezone, directory_dn, directory_id,
enabled, flags, last_login_ip, created_at, updated_at, version, search) VALUES ($1, $2, $3, $4, '', '', '', '', '', $5, 0, '', $6, $7, 0, $8) RETURNING id`)
	const insert = "INSERT INTO orders (user_id, item) VALUES ($1, $2)"
	item := prepare(insert)
	n := 0
	name := func() string {
		n++
		return fmt.Sprintf("user%07d", n)
	}
	ctx := b.Context()
	hand := func() error {
		u := newUser(name())
		tx, err := p.DB.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		var id int64
		if err := tx.StmtContext(ctx, user).QueryRowContext(ctx, u.UUID.String(), u.Name, u.NameKey, false, true, written(u.CreatedAt),
			written(u.UpdatedAt), u.NameKey).Scan(&id); err != nil {
			return err
		}
		if _, err := tx.StmtContext(ctx, item).ExecContext(ctx, id, u.Name); err != nil {
			return err
		}
		return tx.Commit()
	}
	atomic := func(add func(ctx context.Context, u *roster.User) error) func() error {
		return func() error {
			name := name()
			return p.Store.Atomic(ctx, func(ctx context.Context) error {
				u, err := p.user(ctx, name)
				if err != nil {
					return err
				}
				return add(ctx, u)
			})
		}
	}
	for name, ours := range map[string]func() error{
		"DB": atomic(func(ctx context.Context, u *roster.User) error { return order(ctx, p.Store.DB(ctx), u, u.Name) }),
		"SQL": atomic(func(ctx context.Context, u *roster.User) error {
			_, err := p.Store.SQL(ctx).ExecContext(ctx, insert, int64(u.ID), u.Name)
			return err
		}),
		"Join": func() error {
			tx, err := p.DB.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			joined, done, err := p.Store.Join(ctx, tx)
			if err != nil {
				return err
			}
			u, err := p.user(joined, name())
			if err != nil {
				return err
			}
			if _, err := tx.StmtContext(ctx, item).ExecContext(ctx, int64(u.ID), u.Name); err != nil {
				return err
			}
			return done(tx.Commit())
		},
	} {
		b.Run(name, func(b *testing.B) { compare(b, ours, hand) })
	}
}
