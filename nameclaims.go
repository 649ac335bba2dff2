package roster

import (
	"context"
	"time"
)

// NameStore keeps which name keys are taken or held back, so that nobody steps
// into the name of somebody who was renamed or deleted a moment ago.
type NameStore interface {
	// ClaimName makes the key the owner's, in one statement. It succeeds if the
	// key is free, or held back for the same owner, or was held back until now
	// or earlier. Else it is a [ConflictError] of [FieldName]; one of
	// [FieldUser] says that there is no such user.
	ClaimName(ctx context.Context, key string, owner UserID, now time.Time) error

	// RetireName holds the owner's key back until that time. ErrNotFound if the
	// key is not the owner's.
	RetireName(ctx context.Context, key string, owner UserID, until time.Time) error

	// NameOwner returns whose key it is, held back or not.
	NameOwner(ctx context.Context, key string) (UserID, error)

	// PruneNames deletes at most limit keys that were held back until now or
	// earlier. It returns how many.
	PruneNames(ctx context.Context, now time.Time, limit int) (int, error)
}
