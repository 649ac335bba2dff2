package main

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/go-roster/roster"
)

// refusal is what is wrong with one field, in words that go after "The".
type refusal struct {
	field string
	words string
}

// nouns are what the fields are called.
var nouns = map[string]string{
	roster.FieldName:     "name",
	roster.FieldRealName: "real name",
	roster.FieldEmail:    "address",
	roster.FieldPassword: "password",
	roster.FieldLocale:   "language",
	roster.FieldTimezone: "time zone",
}

// reasons are what the reasons mean.
var reasons = map[roster.Reason]string{
	roster.ReasonEmpty:      "is missing",
	roster.ReasonTooShort:   "is too short: 8 characters at least",
	roster.ReasonTooLong:    "is too long",
	roster.ReasonEncoding:   "is not text in UTF-8",
	roster.ReasonCharacter:  "has a character that is not allowed there",
	roster.ReasonReserved:   "is kept for the system",
	roster.ReasonConfusable: "mixes scripts, so it may pass for another one",
	roster.ReasonSyntax:     "is not written as it should be",
	roster.ReasonUnknown:    "is not known",
}

// refusals says of every refused field what is wrong with it. It is empty if
// err is about something else.
func refusals(err error) []refusal {
	var all []refusal
	for _, invalid := range roster.InvalidFields(err) {
		words, ok := reasons[invalid.Reason]
		if !ok {
			words = fmt.Sprintf("is refused (%s)", invalid.Reason)
		}
		all = append(all, refusal{invalid.Field, noun(invalid.Field) + " " + words})
	}
	var conflict *roster.ConflictError
	if errors.As(err, &conflict) {
		all = append(all, refusal{conflict.Field, noun(conflict.Field) + " is somebody else's"})
	}
	return all
}

func noun(field string) string {
	if noun, ok := nouns[field]; ok {
		return noun
	}
	return field
}

// errNoMail says that there was nobody to send a code to.
var errNoMail = errors.New("no mail was sent: the account is closed, or the address is somebody else's")

// explain says what an error means, in the middle of a sentence.
func explain(err error) string {
	if wrong := refusals(err); len(wrong) > 0 {
		return "the " + wrong[0].words
	}
	var unavailable *roster.UnavailableError
	switch {
	case errors.Is(err, roster.ErrCredentials):
		return "that password is wrong, or the account is closed (both get this answer)"
	case errors.Is(err, roster.ErrActivation):
		return "that code is not good: unknown, used or expired"
	case errors.As(err, &unavailable):
		// The error itself names no path and no statement, so that it can be
		// shown to anybody. Here the operator sits at the terminal.
		return fmt.Sprintf("%s: %v", trouble[unavailable.What], cmp.Or(unavailable.Cause, err))
	}
	return err.Error()
}

// trouble is what a store may be in.
var trouble = map[string]string{
	roster.UnavailableDatabase: "the database cannot be used",
	roster.UnavailableReadOnly: "the database can only be read",
	roster.UnavailableBusy:     "another program is writing to the database",
}
