package rostertest

import (
	"context"
	"sync"
	"testing"

	"github.com/go-roster/roster"
)

// Mailbox is a Mailer that keeps what was sent, once the transaction that
// caused it has committed. The zero Mailbox is empty. It is safe for concurrent
// use.
type Mailbox struct {
	mu    sync.Mutex
	mails []roster.Mail
	err   error
}

// Send implements [roster.Mailer].
func (b *Mailbox) Send(ctx context.Context, m roster.Mail) error {
	if err := b.failure(); err != nil {
		return err
	}
	if kept, ok := ctx.Value(keptIn{b}).(*bool); ok {
		*kept = true
	}
	roster.AfterCommit(ctx, func(context.Context) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.mails = append(b.mails, m)
	})
	return nil
}

func (b *Mailbox) failure() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// keptIn is the key of a *bool in a context, which is set when the mailbox keeps
// the mail.
type keptIn struct{ box *Mailbox }

// beside returns a Mailer that hands every mail to the other one, which may hand it
// on to the mailbox, and keeps it once in the mailbox.
func (b *Mailbox) beside(other roster.Mailer) roster.Mailer {
	if other == nil || other == roster.Mailer(b) {
		return b
	}
	return roster.MailerFunc(func(ctx context.Context, m roster.Mail) error {
		if err := b.failure(); err != nil {
			return err
		}
		var kept bool
		if err := other.Send(context.WithValue(ctx, keptIn{b}, &kept), m); err != nil || kept {
			return err
		}
		return b.Send(ctx, m)
	})
}

// Fail makes every Send fail with err, until Fail(nil).
func (b *Mailbox) Fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// All returns every mail, oldest first.
func (b *Mailbox) All() []roster.Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]roster.Mail(nil), b.mails...)
}

// To returns the mails to an address, in whatever spelling, oldest first.
func (b *Mailbox) To(address string) []roster.Mail {
	var mails []roster.Mail
	for _, m := range b.All() {
		if key(m.To) == key(address) {
			mails = append(mails, m)
		}
	}
	return mails
}

func key(address string) string {
	if key, err := roster.AddressKey(address); err == nil {
		return key
	}
	return address
}

// MustLast returns the last mail to an address. It fails the test if there is
// none.
func (b *Mailbox) MustLast(t testing.TB, address string) roster.Mail {
	t.Helper()
	mails := b.To(address)
	if len(mails) == 0 {
		var sent []string
		for _, m := range b.All() {
			sent = append(sent, string(m.Kind)+" to "+m.To)
		}
		t.Fatalf("rostertest: no mail to %s, only %v", address, sent)
	}
	return mails[len(mails)-1]
}

// MustCode returns the code in the last mail to an address. It fails the test
// if there is none.
func (b *Mailbox) MustCode(t testing.TB, address string) string {
	t.Helper()
	m := b.MustLast(t, address)
	if m.Code.IsZero() {
		t.Fatalf("rostertest: the last mail to %s (%s) has no code", address, m.Kind)
	}
	return m.Code.Reveal()
}

// Clear forgets every mail.
func (b *Mailbox) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mails = nil
}
