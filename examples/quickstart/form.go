package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-roster/roster"
)

// form is what a person is asked, and the answers.
type form struct {
	roster.NewUser
	questions []*question
}

// question is one line of the form.
type question struct {
	field  string // as InvalidError and ConflictError name it
	flag   string
	label  string
	help   string
	answer *string

	suggest  func() string      // what Enter answers
	check    func(string) error // spares a person the wait for what Register says
	byFlag   bool
	answered bool
}

// again makes fill ask, also if a flag had the answer.
func (q *question) again() { q.answered, q.byFlag = false, false }

func newForm() *form {
	f := new(form)
	f.Source = "quickstart"
	fixed := func(s string) func() string { return func() string { return s } }
	f.questions = []*question{
		{
			field: roster.FieldName, flag: "name", label: "Name", help: "the `name` to sign in with",
			answer: &f.Name, suggest: fixed("ann"),
			check: func(s string) error { _, err := roster.NameKey(s); return err },
		},
		{
			field: roster.FieldEmail, flag: "email", label: "E-mail", help: "the e-mail `address`",
			answer: &f.Email, suggest: f.suggestEmail,
			check: func(s string) error { _, err := roster.AddressKey(s); return err },
		},
		{
			field: roster.FieldPassword, flag: "password", label: "Password",
			help:   "the `password`; other programs can see it here, so better be asked (demo person: " + demoPassword + ")",
			answer: &f.Password,
		},
		{
			field: roster.FieldRealName, flag: "real-name", label: "Real name", help: "the real `name`",
			answer: &f.RealName, suggest: f.suggestRealName,
		},
		{
			field: roster.FieldLocale, flag: "locale", label: "Language", help: "the `language` of the mails, such as de-AT",
			answer: &f.Locale, suggest: fixed("en"),
		},
		{
			field: roster.FieldTimezone, flag: "timezone", label: "Time zone", help: "the time `zone`, such as Europe/Vienna",
			answer: &f.Timezone, suggest: fixed("UTC"),
		},
	}
	return f
}

func (f *form) suggestEmail() string {
	address := f.Name + "@example.org"
	if _, err := roster.AddressKey(address); err != nil {
		return "someone@example.org" // not every name is good for an address
	}
	return address
}

func (f *form) suggestRealName() string {
	first, size := utf8.DecodeRuneInString(f.Name)
	return string(unicode.ToUpper(first)) + f.Name[size:] + " Example"
}

// question finds the line of a field. It is nil if there is none.
func (f *form) question(field string) *question {
	i := slices.IndexFunc(f.questions, func(q *question) bool { return q.field == field })
	if i < 0 {
		return nil
	}
	return f.questions[i]
}

// given marks a field that a flag has answered.
func (f *form) given(flag string) {
	for _, q := range f.questions {
		if q.flag == flag {
			q.byFlag = true
		}
	}
}

// fill asks what has no answer yet, of these fields or of all.
func (f *form) fill(ctx context.Context, ask *asker, fields ...string) error {
	for _, q := range f.questions {
		if q.answered || len(fields) > 0 && !slices.Contains(fields, q.field) {
			continue
		}
		if err := f.put(ctx, ask, q, ask.newPassword); err != nil {
			return err
		}
	}
	return nil
}

// fillPassword asks for the password of somebody who has one.
func (f *form) fillPassword(ctx context.Context, ask *asker) error {
	q := f.question(roster.FieldPassword)
	if q.answered {
		return nil
	}
	return f.put(ctx, ask, q, ask.password)
}

// put asks one question until the answer will do.
func (f *form) put(
	ctx context.Context, ask *asker, q *question, password func(context.Context, string) (string, error),
) (err error) {
	for {
		switch {
		case q.byFlag:
			ask.show.answer(q.label, hide(q, *q.answer))
		case q.field == roster.FieldPassword:
			*q.answer, err = password(ctx, q.label)
		default:
			*q.answer, err = ask.line(ctx, q.label, q.suggest())
		}
		if err == nil && q.check != nil && ask.terminal {
			err = q.check(*q.answer)
		}
		switch {
		case err == nil:
			q.answered = true
			return nil
		case !errors.Is(err, roster.ErrInvalid):
			return err
		}
		if err := f.refuse(err, ask.show, ask.terminal); err != nil {
			return err
		}
	}
}

// refuse says in words which answers were refused and makes fill ask for them
// again. It returns an error if that cannot be: err itself if it is not about
// an answer or nobody is there, a usageError for a flag that is wrong whatever
// the database holds.
func (f *form) refuse(err error, show *screen, terminal bool) error {
	wrong := refusals(err)
	if len(wrong) == 0 {
		return err
	}
	var flags []string
	for _, r := range wrong {
		q := f.question(r.field)
		switch {
		case q == nil:
			return err
		case q.byFlag && errors.Is(err, roster.ErrInvalid):
			flags = append(flags, fmt.Sprintf("-%s: the %s", q.flag, r.words))
		default:
			show.bad("the " + r.words)
			q.again()
		}
	}
	switch {
	case len(flags) > 0:
		return usageError(strings.Join(flags, "\n            "))
	case !terminal:
		return errRefused
	}
	return nil
}

// errRefused says that an answer was refused and nobody can give another one.
var errRefused = errors.New("not registered, for the reason above")

// unused lists the flags that only make sense for a new account.
func (f *form) unused() string {
	var flags []string
	for _, q := range f.questions {
		if q.byFlag && q.field != roster.FieldName && q.field != roster.FieldPassword {
			flags = append(flags, "-"+q.flag)
		}
	}
	return strings.Join(flags, ", ")
}

// hide is what is shown of an answer.
func hide(q *question, answer string) string {
	if q.field == roster.FieldPassword {
		return "(as given)"
	}
	return answer
}
