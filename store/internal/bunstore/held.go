package bunstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/go-roster/roster"
)

type heldQueries struct{ of, holds, anywhere, byAll, holders, scopes, privileged, privilegedIn *Query }

// liveUser is who can sign in.
var liveUser = fmt.Sprintf("u.enabled AND u.activated_at IS NOT NULL AND u.deleted_at IS NULL AND u.flags & %d = 0",
	roster.FlagBanned|roster.FlagLocked)

// The two ways in which a grant reaches a user. SQLite keeps to the order of a
// CROSS JOIN, and needs to be told: it knows nothing of how many rows there are.
const (
	ownGrants   = "{grants} g"
	groupGrants = "{members} m CROSS JOIN {grants} g"
)

// valid is that the grant is good at the time that is argument n.
func valid(n int) string {
	return fmt.Sprintf("(g.valid_from IS NULL OR g.valid_from <= $%d) AND (g.valid_until IS NULL OR g.valid_until > $%[1]d)", n)
}

// gives is that the grant is of the permission that is argument n, or of all. No
// index is for that where the user is known.
func gives(n int) string {
	return fmt.Sprintf("CASE WHEN g.permission = '*' THEN g.scope_id = 0 ELSE g.permission = $%d END", n)
}

func (s *Store) heldQueries() heldQueries {
	in := s.dialect.In
	// What they have in common, of a user's own grants and of those of groups.
	both := func(columns, where string) string {
		return "SELECT g.user_id, " + columns + " FROM " + ownGrants + " WHERE " + fmt.Sprintf(where, "g.user_id") +
			" UNION ALL SELECT m.user_id, " + columns + " FROM " + groupGrants + " WHERE g.group_id = m.group_id AND " + fmt.Sprintf(where, "m.user_id")
	}
	named := "g.permission IN ($1, '*') AND g.scope_id IN (0, $3, $4) AND (g.permission <> '*' AND g.scope_id IN ($3, $4) OR g.permission = '*' AND g.scope_id = 0) AND " + valid(2)
	one := "g.scope_id IN (0, $4, $5) AND CASE WHEN g.permission = '*' THEN g.scope_id = 0 ELSE g.permission = $2 AND g.scope_id IN ($4, $5) END AND " + valid(3)
	of := "g.id, g.group_id, g.scope_id, g.permission, g.valid_from, g.valid_until"
	return heldQueries{
		// What the hottest question has to carry: not whose it is.
		of: s.constant("SELECT " + of + " FROM " + ownGrants + " WHERE g.user_id = $1 AND g.scope_id IN (0, $2) UNION ALL SELECT " +
			of + " FROM " + groupGrants + " WHERE g.group_id = m.group_id AND m.user_id = $1 AND g.scope_id IN (0, $2)" +
			" UNION ALL SELECT 0, NULL, 0, '', NULL, NULL FROM {users} u WHERE u.id = $1 AND " + liveUser),
		holds: s.constant("SELECT EXISTS (SELECT 1 FROM {users} u WHERE u.id = $1 AND " + liveUser + ") AND (EXISTS (SELECT 1 FROM " +
			ownGrants + " WHERE g.user_id = $1 AND " + one + ") OR EXISTS (SELECT 1 FROM " +
			groupGrants + " WHERE g.group_id = m.group_id AND m.user_id = $1 AND " + one + "))"),
		anywhere: s.planned(both(of, in("%s", 1))),
		byAll: s.planned("SELECT h.user_id, h.id, h.group_id, h.scope_id, h.permission FROM (" +
			both("g.id, g.group_id, g.scope_id, g.permission", in("%s", 4)+" AND "+in("g.scope_id", 3)+
				" AND "+gives(1)+" AND "+valid(2)) +
			") h CROSS JOIN {users} u WHERE u.id = h.user_id AND " + liveUser),
		holders: s.planned("SELECT DISTINCT w.user_id FROM (SELECT o.user_id FROM (SELECT g.user_id FROM " + ownGrants +
			" CROSS JOIN {users} u WHERE u.id = g.user_id AND " + named + " AND g.user_id > $5 AND " + liveUser +
			" ORDER BY g.user_id LIMIT $6) o UNION ALL " +
			s.dialect.ForEach("SELECT DISTINCT g.group_id FROM "+ownGrants+" WHERE "+named+" AND g.group_id IS NOT NULL",
				"SELECT m.user_id FROM {members} m CROSS JOIN {users} u WHERE u.id = m.user_id AND m.group_id = h.group_id AND m.user_id > $5 AND "+
					liveUser+" ORDER BY m.user_id LIMIT $6", "user_id") +
			") w ORDER BY w.user_id LIMIT $6"),
		scopes: s.planned("SELECT DISTINCT h.scope_id FROM (" + both("g.scope_id", "%s = $1 AND g.scope_id > $4 AND "+gives(2)+" AND "+valid(3)) +
			") h WHERE EXISTS (SELECT 1 FROM {users} u WHERE u.id = $1 AND " + liveUser + ") ORDER BY h.scope_id LIMIT $5"),
		privileged: s.planned("SELECT DISTINCT h.user_id FROM (" +
			both("g.scope_id", in("%s", 1)+" AND (g.valid_until IS NULL OR g.valid_until > $2)") + ") h ORDER BY h.user_id"),
		privilegedIn: s.planned("SELECT DISTINCT h.user_id FROM (" +
			both("g.scope_id", in("%s", 1)+" AND (g.valid_until IS NULL OR g.valid_until > $2) AND "+in("g.scope_id", 3)) +
			") h ORDER BY h.user_id"),
	}
}

// HeldGrants implements [roster.GrantStore].
func (s *Store) HeldGrants(ctx context.Context, user roster.UserID, scope roster.ScopeID) (held []roster.Held, live bool, err error) {
	err = s.rows(ctx, s.held.of, func(rows *sql.Rows) error {
		h := roster.Held{UserID: user}
		err := rows.Scan(&h.GrantID, (*optionalGroup)(&h.GroupID), &h.ScopeID, &h.Permission, (*moment)(&h.From), (*moment)(&h.Until))
		if h.GrantID == 0 {
			live = true
		} else {
			held = append(held, h)
		}
		return err
	}, int64(user), int64(scope))
	if err != nil {
		return nil, false, err
	}
	slices.SortFunc(held, byGrant)
	return held, live, nil
}

// collectHeld returns a scan that appends to a list.
func collectHeld(to *[]roster.Held) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var h roster.Held
		err := rows.Scan(&h.UserID, &h.GrantID, (*optionalGroup)(&h.GroupID), &h.ScopeID, &h.Permission,
			(*moment)(&h.From), (*moment)(&h.Until))
		*to = append(*to, h)
		return err
	}
}

func byGrant(a, b roster.Held) int {
	return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.GrantID, b.GrantID))
}

// Holds implements [roster.GrantStore].
func (s *Store) Holds(
	ctx context.Context, user roster.UserID, p roster.Permission, now time.Time, one, other roster.ScopeID,
) (holds bool, err error) {
	err = s.row(ctx, s.held.holds, func(rows *sql.Rows) error { return rows.Scan(&holds) },
		int64(user), string(p), s.dialect.Time(now), int64(one), int64(other))
	return holds, err
}

// HeldAnywhere implements [roster.GrantStore].
func (s *Store) HeldAnywhere(ctx context.Context, users ...roster.UserID) (held []roster.Held, err error) {
	if len(users) == 0 {
		return nil, s.nothing(ctx)
	}
	err = s.rows(ctx, s.held.anywhere, collectHeld(&held), s.dialect.IDs(int64s(users)))
	slices.SortFunc(held, byGrant)
	return listed(held, err)
}

// HeldByAll implements [roster.GrantStore].
func (s *Store) HeldByAll(
	ctx context.Context, p roster.Permission, now time.Time, scopes []roster.ScopeID, users []roster.UserID,
) (held []roster.Held, err error) {
	if len(scopes) == 0 || len(users) == 0 {
		return nil, s.nothing(ctx)
	}
	err = s.rows(ctx, s.held.byAll, func(rows *sql.Rows) error {
		var h roster.Held
		err := rows.Scan(&h.UserID, &h.GrantID, (*optionalGroup)(&h.GroupID), &h.ScopeID, &h.Permission)
		held = append(held, h)
		return err
	}, string(p), s.dialect.Time(now), s.dialect.IDs(int64s(scopes)), s.dialect.IDs(int64s(users)))
	return listed(held, err)
}

// HoldersAfter implements [roster.GrantStore].
func (s *Store) HoldersAfter(
	ctx context.Context, p roster.Permission, now time.Time, one, other roster.ScopeID, after roster.UserID, limit int,
) (ids []roster.UserID, err error) {
	if limit <= 0 {
		return nil, s.nothing(ctx)
	}
	err = s.rows(ctx, s.held.holders, collect(&ids), string(p), s.dialect.Time(now), int64(one), int64(other), int64(after), limit)
	return listed(ids, err)
}

// ScopesAfter implements [roster.GrantStore].
func (s *Store) ScopesAfter(
	ctx context.Context, user roster.UserID, p roster.Permission, now time.Time, after roster.ScopeID, limit int,
) (ids []roster.ScopeID, err error) {
	if limit <= 0 {
		return nil, s.nothing(ctx)
	}
	err = s.rows(ctx, s.held.scopes, collect(&ids), int64(user), string(p), s.dialect.Time(now), int64(after), limit)
	return listed(ids, err)
}

// Privileged implements [roster.GrantStore].
func (s *Store) Privileged(
	ctx context.Context, now time.Time, scopes []roster.ScopeID, users ...roster.UserID,
) (ids []roster.UserID, err error) {
	if len(users) == 0 {
		return nil, s.nothing(ctx)
	}
	q, args := s.held.privileged, []any{s.dialect.IDs(int64s(users)), s.dialect.Time(now)}
	if len(scopes) > 0 {
		q, args = s.held.privilegedIn, append(args, s.dialect.IDs(int64s(scopes)))
	}
	err = s.rows(ctx, q, collect(&ids), args...)
	return listed(ids, err)
}
