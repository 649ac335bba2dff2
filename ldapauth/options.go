package ldapauth

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-roster/roster"
)

// Options configure [New]. ID, URLs, Base and Schema must be there.
type Options struct {
	// ID names the directory in what roster keeps: it must never change, or everybody
	// becomes somebody else.
	ID string

	// URLs are the servers, as ldaps://ldap1.example.org or ldap://ldap2.example.org:1389.
	// ldap:// is secured by StartTLS before anything is sent. They must hold the same: the first
	// one that answers is used, and one that did not is left alone for 30 seconds.
	URLs []string

	// AllowPlaintext speaks ldap:// in clear: whoever is on the way can read the
	// passwords. It is for a server on the same machine.
	AllowPlaintext bool

	// TLS says whom to trust, by RootCAs say, and who the client is, by Certificates. Nil
	// means the authorities of the system. The certificate must be for the host in the URL;
	// InsecureSkipVerify is refused, and so is a MaxVersion below TLS 1.2.
	TLS *tls.Config

	// ServiceDN and ServicePassword are the account that looks people up. Empty: it
	// is done without any, which the server has to allow; unless ServiceCertificate is set: then
	// the account is the one of the client's certificate (SASL EXTERNAL, RFC 4422, appendix A).
	ServiceDN          string
	ServicePassword    roster.Secret
	ServiceCertificate bool

	// Base is the entry below which people are, at any depth.
	Base string

	// BindName binds with a name at once, without looking anybody up first:
	// "uid={name},ou=people,dc=example,dc=org", or "{name}@corp.example.org" for Active
	// Directory. The entry is then read by the person's own rights, and has to satisfy
	// Schema.Filter as well. A wrong name cannot be told from a wrong
	// password so: a directory asked after this one never is. Empty: people are looked up.
	BindName string

	// Schema says how people look: start from [PosixAccount], [InetOrgPerson],
	// [ActiveDirectory] or [FreeIPA].
	Schema Schema

	// Groups says which groups are told, as [MemberOf] or [GroupOfNames] have it. Zero: none.
	Groups Groups

	// TrustMail says that the directory vouches for the addresses in it: that nobody can
	// write one there that they do not have. Then they are activated without a mail.
	TrustMail bool

	// SkipWhoAmI is for servers that do not know the operation by which they are asked who
	// somebody has bound as (RFC 4532), at the first sign-in on each connection, and
	// whenever a password looks like none. The others say no to that as to any failure.
	SkipWhoAmI bool

	// DialTimeout is how long it may take to have a connection, TLS included. Zero
	// means 5 seconds.
	DialTimeout time.Duration

	// Timeout is how long each request may take. Zero means 10 seconds.
	Timeout time.Duration

	// MaxMessage bounds a message of the server, in bytes. Zero means 1 MiB.
	MaxMessage int

	// MaxConns bounds the connections of the service account, and as many more on
	// which people's passwords are tried. Whoever comes when all are taken waits. Zero means 16.
	MaxConns int

	// PageSize is how many entries [Directory.All] asks for at once. Zero means 500.
	PageSize int

	// Logger gets what an operator should know: refusals that are more than a wrong
	// password, servers that do not answer; never a name. Nil means that nothing is logged.
	Logger *slog.Logger

	servers []*server
}

// The defaults and bounds of [Options].
const (
	defaultDialTimeout = 5 * time.Second
	defaultTimeout     = 10 * time.Second
	defaultMaxMessage  = 1 << 20
	minMaxMessage      = 4 << 10
	defaultMaxConns    = 16
	defaultPageSize    = 500
	maxPageSize        = 10_000
	maxID              = 64
)

// New returns a directory. It does not connect. It reports everything that is wrong with
// the options at once, joined. It copies them.
func New(opts Options) (*Directory, error) {
	o := &opts
	var errs []error
	wrong := func(name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("option %s: %w", name, err))
		}
	}
	if o.ID == "" || len(o.ID) > maxID || strings.ContainsFunc(o.ID, func(r rune) bool { return r <= ' ' || r > '~' }) {
		wrong("ID", errors.New("must be a word in ASCII"))
	}
	wrong("TLS", o.checkTLS())
	o.parseURLs(wrong)
	o.checkService(wrong)
	wrong("Base", checkBase(o.Base))
	o.Schema.check(wrong)
	o.Groups.check(wrong)
	if o.BindName != "" {
		wrong("BindName", checkBindName(o.BindName))
	}
	if o.DialTimeout < 0 {
		wrong("DialTimeout", errors.New("must not be negative"))
	}
	if o.Timeout < 0 {
		wrong("Timeout", errors.New("must not be negative"))
	}
	o.DialTimeout = cmp.Or(o.DialTimeout, defaultDialTimeout)
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	o.MaxMessage = cmp.Or(o.MaxMessage, defaultMaxMessage)
	o.MaxConns = cmp.Or(o.MaxConns, defaultMaxConns)
	o.PageSize = cmp.Or(o.PageSize, defaultPageSize)
	if o.MaxMessage < minMaxMessage {
		wrong("MaxMessage", fmt.Errorf("must be at least %d", minMaxMessage))
	}
	if o.MaxConns < 1 {
		wrong("MaxConns", errors.New("must be positive"))
	}
	if o.PageSize < 1 || o.PageSize > maxPageSize {
		wrong("PageSize", fmt.Errorf("must be between 1 and %d", maxPageSize))
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("ldapauth.New: %w", err)
	}
	d := &Directory{opts: opts}
	d.service = newPool(o.MaxConns, d.connectService)
	d.people = newPool(o.MaxConns, d.connect)
	return d, nil
}

func (o *Options) checkTLS() error {
	if o.TLS == nil {
		o.TLS = &tls.Config{}
	}
	o.TLS = o.TLS.Clone()
	switch {
	case o.TLS.InsecureSkipVerify:
		return errors.New("InsecureSkipVerify would trust everybody: set RootCAs")
	case o.TLS.MaxVersion != 0 && o.TLS.MaxVersion < tls.VersionTLS12:
		return errors.New("MaxVersion must be at least TLS 1.2")
	}
	o.TLS.MinVersion = max(o.TLS.MinVersion, tls.VersionTLS12)
	return nil
}

func (o *Options) parseURLs(wrong func(string, error)) {
	if len(o.URLs) == 0 {
		wrong("URLs", errors.New("are missing"))
	}
	seen := map[string]bool{}
	for _, text := range o.URLs {
		s, err := o.parseURL(text)
		if err == nil && seen[s.addr] {
			err = errors.New("name a server twice")
		}
		if err != nil {
			wrong("URLs", err)
			continue
		}
		seen[s.addr] = true
		o.servers = append(o.servers, s)
	}
	o.URLs = nil // the servers have them
}

func (o *Options) parseURL(text string) (*server, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return nil, errors.New("must be like ldaps://ldap.example.org")
	}
	s := &server{implicit: u.Scheme == "ldaps"}
	port := "389"
	switch {
	case u.Scheme == "ldaps":
		port = "636"
	case u.Scheme != "ldap":
		return nil, errors.New("must begin with ldaps:// or ldap://")
	}
	if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("must name a server and nothing else")
	}
	s.addr = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port))
	s.tls = o.TLS.Clone()
	s.tls.ServerName = cmp.Or(s.tls.ServerName, u.Hostname())
	return s, nil
}

func (o *Options) checkService(wrong func(string, error)) {
	if o.ServiceDN != "" {
		wrong("ServiceDN", serviceName(o.ServiceDN))
	}
	switch {
	case o.ServiceCertificate && o.ServiceDN != "":
		wrong("ServiceCertificate", errors.New("and ServiceDN are two accounts"))
	case o.ServiceCertificate && len(o.TLS.Certificates) == 0 && o.TLS.GetClientCertificate == nil:
		wrong("ServiceCertificate", errors.New("needs TLS.Certificates"))
	case o.ServiceCertificate && o.AllowPlaintext:
		wrong("ServiceCertificate", errors.New("needs TLS"))
	case (o.ServiceDN == "") != o.ServicePassword.IsZero():
		wrong("ServicePassword", errors.New("needs a ServiceDN, and the other way round"))
	case strings.ContainsRune(o.ServicePassword.Reveal(), 0):
		wrong("ServicePassword", errors.New("must not contain NUL"))
	}
}

// serviceName refuses what nobody can bind as. Active Directory takes
// roster@corp.example.org as well as a DN.
func serviceName(name string) error {
	if len(name) > 4096 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return errors.New("is no DN")
	}
	if strings.Contains(name, "=") {
		_, err := dnKey(name)
		return err
	}
	if !strings.Contains(name, "@") {
		return errors.New("is no DN")
	}
	return nil
}
