package mailer

import (
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"golang.org/x/text/language"

	"github.com/go-roster/roster"
)

// offered are the languages that there have to be.
var offered = []string{
	"ar", "ca", "da", "de", "en", "es", "fr", "it", "ja", "km", "nl", "pt", "pt-BR", "ro", "ru", "uk", "zh-Hans",
}

func builtInLanguages(t *testing.T) catalogues {
	t.Helper()
	all, err := newCatalogues(nil)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Every language has every message, with every plural form that it needs and
// the same placeholders as the others.
func TestCataloguesAreComplete(t *testing.T) {
	all := builtInLanguages(t)
	if got := slices.Sorted(maps.Keys(all)); !slices.Equal(got, offered) {
		t.Errorf("languages %q, want %q", got, offered)
	}
	for name, cat := range all {
		for _, err := range cat.compare(all[reference], true) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every kind has a subject and a body, what carries a code a button, and what
// is no notice says what to do if it was somebody else.
func TestEveryKindHasItsMessages(t *testing.T) {
	en := builtInLanguages(t)[reference]
	for _, kind := range roster.MailKinds() {
		parts := []string{"subject", "body"}
		if !kind.IsNotice() {
			parts = append(parts, "not_you")
			if kind != roster.MailAddressTaken {
				parts = append(parts, "button")
			}
		}
		for _, part := range parts {
			if en.messages[string(kind)+"."+part] == nil {
				t.Errorf("there is no %s.%s", kind, part)
			}
		}
	}
}

// Messages are text: no HTML, no links, one space between words, and a language
// that was forgotten would stand out by being the same as another.
func TestMessagesAreText(t *testing.T) {
	all := builtInLanguages(t)
	space := regexp.MustCompile(`  |^ | $|\n\n|\t`)
	for name, cat := range all {
		same := 0
		for id, m := range cat.messages {
			for form, text := range texts(m) {
				if space.MatchString(text) || strings.ContainsAny(text, "<>&") || strings.Contains(text, "://") {
					t.Errorf("%s %s %s: %q", name, id, form, text)
				}
				if strings.HasSuffix(id, ".subject") && strings.Contains(text, "{{.Account}}") {
					t.Errorf("%s %s holds what a user has typed, and subjects are shown everywhere", name, id)
				}
			}
			if name != reference && m.Other == all[reference].messages[id].Other {
				same++
			}
		}
		if same > 12 { // labels, and the months of some
			t.Errorf("%s says %d messages as English does", name, same)
		}
		for id, m := range cat.messages {
			for form, text := range texts(m) {
				if want := scripts[name]; want != nil && !skipped(id) && !strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, want...) }) {
					t.Errorf("%s %s %s is not in its script: %q", name, id, form, text)
				}
			}
		}
	}
}

var scripts = map[string][]*unicode.RangeTable{
	"ar": {unicode.Arabic}, "ja": {unicode.Hiragana, unicode.Katakana, unicode.Han}, "km": {unicode.Khmer},
	"ru": {unicode.Cyrillic}, "uk": {unicode.Cyrillic}, "zh-Hans": {unicode.Han},
}

// skipped are the messages with no word in them.
func skipped(id string) bool {
	return slices.Contains([]string{"label", "when", "first_day", "hello"}, id)
}

// Numbers take the form that the language wants.
func TestPlurals(t *testing.T) {
	all := builtInLanguages(t)
	for _, c := range []struct {
		lang string
		n    int
		want string
	}{
		{"en", 1, "1 hour,"},
		{"en", 2, "2 hours,"},
		{"de", 1, "1 Stunde "},
		{"de", 24, "24 Stunden "},
		{"fr", 1, "1 heure,"},
		{"fr", 2, "2 heures,"},
		{"ru", 1, "1 час,"},
		{"ru", 3, "3 часа,"},
		{"ru", 5, "5 часов,"},
		{"ru", 11, "11 часов,"},
		{"ru", 21, "21 час,"},
		{"ru", 24, "24 часа,"},
		{"uk", 1, "1 годину,"},
		{"uk", 22, "22 години,"},
		{"uk", 47, "47 годин,"},
		{"ro", 1, "1 oră,"},
		{"ro", 2, "2 ore,"},
		{"ro", 19, "19 ore,"},
		{"ro", 24, "24 de ore,"},
		{"ar", 1, "ساعة واحدة،"},
		{"ar", 2, "ساعتين،"},
		{"ar", 7, "7 ساعات،"},
		{"ar", 24, "24 ساعة،"},
		{"ja", 1, "1 時間"},
		{"ja", 24, "24 時間"},
		{"zh-Hans", 24, "24 小时"},
		{"km", 24, "24 ម៉ោង"},
	} {
		content := &Content{cat: all[c.lang]}
		if got := content.counted("valid.hours", c.n); content.err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s, %d: %q, %v; want %q", c.lang, c.n, got, content.err, c.want)
		}
	}
}

// What is wrong with the files of a host is said at once.
func TestCatalogueMistakes(t *testing.T) {
	files := fstest.MapFS{
		"locales/de.json": {Data: []byte(`{"hello": "Moin {{.Naem}}", "unknown": "x", "label": "{{if .Label}}x{{end}}",
			"valid": {"hours": {"one": "{{.Count}}"}}, "code": {"other": "Code", "few": "Codes"}, "support": "{{"}`)},
		"locales/sv.json":        {Data: []byte(`{"hello": "Hej!", "month": {"01": "januari"}, "code": "{{.Service}}"}`)},
		"locales/klingon!.json":  {Data: []byte(`{}`)},
		"locales/de_DE.json":     {Data: []byte(`{}`)},
		"locales/fr.json":        {Data: []byte(`{"hello"`)},
		"reset_pasword.txt":      {Data: []byte("typo")},
		"reset_password.xx.html": {Data: []byte("no such language")},
		"mail.html":              {Data: []byte("{{.Nothing}}")},
		"mail.txt":               {Data: []byte("{{")},
		"logo.png":               {Data: []byte("png")},
	}
	opts := plainOptions
	opts.Templates = files
	_, err := New(opts)
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	for _, want := range []string{
		"de.json: message hello: there is no placeholder {{.Naem}}",
		"de.json: message unknown: there is no such message",
		"de.json: message label: holds more than placeholders",
		`de.json: message valid.hours: the plural form "other" is missing`,
		`de.json: message code: has a plural form "few", and there is nothing to count`,
		"de.json: message support: cannot be parsed",
		"sv.json: message hello: the placeholder {{.Name}} is missing",
		"sv.json: message month.02 is missing",
		"sv.json: message reset_password.body is missing",
		"sv.json: message code: the placeholder {{.Service}} is not one of this message",
		"klingon!.json: is not named after a language",
		"de_DE.json: is not named after a language",
		"fr.json: ",
		`reset_pasword.txt: there is no kind of mail "reset_pasword"`,
		`reset_password.xx.html: there is no language "xx"`,
		"mail.txt: ",
		"logo.png: is neither",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not said: %s", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}

	// What cannot be executed is found by composing, when the rest is right.
	opts.Templates = fstest.MapFS{"mail.html": files["mail.html"], "invitation.ja.txt": {Data: []byte(`{{.T "nope"}}`)}}
	_, err = New(opts)
	for _, want := range []string{"Nothing", "mail invitation in ja", `"nope"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
	if _, err := New(Options{From: "a@example.org", Templates: fs.FS(fstest.MapFS{})}); err != nil {
		t.Errorf("no template at all: %v", err)
	}
}

// Who reads from right to left is known by the script.
func TestDirection(t *testing.T) {
	for tag, want := range map[string]bool{"ar": true, "he": true, "fa": true, "ur": true, "de": false, "az": false, "az-Arab": true, "ja": false} {
		if got := fromRightToLeft(language.MustParse(tag)); got != want {
			t.Errorf("%s: %v", tag, got)
		}
	}
}
