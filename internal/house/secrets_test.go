package house_test

import (
	"go/ast"
	"path"
	"regexp"
	"testing"
)

// plain are the fields that have the name of a secret and are none, or are in clear
// because something has to be shown or is checked against a hash of it.
var plain = map[string]string{
	"roster.NewUser.Password": "is printed, logged and marshalled without",
	"roster.Activation.Hash":  "SHA-256 of 256 random bits",
	"roster.Undo.Hash":        "SHA-256 of 256 random bits",
	"roster.LimitCount.Key":   "a hash that means nothing to anybody",
	"roster.LimitTake.Key":    "a hash that means nothing to anybody",
	"mailer.Content.Code":     "what the template shows",
	"mailer.Content.Link":     "what the template shows",
}

// Who prints, logs or marshals a value of ours shows no secret: a field that may be
// one is of a type that is redacted.
func TestSecretsAreRedacted(t *testing.T) {
	name := regexp.MustCompile(`(^|Old)Keys?$|(Password|Pepper|Code|Link|Token|Hash|Payload|Secret)s?$`)
	seen := make(map[string]bool)
	for _, f := range allSources(t) {
		if f.Name.Name == "main" || internal(f.dir()) || examples(f.dir()) {
			continue
		}
		ast.Inspect(f.File, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			s, ok := spec.Type.(*ast.StructType)
			if !ok || !spec.Name.IsExported() {
				return false
			}
			for _, field := range s.Fields.List {
				for _, id := range field.Names {
					if !id.IsExported() || !name.MatchString(id.Name) || !readable(field.Type) {
						continue
					}
					full := f.Name.Name + "." + spec.Name.Name + "." + id.Name
					if seen[full] = true; plain[full] == "" {
						t.Errorf("%s: %s may be printed: a roster.Secret or a password.Key is not", position(id), full)
					}
				}
			}
			return false
		})
	}
	for full := range plain {
		if !seen[full] {
			t.Errorf("%s is not there", full)
		}
	}
}

// readable reports whether a type is text or bytes, or a list of these.
func readable(t ast.Expr) bool {
	switch t := t.(type) {
	case *ast.Ident:
		return t.Name == "string" || t.Name == "byte"
	case *ast.ArrayType:
		return readable(t.Elt)
	}
	return false
}

// examples reports whether a folder is one of the examples, which nobody imports.
func examples(dir string) bool { ok, _ := path.Match("examples/*", dir); return ok }
