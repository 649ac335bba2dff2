package hosttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// purge: what the tables of the host say of the users whom they refer to is kept
// to, and told as a conflict.
func purge(t *testing.T, p *Place, onDelete string) {
	ctx := t.Context()
	users, err := roster.New(p.Store, nil)
	ok(t, err)
	ann, ben := &roster.User{Name: "ann"}, &roster.User{Name: "ben"}
	for _, u := range []*roster.User{ann, ben} {
		ok(t, users.Create(ctx, u))
	}
	ok(t, order(ctx, p.Store.DB(ctx), ann, "lamp"))
	ok(t, users.Purge(ctx, ben.ID))
	p.rows(t, 1, 1)
	if onDelete == "ON DELETE CASCADE" {
		ok(t, users.Purge(ctx, ann.ID))
		p.rows(t, 0, 0)
		return
	}
	held := func(what string, err error) {
		t.Helper()
		var c *roster.ConflictError
		if !errors.As(err, &c) || c.Field != roster.FieldReferenced || !errors.Is(err, roster.ErrConflict) {
			t.Errorf("%s: %v, want a conflict of %s", what, err, roster.FieldReferenced)
		}
	}
	held("Purge", users.Purge(ctx, ann.ID))
	held("Purge in an Atomic", users.Atomic(ctx, func(ctx context.Context) error { return users.Purge(ctx, ann.ID) }))
	p.rows(t, 1, 1)
	if onDelete != "DEFERRABLE INITIALLY DEFERRED" { // that one the host's own commit tells
		joined, tx, done := p.begin(t, ctx)
		held("Purge in a joined transaction", users.Purge(joined, ann.ID))
		ok(t, order(joined, p.Store.DB(joined), ann, "desk"))
		ok(t, done(tx.Commit()))
		p.rows(t, 1, 2)
	}
	_, err = p.DB.ExecContext(ctx, "DELETE FROM orders")
	ok(t, err)
	ok(t, users.Purge(ctx, ann.ID))
	p.rows(t, 0, 0)
}

// deleteGroup: what they say of groups is, too.
func deleteGroup(t *testing.T, p *Place, onDelete string) {
	ctx := t.Context()
	users, err := roster.New(p.Store, nil)
	ok(t, err)
	_, err = p.DB.ExecContext(ctx, "CREATE TABLE meetings (group_id BIGINT NOT NULL REFERENCES "+
		strings.TrimSuffix(p.Users, "users")+"groups (id) "+onDelete+")")
	ok(t, err)
	chess := &roster.Group{Name: "Chess"}
	ok(t, users.CreateGroup(ctx, chess))
	_, err = p.Store.SQL(ctx).ExecContext(ctx, "INSERT INTO meetings (group_id) VALUES ($1)", int64(chess.ID))
	ok(t, err)
	err = users.DeleteGroup(ctx, chess.ID)
	if onDelete == "ON DELETE CASCADE" {
		ok(t, err)
		return
	}
	var c *roster.ConflictError
	if !errors.As(err, &c) || c.Field != roster.FieldReferenced {
		t.Errorf("DeleteGroup: %v, want a conflict of %s", err, roster.FieldReferenced)
	}
	_, err = p.DB.ExecContext(ctx, "DELETE FROM meetings")
	ok(t, err)
	ok(t, users.DeleteGroup(ctx, chess.ID))
}

// prune: those whom rows of the host hold fast are no obstacle to the others,
// and go when they are free.
func prune(t *testing.T, p *Place, onDelete string) {
	const n = 20
	ctx := t.Context()
	before := time.Now().UTC().Truncate(time.Microsecond)
	held := 0
	for i := range n {
		u := newUser(fmt.Sprint("user ", i))
		u.CreatedAt = before.Add(-time.Hour)
		ok(t, p.Store.InsertUser(ctx, u, u.NameKey))
		ok(t, p.Store.InsertEmail(ctx, &roster.UserEmail{
			UserID: u.ID, Address: u.NameKey, AddressKey: u.NameKey, Primary: true, CreatedAt: u.CreatedAt,
		}))
		if i < 6 || i == 13 {
			ok(t, order(ctx, p.Store.DB(ctx), u, u.NameKey))
			held++
		}
	}
	pruned := func(ctx context.Context, before time.Time, limit int) int {
		t.Helper()
		ids, err := p.Store.PruneUsers(ctx, before, 0, limit)
		ok(t, err)
		return len(ids)
	}
	if onDelete == "ON DELETE CASCADE" {
		if got := pruned(ctx, before, n); got != n {
			t.Errorf("%d were removed, want all %d", got, n)
		}
		p.rows(t, 0, 0)
		return
	}
	if onDelete != "DEFERRABLE INITIALLY DEFERRED" {
		if err := p.Store.Atomic(ctx, func(ctx context.Context) error {
			if got := pruned(ctx, before, n); got != n-held {
				t.Errorf("%d were removed in a transaction, want %d", got, n-held)
			}
			_, err := p.user(ctx, "new")
			ok(t, err)
			return errHost
		}); !errors.Is(err, errHost) {
			t.Error(err)
		}
	}
	var got []int
	for range 6 {
		got = append(got, pruned(ctx, before, 5))
	}
	if fmt.Sprint(got) != "[0 4 4 5 0 0]" {
		t.Errorf("%v were removed, five looked at each time, want those who are free, each time others", got)
	}
	p.rows(t, held, held)
	_, err := p.DB.ExecContext(ctx, "DELETE FROM orders")
	ok(t, err)
	if got := pruned(ctx, before.Add(time.Hour), n); got != 0 {
		t.Errorf("%d were removed an hour later, want those who were held to be left alone for a day", got)
	}
	if got := pruned(ctx, before.Add(25*time.Hour), n); got != held {
		t.Errorf("%d were removed a day later, want %d", got, held)
	}
	p.rows(t, 0, 0)
}
