package postgres_test

import (
	"context"
	"database/sql"
	"slices"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/postgres"
)

// million makes a store with a million users, all but every hundredth active.
// Their names are "user" and seven digits, in no order; their real names are of
// 20 given names and 503 family names.
func million(b *testing.B) *bench {
	b.Helper()
	if testing.Short() {
		b.Skip("it makes a million users")
	}
	dsn := pgtest.DSN(b, pgtest.C)
	x := &bench{prefix: pgtest.Prefix(b, dsn), db: pgtest.Open(b, dsn)}
	b.Cleanup(func() { _ = x.db.Close() })
	s, err := postgres.Open(b.Context(), dsn, postgres.Prefix(x.prefix))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	x.Store = s
	for _, query := range []string{`
WITH people AS (
	SELECT i, (i * 7919::bigint) % 1000003 AS number, (i * 17) % 503 AS family, (ARRAY['ann','ben','carla','dmitri','eva','frank','grete',
	'hans','ines','juri','karl','lena','maria','nils','olga','paul','rosa','stefan','tina','uwe'])[1 + (i * 31) % 20] AS given
	FROM generate_series(1, 1000000) i
), named AS (
	SELECT i, 'user' || lpad(number::text, 7, '0') AS name,
	given || ' ' || CASE family WHEN 0 THEN 'zwiebelfisch' WHEN 1 THEN 'lindqvist' ELSE 'meyer' || family END AS real FROM people
)
INSERT INTO ` + x.prefix + `users (uuid, name, name_key, name_auto, real_name, locale, timezone, directory_dn, directory_id, enabled,
	flags, activated_at, last_login_ip, created_at, updated_at, version, search)
SELECT gen_random_uuid(), name, name, false, real, 'de', '', '', '', true, 0,
	CASE WHEN i % 100 <> 0 THEN now() END, '192.0.2.7', now(), now(), 1, name || chr(10) || real
FROM named`, "VACUUM ANALYZE " + x.prefix + "users"} {
		if _, err := x.db.Exec(query); err != nil {
			b.Fatal(err)
		}
	}
	return x
}

// patterns are what to search among a million for.
var patterns = []struct{ name, text string }{
	{"absent", "nobody"},
	{"one", "user0987654"},
	{"rare", "lindqvist"},
	{"some", "meyer123"},
	{"many", "olga meyer"},
	{"all", "user"},
	{"all_at_the_end", "user099"},
	{"short", "ma"},
	{"short_absent", "qq"},
}

func BenchmarkSearch(b *testing.B) {
	x := million(b)
	for _, p := range patterns {
		b.Run(p.name, func(b *testing.B) {
			like := "SELECT " + handColumns + " FROM " + x.prefix + `users u WHERE u.search || '' LIKE $1
AND u.deleted_at IS NULL AND u.activated_at IS NOT NULL ORDER BY u.name_key LIMIT 20`
			start := time.Now()
			if err := drain(x.db.QueryContext(b.Context(), like, "%"+p.text+"%")); err != nil {
				b.Fatal(err)
			}
			plain := time.Since(start)
			q := roster.UserQuery{Contains: p.text, Limit: 20}
			b.ReportMetric(median(b, func() error { return only(x.UserPage(b.Context(), q)) }), "ms/ours")
			b.ReportMetric(plain.Seconds()*1000, "ms/LIKE")
		})
	}
	b.Run("count/rare", func(b *testing.B) {
		for b.Loop() {
			if n, err := x.CountUsers(b.Context(), roster.UserQuery{Contains: "lindqvist"}); err != nil || n == 0 {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("count/all", func(b *testing.B) {
		for b.Loop() {
			if n, err := x.CountUsers(b.Context(), roster.UserQuery{}); err != nil || n == 0 {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("page", func(b *testing.B) { benchPages(b, x) })
}

// benchPages compares the last of 10,000 pages with the first.
func benchPages(b *testing.B, s roster.Store) {
	far := roster.UserQuery{State: roster.StateLive, AfterKey: "user0999990", Limit: 100}
	if ms, err := s.UserPage(b.Context(), far); err != nil || len(ms) == 0 || len(ms) > 20 {
		b.Fatal(len(ms), err)
	}
	far.AfterKey = "user0999800"
	first := roster.UserQuery{State: roster.StateLive, Limit: 100}
	page := func(ctx context.Context, q roster.UserQuery) func() error {
		return func() error { return only(s.UserPage(ctx, q)) }
	}
	compare(b, page(b.Context(), far), page(b.Context(), first))
}

func median(b *testing.B, fn func() error) float64 {
	b.Helper()
	var times []time.Duration
	for b.Loop() {
		start := time.Now()
		if err := fn(); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	return times[len(times)/2].Seconds() * 1000
}

func drain(rows *sql.Rows, err error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() { // the rows are of no interest
	}
	return rows.Err()
}
