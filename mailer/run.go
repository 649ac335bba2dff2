package mailer

import (
	"context"
	"log/slog"
	"time"

	"github.com/go-roster/roster"
)

// The pauses of Run when nothing can be sent.
const (
	firstPause   = time.Second
	longestPause = time.Minute
)

// Run delivers until ctx ends, and returns its error. What this process queues
// is sent at once, anything else when Poll has passed. While the server or the
// database cannot be reached it tries again after a second, two, four and so on
// up to a minute. Run as many as mails are to be sent at once, in one process or
// in several.
func (o *Outbox) Run(ctx context.Context) error {
	for failures := 0; ; {
		done, err := o.Deliver(ctx, roster.Budget{})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause, wake := o.opts.Poll, o.wake
		switch {
		case err != nil:
			o.opts.Logger.ErrorContext(ctx, "no mail can be sent", slog.String("error", err.Error()))
			pause, wake = min(firstPause<<min(failures, 10), longestPause), nil
			failures++
		case done.Total() > 0: // there may be more
			failures = 0
			continue
		default:
			failures = 0
		}
		timer := time.NewTimer(jittered(pause))
		select {
		case <-ctx.Done():
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}
