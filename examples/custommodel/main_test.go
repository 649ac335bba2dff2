package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/sqlite"
)

func Example() {
	if err := run(context.Background(), os.Stdout, ":memory:"); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Ann Example: team, 3 seats, bills to Exampleton
	// Hello ben: free
	// ben may use the archive: false
	// pro: ben may use the archive: true
	// team: ann may use the archive: true
	// edit user 1: roster: conflict: number
	// Chess is founded, group 1
	// ann is in Chess, room 7, white
	// create group: roster: conflict: room
}

// A site that had plain users becomes one of members, and those keep what they
// have.
func TestOldSite(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "site.db")
	store, err := sqlite.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	users, err := roster.New(store, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := users.Create(ctx, &roster.User{Name: "old"}); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	var out strings.Builder
	if err := run(ctx, &out, path); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "free: old may use the archive: false\n") {
		t.Errorf("it says\n%s", &out)
	}
}
