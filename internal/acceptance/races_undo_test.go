package acceptance

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/go-roster/roster"
)

// taken is an account whose primary address somebody has just changed, and the
// code by which its owner has it back.
func taken(w *world, name string) (u *roster.User, code string) {
	ctx := context.Background()
	u = w.active(name, name+"@example.org")
	evil := w.proven(u.ID, name+"@evil.example")
	w.post.take()
	w.must(w.SetPrimaryEmail(ctx, u.ID, evil.ID))
	code = w.post.code(w.t, name+"@example.org")
	w.post.take()
	return u, code
}

// hasItBack checks that the account is the owner's alone, by the password.
func hasItBack(t *testing.T, w *world, u *roster.User, password string) {
	t.Helper()
	mustSignIn(t, w.Users, u.Name, password)
	mustNotSignIn(t, w.Users, u.Name, goodPassword, roster.ErrCredentials)
	emails, err := w.Emails(context.Background(), u.ID)
	w.must(err)
	if len(emails) != 1 || emails[0].Address != u.Name+"@example.org" || !emails[0].Primary || !emails[0].IsActivated() {
		t.Fatalf("%d addresses, the first %+v", len(emails), *emails[0])
	}
	w.post.take()
}

var undoRaces = []race{
	{
		name: "UndoChange one code", few: 60, many: 3000,
		run: func(t *testing.T, w *world, round int) {
			u, code := taken(w, fmt.Sprintf("twice%d", round))
			next := func(i int) string { return fmt.Sprintf("the password of %d", i) }
			winner := oneWinner(t, together(rivals, func(i int) error {
				_, err := w.UndoChange(context.Background(), code, next(i))
				return err
			}), is(roster.ErrActivation))
			hasItBack(t, w, u, next(winner))
		},
	},
	{
		name: "UndoChange beside AcceptChange", few: 40, many: 2000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			u, code := taken(w, fmt.Sprintf("either%d", round))
			winner := oneWinner(t, together(rivals, func(i int) error {
				if i%2 == 0 {
					return w.AcceptChange(ctx, code)
				}
				_, err := w.UndoChange(ctx, code, otherPassword)
				return err
			}), is(roster.ErrActivation))
			if winner%2 == 1 {
				hasItBack(t, w, u, otherPassword)
				return
			}
			mustSignIn(t, w.Users, u.Name, goodPassword)
			w.post.take()
		},
	},
	{
		name: "UndoChange beside all that a thief does", few: 100, many: 5000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("thief%d", round)
			u, code := taken(w, name)
			evil := name + "@evil.example"
			w.must(w.RequestPasswordReset(ctx, evil))
			reset := w.post.code(t, evil)
			_, err := w.ChangeEmail(ctx, u.ID, "more-"+evil)
			w.must(err)
			change := w.post.code(t, "more-"+evil)
			home, away := emailOf(w, u.ID, name+"@example.org").ID, emailOf(w, u.ID, evil).ID
			errs := together(rivals, func(i int) error {
				switch i {
				case 0:
					_, err := w.UndoChange(ctx, code, otherPassword)
					return err
				case 1:
					return ignoring(w.SetPassword(ctx, u.ID, "a password of the thief"))
				case 2:
					_, err := w.ResetPassword(ctx, reset, "a password of the thief")
					return ignoring(err)
				case 3:
					return ignoring(w.RemoveEmail(ctx, u.ID, home))
				case 4:
					_, err := w.Activate(ctx, change)
					return ignoring(err)
				case 5:
					return ignoring(w.SetPrimaryEmail(ctx, u.ID, home))
				case 6:
					return ignoring(w.SetPrimaryEmail(ctx, u.ID, away))
				default:
					return ignoring(w.RequestPasswordReset(ctx, evil))
				}
			})
			w.must(errors.Join(errs...))
			// A password that the thief's session has set after it needs a session,
			// which is dead by then: here it is the program that sets it. So the owner
			// has the account back by the next code that is there.
			if _, err := w.Authenticate(ctx, name, otherPassword); err != nil {
				for _, m := range w.post.take() { // in the order in which they came
					if _, err := w.Peek(ctx, m.Code.Reveal()); m.To == name+"@example.org" && err == nil {
						code = m.Code.Reveal()
					}
				}
				_, err = w.UndoChange(ctx, code, otherPassword)
				w.must(err)
			}
			hasItBack(t, w, u, otherPassword)
			for _, c := range []string{reset, change} {
				if _, err := w.Peek(ctx, c); !errors.Is(err, roster.ErrActivation) {
					t.Fatalf("a code of the thief is good: %v", err)
				}
			}
		},
	},
	{
		name: "ResetPassword beside ChangePassword", few: 100, many: 3000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("forgot%d", round)
			u := w.active(name, name+"@example.org")
			w.must(w.RequestPasswordReset(ctx, name))
			code := w.post.code(t, name+"@example.org")
			w.post.take()
			errs := together(2, func(i int) error {
				if i == 0 {
					_, err := w.ResetPassword(ctx, code, otherPassword)
					return err
				}
				return w.ChangePassword(ctx, u.ID, goodPassword, "the password of tomorrow")
			})
			// One of them was first: then the code is void, or the password wrong.
			winner := oneWinner(t, errs, either(is(roster.ErrActivation), is(roster.ErrCredentials)))
			mustSignIn(t, w.Users, name, []string{otherPassword, "the password of tomorrow"}[winner])
			mustNotSignIn(t, w.Users, name, goodPassword, roster.ErrCredentials)
			w.post.take()
		},
	},
	{
		name: "RenewPassword beside RenewPassword", few: 60, many: 3000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("renew%d", round)
			u := w.active(name, name+"@example.org")
			w.must(w.RequirePasswordChange(ctx, u.ID, 0))
			next := func(i int) string { return fmt.Sprintf("the password of %d", i) }
			winner := oneWinner(t, together(rivals, func(i int) error {
				_, err := w.RenewPassword(ctx, name, goodPassword, next(i))
				return err
			}), is(roster.ErrCredentials))
			mustSignIn(t, w.Users, name, next(winner))
			w.post.take()
		},
	},
	{
		name: "ActivateWithPassword beside another", few: 60, many: 3000,
		options: strict,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("first%d", round)
			w.pending(name, name+"@example.org")
			code := w.post.code(t, name+"@example.org")
			next := func(i int) string { return fmt.Sprintf("the password of %d", i) }
			winner := oneWinner(t, together(rivals, func(i int) error {
				_, err := w.ActivateWithPassword(ctx, code, next(i))
				return err
			}), is(roster.ErrActivation))
			mustSignIn(t, w.Users, name, next(winner))
			mustNotSignIn(t, w.Users, name, goodPassword, roster.ErrCredentials)
			w.post.take()
		},
	},
}

// ignoring is an error that is none of what a thief may be told.
func ignoring(err error) error {
	for _, known := range []error{roster.ErrActivation, roster.ErrNotFound, roster.ErrConflict, roster.ErrInvalid} {
		if errors.Is(err, known) {
			return nil
		}
	}
	return err
}
