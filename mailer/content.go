package mailer

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/go-roster/roster"
)

// Content is what a template is executed with: the text of one mail in the
// reader's language, in pieces. A piece that a mail has not is empty. The words
// that it was filled in with are there, too.
type Content struct {
	Kind roster.MailKind
	Lang string // BCP 47 tag, for the lang attribute
	Dir  string // "ltr" or "rtl"
	URL  string // Options.URL

	Subject   string
	Hello     string
	Body      []string // paragraphs
	Details   []Detail // when and from where something happened
	Valid     string   // how long the code is good
	NotYou    string   // what to do if it was somebody else
	Accept    string   // what to do if it was the reader, who gives up the mailbox
	Support   string   // where to ask
	Automatic string

	// Either there is a Link, for which there are the text of a Button, that
	// text before a colon, and what to say to those whose button is broken; or
	// there is a Code and what stands before it; or neither.
	Link        string
	Button      string
	ButtonLabel string
	LinkHint    string
	Code        string
	CodeLabel   string

	Words

	cat   *catalogue
	count int
	err   error
}

// Detail is one line of facts.
type Detail struct {
	Label string // with a colon, and the space after it if the language has one
	Value string
}

// T is a message of the catalogue, for templates of the host:
// {{.T "notice.not_you"}}. It returns an error if there is no such message.
func (c *Content) T(id string) (string, error) { return c.cat.say(id, c.count, &c.Words) }

// say is T where an error can wait.
func (c *Content) say(id string) string {
	s, err := c.T(id)
	c.err = cmp.Or(c.err, err)
	return s
}

// counted is say with a number in it.
func (c *Content) counted(id string, n int) string {
	c.count, c.Count = n, strconv.Itoa(n)
	return c.say(id)
}

// label is a text before a colon, as the language writes it.
func (c *Content) label(text string) string {
	c.Label = text
	return c.say("label")
}

// paragraphs are the lines of a message. What it was filled in with has none.
func (c *Content) paragraphs(id string) []string { return strings.Split(c.say(id), "\n") }

// content says what a mail has to say.
func (c *Composer) content(m roster.Mail, cat *catalogue, now time.Time) (*Content, error) {
	p := &Content{Kind: m.Kind, Lang: cat.tag.String(), Dir: "ltr", URL: c.opts.URL, Words: *c.words(m, cat), cat: cat}
	if cat.rtl {
		p.Dir = "rtl"
	}
	zone := time.UTC
	if m.User != nil {
		zone = m.User.Location()
	}
	kind := string(m.Kind)
	p.Subject = p.say(kind + ".subject")
	p.Hello = p.say("hello_nobody")
	if p.Name != "" {
		p.Hello = p.say("hello")
	}
	p.Body = p.paragraphs(kind + ".body")
	p.Automatic = p.say("automatic")
	if p.Words.Support != "" {
		p.Support = p.say("support")
	}
	if m.Kind.IsNotice() {
		p.notice(m, zone)
	}
	coded := !m.Code.IsZero() && m.Kind != roster.MailAddressTaken && m.Kind != roster.MailMustChangePassword
	if coded {
		p.code(m, now, zone)
	}
	switch {
	case !m.Kind.IsNotice():
		p.NotYou = p.say(kind + ".not_you")
	case m.Kind == roster.MailMustChangePassword: // nothing was done yet
	case coded:
		p.NotYou = p.say("notice.not_you_undo")
		if m.Kind == roster.MailEmailChanged || m.Kind == roster.MailEmailRemoved {
			p.Accept = p.say("notice.accept")
		}
	default:
		p.NotYou = p.say("notice.not_you")
	}
	return p, p.err
}

// notice says what has happened, when and from where.
func (c *Content) notice(m roster.Mail, zone *time.Location) {
	switch m.Kind {
	case roster.MailPasswordChanged:
		if m.User != nil && m.User.DirectoryID != "" {
			c.Body = append(c.Body, c.say("password_changed.directory"))
		}
		if c.Addresses != "" {
			c.Body = append(c.Body, c.say("password_changed.addresses"))
		}
	case roster.MailMustChangePassword:
		if !m.ExpiresAt.IsZero() {
			c.at(m.ExpiresAt, zone)
			c.Body = append(c.Body, c.say("must_change_password.until"))
		}
	case roster.MailSignInAfterFailures:
		if m.Failures > 0 {
			c.Body = append(c.Body, c.counted("sign_in_after_failures.failures", m.Failures))
		}
	}
	detail := func(id, value string) {
		if value == "" {
			return
		}
		label := c.label(c.say(id))
		if !strings.HasSuffix(label, "：") { // which is as wide as a colon and a space
			label += " "
		}
		c.Details = append(c.Details, Detail{label, value})
	}
	if !m.At.IsZero() {
		c.at(m.At, zone)
		detail("notice.when", c.When)
	}
	if m.Kind == roster.MailGeneratedPassword || m.Kind == roster.MailMustChangePassword {
		return // from where an administrator works is nobody's business
	}
	detail("notice.device", isolated(c.Device, c.cat.rtl))
	detail("notice.network", isolated(c.Network, c.cat.rtl))
}

// code says what to do with a code, and until when.
func (c *Content) code(m roster.Mail, now time.Time, zone *time.Location) {
	if m.Link.IsZero() {
		c.Code, c.CodeLabel = m.Code.Reveal(), c.label(c.say("code"))
	} else {
		id := string(m.Kind) + ".button"
		if m.Kind.IsNotice() {
			id = "notice.undo"
		}
		c.Link, c.Button, c.LinkHint = m.Link.Reveal(), c.say(id), c.say("link_hint")
		c.ButtonLabel = c.label(c.Button)
	}
	if m.ExpiresAt.IsZero() {
		return
	}
	c.at(m.ExpiresAt, zone)
	unit, n := span(m.ExpiresAt.Sub(now))
	c.Valid = c.counted("valid."+unit, n)
}

func (c *Content) at(t time.Time, zone *time.Location) {
	c.err = cmp.Or(c.err, c.Words.moment(c.cat, t, zone))
}
