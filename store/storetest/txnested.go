package storetest

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

func txNested(t *testing.T, s roster.Store) {
	outer := t.Context()
	w := populate(t, s)
	before := dump(outer, t, s)
	nested := func(result error) error {
		return s.Atomic(outer, func(ctx context.Context) error {
			if err := s.RecordLogin(ctx, w.ann.ID, at(0), "::1"); err != nil {
				return err
			}
			if err := s.Atomic(ctx, func(ctx context.Context) error {
				same(t, "of the outer one", rowOf(s.UserByID(ctx, w.ann.ID))(t).LastLoginIP, "::1")
				return s.Atomic(ctx, func(ctx context.Context) error { return w.disturb(ctx, s) })
			}); err != nil {
				return err
			}
			same(t, "of the inner one", rowOf(s.UserByName(ctx, "eve"))(t).NameKey, "eve")
			_, err := s.UserByName(outer, "eve")
			fails(t, "outside, before the end", err, roster.ErrNotFound)
			return result
		})
	}
	fails(t, "the outer one", nested(errRollback), errRollback)
	same(t, "after the rollback", dump(outer, t, s), before)
	ok(t, nested(nil))
	same(t, "after the commit", rowOf(s.UserByName(outer, "eve"))(t).NameKey, "eve")
}

// panics returns what fn panics with.
func panics(fn func()) (v any) {
	defer func() { v = recover() }()
	fn()
	return nil
}

func txPanic(t *testing.T, s roster.Store) {
	outer := t.Context()
	w := populate(t, s)
	before := dump(outer, t, s)
	var kept context.Context
	v := panics(func() {
		_ = s.Atomic(outer, func(ctx context.Context) error {
			kept = ctx
			ok(t, w.disturb(ctx, s))
			panic("the outer one")
		})
	})
	same(t, "the panic", v, any("the outer one"))
	same(t, "the rows", dump(outer, t, s), before)
	fails(t, "the context", s.RecordLogin(kept, w.ann.ID, at(0), ""), roster.ErrTxDone)

	v = panics(func() {
		_ = s.Atomic(outer, func(ctx context.Context) error {
			ok(t, w.disturb(ctx, s))
			return s.Atomic(ctx, func(context.Context) error { panic("the inner one") })
		})
	})
	same(t, "the panic", v, any("the inner one"))
	same(t, "the rows", dump(outer, t, s), before)

	err := s.Atomic(outer, func(ctx context.Context) error {
		ok(t, w.disturb(ctx, s))
		v := panics(func() {
			_ = s.Atomic(ctx, func(context.Context) error { panic("caught") })
		})
		same(t, "the panic", v, any("caught"))
		return nil
	})
	fails(t, "a panic of the inner one that the outer one caught", err, roster.ErrTxAborted)
	same(t, "the rows", dump(outer, t, s), before)
	ok(t, s.Atomic(outer, func(ctx context.Context) error { return w.disturb(ctx, s) }))
}

func txTwoStores(t *testing.T, s, other roster.Store) {
	outer := t.Context()
	there := insert(t, other, user("there"))
	fails(t, "the first", s.Atomic(outer, func(ctx context.Context) error {
		ok(t, s.InsertUser(ctx, user("ann"), ""))
		ok(t, other.InsertUser(ctx, user("ben"), "")) // runs alone
		same(t, "in the other", rowOf(other.UserByName(outer, "ben"))(t).NameKey, "ben")
		_, err := other.UserByName(ctx, "ann")
		fails(t, "the first's in the other", err, roster.ErrNotFound)
		conflicts(t, "in the other", other.InsertUser(ctx, user("there"), ""), roster.FieldName)
		ok(t, s.InsertUser(ctx, user("cat"), "")) // that doomed nothing here
		return errRollback
	}), errRollback)
	same(t, "in the other", keys(paged(t, other, roster.UserQuery{State: roster.StateLive, Limit: 10})), []string{"ben", "there"})
	same(t, "in the first", keys(paged(t, s, roster.UserQuery{State: roster.StateLive, Limit: 10})), nobody)

	ok(t, s.Atomic(outer, func(ctx context.Context) error {
		ok(t, s.InsertUser(ctx, user("ann"), ""))
		fails(t, "the other", other.Atomic(ctx, func(ctx context.Context) error {
			ok(t, s.InsertUser(ctx, user("cat"), ""))
			ok(t, other.PurgeUser(ctx, there.ID))
			return errRollback
		}), errRollback)
		ok(t, other.Atomic(ctx, func(ctx context.Context) error {
			ok(t, s.InsertUser(ctx, user("dan"), ""))
			return other.InsertUser(ctx, user("eve"), "")
		}))
		return nil
	}))
	same(t, "in the other", keys(paged(t, other, roster.UserQuery{State: roster.StateLive, Limit: 10})), []string{"ben", "eve", "there"})
	same(t, "in the first", keys(paged(t, s, roster.UserQuery{State: roster.StateLive, Limit: 10})), []string{"ann", "cat", "dan"})
}

// txRetry lets two transactions lock two users crosswise. A store with one
// writer at a time never has to run one again; there the first does not meet
// the second and goes on alone.
func txRetry(t *testing.T, s roster.Store) {
	outer := t.Context()
	users := [2]*roster.User{user("ann"), user("ben")}
	for _, u := range users {
		u.RealName = "0"
		insert(t, s, u)
	}
	var tries, ran [2]atomic.Int32
	met := make(chan struct{}, 2)
	errs := together(2, func(i int) error {
		return s.Atomic(outer, func(ctx context.Context) error {
			first := tries[i].Add(1) == 1
			roster.AfterCommit(ctx, func(context.Context) { ran[i].Add(1) })
			for n, j := range []int{i, 1 - i} {
				m, err := s.LockUser(ctx, users[j].ID)
				if err != nil {
					return err
				}
				u := m.RosterUser()
				count, _ := strconv.Atoi(u.RealName)
				u.RealName = strconv.Itoa(count + 1)
				if err := s.UpdateUser(ctx, u, ""); err != nil {
					return err
				}
				if n == 0 && first {
					met <- struct{}{}
					for range 50 { // until both hold one
						if len(met) == 2 {
							break
						}
						time.Sleep(10 * time.Millisecond)
					}
				}
			}
			return nil
		})
	})
	for i, u := range users {
		ok(t, errs[i])
		same(t, "the functions that waited for the commit", ran[i].Load(), int32(1))
		same(t, "the count", rowOf(s.UserByID(outer, u.ID))(t).RealName, "2")
	}
}
