// Custommodel is what the author of a framework writes whose users have more than
// an account: members of clubs, with a plan, seats and an address to send bills to. The
// clubs are groups with columns of their own.
// The fields are columns of roster's own table, read and written with it.
//
//	go run ./examples/custommodel
//	go test ./examples/custommodel
//
// member.go is the type, clubs.go what the framework does with it, and this file
// a program on the framework.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/password"
)

func main() {
	if err := run(context.Background(), os.Stdout, ":memory:"); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer, path string) error {
	clubs, err := Open(ctx, path, &roster.Options{
		SkipActivation: true, // the demo has no mail
		Policy:         password.Policy{Words: []string{"clubs"}},
	})
	if err != nil {
		return err
	}
	defer clubs.Close()

	// A form has what roster wants to know, and what the framework does.
	ann, err := clubs.Join(ctx, Form{
		Name: "ann", RealName: "Ann Example", Email: "ann@example.org", Password: "correct horse battery",
		Plan: Team, Seats: 3, Billing: Address{Street: "Main Street 1", City: "Exampleton"},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %s, %d seats, bills to %s\n", ann.DisplayName(), ann.Plan, ann.Seats, ann.Billing.City)

	// Somebody who says nothing of it gets what NewModel gives.
	ben, err := clubs.Users.Register(ctx, roster.NewUser{Name: "ben", Email: "ben@example.org", Password: "staple battery horse"})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %s\n", Greeting(ben), MemberOf(ben).Plan)

	// What roster reads is a Member everywhere: the session's user, too.
	session, _, err := clubs.Users.SignIn(ctx, "ben", "staple battery horse")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s may use the archive: %v\n", session.User.Name, MemberOf(session.User).MayUse("archive"))

	if err := clubs.Upgrade(ctx, ben.ID, Pro, time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		return err
	}
	for _, plan := range []Plan{Free, Pro, Team} {
		members, err := clubs.On(ctx, plan)
		if err != nil {
			return err
		}
		for _, m := range members {
			fmt.Fprintf(out, "%s: %s may use the archive: %v\n", plan, m.Name, m.MayUse("archive"))
		}
	}

	// One number, one member: the database sees to it.
	if err := clubs.Number(ctx, ben.ID, "M-1"); err != nil {
		return err
	}
	fmt.Fprintln(out, clubs.Number(ctx, ann.ID, "M-1"))

	// A club is a group with columns of the framework's own.
	chess, err := clubs.Found(ctx, "Chess", "white", 7, ann)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s is founded, group %d\n", chess.Name, chess.ID)
	of, err := clubs.Of(ctx, ann)
	if err != nil {
		return err
	}
	for _, club := range of {
		fmt.Fprintf(out, "%s is in %s, room %d, %s\n", ann.Name, club.Name, *club.Room, club.Color)
	}
	_, err = clubs.Found(ctx, "Bridge", "red", 7)
	fmt.Fprintln(out, err)
	return nil
}
