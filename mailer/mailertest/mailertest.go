// Package mailertest shows a test the mails that a program sends, as people
// would read them, and opens their links as the filters of mail servers do.
//
//	mails := mailertest.New(t)
//	env := rostertest.New(t, func(o *roster.Options) {
//		o.Mailer, o.ActivationURL = mails, "https://app.example.org/activate?code={code}"
//	})
//	...
//	code := mails.Code(t, "ann@example.org")
//
// The mails go by the clock of env then, and env.Mail keeps them, too.
// The mailbox of package rostertest keeps what roster asks to be told, and is
// enough where it does not matter how that reads.
package mailertest

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer"
)

// Recorder is a [roster.Mailer] that composes every mail and keeps it, once the
// transaction that caused it has committed. There is nothing to wait for: when
// the verb returns, the mail is there. It is safe for concurrent use.
type Recorder struct {
	composer *mailer.Composer

	mu       sync.Mutex
	now      func() time.Time
	messages []*mailer.Message
	err      error
}

// New returns an empty Recorder. Each change may alter the options of the
// [mailer.Composer] before they are used; Now is the clock of [Recorder.UseClock],
// unless a change sets another one. It fails the test if the options are wrong.
func New(t testing.TB, changes ...func(*mailer.Options)) *Recorder {
	t.Helper()
	r := &Recorder{now: time.Now}
	opts := mailer.Options{From: "Example <accounts@example.org>", Now: r.clock}
	for _, change := range changes {
		change(&opts)
	}
	composer, err := mailer.New(opts)
	if err != nil {
		t.Fatalf("mailertest: %v", err)
	}
	r.composer = composer
	return r
}

// UseClock sets the clock by which mails are dated and say how long a code is
// good. Until then it is time.Now. Package rostertest calls it for the Mailer of
// its accounts; of two that share a Recorder it is the clock of the last.
func (r *Recorder) UseClock(now func() time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = now
}

func (r *Recorder) clock() time.Time {
	r.mu.Lock()
	now := r.now
	r.mu.Unlock()
	return now()
}

// Send implements [roster.Mailer]. It returns the errors of
// [mailer.Composer.Compose], that of bytes that cannot be sent, or what Fail
// has set.
func (r *Recorder) Send(ctx context.Context, m roster.Mail) error {
	r.mu.Lock()
	err := r.err
	r.mu.Unlock()
	if err != nil {
		return err
	}
	msg, err := r.composer.Compose(ctx, m)
	if err != nil {
		return err
	}
	if _, err := msg.Bytes(); err != nil {
		return err
	}
	roster.AfterCommit(ctx, func(context.Context) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.messages = append(r.messages, msg)
	})
	return nil
}

// Fail makes every Send fail with err, until Fail(nil).
func (r *Recorder) Fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

// All returns every message, oldest first.
func (r *Recorder) All() []*mailer.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.messages)
}

// To returns the messages to an address, in whatever spelling, oldest first.
func (r *Recorder) To(address string) []*mailer.Message {
	return slices.DeleteFunc(r.All(), func(m *mailer.Message) bool { return key(m.To.Address) != key(address) })
}

func key(address string) string {
	if key, err := roster.AddressKey(address); err == nil {
		return key
	}
	return address
}

// Last returns the last message to an address. It fails the test if there is
// none.
func (r *Recorder) Last(t testing.TB, address string) *mailer.Message {
	t.Helper()
	messages := r.To(address)
	if len(messages) == 0 {
		var sent []string
		for _, m := range r.All() {
			sent = append(sent, string(m.Kind)+" to "+m.To.Address)
		}
		t.Fatalf("mailertest: no mail to %s, only %q", address, sent)
		return nil
	}
	return messages[len(messages)-1]
}

// Link returns the link with a code in the last message to an address. It fails
// the test if there is none.
func (r *Recorder) Link(t testing.TB, address string) string {
	t.Helper()
	m := r.Last(t, address)
	for _, link := range Links(m) {
		if code(link) != "" {
			return link
		}
	}
	t.Fatalf("mailertest: the last mail to %s (%s) has no link with a code:\n%s", address, m.Kind, m.Text)
	return ""
}

// Code returns the code in the last message to an address, in a link or on its
// own. It fails the test if there is none.
func (r *Recorder) Code(t testing.TB, address string) string {
	t.Helper()
	m := r.Last(t, address)
	if found := code(m.Text); found != "" {
		return found
	}
	t.Fatalf("mailertest: the last mail to %s (%s) has no code:\n%s", address, m.Kind, m.Text)
	return ""
}

// Clear forgets every message.
func (r *Recorder) Clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages = nil
}

var (
	links = regexp.MustCompile("https?://[^\\s<>\"\u2069]+")
	codes = regexp.MustCompile(`(?:^|[^A-Za-z0-9_-])([A-Za-z0-9_-]{43})(?:[^A-Za-z0-9_-]|$)`)
)

// code finds what has the form of a code, 43 characters of URL-safe base64.
func code(s string) string {
	if found := codes.FindStringSubmatch(s); found != nil {
		return found[1]
	}
	return ""
}

// Links lists the addresses in the text of a message, in order, each once.
func Links(m *mailer.Message) []string {
	var all []string
	for _, link := range links.FindAllString(m.Text, -1) {
		if link = strings.TrimRight(link, ".,;:!?)"); !slices.Contains(all, link) {
			all = append(all, link)
		}
	}
	return all
}
