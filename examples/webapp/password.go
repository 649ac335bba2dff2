package main

import (
	"errors"
	"net/http"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/sessioncookie"
)

func (a *app) forgottenForm(w http.ResponseWriter, r *http.Request) error {
	return a.show(w, r, http.StatusOK, "forgotten", view{Title: "A new password"})
}

// forgotten answers the same whether or not there is such an account.
func (a *app) forgotten(w http.ResponseWriter, r *http.Request) error {
	if err := a.users.RequestPasswordReset(r.Context(), r.PostFormValue("login")); err != nil {
		return err
	}
	return a.lookIntoMail(w, r)
}

// changePassword ends all other sessions; this one goes on with a new token.
func (a *app) changePassword(w http.ResponseWriter, r *http.Request) error {
	s, err := signedIn(r)
	if err != nil {
		return err
	}
	renewed, token, err := a.users.ChangePasswordIn(
		r.Context(), sessioncookie.Token(r), r.PostFormValue("current"), r.PostFormValue("password"))
	switch {
	case errors.Is(err, roster.ErrCredentials):
		problems := map[string]string{"current": "That is not your password."}
		return a.showAccount(w, r, s, http.StatusUnprocessableEntity, view{Problems: problems})
	case err != nil:
		return a.accountForm(w, r, s, err)
	}
	sessioncookie.Set(w, token, renewed.ExpiresAt)
	return a.showAccount(w, r, renewed, http.StatusOK, view{Message: "You have a new password, and are signed out everywhere else."})
}
