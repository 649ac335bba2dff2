package mailer

import (
	"crypto/rand"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-roster/roster"
)

// newID makes a Message-ID of 130 random bits (RFC 5322, section 3.6.4), which
// tells nothing of the machine.
func newID(domain string) string { return strings.ToLower(rand.Text()) + "@" + domain }

// maxID keeps the line that has it well below the limit of RFC 5322.
const maxID = 320

// messageID reports whether an ID has the form left@right, both dot-atoms, of
// no more than letters, digits, dots and hyphens.
func messageID(id string) bool {
	left, right, ok := strings.Cut(id, "@")
	if !ok || len(id) > maxID || len(left) < 16 || len(left) > 64 {
		return false
	}
	return atoms(left) && atoms(right)
}

func atoms(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(r rune) bool { return !alphanumeric(r) && r != '-' }) {
			return false
		}
	}
	return true
}

func alphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// fieldName reports whether s can be the name of a header: letters, digits and
// hyphens, which is less than RFC 5322 allows and all that there is.
func fieldName(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool { return !alphanumeric(r) && r != '-' })
}

// ours reports whether a header is for a [Message] to set and for nobody else,
// or would send the mail elsewhere.
func ours(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "content-") || slices.Contains([]string{
		"from", "sender", "reply-to", "to", "cc", "bcc", "subject", "date", "message-id", "mime-version",
		"auto-submitted", "x-auto-response-suppress", "user-agent", "x-mailer", "return-path", "received",
		"disposition-notification-to",
	}, name)
}

// maxLine bounds a header that is set as a whole.
const maxLine = 512

// checkLine refuses what is not one line of text that people can read.
func checkLine(field, s string) error {
	reason := roster.Reason("")
	switch {
	case len(s) > maxLine:
		reason = roster.ReasonTooLong
	case !utf8.ValidString(s):
		reason = roster.ReasonEncoding
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) }):
		reason = roster.ReasonCharacter
	case strings.Contains(s, "=?"): // an encoded word, which is not what it looks like
		reason = roster.ReasonSyntax
	}
	if reason == "" {
		return nil
	}
	return &roster.InvalidError{Field: field, Reason: reason}
}

// phrase is a display name without what is known to be read in several ways: a
// backslash is left as it is in some encoded words (RFC 2047, section 5), and
// an encoded word that somebody has typed would be decoded.
func phrase(name string) string {
	name = strings.ReplaceAll(shown(name, maxName), `\`, "")
	if strings.Contains(name, "=?") {
		return ""
	}
	return name
}
