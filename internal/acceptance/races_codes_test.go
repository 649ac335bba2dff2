package acceptance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-roster/roster"
)

var codeRaces = []race{
	{
		name: "Activate one code", few: 100, many: 10_000, always: true,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			address := fmt.Sprintf("one%d@example.org", round)
			u := w.pending(fmt.Sprintf("one%d", round), address)
			code := w.post.code(t, address)
			w.post.take()
			errs := together(rivals, func(int) error {
				_, err := w.Activate(ctx, code)
				return err
			})
			oneWinner(t, errs, is(roster.ErrActivation))
			now, err := w.ByID(ctx, u.ID)
			w.must(err)
			if !now.IsActivated() || now.Version != u.Version+1 {
				t.Fatalf("activated %v, written %d times", now.IsActivated(), now.Version-u.Version)
			}
			if e := emailOf(w, u.ID, address); !e.IsActivated() || !e.Primary {
				t.Fatal("the address is not activated")
			}
			if _, err := w.Peek(ctx, code); !errors.Is(err, roster.ErrActivation) {
				t.Fatalf("peek at the used code: %v", err)
			}
			if mails := w.post.take(); len(mails) != 0 {
				t.Fatalf("%d mails left", len(mails))
			}
		},
	},
	{
		name: "Activate rival claims", few: 100, many: 10_000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			address := fmt.Sprintf("rival%d@example.org", round)
			var ids [rivals]roster.UserID
			var codes [rivals]string
			for i := range ids {
				name := fmt.Sprintf("rival%d-%d", round, i)
				spare := name + "@example.org"
				switch i % 3 {
				case 0: // has nothing else
					ids[i] = w.pending(name, address).ID
				case 1: // is pending itself, and so is the other address
					ids[i] = w.pending(name, address).ID
					w.claimed(ids[i], spare)
				case 2: // has an activated one, and adds this
					ids[i] = w.active(name, spare).ID
					w.claimed(ids[i], address)
				}
				codes[i] = w.post.code(t, address)
			}
			w.post.take()
			errs := together(rivals, func(i int) error {
				_, err := w.Activate(ctx, codes[i])
				return err
			})
			winner := oneWinner(t, errs, is(roster.ErrActivation))
			claims, err := w.store.EmailsByKey(ctx, address)
			w.must(err)
			for _, c := range claims {
				// The claims of the losers are left, and worth nothing.
				if c.IsActivated() != (c.UserID == ids[winner]) {
					t.Fatalf("a claim: %+v", *c)
				}
			}
			owner, err := w.ByEmail(ctx, address)
			w.must(err)
			if owner.ID != ids[winner] {
				t.Fatalf("the address leads to user %d", owner.ID)
			}
			for i, id := range ids {
				u, err := w.ByID(ctx, id)
				w.must(err)
				if i != winner && u.IsActivated() != (i%3 == 2) {
					t.Fatalf("loser %d is activated: %v", i, u.IsActivated())
				}
				emails, err := w.Emails(ctx, id)
				w.must(err)
				primary := 0
				for _, e := range emails {
					if e.Primary {
						primary++
					}
				}
				if want := min(1, len(emails)); primary != want {
					t.Fatalf("user %d has %d addresses, %d of them primary", i, len(emails), primary)
				}
			}
		},
	},
	{
		name: "Activate one code beside new codes for the address", few: 100, many: 2000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("again%d", round)
			address := name + "@example.org"
			u := w.pending(name, address)
			code := w.post.code(t, address)
			w.post.take()
			errs := together(rivals, func(i int) error {
				if i%2 == 0 {
					return w.ResendActivation(ctx, spelled(name, i))
				}
				_, err := w.Activate(ctx, code)
				return err
			})
			wins := 0
			for i, err := range errs {
				switch {
				case err == nil && i%2 == 1:
					wins++
				case err != nil && (i%2 == 0 || !errors.Is(err, roster.ErrActivation)):
					t.Fatalf("%d: %v", i, err)
				}
			}
			if wins > 1 {
				t.Fatalf("the code was redeemed %d times", wins)
			}
			// At most the newest code is good, and only if nobody has won.
			good := 0
			for _, m := range w.post.take() {
				if _, err := w.Peek(ctx, m.Code.Reveal()); err == nil {
					good++
				}
			}
			if now, err := w.ByID(ctx, u.ID); err != nil || now.IsActivated() != (wins == 1) || good != 1-wins {
				t.Fatalf("%d redeemed, activated %v, %d codes are good (%v)", wins, now.IsActivated(), good, err)
			}
		},
	},
	{
		name: "ChangeEmail twice, redeemed at once", few: 100, many: 10_000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("mover%d", round)
			old := name + "@example.org"
			u := w.active(name, old)
			w.post.take()
			to := func(i int) string { return fmt.Sprintf("%s-to%d@example.org", name, i) }
			w.must(errors.Join(together(2, func(i int) error {
				_, err := w.ChangeEmail(ctx, u.ID, to(i))
				return err
			})...))
			codes := []string{w.post.code(t, to(0)), w.post.code(t, to(1))}
			w.post.take()
			// Moving the primary address voids whatever else is on its way.
			winner := oneWinner(t, together(2, func(i int) error {
				_, err := w.Activate(ctx, codes[i])
				return err
			}), is(roster.ErrActivation))
			primary, err := w.PrimaryEmail(ctx, u.ID)
			w.must(err)
			if primary.Address != to(winner) {
				t.Fatal("the primary address is not the one whose code was redeemed")
			}
			if e := emailOf(w, u.ID, to(1-winner)); e.IsActivated() || e.Primary {
				t.Fatal("an address that nobody has proven is activated")
			}
			if mails := w.post.take(); len(mails) != 1 || mails[0].To != old || mails[0].Kind != roster.MailEmailChanged {
				t.Fatalf("%d mails left, want one to the former address", len(mails))
			}
		},
	},
	{
		name: "AddEmail of one address by one user", few: 80, many: 2000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("adder%d", round)
			u := w.active(name, name+"@example.org")
			w.post.take()
			address := "more-" + name + "@example.org"
			errs := together(rivals, func(i int) error {
				if i%2 == 0 {
					_, err := w.AddEmail(ctx, u.ID, address)
					return err
				}
				_, err := w.ChangeEmail(ctx, u.ID, strings.ToUpper(address))
				return err
			})
			w.must(errors.Join(errs...))
			emails, err := w.Emails(ctx, u.ID)
			w.must(err)
			good := 0
			for _, m := range w.post.take() {
				if _, err := w.Peek(ctx, m.Code.Reveal()); err == nil {
					good++
				}
			}
			if len(emails) != 2 || good != 1 {
				t.Fatalf("%d addresses, %d good codes", len(emails), good)
			}
		},
	},
	{
		name: "AddActivatedEmail of one address", few: 80, many: 2000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			address := fmt.Sprintf("vouched%d@example.org", round)
			var ids [rivals]roster.UserID
			codes := map[int]string{}
			for i := range ids {
				name := fmt.Sprintf("vouched%d-%d", round, i)
				if i%2 == 0 {
					ids[i] = w.pending(name, address).ID
					codes[i] = w.post.code(t, address)
					continue
				}
				ids[i] = w.active(name, name+"@example.org").ID
			}
			errs := together(rivals, func(i int) error {
				if i%4 == 0 {
					_, err := w.Activate(ctx, codes[i])
					return err
				}
				_, err := w.AddActivatedEmail(ctx, ids[i], address)
				return err
			})
			winner := oneWinner(t, errs, either(is(roster.ErrActivation), conflict(roster.FieldEmail)))
			if u, err := w.ByEmail(ctx, address); err != nil || u.ID != ids[winner] {
				t.Fatalf("the address leads to %s: %v", nameOf(u), err)
			}
			w.post.take()
		},
	},
}
