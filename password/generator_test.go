package password_test

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/go-roster/roster/password"
)

func generate(t interface{ Fatal(...any) }, g password.Generator) string {
	s, err := g.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestGenerate(t *testing.T) {
	for _, tt := range []struct {
		name   string
		g      password.Generator
		form   string
		bits   float64
		enough bool // for a first password, ASVS 11.5.1
	}{
		{"zero", password.Generator{}, `^[2-9a-kmnp-z]{26}$`, 130, true},
		{"handout", password.Handout(), `^[2-9a-kmnp-z]{8}$`, 40, false},
		{"longer", password.Generator{Length: 256}, `^[2-9a-kmnp-z]{256}$`, 1280, true},
		{"PIN", password.Generator{Length: 10, Alphabet: "0123456789"}, `^[0-9]{10}$`, 33.219, false},
		{"two letters", password.Generator{Length: 128, Alphabet: "ab"}, `^[ab]{128}$`, 128, true},
		{"all of ASCII", password.Generator{Length: 20, Alphabet: ascii()}, `^[!-~]{20}$`, 131.092, true},
		{"words", password.Generator{Words: 8}, `^([b-z][aiou][b-z][aiou][b-z]-){7}[b-z][aiou][b-z][aiou][b-z]$`, 128, true},
		{"fewest words", password.Generator{Words: 2}, `^[a-z]{5}-[a-z]{5}$`, 32, false},
		{"most words", password.Generator{Words: 42}, `^([a-z]{5}-){41}[a-z]{5}$`, 672, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			form := regexp.MustCompile(tt.form)
			for range 200 {
				s := generate(t, tt.g)
				if !form.MatchString(s) {
					t.Fatalf("made %s", s)
				}
				if prepared, err := password.Prepare(s); prepared != s || err != nil {
					t.Fatalf("%s is prepared to %q, %v", s, prepared, err)
				}
			}
			if got := tt.g.Bits(); math.Abs(got-tt.bits) > 0.001 || (got >= 128) != tt.enough {
				t.Errorf("%v bits", got)
			}
		})
	}
	if got := len(password.Unambiguous); got != 32 || strings.ContainsAny(password.Unambiguous, "01lo") {
		t.Errorf("%d letters", got)
	}
}

func ascii() string {
	var b strings.Builder
	for c := byte('!'); c <= '~'; c++ {
		b.WriteByte(c)
	}
	return b.String()
}

func TestGeneratorValidate(t *testing.T) {
	for _, tt := range []struct {
		g    password.Generator
		errs int
	}{
		{password.Generator{}, 0},
		{password.Generator{Length: 8}, 0},
		{password.Generator{Length: 7}, 1},
		{password.Generator{Length: -1}, 1},
		{password.Generator{Length: password.MaxRunes + 1}, 1},
		{password.Generator{Alphabet: "a"}, 1},
		{password.Generator{Alphabet: "aba"}, 1},
		{password.Generator{Alphabet: "a b"}, 1},
		{password.Generator{Alphabet: "ab\x7f"}, 1},
		{password.Generator{Alphabet: "abä"}, 1},
		{password.Generator{Words: 1}, 1},
		{password.Generator{Words: 43}, 1},
		{password.Generator{Words: -1}, 1},
		{password.Generator{Words: 3, Length: 8}, 1},
		{password.Generator{Words: 1, Length: 7, Alphabet: "a"}, 4},
	} {
		err := tt.g.Validate()
		n := 0
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			n = len(joined.Unwrap())
		}
		s, err2 := tt.g.Generate()
		if n != tt.errs || (err2 == nil) != (n == 0) || (s == "") != (n > 0) || (tt.g.Bits() == 0) != (n > 0) {
			t.Errorf("%+v: %v; Generate: %q %v; %v bits", tt.g, err, s, err2, tt.g.Bits())
		}
	}
}

// Each letter is as likely as any other at each place, also where 256 is no
// multiple of their number; and nothing comes twice.
func TestGeneratedIsUniform(t *testing.T) {
	for _, g := range []password.Generator{
		password.Handout(),
		{Length: 10, Alphabet: "0123456789"},
		{Length: 8, Alphabet: ascii()},
		{Length: 8, Alphabet: (ascii() + ascii())[3:90]}, // 87: 256 mod 87 is 82
		{Words: 2},
	} {
		n := 40_000
		var counts [64][128]int
		seen := make(map[string]bool, n)
		repeats := 0
		for range n {
			s := generate(t, g)
			if seen[s] {
				repeats++
			}
			seen[s] = true
			for i := range len(s) {
				counts[i][s[i]]++
			}
		}
		for i, count := range counts {
			letters := 0
			for _, c := range count {
				if c > 0 {
					letters++
				}
			}
			if letters < 2 { // beyond the end, or a hyphen
				continue
			}
			want, chi := float64(n)/float64(letters), 0.0
			for _, c := range count {
				if c > 0 {
					chi += (float64(c) - want) * (float64(c) - want) / want
				}
			}
			// The normal approximation of chi squared; 7 sigma come once in 10^11 times.
			if free := float64(letters - 1); chi > free+7*math.Sqrt(2*free)+20 {
				t.Errorf("%+v: letters at place %d are not as likely: chi squared %.0f of %.0f", g, i, chi, free)
			}
		}
		// Of n out of 2^bits, n^2/2^(bits+1) come twice.
		if expect := float64(n) * float64(n) / math.Exp2(g.Bits()+1); float64(repeats) > 10+2*expect {
			t.Errorf("%+v: %d came twice", g, repeats)
		}
	}
}

func TestGeneratedFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := password.Generator{Length: rapid.IntRange(8, 256).Draw(t, "length")}
		letters := rapid.Permutation([]byte(ascii())).Draw(t, "letters")
		g.Alphabet = string(letters[:rapid.IntRange(2, len(letters)).Draw(t, "n")])
		s := generate(t, g)
		if len(s) != g.Length || strings.Trim(s, g.Alphabet) != "" {
			t.Fatal(s)
		}
	})
}

func ExampleGenerator() {
	paper, _ := password.Handout().Generate()
	spoken, _ := password.Generator{Words: 3}.Generate()
	fmt.Println(len(paper), password.Handout().Bits())
	fmt.Println(len(spoken), password.Generator{Words: 3}.Bits())
	// Output:
	// 8 40
	// 17 48
}

func BenchmarkGenerate(b *testing.B) {
	for name, g := range map[string]password.Generator{"zero": {}, "handout": password.Handout(), "words": {Words: 8}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				generate(b, g)
			}
		})
	}
}
