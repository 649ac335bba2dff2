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

// added are the columns of the host's type in a row.
type added struct {
	of     *mixin.Shape
	values []any    // as a database has them
	unique []string // keys of those that are unique; empty where one is NULL
}

func addedOf(of *mixin.Shape, values []any) added {
	a := added{of: of, values: values}
	if values == nil {
		return a
	}
	for n, set := range of.Uniques() {
		key := ints(int64(n))
		for _, i := range set {
			if values[i] == nil {
				key = ""
				break
			}
			key += text(keyOf(values[i]))
		}
		a.unique = append(a.unique, key)
	}
	return a
}

// inserts are the host's columns of a new row: a plain one has the defaults.
func inserts[M any](of *mixin.Type[M], m M) (added, error) {
	values, own, err := of.Values(m)
	if err == nil && !own {
		values, err = of.Defaults(m)
	}
	return addedOf(&of.Shape, values), err
}

// updates are those of a row that is written again: nil if it is a plain one, which
// leaves them alone.
func updates[M any](of *mixin.Type[M], m M) (*added, error) {
	values, own, err := of.Values(m)
	if err != nil || !own {
		return nil, err
	}
	a := addedOf(&of.Shape, values)
	return &a, nil
}

// fill makes the value of the host's type around a row. part copies what is
// roster's into it.
func fill[M any](of *mixin.Type[M], a added, part func(m M)) (M, error) {
	m := of.New()
	part(m)
	fields := of.Fields(m)
	for i := range fields {
		if err := fields[i].Scan(a.values[i]); err != nil {
			var none M
			return none, err
		}
	}
	return m, nil
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

// setUnique puts the keys of a row in the place of those that it had.
func setUnique[ID ~int64](st *state, ix *index[string, ID], id ID, before, after []string) {
	if slices.Equal(before, after) {
		return
	}
	for _, key := range before {
		if key != "" {
			drop(st, ix, key)
		}
	}
	for _, key := range after {
		if key != "" {
			put(st, ix, key, id)
		}
	}
}

// checkUnique refuses values of the host's columns that another row has.
func checkUnique[ID ~int64](ix index[string, ID], id ID, a added) error {
	for n, key := range a.unique {
		if holder := ix.get(key); key != "" && holder != 0 && holder != id {
			return &roster.ConflictError{Field: a.of.Columns[a.of.Uniques()[n][0]].Name}
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

// GroupModel is [Model] for groups: M is a struct that embeds [roster.Group] or a
// pointer to it.
func GroupModel[M any, P roster.GroupModelOf[M]]() Option {
	return func(s *Store) (err error) {
		s.groupModel, err = mixin.OfGroup[M, P]()
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
