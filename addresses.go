package roster

import (
	"mime"
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// The limits of an address in bytes (RFC 5321, section 4.5.3.1, and RFC 1035
// for a label), and of a mailbox with a display name. The first also bounds
// the domain, which RFC 5321 gives 255.
const (
	maxAddress = 254
	maxLocal   = 64
	maxLabel   = 63
	maxMailbox = 1024
)

// AddressKey returns the canonical form of an e-mail address: the form that is
// compared and looked up. Mail goes to the address as it was typed.
//
// It takes one plain address, local part and domain, and nothing else that
// RFC 5322 can say: no display name, quotes, comments, groups, routes, lists,
// encoded words or domain literals, no spaces, and no % or ! in the local
// part, with which some servers pass mail on elsewhere. Letters of every
// script are fine on both sides (RFC 6531), invisible characters are not. The
// domain has at least two labels and is no IP address.
//
// The key is the local part in NFC with A to Z in lower case, and the domain
// in the ASCII form that it is looked up by (RFC 5891, mapped by UTS 46). The
// case of other letters is kept, since Unicode's rules for it would make one
// mailbox of two. So are dots and what follows a +: what they mean is known
// only to the server that receives the mail. AddressKey(key) is key.
//
// It returns an [*InvalidError] for [FieldEmail].
func AddressKey(address string) (string, error) {
	switch {
	case address == "":
		return "", invalid(FieldEmail, ReasonEmpty)
	case len(address) > maxAddress:
		return "", invalid(FieldEmail, ReasonTooLong)
	case !utf8.ValidString(address):
		return "", invalid(FieldEmail, ReasonEncoding)
	case strings.ContainsFunc(address, hidden):
		return "", invalid(FieldEmail, ReasonCharacter)
	}
	local, domain, ok := strings.Cut(address, "@")
	if !ok || strings.Contains(domain, "@") {
		return "", invalid(FieldEmail, ReasonSyntax)
	}
	local, reason := localKey(local)
	if reason != "" {
		return "", invalid(FieldEmail, reason)
	}
	domain, reason = domainKey(domain)
	if reason != "" {
		return "", invalid(FieldEmail, reason)
	}
	key := local + "@" + domain
	if len(key) > maxAddress {
		return "", invalid(FieldEmail, ReasonTooLong)
	}
	return key, nil
}

// localKey checks a local part, which must be a dot-atom (RFC 5322, section
// 3.2.3), and returns its key.
func localKey(local string) (string, Reason) {
	if len(local) > maxLocal {
		return "", ReasonTooLong
	}
	prev := '.'
	for _, r := range local {
		if r == '.' && prev == '.' {
			return "", ReasonSyntax
		}
		if !localRune(r) || unicode.IsMark(r) && !unicode.IsLetter(prev) && !unicode.IsMark(prev) {
			return "", ReasonCharacter
		}
		prev = r
	}
	if prev == '.' || strings.Contains(local, "=?") { // empty, too; or an encoded word
		return "", ReasonSyntax
	}
	// Lower case can make a letter and a mark composable that were not, as in
	// ẖ, so compose once more. NFC makes no capital of ASCII here: localRune
	// has refused the one letter that it would make one of.
	local = norm.NFC.String(lowerASCII(norm.NFC.String(local)))
	if len(local) > maxLocal {
		return "", ReasonTooLong
	}
	return local, ""
}

// localRune reports whether r may stand in a local part: an atext of ASCII
// (RFC 5322) but for % and !, a dot, or a letter, mark or digit beyond.
func localRune(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return true
	case r < utf8.RuneSelf:
		return strings.ContainsRune(".#$&'*+-/=?^_`{|}~", r)
	case r == '\u212a': // the Kelvin sign, whose canonical form is the letter K
		return false
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd)
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// domains maps as the standards say for looking names up, and checks more:
// lengths, right-to-left text, and letters, digits and hyphens only.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.VerifyDNSLength(true), idna.StrictDomainName(true))

// domainKey checks a domain and returns it in ASCII, in lower case.
func domainKey(domain string) (string, Reason) {
	ascii, err := lowerASCII(domain), error(nil)
	if !isPlainDomain(ascii) {
		ascii, err = domains.ToASCII(domain)
	}
	switch {
	case len(ascii) > maxAddress, slices.ContainsFunc(strings.Split(ascii, "."), func(label string) bool { return len(label) > maxLabel }):
		return "", ReasonTooLong
	case err != nil || strings.Contains(ascii, "..") || strings.Trim(ascii, ".") != ascii:
		return "", ReasonSyntax
	}
	last := strings.LastIndexByte(ascii, '.')
	if top := ascii[last+1:]; last < 0 || strings.Trim(top, "0123456789") == "" || strings.HasPrefix(top, "0x") {
		return "", ReasonSyntax // one label, or an IP address as some programs read it
	}
	if strings.Contains(ascii, "xn--") {
		// The encoded labels must mean what they say, and nothing unseen.
		shown, err := domains.ToUnicode(ascii)
		if err != nil || strings.ContainsFunc(shown, hidden) {
			return "", ReasonCharacter
		}
		if again, err := domains.ToASCII(shown); err != nil || again != ascii {
			return "", ReasonSyntax
		}
	}
	return ascii, ""
}

// isPlainDomain reports a domain that needs no mapping, as nearly all do:
// labels of lower-case letters and digits, and hyphens alone and within.
func isPlainDomain(s string) bool {
	start, prev := 0, byte('.')
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case c == '-' && prev != '.' && prev != '-':
		case c == '.' && prev != '.' && prev != '-' && i-start <= maxLabel:
			start = i + 1
		default:
			return false
		}
		prev = c
	}
	return prev != '.' && prev != '-' && len(s)-start <= maxLabel
}

// ParseMailbox takes apart a mailbox as people write it in files and headers,
// "Ann Example <ann@example.org>" or a bare address (RFC 5322, section 3.4).
// The name may be quoted or in encoded words (RFC 2047) and comes decoded; it
// is empty if there is none. The address comes as written, and [AddressKey]
// accepts it. Lists, groups and comments are refused, and so is everything
// over 1,024 bytes and every line break.
//
// It returns an [*InvalidError] for [FieldEmail], also when there is nothing.
func ParseMailbox(s string) (name, address string, err error) {
	if err := checkStorable(FieldEmail, s, maxMailbox); err != nil {
		return "", "", err
	}
	s = strings.Trim(s, " ")
	switch {
	case s == "":
		return "", "", invalid(FieldEmail, ReasonEmpty)
	case strings.ContainsFunc(s, unicode.IsControl):
		return "", "", invalid(FieldEmail, ReasonCharacter)
	}
	address = s
	if inner, ok := strings.CutSuffix(s, ">"); ok {
		open := strings.LastIndexByte(inner, '<')
		if open < 0 {
			return "", "", invalid(FieldEmail, ReasonSyntax)
		}
		address = inner[open+1:]
		if name, err = parsePhrase(strings.TrimRight(inner[:open], " ")); err != nil {
			return "", "", err
		}
	}
	if _, err := AddressKey(address); err != nil {
		return "", "", err
	}
	return name, address, nil
}

// parsePhrase decodes a display name.
func parsePhrase(phrase string) (string, error) {
	if phrase == "" {
		return "", nil
	}
	quoted, escaped := false, false
	for _, r := range phrase {
		switch {
		case escaped:
			escaped = false
		case quoted && r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case !quoted && strings.ContainsRune(`()<>[]:;@\,`, r):
			return "", invalid(FieldEmail, ReasonSyntax)
		}
	}
	parsed, err := mail.ParseAddress(phrase + " <a@example.org>")
	if err != nil {
		return "", invalid(FieldEmail, ReasonSyntax)
	}
	if err := checkText(FieldEmail, parsed.Name, maxMailbox, maxMailbox); err != nil {
		return "", err
	}
	return parsed.Name, nil
}

// FormatMailbox writes a name and an address for the header of a mail: quoted
// where RFC 5322 asks for it and in encoded words (RFC 2047) where the name is
// not ASCII. [ParseMailbox] reads it back. A name that holds line breaks or
// other characters that do not belong in one is left out, and if [AddressKey]
// refuses the address the result is empty. So neither can add a header.
func FormatMailbox(name, address string) string {
	if _, err := AddressKey(address); err != nil {
		return ""
	}
	if checkText(FieldEmail, name, maxMailbox, maxMailbox) != nil {
		name = ""
	}
	m := mail.Address{Name: name, Address: address}
	if strings.Contains(name, `\`) && !isASCII(name) { // which [mail.Address] would leave in an encoded word
		m.Name = ""
		return mime.BEncoding.Encode("utf-8", name) + " " + m.String()
	}
	return m.String()
}
