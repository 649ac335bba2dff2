package storetest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"reflect"
	"testing"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

// RunModel is Run for a store that was opened for a host's own type of users,
// M, a pointer to it. It checks all that Run does with users who are part of an
// M, and what a store promises of own types.
//
// fill returns a new M for a number: another number gives other values of the
// host's fields, where it can, and the same one the same. Times are in UTC with
// microseconds. What is unique is different in every call.
func RunModel[M roster.Model](t *testing.T, newStore func(t *testing.T) roster.Store, fill func(n int) M) {
	Run(t, func(t *testing.T) roster.Store { return owned[M]{newStore(t), t, fill} })
	for _, c := range modelCases[M]() {
		t.Run(c.name, func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the rule: %s", c.rule)
				}
			})
			c.run(t, newStore(t), fill)
		})
	}
}

// owned writes the users that it is given as part of an M, and checks that they
// come back so.
type owned[M roster.Model] struct {
	roster.Store
	t    *testing.T
	fill func(n int) M
}

// around is the M that a user is written as part of. It depends on what is
// written in the same statement.
func (s owned[M]) around(u *roster.User) M {
	h := fnv.New32()
	_, _ = fmt.Fprintf(h, "%q %q %q", u.Name, u.RealName, u.Locale)
	m := s.fill(int(h.Sum32() % 10_000))
	*m.RosterUser() = *u
	m.RosterUser().Row = roster.Row{}
	return m
}

func (s owned[M]) InsertUser(ctx context.Context, in roster.Model, search string) error {
	u := in.RosterUser()
	m := s.around(u)
	err := s.Store.InsertUser(ctx, m, search)
	u.ID = m.RosterUser().ID
	return err
}

func (s owned[M]) UpdateUser(ctx context.Context, in roster.Model, search string) error {
	u := in.RosterUser()
	m := s.around(u)
	err := s.Store.UpdateUser(ctx, m, search)
	u.Version = m.RosterUser().Version
	return err
}

// check reports a user who is not part of the M that was written.
func (s owned[M]) check(in roster.Model, err error) (roster.Model, error) {
	if err == nil {
		sameModel(s.t, "a row", in, s.around(in.RosterUser()))
	}
	return in, err
}

func (s owned[M]) checkAll(in []roster.Model, err error) ([]roster.Model, error) {
	for _, m := range in {
		_, _ = s.check(m, nil)
	}
	return in, err
}

// sameModel reports a difference in the host's fields.
func sameModel(t testing.TB, what string, got, want roster.Model) {
	t.Helper()
	if reflect.TypeOf(got) != reflect.TypeOf(want) {
		t.Errorf("%s is a %T, want a %T", what, got, want)
		return
	}
	*want.RosterUser() = *got.RosterUser()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is\n%+v\nwant\n%+v", what, got, want)
	}
}

func (s owned[M]) UserByID(ctx context.Context, id roster.UserID) (roster.Model, error) {
	return s.check(s.Store.UserByID(ctx, id))
}

func (s owned[M]) UserByUUID(ctx context.Context, id uuid.UUID) (roster.Model, error) {
	return s.check(s.Store.UserByUUID(ctx, id))
}

func (s owned[M]) UserByName(ctx context.Context, key string) (roster.Model, error) {
	return s.check(s.Store.UserByName(ctx, key))
}

func (s owned[M]) UserByEmail(ctx context.Context, key string) (roster.Model, error) {
	return s.check(s.Store.UserByEmail(ctx, key))
}

func (s owned[M]) LockUser(ctx context.Context, id roster.UserID) (roster.Model, error) {
	return s.check(s.Store.LockUser(ctx, id))
}

func (s owned[M]) UsersByID(ctx context.Context, ids ...roster.UserID) ([]roster.Model, error) {
	return s.checkAll(s.Store.UsersByID(ctx, ids...))
}

func (s owned[M]) UserPage(ctx context.Context, q roster.UserQuery) ([]roster.Model, error) {
	return s.checkAll(s.Store.UserPage(ctx, q))
}

func (s owned[M]) UsersAfter(ctx context.Context, after roster.UserID, limit int) ([]roster.StoredUser, error) {
	users, err := s.Store.UsersAfter(ctx, after, limit)
	for _, u := range users {
		_, _ = s.check(u.User, nil)
	}
	return users, err
}

func (s owned[M]) LoginByName(ctx context.Context, key string) (roster.Model, *roster.Credential, error) {
	m, c, err := s.Store.LoginByName(ctx, key)
	m, err = s.check(m, err)
	return m, c, err
}

func (s owned[M]) LoginByEmail(ctx context.Context, key string) (roster.Model, *roster.Credential, error) {
	m, c, err := s.Store.LoginByEmail(ctx, key)
	m, err = s.check(m, err)
	return m, c, err
}

func (s owned[M]) SessionByHash(ctx context.Context, hash roster.Secret) (*roster.Session, roster.Model, error) {
	one, m, err := s.Store.SessionByHash(ctx, hash)
	m, err = s.check(m, err)
	return one, m, err
}

// modelCase is a promise about own types.
type modelCase[M roster.Model] struct {
	name, rule string
	run        func(t *testing.T, s roster.Store, fill func(n int) M)
}

func modelCases[M roster.Model]() []modelCase[M] {
	return []modelCase[M]{
		{"Model/Other", "A value of another type is an InvalidError of FieldModel, and nothing is written.", modelOther[M]},
		{"Model/Update", "UpdateUser writes the host's fields with a version check.", modelUpdate[M]},
		{"Model/Plain", "A plain user gets the defaults of the host's fields, and leaves them alone when it is written again.", modelPlain[M]},
		{"Model/Copies", "What a caller does to a value does not reach the store, nor another reader.", modelCopies[M]},
	}
}

// stranger is no type of a host's.
type stranger struct{ roster.User }

func modelOther[M roster.Model](t *testing.T, s roster.Store, fill func(n int) M) {
	ctx := t.Context()
	ann := fill(1)
	*ann.RosterUser() = *user("ann")
	ok(t, s.InsertUser(ctx, ann, ""))
	refused := func(what string, err error) {
		t.Helper()
		var invalid *roster.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != roster.FieldModel {
			t.Errorf("%s: %v, want an InvalidError of %s", what, err, roster.FieldModel)
		}
	}
	refused("InsertUser", s.InsertUser(ctx, &stranger{*user("ben")}, ""))
	row := rowOf(s.UserByID(ctx, ann.RosterUser().ID))(t)
	refused("UpdateUser", s.UpdateUser(ctx, &stranger{*row}, ""))
	fails(t, "the transaction", s.Atomic(ctx, func(ctx context.Context) error {
		refused("InsertUser", s.InsertUser(ctx, &stranger{*user("ben")}, ""))
		return nil
	}), roster.ErrTxAborted)
	_, err := s.UserByName(ctx, "ben")
	fails(t, "the row", err, roster.ErrNotFound)
}

func modelUpdate[M roster.Model](t *testing.T, s roster.Store, fill func(n int) M) {
	ctx := t.Context()
	first := fill(1)
	*first.RosterUser() = *user("ann")
	ok(t, s.InsertUser(ctx, first, ""))
	id := first.RosterUser().ID
	second := fill(2)
	*second.RosterUser() = *first.RosterUser()
	ok(t, s.UpdateUser(ctx, second, ""))
	sameModel(t, "after UpdateUser", got(s.UserByID(ctx, id))(t), second)
	fails(t, "the version before", s.UpdateUser(ctx, first, ""), roster.ErrStale)
	sameModel(t, "after a stale one", got(s.UserByID(ctx, id))(t), second)
	ok(t, s.RecordLogin(ctx, id, at(0), "192.0.2.1"))
	sameModel(t, "after a sign-in", got(s.UserByID(ctx, id))(t), second)
}

func modelPlain[M roster.Model](t *testing.T, s roster.Store, fill func(n int) M) {
	ctx := t.Context()
	plain := user("ben")
	switch err := s.InsertUser(ctx, plain, ""); {
	case errors.Is(err, roster.ErrInvalid):
		t.Logf("a field of the host must be filled: %v", err)
	default:
		ok(t, err)
		if _, is := got(s.UserByID(ctx, plain.ID))(t).(M); !is {
			t.Error("a plain user is not read as the host's type")
		}
	}
	ann := fill(1)
	*ann.RosterUser() = *user("ann")
	ok(t, s.InsertUser(ctx, ann, ""))
	row := *ann.RosterUser()
	row.RealName = "Changed"
	ok(t, s.UpdateUser(ctx, &row, ""))
	now := got(s.UserByID(ctx, row.ID))(t)
	sameModel(t, "after a plain UpdateUser", now, ann)
	same(t, "its user", now.RosterUser(), &row)
}

func modelCopies[M roster.Model](t *testing.T, s roster.Store, fill func(n int) M) {
	ctx := t.Context()
	m, want := fill(1), fill(1)
	*m.RosterUser() = *user("ann")
	ok(t, s.InsertUser(ctx, m, ""))
	id := m.RosterUser().ID
	overwrite(reflect.ValueOf(m).Elem())
	for range 2 {
		read := got(s.UserByID(ctx, id))(t)
		sameModel(t, "the row", read, want)
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
			if !f.IsNil() && f.Type() != reflect.TypeFor[*roster.User]() && f.CanSet() {
				f.Elem().SetZero()
			}
		}
	}
}
