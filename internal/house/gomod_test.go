package house_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

type goMod struct {
	Go      string
	Require []struct{ Path, Version string }
	Replace []any
	Exclude []any
	Tool    []any
}

func readMod(t *testing.T, file string) goMod {
	t.Helper()
	out, err := goTool("mod", "edit", "-json", file)
	if err != nil {
		t.Fatal(err)
	}
	var mod goMod
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	return mod
}

func (m goMod) version(path string) string {
	for _, r := range m.Require {
		if r.Path == path {
			return r.Version
		}
	}
	return ""
}

// Older ones have holes: the floors are those of the advisories, and bun before
// 1.3.0 can be made to run what stands in a comment.
func TestVersionFloors(t *testing.T) {
	mod := readMod(t, "go.mod")
	for path, floor := range map[string]string{
		"golang.org/x/text":                            "v0.39.0",
		"github.com/jackc/pgx/v5":                      "v5.9.2",
		"github.com/uptrace/bun":                       "v1.3.0",
		"github.com/uptrace/bun/dialect/pgdialect":     "v1.3.0",
		"github.com/uptrace/bun/dialect/sqlitedialect": "v1.3.0",
		"github.com/go-ldap/ldap/v3":                   "v3.4.15",
		"github.com/wneessen/go-mail":                  "v0.7.1",
	} {
		got := mod.version(path)
		if got == "" {
			continue
		}
		if number(t, got) < number(t, floor) {
			t.Errorf("%s is %s, and must be at least %s", path, got, floor)
		}
	}
	// The standard library has holes too. Who builds with an older Go is told so
	// by it, or it fetches the newer one.
	const goFloor = "1.26.6"
	for _, file := range []string{"go.mod", "tools.mod", ".ci/golangci-lint.mod"} {
		if got := readMod(t, file).Go; number(t, "v"+got) < number(t, "v"+goFloor) {
			t.Errorf("%s says go %s, and must say at least %s", file, got, goFloor)
		}
	}
	if mod.version("golang.org/x/text") == "" {
		t.Error("go.mod does not even require golang.org/x/text: has it been read?")
	}
}

// number makes a version comparable: v1.22.333 is 1022333.
func number(t *testing.T, version string) int {
	t.Helper()
	var major, minor, patch int
	if _, err := fmt.Sscanf(version, "v%d.%d.%d", &major, &minor, &patch); err != nil {
		t.Fatalf("%q: %v", version, err)
	}
	return (major*1000+minor)*1000 + patch
}

// What replaces or excludes here does so nowhere else, and what tools require
// would weigh on every program that requires roster: they have tools.mod.
func TestModIsPlain(t *testing.T) {
	mod := readMod(t, "go.mod")
	if n := len(mod.Replace) + len(mod.Exclude) + len(mod.Tool); n > 0 {
		t.Errorf("go.mod has %d replace, exclude or tool directives", n)
	}
}

// The dialects of bun are released together, and SQLite is translated for one
// version of its C library.
func TestVersionsFit(t *testing.T) {
	mod := readMod(t, "go.mod")
	want := mod.version("github.com/uptrace/bun")
	for _, r := range mod.Require {
		if strings.HasPrefix(r.Path, "github.com/uptrace/bun/") && r.Version != want {
			t.Errorf("%s is %s, and bun is %s", r.Path, r.Version, want)
		}
	}
	if mod.version("modernc.org/sqlite") == "" {
		return
	}
	file, err := goTool("list", "-m", "-f", "{{.GoMod}}", "modernc.org/sqlite")
	if err != nil {
		t.Fatal(err)
	}
	const libc = "modernc.org/libc"
	theirs := readMod(t, string(bytes.TrimSpace(file))).version(libc)
	if got := mod.version(libc); got != theirs {
		t.Errorf("%s is %s, and modernc.org/sqlite was made for %s", libc, got, theirs)
	}
}
