package memory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/go-roster/roster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func newUser(key string) *roster.User {
	return &roster.User{
		UUID: uuid.New(), Name: key, NameKey: key, Enabled: true, ActivatedAt: start, CreatedAt: start,
		Data: roster.Data{"plan": json.RawMessage(`"free"`)},
	}
}

func insert(t testing.TB, s *Store, ctx context.Context, key string) *roster.User {
	t.Helper()
	u := newUser(key)
	ok(t, s.InsertUser(ctx, u, key))
	return u
}

func TestReadersSeeTheLastCommit(t *testing.T) {
	s, outside := New(), t.Context()
	ann := insert(t, s, outside, "ann")
	ok(t, s.Atomic(outside, func(ctx context.Context) error {
		insert(t, s, ctx, "ben")
		ok(t, s.PurgeUser(ctx, ann.ID))
		for where, want := range map[context.Context][]error{ctx: {roster.ErrNotFound, nil}, outside: {nil, roster.ErrNotFound}} {
			for i, name := range []string{"ann", "ben"} {
				if _, err := s.UserByName(where, name); !errors.Is(err, want[i]) {
					t.Errorf("%s: %v, want %v", name, err, want[i])
				}
			}
		}
		return nil
	}))
	_, err := s.UserByName(outside, "ben")
	ok(t, err)
}

// Readers get whole states while a long transaction changes everything, and
// none waits for it. The race detector watches.
func TestReadersDoNotWait(t *testing.T) {
	s, outside := New(), t.Context()
	const n = 300
	ok(t, s.Atomic(outside, func(ctx context.Context) error {
		for i := range n {
			insert(t, s, ctx, "user"+strconv.Itoa(i))
		}
		return nil
	}))
	ctx, cancel := context.WithCancel(outside)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				rows, err := s.UsersAfter(outside, 0, n)
				if err != nil || len(rows) != n {
					t.Errorf("%d users, %v", len(rows), err)
					return
				}
				name := rows[0].User.RosterUser().RealName
				for _, r := range rows {
					if got := r.User.RosterUser().RealName; got != name {
						t.Errorf("%q and %q are of two transactions", got, name)
						return
					}
				}
			}
		})
	}
	for round := range 10 {
		ok(t, s.Atomic(outside, func(ctx context.Context) error {
			rows, err := s.UsersAfter(ctx, 0, n)
			ok(t, err)
			for _, r := range rows {
				r.User.RosterUser().RealName = strconv.Itoa(round)
				ok(t, s.UpdateUser(ctx, r.User, "text"))
			}
			if round%3 == 2 {
				return nil
			}
			_, err = s.UserByName(outside, "user1") // while the writer is in
			return err
		}))
	}
	cancel()
	readers.Wait()
}

func TestRowsAreNotShared(t *testing.T) {
	s, ctx := New(), t.Context()
	in := insert(t, s, ctx, "ann")
	in.Data["plan"][1] = 'X'
	in.Data["more"] = json.RawMessage(`1`)
	in.Name = "changed"
	want := roster.Data{"plan": json.RawMessage(`"free"`)}
	for range 2 {
		m, err := s.UserByID(ctx, in.ID)
		ok(t, err)
		u := m.RosterUser()
		if u.Name != "ann" || !cmp.Equal(u.Data, want) {
			t.Fatalf("a caller changed the row: %q, %s", u.Name, u.Data)
		}
		u.Data["plan"][1] = 'Y'
		u.Data["less"] = nil
		u.Name = "changed"
	}

	e := &roster.UserEmail{UserID: in.ID, AddressKey: "ann@x", CreatedAt: start}
	ok(t, s.InsertEmail(ctx, e))
	a := &roster.Activation{Hash: "hash", UserID: in.ID, EmailID: e.ID, ExpiresAt: start}
	ok(t, s.InsertActivation(ctx, a))
	c := &roster.Credential{UserID: in.ID, Hash: roster.NewSecret("hash")}
	ok(t, s.PutCredential(ctx, c))
	for range 2 {
		e.AddressKey, a.EmailID, c.CreatedAt = "changed", 99, start
		rows, err := s.EmailsOf(ctx, in.ID)
		ok(t, err)
		e = rows[0]
		a, err = s.ActivationByHash(ctx, "hash")
		ok(t, err)
		_, c, err = s.LoginByName(ctx, "ann")
		ok(t, err)
		if e.AddressKey != "ann@x" || a.EmailID != e.ID || !c.CreatedAt.IsZero() {
			t.Fatalf("a caller changed a row: %v, %v, %v", e, a, c)
		}
		_ = s.Atomic(ctx, func(ctx context.Context) error { // what is rolled back is a row again
			a, err := s.RedeemActivation(ctx, "hash", time.Time{}, "")
			ok(t, err)
			a.EmailID = 99
			return errors.New("no")
		})
	}
}

// A host's type is kept as the user in it.
func TestModel(t *testing.T) {
	type subscriber struct {
		roster.User
		Plan string
	}
	s, ctx := New(), t.Context()
	in := &subscriber{User: *newUser("ann"), Plan: "pro"}
	for what, err := range map[string]error{"InsertUser": s.InsertUser(ctx, in, ""), "UpdateUser": s.UpdateUser(ctx, in, "")} {
		var refused *roster.InvalidError
		if !errors.As(err, &refused) || refused.Field != roster.FieldModel {
			t.Errorf("%s of a type that the store does not keep: %v", what, err)
		}
	}
	ok(t, s.InsertUser(ctx, newUser("ben"), ""))
	m, err := s.UserByName(ctx, "ben")
	ok(t, err)
	u, plain := m.(*roster.User)
	if !plain || u.Row != (roster.Row{}) {
		t.Fatalf("%T, want a *roster.User of no row", m)
	}
}

func TestIDsAreNotReused(t *testing.T) {
	s, ctx := New(), t.Context()
	ann := insert(t, s, ctx, "ann")
	mail := func(ctx context.Context) *roster.UserEmail {
		e := &roster.UserEmail{UserID: ann.ID, AddressKey: uuid.NewString()}
		ok(t, s.InsertEmail(ctx, e))
		return e
	}
	var ben *roster.User
	var lost *roster.UserEmail
	_ = s.Atomic(ctx, func(ctx context.Context) error {
		ben, lost = insert(t, s, ctx, "ben"), mail(ctx)
		return errors.New("no")
	})
	cat, kept := insert(t, s, ctx, "cat"), mail(ctx)
	if cat.ID <= ben.ID || kept.ID <= lost.ID {
		t.Errorf("%d after %d, %d after %d: used again after a rollback", cat.ID, ben.ID, kept.ID, lost.ID)
	}
	ok(t, s.PurgeUser(ctx, cat.ID))
	if dan := insert(t, s, ctx, "dan"); dan.ID <= cat.ID {
		t.Errorf("%d after %d: used again after a purge", dan.ID, cat.ID)
	}
}

func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, outside := New(), t.Context()
		ok(t, s.Atomic(outside, func(ctx context.Context) error {
			for what, write := range map[string]func() error{
				"a write": func() error { return s.PurgeUser(outside, 1) },
				"Atomic":  func() error { return s.Atomic(outside, func(context.Context) error { return nil }) },
			} {
				var busy *roster.UnavailableError
				if err := write(); !errors.As(err, &busy) || busy.What != roster.UnavailableBusy {
					t.Errorf("%s: %v, want busy", what, err)
				}
				if err := write(); err == nil || !strings.HasSuffix(err.Error(), "inside Atomic use the context of its function") {
					t.Errorf("%s: %v, which does not say why", what, err)
				}
				began := time.Now()
				other := context.WithValue(outside, new(int), "of somebody else")
				if err := s.PurgeUser(other, 1); err == nil || err.Error() != "roster: unavailable: busy" {
					t.Errorf("%s of somebody else: %v", what, err)
				}
				if waited := time.Since(began); waited != busyTimeout {
					t.Errorf("%s failed after %v, want %v", what, waited, busyTimeout)
				}
			}
			short, cancel := context.WithTimeout(outside, time.Second)
			defer cancel()
			wantErr(t, "a write in a hurry", s.PurgeUser(short, 1), context.DeadlineExceeded)
			return s.InsertUser(ctx, newUser("ann"), "") // none of it has doomed this one
		}))

		// Who comes in time gets its turn.
		inside := make(chan struct{})
		go func() {
			_ = s.Atomic(outside, func(context.Context) error {
				close(inside)
				time.Sleep(busyTimeout - time.Millisecond)
				return nil
			})
		}()
		<-inside
		ok(t, s.InsertUser(outside, newUser("ben"), ""))
		synctest.Wait()
	})
}

func TestPanicLetsTheNextOneIn(t *testing.T) {
	s, ctx := New(), t.Context()
	for what, fn := range map[string]func(){
		"in fn":      func() { _ = s.Atomic(ctx, func(ctx context.Context) error { insert(t, s, ctx, "ann"); panic(1) }) },
		"in a write": func() { _ = exec(ctx, s, func(*state) error { panic(1) }) },
		"in a write of a transaction": func() {
			_ = s.Atomic(ctx, func(ctx context.Context) error { return exec(ctx, s, func(*state) error { panic(1) }) })
		},
	} {
		t.Run(what, func(t *testing.T) {
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic did not go on")
					}
				}()
				fn()
			}()
			if len(s.writer) != 0 {
				t.Fatal("the store is locked for ever")
			}
			insert(t, s, ctx, what)
		})
	}
	_, err := s.UserByName(ctx, "ann")
	wantErr(t, "the user of the panic", err, roster.ErrNotFound)
}

func TestNothingWrittenNothingPublished(t *testing.T) {
	s, ctx := New(), t.Context()
	ann := insert(t, s, ctx, "ann")
	before := s.last.Load()
	ok(t, s.Atomic(ctx, func(ctx context.Context) error {
		_, err := s.LockUser(ctx, ann.ID)
		ok(t, err)
		wantErr(t, "a purge of nobody", s.PurgeUser(ctx, ann.ID+1), roster.ErrNotFound)
		_, err = s.PruneActivations(ctx, start, 10)
		return err
	}))
	ok(t, s.DeleteCredential(ctx, ann.ID, 0))
	wantErr(t, "a failed write", s.InsertUser(ctx, newUser("ann"), ""), roster.ErrConflict)
	if s.last.Load() != before {
		t.Error("a new state, though nobody wrote")
	}
}

func TestEmptyKeys(t *testing.T) {
	s, ctx := New(), t.Context()
	ann := insert(t, s, ctx, "ann")
	unnamed := *ann
	unnamed.NameKey = ""
	for what, err := range map[string]error{
		"InsertUser":       s.InsertUser(ctx, newUser(""), ""),
		"UpdateUser":       s.UpdateUser(ctx, &unnamed, ""),
		"ClaimName":        s.ClaimName(ctx, "", ann.ID, start),
		"InsertEmail":      s.InsertEmail(ctx, &roster.UserEmail{UserID: ann.ID}),
		"InsertActivation": s.InsertActivation(ctx, &roster.Activation{UserID: ann.ID}),
	} {
		wantErr(t, what, err, roster.ErrInvalid)
	}
}

// What is left of fn after its end, a goroutine say, cannot touch what was
// published.
func TestLateCalls(t *testing.T) {
	s, outside := New(), t.Context()
	insert(t, s, outside, "ann")

	// One that found the transaction still open, and comes to it too late.
	ok(t, s.Atomic(outside, func(ctx context.Context) error {
		found, _, err := s.txns.Tx(ctx)
		roster.AfterCommit(ctx, func(context.Context) {
			_, late := within(ctx, found, err, func(*state) (int, error) {
				t.Error("it ran")
				return 0, nil
			})
			wantErr(t, "the late call", late, roster.ErrTxDone)
		})
		return err
	}))
	var late sync.WaitGroup
	for range 20 {
		_ = s.Atomic(outside, func(ctx context.Context) error {
			late.Go(func() {
				for i := range 1000 {
					if err := s.InsertUser(ctx, newUser(uuid.NewString()), ""); err != nil {
						wantErr(t, "a late write", err, roster.ErrTxDone)
						return
					}
					_, _ = s.UserByID(outside, roster.UserID(i))
				}
			})
			return nil
		})
		_, err := s.CountUsers(outside, roster.UserQuery{State: roster.StateLive})
		ok(t, err)
	}
	late.Wait()
}

func TestGoroutinesInATransaction(t *testing.T) {
	s, outside := New(), t.Context()
	ok(t, s.Atomic(outside, func(ctx context.Context) error {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for j := range 50 {
					name := fmt.Sprintf("%d/%d", i, j)
					ok(t, s.InsertUser(ctx, newUser(name), ""))
					_, err := s.UserByName(ctx, name)
					ok(t, err)
				}
			})
		}
		wg.Wait()
		return nil
	}))
	if n, _ := s.CountUsers(outside, roster.UserQuery{State: roster.StateLive}); n != 400 {
		t.Errorf("%d users, want 400", n)
	}
}
