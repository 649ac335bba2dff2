package ldapauth_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-ldap/ldap/v3"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapdtest"
	"github.com/go-roster/roster/ldapauth"
)

// The scripted server is a good one without a script.
func TestScripted(t *testing.T) {
	s := startScripted(t, nil, nil)
	d := slapdtest.New(t, plain(s))
	id, err := d.Authenticate(t.Context(), "ann", annsSecret)
	if err != nil || id.Subject != annID {
		t.Fatal(id, err)
	}
	refuses(t, d, "ann", "wrong", roster.ErrCredentials)
}

// Each result code, at each request of a sign-in. Only zero is success; those that speak of
// the person refuse the person, when it is the person's bind that has them; and
// nothing that the server says beside it is repeated.
func TestResultCodes(t *testing.T) {
	const said = "uid=ann is disabled, says the server"
	person := []int{19, 32, 48, 49, 53}
	var code atomic.Int64
	var at atomic.Value
	s := startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
		id, reply := r.Children[0].Value.(int64), int(op(r))+1
		stage := map[ber.Tag]string{0: "bind", 3: "search", 23: "whoami"}[op(r)]
		if stage == "bind" && r.Children[1].Children[1].Data.String() != annDN {
			stage = "service"
		}
		if stage == "search" {
			reply = ldap.ApplicationSearchResultDone
		}
		if stage != at.Load() {
			return false
		}
		if stage == "search" && code.Load() == 0 {
			return false
		}
		if stage == "whoami" && code.Load() == 0 {
			return false
		}
		p.send(result(id, reply, int(code.Load()), said))
		return true
	})
	var log bytes.Buffer
	o := plain(s)
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	for _, stage := range []string{"service", "search", "bind", "whoami"} {
		at.Store(stage)
		for c := range 124 {
			code.Store(int64(c))
			d, err := ldapauth.New(o) // with no connection from before
			if err != nil {
				t.Fatal(err)
			}
			id, err := d.Authenticate(t.Context(), "ann", annsSecret)
			_ = d.Close()
			switch {
			case c == 0:
				if err != nil || id == nil {
					t.Errorf("%s %d: %v", stage, c, err)
				}
				continue
			case stage == "bind" && slices.Contains(person, c), stage == "search" && c == ldap.LDAPResultSizeLimitExceeded:
				if !errors.Is(err, roster.ErrCredentials) || errors.Is(err, roster.ErrUnavailable) {
					t.Errorf("%s %d: %v", stage, c, err)
				}
			default:
				u, ok := errors.AsType[*roster.UnavailableError](err)
				if !ok || errors.Is(err, roster.ErrCredentials) || errors.Is(err, roster.ErrUnknownUser) {
					t.Fatalf("%s %d: %v", stage, c, err)
				}
				want := ldapauth.UnavailableLDAP
				if stage == "service" && c != 51 && c != 52 {
					want = ldapauth.UnavailableLDAPService
				}
				if u.What != want {
					t.Errorf("%s %d: %s", stage, c, u.What)
				}
			}
			if id != nil {
				t.Errorf("%s %d: signed in", stage, c)
			}
			if e, ok := errors.AsType[*ldapauth.Error](err); !ok || e.Code != c || string(e.Stage) != stage {
				t.Errorf("%s %d: %v", stage, c, err)
			}
			if strings.Contains(fmt.Sprint(err, errors.Unwrap(err)), "ann") {
				t.Errorf("%s %d: %v", stage, c, err)
			}
		}
	}
	for _, secret := range []string{"ann", annsSecret, "says the server", "dc=example"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

// Active Directory's reasons are for the operator: the person is refused all the same.
func TestDetails(t *testing.T) {
	var said atomic.Value
	s := startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
		if op(r) != 0 || r.Children[1].Children[1].Data.String() != annDN {
			return false
		}
		p.send(result(r.Children[0].Value.(int64), ldap.ApplicationBindResponse, 49, said.Load().(string)))
		return true
	})
	var log bytes.Buffer
	o := plain(s)
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	d := slapdtest.New(t, o)
	for text, want := range map[string]string{
		"80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 533, v3839\x00": "533",
		"80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 52e, v3839\x00": "52e",
		"0000052D: Constraint violation": "52d",
		"ann has gone to lunch":          "",
		"data ann, data":                 "",
	} {
		log.Reset()
		said.Store(text)
		_, err := d.Authenticate(t.Context(), "ann", annsSecret)
		e, ok := errors.AsType[*ldapauth.Error](err)
		if !ok || e.Detail != want || !errors.Is(err, roster.ErrCredentials) {
			t.Errorf("%q: %v", text, err)
		}
		if logged := strings.Contains(log.String(), "detail="+want+" "); logged != (want == "533" || want == "52d") {
			t.Errorf("%q is logged as %s", text, log.String())
		}
	}
}
