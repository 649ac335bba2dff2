package acceptance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

var counter = roster.Field[int]("counter")

var editRaces = []race{
	{
		name: "Edit beside Edit", few: 100, many: 5000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			u := &roster.User{Name: fmt.Sprintf("edited%d", round)}
			w.must(w.Create(ctx, u))
			w.must(errors.Join(together(rivals, func(i int) error {
				return w.Edit(ctx, u.ID, func(u *roster.User) error {
					return errors.Join(
						counter.Set(u, counter.Get(u)+1),
						roster.Field[int](fmt.Sprintf("from%d", i)).Set(u, i),
					)
				})
			})...))
			now, err := w.ByID(ctx, u.ID)
			w.must(err)
			if got := counter.Get(now); got != rivals || len(now.Data) != rivals+1 || now.Version != u.Version+rivals {
				t.Fatalf("of %d edits %d are left, %d fields, version %d after %d", rivals, got, len(now.Data), now.Version, u.Version)
			}
		},
	},
	{
		name: "Save beside Save of the same reading", few: 100, many: 5000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			u := &roster.User{Name: fmt.Sprintf("saved%d", round)}
			w.must(w.Create(ctx, u))
			copies := make([]*roster.User, rivals)
			for i := range copies {
				var err error
				copies[i], err = w.ByID(ctx, u.ID)
				w.must(err)
				copies[i].RealName = fmt.Sprintf("Saved by %d", i)
			}
			winner := oneWinner(t, together(rivals, func(i int) error { return w.Save(ctx, copies[i]) }), is(roster.ErrStale))
			now, err := w.ByID(ctx, u.ID)
			w.must(err)
			if now.RealName != copies[winner].RealName || now.Version != copies[winner].Version || now.Version != u.Version+1 {
				t.Fatalf("%d won; stored is %q of version %d", winner, now.RealName, now.Version)
			}
		},
	},
	{
		name: "Save and Edit beside verbs that write the user", few: 100, many: 3000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("busy%d", round)
			u := w.active(name, name+"@example.org")
			w.post.take()
			read, err := w.ByID(ctx, u.ID)
			w.must(err)
			read.RealName = "Stale"
			errs := together(rivals, func(i int) error {
				switch i {
				case 0:
					return w.Disable(ctx, u.ID)
				case 1:
					return w.SetPassword(ctx, u.ID, "another good password")
				case 2:
					return w.Save(ctx, read)
				case 3:
					_, err := w.Authenticate(ctx, name, "wrong password")
					if errors.Is(err, roster.ErrCredentials) {
						return nil
					}
					return err
				default:
					return w.Edit(ctx, u.ID, func(u *roster.User) error { return counter.Set(u, counter.Get(u)+1) })
				}
			})
			saved := errs[2] == nil
			if !saved && !errors.Is(errs[2], roster.ErrStale) {
				t.Fatal(errs[2])
			}
			errs[2] = nil
			w.must(errors.Join(errs...))
			now, err := w.ByID(ctx, u.ID)
			w.must(err)
			if counter.Get(now) != 4 || now.Enabled || (now.RealName == "Stale") != saved {
				t.Fatalf("counter %d, enabled %v, real name %q, saved %v", counter.Get(now), now.Enabled, now.RealName, saved)
			}
		},
	},
	{
		name: "ActivateUser beside Activate", few: 80, many: 2000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("twice%d", round)
			u := w.pending(name, name+"@example.org")
			code := w.post.code(t, name+"@example.org")
			w.post.take()
			var redeemed atomic.Int32
			w.must(errors.Join(together(rivals, func(i int) error {
				if i%2 == 0 {
					return w.ActivateUser(ctx, u.ID)
				}
				_, err := w.Activate(ctx, code)
				if err == nil {
					redeemed.Add(1)
				} else if !errors.Is(err, roster.ErrActivation) {
					return err
				}
				return nil
			})...))
			now, err := w.ByID(ctx, u.ID)
			w.must(err)
			if redeemed.Load() != 1 || !now.IsActivated() || now.Version != u.Version+1 {
				t.Fatalf("redeemed %d times, activated %v, written %d times", redeemed.Load(), now.IsActivated(), now.Version-u.Version)
			}
		},
	},
}

// aged is a hasher whose hashes can be of today or of a former generation, and
// take no time.
type aged struct{ generation string }

func (h aged) Hash(ctx context.Context, password string) (string, error) {
	return h.generation + "$" + password, ctx.Err()
}

func (h aged) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	generation, of, found := strings.Cut(hash, "$")
	if !found {
		return false, false, errors.New("not a hash")
	}
	ok = of == password && generation != "dummy"
	return ok, ok && generation != h.generation, ctx.Err()
}

func (h aged) Dummy() string { return "dummy$" }

func (h aged) Memory(string) int64 { return 0 }

func (h aged) Format(hash string) (string, error) {
	generation, _, found := strings.Cut(hash, "$")
	if !found {
		return "", errors.New("not a hash")
	}
	return generation, nil
}

func (h aged) Wrap(ctx context.Context, hash string) (string, error) { return hash, ctx.Err() }

var passwordRaces = []race{
	{
		name: "ChangePassword beside Authenticate with rehash", few: 100, many: 10_000,
		options: func(o *roster.Options) { o.Hasher = aged{"old"} },
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			today, err := roster.New(w.store, &roster.Options{Hasher: aged{"new"}, Now: w.clock.Now, Mailer: w.post, Limits: rostertest.Unlimited()})
			w.must(err)
			name := fmt.Sprintf("changer%d", round)
			u := w.active(name, name+"@example.org")
			w.post.take()
			const next = "the password of tomorrow"
			errs := together(rivals, func(i int) error {
				if i == rivals/2 {
					return today.ChangePassword(ctx, u.ID, goodPassword, next)
				}
				if _, err := today.Authenticate(ctx, name, goodPassword); err != nil && !errors.Is(err, roster.ErrCredentials) {
					return err
				}
				return nil
			})
			changed := errs[rivals/2]
			errs[rivals/2] = nil
			w.must(errors.Join(errs...))
			if changed != nil {
				t.Fatalf("nobody else changed the password: %v", changed)
			}
			mustSignIn(t, today, name, next)
			mustNotSignIn(t, today, name, goodPassword, roster.ErrCredentials)
			c, err := w.store.Credential(ctx, u.ID, 0)
			w.must(err)
			if !strings.HasPrefix(c.Hash.Reveal(), "new$") {
				t.Fatal("the hash is of the former generation")
			}
			now, err := w.ByID(ctx, u.ID)
			w.must(err)
			if !now.PasswordChangedAt.Equal(c.CreatedAt) {
				t.Fatal("the time of the password and of its hash differ")
			}
			w.post.take()
		},
	},
	{
		name: "SetPassword beside Authenticate with rehash", few: 100, many: 3000,
		options: func(o *roster.Options) { o.Hasher = aged{"old"} },
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			today, err := roster.New(w.store, &roster.Options{Hasher: aged{"new"}, Now: w.clock.Now, Limits: rostertest.Unlimited()})
			w.must(err)
			name := fmt.Sprintf("setter%d", round)
			u := w.active(name, name+"@example.org")
			const next = "the password of tomorrow"
			w.must(errors.Join(together(rivals, func(i int) error {
				if i == 0 {
					return today.SetPassword(ctx, u.ID, next)
				}
				if _, err := today.Authenticate(ctx, name, goodPassword); err != nil && !errors.Is(err, roster.ErrCredentials) {
					return err
				}
				return nil
			})...))
			mustSignIn(t, today, name, next)
			mustNotSignIn(t, today, name, goodPassword, roster.ErrCredentials)
			w.post.take()
		},
	},
	{
		name: "ChangePassword beside ChangePassword", few: 100, many: 3000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("both%d", round)
			u := w.active(name, name+"@example.org")
			w.post.take()
			next := func(i int) string { return fmt.Sprintf("the password of %d", i) }
			winner := oneWinner(t, together(rivals, func(i int) error {
				return w.ChangePassword(ctx, u.ID, goodPassword, next(i))
			}), is(roster.ErrCredentials))
			for i := range rivals {
				if i == winner {
					mustSignIn(t, w.Users, name, next(i))
				} else {
					mustNotSignIn(t, w.Users, name, next(i), roster.ErrCredentials)
				}
			}
			mustNotSignIn(t, w.Users, name, goodPassword, roster.ErrCredentials)
			if mails := w.post.take(); len(mails) != 1 || mails[0].Kind != roster.MailPasswordChanged {
				t.Fatalf("%d mails left", len(mails))
			}
		},
	},
	{
		name: "Authenticate reads before a password change and ends after it", few: 20, many: 500,
		run: func(t *testing.T, w *world, round int) {
			// The sign-in has verified the old password and is about to record
			// itself when the password changes. Either it is refused, or a session
			// that was created when it began is dead.
			ctx := context.Background()
			name := fmt.Sprintf("slow%d", round)
			u := w.active(name, name+"@example.org")
			gate := &gatedHasher{inside: make(chan struct{}), goOn: make(chan struct{})}
			slow, err := roster.New(w.store, &roster.Options{Hasher: gate, Now: w.clock.Now, Limits: rostertest.Unlimited()})
			w.must(err)
			type answer struct {
				u   *roster.User
				err error
			}
			answers := make(chan answer, 1)
			go func() {
				u, err := slow.Authenticate(ctx, name, goodPassword)
				answers <- answer{u, err}
			}()
			<-gate.inside
			w.clock.Advance(1000)
			w.must(w.SetPassword(ctx, u.ID, "the password of tomorrow"))
			w.clock.Advance(1000)
			close(gate.goOn)
			a := <-answers
			now, err := w.ByID(ctx, u.ID)
			w.must(err)
			if a.err == nil && now.SessionValid(a.u.LastLoginAt) {
				t.Fatal("a session of the old password outlives the change")
			}
			if !now.LastLoginAt.IsZero() && now.SessionValid(now.LastLoginAt) {
				t.Fatal("so does one of the user as stored")
			}
			if a.err != nil && !errors.Is(a.err, roster.ErrCredentials) {
				t.Fatal(a.err)
			}
			w.post.take()
		},
	},
}
