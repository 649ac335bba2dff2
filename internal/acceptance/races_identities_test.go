package acceptance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// staffed gives the world a directory that the rounds put people into.
func staffed() (func(*roster.Options), *rostertest.Directory) {
	d := rostertest.NewDirectory("corp")
	return func(o *roster.Options) { o.Directories = []roster.Directory{d} }, d
}

var inCorp, corpDirectory = staffed()

var identityRaces = []race{
	{
		name: "first sign-ins through a directory", few: 100, many: 10_000, always: true, options: inCorp,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("corp%d", round)
			address := name + "@corp.example"
			w.pending("claims"+name, address) // which somebody else waits to prove
			w.post.take()
			corpDirectory.Put(goodPassword, roster.Identity{
				Subject: "subject of " + name, DN: "uid=" + name, Name: name, Emails: []string{address, "2" + address}, EmailsVerified: true,
			})
			defer corpDirectory.Remove("subject of " + name)
			users := make([]*roster.User, rivals)
			errs := together(rivals, func(i int) (err error) {
				users[i], err = w.Authenticate(ctx, []string{name, address, strings.ToUpper(name)}[i%3], goodPassword)
				return err
			})
			w.must(errors.Join(errs...))
			for _, u := range users {
				if u.ID != users[0].ID {
					t.Fatalf("users %d and %d", users[0].ID, u.ID)
				}
			}
			ids, err := w.Identities(ctx, users[0].ID)
			if err != nil || len(ids) != 1 {
				t.Fatalf("%v, %v", ids, err)
			}
			if emails, err := w.Emails(ctx, users[0].ID); err != nil || len(emails) != 2 || !emails[1].IsActivated() {
				t.Fatalf("%v, %v", emails, err)
			}
		},
	},
	{
		name: "first sign-ins by an outside identity", few: 60, many: 5000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("google%d", round)
			id := byGoogle("subject of "+name, name+"@example.org", "2"+name+"@example.org")
			other := byGoogle("another of "+name, "2"+name+"@example.org")
			id.Name, other.Name = name, name
			users := make([]*roster.User, rivals)
			errs := together(rivals, func(i int) (err error) {
				if i%4 == 3 { // another identity of the same person
					users[i], err = w.AuthenticateWith(ctx, other)
					return err
				}
				users[i], err = w.AuthenticateWith(ctx, id)
				return err
			})
			w.must(errors.Join(errs...))
			for i, u := range users {
				if u.ID != users[i%4/3*3].ID {
					t.Fatalf("%d: users %d and %d", i, users[0].ID, u.ID)
				}
			}
			w.post.take()
		},
	},
	{
		name: "LinkIdentity of many users", few: 60, many: 5000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			var users []*roster.User
			for i := range rivals {
				name := fmt.Sprintf("links%d-%d", round, i)
				users = append(users, w.active(name, name+"@example.org"))
			}
			id := byGoogle(fmt.Sprint("wanted ", round))
			winner := oneWinner(t, together(rivals, func(i int) error { return w.LinkIdentity(ctx, users[i].ID, id) }), conflict(roster.FieldSubject))
			if u, err := w.AuthenticateWith(ctx, id); err != nil || u.ID != users[winner].ID {
				t.Fatalf("%v, %v", u, err)
			}
			w.post.take()
		},
	},
	{
		name: "UnlinkIdentity of the last ways in", few: 60, many: 5000,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("last%d", round)
			u := w.active(name, name+"@example.org")
			for i := range 2 {
				w.must(w.LinkIdentity(ctx, u.ID, byGoogle(fmt.Sprint(name, i))))
			}
			w.must(w.RemovePassword(ctx, u.ID))
			for _, err := range together(2, func(i int) error { return w.UnlinkIdentity(ctx, u.ID, "google", fmt.Sprint(name, i)) }) {
				if err != nil && !errors.Is(err, roster.ErrInvalid) {
					t.Fatal(err)
				}
			}
			if ids, err := w.Identities(ctx, u.ID); err != nil || len(ids) != 1 {
				t.Fatalf("%v, %v", ids, err)
			}
			w.post.take()
		},
	},
	{
		name: "a directory's user is disabled beside a sign-in", few: 60, many: 5000, options: inCorp,
		run: func(t *testing.T, w *world, round int) {
			ctx := context.Background()
			name := fmt.Sprintf("leaver%d", round)
			id := roster.Identity{Subject: name, Name: name, RealName: "One"}
			corpDirectory.Put(goodPassword, id)
			defer corpDirectory.Remove(name)
			u, err := w.Authenticate(ctx, name, goodPassword)
			w.must(err)
			id.RealName = "Two" // so that each sign-in writes
			corpDirectory.Put(goodPassword, id)
			errs := together(rivals, func(i int) error {
				if i == 0 {
					return w.Disable(ctx, u.ID)
				}
				_, _, err := w.SignIn(ctx, name, goodPassword)
				if errors.Is(err, roster.ErrCredentials) || errors.Is(err, roster.ErrStale) {
					return nil
				}
				return err
			})
			w.must(errors.Join(errs...))
			mustNotSignIn(t, w.Users, name, goodPassword, roster.ErrCredentials)
			if list, err := w.Sessions(ctx, u.ID); err != nil || len(list) > 0 {
				t.Fatalf("%v, %v", list, err)
			}
		},
	},
}
