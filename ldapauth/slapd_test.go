package ldapauth_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/internal/slapdtest"
	"github.com/go-roster/roster/ldapauth"
)

// company is some people whom most tests need.
func company() slapd.Options {
	return slapd.Options{
		Global: "allow bind_anon_dn",
		Entries: append(slapd.People(3),
			slapd.Person("ann", "correct horse", map[string][]string{
				"cn": {"Ann Example"}, "mail": {"ann@example.org", "ann.example@example.org"},
				"preferredLanguage": {"en;q=0.5, de-AT"}, "employeeNumber": {"17"},
			})),
	}
}

func TestSignIn(t *testing.T) {
	s := slapdtest.Start(t, company())
	o := slapdtest.Options(s)
	o.Schema.Data = map[string]string{"employeeNumber": "staff_number"}
	for _, url := range []string{s.SecureURL, s.URL} {
		o.URLs = []string{url}
		d := slapdtest.New(t, o)
		id, err := d.Authenticate(t.Context(), "ann", "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		want := &roster.Identity{
			Provider: "corp", DN: slapd.PersonDN("ann"), Name: "ann", RealName: "Ann Example",
			Emails: []string{"ann@example.org", "ann.example@example.org"}, EmailsVerified: true,
			Locale: "de-AT", Data: roster.Data{"staff_number": []byte(`["17"]`)},
		}
		if diff := cmp.Diff(want, id, cmpopts.IgnoreFields(roster.Identity{}, "Subject")); diff != "" {
			t.Error(diff)
		}
		if len(id.Subject) != 36 {
			t.Errorf("subject %q", id.Subject)
		}
		refuses(t, d, "ann", "wrong", roster.ErrCredentials)
		refuses(t, d, "nobody", "wrong", roster.ErrUnknownUser)
		refuses(t, d, "ann", "", roster.ErrCredentials)
	}
}

// refuses checks that somebody is not signed in, and how.
func refuses(t *testing.T, d *ldapauth.Directory, name, password string, want error) {
	t.Helper()
	id, err := d.Authenticate(t.Context(), name, password)
	if id != nil || !errors.Is(err, want) {
		t.Errorf("Authenticate(%q, %q) = %v, %v; want %v", name, password, id, err, want)
	}
}

// all reads everybody.
func all(ctx context.Context, d *ldapauth.Directory) (ids []*roster.Identity, err error) {
	for id, err := range d.All(ctx) {
		if err != nil {
			return ids, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}
