package memory

import (
	"context"

	"github.com/go-roster/roster"
)

type memberTable struct {
	byGroup index[string, *roster.Membership] // by group and user
	byUser  index[string, *roster.Membership] // by user and group
}

func memberGroupKey(m *roster.Membership) string { return ints(int64(m.GroupID), int64(m.UserID)) }

func memberUserKey(m *roster.Membership) string { return ints(int64(m.UserID), int64(m.GroupID)) }

func (st *state) setMember(row *roster.Membership) {
	put(st, &st.members.byGroup, memberGroupKey(row), row)
	put(st, &st.members.byUser, memberUserKey(row), row)
}

func (st *state) dropMember(row *roster.Membership) {
	drop(st, &st.members.byGroup, memberGroupKey(row))
	drop(st, &st.members.byUser, memberUserKey(row))
}

// dropMembers deletes the rows of a group or of a user, whose index it is.
func (st *state) dropMembers(ix index[string, *roster.Membership], id int64) {
	var rows []*roster.Membership
	for _, row := range prefixed(ix, ints(id)) {
		rows = append(rows, row)
	}
	for _, row := range rows {
		st.dropMember(row)
	}
}

// PutMember implements [roster.MemberStore].
func (s *Store) PutMember(ctx context.Context, m *roster.Membership) (bool, error) {
	row := *m
	row.CreatedAt = micros(row.CreatedAt)
	return write(ctx, s, func(st *state) (bool, error) {
		old := st.members.byGroup.get(memberGroupKey(&row))
		switch {
		case old != nil && old.Rights == row.Rights:
			return false, nil
		case old != nil:
			row.CreatedAt = old.CreatedAt
		case st.groups.byID.get(row.GroupID) == nil || st.users.byID.get(row.UserID) == nil:
			return false, &roster.ConflictError{Field: roster.FieldGroup}
		}
		st.setMember(&row)
		return true, nil
	})
}

// DeleteMember implements [roster.MemberStore].
func (s *Store) DeleteMember(ctx context.Context, group roster.GroupID, user roster.UserID) error {
	return exec(ctx, s, func(st *state) error {
		row := st.members.byGroup.get(ints(int64(group), int64(user)))
		if row == nil {
			return roster.ErrNotFound
		}
		st.dropMember(row)
		return nil
	})
}

// MembersAfter implements [roster.MemberStore].
func (s *Store) MembersAfter(
	ctx context.Context, group roster.GroupID, after roster.UserID, limit int,
) ([]*roster.Membership, error) {
	return read(ctx, s, func(st *state) (ms []*roster.Membership, _ error) {
		for _, row := range st.members.byGroup.from(ints(int64(group), int64(after))) {
			if row.GroupID != group || len(ms) >= limit {
				break
			}
			if row.UserID != after {
				c := *row
				ms = append(ms, &c)
			}
		}
		return ms, nil
	})
}

// MembershipsOf implements [roster.MemberStore].
func (s *Store) MembershipsOf(ctx context.Context, users ...roster.UserID) ([]*roster.Membership, error) {
	return read(ctx, s, func(st *state) (ms []*roster.Membership, _ error) {
		for _, id := range set(users) {
			for _, row := range prefixed(st.members.byUser, ints(int64(id))) {
				c := *row
				ms = append(ms, &c)
			}
		}
		return ms, nil
	})
}
