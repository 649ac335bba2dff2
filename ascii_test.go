package roster

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// TestMapNameASCII holds what is written out for ASCII against the profile.
func TestMapNameASCII(t *testing.T) {
	t.Parallel()
	check := func(name string) {
		key, ok := mapName(name)
		want, err := precis.UsernameCaseMapped.String(name)
		if ok != (err == nil) || ok && key != want {
			t.Errorf("mapName(%q) = %q, %v; the profile says %q, %v", name, key, ok, want, err)
		}
	}
	for a := byte(0); a < utf8.RuneSelf; a++ {
		check(string(rune(a)))
		for b := byte(0); b < utf8.RuneSelf; b++ {
			check("x" + string(rune(a)) + string(rune(b)))
		}
	}
}

// TestPlainDomain holds domains that are not mapped against the mapping.
func TestPlainDomain(t *testing.T) {
	t.Parallel()
	plain := 0
	check := func(s string) {
		if !isPlainDomain(s) {
			return
		}
		plain++
		if ascii, err := domains.ToASCII(s); err != nil || ascii != s {
			t.Errorf("%q passes for plain, the mapping says %q, %v", s, ascii, err)
		}
	}
	const alphabet = "axnA0-._ \x7fé"
	var extend func(s string, n int)
	extend = func(s string, n int) {
		check(s)
		check("xn" + s)
		check("a.b" + s + ".org")
		if n == 0 {
			return
		}
		for _, r := range alphabet {
			extend(s+string(r), n-1)
		}
	}
	extend("", 4)
	for _, n := range []int{62, 63, 64} {
		label := strings.Repeat("a", n)
		check(label + ".org")
		check("org." + label)
	}
	if plain < 1000 {
		t.Errorf("only %d domains pass for plain", plain)
	}
}
