package memory

import (
	"context"
	"iter"
	"strings"

	"github.com/go-roster/roster"
)

// matches goes through the users that q is about, in the order of pages, from
// where the page before ended.
func (st *state) matches(q roster.UserQuery) iter.Seq[*userRow] {
	t := &st.users
	ix, start := t.live, q.AfterKey
	switch q.State {
	case roster.StateActivated:
		ix = t.active
	case roster.StatePending:
		ix = t.pending
	case roster.StateDeleted:
		ix, start = t.deleted, text(q.AfterKey)+ints(int64(q.AfterID))
	}
	return func(yield func(*userRow) bool) {
		for _, id := range ix.from(start) {
			r := t.byID.get(id)
			if r.NameKey == q.AfterKey && r.ID <= q.AfterID {
				continue
			}
			if strings.Contains(r.search, q.Contains) && !yield(r) {
				return
			}
		}
	}
}

// UserPage implements [roster.UserStore].
func (s *Store) UserPage(ctx context.Context, q roster.UserQuery) ([]roster.Model, error) {
	return read(ctx, s, func(st *state) ([]roster.Model, error) {
		if q.Limit <= 0 {
			return nil, nil
		}
		var rows []*userRow
		for r := range st.matches(q) {
			rows = append(rows, r)
			if len(rows) == q.Limit {
				break
			}
		}
		return usersOut(rows)
	})
}

// CountUsers implements [roster.UserStore].
func (s *Store) CountUsers(ctx context.Context, q roster.UserQuery) (int, error) {
	q.AfterKey, q.AfterID = "", 0
	return read(ctx, s, func(st *state) (int, error) {
		if q.Contains == "" {
			return st.countState(q.State), nil
		}
		n := 0
		for range st.matches(q) {
			n++
		}
		return n, nil
	})
}

func (st *state) countState(state roster.State) int {
	switch t := &st.users; state {
	case roster.StateActivated:
		return t.active.len()
	case roster.StatePending:
		return t.pending.len()
	case roster.StateDeleted:
		return t.deleted.len()
	default:
		return t.live.len()
	}
}

// UsersAfter implements [roster.UserStore].
func (s *Store) UsersAfter(ctx context.Context, after roster.UserID, limit int) ([]roster.StoredUser, error) {
	return read(ctx, s, func(st *state) ([]roster.StoredUser, error) {
		var out []roster.StoredUser
		for id, r := range st.users.byID.from(after) {
			if len(out) >= limit {
				break
			}
			if id == after {
				continue
			}
			m, err := r.out()
			if err != nil {
				return nil, err
			}
			out = append(out, roster.StoredUser{User: m, Search: r.search})
		}
		return out, nil
	})
}
