// Package buntag reads the tags of the fields of a host's own types as bun does,
// without bun.
package buntag

import (
	"reflect"
	"strings"
)

// Tag is what stands behind bun: in the tag of a field.
type Tag struct {
	Name    string
	Options map[string][]string
}

// Has reports whether an option is there.
func (t Tag) Has(option string) bool { return len(t.Options[option]) > 0 }

// Option returns the value that was given last, as bun does.
func (t Tag) Option(name string) string {
	if values := t.Options[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// Parse reads name,option,option:value. A comma in quotes or parentheses is
// part of a value.
func Parse(s string) Tag {
	t := Tag{Options: map[string][]string{}}
	for i, part := range split(s) {
		key, value, found := strings.Cut(part, ":")
		if quote := strings.IndexAny(part, `'"`); quote >= 0 && quote < len(key) {
			key, value, found = part, "", false
		}
		switch value = unquote(value); {
		case i == 0 && !found:
			t.Name = unquote(key)
		case key != "":
			t.Options[key] = append(t.Options[key], value)
		}
	}
	return t
}

// Of is the tag of a field.
func Of(f reflect.StructField) Tag { return Parse(f.Tag.Get("bun")) }

// Kept reports whether the field is a column, or several: not those that bun leaves
// out, nor those about relations and for reading alone, which bun's own queries use.
func (t Tag) Kept() bool {
	return t.Name != "-" && !t.Has("rel") && !t.Has("m2m") && !t.Has("scanonly")
}

// Column is the name of the column of a field.
func (t Tag) Column(f reflect.StructField) string {
	name := underscore(f.Name)
	for _, explicit := range []string{t.Name, t.Option("column")} {
		if explicit != "" {
			name = explicit
		}
	}
	return name
}

// split cuts at the commas that stand outside of quotes and parentheses.
func split(s string) []string {
	var parts []string
	var quote byte
	depth, start := 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// unquote takes double quotes off. Single ones belong to SQL.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(s[1 : len(s)-1])
}

// underscore is how bun names the column of a field: RealName is real_name, and
// OAuthID is o_auth_id.
func underscore(s string) string {
	upper := func(c byte) bool { return 'A' <= c && c <= 'Z' }
	lower := func(c byte) bool { return 'a' <= c && c <= 'z' }
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !upper(c) {
			b.WriteByte(c)
			continue
		}
		if i > 0 && i+1 < len(s) && (lower(s[i-1]) || lower(s[i+1])) {
			b.WriteByte('_')
		}
		b.WriteByte(c - 'A' + 'a')
	}
	return b.String()
}
