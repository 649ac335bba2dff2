package roster

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

// TestNameKeyOneScript has Latin with every letter of another script.
func TestNameKeyOneScript(t *testing.T) {
	t.Parallel()
	everyRune(func(r rune) {
		if r < utf8.RuneSelf || !unicode.In(r, unicode.L, unicode.M, unicode.Nd) {
			return
		}
		key, err := NameKey("ann" + string(r))
		if err == nil && !isASCII(key) && !unicode.In(r, unicode.Latin, unicode.Common, unicode.Inherited,
			unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo) {
			t.Errorf("Latin with %U accepted", r)
		}
	})
}

func TestNewNameKey(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Reason{
		"Ann":     "",
		"root":    "",
		"Том":     "",
		"том":     "",
		"Марк":    "",
		"МАРИЯ":   "",
		"ТОМ":     ReasonConfusable,
		"АННА":    ReasonConfusable,
		"ΜΑΤΕ":    ReasonConfusable,
		"а":       ReasonConfusable,
		"pаypal":  ReasonConfusable,
		"":        ReasonEmpty,
		"ann lee": ReasonCharacter,
	} {
		key, err := newNameKey(name)
		if got := reasonOf(t, FieldName, err); got != want {
			t.Errorf("newNameKey(%q): reason %q, want %q", name, got, want)
		}
		if plain, _ := NameKey(name); err == nil && key != plain || err != nil && key != "" {
			t.Errorf("newNameKey(%q) = %q", name, key)
		}
	}
}

// TestLookalikes checks the tables for letters that no key holds.
func TestLookalikes(t *testing.T) {
	t.Parallel()
	for _, r := range looksLatin + looksLatinTyped {
		if unicode.Is(unicode.Latin, r) || !unicode.In(r, unicode.L, unicode.N) {
			t.Errorf("%U is no letter of another script", r)
		}
		if _, err := NameKey(string(r) + "\u0430"); err == nil && !unicode.Is(unicode.Cyrillic, r) {
			t.Errorf("%U with Cyrillic accepted", r)
		}
	}
	for _, r := range looksLatin {
		if _, err := NameKey(string(r)); err == nil && r != '〇' {
			t.Errorf("%U alone accepted", r)
		}
		if unicode.ToLower(r) != r && !unicode.Is(unicode.Cherokee, r) {
			t.Errorf("%U is a capital", r)
		}
	}
	for _, r := range looksLatinTyped {
		if _, err := newNameKey(string(r)); err == nil {
			t.Errorf("%U alone accepted", r)
		}
	}
	for _, r := range latinLetters {
		if key, err := NameKey(string(unicode.ToUpper(r))); (err != nil || key != string(r)) && r != 'ı' && r != 'ß' {
			t.Errorf("NameKey(%U) = %q, %v", unicode.ToUpper(r), key, err)
		}
	}
}
