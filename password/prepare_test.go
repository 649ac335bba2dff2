package password_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/go-roster/roster/password"
)

func TestPrepare(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
		reason         password.Reason
	}{
		{name: "ascii", in: "correct horse battery", want: "correct horse battery"},
		{name: "every printable ASCII character", in: printable(), want: printable()},
		{name: "spaces at both ends", in: "  two  spaces  ", want: "  two  spaces  "},
		{name: "one space", in: " ", want: " "},
		{name: "non-ASCII spaces", in: "a\u00a0b\u2003c\u3000d\u202fe", want: "a b c d e"},
		{name: "composed", in: "caf\u00e9", want: "caf\u00e9"},
		{name: "decomposed", in: "cafe\u0301", want: "caf\u00e9"},
		{name: "jamo", in: "\u1112\u1161\u11ab", want: "\ud55c"},
		{name: "order of marks", in: "q\u0307\u0323", want: "q\u0323\u0307"},
		{name: "case is kept", in: "AbCßſK", want: "AbCßſK"},
		{name: "ligature is kept", in: "ﬁ", want: "ﬁ"},
		{name: "fullwidth is kept", in: "Ａ", want: "Ａ"},
		{name: "superscript is kept", in: "x²", want: "x²"},
		{name: "emoji", in: "🐴🔋📎", want: "🐴🔋📎"},
		{name: "joiner after virama", in: "क्\u200dष", want: "क्\u200dष"},
		{name: "replacement character", in: "a\ufffd", want: "a\ufffd"},

		{name: "nothing", in: "", reason: password.ReasonEmpty},
		{name: "not UTF-8", in: "\xffabcdefgh", reason: password.ReasonEncoding},
		{name: "not UTF-8 either", in: "\xfeabcdefgh", reason: password.ReasonEncoding},
		{name: "surrogate", in: "abc\xed\xa0\x80", reason: password.ReasonEncoding},
		{name: "overlong NUL", in: "abc\xc0\x80", reason: password.ReasonEncoding},
		{name: "cut off rune", in: "abc\xe2\x82", reason: password.ReasonEncoding},
		{name: "NUL", in: "a\x00b", reason: password.ReasonCharacter},
		{name: "NUL at the end", in: "abcdefgh\x00", reason: password.ReasonCharacter},
		{name: "newline at the end", in: "abcdefgh\n", reason: password.ReasonCharacter},
		{name: "line separator", in: "a\u2028b", reason: password.ReasonCharacter},
		{name: "soft hyphen only", in: "\u00ad", reason: password.ReasonCharacter},
		{name: "zero width only", in: "\u200b\u200b\ufeff", reason: password.ReasonCharacter},
		{name: "combining grapheme joiner", in: "a\u034fb", reason: password.ReasonCharacter},
		{name: "bidi override", in: "abc\u202edef", reason: password.ReasonCharacter},
		{name: "private use", in: "abc\ue000", reason: password.ReasonCharacter},
		{name: "noncharacter", in: "abc\ufdd0", reason: password.ReasonCharacter},
		{name: "emoji of joiners", in: "👨\u200d👩\u200d👧", reason: password.ReasonCharacter},
		{name: "emoji with a variation selector", in: "\u2764\ufe0f", reason: password.ReasonCharacter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := password.Prepare(tt.in)
			if reason := reasonOf(t, err); got != tt.want || reason != tt.reason {
				t.Errorf("got %+q %q, want %+q %q", got, reason, tt.want, tt.reason)
			}
		})
	}
}

func TestPrepareRefusesControls(t *testing.T) {
	for r := rune(0); r < 0x100; r++ {
		if !unicode.IsControl(r) {
			continue
		}
		for _, s := range []string{string(r), "before" + string(r) + "after", string(r) + "after", "before" + string(r)} {
			if _, err := password.Prepare(s); reasonOf(t, err) != password.ReasonCharacter {
				t.Errorf("%+q: %v", s, err)
			}
		}
	}
}

func TestPrepareLimits(t *testing.T) {
	for _, tt := range []struct {
		name   string
		in     string
		reason password.Reason
	}{
		{"64 characters", strings.Repeat("x", 64), ""},
		{"most runes", strings.Repeat("x", password.MaxRunes), ""},
		{"one rune more", strings.Repeat("x", password.MaxRunes+1), password.ReasonTooLong},
		{"most bytes", strings.Repeat("🐴", password.MaxBytes/4), ""},
		{"one byte more", strings.Repeat("🐴", password.MaxBytes/4) + "x", password.ReasonTooLong},
		{"1 KiB", strings.Repeat("x", 1<<10), password.ReasonTooLong},
		{"1 MiB", strings.Repeat("x", 1<<20), password.ReasonTooLong},
		{"long and not UTF-8", strings.Repeat("\xff", 1<<20), password.ReasonTooLong},
		{"most runes, composed", strings.Repeat("\u00e9", password.MaxRunes), ""},
		{"counted before composing", strings.Repeat("e\u0301", password.MaxRunes/2+1), password.ReasonTooLong},
		// U+1D160 is three code points of four bytes in NFC, U+0958 is two of three.
		{"grows up to the limit", strings.Repeat("\u0958", 128), ""},
		{"grows past the runes", strings.Repeat("\u0958", 129), password.ReasonTooLong},
		{"grows past both", strings.Repeat("\U0001d160", 200), password.ReasonTooLong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := password.Prepare(tt.in)
			if reason := reasonOf(t, err); reason != tt.reason {
				t.Errorf("reason %q, want %q", reason, tt.reason)
			}
			if err == nil && utf8.RuneCountInString(got) < utf8.RuneCountInString(tt.in) {
				t.Errorf("%d bytes became %d", len(tt.in), len(got))
			}
		})
	}
}

// A huge input is refused without being read.
func TestPrepareHuge(t *testing.T) {
	huge := strings.Repeat("e\u0301 ", 64<<20/4)
	best := time.Hour
	for range 10 {
		start := time.Now()
		_, err := password.Prepare(huge)
		best = min(best, time.Since(start))
		if reasonOf(t, err) != password.ReasonTooLong {
			t.Fatal(err)
		}
	}
	if best > 100*time.Microsecond {
		t.Errorf("64 MiB took %v", best)
	}
	if n := testing.AllocsPerRun(10, func() { _, _ = password.Prepare(huge) }); n > 1 {
		t.Errorf("%v allocations, want the error only", n)
	}
}

// Whatever is canonically equal is one password.
func TestPrepareCanonicalEquivalence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringN(1, 60, -1).Draw(t, "password")
		c, errC := password.Prepare(norm.NFC.String(s))
		d, errD := password.Prepare(norm.NFD.String(s))
		if c != d || (errC == nil) != (errD == nil) {
			t.Fatalf("%+q: %+q %v and %+q %v", s, c, errC, d, errD)
		}
	})
}

func TestPrepareConcurrently(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if got, err := password.Prepare("e\u0301\u3000x"); got != "\u00e9 x" || err != nil {
					t.Errorf("%+q %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestErrorIsOnlyItsReason(t *testing.T) {
	const canary = "canary-7f3a"
	for _, s := range []string{canary + "\x00", canary + "\xff", strings.Repeat(canary, 100)} {
		_, err := password.Prepare(s)
		if err == nil {
			t.Fatalf("%q was accepted", s)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if text := fmt.Sprintf(verb, err); strings.Contains(text, canary) {
				t.Errorf("%s shows %q", verb, text)
			}
		}
		for err := err; err != nil; err = errors.Unwrap(err) {
			if diff := cmp.Diff(&password.Error{Reason: reasonOf(t, err)}, err); diff != "" {
				t.Error(diff)
			}
		}
	}
}

func FuzzPrepare(f *testing.F) {
	for _, s := range []string{"", "correct horse", " a\u00a0b ", "e\u0301", "\u00ad", "\xff", "a\x00", "क्\u200dष", "\U0001d160", strings.Repeat("\u0300", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := password.Prepare(s)
		if err != nil {
			if got != "" || reasonOf(t, err) == "" {
				t.Fatalf("%+q: %+q, %v", s, got, err)
			}
			return
		}
		if !utf8.ValidString(got) || got == "" || len(got) > password.MaxBytes || utf8.RuneCountInString(got) > password.MaxRunes {
			t.Fatalf("%+q became %+q", s, got)
		}
		// The rule, said in another way.
		spaces := strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Zs, r) {
				return ' '
			}
			return r
		}, s)
		if want := norm.NFC.String(spaces); got != want {
			t.Fatalf("%+q became %+q, want %+q", s, got, want)
		}
		if strings.ContainsFunc(got, unicode.IsControl) {
			t.Fatalf("%+q has a control character", got)
		}
		if again, err := password.Prepare(got); again != got || err != nil {
			t.Fatalf("%+q: prepared again it is %+q, %v", got, again, err)
		}
	})
}

// reasonOf is "" for nil, and the test fails for an error of another type.
func reasonOf(t *testing.T, err error) password.Reason {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *password.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is a %T", err, err)
	}
	return e.Reason
}

func printable() string {
	var b strings.Builder
	for r := ' '; r <= '~'; r++ {
		b.WriteRune(r)
	}
	return b.String()
}
