package readme_test

import (
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// packageDoc parses the documentation of package roster.
func packageDoc(t *testing.T) *comment.Doc {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(fset, path, source, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	p, err := doc.NewFromFiles(fset, files, "github.com/go-roster/roster")
	if err != nil {
		t.Fatal(err)
	}
	return p.Parser().Parse(p.Doc)
}

// fragments is the world in which the code of the documentation makes sense.
const fragments = `package fragments

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer"
	"github.com/go-roster/roster/password"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/sqlite"
)

const plan = roster.Field[string]("plan")

var (
	ctx            context.Context
	t              *testing.T
	users          *roster.Users
	store          roster.Store
	ann, ben       *roster.User
	addr           netip.Addr
	code, cookie   string
	key            roster.Secret
	secret         roster.Secret
	old            struct { Name, Email, Hash string; Since time.Time }
	err            error
	form           interface{ Mark(field, what string) }
)

func deliver(context.Context, roster.Mail) {}

var _ = []any{errors.Is, fmt.Println, time.Hour, rostertest.New, sqlite.Open, mailer.New, password.Import}
`

// TestDocCompiles compiles every piece of code in the package documentation.
func TestDocCompiles(t *testing.T) {
	source := fragments
	for _, block := range packageDoc(t).Content {
		if code, ok := block.(*comment.Code); ok {
			source += "\nfunc _(" + variables(code.Text) + ") error {\n{\n" + code.Text + "}\nreturn nil\n}\n"
		}
	}
	out, _ := goTool(t, "fragments.go", source, "build", "-gcflags=-e")
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "#") && !strings.Contains(line, "declared and not used") {
			t.Errorf("%s", line)
		}
	}
	if t.Failed() {
		t.Logf("the source:\n%s", source)
	}
}

// variables declares what is a variable in a piece of code, but a package in another.
func variables(code string) string {
	var vars []string
	for name, kind := range map[string]string{"mailer": "roster.Mailer", "password": "string"} {
		if !strings.Contains(code, name+".") {
			vars = append(vars, name+" "+kind)
		}
	}
	return strings.Join(vars, ", ")
}

// TestDocLinks finds names in brackets that link to nothing.
func TestDocLinks(t *testing.T) {
	name := regexp.MustCompile(`\[\*?([A-Z]|[a-z]+\.)[A-Za-z.]*\]`)
	for _, block := range packageDoc(t).Content {
		paragraph, ok := block.(*comment.Paragraph)
		if !ok {
			continue
		}
		for _, text := range paragraph.Text {
			if plain, ok := text.(comment.Plain); ok && name.MatchString(string(plain)) {
				t.Errorf("%s is no link", name.FindString(string(plain)))
			}
		}
	}
}
