package roster

import (
	"errors"
	"path"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// maxLocaleBytes is the longest tag that is parsed: RFC 5646 asks for room for
// 35 characters.
const maxLocaleBytes = 35

// canonicalLocale returns the canonical form of a BCP 47 tag, also of one
// written with underscores (de_DE). Empty stays empty: unknown.
func canonicalLocale(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	if len(s) > maxLocaleBytes {
		return "", invalid(FieldLocale, ReasonTooLong)
	}
	tag, err := language.Parse(s)
	if err != nil || tag == language.Und {
		return "", invalid(FieldLocale, ReasonUnknown)
	}
	return tag.String(), nil
}

// maxTimezoneBytes is well above the longest name of the IANA database.
const maxTimezoneBytes = 64

// checkTimezone refuses a zone that is unknown here. Empty is UTC.
func checkTimezone(name string) error {
	if _, err := loadLocation(name); err != nil {
		return invalid(FieldTimezone, ReasonUnknown)
	}
	return nil
}

// notZone reports whether a name is of no zone although there may be such a
// file: the server's own zone, copies of the database, other spellings of a path.
func notZone(name string) bool {
	switch first, _, _ := strings.Cut(strings.ToLower(name), "/"); first {
	case "local", "localtime", "posixrules", "factory", "posix", "right":
		return true
	}
	return path.Clean(name) != name
}

// loadLocation finds a time zone by its IANA name. "Local" is the server's,
// which says nothing about a user.
func loadLocation(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	if len(name) > maxTimezoneBytes || notZone(name) {
		return nil, errors.New("unknown time zone")
	}
	return time.LoadLocation(name)
}
