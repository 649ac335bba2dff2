package acceptance

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

// fault is what goes wrong at a call of a store.
type fault int

const (
	noFault      fault = iota
	failBefore         // the call fails and does nothing
	failAfter          // the call does its work and fails
	cancelBefore       // the context of the whole verb ends before the call
	cancelAfter        // or right after it
	panicBefore        // the call panics and does nothing
	panicAfter         // or after its work
	tryAgain           // the database gives up on the transaction here, and it is run again
	faultsEnd
)

func (f fault) String() string {
	return [...]string{
		"no fault", "fail before", "fail after", "cancel before", "cancel after",
		"panic before", "panic after", "try again",
	}[f]
}

// atomic says whether the fault leaves no doubt about what the failed call has
// done.
func (f fault) atomic() bool { return f != failAfter && f != cancelAfter && f != panicAfter }

var (
	errFault = &roster.UnavailableError{What: roster.UnavailableDatabase, Cause: errors.New("planted fault")}
	errAgain = errors.New("planted: run it again")
)

type plantedPanic struct{ point int }

// faultStore is a store in which one call goes wrong. Every call is a point,
// numbered from 1: those of the store's methods, the beginning of a
// transaction, and its end ("commit").
type faultStore struct {
	roster.Store

	mu     sync.Mutex
	armed  bool
	kind   fault
	point  int // the one that goes wrong
	calls  []string
	fired  bool
	cancel context.CancelFunc

	hook func(point int, name string) // runs before the call
}

// arm starts the numbering anew. cancel ends the context that the verb runs
// with.
func (s *faultStore) arm(kind fault, point int, cancel context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed, s.kind, s.point, s.cancel = true, kind, point, cancel
	s.calls, s.fired = nil, false
}

// disarm returns the calls since arm, and whether the fault came.
func (s *faultStore) disarm() (calls []string, fired bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = false
	return s.calls, s.fired
}

// next counts a call and returns what goes wrong with it.
func (s *faultStore) next(name string) (kind fault, point int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.armed {
		return noFault, 0
	}
	s.calls = append(s.calls, name)
	if hook, point := s.hook, len(s.calls); hook != nil {
		s.mu.Unlock()
		hook(point, name)
		s.mu.Lock()
	}
	if s.fired || s.kind == noFault || len(s.calls) != s.point {
		return noFault, 0
	}
	s.fired = true
	return s.kind, s.point
}

type insideKey struct{ s *faultStore }

// inside is what a transaction that goes through the faultStore leaves in the
// context.
type inside struct{ again bool }

// call runs one call of a method, with what goes wrong with it.
func call[T any](ctx context.Context, s *faultStore, do func() (T, error)) (T, error) {
	var none T
	kind, point := s.next(caller())
	tx, _ := ctx.Value(insideKey{s}).(*inside)
	// fail dooms the transaction, as a call that fails by itself does.
	fail := func(err error) (T, error) {
		if tx != nil {
			_ = s.Store.PutCredential(ctx, &roster.Credential{UserID: 1 << 60, Hash: roster.NewSecret("of nobody")})
		}
		return none, err
	}
	switch kind {
	case failBefore:
		return fail(errFault)
	case failAfter:
		_, _ = do()
		return fail(errFault)
	case cancelBefore:
		s.cancel()
		return do()
	case cancelAfter:
		v, err := do()
		s.cancel()
		return v, err
	case panicBefore:
		panic(plantedPanic{point})
	case panicAfter:
		_, _ = do()
		panic(plantedPanic{point})
	case tryAgain:
		if tx != nil {
			tx.again = true
			return fail(errAgain)
		}
	}
	return do()
}

func call1(ctx context.Context, s *faultStore, do func() error) error {
	_, err := call(ctx, s, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

// caller is the name of the method that uses call.
func caller() string {
	pcs := make([]uintptr, 8)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if i := lastDot(f.Function); i >= 0 {
			if name := f.Function[i+1:]; name[0] >= 'A' && name[0] <= 'Z' && f.Function[:i] == faultStoreMethods {
				return name
			}
		}
		if !more {
			return "?"
		}
	}
}

const faultStoreMethods = "github.com/go-roster/roster/internal/acceptance.(*faultStore)"

func lastDot(s string) int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == '.' {
			return i
		}
	}
	return -1
}

// Atomic is two points: the beginning, and the commit. An Atomic inside
// another has no commit of its own.
func (s *faultStore) Atomic(ctx context.Context, fn func(ctx context.Context) error) error {
	if _, nested := ctx.Value(insideKey{s}).(*inside); nested {
		return call1(ctx, s, func() error { return s.Store.Atomic(ctx, fn) })
	}
	for {
		kind, point := s.next("begin")
		switch kind {
		case failBefore, failAfter:
			return errFault
		case cancelBefore, cancelAfter:
			s.cancel()
		case panicBefore, panicAfter:
			panic(plantedPanic{point})
		}
		err, again := s.try(ctx, fn)
		if !again {
			return err
		}
	}
}

func (s *faultStore) try(ctx context.Context, fn func(ctx context.Context) error) (err error, again bool) {
	tx := new(inside)
	lost := false
	point := 0
	err = s.Store.Atomic(context.WithValue(ctx, insideKey{s}, tx), func(ctx context.Context) error {
		if err := fn(ctx); err != nil {
			return err
		}
		var kind fault
		kind, point = s.next("commit")
		switch kind {
		case failBefore:
			return errFault
		case failAfter, panicAfter:
			lost = true
		case cancelBefore:
			s.cancel()
		case cancelAfter:
			// There is no moment between the commit and its answer that a caller
			// could reach.
		case panicBefore:
			panic(plantedPanic{point})
		case tryAgain:
			tx.again = true
			return errAgain
		}
		return nil
	})
	switch {
	case tx.again:
		return err, true
	case lost && err == nil:
		return roster.ErrOutcomeUnknown, false
	}
	return err, false
}

// The methods of roster.Store, each a point.

func (s *faultStore) InsertUser(ctx context.Context, m roster.Model, search string) error {
	return call1(ctx, s, func() error { return s.Store.InsertUser(ctx, m, search) })
}

func (s *faultStore) UpdateUser(ctx context.Context, m roster.Model, search string) error {
	return call1(ctx, s, func() error { return s.Store.UpdateUser(ctx, m, search) })
}

func (s *faultStore) PurgeUser(ctx context.Context, id roster.UserID) error {
	return call1(ctx, s, func() error { return s.Store.PurgeUser(ctx, id) })
}

func (s *faultStore) UserByID(ctx context.Context, id roster.UserID) (roster.Model, error) {
	return call(ctx, s, func() (roster.Model, error) { return s.Store.UserByID(ctx, id) })
}

func (s *faultStore) UserByUUID(ctx context.Context, id uuid.UUID) (roster.Model, error) {
	return call(ctx, s, func() (roster.Model, error) { return s.Store.UserByUUID(ctx, id) })
}

func (s *faultStore) UserByName(ctx context.Context, key string) (roster.Model, error) {
	return call(ctx, s, func() (roster.Model, error) { return s.Store.UserByName(ctx, key) })
}

func (s *faultStore) UserByEmail(ctx context.Context, key string) (roster.Model, error) {
	return call(ctx, s, func() (roster.Model, error) { return s.Store.UserByEmail(ctx, key) })
}

func (s *faultStore) LockUser(ctx context.Context, id roster.UserID) (roster.Model, error) {
	return call(ctx, s, func() (roster.Model, error) { return s.Store.LockUser(ctx, id) })
}

func (s *faultStore) UsersByID(ctx context.Context, ids ...roster.UserID) ([]roster.Model, error) {
	return call(ctx, s, func() ([]roster.Model, error) { return s.Store.UsersByID(ctx, ids...) })
}

func (s *faultStore) UserPage(ctx context.Context, q roster.UserQuery) ([]roster.Model, error) {
	return call(ctx, s, func() ([]roster.Model, error) { return s.Store.UserPage(ctx, q) })
}

func (s *faultStore) CountUsers(ctx context.Context, q roster.UserQuery) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.CountUsers(ctx, q) })
}

func (s *faultStore) UsersAfter(ctx context.Context, after roster.UserID, limit int) ([]roster.StoredUser, error) {
	return call(ctx, s, func() ([]roster.StoredUser, error) { return s.Store.UsersAfter(ctx, after, limit) })
}

func (s *faultStore) PruneUsers(
	ctx context.Context, before time.Time, without roster.Flags, limit int,
) ([]roster.UserID, error) {
	return call(ctx, s, func() ([]roster.UserID, error) { return s.Store.PruneUsers(ctx, before, without, limit) })
}

func (s *faultStore) ClaimName(ctx context.Context, key string, owner roster.UserID, now time.Time) error {
	return call1(ctx, s, func() error { return s.Store.ClaimName(ctx, key, owner, now) })
}

func (s *faultStore) RetireName(ctx context.Context, key string, owner roster.UserID, until time.Time) error {
	return call1(ctx, s, func() error { return s.Store.RetireName(ctx, key, owner, until) })
}

func (s *faultStore) NameOwners(ctx context.Context, keys ...string) (map[string]roster.UserID, error) {
	return call(ctx, s, func() (map[string]roster.UserID, error) { return s.Store.NameOwners(ctx, keys...) })
}

func (s *faultStore) PruneNames(ctx context.Context, now time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PruneNames(ctx, now, limit) })
}

func (s *faultStore) InsertEmail(ctx context.Context, e *roster.UserEmail) error {
	return call1(ctx, s, func() error { return s.Store.InsertEmail(ctx, e) })
}

func (s *faultStore) EmailsByID(ctx context.Context, ids ...roster.EmailID) ([]*roster.UserEmail, error) {
	return call(ctx, s, func() ([]*roster.UserEmail, error) { return s.Store.EmailsByID(ctx, ids...) })
}

func (s *faultStore) EmailsOf(ctx context.Context, users ...roster.UserID) ([]*roster.UserEmail, error) {
	return call(ctx, s, func() ([]*roster.UserEmail, error) { return s.Store.EmailsOf(ctx, users...) })
}

func (s *faultStore) ActivatedEmails(ctx context.Context, keys ...string) ([]*roster.UserEmail, error) {
	return call(ctx, s, func() ([]*roster.UserEmail, error) { return s.Store.ActivatedEmails(ctx, keys...) })
}

func (s *faultStore) EmailsByKey(ctx context.Context, key string) ([]*roster.UserEmail, error) {
	return call(ctx, s, func() ([]*roster.UserEmail, error) { return s.Store.EmailsByKey(ctx, key) })
}

func (s *faultStore) LockEmails(ctx context.Context, key string) ([]*roster.UserEmail, error) {
	return call(ctx, s, func() ([]*roster.UserEmail, error) { return s.Store.LockEmails(ctx, key) })
}

func (s *faultStore) ActivateEmail(ctx context.Context, id roster.EmailID, at time.Time) error {
	return call1(ctx, s, func() error { return s.Store.ActivateEmail(ctx, id, at) })
}

func (s *faultStore) ClearPrimary(ctx context.Context, user roster.UserID) error {
	return call1(ctx, s, func() error { return s.Store.ClearPrimary(ctx, user) })
}

func (s *faultStore) MarkPrimary(ctx context.Context, id roster.EmailID) error {
	return call1(ctx, s, func() error { return s.Store.MarkPrimary(ctx, id) })
}

func (s *faultStore) DeleteReleased(ctx context.Context, key string, but roster.UserID) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.DeleteReleased(ctx, key, but) })
}

func (s *faultStore) DeleteEmails(ctx context.Context, ids ...roster.EmailID) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.DeleteEmails(ctx, ids...) })
}

func (s *faultStore) ReleaseEmails(ctx context.Context, user roster.UserID, at time.Time) error {
	return call1(ctx, s, func() error { return s.Store.ReleaseEmails(ctx, user, at) })
}

func (s *faultStore) ReclaimEmails(ctx context.Context, user roster.UserID) error {
	return call1(ctx, s, func() error { return s.Store.ReclaimEmails(ctx, user) })
}

func (s *faultStore) EmailsAfter(ctx context.Context, after roster.EmailID, limit int) ([]*roster.UserEmail, error) {
	return call(ctx, s, func() ([]*roster.UserEmail, error) { return s.Store.EmailsAfter(ctx, after, limit) })
}

func (s *faultStore) PruneEmails(ctx context.Context, before time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PruneEmails(ctx, before, limit) })
}

func (s *faultStore) InsertActivation(ctx context.Context, a *roster.Activation) error {
	return call1(ctx, s, func() error { return s.Store.InsertActivation(ctx, a) })
}

func (s *faultStore) ActivationByHash(ctx context.Context, hash string) (*roster.Activation, error) {
	return call(ctx, s, func() (*roster.Activation, error) { return s.Store.ActivationByHash(ctx, hash) })
}

func (s *faultStore) RedeemActivation(
	ctx context.Context, hash string, now time.Time, purposes ...roster.Purpose,
) (*roster.Activation, error) {
	return call(ctx, s, func() (*roster.Activation, error) { return s.Store.RedeemActivation(ctx, hash, now, purposes...) })
}

func (s *faultStore) VoidActivations(
	ctx context.Context, user roster.UserID, email roster.EmailID, purposes ...roster.Purpose,
) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.VoidActivations(ctx, user, email, purposes...) })
}

func (s *faultStore) PruneActivations(ctx context.Context, now time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PruneActivations(ctx, now, limit) })
}

func (s *faultStore) Credential(
	ctx context.Context, user roster.UserID, scope roster.ScopeID,
) (*roster.Credential, error) {
	return call(ctx, s, func() (*roster.Credential, error) { return s.Store.Credential(ctx, user, scope) })
}

func (s *faultStore) PutCredential(ctx context.Context, c *roster.Credential) error {
	return call1(ctx, s, func() error { return s.Store.PutCredential(ctx, c) })
}

func (s *faultStore) SwapCredential(
	ctx context.Context, user roster.UserID, scope roster.ScopeID, old, hash roster.Secret,
) error {
	return call1(ctx, s, func() error { return s.Store.SwapCredential(ctx, user, scope, old, hash) })
}

func (s *faultStore) CredentialsAfter(
	ctx context.Context, user roster.UserID, scope roster.ScopeID, limit int,
) ([]*roster.Credential, error) {
	return call(ctx, s, func() ([]*roster.Credential, error) { return s.Store.CredentialsAfter(ctx, user, scope, limit) })
}

func (s *faultStore) DeleteCredential(ctx context.Context, user roster.UserID, scope roster.ScopeID) error {
	return call1(ctx, s, func() error { return s.Store.DeleteCredential(ctx, user, scope) })
}

func (s *faultStore) InsertUndo(ctx context.Context, u *roster.Undo) error {
	return call1(ctx, s, func() error { return s.Store.InsertUndo(ctx, u) })
}

func (s *faultStore) UndoByHash(ctx context.Context, hash string) (*roster.Undo, error) {
	return call(ctx, s, func() (*roster.Undo, error) { return s.Store.UndoByHash(ctx, hash) })
}

func (s *faultStore) UndosOf(ctx context.Context, user roster.UserID) ([]*roster.Undo, error) {
	return call(ctx, s, func() ([]*roster.Undo, error) { return s.Store.UndosOf(ctx, user) })
}

func (s *faultStore) RedeemUndo(ctx context.Context, hash string, now time.Time) (*roster.Undo, error) {
	return call(ctx, s, func() (*roster.Undo, error) { return s.Store.RedeemUndo(ctx, hash, now) })
}

func (s *faultStore) VoidUndos(ctx context.Context, user roster.UserID, key string, above int64) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.VoidUndos(ctx, user, key, above) })
}

func (s *faultStore) PruneUndos(ctx context.Context, now time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PruneUndos(ctx, now, limit) })
}

// login is what a sign-in reads.
type login struct {
	m roster.Model
	c *roster.Credential
}

func (s *faultStore) LoginByName(ctx context.Context, key string) (roster.Model, *roster.Credential, error) {
	l, err := call(ctx, s, func() (l login, err error) { l.m, l.c, err = s.Store.LoginByName(ctx, key); return l, err })
	return l.m, l.c, err
}

func (s *faultStore) LoginByEmail(ctx context.Context, key string) (roster.Model, *roster.Credential, error) {
	l, err := call(ctx, s, func() (l login, err error) { l.m, l.c, err = s.Store.LoginByEmail(ctx, key); return l, err })
	return l.m, l.c, err
}

// token is what a check of a session reads.
type token struct {
	s *roster.Session
	m roster.Model
}

func (s *faultStore) SessionByHash(ctx context.Context, hash roster.Secret) (*roster.Session, roster.Model, error) {
	k, err := call(ctx, s, func() (k token, err error) { k.s, k.m, err = s.Store.SessionByHash(ctx, hash); return k, err })
	return k.s, k.m, err
}

func (s *faultStore) InsertSession(ctx context.Context, in *roster.Session) error {
	return call1(ctx, s, func() error { return s.Store.InsertSession(ctx, in) })
}

func (s *faultStore) UpdateSession(ctx context.Context, old roster.Secret, in *roster.Session) error {
	return call1(ctx, s, func() error { return s.Store.UpdateSession(ctx, old, in) })
}

func (s *faultStore) SeeSession(ctx context.Context, hash roster.Secret, at, before time.Time) error {
	return call1(ctx, s, func() error { return s.Store.SeeSession(ctx, hash, at, before) })
}

func (s *faultStore) SessionsOf(ctx context.Context, user roster.UserID, limit int) ([]*roster.Session, error) {
	return call(ctx, s, func() ([]*roster.Session, error) { return s.Store.SessionsOf(ctx, user, limit) })
}

func (s *faultStore) DeleteSession(ctx context.Context, user roster.UserID, id uuid.UUID) error {
	return call1(ctx, s, func() error { return s.Store.DeleteSession(ctx, user, id) })
}

func (s *faultStore) DropSession(ctx context.Context, hash roster.Secret) error {
	return call1(ctx, s, func() error { return s.Store.DropSession(ctx, hash) })
}

func (s *faultStore) DeleteSessions(ctx context.Context, user roster.UserID, but uuid.UUID) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.DeleteSessions(ctx, user, but) })
}

func (s *faultStore) PruneSessions(ctx context.Context, now time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PruneSessions(ctx, now, limit) })
}

func (s *faultStore) RecordLogin(ctx context.Context, id roster.UserID, at time.Time, ip string) error {
	return call1(ctx, s, func() error { return s.Store.RecordLogin(ctx, id, at, ip) })
}

func (s *faultStore) InsertMail(ctx context.Context, m *roster.QueuedMail) error {
	return call1(ctx, s, func() error { return s.Store.InsertMail(ctx, m) })
}

func (s *faultStore) ClaimMails(
	ctx context.Context, claim string, now, until time.Time, limit int,
) ([]*roster.QueuedMail, error) {
	return call(ctx, s, func() ([]*roster.QueuedMail, error) { return s.Store.ClaimMails(ctx, claim, now, until, limit) })
}

func (s *faultStore) SettleMail(ctx context.Context, m *roster.QueuedMail) error {
	return call1(ctx, s, func() error { return s.Store.SettleMail(ctx, m) })
}

func (s *faultStore) MailsAfter(
	ctx context.Context, state roster.OutboxState, after roster.MailID, limit int,
) ([]*roster.QueuedMail, error) {
	return call(ctx, s, func() ([]*roster.QueuedMail, error) { return s.Store.MailsAfter(ctx, state, after, limit) })
}

func (s *faultStore) CountMails(ctx context.Context, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.CountMails(ctx, limit) })
}

func (s *faultStore) RequeueMails(ctx context.Context, due time.Time, ids ...roster.MailID) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.RequeueMails(ctx, due, ids...) })
}

func (s *faultStore) WipeMails(ctx context.Context, now time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.WipeMails(ctx, now, limit) })
}

func (s *faultStore) PruneMails(ctx context.Context, before time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PruneMails(ctx, before, limit) })
}

// TestFaultStoreIsComplete fails when roster.Store has a method that is not a
// point of faultStore.
func TestFaultStoreIsComplete(t *testing.T) {
	iface := reflect.TypeFor[roster.Store]()
	for i := range iface.NumMethod() {
		name := iface.Method(i).Name
		s := new(faultStore) // there is no store underneath to get to
		s.arm(failBefore, 1, func() {})
		m := reflect.ValueOf(s).MethodByName(name)
		args := make([]reflect.Value, m.Type().NumIn())
		for j := range args {
			args[j] = reflect.Zero(m.Type().In(j))
		}
		args[0] = reflect.ValueOf(context.Background())
		err := func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = fmt.Errorf("panic: %v", p)
				}
			}()
			if m.Type().IsVariadic() {
				out := m.CallSlice(args)
				return out[len(out)-1].Interface().(error)
			}
			out := m.Call(args)
			return out[len(out)-1].Interface().(error)
		}()
		if !errors.Is(err, errFault) {
			t.Errorf("roster.Store.%s goes past the faults (%v): give faultStore a method for it", name, err)
		}
		if calls, _ := s.disarm(); len(calls) != 1 || calls[0] != name && name != "Atomic" {
			t.Errorf("%s is counted as %v", name, calls)
		}
	}
}

func (s *faultStore) LimitCounts(ctx context.Context, now time.Time, keys ...string) ([]roster.LimitCount, error) {
	return call(ctx, s, func() ([]roster.LimitCount, error) { return s.Store.LimitCounts(ctx, now, keys...) })
}

func (s *faultStore) TakeLimits(ctx context.Context, now time.Time, takes ...roster.LimitTake) ([]string, error) {
	return call(ctx, s, func() ([]string, error) { return s.Store.TakeLimits(ctx, now, takes...) })
}

func (s *faultStore) GiveLimits(ctx context.Context, one, all []string) error {
	return call1(ctx, s, func() error { return s.Store.GiveLimits(ctx, one, all) })
}

func (s *faultStore) PruneLimits(ctx context.Context, now time.Time, limit int) (int, error) {
	return call(ctx, s, func() (int, error) { return s.Store.PruneLimits(ctx, now, limit) })
}
