package memory

import (
	"context"
	"time"

	"github.com/go-roster/roster"
)

type grantTable struct {
	byID         index[roster.GrantID, *roster.Grant]
	byUser       index[string, *roster.Grant] // by user, scope and permission
	byGroup      index[string, *roster.Grant] // by group, scope and permission
	byScope      index[string, *roster.Grant] // by scope and ID
	byPermission index[string, *roster.Grant] // by permission, scope and ID
	byEnd        index[string, *roster.Grant] // by Until and ID, of those that end
}

// subjectKey is the beginning of the key of the grants of a subject in a scope.
func subjectKey(s roster.Subject, scope roster.ScopeID) string {
	return ints(int64(s.User)+int64(s.Group), int64(scope)) // one of them is zero
}

// ofSubject is the index that the grants of the subject are in.
func (t *grantTable) ofSubject(s roster.Subject) *index[string, *roster.Grant] {
	if s.Group != 0 {
		return &t.byGroup
	}
	return &t.byUser
}

// setGrant puts a row in the place of the one with its ID, if there is one.
func (st *state) setGrant(row *roster.Grant) {
	t := &st.grants
	if old := t.byID.get(row.ID); old != nil && !old.Until.IsZero() {
		drop(st, &t.byEnd, endKey(old))
	}
	if !row.Until.IsZero() {
		put(st, &t.byEnd, endKey(row), row)
	}
	put(st, &t.byID, row.ID, row)
	put(st, t.ofSubject(row.Subject), subjectKey(row.Subject, row.ScopeID)+string(row.Permission), row)
	put(st, &t.byScope, ints(int64(row.ScopeID), int64(row.ID)), row)
	put(st, &t.byPermission, text(string(row.Permission))+ints(int64(row.ScopeID), int64(row.ID)), row)
}

// endKey is where a grant stands that ends.
func endKey(g *roster.Grant) string { return ints(g.Until.UnixMicro(), int64(g.ID)) }

func (st *state) dropGrant(row *roster.Grant) {
	t := &st.grants
	if !row.Until.IsZero() {
		drop(st, &t.byEnd, endKey(row))
	}
	drop(st, &t.byID, row.ID)
	drop(st, t.ofSubject(row.Subject), subjectKey(row.Subject, row.ScopeID)+string(row.Permission))
	drop(st, &t.byScope, ints(int64(row.ScopeID), int64(row.ID)))
	drop(st, &t.byPermission, text(string(row.Permission))+ints(int64(row.ScopeID), int64(row.ID)))
}

// dropGrants deletes the rows of a group or of a user, whose index it is.
func (st *state) dropGrants(ix index[string, *roster.Grant], id int64) {
	var rows []*roster.Grant
	for _, row := range prefixed(ix, ints(id)) {
		rows = append(rows, row)
	}
	for _, row := range rows {
		st.dropGrant(row)
	}
}

// PruneGrants implements [roster.GrantStore].
func (s *Store) PruneGrants(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit <= 0 {
		return nothing[int](ctx, s)
	}
	before = micros(before)
	return write(ctx, s, func(st *state) (int, error) {
		var rows []*roster.Grant
		for _, g := range st.grants.byEnd.from("") {
			if len(rows) >= limit || !g.Until.Before(before) {
				break
			}
			rows = append(rows, g)
		}
		for _, g := range rows {
			st.dropGrant(g)
		}
		return len(rows), nil
	})
}

// PutGrants implements [roster.GrantStore].
func (s *Store) PutGrants(ctx context.Context, g roster.Grant, ps ...roster.Permission) (int, error) {
	if len(ps) == 0 {
		return nothing[int](ctx, s)
	}
	g.From, g.Until, g.CreatedAt = micros(g.From), micros(g.Until), micros(g.CreatedAt)
	return write(ctx, s, func(st *state) (n int, _ error) {
		missing := g.Subject.Group == 0 && st.users.byID.get(g.Subject.User) == nil
		if missing || g.Subject.Group != 0 && st.groups.byID.get(g.Subject.Group) == nil {
			return 0, &roster.ConflictError{Field: roster.FieldSubject}
		}
		for _, p := range ps {
			row := g
			row.Permission = p
			if old := st.grants.ofSubject(g.Subject).get(subjectKey(g.Subject, g.ScopeID) + string(p)); old != nil {
				if old.From.Equal(g.From) && old.Until.Equal(g.Until) {
					continue
				}
				row = *old
				row.From, row.Until = g.From, g.Until
			} else {
				s.ids.grant++
				row.ID = s.ids.grant
			}
			st.setGrant(&row)
			n++
		}
		return n, nil
	})
}

// DeleteGrants implements [roster.GrantStore].
func (s *Store) DeleteGrants(ctx context.Context, of roster.Subject, scope roster.ScopeID, ps ...roster.Permission) (int, error) {
	if len(ps) == 0 {
		return nothing[int](ctx, s)
	}
	return write(ctx, s, func(st *state) (n int, _ error) {
		for _, p := range ps {
			if row := st.grants.ofSubject(of).get(subjectKey(of, scope) + string(p)); row != nil {
				st.dropGrant(row)
				n++
			}
		}
		return n, nil
	})
}

// GrantsOf implements [roster.GrantStore].
func (s *Store) GrantsOf(ctx context.Context, of roster.Subject) ([]*roster.Grant, error) {
	return read(ctx, s, func(st *state) (gs []*roster.Grant, _ error) {
		for _, row := range prefixed(*st.grants.ofSubject(of), ints(int64(of.User)+int64(of.Group))) {
			c := *row
			gs = append(gs, &c)
		}
		return gs, nil
	})
}

// GrantsIn implements [roster.GrantStore].
func (s *Store) GrantsIn(ctx context.Context, scope roster.ScopeID, after roster.GrantID, limit int) ([]*roster.Grant, error) {
	return read(ctx, s, func(st *state) (gs []*roster.Grant, _ error) {
		for _, row := range st.grants.byScope.from(ints(int64(scope), int64(after))) {
			if row.ScopeID != scope || len(gs) >= limit {
				break
			}
			if row.ID != after {
				c := *row
				gs = append(gs, &c)
			}
		}
		return gs, nil
	})
}
