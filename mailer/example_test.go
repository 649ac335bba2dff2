package mailer_test

import (
	"context"
	"fmt"
	"strings"
	"testing/fstest"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer"
)

// A mail is composed in the language of its reader, in words of the program's own
// where it has some.
func Example() {
	composer, err := mailer.New(mailer.Options{
		From:    "Example <accounts@example.org>",
		Support: "help@example.org",
		Now:     func() time.Time { return time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC) },
		Templates: fstest.MapFS{ // a real program has an embed.FS
			"locales/de.json": {Data: []byte(`{"hello": "Hallo {{.Name}}!"}`)},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := composer.Compose(context.Background(), roster.Mail{
		Kind: roster.MailResetPassword,
		User: &roster.User{
			Name: "ann", RealName: "Ann Example", Timezone: "Europe/Berlin", ActivatedAt: time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC),
		},
		To:        "ann@example.org",
		Code:      roster.NewSecret("x"),
		Link:      roster.NewSecret("https://example.org/reset#x"),
		ExpiresAt: time.Date(2030, 1, 1, 13, 0, 0, 0, time.UTC),
		Locale:    "de-AT",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.To)
	fmt.Println(m.Subject)
	fmt.Println()
	fmt.Print(strings.ReplaceAll(m.Text, "\u00a0", " ")) // before the zone
	// Output:
	// "Ann Example" <ann@example.org>
	// Neues Passwort für Example wählen
	//
	// Hallo Ann Example!
	//
	// Jemand, hoffentlich Sie selbst, hat um ein neues Passwort für das Konto ann bei Example gebeten.
	//
	// Ihr altes Passwort gilt, bis Sie ein neues gewählt haben.
	//
	// Neues Passwort wählen:
	// https://example.org/reset#x
	//
	// 1 Stunde gültig, bis 1. Januar 2030, 14:00 (UTC+1).
	//
	// Wenn Sie das nicht waren, brauchen Sie nichts zu tun: Ihr Passwort bleibt, wie es ist.
	//
	// Noch Fragen? help@example.org
	// Diese Mail hat Example automatisch verschickt.
}
