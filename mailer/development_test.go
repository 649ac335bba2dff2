package mailer_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

func compose(t *testing.T, clock *rostertest.Clock) *mailer.Composer {
	t.Helper()
	opts := mailer.Options{From: "Example <accounts@example.org>"}
	if clock != nil {
		opts.Now = clock.Now
	}
	c, err := mailer.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The terminal shows what was committed, and nothing that would move its
// cursor.
func TestPrinter(t *testing.T) {
	var out bytes.Buffer
	printer := &mailer.Printer{Composer: compose(t, nil), Out: &out}
	env := rostertest.New(t, func(o *roster.Options) {
		o.Mailer, o.ActivationURL = printer, "https://app.example.org/#{code}"
	})
	ctx := context.Background()
	change := errors.New("changed my mind")
	err := env.Atomic(ctx, func(ctx context.Context) error {
		_, err := env.Register(ctx, roster.NewUser{Name: "ben", Email: "ben@example.org", Password: rostertest.Password})
		return errors.Join(err, change)
	})
	if !errors.Is(err, change) || out.Len() > 0 {
		t.Fatalf("%v, and it printed %q", err, out.String())
	}
	_, err = env.Register(ctx, roster.NewUser{
		Name: "layla", RealName: "ليلى", Email: "layla@example.org", Password: rostertest.Password, Locale: "ar",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"To:      layla@example.org\n", "From:    Example <accounts@example.org>\n", "https://app.example.org/#", "layla"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.ContainsAny(out.String(), "\x1b\r\u2068\u2069\u200f") {
		t.Errorf("%q", out.String())
	}
	if err := printer.Send(ctx, roster.Mail{Kind: roster.MailResetPassword, To: "nobody"}); !errors.Is(err, roster.ErrInvalid) {
		t.Errorf("to nobody: %v", err)
	}
}

// Each mail is a file that a mail program opens, in the folder and nowhere
// else.
func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	var log bytes.Buffer
	clock := rostertest.NewClock()
	folder := &mailer.Folder{Composer: compose(t, clock), Dir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	ctx := context.Background()
	addresses := []string{"ann@example.org", "../../etc/x/y@example.org", ".hidden@example.org", "ü|*?@example.org", strings.Repeat("a", 64) + "@" + strings.Repeat("b.", 90) + "org"}
	sent := 0
	for range 2 { // at the same moment, of the same kind
		for _, address := range addresses {
			err := folder.Send(ctx, roster.Mail{Kind: roster.MailAddressTaken, User: &roster.User{Name: "ann"}, To: address})
			if _, bad := roster.AddressKey(address); (bad != nil) != (err != nil) {
				t.Errorf("%s: %v", address, err)
			}
			if err == nil {
				sent++
			}
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != sent || sent < 6 {
		t.Fatalf("%d files of %d mails, %v; %s", len(files), sent, err, &log)
	}
	for _, file := range files {
		name := file.Name()
		if !strings.HasPrefix(name, "20300101T120000.000000-address_taken-") || !strings.HasSuffix(name, ".eml") || len(name) > 200 || strings.ContainsAny(name, `/\:*?|`) {
			t.Errorf("name %q", name)
		}
		if info, err := file.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
		text, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mail.ReadMessage(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_ = text.Close()
	}

	// What cannot be written does not undo what caused it, and is told.
	folder.Dir = filepath.Join(dir, files[0].Name())
	err = folder.Send(ctx, roster.Mail{Kind: roster.MailAddressTaken, User: &roster.User{Name: "ann"}, To: "ann@example.org"})
	if err != nil || !strings.Contains(log.String(), "mail not written") || strings.Contains(log.String(), "@") {
		t.Errorf("%v, %s", err, &log)
	}
	folder.Logger = nil
	if err := folder.Send(ctx, roster.Mail{Kind: roster.MailAddressTaken, To: "ann@example.org"}); errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
}

// A program that is being developed has the outbox that it will have, and its
// mails in a folder or on the terminal: each once, also if it is sent again.
func TestDevelopmentTransports(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "mail")
	var out bytes.Buffer
	for name, transport := range map[string]mailer.Transport{"folder": &mailer.Folder{Dir: dir}, "printer": &mailer.Printer{Out: &out}} {
		store := memory.New()
		outbox, err := mailer.NewOutbox(store, compose(t, nil), transport, &mailer.OutboxOptions{Key: key})
		must(t, err)
		env := rostertest.NewOn(t, store, func(o *roster.Options) { o.Mailer = outbox })
		_, err = env.Register(ctx, roster.NewUser{Name: "ann", Email: "ann@example.org", Password: rostertest.Password})
		must(t, err)
		sent, err := outbox.Deliver(ctx, roster.Budget{})
		if err != nil || sent.Sent != 1 {
			t.Errorf("%s: %+v, %v", name, sent, err)
		}
	}
	if !strings.Contains(out.String(), "To:      ann@example.org\n") {
		t.Errorf("printed %q", out.String())
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%d files, %v", len(files), err)
	}
	msg, err := compose(t, nil).Compose(ctx, roster.Mail{
		Kind: roster.MailResetPassword, To: "ben@example.org", Code: roster.NewSecret("c"), ExpiresAt: time.Now().Add(time.Hour),
	})
	must(t, err)
	session, err := (&mailer.Folder{Dir: dir}).Dial(ctx)
	must(t, err)
	for range 2 {
		must(t, session.Send(ctx, msg))
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 2 {
		t.Errorf("%d files, %v", len(files), err)
	}
	must(t, session.Close())
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	session, err = (&mailer.Folder{Dir: filepath.Join(file, "ben@example.org")}).Dial(ctx)
	must(t, err)
	if err := session.Send(ctx, msg); err == nil || strings.Contains(err.Error(), "ben@") {
		t.Errorf("into a file: %v", err)
	}
}
