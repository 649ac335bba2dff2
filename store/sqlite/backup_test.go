package sqlite_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// What docs/operating.md says of a backup: VACUUM INTO, by another connection and
// beside a writer, makes a whole and consistent copy, which opens as it is.
func TestBackup(t *testing.T) {
	dir := t.TempDir()
	path, copied := filepath.Join(dir, "app.db"), filepath.Join(dir, "backup.db")
	env := rostertest.NewOn(t, open(t, path))
	for range 20 {
		env.MustUser(t)
	}
	var writer sync.WaitGroup
	stop := make(chan struct{})
	writer.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				env.MustUser(t)
			}
		}
	})
	_, err := raw(t, path).ExecContext(t.Context(), fmt.Sprintf("VACUUM INTO '%s'", copied))
	close(stop)
	writer.Wait()
	if err != nil {
		t.Fatal(err)
	}
	restored := rostertest.NewOn(t, open(t, copied))
	problems, err := restored.Check(t.Context())
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	if n, err := restored.Count(t.Context(), roster.Query{}); err != nil || n < 20 {
		t.Errorf("%d users, %v", n, err)
	}
	if page, err := restored.Search(t.Context(), roster.Query{Pattern: "ser-2"}); err != nil || len(page.Items) == 0 {
		t.Errorf("nobody is found in the copy: %v", err)
	}
	if _, err := restored.Authenticate(t.Context(), "user-7@example.org", rostertest.Password); err != nil {
		t.Error(err)
	}
}
