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
	races := slices.Concat(registerRaces, codeRaces, passwordRaces, undoRaces, editRaces, stateRaces, sessionRaces, actorRaces, identityRaces, groupRaces)
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
