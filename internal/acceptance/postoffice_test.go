package acceptance

import (
	"context"
	"io"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer"
)

// postOffice is a mail server on this machine that keeps what it takes.
type postOffice struct {
	port int

	mu    sync.Mutex
	mails []*delivery
	begun func()          // at every MAIL, before it is answered
	took  func(*delivery) // when a mail was taken, before that is answered
}

type delivery struct {
	to, id, text string
}

func newPostOffice(t testing.TB) *postOffice {
	t.Helper()
	o := &postOffice{}
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailSession{postOffice: o}, nil }))
	srv.Domain, srv.ErrorLog = "localhost", nobody{}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.port = ln.Addr().(*net.TCPAddr).Port
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(ln)
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	return o
}

type nobody struct{}

func (nobody) Printf(string, ...any) {}
func (nobody) Println(...any)        {}

// mailSession is one session.
type mailSession struct {
	*postOffice
	to string
}

func (c *mailSession) Mail(string, *smtp.MailOptions) error {
	c.mu.Lock()
	begun := c.begun
	c.mu.Unlock()
	if begun != nil {
		begun()
	}
	return nil
}

func (c *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.to = to
	return nil
}

func (c *mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(strings.NewReader(string(text)))
	if err != nil {
		return err
	}
	d := &delivery{to: c.to, id: m.Header.Get("Message-Id"), text: string(text)}
	c.mu.Lock()
	c.mails = append(c.mails, d)
	took := c.took
	c.mu.Unlock()
	if took != nil {
		took(d)
	}
	return nil
}

func (*mailSession) Reset()        {}
func (*mailSession) Logout() error { return nil }

// on sets what is called at a MAIL and when a mail was taken.
func (o *postOffice) on(begun func(), took func(*delivery)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begun, o.took = begun, took
}

func (o *postOffice) taken() []*delivery {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]*delivery(nil), o.mails...)
}

// newOutbox is an outbox on the store whose mails go to the server at the port.
func newOutbox(store roster.Store, port int, opts mailer.OutboxOptions) (*mailer.Outbox, error) {
	composer, err := mailer.New(mailer.Options{From: "Example <accounts@example.org>", Now: opts.Now})
	if err != nil {
		return nil, err
	}
	server, err := mailer.NewSMTP("127.0.0.1", &mailer.SMTPOptions{Port: port, AllowPlaintext: true, Timeout: time.Minute})
	if err != nil {
		return nil, err
	}
	return mailer.NewOutbox(store, composer, server, &opts)
}

// queueMails queues mails to numbered addresses.
func queueMails(ctx context.Context, store roster.Store, o *mailer.Outbox, to []string) error {
	return store.Atomic(ctx, func(ctx context.Context) error {
		for _, to := range to {
			if err := o.Send(ctx, roster.Mail{Kind: roster.MailAddressTaken, To: to, User: nil}); err != nil {
				return err
			}
		}
		return nil
	})
}
