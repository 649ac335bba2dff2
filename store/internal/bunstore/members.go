package bunstore

import (
	"context"
	"database/sql"

	"github.com/go-roster/roster"
)

type memberQueries struct{ put, remove, after, of *Query }

const memberColumns = "group_id, user_id, rights, created_at"

func (s *Store) memberQueries() memberQueries {
	sel := "SELECT " + memberColumns + " FROM {members} WHERE "
	return memberQueries{
		put: s.writing("INSERT INTO {members} AS m ("+memberColumns+`) VALUES ($1, $2, $3, $4)
ON CONFLICT (group_id, user_id) DO UPDATE SET rights = excluded.rights WHERE m.rights <> excluded.rights`, roster.FieldGroup),
		remove: s.constant("DELETE FROM {members} WHERE group_id = $1 AND user_id = $2"),
		after:  s.planned(sel + "group_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3"),
		of:     s.constant(sel + s.dialect.In("user_id", 1) + " ORDER BY user_id, group_id"),
	}
}

func collectMembers(to *[]*roster.Membership) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		m := new(roster.Membership)
		*to = append(*to, m)
		return rows.Scan(&m.GroupID, &m.UserID, &m.Rights, (*moment)(&m.CreatedAt))
	}
}

// PutMember implements [roster.MemberStore].
func (s *Store) PutMember(ctx context.Context, m *roster.Membership) (bool, error) {
	n, err := s.exec(ctx, s.member.put, int64(m.GroupID), int64(m.UserID), m.Rights, s.dialect.Time(m.CreatedAt))
	return n > 0, err
}

// DeleteMember implements [roster.MemberStore].
func (s *Store) DeleteMember(ctx context.Context, group roster.GroupID, user roster.UserID) error {
	return found(s.exec(ctx, s.member.remove, int64(group), int64(user)))
}

// MembersAfter implements [roster.MemberStore].
func (s *Store) MembersAfter(
	ctx context.Context, group roster.GroupID, after roster.UserID, limit int,
) (ms []*roster.Membership, err error) {
	if limit <= 0 {
		return nil, s.nothing(ctx)
	}
	err = s.rows(ctx, s.member.after, collectMembers(&ms), int64(group), int64(after), limit)
	return listed(ms, err)
}

// MembershipsOf implements [roster.MemberStore].
func (s *Store) MembershipsOf(ctx context.Context, users ...roster.UserID) (ms []*roster.Membership, err error) {
	if len(users) == 0 {
		return nil, s.nothing(ctx)
	}
	err = s.rows(ctx, s.member.of, collectMembers(&ms), s.dialect.IDs(int64s(users)))
	return listed(ms, err)
}
