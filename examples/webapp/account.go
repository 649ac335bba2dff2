package main

import (
	"net/http"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/sessioncookie"
)

func (a *app) account(w http.ResponseWriter, r *http.Request) error {
	s, err := signedIn(r)
	if err != nil {
		return err
	}
	return a.showAccount(w, r, s, http.StatusOK, view{})
}

// showAccount shows the account of a session, and under what else it is signed in.
func (a *app) showAccount(w http.ResponseWriter, r *http.Request, s *roster.Session, status int, v view) error {
	emails, err := a.users.Emails(r.Context(), s.UserID)
	if err != nil {
		return err
	}
	sessions, err := a.users.Sessions(r.Context(), s.UserID)
	if err != nil {
		return err
	}
	v.Session, v.Title = s, s.User.DisplayName()
	v.Data = struct {
		Emails   []*roster.UserEmail
		Sessions []*roster.Session
	}{emails, sessions}
	return a.show(w, r, status, "account", v)
}

// accountForm shows the account with what is wrong in one of its forms. An err
// that is about no field is returned.
func (a *app) accountForm(w http.ResponseWriter, r *http.Request, s *roster.Session, err error) error {
	v := view{Problems: problems(err)}
	if len(v.Problems) == 0 {
		return err
	}
	return a.showAccount(w, r, s, http.StatusUnprocessableEntity, v)
}

// changeEmail could take the account over, so the password has to be fresh. The
// ID is that of the session, never one from the form.
func (a *app) changeEmail(w http.ResponseWriter, r *http.Request) error {
	s, err := signedIn(r)
	if err != nil {
		return err
	}
	if err := a.users.RequireFresh(s); err != nil {
		return err
	}
	if _, err := a.users.ChangeEmail(r.Context(), s.UserID, r.PostFormValue("email")); err != nil {
		return a.accountForm(w, r, s, err)
	}
	return a.showAccount(w, r, s, http.StatusOK, view{Message: "Follow the link in the mail to your new address."})
}

func (a *app) endOthers(w http.ResponseWriter, r *http.Request) error {
	if _, err := a.users.EndOtherSessions(r.Context(), sessioncookie.Token(r)); err != nil {
		return err
	}
	http.Redirect(w, r, "/account", http.StatusSeeOther)
	return nil
}
