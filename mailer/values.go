package mailer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
)

// How much of a value is shown, in characters.
const (
	maxName    = 64
	maxAddress = 254
	maxDevice  = 48
)

// The characters of Unicode that set a piece of text apart from the direction
// of what surrounds it, and that begin text of the other (UAX 9, sections 2.5
// and 2.6).
const (
	rightToLeftMark    = "\u200f"
	firstStrongIsolate = "\u2068"
	popIsolate         = "\u2069"
)

// shown is a value as a mail may show it: one line of at most most characters,
// without controls, what steers the direction of text, or what nobody can see.
// What is cut off is shown to be.
func shown(s string, most int) string {
	if limit := 16 * most; len(s) > limit { // huge input costs nothing
		s = s[:limit]
	}
	s = strings.ToValidUTF8(s, "\ufffd")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Zs):
			return ' '
		case r == '\u200c' || r == '\u200d': // spelling and emoji need them
			return r
		case unicode.In(r, unicode.C):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > most {
		runes := []rune(s)
		s = strings.TrimRight(string(runes[:most-1]), " ") + "…"
	}
	return s
}

// isolated sets a value apart if it could otherwise change the order of the
// text around it, or that of the value: in text that is written from right to
// left, and if it holds letters that are.
func isolated(s string, rtl bool) string {
	if s == "" || !rtl && !strings.ContainsFunc(s, fromRight) {
		return s
	}
	return firstStrongIsolate + s + popIsolate
}

// fromRight reports whether r is written from right to left, or is a number
// that takes part in it.
func fromRight(r rune) bool {
	props, _ := bidi.LookupRune(r)
	switch props.Class() {
	case bidi.R, bidi.AL, bidi.AN:
		return true
	}
	return false
}
