package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var contextCases = []testCase{
	{name: "Context/Over", rule: "A call whose context has ended gives the context's error and changes nothing.", run: contextOver},
	{name: "Context/Inside", rule: "A transaction whose context ends before the commit gives the context's error, and nothing is kept.", run: contextInside},
	{name: "Context/Kept", rule: "A context kept past the end of its transaction answers ErrTxDone, whichever way it ended.", run: contextKept},
	{name: "Context/Goroutines", rule: "Goroutines may share the context of a transaction.", run: contextGoroutines},
}

func contextOver(t *testing.T, s roster.Store) {
	w := populate(t, s)
	before := dump(t.Context(), t, s)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for ctx, want := range map[context.Context]error{canceled: context.Canceled, late: context.DeadlineExceeded} {
		for _, c := range w.calls(t, s) {
			fails(t, c.name, c.run(ctx), want)
		}
		fails(t, "Atomic", s.Atomic(ctx, func(context.Context) error { return nil }), want)
		fails(t, "Atomic", s.Atomic(ctx, func(ctx context.Context) error { return w.disturb(ctx, s) }), want)
		same(t, "the rows", dump(t.Context(), t, s), before)
	}
	ok(t, w.disturb(t.Context(), s)) // every call works alone
}

func contextInside(t *testing.T, s roster.Store) {
	outer := t.Context()
	w := populate(t, s)
	before := dump(outer, t, s)
	for what, fn := range map[string]func(ctx context.Context, cancel func()) error{
		"after the writes": func(ctx context.Context, cancel func()) error {
			err := w.disturb(ctx, s)
			cancel()
			return err
		},
		"between the writes": func(ctx context.Context, cancel func()) error {
			ok(t, s.InsertUser(ctx, user("dan"), "new"))
			cancel()
			return s.InsertUser(ctx, user("eve"), "new")
		},
		"between the writes, with the error swallowed": func(ctx context.Context, cancel func()) error {
			ok(t, s.InsertUser(ctx, user("dan"), "new"))
			cancel()
			_ = s.InsertUser(ctx, user("eve"), "new")
			return nil
		},
		"in an inner one": func(ctx context.Context, cancel func()) error {
			return s.Atomic(ctx, func(ctx context.Context) error {
				ok(t, s.InsertUser(ctx, user("dan"), "new"))
				cancel()
				return nil
			})
		},
		"before anything": func(_ context.Context, cancel func()) error { cancel(); return nil },
	} {
		ctx, cancel := context.WithCancel(outer)
		fails(t, what, s.Atomic(ctx, func(ctx context.Context) error { return fn(ctx, cancel) }), context.Canceled)
		same(t, "the rows, canceled "+what, dump(outer, t, s), before)
		cancel()
	}
	brief, cancel := context.WithTimeout(outer, 50*time.Millisecond)
	defer cancel()
	fails(t, "a deadline", s.Atomic(brief, func(ctx context.Context) error {
		ok(t, s.InsertUser(outerThan(ctx), user("dan"), "new"))
		<-ctx.Done()
		return nil
	}), context.DeadlineExceeded)
	same(t, "the rows after the deadline", dump(outer, t, s), before)

	ok(t, s.Atomic(outer, func(ctx context.Context) error { return w.disturb(ctx, s) }))
	same(t, "the store goes on", rowOf(s.UserByName(outer, "eve"))(t).NameKey, "eve")
}

// outerThan is in the same transaction, and does not end with ctx.
func outerThan(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

func contextKept(t *testing.T, s roster.Store) {
	outer := t.Context()
	w := populate(t, s)
	var kept []context.Context
	keep := func(result error) func(context.Context) error {
		return func(ctx context.Context) error {
			kept = append(kept, ctx)
			return s.Atomic(ctx, func(ctx context.Context) error {
				kept = append(kept, ctx)
				return result
			})
		}
	}
	ok(t, s.Atomic(outer, keep(nil)))
	fails(t, "Atomic", s.Atomic(outer, keep(errRollback)), errRollback)
	fails(t, "Atomic", s.Atomic(outer, func(ctx context.Context) error {
		kept = append(kept, ctx)
		_ = s.InsertUser(ctx, user("ann"), "")
		return nil
	}), roster.ErrTxAborted)
	before := dump(outer, t, s)
	for _, ctx := range kept {
		for _, c := range w.calls(t, s) {
			fails(t, c.name, c.run(ctx), roster.ErrTxDone)
		}
		fails(t, "Atomic", s.Atomic(ctx, func(context.Context) error {
			t.Error("an Atomic ran its fn in a transaction that is over")
			return nil
		}), roster.ErrTxDone)
	}
	same(t, "the rows", dump(outer, t, s), before)
}

func contextGoroutines(t *testing.T, s roster.Store) {
	outer := bounded(t, 1)
	ann := insert(t, s, user("ann"))
	for i := range 50 { // so that a read takes a while
		insertEmail(t, s, pending(ann, string(rune('a'+i))+" before"))
	}
	const each = 10
	work := func(ctx context.Context, i int) error {
		for n := range each {
			name := string(rune('A'+i)) + string(rune('a'+n))
			u := user(name)
			if err := s.InsertUser(ctx, u, name); err != nil {
				return err
			}
			if err := s.InsertEmail(ctx, pending(ann, name)); err != nil {
				return err
			}
			if emails, err := s.EmailsOf(ctx, ann.ID); err != nil || len(emails) < 51 {
				t.Errorf("%d addresses, %v", len(emails), err)
				return err
			}
			if m, err := s.UserByName(ctx, name); err != nil || m.RosterUser().ID != u.ID {
				t.Errorf("%s is not the one that was inserted, %v", name, err)
				return err
			}
		}
		return nil
	}
	ok(t, s.Atomic(outer, func(ctx context.Context) error {
		for _, err := range together(4, func(i int) error { return work(ctx, i) }) {
			if err != nil {
				return err
			}
		}
		return nil
	}))
	same(t, "users", got(s.CountUsers(outer, roster.UserQuery{State: roster.StateLive}))(t), 1+4*each)
	same(t, "addresses", len(got(s.EmailsOf(outer, ann.ID))(t)), 50+4*each)
}
