package ldapauth_test

import (
	"errors"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/internal/slapdtest"
)

func TestChangePassword(t *testing.T) {
	s := slapdtest.Start(t, company())
	d := slapdtest.New(t, slapdtest.Options(s))
	change := func(old, password string) error {
		return d.ChangePassword(t.Context(), slapd.PersonDN("ann"), old, password)
	}
	for _, old := range []string{"", "wrong", "correct horse\x00"} {
		if err := change(old, "new password"); !errors.Is(err, roster.ErrCredentials) {
			t.Errorf("with %q: %v", old, err)
		}
	}
	for _, bad := range []string{"", "a\x00b", "\xff"} {
		if err := change("correct horse", bad); !errors.Is(err, roster.ErrInvalid) {
			t.Errorf("to %q: %v", bad, err)
		}
	}
	const password = `*()\ "ä" ` + "a\u0308 "
	if err := change("correct horse", password); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Authenticate(t.Context(), "ann", password); err != nil {
		t.Error(err)
	}
	refuses(t, d, "ann", "correct horse", roster.ErrCredentials)
	refuses(t, d, "ann", password[:len(password)-1], roster.ErrCredentials)
}
