package sqlite_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/sqlite"
)

// crowd is 100,000 users, each in 2 of 10,000 groups, and 300,000 grants in 1,000
// scopes; and everybody is in a group that may close, but in one scope.
var crowd = []string{
	`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
INSERT INTO roster_users (id, uuid, name, name_key, name_auto, real_name, locale, timezone, directory_dn, directory_id, enabled, flags,
activated_at, last_login_ip, created_at, updated_at, version, search)
SELECT i, printf('00000000-0000-4000-8000-%012d', i), 'u' || i, 'u' || i, 0, '', '', '', '', '', 1, 0,
'2024-01-01 00:00:00+00:00', '', '2024-01-01 00:00:00+00:00', '2024-01-01 00:00:00+00:00', 1, 'u' || i FROM n`,
	`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
INSERT INTO roster_groups (id, uuid, name, name_key, description, created_by, created_at, updated_at, version)
SELECT i, printf('00000000-0000-4000-8000-%012d', i), 'g' || i, 'g' || i, '', 0, '2024-01-01 00:00:00+00:00', '2024-01-01 00:00:00+00:00', 1 FROM n`,
	`INSERT INTO roster_members (group_id, user_id, rights, created_at)
SELECT id % 10000 + 1, id, '', '2024-01-01 00:00:00+00:00' FROM roster_users UNION
SELECT (id * 7 + 3) % 10000 + 1, id, '', '2024-01-01 00:00:00+00:00' FROM roster_users UNION
SELECT 10001, id, '', '2024-01-01 00:00:00+00:00' FROM roster_users`,
	`INSERT INTO roster_grants (user_id, scope_id, permission, created_by, created_at)
SELECT id, id % 1000 + 1, 'p' || (id % 10), 0, '2024-01-01 00:00:00+00:00' FROM roster_users`,
	`WITH RECURSIVE k(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM k WHERE i < 19)
INSERT INTO roster_grants (group_id, scope_id, permission, created_by, created_at)
SELECT g.id, (g.id * 20 + k.i) % 1000 + 1, 'p' || ((g.id / 50 + k.i) % 10), 0, '2024-01-01 00:00:00+00:00' FROM roster_groups g, k WHERE g.id <= 10000`,
	`INSERT INTO roster_grants (group_id, scope_id, permission, created_by, created_at)
VALUES (10001, 500, 'close', 0, '2024-01-01 00:00:00+00:00')`,
}

// handCan is the question as somebody writes it who needs one answer and no
// rule but those.
const handCan = `SELECT EXISTS (SELECT 1 FROM roster_users u
WHERE u.id = $1 AND u.enabled AND u.activated_at IS NOT NULL AND u.deleted_at IS NULL AND u.flags & 12 = 0)
AND (EXISTS (SELECT 1 FROM roster_grants g WHERE g.user_id = $1 AND g.scope_id IN (0, $2) AND g.permission IN ($3, '*')
AND (g.valid_from IS NULL OR g.valid_from <= $4) AND (g.valid_until IS NULL OR g.valid_until > $4))
OR EXISTS (SELECT 1 FROM roster_members m CROSS JOIN roster_grants g
WHERE g.group_id = m.group_id AND m.user_id = $1 AND g.scope_id IN (0, $2) AND g.permission IN ($3, '*')
AND (g.valid_from IS NULL OR g.valid_from <= $4) AND (g.valid_until IS NULL OR g.valid_until > $4)))`

// benchCrowd are the accounts of the crowd.
func benchCrowd(b *testing.B, cache time.Duration) (*roster.Users, *sql.DB) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bench.db")
	s := open(b, path, sqlite.BusyTimeout(time.Minute))
	db := raw(b, path)
	for _, text := range crowd {
		if _, err := db.ExecContext(b.Context(), text); err != nil {
			b.Fatal(err)
		}
	}
	o := roster.Options{PermissionCache: cache, Permissions: []roster.PermissionInfo{{Name: "close"}}}
	for _, name := range []roster.Permission{"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"} {
		o.Permissions = append(o.Permissions, roster.PermissionInfo{Name: name})
	}
	users, err := roster.New(s, &o)
	if err != nil {
		b.Fatal(err)
	}
	return users, db
}

// asked is the n-th question: a user and a scope, of which some are permitted.
func asked(n int) (roster.UserID, roster.ScopeID, roster.Permission) {
	user := n*7919%100_000 + 1
	scope := roster.ScopeID(user%1000 + 1)
	if n%2 == 0 {
		scope = roster.ScopeID(n%1000 + 1)
	}
	return roster.UserID(user), scope, roster.Permission("p" + string(rune('0'+user%10)))
}

// BenchmarkCan is one question, of a user in a scope, from the store.
func BenchmarkCan(b *testing.B) {
	users, db := benchCrowd(b, 0)
	ctx := b.Context()
	stmt, err := db.PrepareContext(ctx, handCan)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = stmt.Close() })
	n, yes := 0, 0
	compare(b, func() error {
		n++
		user, scope, p := asked(n)
		may, err := users.Can(ctx, user, p, scope, roster.Either)
		if may {
			yes++
		}
		return err
	}, func() error {
		user, scope, p := asked(n)
		var may bool
		err := stmt.QueryRowContext(ctx, int64(user), int64(scope), string(p), time.Now().UTC().Format("2006-01-02 15:04:05.999999-07:00")).Scan(&may)
		if may {
			yes--
		}
		return err
	})
	if yes != 0 {
		b.Errorf("the answers differ: %d more are yes", yes)
	}
}

// BenchmarkCanCached is the same from memory.
func BenchmarkCanCached(b *testing.B) {
	users, _ := benchCrowd(b, time.Minute)
	ctx := context.Background()
	for b.Loop() {
		if _, err := users.Can(ctx, 77, "p7", 78, roster.Either); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWhoCan goes through everybody who may something in a scope: a few
// hundred of 100,000, or one page of them all.
func BenchmarkWhoCan(b *testing.B) {
	users, _ := benchCrowd(b, 0)
	ctx := b.Context()
	for _, c := range []struct {
		name string
		p    roster.Permission
		all  bool
	}{{"hundreds", "p9", true}, {"a page of all", "close", false}} {
		b.Run(c.name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				n = 0
				p := roster.Paging{Limit: 500}
				for {
					l, err := users.WhoCan(ctx, c.p, 500, roster.Either, p)
					if err != nil {
						b.Fatal(err)
					}
					n += len(l.Items)
					if p.Cursor = l.Next; p.Cursor == "" || !c.all {
						break
					}
				}
			}
			b.ReportMetric(float64(n), "users")
		})
	}
}

// BenchmarkCanAll is a page of 50 users.
func BenchmarkCanAll(b *testing.B) {
	users, _ := benchCrowd(b, 0)
	for b.Loop() {
		var asks []roster.Ask
		for i := range 50 {
			asks = append(asks, roster.Ask{User: roster.UserID(1 + i*1999), Scope: 500})
		}
		if _, err := users.CanAll(b.Context(), "p9", roster.Either, asks...); err != nil {
			b.Fatal(err)
		}
	}
}
