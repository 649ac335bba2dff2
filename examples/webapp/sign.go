package main

import (
	"errors"
	"net/http"

	"golang.org/x/text/language"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/sessioncookie"
)

func (a *app) home(w http.ResponseWriter, r *http.Request) error {
	return a.show(w, r, http.StatusOK, "home", view{Title: "Welcome"})
}

func (a *app) signUpForm(w http.ResponseWriter, r *http.Request) error {
	return a.show(w, r, http.StatusOK, "sign-up", view{Title: "Sign up"})
}

// signUp answers the same whether or not somebody has an account with the address.
func (a *app) signUp(w http.ResponseWriter, r *http.Request) error {
	_, err := a.users.Register(r.Context(), roster.NewUser{
		Name:     r.PostFormValue("name"),
		Email:    r.PostFormValue("email"),
		Password: r.PostFormValue("password"),
		Locale:   locale(r),
	})
	if err != nil {
		return a.form(w, r, "sign-up", view{Title: "Sign up"}, err)
	}
	return a.lookIntoMail(w, r)
}

func (a *app) lookIntoMail(w http.ResponseWriter, r *http.Request) error {
	return a.show(w, r, http.StatusOK, "message", view{
		Title: "Look into your mail", Message: "If that is right, there is a mail on its way to you. Follow the link in it.",
	})
}

// locale is the language that the browser likes best; mails are written in it.
func locale(r *http.Request) string {
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(tags) == 0 {
		return ""
	}
	tag, err := language.Compose(tags[0].Raw()) // without extensions, which may be long
	if err != nil {
		return ""
	}
	return tag.String()
}

// resend sends another mail to somebody who waits for one.
func (a *app) resend(w http.ResponseWriter, r *http.Request) error {
	if err := a.users.ResendActivation(r.Context(), r.PostFormValue("login")); err != nil {
		return err
	}
	return a.lookIntoMail(w, r)
}

func (a *app) signInForm(w http.ResponseWriter, r *http.Request) error {
	return a.show(w, r, http.StatusOK, "sign-in", view{Title: "Sign in"})
}

func (a *app) signIn(w http.ResponseWriter, r *http.Request) error {
	login := r.PostFormValue("login")
	s, token, err := a.users.SignIn(r.Context(), login, r.PostFormValue("password"))
	if errors.Is(err, roster.ErrNotActivated) { // the password was right
		return a.show(w, r, http.StatusForbidden, "resend", view{Title: "Look into your mail", Values: map[string]string{"login": login}})
	}
	if err != nil {
		return a.form(w, r, "sign-in", view{Title: "Sign in"}, err)
	}
	sessioncookie.Set(w, token, s.ExpiresAt)
	http.Redirect(w, r, "/account", http.StatusSeeOther)
	return nil
}

func (a *app) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := a.users.SignOut(r.Context(), sessioncookie.Token(r)); err != nil {
		return err
	}
	sessioncookie.Clear(w)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

func (a *app) confirmForm(w http.ResponseWriter, r *http.Request) error {
	if _, err := signedIn(r); err != nil {
		return err
	}
	return a.show(w, r, http.StatusOK, "confirm", view{Title: "Is it still you?"})
}

// confirm asks for the password again. The session has a new token then.
func (a *app) confirm(w http.ResponseWriter, r *http.Request) error {
	s, token, err := a.users.Reauthenticate(r.Context(), sessioncookie.Token(r), r.PostFormValue("password"))
	if err != nil {
		return a.form(w, r, "confirm", view{Title: "Is it still you?"}, err)
	}
	sessioncookie.Set(w, token, s.ExpiresAt)
	http.Redirect(w, r, "/account", http.StatusSeeOther)
	return nil
}
