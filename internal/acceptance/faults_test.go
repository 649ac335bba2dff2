package acceptance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-roster/roster"
	"github.com/google/go-cmp/cmp"
)

// TestFaults runs every flow once for every call that it makes to the store,
// and lets that call go wrong in every way. Afterwards either nothing has
// changed or the flow has had its full effect, and it works when it is called
// again. On the databases it takes some of the flows, calls and ways, at random,
// and all of them in a soak. That no goroutine is left behind is checked when
// all tests have ended.
func TestFaults(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		store := &faultStore{Store: k.open(t)}
		rng := random(t)
		points, states := 0, 0
		for _, f := range flows {
			if k.leaveOut(rng) {
				continue
			}
			if !k.sql { // costs nothing, and the events of all flows before would
				store = &faultStore{Store: k.open(t)}
			}
			t.Run(f.String(), func(t *testing.T) {
				n := runFaults(t, k, store, f, rng)
				points += n
				states++
			})
		}
		t.Logf("%d points of %d flows went wrong", points, states)
	})
}

// outcome is what a flow has done.
type outcome struct {
	state string   // the dump
	mails []string // those that left
	err   error
	value any
	panic any
}

// faultRun runs one flow again and again on a store.
type faultRun struct {
	t     *testing.T
	store *faultStore
	flow  flow
	w     *world
	mails func(n int) error // asked before the n-th mail of the flow
}

// once prepares the accounts and runs the flow with one fault. again is the
// outcome of a second run without any.
func (r *faultRun) once(kind fault, point int) (before string, o outcome, calls []string, fired bool, again func() outcome) {
	w := r.flow.world(r.t, r.store) // which has counted nothing yet
	r.w = w
	w.empty()
	start := w.clock.Now()
	defer func() { w.clock.Advance(start.Sub(w.clock.Now())) }()
	c := newCast(w)
	if r.flow.prepare != nil {
		r.flow.prepare(w, c)
	}
	codes := append(w.post.codes(), slices.Collect(maps.Values(c.codes))...)
	var model roster.User
	if c.model != nil {
		model = *c.model
	}
	snap := func() string {
		r.t.Helper()
		s, err := dump(context.Background(), r.store.Store, names, append(codes, w.post.codes()...))
		w.must(err)
		return s
	}
	w.post.take()
	before = snap()
	do := func(kind fault, point int) (o outcome, calls []string, fired bool) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		func() {
			defer func() { o.panic = recover() }()
			r.store.arm(kind, point, cancel)
			o.value, o.err = r.flow.run(ctx, w, c)
		}()
		calls, fired = r.store.disarm()
		o.state = snap()
		for _, m := range w.post.take() {
			o.mails = append(o.mails, fmt.Sprintf("%s to %s", m.Kind, m.To))
		}
		return o, calls, fired
	}
	w.post.fail = r.mails
	o, calls, fired = do(kind, point)
	w.post.fail = nil
	if c.model != nil && o.err != nil && !reflect.DeepEqual(model, *c.model) {
		r.t.Errorf("beside the error the model was changed:\n%s", cmp.Diff(model, *c.model))
	}
	return before, o, calls, fired, func() outcome {
		o, _, _ := do(noFault, 0)
		return o
	}
}

func runFaults(t *testing.T, k kind, store *faultStore, f flow, rng *rand.Rand) int {
	r := &faultRun{t: t, store: store, flow: f, w: f.world(t, store)}
	before, full, calls, _, _ := r.once(noFault, 0)
	if full.panic != nil || !errors.Is(full.err, f.refused) {
		t.Fatalf("without a fault: %v %v, want %v", full.err, full.panic, f.refused)
	}
	if f.refused != nil && full.state != before {
		t.Fatalf("refused, and yet:\n%s", cmp.Diff(before, full.state))
	}
	if !f.partial {
		r.twice(before, full)
	}
	done := 0
	for point := 1; point <= len(calls); point++ {
		faults := []fault{failBefore, failAfter, cancelBefore, cancelAfter, panicBefore, panicAfter, tryAgain}
		if k.sql && !soak {
			if len(calls) > 3 && rng.IntN(len(calls)) >= 3 {
				continue
			}
			i := rng.IntN(len(faults))
			faults = faults[i : i+1]
		} else if !soak {
			rng.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
			faults = faults[:2]
		}
		for _, kind := range faults {
			_, o, now, fired, again := r.once(kind, point)
			if !fired {
				t.Fatalf("call %d never came: %v, without a fault %v", point, now, calls)
			}
			done++
			r.judge(kind, point, before, full, o, again)
			if t.Failed() {
				t.Fatalf("%v at call %d of %v", kind, point, calls)
			}
		}
	}
	return done
}

// twice checks that running the flow without a fault gives the same twice, so
// that comparing means something.
func (r *faultRun) twice(before string, full outcome) {
	r.t.Helper()
	b, o, _, _, _ := r.once(noFault, 0)
	if b != before || o.state != full.state || !slices.Equal(o.mails, full.mails) {
		r.t.Fatalf("the flow differs from run to run:\n%s\n%s", cmp.Diff(before, b), cmp.Diff(full.state, o.state))
	}
}

func (r *faultRun) judge(kind fault, point int, before string, full, o outcome, again func() outcome) {
	t, f := r.t, r.flow
	failed := o.err != nil || o.panic != nil
	switch {
	case o.panic != nil:
		if p, ok := o.panic.(plantedPanic); !ok || p.point != point {
			t.Errorf("it panicked by itself: %v", o.panic)
		}
	case o.err != nil:
		r.judgeError(kind, o.err)
		if v := reflect.ValueOf(o.value); v.IsValid() && !v.IsZero() {
			t.Errorf("beside the error %v it returned %T", o.err, o.value)
		}
	}
	if f.refused != nil && o.err == nil && o.panic == nil {
		t.Errorf("a fault made of a refusal a success")
	}
	atomic := kind.atomic()
	switch {
	case f.partial:
	case f.swallows && o.state == before && failed:
	case !failed:
		if o.state != full.state {
			t.Errorf("it succeeded, but not all of it is there:\n%s", cmp.Diff(full.state, o.state))
		}
		if !slices.Equal(o.mails, full.mails) {
			t.Errorf("it succeeded and sent %v, want %v", o.mails, full.mails)
		}
	case o.state == before:
		if len(o.mails) != 0 && atomic {
			t.Errorf("it failed and sent %v", o.mails)
		}
	case o.state == full.state && !atomic:
		// It failed after it had taken effect; the caller was told that it is
		// not known.
	default:
		t.Errorf("it failed, and something has changed:\n%s", cmp.Diff(before, o.state))
	}
	if kind == tryAgain && !failed != (f.refused == nil) {
		t.Errorf("run again, it failed: %v %v", o.err, o.panic)
	}
	problems, err := r.w.Check(context.Background())
	if err != nil || len(problems) > 0 {
		t.Errorf("check: %v %v", problems, err)
	}
	for login, password := range map[string]string{
		"ann": "wrong password", "ann-3@example.org": goodPassword, "dan": goodPassword, "fay": "", "cid": otherPassword,
		"shared@example.org": otherPassword,
	} {
		if strings.HasPrefix(f.verb, "Activate") || f.verb == "Restore" || f.verb == "AddActivatedEmail" {
			break // may have opened one of them
		}
		if u, err := r.w.Authenticate(context.Background(), login, password); err == nil {
			t.Errorf("%s can sign in as %s", login, nameOf(u))
		}
	}
	if o.state == before && !f.partial && (o.panic == nil || !f.model) {
		if a := again(); a.state != full.state || !errors.Is(a.err, f.refused) || !slices.Equal(a.mails, full.mails) {
			t.Errorf("called again it is not as it should be: %v, mails %v\n%s", a.err, a.mails, cmp.Diff(full.state, a.state))
		}
	}
}

func (r *faultRun) judgeError(kind fault, err error) {
	var allowed []error
	switch kind {
	case failBefore, failAfter:
		allowed = []error{roster.ErrUnavailable, roster.ErrOutcomeUnknown}
	case cancelBefore, cancelAfter:
		allowed = []error{context.Canceled}
	case panicAfter: // the commit
		allowed = []error{roster.ErrOutcomeUnknown}
	}
	if r.flow.refused != nil {
		allowed = append(allowed, r.flow.refused) // the answer was there before the fault mattered
	}
	if r.flow.swallows {
		allowed = append(allowed, roster.ErrTxAborted)
	}
	if !slices.ContainsFunc(allowed, func(target error) bool { return errors.Is(err, target) }) {
		r.t.Errorf("%v gave %v", kind, err)
	}
	if s := err.Error(); strings.Contains(s, "planted") {
		r.t.Errorf("the cause is in the text: %s", s)
	}
}

// TestMailerFaults lets the mailer fail, or panic, at every mail of every flow:
// what caused the mail is undone.
func TestMailerFaults(t *testing.T) {
	errMailer := errors.New("planted: no paper")
	onEach(t, func(t *testing.T, k kind) {
		store := &faultStore{Store: k.open(t)}
		rng := random(t)
		points := 0
		for _, f := range flows {
			if f.partial || f.refused != nil || k.leaveOut(rng) {
				continue
			}
			t.Run(f.String(), func(t *testing.T) {
				r := &faultRun{t: t, store: store, flow: f, w: f.world(t, store)}
				before, full, _, _, _ := r.once(noFault, 0)
				for n := range len(full.mails) {
					for _, panics := range []bool{false, true} {
						points++
						r.mails = func(mail int) error {
							switch {
							case mail != n+1:
								return nil
							case panics:
								panic(plantedPanic{n + 1})
							}
							return errMailer
						}
						_, o, _, _, again := r.once(noFault, 0)
						silent := f.verb == "ResendActivation" || f.verb == "RequestPasswordReset" // tell nobody
						switch {
						case !panics && silent && o.err == nil && o.state == before && len(o.mails) == 0:
						case panics && o.panic != plantedPanic{n + 1}:
							t.Errorf("mail %d: the panic went astray: %v %v", n+1, o.panic, o.err)
						case !panics && !errors.Is(o.err, errMailer):
							t.Errorf("mail %d: %v", n+1, o.err)
						case o.state != before:
							t.Errorf("mail %d could not be sent, and yet:\n%s", n+1, cmp.Diff(before, o.state))
						case len(o.mails) != 0:
							t.Errorf("mail %d could not be sent, these were: %v", n+1, o.mails)
						}
						if a := again(); a.err != nil || a.state != full.state || !slices.Equal(a.mails, full.mails) {
							t.Errorf("called again: %v %v\n%s", a.err, a.mails, cmp.Diff(full.state, a.state))
						}
					}
				}
			})
		}
		t.Logf("%d mails could not be sent", points)
		if points == 0 && !k.sql {
			t.Error("no flow sends a mail")
		}
	})
}
