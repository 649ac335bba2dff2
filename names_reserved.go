package roster

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// autoPrefix begins the names that are made for users who chose none.
const autoPrefix = "user-"

// autoName returns the name for a user who chose none.
func autoName(id int64) string { return autoPrefix + strconv.FormatInt(id, 10) }

// isAutoName reports whether key is what [autoName] makes for some user.
func isAutoName(key string) bool {
	digits, ok := strings.CutPrefix(key, autoPrefix)
	id, err := strconv.ParseInt(digits, 10, 64)
	return ok && err == nil && id > 0 && autoName(id) == key
}

// reservedNames lists the names that nobody may take, sorted, in the form that
// [reservedForms] gives: the mailboxes of RFC 2142 and those that prove the
// ownership of a domain; accounts of systems and services; whoever speaks for
// the site; words that stand for nobody or for whoever is signed in; and the
// first parts of paths and host names that sites commonly use.
var reservedNames = []string{
	"abuse", "account", "accounts", "admin", "administration", "administrator", "administrators", "admins", "all",
	"anonymous", "api", "app", "assets", "auth", "autoconfig", "autodiscover",
	"backup", "billing", "bin", "bot", "broadcasthost",
	"cdn", "config", "contact",
	"daemon", "dashboard", "default", "deleted", "dns",
	"email", "everybody", "everyone",
	"false", "favicon.ico", "ftp",
	"guest", "guests",
	"health", "help", "helpdesk", "home", "hostmaster", "http", "https",
	"imap", "info", "internal", "isatap",
	"ldap", "legal", "list", "localdomain", "localhost", "login", "logout",
	"mail", "mailer-daemon", "mailerdaemon", "me", "metrics", "mod", "moderator", "moderators", "mx",
	"nan", "new", "news", "nil", "no-reply", "nobody", "noc", "none", "noreply", "notifications", "ns", "null",
	"oauth", "official", "operator",
	"password", "payment", "payments", "pop", "pop3", "postmaster", "privacy", "private", "profile", "public",
	"register", "registration", "reset", "robots.txt", "root", "roster",
	"sales", "search", "security", "self", "service", "services", "session", "sessions", "settings", "signin",
	"signout", "signup", "smtp", "somebody", "ssh", "ssladmin", "ssladministrator", "sslwebmaster", "staff",
	"static", "status", "sudo", "superadmin", "superuser", "support", "sys", "sysadmin", "sysop", "system",
	"tls", "true",
	"undefined", "unknown", "unsubscribe", "usenet", "uucp",
	"void",
	"webmail", "webmaster", "well-known", "wpad", "www",
}

// reservedName reports whether key, a canonical name, is kept for the system:
// by the list, or because it is a name that [autoName] makes.
func reservedName(key string) bool {
	return slices.ContainsFunc(reservedForms(key), func(form string) bool {
		if digits, ok := strings.CutPrefix(form, autoPrefix); ok && digits != "" && strings.Trim(digits, "0123456789") == "" {
			return true
		}
		_, found := slices.BinarySearch(reservedNames, form)
		return found
	})
}

// newReserved returns a function that reports what [reservedName] does and
// also the names of extra, in whatever spelling. It lists every entry that is
// no name, by its number, joined.
func newReserved(extra []string) (func(key string) bool, error) {
	var errs []error
	own := make(map[string]bool, len(extra))
	for i, name := range extra {
		key, err := NameKey(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("reserved name %d: %w", i, err))
			continue
		}
		own[reservedForms(key)[0]] = true
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return func(key string) bool {
		return reservedName(key) ||
			slices.ContainsFunc(reservedForms(key), func(form string) bool { return own[form] })
	}, nil
}

// reservedForms returns what key is taken for when reserved names are looked
// up, so that ádmin, no_reply, r00t and adm1n do not get by: first without its
// marks and with one kind of separator, then also with letters for digits.
func reservedForms(key string) []string {
	if !isASCII(key) {
		key = strings.Map(func(r rune) rune {
			switch {
			case unicode.Is(unicode.Mn, r):
				return -1
			case r == 'ı':
				return 'i'
			}
			return r
		}, norm.NFD.String(key))
	}
	key = strings.ReplaceAll(key, "_", "-")
	forms := []string{key}
	if strings.Contains(key, ".") {
		forms = []string{strings.ReplaceAll(key, ".", "-"), key}
	}
	if strings.ContainsAny(key, "01") {
		forms = append(forms,
			strings.NewReplacer("0", "o", "1", "i").Replace(forms[0]),
			strings.NewReplacer("0", "o", "1", "l").Replace(forms[0]))
	}
	return forms
}
