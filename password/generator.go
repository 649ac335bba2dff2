package password

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Unambiguous are the 32 small letters and digits that nobody takes for one
// another on paper: without 0, 1, l and o. It is the alphabet of ejudge.
const Unambiguous = "23456789abcdefghijkmnpqrstuvwxyz"

// A pronounceable word is a consonant, a vowel, a consonant, a vowel and a
// consonant: 2 to the power of 16 words.
const (
	consonants = "bdfghjklmnprstvz"
	vowels     = "aiou"
	wordRunes  = 5
	wordBits   = 16
)

// The bounds and defaults of a Generator.
const (
	defaultLength = 26 // of Unambiguous that is 130 bits
	maxWords      = (MaxRunes + 1) / (wordRunes + 1)
)

// Generator makes passwords that nobody has chosen: for the first sign-in of
// somebody whose account others make, to be replaced by their own.
//
// The zero Generator makes 26 characters of [Unambiguous]: 130 bits, which ASVS
// 5.0 asks for (11.5.1). A Generator is a value: copy it, use it concurrently.
type Generator struct {
	// Length is the number of characters, 8 to 256. Zero means 26.
	Length int

	// Alphabet is what they are chosen from, each as likely as any other: 2
	// characters of ASCII or more, no space, none of them twice. Empty means
	// Unambiguous.
	Alphabet string

	// Words makes so many words that can be spoken, joined by hyphens, instead of
	// characters: "fibuk-tolab-zumir". Each is worth 16 bits and 5 letters. 2 to
	// 42; Length and Alphabet must be zero then. Zero means characters.
	Words int
}

// Handout returns the generator of passwords that are printed on paper and
// typed in once by many, at a contest: 8 characters of [Unambiguous], as ejudge
// makes. They are worth 40 bits, too few for anything that can be guessed at
// without a limit.
func Handout() Generator { return Generator{Length: 8} }

// Validate reports every field that is out of bounds, see there.
func (g Generator) Validate() error {
	var errs []error
	if g.Length != 0 && (g.Length < minRunes || g.Length > MaxRunes) {
		errs = append(errs, fmt.Errorf("password: Generator.Length is %d, must be %d to %d, or zero for %d",
			g.Length, minRunes, MaxRunes, defaultLength))
	}
	if g.Alphabet != "" && !alphabet(g.Alphabet) {
		errs = append(errs, errors.New("password: Generator.Alphabet must be 2 characters of ASCII or more, no space, none twice"))
	}
	if g.Words != 0 && (g.Words < 2 || g.Words > maxWords) {
		errs = append(errs, fmt.Errorf("password: Generator.Words is %d, must be 2 to %d, or zero for characters", g.Words, maxWords))
	}
	if g.Words != 0 && (g.Length != 0 || g.Alphabet != "") {
		errs = append(errs, errors.New("password: Generator.Words goes without Length and Alphabet"))
	}
	return errors.Join(errs...)
}

func alphabet(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte(s, s[i]) != i {
			return false
		}
	}
	return len(s) >= 2
}

// Bits returns the entropy of what Generate makes, to compare with 128. It is
// zero for a Generator that Validate reports.
func (g Generator) Bits() float64 {
	switch {
	case g.Validate() != nil:
		return 0
	case g.Words != 0:
		return float64(g.Words * wordBits)
	}
	letters := len(cmp.Or(g.Alphabet, Unambiguous))
	return float64(cmp.Or(g.Length, defaultLength)) * math.Log2(float64(letters))
}

// Generate returns a new password, in the form that [Prepare] returns. It
// returns what Validate says about the receiver.
//
// It does not ask a [Policy]. One that asks for a greater MinRunes refuses it.
func (g Generator) Generate() (string, error) {
	if err := g.Validate(); err != nil {
		return "", err
	}
	if g.Words == 0 {
		return choose(cmp.Or(g.Alphabet, Unambiguous), cmp.Or(g.Length, defaultLength)), nil
	}
	var b strings.Builder
	for i := range g.Words {
		if i > 0 {
			b.WriteByte('-')
		}
		c, v := choose(consonants, 3), choose(vowels, 2)
		b.Write([]byte{c[0], v[0], c[1], v[1], c[2]})
	}
	return b.String(), nil
}

// choose draws n of the letters, each as likely as any other: a byte at or over
// the last multiple of their number is thrown away.
func choose(letters string, n int) string {
	whole := 256 - 256%len(letters)
	chosen := make([]byte, 0, n)
	drawn := make([]byte, n+n/4)
	for {
		rand.Read(drawn) // never fails: the program ends if the system has no randomness
		for _, b := range drawn {
			if int(b) >= whole {
				continue
			}
			if chosen = append(chosen, letters[int(b)%len(letters)]); len(chosen) == n {
				return string(chosen)
			}
		}
	}
}
