// Package pgtest gives tests a PostgreSQL database to work in. The server is a
// throw-away one that somebody else has started.
package pgtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Env is the environment variable with the DSN of a superuser of the server.
const Env = "ROSTER_TEST_POSTGRES"

// The locales that tests want: bytes in order, and English by ICU.
const (
	C  = "C"
	EN = "en-US"
)

var (
	mu        sync.Mutex
	databases = map[string]string{} // names by locale
)

// Server returns the DSN of the server. It skips the test if there is none.
func Server(t testing.TB) string {
	t.Helper()
	dsn := os.Getenv(Env)
	if dsn == "" {
		t.Skipf("%s is not set: it takes the DSN of a superuser of a throw-away PostgreSQL server", Env)
	}
	return dsn
}

// DSN returns the DSN of a database in UTF8 with the locale, which the tests of
// one binary share: tell them apart by a [Prefix]. It goes with the server. It
// skips the test if there is no server.
func DSN(t testing.TB, locale string) string {
	t.Helper()
	server := Server(t)
	mu.Lock()
	defer mu.Unlock()
	name := databases[locale]
	if name == "" {
		settings := "LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
		if locale != C {
			settings = fmt.Sprintf("LOCALE_PROVIDER icu ICU_LOCALE '%s' LOCALE 'C.UTF-8'", locale)
		}
		name = "roster_test_" + random()
		exec(t, server, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8' "+settings)
		databases[locale] = name
	}
	return With(t, server, name)
}

// Database returns the DSN of a new database, made with the settings of CREATE
// DATABASE, which is dropped at the end of the test.
func Database(t testing.TB, settings string) string {
	t.Helper()
	server := Server(t)
	name := "roster_test_" + random()
	exec(t, server, "CREATE DATABASE "+name+" TEMPLATE template0 "+settings)
	t.Cleanup(func() { exec(t, server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	return With(t, server, name)
}

// With returns the DSN for another database of the server.
func With(t testing.TB, dsn, database string) string {
	t.Helper()
	if !strings.Contains(dsn, "://") {
		return dsn + " dbname='" + quote(database) + "'" // the last one counts
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatalf("%s is no URL", Env)
	}
	query := u.Query()
	query.Del("dbname")
	u.Path, u.RawQuery = "/"+database, query.Encode()
	return u.String()
}

func quote(s string) string { return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) }

// Prefix returns a prefix for tables that no other test has. What has it is
// dropped at the end of the test.
func Prefix(t testing.TB, dsn string) string {
	t.Helper()
	prefix := "t" + random() + "_"
	t.Cleanup(func() {
		exec(t, dsn, `DO $$
DECLARE
	tables text;
BEGIN
	SELECT string_agg(quote_ident(tablename), ', ') INTO tables FROM pg_tables WHERE starts_with(tablename, '`+prefix+`');
	IF tables IS NOT NULL THEN
		EXECUTE 'DROP TABLE ' || tables || ' CASCADE';
	END IF;
END
$$`)
	})
	return prefix
}

func exec(t testing.TB, dsn, query string) {
	t.Helper()
	db := Open(t, dsn)
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := db.ExecContext(ctx, query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// Open returns a pool, which the caller closes.
func Open(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatalf("%s: %v", Env, err)
	}
	return stdlib.OpenDB(*c)
}

func random() string {
	var b [6]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
