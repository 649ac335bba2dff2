package acceptance

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"testing"

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
