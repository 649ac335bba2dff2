package mailer

import (
	"bytes"
	"context"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
)

var (
	update = flag.Bool("update", false, "write the golden messages instead of comparing them")
	pages  = flag.String("pages", "", "write the HTML of the golden messages into this folder, to look at")
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// readers are people of five languages, with names and addresses as they have
// them.
var readers = []struct {
	user roster.User
	to   string
}{
	{roster.User{Name: "ann", RealName: "Ann Example", Locale: "en", Timezone: "America/New_York"}, "ann@example.org"},
	{roster.User{Name: "jürgen", RealName: "Jürgen Groß", Locale: "de", Timezone: "Europe/Berlin"}, "juergen@example.org"},
	{roster.User{Name: "花子", RealName: "山田 花子 🌸", Locale: "ja", Timezone: "Asia/Tokyo"}, "hanako@example.org"},
	{roster.User{Name: "layla", RealName: "ليلى حداد", Locale: "ar", Timezone: "Asia/Riyadh"}, "layla@example.org"},
	{roster.User{Name: "анна", RealName: "Анна Петрова", Locale: "ru", Timezone: "Asia/Kolkata"}, "anna@example.org"},
}

// goldenMail is a mail of a kind to a reader, as roster sends it.
func goldenMail(kind roster.MailKind, u *roster.User, to string) roster.Mail {
	u.Enabled, u.ActivatedAt = true, noon.AddDate(-1, 0, 0)
	m := roster.Mail{Kind: kind, User: u, To: to, Locale: u.Locale}
	code := "2NWW3pDdLqBjzJ-vqnYtTHKxKxK1kUc9u3hV_hL0wqE"
	page, ttl := "activate", 24*time.Hour
	if kind.IsNotice() {
		m.At = noon
		m.Client = roster.Client{Addr: netip.MustParseAddr("2001:db8::17"), UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"}
		page, ttl = "undo", 7*24*time.Hour
	}
	switch kind {
	case roster.MailAddressTaken, roster.MailNewSignIn:
		return m
	case roster.MailSignInAfterFailures:
		m.Failures = 23
		return m
	case roster.MailMustChangePassword:
		m.ExpiresAt = noon.Add(72 * time.Hour)
		return m
	case roster.MailResetPassword:
		page, ttl = "reset", time.Hour
	case roster.MailPasswordChanged:
		m.Emails = []string{to, "other." + to}
	}
	m.Code, m.ExpiresAt = roster.NewSecret(code), noon.Add(ttl)
	m.Link = roster.NewSecret("https://example.org/" + page + "#" + code)
	return m
}

func goldenComposer(t testing.TB) *Composer {
	t.Helper()
	opts := plainOptions
	opts.From, opts.SubjectPrefix = "Example Café <accounts@example.org>", "[Café]"
	opts.Now = func() time.Time { return noon }
	c, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Each kind reads as it should in five languages: testdata/<language>/<kind>.eml
// is what is sent, .txt what people read who see no HTML.
func TestGolden(t *testing.T) {
	c := goldenComposer(t)
	for _, r := range readers {
		for _, kind := range roster.MailKinds() {
			user := r.user
			m, err := c.Compose(context.Background(), goldenMail(kind, &user, r.to))
			if err != nil {
				t.Fatal(err)
			}
			m.ID = "abcdefghijklmnopqrstuvwxyz@example.org"
			eml, err := m.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			base := filepath.Join("testdata", user.Locale, string(kind))
			compareGolden(t, base+".eml", eml)
			compareGolden(t, base+".txt", []byte(m.Subject+"\n\n"+m.Text))
			if *pages != "" {
				name := user.Locale + "-" + string(kind) + ".html"
				if err := os.WriteFile(filepath.Join(*pages, name), []byte(m.HTML), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func compareGolden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (-want +got); go test ./mailer -update writes it anew:\n%s", file,
			cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")))
	}
}
