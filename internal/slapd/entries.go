package slapd

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// fill writes the configuration and the database.
func (s *Server) fill(o Options) error {
	if err := os.Mkdir(s.path("data"), 0o700); err != nil {
		return err
	}
	conf, err := s.config(o)
	if err != nil {
		return err
	}
	var ldif bytes.Buffer
	for _, e := range append(basic(), o.Entries...) {
		writeEntry(&ldif, e)
	}
	if err := errors.Join(
		os.WriteFile(s.path("slapd.conf"), []byte(conf), 0o600),
		os.WriteFile(s.path("entries.ldif"), ldif.Bytes(), 0o600)); err != nil {
		return err
	}
	// slapd is slapadd when it is called so, also where there is no link of that name.
	add := exec.Command(s.slapd, "-Ta", "-q", "-f", s.path("slapd.conf"), "-l", s.path("entries.ldif"))
	if out, err := add.CombinedOutput(); err != nil {
		return fmt.Errorf("slapadd: %w: %s", err, out)
	}
	return nil
}

// basic is the tree that every server has.
func basic() []*ldap.Entry {
	unit := func(name string) *ldap.Entry {
		return ldap.NewEntry("ou="+name+","+Base, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {name}})
	}
	return []*ldap.Entry{
		ldap.NewEntry(Base, map[string][]string{"objectClass": {"dcObject", "organization"}, "dc": {"example"}, "o": {"Example"}}),
		unit("people"), unit("groups"),
		ldap.NewEntry(ServiceDN, map[string][]string{
			"objectClass": {"organizationalRole", "simpleSecurityObject"}, "cn": {"service"}, "userPassword": {ServicePassword},
		}),
	}
}

// writeEntry writes an entry as LDIF (RFC 2849), every value in base64.
func writeEntry(to *bytes.Buffer, e *ldap.Entry) {
	line := func(name, value string) {
		fmt.Fprintf(to, "%s:: %s\n", name, base64.StdEncoding.EncodeToString([]byte(value)))
	}
	line("dn", e.DN)
	for _, a := range e.Attributes {
		for _, v := range a.Values {
			line(a.Name, v)
		}
	}
	to.WriteString("\n")
}

// Do runs fn with a connection on which root is bound.
func (s *Server) Do(fn func(*ldap.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := ldap.DialURL(s.URL, ldap.DialWithDialer(&net.Dialer{Timeout: time.Minute}))
	if err != nil {
		return err
	}
	c.SetTimeout(time.Minute)
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	defer func() { _ = c.Close() }()
	if err := c.Bind(RootDN, RootPassword); err != nil {
		return err
	}
	return fn(c)
}

// Add adds an entry while the server runs.
func (s *Server) Add(e *ldap.Entry) error {
	return s.Do(func(c *ldap.Conn) error { return add(c, e) })
}

func add(c *ldap.Conn, e *ldap.Entry) error {
	r := ldap.NewAddRequest(e.DN, nil)
	for _, a := range e.Attributes {
		r.Attribute(a.Name, a.Values)
	}
	return c.Add(r)
}

func (s *Server) addGroups(groups []*ldap.Entry) error {
	if len(groups) == 0 {
		return nil
	}
	return s.Do(func(c *ldap.Conn) error {
		// First all of them, since memberOf is only kept in what there is: groups may be in each other.
		for _, g := range groups {
			empty := ldap.NewEntry(g.DN, map[string][]string{"objectClass": {"groupOfNames"}, "member": {Base}})
			if err := add(c, empty); err != nil {
				return fmt.Errorf("%s: %w", g.DN, err)
			}
		}
		for _, g := range groups {
			r := ldap.NewModifyRequest(g.DN, nil)
			for _, a := range g.Attributes {
				r.Replace(a.Name, a.Values)
			}
			if err := c.Modify(r); err != nil {
				return fmt.Errorf("%s: %w", g.DN, err)
			}
		}
		return nil
	})
}
