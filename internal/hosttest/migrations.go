package hosttest

import (
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/go-roster/roster"
)

// Step is one migration, as it is printed.
type Step struct {
	ID                int
	SQL, Goose, Atlas string
}

// Printed applies what is printed to empty databases, as the tools do it for which
// it is, and opens those without migrating. The prefix is "roster_".
func Printed(t *testing.T, steps []Step, empty func(t testing.TB) (db *sql.DB, open func() (roster.Store, error))) {
	for tool, statements := range map[string]func(t testing.TB, s Step) []string{
		"plain": func(_ testing.TB, s Step) []string { return []string{s.SQL} },
		"goose": gooseStatements,
		"atlas": atlasStatements,
	} {
		t.Run(tool, func(t *testing.T) {
			db, open := empty(t)
			refused := func(when string, words ...string) {
				t.Helper()
				s, err := open()
				var un *roster.UnavailableError
				if s != nil || !errors.As(err, &un) || un.What != roster.UnavailableDatabase {
					t.Fatalf("%s: %v, want an UnavailableError of %q", when, err, roster.UnavailableDatabase)
				}
				for _, word := range words {
					if !strings.Contains(err.Error(), word) {
						t.Errorf("%s: the text %q does not say %q", when, err, word)
					}
				}
			}
			exec := func(query string) {
				t.Helper()
				if _, err := db.ExecContext(t.Context(), query); err != nil {
					t.Fatal(err)
				}
			}
			last := strconv.Itoa(len(steps))
			refused("without tables", "no tables roster_", "there are "+last)
			for i, s := range steps {
				tx, err := db.BeginTx(t.Context(), nil) // as these tools do
				ok(t, err)
				for _, query := range statements(t, s) {
					if _, err := tx.ExecContext(t.Context(), query); err != nil {
						t.Fatalf("step %d: %v", s.ID, err)
					}
				}
				ok(t, tx.Commit())
				if i+2 == len(steps) {
					refused("one step too early", "of migration "+strconv.Itoa(s.ID), "needs "+last)
				}
			}
			s, err := open()
			ok(t, err)
			users, err := roster.New(s, nil)
			ok(t, err)
			ok(t, users.Create(t.Context(), &roster.User{Name: "ann"}))
			exec("INSERT INTO roster_migrations (id, name) VALUES (1000, 'later')")
			refused("of a later version", "of migration 1000", "knows only "+last)
			exec("DELETE FROM roster_migrations WHERE id IN (1000, 2)")
			refused("with a step left out", "of "+last+" migrations only "+strconv.Itoa(len(steps)-1))
		})
	}
}

// gooseStatements reads a file as goose does: annotations are lines of their own,
// statements that are not between two of them end with a semicolon.
func gooseStatements(t testing.TB, s Step) (all []string) {
	t.Helper()
	up, within := false, false
	var statement strings.Builder
	for line := range strings.Lines(s.Goose) {
		switch text := strings.TrimRight(line, "\n"); {
		case strings.EqualFold(text, "-- +goose Up"):
			up = true
		case strings.EqualFold(text, "-- +goose StatementBegin"):
			within = true
		case strings.EqualFold(text, "-- +goose StatementEnd"):
			all, within = append(all, statement.String()), false
			statement.Reset()
		case strings.HasPrefix(text, "-- +goose"):
			t.Fatalf("what does %q mean?", text)
		case within:
			statement.WriteString(line)
		case !up || text != "":
			t.Fatalf("goose reads %q as SQL", text)
		}
	}
	if within || len(all) == 0 {
		t.Fatal("no statements, or one without an end")
	}
	return all
}

// atlasStatements reads a file as Atlas does: the first line may say what stands
// between statements.
func atlasStatements(t testing.TB, s Step) (all []string) {
	t.Helper()
	first, rest, _ := strings.Cut(s.Atlas, "\n")
	delimiter, ok := strings.CutPrefix(first, "-- atlas:delimiter ")
	if !ok {
		t.Fatalf("%q does not say what ends a statement", first)
	}
	for _, statement := range strings.Split(rest, delimiter) {
		if strings.TrimSpace(statement) != "" {
			all = append(all, statement)
		}
	}
	if len(all) != 1 {
		t.Fatalf("%d statements, want the whole step to be one", len(all))
	}
	return all
}
