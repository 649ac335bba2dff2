package roster

import (
	"context"
	"time"
)

// Undo is a single-use secret that was sent, with the notice of a change, to
// the mailbox that spoke for the account until then. With it the change, and
// whatever came after it, is undone: see [Users.UndoChange]. The secret itself,
// the code, is in the mail and nowhere else; here is its SHA-256.
type Undo struct {
	Hash       string // hexadecimal SHA-256 of the code, the key of the row
	UserID     UserID
	Address    string // what becomes the primary address again, as it was typed
	AddressKey string // canonical, see [AddressKey]
	Rank       int64  // of two addresses, that with the lower one had the account before
	CreatedAt  time.Time
	ExpiresAt  time.Time // valid strictly before
}

// UndoStore keeps the rows of undos. They hang on the user, not on the address,
// which may have been removed.
type UndoStore interface {
	// InsertUndo writes a new row. A taken hash is a [ConflictError] of
	// [FieldID], a user that is missing one of [FieldUser].
	InsertUndo(ctx context.Context, u *Undo) error

	// UndoByHash looks without redeeming, expired or not.
	UndoByHash(ctx context.Context, hash string) (*Undo, error)

	// UndosOf returns those of a user, expired or not, by rank, then by hash.
	UndosOf(ctx context.Context, user UserID) ([]*Undo, error)

	// RedeemUndo deletes and returns, in one statement, the undo with this hash
	// that expires after now. ErrNotFound if there is none.
	RedeemUndo(ctx context.Context, hash string, now time.Time) (*Undo, error)

	// VoidUndos deletes those of a user that are for the address with this key
	// or have a rank above that one. It returns how many.
	VoidUndos(ctx context.Context, user UserID, key string, above int64) (int, error)

	// PruneUndos deletes at most limit rows that expired at or before now. It
	// returns how many.
	PruneUndos(ctx context.Context, now time.Time, limit int) (int, error)
}
