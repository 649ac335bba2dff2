package ldapauth_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/internal/slapdtest"
	"github.com/go-roster/roster/ldapauth"
)

// bare is what a sign-in cannot do without: look for the entry, bind as it.
type bare struct{ service, people *ldap.Conn }

func dialBare(b *testing.B, s *slapd.Server, o ldapauth.Options) bare {
	dial := func() *ldap.Conn {
		c, err := ldap.DialURL(s.SecureURL, ldap.DialWithTLSConfig(o.TLS))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.Close() })
		return c
	}
	c := bare{dial(), dial()}
	if err := c.service.Bind(slapd.ServiceDN, slapd.ServicePassword); err != nil {
		b.Fatal(err)
	}
	return c
}

func (c bare) signIn(b *testing.B, name, password string, ask bool) {
	r, err := c.service.Search(&ldap.SearchRequest{
		BaseDN: "ou=people," + slapd.Base, Scope: ldap.ScopeWholeSubtree, SizeLimit: 2,
		Filter:     "(&(objectClass=posixAccount)(uid=" + ldap.EscapeFilter(name) + "))",
		Attributes: []string{"uid", "cn", "mail", "entryUUID"},
	})
	if err != nil || len(r.Entries) != 1 {
		b.Fatal(r, err)
	}
	if err := c.people.Bind(r.Entries[0].DN, password); err != nil {
		b.Fatal(err)
	}
	if ask {
		if _, err := c.people.WhoAmI(nil); err != nil {
			b.Fatal(err)
		}
	}
}

// A sign-in beside the two requests that it cannot do without, and beside the three that it
// makes, the third being who is there now; in turns.
func BenchmarkSignIn(b *testing.B) {
	s := slapdtest.Start(b, slapd.Options{Entries: slapd.People(crowd)})
	o := slapdtest.Options(s)
	d := slapdtest.New(b, o)
	c := dialBare(b, s, o)
	signIn := func() {
		if _, err := d.Authenticate(b.Context(), "user0500", "user0500"); err != nil {
			b.Fatal(err)
		}
	}
	signIn()
	turns := []func(){
		signIn,
		func() { c.signIn(b, "user0500", "user0500", false) },
		func() { c.signIn(b, "user0500", "user0500", true) },
	}
	times := make([][]time.Duration, len(turns))
	for b.Loop() {
		for i, turn := range turns {
			start := time.Now()
			turn()
			times[i] = append(times[i], time.Since(start))
		}
	}
	median := func(i int) float64 {
		slices.Sort(times[i])
		return float64(times[i][len(times[i])/2])
	}
	b.ReportMetric(median(0), "ns/op")
	b.ReportMetric(median(0)/median(1), "x/bind+search")
	b.ReportMetric(median(0)/median(2), "x/bind+search+whoami")
}

// A hundred people at once.
func BenchmarkSignInParallel(b *testing.B) {
	s := slapdtest.Start(b, slapd.Options{Entries: slapd.People(crowd)})
	d := slapdtest.New(b, slapdtest.Options(s))
	const people = 100
	var total time.Duration
	for b.Loop() {
		start := time.Now()
		var wait sync.WaitGroup
		for i := range people {
			wait.Go(func() {
				name := slapd.Name(i)
				if _, err := d.Authenticate(b.Context(), name, name); err != nil {
					b.Error(err)
				}
			})
		}
		wait.Wait()
		total += time.Since(start)
	}
	b.ReportMetric(float64(people*b.N)/total.Seconds(), "sign-ins/s")
}

// Everybody of a directory with 10,000 entries, beside the bare search for them.
func BenchmarkAll(b *testing.B) {
	s := slapdtest.Start(b, slapd.Options{Entries: slapd.People(10_000), Global: "sizelimit unlimited"})
	o := slapdtest.Options(s)
	d := slapdtest.New(b, o)
	c := dialBare(b, s, o)
	var ours, theirs time.Duration
	for b.Loop() {
		start := time.Now()
		ids, err := all(b.Context(), d)
		if err != nil || len(ids) != 10_000 {
			b.Fatal(len(ids), err)
		}
		middle := time.Now()
		r, err := c.service.SearchWithPaging(&ldap.SearchRequest{
			BaseDN: "ou=people," + slapd.Base, Scope: ldap.ScopeWholeSubtree,
			Filter: "(&(objectClass=posixAccount)(uid=*))", Attributes: []string{"uid", "cn", "mail", "entryUUID"},
		}, 500)
		if err != nil || len(r.Entries) != 10_000 {
			b.Fatal(err)
		}
		ours, theirs = ours+middle.Sub(start), theirs+time.Since(middle)
	}
	b.ReportMetric(float64(ours)/float64(theirs), "x/bare")
}
