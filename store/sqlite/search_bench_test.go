package sqlite_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/sqlite"
)

// million makes a store with a million users, all but every hundredth active.
// Their names are "user" and seven digits, in no order; their real names are of
// 20 given names and 503 family names.
func million(b *testing.B) (*sqlite.Store, *sql.DB) {
	b.Helper()
	if testing.Short() {
		b.Skip("it makes a million users")
	}
	path := filepath.Join(b.TempDir(), "million.db")
	s := open(b, path)
	db := raw(b, path)
	if _, err := db.Exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000),
given (k, g) AS (SELECT key, value FROM json_each('["ann","ben","carla","dmitri","eva","frank","grete","hans","ines","juri",
	"karl","lena","maria","nils","olga","paul","rosa","stefan","tina","uwe"]')),
people AS (SELECT i, g, (i * 7919) % 1000003 AS number, (i * 17) % 503 AS family FROM n JOIN given ON k = (i * 31) % 20),
named AS (SELECT i, 'user' || printf('%07d', number) AS name,
	g || ' ' || CASE family WHEN 0 THEN 'zwiebelfisch' WHEN 1 THEN 'lindqvist' ELSE 'meyer' || family END AS real FROM people)
INSERT INTO roster_users (uuid, name, name_key, name_auto, real_name, locale, timezone, directory_dn, directory_id, enabled,
	flags, activated_at, last_login_ip, created_at, updated_at, version, search)
SELECT printf('00000000-0000-4000-8000-%012d', i), name, name, 0, real, 'de', '', '', '', 1, 0,
	CASE WHEN i % 100 THEN '2026-01-02 03:04:05+00:00' END, '192.0.2.7', '2026-01-02 03:04:05+00:00', '2026-01-02 03:04:05+00:00',
	1, name || char(10) || real
FROM named`); err != nil {
		b.Fatal(err)
	}
	return s, db
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
	s, db := million(b)
	for _, p := range patterns {
		b.Run(p.name, func(b *testing.B) {
			const like = " FROM roster_users u WHERE u.search LIKE $1 AND u.deleted_at IS NULL AND u.activated_at IS NOT NULL ORDER BY u.name_key LIMIT 20"
			start := time.Now()
			if err := drain(db.QueryContext(b.Context(), "SELECT "+handColumns+like, "%"+p.text+"%")); err != nil {
				b.Fatal(err)
			}
			plain := time.Since(start)
			q := roster.UserQuery{Contains: p.text, Limit: 20}
			b.ReportMetric(median(b, func() error { return only(s.UserPage(b.Context(), q)) }), "ms/ours")
			b.ReportMetric(plain.Seconds()*1000, "ms/LIKE")
		})
	}
	b.Run("count/rare", func(b *testing.B) {
		for b.Loop() {
			if n, err := s.CountUsers(b.Context(), roster.UserQuery{Contains: "lindqvist"}); err != nil || n == 0 {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("count/all", func(b *testing.B) {
		for b.Loop() {
			if n, err := s.CountUsers(b.Context(), roster.UserQuery{}); err != nil || n == 0 {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("page", func(b *testing.B) { benchPages(b, s) })
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
