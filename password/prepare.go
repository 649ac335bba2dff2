package password

import (
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// The limits of a password, for what comes into [Prepare] and for what comes
// out of it. NIST SP 800-63B-4 asks for at least 64 characters.
const (
	MaxBytes = 1024 // in UTF-8
	MaxRunes = 256  // Unicode code points
)

// PrepareVersion is the version of the rules of [Prepare]. Store it beside a
// hash: should the rules change, then an older password can be checked by the
// rules it was set under, and prepared and hashed again once it has matched.
//
// Version 1 is the OpaqueString profile of RFC 8265: NFC, non-ASCII spaces
// become U+0020. NIST SP 800-63B-4 says that NFKC or NFKD should be used.
// Version 1 departs from that on purpose. NFC repairs what keyboards and
// systems do differently, é as one code point or as two. NFKC would also merge
// characters that people type as different ones (ﬁ and fi, ² and 2, fullwidth
// Ａ and A) and so make two different passwords match.
const PrepareVersion = 1

// Reason says why a password was refused, in a form that a program can
// translate.
type Reason string

// The reasons of [Error].
const (
	ReasonEmpty     Reason = "empty"     // nothing there
	ReasonTooShort  Reason = "too_short" // fewer code points than the policy asks for
	ReasonTooLong   Reason = "too_long"  // over MaxBytes or MaxRunes
	ReasonEncoding  Reason = "encoding"  // not UTF-8
	ReasonCharacter Reason = "character" // a character that no password may have
	ReasonCommon    Reason = "common"    // among those that many people have
	ReasonContext   Reason = "context"   // a word to be expected: name, address, service
	ReasonBreached  Reason = "breached"  // known from a breach
)

// Error says that a password was refused, and why. It never carries the
// password. Find it with [errors.As].
type Error struct {
	Reason Reason
}

func (e *Error) Error() string { return "password: " + string(e.Reason) }

// Prepare brings a password as typed into the one form that is judged, hashed
// and verified. Call it when a password is set and at every sign-in.
//
// Whatever is refused gives an [*Error], in this order: [ReasonEmpty];
// [ReasonTooLong] over [MaxBytes]; [ReasonEncoding] for invalid UTF-8;
// [ReasonTooLong] over [MaxRunes]; [ReasonCharacter] for what RFC 8264
// disallows; and [ReasonTooLong] again, should the prepared form be over a
// limit. The size is looked at first, so that refusing a huge input costs
// nothing. Nothing is ever cut off.
//
// All spaces are kept, also at both ends. Refused are NUL and other control
// characters, invisible characters (soft hyphen, zero-width space, variation
// selectors, joiners outside the scripts that need them), private use, and code
// points that the Unicode version of golang.org/x/text does not know. Emoji
// that are made with a joiner or a variation selector are therefore refused.
//
// Preparing twice is the same as preparing once. Prepare is safe for concurrent
// use. Source: RFC 8265 section 4, see also [PrepareVersion].
func Prepare(s string) (string, error) {
	switch {
	case s == "":
		return "", &Error{ReasonEmpty}
	case len(s) > MaxBytes:
		return "", &Error{ReasonTooLong}
	case !utf8.ValidString(s): // the profile would turn it into U+FFFD
		return "", &Error{ReasonEncoding}
	case utf8.RuneCountInString(s) > MaxRunes: // before NFC, which is slow
		return "", &Error{ReasonTooLong}
	}
	// The profile refuses an empty result too, though no mapping of it can make one.
	prepared, err := precis.OpaqueString.String(s)
	if err != nil { // not wrapped: it says nothing more
		return "", &Error{ReasonCharacter}
	}
	// A few characters become two or three in NFC. No rune has more than 4 bytes,
	// so that MaxRunes implies MaxBytes.
	if utf8.RuneCountInString(prepared) > MaxRunes {
		return "", &Error{ReasonTooLong}
	}
	return prepared, nil
}
