package roster

import (
	"unicode"
	"unicode/utf8"
)

// A writing is a set of ways to write that a character may belong to (UTS 39,
// section 5.1): a name keeps to one.
type writing uint8

const (
	writeLatin writing = 1 << iota
	writeGreek
	writeCyrillic
	writeArabic
	writeSyriac
	writeJapanese // Han, Hiragana, Katakana
	writeKorean   // Han, Hangul
	writeChinese  // Han, Bopomofo

	writeEuropean  = writeLatin | writeGreek | writeCyrillic
	writeHan       = writeJapanese | writeKorean | writeChinese
	writeWithLatin = writeLatin | writeHan
)

// Of the Latin letters beyond ASCII, after taking off their marks, those that
// present-day languages write: what UTS 39 recommends for identifiers and has
// a capital. Missing are the small capitals, the letters of phonetics and of
// medieval texts, and those that pass for an ASCII letter: ɑ ɡ ɩ ʋ. The
// dotless ı stays, since Turkish cannot do without.
const latinLetters = "æðøþßđħıłŋœŧƀƈƌƒƕƙƚƞƥƭƴƶƹǝǥɀɂɇɉɋɍɏɓɔɖɗəɛɠɣɥɨɫɲɵʉʊʌʒ"

// marksOf lists the marks and other characters that Unicode counts to no
// script, or to several, and that names need, with where they belong (from the
// property Script_Extensions). Others of the kind are refused.
var marksOf = []struct {
	lo, hi rune
	writing
}{
	{'\u00b7', '\u00b7', writeLatin},                 // in Catalan l·l
	{'\u02bb', '\u02bc', writeLatin | writeCyrillic}, // Hawaiian, Uzbek, Ukrainian
	{'\u0300', '\u0331', writeEuropean},
	{'\u0342', '\u0345', writeGreek},
	{'\u064b', '\u0655', writeArabic | writeSyriac},
	{'\u0670', '\u0670', writeArabic | writeSyriac},
	{'\u3006', '\u3006', writeHan},
	{'\u3099', '\u309a', writeJapanese},
	{'\u30fb', '\u30fb', writeJapanese}, // between the parts of a name
	{'\u30fc', '\u30fc', writeJapanese}, // long vowel
}

// nameScripts reports whether key keeps to one way of writing, where Latin may
// stand beside Japanese, Korean and Chinese, and uses only letters that are in
// ordinary use.
func nameScripts(key string) bool {
	if isASCII(key) {
		return true
	}
	latin, shared := false, ^writing(0)
	var letter writing            // of the last letter, as far as its marks allow
	var other *unicode.RangeTable // a script that no writing stands for
	for _, r := range key {
		switch {
		case 'a' <= r && r <= 'z':
			latin, letter = true, writeLatin
			continue
		case r < utf8.RuneSelf, other != nil && unicode.Is(other, r):
			letter = 0
			continue
		}
		w, known := writingOf(r)
		switch {
		case known && unicode.IsMark(r):
			if letter &= w; letter == 0 {
				return false
			}
		case known && w == 0:
			return false
		case known && w == writeLatin:
			latin, letter = true, w
		case known:
			shared &= w
			letter = w
		case other != nil:
			return false
		default:
			if other = scriptOf(r); other == nil {
				return false
			}
			letter = 0
		}
	}
	switch {
	case other != nil:
		return !latin && shared == ^writing(0)
	case latin:
		return shared&writeWithLatin != 0
	default:
		return shared != 0
	}
}

// writingOf returns where r belongs: nowhere if names do without it. It is not
// known for the scripts that are never mixed with another.
func writingOf(r rune) (w writing, known bool) {
	switch {
	case unicode.Is(unicode.Latin, r):
		if isLatinLetter(r) {
			return writeLatin, true
		}
		return 0, true
	case unicode.Is(unicode.Greek, r):
		if base := baseLetter(r); 'α' <= base && base <= 'ω' {
			return writeGreek, true
		}
		return 0, true
	case unicode.Is(unicode.Cyrillic, r):
		if 'а' <= r && r <= '\u052f' {
			return writeCyrillic, true
		}
		return 0, true
	case unicode.Is(unicode.Han, r):
		return writeHan, true
	case unicode.In(r, unicode.Hiragana, unicode.Katakana):
		return writeJapanese, true
	case unicode.Is(unicode.Hangul, r):
		return writeKorean, true
	case unicode.Is(unicode.Bopomofo, r):
		return writeChinese, true
	case unicode.Is(unicode.Arabic, r):
		return writeArabic, true
	case unicode.Is(unicode.Syriac, r):
		return writeSyriac, true
	case unicode.In(r, unicode.Common, unicode.Inherited):
		for _, m := range marksOf {
			if m.lo <= r && r <= m.hi {
				return m.writing, true
			}
		}
		return 0, true
	}
	return 0, false
}

func scriptOf(r rune) *unicode.RangeTable {
	for _, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return table
		}
	}
	return nil
}
