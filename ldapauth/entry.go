package ldapauth

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

// The most that is taken over from an entry. What is over a bound, or not UTF-8, is
// left out; the ID and the name are needed, so without them the entry is nobody.
const (
	maxKey     = 255 // bytes of an ID, a name, a key, the name of a group
	maxValue   = 1024
	maxMails   = 50
	maxValues  = 100      // of an attribute that goes into Data
	maxContent = 64 << 10 // bytes, of all
)

// attributes are those that a search asks for.
func (o *Options) attributes() []string {
	s := &o.Schema
	all := []string{s.ID, s.Name}
	all = append(all, s.RealName...)
	all = append(all, s.Mail...)
	for name := range s.Data {
		all = append(all, name)
	}
	for name := range s.Disabled {
		all = append(all, name)
	}
	if len(o.Groups.Map) > 0 {
		all = append(all, o.Groups.MemberOf)
	}
	all = append(all, s.Locale, s.Timezone)
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(name string) bool { return name == "" })
}

// asError finds the Error in err, nil if there is none.
func asError(err error) *Error {
	e, _ := errors.AsType[*Error](err)
	return e
}

// identity is what an entry says of a person, but for the groups. With
// ReasonNoName the rest is there all the same.
func (d *Directory) identity(entry *ldap.Entry) (*roster.Identity, *Error) {
	s := &d.opts.Schema
	room := maxContent
	values := func(name string, most, size int) []string {
		if name == "" {
			return nil
		}
		all, _, _, _ := valuesOf(entry, name) // of very many the first: no more are wanted
		return usable(all, most, size, &room)
	}
	first := func(name string, size int) string {
		if v := values(name, 1, size); len(v) > 0 {
			return v[0]
		}
		return ""
	}
	id := &roster.Identity{
		Provider:       d.opts.ID,
		Subject:        subject(entry.GetEqualFoldRawAttributeValues(s.ID), s.GUID),
		DN:             entry.DN,
		EmailsVerified: d.opts.TrustMail,
		Disabled:       s.disabled(entry, time.Now()),
	}
	if id.Subject == "" || entry.DN == "" || !utf8.ValidString(entry.DN) {
		return nil, &Error{Stage: StageEntry, Reason: ReasonNoID}
	}
	for _, name := range s.RealName {
		if id.RealName = first(name, maxValue); id.RealName != "" {
			break
		}
	}
	for _, name := range s.Mail {
		for _, address := range values(name, maxMails, maxValue) {
			if len(id.Emails) < maxMails && !slices.Contains(id.Emails, address) {
				id.Emails = append(id.Emails, address)
			}
		}
	}
	id.Locale = preferred(first(s.Locale, maxKey))
	id.Timezone = first(s.Timezone, maxKey)
	for name, key := range s.Data {
		if all := values(name, maxValues, maxValue); len(all) > 0 {
			if text, err := json.Marshal(all); err == nil {
				if id.Data == nil {
					id.Data = roster.Data{}
				}
				id.Data[key] = text
			}
		}
	}
	if id.Name = nameOf(entry, s.Name); id.Name == "" {
		return id, &Error{Stage: StageEntry, Reason: ReasonNoName}
	}
	return id, nil
}

// usable is those of the values that can be taken over: text, not too long, without control
// characters, no more than fit.
func usable(values []string, most, size int, room *int) (good []string) {
	for _, v := range values {
		v = strings.TrimSpace(v)
		if len(good) == most {
			break
		}
		if v == "" || len(v) > size || len(v) > *room || !utf8.ValidString(v) || strings.ContainsFunc(v, control) {
			continue
		}
		*room -= len(v)
		good = append(good, v)
	}
	return good
}

// subject is the immutable ID as text. Empty if there is not exactly one.
func subject(values [][]byte, guid bool) string {
	if len(values) != 1 {
		return ""
	}
	v := values[0]
	if guid {
		if len(v) != 16 {
			return ""
		}
		return swapped(uuid.UUID(v)).String()
	}
	text := strings.TrimSpace(string(v))
	if len(text) > maxKey || !utf8.ValidString(text) || strings.ContainsFunc(text, control) {
		return ""
	}
	if id, err := uuid.Parse(text); err == nil && len(text) == 36 {
		return id.String() // in lower case: a server may spell it otherwise tomorrow
	}
	return text
}

// nameOf chooses the name of the account: servers list values in any order, and
// another one would make somebody else of the same person.
func nameOf(entry *ldap.Entry, attribute string) string {
	room := maxContent
	names := usable(entry.GetEqualFoldAttributeValues(attribute), maxMails, maxKey, &room)
	slices.Sort(names)
	if dn, err := ldap.ParseDN(entry.DN); err == nil && len(dn.RDNs) > 0 {
		for _, a := range dn.RDNs[0].Attributes {
			if i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, a.Value) }); i >= 0 &&
				strings.EqualFold(a.Type, attribute) {
				return names[i]
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// languageTag is what looks like one (RFC 5646).
var languageTag = regexp.MustCompile(`^[A-Za-z]+([-_][A-Za-z0-9]+)*$`)

// preferred is the language that stands highest in a list of RFC 2798, which has the
// form of the header Accept-Language: "de-AT, en;q=0.5".
func preferred(list string) string {
	best, top := "", 0.0
	for part := range strings.SplitSeq(list, ",") {
		tag, weight, weighted := strings.Cut(part, ";")
		q := 1.0
		if weighted {
			text, _ := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
			q, _ = strconv.ParseFloat(text, 64)
		}
		if tag = strings.TrimSpace(tag); q > top && languageTag.MatchString(tag) {
			best, top = tag, q
		}
	}
	return best
}
