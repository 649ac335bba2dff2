package roster

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// reasonOf returns the reason of an error for field, "" for nil.
func reasonOf(t testing.TB, field string, err error) Reason {
	t.Helper()
	if err == nil {
		return ""
	}
	var invalid *InvalidError
	if !errors.As(err, &invalid) || !errors.Is(err, ErrInvalid) || invalid.Field != field {
		t.Fatalf("error %v (%T), want an InvalidError for %s", err, err, field)
	}
	return invalid.Reason
}

// everyRune calls f for every code point that UTF-8 can hold.
func everyRune(f func(r rune)) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if utf8.ValidRune(r) {
			f(r)
		}
	}
}

// testHuge checks that refuse turns down input of any size by its length alone:
// at once, and without copying anything.
func testHuge(t *testing.T, field string, refuse func(s string) error) {
	t.Helper()
	check := func(s string) {
		took := time.Hour
		for range 3 {
			start := time.Now()
			if got := reasonOf(t, field, refuse(s)); got != ReasonTooLong {
				t.Errorf("%q, %d bytes: reason %q, want too long", s[:8], len(s), got)
			}
			took = min(took, time.Since(start))
		}
		if took > 20*time.Millisecond { // a microsecond on an idle machine
			t.Errorf("%q, %d bytes: took %v", s[:8], len(s), took)
		}
		if n := testing.AllocsPerRun(10, func() { _ = refuse(s) }); n > 2 {
			t.Errorf("%q, %d bytes: %v allocations, want the error's at most", s[:8], len(s), n)
		}
	}
	for _, unit := range []string{"a", "\x00", "\xff", "é", "e\u0301", "\u0958", "\u1e9b\u0323", ".", "<", "\"", "(", "\\", "=?utf-8?q?x?= "} {
		check(strings.Repeat(unit, 1<<20/len(unit)))
	}
	check(strings.Repeat("a@", 32<<20))
}

func TestCheckText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       Reason
	}{
		{"empty", "", ""},
		{"ASCII", "Ann O'Example-Smith, Jr. (the 2nd) & Co; \"x\" <y> 100% @#$*\\", ""},
		{"Latin", "Zoë Müller-Łukasiewicz Đặng İpek ŉ", ""},
		{"decomposed", "Zoe\u0308", ""},
		{"Greek", "Γιώργος Παπαδόπουλος", ""},
		{"Cyrillic", "Пётр Ильич Чайковский", ""},
		{"Hebrew", "דָּוִד בֶּן־גּוּרְיוֹן", ""},
		{"Arabic", "محمد بن سلمان", ""},
		{"Persian with non-joiner", "علی\u200cرضا می\u200cخواهم", ""},
		{"Hindi", "नरेन्द्र मोदी", ""},
		{"Marathi with joiner", "र\u094d\u200dय", ""},
		{"Sinhala with joiner", "ශ\u0dca\u200dරී", ""},
		{"Malayalam with joiner at the end", "അവന\u0d4d\u200d", ""},
		{"Bengali with non-joiner", "ক\u09cd\u200cষ", ""},
		{"Tamil", "தமிழ்", ""},
		{"Thai", "สมชาย น้ำใจ", ""},
		{"Tibetan", "བསྟན་འཛིན་རྒྱ་མཚོ།", ""},
		{"Mongolian with selector", "ᠮᠣᠩᠭ\u180bᠣᠯ", ""},
		{"Chinese", "王小明", ""},
		{"Japanese with ideographic selector", "葛\U000e0100城　一郎・ジョン", ""},
		{"Korean", "김철수", ""},
		{"Cherokee", "ᏍᏏᏉᏯ", ""},
		{"Adlam", "𞤀𞤣𞤤𞤢𞤥", ""},
		{"no-break space", "M.\u00a0Dupont", ""},
		{"emoji", "Ann 🎉", ""},
		{"emoji sequences", "👩\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 👍🏽 🏳\ufe0f\u200d🌈 🇩🇪 1\ufe0f\u20e3", ""},
		{"skin tone joined", "👩🏽\u200d🚀", ""},

		{"NUL", "a\x00b", ReasonCharacter},
		{"line feed", "a\nb", ReasonCharacter},
		{"carriage return", "a\rb", ReasonCharacter},
		{"tab", "a\tb", ReasonCharacter},
		{"delete", "a\x7fb", ReasonCharacter},
		{"next line", "a\u0085b", ReasonCharacter},
		{"line separator", "a\u2028b", ReasonCharacter},
		{"paragraph separator", "a\u2029b", ReasonCharacter},
		{"soft hyphen", "a\u00adb", ReasonCharacter},
		{"override", "a\u202eb", ReasonCharacter},
		{"embedding", "a\u202ab", ReasonCharacter},
		{"isolate", "a\u2066b\u2069", ReasonCharacter},
		{"direction mark", "א\u200eב", ReasonCharacter},
		{"Arabic letter mark", "ا\u061cب", ReasonCharacter},
		{"zero-width space", "a\u200bb", ReasonCharacter},
		{"word joiner", "a\u2060b", ReasonCharacter},
		{"byte order mark", "\ufeffab", ReasonCharacter},
		{"grapheme joiner", "a\u034fb", ReasonCharacter},
		{"joiner in ASCII", "a\u200db", ReasonCharacter},
		{"non-joiner in Latin", "é\u200cb", ReasonCharacter},
		{"joiner first", "\u200dمن", ReasonCharacter},
		{"joiner after a space", "من \u200dمن", ReasonCharacter},
		{"two joiners", "من\u200c\u200cمن", ReasonCharacter},
		{"selector on a Latin letter", "a\ufe0f", ReasonCharacter},
		{"selector first", "\ufe0f", ReasonCharacter},
		{"two selectors", "❤\ufe0f\ufe0f", ReasonCharacter},
		{"ideographic selector on a letter", "a\U000e0100", ReasonCharacter},
		{"tag", "🏴\U000e0067\U000e007f", ReasonCharacter},
		{"Hangul filler", "\u3164", ReasonCharacter},
		{"half-width filler", "\uffa0", ReasonCharacter},
		{"braille blank", "\u2800", ReasonCharacter},
		{"object replacement", "\ufffc", ReasonCharacter},
		{"replacement character", "Andr\ufffd", ReasonCharacter},
		{"private use", "\ue000", ReasonCharacter},
		{"private plane", "\U0010fffd", ReasonCharacter},
		{"noncharacter", "\ufdd0", ReasonCharacter},
		{"last of a plane", "\U0001ffff", ReasonCharacter},
		{"unassigned", "\u0378", ReasonCharacter},
		{"invisible operator", "a\u2062b", ReasonCharacter},
		{"annotation", "a\ufff9b", ReasonCharacter},

		{"bad byte", "a\xffb", ReasonEncoding},
		{"cut short", "a\xc3", ReasonEncoding},
		{"overlong", "\xc0\x80", ReasonEncoding},
		{"surrogate", "\xed\xa0\x80", ReasonEncoding},
		{"100 characters", strings.Repeat("😀", 100), ""},
		{"101 characters", strings.Repeat("é", 101), ReasonTooLong},
		{"401 bytes", strings.Repeat("\xff", 401), ReasonTooLong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := reasonOf(t, FieldRealName, checkText(FieldRealName, tt.text, 400, 100)); got != tt.want {
				t.Errorf("checkText(%+q): reason %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestCheckTextEveryRune(t *testing.T) {
	t.Parallel()
	everyRune(func(r rune) {
		err := checkText(FieldRealName, "a"+string(r), 10, 10)
		bad := unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Cn, unicode.Bidi_Control,
			unicode.Noncharacter_Code_Point, unicode.Join_Control)
		if bad && err == nil {
			t.Errorf("%U accepted", r)
		}
		if err != nil && !bad && !hidden(r) {
			t.Errorf("%U refused: %v", r, err)
		}
	})
}

func TestCheckTextHuge(t *testing.T) {
	testHuge(t, FieldRealName, func(s string) error { return checkText(FieldRealName, s, 1024, 256) })
}

func TestCheckStorable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Reason{
		"":               "",
		"a\nb\u202e\t\r": "",
		"123456789":      ReasonTooLong,
		"a\x00":          ReasonCharacter,
		"a\xff":          ReasonEncoding,
	} {
		if got := reasonOf(t, FieldData, checkStorable(FieldData, text, 8)); got != want {
			t.Errorf("checkStorable(%q): reason %q, want %q", text, got, want)
		}
	}
}

func TestFoldSearch(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"ann example", "Ann Example", "ANN EXAMPLE", "ＡＮＮ　Ｅｘａｍｐｌｅ", "ann\u00a0example"},
		{"strasse", "Straße", "STRASSE", "STRAẞE"},
		{"k", "K", "\u212a"},
		{"é", "É", "e\u0301", "E\u0301"},
		{"ΣΊΣΥΦΟΣ", "σίσυφος", "σίσυφοσ"},
		{"ﬁsch", "FISCH", "fisch"},
		{"i\u0307", "İ"},
		{"Ꭰ", "ꭰ"},
		{"Ᏸ", "ᏸ"},
		{"s", "ſ", "S"},
		{"가", "\u1100\u1161"},
		{"ｶﾞ", "ガ"},
		{"ᾳ", "ΑΙ", "αι"},
		{"１２", "12", "①2"},
	} {
		want := foldSearch(same[0])
		for _, s := range same {
			if got := foldSearch(s); got != want {
				t.Errorf("foldSearch(%+q) = %+q, want %+q as for %+q", s, got, want, same[0])
			}
		}
	}
	for _, other := range [][2]string{{"ı", "i"}, {"İ", "i"}, {"é", "e"}, {"ø", "o"}, {"%", "_"}, {"\\", "/"}} {
		if foldSearch(other[0]) == foldSearch(other[1]) {
			t.Errorf("foldSearch makes %q and %q equal", other[0], other[1])
		}
	}
	for _, s := range []string{"", "%", "_", "\\", "a\x1fb", "'", "\"*"} {
		if got := foldSearch(s); got != s {
			t.Errorf("foldSearch(%q) = %q, want it unchanged", s, got)
		}
	}
}

func TestFoldSearchEveryRune(t *testing.T) {
	t.Parallel()
	most := 0
	everyRune(func(r rune) {
		once, rounds := string(r), 0
		for ; rounds < 10; rounds++ {
			folded := foldRound(once)
			if folded == once {
				break
			}
			once = folded
		}
		most = max(most, rounds)
		if rounds > 0 {
			if got := foldSearch(string(r)); got != once || foldSearch(got) != got {
				t.Errorf("foldSearch(%U) = %+q, and of that %+q", r, got, foldSearch(got))
			}
			if !norm.NFKC.IsNormalString(once) || !utf8.ValidString(once) {
				t.Errorf("foldSearch(%U) = %+q, not NFKC", r, once)
			}
		}
		for _, variant := range []rune{unicode.ToLower(r), unicode.ToUpper(r), unicode.ToTitle(r), unicode.SimpleFold(r)} {
			// In Unicode İ and ı fold with nothing else.
			if variant == r || r == 'İ' || r == 'ı' {
				continue
			}
			if got := foldSearch(string(variant)); got != once {
				t.Errorf("foldSearch(%U) = %+q, but %+q for its case variant %U", r, once, got, variant)
			}
		}
	})
	if most > 1 {
		t.Errorf("a code point needs %d rounds until nothing changes, want 1", most)
	}
}

func FuzzFoldSearch(f *testing.F) {
	for _, s := range []string{"Ann", "Straße", "İı\u212aſ", "e\u0301", "\u0345\u0301", "ᾳ\u0313", "ꭰᎠ", "\xff", "ﷺ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := foldSearch(s)
		if twice := foldSearch(once); twice != once {
			t.Errorf("foldSearch(%+q) = %+q, and of that %+q", s, once, twice)
		}
	})
}
