package roster

import (
	"context"
	"errors"
	"log/slog"
)

// refused hands the answer to a question on, and sees to it that a no is
// recorded, whatever becomes of the transaction. target is zero if there is none,
// or the actor may not know.
func (q *asking) refused(ctx context.Context, target UserID, err error) error {
	if !errors.Is(err, ErrForbidden) {
		return err
	}
	us, a, verb := q.us, q.actor, q.op.Verb
	afterEnd(ctx, func(context.Context) {
		us.opts.Logger.Warn("denied", slog.String("verb", verb), slog.Int64("actor", int64(a.User)),
			slog.Int64("real", int64(a.Real)), slog.Int64("user", int64(target)), slog.Int64("scope", int64(a.Scope)))
	})
	us.emitLate(ctx, Event{
		Kind: EventDenied, Actor: a.User, RealActor: a.Real, User: target, Scope: a.Scope, Details: details(detailVerb, verb),
	})
	return err
}
