package roster

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestNameKey(t *testing.T) {
	t.Parallel()
	tests := []struct {
		comment, name, key string
		reason             Reason
	}{
		{"plain", "ann", "ann", ""},
		{"case", "ALICE", "alice", ""},
		{"wide", "ＡＬＩＣＥ", "alice", ""},
		{"Kelvin sign", "\u212aate", "kate", ""},
		{"composed", "zoe\u0308", "zo\u00eb", ""},
		{"Ångström sign", "\u212bsa", "\u00e5sa", ""},
		{"separators inside", "a.b-c_d", "a.b-c_d", ""},
		{"doubled", "a--b__c", "a--b__c", ""},
		{"digits", "2026", "2026", ""},
		{"one character", "x", "x", ""},
		{"auto name", "user-17", "user-17", ""},
		{"reserved names stay found", "ROOT", "root", ""},
		{"sharp s is a letter of its own", "Groß", "groß", ""},
		{"capital sharp s", "GROẞ", "groß", ""},
		{"final sigma is kept", "Σίσυφος", "σίσυφος", ""},
		{"dotless i", "mıke", "mıke", ""},
		{"64 characters", strings.Repeat("ä", 64), strings.Repeat("ä", 64), ""},
		{"63 of four bytes", strings.Repeat("𠀀", 63), strings.Repeat("𠀀", 63), ""},

		{"Vietnamese", "Nguyễn", "nguyễn", ""},
		{"Catalan", "Gal·la", "gal·la", ""},
		{"Hawaiian", "Kaʻahumanu", "kaʻahumanu", ""},
		{"Hausa", "Ɓala", "ɓala", ""},
		{"mark that does not compose", "m\u0300ba", "m\u0300ba", ""},
		{"marks of both", "m\u0300か\u309a", "m\u0300か\u309a", ""},
		{"Greek", "Ἀριστοτέλης", "ἀριστοτέλης", ""},
		{"Russian", "Анна", "анна", ""},
		{"Russian with Егор", "Егор", "егор", ""},
		{"Ukrainian", "Мар\u02bcяна", "мар\u02bcяна", ""},
		{"Armenian", "Արամ", "արամ", ""},
		{"Georgian", "თამარ", "თამარ", ""},
		{"Hebrew", "דוד7", "דוד7", ""},
		{"Arabic", "محمد", "محمد", ""},
		{"Arabic with marks", "مُحَمَّد", "مُحَمَّد", ""},
		{"Arabic with its digits", "محمد٣", "محمد٣", ""},
		{"Hindi", "नरेन्द्र", "नरेन्द्र", ""},
		{"Hindi with ASCII digits", "राम2", "राम2", ""},
		{"Tamil", "தமிழ்", "தமிழ்", ""},
		{"Thai", "สมชาย", "สมชาย", ""},
		{"Cherokee", "ᏍᏏᏉᏯ", "ꮝꮟꮙꮿ", ""},
		{"Chinese", "小明", "小明", ""},
		{"Chinese with Latin", "abc小明", "abc小明", ""},
		{"Bopomofo, Han, Latin", "ㄅ小b", "ㄅ小b", ""},
		{"Japanese", "さくら桜サクラ", "さくら桜サクラ", ""},
		{"Japanese with Latin", "DJサクラ", "djサクラ", ""},
		{"Japanese half width", "ｻｸﾗ", "サクラ", ""},
		{"Japanese long vowel", "じょー", "じょー", ""},
		{"Japanese middle dot", "ジョン・スミス", "ジョン・スミス", ""},
		{"Korean", "김철수", "김철수", ""},
		{"Korean from letters", "\u1100\u1161\u11a8", "각", ""},
		{"Korean with Han and Latin", "김哲kim", "김哲kim", ""},
		{"zero and one in Han", "〇一", "〇一", ""},
		{"Ichiro", "一郎", "一郎", ""},

		{"empty", "", "", ReasonEmpty},
		{"65 characters", strings.Repeat("a", 65), "", ReasonTooLong},
		{"65 decomposed to 65", strings.Repeat("e\u0301", 65), "", ReasonTooLong},
		{"64 of four bytes", strings.Repeat("𠀀", 64), "", ReasonTooLong},
		{"1025 bytes", strings.Repeat("a", 1025), "", ReasonTooLong},
		{"1024 bytes", strings.Repeat("a", 1024), "", ReasonTooLong},
		{"bad byte", "ann\xff", "", ReasonEncoding},
		{"surrogate", "\xed\xa0\x80", "", ReasonEncoding},

		{"space", "ann lee", "", ReasonCharacter},
		{"trailing space", "ann ", "", ReasonCharacter},
		{"no-break space", "ann\u00a0lee", "", ReasonCharacter},
		{"address", "ann@example.org", "", ReasonCharacter},
		{"wide at sign", "ann＠example.org", "", ReasonCharacter},
		{"small at sign", "ann﹫example.org", "", ReasonCharacter},
		{"wide percent", "ann％", "", ReasonCharacter},
		{"wide slash", "a／b", "", ReasonCharacter},
		{"parent directory", "..", "", ReasonCharacter},
		{"two dots", "a..b", "", ReasonCharacter},
		{"wide full stop last", "ann．", "", ReasonCharacter},
		{"control", "a\x00b", "", ReasonCharacter},
		{"line feed", "a\nb", "", ReasonCharacter},
		{"soft hyphen", "a\u00adb", "", ReasonCharacter},
		{"zero-width space", "a\u200bb", "", ReasonCharacter},
		{"joiner after virama", "क\u094d\u200dष", "", ReasonCharacter},
		{"non-joiner", "می\u200cخ", "", ReasonCharacter},
		{"override", "a\u202eb", "", ReasonCharacter},
		{"Hangul filler", "\u3164", "", ReasonCharacter},
		{"ligature", "ﬁsch", "", ReasonCharacter},
		{"long s", "ſam", "", ReasonCharacter},
		{"superscript", "a²", "", ReasonCharacter},
		{"emoji", "ann🎉", "", ReasonCharacter},
		{"variation selector", "a\ufe0f", "", ReasonCharacter},
		{"mathematical letters", "𝐚𝐧𝐧", "", ReasonCharacter},
		{"private use", "a\ue000", "", ReasonCharacter},
		{"unassigned", "a\u0378", "", ReasonCharacter},
		{"both directions", "אab", "", ReasonCharacter},
		{"mark first", "\u0301nn", "", ReasonCharacter},
		{"mark on a digit", "a1\u0301", "", ReasonCharacter},
		{"mark on a separator", "a-\u0301b", "", ReasonCharacter},
		{"five marks", "x\u0300\u0301\u0302\u0303\u0304", "", ReasonCharacter},
		{"mark twice", "x\u0300\u0300", "", ReasonCharacter},

		{"İ is i with a dot", "İrem", "", ReasonConfusable},
		{"dot on i", "i\u0307rem", "", ReasonConfusable},
		{"dot on į", "į\u0307", "", ReasonConfusable},
		{"small capital", "ᴀdmin", "", ReasonConfusable},
		{"all small capitals", "ʀᴏᴏᴛ", "", ReasonConfusable},
		{"phonetic a", "ɑdmin", "", ReasonConfusable},
		{"phonetic g", "ɡoogle", "", ReasonConfusable},
		{"click that looks like l", "ǀogin", "", ReasonConfusable},
		{"click that looks like !", "hiǃ", "", ReasonConfusable},
		{"small capital Greek", "ᴦαβ", "", ReasonConfusable},
		{"archaic Greek", "ϻαβ", "", ReasonConfusable},
		{"variant of Cyrillic", "жᲁд", "", ReasonConfusable},
		{"old Cyrillic", "жꙋд", "", ReasonConfusable},
		{"medieval", "ꝓaul", "", ReasonConfusable},
		{"tilde through", "a\u0334nn", "", ReasonConfusable},
		{"stroke through", "o\u0338le", "", ReasonConfusable},
		{"musical mark", "a\U0001d167", "", ReasonConfusable},
		{"modifier letter", "annˑ", "", ReasonConfusable},
		{"Latin and Cyrillic", "pаypal", "", ReasonConfusable},
		{"Latin and Greek", "gοοgle", "", ReasonConfusable},
		{"Latin and Armenian", "gօօgle", "", ReasonConfusable},
		{"Latin and Cherokee", "Ꭺdmin", "", ReasonConfusable},
		{"Cyrillic and Greek", "жωв", "", ReasonConfusable},
		{"Devanagari and Bengali", "राবা", "", ReasonConfusable},
		{"Hebrew and Arabic", "אب", "", ReasonConfusable},
		{"Korean and Japanese", "김さ", "", ReasonConfusable},
		{"Bopomofo and kana", "ㄅさ", "", ReasonConfusable},
		{"Cyrillic and Han", "жд明", "", ReasonConfusable},
		{"Cyrillic mark on Latin", "a\u0487", "", ReasonConfusable},
		{"Latin mark on kana", "か\u0301a", "", ReasonConfusable},
		{"Greek mark on Han", "明\u0345", "", ReasonConfusable},
		{"kana mark on Latin", "a\u3099", "", ReasonConfusable},
		{"two kinds of digits", "राम1२", "", ReasonConfusable},
		{"two Arabic kinds of digits", "محمد7۷", "", ReasonConfusable},
		{"Cyrillic paypal", "раураӏ", "", ReasonConfusable},
		{"Cyrillic with digits", "сор-911", "", ReasonConfusable},
		{"Cyrillic with dots", "ёхо", "", ReasonConfusable},
		{"Greek", "νίνο", "", ReasonConfusable},
		{"Armenian", "սոհօ", "", ReasonConfusable},
		{"Cherokee capitals", "ᎪᏟᎢ", "", ReasonConfusable},
		{"Lisu", "ꓐꓳꓐ", "", ReasonConfusable},
		{"Canadian syllabics", "ᗷOᗷ", "", ReasonConfusable},
		{"digits of Lao", "໐໐", "", ReasonConfusable},
		{"Coptic", "ⲣⲟⲥ", "", ReasonConfusable},
		{"Han zero in Latin", "b〇b", "", ReasonConfusable},
		{"long vowel as dash", "ann-ー", "", ReasonConfusable},
		{"Katakana stroke in Latin", "aノb", "", ReasonConfusable},
	}
	for _, tt := range tests {
		t.Run(tt.comment, func(t *testing.T) {
			key, err := NameKey(tt.name)
			if got := reasonOf(t, FieldName, err); got != tt.reason || key != tt.key {
				t.Errorf("NameKey(%+q) = %+q, reason %q; want %+q, %q", tt.name, key, got, tt.key, tt.reason)
			}
		})
	}
}

// TestNameKeyASCII has every character that is not for names in each position.
func TestNameKeyASCII(t *testing.T) {
	t.Parallel()
	const separators = ".-_"
	const named = `@%*/\:,;<>"'&?#` + "|()=+!`$[]{}~^ "
	for c := rune(0); c < utf8.RuneSelf; c++ {
		alnum := unicode.IsLetter(c) || unicode.IsDigit(c)
		if strings.ContainsRune(named, c) && (alnum || strings.ContainsRune(separators, c)) {
			t.Fatalf("%q is on both lists", c)
		}
		for i := range 4 {
			name := "abc"[:i] + string(c) + "abc"[i:]
			ok := alnum || strings.ContainsRune(separators, c) && i != 0 && i != 3
			key, err := NameKey(name)
			if got := reasonOf(t, FieldName, err); ok != (got == "") || !ok && (got != ReasonCharacter || key != "") {
				t.Errorf("NameKey(%q) = %q, reason %q; want accepted %v", name, key, got, ok)
			}
		}
		if _, err := NameKey(string(c)); (err == nil) != alnum {
			t.Errorf("NameKey(%q): %v", c, err)
		}
	}
}

// checkName checks what holds for every name.
func checkName(t testing.TB, name string) {
	key, err := NameKey(name)
	if err != nil {
		if key != "" || reasonOf(t, FieldName, err) == "" {
			t.Errorf("NameKey(%+q) = %+q, %v", name, key, err)
		}
		return
	}
	if again, err := NameKey(key); err != nil || again != key {
		t.Errorf("NameKey(%+q) = %+q, and of that %+q, %v", name, key, again, err)
	}
	if strings.ContainsFunc(key, func(r rune) bool {
		return hidden(r) || unicode.IsSpace(r) || unicode.IsUpper(r) || strings.ContainsRune(`@%*/\:,;<>"'&?#`, r)
	}) {
		t.Errorf("NameKey(%+q) = %+q", name, key)
	}
	if utf8.RuneCountInString(key) > 64 || len(key) > 255 || key == "" {
		t.Errorf("NameKey(%+q) = %+q, %d bytes", name, key, len(key))
	}
	if _, err := AddressKey(key); err == nil {
		t.Errorf("NameKey(%+q) = %+q, which is an address", name, key)
	}
}

func TestNameKeyEveryRune(t *testing.T) {
	t.Parallel()
	everyRune(func(r rune) {
		s := string(r)
		key, err := NameKey(s)
		switch {
		case err == nil && key == s && unicode.In(r, unicode.Han, unicode.Hangul):
			return // stays as it is, as most do that are assigned
		case err == nil && unicode.In(r, unicode.C, unicode.Z, unicode.S) && r != '\u06fd' && r != '\u06fe': // two signs of Sindhi
			t.Errorf("%U accepted", r)
		case err != nil && unicode.In(r, unicode.Cn, unicode.Co):
			return
		}
		checkName(t, s)
		checkName(t, "a"+s)
		// A key never lies in the ASCII range unless the character is a
		// compatible or upper-case form of ASCII.
		if err == nil && isASCII(key) && r >= utf8.RuneSelf && r != '\u212a' && (r < '\uff01' || '\uff5e' < r) {
			t.Errorf("NameKey(%U) = %q", r, key)
		}
	})
}

func TestNameKeyHuge(t *testing.T) {
	testHuge(t, FieldName, func(s string) error { _, err := NameKey(s); return err })
}

// TestNameKeyCorpus says which of the names that databases confuse are one.
func TestNameKeyCorpus(t *testing.T) {
	t.Parallel()
	groups := [][]string{
		{"mike", "MIKE", "Mike", "ｍｉｋｅ", "mi\u212ae"},
		{"mıke", "MıKE"},
		{"mïke", "mi\u0308ke", "MÏKE"},
		{"kate", "KATE", "\u212aate"},
		{"ångström", "Ångström", "\u212bngström", "A\u030angstro\u0308m"},
		{"strasse"},
		{"straße", "STRAẞE"},
		{"κόσμος", "ΚΌΣΜΟς"},
		{"κόσμοσ", "ΚΌΣΜΟΣ"},
		{"ɓala", "Ɓala"},
		{"bala", "BALA"},
		{"øre", "ØRE"},
		{"ore"},
		{"o\u0308re", "öre", "ÖRE"},
		{"ann_lee"},
		{"ann-lee"},
		{"ann.lee"},
		{"annlee"},
		{"annxlee"},
		{"김", "\u1100\u1175\u11b7"},
		{"サクラ", "ｻｸﾗ"},
		{"さくら"},
		{"ガ", "ｶﾞ", "カ\u3099"},
		{"カ"},
		{"ᏍᏏᏉᏯ", "ꮝꮟꮙꮿ"},
		{"თამარ", "ᲗᲐᲛᲐᲠ"},
		{"e", "E"},
		{"é"},
		{"è"},
		{"ê"},
		{"ẹ"},
		{"1"},
		{"01"},
		{"001"},
	}
	owner := map[string]int{}
	for i, group := range groups {
		for _, name := range group {
			key, err := NameKey(name)
			if err != nil {
				t.Errorf("NameKey(%+q): %v", name, err)
			}
			if j, taken := owner[key]; taken && j != i {
				t.Errorf("%+q has the key of %+q", name, groups[j][0])
			}
			owner[key] = i
		}
	}
	if len(owner) != len(groups) {
		t.Errorf("%d keys for %d names", len(owner), len(groups))
	}
}

func FuzzNameKey(f *testing.F) {
	for _, s := range []string{"", "Ann", "ＡＬＩＣＥ", "İ", "раураӏ", "ᴀdmin", "e\u0301", "김", "ｶﾞ", "l·l", "ꮝ", "a\xff", "מ1", "ΰ\u0301", "\u0345\u0391"} {
		f.Add(s, s)
	}
	f.Add("i", "\u0307")
	f.Fuzz(func(t *testing.T, a, b string) {
		checkName(t, a)
		checkName(t, a+b)
		// Equal keys, and only those, are equal again.
		x, errX := NameKey(a)
		y, errY := NameKey(b)
		if errX == nil && errY == nil {
			x2, _ := NameKey(x)
			y2, _ := NameKey(y)
			if (x == y) != (x2 == y2) {
				t.Errorf("%+q, %+q: keys %+q, %+q, then %+q, %+q", a, b, x, y, x2, y2)
			}
		}
	})
}
