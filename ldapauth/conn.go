package ldapauth

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// server is one of those in Options.URLs.
type server struct {
	addr     string
	implicit bool // TLS from the first byte
	tls      *tls.Config
	down     atomic.Int64 // until when it is asked last, in Unix nanoseconds
}

// leaveAlone is for how long a server that did not answer is asked after the others.
const leaveAlone = 30 * time.Second

func (s *server) failed()      { s.down.Store(time.Now().Add(leaveAlone).UnixNano()) }
func (s *server) isDown() bool { return time.Now().UnixNano() < s.down.Load() }

// conn is a connection to a server, for one request at a time.
type conn struct {
	server  *server
	wire    *wire
	ldap    *ldap.Conn
	timeout time.Duration
	opened  time.Time
	given   time.Time // back to the pool
	reused  bool
	dead    bool
	proven  map[string]bool // where a bind is known to mean something, see prove
}

// connect returns a connection on which nobody is bound, to the first server that there
// is one to. Those that did not answer lately are asked last.
func (d *Directory) connect(ctx context.Context) (*conn, error) {
	var lately []*server
	var first *Error
	try := func(s *server) *conn {
		c, e := d.dial(ctx, s)
		if e == nil {
			s.down.Store(0)
			return c
		}
		if first == nil {
			first = e
		}
		if ctx.Err() == nil {
			s.failed()
			d.opts.Logger.Warn("directory does not answer", slog.String("directory", d.opts.ID),
				slog.String("server", s.addr), slog.Any("error", e), slog.Any("cause", e.Cause))
		}
		return nil
	}
	for _, s := range d.opts.servers {
		if s.isDown() {
			lately = append(lately, s)
		} else if c := try(s); c != nil {
			return c, nil
		}
	}
	for _, s := range lately {
		if c := try(s); c != nil {
			return c, nil
		}
	}
	return nil, unavailable(ctx, first)
}

// dial returns a connection that is as secure as it has to be.
func (d *Directory) dial(ctx context.Context, s *server) (*conn, *Error) {
	ctx, cancel := context.WithTimeout(ctx, d.opts.DialTimeout)
	defer cancel()
	fail := func(stage Stage, err error) (*conn, *Error) {
		e := &Error{Stage: stage, Reason: ReasonLost, Cause: err}
		switch {
		case ctx.Err() != nil:
			e.Reason, e.Cause = ReasonTimeout, ctx.Err()
		case errors.Is(err, errMalformed), errors.Is(err, errUnasked), errors.Is(err, errTooBig):
			e.Reason, e.Cause = ReasonProtocol, nil
		}
		if code, ok := errors.AsType[codeError](err); ok {
			e.Code, e.Reason, e.Cause = int(code), "", nil
		}
		return nil, e
	}
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return fail(StageDial, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	stream, stage, err := raw, StageTLS, error(nil)
	if !s.implicit && !d.opts.AllowPlaintext {
		stage, err = StageStartTLS, startTLS(raw)
	}
	if err == nil && (s.implicit || !d.opts.AllowPlaintext) {
		secure := tls.Client(raw, s.tls)
		stream, err = secure, secure.HandshakeContext(ctx)
	}
	if err == nil && !stop() {
		err = ctx.Err()
	}
	if err != nil {
		_ = raw.Close()
		return fail(stage, err)
	}
	c := &conn{server: s, wire: newWire(stream, raw, d.opts.MaxMessage), timeout: d.opts.Timeout, opened: time.Now()}
	c.ldap = ldap.NewConn(c.wire, stream != raw)
	c.ldap.SetTimeout(2 * d.opts.Timeout) // beside the deadline of each request: the library waits for ever
	c.ldap.Start()
	return c, nil
}

// codeError is a result that is not success.
type codeError int

func (codeError) Error() string { return "ldapauth: refused" }

// startTLS asks for TLS (RFC 4511, section 4.14). It reads the answer to the last byte and no
// further, so that nothing that somebody on the way has put behind it is taken
// for what was said in secret.
func startTLS(raw net.Conn) error {
	const oid = "1.3.6.1.4.1.1466.20037"
	request := append([]byte{0x30, 7 + byte(len(oid)), 0x02, 0x01, 0x01, 0x77, 2 + byte(len(oid)), 0x80, byte(len(oid))}, oid...)
	if _, err := raw.Write(request); err != nil {
		return err
	}
	text, err := readMessage(raw, minMaxMessage)
	if err != nil {
		return err
	}
	m, err := parseMessage(text)
	switch {
	case err != nil:
		return err
	case m.id != 1 || m.reply != replyExtended:
		return errUnasked
	case m.code != 0:
		return codeError(m.code)
	}
	return nil
}

// do makes one request, which must be done within Options.Timeout and as long as ctx
// lasts; else the connection is gone. The library gives up nothing by itself.
func (c *conn) do(ctx context.Context, stage Stage, wanted replies, budget int64, request func(*ldap.Conn) error) *Error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	stop := context.AfterFunc(ctx, c.wire.abort)
	c.wire.ask(wanted, budget)
	err := request(c.ldap)
	if !stop() {
		c.dead = true
	}
	var e *Error
	switch {
	case err != nil:
		e = c.failed(ctx, stage, err)
	case c.wire.last.Load() != 0:
		e = &Error{Stage: stage, Reason: ReasonProtocol}
	}
	c.wire.ask(0, 0)
	if e != nil && e.Code == 0 {
		c.dead = true
	}
	return e
}

// lost reports whether the connection had ended before the request, as those do that
// were idle for longer than the server likes, or than it ran.
func (c *conn) lost(e *Error) bool { return c.reused && e != nil && e.Reason == ReasonLost }

// hangUp ends the connection, politely if that makes sense.
func (c *conn) hangUp() {
	if c.dead || c.wire.err() != nil {
		c.wire.abort()
		_ = c.ldap.Close()
		return
	}
	stop := time.AfterFunc(time.Second, c.wire.abort)
	defer stop.Stop()
	_ = c.ldap.Unbind()
}

// connectService returns a connection on which the service account is bound. A server that takes
// connections and answers nothing is one that does not answer.
func (d *Directory) connectService(ctx context.Context) (*conn, error) {
	for {
		c, err := d.connect(ctx)
		if err != nil || d.opts.ServiceDN == "" && !d.opts.ServiceCertificate {
			return c, err
		}
		e := c.do(ctx, StageService, toBind, d.budget(), func(l *ldap.Conn) error {
			if d.opts.ServiceCertificate {
				return l.ExternalBind()
			}
			return l.Bind(d.opts.ServiceDN, d.opts.ServicePassword.Reveal())
		})
		if e == nil {
			return c, nil
		}
		another := false
		if busy(e.Code) || e.Code == 0 {
			c.server.failed()
			another = ctx.Err() == nil && slices.ContainsFunc(d.opts.servers, func(s *server) bool { return !s.isDown() })
		}
		c.dead = true
		c.hangUp()
		d.opts.Logger.Error("directory refuses the service account", slog.String("directory", d.opts.ID),
			slog.String("server", c.server.addr), slog.Any("error", e))
		if !another {
			return nil, unavailable(ctx, e)
		}
	}
}

// budget is how many bytes an answer may have that is not a list of entries.
func (d *Directory) budget() int64 { return 4 * int64(d.opts.MaxMessage) }
