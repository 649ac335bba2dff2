package house_test

import (
	"bytes"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// What is left to do is an issue, not a note in the tree.
func TestNothingIsLeftToDo(t *testing.T) {
	note := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`)
	err := walk(func(path string) error {
		text, err := os.ReadFile(filepath.Join(root, path))
		if os.IsNotExist(err) {
			return nil // a test beside this one has removed it
		}
		if err != nil || bytes.IndexByte(text, 0) >= 0 {
			return err
		}
		for i, line := range bytes.Split(text, []byte("\n")) {
			if found := note.Find(line); found != nil {
				t.Errorf("%s:%d says %s", path, i+1, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Nothing happens by being imported.
func TestNoInit(t *testing.T) {
	for _, f := range allSources(t) {
		for _, decl := range f.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: init", position(fn))
			}
		}
	}
}
