package mailer

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/text/language"
)

// maxLocale is the longest tag that is looked at, in bytes: RFC 5646 asks for
// room for 35 characters.
const maxLocale = 35

// Languages lists the languages that there are, by their BCP 47 tags.
func (c *Composer) Languages() []string { return slices.Sorted(maps.Keys(c.languages)) }

// Language is the language that a reader with this locale gets, one of
// [Composer.Languages]: that of the tag, or the nearest that its reader would
// accept, or that of Options.Locale. No locale is refused; what is no tag is
// unknown.
func (c *Composer) Language(locale string) string {
	if locale == "" || len(locale) > maxLocale {
		return c.names[0]
	}
	tag, err := language.Parse(locale)
	if err != nil {
		return c.names[0]
	}
	if name := tag.String(); c.languages[name] != nil {
		return name
	}
	_, i, confidence := c.matcher.Match(tag)
	if confidence == language.No {
		return c.names[0]
	}
	return c.names[i]
}

// match makes the matcher.
func (c *Composer) match() error {
	c.names = c.Languages()
	tags := make([]language.Tag, len(c.names))
	for i, name := range c.names {
		tags[i] = c.languages[name].tag
		if name == "pt" && c.languages["pt-BR"] != nil {
			tags[i] = language.EuropeanPortuguese // which pt alone is not, for the matcher
		}
	}
	if len(tags) == 0 {
		return errors.New("there are no languages")
	}
	c.matcher = language.NewMatcher(tags)
	first := language.Make(c.opts.Locale)
	i := slices.Index(c.names, first.String())
	if i < 0 {
		var confidence language.Confidence
		if _, i, confidence = c.matcher.Match(first); confidence == language.No {
			return fmt.Errorf("option Locale: there is no language %s, only %q", first, c.names)
		}
	}
	c.names = moved(c.names, i)
	c.matcher = language.NewMatcher(moved(tags, i))
	return nil
}

// moved is a list whose element i comes first.
func moved[T any](list []T, i int) []T {
	return append([]T{list[i]}, slices.Delete(slices.Clone(list), i, i+1)...)
}
