package password_test

import (
	"strings"
	"testing"

	"github.com/go-roster/roster/password"
)

func TestContextWords(t *testing.T) {
	policy := password.Policy{Words: []string{"Sternwarte", "sternwarte.example.org", "x"}}
	words := []string{"annexample", "Ann Example", "ann@example.org", "größenwahn", "", strings.Repeat("y", 1<<20)}
	for s, want := range map[string]password.Reason{
		"sternwarte":             password.ReasonContext,
		"STERNWARTE":             password.ReasonContext,
		"5t3rnw4rt3":             password.ReasonContext,
		"sternwarte.example.org": password.ReasonContext,
		"Ann@Example.ORG":        password.ReasonContext,
		"ann example":            password.ReasonContext,
		"4nn3x4mp13":             password.ReasonContext,
		"GRÖSSENWAHN":            password.ReasonContext, // ß folds to ss
		"gro\u0308ßenwahn":       password.ReasonContext,
		"grössenwahn":            password.ReasonContext,
		fullwidth("annexample"):  password.ReasonContext,
		"grossenwahn":            "",
		"sternwarten":            "",
		"annexample~kJ2":         "",
		"example@example.org":    "",
		"x":                      password.ReasonTooShort,
		"password":               password.ReasonCommon,
	} {
		if got := reasonOf(t, policy.Check(s, words...)); got != want {
			t.Errorf("%s: %q, want %q", s, got, want)
		}
	}
	if err := (password.Policy{}).Check("annexample"); err != nil {
		t.Error(err)
	}
}

func TestPolicyValidatesAll(t *testing.T) {
	err := password.Policy{MinRunes: 1, Words: []string{"ok", "", "\xff"}, BreachedTimeout: -1}.Validate()
	if joined, ok := err.(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) != 4 {
		t.Errorf("got %v", err)
	}
	for _, name := range []string{"MinRunes", "Words[1]", "Words[2]", "BreachedTimeout"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in %v", name, err)
		}
	}
}

// The table that IPFire's pbs comes down to, and what it got wrong.
func TestStrength(t *testing.T) {
	for _, tt := range []struct {
		in     string
		score  int
		strong bool
	}{
		{"", 0, false},
		{"abc", 1, false},
		{"abcde", 1, false},
		{"abcdef", 0, false},
		{"abcdefgh", 1, false},
		{"abcdefghij", 2, false},
		{"abcdefghi1", 3, true},
		{"Abcdef1!", 4, true},
		{"Abcdefgh1!", 5, true},
		{"!Abcdefgh1", 5, true}, // at the first place too
		{"Abcdefgh1-", 5, true}, // the hyphen counts,
		{"Abcdefgh1,", 4, true}, // the comma does not
		{"Abcdefgh1+", 4, true},
		{"abcdef-1", 3, true},
		{"ÄBCDEFGä", 1, false}, // only ASCII letters have a case here
		{"ééééééé", 0, false},  // code points: 7
		{"éééééééé", 1, false}, // 8
		{"éééé", 1, false},     // 4
		{strings.Repeat("a", 30), 2, false},
	} {
		if score, strong := password.Strength(tt.in); score != tt.score || strong != tt.strong {
			t.Errorf("%q: %d %v, want %d %v", tt.in, score, strong, tt.score, tt.strong)
		}
	}
	for _, sign := range "!@#$%^&*?_~-()" {
		for _, s := range []string{string(sign) + "aaaaaaa", "aaaaaaa" + string(sign)} {
			if score, _ := password.Strength(s); score != 2 {
				t.Errorf("%s: %d", s, score)
			}
		}
	}
}
