package roster_test

import (
	"context"
	"database/sql"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// BenchmarkCheck proves a million accounts, against reading the same rows once
// by hand, and tells how much memory it has in use at the most.
func BenchmarkCheck(b *testing.B) {
	if testing.Short() {
		b.Skip("it makes a million users")
	}
	store, db := openBoth(b)
	for _, query := range []string{`
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
INSERT INTO roster_users (uuid, name, name_key, name_auto, real_name, locale, timezone, directory_dn, directory_id, enabled,
	flags, activated_at, last_login_ip, created_at, updated_at, version, search)
SELECT printf('00000000-0000-4000-8000-%012d', i), 'user' || i, 'user' || i, 0, '', 'de', '', '', '', 1, 0,
	'2026-01-02 03:04:05+00:00', '192.0.2.7', '2026-01-02 03:04:05+00:00', '2026-01-02 03:04:05+00:00', 1, 'user' || i || char(31)
FROM n`, `
INSERT INTO roster_names (name_key, user_id) SELECT name_key, id FROM roster_users`, `
INSERT INTO roster_emails (user_id, address, address_key, is_primary, activated_at, created_at)
SELECT id, name || '@example.org', name || '@example.org', 1, activated_at, created_at FROM roster_users`, "ANALYZE"} {
		if _, err := db.Exec(query); err != nil {
			b.Fatal(err)
		}
	}
	users, err := roster.New(store, nil)
	if err != nil {
		b.Fatal(err)
	}
	peak := watchHeap(b)
	race(b, "x/scan", func() error {
		problems, err := users.Check(context.Background())
		if err == nil && len(problems) > 0 {
			b.Fatal(problems[:1], len(problems))
		}
		return err
	}, func() error {
		for _, query := range []string{"SELECT * FROM roster_users", "SELECT * FROM roster_emails", "SELECT * FROM roster_names"} {
			if err := readAll(db, query); err != nil {
				return err
			}
		}
		return nil
	})
	b.ReportMetric(float64(peak())/(1<<20), "MiB")
}

// readAll reads every column of every row as the driver gives it.
func readAll(db *sql.DB, query string) error {
	rows, err := db.Query(query)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	dests := make([]any, len(columns))
	for i := range dests {
		dests[i] = new(any)
	}
	for rows.Next() {
		if err := rows.Scan(dests...); err != nil {
			return err
		}
	}
	return rows.Err()
}

// watchHeap looks now and then, and returns how to ask for the most that it has
// seen.
func watchHeap(b *testing.B) func() uint64 {
	b.Helper()
	var peak atomic.Uint64
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		var m runtime.MemStats
		for {
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapAlloc))
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-done
		return peak.Load()
	}
}
