package postgres_test

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/postgres"
)

// recorder notes every statement that goes to the driver.
type recorder struct {
	mu    sync.Mutex
	texts []string
	like  string // the last pattern of LIKE
}

func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.texts, data.SQL) {
		r.texts = append(r.texts, data.SQL)
	}
	if strings.Contains(data.SQL, "LIKE $") {
		r.like, _ = data.Args[len(data.Args)-1].(string)
	}
	return ctx
}

func (r *recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func recording(t *testing.T) (*postgres.Store, *recorder, string) {
	t.Helper()
	dsn := pgtest.DSN(t, pgtest.EN)
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	c.Tracer = r
	db := stdlib.OpenDB(*c)
	t.Cleanup(func() { _ = db.Close() })
	prefix := pgtest.Prefix(t, dsn)
	s, err := postgres.New(db, postgres.Prefix(prefix))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.texts = nil
	return s, r, prefix
}

var placeholder = regexp.MustCompile(`\$(\d+)`)

// Every statement has an index to go by, but those that are to see all: where
// the planner must not read tables from end to end, it does not.
func TestPlans(t *testing.T) {
	s, r, prefix := recording(t)
	everyCallWorks(t, s)
	conn, err := pgx.Connect(t.Context(), pgtest.DSN(t, pgtest.EN))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan"); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, text := range r.texts {
		if !strings.Contains(text, prefix) || strings.Contains(text, "count(*)") || strings.HasSuffix(text, "LIMIT 300") ||
			strings.Contains(text, "strpos") { // what is searched for may be anything
			continue
		}
		checked++
		if _, err := conn.Exec(t.Context(), "PREPARE p AS "+text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		explain, args := "EXPLAIN EXECUTE p", 0
		for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
			n, _ := strconv.Atoi(m[1])
			args = max(args, n)
		}
		if args > 0 {
			explain += "(NULL" + strings.Repeat(", NULL", args-1) + ")"
		}
		rows, err := conn.Query(t.Context(), explain)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if all := strings.Join(plan, "\n\t"); strings.Contains(all, "Seq Scan") {
			t.Errorf("%s\n\t%s", text, all)
		}
		if _, err := conn.Exec(t.Context(), "DEALLOCATE p"); err != nil {
			t.Fatal(err)
		}
	}
	if checked < 40 {
		t.Errorf("only %d statements were seen", checked)
	}
}

// All statements are constant: what a caller passes is never part of one.
func TestStatementsAreConstant(t *testing.T) {
	s, r, prefix := recording(t)
	everyCallWorks(t, s)
	before := len(r.texts)
	for i := range 20 {
		u := benchUser(i + 2000)
		u.RealName = "'); DROP TABLE " + prefix + "users; --"
		if err := s.InsertUser(t.Context(), u, u.RealName); err != nil {
			t.Fatal(err)
		}
		for _, contains := range []string{u.RealName, `"`, `\`, "%", u.NameKey} {
			if _, err := s.UserPage(t.Context(), roster.UserQuery{Contains: contains, AfterKey: u.RealName, Limit: i + 1}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.EmailsOf(t.Context(), make([]roster.UserID, i+1)...); err != nil {
			t.Fatal(err)
		}
		if err := s.RecordLogin(t.Context(), u.ID, time.Now(), u.RealName); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.texts) != before {
		t.Errorf("new statements: %q", r.texts[before:])
	}
}

// What is searched for is literal to the index too: a wildcard in it would find
// the same, and read more for it.
func TestPatternsAreLiteral(t *testing.T) {
	s, r, _ := recording(t)
	q := roster.UserQuery{Contains: `100%_of\it`, Limit: 10}
	for what, search := range map[string]func() error{
		"a page":  func() error { return only(s.UserPage(t.Context(), q)) },
		"a count": func() error { return only(s.CountUsers(t.Context(), q)) },
	} {
		r.like = ""
		if err := search(); err != nil {
			t.Fatal(err)
		}
		if want := `%100\%\_of\\it%`; r.like != want {
			t.Errorf("%s asks the index for %s, want %s", what, r.like, want)
		}
	}
}
