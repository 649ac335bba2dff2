package acceptance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// race is something that several callers do at the same moment, again and
// again. What must hold is checked in each round, and the invariants of the
// whole store at the end.
type race struct {
	name      string
	few, many int  // rounds, and rounds in a soak
	always    bool // as many on every store
	options   func(*roster.Options)
	run       func(t *testing.T, w *world, round int)
	after     func(t *testing.T, w *world, rounds int)
}

const rivals = 8

func TestRaces(t *testing.T) {
	races := slices.Concat(registerRaces, codeRaces, passwordRaces, editRaces, stateRaces, sessionRaces)
	onEach(t, func(t *testing.T, k kind) {
		for _, r := range races {
			t.Run(r.name, func(t *testing.T) {
				w := newWorld(t, k.open(t), func(o *roster.Options) {
					if r.options != nil {
						r.options(o)
					}
				})
				n := k.some(r.few, r.many)
				if r.always {
					n = count(r.few, r.many)
				}
				start := time.Now()
				for round := range n {
					r.run(t, w, round)
					if t.Failed() {
						t.Fatalf("in round %d", round)
					}
				}
				rate(t, n, start)
				w.sound()
				if r.after != nil {
					r.after(t, w, n)
				}
			})
		}
	})
}

// wide writes ASCII letters and digits as the full-width ones.
func wide(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r + 0xfee0
		}
		return r
	}, s)
}

// spelled is a name in one of several spellings that mean the same.
func spelled(name string, i int) string {
	switch i % 4 {
	case 0:
		return name
	case 1:
		return strings.ToUpper(name)
	case 2:
		return wide(name)
	default:
		return strings.ToUpper(name[:1]) + wide(name[1:2]) + name[2:]
	}
}

var registerRaces = []race{
	{
		name: "Register one name", few: 100, many: 10_000, always: true,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("racer%d", round)
			users := make([]*roster.User, rivals)
			errs := together(rivals, func(i int) (err error) {
				users[i], err = w.Register(ctx, roster.NewUser{
					Name: spelled(name, i), Email: fmt.Sprintf("%s-%d@example.org", name, i), Password: goodPassword,
				})
				return err
			})
			winner := oneWinner(t, errs, conflict(roster.FieldName))
			for i := range rivals {
				address := fmt.Sprintf("%s-%d@example.org", name, i)
				claims, err := w.store.EmailsByKey(ctx, address)
				w.must(err)
				if want := i == winner; (len(claims) == 1) != want {
					t.Fatalf("%d claims on the address of %d, who won: %v", len(claims), i, want)
				}
				if i != winner && users[i] != nil {
					t.Fatalf("loser %d got a user beside the error", i)
				}
			}
			u, err := w.ByName(ctx, name)
			w.must(err)
			if u.ID != users[winner].ID || u.Name != spelled(name, winner) {
				t.Fatalf("the name leads to user %d and not to the winner %d", u.ID, users[winner].ID)
			}
			mails := w.post.take()
			if len(mails) != 1 || mails[0].To != fmt.Sprintf("%s-%d@example.org", name, winner) {
				t.Fatalf("%d mails left; only the winner's should", len(mails))
			}
		},
		after: func(t *testing.T, w *world, rounds int) {
			rows, err := readRows(context.Background(), w.store)
			w.must(err)
			if len(rows.users) != rounds || len(rows.emails) != rounds || len(rows.creds) != rounds {
				t.Fatalf("%d rounds left %d users, %d addresses and %d credentials",
					rounds, len(rows.users), len(rows.emails), len(rows.creds))
			}
		},
	},
	{
		name: "Register one name beside renames to it", few: 80, many: 2000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("wanted%d", round)
			var ids [rivals]roster.UserID
			for i := range ids {
				u := &roster.User{Name: fmt.Sprintf("old%d-%d", round, i)}
				w.must(w.Create(ctx, u))
				ids[i] = u.ID
			}
			errs := together(rivals, func(i int) error {
				if i%2 == 0 {
					return w.Edit(ctx, ids[i], func(u *roster.User) error { u.Name = spelled(name, i); return nil })
				}
				return w.Create(ctx, &roster.User{Name: spelled(name, i)})
			})
			oneWinner(t, errs, conflict(roster.FieldName))
		},
	},
	{
		name: "Register one free address", few: 80, many: 2000,
		run: func(t *testing.T, w *world, round int) {
			// Claims that wait to be proven stand beside each other.
			ctx := context.Background()
			errs := together(rivals, func(i int) error {
				_, err := w.Register(ctx, roster.NewUser{
					Name: fmt.Sprintf("claimer%d-%d", round, i), Email: fmt.Sprintf("Claimed%d@example.org", round), Password: goodPassword,
				})
				return err
			})
			w.must(errors.Join(errs...))
			claims, err := w.store.EmailsByKey(ctx, fmt.Sprintf("claimed%d@example.org", round))
			w.must(err)
			if len(claims) != rivals || len(w.post.take()) != rivals {
				t.Fatalf("%d claims", len(claims))
			}
		},
	},
	{
		name: "Register beside the purge of the owner of the address", few: 80, many: 2000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			address := fmt.Sprintf("owned%d@example.org", round)
			owner := w.active(fmt.Sprintf("owner%d", round), address)
			errs := together(rivals, func(i int) error {
				if i == 0 {
					return w.Purge(ctx, owner.ID)
				}
				_, err := w.Register(ctx, roster.NewUser{
					Name: fmt.Sprintf("next%d-%d", round, i), Email: address, Password: goodPassword,
				})
				return err
			})
			w.must(errors.Join(errs...))
			w.post.take()
		},
	},
}

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
				// Of the losers the primary claims are left, which are worth nothing.
				if won := c.UserID == ids[winner]; c.IsActivated() != won || !won && !c.Primary {
					t.Fatalf("a claim is left: %+v", *c)
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

var stateRaces = []race{
	{
		name: "SetPrimaryEmail beside RemoveEmail and Activate", few: 100, many: 5000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("many%d", round)
			address := func(i int) string { return fmt.Sprintf("%s-%d@example.org", name, i) }
			u := w.active(name, address(0))
			var emails []*roster.UserEmail
			emails = append(emails, emailOf(w, u.ID, address(0)), w.proven(u.ID, address(1)), w.proven(u.ID, address(2)),
				w.claimed(u.ID, address(3)))
			code := w.post.code(t, address(3))
			_, err := w.ChangeEmail(ctx, u.ID, address(4))
			w.must(err)
			change := w.post.code(t, address(4))
			w.post.take()
			errs := together(rivals, func(i int) error {
				var err error
				switch i {
				case 0, 1:
					return w.SetPrimaryEmail(ctx, u.ID, emails[1+i].ID)
				case 2, 3, 4:
					return w.RemoveEmail(ctx, u.ID, emails[i-2].ID)
				case 5:
					_, err = w.Activate(ctx, code)
				case 6:
					_, err = w.Activate(ctx, change)
				case 7:
					return w.SetPrimaryEmail(ctx, u.ID, emails[0].ID)
				}
				return err
			})
			allowed := either(is(roster.ErrNotFound), is(roster.ErrActivation), conflict(roster.FieldPrimary))
			for i, err := range errs {
				if err != nil && !allowed(err) {
					t.Fatalf("%d: %v", i, err)
				}
			}
			if e, err := w.PrimaryEmail(ctx, u.ID); err != nil || !e.IsActivated() {
				t.Fatalf("the user cannot be reached any more: %v", err)
			}
			w.post.take()
		},
	},
	{
		name: "Delete beside Authenticate", few: 100, many: 5000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("gone%d", round)
			address := name + "@example.org"
			u := w.active(name, address)
			errs := together(rivals, func(i int) error {
				if i == 0 {
					return w.Delete(ctx, u.ID)
				}
				_, err := w.Authenticate(ctx, []string{name, address}[i%2], goodPassword)
				if err != nil && !errors.Is(err, roster.ErrCredentials) {
					return err
				}
				return nil
			})
			w.must(errors.Join(errs...))
			mustNotSignIn(t, w.Users, name, goodPassword, roster.ErrCredentials)
			mustNotSignIn(t, w.Users, address, goodPassword, roster.ErrCredentials)
			w.post.take()
		},
	},
	{
		name: "Purge beside everything", few: 100, many: 3000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("purged%d", round)
			address := name + "@example.org"
			u := w.active(name, address)
			more := w.claimed(u.ID, "more-"+address)
			code := w.post.code(t, more.Address)
			w.post.take()
			errs := together(rivals, func(i int) error {
				var err error
				allowed := is(roster.ErrNotFound)
				switch i {
				case 0:
					err = w.Purge(ctx, u.ID)
				case 1:
					_, err = w.Activate(ctx, code)
					allowed = is(roster.ErrActivation)
				case 2:
					_, err = w.Authenticate(ctx, name, goodPassword)
					allowed = is(roster.ErrCredentials)
				case 3:
					err = w.SetPassword(ctx, u.ID, "another good password")
				case 4:
					err = w.Edit(ctx, u.ID, func(u *roster.User) error { u.RealName = "Gone"; return nil })
				case 5:
					_, err = w.AddEmail(ctx, u.ID, "third-"+address)
				case 6:
					err = w.SetPrimaryEmail(ctx, u.ID, more.ID)
					allowed = either(is(roster.ErrNotFound), is(roster.ErrInvalid))
				case 7:
					err = w.ChangePassword(ctx, u.ID, goodPassword, "yet another password")
					allowed = either(is(roster.ErrNotFound), is(roster.ErrCredentials))
				}
				if err != nil && !allowed(err) {
					return err
				}
				return nil
			})
			w.must(errors.Join(errs...))
			rows, err := readRows(ctx, w.store)
			w.must(err)
			if len(rows.users)+len(rows.emails)+len(rows.creds) != 0 {
				t.Fatalf("left: %d users, %d addresses, %d credentials", len(rows.users), len(rows.emails), len(rows.creds))
			}
			if _, err := nameOwner(ctx, w.store, name); !errors.Is(err, roster.ErrNotFound) {
				t.Fatalf("the name is still held: %v", err)
			}
			w.post.take()
		},
	},
	{
		name: "Restore beside Register of the name", few: 100, many: 5000,
		options: func(o *roster.Options) { o.NameHold = -1 },
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("back%d", round)
			u := w.active(name, name+"@example.org")
			w.must(w.Delete(ctx, u.ID))
			w.post.take()
			errs := together(rivals, func(i int) error {
				if i == 0 {
					return w.Restore(ctx, u.ID)
				}
				_, err := w.Register(ctx, roster.NewUser{
					Name: spelled(name, i), Email: fmt.Sprintf("%s-%d@example.org", name, i), Password: goodPassword,
				})
				return err
			})
			winner := oneWinner(t, errs, conflict(roster.FieldName))
			now, err := w.ByName(ctx, name)
			w.must(err)
			if (now.ID == u.ID) != (winner == 0) {
				t.Fatalf("the name leads to user %d; %d won", now.ID, winner)
			}
			w.post.take()
		},
	},
	{
		name: "Restore beside Activate of the address by others", few: 100, many: 5000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("heir%d", round)
			address := name + "@example.org"
			u := w.active(name, address)
			w.must(w.Delete(ctx, u.ID))
			codes := make([]string, rivals)
			for i := 1; i < rivals; i++ {
				w.pending(fmt.Sprintf("%s-%d", name, i), address)
				codes[i] = w.post.code(t, address)
			}
			w.post.take()
			errs := together(rivals, func(i int) error {
				if i == 0 {
					return w.Restore(ctx, u.ID)
				}
				_, err := w.Activate(ctx, codes[i])
				return err
			})
			w.must(errs[0])
			winners := 0
			for _, err := range errs[1:] {
				if err == nil {
					winners++
				} else if !errors.Is(err, roster.ErrActivation) {
					t.Fatal(err)
				}
			}
			owner, err := w.ByEmail(ctx, address)
			w.must(err)
			if winners > 1 || (owner.ID == u.ID) != (winners == 0) {
				t.Fatalf("the address leads to user %d; %d activated it", owner.ID, winners)
			}
		},
	},
	{
		name: "Prune beside Activate", few: 100, many: 5000,
		options: func(o *roster.Options) { o.ActivationTTL = 7 * 24 * time.Hour },
		run: func(t *testing.T, w *world, round int) {
			// Of these some are old enough to be removed, and no code is on its way
			// to them; the others are as old, and wait for their mail.
			ctx := context.Background()
			name := fmt.Sprintf("late%d", round)
			of := func(i int) string { return fmt.Sprintf("%s-%d", name, i) }
			keeper := w.active("keeper-"+name, "keeper-"+name+"@example.org")
			for i := range 5 {
				w.pending(of(i), of(i)+"@example.org")
			}
			loose := w.claimed(keeper.ID, "loose-"+name+"@example.org")
			w.clock.Advance(6 * 24 * time.Hour)
			codes := make([]string, 3)
			for i := range codes {
				w.must(w.ResendActivation(ctx, of(i)))
				codes[i] = w.post.code(t, of(i)+"@example.org")
			}
			_, err := w.ChangeEmail(ctx, keeper.ID, loose.Address)
			w.must(err)
			change := w.post.code(t, loose.Address)
			w.post.take()
			w.clock.Advance(2 * 24 * time.Hour)
			w.must(errors.Join(together(6, func(i int) error {
				switch i {
				case 0, 1:
					_, err := w.Prune(ctx, roster.Budget{})
					return err
				case 5:
					_, err := w.Activate(ctx, change)
					return err
				}
				_, err := w.Activate(ctx, codes[i-2])
				return err
			})...))
			for i := range 5 {
				u, err := w.ByName(ctx, of(i))
				if i >= len(codes) {
					if !errors.Is(err, roster.ErrNotFound) {
						t.Fatalf("somebody whom no code can reach is left: %v", err)
					}
					continue
				}
				w.must(err)
				if e, err := w.PrimaryEmail(ctx, u.ID); err != nil || !e.IsActivated() {
					t.Fatalf("the address of somebody who was activated is gone: %v", err)
				}
			}
			if primary, err := w.PrimaryEmail(ctx, keeper.ID); err != nil || primary.ID != loose.ID {
				t.Fatalf("the primary address was not changed: %v", err)
			}
			w.post.take()
		},
	},
	{
		name: "Disable and Enable beside Activate and Authenticate", few: 100, many: 3000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("toggled%d", round)
			address := name + "@example.org"
			u := w.active(name, address)
			w.claimed(u.ID, "more-"+address)
			code := w.post.code(t, "more-"+address)
			w.post.take()
			errs := together(rivals, func(i int) error {
				switch i {
				case 0, 1:
					return w.Disable(ctx, u.ID)
				case 2:
					return w.Enable(ctx, u.ID)
				case 3, 4:
					if _, err := w.Activate(ctx, code); err != nil && !errors.Is(err, roster.ErrActivation) {
						return err
					}
				default:
					if _, err := w.Authenticate(ctx, name, goodPassword); err != nil && !errors.Is(err, roster.ErrCredentials) {
						return err
					}
				}
				return nil
			})
			w.must(errors.Join(errs...))
			now, err := w.ByID(ctx, u.ID)
			w.must(err)
			if !now.Enabled {
				mustNotSignIn(t, w.Users, name, goodPassword, roster.ErrCredentials)
			}
			if _, err := w.Peek(ctx, code); !errors.Is(err, roster.ErrActivation) {
				t.Fatalf("a code outlived Disable: %v", err)
			}
		},
	},
}
