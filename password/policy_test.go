package password_test

import (
	"strings"
	"testing"

	"github.com/go-roster/roster/password"
)

func TestPolicyCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy password.Policy
		in     string
		reason password.Reason
	}{
		{"zero, 7", password.Policy{}, "abcdefg", password.ReasonTooShort},
		{"zero, 8", password.Policy{}, "abcdwxyz", ""},
		{"zero, empty", password.Policy{}, "", password.ReasonTooShort},
		{"code points, not bytes: 7", password.Policy{}, "ééééééé", password.ReasonTooShort},
		{"code points, not bytes: 8", password.Policy{}, "🐴🐴🐴🐴🐴🐴🐴🐴", ""},
		{"no rule about kinds", password.NIST(), "abcdefg hijklmn", ""},
		{"no rule about kinds, digits", password.NIST(), "482910573629104", ""},
		{"NIST, 14", password.NIST(), strings.Repeat("x", 14), password.ReasonTooShort},
		{"spaces and one letter", password.NIST(), "a              a", ""},
		{"more, short", password.Policy{MinRunes: 20}, strings.Repeat("x", 19), password.ReasonTooShort},
		{"more, long", password.Policy{MinRunes: 20}, strings.Repeat("x", 20), ""},
		{"the floor holds", password.Policy{MinRunes: 1}, "abcdefg", password.ReasonTooShort},
		{"the floor holds below zero", password.Policy{MinRunes: -1}, "abcdefg", password.ReasonTooShort},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := reasonOf(t, tt.policy.Check(tt.in)); got != tt.reason {
				t.Errorf("got %q, want %q", got, tt.reason)
			}
		})
	}
}

func TestPolicyValidate(t *testing.T) {
	for n, ok := range map[int]bool{
		-1: false, 0: true, 1: false, 7: false, 8: true, 15: true, 64: true,
		password.MaxRunes: true, password.MaxRunes + 1: false,
	} {
		err := password.Policy{MinRunes: n}.Validate()
		if (err == nil) != ok {
			t.Errorf("%d: %v", n, err)
		}
		if err != nil && !strings.Contains(err.Error(), "Policy.MinRunes") {
			t.Errorf("%d: %v does not name the field", n, err)
		}
	}
	if err := password.NIST().Validate(); err != nil {
		t.Error(err)
	}
	if got := password.NIST().MinRunes; got != 15 {
		t.Errorf("NIST asks for %d", got)
	}
	err := password.Policy{MinRunes: 7}.Validate()
	if got, want := err.Error(), "password: Policy.MinRunes is 7, must be 8 to 256, or zero for 8"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
