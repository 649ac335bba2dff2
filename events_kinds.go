package roster

// The kinds of events that roster records. Every one that changes something is
// recorded in the transaction of the change.
const (
	// EventDenied says that an actor was refused what they asked for. Details: the
	// operation.
	EventDenied EventKind = "denied"
)
