package storetest

import (
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
)

// ok ends the test if a call that must succeed has not.
func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

// got is ok for calls that also return a value: got(s.UserByID(ctx, id))(t).
func got[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

// rowOf is got for calls that return a model.
func rowOf(m roster.Model, err error) func(testing.TB) *roster.User {
	return func(t testing.TB) *roster.User {
		t.Helper()
		ok(t, err)
		if m == nil {
			t.Fatal("neither a user nor an error")
		}
		return m.RosterUser()
	}
}

// rowsOf is got for calls that return models.
func rowsOf(ms []roster.Model, err error) func(testing.TB) []*roster.User {
	return func(t testing.TB) []*roster.User {
		t.Helper()
		ok(t, err)
		us := make([]*roster.User, len(ms))
		for i, m := range ms {
			us[i] = m.RosterUser()
		}
		return us
	}
}

// groupOf is got for calls that return a group.
func groupOf(m roster.GroupModel, err error) func(testing.TB) *roster.Group {
	return func(t testing.TB) *roster.Group {
		t.Helper()
		ok(t, err)
		if m == nil {
			t.Fatal("neither a group nor an error")
		}
		return m.RosterGroup()
	}
}

// groupsOf is got for calls that return groups.
func groupsOf(ms []roster.GroupModel, err error) func(testing.TB) []*roster.Group {
	return func(t testing.TB) []*roster.Group {
		t.Helper()
		ok(t, err)
		gs := make([]*roster.Group, len(ms))
		for i, m := range ms {
			gs[i] = m.RosterGroup()
		}
		return gs
	}
}

// same reports a difference, but for that between no list and an empty one. Of
// times it wants the same moment, and that the store tells it in UTC.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, w := reflect.ValueOf(got), reflect.ValueOf(want); g.Kind() == reflect.Slice && w.Kind() == reflect.Slice && g.Len()+w.Len() == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: (-want +got)\n%s", what, diff)
	}
	inUTC(t, what, reflect.ValueOf(got))
}

func inUTC(t testing.TB, what string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			inUTC(t, what, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			inUTC(t, what, v.Index(i))
		}
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(v.Type()) {
			if f.Type == reflect.TypeFor[time.Time]() && f.IsExported() {
				if tm := v.FieldByIndex(f.Index).Interface().(time.Time); tm.Location() != time.UTC {
					t.Errorf("%s: %s is in the zone %v, want UTC", what, f.Name, tm.Location())
				}
			}
		}
	}
}

// filled reports the fields of the struct that are zero and not excepted.
func filled(t testing.TB, row any, except ...string) {
	t.Helper()
	v := reflect.ValueOf(row).Elem()
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() && !slices.Contains(except, name) {
			t.Errorf("the fixture leaves %s.%s zero: nothing would notice if it were dropped", v.Type(), name)
		}
	}
}

// changed reports the fields that are equal in both and not excepted.
func changed(t testing.TB, a, b *roster.User, except ...string) {
	t.Helper()
	va, vb := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for i := range va.NumField() {
		name := va.Type().Field(i).Name
		if !slices.Contains(except, name) && reflect.DeepEqual(va.Field(i).Interface(), vb.Field(i).Interface()) {
			t.Errorf("the fixture does not change %s: nothing would notice if it were not written", name)
		}
	}
}

// fails reports an error that is not the one that must come.
func fails(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// conflicts reports an error that is not a conflict of the field.
func conflicts(t testing.TB, what string, err error, field string) {
	t.Helper()
	var c *roster.ConflictError
	if !errors.As(err, &c) || !errors.Is(err, roster.ErrConflict) {
		t.Errorf("%s: %v, want a conflict of %s", what, err, field)
	} else if c.Field != field {
		t.Errorf("%s: a conflict of %s, want of %s", what, c.Field, field)
	}
}

// together calls fn n times at once and returns the errors in the order of the
// arguments.
func together(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-gate
			errs[i] = fn(i)
		})
	}
	close(gate)
	wg.Wait()
	return errs
}

// within fails the test if fn has not returned after that time.
func within(t testing.TB, what string, limit time.Duration, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("%s: still not done after %v", what, limit)
	}
}
