package mailer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-roster/roster"
)

// The ways of a worker.
const (
	maxBatch       = 16               // mails that are claimed at once
	leases         = 3                // times Timeout, until others take a mail up
	settleTimeout  = 10 * time.Second // to claim mails, or to write down what became of one
	grace          = 5 * time.Second  // for the mail that is being sent when the context ends
	firstRetry     = time.Minute
	longestRetry   = 4 * time.Hour
	defaultDeliver = 1000
)

// Delivered counts what [Outbox.Deliver] has done.
type Delivered struct {
	Sent    int // taken by a server
	Delayed int // failed, and to be tried again
	Failed  int // given up
}

// Total is all of it.
func (d Delivered) Total() int { return d.Sent + d.Delayed + d.Failed }

// Deliver sends the mails that are due, within the budget, and returns what it
// has done, also beside an error. Call it from time to time, or let [Outbox.Run]
// do so; not in a transaction.
//
// A mail that a server refuses for now is tried again after a minute, two, four
// and so on up to four hours. One that it refuses for good, that cannot be
// composed, whose code has expired (a notice goes without it), or that was tried too often is a
// dead letter. What is not to be sent again is emptied.
//
// Each mail is sent at least once. It is sent twice, with the same Message-ID,
// only if the process, the database or the connection dies after the server has
// taken it and before that is written down.
//
// If the server cannot be reached at all, Deliver ends with that error, the
// mails stay as they were, and none is given up for it: it is no fault of
// theirs. It also returns the errors of the store, of OnUndeliverable and of
// ctx, and an [*roster.InvalidError] of [roster.FieldLimit] for a negative
// budget.
func (o *Outbox) Deliver(ctx context.Context, b roster.Budget) (Delivered, error) {
	rows := b.Rows
	if rows == 0 {
		rows = defaultDeliver
	}
	if rows < 0 {
		return Delivered{}, fmt.Errorf("deliver: %w", &roster.InvalidError{Field: roster.FieldLimit, Reason: roster.ReasonNotPositive})
	}
	w := &worker{Outbox: o, claim: rand.Text()}
	defer w.hangUp()
	for rows > 0 {
		n, err := w.batch(ctx, min(rows, maxBatch))
		if err != nil {
			return w.done, fmt.Errorf("deliver: %w", err)
		}
		if n == 0 {
			break
		}
		rows -= n
	}
	return w.done, nil
}

// worker is one call of Deliver.
type worker struct {
	*Outbox
	claim   string
	done    Delivered
	session Session // nil if there is none yet, or it broke
	used    bool    // something was sent by it
}

// batch claims some mails and sends them, one after the other. It returns how
// many it has claimed.
func (w *worker) batch(ctx context.Context, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	now := w.now()
	end := now.Add(leases * w.opts.Timeout)
	// Also if ctx ends meanwhile: what was claimed, and nobody has heard of it, would
	// wait for the end of the lease.
	claiming, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	mails, err := w.store.ClaimMails(claiming, w.claim, now, end, limit)
	cancel()
	if err != nil {
		return 0, err
	}
	for i, m := range mails {
		err := ctx.Err()
		if err == nil && !w.now().Add(w.opts.Timeout).After(end) {
			if err = w.one(ctx, m); err == nil {
				continue
			}
		}
		var unsettled *unsettledError
		if errors.As(err, &unsettled) {
			i++ // what became of it is for the lease to end
		}
		// The rest goes back, untried: there is no server or database, no time
		// left before others take it, or we are to stop.
		for _, m := range mails[i:] {
			m.Attempts--
			m.DueAt = w.now()
			if err := w.settle(ctx, m, nil); err != nil {
				break // then the lease will end
			}
		}
		return len(mails), err
	}
	return len(mails), nil
}

// one sends a mail, or finds out that it is not to be sent. Its error is one
// that has nothing to do with the mail, and leaves it as it was.
func (w *worker) one(ctx context.Context, m *roster.QueuedMail) error {
	if m.Attempts > w.opts.MaxAttempts { // whoever tried it before has died of it
		return w.giveUp(ctx, m, "attempts", nil)
	}
	mail, err := w.seal.open(m)
	if err != nil {
		return w.giveUp(ctx, m, "payload", nil)
	}
	if !m.ExpiresAt.IsZero() && !w.now().Before(m.ExpiresAt) {
		if !mail.Kind.IsNotice() {
			return w.giveUp(ctx, m, "expired", nil)
		}
		mail.Code, mail.Link, mail.ExpiresAt = roster.Secret{}, roster.Secret{}, time.Time{}
	}
	msg, err := w.composer.Compose(ctx, mail)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return w.giveUp(ctx, m, "compose", nil)
	}
	msg.ID, msg.Date = m.MessageID, m.QueuedAt

	err = w.send(ctx, msg)
	var unreachable *unreachableError
	var failed *SendError
	switch {
	case err == nil:
		m.SentAt, m.Payload, m.LastError = w.now(), roster.Secret{}, ""
		w.done.Sent++
		return w.settle(ctx, m, nil)
	case errors.As(err, &unreachable):
		return unreachable.error
	case ctx.Err() != nil:
		return ctx.Err()
	case !errors.As(err, &failed):
		failed = &SendError{Stage: StageMessage, Cause: err}
	}
	if failed.Permanent || m.Attempts >= w.opts.MaxAttempts {
		return w.giveUp(ctx, m, failed.class(), failed)
	}
	wait := longestRetry
	if shift := m.Attempts - 1; shift < 10 {
		wait = min(firstRetry<<shift, longestRetry)
	}
	m.DueAt, m.LastError = w.now().Add(jittered(wait)), failed.class()
	w.done.Delayed++
	w.opts.Logger.WarnContext(ctx, "mail delayed", w.what(m)...)
	return w.settle(ctx, m, nil)
}

// giveUp makes a dead letter of a mail.
func (w *worker) giveUp(ctx context.Context, m *roster.QueuedMail, class string, failed *SendError) error {
	m.FailedAt, m.LastError = w.now(), class
	if !m.ExpiresAt.IsZero() && !m.FailedAt.Before(m.ExpiresAt) {
		m.Payload = roster.Secret{}
	}
	then := func(ctx context.Context) error {
		about := []any{"mail", m.ID, "mail_kind", m.Kind, "error", m.LastError}
		if err := w.record(ctx, roster.EventMailFailed, m.UserID, about...); err != nil || failed == nil || !failed.Undeliverable {
			return err
		}
		if err := w.record(ctx, roster.EventEmailUndeliverable, m.UserID, about...); err != nil || w.opts.OnUndeliverable == nil {
			return err
		}
		bare := *m
		bare.Payload, bare.Claim = roster.Secret{}, ""
		return w.opts.OnUndeliverable(ctx, &bare, failed)
	}
	w.done.Failed++
	w.opts.Logger.ErrorContext(ctx, "mail given up", w.what(m)...)
	return w.settle(ctx, m, then)
}

// unsettledError says that it could not be written down what became of a mail.
type unsettledError struct{ error }

func (e *unsettledError) Unwrap() error { return e.error }

// settle writes down what became of a mail, also when ctx has ended: else it
// would be sent again. then, unless it is nil, is done in the same transaction.
// It makes nothing of a lease that has ended: somebody else has the mail.
func (w *worker) settle(ctx context.Context, m *roster.QueuedMail, then func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	lost := false
	write := func(ctx context.Context) error {
		err := w.store.SettleMail(ctx, m)
		if lost = errors.Is(err, roster.ErrNotFound); lost || err != nil || then == nil {
			return err
		}
		return then(ctx)
	}
	var err error
	if then == nil {
		err = write(ctx)
	} else {
		err = w.store.Atomic(ctx, write)
	}
	switch {
	case lost:
		w.opts.Logger.WarnContext(ctx, "mail was taken up by another worker, or is gone", w.what(m)...)
		return nil
	case err != nil:
		return &unsettledError{err}
	}
	return nil
}

// what is a mail in the log.
func (w *worker) what(m *roster.QueuedMail) []any {
	return []any{
		slog.Int64("mail", int64(m.ID)), slog.String("kind", string(m.Kind)), slog.Int("attempts", m.Attempts),
		slog.String("error", m.LastError),
	}
}

// unreachableError says that there is no session to send anything by.
type unreachableError struct{ error }

// send hands a message over, by the session that there is, or a new one.
func (w *worker) send(outer context.Context, msg *Message) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(outer), w.opts.Timeout)
	defer cancel()
	defer afterGrace(outer, cancel)()
	for {
		if w.session == nil {
			session, err := w.transport.Dial(ctx)
			if err != nil {
				return &unreachableError{err}
			}
			w.session, w.used = session, false
		}
		err := w.session.Send(ctx, msg)
		reused := w.used
		w.used = true
		if err == nil {
			return nil
		}
		var failed *SendError
		answered := errors.As(err, &failed) && failed.Code != 421 && (failed.Code != 0 || failed.Permanent)
		tired := reused && failed != nil && failed.Stage == StageMail && !failed.Permanent
		if !answered || tired {
			w.hangUp()
		}
		if !tired || ctx.Err() != nil {
			return err
		}
		// The server had enough of the session before it saw this message.
	}
}

// afterGrace calls cancel a while after ctx, so that a mail that is being handed
// over can be. The function that it returns stops that.
func afterGrace(ctx context.Context, cancel func()) (stop func()) {
	late := make(chan struct{})
	stopped := context.AfterFunc(ctx, func() {
		t := time.NewTimer(grace)
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-late:
		}
	})
	return func() {
		stopped()
		close(late)
	}
}

func (w *worker) hangUp() {
	if w.session != nil {
		_ = w.session.Close() // what was sent is sent
		w.session = nil
	}
}
