package house_test

import (
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Every package says what it is for.
func TestPackagesAreDocumented(t *testing.T) {
	said := make(map[string]bool)
	for _, f := range allSources(t) {
		said[f.dir()] = said[f.dir()] || f.Doc.Text() != ""
	}
	for _, dir := range slices.Sorted(maps.Keys(said)) {
		if !said[dir] {
			t.Errorf("package %q has no comment", dir)
		}
	}
}

// Every name that another module can use is documented: functions, methods,
// types, constants, variables, the methods of interfaces and all options. The
// field of another struct may speak for itself, and so may Error and String.
func TestNamesAreDocumented(t *testing.T) {
	for _, f := range allSources(t) {
		if f.Name.Name == "main" || internal(f.dir()) {
			continue
		}
		for _, decl := range f.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Name.IsExported() && decl.Doc.Text() == "" && !speaksForItself(decl) {
					t.Errorf("%s: func %s has no comment", position(decl), decl.Name.Name)
				}
			case *ast.GenDecl:
				checkGroup(t, decl)
			}
		}
	}
}

// speaksForItself reports whether a function needs no comment: it is Error or
// String, or a method of a type that is not exported.
func speaksForItself(fn *ast.FuncDecl) bool {
	if fn.Recv == nil {
		return false
	}
	if fn.Name.Name == "Error" || fn.Name.Name == "String" {
		return true
	}
	receiver := fn.Recv.List[0].Type
	for {
		switch r := receiver.(type) {
		case *ast.StarExpr:
			receiver = r.X
		case *ast.IndexExpr: // of a generic type
			receiver = r.X
		case *ast.IndexListExpr:
			receiver = r.X
		case *ast.Ident:
			return !r.IsExported()
		default:
			return false
		}
	}
}

// checkGroup looks at a declaration of types, constants or variables. The
// comment above a group in parentheses stands for the constants and variables
// in it.
func checkGroup(t *testing.T, decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if !spec.Name.IsExported() {
				continue
			}
			doc := spec.Doc.Text()
			if doc == "" && !decl.Lparen.IsValid() {
				doc = decl.Doc.Text()
			}
			if doc == "" {
				t.Errorf("%s: type %s has no comment", position(spec), spec.Name.Name)
			}
			switch kind := spec.Type.(type) {
			case *ast.StructType:
				if strings.HasSuffix(spec.Name.Name, "Options") {
					checkFields(t, spec.Name.Name, kind.Fields)
				}
			case *ast.InterfaceType:
				if kind.Methods.NumFields() > 1 { // the comment of the type is about the only one
					checkFields(t, spec.Name.Name, kind.Methods)
				}
			}
		case *ast.ValueSpec:
			if decl.Doc.Text()+spec.Doc.Text()+spec.Comment.Text() != "" {
				continue
			}
			for _, name := range spec.Names {
				if name.IsExported() {
					t.Errorf("%s: %s %s has no comment", position(name), decl.Tok, name.Name)
				}
			}
		}
	}
}

// checkFields looks at the fields of a struct or the methods of an interface.
// One comment may stand for several lines, right below it, that it names.
func checkFields(t *testing.T, typ string, fields *ast.FieldList) {
	group, last := "", 0
	for _, field := range fields.List {
		if field.Doc != nil || line(field.Pos()) != last+1 {
			group = field.Doc.Text()
		}
		last = line(field.End())
		for _, name := range field.Names {
			named := strings.Contains(group, name.Name)
			if name.IsExported() && !named && field.Doc.Text()+field.Comment.Text() == "" {
				t.Errorf("%s: %s.%s has no comment", position(name), typ, name.Name)
			}
		}
	}
}

func line(pos token.Pos) int { return fset.Position(pos).Line }
