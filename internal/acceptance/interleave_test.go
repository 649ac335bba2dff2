package acceptance

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// act is a verb with its arguments, on the stage that newStage sets.
type act struct {
	name    string
	run     func(ctx context.Context, us *roster.Users, c *cast) error
	allowed func(error) bool
}

var acts = []act{
	{"Activate ben's own", func(ctx context.Context, us *roster.Users, c *cast) error {
		_, err := us.Activate(ctx, c.codes["ben@example.org"])
		return err
	}, is(roster.ErrActivation)},
	{"Activate ben's shared", func(ctx context.Context, us *roster.Users, c *cast) error {
		_, err := us.Activate(ctx, c.codes["shared@example.org of ben"])
		return err
	}, is(roster.ErrActivation)},
	{"Activate cid's shared", func(ctx context.Context, us *roster.Users, c *cast) error {
		_, err := us.Activate(ctx, c.codes["shared@example.org"])
		return err
	}, is(roster.ErrActivation)},
	{"Activate ann's third", func(ctx context.Context, us *roster.Users, c *cast) error {
		_, err := us.Activate(ctx, c.codes["ann-3@example.org"])
		return err
	}, is(roster.ErrActivation)},
	{"AddEmail shared to fay", func(ctx context.Context, us *roster.Users, c *cast) error {
		_, err := us.AddEmail(ctx, c.fay.ID, "shared@example.org")
		return err
	}, either(is(roster.ErrNotFound), conflict(roster.FieldEmail))},
	{"AddEmail fay's own", func(ctx context.Context, us *roster.Users, c *cast) error {
		_, err := us.AddEmail(ctx, c.fay.ID, "fay@example.org")
		return err
	}, either(is(roster.ErrNotFound), conflict(roster.FieldEmail))},
	{"ChangeEmail of ann to shared", func(ctx context.Context, us *roster.Users, c *cast) error {
		_, err := us.ChangeEmail(ctx, c.ann.ID, "shared@example.org")
		return err
	}, is(roster.ErrNotFound)},
	{"AddActivatedEmail shared to fay", func(ctx context.Context, us *roster.Users, c *cast) error {
		_, err := us.AddActivatedEmail(ctx, c.fay.ID, "shared@example.org")
		return err
	}, either(is(roster.ErrNotFound), conflict(roster.FieldEmail))},
	{"RemoveEmail ann's second", func(ctx context.Context, us *roster.Users, c *cast) error {
		return us.RemoveEmail(ctx, c.ann.ID, c.email["ann-2@example.org"])
	}, either(is(roster.ErrNotFound), conflict(roster.FieldPrimary))},
	{"SetPrimaryEmail ann's second", func(ctx context.Context, us *roster.Users, c *cast) error {
		return us.SetPrimaryEmail(ctx, c.ann.ID, c.email["ann-2@example.org"])
	}, either(is(roster.ErrNotFound), is(roster.ErrInvalid))},
	{"RemoveEmail ben's own", func(ctx context.Context, us *roster.Users, c *cast) error {
		return us.RemoveEmail(ctx, c.ben.ID, c.email["ben@example.org"])
	}, either(is(roster.ErrNotFound), conflict(roster.FieldPrimary))},
	{"ResendActivation shared", func(ctx context.Context, us *roster.Users, _ *cast) error {
		return us.ResendActivation(ctx, "shared@example.org")
	}, never},
	{"ResendActivation ben", func(ctx context.Context, us *roster.Users, _ *cast) error {
		return us.ResendActivation(ctx, "ben")
	}, never},
	{"RequestPasswordReset ann", func(ctx context.Context, us *roster.Users, _ *cast) error {
		return us.RequestPasswordReset(ctx, "ann")
	}, never},
	{"RequestPasswordReset ben's address", func(ctx context.Context, us *roster.Users, _ *cast) error {
		return us.RequestPasswordReset(ctx, "ben@example.org")
	}, never},
	{"ResetPassword of ben", func(ctx context.Context, us *roster.Users, c *cast) error {
		_, err := us.ResetPassword(ctx, c.code, otherPassword)
		return err
	}, is(roster.ErrActivation)},
	{"Register with ann's address", func(ctx context.Context, us *roster.Users, _ *cast) error {
		_, err := us.Register(ctx, roster.NewUser{Name: "nina", Email: "ann@example.org", Password: goodPassword})
		return err
	}, conflict(roster.FieldName)},
	{"Register with shared", func(ctx context.Context, us *roster.Users, _ *cast) error {
		_, err := us.Register(ctx, roster.NewUser{Name: "nina", Email: "shared@example.org", Password: goodPassword})
		return err
	}, conflict(roster.FieldName)},
	{"Register dan", func(ctx context.Context, us *roster.Users, _ *cast) error {
		_, err := us.Register(ctx, roster.NewUser{Name: "dan", Email: "dan@example.org", Password: goodPassword})
		return err
	}, conflict(roster.FieldName)},
	{"Edit ann to nina", func(ctx context.Context, us *roster.Users, c *cast) error {
		return us.Edit(ctx, c.ann.ID, func(u *roster.User) error { u.Name = "nina"; return nil })
	}, either(is(roster.ErrNotFound), conflict(roster.FieldName))},
	{"Delete ann", func(ctx context.Context, us *roster.Users, c *cast) error { return us.Delete(ctx, c.ann.ID) }, is(roster.ErrNotFound)},
	{"Delete ben", func(ctx context.Context, us *roster.Users, c *cast) error { return us.Delete(ctx, c.ben.ID) }, is(roster.ErrNotFound)},
	{
		"Restore dan", func(ctx context.Context, us *roster.Users, c *cast) error { return us.Restore(ctx, c.dan.ID) },
		either(is(roster.ErrNotFound), conflict(roster.FieldName, roster.FieldEmail)),
	},
	{"AddActivatedEmail dan's to cid", func(ctx context.Context, us *roster.Users, c *cast) error {
		_, err := us.AddActivatedEmail(ctx, c.cid.ID, "dan@example.org")
		return err
	}, either(is(roster.ErrNotFound), conflict(roster.FieldEmail))},
	{"Purge ann", func(ctx context.Context, us *roster.Users, c *cast) error { return us.Purge(ctx, c.ann.ID) }, is(roster.ErrNotFound)},
	{"Purge ben", func(ctx context.Context, us *roster.Users, c *cast) error { return us.Purge(ctx, c.ben.ID) }, is(roster.ErrNotFound)},
	{"Disable ben", func(ctx context.Context, us *roster.Users, c *cast) error { return us.Disable(ctx, c.ben.ID) }, is(roster.ErrNotFound)},
	{"SetPassword of ann", func(ctx context.Context, us *roster.Users, c *cast) error {
		return us.SetPassword(ctx, c.ann.ID, otherPassword)
	}, is(roster.ErrNotFound)},
	{"ChangePassword of ann", func(ctx context.Context, us *roster.Users, c *cast) error {
		return us.ChangePassword(ctx, c.ann.ID, goodPassword, otherPassword)
	}, either(is(roster.ErrNotFound), is(roster.ErrCredentials))},
	{"Authenticate ann", func(ctx context.Context, us *roster.Users, _ *cast) error {
		_, err := us.Authenticate(ctx, "ann", goodPassword)
		return err
	}, is(roster.ErrCredentials)},
	{"Delete fay", func(ctx context.Context, us *roster.Users, c *cast) error { return us.Delete(ctx, c.fay.ID) }, is(roster.ErrNotFound)},
	{"RequestPasswordReset nina", func(ctx context.Context, us *roster.Users, _ *cast) error {
		return us.RequestPasswordReset(ctx, "nina")
	}, never},
	{"ChangeEmail of keeper to shared", func(ctx context.Context, us *roster.Users, _ *cast) error {
		u, err := us.ByName(ctx, "keeper")
		if err == nil {
			_, err = us.ChangeEmail(ctx, u.ID, "shared@example.org")
		}
		return err
	}, is(roster.ErrNotFound)},
	{"ResendActivation old", func(ctx context.Context, us *roster.Users, _ *cast) error {
		return us.ResendActivation(ctx, "old")
	}, never},
	{"Prune", func(ctx context.Context, us *roster.Users, _ *cast) error {
		_, err := us.Prune(ctx, roster.Budget{})
		return err
	}, never},
}

// newStage sets the stage: the cast, a code for a new password of ben's, and an
// account and a claim that Prune may remove.
func newStage(w *world) *cast {
	w.pending("old", "old@example.org")
	keeper := w.active("keeper", "keeper@example.org")
	w.claimed(keeper.ID, "shared@example.org")
	w.clock.Advance(9 * 24 * time.Hour)
	c := newCast(w)
	w.must(w.RequestPasswordReset(context.Background(), "ben"))
	c.code = w.post.code(w.t, "ben@example.org")
	w.post.take()
	return c
}

// visit is an act that comes in between.
type visit struct {
	point int    // before this call
	call  string // or before the first of this name
	act   act

	over chan struct{}
	err  error
}

// scripts are interleavings that have gone wrong once.
var scripts = []struct {
	main   string
	visits map[string]string // by the name of the call that they come before
}{
	{"Activate cid's shared", map[string]string{"LockEmails": "AddEmail shared to fay", "VoidActivations": "AddEmail fay's own"}},
	{"Activate ben's shared", map[string]string{"LockEmails": "Register with shared", "VoidActivations": "ResendActivation shared"}},
	{"Activate ben's shared", map[string]string{"LockEmails": "AddEmail shared to fay", "ActivateEmail": "Delete fay"}},
	{"Activate ben's shared", map[string]string{"LockEmails": "Register with shared", "ActivateEmail": "RequestPasswordReset nina"}},
	{"Register with ann's address", map[string]string{"UserByID": "Purge ann"}},
	{"Register with ann's address", map[string]string{"InsertEmail": "Purge ann"}},
	{"Register with ann's address", map[string]string{"InsertEmail": "Delete ann"}},
	{"ResendActivation shared", map[string]string{"VoidActivations": "Activate cid's shared"}},
	{"ResendActivation ben", map[string]string{"LockUser": "Purge ben"}},
	{"RequestPasswordReset ann", map[string]string{"LockUser": "Delete ann"}},
	{"ResetPassword of ben", map[string]string{"LockUser": "Activate ben's own", "LockEmails": "Purge ben"}},
	{"Restore dan", map[string]string{"ReclaimEmails": "AddActivatedEmail dan's to cid"}},
	{"Restore dan", map[string]string{"ClaimName": "Register dan"}},
	{"Edit ann to nina", map[string]string{"ClaimName": "Register with shared"}},
	{"Authenticate ann", map[string]string{"RecordLogin": "Purge ann"}},
	{"Authenticate ann", map[string]string{"RecordLogin": "Delete ann"}},
	{"ChangePassword of ann", map[string]string{"LockUser": "SetPassword of ann"}},
	{"Prune", map[string]string{"PruneEmails": "ChangeEmail of keeper to shared", "PruneUsers": "ResendActivation old"}},
}

func actNamed(t *testing.T, name string) act {
	t.Helper()
	for _, a := range acts {
		if a.name == name {
			return a
		}
	}
	t.Fatalf("there is no act %q", name)
	return act{}
}

// TestInterleavings stops a verb before one of its calls, or two, runs other
// verbs there, and lets it go on: as written above, and at random. This is done
// where writers work side by side.
func TestInterleavings(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		if !strings.HasPrefix(k.name, "postgres") {
			return // one writer at a time: the others would wait
		}
		rng := random(t)
		store := &faultStore{Store: k.open(t)}
		d := &director{store: store, w: newWorld(t, store.Store)}
		for _, us := range []struct {
			users **roster.Users
			store roster.Store
		}{{&d.main, store}, {&d.others, store.Store}} {
			var err error
			*us.users, err = roster.New(us.store, &roster.Options{Hasher: twoHashers{}, Mailer: d.w.post, Now: d.w.clock.Now, Limits: rostertest.Unlimited(), KeepEarlyPassword: true})
			d.w.must(err)
		}
		for _, s := range scripts {
			var visits []*visit
			for call, name := range s.visits {
				visits = append(visits, &visit{call: call, act: actNamed(t, name)})
			}
			d.play(t, actNamed(t, s.main), visits)
		}
		for range count(30, 6000) {
			visits := []*visit{{point: 1 + rng.IntN(12), act: acts[rng.IntN(len(acts))]}}
			if rng.IntN(2) == 0 {
				visits = append(visits, &visit{point: visits[0].point + rng.IntN(6), act: acts[rng.IntN(len(acts))]})
			}
			d.play(t, acts[rng.IntN(len(acts))], visits)
		}
		t.Logf("%d interruptions, %d of which had to wait", d.done, d.waited)
		if d.done == 0 {
			t.Error("nobody was interrupted")
		}
	})
}

// director runs verbs on two ways to the same store, one of which can be
// stopped.
type director struct {
	w            *world
	store        *faultStore
	main, others *roster.Users
	done, waited int
}

func (d *director) play(t *testing.T, main act, visits []*visit) {
	t.Helper()
	ctx := context.Background()
	d.w.empty()
	c := newStage(d.w)
	var wg sync.WaitGroup
	d.store.arm(noFault, 0, nil)
	d.store.hook = func(point int, name string) {
		for _, v := range visits {
			if v.over != nil || v.point != point && v.call != name {
				continue
			}
			v.over = make(chan struct{})
			wg.Go(func() {
				defer close(v.over)
				v.err = v.act.run(ctx, d.others, c)
			})
			select {
			case <-v.over:
			case <-time.After(40 * time.Millisecond): // it waits for the one that it has interrupted
				d.waited++
			}
		}
	}
	err := main.run(ctx, d.main, c)
	wg.Wait()
	calls, _ := d.store.disarm()
	d.store.hook = nil
	var wrong []string
	if err != nil && !main.allowed(err) {
		wrong = append(wrong, fmt.Sprintf("%s: %v", main.name, err))
	}
	story := fmt.Sprintf("%s makes the calls %v and ends by %v", main.name, calls, err)
	for _, v := range visits {
		if v.over == nil {
			continue
		}
		d.done++
		story += fmt.Sprintf("; before call %d%s comes %s and ends by %v", v.point, v.call, v.act.name, v.err)
		if v.err != nil && !v.act.allowed(v.err) {
			wrong = append(wrong, fmt.Sprintf("%s: %v", v.act.name, v.err))
		}
	}
	problems, err := d.w.Check(ctx)
	d.w.must(err)
	for _, p := range problems {
		wrong = append(wrong, p.String())
	}
	rows, err := readRows(ctx, d.store.Store)
	d.w.must(err)
	wrong = append(wrong, rows.broken(ctx, d.store.Store)...)
	for _, what := range wrong {
		t.Errorf("%s\n%s", what, story)
	}
}
