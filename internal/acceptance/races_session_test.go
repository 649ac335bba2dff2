package acceptance

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/go-roster/roster"
)

// issued collects the tokens that callers got beside each other.
type issued [rivals]string

// keep writes the token of caller i down, if there is one.
func (k *issued) keep(i int) func(*roster.Session, roster.Secret, error) error {
	return func(_ *roster.Session, token roster.Secret, err error) error {
		k[i] = token.Reveal()
		return err
	}
}

// live counts the sessions that are good. The error of all others must be that
// there is none.
func (k *issued) live(t *testing.T, w *world) (n int) {
	t.Helper()
	for _, token := range k {
		_, err := w.Session(context.Background(), token)
		switch {
		case err == nil:
			n++
		case !errors.Is(err, roster.ErrNoSession):
			t.Fatal(err)
		}
	}
	return n
}

// refused accepts nil and the errors.
func refused(t *testing.T, errs []error, allowed ...error) {
	t.Helper()
	for i, err := range errs {
		for _, target := range allowed {
			if errors.Is(err, target) {
				err = nil
			}
		}
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
}

// ender races a change of the account against sign-ins: whoever signed in
// before it has no session after it.
func ender(name string, change func(ctx context.Context, w *world, id roster.UserID) error) race {
	return race{
		name: "SignIn beside " + name, few: 60, many: 10_000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("ender%d", round)
			u := w.active(name, name+"@example.org")
			var tokens issued
			refused(t, together(rivals, func(i int) error {
				switch i {
				case rivals / 2:
					return change(ctx, w, u.ID)
				case 0:
					return tokens.keep(i)(w.StartSession(ctx, u))
				}
				return tokens.keep(i)(w.SignIn(ctx, name, goodPassword))
			}), roster.ErrCredentials, roster.ErrStale)
			if n := tokens.live(t, w); n != 0 {
				t.Fatalf("%d sessions outlived it", n)
			}
			rows, err := w.store.SessionsOf(ctx, u.ID, 100)
			w.must(err)
			if len(rows) != 0 {
				t.Fatalf("%d rows are left", len(rows))
			}
			w.post.take()
		},
	}
}

var sessionRaces = []race{
	ender("SetPassword", func(ctx context.Context, w *world, id roster.UserID) error {
		return w.SetPassword(ctx, id, "the password of tomorrow")
	}),
	ender("Disable", func(ctx context.Context, w *world, id roster.UserID) error { return w.Disable(ctx, id) }),
	ender("Delete", func(ctx context.Context, w *world, id roster.UserID) error { return w.Delete(ctx, id) }),
	{
		name: "RenewSession of one token", few: 60, many: 10_000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("renewer%d", round)
			w.active(name, name+"@example.org")
			_, first, err := w.SignIn(ctx, name, goodPassword)
			w.must(err)
			var tokens issued
			winner := oneWinner(t, together(rivals, func(i int) error {
				if i%2 == 0 {
					return tokens.keep(i)(w.Reauthenticate(ctx, first.Reveal(), goodPassword))
				}
				return tokens.keep(i)(w.RenewSession(ctx, first.Reveal()))
			}), is(roster.ErrNoSession))
			if _, err := w.Session(ctx, first.Reveal()); !errors.Is(err, roster.ErrNoSession) {
				t.Fatalf("the former token: %v", err)
			}
			if _, err := w.Session(ctx, tokens[winner]); err != nil || tokens.live(t, w) != 1 {
				t.Fatalf("the winner's token: %v", err)
			}
		},
	},
	{
		name: "ChangePasswordIn by two sessions", few: 60, many: 5000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("changerin%d", round)
			u := w.active(name, name+"@example.org")
			var own issued
			for i := range own {
				w.must(own.keep(i)(w.SignIn(ctx, name, goodPassword)))
			}
			var tokens issued
			winner := oneWinner(t, together(rivals, func(i int) error {
				return tokens.keep(i)(w.ChangePasswordIn(ctx, own[i], goodPassword, fmt.Sprintf("the password of number %d", i)))
			}), either(is(roster.ErrNoSession), is(roster.ErrCredentials), is(roster.ErrStale)))
			if own.live(t, w) != 0 || tokens.live(t, w) != 1 {
				t.Fatalf("%d of the former sessions are good, and %d of the new", own.live(t, w), tokens.live(t, w))
			}
			mustSignIn(t, w.Users, name, fmt.Sprintf("the password of number %d", winner))
			_, err := w.Session(ctx, tokens[winner])
			w.must(err)
			rows, err := w.store.SessionsOf(ctx, u.ID, 100)
			w.must(err)
			if len(rows) != 1 {
				t.Fatalf("%d rows are left", len(rows))
			}
			w.post.take()
		},
	},
	{
		name: "Impersonate by one token", few: 60, many: 5000, options: mayImpersonate,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("actor%d", round)
			actor := w.active(name, name+"@example.org")
			targets := [2]*roster.User{w.active(name+"a", name+"a@example.org"), w.active(name+"b", name+"b@example.org")}
			_, own, err := w.SignIn(ctx, name, goodPassword)
			w.must(err)
			var tokens issued
			winner := oneWinner(t, together(rivals, func(i int) error {
				return tokens.keep(i)(w.Impersonate(ctx, own.Reveal(), targets[i%2].ID))
			}), is(roster.ErrNoSession))
			if tokens.live(t, w) != 1 {
				t.Fatalf("%d sessions", tokens.live(t, w))
			}
			acting := tokens[winner]
			back := oneWinner(t, together(rivals, func(i int) error {
				return tokens.keep(i)(w.StopImpersonating(ctx, acting))
			}), is(roster.ErrNoSession))
			if s, err := w.Session(ctx, tokens[back]); err != nil || s.UserID != actor.ID || tokens.live(t, w) != 1 {
				t.Fatalf("back: %v", err)
			}
			w.post.take()
		},
	},
	{
		name: "Impersonate beside changes of both", few: 60, many: 5000, options: mayImpersonate,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("both%d", round)
			ids := [2]roster.UserID{w.active(name+"a", name+"a@example.org").ID, w.active(name+"b", name+"b@example.org").ID}
			var own [2]string
			for i := range own {
				_, token, err := w.SignIn(ctx, name+string(rune('a'+i)), goodPassword)
				w.must(err)
				own[i] = token.Reveal()
			}
			var tokens issued
			refused(t, together(rivals, func(i int) error {
				if i == rivals/2 {
					return w.EndSessions(ctx, ids[round%2])
				}
				return tokens.keep(i)(w.Impersonate(ctx, own[i%2], ids[1-i%2])) // each as the other
			}), roster.ErrNoSession)
			if round%4 < 2 {
				w.must(w.EndSessions(ctx, ids[round%2]))
				if n := tokens.live(t, w); n != 0 {
					t.Fatalf("%d sessions outlived it", n)
				}
			}
			w.post.take()
		},
	},
}
