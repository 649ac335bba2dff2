package hosttest

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/go-roster/roster"
)

// To say that it is committed before it is does nothing but fail: what waits goes
// on waiting.
func joinEarly(t *testing.T, p *Place) {
	var ran []string
	joined, tx, done := p.begin(t, t.Context())
	later(joined, &ran, "later")
	_, err := p.user(joined, "ann")
	ok(t, err)
	for range 2 {
		if err := done(nil); err == nil || !strings.Contains(err.Error(), "has not ended") {
			t.Errorf("done before the commit: %v", err)
		}
	}
	_, err = p.user(joined, "ben")
	ok(t, err)
	wantRan(t, ran)
	ok(t, done(tx.Commit()))
	wantRan(t, ran, "later")
	p.rows(t, 2, 0)
}

// Who says that it is committed when it was rolled back is not believed, as far as
// a verb has written in it.
func joinLie(t *testing.T, p *Place) {
	users, err := roster.New(p.Store, nil)
	ok(t, err)
	for what, c := range map[string]struct {
		work  func(ctx context.Context, tx *sql.Tx) error
		end   func(tx *sql.Tx) error
		taken bool
	}{
		"committed":   {nil, (*sql.Tx).Commit, true},
		"rolled back": {nil, (*sql.Tx).Rollback, false},
		"rolled back, and others write": {nil, func(tx *sql.Tx) error {
			return errors.Join(tx.Rollback(), users.Create(t.Context(), &roster.User{Name: "other"}))
		}, false},
		"a verb failed": {func(ctx context.Context, _ *sql.Tx) error {
			_ = users.Atomic(ctx, func(ctx context.Context) error {
				return errors.Join(users.Create(ctx, &roster.User{Name: "never"}), errHost)
			})
			return nil
		}, (*sql.Tx).Commit, true},
		"only a verb that failed": {func(ctx context.Context, _ *sql.Tx) error {
			return errHost
		}, (*sql.Tx).Commit, true},
	} {
		var ran []string
		joined, tx, done := p.begin(t, t.Context())
		later(joined, &ran, what)
		_ = users.Atomic(joined, func(ctx context.Context) error {
			if err := users.Create(ctx, &roster.User{Name: "ann"}); err != nil {
				return err
			}
			if c.work != nil {
				return c.work(ctx, tx)
			}
			return nil
		})
		ok(t, c.end(tx))
		err := done(nil)
		if c.taken {
			ok(t, err)
			wantRan(t, ran, what)
		} else if err == nil || !strings.Contains(err.Error(), "nothing that was written in it is there") {
			t.Errorf("%s: %v", what, err)
		} else {
			wantRan(t, ran)
			if again := done(nil); again == nil {
				t.Errorf("%s: believed when it was said again", what)
			}
		}
		if u, err := users.ByName(t.Context(), "ann"); err == nil {
			ok(t, users.Purge(t.Context(), u.ID))
		}
	}
}

// The context is over when the transaction is, told or not.
func joinKept(t *testing.T, p *Place) {
	for what, end := range map[string]func(tx *sql.Tx, done func(error) error){
		"committed":       func(tx *sql.Tx, done func(error) error) { ok(t, done(tx.Commit())) },
		"rolled back":     func(tx *sql.Tx, done func(error) error) { ok(t, tx.Rollback()); _ = done(errHost) },
		"not told":        func(tx *sql.Tx, _ func(error) error) { ok(t, tx.Rollback()) },
		"not told either": func(tx *sql.Tx, _ func(error) error) { ok(t, tx.Commit()) },
		"told before":     func(tx *sql.Tx, done func(error) error) { _ = done(errHost); ok(t, tx.Rollback()) },
	} {
		joined, tx, done := p.begin(t, t.Context())
		db, plain := p.Store.DB(joined), p.Store.SQL(joined)
		end(tx, done)
		_, err := p.user(joined, "ann")
		fails(t, what+": a write", err, roster.ErrTxDone)
		_, err = p.Store.UserByName(joined, "ann")
		fails(t, what+": a read", err, roster.ErrTxDone)
		fails(t, what+": Atomic", p.Store.Atomic(joined, func(context.Context) error { return nil }), roster.ErrTxDone)
		if !strings.HasPrefix(what, "not told") { // bun's BeginTx asks nobody
			refused(joined, t, db, plain, what, roster.ErrTxDone)
		}
		if _, _, err := p.Store.Join(joined, tx); what != "not told" && what != "not told either" {
			fails(t, what+": Join", err, roster.ErrTxDone)
			if err == nil || !strings.Contains(err.Error(), "join with the one that it was made from") {
				t.Errorf("%s: Join: %v", what, err)
			}
		}
	}
	p.rows(t, 0, 0)
}
