package ldapauth_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/internal/slapdtest"
	"github.com/go-roster/roster/ldapauth"
)

const crowd = 1200

// Everybody comes, once, over as many pages as it takes; and what the server limits
// is never taken for everybody.
func TestAll(t *testing.T) {
	s := slapdtest.Start(t, slapd.Options{
		Entries:  slapd.People(crowd),
		Database: "limits dn.exact=\"" + slapd.ServiceDN + "\" size.soft=500 size.hard=500 size.prtotal=unlimited",
	})
	o := slapdtest.Options(s)
	for _, size := range []int{500, 7, 1200} {
		o.PageSize = size
		d := slapdtest.New(t, o)
		ids, err := all(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, id := range ids {
			names = append(names, id.Name)
		}
		slices.Sort(names)
		for i, name := range names {
			if want := fmt.Sprintf("user%04d", i+1); name != want {
				t.Fatalf("page size %d: %s instead of %s", size, name, want)
			}
		}
		if len(names) != crowd {
			t.Fatalf("page size %d: %d people", size, len(names))
		}
		for range d.All(t.Context()) { // who has enough leaves nothing behind
			break
		}
		refuses(t, d, "user0001", "wrong", roster.ErrCredentials)
	}
}

// A limit on all pages together cuts the list short with an error.
func TestAllCutShort(t *testing.T) {
	s := slapdtest.Start(t, slapd.Options{Entries: slapd.People(600), Global: "sizelimit 500"})
	ids, err := all(t.Context(), slapdtest.New(t, slapdtest.Options(s)))
	checkReason(t, err, ldapauth.StageSearch, ldap.LDAPResultSizeLimitExceeded, "")
	if len(ids) > 500 {
		t.Errorf("%d people", len(ids))
	}
}

// What is wrong with the configuration or the tree is an error, too, and no list.
func TestAllWrong(t *testing.T) {
	referral := ldap.NewEntry("ou=elsewhere,"+slapd.Base, map[string][]string{
		"objectClass": {"referral", "extensibleObject"}, "ou": {"elsewhere"}, "ref": {"ldap://127.0.0.1:1/ou=x," + slapd.Base},
	})
	s := slapdtest.Start(t, slapd.Options{Entries: append(slapd.People(3), referral)})
	for name, test := range map[string]struct {
		change func(*ldapauth.Options)
		code   int
		reason ldapauth.Reason
	}{
		"base": {func(o *ldapauth.Options) { o.Base = "ou=nowhere," + slapd.Base }, ldap.LDAPResultNoSuchObject, ""},
		"filter": {func(o *ldapauth.Options) {
			o.Schema.Everybody = "(objectClass=printer)"
			o.Base = "ou=groups," + slapd.Base
		}, 0, ldapauth.ReasonEmpty},
		"id":       {func(o *ldapauth.Options) { o.Schema.ID = "employeeNumber"; o.Base = slapd.PersonDN("user0001") }, 0, ldapauth.ReasonNoID},
		"same id":  {func(o *ldapauth.Options) { o.Schema.ID = "uidNumber" }, 0, ldapauth.ReasonDuplicate},
		"referral": {func(o *ldapauth.Options) { o.Base = slapd.Base }, 0, ldapauth.ReasonReferral},
		"no right": {func(o *ldapauth.Options) { o.ServiceDN, o.ServicePassword = "", roster.Secret{} }, ldap.LDAPResultNoSuchObject, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := slapdtest.Options(s)
			test.change(&o)
			_, err := all(t.Context(), slapdtest.New(t, o))
			stage := ldapauth.StageSearch
			if test.reason == ldapauth.ReasonNoID || test.reason == ldapauth.ReasonDuplicate {
				stage = ldapauth.StageEntry
			}
			checkReason(t, err, stage, test.code, test.reason)
		})
	}
}

// checkReason checks that an error is an outage, and which.
func checkReason(t *testing.T, err error, stage ldapauth.Stage, code int, reason ldapauth.Reason) {
	t.Helper()
	if !errors.Is(err, roster.ErrUnavailable) {
		t.Errorf("%v is no outage", err)
	}
	checkError(t, err, stage, code, reason)
}

func checkError(t *testing.T, err error, stage ldapauth.Stage, code int, reason ldapauth.Reason) {
	t.Helper()
	e, ok := errors.AsType[*ldapauth.Error](err)
	if !ok {
		t.Fatalf("%v has no Error", err)
	}
	if e.Stage != stage || e.Code != code || e.Reason != reason {
		t.Errorf("%v; want %s, result %d, reason %q", e, stage, code, reason)
	}
}
