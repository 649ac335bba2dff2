package roster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// google is what a provider that vouches for addresses says of somebody.
func google(subject string, emails ...string) roster.Identity {
	return roster.Identity{
		Provider: "google", Subject: subject, Name: "ann", RealName: "Ann Example", Emails: emails, EmailsVerified: true, Locale: "de",
		Data: roster.Data{"picture": []byte(`"https://example.org/1.png"`)},
	}
}

// twitter is one that does not.
func twitter(subject string, emails ...string) roster.Identity {
	id := google(subject, emails...)
	id.Provider, id.EmailsVerified = "twitter", false
	return id
}

func enters(t *testing.T, env *rostertest.Env, id roster.Identity) *roster.User {
	t.Helper()
	u, err := env.AuthenticateWith(context.Background(), id)
	if err != nil {
		t.Fatalf("%s %s: %v", id.Provider, id.Subject, err)
	}
	return u
}

func TestSignInWithNew(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	s, token, err := env.SignInWith(ctx, google("1", "Ann@example.org", "second@example.org", "bad"))
	must(t, err)
	u := s.User
	if u.Name != "ann" || u.NameAuto || u.RealName != "Ann Example" || u.Locale != "de" || !u.IsActivated() || u.DirectoryID != "" ||
		roster.RegistrationSource.Get(u) != "google" || !roster.FirstLogin.Get(u) {
		t.Errorf("%+v", u)
	}
	wantEmails(t, env, u.ID, "Ann@example.org* second@example.org")
	if got, err := env.Session(ctx, token.Reveal()); err != nil || got.UserID != u.ID {
		t.Errorf("%v", err)
	}
	if mails := env.Mail.All(); len(mails) > 0 {
		t.Errorf("mails %v", mails)
	}
	_, err = env.Authenticate(ctx, "ann", "")
	wantError(t, err, roster.ErrCredentials)
	env.Clock.Advance(time.Hour)
	// The subject counts from now on, and nothing else.
	other := google("1", "another@example.org")
	other.Name, other.RealName, other.Locale = "another", "Another", "fr"
	other.Data = roster.Data{"hd": []byte(`"example.org"`)}
	again := enters(t, env, other)
	if again.ID != u.ID || again.Name != "ann" || again.RealName != "Ann Example" || again.Locale != "de" || roster.FirstLogin.Get(again) {
		t.Errorf("%+v", again)
	}
	wantEmails(t, env, u.ID, "Ann@example.org* second@example.org")
	ids, err := env.Identities(ctx, u.ID)
	must(t, err)
	want := roster.Data{"picture": []byte(`"https://example.org/1.png"`), "hd": []byte(`"example.org"`)}
	if diff := cmp.Diff(want, ids[0].Data); diff != "" {
		t.Error(diff)
	}
	version := again.Version
	if again = enters(t, env, other); again.Version != version {
		t.Error("a sign-in that says nothing new has written the user")
	}
	nobodyNew(t, env, 1)
}

// A name that is taken, reserved or no name gives an account with another one.
func TestSignInWithName(t *testing.T) {
	env := rostertest.New(t)
	env.MustRegister("taken")
	for n, name := range []string{"taken", "TAKEN", "root", "user-1", "two words", "", "a@b", strings.Repeat("x", 1000), "\xff"} {
		id := google("subject "+string(rune('a'+n)), "g"+string(rune('a'+n))+"@example.org")
		id.Name = name
		if u := enters(t, env, id); !u.NameAuto {
			t.Errorf("%q became %q", name, u.Name)
		}
	}
}

// An address joins who has activated it, and nobody who claims it.
func TestSignInWithAddress(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	ann := env.MustRegister("ann")
	_, token, err := env.SignIn(ctx, "ann", rostertest.Password)
	must(t, err)
	env.Mail.Clear()
	u := enters(t, env, google("1", "none@example.org", "ANN@example.org"))
	if u.ID != ann.ID {
		t.Fatalf("another account %+v", u)
	}
	if m := env.Mail.MustLast(t, "ann@example.org"); m.Kind != roster.MailIdentityLinked || m.Code.IsZero() || len(env.Mail.All()) != 1 {
		t.Errorf("%+v", m)
	}
	if _, err := env.Session(ctx, token.Reveal()); err != nil {
		t.Errorf("the session has ended: %v", err)
	}
	signsIn(t, env, "ann", rostertest.Password)
	wantEmails(t, env, ann.ID, "ann@example.org*")
	// Nobody vouches: an account of its own, or none.
	env.Mail.Clear()
	_, err = env.AuthenticateWith(ctx, twitter("2", "ann@example.org"))
	wantError(t, err, roster.ErrNotActivated)
	if m := env.Mail.MustLast(t, "ann@example.org"); m.Kind != roster.MailAddressTaken {
		t.Errorf("%+v", m)
	}
	ids, err := env.Identities(ctx, ann.ID)
	if err != nil || len(ids) != 1 || ids[0].Provider != "google" {
		t.Errorf("%v, %v", ids, err)
	}
}

// LC-01 in the words of the paper: the attacker has an account with the address of
// the victim, who comes by a provider.
func TestPrehijackSignInWith(t *testing.T) {
	ctx := context.Background()
	for what, changes := range map[string][]func(*roster.Options){
		"pending": nil, "active": {func(o *roster.Options) { o.SkipActivation = true }},
	} {
		env, evil := prehijacked(t, changes...)
		code := env.Mail.MustCode(t, victims)
		u := enters(t, env, google("victim", victims))
		if u.ID == evil.ID {
			t.Fatalf("%s: the account of the attacker", what)
		}
		wantEmails(t, env, u.ID, victims+"*")
		_, err := env.ActivateWithPassword(ctx, code, evilPassword)
		wantError(t, err, roster.ErrActivation)
		_, err = env.Authenticate(ctx, victims, evilPassword)
		wantError(t, err, roster.ErrCredentials)
		ids, err := env.Identities(ctx, evil.ID)
		if err != nil || len(ids) > 0 {
			t.Errorf("%s: %v, %v", what, ids, err)
		}
	}
}

// The other way round: the attacker comes by a provider that vouches for nothing,
// with the address of the victim, who then clicks in the mail or resets.
func TestPrehijackByIdentity(t *testing.T) {
	ctx := context.Background()
	evil := twitter("evil", victims)
	for name, come := range map[string]func(env *rostertest.Env) error{
		"password": func(env *rostertest.Env) error {
			_, err := env.ActivateWithPassword(ctx, env.Mail.MustCode(t, victims), herPassword)
			return err
		},
		"identity": func(env *rostertest.Env) error {
			_, err := env.ActivateWithIdentity(ctx, env.Mail.MustCode(t, victims), twitter("victim"))
			return err
		},
		"reset": func(env *rostertest.Env) error {
			must(t, env.RequestPasswordReset(ctx, victims))
			_, err := env.ResetPassword(ctx, env.Mail.MustCode(t, victims), herPassword)
			return err
		},
	} {
		for _, active := range []bool{false, true} {
			if active && name == "reset" { // there is no code for an address that waits
				continue
			}
			env := rostertest.New(t, func(o *roster.Options) { o.SkipActivation = active })
			_, err := env.AuthenticateWith(ctx, evil)
			if active {
				must(t, err)
			} else {
				wantError(t, err, roster.ErrNotActivated)
			}
			_, err = env.Activate(ctx, env.Mail.MustCode(t, victims))
			wantError(t, err, roster.ErrPasswordRequired)
			if p, err := env.Peek(ctx, env.Mail.MustCode(t, victims)); err != nil || !p.NeedsPassword {
				t.Errorf("%+v, %v", p, err)
			}
			env.Clock.Advance(time.Minute)
			must(t, come(env))
			evil.Emails = nil
			if u, err := env.AuthenticateWith(ctx, evil); err == nil && !active || err == nil && hasEmail(env, u.ID, victims) {
				t.Errorf("%s, active %v: the attacker is in: %+v", name, active, u)
			}
			evil.Emails = []string{victims}
		}
	}
}

func hasEmail(env *rostertest.Env, id roster.UserID, key string) bool {
	emails, _ := env.Emails(context.Background(), id)
	for _, e := range emails {
		if e.AddressKey == key {
			return true
		}
	}
	return false
}

// Who signs up by a provider that vouches for nothing proves the address with it.
func TestActivateWithIdentity(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	id := twitter("1", "ann@example.org")
	_, err := env.AuthenticateWith(ctx, id)
	wantError(t, err, roster.ErrNotActivated)
	_, err = env.AuthenticateWith(ctx, id) // no second account, no second mail
	wantError(t, err, roster.ErrNotActivated)
	if len(env.Mail.All()) != 1 {
		t.Errorf("mails %v", env.Mail.All())
	}
	code := env.Mail.MustCode(t, "ann@example.org")
	enters(t, env, google("7", "ben@example.org"))
	_, err = env.ActivateWithIdentity(ctx, code, google("7"))
	wantError(t, err, roster.ErrConflict) // leaves the code good
	_, err = env.ActivateWithIdentity(ctx, code, roster.Identity{Provider: "twitter"})
	wantError(t, err, roster.ErrInvalid)
	u, err := env.ActivateWithIdentity(ctx, code, id)
	must(t, err)
	if got := enters(t, env, id); got.ID != u.ID || !roster.FirstLogin.Get(got) {
		t.Errorf("%+v", got)
	}
	_, err = env.ActivateWithIdentity(ctx, code, id)
	wantError(t, err, roster.ErrActivation)
	nobodyNew(t, env, 2)
	// A second address is proven by its code alone.
	_, err = env.AddEmail(ctx, u.ID, "two@example.org")
	must(t, err)
	_, err = env.Activate(ctx, env.Mail.MustCode(t, "two@example.org"))
	must(t, err)
	// Another provider, later, that vouches for it is the same person.
	if got := enters(t, env, google("8", "two@example.org")); got.ID != u.ID {
		t.Errorf("%+v", got)
	}
}

// A provider that vouches for the address that an account waits for proves it.
func TestSignInWithProves(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	id := google("1", "ann@example.org")
	id.EmailsVerified = false
	_, err := env.AuthenticateWith(ctx, id)
	wantError(t, err, roster.ErrNotActivated)
	id.EmailsVerified = true
	if u := enters(t, env, id); !u.IsActivated() {
		t.Errorf("%+v", u)
	}
	nobodyNew(t, env, 1)
}

func TestSignInWithRefuses(t *testing.T) {
	ctx := context.Background()
	env, _ := inCorp(t)
	for what, c := range map[string]struct {
		change func(*roster.Identity)
		field  string
	}{
		"no provider":   {func(id *roster.Identity) { id.Provider = "" }, roster.FieldProvider},
		"odd provider":  {func(id *roster.Identity) { id.Provider = "a\x00" }, roster.FieldProvider},
		"a directory":   {func(id *roster.Identity) { id.Provider = "corp" }, roster.FieldProvider},
		"no subject":    {func(id *roster.Identity) { id.Subject = "" }, roster.FieldSubject},
		"long subject":  {func(id *roster.Identity) { id.Subject = strings.Repeat("1", 256) }, roster.FieldSubject},
		"no address":    {func(id *roster.Identity) { id.Emails = nil }, roster.FieldEmail},
		"a bad address": {func(id *roster.Identity) { id.Emails = []string{"ann"} }, roster.FieldEmail},
	} {
		id := google("1", "ann@example.org")
		c.change(&id)
		_, err := env.AuthenticateWith(ctx, id)
		if fields := roster.InvalidFields(err); len(fields) != 1 || fields[0].Field != c.field {
			t.Errorf("%s: %v", what, err)
		}
	}
	nobodyNew(t, env, 0)
	// Nobody comes in by another door.
	u := signsIn(t, env, "ann", directoryPassword)
	_, err := env.AuthenticateWith(ctx, google("1", "ann@corp.example"))
	wantError(t, err, roster.ErrCredentials)
	wantError(t, env.LinkIdentity(ctx, u.ID, google("1")), roster.ErrInvalid)
	for what, end := range map[string]func(id roster.UserID) error{
		"disabled": func(id roster.UserID) error { return env.Disable(ctx, id) },
		"deleted":  func(id roster.UserID) error { return env.Delete(ctx, id) },
		"locked": func(id roster.UserID) error {
			return env.Edit(ctx, id, func(u *roster.User) error { u.Flags |= roster.FlagLocked; return nil })
		},
	} {
		id := google(what, what+"@example.org")
		id.Name = what
		u := enters(t, env, id)
		must(t, end(u.ID))
		_, err := env.AuthenticateWith(ctx, id)
		wantError(t, err, roster.ErrCredentials)
		_, _, err = env.SignInWith(ctx, id)
		wantError(t, err, roster.ErrCredentials)
		if what != "deleted" {
			_, err = env.AuthenticateWith(ctx, google("other"+what, what+"@example.org")) // by the address
			wantError(t, err, roster.ErrCredentials)
		}
	}
}

func TestLinkIdentity(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	ann, ben := env.MustRegister("ann"), env.MustRegister("ben")
	env.Mail.Clear()
	must(t, env.LinkIdentity(ctx, ann.ID, google("1", "elsewhere@example.org")))
	must(t, env.LinkIdentity(ctx, ann.ID, google("1")))
	must(t, env.LinkIdentity(ctx, ann.ID, google("2")))
	if mails := env.Mail.All(); len(mails) != 2 || mails[0].Kind != roster.MailIdentityLinked || mails[0].To != "ann@example.org" {
		t.Errorf("mails %v", mails)
	}
	wantEmails(t, env, ann.ID, "ann@example.org*")
	wantError(t, env.LinkIdentity(ctx, ben.ID, google("1")), roster.ErrConflict)
	wantError(t, env.LinkIdentity(ctx, 99, google("3")), roster.ErrNotFound)
	wantError(t, env.LinkIdentity(ctx, ann.ID, google("")), roster.ErrInvalid)
	if u := enters(t, env, google("2")); u.ID != ann.ID {
		t.Errorf("%+v", u)
	}
	_, token, err := env.SignInWith(ctx, google("2"))
	must(t, err)
	env.Clock.Advance(time.Minute)
	env.Mail.Clear()
	for _, c := range [][2]string{{"google", "3"}, {"Google", "2"}, {"google", ""}, {"", ""}} {
		wantError(t, env.UnlinkIdentity(ctx, ann.ID, c[0], c[1]), roster.ErrNotFound)
	}
	wantError(t, env.UnlinkIdentity(ctx, ben.ID, "google", "2"), roster.ErrNotFound)
	must(t, env.UnlinkIdentity(ctx, ann.ID, "google", "2"))
	if m := env.Mail.MustLast(t, "ann@example.org"); m.Kind != roster.MailIdentityUnlinked || m.Code.IsZero() {
		t.Errorf("%+v", m)
	}
	_, err = env.Session(ctx, token.Reveal())
	wantError(t, err, roster.ErrNoSession)
	_, err = env.AuthenticateWith(ctx, google("2"))
	wantError(t, err, roster.ErrInvalid)
	// Not the last way in.
	must(t, env.RemovePassword(ctx, ann.ID))
	wantError(t, env.UnlinkIdentity(ctx, ann.ID, "google", "1"), roster.ErrInvalid)
	if u := enters(t, env, google("1")); u.ID != ann.ID {
		t.Errorf("%+v", u)
	}
	must(t, env.LinkIdentity(ctx, ann.ID, twitter("1")))
	must(t, env.UnlinkIdentity(ctx, ann.ID, "google", "1"))
	must(t, env.Purge(ctx, ann.ID))
	if _, err := env.Identities(ctx, ann.ID); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// What a provider has said is never lost by what it says later.
func TestIdentityDataMerges(t *testing.T) {
	env := rostertest.New(t)
	id := google("1", "ann@example.org")
	for _, c := range []struct{ said, want string }{
		{`{"a":1,"o":{"x":{"p":1,"q":[1,2]},"y":"<&>"}}`, `{"a":1,"o":{"x":{"p":1,"q":[1,2]},"y":"<&>"}}`},
		{`{"a":null,"b":null,"o":{"x":{"q":[3]},"z":null}}`, `{"a":1,"o":{"x":{"p":1,"q":[3]},"y":"<&>"}}`},
		{`{"o":{"y":{"deep":1.50}}}`, `{"a":1,"o":{"x":{"p":1,"q":[3]},"y":{"deep":1.50}}}`},
		{`{"o":"flat","a":{}}`, `{"a":{},"o":"flat"}`},
		{`{}`, `{"a":{},"o":"flat"}`},
		{`{"big":"` + strings.Repeat("x", 70<<10) + `"}`, `{"a":{},"o":"flat"}`},
		{`{"nul":"\u0000"}`, `{"a":{},"o":"flat"}`},
	} {
		id.Data = nil
		must(t, json.Unmarshal([]byte(c.said), &id.Data))
		u := enters(t, env, id)
		ids, err := env.Identities(context.Background(), u.ID)
		must(t, err)
		var want roster.Data
		must(t, json.Unmarshal([]byte(c.want), &want))
		if diff := cmp.Diff(want, ids[0].Data); diff != "" {
			t.Errorf("%.60s: %s", c.said, diff)
		}
	}
}

// Strangers who come by a provider that vouches for nothing cause no more mails
// than by a form.
func TestSignInWithThrottled(t *testing.T) {
	ctx := roster.WithClient(context.Background(), roster.Client{Addr: netip.MustParseAddr("203.0.113.7")})
	env := rostertest.New(t, func(o *roster.Options) { o.Limits = roster.Limits{} })
	throttled := false
	for n := range 200 {
		id := twitter(fmt.Sprint("subject", n), "victim"+string(rune('a'+n%7))+"@example.org")
		_, err := env.AuthenticateWith(ctx, id)
		if throttled = errors.Is(err, roster.ErrThrottled); throttled {
			break
		}
		wantError(t, err, roster.ErrNotActivated)
	}
	if !throttled {
		t.Errorf("%d mails", len(env.Mail.All()))
	}
}
