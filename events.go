package roster

import (
	"context"
	"log/slog"
	"time"
)

// EventID is the key of an [Event]. It is never reused; zero is none.
type EventID int64

// EventKind says what has happened. What a program records itself has kinds of its
// own.
type EventKind string

// Event is something that happened to the accounts, and the record of it. It
// goes by IDs: it holds no name, no e-mail address, no password and no code.
type Event struct {
	ID   EventID
	Kind EventKind

	// Actor is who did it, see [Users.For]; zero is the program itself, also where it
	// does what somebody who has signed in nowhere has asked for. RealActor is who
	// really sat there, if that was somebody who acted as Actor; else it is Actor.
	Actor     UserID
	RealActor UserID

	User    UserID  // to whom it happened; zero is nobody, or somebody unknown
	Group   GroupID // to which group; zero is none
	Scope   ScopeID // where; zero is global, or that it makes no difference
	Addr    string  // the address of the client, see [WithClient]; empty is unknown, or forgotten since
	At      time.Time
	Details Data // what else there is to say, by keys that the kind has

	// Count is how often it happened from At to LastAt. It is one, and the two are
	// equal, but for what fails again and again.
	Count  int
	LastAt time.Time
}

// emit records what a verb does, in its transaction, and so takes part in what
// becomes of that. An Options.OnEvent that refuses makes the verb fail. Actor,
// RealActor, Addr and At are filled in.
func (us *Users) emit(ctx context.Context, e Event) error {
	us.fill(ctx, &e)
	return us.store.InsertEvent(ctx, &e)
}

// emitLate records what a verb has refused, or what has failed: when the
// transaction in ctx has ended, however it ends, or at once if there is none. It
// never fails: what cannot be written is logged.
func (us *Users) emitLate(ctx context.Context, e Event) {
	us.fill(ctx, &e)
	afterEnd(ctx, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lateTimeout)
		defer cancel()
		if err := us.store.InsertEvent(ctx, &e); err != nil {
			us.opts.Logger.Error("event not recorded", slog.String("kind", string(e.Kind)), slog.Int64("user", int64(e.User)), slog.Any("error", err))
		}
	})
}

// lateTimeout bounds how long a record is written that nothing waits for.
const lateTimeout = 5 * time.Second

// fill says who, from where and when.
func (us *Users) fill(ctx context.Context, e *Event) {
	if a := us.actor; a != nil {
		e.Actor, e.RealActor = a.User, a.User
		if a.Real != 0 {
			e.RealActor = a.Real
		}
	}
	if e.RealActor == 0 {
		e.RealActor = e.Actor
	}
	e.Addr, e.At, e.Count = ClientFrom(ctx).addr(), us.now(), 1
	e.LastAt = e.At
}

// EventStore keeps the rows of events. They outlive what they speak of.
type EventStore interface {
	// InsertEvent writes a new row and sets its ID.
	InsertEvent(ctx context.Context, e *Event) error

	// CountEvent is InsertEvent for the first event under a key. For every other
	// it adds one to Count of that row, sets LastAt to that of e and leaves the rest.
	// It sets the ID and the Count that the row has then.
	CountEvent(ctx context.Context, key string, e *Event) error

	// EventPage returns at most q.Limit events, the latest first, of equal ones
	// that with the greater ID.
	EventPage(ctx context.Context, q EventFilter) ([]*Event, error)

	// ForgetClients empties Addr of the events that these users did, and of those
	// that the program did to them. It returns how many.
	ForgetClients(ctx context.Context, users ...UserID) (int, error)

	// PruneEvents deletes at most limit events whose At is before that time. It
	// returns how many.
	PruneEvents(ctx context.Context, before time.Time, limit int) (int, error)
}

// EventFilter is a page of events as a store is asked for it.
type EventFilter struct {
	User      UserID    // zero is everybody
	RealActor UserID    // zero is everybody, the program too
	Kind      EventKind // empty is every kind
	Since     time.Time // zero is ever
	Before    time.Time // strictly; zero is for ever
	AfterAt   time.Time // of the last event of the page before, and
	AfterID   EventID   // its ID; zero for the first page
	Limit     int
}
