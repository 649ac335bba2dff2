package roster

import (
	"context"
	"time"
)

// EventID is the key of an [Event]. It is never reused; zero is none.
type EventID int64

// EventKind says what has happened. What a program records itself, by
// [Users.Record], has kinds of its own.
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
	Details Data // what else there is to say, by keys that the kind has: read it by [Field.In]; docs/events.md lists them

	// Count is how often it happened from At to LastAt. It is one, and the two are
	// equal, but for what was refused again and again: see [Users.Events].
	Count  int
	LastAt time.Time
}

// EventStore keeps the rows of events. They outlive what they speak of.
type EventStore interface {
	// InsertEvent writes a new row and sets its ID.
	InsertEvent(ctx context.Context, e *Event) error

	// CountEvent is InsertEvent for the first event under a key. For every other
	// it adds the Count of e to that of the row, sets LastAt to that of e and leaves
	// the rest. It sets the ID and the Count that the row has then.
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
