package guest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-roster/roster/internal/pgtest"
)

const module = "github.com/go-roster/roster"

// guest is a module in a directory of its own, which finds roster by a replace
// line and everything else where it was downloaded to.
func guest(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	check(t, err)
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	check(t, err)
	dir = t.TempDir()
	files["go.sum"] = string(sums)
	files["go.mod"] = fmt.Sprintf("module example.org/guest\n\ngo 1.26.0\n\nrequire %s v0.0.0\n\nreplace %[1]s => %s\n", module, root)
	for name, text := range files {
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run runs the go command in the module, without a network.
func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod -buildvcs=false", "GOPROXY=off", "GOWORK=off")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("go %s: %v\n%s%s", strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.String()
}

// Who imports the root alone compiles little, and no database.
func TestRootIsLight(t *testing.T) {
	dir := guest(t, map[string]string{"main.go": `package main

import (
	"fmt"

	"github.com/go-roster/roster"
)

// Subscriber is the guest's own type of users.
type Subscriber struct {
	roster.User
	Plan string
}

func main() {
	var _ roster.Model = new(Subscriber)
	_, err := roster.New(nil, nil)
	fmt.Println(err)
}
`})
	if out := run(t, dir, "run", "."); !strings.Contains(out, "store is nil") {
		t.Errorf("it says %q", out)
	}
	modules := strings.Fields(run(t, dir, "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "."))
	slices.Sort(modules)
	modules = slices.DeleteFunc(slices.Compact(modules), func(m string) bool { return m == module || m == "example.org/guest" })
	t.Logf("compiles %s", strings.Join(modules, ", "))
	if len(modules) > 13 || len(modules) == 0 {
		t.Errorf("%d modules", len(modules))
	}
	packages := strings.Fields(run(t, dir, "list", "-deps", "."))
	for _, heavy := range []string{"database/sql", "github.com/uptrace/bun", "github.com/jackc/pgx", "modernc.org/sqlite", "github.com/tidwall/btree", "net/http", "net/smtp"} {
		if i := slices.IndexFunc(packages, func(p string) bool { return p == heavy || strings.HasPrefix(p, heavy+"/") && heavy != "database/sql" }); i >= 0 {
			t.Errorf("compiles %s", packages[i])
		}
	}
}

// A guest's own type passes the suite on every store, in the guest's module.
func TestOwnTypePassesStoretest(t *testing.T) {
	stores := "memory|sqlite"
	if os.Getenv(pgtest.Env) != "" {
		stores += "|postgres"
	}
	dir := guest(t, map[string]string{"guest_test.go": guestTest})
	args := []string{"test", "-count=1", "-parallel=8", "-run", "TestStore/(" + stores + ")", "."}
	if raced { // what is compiled for the other tests is good for this one
		args = slices.Insert(args, 1, "-race")
	}
	t.Log(run(t, dir, args...))
}

const guestTest = `package guest

import (
	"crypto/rand"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/memory"
	"github.com/go-roster/roster/store/postgres"
	"github.com/go-roster/roster/store/sqlite"
	"github.com/go-roster/roster/store/storetest"
)

type Subscriber struct {
	roster.User
	Plan      string     ` + "`bun:\"plan,notnull,default:'free'\"`" + `
	PaidUntil *time.Time ` + "`bun:\"paid_until\"`" + `
	Tags      []string   ` + "`bun:\"tags\"`" + `
}

type Team struct {
	*roster.Group
	Color string ` + "`bun:\"color,notnull,default:'blue'\"`" + `
	Code  *int64 ` + "`bun:\"code,unique\"`" + `
}

func fill(n int) *Subscriber {
	until := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC).AddDate(0, 0, n)
	return &Subscriber{Plan: fmt.Sprint("plan ", n), PaidUntil: &until, Tags: []string{"a", fmt.Sprint(n)}}
}

func fillTeam(n int) *Team { return &Team{Group: new(roster.Group), Color: fmt.Sprint("color ", n)} }

func TestStore(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		storetest.RunGroupModel(t, func(*testing.T) roster.Store { return memory.New(memory.GroupModel[Team]()) }, fillTeam)
		storetest.RunModel(t, func(*testing.T) roster.Store { return memory.New(memory.Model[Subscriber]()) }, fill)
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		storetest.RunModel(t, func(t *testing.T) roster.Store {
			s, err := sqlite.Open(t.Context(), ":memory:", sqlite.Model[Subscriber]())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return s
		}, fill)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		storetest.RunModel(t, func(t *testing.T) roster.Store {
			prefix := "guest_" + fmt.Sprintf("%x_", rand.Text()[:8])
			s, err := postgres.Open(t.Context(), os.Getenv("ROSTER_TEST_POSTGRES"), postgres.Prefix(prefix), postgres.Model[Subscriber]())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return s
		}, fill)
	})
}
`
