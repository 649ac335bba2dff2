package mailer

import (
	"context"
	"errors"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"github.com/go-roster/roster"
)

// session is a connection to a mail server.
type session struct {
	smtp   *SMTP
	guard  *guard
	client *smtp.Client
	stage  Stage

	dirty  bool // a message was begun and not ended
	broken bool // of no use any more
}

// enter begins a stage, and gives it its time.
func (c *session) enter(ctx context.Context, stage Stage) {
	c.stage = stage
	deadline := time.Now().Add(c.smtp.opts.Timeout)
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	_ = c.guard.SetDeadline(deadline) // a connection that is closed says so at the next read
}

// errClosed says that the session has ended.
var errClosed = errors.New("mailer: the session is over")

// Send implements [Session]. Every error is a [*SendError].
func (c *session) Send(ctx context.Context, m *Message) error {
	ctx, cancel := context.WithTimeout(ctx, 4*c.smtp.opts.Timeout)
	defer cancel()
	c.stage = StageMessage
	text, err := m.Bytes()
	if err != nil {
		return &SendError{Stage: StageMessage, Permanent: true, Cause: err}
	}
	from, err := envelope(m.From.Address)
	if err != nil {
		return &SendError{Stage: StageMessage, Permanent: true, Cause: err}
	}
	to, err := envelope(m.To.Address)
	if err != nil {
		return &SendError{Stage: StageMessage, Permanent: true, Undeliverable: true, Cause: err}
	}
	if err := c.send(ctx, from, to, text); err != nil {
		failed := c.failed(ctx, err)
		// A server that refuses says so and goes on listening, but for 421, by
		// which it says good-bye. Some things are refused before it is asked.
		c.broken = c.broken || failed.Code == 0 && !failed.Permanent || failed.Code == 421
		return failed
	}
	return nil
}

func (c *session) send(ctx context.Context, from, to string, text []byte) error {
	c.stage = StageMail
	if c.broken {
		return errClosed
	}
	stop := context.AfterFunc(ctx, c.guard.abort)
	defer func() {
		if !stop() {
			c.broken = true // it was aborted, perhaps just now
		}
	}()
	c.enter(ctx, StageMail)
	if c.dirty {
		if err := c.client.Reset(); err != nil {
			c.broken = true
			return err
		}
		c.dirty = false
	}
	beyond := !isASCII(from) || !isASCII(to)
	if offered, _ := c.client.Extension("SMTPUTF8"); beyond && !offered {
		return errUTF8
	}
	c.client.SkipSMTPUTF8(!beyond) // asked for without need, it keeps mail from servers that lack it
	c.dirty = true
	if err := c.client.Mail(from); err != nil {
		return err
	}
	c.enter(ctx, StageRcpt)
	if err := c.client.Rcpt(to); err != nil {
		return err
	}
	c.enter(ctx, StageData)
	w, err := c.client.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	c.enter(ctx, StageDot)
	err = w.Close()
	if err == nil {
		c.dirty = false
	}
	return err
}

// errUTF8 says that the address is not for this server (RFC 6531).
var errUTF8 = errors.New("mailer: the server does not offer SMTPUTF8")

// envelope is an address as a command of SMTP has it. It is checked once more,
// whoever has made it: it goes out as it is.
func envelope(address string) (string, error) {
	key, err := roster.AddressKey(address)
	if err != nil {
		return "", err
	}
	local, domain, _ := strings.Cut(address, "@")
	if !isASCII(domain) {
		_, domain, _ = strings.Cut(key, "@")
	}
	return "<" + local + "@" + domain + ">", nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// quitTimeout is how long a server may take to say good-bye.
const quitTimeout = 5 * time.Second

// Close implements [Session]. A server that does not say good-bye is left
// alone: it has taken what it has taken.
func (c *session) Close() error {
	defer c.hangUp()
	if c.broken {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), quitTimeout)
	defer cancel()
	c.enter(ctx, StageQuit)
	if err := c.client.Quit(); err != nil {
		return c.failed(ctx, err)
	}
	return nil
}

func (c *session) hangUp() {
	c.broken = true
	if c.guard != nil {
		_ = c.guard.Conn.Close()
	}
}

// failed says what an error at this stage means.
func (c *session) failed(ctx context.Context, err error) *SendError {
	e := &SendError{Stage: c.stage}
	var reply *textproto.Error
	var garbage textproto.ProtocolError
	switch {
	case ctx.Err() != nil:
		e.Cause = ctx.Err()
	case errors.As(err, &reply):
		e.Code, e.Enhanced, e.Reply = reply.Code, enhanced(reply), quoted(reply.Msg)
		e.Permanent = reply.Code/100 == 5
		e.Undeliverable = e.Permanent && c.stage == StageRcpt && aboutMailbox(e)
	case errors.As(err, &garbage):
		e.Reply = quoted(string(garbage))
		e.Cause = errGarbage
	case errors.Is(err, errUTF8):
		e.Permanent, e.Undeliverable, e.Cause = true, true, err
	default:
		e.Cause = err
	}
	return e
}

var errGarbage = errors.New("mailer: the server does not speak SMTP")

// aboutMailbox reports whether a recipient was refused for what the address is,
// and not because the server does not like us, or mail like this.
func aboutMailbox(e *SendError) bool {
	switch {
	case strings.HasPrefix(e.Enhanced, "5.1."), strings.HasPrefix(e.Enhanced, "5.2."):
		return true
	case e.Enhanced != "":
		return false
	}
	return e.Code == 550 || e.Code == 551 || e.Code == 553
}

// enhanced is the code that begins the text of an answer, as in "5.1.1 nobody
// of that name", if it is of the class that the answer is.
func enhanced(reply *textproto.Error) string {
	words := strings.Fields(reply.Msg)
	if len(words) == 0 {
		return ""
	}
	parts := strings.Split(words[0], ".")
	if len(parts) != 3 || parts[0] != strconv.Itoa(reply.Code/100) {
		return ""
	}
	for _, p := range parts {
		if n, err := strconv.Atoi(p); err != nil || len(p) > 3 || n < 0 || p[0] == '+' || p[0] == '-' {
			return ""
		}
	}
	return words[0]
}

// maxQuoted is how much of an answer is kept, in bytes.
const maxQuoted = 500

// quoted is what somebody outside said, safe to print.
func quoted(s string) string {
	return strconv.QuoteToASCII(s[:min(len(s), maxQuoted)])
}
