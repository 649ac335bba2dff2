package memory

import (
	"context"
	"time"

	"github.com/go-roster/roster"
)

// LoginByName implements [roster.LoginStore].
func (s *Store) LoginByName(ctx context.Context, key string) (roster.Model, *roster.Credential, error) {
	return s.login(ctx, func(st *state) *userRow { return st.userByName(key) })
}

// LoginByEmail implements [roster.LoginStore].
func (s *Store) LoginByEmail(ctx context.Context, key string) (roster.Model, *roster.Credential, error) {
	return s.login(ctx, func(st *state) *userRow { return st.userByEmail(key) })
}

// login returns the user that find finds, with its credential.
func (s *Store) login(
	ctx context.Context, find func(*state) *userRow,
) (roster.Model, *roster.Credential, error) {
	var c *roster.Credential
	m, err := read(ctx, s, func(st *state) (roster.Model, error) {
		r := find(st)
		if r != nil {
			c = st.credential(r.ID, 0)
		}
		return r.out()
	})
	return m, c, err
}

// RecordLogin implements [roster.LoginStore].
func (s *Store) RecordLogin(ctx context.Context, id roster.UserID, at time.Time, ip string) error {
	return exec(ctx, s, func(st *state) error {
		old := st.users.byID.get(id)
		if old == nil {
			return roster.ErrNotFound
		}
		st.setUser(id, old, old.with(func(u *roster.User) {
			u.LastLoginAt, u.LastLoginIP = micros(at), ip
		}))
		return nil
	})
}
