package acceptance

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

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
			// Of these some are old enough to be removed; to the others the last code
			// that they get is on its way.
			ctx := context.Background()
			name := fmt.Sprintf("late%d", round)
			of := func(i int) string { return fmt.Sprintf("%s-%d", name, i) }
			keeper := w.active("keeper-"+name, "keeper-"+name+"@example.org")
			for i := 4; i >= 0; i-- {
				if i == 2 {
					w.clock.Advance(2 * 24 * time.Hour)
				}
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
			w.clock.Advance(6*24*time.Hour + time.Hour)
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
						t.Fatalf("somebody who waited in vain is left: %v", err)
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
