package readme_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestGuidesLink finds links of the guides that lead nowhere in this tree, and
// pages that the index does not have.
func TestGuidesLink(t *testing.T) {
	all := pages(t)
	if len(all) < 2 {
		t.Fatal("no pages beside the index")
	}
	index := make(map[string]bool)
	for name, text := range all {
		for _, m := range link.FindAllStringSubmatch(prose(text), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			if target == "" {
				target = name
			}
			index[path.Clean(target)] = index[path.Clean(target)] || name == "README.md"
			if _, err := os.Stat(filepath.Join(root, "docs", target)); err != nil {
				t.Errorf("%s: a dead link to %s", name, m[1])
			} else if anchor != "" && !anchors(read(t, filepath.Join("docs", target)))[anchor] {
				t.Errorf("%s: %s has no heading #%s", name, target, anchor)
			}
		}
	}
	for name := range all {
		if name != "README.md" && !index[name] {
			t.Errorf("docs/README.md has no link to %s", name)
		}
	}
}

// prose is a page without its blocks.
func prose(markdown string) string {
	return regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(markdown, "")
}

// anchors are the headings of a page as links name them.
func anchors(markdown string) map[string]bool {
	all := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(prose(markdown), -1) {
		all[strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, m[1])] = true
	}
	return all
}

// TestGuidesName holds names in the text of the guides, such as Users.Edit,
// users.Edit, Options.Now or sqlite.Open, to the code.
func TestGuidesName(t *testing.T) {
	exported := make(map[string]bool)
	owners := map[string]string{"users": "Users", "outbox": "Outbox", "env": "Env", "session": "Session"}
	for name, p := range known {
		if dir, ok := strings.CutPrefix(p, module); ok {
			for _, n := range exportedIn(t, filepath.Join(root, dir)) {
				owner, _, isMember := strings.Cut(n, ".")
				exported[n] = isMember || exported[n]
				exported[name+"."+n] = true
				exported[owner] = true
			}
			owners[name] = name
		}
	}
	checked := 0
	for page, text := range pages(t) {
		for _, m := range regexp.MustCompile("`([A-Za-z]+)\\.([A-Z]\\w*)(?:\\.([A-Z]\\w*))?[^`]*`").FindAllStringSubmatch(prose(text), -1) {
			owner := m[1]
			if o := owners[owner]; o != "" {
				owner = o
			} else if !exported[owner] {
				continue // of somebody else
			}
			if m[3] != "" && owners[owner] == owner { // roster.Options.Now
				owner, m[2] = m[2], m[3]
			}
			checked++
			if !exported[owner+"."+m[2]] && (owner != "Env" || !exported["Users."+m[2]]) {
				t.Errorf("%s: there is no %s.%s", page, owner, m[2])
			}
		}
	}
	if checked == 0 {
		t.Error("no name found")
	}
}

// exportedIn lists what a package exports: Name for all at the top, Type.Name
// for methods and fields.
func exportedIn(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, p := range paths {
		if strings.HasSuffix(p, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, p, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	var all []string
	for _, file := range files {
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				all = append(all, receiver(d)+d.Name.Name)
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					all = append(all, declared(spec)...)
				}
			}
		}
	}
	return all
}

func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	e := f.Recv.List[0].Type
	if s, ok := e.(*ast.StarExpr); ok {
		e = s.X
	}
	if i, ok := e.(*ast.IndexExpr); ok {
		e = i.X
	}
	if id, ok := e.(*ast.Ident); ok {
		return id.Name + "."
	}
	return "."
}

func declared(spec ast.Spec) []string {
	var all []string
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, id := range spec.Names {
			all = append(all, id.Name)
		}
	case *ast.TypeSpec:
		all = append(all, spec.Name.Name)
		var fields *ast.FieldList
		switch of := spec.Type.(type) {
		case *ast.StructType:
			fields = of.Fields
		case *ast.InterfaceType:
			fields = of.Methods
		default:
			return all
		}
		for _, f := range fields.List {
			if sel, ok := embedded(f).(*ast.SelectorExpr); ok {
				all = append(all, spec.Name.Name+"."+sel.Sel.Name)
			}
			for _, id := range f.Names {
				all = append(all, spec.Name.Name+"."+id.Name)
			}
		}
	}
	return all
}

// embedded is the type of a field without a name, nil of any other.
func embedded(f *ast.Field) ast.Expr {
	if star, ok := f.Type.(*ast.StarExpr); ok && len(f.Names) == 0 {
		return star.X
	}
	return nil
}
