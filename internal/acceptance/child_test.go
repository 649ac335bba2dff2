package acceptance

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/postgres"
	"github.com/go-roster/roster/store/sqlite"
)

// What this program does instead of running tests, and where.
const (
	childEnv  = "ROSTER_ACCEPTANCE_CHILD" // "sqlite" or "postgres", after "deliver " or not
	childWhat = "ROSTER_ACCEPTANCE_WHERE" // path or DSN
	childMore = "ROSTER_ACCEPTANCE_PREFIX"
	childName = "ROSTER_ACCEPTANCE_NAME" // begins the names that it registers
)

// runChild registers, edits and deletes people without end, and says so on
// standard output once each verb has returned. It is there to be killed.
func runChild(kind string) {
	if err := child(kind); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func child(kind string) error {
	ctx := context.Background()
	var store roster.Store
	var err error
	kind, deliver := strings.CutPrefix(kind, "deliver ")
	switch kind {
	case "sqlite":
		store, err = sqlite.Open(ctx, os.Getenv(childWhat))
	case "postgres":
		store, err = postgres.Open(ctx, os.Getenv(childWhat), postgres.Prefix(os.Getenv(childMore)), postgres.PoolSize(4))
	default:
		err = fmt.Errorf("no such child: %s", kind)
	}
	if err != nil {
		return err
	}
	if deliver {
		return deliverChild(ctx, store)
	}
	users, err := roster.New(store, &roster.Options{Hasher: rostertest.Hasher{}, SkipActivation: true, Limits: rostertest.Unlimited()})
	if err != nil {
		return err
	}
	done := make(chan error)
	for writer := range 2 {
		go func() {
			for i := 0; ; i++ {
				if err := childStep(ctx, users, fmt.Sprintf("%s-%d-%d", os.Getenv(childName), writer, i), i); err != nil {
					done <- err
				}
			}
		}()
	}
	return <-done
}

func childStep(ctx context.Context, users *roster.Users, name string, i int) error {
	u, err := users.Register(ctx, roster.NewUser{Name: name, Email: name + "@example.org", Password: goodPassword})
	if err != nil {
		return err
	}
	say("registered", name)
	if i%3 == 0 {
		if err := users.Edit(ctx, u.ID, func(u *roster.User) error { u.RealName = "Edited " + name; return nil }); err != nil {
			return err
		}
		say("edited", name)
	}
	if i%4 == 1 {
		if err := users.Delete(ctx, u.ID); err != nil {
			return err
		}
		say("deleted", name)
	}
	return nil
}

// say writes a line at once and as a whole.
func say(what, name string) { _, _ = os.Stdout.WriteString(what + " " + name + "\n") }
