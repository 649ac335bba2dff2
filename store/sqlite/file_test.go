package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/sqlite"
)

// The file holds password hashes, and so do those that SQLite puts beside it.
func TestNewFileIsForItsOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	users, err := roster.New(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := users.Create(t.Context(), &roster.User{Name: "ann"}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v: want the database and its log", files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s", filepath.Base(file), info.Mode())
		}
	}
}
