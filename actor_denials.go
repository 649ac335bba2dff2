package roster

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
)

// on is us for verbs that name a user or a group, for the record of what is
// refused: what was typed, whether there is such a one or not. What is named
// already stays.
func (us *Users) on(s Subject) *Users {
	if us.actor == nil {
		return us
	}
	on := *us
	on.target = Subject{cmp.Or(max(0, s.User), on.target.User), cmp.Or(max(0, s.Group), on.target.Group)}
	return &on
}

// onOne is on for a verb that takes many users, and was given one.
func (us *Users) onOne(ids []UserID) *Users {
	if len(ids) != 1 {
		return us
	}
	return us.on(ToUser(ids[0]))
}

// refused hands the answer to a question on, and sees to it that a no is
// recorded, whatever becomes of the transaction. target is zero if there is none
// but what the verb names.
func (q *asking) refused(ctx context.Context, target UserID, err error) error {
	if errors.Is(err, ErrForbidden) {
		q.us.denied(ctx, q.actor, q.op.Verb, Subject{cmp.Or(target, q.target.User), q.target.Group}, q.about)
	}
	return err
}

// denied records that an actor was refused a verb. The actor is not told to whom.
func (us *Users) denied(ctx context.Context, a Actor, verb string, named Subject, scope ScopeID) {
	afterEnd(ctx, func(context.Context) {
		us.opts.Logger.Warn("denied", slog.String("verb", verb), slog.Int64("actor", int64(a.User)), slog.Int64("real", int64(a.Real)),
			slog.Int64("user", int64(named.User)), slog.Int64("group", int64(named.Group)), slog.Int64("scope", int64(scope)))
	})
	us.emitLate(ctx, Event{
		Kind: EventDenied, Actor: a.User, RealActor: a.Real, User: named.User, Group: named.Group, Scope: scope,
		Details: details(detailVerb, verb),
	})
}
