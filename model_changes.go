package roster

import (
	"context"
	"reflect"
	"time"

	"github.com/go-roster/roster/internal/buntag"
)

// hostChanges are the columns of the host's own type in which m differs from what
// is stored. A plain user leaves all of them alone.
func (us *Users) hostChanges(ctx context.Context, m Model) ([]string, error) {
	if _, plain := m.(*User); plain {
		return nil, nil
	}
	stored, err := us.store.UserByID(ctx, m.RosterUser().ID) // a copy of its own
	if err != nil {
		return nil, err
	}
	return changedColumns(stored, m), nil
}

// hostGroupChanges is hostChanges for groups.
func (us *Users) hostGroupChanges(ctx context.Context, m GroupModel) ([]string, error) {
	if _, plain := m.(*Group); plain {
		return nil, nil
	}
	stored, err := us.store.GroupsByID(ctx, m.RosterGroup().ID)
	if err != nil || len(stored) == 0 {
		return nil, err
	}
	return changedColumns(stored[0], m), nil
}

func changedColumns(before, after any) []string {
	a, b := reflect.Indirect(reflect.ValueOf(before)), reflect.Indirect(reflect.ValueOf(after))
	if a.Type() != b.Type() || a.Kind() != reflect.Struct {
		return nil
	}
	return columnsIn(a, b, "")
}

func columnsIn(a, b reflect.Value, prefix string) (names []string) {
	for i := range a.NumField() {
		f := a.Type().Field(i)
		t := buntag.Of(f)
		switch {
		case !t.Kept(), f.Anonymous && isPart(f.Type), !f.Anonymous && !f.IsExported():
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			names = append(names, columnsIn(a.Field(i), b.Field(i), prefix)...)
		case t.Has("embed") && f.Type.Kind() == reflect.Struct:
			names = append(names, columnsIn(a.Field(i), b.Field(i), prefix+t.Option("embed"))...)
		case !sameField(a.Field(i), b.Field(i)):
			names = append(names, prefix+t.Column(f))
		}
	}
	return names
}

// isPart reports whether a type is what a host embeds.
func isPart(typ reflect.Type) bool {
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	return typ == reflect.TypeFor[User]() || typ == reflect.TypeFor[Group]()
}

// sameField compares two fields as they are kept: of a time, the moment counts.
func sameField(a, b reflect.Value) bool {
	if a.Kind() == reflect.Pointer && !a.IsNil() && !b.IsNil() {
		a, b = a.Elem(), b.Elem()
	}
	if t, ok := a.Interface().(time.Time); ok {
		return stamp(t).Equal(stamp(b.Interface().(time.Time)))
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
