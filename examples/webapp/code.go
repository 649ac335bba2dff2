package main

import (
	"net/http"

	"github.com/go-roster/roster"
)

// peek is the page that the link in a mail leads to. It only looks, since filters
// of mail servers open links before people do: whatever they do, the code stays
// good. It shows whose account and which address the code is for, so that nobody
// activates what somebody else has prepared in their name.
func (a *app) peek(w http.ResponseWriter, r *http.Request) error {
	code := r.URL.Query().Get("code")
	p, err := a.users.Peek(r.Context(), code)
	if err != nil {
		return err
	}
	return a.show(w, r, http.StatusOK, "code", codeView(p, code))
}

// redeem is the button on that page.
func (a *app) redeem(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	code, password := r.PostFormValue("code"), r.PostFormValue("password")
	p, err := a.users.Peek(ctx, code) // what it is good for is the code's to say, not the form's
	if err != nil {
		return err
	}
	done := "The address is yours. You can sign in."
	switch {
	case p.Purpose == roster.PurposeUndo && r.PostFormValue("accept") != "":
		done, err = "Good. Everything stays as it is.", a.users.AcceptChange(ctx, code)
	case p.Purpose == roster.PurposeUndo:
		done = "The account is yours again. Sign in with the new password."
		_, err = a.users.UndoChange(ctx, code, password)
	case p.Purpose == roster.PurposeResetPassword:
		done = "Sign in with the new password."
		_, err = a.users.ResetPassword(ctx, code, password)
	case p.NeedsPassword: // the first proof: whoever signed up, it is who reads the mail that gets the account
		_, err = a.users.ActivateWithPassword(ctx, code, password)
	default:
		_, err = a.users.Activate(ctx, code)
	}
	if err != nil {
		return a.form(w, r, "code", codeView(p, code), err)
	}
	return a.show(w, r, http.StatusOK, "sign-in", view{Title: "Sign in", Message: done})
}

// codeView shows what a code would do.
func codeView(p *roster.Peeked, code string) view {
	v := view{Data: struct {
		*roster.Peeked
		Code   string
		Undo   bool
		Button string
	}{p, code, p.Purpose == roster.PurposeUndo, "Yes, that is me"}}
	switch p.Purpose {
	case roster.PurposeUndo:
		v.Title = "Take the account back"
	case roster.PurposeResetPassword:
		v.Title = "A new password"
	case roster.PurposeChangeEmail:
		v.Title = "Your new address"
	default:
		v.Title = "Is this you?"
	}
	return v
}
