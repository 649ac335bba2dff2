// Ldap signs somebody in against a directory, shows the account that this makes, and
// keeps the accounts in step with the directory by a plan that can be read before it is
// done.
//
//	go run ./examples/ldap
//
// It starts an OpenLDAP server of its own with a small company in it, which takes the
// package slapd on Debian. With -url it looks at a directory of yours instead, which it only
// reads; the accounts are in memory either way:
//
//	LDAP_SERVICE_PASSWORD=... LDAP_PASSWORD=... go run ./examples/ldap \
//		-url ldaps://ldap.example.org -base ou=people,dc=example,dc=org \
//		-service cn=reader,dc=example,dc=org -schema posix -name ann
//
// directory.go is what a program needs, story.go what it does with it. company.go is
// the server of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "ldap:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var f settings
	flags := flag.NewFlagSet("ldap", flag.ContinueOnError)
	flags.StringVar(&f.url, "url", "", "the server, as ldaps://ldap.example.org; empty: one of its own")
	flags.StringVar(&f.ca, "ca", "", "a file with the certificates of who signs the server's; empty: the system's")
	flags.StringVar(&f.base, "base", "", "where people are, as ou=people,dc=example,dc=org")
	flags.StringVar(&f.service, "service", "", "the DN that looks people up, with its password in LDAP_SERVICE_PASSWORD; empty: nobody's")
	flags.StringVar(&f.schema, "schema", "posix", "posix, inetorgperson, activedirectory or freeipa")
	name := flags.String("name", "", "who signs in, with the password in LDAP_PASSWORD; empty: nobody")
	if err := flags.Parse(args); err != nil {
		return err
	}
	f.password = os.Getenv("LDAP_SERVICE_PASSWORD")
	if f.url != "" {
		return visit(ctx, f, *name, os.Getenv("LDAP_PASSWORD"), out)
	}
	return demonstrate(ctx, out)
}
