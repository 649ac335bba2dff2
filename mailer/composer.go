package mailer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/text/language"

	"github.com/go-roster/roster"
)

// Composer makes the mails of roster into messages that people can read. It is
// safe for concurrent use.
type Composer struct {
	opts      Options
	languages catalogues
	templates *templates
	names     []string // of the catalogues, as the matcher has them; the default comes first
	matcher   language.Matcher
}

// unproven are the kinds of mail to addresses that somebody has typed and
// nobody has proven.
var unproven = []roster.MailKind{
	roster.MailActivateAccount, roster.MailActivateEmail, roster.MailChangeEmail, roster.MailInvitation,
}

// New returns a Composer. It reports everything that is wrong with the options
// and the templates at once, joined: each mistake in a template or message, each
// message, plural form and placeholder that a language lacks. If the host has
// templates, every kind of mail is composed in every language to find them.
func New(opts Options) (*Composer, error) {
	c := &Composer{opts: opts}
	wrong := c.opts.complete()
	languages, err := newCatalogues(opts.Templates)
	errs := []error{wrong, err}
	c.languages = languages
	c.templates, err = newTemplates(opts.Templates, languages)
	errs = append(errs, err)
	if wrong == nil {
		errs = append(errs, c.match())
	}
	if errors.Join(errs...) == nil && opts.Templates != nil {
		errs = append(errs, c.try())
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("mailer.New: %w", err)
	}
	return c, nil
}

// Compose writes the message for a mail, in the language of its Locale as far
// as there is one. It returns an [*roster.InvalidError] of [roster.FieldEmail]
// if there is no address to send it to, of "kind" or "link" if that is none, an
// error of a template, or that of ctx.
func (c *Composer) Compose(ctx context.Context, m roster.Mail) (*Message, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	msg, err := c.compose(m, c.languages[c.Language(m.Locale)])
	if err != nil {
		return nil, fmt.Errorf("compose mail %s: %w", name(m.Kind), err)
	}
	return msg, nil
}

func (c *Composer) compose(m roster.Mail, cat *catalogue) (*Message, error) {
	if name(m.Kind) == "" {
		return nil, &roster.InvalidError{Field: "kind", Reason: roster.ReasonUnknown}
	}
	if link := m.Link.Reveal(); checkURL(link) != nil || link != "" && m.Code.IsZero() {
		return nil, &roster.InvalidError{Field: "link", Reason: roster.ReasonSyntax}
	}
	now := c.opts.Now()
	content, err := c.content(m, cat, now)
	if err != nil {
		return nil, err
	}
	content.Subject = shown(content.Subject, maxSubject)
	text, html, err := c.templates.execute(content)
	if err != nil {
		return nil, err
	}
	msg := &Message{
		Kind: m.Kind, Locale: cat.name,
		ID: newID(c.opts.Domain), Date: now.UTC(),
		From: c.opts.from, ReplyTo: c.opts.replyTo, To: Mailbox{Address: m.To},
		Subject: content.Subject, Text: text, HTML: html,
		Header: c.opts.Header,
	}
	if c.opts.SubjectPrefix != "" {
		msg.Subject = c.opts.SubjectPrefix + " " + msg.Subject
		if cat.rtl {
			msg.Subject = rightToLeftMark + msg.Subject // else the prefix says how to read it
		}
	}
	if known(m) && m.User.RealName != "" {
		msg.To.Name = phrase(m.User.RealName)
	}
	return msg, msg.check()
}

// maxSubject is how much of a subject is shown, in characters.
const maxSubject = 160

// name is the name of a kind of mail, empty if there is no such kind.
func name(kind roster.MailKind) string {
	if !slices.Contains(roster.MailKinds(), kind) {
		return ""
	}
	return string(kind)
}
