package mailer

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-roster/roster"
)

// Everything that is wrong with the options is said at once.
func TestOptionMistakes(t *testing.T) {
	_, err := New(Options{
		From: "a@b@c", ReplyTo: "x\r\nBcc: y", Service: "a\nb", Support: strings.Repeat("x", 600), SubjectPrefix: "=?utf-8?q?x?=",
		URL: "javascript:alert(1)", Locale: "no such language", Domain: "host name",
		Header: map[string]string{"Bcc": "b@example.org", "X A": "b", "X-B": "c\r\nd"},
	})
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	for _, want := range []string{
		"option From", "option ReplyTo", "option Service", "option Support", "option SubjectPrefix", "option URL", "option Locale",
		"option Domain", "option Header: Bcc", "option Header: has a name", "option Header: roster: invalid X-B",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not said in %v", want, err)
		}
	}
	for _, url := range []string{"https://a:b@example.org", "ftp://example.org", "https://", "https://example.org/\r\n", "//example.org"} {
		if _, err := New(Options{From: "a@example.org", URL: url}); err == nil {
			t.Errorf("URL %q is taken", url)
		}
	}
	if _, err := New(Options{From: "a@example.org", Locale: "fi"}); err == nil {
		t.Error("a language that there is not is the default")
	}
}

// What is not said follows from the sender.
func TestDefaults(t *testing.T) {
	for from, want := range map[string][2]string{
		"Example <a@mail.example.org>": {"Example", "@mail.example.org"},
		"a@exämple.org":                {"xn--exmple-cua.org", "@xn--exmple-cua.org"},
	} {
		c, err := New(Options{From: from})
		if err != nil {
			t.Fatal(err)
		}
		m, err := c.Compose(context.Background(), roster.Mail{Kind: roster.MailAddressTaken, User: &roster.User{Name: "ann"}, To: "ann@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(m.Subject, want[0]) || !strings.HasSuffix(m.ID, want[1]) || m.Locale != "en" || time.Since(m.Date) > time.Hour {
			t.Errorf("%s: %+v", from, m)
		}
		if strings.Contains(m.Text, "Questions") || strings.Contains(m.HTML, "href") {
			t.Errorf("%s: there is nobody to ask, and nowhere to go:\n%s", from, m.Text)
		}
		again, err := c.Compose(context.Background(), roster.Mail{Kind: roster.MailAddressTaken, User: &roster.User{}, To: "ann@example.org"})
		if err != nil || again.ID == m.ID {
			t.Errorf("two mails have one ID: %v", err)
		}
	}
}

// The other options end up where they belong.
func TestOptions(t *testing.T) {
	opts := plainOptions
	opts.ReplyTo, opts.Domain, opts.Header = "Help <help@example.org>", "mail.example.net", map[string]string{"X-Stream": "accounts"}
	c, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	opts.Header["X-Stream"] = "changed later"
	user := readers[0].user
	m, err := c.Compose(context.Background(), goldenMail(roster.MailResetPassword, &user, "ann@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	r := receive(t, m)
	for name, want := range map[string]string{
		"Reply-To": `"Help" <help@example.org>`, "X-Stream": "accounts", "To": `"Ann Example" <ann@example.org>`,
		"Auto-Submitted": "auto-generated", "Mime-Version": "1.0",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !strings.HasSuffix(m.ID, "@mail.example.net") || !strings.Contains(m.Text, "help@example.org") {
		t.Errorf("%+v", m)
	}
}

// Whatever is stored as a locale, there is a language for it.
func TestLanguage(t *testing.T) {
	c, err := New(Options{From: "a@example.org", Locale: "nl"})
	if err != nil {
		t.Fatal(err)
	}
	for locale, want := range map[string]string{
		"": "nl", "de": "de", "de-AT": "de", "de_CH": "de", "DE": "de", "pt": "pt", "pt-PT": "pt", "pt-BR": "pt-BR", "pt-AO": "pt",
		"zh": "zh-Hans", "zh-CN": "zh-Hans", "zh-Hans-SG": "zh-Hans", "en-GB": "en", "ar-EG": "ar", "ja-JP-u-ca-japanese": "ja", "es-419": "es",
		"fi": "nl", "../../etc/passwd": "nl", "en_US.UTF-8": "nl", "de\x00": "nl", "*": "nl", "de,en;q=0.5": "nl",
		strings.Repeat("de-", 1<<20): "nl", strings.Repeat("x", 36): "nl",
		"de-x-aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaaaa": "nl",
	} {
		if got := c.Language(locale); got != want {
			t.Errorf("%.40q: %s, want %s", locale, got, want)
		}
	}
	// Nor does it matter what comes first.
	for _, first := range offered {
		c, err := New(Options{From: "a@example.org", Locale: first})
		if err != nil {
			t.Fatal(err)
		}
		for locale, want := range map[string]string{"": first, "fi": first, "pt": "pt", "pt-PT": "pt", "pt-AO": "pt", "pt-BR": "pt-BR", "zh-CN": "zh-Hans"} {
			if got := c.Language(locale); got != want {
				t.Errorf("%q where %s comes first: %s, want %s", locale, first, got, want)
			}
		}
	}
	if !slices.Equal(c.Languages(), offered) {
		t.Errorf("%q", c.Languages())
	}
}

// What the host has comes before what is built in, the nearer before the
// farther.
func TestTemplates(t *testing.T) {
	opts := plainOptions
	opts.Templates = fstest.MapFS{
		"locales/en.json":        {Data: []byte(`{"reset_password": {"subject": "Forgotten?"}, "hello": "Ahoy {{.Name}}!"}`)},
		"mail.txt":               {Data: []byte("all {{.Hello}}\r\n\r\n\r\n\r\nend  \n")},
		"reset_password.txt":     {Data: []byte("reset {{.Link}} {{.Account}} {{.T \"month.02\"}}")},
		"reset_password.de.txt":  {Data: []byte("zurück {{.Link}}")},
		"invitation.html":        {Data: []byte(`<p title={{.Account}}>{{.Account}}</p><a href="{{.Link}}">x</a>`)},
		"mail.de.html":           {Data: []byte("<p>alles</p>")},
		"locales/README.md.html": {Data: []byte("x")},
	}
	if _, err := New(opts); err == nil {
		t.Error("a file in locales that is no catalogue is overlooked")
	}
	delete(opts.Templates.(fstest.MapFS), "locales/README.md.html")
	c, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	compose := func(kind roster.MailKind, lang string) *Message {
		t.Helper()
		user := &roster.User{Name: "a\"<b>", RealName: "Ann", Locale: lang}
		m, err := c.Compose(context.Background(), goldenMail(kind, user, "ann@example.org"))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, test := range []struct{ name, got, want string }{
		{"subject", compose(roster.MailResetPassword, "en").Subject, "Forgotten?"},
		{"all kinds", compose(roster.MailNewSignIn, "en").Text, "all Ahoy Ann!\n\nend\n"},
		{"one kind", compose(roster.MailResetPassword, "en").Text, "reset " + goldenLink + " a\"<b> February\n"},
		{"one kind, one language", compose(roster.MailResetPassword, "de").Text, "zurück " + goldenLink + "\n"},
		{"all kinds, one language", compose(roster.MailResetPassword, "de").HTML, "<p>alles</p>"},
		{
			"one kind before one language", compose(roster.MailInvitation, "de").HTML,
			`<p title=a&#34;&lt;b&gt;>a&#34;&lt;b&gt;</p><a href="` + strings.Replace(goldenLink, "reset", "activate", 1) + `">x</a>`,
		},
	} {
		if test.got != test.want {
			t.Errorf("%s: %q, want %q", test.name, test.got, test.want)
		}
	}
	if !strings.HasPrefix(compose(roster.MailInvitation, "en").Text, "all") {
		t.Error("a template of another kind was taken")
	}
}
