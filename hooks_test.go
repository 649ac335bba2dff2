package roster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// events reads all that was recorded, the first one first, as kinds.
func events(t testing.TB, us *roster.Users) (all []*roster.Event, kinds string) {
	t.Helper()
	p, err := us.Events(t.Context(), roster.EventQuery{Limit: 500})
	must(t, err)
	var list []string
	for i := len(p.Items) - 1; i >= 0; i-- {
		all = append(all, p.Items[i])
		list = append(list, string(p.Items[i].Kind))
	}
	return all, strings.Join(list, " ")
}

// A hook that panics, exits or hangs in the transaction is a refusal.
func TestOnEventIsContained(t *testing.T) {
	for name, hook := range map[string]func(ctx context.Context, never chan struct{}) error{
		"panics": func(context.Context, chan struct{}) error { panic("xyzzy") },
		"exits":  func(context.Context, chan struct{}) error { runtime.Goexit(); return nil },
		"heeds the context": func(ctx context.Context, _ chan struct{}) error {
			<-ctx.Done()
			return &roster.UnavailableError{What: roster.UnavailableHook, Cause: ctx.Err()}
		},
		"hangs": func(_ context.Context, never chan struct{}) error { <-never; return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				var armed atomic.Bool // a hook that hangs has read it at no known time
				never := make(chan struct{})
				defer close(never) // nothing may be left in the bubble
				env := rostertest.New(t, func(o *roster.Options) {
					o.Logger = slog.New(slog.NewTextHandler(&log, nil))
					o.OnEvent = func(ctx context.Context, _ roster.Event) error {
						if !armed.Load() {
							return nil
						}
						return hook(ctx, never)
					}
				})
				ann := env.MustRegister("ann")
				_, before := events(t, env.Users)
				armed.Store(true)
				err := env.Disable(t.Context(), ann.ID)
				var unavailable *roster.UnavailableError
				if !errors.As(err, &unavailable) || unavailable.What != roster.UnavailableHook {
					t.Errorf("Disable: %v", err)
				}
				if _, err := env.Authenticate(t.Context(), "ann", rostertest.Password); !errors.As(err, &unavailable) {
					t.Errorf("Authenticate: %v", err)
				}
				armed.Store(false)
				if u, err := env.ByID(t.Context(), ann.ID); err != nil || !u.Enabled || !u.LastLoginAt.IsZero() {
					t.Errorf("%+v, %v", u, err)
				}
				if _, after := events(t, env.Users); after != before {
					t.Errorf("recorded %q", after)
				}
				if name == "panics" && !strings.Contains(log.String(), "hook panicked") || name == "hangs" && !strings.Contains(log.String(), "hook hangs") {
					t.Errorf("logged %s", &log)
				}
				if strings.Contains(log.String(), "xyzzy") {
					t.Error("what somebody panics with may be a secret")
				}
				if err := env.Disable(t.Context(), ann.ID); err != nil {
					t.Errorf("Disable afterwards: %v", err)
				}
			})
		})
	}
}

// A hook after the commit changes nothing, whatever it does, and is told what was
// refused.
func TestAfterEventIsContained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // of what a hook that hangs has written at no known time
		var list []string
		told := func() []string { // since the last time
			mu.Lock()
			defer mu.Unlock()
			since := list
			list = nil
			return since
		}
		never := make(chan struct{})
		env := rostertest.New(t, func(o *roster.Options) {
			o.AfterEvent = func(ctx context.Context, e roster.Event) {
				mu.Lock()
				list = append(list, fmt.Sprint(e.Kind, " ", e.ID != 0))
				mu.Unlock()
				switch e.Kind {
				case roster.EventUserDisabled:
					panic("after")
				case roster.EventUserEnabled:
					<-never
				}
				if _, err := json.Marshal(e); err != nil {
					t.Error(err)
				}
			}
		})
		ann := env.MustRegister("ann")
		told()
		err := env.Atomic(t.Context(), func(ctx context.Context) error {
			if err := env.Disable(ctx, ann.ID); err != nil {
				return err
			}
			if early := told(); len(early) > 0 {
				t.Errorf("told before the commit: %v", early)
			}
			_, err := env.Authenticate(ctx, "ann", "wrong password")
			if !errors.Is(err, roster.ErrCredentials) {
				t.Error(err)
			}
			return env.Enable(ctx, ann.ID)
		})
		must(t, err)
		if got := strings.Join(told(), ", "); got != "user.disabled true, user.enabled true, sign_in.failed false" {
			t.Errorf("told %s", got)
		}
		told()
		_ = env.Atomic(t.Context(), func(ctx context.Context) error {
			must(t, env.Delete(ctx, ann.ID))
			return errors.New("no")
		})
		if late := told(); len(late) > 0 {
			t.Errorf("told of what did not happen: %v", late)
		}
		close(never)
	})
}

// What failed is recorded though the transaction was rolled back, once, and who
// hangs up is recorded, too.
func TestFailuresOutliveTheTransaction(t *testing.T) {
	env := rostertest.New(t)
	env.MustRegister("ann")
	ctx, hangUp := context.WithCancel(roster.WithClient(t.Context(), roster.Client{Addr: netip.MustParseAddr("192.0.2.7")}))
	_, before := events(t, env.Users)
	err := env.Atomic(ctx, func(ctx context.Context) error {
		_, err := env.Authenticate(ctx, "ann", "wrong password")
		_, after := events(t, env.Users)
		if after != before {
			t.Errorf("recorded inside: %q", after)
		}
		hangUp()
		return err
	})
	if !errors.Is(err, roster.ErrCredentials) {
		t.Error(err)
	}
	all, after := events(t, env.Users)
	if after != before+" sign_in.failed" {
		t.Fatalf("recorded %q", after)
	}
	last := all[len(all)-1]
	if last.User == 0 || last.Addr != "192.0.2.7" || string(last.Details["outcome"]) != `"refused"` || last.Actor != 0 {
		t.Errorf("%+v", last)
	}
}

// Ten thousand attempts at one account are counted, and fill one row an hour; as
// many names or addresses fill a bounded number.
func TestFailuresFillNoDatabase(t *testing.T) {
	env := rostertest.New(t, func(o *roster.Options) { o.Limits = rostertest.Unlimited() })
	ctx := t.Context()
	ann := env.MustRegister("ann")
	_, err := env.Authenticate(ctx, "ann", rostertest.Password)
	must(t, err)
	const attempts = 10_000
	for range attempts {
		if _, err := env.Authenticate(ctx, "ann", "wrong password"); !errors.Is(err, roster.ErrCredentials) {
			t.Fatal(err)
		}
	}
	failed := func(user roster.UserID) (rows, sum, known int) {
		q := roster.EventQuery{Kind: roster.EventSignInFailed, Limit: 500}
		for {
			p, err := env.Events(ctx, q)
			must(t, err)
			for _, e := range p.Items {
				rows++
				sum += e.Count
				if e.User == user {
					known += e.Count
				}
			}
			if q.Cursor = p.Next; p.Next == "" {
				return rows, sum, known
			}
		}
	}
	if rows, sum, known := failed(ann.ID); rows > 2 || sum != attempts || known != attempts {
		t.Errorf("%d attempts are %d in %d rows, %d at ann", attempts, sum, rows, known)
	}
	for i := range 3000 {
		addr := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		_, _ = env.Authenticate(roster.WithClient(ctx, roster.Client{Addr: addr}), "nobody", "wrong password")
	}
	rows, sum, _ := failed(ann.ID)
	if rows > 1100 || rows < 1000 || sum != attempts+3000 {
		t.Errorf("%d attempts from everywhere fill %d rows", sum, rows)
	}
	env.Clock.Advance(366 * 24 * time.Hour)
	p, err := env.Prune(ctx, roster.Budget{Rows: 10_000})
	if err != nil || p.Events < rows {
		t.Errorf("pruned %+v, %v", p, err)
	}
	if all, kinds := events(t, env.Users); len(all) != 1 || kinds != "pruned" {
		t.Errorf("left %s", kinds)
	}
}

// Who is purged leaves events, and no addresses in them.
func TestPurgeForgetsClients(t *testing.T) {
	env := rostertest.New(t)
	at := func(addr string) context.Context {
		return roster.WithClient(t.Context(), roster.Client{Addr: netip.MustParseAddr(addr)})
	}
	ann, ben := env.MustRegister("ann"), env.MustRegister("ben")
	for name, addr := range map[string]string{"ann": "192.0.2.1", "ben": "192.0.2.2"} {
		_, _, err := env.SignIn(at(addr), name, rostertest.Password)
		must(t, err)
	}
	_, _ = env.Authenticate(at("192.0.2.1"), "ann", "wrong password")
	before, kinds := events(t, env.Users)
	must(t, env.Purge(at("192.0.2.3"), ann.ID))
	after, left := events(t, env.Users)
	if left != kinds+" user.purged" {
		t.Fatalf("left %s", left)
	}
	for i, e := range after {
		raw, err := json.Marshal(e)
		must(t, err)
		switch {
		case e.Kind == roster.EventUserPurged && e.Addr != "192.0.2.3", e.User == ben.ID && e.Addr != before[i].Addr, strings.Contains(string(raw), "192.0.2.1"):
			t.Errorf("%s", raw)
		}
	}
}

// An actor sees what happened to them, and not where others were.
func TestOwnEvents(t *testing.T) {
	env := rostertest.New(t)
	ann, ada := env.MustRegister("ann"), env.MustRegister("ada")
	must(t, env.Grant(t.Context(), roster.ToUser(ada.ID), 0, roster.PermEditUser, roster.PermJudgeLogin))
	at := func(addr string) context.Context {
		return roster.WithClient(t.Context(), roster.Client{Addr: netip.MustParseAddr(addr)})
	}
	_, err := env.Authenticate(at("192.0.2.1"), "ann", rostertest.Password)
	must(t, err)
	must(t, env.For(roster.Actor{User: ada.ID, Level: roster.LevelJudge}).Edit(at("192.0.2.9"), ann.ID, func(u *roster.User) error {
		u.RealName = "Ann"
		return nil
	}))
	hers := env.For(roster.Actor{User: ann.ID})
	p, err := hers.Events(t.Context(), roster.EventQuery{User: ann.ID})
	must(t, err)
	seen := map[roster.EventKind]*roster.Event{}
	for _, e := range p.Items {
		seen[e.Kind] = e
	}
	if e := seen[roster.EventUserEdited]; e == nil || e.Actor != ada.ID || e.Addr != "" || string(e.Details["fields"]) != `["real_name"]` {
		t.Errorf("the edit: %+v", e)
	}
	if e := seen[roster.EventSignIn]; e == nil || e.Actor != ann.ID || e.Addr != "192.0.2.1" {
		t.Errorf("the sign-in: %+v", e)
	}
	for _, q := range []roster.EventQuery{{}, {User: ada.ID}, {Actor: ann.ID}} {
		if _, err := hers.Events(t.Context(), q); !errors.Is(err, roster.ErrForbidden) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	p, err = env.Events(t.Context(), roster.EventQuery{Actor: ann.ID, Kind: roster.EventDenied})
	must(t, err)
	if len(p.Items) != 2 || p.Items[0].Count+p.Items[1].Count != 3 { // one names ada
		t.Errorf("%d rows of denials: %+v", len(p.Items), p.Items)
	}
	if p, _ := env.Events(t.Context(), roster.EventQuery{User: ann.ID, Actor: ada.ID}); len(p.Items) != 1 || p.Items[0].Addr != "192.0.2.9" {
		t.Errorf("as the program: %+v", p.Items)
	}
}

func TestEventsQuery(t *testing.T) {
	env := rostertest.New(t)
	for i := range 7 {
		must(t, env.Record(t.Context(), roster.Event{Kind: "a", User: roster.UserID(1 + i%2)}))
	}
	q := roster.EventQuery{Kind: "a", Limit: 3}
	var ids []roster.EventID
	for {
		p, err := env.Events(t.Context(), q)
		must(t, err)
		for _, e := range p.Items {
			ids = append(ids, e.ID)
		}
		if q.Cursor = p.Next; p.Next == "" {
			break
		}
	}
	if len(ids) != 7 || ids[0] <= ids[6] {
		t.Errorf("%v", ids)
	}
	first, err := env.Events(t.Context(), roster.EventQuery{Kind: "a", Limit: 3})
	must(t, err)
	for _, c := range []struct {
		q     roster.EventQuery
		field string
	}{
		{roster.EventQuery{Limit: -1}, roster.FieldLimit},
		{roster.EventQuery{Limit: 501}, roster.FieldLimit},
		{roster.EventQuery{User: -1}, roster.FieldUser},
		{roster.EventQuery{Actor: -1}, roster.FieldUser},
		{roster.EventQuery{Kind: "\x00"}, roster.FieldKind},
		{roster.EventQuery{Cursor: "garbage"}, roster.FieldCursor},
		{roster.EventQuery{Cursor: first.Next}, roster.FieldCursor}, // of another query
		{roster.EventQuery{Kind: "a", Cursor: first.Next + "A"}, roster.FieldCursor},
	} {
		_, err := env.Events(t.Context(), c.q)
		if fields := roster.InvalidFields(err); len(fields) != 1 || fields[0].Field != c.field {
			t.Errorf("%+v: %v", c.q, err)
		}
	}
	for _, e := range []roster.Event{{}, {Kind: roster.EventSignIn}, {Kind: "a", User: -1}, {Kind: "a", Details: roster.Data{"x": json.RawMessage("{")}}} {
		if err := env.Record(t.Context(), e); !errors.Is(err, roster.ErrInvalid) {
			t.Errorf("%+v: %v", e, err)
		}
	}
}
