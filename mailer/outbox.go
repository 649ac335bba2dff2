package mailer

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-roster/roster"
)

// OutboxOptions configure [NewOutbox]. Either Key or StoreInClear must be set.
type OutboxOptions struct {
	// Key encrypts what the mails say while they wait, above all the codes in
	// them, so that nobody learns a code from the database or a copy of it: at
	// least 32 random bytes, kept where the database is not. It is here and not in
	// [roster.Options] because nothing but an Outbox reads or writes what mails
	// say. The host may use the same key for other things.
	Key roster.Secret

	// OldKeys are keys that were Key before: mails that they have encrypted are
	// still sent. To change a key, give every process the new one as an OldKey,
	// then as Key, then forget the old one when no mail waits that is older.
	OldKeys []roster.Secret

	// StoreInClear allows an Outbox without a Key, and one with a Key to send
	// what was stored in clear before. Without it such a mail is a dead letter,
	// for it may be anybody's who can write to the database.
	StoreInClear bool

	// MaxAttempts is how often a mail is tried before it is given up. Zero means
	// 20, which is about two days.
	MaxAttempts int

	// MaxQueued is how many mails may wait before no more are taken: Send then
	// fails, and with it what wanted to send a mail, by an
	// [roster.UnavailableError] of [UnavailableOutbox]. It is counted now and then,
	// not exactly. Zero means 100,000, negative that there is no limit.
	MaxQueued int

	// Timeout is how long one mail may take to be sent, connecting included, and
	// a third of how long after the death of a process another takes up its
	// mails. Zero means one minute.
	Timeout time.Duration

	// Poll is how often Run looks for mails that other processes have queued, or
	// that are to be tried again. Those of its own process it sends at once. Zero
	// means 5 seconds.
	Poll time.Duration

	// OnUndeliverable is called, in the transaction that makes the mail a dead
	// letter, when a server has refused the address itself: m.UserID should be
	// asked for another one. An error undoes both, and the mail is tried again.
	// m has no Payload. Nil: the dead letter says it all.
	OnUndeliverable func(ctx context.Context, m *roster.QueuedMail, err *SendError) error

	// Now is the clock. Nil means that of the Composer.
	Now func() time.Time

	// Logger gets what an operator should know, never an address or a code. Nil
	// means that nothing is logged.
	Logger *slog.Logger
}

// The defaults of [OutboxOptions].
const (
	defaultMaxAttempts = 20
	defaultMaxQueued   = 100_000
	defaultTimeout     = time.Minute
	defaultPoll        = 5 * time.Second
)

// OutboxStore is what an Outbox needs of a [roster.Store]: the one that the
// accounts are in.
type OutboxStore interface {
	// Atomic is that of [roster.Store].
	Atomic(ctx context.Context, fn func(ctx context.Context) error) error
	roster.OutboxStore

	// InsertEvent is that of [roster.EventStore].
	InsertEvent(ctx context.Context, e *roster.Event) error
}

// Outbox is a [roster.Mailer] that writes each mail to the store, in the
// transaction of its cause, and sends it afterwards: so no mail is lost, none
// is sent for what did not happen, and nobody waits for a mail server.
//
//	outbox, err := mailer.NewOutbox(store, composer, smtp, &mailer.OutboxOptions{Key: key})
//	users, err := roster.New(store, &roster.Options{Mailer: outbox})
//	go outbox.Run(ctx)
//
// Any number of processes and goroutines may deliver from one store. It is
// safe for concurrent use.
type Outbox struct {
	store     OutboxStore
	composer  *Composer
	transport Transport
	opts      OutboxOptions
	seal      *sealer
	wake      chan struct{} // holds one value if there is something new to send

	mu      sync.Mutex
	counted time.Time // when the waiting mails were counted
	since   int       // how many were queued here since
	full    bool      // there were too many
}

// NewOutbox returns an Outbox that keeps its mails in the store. It reports
// everything that is wrong with opts at once, joined. It does not touch the
// database, and starts nothing.
func NewOutbox(store OutboxStore, composer *Composer, transport Transport, opts *OutboxOptions) (*Outbox, error) {
	o := &Outbox{store: store, composer: composer, transport: transport, wake: make(chan struct{}, 1)}
	if opts != nil {
		o.opts = *opts
	}
	var errs []error
	if store == nil || composer == nil || transport == nil {
		errs = append(errs, errors.New("store, composer and transport must not be nil"))
	}
	old := make([][]byte, len(o.opts.OldKeys))
	for i, k := range o.opts.OldKeys {
		old[i] = []byte(k.Reveal())
	}
	var err error
	o.seal, err = newSealer([]byte(o.opts.Key.Reveal()), old, o.opts.StoreInClear)
	errs = append(errs, err)
	o.opts.MaxAttempts = cmp.Or(o.opts.MaxAttempts, defaultMaxAttempts)
	o.opts.MaxQueued = cmp.Or(o.opts.MaxQueued, defaultMaxQueued)
	o.opts.Timeout = cmp.Or(o.opts.Timeout, defaultTimeout)
	o.opts.Poll = cmp.Or(o.opts.Poll, defaultPoll)
	if o.opts.MaxAttempts < 0 || o.opts.Timeout < 0 || o.opts.Poll < 0 {
		errs = append(errs, errors.New("options MaxAttempts, Timeout and Poll must not be negative"))
	}
	if o.opts.Now == nil && composer != nil {
		o.opts.Now = composer.opts.Now
	}
	if o.opts.Logger == nil {
		o.opts.Logger = slog.New(slog.DiscardHandler)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("mailer.NewOutbox: %w", err)
	}
	return o, nil
}

func (o *Outbox) now() time.Time { return o.opts.Now().UTC().Truncate(time.Microsecond) }

// Send implements [roster.Mailer]: it queues the mail in the transaction of
// ctx. It returns an [*roster.InvalidError] of [roster.FieldEmail] if the
// address is none, an [*roster.UnavailableError] of [UnavailableOutbox] if too
// many mails wait, a [*roster.ConflictError] of [roster.FieldUser] if there is
// no such user, or the error of the store.
func (o *Outbox) Send(ctx context.Context, m roster.Mail) error {
	if _, err := roster.AddressKey(m.To); err != nil {
		return err
	}
	now := o.now()
	if err := o.admit(ctx, now); err != nil {
		return err
	}
	row := &roster.QueuedMail{
		MessageID: newID(o.composer.opts.Domain), Kind: m.Kind, To: m.To, Locale: m.Locale,
		QueuedAt: now, DueAt: now,
	}
	if m.User != nil {
		row.UserID = m.User.ID
	}
	if !m.Code.IsZero() {
		row.ExpiresAt = m.ExpiresAt
	}
	var err error
	if row.Payload, err = o.seal.seal(&m, row); err != nil {
		return err
	}
	if err := o.store.InsertMail(ctx, row); err != nil {
		return err
	}
	roster.AfterCommit(ctx, func(context.Context) { o.nudge() })
	return nil
}

// nudge tells one Run that there is something to send.
func (o *Outbox) nudge() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// admit refuses a mail if too many wait. To count them is not for free, so it
// is done once a second, or when as many were queued here as may matter.
func (o *Outbox) admit(ctx context.Context, now time.Time) error {
	limit := o.opts.MaxQueued
	if limit < 0 {
		return nil
	}
	if o.toCount(now) {
		n, err := o.store.CountMails(ctx, limit)
		if err != nil {
			return err
		}
		o.mu.Lock()
		o.full = n >= limit
		o.mu.Unlock()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.full {
		return &roster.UnavailableError{What: UnavailableOutbox}
	}
	o.since++
	return nil
}

// toCount reports whether it is time to count, and that somebody does. The lock
// is not held meanwhile: who waits for it may hold the last connection.
func (o *Outbox) toCount(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	age := now.Sub(o.counted)
	if !o.counted.IsZero() && age >= 0 && age < time.Second && o.since < o.opts.MaxQueued/16 {
		return false
	}
	o.counted, o.since = now, 0
	return true
}

// DeadLetters returns the next mails that were given up, by ID, after the one
// with that ID: LastError says why. A limit of zero or less asks for nothing.
// What they say is left out.
func (o *Outbox) DeadLetters(ctx context.Context, after roster.MailID, limit int) ([]*roster.QueuedMail, error) {
	mails, err := o.store.MailsAfter(ctx, roster.OutboxFailed, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	for _, m := range mails {
		m.Payload = roster.Secret{}
	}
	return mails, nil
}

// Resend queues dead letters anew, with all their attempts. It leaves out those
// whose codes have expired, and whatever is no dead letter; it returns how many
// there were.
func (o *Outbox) Resend(ctx context.Context, ids ...roster.MailID) (int, error) {
	n := 0
	err := o.store.Atomic(ctx, func(ctx context.Context) (err error) {
		if n, err = o.store.RequeueMails(ctx, o.now(), ids...); err != nil || n == 0 {
			return err
		}
		return o.record(ctx, roster.EventMailResent, 0, "mails", n)
	})
	if err != nil {
		return 0, fmt.Errorf("queue dead letters: %w", err)
	}
	if n > 0 {
		roster.AfterCommit(ctx, func(context.Context) { o.nudge() })
	}
	return n, nil
}

// record writes an event, in the transaction of ctx.
func (o *Outbox) record(ctx context.Context, kind roster.EventKind, user roster.UserID, pairs ...any) error {
	now := o.now()
	details := roster.Data{}
	for i := 0; i < len(pairs); i += 2 {
		raw, err := json.Marshal(pairs[i+1])
		if err != nil {
			return err
		}
		details[pairs[i].(string)] = raw
	}
	return o.store.InsertEvent(ctx, &roster.Event{Kind: kind, User: user, At: now, LastAt: now, Count: 1, Details: details})
}

// jittered is d, up to a fifth more or less, so that what began together does
// not go on together.
func jittered(d time.Duration) time.Duration {
	var b [1]byte
	_, _ = rand.Read(b[:]) // never fails
	return d + (d/5)*time.Duration(int(b[0])-128)/128
}
