// Command hosttx is a shop whose own tables and transactions are one with the
// accounts: a customer is there with its user or not at all, and an invoice keeps
// its user from being purged.
//
//	go run ./examples/hosttx
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-roster/roster"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "hosttx:", err)
		os.Exit(1)
	}
}

// run tells the story in a database that is gone afterwards.
func run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "hosttx-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	shop, err := Open(ctx, filepath.Join(dir, "shop.db"))
	if err != nil {
		return err
	}
	defer shop.Close()
	return errors.Join(story(ctx, shop, out), shop.Close())
}

func story(ctx context.Context, shop *Shop, out io.Writer) error {
	say := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	count := func() error {
		n, err := shop.Count(ctx)
		if err == nil {
			say("  users %d, customers %d, invoices %d, welcomed %d", n.Users, n.Customers, n.Invoices, shop.Welcomed())
		}
		return err
	}

	say("Ann signs up: the user and the customer are one transaction of roster.")
	ann, err := shop.SignUp(ctx, "ann", "ann@example.org", "pro")
	if err != nil {
		return err
	}
	if err := count(); err != nil {
		return err
	}

	say("Ben asks for a plan that there is not: he is no user either.")
	if _, err := shop.SignUp(ctx, "ben", "ben@example.org", "gold"); err == nil {
		return errors.New("there is a plan called gold")
	}
	if err := count(); err != nil {
		return err
	}

	say("Cat buys without an account: one is made in the shop's own transaction.")
	cat, err := shop.Buy(ctx, "cat", "cat@example.org", 1900)
	if err != nil {
		return err
	}
	if err := count(); err != nil {
		return err
	}

	say("Dan buys for nothing, which the table of invoices refuses: no trace of him.")
	if _, err := shop.Buy(ctx, "dan", "dan@example.org", 0); err == nil {
		return errors.New("an invoice of nothing")
	}
	if err := count(); err != nil {
		return err
	}

	say("Somebody buys by a name that is taken: the invoice goes to the account that is there.")
	again, err := shop.Buy(ctx, "cat", "other@example.org", 700)
	if err != nil {
		return err
	}
	say("  the same user: %t", again.ID == cat.ID)
	if err := count(); err != nil {
		return err
	}

	say("Who has invoices cannot be purged; who has none takes the customer along.")
	err = shop.Users.Purge(ctx, cat.ID)
	var held *roster.ConflictError
	if !errors.As(err, &held) {
		return errors.Join(errors.New("the invoices of cat are in the air"), err)
	}
	say("  cat: refused, %s", held.Field)
	if err := shop.Users.Purge(ctx, ann.ID); err != nil {
		return err
	}
	return count()
}
