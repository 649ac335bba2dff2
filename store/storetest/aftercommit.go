package storetest

import (
	"context"
	"testing"

	"github.com/go-roster/roster"
)

var afterCommitCases = []testCase{
	{name: "AfterCommit/Order", rule: "What waits for the commit runs after it, once, in the order of the calls, with the context of the outermost Atomic.", run: afterCommitOrder},
	{name: "AfterCommit/Rollback", rule: "What waits for the commit never runs if the transaction rolls back.", run: afterCommitRollback},
	{name: "AfterCommit/Inner", rule: "What waits for the commit never runs if the inner Atomic that it was called in has failed.", run: afterCommitInner},
	{name: "AfterCommit/TwoStores", rule: "What waits for the commit of one store inside a transaction of another waits for both.", pair: afterCommitTwoStores},
}

func afterCommitOrder(t *testing.T, s roster.Store) {
	type key struct{}
	outer := context.WithValue(t.Context(), key{}, "outer")
	ann := insert(t, s, user("ann"))
	var ran []string
	later := func(ctx context.Context, name string) {
		roster.AfterCommit(ctx, func(ctx context.Context) {
			ran = append(ran, name)
			same(t, "the context", ctx.Value(key{}), any("outer"))
			same(t, "the row", rowOf(s.UserByID(ctx, ann.ID))(t).LastLoginIP, "::1")
			ok(t, s.PutCredential(ctx, credential(ann, roster.ScopeID(len(ran)), name))) // nothing is locked any more
			ok(t, s.Atomic(ctx, func(ctx context.Context) error { return s.DeleteCredential(ctx, ann.ID, 99) }))
			roster.AfterCommit(ctx, func(context.Context) { ran = append(ran, name+" at once") })
		})
	}
	ok(t, s.Atomic(outer, func(ctx context.Context) error {
		later(ctx, "first")
		ok(t, s.Atomic(context.WithValue(ctx, key{}, "inner"), func(ctx context.Context) error {
			later(ctx, "second")
			return s.RecordLogin(ctx, ann.ID, at(0), "::1")
		}))
		later(ctx, "third")
		if len(ran) != 0 {
			t.Errorf("%v ran before the commit", ran)
		}
		return nil
	}))
	same(t, "ran", ran, []string{"first", "first at once", "second", "second at once", "third", "third at once"})
	ran = nil
	ok(t, s.Atomic(outer, func(context.Context) error { return nil }))
	same(t, "ran after another transaction", ran, []string(nil))
}

func afterCommitRollback(t *testing.T, s roster.Store) {
	outer := t.Context()
	insert(t, s, user("ann"))
	run := func(fn func(ctx context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error {
			roster.AfterCommit(ctx, func(context.Context) { t.Error("it ran, though nothing was committed") })
			return fn(ctx)
		}
	}
	fails(t, "an error", s.Atomic(outer, run(func(context.Context) error { return errRollback })), errRollback)
	fails(t, "a conflict", s.Atomic(outer, run(func(ctx context.Context) error {
		_ = s.InsertUser(ctx, user("ann"), "")
		return nil
	})), roster.ErrTxAborted)
	_ = panics(func() { _ = s.Atomic(outer, run(func(context.Context) error { panic(1) })) })
	ctx, cancel := context.WithCancel(outer)
	fails(t, "a canceled context", s.Atomic(ctx, run(func(context.Context) error { cancel(); return nil })), context.Canceled)
	fails(t, "an error outside", s.Atomic(outer, func(ctx context.Context) error {
		ok(t, s.Atomic(ctx, run(func(context.Context) error { return nil })))
		return errRollback
	}), errRollback)
	ok(t, s.Atomic(outer, func(context.Context) error { return nil }))
}

func afterCommitInner(t *testing.T, s roster.Store) {
	var ran []string
	later := func(ctx context.Context, name string) {
		roster.AfterCommit(ctx, func(context.Context) { ran = append(ran, name) })
	}
	ok(t, s.Atomic(t.Context(), func(ctx context.Context) error {
		later(ctx, "first")
		fails(t, "the inner one", s.Atomic(ctx, func(ctx context.Context) error {
			later(ctx, "of the one that failed")
			ok(t, s.Atomic(ctx, func(ctx context.Context) error { later(ctx, "inside the one that failed"); return nil }))
			return errRollback
		}), errRollback)
		ok(t, s.Atomic(ctx, func(ctx context.Context) error { later(ctx, "second"); return nil }))
		later(ctx, "third")
		return nil
	}))
	same(t, "ran", ran, []string{"first", "second", "third"})
}

func afterCommitTwoStores(t *testing.T, s, other roster.Store) {
	type key struct{}
	outer := context.WithValue(t.Context(), key{}, "outer")
	for _, result := range []error{nil, errRollback} {
		var ran []string
		err := s.Atomic(outer, func(ctx context.Context) error {
			roster.AfterCommit(ctx, func(context.Context) { ran = append(ran, "first") })
			ok(t, other.Atomic(context.WithValue(ctx, key{}, "inner"), func(ctx context.Context) error {
				roster.AfterCommit(ctx, func(ctx context.Context) {
					ran = append(ran, "second")
					same(t, "the context", ctx.Value(key{}), any("outer"))
				})
				return nil
			}))
			fails(t, "the other", other.Atomic(ctx, func(ctx context.Context) error {
				roster.AfterCommit(ctx, func(context.Context) { t.Error("it ran, though the other store rolled back") })
				return errRollback
			}), errRollback)
			roster.AfterCommit(ctx, func(context.Context) { ran = append(ran, "third") })
			same(t, "ran before the commit of the outer one", ran, nobody)
			return result
		})
		if result == nil {
			ok(t, err)
			same(t, "ran", ran, []string{"first", "second", "third"})
		} else {
			fails(t, "the outer one", err, errRollback)
			same(t, "ran", ran, nobody)
		}
	}
}
