package rostertest

import (
	"context"
	"fmt"
	"strings"
)

// Hasher is a [roster.Hasher] that takes no time and gives no protection: the
// "hash" is the password. It is for tests only.
type Hasher struct{}

const plain = "rostertest$"

// Hash implements [roster.Hasher].
func (Hasher) Hash(ctx context.Context, password string) (string, error) {
	return plain + password, ctx.Err()
}

// Verify implements [roster.Hasher].
func (Hasher) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	if len(hash) < len(plain) || hash[:len(plain)] != plain {
		return false, false, fmt.Errorf("rostertest: not a hash of this hasher")
	}
	return hash[len(plain):] == password, false, ctx.Err()
}

// Dummy implements [roster.Hasher].
func (Hasher) Dummy() string { return plain + "\x00" } // no password has a NUL

// Memory implements [roster.Hasher].
func (Hasher) Memory(string) int64 { return 0 }

// Format implements [roster.Hasher]: it knows "rostertest" alone.
func (Hasher) Format(hash string) (string, error) {
	if !strings.HasPrefix(hash, plain) {
		return "", fmt.Errorf("rostertest: not a hash of this hasher")
	}
	return "rostertest", nil
}

// Wrap implements [roster.Hasher]. It changes nothing.
func (h Hasher) Wrap(ctx context.Context, hash string) (string, error) {
	if _, err := h.Format(hash); err != nil {
		return "", err
	}
	return hash, ctx.Err()
}
