package password_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/go-roster/roster/password"
)

// commonLines reads the list by itself.
func commonLines(t testing.TB) []string {
	t.Helper()
	file, err := os.ReadFile("common.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func TestCommonList(t *testing.T) {
	lines := commonLines(t)
	if len(lines) != 49233 || !slices.IsSorted(lines) || len(slices.Compact(slices.Clone(lines))) != len(lines) {
		t.Fatalf("%d lines", len(lines))
	}
	long := 0
	for _, line := range lines {
		if line != strings.ToLower(line) || strings.TrimSpace(line) != line || line == "" {
			t.Errorf("line %q", line)
		}
		if !password.Common(line) {
			t.Errorf("%s is not found", line)
		}
		if utf8.RuneCountInString(line) < 8 {
			continue
		}
		long++
		for _, s := range []string{line, strings.ToUpper(line), strings.ToUpper(line[:1]) + line[1:], fullwidth(line)} {
			if got := reasonOf(t, password.Policy{}.Check(s)); got != password.ReasonCommon {
				t.Errorf("%s: %q", s, got)
			}
		}
		for _, s := range []string{line + "~kJ2x", "~kJ2x" + line} {
			if err := (password.Policy{}).Check(s); err != nil {
				t.Errorf("%s: %v", s, err)
			}
		}
	}
	if long < 3000 { // what NIST and ASVS 6.2.4 ask for
		t.Errorf("only %d are long enough to matter", long)
	}
}

func fullwidth(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r + 0xfee0
		}
		return r
	}, s)
}

// What is found is what is on the list.
func TestCommonFindsNothingElse(t *testing.T) {
	lines := commonLines(t)
	on := make(map[string]bool, len(lines))
	for _, line := range lines {
		on[line] = true
	}
	check := func(t interface{ Fatalf(string, ...any) }, s string) {
		if password.Common(s) != on[s] {
			t.Fatalf("%q: %v", s, password.Common(s))
		}
	}
	for _, s := range []string{"", "\n", "a", "zzzzzzzzzzzzzz", lines[0][1:], lines[len(lines)-1] + "z", lines[0] + "\n" + lines[1]} {
		check(t, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(lines).Draw(t, "line")
		i := rapid.IntRange(0, len(s)).Draw(t, "at")
		check(t, s)
		if s = s[:i] + rapid.StringMatching(`[a-df-z\n]`).Draw(t, "with") + s[i:]; !strings.ContainsAny(s, "0123456789@$!|+") {
			check(t, s)
		}
	})
}

func TestCommonReadsLookalikes(t *testing.T) {
	for s, want := range map[string]bool{
		"p4$$w0rd": true, "P@SSWORD": true, "1l0v3y0u": true, "|etmein!": false,
		"sun$h1n3": true, "50ccer00": false, "correct horse battery": false, "b4s3b4ll": true, "footba11": true,
	} {
		if got := password.Common(s); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}

// The list is unpacked at the first use, once.
func BenchmarkCommon(b *testing.B) {
	for _, s := range []string{"correct horse battery", "p4$$w0rd", "Größenwahn"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				password.Common(s)
			}
		})
	}
}

func BenchmarkUnpackCommon(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		commonLines(b)
	}
}
