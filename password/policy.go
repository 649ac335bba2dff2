package password

import (
	"fmt"
	"unicode/utf8"
)

// The least that a policy may ask for. NIST SP 800-63B-4 and OWASP ASVS 5.0 allow nothing shorter.
const minRunes = 8

// Policy says which passwords may be set. It knows length only: rules about
// kinds of characters make passwords worse, and NIST SP 800-63B-4 forbids them.
//
// The zero Policy asks for 8 code points.
type Policy struct {
	// MinRunes is the least length, in Unicode code points of the prepared
	// password. Zero means 8, which is also the least that may be set.
	MinRunes int
}

// NIST returns the policy that NIST SP 800-63B-4 asks for where the password is
// the only factor of a sign-in: 15 code points.
func NIST() Policy { return Policy{MinRunes: 15} }

// Validate reports a policy that cannot be used: MinRunes under 8 (and not
// zero) or over [MaxRunes].
func (p Policy) Validate() error {
	if p.MinRunes != 0 && (p.MinRunes < minRunes || p.MinRunes > MaxRunes) {
		return fmt.Errorf("password: Policy.MinRunes is %d, must be %d to %d, or zero for %[2]d",
			p.MinRunes, minRunes, MaxRunes)
	}
	return nil
}

// Check judges a password that came out of [Prepare]. It returns an [*Error]
// with [ReasonTooShort], or nil. A policy that Validate reports is held to 8
// code points at least.
func (p Policy) Check(prepared string) error {
	if utf8.RuneCountInString(prepared) < max(p.MinRunes, minRunes) {
		return &Error{ReasonTooShort}
	}
	return nil
}
