// Package slapdtest gives tests an OpenLDAP server of their own.
package slapdtest

import (
	"crypto/tls"
	"errors"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/ldapauth"
)

// Start starts a server, which is gone after the test. It skips the test if there is no
// slapd on the machine.
func Start(t testing.TB, o slapd.Options) *slapd.Server {
	t.Helper()
	s, err := slapd.Start(o)
	if errors.Is(err, slapd.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		if t.Failed() && s.Log() != "" {
			t.Logf("slapd: %s", s.Log())
		}
	})
	return s
}

// Options are those of a directory "corp" on the server, with the service account, over
// TLS, for people of posixAccount.
func Options(s *slapd.Server) ldapauth.Options {
	return ldapauth.Options{
		ID:              "corp",
		URLs:            []string{s.SecureURL},
		TLS:             &tls.Config{RootCAs: s.Roots()},
		ServiceDN:       slapd.ServiceDN,
		ServicePassword: roster.NewSecret(slapd.ServicePassword),
		Base:            "ou=people," + slapd.Base,
		Schema:          ldapauth.PosixAccount(),
		TrustMail:       true,
	}
}

// New returns a directory, which is closed after the test.
func New(t testing.TB, o ldapauth.Options) *ldapauth.Directory {
	t.Helper()
	d, err := ldapauth.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}
