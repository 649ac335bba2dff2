package bunstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/go-roster/roster"
)

// grantQueries are those about rows; what reaches a user is in held.go. Of two,
// the first is for users and the second for groups.
type grantQueries struct {
	put, remove, of [2]*Query
	in, prune       *Query
}

const grantColumns = "id, user_id, group_id, scope_id, permission, valid_from, valid_until, created_by, created_at"

func (s *Store) grantQueries() (q grantQueries) {
	for i, subject := range []string{"user_id", "group_id"} {
		q.put[i] = s.writing("INSERT INTO {grants} AS g ("+subject+`, scope_id, permission, valid_from, valid_until, created_by, created_at)
SELECT $1, $2, p.v, $4, $5, $6, $7 FROM `+s.dialect.Each(3)+` p WHERE TRUE
ON CONFLICT (`+subject+`, scope_id, permission) WHERE `+subject+` IS NOT NULL
DO UPDATE SET valid_from = excluded.valid_from, valid_until = excluded.valid_until
WHERE g.valid_from IS DISTINCT FROM excluded.valid_from OR g.valid_until IS DISTINCT FROM excluded.valid_until`, roster.FieldSubject)
		q.remove[i] = s.constant("DELETE FROM {grants} WHERE " + subject + " = $1 AND scope_id = $2 AND " + s.dialect.In("permission", 3))
		q.of[i] = s.constant("SELECT " + grantColumns + " FROM {grants} WHERE " + subject + " = $1 ORDER BY scope_id, permission")
	}
	q.in = s.planned("SELECT " + grantColumns + " FROM {grants} WHERE scope_id = $1 AND id > $2 ORDER BY id LIMIT $3")
	q.prune = s.planned(`WITH gone AS MATERIALIZED (
SELECT id FROM {grants} WHERE valid_until < $1 ORDER BY valid_until, id LIMIT $2` + s.dialect.ForUpdate + `)
DELETE FROM {grants} WHERE id IN (SELECT id FROM gone)`)
	return q
}

// subject returns which of two queries is for it, and its ID.
func subject(of roster.Subject) (which int, id int64) {
	if of.Group != 0 {
		return 1, int64(of.Group)
	}
	return 0, int64(of.User)
}

func collectGrants(to *[]*roster.Grant) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		g := new(roster.Grant)
		*to = append(*to, g)
		return rows.Scan(&g.ID, (*optionalID)(&g.Subject.User), (*optionalGroup)(&g.Subject.Group), &g.ScopeID, &g.Permission,
			(*moment)(&g.From), (*moment)(&g.Until), &g.CreatedBy, (*moment)(&g.CreatedAt))
	}
}

// optionalGroup is optionalID for the ID of a group.
type optionalGroup roster.GroupID

// Scan implements [sql.Scanner].
func (id *optionalGroup) Scan(src any) error {
	var n sql.NullInt64
	err := n.Scan(src)
	*id = optionalGroup(n.Int64)
	return err
}

// PutGrants implements [roster.GrantStore].
func (s *Store) PutGrants(ctx context.Context, g roster.Grant, ps ...roster.Permission) (int, error) {
	if len(ps) == 0 {
		return 0, s.nothing(ctx)
	}
	i, id := subject(g.Subject)
	return s.exec(ctx, s.grant.put[i], id, int64(g.ScopeID), s.dialect.Texts(texts(ps)), s.dialect.nullTime(g.From),
		s.dialect.nullTime(g.Until), int64(g.CreatedBy), s.dialect.Time(g.CreatedAt))
}

// DeleteGrants implements [roster.GrantStore].
func (s *Store) DeleteGrants(ctx context.Context, of roster.Subject, scope roster.ScopeID, ps ...roster.Permission) (int, error) {
	if len(ps) == 0 {
		return 0, s.nothing(ctx)
	}
	i, id := subject(of)
	return s.exec(ctx, s.grant.remove[i], id, int64(scope), s.dialect.Texts(texts(ps)))
}

// PruneGrants implements [roster.GrantStore].
func (s *Store) PruneGrants(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, s.nothing(ctx)
	}
	return s.exec(ctx, s.grant.prune, s.dialect.Time(before), limit)
}

// GrantsOf implements [roster.GrantStore].
func (s *Store) GrantsOf(ctx context.Context, of roster.Subject) (gs []*roster.Grant, err error) {
	i, id := subject(of)
	err = s.rows(ctx, s.grant.of[i], collectGrants(&gs), id)
	return listed(gs, err)
}

// GrantsIn implements [roster.GrantStore].
func (s *Store) GrantsIn(ctx context.Context, scope roster.ScopeID, after roster.GrantID, limit int) (gs []*roster.Grant, err error) {
	if limit <= 0 {
		return nil, s.nothing(ctx)
	}
	err = s.rows(ctx, s.grant.in, collectGrants(&gs), int64(scope), int64(after), limit)
	return listed(gs, err)
}
