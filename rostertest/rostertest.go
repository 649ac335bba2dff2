// Package rostertest gives tests the real accounts, in memory and in
// microseconds: the rules and constraints are those of production, the password
// hasher is instant, mails are captured and the clock stands still until it is
// moved.
//
//	func TestSignUp(t *testing.T) {
//		env := rostertest.New(t)
//		ann := env.MustRegister("ann")
//		...
//	}
package rostertest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/memory"
)

// Password is the password of every user that [Env.MustRegister] makes.
const Password = "correct horse battery"

// Env is the accounts of one test, and what it sees of the world.
type Env struct {
	*roster.Users
	Store roster.Store
	Mail  *Mailbox // every mail, whatever Options.Mailer is
	Clock *Clock

	t testing.TB
}

// New returns accounts on an empty memory store, without limits (see
// [Unlimited]). A store other than memory is for [NewOn].
//
// Each change may alter the options before they are used. A Mailer that it sets
// gets every mail, and Env.Mail keeps them beside it. o.Now is that of Env.Clock, to
// be handed to whatever else has a clock; a Mailer with a method
// UseClock(func() time.Time), such as that of package mailertest, is given it. If a
// change sets another Now, Env.Clock shows that, and to advance it fails the test.
// For passwords that come from another system set o.Hasher to password.Hasher{},
// since [Hasher] reads none of theirs.
func New(t testing.TB, changes ...func(*roster.Options)) *Env {
	t.Helper()
	return NewOn(t, memory.New(), changes...)
}

// Unlimited returns limits that are all switched off, so that a test may fail to
// sign in, and cause mails, as often as it likes. New uses them. A test of
// throttling sets Options.Limits to the zero value, and gives its requests a
// client by [roster.WithClient].
func Unlimited() roster.Limits {
	return roster.Limits{
		Failures: -1, SourceFailures: -1, SourceCodes: -1, AddressMails: -1, SourceMails: -1, Mails: -1, Notice: -1,
	}
}

// NewOn is New on a store of your own.
func NewOn(t testing.TB, store roster.Store, changes ...func(*roster.Options)) *Env {
	t.Helper()
	env := &Env{Store: store, Mail: new(Mailbox), Clock: NewClock(), t: t}
	opts := roster.Options{
		Mailer: env.Mail,
		Hasher: Hasher{},
		Now:    env.Clock.Now,
		Limits: Unlimited(),
	}
	for _, change := range changes {
		change(&opts)
	}
	if !moves(env.Clock, opts.Now) {
		env.Clock.replace(t, opts.Now)
	}
	if c, ok := opts.Mailer.(clocked); ok {
		c.UseClock(env.Clock.Now)
	}
	opts.Mailer = env.Mail.beside(opts.Mailer)
	users, err := roster.New(store, &opts)
	if err != nil {
		t.Fatalf("rostertest: %v", err)
	}
	env.Users = users
	return env
}

// MustRegister signs up and activates a user called name, with [Password] and
// the address name@example.org. It fails the test if that does not work.
//
// All of it happens at one moment of the [Clock]. It need not be advanced for what
// ends a session to end it.
func (env *Env) MustRegister(name string) *roster.User {
	env.t.Helper()
	ctx := context.Background()
	address := name + "@example.org"
	if _, err := env.Register(ctx, roster.NewUser{Name: name, Email: address, Password: Password}); err != nil {
		env.t.Fatalf("rostertest: %v", err)
	}
	u, err := env.ActivateWithPassword(ctx, env.Mail.MustCode(env.t, address), Password)
	if err != nil {
		env.t.Fatalf("rostertest: %v", err)
	}
	return u
}

// clocked is a Mailer that tells the time in its mails.
type clocked interface{ UseClock(now func() time.Time) }

// replace makes the clock show what another one does. Nil is time.Now.
func (c *Clock) replace(t testing.TB, now func() time.Time) {
	if now == nil {
		now = time.Now
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t, c.other = t, now
}

// moves reports whether now follows the clock, which it leaves as it was.
func moves(c *Clock, now func() time.Time) bool {
	if now == nil {
		return false
	}
	const step = 1000 * time.Hour
	before := now()
	c.Advance(step)
	after := now()
	c.Advance(-step)
	return after.Sub(before) == step
}

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

// Clock is a clock that stands still until it is moved. It is safe for
// concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time

	other func() time.Time // what it shows instead, nil for nothing
	t     testing.TB       // of which that is an option; nil for none
}

// NewClock returns a clock that shows the first of January 2030, noon.
func NewClock() *Clock {
	return &Clock{now: time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)}
}

// Now returns what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.other != nil {
		return c.other()
	}
	return c.now
}

// Advance moves the clock on, or back if d is negative. It fails the test if that
// would move nothing, since Options.Now is another clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.other != nil {
		c.t.Helper()
		c.t.Fatalf("rostertest: Env.Clock does not move the accounts, since a change has set Options.Now: " +
			"leave that as it is (and give it to what else has a clock), or move your own")
	}
	c.now = c.now.Add(d)
}

// Hasher is a [roster.Hasher] that takes no time and gives no protection: the
// "hash" is the password. It is for tests only.
type Hasher struct{}

const plain = "rostertest$"

// Hash implements [roster.Hasher].
func (Hasher) Hash(ctx context.Context, password string) (string, error) {
	return plain + password, ctx.Err()
}

// Verify implements [roster.Hasher].
func (Hasher) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	if len(hash) < len(plain) || hash[:len(plain)] != plain {
		return false, false, fmt.Errorf("rostertest: not a hash of this hasher")
	}
	return hash[len(plain):] == password, false, ctx.Err()
}

// Dummy implements [roster.Hasher].
func (Hasher) Dummy() string { return plain + "\x00" } // no password has a NUL

// Memory implements [roster.Hasher].
func (Hasher) Memory(string) int64 { return 0 }

// Format implements [roster.Hasher]: it knows "rostertest" alone.
func (Hasher) Format(hash string) (string, error) {
	if !strings.HasPrefix(hash, plain) {
		return "", fmt.Errorf("rostertest: not a hash of this hasher")
	}
	return "rostertest", nil
}

// Wrap implements [roster.Hasher]. It changes nothing.
func (h Hasher) Wrap(ctx context.Context, hash string) (string, error) {
	if _, err := h.Format(hash); err != nil {
		return "", err
	}
	return hash, ctx.Err()
}
