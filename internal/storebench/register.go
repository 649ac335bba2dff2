package storebench

import (
	"context"
	"database/sql"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
)

// Registers writes the rows of a new user in a transaction. Each commit waits for
// the disk.
func Registers(b *testing.B, p *Place) {
	returning := ""
	if p.Returning {
		returning = " RETURNING id"
	}
	user := p.prepare(b, "INSERT INTO "+p.Prefix+`users (uuid, name, name_key, name_auto, real_name, locale, timezone,
directory_dn, directory_id, enabled, flags, activated_at, last_login_at, last_login_ip, password_changed_at, auth_changed_at,
created_at, updated_at, data, version, search)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`+returning)
	name := p.prepare(b, "INSERT INTO "+p.Prefix+"names (name_key, user_id) VALUES ($1, $2)")
	credential := p.prepare(b, "INSERT INTO "+p.Prefix+"credentials (user_id, scope_id, hash, created_at) VALUES ($1, $2, $3, $4)")
	email := p.prepare(b, "INSERT INTO "+p.Prefix+`emails (user_id, address, address_key, is_primary, activated_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6)`+returning)
	activation := p.prepare(b, "INSERT INTO "+p.Prefix+`activations (hash, purpose, user_id, email_id, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)`)
	ctx := b.Context()
	n := 1000
	Compare(b, func() error {
		n++
		return p.Store.Atomic(ctx, func(ctx context.Context) error { return only(Register(ctx, p.Store, n)) })
	}, func() error {
		n++
		u := User(n)
		data, err := json.Marshal(u.Data)
		if err != nil {
			return err
		}
		tx, err := p.DB.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // after a commit it does nothing
		now := p.Written(u.CreatedAt)
		id, err := p.insert(ctx, tx.StmtContext(ctx, user), u.UUID.String(), u.Name, u.NameKey, u.NameAuto, u.RealName,
			u.Locale, u.Timezone, u.DirectoryDN, u.DirectoryID, u.Enabled, int64(u.Flags), now, now, u.LastLoginIP, now, now,
			now, now, string(data), u.Version, u.NameKey+" ann example")
		if err != nil {
			return err
		}
		if _, err := tx.StmtContext(ctx, name).ExecContext(ctx, u.NameKey, id); err != nil {
			return err
		}
		if _, err := tx.StmtContext(ctx, credential).ExecContext(ctx, id, int64(0), hash, now); err != nil {
			return err
		}
		address := u.NameKey + "@example.org"
		mail, err := p.insert(ctx, tx.StmtContext(ctx, email), id, address, address, true, now, now)
		if err != nil {
			return err
		}
		if _, err := tx.StmtContext(ctx, activation).ExecContext(ctx, uuid.NewString(), "activate", id, mail, now,
			p.Written(u.CreatedAt.Add(time.Hour))); err != nil {
			return err
		}
		return tx.Commit()
	})
}

// insert writes a row and returns its ID.
func (p *Place) insert(ctx context.Context, stmt *sql.Stmt, args ...any) (id int64, err error) {
	if p.Returning {
		err = stmt.QueryRowContext(ctx, args...).Scan(&id)
		return id, err
	}
	r, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}
