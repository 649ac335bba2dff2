package house_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/go-roster/roster"
)

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Name       string
	Imports    []string // of what is not a test
	Deps       []string
}

// path is relative to the module: "" is the root.
func (p pkg) path() string { return relative(p.ImportPath) }

// relative takes the module's path off. What is not of the module stays.
func relative(importPath string) string {
	if importPath == module {
		return ""
	}
	return strings.TrimPrefix(importPath, module+"/")
}

// ours reports whether an import path is of this module.
func ours(importPath string) bool { return within(importPath, module) }

// within reports whether a path is the other or lies below it.
func within(path, other string) bool {
	return path == other || other != "" && strings.HasPrefix(path, other+"/")
}

// withinAny is within for any of the others.
func withinAny(path string, others []string) bool {
	return slices.ContainsFunc(others, func(other string) bool { return within(path, other) })
}

// support is what exists for tests, though not in files named so.
func support(path string) bool {
	return withinAny(path, []string{"store/storetest", "rostertest", "mailer/mailertest"})
}

// internal reports whether only this module can import the package.
func internal(path string) bool {
	return slices.Contains(strings.Split(path, "/"), "internal")
}

// packages lists every package of the module.
var packages = sync.OnceValues(func() ([]pkg, error) {
	out, err := goTool("list", "-e", "-json=ImportPath,Name,Imports,Deps", "./...")
	if err != nil {
		return nil, err
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

func allPackages(t *testing.T) []pkg {
	t.Helper()
	all, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 3 {
		t.Fatalf("go list finds only %d packages", len(all))
	}
	return all
}

// goTool runs the go command in the root of the module.
func goTool(args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, errors.New(strings.Join(args, " ") + ": " + string(exit.Stderr))
	}
	return out, err
}

// goFile is a parsed file that is no test.
type goFile struct {
	path string // relative to the module, with slashes
	*ast.File
}

// dir is the package's path in the module: "" is the root.
func (f goFile) dir() string {
	dir := filepath.ToSlash(filepath.Dir(f.path))
	if dir == "." {
		return ""
	}
	return dir
}

var fset = token.NewFileSet()

// sources are the Go files of the module that are no tests.
var sources = sync.OnceValues(func() ([]goFile, error) {
	var all []goFile
	err := walk(func(path string) error {
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(fset, filepath.Join(root, path), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err == nil {
			all = append(all, goFile{path: path, File: file})
		}
		return err
	})
	return all, err
})

func allSources(t *testing.T) []goFile {
	t.Helper()
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// position is where a node stands, for a message.
func position(n ast.Node) string {
	at := fset.Position(n.Pos())
	at.Filename = strings.TrimPrefix(filepath.ToSlash(at.Filename), root+"/")
	return at.String()
}

// walk calls fn with every file of the tree, relative to it, that git would
// keep: what .gitignore names may be anything.
func walk(fn func(path string) error) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a test beside this one has removed it
		}
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if !d.Type().IsRegular() || ignored(d.Name()) {
			return nil
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return fn(filepath.ToSlash(relative))
	})
}

// patterns are the names in .gitignore, as far as it names files.
var patterns = sync.OnceValue(func() []string {
	text, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		return nil
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		if line = strings.Trim(strings.TrimSpace(line), "/"); line != "" && line[0] != '#' {
			all = append(all, line)
		}
	}
	return all
})

func ignored(name string) bool {
	return slices.ContainsFunc(patterns(), func(pattern string) bool {
		ok, _ := filepath.Match(pattern, name)
		return ok
	})
}
