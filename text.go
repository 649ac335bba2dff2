package roster

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// checkStorable refuses what no store can be trusted to keep as it is: text
// over the limit, text that is not UTF-8, and NUL. It looks at the length
// first, so that huge input costs nothing.
func checkStorable(field, s string, maxBytes int) error {
	switch {
	case len(s) > maxBytes:
		return invalid(field, ReasonTooLong)
	case !utf8.ValidString(s):
		return invalid(field, ReasonEncoding)
	case strings.IndexByte(s, 0) >= 0:
		return invalid(field, ReasonCharacter)
	}
	return nil
}

// checkText checks one line of text that people read, a real name say. It
// allows letters, marks, digits, punctuation, symbols and spaces of every
// script, emoji too. It refuses controls and line breaks, everything that
// steers the direction of text, private, unassigned and noncharacter code
// points, and characters that nobody can see. Those few invisible ones that
// spelling needs are allowed where they have an effect, see [joins].
//
// The empty string passes: whether it may be empty is for the caller to say.
func checkText(field, s string, maxBytes, maxRunes int) error {
	if err := checkStorable(field, s, maxBytes); err != nil {
		return err
	}
	if utf8.RuneCountInString(s) > maxRunes {
		return invalid(field, ReasonTooLong)
	}
	var prev rune
	for _, r := range s {
		if hidden(r) && !joins(prev, r) {
			return invalid(field, ReasonCharacter)
		}
		prev = r
	}
	return nil
}

// cleanLine makes text from outside fit for keeping and showing: at most so many
// bytes, whole characters, none that is hidden.
func cleanLine(s string, maxBytes int) string {
	s = s[:min(len(s), 4*maxBytes)]
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || hidden(r) {
			return -1
		}
		return r
	}, s)
	if len(s) <= maxBytes {
		return s
	}
	end := maxBytes
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// hidden reports whether r is a control, line break, format, private,
// surrogate, unassigned or noncharacter code point, or one that shows nothing,
// or stands for something that was lost.
func hidden(r rune) bool {
	switch {
	case r < 0x7f:
		return r < ' '
	case r == '\u2800', r == '\ufffc', r == '\ufffd': // braille blank, object and character replaced
		return true
	}
	return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// joins reports whether r, which is hidden, changes how prev looks, so that
// text needs it:
//   - zero-width joiner and non-joiner after a letter, mark or symbol beyond
//     Latin, as in Persian, in Indic scripts and in emoji;
//   - variation selectors after whatever they select the form of: emoji and
//     text style after a symbol, digit or punctuation, ideographs as Japanese
//     family names are written, Mongolian letters.
func joins(prev, r rune) bool {
	switch {
	case r == '\u200c' || r == '\u200d':
		return prev >= 0x300 && unicode.In(prev, unicode.L, unicode.M, unicode.S) && !unicode.Is(unicode.Latin, prev)
	case '\ufe00' <= r && r <= '\ufe0f':
		return unicode.In(prev, unicode.S, unicode.N, unicode.P, unicode.Lo)
	case '\U000e0100' <= r && r <= '\U000e01ef':
		return unicode.Is(unicode.Han, prev)
	case '\u180b' <= r && r <= '\u180f':
		return unicode.Is(unicode.Mongolian, prev) && unicode.IsLetter(prev)
	}
	return false
}

// foldSearch folds text for searching without regard to case and to
// compatibility forms: full case folding (Unicode ch. 3.13) and NFKC. Stored
// text and patterns both go through it, here and never in SQL, so that every
// store finds the same rows. foldSearch(foldSearch(s)) is foldSearch(s).
func foldSearch(s string) string {
	// What NFKC makes could fold again, so go on until nothing changes. No text
	// is known that needs more than one round and the one that finds it stable.
	for range 4 {
		folded := foldRound(s)
		if folded == s {
			break
		}
		s = folded
	}
	return s
}

func foldRound(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	s = cases.Fold().String(norm.NFKC.String(s))
	return norm.NFKC.String(strings.Map(foldCherokee, s))
}

// foldCherokee folds the small letters of Cherokee to the capitals, which came
// first, as Unicode's table says. [cases.Fold] swaps the two.
func foldCherokee(r rune) rune {
	switch {
	case '\uab70' <= r && r <= '\uabbf':
		return r - '\uab70' + '\u13a0'
	case '\u13f8' <= r && r <= '\u13fd':
		return r - 8
	}
	return r
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
