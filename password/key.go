package password

import (
	"errors"
	"fmt"
	"log/slog"
)

// ErrKey says that a stored hash needs a key that the [Hasher] was not given:
// the [Pepper] that it names, or one of the system that it comes from. That is
// neither a right nor a wrong password.
var ErrKey = errors.New("password: the key of the hash is missing")

func keyMissing(which string) error { return fmt.Errorf("%w: %s", ErrKey, which) }

// Key is a secret that is kept outside of the database. However it is printed,
// logged or marshalled it reads "[redacted]". The zero Key is none.
type Key struct {
	bytes *[]byte // a pointer: fmt shows unexported fields of others without asking
}

// NewKey copies the bytes of a key.
func NewKey(b []byte) Key {
	b = append([]byte(nil), b...)
	return Key{&b}
}

func (k Key) reveal() []byte {
	if k.bytes == nil {
		return nil
	}
	return *k.bytes
}

// IsZero reports whether there is nothing in it.
func (k Key) IsZero() bool { return len(k.reveal()) == 0 }

const redacted = "[redacted]"

// String implements [fmt.Stringer].
func (Key) String() string { return redacted }

// Format implements [fmt.Formatter] for every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue implements [slog.LogValuer].
func (Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements [encoding.TextMarshaler].
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// GobEncode implements [encoding/gob.GobEncoder].
func (Key) GobEncode() ([]byte, error) { return []byte(redacted), nil }
