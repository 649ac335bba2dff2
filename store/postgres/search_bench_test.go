package postgres_test

import (
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
	x := place(b)
	for _, query := range []string{`
WITH people AS (
	SELECT i, (i * 7919::bigint) % 1000003 AS number, (i * 17) % 503 AS family, (ARRAY['ann','ben','carla','dmitri','eva','frank','grete',
	'hans','ines','juri','karl','lena','maria','nils','olga','paul','rosa','stefan','tina','uwe'])[1 + (i * 31) % 20] AS given
	FROM generate_series(1, 1000000) i
), named AS (
	SELECT i, 'user' || lpad(number::text, 7, '0') AS name,
	given || ' ' || CASE family WHEN 0 THEN 'zwiebelfisch' WHEN 1 THEN 'lindqvist' ELSE 'meyer' || family END AS real FROM people
)
INSERT INTO ` + x.Prefix + `users (uuid, name, name_key, name_auto, real_name, locale, timezone, directory_dn, directory_id, enabled,
	flags, activated_at, last_login_ip, created_at, updated_at, version, search)
SELECT gen_random_uuid(), name, name, false, real, 'de', '', '', '', true, 0,
	CASE WHEN i % 100 <> 0 THEN now() END, '192.0.2.7', now(), now(), 1, name || chr(10) || real
FROM named`, "VACUUM ANALYZE " + x.Prefix + "users"} {
		if _, err := x.DB.Exec(query); err != nil {
			b.Fatal(err)
		}
	}
	return x
}

func BenchmarkSearch(b *testing.B) { storebench.Searches(b, million(b), "u.search || '' LIKE $1") }
