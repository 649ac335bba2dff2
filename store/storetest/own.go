package storetest

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/go-roster/roster"
)

// own is a store that was opened for a host's own type M, with what there is to do
// to users, or to groups, who are part of one.
type own[M any] struct {
	roster.Store

	insert, update func(ctx context.Context, row any) error
	byID           func(ctx context.Context, id int64) (any, error)
	byKey          func(ctx context.Context, key string) (any, error)

	fill    func(n int) M
	part    func(row any) any    // the User or Group inside
	plain   func(key string) any // one of roster's
	strange func(key string) any // one of no type of the host's
	id      func(row any) int64
	edit    func(part any) (after any)                // a copy with a change
	touch   func(ctx context.Context, id int64) error // what writes the row, and nothing of the host's
}

// runOwn checks what a store promises of own types.
func runOwn[M any](t *testing.T, prefix string, open func(t *testing.T) own[M]) {
	for _, c := range []struct {
		name, rule string
		run        func(t *testing.T, s own[M])
	}{
		{"Other", "A value of another type is an InvalidError of FieldModel, and nothing is written.", ownOther[M]},
		{"Update", "An update writes the host's fields with a version check.", ownUpdate[M]},
		{"Plain", "A plain one gets the defaults of the host's fields, and leaves them alone when it is written again.", ownPlain[M]},
		{"Copies", "What a caller does to a value does not reach the store, nor another reader.", ownCopies[M]},
	} {
		t.Run(prefix+c.name, func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the rule: %s", c.rule)
				}
			})
			c.run(t, open(t))
		})
	}
}

// stranger and others are no types of a host's.
type (
	stranger struct{ roster.User }
	others   struct{ roster.Group }
)

func ownUsers[M roster.Model](s roster.Store, fill func(n int) M) own[M] {
	return own[M]{
		Store:  s,
		fill:   fill,
		insert: func(ctx context.Context, row any) error { return s.InsertUser(ctx, row.(roster.Model), "") },
		update: func(ctx context.Context, row any) error { return s.UpdateUser(ctx, row.(roster.Model), "") },
		byID:   func(ctx context.Context, id int64) (any, error) { return s.UserByID(ctx, roster.UserID(id)) },
		byKey:  func(ctx context.Context, key string) (any, error) { return s.UserByName(ctx, key) },

		part:    func(row any) any { return row.(roster.Model).RosterUser() },
		plain:   func(key string) any { return user(key) },
		strange: func(key string) any { return &stranger{*user(key)} },
		id:      func(row any) int64 { return int64(row.(roster.Model).RosterUser().ID) },
		edit: func(part any) any {
			u := *part.(*roster.User)
			u.RealName = "Changed"
			return &u
		},
		touch: func(ctx context.Context, id int64) error {
			return s.RecordLogin(ctx, roster.UserID(id), at(0), "192.0.2.1")
		},
	}
}

func ownGroups[M roster.GroupModel](s roster.Store, fill func(n int) M) own[M] {
	return own[M]{
		Store:  s,
		fill:   fill,
		insert: func(ctx context.Context, row any) error { return s.InsertGroup(ctx, row.(roster.GroupModel)) },
		update: func(ctx context.Context, row any) error { return s.UpdateGroup(ctx, row.(roster.GroupModel)) },
		byID: func(ctx context.Context, id int64) (any, error) {
			groups, err := s.GroupsByID(ctx, roster.GroupID(id))
			if err != nil || len(groups) == 0 {
				return nil, errors.Join(err, roster.ErrNotFound)
			}
			return groups[0], nil
		},
		byKey: func(ctx context.Context, key string) (any, error) { return s.GroupByName(ctx, key) },

		part:    func(row any) any { return row.(roster.GroupModel).RosterGroup() },
		plain:   func(key string) any { return group(key) },
		strange: func(key string) any { return &others{*group(key)} },
		id:      func(row any) int64 { return int64(row.(roster.GroupModel).RosterGroup().ID) },
		edit: func(part any) any {
			g := *part.(*roster.Group)
			g.Description = "Changed"
			return &g
		},
		touch: func(ctx context.Context, id int64) error {
			u := user("member")
			if err := s.InsertUser(ctx, u, ""); err != nil {
				return err
			}
			_, err := s.PutMember(ctx, &roster.Membership{GroupID: roster.GroupID(id), UserID: u.ID, CreatedAt: at(0)})
			return err
		},
	}
}

// put makes what is inside of row a copy of from.
func (s own[M]) put(row, from any) {
	reflect.ValueOf(s.part(row)).Elem().Set(reflect.ValueOf(from).Elem())
}

// with is the M of that number with a new user or group.
func (s own[M]) with(n int, key string) M {
	m := s.fill(n)
	s.put(m, s.plain(key))
	return m
}

// same reports a difference in the host's fields.
func (s own[M]) same(t *testing.T, what string, got, want any) {
	t.Helper()
	if reflect.TypeOf(got) == reflect.TypeOf(want) {
		s.put(want, s.part(got))
	}
	sameModel(t, what, got, want)
}

// sameModel reports a difference.
func sameModel(t testing.TB, what string, got, want any) {
	t.Helper()
	switch {
	case reflect.TypeOf(got) != reflect.TypeOf(want):
		t.Errorf("%s is a %T, want a %T", what, got, want)
	case !reflect.DeepEqual(got, want):
		t.Errorf("%s is\n%+v\nwant\n%+v", what, got, want)
	}
}

func ownOther[M any](t *testing.T, s own[M]) {
	ctx := t.Context()
	ann := s.with(1, "ann")
	ok(t, s.insert(ctx, ann))
	refused := func(what string, err error) {
		t.Helper()
		var invalid *roster.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != roster.FieldModel {
			t.Errorf("%s: %v, want an InvalidError of %s", what, err, roster.FieldModel)
		}
	}
	refused("a new one", s.insert(ctx, s.strange("ben")))
	other := s.strange("ben")
	s.put(other, s.part(got(s.byID(ctx, s.id(ann)))(t)))
	refused("one that is there", s.update(ctx, other))
	fails(t, "the transaction", s.Atomic(ctx, func(ctx context.Context) error {
		refused("in a transaction", s.insert(ctx, s.strange("ben")))
		return nil
	}), roster.ErrTxAborted)
	_, err := s.byKey(ctx, "ben")
	fails(t, "the row", err, roster.ErrNotFound)
}

func ownUpdate[M any](t *testing.T, s own[M]) {
	ctx := t.Context()
	first := s.with(1, "ann")
	ok(t, s.insert(ctx, first))
	id := s.id(first)
	second := s.fill(2)
	s.put(second, s.part(first))
	ok(t, s.update(ctx, second))
	s.same(t, "after the update", got(s.byID(ctx, id))(t), second)
	fails(t, "the version before", s.update(ctx, first), roster.ErrStale)
	s.same(t, "after a stale one", got(s.byID(ctx, id))(t), second)
	ok(t, s.touch(ctx, id))
	s.same(t, "after something else", got(s.byID(ctx, id))(t), second)
}

func ownPlain[M any](t *testing.T, s own[M]) {
	ctx := t.Context()
	plain := s.plain("ben")
	switch err := s.insert(ctx, plain); {
	case errors.Is(err, roster.ErrInvalid):
		t.Logf("a field of the host must be filled: %v", err)
	default:
		ok(t, err)
		if _, is := got(s.byID(ctx, s.id(plain)))(t).(M); !is {
			t.Error("a plain one is not read as the host's type")
		}
	}
	ann := s.with(1, "ann")
	ok(t, s.insert(ctx, ann))
	row := s.edit(s.part(ann))
	ok(t, s.update(ctx, row))
	now := got(s.byID(ctx, s.id(row)))(t)
	s.same(t, "after a plain update", now, ann)
	same(t, "what is inside", s.part(now), row)
}

func ownCopies[M any](t *testing.T, s own[M]) {
	ctx := t.Context()
	m, want := s.with(1, "ann"), s.fill(1)
	ok(t, s.insert(ctx, m))
	id := s.id(m)
	overwrite(reflect.ValueOf(m).Elem())
	for range 2 {
		read := got(s.byID(ctx, id))(t)
		s.same(t, "the row", read, want)
		overwrite(reflect.ValueOf(read).Elem())
	}
}

// overwrite zeroes what the fields of a struct refer to.
func overwrite(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Slice:
			for j := range f.Len() {
				f.Index(j).SetZero()
			}
		case reflect.Map:
			f.Clear()
		case reflect.Pointer:
			if !f.IsNil() && !v.Type().Field(i).Anonymous && f.CanSet() {
				f.Elem().SetZero()
			}
		}
	}
}
