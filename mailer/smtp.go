package mailer

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"github.com/go-roster/roster"
)

// SMTPOptions configure [NewSMTP]. Nil and the zero value are fine for a server
// that takes mail without a password.
type SMTPOptions struct {
	// Port of the server. Zero means 465 with ImplicitTLS, else 587. On port 465
	// TLS is always implicit (RFC 8314).
	Port int

	// ImplicitTLS speaks TLS from the first byte. Otherwise the connection
	// begins in clear and must then be secured by STARTTLS.
	ImplicitTLS bool

	// AllowPlaintext sends mail in clear if the server offers no STARTTLS: codes
	// can be read and changed on the way, and whoever stands there can see to it
	// that none is offered. It is for a server on the same machine. Passwords are
	// never sent in clear.
	AllowPlaintext bool

	// TLS says whom to trust, by RootCAs say. Nil means the authorities of the
	// system. The certificate must be for the host; InsecureSkipVerify is
	// refused, and so is a MaxVersion below TLS 1.2.
	TLS *tls.Config

	// Username and Password sign in, by PLAIN or LOGIN. Empty: nobody does.
	Username string
	Password roster.Secret

	// Hello is the name that the server is greeted by. Empty means localhost.
	Hello string

	// Timeout is how long each stage may take, as to connect, to greet, to send a
	// message. Zero means 30 seconds. A session, and then each message, has four
	// times as long in all.
	Timeout time.Duration
}

const defaultSMTPTimeout = 30 * time.Second

// SMTP is a [Transport] that hands messages to a mail server.
type SMTP struct {
	host    string
	addr    string
	tls     *tls.Config
	opts    SMTPOptions
	dialing net.Dialer
}

// NewSMTP returns a transport to the server. It does not connect. It reports
// everything that is wrong with the options at once, joined.
func NewSMTP(host string, opts *SMTPOptions) (*SMTP, error) {
	s := &SMTP{host: host}
	if opts != nil {
		s.opts = *opts
	}
	o := &s.opts
	var errs []error
	if host == "" || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r > '~' }) {
		errs = append(errs, errors.New("the host must be a name or address in ASCII"))
	}
	o.Port = cmp.Or(o.Port, map[bool]int{true: 465, false: 587}[o.ImplicitTLS])
	o.ImplicitTLS = o.ImplicitTLS || o.Port == 465
	if o.Port < 1 || o.Port > 65535 {
		errs = append(errs, option("Port", errors.New("must be between 1 and 65535")))
	}
	s.tls = &tls.Config{}
	if o.TLS != nil {
		s.tls = o.TLS.Clone()
	}
	switch {
	case s.tls.InsecureSkipVerify:
		errs = append(errs, option("TLS", errors.New("InsecureSkipVerify would trust everybody: set RootCAs")))
	case s.tls.MaxVersion != 0 && s.tls.MaxVersion < tls.VersionTLS12:
		errs = append(errs, option("TLS", errors.New("MaxVersion must be at least TLS 1.2")))
	}
	s.tls.MinVersion = max(s.tls.MinVersion, tls.VersionTLS12)
	s.tls.ServerName = cmp.Or(s.tls.ServerName, host)
	if (o.Username == "") != o.Password.IsZero() {
		errs = append(errs, option("Password", errors.New("needs a Username, and the other way round")))
	}
	if strings.ContainsAny(o.Username+o.Password.Reveal(), "\x00\r\n") {
		errs = append(errs, option("Password", errors.New("and Username must be one line")))
	}
	o.Hello = cmp.Or(o.Hello, "localhost")
	if strings.ContainsFunc(o.Hello, func(r rune) bool { return r <= ' ' || r > '~' }) {
		errs = append(errs, option("Hello", errors.New("must be a name or address in ASCII")))
	}
	o.Timeout = cmp.Or(o.Timeout, defaultSMTPTimeout)
	if o.Timeout < 0 {
		errs = append(errs, option("Timeout", errors.New("must not be negative")))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("mailer.NewSMTP: %w", err)
	}
	s.addr = net.JoinHostPort(host, strconv.Itoa(o.Port))
	return s, nil
}

func option(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("option %s: %w", name, err)
}

// Dial implements [Transport]: it connects, secures the connection and signs
// in. Every error is an [*roster.UnavailableError] whose cause is a
// [*SendError], and so is that of ctx.
func (s *SMTP) Dial(ctx context.Context) (Session, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*s.opts.Timeout)
	defer cancel()
	c := &session{smtp: s}
	if err := c.open(ctx); err != nil {
		c.hangUp()
		what := UnavailableSMTP
		switch c.stage {
		case StageTLS, StageStartTLS:
			what = UnavailableSMTPTLS
		case StageAuth:
			what = UnavailableSMTPAuth
		}
		return nil, &roster.UnavailableError{What: what, Cause: c.failed(ctx, err)}
	}
	return c, nil
}

func (c *session) open(ctx context.Context) error {
	s := c.smtp
	if err := c.connect(ctx); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, c.guard.abort)
	defer stop()
	var conn net.Conn = c.guard
	if s.opts.ImplicitTLS {
		c.enter(ctx, StageTLS)
		secure := tls.Client(c.guard, s.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			return err
		}
		conn = secure
	}
	c.enter(ctx, StageGreeting)
	client, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return err
	}
	c.client = client
	c.enter(ctx, StageHello)
	if err := client.Hello(s.opts.Hello); err != nil {
		return err
	}
	secure := s.opts.ImplicitTLS
	if !secure {
		if secure, err = c.secure(ctx); err != nil {
			return err
		}
	}
	return c.signIn(ctx, secure)
}

func (c *session) connect(ctx context.Context) error {
	c.stage = StageDial
	ctx, cancel := context.WithTimeout(ctx, c.smtp.opts.Timeout)
	defer cancel()
	conn, err := c.smtp.dialing.DialContext(ctx, "tcp", c.smtp.addr)
	if err != nil {
		return err
	}
	c.guard = &guard{Conn: conn}
	return nil
}

var (
	errNoStartTLS = errors.New("mailer: the server offers no STARTTLS")
	errNoAuth     = errors.New("mailer: the server offers neither PLAIN nor LOGIN")
	errPlaintext  = errors.New("mailer: a password is not sent in clear")
)

// secure goes over to TLS. It reports whether the connection is secure then.
func (c *session) secure(ctx context.Context) (bool, error) {
	c.enter(ctx, StageStartTLS)
	if offered, _ := c.client.Extension("STARTTLS"); !offered {
		if c.smtp.opts.AllowPlaintext {
			return false, nil
		}
		return false, errNoStartTLS
	}
	c.guard.startTLS = 2
	if err := c.client.StartTLS(c.smtp.tls); err != nil {
		return false, err
	}
	state, err := c.client.GetTLSConnectionState()
	if err == nil && !state.HandshakeComplete {
		err = errNoStartTLS
	}
	return err == nil, err
}

func (c *session) signIn(ctx context.Context, secure bool) error {
	o := &c.smtp.opts
	if o.Username == "" {
		return nil
	}
	c.enter(ctx, StageAuth)
	if !secure {
		return errPlaintext
	}
	_, offered := c.client.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offered))
	switch {
	case slices.Contains(mechanisms, "PLAIN"):
		return c.client.Auth(smtp.PlainAuth("", o.Username, o.Password.Reveal(), c.smtp.host, false))
	case slices.Contains(mechanisms, "LOGIN"):
		return c.client.Auth(smtp.LoginAuth(o.Username, o.Password.Reveal(), c.smtp.host, false))
	}
	return errNoAuth
}
