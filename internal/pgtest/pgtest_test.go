package pgtest_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/go-roster/roster/internal/pgtest"
)

// Another database is all that changes, however the server was named.
func TestWith(t *testing.T) {
	for _, dsn := range []string{
		"host=/run/x user=me dbname=scratch",
		`host=/run/x user='me' password='it\'s' sslmode=disable`,
		"postgres://me@db.example:5433/scratch?sslmode=verify-full",
		"postgresql://me:p%2Fw@db.example:5433/?dbname=scratch&sslmode=require",
	} {
		before, err := pgx.ParseConfig(dsn)
		if err != nil {
			t.Fatal(err)
		}
		after, err := pgx.ParseConfig(pgtest.With(t, dsn, "oth'er"))
		if err != nil {
			t.Fatalf("%s: %v", dsn, err)
		}
		if after.Database != "oth'er" {
			t.Errorf("%s: the database is %q", dsn, after.Database)
		}
		if after.Host != before.Host || after.Port != before.Port || after.User != before.User || after.Password != before.Password ||
			(after.TLSConfig == nil) != (before.TLSConfig == nil) ||
			after.TLSConfig != nil && after.TLSConfig.InsecureSkipVerify != before.TLSConfig.InsecureSkipVerify {
			t.Errorf("%s: becomes %s:%d of %s", dsn, after.Host, after.Port, after.User)
		}
	}
}
