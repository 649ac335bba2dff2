package password

import (
	"strings"
	"unicode/utf8"
)

// Strength scores a password from 0 to 5, for a meter beside a form, and says
// whether 3 is reached. It counts length and kinds of characters, which says
// little about how hard a password is to guess: what may be set is up to a
// [Policy].
//
// One point each: 8 characters, 10 characters, a digit, small and capital
// letters, one of !@#$%^&*?_~-(). Under 6 characters it is 1 point, none for the
// empty password.
//
// It is check_password_strength of IPFire's pbs as that was meant. There, a sign
// at the first place does not count, a comma does and a hyphen does not; and
// here a character is a code point.
func Strength(password string) (score int, strong bool) {
	n := utf8.RuneCountInString(password)
	switch {
	case n == 0:
		return 0, false
	case n < 6:
		return 1, false
	}
	const small, capital = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for _, point := range []bool{
		n >= 8,
		n >= 10,
		strings.ContainsAny(password, "0123456789"),
		strings.ContainsAny(password, small) && strings.ContainsAny(password, capital),
		strings.ContainsAny(password, "!@#$%^&*?_~-()"),
	} {
		if point {
			score++
		}
	}
	return score, score >= 3
}
