package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var contextCases = []testCase{
	{name: "Context/Over", rule: "A call whose context has ended gives the context's error and changes nothing.", run: contextOver},
	{name: "Context/Inside", rule: "A transaction whose context ends before the commit gives the context's error, and nothing is kept.", run: contextInside},
	{name: "Context/Handmade", rule: "A context of any make that has ended before the commit ends the transaction: nothing is kept.", run: contextHandmade},
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
	brief, cancel := context.WithTimeout(outer, 2*time.Second) // time enough for what comes before
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

// handmade is a context that the standard library does not know: what derives
// from it hears of its end late, from a goroutine.
type handmade struct {
	context.Context
	done chan struct{}
}

func (c handmade) Done() <-chan struct{} { return c.done }

func (c handmade) Err() error {
	select {
	case <-c.done:
		return context.Canceled
	default:
		return nil
	}
}

func contextHandmade(t *testing.T, s roster.Store) {
	outer := t.Context()
	ann := insert(t, s, user("ann"))
	for range 50 {
		done := make(chan struct{})
		err := s.Atomic(handmade{outer, done}, func(ctx context.Context) error {
			err := s.RecordLogin(outerThan(ctx), ann.ID, at(0), "::9")
			close(done)
			return err
		})
		if !errors.Is(err, context.Canceled) || errors.Is(err, roster.ErrOutcomeUnknown) {
			t.Errorf("canceled just before the commit: %v, want %v alone", err, context.Canceled)
		}
		same(t, "the row", rowOf(s.UserByID(outer, ann.ID))(t), ann)
		if t.Failed() {
			return
		}
	}
}

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
	until := time.Now().Add(200 * time.Millisecond) // a fast store makes more of it
	var done [4]int
	work := func(ctx context.Context, i int) error {
		for n := 0; n < 10 || n < 2000 && time.Now().Before(until); n++ {
			name := fmt.Sprint(i, " ", n)
			u := user(name)
			if err := s.InsertUser(ctx, u, name); err != nil {
				return err
			}
			if err := s.InsertEmail(ctx, pending(u, name)); err != nil {
				return err
			}
			if emails, err := s.EmailsOf(ctx, ann.ID, u.ID); err != nil || len(emails) != 51 {
				return fmt.Errorf("%d addresses, %w", len(emails), err)
			}
			if m, err := s.UserByName(ctx, name); err != nil || m.RosterUser().ID != u.ID {
				return fmt.Errorf("%s is not the one that was inserted, %w", name, err)
			}
			done[i]++
		}
		return nil
	}
	ok(t, s.Atomic(outer, func(ctx context.Context) error {
		return errors.Join(together(len(done), func(i int) error { return work(ctx, i) })...)
	}))
	sum := 0
	for _, n := range done {
		sum += n
	}
	same(t, "users", got(s.CountUsers(outer, roster.UserQuery{State: roster.StateLive}))(t), 1+sum)
	same(t, "addresses", len(got(s.EmailsAfter(outer, 0, 100_000))(t)), 50+sum)
}
