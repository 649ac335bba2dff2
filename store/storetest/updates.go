package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var updateCases = []testCase{
	{name: "Update/Fields", rule: "UpdateUser writes every column but ID, UUID, CreatedAt and what RecordLogin writes, and adds one to both versions.", run: updateFields},
	{name: "Update/Clears", rule: "UpdateUser also writes what is zero.", run: updateClears},
	{name: "Update/Stale", rule: "UpdateUser is stale if the row has another version or is gone, and then changes nothing, its argument neither.", run: updateStale},
	{name: "Update/LostUpdate", rule: "Of two that read a row and write it back, the second is refused.", run: updateLost},
	{name: "Update/Conflict", rule: "UpdateUser meets the same conflicts as InsertUser, and then changes nothing.", run: updateConflict},
}

func updateFields(t *testing.T, s roster.Store) {
	ctx := t.Context()
	other := insert(t, s, user("other"))
	before := insert(t, s, fullUser("before"))
	u := fullUser("after")
	u.ID, u.Version = before.ID, before.Version
	u.NameAuto, u.Enabled = false, false
	u.RealName, u.Locale, u.Timezone, u.Flags = "Changed", "fr", "Asia/Tokyo", roster.FlagBanned
	u.ActivatedAt, u.DeletedAt, u.PasswordChangedAt = at(11*time.Hour), at(12*time.Hour), at(13*time.Hour)
	u.AuthChangedAt, u.UpdatedAt = at(14*time.Hour), at(15*time.Hour)
	u.CreatedAt, u.LastLoginAt, u.LastLoginIP = at(16*time.Hour), at(17*time.Hour), "198.51.100.1"
	u.Data = roster.Data{"other": json.RawMessage(`"data"`)}
	changed(t, before, u, "ID", "Version", "Row")
	ok(t, s.UpdateUser(ctx, u, "text"))

	if u.Version != before.Version+1 {
		t.Errorf("the version of the argument is %d, want %d", u.Version, before.Version+1)
	}
	want := *u
	want.UUID, want.CreatedAt = before.UUID, before.CreatedAt
	want.LastLoginAt, want.LastLoginIP = before.LastLoginAt, before.LastLoginIP
	same(t, "the row", rowOf(s.UserByID(ctx, u.ID))(t), &want)
	same(t, "the row", rowOf(s.UserByUUID(ctx, before.UUID))(t), &want)
	_, err := s.UserByUUID(ctx, u.UUID)
	fails(t, "another UUID", err, roster.ErrNotFound)
	same(t, "another row", rowOf(s.UserByID(ctx, other.ID))(t), other)

	ok(t, s.UpdateUser(ctx, &want, "text")) // its version was written back too
	same(t, "again", rowOf(s.UserByID(ctx, u.ID))(t), &want)
}

func updateClears(t *testing.T, s roster.Store) {
	u := insert(t, s, fullUser("full"))
	want := &roster.User{
		ID: u.ID, UUID: u.UUID, NameKey: "full", CreatedAt: u.CreatedAt, LastLoginAt: u.LastLoginAt,
		LastLoginIP: u.LastLoginIP, Version: u.Version,
	}
	ok(t, s.UpdateUser(t.Context(), want, ""))
	same(t, "cleared", rowOf(s.UserByID(t.Context(), u.ID))(t), want)
	same(t, "restored", rowOf(s.UserByName(t.Context(), "full"))(t), want)
}

func updateStale(t *testing.T, s roster.Store) {
	ctx := t.Context()
	insert(t, s, user("taken"))
	row := insert(t, s, user("ann"))
	gone := insert(t, s, user("gone"))
	ok(t, s.PurgeUser(ctx, gone.ID))
	for _, version := range []int64{row.Version - 1, row.Version + 1, 0, -row.Version} {
		for _, name := range []string{"ben", "taken"} {
			u := *row
			u.Version, u.NameKey, u.RealName = version, name, "Changed"
			fails(t, "another version", s.UpdateUser(ctx, &u, "changed"), roster.ErrStale)
			if u.Version != version {
				t.Errorf("the version of the argument became %d, though nothing was written", u.Version)
			}
		}
	}
	for _, id := range []roster.UserID{0, gone.ID, gone.ID + 1000} {
		u := *row
		u.ID, u.NameKey = id, "ben"
		fails(t, "no such row", s.UpdateUser(ctx, &u, "changed"), roster.ErrStale)
	}
	same(t, "the row", rowOf(s.UserByID(ctx, row.ID))(t), row)
	same(t, "found by the new text", got(s.CountUsers(ctx, roster.UserQuery{State: roster.StateLive, Contains: "changed"}))(t), 0)
	same(t, "found by the old text", got(s.CountUsers(ctx, roster.UserQuery{State: roster.StateLive, Contains: "ann"}))(t), 1)
}

func updateLost(t *testing.T, s roster.Store) {
	ctx := t.Context()
	id := insert(t, s, user("ann")).ID
	first, second := rowOf(s.UserByID(ctx, id))(t), rowOf(s.LockUser(ctx, id))(t)
	first.RealName, second.Locale = "First", "fr"
	ok(t, s.UpdateUser(ctx, first, ""))
	fails(t, "the second", s.UpdateUser(ctx, second, ""), roster.ErrStale)
	same(t, "the row", rowOf(s.UserByID(ctx, id))(t), first)
	again := rowOf(s.UserByID(ctx, id))(t)
	again.Locale = "fr"
	ok(t, s.UpdateUser(ctx, again, ""))
	ok(t, s.UpdateUser(ctx, again, "")) // the argument is as good as a row that was read
	same(t, "the row", rowOf(s.UserByID(ctx, id))(t), again)
}

func updateConflict(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	old := insert(t, s, deletedUser("ann"))

	u := *ben
	u.NameKey, u.RealName = "ann", "Changed"
	conflicts(t, "renamed to a taken name", s.UpdateUser(ctx, &u, "changed"), roster.FieldName)
	if u.Version != ben.Version {
		t.Errorf("the version of the argument became %d, though nothing was written", u.Version)
	}
	u = *old
	u.DeletedAt = time.Time{}
	conflicts(t, "restored to a taken name", s.UpdateUser(ctx, &u, "changed"), roster.FieldName)
	for _, want := range []*roster.User{ann, ben, old} {
		same(t, "unchanged", rowOf(s.UserByID(ctx, want.ID))(t), want)
	}
	same(t, "found", got(s.CountUsers(ctx, roster.UserQuery{State: roster.StateLive, Contains: "changed"}))(t), 0)

	old.RealName = "Still deleted"
	ok(t, s.UpdateUser(ctx, old, ""))
	ann.RealName = "Keeps its own name"
	ok(t, s.UpdateUser(ctx, ann, ""))
	ben.NameKey, ben.DeletedAt = "ann", at(0)
	ok(t, s.UpdateUser(ctx, ben, "")) // deleted users may share it
	ann.NameKey = "anna"
	ok(t, s.UpdateUser(ctx, ann, ""))
	old.DeletedAt = time.Time{}
	ok(t, s.UpdateUser(ctx, old, "")) // free now
	same(t, "UserByName", rowOf(s.UserByName(ctx, "ann"))(t), old)
}
