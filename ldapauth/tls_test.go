package ldapauth_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/internal/slapdtest"
	"github.com/go-roster/roster/ldapauth"
)

// secured are the options for a scripted server, with StartTLS.
func secured(s *scripted, roots *x509.CertPool) ldapauth.Options {
	o := plain(s)
	o.AllowPlaintext = false
	o.TLS = &tls.Config{RootCAs: roots}
	return o
}

// checkUnsafe checks that a sign-in failed for want of a safe connection, and that
// the server was sent no name, no password and no request but for StartTLS.
func checkUnsafe(t *testing.T, s *scripted, o ldapauth.Options) {
	t.Helper()
	before := s.conns.Load()
	_, err := slapdtest.New(t, o).Authenticate(t.Context(), "ann", annsSecret)
	if n := s.conns.Load() - before; n != 1 {
		t.Errorf("%d connections", n)
	}
	u, ok := errors.AsType[*roster.UnavailableError](err)
	if !ok || u.What != ldapauth.UnavailableLDAPTLS {
		t.Errorf("%v", err)
	}
	for _, tag := range s.ops() {
		if tag != ldap.ApplicationExtendedRequest {
			t.Errorf("request %d", tag)
		}
	}
	for _, secret := range []string{"ann", slapd.ServicePassword, slapd.ServiceDN} {
		if bytes.Contains(s.received(), []byte(secret)) {
			t.Errorf("the server was sent %q", secret)
		}
	}
}

// A server whose certificate is not what it has to be gets nothing.
func TestCertificates(t *testing.T) {
	authority, err := slapd.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := slapd.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	local := slapd.Certificate{Hosts: []string{"127.0.0.1"}}
	for name, test := range map[string]struct {
		by   *slapd.Authority
		want slapd.Certificate
		max  uint16
	}{
		"good":              {authority, local, 0},
		"expired":           {authority, slapd.Certificate{Hosts: local.Hosts, Expired: true}, 0},
		"another host":      {authority, slapd.Certificate{Hosts: []string{"ldap.example.org"}}, 0},
		"only the name":     {authority, slapd.Certificate{Name: "127.0.0.1", Hosts: []string{"localhost"}}, 0},
		"unknown authority": {stranger, local, 0},
		"of a client":       {authority, slapd.Certificate{Name: "127.0.0.1"}, 0},
		"TLS 1.1":           {authority, local, tls.VersionTLS11},
	} {
		t.Run(name, func(t *testing.T) {
			certificate, err := test.by.Issue(test.want)
			if err != nil {
				t.Fatal(err)
			}
			s := startScripted(t, &tls.Config{Certificates: []tls.Certificate{certificate}, MaxVersion: test.max, MinVersion: tls.VersionTLS10}, nil)
			o := secured(s, authority.Pool())
			o.URLs = []string{"ldaps://" + s.addr}
			if name != "good" {
				checkUnsafe(t, s, o)
				return
			}
			if _, err := slapdtest.New(t, o).Authenticate(t.Context(), "ann", annsSecret); err != nil {
				t.Error(err)
			}
		})
	}
}

// Whoever stands between the two may refuse StartTLS, answer it himself, or put something
// behind the answer to be taken for what was said in secret.
func TestStartTLS(t *testing.T) {
	authority, err := slapd.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Issue(slapd.Certificate{Hosts: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	good := startScripted(t, nil, nil)
	good.script = func(p *peer, r *ber.Packet) bool {
		if _, secure := p.Conn.(*tls.Conn); secure {
			return false
		}
		p.send(result(1, ldap.ApplicationExtendedResponse, 0, ""))
		good.serve(&peer{Conn: tls.Server(p.Conn, &tls.Config{Certificates: []tls.Certificate{certificate}})})
		return true
	}
	if _, err := slapdtest.New(t, secured(good, authority.Pool())).Authenticate(t.Context(), "ann", annsSecret); err != nil {
		t.Fatal(err) // as it should be
	}
	yes := result(1, ldap.ApplicationExtendedResponse, 0, "").Bytes()
	for name, answer := range map[string][]byte{
		"refused":           result(1, ldap.ApplicationExtendedResponse, ldap.LDAPResultProtocolError, "unsupported").Bytes(),
		"unavailable":       result(1, ldap.ApplicationExtendedResponse, ldap.LDAPResultUnavailable, "").Bytes(),
		"stripped":          nil,
		"taken":             yes, // and goes on in clear
		"a bind's answer":   result(1, ldap.ApplicationBindResponse, 0, "").Bytes(),
		"an earlier answer": result(2, ldap.ApplicationExtendedResponse, 0, "").Bytes(),
		"huge":              header(1 << 20),
		"injected":          append(bytes.Clone(yes), result(1, ldap.ApplicationBindResponse, 0, "").Bytes()...),
	} {
		t.Run(name, func(t *testing.T) {
			var s *scripted
			s = startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
				if _, secure := p.Conn.(*tls.Conn); secure {
					return false
				}
				_, _ = p.Write(answer)
				if name != "stripped" && name != "taken" { // whatever it said, it would go on with TLS
					secure := tls.Server(p.Conn, &tls.Config{Certificates: []tls.Certificate{certificate}})
					s.serve(&peer{Conn: secure})
				}
				_ = p.Close()
				return true
			})
			checkUnsafe(t, s, secured(s, authority.Pool()))
		})
	}
}

// A server that never comes to TLS.
func TestSilentTLS(t *testing.T) {
	s := startScripted(t, nil, func(*peer, *ber.Packet) bool { return true })
	o := secured(s, nil)
	o.DialTimeout = 100 * time.Millisecond
	checkUnsafe(t, s, o)
	o.URLs = []string{"ldaps://" + s.addr}
	checkUnsafe(t, s, o)
}

// The real server: its own authority is needed and enough, also for the name that is in the
// URL; and the client's certificate may be the service account.
func TestTLS(t *testing.T) {
	o := company()
	o.Global += "\nauthz-regexp \"^cn=reader$\" \"" + slapd.ServiceDN + "\""
	s := slapdtest.Start(t, o)
	opts := slapdtest.Options(s)
	for _, roots := range []*x509.CertPool{nil, x509.NewCertPool()} {
		for _, url := range []string{s.URL, s.SecureURL} {
			opts.TLS, opts.URLs = &tls.Config{RootCAs: roots}, []string{url}
			_, err := slapdtest.New(t, opts).Authenticate(t.Context(), "ann", "correct horse")
			u, ok := errors.AsType[*roster.UnavailableError](err)
			if !ok || u.What != ldapauth.UnavailableLDAPTLS {
				t.Error(err)
			}
		}
	}
	client, err := s.Authority.Issue(slapd.Certificate{Name: "reader"})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{s.URL, s.SecureURL} {
		opts := slapdtest.Options(s)
		opts.URLs = []string{url}
		opts.ServiceDN, opts.ServicePassword, opts.ServiceCertificate = "", roster.Secret{}, true
		opts.TLS.Certificates = []tls.Certificate{client}
		d := slapdtest.New(t, opts)
		if _, err := d.Authenticate(t.Context(), "ann", "correct horse"); err != nil {
			t.Error(err)
		}
		refuses(t, d, "ann", "wrong", roster.ErrCredentials)
	}
}
