package roster

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/go-roster/roster/password"
)

// preparePassword checks a password that is to be set, all but whether it was
// breached, and brings it into the form that is hashed. words are what else it
// must not be.
func (us *Users) preparePassword(s string, words ...string) (string, error) {
	prepared, err := password.Prepare(s)
	if err == nil {
		err = us.opts.Policy.Check(prepared, words...)
	}
	if err != nil {
		return "", passwordRefused(err)
	}
	return prepared, nil
}

// newPassword is preparePassword for a user that find finds, if the password is
// not refused before, and then checkBreached.
func (us *Users) newPassword(ctx context.Context, s string, find func() (*User, error)) (string, error) {
	if _, err := us.preparePassword(s); err != nil {
		return "", err
	}
	u, err := find()
	if err != nil {
		return "", err
	}
	emails, err := us.store.EmailsOf(ctx, u.ID)
	if err != nil {
		return "", err
	}
	addresses := make([]string, len(emails))
	for i, e := range emails {
		addresses[i] = e.Address
	}
	prepared, err := us.preparePassword(s, expectedWords(u, addresses...)...)
	if err != nil {
		return "", err
	}
	return prepared, us.checkBreached(ctx, prepared)
}

// checkBreached asks Policy.Breached. It may take its time, so it is the last
// thing to ask, and is asked outside of transactions where that can be.
func (us *Users) checkBreached(ctx context.Context, prepared string) error {
	policy := us.opts.Policy
	policy.BreachedOptional = false // so that a failure is logged
	err := policy.CheckBreached(ctx, prepared)
	if !errors.Is(err, password.ErrBreachCheck) {
		return passwordRefused(err)
	}
	optional := us.opts.Policy.BreachedOptional
	us.opts.Logger.WarnContext(ctx, "breached passwords cannot be looked up", slog.Bool("accepted", optional))
	if optional {
		return nil
	}
	return &UnavailableError{What: UnavailableBreaches, Cause: err}
}

func passwordRefused(err error) error {
	if refused := new(password.Error); errors.As(err, &refused) {
		return invalid(FieldPassword, Reason(refused.Reason))
	}
	return err
}

// expectedWords are what somebody who knows a user would try first.
func expectedWords(u *User, addresses ...string) []string {
	words := []string{u.Name, u.RealName}
	if len(u.RealName) <= password.MaxBytes {
		parts := strings.Fields(u.RealName)
		words = append(words, strings.Join(parts, ""))
		words = append(words, parts...)
	}
	for _, address := range addresses {
		words = append(words, address)
		if at := strings.LastIndexByte(address, '@'); at > 0 {
			words = append(words, address[:at])
		}
	}
	return words
}
