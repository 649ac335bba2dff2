package ldapauth_test

import (
	"errors"
	"testing"

	"github.com/go-ldap/ldap/v3"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapdtest"
	"github.com/go-roster/roster/ldapauth"
)

// A server that takes what it cannot see for no password, and says yes to that, as some do
// to an empty one. It is asked once on a connection who is there, and each time for
// such a password.
func TestWhoAmIWhenNeeded(t *testing.T) {
	anonymous := false
	s := startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
		id := r.Children[0].Value.(int64)
		switch op(r) {
		case ldap.ApplicationBindRequest:
			password := r.Children[1].Children[2].Data.String()
			if anonymous = password == "  " || password == "\u00ad"; !anonymous {
				return false
			}
			p.send(result(id, ldap.ApplicationBindResponse, 0, ""))
			return true
		case ldap.ApplicationExtendedRequest:
			if anonymous {
				p.send(whoAmI(id, ""))
			}
			return anonymous
		}
		return false
	})
	d := slapdtest.New(t, plain(s))
	asked := func() (n int) {
		for _, tag := range s.ops() {
			if tag == ldap.ApplicationExtendedRequest {
				n++
			}
		}
		return n
	}
	for range 5 {
		if _, err := d.Authenticate(t.Context(), "ann", annsSecret); err != nil {
			t.Fatal(err)
		}
	}
	if n := asked(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	for n, password := range []string{"  ", "\u00ad", "  "} {
		_, err := d.Authenticate(t.Context(), "ann", password)
		if !errors.Is(err, roster.ErrCredentials) || asked() != n+2 {
			t.Errorf("%q: %v, asked %d times", password, err, asked())
		}
		checkError(t, err, ldapauth.StageWhoAmI, 0, ldapauth.ReasonAnonymous)
	}
}

// A proxy may mean what it says of one part of the tree and not of another.
func TestWhoAmIForEachPlace(t *testing.T) {
	const benDN = "uid=ben,ou=elsewhere,dc=example,dc=org"
	s := startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
		id := r.Children[0].Value.(int64)
		switch op(r) {
		case ldap.ApplicationSearchRequest:
			if !containsText(r.Children[1].Children[6], "ben") {
				return false
			}
			p.send(entry(id, benDN, map[string][]string{"uid": {"ben"}, "entryUUID": {annID[:35] + "2"}}),
				result(id, ldap.ApplicationSearchResultDone, 0, ""))
			return true
		case ldap.ApplicationBindRequest:
			if r.Children[1].Children[1].Data.String() != benDN {
				return false
			}
			p.bound = true
			p.send(result(id, ldap.ApplicationBindResponse, 0, "")) // whatever the password is
			return true
		case ldap.ApplicationExtendedRequest:
			if p.bound {
				p.send(whoAmI(id, ""))
			}
			return p.bound
		}
		return false
	})
	d := slapdtest.New(t, plain(s))
	if _, err := d.Authenticate(t.Context(), "ann", annsSecret); err != nil {
		t.Fatal(err)
	}
	_, err := d.Authenticate(t.Context(), "ben", "anything")
	if !errors.Is(err, roster.ErrCredentials) {
		t.Error(err)
	}
	checkError(t, err, ldapauth.StageWhoAmI, 0, ldapauth.ReasonAnonymous)
}

func containsText(p *ber.Packet, text string) bool {
	if p.Data != nil && p.Data.String() == text {
		return true
	}
	for _, c := range p.Children {
		if containsText(c, text) {
			return true
		}
	}
	return false
}
