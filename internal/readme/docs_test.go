package readme_test

import (
	"errors"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// world is what every block of the guides may use without saying so. A page has
// more in a comment of its own, which nobody sees who reads it:
//
//	<!-- go
//	var orders *bun.DB
//	-->
//
// A block that begins with "package" is a whole file, and shares nothing with
// the page; those of a package *_test are run, too. Any other block is a piece of the page: declarations
// are seen by the whole page, statements are the body of a function that returns
// an error (or nothing, if it returns nothing). The packages in known need no import.
const world = `
var (
	ctx        context.Context
	t          *testing.T
	users      *roster.Users
	store      roster.Store
	ann, ben   *roster.User
	session    *roster.Session
	addr       netip.Addr
	code       string
	dsn        string
	key        roster.Secret
	pepper     []byte
	err        error
	w          http.ResponseWriter
	r          *http.Request
	db         *sql.DB
	logger     *slog.Logger
)
`

// known are the packages that blocks use by their names.
var known = names(
	"bytes", "cmp", "context", "crypto/tls", "crypto/x509", "database/sql", "embed", "encoding/csv", "encoding/json", "errors", "fmt", "html", "html/template", "io", "io/fs",
	"iter", "log", "log/slog", "maps", "math/rand/v2", "net", "net/http", "net/http/httptest", "net/netip", "net/url", "os", "os/signal", "path/filepath",
	"slices", "strconv", "strings", "sync", "syscall", "testing", "testing/synctest", "time",
	"github.com/google/uuid", "golang.org/x/text/language", "github.com/uptrace/bun", "github.com/jackc/pgx/v5", "github.com/jackc/pgx/v5/pgxpool", "github.com/jackc/pgx/v5/stdlib",
	module, module+"/ldapauth", module+"/mailer", module+"/mailer/mailertest", module+"/password", module+"/rostertest", module+"/rostertest/dbtest", module+"/sessioncookie", module+"/socials",
	module+"/store/memory", module+"/store/postgres", module+"/store/sqlite", module+"/store/storetest",
)

const module = "github.com/go-roster/roster"

// names maps the last part of a path that is no version to the path.
func names(paths ...string) map[string]string {
	all := make(map[string]string)
	for _, p := range paths {
		name := path.Base(p)
		if regexp.MustCompile(`^v\d+$`).MatchString(name) {
			name = path.Base(path.Dir(p))
		}
		all[name] = p
	}
	return all
}

// pages returns the guides by their names in docs.
func pages(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no guides:", err)
	}
	all := make(map[string]string)
	for _, p := range paths {
		all[filepath.Base(p)] = read(t, filepath.Join("docs", filepath.Base(p)))
	}
	return all
}

// TestGuidesCompile vets every Go block of the guides, and runs the tests among
// them, in a module that only requires this one.
func TestGuidesCompile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	mod := strings.Replace(read(t, "go.mod"), "module "+module+"\n", "module guides\n", 1)
	write("go.mod", mod+"\nrequire "+module+" v0.0.0\n\nreplace "+module+" => "+strconv.Quote(here)+"\n")
	write("go.sum", read(t, "go.sum"))

	var tests []string
	for name, text := range pages(t) {
		pkg, pieces := strings.TrimSuffix(name, ".md"), false
		for _, b := range goBlocks(t, name, text) {
			file := pkg + "/line" + strconv.Itoa(b.line)
			switch whole := regexp.MustCompile(`(?m)^package (\w+)$`).FindStringSubmatch(b.text); {
			case whole == nil:
				write(file+".go", piece(t, name, b))
				pieces = true
			case strings.HasSuffix(whole[1], "_test"):
				write(file+"/guide_test.go", b.text)
				tests = append(tests, "./"+file)
			default:
				write(file+"/guide.go", b.text)
			}
		}
		if pieces {
			source := world
			for _, m := range regexp.MustCompile(`(?ms)^<!-- go\n(.*?)^-->$`).FindAllStringSubmatch(text, -1) {
				source += m[1]
			}
			write(pkg+"/world.go", piece(t, name, block{text: source}))
		}
	}
	if t.Failed() {
		return
	}
	for _, args := range [][]string{{"vet", "./..."}, append([]string{"test"}, tests...)} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil || len(args) < 2 {
			t.Errorf("go %s: %v\n%s", args[0], err, out)
		}
	}
}

// block is a Go block of a page, and the line it begins at.
type block struct {
	text string
	line int
}

// goBlocks finds the blocks of a page, which are written as gofmt would.
func goBlocks(t *testing.T, page, text string) []block {
	t.Helper()
	var found []block
	for _, m := range regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatchIndex(text, -1) {
		b := block{text[m[2]:m[3]], 1 + strings.Count(text[:m[2]], "\n")}
		if formatted, err := format.Source([]byte(b.text)); err != nil {
			t.Errorf("%s:%d: %v", page, b.line, err)
		} else if string(formatted) != b.text {
			t.Errorf("%s:%d: gofmt would write\n%s", page, b.line, formatted)
		}
		found = append(found, b)
	}
	if n := len(regexp.MustCompile("(?m)^[ \t>]*(```|~~~+) *[Gg]o").FindAllString(text, -1)); n != len(found) {
		t.Errorf("%s: of %d Go blocks only %d can be read: begin and end each at the margin, by ```go and ```", page, n, len(found))
	}
	return found
}

// piece makes a file of a block, with its imports and whatever else the compiler
// wants of it. Mistakes are reported where they are in the page.
func piece(t *testing.T, page string, b block) string {
	t.Helper()
	const head = "package guide\n"
	parse := func(source string) (*ast.File, error) {
		return parser.ParseFile(token.NewFileSet(), "", source, 0)
	}
	source := b.text
	file, err := parse(head + source)
	if err != nil {
		const open = "func _() {\n"
		if file, err = parse(head + open + source + "}\n"); err != nil {
			t.Errorf("%s:%d: neither declarations nor statements: %v", page, b.line, err)
			return head
		}
		body := file.Decls[0].(*ast.FuncDecl).Body
		source = function(body, source, 1+len(head+open))
		b.line--
	}
	var imports string
	for _, name := range imported(file) {
		imports += "import " + name + " " + strconv.Quote(known[name]) + "\n"
	}
	return head + imports + "//line " + page + ":" + strconv.Itoa(max(1, b.line)) + "\n" + source
}

// imported are the packages that a file names without importing them.
func imported(file *ast.File) []string {
	all := make(map[string]bool)
	for _, id := range file.Unresolved {
		all[id.Name] = known[id.Name] != ""
	}
	for _, spec := range file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		delete(all, path.Base(p))
	}
	maps.DeleteFunc(all, func(_ string, is bool) bool { return !is })
	return slices.Sorted(maps.Keys(all))
}

// function is the statements of a block as the body of a function, which uses
// all its variables and ends. It begins at the offset begin of its source.
func function(body *ast.BlockStmt, text string, begin int) string {
	results, uses, end := " error", "", "return nil\n"
	ast.Inspect(body, func(n ast.Node) bool {
		if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) == 0 {
			results, end = "", ""
		}
		_, closure := n.(*ast.FuncLit)
		return !closure
	})
	use := func(e ast.Expr) {
		if id, ok := e.(*ast.Ident); ok && id.Name != "_" {
			uses += "_ = &" + id.Name + "\n"
		}
	}
	at := len(text)
	for i, s := range body.List {
		switch s := s.(type) {
		case *ast.AssignStmt:
			for _, left := range s.Lhs {
				if s.Tok == token.DEFINE {
					use(left)
				}
			}
		case *ast.DeclStmt:
			for _, spec := range s.Decl.(*ast.GenDecl).Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					for _, id := range v.Names {
						use(id)
					}
				}
			}
		case *ast.ReturnStmt:
			if i == len(body.List)-1 {
				at, end = int(s.Pos())-begin, ""
			}
		}
	}
	return "func _()" + results + " {\n" + text[:at] + uses + text[at:] + end + "}\n"
}
