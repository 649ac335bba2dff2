// Package mixin is what the stores know about a host's own types of users and
// groups: structs that embed [roster.User] or [roster.Group]. It reads the tags
// that bun reads, without bun, so that all stores keep the same fields in the same
// way.
package mixin

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/go-roster/roster"
)

// Type is a type of users, M is [roster.Model], or of groups, M is
// [roster.GroupModel]: that of roster itself, which has no columns here, or one
// that embeds it. It never changes.
type Type[M any] struct {
	Shape

	base *base[M]
	make func() M
}

// Shape is what there is to know of a type without its values.
type Shape struct {
	// Columns are what it adds to the columns of a user or group.
	Columns []*Column

	name string
	typ  reflect.Type // a struct
	part []int        // where the User or Group is, and
	ptr  bool         // whether a pointer to it is there

	taken map[string]string // the columns that are not the host's, with their fields or the store
}

// base is what is embedded.
type base[M any] struct {
	typ   reflect.Type
	taken map[string]string
	plain func() M

	// of is the one inside m, and when it was written; nil if there is none.
	of func(m M) (part any, at time.Time)
}

var users = &base[roster.Model]{
	typ:   reflect.TypeFor[roster.User](),
	taken: taken(reflect.TypeFor[roster.User](), "search", "kept_at"),
	plain: func() roster.Model { return new(roster.User) },
	of: func(m roster.Model) (any, time.Time) {
		if u := m.RosterUser(); u != nil {
			return u, u.UpdatedAt
		}
		return nil, time.Time{}
	},
}

var groups = &base[roster.GroupModel]{
	typ:   reflect.TypeFor[roster.Group](),
	taken: taken(reflect.TypeFor[roster.Group]()),
	plain: func() roster.GroupModel { return new(roster.Group) },
	of: func(m roster.GroupModel) (any, time.Time) {
		if g := m.RosterGroup(); g != nil {
			return g, g.UpdatedAt
		}
		return nil, time.Time{}
	},
}

// User and Group are roster.User and roster.Group.
var (
	User  = plain(users)
	Group = plain(groups)
)

func plain[M any](b *base[M]) *Type[M] {
	return &Type[M]{Shape: Shape{name: b.typ.String(), typ: b.typ, taken: b.taken}, base: b, make: b.plain}
}

// Of returns the type M of users. The error names, joined, all that keeps it from
// being stored.
func Of[M any, P roster.ModelOf[M]]() (*Type[roster.Model], error) {
	return read(User, reflect.TypeFor[M](), func() roster.Model { return P(new(M)) })
}

// OfGroup is Of for groups.
func OfGroup[M any, P roster.GroupModelOf[M]]() (*Type[roster.GroupModel], error) {
	return read(Group, reflect.TypeFor[M](), func() roster.GroupModel { return P(new(M)) })
}

func read[M any](plain *Type[M], typ reflect.Type, newOne func() M) (*Type[M], error) {
	if typ == plain.typ {
		return plain, nil
	}
	t := &Type[M]{Shape: Shape{name: typ.String(), typ: typ, taken: plain.taken}, base: plain.base, make: newOne}
	if typ.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s: is no struct that embeds %s", t.name, plain.name)
	}
	r := reader{t: &t.Shape, base: plain.typ, columns: map[string]string{}}
	r.read(typ, nil, place{})
	switch {
	case t.part == nil:
		r.mistakes = append(r.mistakes, fmt.Errorf("%s: does not embed %s", t.name, plain.name))
	case len(r.mistakes) == 0:
		m := t.New()
		v := reflect.ValueOf(m).Elem().FieldByIndex(t.part)
		if !t.ptr {
			v = v.Addr()
		}
		if t.Part(m) != v.Interface() {
			r.wrong("Roster"+plain.typ.Name(), "hides that of %s", plain.typ.Name())
		}
	}
	if err := errors.Join(r.mistakes...); err != nil {
		return nil, err
	}
	return t, nil
}

// IsOwn reports whether the type is one of the host's.
func (t *Shape) IsOwn() bool { return t.part != nil }

// Name is that of the type, with its package.
func (t *Shape) Name() string { return t.name }

// Knows reports whether a column is one of the type.
func (t *Shape) Knows(column string) bool {
	_, is := t.taken[column]
	return is || slices.ContainsFunc(t.Columns, func(c *Column) bool { return c.Name == column })
}

// New returns a new value, with a new User or Group in it.
func (t *Type[M]) New() M {
	m := t.make()
	if t.ptr {
		reflect.ValueOf(m).Elem().FieldByIndex(t.part).Set(reflect.New(t.base.typ))
	}
	return m
}

// Part is the *roster.User or *roster.Group inside m; nil if there is none.
func (t *Type[M]) Part(m M) any {
	part, _ := t.base.of(m)
	return part
}

// Values returns what is kept of the columns of m, as [Column] has them. own is
// whether m is a value of the type: a plain user has none.
//
// Other types are an InvalidError of FieldModel. A value that no store keeps is
// one that names the column.
func (t *Type[M]) Values(m M) (values []any, own bool, err error) {
	v := reflect.ValueOf(m)
	if !v.IsValid() {
		return nil, false, &roster.InvalidError{Field: roster.FieldModel, Reason: roster.ReasonEmpty}
	}
	own = v.Type() == reflect.PointerTo(t.typ)
	plain := v.Type() == reflect.PointerTo(t.base.typ)
	switch {
	case (own || plain) && (v.IsNil() || t.Part(m) == nil):
		return nil, false, &roster.InvalidError{Field: roster.FieldModel, Reason: roster.ReasonEmpty}
	case !own && !plain:
		return nil, false, fmt.Errorf("%w: a %T, and the store was opened for %s",
			&roster.InvalidError{Field: roster.FieldModel, Reason: roster.ReasonUnknown}, m, t.name)
	case !own:
		return nil, false, nil
	}
	_, at := t.base.of(m)
	values, err = t.each(func(c *Column) (any, error) { return c.value(v.Elem().FieldByIndex(c.index), at) })
	return values, own, err
}

// Defaults are the values of the columns in the row of a plain user or group.
func (t *Type[M]) Defaults(m M) ([]any, error) {
	_, at := t.base.of(m)
	return t.each(func(c *Column) (any, error) { return c.null(at, true) })
}

func (t *Shape) each(value func(*Column) (any, error)) ([]any, error) {
	if len(t.Columns) == 0 {
		return nil, nil
	}
	values, errs := make([]any, len(t.Columns)), []error(nil)
	for i, c := range t.Columns {
		v, err := value(c)
		values[i], errs = v, append(errs, err)
	}
	return values, errors.Join(errs...)
}

// Settle puts the defaults into m that were written in the place of NULL.
func (t *Type[M]) Settle(m M, values []any) {
	v := reflect.ValueOf(m).Elem()
	if v.Type() != t.typ {
		return // a plain one
	}
	for i, c := range t.Columns {
		if !c.HasDefault() || !c.NotNull {
			continue
		}
		if f := v.FieldByIndex(c.index); c.isNull(f) {
			_ = c.set(f, values[i]) // it was tried when the type was read
		}
	}
}

// Fields are where to scan the columns of m to, which New has made. Each is a
// sql.Scanner.
func (t *Type[M]) Fields(m M) []Field {
	if len(t.Columns) == 0 {
		return nil
	}
	v := reflect.ValueOf(m).Elem()
	fields := make([]Field, len(t.Columns))
	for i, c := range t.Columns {
		fields[i] = Field{c, v.FieldByIndex(c.index)}
	}
	return fields
}

// Field is a column of one value.
type Field struct {
	column *Column
	value  reflect.Value
}

// Scan implements sql.Scanner. It copies what it is given.
func (f *Field) Scan(src any) error {
	if err := f.column.set(f.value, src); err != nil {
		return &misfit{f.column, err}
	}
	return nil
}

// misfit is the error of a value that a field does not take. Its text does not
// tell the value, as that of the cause may.
type misfit struct {
	column *Column
	cause  error
}

func (e *misfit) Error() string {
	return fmt.Sprintf("the column %s holds what does not fit %s", e.column.Name, e.column.Field)
}

func (e *misfit) Unwrap() error { return e.cause }

// Uniques are the sets of columns that are unique together, as indices of
// Columns.
func (t *Shape) Uniques() [][]int {
	var sets [][]int
	at := map[string]int{}
	for i, c := range t.Columns {
		for _, group := range c.unique {
			n, ok := at[group]
			if !ok || group == "" {
				n, at[group] = len(sets), len(sets)
				sets = append(sets, nil)
			}
			sets[n] = append(sets[n], i)
		}
	}
	return sets
}
