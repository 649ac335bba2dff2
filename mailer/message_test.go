package mailer

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/go-roster/roster"
)

// received is a message as a mail program takes it apart.
type received struct {
	header     mail.Header
	text, html string
}

func receive(t testing.TB, m *Message) received {
	t.Helper()
	raw, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n\x00") {
			t.Fatalf("a line of %d bytes: %.80q", len(line), line)
		}
		for _, b := range line {
			if b >= 0x80 && isASCII(m.To.Address) {
				t.Fatalf("a line that is not ASCII: %q", line)
			}
		}
	}
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	media, params, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	if err != nil || media != "multipart/alternative" {
		t.Fatalf("%s, %v", media, err)
	}
	r := received{header: parsed.Header}
	parts := multipart.NewReader(parsed.Body, params["boundary"])
	for _, want := range []string{"text/plain; charset=UTF-8", "text/html; charset=UTF-8"} {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		if got := part.Header.Get("Content-Type"); got != want {
			t.Fatalf("part %s, want %s", got, want)
		}
		body := decode(t, part)
		if want[:10] == "text/plain" {
			r.text = body
		} else {
			r.html = body
		}
	}
	if _, err := parts.NextRawPart(); err != io.EOF {
		t.Fatalf("a third part: %v", err)
	}
	return r
}

func decode(t testing.TB, part *multipart.Part) string {
	t.Helper()
	body := io.Reader(part)
	switch encoding := part.Header.Get("Content-Transfer-Encoding"); encoding {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	default:
		t.Fatalf("encoding %q", encoding)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte("\n")); n != bytes.Count(text, []byte("\r\n")) {
		t.Fatal("a line does not end in CRLF")
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// fields are the headers that every message has, and no others.
var fields = []string{
	"Auto-Submitted", "Content-Language", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To",
	"X-Auto-Response-Suppress",
}

// checkReceived looks at what every message has to be, whatever is in it.
func checkReceived(t testing.TB, m *Message, r received) {
	t.Helper()
	if got := slices.Sorted(maps.Keys(r.header)); !slices.Equal(got, fields) {
		t.Fatalf("headers %q", got)
	}
	for name, values := range r.header {
		if len(values) != 1 {
			t.Fatalf("%s: %q", name, values)
		}
	}
	to, err := r.header.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Address != m.To.Address || to[0].Name != m.To.Name || strings.Contains(r.header.Get("To"), `"=?`) {
		t.Fatalf("To %q: %v, %v", r.header.Get("To"), to, err)
	}
	from, err := r.header.AddressList("From")
	if err != nil || len(from) != 1 || from[0].Address != m.From.Address || from[0].Name != m.From.Name {
		t.Fatalf("From %q: %v, %v", r.header.Get("From"), from, err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(r.header.Get("Subject"))
	if err != nil || subject != m.Subject {
		t.Fatalf("subject %q, want %q, %v", subject, m.Subject, err)
	}
	if r.text != m.Text || r.html != m.HTML {
		t.Fatal("the text or the HTML is another one")
	}
	if msg, err := m.Msg(); err != nil {
		t.Fatal(err)
	} else if rcpts, err := msg.GetRecipients(); err != nil || len(rcpts) != 1 || rcpts[0] != "<"+m.To.Address+">" {
		t.Fatalf("recipients %q, %v; want %q", rcpts, err, m.To.Address)
	}
}

// elements lists the elements of a page that do something, with the addresses
// that they lead to.
func elements(t testing.TB, page string) []string {
	t.Helper()
	var all []string
	tokens := html.NewTokenizer(strings.NewReader(page))
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			if tokens.Err() != io.EOF {
				t.Fatal(tokens.Err())
			}
			return all
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		token := tokens.Token()
		switch token.Data {
		case "html", "head", "meta", "title", "style", "body", "div", "p", "h1", "span", "br", "table", "tr", "td":
		default:
			what := token.Data
			for _, a := range token.Attr {
				if a.Key == "href" || a.Key == "src" {
					what += " " + a.Val
				}
			}
			all = append(all, what)
		}
		for _, a := range token.Attr {
			if a.Key == "src" || a.Key == "background" || strings.HasPrefix(a.Key, "on") || strings.Contains(a.Val, "url(") {
				t.Fatalf("<%s %s=%q> loads or runs something", token.Data, a.Key, a.Val)
			}
		}
	}
}

const goldenLink = "https://example.org/reset#2NWW3pDdLqBjzJ-vqnYtTHKxKxK1kUc9u3hV_hL0wqE"

// wantElements are those of a page about a new password.
var wantElements = []string{"a " + goldenLink, "a " + goldenLink, "a https://example.org/"}

// What a user has typed is shown as what it is: no template, no element, no
// second line, and not without end.
func TestHostileNames(t *testing.T) {
	c := goldenComposer(t)
	for _, name := range []string{
		"{{.Code}}", "{{.T \"code\"}}", "{{", "<a href=http://evil.example>x</a>", "<script>alert(1)</script>", "http://evil.example/",
		"\"><img src=x>", "a\r\nBcc: victim@example.com", "a\n\nhttp://evil.example\n", "a\u2028b", "a\u202egnp.exe", "\u2067hidden", "\x1b[31m",
		"=?utf-8?q?x=0d=0aBcc:_v@example.com?=", `back\slash ü`, "<bob@evil.example>", "Bob, Eve", "\x00", strings.Repeat("🌸", 2500),
		strings.Repeat("x", 10<<10), "\xff\xfe", "  ", "\u200b",
	} {
		for _, lang := range []string{"en", "ar"} {
			user := &roster.User{Name: name, RealName: name, Locale: lang}
			mail := goldenMail(roster.MailResetPassword, user, "ann@example.org")
			m, err := c.Compose(context.Background(), mail)
			if err != nil {
				t.Fatalf("%.40q: %v", name, err)
			}
			r := receive(t, m)
			checkReceived(t, m, r)
			if got := elements(t, m.HTML); !cmp.Equal(got, wantElements) {
				t.Errorf("%.40q: elements %q", name, got)
			}
			plain, err := c.Compose(context.Background(), goldenMail(roster.MailResetPassword, &roster.User{Name: "a", RealName: "a", Locale: lang}, "ann@example.org"))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := strings.Count(m.Text, "\n"), strings.Count(plain.Text, "\n"); got != want {
				t.Errorf("%.40q makes %d lines of %d:\n%s", name, got, want, m.Text)
			}
			if len(m.Text) > len(plain.Text)+8*maxName || len(m.HTML) > len(plain.HTML)+50*maxName {
				t.Errorf("%.40q makes %d and %d bytes", name, len(m.Text), len(m.HTML))
			}
			if strings.ContainsAny(m.Text, "\u202e\u2067\x1b\x00\u2028") || strings.Contains(m.Text+m.HTML, "ZgotmplZ") {
				t.Errorf("%.40q: %q", name, m.Text)
			}
		}
	}
}

// An address that roster would not take is refused, and so is whatever else
// could become a header or a recipient.
func TestMalformedMessages(t *testing.T) {
	c := goldenComposer(t)
	for _, to := range []string{
		"", "ann", "ann@example.org\r\nBcc: b@example.org", "ann@example.org\n", "ann@example.org, b@example.org", "Ann <ann@example.org>",
		"a@evil.example> RCPT TO:<b@example.org", `" a@evil.example> "@example.org`, `"a b"@example.org`, "ann@[127.0.0.1]", "ann@example.org\x00",
		"=?utf-8?q?x?=@example.org", strings.Repeat("a", 65) + "@example.org",
	} {
		mail := goldenMail(roster.MailResetPassword, &roster.User{}, to)
		if _, err := c.Compose(context.Background(), mail); !errors.Is(err, roster.ErrInvalid) {
			t.Errorf("to %q: %v", to, err)
		}
	}
	user := readers[0].user
	good := goldenMail(roster.MailResetPassword, &user, "ann@example.org")
	bad := map[string]func(m *roster.Mail){
		"kind":       func(m *roster.Mail) { m.Kind = "../mail" },
		"javascript": func(m *roster.Mail) { m.Link = roster.NewSecret("javascript:alert(1)") },
		"user":       func(m *roster.Mail) { m.Link = roster.NewSecret("https://a:b@example.org/") },
		"newline":    func(m *roster.Mail) { m.Link = roster.NewSecret("https://example.org/\nx") },
		"long":       func(m *roster.Mail) { m.Link = roster.NewSecret("https://example.org/" + strings.Repeat("x", maxURL)) },
		"no code":    func(m *roster.Mail) { m.Code = roster.Secret{} },
	}
	for name, change := range bad {
		mail := good
		change(&mail)
		_, err := c.Compose(context.Background(), mail)
		if !errors.Is(err, roster.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "ann@") || strings.Contains(err.Error(), "2NWW") {
			t.Errorf("%s: the error tells too much: %v", name, err)
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Compose(ended, good); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}

	m, err := c.Compose(context.Background(), good)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(m *Message){
		"subject":      func(m *Message) { m.Subject = "a\r\nBcc: b@example.org" },
		"long subject": func(m *Message) { m.Subject = strings.Repeat("x", 1000) },
		"encoded":      func(m *Message) { m.Subject = "=?utf-8?q?x?=" },
		"id":           func(m *Message) { m.ID = "a b@example.org" },
		"short id":     func(m *Message) { m.ID = "a@example.org" },
		"no id":        func(m *Message) { m.ID = "" },
		"locale":       func(m *Message) { m.Locale = "de\r\nX: y" },
		"from":         func(m *Message) { m.From = Mailbox{} },
		"to":           func(m *Message) { m.To.Address = "a@b@c" },
		"reply":        func(m *Message) { m.ReplyTo.Address = "a" },
		"header":       func(m *Message) { m.Header = map[string]string{"X-A": "b\nc"} },
		"header name":  func(m *Message) { m.Header = map[string]string{"X-A: b\r\nX": "c"} },
		"ours":         func(m *Message) { m.Header = map[string]string{"bCC": "b@example.org"} },
	} {
		changed := *m
		change(&changed)
		var buf bytes.Buffer
		if n, err := changed.WriteTo(&buf); !errors.Is(err, roster.ErrInvalid) || n != 0 || buf.Len() != 0 {
			t.Errorf("%s: %d bytes, %v", name, buf.Len(), err)
		}
	}
}

// Bodies arrive as they were, whatever lines they have.
func TestBodies(t *testing.T) {
	c := goldenComposer(t)
	user := readers[0].user
	m, err := c.Compose(context.Background(), goldenMail(roster.MailNewSignIn, &user, "ann@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	m.Text = ".\n..\n.x\nFrom x\n" + strings.Repeat("y", 10<<10) + "\ntrailing \t \n--" + m.boundary()[:10] + "\nü 花\n\n"
	m.HTML = "<p>" + strings.Repeat("é", 6000) + "</p>\n"
	checkReceived(t, m, receive(t, m))
	again, _ := m.Bytes()
	if first, _ := m.Bytes(); !bytes.Equal(first, again) {
		t.Error("the bytes are others every time")
	}
	m.Text = "lone\rCR and\r\nCRLF and\x00NUL\n"
	if got := receive(t, m).text; got != "lone\nCR and\nCRLF andNUL\n" {
		t.Errorf("%q", got)
	}
}

// FuzzCompose composes mails to people of any name, with any address, and takes
// them apart as mail programs do.
func FuzzCompose(f *testing.F) {
	for _, s := range []string{"Ann Example", "{{.Code}}", "a\r\nBcc: b@c.example", `"\" <x@y.example>`, "=?utf-8?b?eA==?=", "ليلى", "🌸", "a\\ü"} {
		f.Add("ann", s, "ann@example.org", "de", "Firefox/1")
	}
	f.Add("ann", "x", "jürgen@exämple.org", "../../x", "curl/8")
	f.Add("ann", "x", `"a b"@example.org`, "en_US.UTF-8", "\r\n")
	c := goldenComposer(f)
	f.Fuzz(func(t *testing.T, name, realName, to, locale, agent string) {
		user := &roster.User{Name: name, RealName: realName}
		mail := goldenMail(roster.MailPasswordChanged, user, to)
		mail.Locale, mail.Client.UserAgent, mail.Emails = locale, agent, []string{to}
		m, err := c.Compose(context.Background(), mail)
		if _, bad := roster.AddressKey(to); bad != nil {
			if !errors.Is(err, roster.ErrInvalid) {
				t.Fatalf("to %q: %v", to, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		r := receive(t, m)
		checkReceived(t, m, r)
		if got := len(elements(t, r.html)); got != 3 {
			t.Fatalf("%d elements:\n%s", got, r.html)
		}
		if !slices.Contains(c.Languages(), m.Locale) {
			t.Fatalf("locale %q makes %q", locale, m.Locale)
		}
	})
}

// Who belongs to a directory is told whose password it is, and not how to get another
// one here.
func TestPasswordOfDirectory(t *testing.T) {
	c := goldenComposer(t)
	for _, language := range c.Languages() {
		user := &roster.User{Name: "ann", Locale: language, DirectoryID: "corp"}
		mail := goldenMail(roster.MailPasswordChanged, user, "ann@example.org")
		mail.Code, mail.Link, mail.ExpiresAt, mail.Emails = roster.Secret{}, roster.Secret{}, time.Time{}, nil
		with, err := c.Compose(context.Background(), mail)
		if err != nil {
			t.Fatal(err)
		}
		user.DirectoryID = ""
		without, err := c.Compose(context.Background(), mail)
		if err != nil {
			t.Fatal(err)
		}
		if len(with.Text) < len(without.Text)+20 || strings.Contains(with.Text, "other.") {
			t.Errorf("%s:\n%s", language, with.Text)
		}
	}
}
