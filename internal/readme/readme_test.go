// Package readme_test holds the README and the package documentation to the
// code: what they show compiles, runs and is what the examples show.
package readme_test

import (
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// blocks returns the Go blocks of a Markdown text.
func blocks(t *testing.T, markdown string) []string {
	t.Helper()
	var found []string
	for _, m := range regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(markdown, -1) {
		found = append(found, m[1])
	}
	if len(found) == 0 {
		t.Fatal("no Go block found")
	}
	return found
}

// goTool runs the go command in the root of the module on one file with this
// source.
func goTool(t *testing.T, file, source string, args ...string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), file)
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", append(args, path)...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestBlocksRun runs every program and every test that the README shows.
func TestBlocksRun(t *testing.T) {
	for _, source := range blocks(t, read(t, "README.md")) {
		formatted, err := format.Source([]byte(source))
		if err != nil {
			t.Errorf("%v in\n%s", err, source)
			continue
		}
		if string(formatted) != source {
			t.Errorf("gofmt would change\n%s", source)
		}
		if strings.HasPrefix(source, "package main\n") {
			if out, err := goTool(t, "main.go", source, "run"); err != nil {
				t.Errorf("go run: %v\n%s", err, out)
			} else if want := exampleOutput(t) + "\n"; out != want {
				t.Errorf("the program prints %q, the example says %q", out, want)
			}
			continue
		}
		if out, err := goTool(t, "app_test.go", source, "test"); err != nil || !strings.HasPrefix(out, "ok") {
			t.Errorf("go test: %v\n%s", err, out)
		}
	}
}

// TestProgramIsExample compares the README's program with Example.
func TestProgramIsExample(t *testing.T) {
	program := body(t, blocks(t, read(t, "README.md"))[0], "main")
	example, _, _ := strings.Cut(body(t, read(t, "example_test.go"), "Example"), "// Output:")
	if got, want := strings.TrimSpace(program), strings.TrimSpace(example); got != want {
		t.Errorf("the README shows\n%s\nand Example is\n%s", got, want)
	}
}

func exampleOutput(t *testing.T) string {
	t.Helper()
	_, output, ok := strings.Cut(body(t, read(t, "example_test.go"), "Example"), "// Output:")
	if !ok {
		t.Fatal("Example has no Output")
	}
	return strings.TrimSpace(output)
}

// body returns what stands between the braces of a function.
func body(t *testing.T, source, function string) string {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == function {
			return source[fset.Position(f.Body.Lbrace).Offset+1 : fset.Position(f.Body.Rbrace).Offset]
		}
	}
	t.Fatalf("no function %s", function)
	return ""
}

// TestShape keeps the README short and its links alive.
func TestShape(t *testing.T) {
	text := read(t, "README.md")
	if n := strings.Count(text, "\n"); n >= 200 {
		t.Errorf("%d lines, want fewer than 200", n)
	}
	for _, m := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
			t.Errorf("dead link: %v", err)
		}
	}
}
