package password

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// The least that a policy may ask for. NIST SP 800-63B-4 and OWASP ASVS 5.0 allow nothing shorter.
const minRunes = 8

// Policy says which passwords may be set: not too short, not a common one, not
// a word that is to be expected. It has no rules about kinds of characters and
// no expiry: they make passwords worse, and NIST SP 800-63B-4 forbids them.
//
// The zero Policy asks for 8 code points.
type Policy struct {
	// MinRunes is the least length, in Unicode code points of the prepared
	// password. Zero means 8, which is also the least that may be set.
	MinRunes int

	// Words may not be passwords: the name of the service, of its owner, of its
	// domain. A word that is shorter than MinRunes is no password anyway. Nil
	// means none.
	Words []string

	// Breached says whether the password with this SHA-1 is known from a breach:
	// [Filter.Breached], or a function that asks a service. A service should
	// learn no more than the first five hex digits, and return all that begin
	// with them (k-anonymity). It is called at once by many. Nil means that
	// nobody is asked.
	Breached func(ctx context.Context, sha1 [20]byte) (bool, error)

	// BreachedTimeout is how long Breached may take. Zero means 5 seconds.
	BreachedTimeout time.Duration

	// BreachedOptional accepts a password when Breached fails. False means that
	// none is accepted then.
	BreachedOptional bool
}

// NIST returns the policy that NIST SP 800-63B-4 asks for where the password is
// the only factor of a sign-in: 15 code points.
func NIST() Policy { return Policy{MinRunes: 15} }

// Validate reports all of a policy that cannot be used: MinRunes under 8 (and
// not zero) or over [MaxRunes], an empty word, a negative timeout.
func (p Policy) Validate() error {
	var errs []error
	if p.MinRunes != 0 && (p.MinRunes < minRunes || p.MinRunes > MaxRunes) {
		errs = append(errs, fmt.Errorf("password: Policy.MinRunes is %d, must be %d to %d, or zero for %[2]d",
			p.MinRunes, minRunes, MaxRunes))
	}
	for i, word := range p.Words {
		if word == "" || !utf8.ValidString(word) {
			errs = append(errs, fmt.Errorf("password: Policy.Words[%d] is empty or not UTF-8", i))
		}
	}
	if p.BreachedTimeout < 0 {
		errs = append(errs, errors.New("password: Policy.BreachedTimeout is negative"))
	}
	return errors.Join(errs...)
}

// Check judges a password that came out of [Prepare]. words are what else is to
// be expected: the name and address of whose password it is. It returns an
// [*Error] with [ReasonTooShort], [ReasonCommon] (see [Common]) or
// [ReasonContext], in this order, or nil. A policy that Validate reports is held
// to 8 code points at least.
//
// The whole password is compared with each word, both in one case, also once
// digits and signs that stand for letters are read as these. Longer ones that
// contain a word are fine. Words over [MaxBytes] are passed over.
//
// Check asks nobody: see [Policy.CheckBreached].
func (p Policy) Check(prepared string, words ...string) error {
	if utf8.RuneCountInString(prepared) < max(p.MinRunes, minRunes) {
		return &Error{ReasonTooShort}
	}
	if Common(prepared) {
		return &Error{ReasonCommon}
	}
	meant := spellings(prepared)
	for _, list := range [][]string{p.Words, words} {
		for _, word := range list {
			if len(word) > MaxBytes {
				continue
			}
			for _, s := range spellings(word) {
				if slices.Contains(meant, s) {
					return &Error{ReasonContext}
				}
			}
		}
	}
	return nil
}
