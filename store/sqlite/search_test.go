package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"
)

// The index that a search asks has the texts of the users and no other: nothing
// of somebody who was purged stays in it.
func TestSearchIndexForgets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	s := open(t, path)
	db := raw(t, path)
	check := func(what, pattern string, want int) {
		t.Helper()
		if _, err := db.Exec("INSERT INTO roster_users_search (roster_users_search, rank) VALUES ('integrity-check', 1)"); err != nil {
			t.Errorf("%s: the index does not have what the users have: %v", what, err)
		}
		var n int
		if err := db.QueryRow("SELECT count(*) FROM roster_users_search WHERE roster_users_search MATCH $1", pattern).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n != want {
			t.Errorf("%s: the index has %q %d times, want %d", what, pattern, n, want)
		}
	}
	ann, ben := insert(t, s, 1), insert(t, s, 2)
	for what, err := range map[string]error{
		"the first text": s.UpdateUser(t.Context(), ann, "xyzzy"),
		"the other text": s.UpdateUser(t.Context(), ben, "plugh"),
	} {
		if err != nil {
			t.Fatal(what, err)
		}
	}
	check("written", `"xyz"`, 1)
	if err := s.UpdateUser(t.Context(), ann, "quux"); err != nil {
		t.Fatal(err)
	}
	check("changed", `"xyz"`, 0)
	if err := s.RecordLogin(t.Context(), ann.ID, time.Now(), "::1"); err != nil {
		t.Fatal(err)
	}
	if err := s.PurgeUser(t.Context(), ann.ID); err != nil {
		t.Fatal(err)
	}
	check("purged", `"quu"`, 0)
	check("somebody else", `"plu"`, 1)
}
