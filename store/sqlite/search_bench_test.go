package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/go-roster/roster/internal/storebench"
)

// million makes a store with a million users, all but every hundredth active.
// Their names are "user" and seven digits, in no order; their real names are of
// 20 given names and 503 family names.
func million(b *testing.B) *storebench.Place {
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
	return &storebench.Place{Store: s, DB: db, Prefix: "roster_"}
}

func BenchmarkSearch(b *testing.B) { storebench.Searches(b, million(b), "u.search LIKE $1") }
