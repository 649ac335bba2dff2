package roster

import (
	"context"
	"time"
)

// LimitCount is how often something was counted under a key.
type LimitCount struct {
	Key       string
	N         int
	LastAt    time.Time // when it was last counted
	ExpiresAt time.Time // from then on it counts for nothing
}

// LimitTake asks for one more under a key.
type LimitTake struct {
	Key       string
	Max       int       // what the count may reach; at least one
	ExpiresAt time.Time // when the count is forgotten, unless an earlier take said later
}

// MaxLimits is how many keys one call of a [Limiter] may name.
const MaxLimits = 8

// Limiter counts, and stops at a number that it is told: what is counted, under
// which key and how far is decided above it. Every [Store] is one, which is used
// unless Options.Limiter names another, [NewMemoryLimiter] or one that asks a
// server of the host's. It must be safe for concurrent use.
//
// A call names no key twice, and at most [MaxLimits]; a store answers more by an
// [InvalidError] of [FieldLimit]. Keys are opaque: a few dozen characters of
// ASCII, hashes of what they stand for.
type Limiter interface {
	// LimitCounts returns those counts under the keys that are not zero and expire after
	// now, in the order of the keys' bytes.
	LimitCounts(ctx context.Context, now time.Time, keys ...string) ([]LimitCount, error)

	// TakeLimits adds one to the count under each key that is less than its Max,
	// and returns these keys, in the order of their bytes. Looking and adding is
	// one step: of many takes at once no more succeed than Max allows. A count
	// that expired at or before now begins at zero. LastAt is set to now, and
	// ExpiresAt to the later of the one there and the one given; a take that
	// does not succeed changes nothing. The keys are apart from each other: one
	// may succeed and another not.
	TakeLimits(ctx context.Context, now time.Time, takes ...LimitTake) ([]string, error)

	// GiveLimits takes one back from the count under each key in one, unless it
	// is zero, and all from the count under each key in all, which are others.
	// It leaves LastAt as it is. Where nothing is left the count is forgotten.
	GiveLimits(ctx context.Context, one, all []string) error
}

// LimitStore keeps the rows of counts.
type LimitStore interface {
	Limiter

	// PruneLimits deletes at most limit rows that expired at or before now, or
	// in which nothing is left. It returns how many.
	PruneLimits(ctx context.Context, now time.Time, limit int) (int, error)
}
