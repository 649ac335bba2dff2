package roster

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// Secret holds text that must not be shown: a code, a hash. However it is
// printed, logged or marshalled it reads "[redacted]"; only [Secret.Reveal]
// gives the text. The zero Secret is empty. Compare secrets with [Secret.Equal].
type Secret struct {
	text *string // a pointer: fmt shows unexported fields of others without asking
}

const redacted = "[redacted]"

// NewSecret wraps text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text. Call it where the text is used, and nowhere else.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether there is nothing in it.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal reports whether both hold the same text. It is not meant for comparing
// a secret with what somebody typed: its time depends on the texts.
func (s Secret) Equal(t Secret) bool { return s.Reveal() == t.Reveal() }

// String implements [fmt.Stringer].
func (s Secret) String() string { return redacted }

// Format implements [fmt.Formatter] for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements [encoding.TextMarshaler].
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON implements [json.Marshaler].
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// GobEncode implements [encoding/gob.GobEncoder].
func (s Secret) GobEncode() ([]byte, error) { return []byte(redacted), nil }
