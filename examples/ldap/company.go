package main

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/go-ldap/ldap/v3"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/ldapauth"
)

// company is a server with a few people. It is a real one: only that it is gone in the end, and
// that everybody's password stands here.
func company() (*slapd.Server, error) {
	people := []*ldap.Entry{
		slapd.Person("ann", "correct horse", map[string][]string{
			"cn": {"Ann Example"}, "mail": {"ann@example.org", "a.example@example.org"}, "preferredLanguage": {"de-AT, en;q=0.5"},
		}),
		slapd.Person("ben", "staple battery", map[string][]string{"cn": {"Ben Carter"}, "mail": nil}),
		slapd.Person("cleo", "paper clip", map[string][]string{"cn": {"Cleo Miller"}}),
	}
	groups := []*ldap.Entry{
		slapd.Group("staff", slapd.PersonDN("ben"), slapd.GroupDN("office")),
		slapd.Group("office", slapd.PersonDN("ann")),
	}
	return slapd.Start(slapd.Options{Entries: people, Groups: groups})
}

// demonstrate is the story of the company.
func demonstrate(ctx context.Context, out io.Writer) error {
	server, err := company()
	if err != nil {
		return err
	}
	defer server.Close()
	dir, err := os.MkdirTemp("", "roster-ldap")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, server.Authority.PEM(), 0o600); err != nil {
		return err
	}
	users, corp, err := open(settings{
		url: server.SecureURL, ca: ca, base: "ou=people," + slapd.Base,
		service: slapd.ServiceDN, password: slapd.ServicePassword, schema: "posix",
		groups: ldapauth.GroupOfNames("ou=groups,"+slapd.Base, map[string]string{slapd.GroupDN("staff"): "staff"}),
	})
	if err != nil {
		return err
	}
	defer func() { _ = corp.Close() }()
	if err := users.CreateGroup(ctx, &roster.Group{Name: "staff"}); err != nil {
		return err
	}
	s := &story{users, out}
	s.say("# A directory with three people at %s", server.SecureURL)
	for _, try := range [][2]string{{"ann", "correct horse"}, {"ANN", "correct horse"}, {"ann", ""}, {"*", "correct horse"}} {
		if err := s.signIn(ctx, try[0], try[1]); err != nil {
			return err
		}
	}
	plan, err := s.plan(ctx)
	if err != nil {
		return err
	}
	if err := s.apply(ctx, plan); err != nil {
		return err
	}
	s.say("\n# Ben leaves, and Cleo, who has another name from now on, comes to the office")
	if err := server.Do(change); err != nil {
		return err
	}
	if plan, err = s.plan(ctx); err != nil {
		return err
	}
	if err := s.apply(ctx, plan); err != nil {
		return err
	}
	if err := s.signIn(ctx, "cleo.newman", "paper clip"); err != nil {
		return err
	}
	return s.signIn(ctx, "ben", "staple battery")
}

// change is what happens in the company meanwhile.
func change(c *ldap.Conn) error {
	if err := c.Del(ldap.NewDelRequest(slapd.PersonDN("ben"), nil)); err != nil {
		return err
	}
	if err := c.ModifyDN(ldap.NewModifyDNRequest(slapd.PersonDN("cleo"), "uid=cleo.newman", true, "")); err != nil {
		return err
	}
	name := ldap.NewModifyRequest(slapd.PersonDN("cleo.newman"), nil)
	name.Replace("cn", []string{"Cleo Newman"})
	if err := c.Modify(name); err != nil {
		return err
	}
	member := ldap.NewModifyRequest(slapd.GroupDN("office"), nil)
	member.Add("member", []string{slapd.PersonDN("cleo.newman")})
	return c.Modify(member)
}
