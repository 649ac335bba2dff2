package txn

import (
	"context"
	"reflect"
	"sync/atomic"

	"github.com/go-roster/roster"
)

// Holder knows with which context the transaction was begun that keeps all other
// writers waiting, so that one who waits in vain can be told if that is its own.
type Holder struct{ begun atomic.Pointer[any] }

// Hold notes the context, and Release that the transaction is over.
func (h *Holder) Hold(ctx context.Context) {
	who := any(ctx) // to compare it, and nothing else
	h.begun.Store(&who)
}

// Release is the end of Hold.
func (h *Holder) Release() { h.begun.Store(nil) }

// Busy is the error of who has waited in vain: an UnavailableError of
// UnavailableBusy. The one that everybody has says nothing.
func (h *Holder) Busy(ctx context.Context) error {
	busy := &roster.UnavailableError{What: roster.UnavailableBusy}
	begun := h.begun.Load()
	if begun == nil || ctx == context.Background() || !reflect.TypeOf(ctx).Comparable() || *begun != any(ctx) {
		return busy
	}
	return &MisusedError{"the transaction that holds this up was begun with the same context: inside Atomic use the context of its function", busy}
}

// MisusedError is a busy error with what is probably the reason.
type MisusedError struct {
	Reason string
	Busy   error
}

func (e *MisusedError) Error() string { return e.Busy.Error() + ": " + e.Reason }
func (e *MisusedError) Unwrap() error { return e.Busy }
