package storetest

import (
	"context"
	"fmt"
	"hash/fnv"
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
	runOwn(t, "Model/", func(t *testing.T) own[M] { return ownUsers(newStore(t), fill) })
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
		want := s.around(in.RosterUser())
		*want.RosterUser() = *in.RosterUser()
		sameModel(s.t, "a row", in, want)
	}
	return in, err
}

func (s owned[M]) checkAll(in []roster.Model, err error) ([]roster.Model, error) {
	for _, m := range in {
		_, _ = s.check(m, nil)
	}
	return in, err
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
