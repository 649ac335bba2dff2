package mixin

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/go-roster/roster/internal/buntag"
)

// reader reads a type, and keeps all that is wrong with it.
type reader struct {
	t        *Shape
	base     reflect.Type      // what must be embedded
	columns  map[string]string // the field of each name so far
	mistakes []error
}

// place is where in the type a struct stands.
type place struct {
	path   string // the fields that lead to it, each with a dot
	prefix string // of its columns
	inside bool   // in a field with a name, so that nothing of it is promoted
}

func (r *reader) wrong(field, format string, args ...any) {
	r.mistakes = append(r.mistakes, fmt.Errorf("%s.%s: %s", r.t.name, field, fmt.Sprintf(format, args...)))
}

// taken are the columns of roster's own type, with their fields, and those that
// only the store knows.
func taken(typ reflect.Type, stores ...string) map[string]string {
	columns := map[string]string{}
	for _, name := range stores {
		columns[name] = "the store"
	}
	for _, f := range reflect.VisibleFields(typ) {
		if column := buntag.Of(f).Name; column != "-" {
			columns[column] = typ.Name() + "." + f.Name
		}
	}
	return columns
}

// hides reports whether a promoted field has the name of one of the base.
func (r *reader) hides(name string) bool {
	_, ok := r.base.FieldByName(name)
	return ok
}

func (r *reader) read(typ reflect.Type, index []int, in place) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		r.field(f, append(slices.Clone(index), i), in)
	}
}

// known are the options that mean something here, or nothing at all.
var known = []string{"column", "type", "notnull", "nullzero", "default", "unique", "alt"}

func (r *reader) field(f reflect.StructField, index []int, in place) {
	name, t := in.path+f.Name, buntag.Of(f)
	of := f.Type
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if f.Anonymous && of == r.base {
		if r.t.part != nil {
			r.wrong(name, "embeds a second %s", r.base.Name())
		}
		if in.inside {
			r.wrong(name, "must be embedded all the way")
		}
		r.t.part, r.t.ptr = index, f.Type != r.base
		return
	}
	if !in.inside && r.hides(f.Name) {
		r.wrong(name, "hides %s.%s", r.base.Name(), f.Name)
		return
	}
	if !t.Kept() {
		return
	}
	into := place{in.path + f.Name + ".", in.prefix, in.inside}
	switch {
	case f.Anonymous && f.Type.Kind() == reflect.Struct:
		r.read(f.Type, index, into)
	case f.Anonymous:
		r.wrong(name, "only a struct can be embedded, and no pointer to one but *%s: give the field a name", r.base.Name())
	case !f.IsExported():
		r.wrong(name, "is not exported, so it would be lost: export it, or say bun:\"-\"")
	case t.Has("embed") && f.Type.Kind() == reflect.Struct:
		into.prefix, into.inside = in.prefix+t.Option("embed"), true
		r.read(f.Type, index, into)
	case of == r.base:
		r.wrong(name, "is a whole %s: keep its ID, or say bun:\"rel:…\"", strings.ToLower(r.base.Name()))
	default:
		r.column(f, t, index, in)
	}
}

// columnName is what a column may be called on every database, in any case.
var columnName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,47}$`)

func (r *reader) column(f reflect.StructField, t buntag.Tag, index []int, in place) {
	c := &Column{
		Name: in.prefix + t.Column(f), Field: r.t.name + "." + in.path + f.Name, Type: t.Option("type"),
		NotNull: t.Has("notnull"), NullZero: t.Has("nullzero"), index: index,
	}
	name := in.path + f.Name
	for _, option := range slices.Sorted(maps.Keys(t.Options)) {
		if !slices.Contains(known, option) {
			r.wrong(name, "the option %s is not supported", option)
		}
	}
	switch of, other := r.t.taken[c.Name], r.columns[c.Name]; {
	case !columnName.MatchString(c.Name):
		r.wrong(name, "the column %q needs a name of at most 48 of a-z, 0-9 and _ in the tag", c.Name)
	case of != "":
		r.wrong(name, "the column %s is taken by %s", c.Name, of)
	case other != "":
		r.wrong(name, "the column %s is that of %s, too", c.Name, other)
	}
	r.columns[c.Name] = name
	if err := c.fit(f.Type); err != nil {
		r.wrong(name, "%v", err)
		return
	}
	for _, group := range t.Options["unique"] {
		c.unique = append(c.unique, strings.Split(group, ",")...)
	}
	if len(c.unique) > 0 && c.Kind == JSON {
		r.wrong(name, "JSON cannot be unique")
	}
	if t.Has("default") {
		if err := c.setDefault(t.Option("default")); err != nil {
			r.wrong(name, "default:%s: %v", t.Option("default"), err)
		}
	}
	r.t.Columns = append(r.t.Columns, c)
}
