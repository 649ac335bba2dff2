package mailer

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/go-roster/roster"
)

// Options configure a [Composer]. From is all that must be there.
type Options struct {
	// From is the sender, as "Example <accounts@example.org>" or the address
	// alone.
	From string

	// ReplyTo is where answers go, in the form of From. Empty: to From.
	ReplyTo string

	// Service is what people call the service that they have an account at. Empty
	// means the name in From, or else the domain of its address.
	Service string

	// URL is the page of the service that mails name at their end, with https or
	// http. Empty: none. The links with codes are roster's, see
	// [roster.Options].ActivationURL.
	URL string

	// Support is where people ask for help, an address or a page, as text. Empty:
	// mails name none.
	Support string

	// SubjectPrefix is put before every subject, with a space: "[Example]". Empty:
	// nothing is.
	SubjectPrefix string

	// Locale is the language of mails to people whose language is unknown, or is
	// none of those that there are: a BCP 47 tag. Empty means English.
	Locale string

	// Templates changes how mails read. Nil: nothing is changed. It may hold
	//
	//   - locales/de.json and other languages: messages that replace those of the
	//     language, or a language that is not built in, which has to be complete;
	//   - mail.txt and mail.html: the templates of every kind of mail, executed
	//     with a [Content] by text/template and html/template;
	//   - reset_password.txt, reset_password.html and so on: those of one kind;
	//   - each of them for one language only, as reset_password.de.html.
	//
	// Every other file is a mistake, so that none is overlooked.
	Templates fs.FS

	// Domain is the right side of the Message-ID. Empty means the domain of From.
	Domain string

	// Header is what goes into the header of every mail besides, what a mail
	// provider asks for say. Nil: nothing does. The fields that a mail has anyway
	// cannot be changed.
	Header map[string]string

	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	from, replyTo Mailbox
}

// complete applies the defaults, and lists what is wrong.
func (o *Options) complete() error {
	var errs []error
	wrong := func(name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("option %s: %w", name, err))
		}
	}
	var err error
	o.from, err = parseMailbox(o.From)
	wrong("From", err)
	if o.ReplyTo != "" {
		o.replyTo, err = parseMailbox(o.ReplyTo)
		wrong("ReplyTo", err)
	}
	_, domain, _ := strings.Cut(o.from.Address, "@")
	if key, err := roster.AddressKey(o.from.Address); err == nil {
		_, domain, _ = strings.Cut(key, "@") // in ASCII
	}
	o.Service = cmp.Or(o.Service, o.from.Name, domain)
	for name, text := range map[string]string{"Service": o.Service, "Support": o.Support, "SubjectPrefix": o.SubjectPrefix} {
		wrong(name, checkLine(name, text))
		if len(text) > maxAddress {
			wrong(name, errors.New("is too long"))
		}
	}
	wrong("URL", checkURL(o.URL))
	o.Locale = cmp.Or(o.Locale, reference)
	if len(o.Locale) > maxLocale {
		wrong("Locale", errors.New("is too long"))
	} else if _, err := language.Parse(o.Locale); err != nil {
		wrong("Locale", errors.New("is no BCP 47 tag"))
	}
	o.Domain = cmp.Or(o.Domain, domain)
	if o.Domain != "" && !messageID(newID(o.Domain)) {
		wrong("Domain", errors.New("must be a domain in ASCII"))
	}
	o.Header = maps.Clone(o.Header)
	for _, name := range slices.Sorted(maps.Keys(o.Header)) {
		switch {
		case !fieldName(name):
			wrong("Header", errors.New("has a name that is not made of letters, digits and hyphens"))
		case ours(name):
			wrong("Header", fmt.Errorf("%s cannot be changed", name))
		default:
			wrong("Header", checkLine(name, o.Header[name]))
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

func parseMailbox(s string) (Mailbox, error) {
	name, address, err := roster.ParseMailbox(s)
	if err != nil {
		return Mailbox{}, err
	}
	if phrase(name) != name {
		return Mailbox{}, errors.New("has a name with characters that are read in several ways, or too many")
	}
	return Mailbox{name, address}, nil
}

// checkURL refuses what a mail must not lead to. Empty is fine.
func checkURL(s string) error {
	if s == "" {
		return nil
	}
	if len(s) > maxURL || checkLine("URL", s) != nil && len(s) <= maxLine {
		return errors.New("is not a URL")
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return errors.New("is not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("must begin with https:// (or http://)")
	case u.User != nil:
		return errors.New("must not contain a user or password")
	case u.Hostname() == "":
		return errors.New("must name a host")
	}
	return nil
}

// maxURL is the longest link, in bytes.
const maxURL = 2000
