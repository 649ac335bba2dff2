package main

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"io/fs"
	"math"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/go-roster/roster"
)

// pages are the templates, each within the layout.
type pages map[string]*template.Template

func parsePages() (pages, error) {
	names, err := fs.Glob(files, "pages/*.html")
	if err != nil {
		return nil, err
	}
	all := make(pages)
	for _, name := range names {
		t, err := template.ParseFS(files, "pages/layout.html", name)
		if err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(path.Base(name), ".html")] = t
	}
	return all, nil
}

// view is what a page shows.
type view struct {
	Session  *roster.Session
	Title    string
	Message  string            // above the page
	Values   map[string]string // what was typed, but no password
	Problems map[string]string // what is wrong with it, by field
	Data     any
}

// show writes a page. It is written whole or not at all.
func (a *app) show(w http.ResponseWriter, r *http.Request, status int, name string, v view) error {
	if v.Session == nil {
		v.Session = session(r)
	}
	var body bytes.Buffer
	if err := a.pages[name].ExecuteTemplate(&body, "layout.html", v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // whoever asked may be gone
	return nil
}

// form shows a form that was filled in wrongly once more, with what is wrong. An
// err that is about no field is returned.
func (a *app) form(w http.ResponseWriter, r *http.Request, name string, v view, err error) error {
	v.Problems = problems(err)
	if len(v.Problems) == 0 {
		return err
	}
	v.Values = make(map[string]string)
	for _, field := range []string{"name", "email", "login", "code"} {
		v.Values[field] = r.PostFormValue(field)
	}
	return a.show(w, r, http.StatusUnprocessableEntity, name, v)
}

// problems says in words what is wrong, by field.
func problems(err error) map[string]string {
	all := make(map[string]string)
	for _, e := range roster.InvalidFields(err) {
		all[e.Field] = reason(e.Reason)
	}
	var conflict *roster.ConflictError
	switch {
	case errors.As(err, &conflict):
		all[conflict.Field] = "That is taken."
	case errors.Is(err, roster.ErrCredentials):
		all[roster.FieldPassword] = "The name or the password is not right."
	case errors.Is(err, roster.ErrMustChangePassword):
		all[roster.FieldPassword] = "This password must be changed: ask for a new one below."
	}
	return all
}

func reason(r roster.Reason) string {
	switch r {
	case roster.ReasonEmpty:
		return "Please fill this in."
	case roster.ReasonTooShort:
		return "That is too short."
	case roster.ReasonTooLong:
		return "That is too long."
	case roster.ReasonCommon, roster.ReasonBreached:
		return "Many people have this password. Please choose another one."
	case roster.ReasonContext:
		return "That is easy to guess: it is your name or address, or ours."
	case roster.ReasonReserved:
		return "This name is not given away."
	case roster.ReasonUnchanged:
		return "That is what it is already."
	}
	return "This does not work here."
}

// fail shows what went wrong. What a stranger may not know roster has left out.
func (a *app) fail(w http.ResponseWriter, r *http.Request, err error) {
	var throttled *roster.ThrottledError
	var malformed *formError
	status, text := http.StatusInternalServerError, "Something went wrong here."
	switch {
	case errors.Is(err, context.Canceled):
		return // who has asked is gone
	case errors.Is(err, roster.ErrNoSession):
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	case errors.Is(err, roster.ErrReauthenticate):
		http.Redirect(w, r, "/confirm", http.StatusSeeOther)
		return
	case errors.Is(err, roster.ErrForbidden):
		status, text = http.StatusForbidden, "You may not do that."
	case errors.Is(err, roster.ErrActivation):
		status, text = http.StatusGone, "This link is no good any more. Links work once, and for a while only."
	case errors.As(err, &throttled):
		status, text = http.StatusTooManyRequests, "That was too often. Please wait a while."
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(throttled.RetryAfter.Seconds()))))
	case errors.Is(err, roster.ErrBusy), errors.Is(err, roster.ErrUnavailable):
		status, text = http.StatusServiceUnavailable, "We are busy. Please try again in a moment."
		w.Header().Set("Retry-After", "10")
	case errors.As(err, &malformed):
		status, text = http.StatusBadRequest, "That is too long, or no form."
	}
	if status >= http.StatusInternalServerError {
		a.logger.Error("failed", "path", r.URL.Path, "error", err) // without the query, which may hold a code
	}
	if err := a.show(w, r, status, "message", view{Title: "Sorry", Message: text}); err != nil {
		http.Error(w, text, status)
	}
}
