package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/postgres"
)

// crowd is 100,000 users, each in 2 of 10,000 groups, and 300,000 grants in 1,000
// scopes; and everybody is in a group that may close, but in one scope.
const crowd = `
INSERT INTO {users} (id, uuid, name, name_key, name_auto, real_name, locale, timezone, directory_dn, directory_id, enabled, flags,
activated_at, last_login_ip, created_at, updated_at, version, search) OVERRIDING SYSTEM VALUE
SELECT i, gen_random_uuid(), 'u' || i, 'u' || i, false, '', '', '', '', '', true, 0, now(), '', now(), now(), 1, 'u' || i
FROM generate_series(1, 100000) i;
INSERT INTO {groups} (id, uuid, name, name_key, description, created_by, created_at, updated_at, version) OVERRIDING SYSTEM VALUE
SELECT i, gen_random_uuid(), 'g' || i, 'g' || i, '', 0, now(), now(), 1 FROM generate_series(1, 10001) i;
INSERT INTO {members} (group_id, user_id, rights, created_at)
SELECT i % 10000 + 1, i, '', now() FROM generate_series(1, 100000) i UNION
SELECT (i * 7 + 3) % 10000 + 1, i, '', now() FROM generate_series(1, 100000) i UNION
SELECT 10001, i, '', now() FROM generate_series(1, 100000) i;
INSERT INTO {grants} (user_id, scope_id, permission, created_by, created_at)
SELECT i, i % 1000 + 1, 'p' || (i % 10), 0, now() FROM generate_series(1, 100000) i;
INSERT INTO {grants} (group_id, scope_id, permission, created_by, created_at)
SELECT g, (g * 20 + k) % 1000 + 1, 'p' || ((g / 50 + k) % 10), 0, now() FROM generate_series(1, 10000) g, generate_series(0, 19) k;
INSERT INTO {grants} (group_id, scope_id, permission, created_by, created_at) VALUES (10001, 500, 'close', 0, now());
ANALYZE {users}, {groups}, {members}, {grants}`

// handCan is the question as somebody writes it who needs one answer and no
// rule but those.
const handCan = `SELECT EXISTS (SELECT 1 FROM {users} u
WHERE u.id = $1 AND u.enabled AND u.activated_at IS NOT NULL AND u.deleted_at IS NULL AND u.flags & 12 = 0)
AND (EXISTS (SELECT 1 FROM {grants} g WHERE g.user_id = $1 AND g.scope_id IN (0, $2) AND g.permission IN ($3, '*')
AND (g.valid_from IS NULL OR g.valid_from <= $4) AND (g.valid_until IS NULL OR g.valid_until > $4))
OR EXISTS (SELECT 1 FROM {members} m CROSS JOIN {grants} g
WHERE g.group_id = m.group_id AND m.user_id = $1 AND g.scope_id IN (0, $2) AND g.permission IN ($3, '*')
AND (g.valid_from IS NULL OR g.valid_from <= $4) AND (g.valid_until IS NULL OR g.valid_until > $4)))`

// BenchmarkPermissions is one question, of a user in a scope, beside a prepared
// statement; and who may something in a scope, 500 of 100,000, or one page of
// them all.
func BenchmarkPermissions(b *testing.B) {
	dsn := pgtest.DSN(b, pgtest.EN)
	prefix := pgtest.Prefix(b, dsn)
	s, err := postgres.Open(b.Context(), dsn, postgres.Prefix(prefix))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	db := pgtest.Open(b, dsn)
	b.Cleanup(func() { _ = db.Close() })
	named := strings.NewReplacer("{", prefix, "}", "")
	for _, text := range strings.Split(named.Replace(crowd), ";") {
		if _, err := db.ExecContext(b.Context(), text); err != nil {
			b.Fatal(err)
		}
	}
	o := roster.Options{Permissions: []roster.PermissionInfo{{Name: "close"}}}
	for _, digit := range "0123456789" {
		o.Permissions = append(o.Permissions, roster.PermissionInfo{Name: roster.Permission("p" + string(digit))})
	}
	users, err := roster.New(s, &o)
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	b.Run("Can", func(b *testing.B) {
		stmt, err := db.PrepareContext(ctx, named.Replace(handCan))
		if err != nil {
			b.Fatal(err)
		}
		defer stmt.Close()
		n := 0
		asked := func() (roster.UserID, roster.ScopeID, roster.Permission) {
			user := n*7919%100_000 + 1
			scope := user%1000 + 1
			if n%2 == 0 {
				scope = n%1000 + 1
			}
			return roster.UserID(user), roster.ScopeID(scope), roster.Permission("p" + string(rune('0'+user%10)))
		}
		yes := 0
		compare(b, func() error {
			n++
			user, scope, p := asked()
			may, err := users.Can(ctx, user, p, scope, roster.Either)
			if may {
				yes++
			}
			return err
		}, func() error {
			user, scope, p := asked()
			var may bool
			err := stmt.QueryRowContext(ctx, int64(user), int64(scope), string(p), time.Now()).Scan(&may)
			if may {
				yes--
			}
			return err
		})
		if yes != 0 {
			b.Errorf("the answers differ: %d more are yes", yes)
		}
	})
	for name, p := range map[string]roster.Permission{"WhoCan": "p9", "WhoCan of all": "close"} {
		b.Run(name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				l, err := users.WhoCan(ctx, p, 500, roster.Either, roster.Paging{Limit: 500})
				if err != nil {
					b.Fatal(err)
				}
				n = len(l.Items)
			}
			b.ReportMetric(float64(n), "users")
		})
	}
}
