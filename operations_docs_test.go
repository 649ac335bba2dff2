package roster_test

import (
	"bytes"
	"cmp"
	commandline "flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-roster/roster"
)

var update = commandline.Bool("update", false, "write the table of docs/permissions.md instead of comparing it")

// The documentation has the table as it is.
func TestOperationsAreDocumented(t *testing.T) {
	const file, heading = "docs/permissions.md", "## The verbs\n\n"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text, _, ok := strings.Cut(string(page), heading)
	if !ok {
		t.Fatalf("%s has no heading %q", file, heading)
	}
	want := []byte(text + heading + printOperations())
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(page, want) {
		t.Errorf("%s does not have the table of operations.go: go test . -run TestOperationsAreDocumented -update", file)
	}
}

// printOperations is the table in Markdown.
func printOperations() string {
	var b strings.Builder
	verbs := map[roster.Access][]string{}
	fmt.Fprint(&b, "| verb | level | permission | for a privileged target | held | on oneself | never |\n|---|---|---|---|---|---|---|\n")
	for _, op := range roster.Operations() {
		if op.Access != roster.AccessRight {
			verbs[op.Access] = append(verbs[op.Access], "`"+op.Verb+"`")
			continue
		}
		var never []string
		if op.Care.Has(roster.CareTakeover) {
			never = append(never, "onto who holds more")
		}
		if op.Care.Has(roster.CareHeld) {
			never = append(never, "what they do not hold")
		}
		if op.Care.Has(roster.CareDirect) {
			never = append(never, "while acting as another")
		}
		privileged := code(op.Privileged)
		if op.Privileged == op.Permission {
			privileged = "the same"
		}
		held := map[roster.Mode]string{roster.GlobalOnly: "globally", roster.ScopeOnly: "in the scope", roster.Either: "globally or in the scope"}[op.Mode]
		if op.Permission == "" {
			privileged, held = "", ""
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s |\n", op.Verb, op.Level, cmp.Or(code(op.Permission), "none"), privileged, held,
			map[roster.Self]string{roster.SelfAsked: "the same", roster.SelfFree: "free", roster.SelfEdit: "free unless `FlagReadOnly`"}[op.Self],
			strings.Join(never, ", "))
	}
	fmt.Fprintf(&b, "\nWhere the permission is \"none\", nobody may but oneself.\n")
	for _, list := range []struct {
		access roster.Access
		text   string
	}{
		{roster.AccessAny, "These take no permission, but an actor; the code, token or password that comes with the call decides:"},
		{roster.AccessProgram, "These are for the program alone, and refused to every actor:"},
		{roster.AccessFree, "These look at no account, and ask nothing:"},
	} {
		fmt.Fprintf(&b, "\n%s\n%s.\n", list.text, strings.Join(verbs[list.access], ", "))
	}
	return b.String()
}

func code(p roster.Permission) string {
	if p == "" {
		return ""
	}
	return "`" + string(p) + "`"
}
