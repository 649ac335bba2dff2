package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/ldapauth"
	"github.com/go-roster/roster/store/memory"
)

// settings are what a program has to be told about a directory.
type settings struct {
	url, ca, base, service, password, schema string
	groups                                   ldapauth.Groups
}

// open returns the accounts of a program that has the directory "corp". Close it at the end.
func open(s settings) (*roster.Users, *ldapauth.Directory, error) {
	schemas := map[string]func() ldapauth.Schema{
		"posix": ldapauth.PosixAccount, "inetorgperson": ldapauth.InetOrgPerson,
		"activedirectory": ldapauth.ActiveDirectory, "freeipa": ldapauth.FreeIPA,
	}
	schema := schemas[s.schema]
	if schema == nil {
		return nil, nil, fmt.Errorf("there is no schema %q", s.schema)
	}
	opts := ldapauth.Options{
		ID:              "corp", // kept with every account: it never changes
		URLs:            []string{s.url},
		Base:            s.base,
		ServiceDN:       s.service,
		ServicePassword: roster.NewSecret(s.password),
		Schema:          schema(),
		Groups:          s.groups,
		TrustMail:       true, // nobody there can write an address that they do not have
	}
	if s.ca != "" {
		roots, err := readRoots(s.ca)
		if err != nil {
			return nil, nil, err
		}
		opts.TLS = &tls.Config{RootCAs: roots}
	}
	corp, err := ldapauth.New(opts)
	if err != nil {
		return nil, nil, err
	}
	users, err := roster.New(memory.New(), &roster.Options{Directories: []roster.Directory{corp}})
	return users, corp, err
}

func readRoots(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New("there is no certificate in " + file)
	}
	return roots, nil
}
