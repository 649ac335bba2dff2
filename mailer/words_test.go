package mailer

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// People measure time in the unit that suits, and are promised no more than
// there is.
func TestSpan(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		unit string
		n    int
	}{
		{-time.Hour, "minutes", 1},
		{0, "minutes", 1},
		{30 * time.Second, "minutes", 1},
		{15 * time.Minute, "minutes", 15},
		{59*time.Minute + 58*time.Second, "hours", 1},
		{time.Hour, "hours", 1},
		{90 * time.Minute, "minutes", 91},
		{2 * time.Hour, "hours", 2},
		{24*time.Hour - time.Second, "hours", 24},
		{24 * time.Hour, "hours", 24},
		{47 * time.Hour, "hours", 47},
		{48 * time.Hour, "days", 2},
		{7*24*time.Hour - time.Minute, "days", 7},
		{6*24*time.Hour + 23*time.Hour, "days", 6},
	} {
		if unit, n := span(c.d); unit != c.unit || n != c.n {
			t.Errorf("%s: %d %s, want %d %s", c.d, n, unit, c.n, c.unit)
		}
	}
}

// Zones are told by what they add to UTC, the day is that of the reader, and
// the first of a month has a name of its own in some languages.
func TestMoment(t *testing.T) {
	all := builtInLanguages(t)
	at := time.Date(2030, 2, 28, 23, 5, 0, 0, time.UTC)
	for _, c := range []struct{ lang, zone, want string }{
		{"en", "UTC", "28 February 2030, 23:05\u00a0(UTC)"},
		{"fr", "Europe/Paris", "1er mars 2030 à 00:05\u00a0(UTC+1)"},
		{"en", "Asia/Kathmandu", "1 March 2030, 04:50\u00a0(UTC+5:45)"},
		{"es", "America/St_Johns", "28 de febrero de 2030, 19:35\u00a0(UTC−3:30)"},
		{"ca", "UTC", "28 de febrer de 2030, 23:05\u00a0(UTC)"},
		{"ja", "Asia/Tokyo", "2030年3月1日 08:05\u00a0(UTC+9)"},
		{"ar", "Asia/Riyadh", "1 مارس 2030، \u206802:05\u00a0(UTC+3)\u2069"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		var w Words
		if err := w.moment(all[c.lang], at, zone); err != nil || w.When != c.want {
			t.Errorf("%s in %s: %q, %v; want %q", c.lang, c.zone, w.When, err, c.want)
		}
	}
}

// Devices have the names that people know them by.
func TestDevice(t *testing.T) {
	for agent, want := range map[string]string{
		"": "", "curl/8.5.0": "curl", strings.Repeat(" ", 512) + "Firefox/1": "", "evil.example/x": "", "a b/c": "", "<b>/1": "", strings.Repeat("x", 5000): strings.Repeat("x", 47) + "…",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0":      "Edge, Windows",
		"Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36":                   "Chrome, Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/604.1":  "Safari, iPhone",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15\r\nX: y": "Safari, macOS",
		"Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0":                                                     "Firefox, Linux",
	} {
		if got := device(agent); got != want {
			t.Errorf("%.60q: %q, want %q", agent, got, want)
		}
	}
	if got := network(roster.Client{Addr: netip.MustParseAddr("::ffff:192.0.2.1")}); got != "192.0.2.1" {
		t.Errorf("%q", got)
	}
}

// To an address that anybody may have typed goes no more of a stranger's words
// than the name of the account.
func TestUnprovenAddresses(t *testing.T) {
	c := goldenComposer(t)
	for _, kind := range roster.MailKinds() {
		for _, activated := range []bool{true, false} {
			user := &roster.User{Name: "ann", RealName: "You won! See evil.example"}
			mail := goldenMail(kind, user, "ann@example.org")
			if !activated {
				user.ActivatedAt = time.Time{}
			}
			m, err := c.Compose(context.Background(), mail)
			if err != nil {
				t.Fatal(err)
			}
			open := kind == roster.MailActivateAccount || kind == roster.MailActivateEmail || kind == roster.MailChangeEmail || kind == roster.MailInvitation
			said := strings.Contains(m.Text, "evil.example") || strings.Contains(m.HTML, "evil.example") || m.To.Name != ""
			if want := activated && !open; said != want {
				t.Errorf("%s, activated %v: the real name is said: %v", kind, activated, said)
			}
		}
	}
	// A name that was made up is of no use to anybody.
	m, err := c.Compose(context.Background(), goldenMail(roster.MailActivateAccount, &roster.User{Name: "user-1", NameAuto: true}, "ann@example.org"))
	if err != nil || strings.Contains(m.Text, "user-1") || !strings.Contains(m.Text, "called ann@example.org") {
		t.Errorf("%v\n%s", err, m.Text)
	}
}

// Values of the other direction are set apart; others are left as they were
// typed, so that they can be copied.
func TestIsolated(t *testing.T) {
	for _, c := range []struct {
		s    string
		rtl  bool
		want string
	}{
		{"ann", false, "ann"},
		{"ann", true, "\u2068ann\u2069"},
		{"ليلى", false, "\u2068ليلى\u2069"},
		{"שרה", false, "\u2068שרה\u2069"},
		{"花子", false, "花子"},
		{"", true, ""},
	} {
		if got := isolated(c.s, c.rtl); got != c.want {
			t.Errorf("%q %v: %q", c.s, c.rtl, got)
		}
	}
}

// No mail holds more of a secret than its one link or code.
func TestSecrets(t *testing.T) {
	c := goldenComposer(t)
	for _, kind := range roster.MailKinds() {
		user := readers[0].user
		mail := goldenMail(kind, &user, "ann@example.org")
		code := mail.Code.Reveal()
		for _, link := range []roster.Secret{mail.Link, {}} {
			mail.Link = link
			m, err := c.Compose(context.Background(), mail)
			if err != nil {
				t.Fatal(err)
			}
			if code == "" {
				continue
			}
			links := strings.Count(m.HTML, code)
			if want := map[bool]int{true: 1, false: 3}[link.IsZero()]; links != want || strings.Count(m.Text, code) != 1 {
				t.Errorf("%s: the code is %d times in the HTML, %d in the text", kind, links, strings.Count(m.Text, code))
			}
			if !strings.Contains(m.Text, "Valid for") {
				t.Errorf("%s does not say until when:\n%s", kind, m.Text)
			}
		}
	}
}
