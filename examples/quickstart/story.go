package main

import (
	"context"
	"errors"
	"strings"

	"github.com/go-roster/roster"
)

// story is one run: what to do, step by step.
type story struct {
	users *roster.Users
	form  *form
	ask   *asker
	show  *screen
	mail  roster.Mail // the last one that left
}

// deliver stands for the post office.
func (s *story) deliver(m roster.Mail) {
	s.mail = m
	s.show.mail(m)
}

func (s *story) tell(ctx context.Context) error {
	if err := s.form.fill(ctx, s.ask, roster.FieldName); err != nil {
		return err
	}
	u, err := s.users.ByName(ctx, s.form.Name)
	switch {
	case errors.Is(err, roster.ErrNotFound):
		u, err = s.signUp(ctx)
	case err == nil:
		err = s.welcomeBack(ctx, u)
	}
	if err != nil {
		return err
	}
	if err := s.signIn(ctx, u.ID); err != nil {
		return err
	}
	if err := s.account(ctx, u.ID); err != nil {
		return err
	}
	return s.findAgain(ctx, u.ID)
}

// signUp registers the person of the form, and asks again for what Register
// refuses.
func (s *story) signUp(ctx context.Context) (*roster.User, error) {
	if err := s.form.fill(ctx, s.ask); err != nil {
		return nil, err
	}
	s.show.step("Sign up", "users.Register")
	for {
		u, err := s.users.Register(ctx, s.form.NewUser)
		if err == nil {
			s.show.done("%s is registered. A mailer would have sent the mail above.", u.Name)
			return u, s.prove(ctx, u)
		}
		if err := s.form.refuse(err, s.show, s.ask.terminal); err != nil {
			return nil, err
		}
		if err := s.form.fill(ctx, s.ask); err != nil {
			return nil, err
		}
	}
}

// prove takes the code from the mail and redeems it.
func (s *story) prove(ctx context.Context, u *roster.User) error {
	s.show.step("Prove the address", "users.Peek, users.ActivateWithPassword")
	for {
		code, err := s.code(ctx, func() error { return s.users.ResendActivation(ctx, u.Name) })
		if err != nil {
			return err
		}
		// On the web, Peek is for the page that the link leads to, and
		// ActivateWithPassword for the button on it: mail scanners open links, too.
		// The page asks for the password: that of who reads the mail is good.
		peeked, err := s.users.Peek(ctx, code)
		if err == nil {
			s.show.done("The code is for %s, good until %s.", peeked.Email.Address, clock(peeked.User, peeked.ExpiresAt))
			_, err = s.users.ActivateWithPassword(ctx, code, s.form.Password)
		}
		switch {
		case err == nil:
			s.show.done("The address is activated, and %s with it.", u.Name)
			return nil
		case errors.Is(err, roster.ErrActivation) && s.ask.terminal:
			s.show.bad(explain(err))
		default:
			return err
		}
	}
}

// code asks for the link or the code of a mail, and has one sent if there is
// none yet or another one is wanted.
func (s *story) code(ctx context.Context, send func() error) (string, error) {
	for {
		enter := "the mail above"
		if s.mail.Code.IsZero() {
			enter = "a new mail"
		}
		s.show.note("Paste the link or the code. \"new\" sends another mail.")
		answer, err := s.ask.line(ctx, "Code", enter)
		switch {
		case err != nil:
			return "", err
		case answer == "new", answer == enter && s.mail.Code.IsZero():
			if err := s.post(send); err != nil {
				return "", err
			}
		case answer == enter:
			return s.mail.Code.Reveal(), nil
		default:
			return codeIn(answer), nil
		}
	}
}

// post has a mail with a code sent. The verbs do not tell whether they have
// sent one; here the post office is in the room.
func (s *story) post(send func() error) error {
	s.mail = roster.Mail{}
	if err := send(); err != nil {
		return err
	}
	if s.mail.Code.IsZero() {
		return errNoMail
	}
	return nil
}

// codeIn finds the code in what was pasted: itself, or at the end of the link.
func codeIn(pasted string) string {
	return pasted[strings.LastIndex(pasted, "#")+1:]
}

// welcomeBack checks the password of somebody who has an account, and proves
// the address if that is still to be done.
func (s *story) welcomeBack(ctx context.Context, u *roster.User) error {
	s.show.step(u.Name+" is here already", "users.ByName")
	s.show.note("Registered %s.", clock(u, u.CreatedAt))
	if flags := s.form.unused(); flags != "" {
		s.show.note("%s: only for a new account, so not used.", flags)
	}
	for {
		if err := s.form.fillPassword(ctx, s.ask); err != nil {
			return err
		}
		_, err := s.users.Authenticate(ctx, u.Name, s.form.Password)
		switch {
		case errors.Is(err, roster.ErrNotActivated): // only told to who knows the password
			s.show.note("The password is right, but the address waits to be proven.")
			return s.prove(ctx, u)
		case errors.Is(err, roster.ErrCredentials) && s.ask.terminal:
			s.show.bad(explain(err))
			s.form.question(roster.FieldPassword).again()
			answer, err := s.ask.line(ctx, "Forgotten?", "no")
			if err != nil {
				return err
			}
			if strings.HasPrefix(strings.ToLower(answer), "y") {
				return s.reset(ctx, u)
			}
		default:
			return err
		}
	}
}

// reset gives somebody a new password who has forgotten the old one.
func (s *story) reset(ctx context.Context, u *roster.User) error {
	s.show.step("Set a new password", "users.RequestPasswordReset, users.ResetPassword")
	request := func() error { return s.users.RequestPasswordReset(ctx, u.Name) }
	if err := s.post(request); err != nil {
		return err
	}
	code, err := s.code(ctx, request)
	for err == nil {
		if err = s.form.fill(ctx, s.ask, roster.FieldPassword); err != nil {
			break
		}
		_, err = s.users.ResetPassword(ctx, code, s.form.Password)
		switch {
		case err == nil:
			s.show.done("The new password is set.")
			return nil
		case errors.Is(err, roster.ErrActivation):
			s.show.bad(explain(err))
			code, err = s.code(ctx, request)
		default:
			err = s.form.refuse(err, s.show, s.ask.terminal)
		}
	}
	return err
}

// signIn signs in twice: a name and an activated address are equally good.
func (s *story) signIn(ctx context.Context, id roster.UserID) error {
	s.show.step("Sign in", "users.Authenticate")
	primary, err := s.users.PrimaryEmail(ctx, id)
	if err != nil {
		return err
	}
	byName, err := s.users.Authenticate(ctx, s.form.Name, s.form.Password)
	if err != nil {
		return err
	}
	s.show.done("%-12s %s", "by name", byName.Name)
	if _, err := s.users.Authenticate(ctx, primary.Address, s.form.Password); err != nil {
		return err
	}
	s.show.done("%-12s %s", "by address", primary.Address)
	return nil
}
