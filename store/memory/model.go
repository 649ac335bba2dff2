package memory

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/mixin"
)

// userRow is a row of a user. Here and nowhere else users are copied in and
// out.
type userRow struct {
	*roster.User
	search string

	of     *mixin.Type
	added  []any    // the columns of the host's type, as a database has them
	unique []string // keys of those that are unique; empty where one is NULL
}

// newUserRow copies what a caller handed in. own says that the host's columns
// are among that.
func (s *Store) newUserRow(m roster.Model, search string) (row *userRow, own bool, err error) {
	added, own, err := s.model.Values(m)
	if err != nil {
		return nil, false, err
	}
	u := cloneUser(m.RosterUser())
	u.ActivatedAt = micros(u.ActivatedAt)
	u.DeletedAt = micros(u.DeletedAt)
	u.LastLoginAt = micros(u.LastLoginAt)
	u.PasswordChangedAt = micros(u.PasswordChangedAt)
	u.AuthChangedAt = micros(u.AuthChangedAt)
	u.CreatedAt = micros(u.CreatedAt)
	u.UpdatedAt = micros(u.UpdatedAt)
	row = &userRow{User: u, search: search, of: s.model}
	row.add(added)
	return row, own, nil
}

// add sets the host's columns.
func (r *userRow) add(values []any) {
	r.added, r.unique = values, nil
	if values == nil {
		return
	}
	for n, set := range r.of.Uniques() {
		key := ints(int64(n))
		for _, i := range set {
			if values[i] == nil {
				key = ""
				break
			}
			key += text(keyOf(values[i]))
		}
		r.unique = append(r.unique, key)
	}
}

// keyOf is different for different values of a column.
func keyOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case time.Time:
		return strconv.FormatInt(v.UnixMicro(), 10)
	default:
		return fmt.Sprint(v)
	}
}

// with returns a row that differs from r by what change does to its user.
// change must not touch what Data refers to.
func (r *userRow) with(change func(*roster.User)) *userRow {
	u, row := *r.User, *r
	change(&u)
	row.User = &u
	return &row
}

// model copies the row for a caller. A nil row is ErrNotFound.
func (r *userRow) model() (roster.Model, error) {
	if r == nil {
		return nil, roster.ErrNotFound
	}
	if r.added == nil && r.of == mixin.Plain {
		return cloneUser(r.User), nil
	}
	m := r.of.New()
	*m.RosterUser() = *cloneUser(r.User)
	fields := r.of.Fields(m)
	for i := range fields {
		if err := fields[i].Scan(r.added[i]); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// models copies rows for a caller.
func models(rows []*userRow) ([]roster.Model, error) {
	if rows == nil {
		return nil, nil
	}
	out := make([]roster.Model, len(rows))
	for i, r := range rows {
		m, err := r.model()
		if err != nil {
			return nil, err
		}
		out[i] = m
	}
	return out, nil
}

// cloneUser returns a copy that shares nothing with u.
func cloneUser(u *roster.User) *roster.User {
	c := *u
	c.Row = roster.Row{}
	c.Data = cloneData(c.Data)
	return &c
}

// setUnique puts the keys of row in the place of those of old. Either may be
// nil.
func (st *state) setUnique(id roster.UserID, old, row *userRow) {
	var before, after []string
	if old != nil {
		before = old.unique
	}
	if row != nil {
		after = row.unique
	}
	if slices.Equal(before, after) {
		return
	}
	for _, key := range before {
		if key != "" {
			drop(st, &st.users.unique, key)
		}
	}
	for _, key := range after {
		if key != "" {
			put(st, &st.users.unique, key, id)
		}
	}
}

// checkUnique refuses values of the host's columns that another user has.
func (st *state) checkUnique(row *userRow) error {
	for n, key := range row.unique {
		if holder := st.users.unique.get(key); key != "" && holder != 0 && holder != row.ID {
			set := row.of.Uniques()[n]
			return &roster.ConflictError{Field: row.of.Columns[set[0]].Name}
		}
	}
	return nil
}

// Option changes how a Store is made.
type Option func(*Store) error

// Model makes the store one of the host's own type of users, a struct that
// embeds [roster.User] or a pointer to it, as Model of the packages sqlite and
// postgres does: with the same defaults and, where the tags say so, unique
// values. [New] panics with what the others refuse.
func Model[M any, P roster.ModelOf[M]]() Option {
	return func(s *Store) (err error) {
		s.model, err = mixin.Of[M, P]()
		return err
	}
}

// apply panics if an option is wrong: that is a mistake in the program, and no
// state of the world brings it about.
func (s *Store) apply(opts []Option) {
	var mistakes []string
	for _, opt := range opts {
		if err := opt(s); err != nil {
			mistakes = append(mistakes, err.Error())
		}
	}
	if mistakes != nil {
		panic("memory.New: " + strings.Join(mistakes, "\n"))
	}
}
