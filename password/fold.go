package password

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// fold brings a password or a word into the form that is compared: one case,
// and one width of every letter.
func fold(s string) string {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
		}
	}
	return strings.ToLower(s)
}

// spellings returns what a password may be meant to be: itself, folded, and
// then with the digits and signs that stand for letters replaced.
func spellings(s string) []string {
	s = fold(s)
	read := lookalikes(s, 'i')
	if read == s {
		return []string{s}
	}
	return []string{s, read, lookalikes(s, 'l')}
}

// lookalikes reads digits and signs as the letters that they look like; a 1 may
// be two.
func lookalikes(s string, one rune) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '0':
			return 'o'
		case '1':
			return one
		case '3':
			return 'e'
		case '4', '@':
			return 'a'
		case '5', '$':
			return 's'
		case '7', '+':
			return 't'
		case '8':
			return 'b'
		case '9':
			return 'g'
		case '!':
			return 'i'
		case '|':
			return 'l'
		}
		return r
	}, s)
}
