package mailer

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/go-roster/roster"
)

// try composes every kind of mail in every language, with and without a code or
// link, and lists what goes wrong. What is wrong with one template in many
// languages is listed once.
func (c *Composer) try() error {
	var errs []error
	seen := make(map[string]bool)
	for _, kind := range roster.MailKinds() {
		for _, lang := range c.Languages() {
			for _, m := range samples(kind) {
				_, err := c.compose(m, c.languages[lang])
				if err == nil || seen[err.Error()] {
					continue
				}
				seen[err.Error()] = true
				errs = append(errs, fmt.Errorf("mail %s in %s: %w", kind, lang, err))
			}
		}
	}
	return errors.Join(errs...)
}

// samples are mails of a kind: with a link, with the code alone, with nothing.
func samples(kind roster.MailKind) []roster.Mail {
	at := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	code := strings.Repeat("x", 43)
	ann := &roster.User{
		Name: "ann", RealName: "Ann Example", Timezone: "UTC", Enabled: true, ActivatedAt: at.AddDate(-1, 0, 0),
	}
	full := roster.Mail{
		Kind: kind, User: ann, To: "ann@example.org", ExpiresAt: at.Add(24 * time.Hour),
		Code: roster.NewSecret(code), Link: roster.NewSecret("https://example.org/#" + code),
	}
	if kind.IsNotice() {
		full.At, full.Failures, full.Emails = at, 3, []string{"ann@example.org"}
		full.Client = roster.Client{Addr: netip.MustParseAddr("2001:db8::1"), UserAgent: "Mozilla/5.0 (X11; Linux) Firefox/200.0"}
	}
	bare := full
	bare.Link = roster.Secret{}
	return []roster.Mail{full, bare, {Kind: kind, User: &roster.User{Name: "user-1", NameAuto: true}, To: "ann@example.org"}}
}
