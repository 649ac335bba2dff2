package mailer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-roster/roster"
)

// DirectOptions configure [NewDirect]. Nil and the zero value are fine.
type DirectOptions struct {
	// Timeout is how long one mail may take to be sent, connecting included.
	// Zero means one minute.
	Timeout time.Duration

	// MaxSending is how many mails may be on their way at once, each with a
	// connection of its own; others wait for their turn. Zero means 4.
	MaxSending int

	// MaxWaiting is how many mails may wait for their turn. More are not taken:
	// Send fails, by an [roster.UnavailableError] of [UnavailableOutbox]. Zero
	// means 1000.
	MaxWaiting int

	// Logger is told of every mail that was not sent, without its address. Nil
	// means that nobody is.
	Logger *slog.Logger
}

// Direct is a [roster.Mailer] without an outbox: it sends each mail once, after
// the commit of its cause, in the background. What fails then is lost, and what
// is on its way when the process ends may be; the one that it was for can ask
// for another. It is safe for concurrent use.
type Direct struct {
	composer  *Composer
	transport Transport
	opts      DirectOptions
	slots     chan struct{}

	mu      sync.Mutex
	pending int           // waiting or on their way
	idle    chan struct{} // closed when there are none; nil if nobody waits for it
}

// NewDirect returns a Direct. It reports everything that is wrong with opts at
// once, joined. It starts nothing.
func NewDirect(composer *Composer, transport Transport, opts *DirectOptions) (*Direct, error) {
	d := &Direct{composer: composer, transport: transport}
	if opts != nil {
		d.opts = *opts
	}
	var errs []error
	if composer == nil || transport == nil {
		errs = append(errs, errors.New("composer and transport must not be nil"))
	}
	o := &d.opts
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	o.MaxSending = cmp.Or(o.MaxSending, 4)
	o.MaxWaiting = cmp.Or(o.MaxWaiting, 1000)
	if o.Timeout < 0 || o.MaxSending < 0 || o.MaxWaiting < 0 {
		errs = append(errs, errors.New("options Timeout, MaxSending and MaxWaiting must not be negative"))
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("mailer.NewDirect: %w", err)
	}
	d.slots = make(chan struct{}, o.MaxSending)
	return d, nil
}

// Send implements [roster.Mailer]: it composes the mail, and sends it in the
// background once the transaction of ctx has committed. So how long that takes
// tells the caller nothing. It returns the errors of [Composer.Compose], or an
// [*roster.UnavailableError] of [UnavailableOutbox] if too many mails wait.
func (d *Direct) Send(ctx context.Context, m roster.Mail) error {
	msg, err := d.composer.Compose(ctx, m)
	if err != nil {
		return err
	}
	d.mu.Lock()
	full := d.pending >= d.opts.MaxWaiting+d.opts.MaxSending
	d.mu.Unlock()
	if full {
		return &roster.UnavailableError{What: UnavailableOutbox}
	}
	roster.AfterCommit(ctx, func(ctx context.Context) {
		d.add(1)
		go d.deliver(context.WithoutCancel(ctx), msg)
	})
	return nil
}

func (d *Direct) deliver(ctx context.Context, msg *Message) {
	defer d.add(-1)
	d.slots <- struct{}{}
	defer func() { <-d.slots }()
	ctx, cancel := context.WithTimeout(ctx, d.opts.Timeout)
	defer cancel()
	if err := d.try(ctx, msg); err != nil {
		class := err.Error()
		var failed *SendError
		if errors.As(err, &failed) {
			class = failed.class()
		}
		d.opts.Logger.ErrorContext(ctx, "mail lost", slog.String("kind", string(msg.Kind)), slog.String("error", class))
	}
}

func (d *Direct) try(ctx context.Context, msg *Message) error {
	session, err := d.transport.Dial(ctx)
	if err != nil {
		return err
	}
	defer session.Close()
	return session.Send(ctx, msg)
}

func (d *Direct) add(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pending += n
	if d.pending == 0 && d.idle != nil {
		close(d.idle)
		d.idle = nil
	}
}

// Wait returns when no mail waits or is on its way, or with the error of ctx:
// call it before the process ends.
func (d *Direct) Wait(ctx context.Context) error {
	d.mu.Lock()
	if d.pending == 0 {
		d.mu.Unlock()
		return nil
	}
	if d.idle == nil {
		d.idle = make(chan struct{})
	}
	idle := d.idle
	d.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
