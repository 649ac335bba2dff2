package mailer

import (
	"bytes"
	"io"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/go-roster/roster"
)

// Mailbox is a name and an address, such as Ann Example <ann@example.org>.
type Mailbox struct {
	Name    string // as people read it; may be empty
	Address string // one that [roster.AddressKey] accepts
}

// String is the mailbox as the header of a mail has it, empty if the address is
// no address.
func (b Mailbox) String() string { return roster.FormatMailbox(b.Name, b.Address) }

// Message is a mail that was composed: what the reader sees and what the
// servers are told. It can be kept and sent again; its bytes are always the
// same, so that a second copy is known for what it is. Its text has the code, so
// it belongs in no log.
type Message struct {
	Kind   roster.MailKind
	Locale string // of the text: the name of a catalogue, "pt-BR" say

	ID      string // Message-ID without the angle brackets
	Date    time.Time
	From    Mailbox
	ReplyTo Mailbox // zero: none
	To      Mailbox // the one recipient
	Subject string
	Text    string // lines end in \n
	HTML    string
	Header  map[string]string // fields besides, as Options.Header has them
}

// WriteTo writes the message as RFC 5322 has it, with its text and HTML as
// alternatives, in lines of at most 998 bytes that end in CRLF. It returns an
// [*roster.InvalidError] before the first byte if a part of the message is
// malformed, see [Message.Msg].
func (m *Message) WriteTo(w io.Writer) (int64, error) {
	msg, err := m.Msg()
	if err != nil {
		return 0, err
	}
	var buf bytes.Buffer // so that nobody gets half a header
	if _, err := msg.WriteTo(&buf); err != nil {
		return 0, err
	}
	return buf.WriteTo(w)
}

// Bytes is what WriteTo writes.
func (m *Message) Bytes() ([]byte, error) {
	var buf bytes.Buffer
	_, err := m.WriteTo(&buf)
	return buf.Bytes(), err
}

// Msg is the message as package go-mail sends it. The envelope's sender and
// recipient are From and To. It returns an [*roster.InvalidError]: of
// [roster.FieldEmail] if an address is none, of the header's name if a header
// holds a line break, a control or an ID that is none. Nothing that a message
// holds can add a header, a recipient or a part.
func (m *Message) Msg() (*gomail.Msg, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(
		gomail.WithNoDefaultUserAgent(),
		gomail.WithCharset(gomail.CharsetUTF8),
		gomail.WithEncoding(encodingOf(m.Subject)),
		gomail.WithBoundary(m.boundary()),
	)
	msg.FromMailAddress(m.From.parsed())
	msg.ToMailAddress(m.To.parsed())
	if m.ReplyTo != (Mailbox{}) {
		msg.ReplyToMailAddress(m.ReplyTo.parsed())
	}
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(m.ID)
	msg.SetDateWithValue(m.Date)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834, section 5
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")  // the same for Exchange
	if m.Locale != "" {
		msg.SetGenHeader("Content-Language", m.Locale)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Header)) {
		msg.SetGenHeader(gomail.Header(name), m.Header[name])
	}
	text, html := crlf(m.Text), crlf(m.HTML)
	msg.SetBodyString(gomail.TypeTextPlain, text, gomail.WithPartEncoding(encodingOf(text)))
	if html != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, html, gomail.WithPartEncoding(encodingOf(html)))
	}
	return msg, nil
}

// check refuses what would not be one header, or not one recipient.
func (m *Message) check() error {
	boxes := []Mailbox{m.From, m.To}
	if m.ReplyTo != (Mailbox{}) {
		boxes = append(boxes, m.ReplyTo)
	}
	for _, box := range boxes {
		if _, err := roster.AddressKey(box.Address); err != nil {
			return err
		}
	}
	fields := map[string]string{"Subject": m.Subject, "Content-Language": m.Locale}
	for name, value := range m.Header {
		if !fieldName(name) || ours(name) {
			return &roster.InvalidError{Field: "header", Reason: roster.ReasonSyntax}
		}
		fields[name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if err := checkLine(name, fields[name]); err != nil {
			return err
		}
	}
	if !messageID(m.ID) {
		return &roster.InvalidError{Field: "Message-ID", Reason: roster.ReasonSyntax}
	}
	return nil
}

// boundary is made of the ID, so that the bytes of a message stay the same. No
// part has it in it: nobody knows an ID before it is made.
func (m *Message) boundary() string {
	id, _, _ := strings.Cut(m.ID, "@")
	return id
}

// parsed is the mailbox for package go-mail, its name in a form that survives
// the encoding of headers.
func (b Mailbox) parsed() *mail.Address {
	return &mail.Address{Name: phrase(b.Name), Address: b.Address}
}

// encodingOf is quoted-printable for text that is mostly ASCII, which it leaves
// readable, and base64, which is shorter then, for other text.
func encodingOf(s string) gomail.Encoding {
	beyond := 0
	for i := range len(s) {
		if s[i] >= 0x80 {
			beyond++
		}
	}
	if beyond*6 > len(s) {
		return gomail.EncodingB64
	}
	return gomail.EncodingQP
}

// crlf gives every line the end that mail has.
func crlf(s string) string {
	return strings.ReplaceAll(lines(s), "\n", "\r\n")
}

// lines makes \n of every kind of line break: a lone CR, say, is not allowed in
// mail (RFC 5322, section 2.2).
func lines(s string) string {
	return strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(s)
}
