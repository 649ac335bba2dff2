package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var txCases = []testCase{
	{name: "Tx/Commit", rule: "What a transaction wrote is there after it.", run: txCommit},
	{name: "Tx/Rollback", rule: "A transaction whose fn fails leaves everything as it was, and gives the error of fn.", run: txRollback},
	{name: "Tx/OwnWrites", rule: "Inside a transaction every read sees what it has written.", run: txOwnWrites},
	{name: "Tx/OuterReads", rule: "A read inside fn with the context outside sees the last committed state, at once.", run: txOuterReads},
	{name: "Tx/OuterWrites", rule: "A write inside fn with the context outside, of what the transaction locks, fails within the busy timeout and harms nothing.", waits: txOuterWrites},
	{name: "Tx/OuterDeadline", rule: "A write that waits for a lock ends with its context.", run: txOuterDeadline},
	{name: "Tx/Nested", rule: "An Atomic inside another joins it: it commits and rolls back with the outermost.", run: txNested},
	{name: "Tx/Panic", rule: "A panic in fn rolls back and goes on, and the store is good for more.", run: txPanic},
	{name: "Tx/TwoStores", rule: "A store uses the transaction in the context only if it is its own.", pair: txTwoStores},
	{name: "Tx/Retry", rule: "A transaction that the database gives up for the sake of others runs again, and what waits for its commit runs once.", waits: txRetry},
}

// errRollback is what an fn returns to roll back.
var errRollback = errors.New("storetest: roll back")

func txCommit(t *testing.T, s roster.Store) {
	ctx := t.Context()
	w := populate(t, s)
	before := dump(ctx, t, s)
	ok(t, s.Atomic(ctx, func(context.Context) error { return nil }))
	same(t, "an empty transaction", dump(ctx, t, s), before)
	var inside rows
	ok(t, s.Atomic(ctx, func(ctx context.Context) error {
		if err := w.disturb(ctx, s); err != nil {
			return err
		}
		inside = dump(ctx, t, s)
		return nil
	}))
	same(t, "what was seen inside", dump(ctx, t, s), inside)
	if len(inside.Users) != 3 || len(inside.Credentials) == len(before.Credentials) || len(inside.Activations) == len(before.Activations) {
		t.Error("the transaction did not change what it should have")
	}
}

func txRollback(t *testing.T, s roster.Store) {
	ctx := t.Context()
	w := populate(t, s)
	before := dump(ctx, t, s)
	for range 2 {
		err := s.Atomic(ctx, func(ctx context.Context) error {
			if err := w.disturb(ctx, s); err != nil {
				return err
			}
			return fmt.Errorf("more: %w", errRollback)
		})
		fails(t, "Atomic", err, errRollback)
		same(t, "after the rollback", dump(ctx, t, s), before)
	}
	for _, c := range w.calls(t, s) { // each alone, so that none hides another
		err := s.Atomic(ctx, func(ctx context.Context) error {
			if err := c.run(ctx); err != nil {
				return err
			}
			return errRollback
		})
		fails(t, c.name, err, errRollback)
	}
	same(t, "after many rollbacks", dump(ctx, t, s), before)
	ok(t, s.Atomic(ctx, func(ctx context.Context) error { return w.disturb(ctx, s) })) // nothing is in the way
}

func txOwnWrites(t *testing.T, s roster.Store) {
	outer := t.Context()
	w := populate(t, s)
	var alone rows
	ok(t, s.Atomic(outer, func(ctx context.Context) error {
		u := user("dan")
		ok(t, s.InsertUser(ctx, u, "text of dan"))
		same(t, "UserByID", rowOf(s.UserByID(ctx, u.ID))(t), u)
		same(t, "UserByUUID", rowOf(s.UserByUUID(ctx, u.UUID))(t), u)
		same(t, "LoginByName", loginOf(s.LoginByName(ctx, "dan"))(t), login{u, nil})
		same(t, "UsersByID", rowsOf(s.UsersByID(ctx, u.ID, w.ann.ID))(t), []*roster.User{w.ann, u})
		same(t, "UserPage", keys(rowsOf(s.UserPage(ctx, roster.UserQuery{State: roster.StateLive, Limit: 10}))(t)), []string{"ann", "ben", "dan"})
		same(t, "CountUsers", got(s.CountUsers(ctx, roster.UserQuery{State: roster.StateLive}))(t), 3)
		same(t, "found", finds(ctx, t, s, "of dan"), []string{"dan"})
		e := proven(u, "dan@one")
		ok(t, s.InsertEmail(ctx, e))
		same(t, "UserByEmail", rowOf(s.UserByEmail(ctx, "dan@one"))(t), u)
		same(t, "EmailsOf", got(s.EmailsOf(ctx, u.ID))(t), []*roster.UserEmail{e})
		same(t, "EmailsByKey", got(s.EmailsByKey(ctx, "dan@one"))(t), []*roster.UserEmail{e})
		same(t, "ActivatedEmails", got(s.ActivatedEmails(ctx, "dan@one"))(t), []*roster.UserEmail{e})
		a := activation(e, "hash new")
		ok(t, s.InsertActivation(ctx, a))
		same(t, "ActivationByHash", got(s.ActivationByHash(ctx, "hash new"))(t), a)
		c := credential(u, 0, "hash of dan")
		ok(t, s.PutCredential(ctx, c))
		same(t, "LoginByEmail", loginOf(s.LoginByEmail(ctx, "dan@one"))(t), login{u, c})
		ok(t, s.ClaimName(ctx, "dan", u.ID, at(0)))
		same(t, "NameOwners", got(nameOwner(ctx, s, "dan"))(t), u.ID)
		u.NameKey = "daniel"
		ok(t, s.UpdateUser(ctx, u, "text of daniel"))
		same(t, "UserByName", rowOf(s.UserByName(ctx, "daniel"))(t), u)
		_, err := s.UserByName(ctx, "dan")
		fails(t, "the old name", err, roster.ErrNotFound)
		ok(t, s.PurgeUser(ctx, u.ID))
		_, err = s.UserByEmail(ctx, "dan@one")
		fails(t, "after the purge", err, roster.ErrNotFound)
		alone = dump(ctx, t, s)
		return nil
	}))
	same(t, "afterwards", dump(outer, t, s), alone)
}

func txOuterReads(t *testing.T, s roster.Store) {
	outer := t.Context()
	w := populate(t, s)
	before := dump(outer, t, s)
	ok(t, s.Atomic(outer, func(ctx context.Context) error {
		if err := w.disturb(ctx, s); err != nil {
			return err
		}
		outer, cancel := context.WithTimeout(outer, 10*time.Second) // it waits for nobody
		defer cancel()
		same(t, "seen with the context outside", dump(outer, t, s), before)
		same(t, "a login", loginOf(s.LoginByEmail(outer, "ann@one"))(t), login{w.ann, credential(w.ann, 0, "hash of ann")})
		same(t, "a page", keys(rowsOf(s.UserPage(outer, roster.UserQuery{State: roster.StateLive, Limit: 10}))(t)), []string{"ann", "ben"})
		_, err := s.UserByName(outer, "eve")
		fails(t, "a user who is not committed", err, roster.ErrNotFound)
		return nil
	}))
	_, err := s.UserByName(outer, "eve")
	ok(t, err)
}

func txOuterWrites(t *testing.T, s roster.Store) {
	outer := t.Context()
	users := []*roster.User{insert(t, s, user("ann")), insert(t, s, user("ben"))}
	ok(t, s.Atomic(outer, func(ctx context.Context) error {
		for _, u := range users {
			u.RealName = "Inside"
			ok(t, s.UpdateUser(ctx, u, ""))
		}
		errs := make([]error, 2)
		within(t, "writes with the context outside", 15*time.Second, func() {
			errs = together(2, func(i int) error {
				if i == 0 {
					return s.RecordLogin(outer, users[0].ID, at(0), "::1")
				}
				return s.Atomic(outer, func(ctx context.Context) error { return s.RecordLogin(ctx, users[1].ID, at(0), "::1") })
			})
		})
		for i, what := range []string{"a write", "a transaction"} {
			var un *roster.UnavailableError
			if !errors.As(errs[i], &un) || un.What != roster.UnavailableBusy {
				t.Errorf("%s with the context outside: %v, want an UnavailableError of %q", what, errs[i], roster.UnavailableBusy)
			}
		}
		return nil
	}))
	for _, u := range users {
		same(t, "the row", rowOf(s.UserByID(outer, u.ID))(t), u)
		ok(t, s.RecordLogin(outer, u.ID, at(0), "::1"))
	}
}

func txOuterDeadline(t *testing.T, s roster.Store) {
	outer := t.Context()
	ann := insert(t, s, user("ann"))
	ok(t, s.Atomic(outer, func(ctx context.Context) error {
		ann.RealName = "Inside"
		ok(t, s.UpdateUser(ctx, ann, ""))
		brief, cancel := context.WithTimeout(outer, 200*time.Millisecond)
		defer cancel()
		var errs []error
		within(t, "writes with a deadline", 5*time.Second, func() {
			errs = together(2, func(i int) error {
				if i == 0 {
					return s.RecordLogin(brief, ann.ID, at(0), "::1")
				}
				return s.Atomic(brief, func(ctx context.Context) error { return s.RecordLogin(ctx, ann.ID, at(0), "::1") })
			})
		})
		fails(t, "a write", errs[0], context.DeadlineExceeded)
		fails(t, "a transaction", errs[1], context.DeadlineExceeded)
		return nil
	}))
	same(t, "the row", rowOf(s.UserByID(outer, ann.ID))(t), ann)
}
