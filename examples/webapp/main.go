// Webapp is a whole web program on roster: sign-up, the page behind mailed links,
// sign-in and sign-out, forgotten passwords, undoing what a stranger has changed,
// another address, another password. It is html/template and net/http, no
// framework and no script.
//
//	go run ./examples/webapp
//
// Then open http://localhost:8080. The accounts are in webapp.db, and the mails
// lie in the folder mails, one .eml file each, until -smtp names a server.
//
// Begin with code.go, the page that a link in a mail leads to, since that is where
// most programs go wrong. app.go has the routes and what every request passes,
// page.go what every answer and error looks like; sign.go, password.go and
// account.go are one page after another. main.go opens and closes everything.
package main

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
	_ "time/tzdata" // so that every machine knows every time zone

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer"
	"github.com/go-roster/roster/password"
	"github.com/go-roster/roster/store/sqlite"
)

// config is what whoever runs the program decides.
type config struct {
	listen string     // where the server is, as localhost:8080
	base   string     // how people call it, as https://app.example.org
	db     string     // the file with the accounts
	mails  string     // the folder for mails while there is no server for them
	smtp   string     // the mail server; empty is none
	proxy  netip.Addr // whose X-Forwarded-For is true; zero is nobody's
}

func main() {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	var c config
	flag.StringVar(&c.listen, "listen", "localhost:8080", "where to listen")
	flag.StringVar(&c.base, "base", "http://localhost:8080", "how people call it; https but for localhost")
	flag.StringVar(&c.db, "db", "webapp.db", "the file with the accounts")
	flag.StringVar(&c.mails, "mails", "mails", "the folder for mails, without -smtp")
	flag.StringVar(&c.smtp, "smtp", "", "the mail server; the environment has SMTP_USER, SMTP_PASSWORD and MAIL_KEY")
	flag.Func("proxy", "the address of the proxy in front", func(s string) (err error) {
		c.proxy, err = netip.ParseAddr(s)
		return err
	})
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", c.listen)
	if err == nil {
		logger.Info("listening", "on", c.base)
		err = run(ctx, c, listener, logger)
	}
	if err != nil {
		logger.Error("stopped", "error", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, and then finishes what it has begun.
func run(ctx context.Context, c config, listener net.Listener, logger *slog.Logger) error {
	store, err := sqlite.Open(ctx, c.db)
	if err != nil {
		return err
	}
	defer store.Close()
	outbox, err := newOutbox(c, store, logger)
	if err != nil {
		return err
	}
	options := accounts(c.base)
	options.Mailer, options.Logger = outbox, logger
	users, err := roster.New(store, &options)
	if err != nil {
		return err
	}
	handler, err := newApp(users, c.base, c.proxy, logger)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: handler, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}

	// The workers outlive the requests, whose mails they send.
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	var workers sync.WaitGroup
	workers.Go(func() { _ = outbox.Run(working) }) // until it is stopped
	workers.Go(func() { prune(working, users, logger) })
	defer workers.Wait()
	defer stop()

	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	err = server.Shutdown(closing)
	stop()
	workers.Wait() // what they had in hand goes back
	return errors.Join(err, deliver(closing, outbox))
}

// accounts are the options that make these the accounts of this program. A test
// takes them, too.
func accounts(base string) roster.Options {
	const page = "/code?code={code}" // one page for all codes, see code.go
	return roster.Options{
		ActivationURL: base + page,
		ResetURL:      base + page,
		UndoURL:       base + page,
		Policy:        password.Policy{Words: []string{"webapp"}},
	}
}

// newOutbox keeps mails beside their causes until they are sent: to a server, or
// into a folder while there is none.
func newOutbox(c config, store mailer.OutboxStore, logger *slog.Logger) (*mailer.Outbox, error) {
	composer, err := mailer.New(mailer.Options{From: "Webapp <accounts@example.org>", URL: c.base})
	if err != nil {
		return nil, err
	}
	options := &mailer.OutboxOptions{Logger: logger}
	if c.smtp == "" {
		options.StoreInClear = true
		return mailer.NewOutbox(store, composer, &mailer.Folder{Dir: c.mails, Logger: logger}, options)
	}
	key, err := hex.DecodeString(os.Getenv("MAIL_KEY"))
	if err != nil || len(key) < 32 {
		return nil, errors.New("MAIL_KEY must be 32 random bytes in hexadecimal, as openssl rand -hex 32 prints them")
	}
	options.Key = roster.NewSecret(string(key))
	server, err := mailer.NewSMTP(c.smtp, &mailer.SMTPOptions{
		Username: os.Getenv("SMTP_USER"), Password: roster.NewSecret(os.Getenv("SMTP_PASSWORD")),
	})
	if err != nil {
		return nil, err
	}
	return mailer.NewOutbox(store, composer, server, options)
}

// deliver sends what the last requests have queued. What cannot be sent now is
// sent when the program runs again.
func deliver(ctx context.Context, outbox *mailer.Outbox) error {
	_, err := outbox.Deliver(ctx, roster.Budget{})
	return err
}

// prune removes what has expired, every hour.
func prune(ctx context.Context, users *roster.Users, logger *slog.Logger) {
	for {
		removed, err := users.Prune(ctx, roster.Budget{Rows: 1000})
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			logger.Error("not pruned", "error", err)
		case removed.Total() > 0:
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Hour):
		}
	}
}
