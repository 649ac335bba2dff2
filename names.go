package roster

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// The limits of a name. Input over the first is refused before anything is
// computed from it; the others hold for the key.
const (
	maxNameInput = 1024 // bytes
	maxNameBytes = 255
	maxNameRunes = 64
)

// NameKey returns the canonical form of a user's name: the form that is
// unique, looked up, compared and counted, whatever spelling was typed. Names
// with equal keys are one name: Alice, ALICE and ＡＬＩＣＥ.
//
// The key is made by the profile UsernameCaseMapped (RFC 8265, section 3.3):
// wide forms narrowed, lower case, NFC, no spaces, symbols or invisible
// characters, and the rule for right-to-left text. Beyond that,
//   - a name has 1 to 64 characters and at most 255 bytes;
//   - of ASCII it holds letters, digits and . - _ only. All else means
//     something in an address, a path, a URL, a shell, a pattern, markup, a
//     template, or an LDAP filter or DN. So no name looks like an address;
//   - it neither begins nor ends with . - or _ and has no two dots in a row,
//     and every mark stands on a letter;
//   - it keeps to one script, or to Japanese, Korean or Chinese with Latin,
//     as the level "highly restrictive" of UTS 39 has it, and to one kind of
//     digits;
//   - its letters are in ordinary use, and do not all pass for Latin ones.
//
// NameKey(key) is key for every key that it returns. It accepts reserved
// names: a row that is there must be found.
//
// It returns an [*InvalidError] for [FieldName].
func NameKey(name string) (string, error) {
	switch {
	case name == "":
		return "", invalid(FieldName, ReasonEmpty)
	case len(name) > maxNameInput:
		return "", invalid(FieldName, ReasonTooLong)
	case !utf8.ValidString(name):
		return "", invalid(FieldName, ReasonEncoding)
	}
	key, ok := mapName(name)
	switch {
	case !ok:
		return "", invalid(FieldName, ReasonCharacter)
	case key == "":
		return "", invalid(FieldName, ReasonEmpty)
	case len(key) > maxNameBytes || utf8.RuneCountInString(key) > maxNameRunes:
		return "", invalid(FieldName, ReasonTooLong)
	case !nameCharacters(key):
		return "", invalid(FieldName, ReasonCharacter)
	case !nameScripts(key) || !nameDigits(key) || hasHiddenDot(key) || passesForLatin(key, looksLatin):
		return "", invalid(FieldName, ReasonConfusable)
	}
	return key, nil
}

// newNameKey is [NameKey] for a name that is about to be stored as it was
// typed. It also refuses names such as ТОМ in Cyrillic, which pass for Latin in
// capitals although their lower case does not.
func newNameKey(name string) (string, error) {
	key, err := NameKey(name)
	if err == nil && passesForLatin(name, looksLatin+looksLatinTyped) {
		return "", invalid(FieldName, ReasonConfusable)
	}
	return key, err
}

// mapName applies the profile until nothing changes, as RFC 8264, section 7
// recommends, and gives up after four times. Of ASCII that is lower case, and
// no spaces or control characters: most names are, so it is written out.
func mapName(name string) (key string, ok bool) {
	if isASCII(name) {
		return lowerASCII(name), !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '\x7f' })
	}
	for range 4 {
		key, err := precis.UsernameCaseMapped.String(name)
		if err != nil {
			return "", false
		}
		if key == name {
			return key, true
		}
		name = key
	}
	return "", false
}

// nameCharacters checks the characters of a key and where they stand.
func nameCharacters(key string) bool {
	const separators = ".-_"
	if strings.Trim(key, separators) != key || strings.Contains(key, "..") {
		return false
	}
	for _, r := range key {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', strings.ContainsRune(separators, r):
		case r < utf8.RuneSelf, r == '\u200c', r == '\u200d': // joiners: two names that look alike
			return false
		}
	}
	return isASCII(key) || nameMarks(key)
}

// nameMarks reports whether every mark follows a letter, not more than four to
// a letter and none twice in a row (UTS 39, section 5.4).
func nameMarks(key string) bool {
	var prev rune
	letter, marks := false, 0
	for _, r := range norm.NFD.String(key) {
		switch {
		case unicode.Is(unicode.Mn, r):
			marks++
			if !letter || marks > 4 || r == prev {
				return false
			}
		case unicode.IsMark(r): // takes up room of its own
			if marks = 0; !letter {
				return false
			}
		default:
			letter, marks = unicode.IsLetter(r), 0
		}
		prev = r
	}
	return true
}

// hasHiddenDot reports a dot above i or j, which have one already: i̇ looks
// like i (UTS 39, section 5.4).
func hasHiddenDot(key string) bool {
	if isASCII(key) {
		return false
	}
	dotted := false
	for _, r := range norm.NFD.String(key) {
		switch {
		case r == '\u0307' && dotted:
			return true
		case !unicode.IsMark(r):
			dotted = unicode.Is(unicode.Soft_Dotted, r)
		}
	}
	return false
}

// nameDigits reports whether all decimal digits are of one kind (UTS 39,
// section 5.3).
func nameDigits(key string) bool {
	kind := rune(-1)
	for _, r := range key {
		zero, ok := digitZero(r)
		if ok && kind >= 0 && zero != kind {
			return false
		}
		if ok {
			kind = zero
		}
	}
	return true
}

// digitZero returns the zero of the digits that r is one of. They come in
// runs of ten.
func digitZero(r rune) (zero rune, ok bool) {
	if r < utf8.RuneSelf {
		return '0', '0' <= r && r <= '9'
	}
	for _, run := range unicode.Nd.R16 {
		if lo := rune(run.Lo); lo <= r && r <= rune(run.Hi) {
			return r - (r-lo)%10, true
		}
	}
	for _, run := range unicode.Nd.R32 {
		if lo := rune(run.Lo); lo <= r && r <= rune(run.Hi) {
			return r - (r-lo)%10, true
		}
	}
	return 0, false
}

// NameStore keeps which name keys are taken or held back, so that nobody steps
// into the name of somebody who was renamed or deleted a moment ago.
type NameStore interface {
	// ClaimName makes the key the owner's, in one statement. It succeeds if the
	// key is free, or held back for the same owner, or was held back until now
	// or earlier. Else, also if the owner has it already, it is a [ConflictError] of [FieldName]; one of
	// [FieldUser] says that there is no such user.
	ClaimName(ctx context.Context, key string, owner UserID, now time.Time) error

	// RetireName holds the owner's key back until that time. ErrNotFound if the
	// key is not the owner's.
	RetireName(ctx context.Context, key string, owner UserID, until time.Time) error

	// NameOwners returns whose keys these are, held back or not. What nobody has
	// is not in the map.
	NameOwners(ctx context.Context, keys ...string) (map[string]UserID, error)

	// PruneNames deletes at most limit keys that were held back until now or
	// earlier. It returns how many.
	PruneNames(ctx context.Context, now time.Time, limit int) (int, error)
}
