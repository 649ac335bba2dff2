// Package mixin is what the stores know about a host's own type of users: a
// struct that embeds [roster.User]. It reads the tags that bun reads, without
// bun, so that all stores keep the same fields in the same way.
package mixin

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/go-roster/roster"
)

// Type is a type of users: roster.User itself, which has no columns here, or one
// that embeds it. It never changes.
type Type struct {
	// Columns are what it adds to the columns of a user.
	Columns []*Column

	name  string
	typ   reflect.Type // a struct
	model func() roster.Model
	user  []int // where the User is, and
	ptr   bool  // whether a pointer to it is there
}

// Plain is roster.User.
var Plain = &Type{
	name: "roster.User", typ: reflect.TypeFor[roster.User](), model: func() roster.Model { return new(roster.User) },
}

// Of returns the type M. The error names, joined, all that keeps it from being
// stored.
func Of[M any, P roster.ModelOf[M]]() (*Type, error) {
	typ := reflect.TypeFor[M]()
	if typ == Plain.typ {
		return Plain, nil
	}
	t := &Type{name: typ.String(), typ: typ, model: func() roster.Model { return P(new(M)) }}
	if typ.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s: is no struct that embeds roster.User", t.name)
	}
	r := reader{t: t, columns: map[string]string{}}
	r.read(typ, nil, place{})
	r.finish()
	if err := errors.Join(r.mistakes...); err != nil {
		return nil, err
	}
	return t, nil
}

// New returns a new value, with a new User in it.
func (t *Type) New() roster.Model {
	m := t.model()
	if t.ptr {
		reflect.ValueOf(m).Elem().FieldByIndex(t.user).Set(reflect.ValueOf(new(roster.User)))
	}
	return m
}

// Values returns what is kept of the columns of m, as [Column] has them. own is
// whether m is a value of the type: a plain user has none.
//
// Other types are an InvalidError of FieldModel. A value that no store keeps is
// one that names the column.
func (t *Type) Values(m roster.Model) (values []any, own bool, err error) {
	v := reflect.ValueOf(m)
	own = v.Kind() == reflect.Pointer && v.Type().Elem() == t.typ
	_, plain := m.(*roster.User)
	switch {
	case m == nil, (own || plain) && (v.IsNil() || m.RosterUser() == nil):
		return nil, false, &roster.InvalidError{Field: roster.FieldModel, Reason: roster.ReasonEmpty}
	case !own && !plain:
		return nil, false, fmt.Errorf("%w: a %T, and the store was opened for %s",
			&roster.InvalidError{Field: roster.FieldModel, Reason: roster.ReasonUnknown}, m, t.name)
	case !own:
		return nil, false, nil
	}
	values, err = t.each(func(c *Column) (any, error) {
		return c.value(v.Elem().FieldByIndex(c.index), m.RosterUser())
	})
	return values, own, err
}

// Defaults are the values of the columns in the row of a plain user.
func (t *Type) Defaults(u *roster.User) ([]any, error) {
	return t.each(func(c *Column) (any, error) { return c.null(u, true) })
}

func (t *Type) each(value func(*Column) (any, error)) ([]any, error) {
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
func (t *Type) Settle(m roster.Model, values []any) {
	v := reflect.ValueOf(m).Elem()
	if v.Type() != t.typ {
		return // a plain user
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
func (t *Type) Fields(m roster.Model) []Field {
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
func (t *Type) Uniques() [][]int {
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
