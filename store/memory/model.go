package memory

import (
	"maps"
	"slices"

	"github.com/go-roster/roster"
)

// userRow is a row of a user. Here and nowhere else users are copied in and
// out.
type userRow struct {
	*roster.User
	search string
}

// newUserRow copies what a caller handed in.
func newUserRow(m roster.Model, search string) (*userRow, error) {
	plain, ok := m.(*roster.User)
	if !ok {
		return nil, &roster.InvalidError{Field: roster.FieldModel, Reason: roster.ReasonUnknown}
	}
	u := cloneUser(plain)
	u.ActivatedAt = micros(u.ActivatedAt)
	u.DeletedAt = micros(u.DeletedAt)
	u.LastLoginAt = micros(u.LastLoginAt)
	u.PasswordChangedAt = micros(u.PasswordChangedAt)
	u.AuthChangedAt = micros(u.AuthChangedAt)
	u.CreatedAt = micros(u.CreatedAt)
	u.UpdatedAt = micros(u.UpdatedAt)
	return &userRow{User: u, search: search}, nil
}

// with returns a row that differs from r by what change does to its user.
// change must not touch what Data refers to.
func (r *userRow) with(change func(*roster.User)) *userRow {
	u := *r.User
	change(&u)
	return &userRow{User: &u, search: r.search}
}

// model copies the row for a caller. A nil row is ErrNotFound.
func (r *userRow) model() (roster.Model, error) {
	if r == nil {
		return nil, roster.ErrNotFound
	}
	return cloneUser(r.User), nil
}

// models copies rows for a caller.
func models(rows []*userRow) []roster.Model {
	if rows == nil {
		return nil
	}
	out := make([]roster.Model, len(rows))
	for i, r := range rows {
		out[i] = cloneUser(r.User)
	}
	return out
}

// cloneUser returns a copy that shares nothing with u.
func cloneUser(u *roster.User) *roster.User {
	c := *u
	c.Row = roster.Row{}
	if c.Data != nil {
		c.Data = maps.Clone(c.Data)
		for key, raw := range c.Data {
			c.Data[key] = slices.Clone(raw)
		}
	}
	return &c
}
