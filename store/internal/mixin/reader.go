package mixin

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/go-roster/roster"
)

// reader reads a type, and keeps all that is wrong with it.
type reader struct {
	t        *Type
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

var userType = reflect.TypeFor[roster.User]()

// taken are the columns of a user, with their fields. The store has one of its
// own.
var taken = func() map[string]string {
	columns := map[string]string{"search": "the store"}
	for _, f := range reflect.VisibleFields(userType) {
		if column := parseTag(f.Tag.Get("bun")).name; column != "-" {
			columns[column] = "User." + f.Name
		}
	}
	return columns
}()

// hides reports whether a promoted field has the name of one of User.
func hides(name string) bool {
	_, ok := userType.FieldByName(name)
	return ok
}

func (r *reader) read(typ reflect.Type, index []int, in place) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		r.field(f, append(slices.Clone(index), i), in)
	}
}

// ignored are options about relations, and for reading alone: bun's own queries
// use them.
var ignored = []string{"rel", "m2m", "scanonly"}

// known are the options that mean something here, or nothing at all.
var known = []string{"column", "type", "notnull", "nullzero", "default", "unique", "alt"}

func (r *reader) field(f reflect.StructField, index []int, in place) {
	name, text := in.path+f.Name, f.Tag.Get("bun")
	t := parseTag(text)
	base := f.Type
	if base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	if f.Anonymous && base == userType {
		if r.t.user != nil {
			r.wrong(name, "embeds a second User")
		}
		if in.inside {
			r.wrong(name, "must be embedded all the way")
		}
		r.t.user, r.t.ptr = index, f.Type != userType
		return
	}
	if !in.inside && hides(f.Name) {
		r.wrong(name, "hides User.%s", f.Name)
		return
	}
	if text == "-" || slices.ContainsFunc(ignored, t.has) {
		return
	}
	into := place{in.path + f.Name + ".", in.prefix, in.inside}
	switch {
	case f.Anonymous && f.Type.Kind() == reflect.Struct:
		r.read(f.Type, index, into)
	case f.Anonymous:
		r.wrong(name, "only a struct can be embedded, and no pointer to one but *User: give the field a name")
	case !f.IsExported():
		r.wrong(name, "is not exported, so it would be lost: export it, or say bun:\"-\"")
	case t.has("embed") && f.Type.Kind() == reflect.Struct:
		into.prefix, into.inside = in.prefix+t.option("embed"), true
		r.read(f.Type, index, into)
	case base == userType:
		r.wrong(name, "is a whole user: keep its ID, or say bun:\"rel:…\"")
	default:
		r.column(f, t, index, in)
	}
}

// columnName is what a column may be called on every database, in any case.
var columnName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,47}$`)

func (r *reader) column(f reflect.StructField, t tag, index []int, in place) {
	c := &Column{
		Name: underscore(f.Name), Field: r.t.name + "." + in.path + f.Name, Type: t.option("type"),
		NotNull: t.has("notnull"), NullZero: t.has("nullzero"), index: index,
	}
	name := in.path + f.Name
	for _, explicit := range []string{t.name, t.option("column")} {
		if explicit != "" {
			c.Name = explicit
		}
	}
	c.Name = in.prefix + c.Name
	for _, option := range slices.Sorted(maps.Keys(t.options)) {
		if !slices.Contains(known, option) {
			r.wrong(name, "the option %s is not supported", option)
		}
	}
	switch of, other := taken[c.Name], r.columns[c.Name]; {
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
	for _, group := range t.options["unique"] {
		c.unique = append(c.unique, strings.Split(group, ",")...)
	}
	if len(c.unique) > 0 && c.Kind == JSON {
		r.wrong(name, "JSON cannot be unique")
	}
	if t.has("default") {
		if err := c.setDefault(t.option("default")); err != nil {
			r.wrong(name, "default:%s: %v", t.option("default"), err)
		}
	}
	r.t.Columns = append(r.t.Columns, c)
}

// finish looks at the type as a whole.
func (r *reader) finish() {
	t := r.t
	switch {
	case t.user == nil:
		r.mistakes = append(r.mistakes, fmt.Errorf("%s: does not embed roster.User", t.name))
	case len(r.mistakes) == 0:
		m := t.New()
		v := reflect.ValueOf(m).Elem().FieldByIndex(t.user)
		if !t.ptr {
			v = v.Addr()
		}
		if m.RosterUser() != v.Interface().(*roster.User) {
			r.wrong("RosterUser", "hides that of User")
		}
	}
}
