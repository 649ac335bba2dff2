// Package mailer writes the mails of package roster, in the language of who
// reads them.
//
//	compose, err := mailer.New(mailer.Options{
//		From: "Example <accounts@example.org>",
//		URL:  "https://example.org/",
//	})
//
// A [Composer] makes a [Message] of a [roster.Mail]: a subject, a text and an
// HTML part, and the header. It has every kind of mail in 17 languages, see
// [Composer.Languages]; Options.Templates changes what does not suit, or adds a
// language.
//
// An [Outbox] is the [roster.Options].Mailer of a program that people use: it
// keeps each mail in the database, beside its cause, until a server has taken
// it from an [SMTP] transport.
//
//	server, err := mailer.NewSMTP("mail.example.org", &mailer.SMTPOptions{Username: "app", Password: password})
//	outbox, err := mailer.NewOutbox(store, compose, server, &mailer.OutboxOptions{Key: key})
//	users, err := roster.New(store, &roster.Options{Mailer: outbox})
//	go outbox.Run(ctx)
//
// A [Direct] does without, and may lose a mail. A [Printer] or a [Folder] is the
// [roster.Options].Mailer of a program that is being written, or the transport of
// its Outbox. Package mailertest has that of its tests.
//
// What a user has typed is shown as text in one line, cut to a length, and
// never taken for a template, for HTML or for a header. No mail holds a
// password, loads anything or tells that it was opened.
package mailer
