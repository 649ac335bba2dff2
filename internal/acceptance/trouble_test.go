package acceptance

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// unavailable is an *UnavailableError of one of these, or of any if none is
// given.
func unavailable(what ...string) func(error) bool {
	return func(err error) bool {
		u, ok := errors.AsType[*roster.UnavailableError](err)
		if !ok || !errors.Is(err, roster.ErrUnavailable) {
			return false
		}
		for _, w := range what {
			if u.What == w {
				return true
			}
		}
		return len(what) == 0
	}
}

// troubled runs every flow on a store that is in trouble. None panics, none
// lets anybody in who should stay out, and what fails says that something is
// unavailable and nothing about it. It returns how many flows succeeded.
func troubled(t *testing.T, w *world, c *cast) (succeeded int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	wrong := map[string][]string{} // verbs by what they answered
	defer func() {
		for what, verbs := range wrong {
			t.Errorf("%d verbs, %s among them, answered %q", len(verbs), verbs[0], what)
		}
	}()
	for _, f := range flows {
		if f.prepare != nil || f.options != nil || f.name == "with a rehash" {
			continue // works on what it has prepared, or with options or a hasher of its own
		}
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("%v: panic: %v", f, p)
				}
			}()
			_, err := f.run(ctx, w, c)
			switch {
			case err == nil && f.refused != nil:
				t.Errorf("%v succeeded", f)
			case err == nil:
				succeeded++
			case f.refused != nil && errors.Is(err, f.refused):
			case errors.Is(err, roster.ErrOutcomeUnknown), unavailable()(err):
				decent(t, err)
			default:
				what := digits.ReplaceAllString(err.Error(), "#")
				if _, rest, ok := strings.Cut(what, ": "); ok {
					what = rest
				}
				wrong[what] = append(wrong[what], f.String())
			}
		}()
	}
	return succeeded
}

// decent fails the test if the text of an error tells more than it should.
func decent(t *testing.T, err error) {
	t.Helper()
	text := strings.ToLower(err.Error())
	for _, word := range []string{"select", "insert into", "update ", "/", ".db", "roster_", "@", "password=", "host=", "sqlstate", "constraint", "ann", "socket"} {
		if strings.Contains(text, word) {
			t.Errorf("the error tells %q: %s", word, text)
		}
	}
}

// readOnly checks accounts that can be read and not written.
func readOnly(t *testing.T, w *world, c *cast) {
	t.Helper()
	ctx := context.Background()
	if u := mustSignIn(t, w.Users, "ann", goodPassword); u.ID != c.ann.ID {
		t.Errorf("signed in as user %d", u.ID)
	}
	mustNotSignIn(t, w.Users, "ann", otherPassword, roster.ErrCredentials)
	mustNotSignIn(t, w.Users, "eve", goodPassword, roster.ErrCredentials)
	for name, err := range map[string]error{
		"Create":      w.Create(ctx, &roster.User{Name: "nina"}),
		"Disable":     w.Disable(ctx, c.ann.ID),
		"Purge":       w.Purge(ctx, c.ann.ID),
		"SetPassword": w.SetPassword(ctx, c.ann.ID, otherPassword),
	} {
		if !unavailable(roster.UnavailableReadOnly)(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.Register(ctx, roster.NewUser{Name: "nina", Email: "nina@example.org", Password: goodPassword}); !unavailable(roster.UnavailableReadOnly)(err) {
		t.Errorf("Register: %v", err)
	}
	if _, err := w.Activate(ctx, c.codes["ben@example.org"]); !unavailable(roster.UnavailableReadOnly)(err) {
		t.Errorf("Activate: %v", err)
	}
	if p, err := w.Peek(ctx, c.codes["ben@example.org"]); err != nil || p.User.ID != c.ben.ID {
		t.Errorf("Peek: %v", err)
	}
	if mails := w.post.take(); len(mails) > 0 {
		t.Errorf("%d mails left", len(mails))
	}
	troubled(t, w, c)
	w.post.take()
	w.sound()
}
