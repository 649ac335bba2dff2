package roster

import (
	"context"
	"time"
)

// MailID is the key of a [QueuedMail]. It is never reused; zero is none.
type MailID int64

// QueuedMail is a mail that was caused and is to be sent: a row that is written
// in the transaction of its cause, so that there is no mail without a cause and
// no cause without its mail. The package mailer writes and sends them.
type QueuedMail struct {
	ID        MailID
	MessageID string // of its header, without the brackets: the same at every try
	Kind      MailKind
	UserID    UserID // whom it concerns; zero is nobody. The mail goes with the user
	To        string // the address
	Locale    string // BCP 47 tag of the recipient; empty is unknown
	Payload   Secret // what it is composed from, in a form that the Mailer knows; empty once it is wiped
	QueuedAt  time.Time
	ExpiresAt time.Time // the code in it is worth nothing from then on; zero if it has none

	// DueAt is when it is to be tried. While somebody is trying, it is the end of
	// the lease: a mail whose Claim was left behind is due again by itself.
	DueAt    time.Time
	Claim    string // of who tries; empty if nobody does
	Attempts int    // tries that were begun

	SentAt    time.Time // zero until a server has taken it
	FailedAt  time.Time // zero unless it was given up
	LastError string    // what became of the last try, without addresses or codes
}

// OutboxState is what has become of a [QueuedMail].
type OutboxState uint8

// The states.
const (
	OutboxPending OutboxState = iota // waits, or is being tried
	OutboxSent                       // a server has taken it
	OutboxFailed                     // was given up: a dead letter
)

// State says what has become of the mail.
func (m *QueuedMail) State() OutboxState {
	switch {
	case !m.SentAt.IsZero():
		return OutboxSent
	case !m.FailedAt.IsZero():
		return OutboxFailed
	default:
		return OutboxPending
	}
}

// pruneMails wipes the dead letters whose codes have expired, and removes the
// mails that are done with for long enough. It counts both.
func (us *Users) pruneMails(ctx context.Context, now time.Time, rows int) (int, error) {
	wiped, err := us.store.WipeMails(ctx, now, rows)
	if err != nil || us.opts.MailKeep < 0 {
		return wiped, err
	}
	pruned, err := us.store.PruneMails(ctx, now.Add(-us.opts.MailKeep), rows)
	return wiped + pruned, err
}

// OutboxStore keeps the rows of mails that are to be sent, and for a while of
// those that were.
type OutboxStore interface {
	// InsertMail writes a new row and sets its ID. A [ConflictError] of
	// [FieldUser] says that it concerns a user who is not there.
	InsertMail(ctx context.Context, m *QueuedMail) error

	// ClaimMails takes at most limit pending mails that are due at or before
	// now, those that are due first, in one statement: it counts an attempt,
	// sets Claim, and makes them due at until, when the lease ends. It returns
	// them as they are then, by ID. Of those that call it at once none gets what
	// another gets, and none waits for another.
	ClaimMails(ctx context.Context, claim string, now, until time.Time, limit int) ([]*QueuedMail, error)

	// SettleMail writes what became of a try: Payload, DueAt, Attempts, SentAt,
	// FailedAt and LastError. It takes the claim off the row, but leaves that of
	// m as it is. ErrNotFound if the row is gone, or its claim is not m.Claim,
	// which is not empty.
	SettleMail(ctx context.Context, m *QueuedMail) error

	// MailsAfter returns the next mails in a state, by ID.
	MailsAfter(ctx context.Context, state OutboxState, after MailID, limit int) ([]*QueuedMail, error)

	// CountMails counts the pending mails, up to limit.
	CountMails(ctx context.Context, limit int) (int, error)

	// RequeueMails makes dead letters pending again, due at that time, with no
	// attempts and no error; but not those that are wiped, or that expire at or
	// before that time. It returns how many.
	RequeueMails(ctx context.Context, due time.Time, ids ...MailID) (int, error)

	// WipeMails empties the Payload of at most limit dead letters that expired
	// at or before now. It returns how many.
	WipeMails(ctx context.Context, now time.Time, limit int) (int, error)

	// PruneMails deletes at most limit mails that were sent or given up before
	// that time. It returns how many.
	PruneMails(ctx context.Context, before time.Time, limit int) (int, error)
}
