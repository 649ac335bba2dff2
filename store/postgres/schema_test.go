package postgres_test

import (
	"testing"

	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/postgres"
)

// TestKeysAreBytes looks at every text in an index, in a database whose locale
// has another order. What is compared by that locale also breaks when the
// library that knows it is updated.
func TestKeysAreBytes(t *testing.T) {
	dsn := pgtest.DSN(t, pgtest.EN)
	prefix := pgtest.Prefix(t, dsn)
	open(t, dsn, postgres.Prefix(prefix))
	seen := 0
	for name, collation := range pairs(t, dsn, `SELECT i.indexrelid::regclass || ' (' || a.attname || ')', c.collname
FROM pg_index i JOIN pg_class r ON r.oid = i.indexrelid
JOIN pg_attribute a ON a.attrelid = i.indexrelid JOIN pg_collation c ON c.oid = a.attcollation
WHERE starts_with(r.relname, $1)`, prefix) {
		seen++
		if collation != "C" {
			t.Errorf("%s has the collation %s", name, collation)
		}
	}
	if seen < 8 {
		t.Errorf("only %d texts are in indices", seen)
	}
}

// TestIDsAreTheDatabases looks at every ID: one that was chosen by somebody
// else is given out a second time when its turn comes.
func TestIDsAreTheDatabases(t *testing.T) {
	dsn := pgtest.DSN(t, pgtest.C)
	prefix := pgtest.Prefix(t, dsn)
	open(t, dsn, postgres.Prefix(prefix))
	seen := 0
	for table, identity := range pairs(t, dsn, `SELECT r.relname, a.attidentity::text
FROM pg_class r JOIN pg_attribute a ON a.attrelid = r.oid
WHERE r.relkind = 'r' AND a.attname = 'id' AND a.atttypid = 'bigint'::regtype AND starts_with(r.relname, $1)`, prefix) {
		seen++
		if identity != "a" {
			t.Errorf("%s.id is not GENERATED ALWAYS", table)
		}
	}
	if seen < 2 {
		t.Errorf("only %d tables have IDs", seen)
	}
}

// pairs asks for two texts a row.
func pairs(t *testing.T, dsn, query string, args ...any) map[string]string {
	t.Helper()
	db := pgtest.Open(t, dsn)
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var a, b string
		if err := rows.Scan(&a, &b); err != nil {
			t.Fatal(err)
		}
		all[a] = b
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
