package acceptance

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/go-roster/roster"
)

var errRollback = errors.New("roll back")

// atomic runs a few verbs in one transaction. It ends with an error of one of
// them, or is rolled back at the end, or is committed.
func (x *machine) atomic() {
	names := make([]string, 0, len(deeds))
	for name := range deeds {
		names = append(names, name)
	}
	slices.Sort(names)
	n := rapid.IntRange(1, 4).Draw(x.T, "verbs")
	rollback := x.odds(3)
	outer := x.m
	x.m = outer.clone()
	codes, undos := len(x.codes), len(x.undos)
	ctx := x.ctx
	var first error
	err := x.w.Atomic(ctx, func(tx context.Context) error {
		x.ctx = tx
		for range n {
			name := rapid.SampledFrom(names).Draw(x.T, "verb")
			err := deeds[name](x)
			if err == nil || errors.Is(err, errIdle) {
				continue
			}
			// What is refused before anything is written costs nothing. A code is
			// used up before it turns out that somebody else has the address.
			_, lost := x.w.Count(tx, roster.Query{})
			if lost == nil && x.odds(2) {
				continue
			}
			if lost != nil && !errors.Is(err, roster.ErrConflict) && !errors.Is(err, roster.ErrActivation) {
				x.Fatalf("%s was refused (%v), and the transaction is lost: %v", name, err, lost)
			}
			first = err
			return err
		}
		if rollback {
			return errRollback
		}
		return nil
	})
	inside := x.ctx
	x.ctx = ctx
	switch {
	case first != nil && !errors.Is(err, first), first == nil && rollback && !errors.Is(err, errRollback),
		first == nil && !rollback && err != nil:
		x.Fatalf("the transaction ended by %v, want %v (rollback %v)", err, first, rollback)
	}
	if _, err := x.w.Count(inside, roster.Query{}); !errors.Is(err, roster.ErrTxDone) {
		x.Fatalf("a context kept beyond the end: %v", err)
	}
	if err != nil {
		x.m, x.codes, x.undos = outer, x.codes[:codes], x.undos[:undos]
		if mails := x.w.post.take(); len(mails) > 0 {
			x.Fatalf("a transaction that was rolled back sent %d mails", len(mails))
		}
		return
	}
	x.settle()
}

// compare asks for everything and compares it with the model.
func (x *machine) compare() {
	ctx, w, m, now := x.ctx, x.w, x.m, x.now()
	for _, n := range nameSpellings {
		u, err := w.ByName(ctx, n.typed)
		x.same("by name", u, err, m.byKey(n.key))
	}
	for _, a := range addressSpellings {
		owner, _ := m.owner(a.key)
		u, err := w.ByEmail(ctx, a.typed)
		x.same("by e-mail", u, err, owner)
		used, err := w.EmailInUse(ctx, a.typed)
		if err != nil || used != (owner != nil) {
			x.Fatalf("e-mail in use: %v %v, want %v", used, err, owner != nil)
		}
	}
	var counts [4]int
	for _, id := range x.ids {
		mu := m.users[id]
		u, err := w.ByID(ctx, id)
		x.same("by ID", u, err, m.live(id))
		if mu == nil {
			continue
		}
		switch {
		case mu.deleted():
			counts[roster.StateDeleted]++
		case mu.active():
			counts[roster.StateActivated]++
			counts[roster.StateLive]++
		default:
			counts[roster.StatePending]++
			counts[roster.StateLive]++
		}
		emails, err := w.store.EmailsOf(ctx, id)
		x.want("emails", err, nil)
		x.sameEmails(id, emails, mu)
		for _, p := range passwords {
			want := error(nil)
			if !mu.mayLogin() || mu.password != p {
				want = roster.ErrCredentials
			}
			x.want("check password", w.CheckPassword(ctx, id, p), want)
		}
		if primary, err := w.PrimaryEmail(ctx, id); mu.deleted() || mu.primary() == nil || !mu.primary().active() {
			x.want("primary e-mail", err, roster.ErrNotFound)
		} else if err != nil || primary.ID != mu.primary().id {
			x.Fatalf("primary e-mail: %v %v, want %d", primary, err, mu.primary().id)
		}
	}
	for state, want := range counts {
		if n, err := w.Count(ctx, roster.Query{State: roster.State(state)}); err != nil || n != want {
			x.Fatalf("%d users in state %d (%v), want %d", n, state, err, want)
		}
	}
	for i, c := range x.codes {
		if i < len(x.codes)-10 {
			continue // the older ones are tried by the verbs
		}
		u, e := m.good(c, now)
		p, err := w.Peek(ctx, c.code)
		if u == nil {
			x.want(fmt.Sprintf("peek at %+v", *c), err, roster.ErrActivation)
			continue
		}
		if err != nil || p.User.ID != u.id || p.Email.ID != e.id || p.Purpose != c.purpose || !p.ExpiresAt.Equal(c.expires) {
			x.Fatalf("peek at %+v: %+v, %v", *c, p, err)
		}
	}
	x.compareUndos()
	problems, err := w.Check(ctx)
	if err != nil || len(problems) > 0 {
		x.Fatalf("check: %v %v", problems, err)
	}
}

func (x *machine) same(verb string, u *roster.User, err error, want *mUser) {
	x.Helper()
	if want == nil {
		if !errors.Is(err, roster.ErrNotFound) || u != nil {
			x.Fatalf("%s: %s, %v, want nobody", verb, nameOf(u), err)
		}
		return
	}
	if err != nil || u.ID != want.id {
		x.Fatalf("%s: %s, %v, want user %d", verb, nameOf(u), err, want.id)
	}
	if u.Name != want.name || u.NameKey != want.key || u.RealName != want.realName || u.Enabled != want.enabled || u.Flags != want.flags ||
		!u.ActivatedAt.Equal(want.activatedAt) || !u.DeletedAt.Equal(want.deletedAt) || !u.LastLoginAt.Equal(want.loginAt) ||
		!u.CreatedAt.Equal(want.createdAt) || !u.PasswordChangedAt.Equal(want.passwordAt) {
		x.Fatalf("%s: %+v, want %+v", verb, *u, *want)
	}
	if !u.AuthChangedAt.Equal(want.authAt) {
		x.Fatalf("%s: the last auth-sensitive change was at %v, want %v", verb, u.AuthChangedAt, want.authAt)
	}
	if canLogin := want.active() && want.mayLogin(); u.CanLogin() != canLogin {
		x.Fatalf("%s: can log in: %v", verb, u.CanLogin())
	}
}

func (x *machine) sameEmails(id roster.UserID, got []*roster.UserEmail, want *mUser) {
	x.Helper()
	if len(got) != len(want.emails) {
		x.Fatalf("user %d has %d addresses, want %d", id, len(got), len(want.emails))
	}
	for _, e := range got {
		w := want.email(e.ID)
		if w == nil || e.Address != w.address || e.AddressKey != w.key || e.Primary != w.primary || !e.ActivatedAt.Equal(w.activatedAt) ||
			!e.CreatedAt.Equal(w.createdAt) || e.ReleasedAt.IsZero() == want.deleted() {
			x.Fatalf("user %d has the address %+v, want %+v", id, *e, w)
		}
	}
}
