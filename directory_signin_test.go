package roster_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

const directoryPassword = "horse of the directory"

// annInCorp is an entry of the directory.
func annInCorp() roster.Identity {
	return roster.Identity{
		Subject: "f47ac10b-58cc", DN: "uid=ann,ou=people,dc=example,dc=org", Name: "Ann", RealName: "Ann Example",
		Emails: []string{"Ann@corp.example", "ann.example@corp.example"}, EmailsVerified: true, Locale: "de_DE", Timezone: "Europe/Berlin",
		Data: roster.Data{"phone": []byte(`"17"`)},
	}
}

// inCorp is accounts beside a directory in which Ann is.
func inCorp(t *testing.T, changes ...func(*roster.Options)) (*rostertest.Env, *rostertest.Directory) {
	t.Helper()
	d := rostertest.NewDirectory("corp")
	d.Put(directoryPassword, annInCorp())
	env := rostertest.New(t, append(changes, func(o *roster.Options) { o.Directories = append(o.Directories, d) })...)
	return env, d
}

func signsIn(t *testing.T, env *rostertest.Env, login, password string) *roster.User {
	t.Helper()
	u, err := env.Authenticate(context.Background(), login, password)
	if err != nil {
		t.Fatalf("%q: %v", login, err)
	}
	return u
}

func nobodyNew(t *testing.T, env *rostertest.Env, want int) {
	t.Helper()
	n, err := env.Count(context.Background(), roster.Query{State: roster.StateLive})
	if err != nil || n != want {
		t.Errorf("%d users, want %d (%v)", n, want, err)
	}
}

func TestDirectoryFirstSignIn(t *testing.T) {
	ctx := context.Background()
	env, _ := inCorp(t)
	u := signsIn(t, env, "ann", directoryPassword)
	if u.Name != "Ann" || u.RealName != "Ann Example" || u.Locale != "de-DE" || u.Timezone != "Europe/Berlin" || u.DirectoryID != "corp" ||
		u.DirectoryDN != annInCorp().DN || !u.IsActivated() || u.Flags != 0 || !u.LastLoginAt.Equal(env.Clock.Now()) ||
		roster.RegistrationSource.Get(u) != "corp" || !roster.FirstLogin.Get(u) {
		t.Errorf("%+v", u)
	}
	wantEmails(t, env, u.ID, "Ann@corp.example* ann.example@corp.example")
	ids, err := env.Identities(ctx, u.ID)
	must(t, err)
	want := []*roster.UserIdentity{{
		Provider: "corp", Subject: "f47ac10b-58cc", UserID: u.ID, Emails: []string{"ann@corp.example", "ann.example@corp.example"},
		Data: roster.Data{"phone": []byte(`"17"`)}, CreatedAt: env.Clock.Now(), UpdatedAt: env.Clock.Now(),
	}}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Error(diff)
	}
	if _, err := env.Store.Credential(ctx, u.ID, 0); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("a password is here: %v", err)
	}
	if mails := env.Mail.All(); len(mails) > 0 {
		t.Errorf("mails %v", mails)
	}
	env.Clock.Advance(1)
	u = signsIn(t, env, "ann@corp.example", directoryPassword)
	if roster.FirstLogin.Get(u) {
		t.Error("the second sign-in is a first one")
	}
	version := u.Version
	if u = signsIn(t, env, "ann", directoryPassword); u.Version != version {
		t.Error("a sign-in that says nothing new has written the user")
	}
	nobodyNew(t, env, 1)
}

// Whatever spelling the directory takes for the same name is the same person.
func TestDirectorySpellings(t *testing.T) {
	env, _ := inCorp(t)
	first := signsIn(t, env, "ann", directoryPassword)
	for _, login := range []string{"ANN", "Ann", "\uff21\uff2e\uff2e", "ANN@CORP.example", "ann.example@corp.example", "ann.Example@Corp.Example"} {
		if u := signsIn(t, env, login, directoryPassword); u.ID != first.ID {
			t.Errorf("%q is user %d", login, u.ID)
		}
	}
	for _, login := range []string{" ann", "ann ", "a\x00nn", "ann\n", "*", "ann)(uid=*", ""} { // names that nobody here can have
		_, err := env.Authenticate(context.Background(), login, directoryPassword)
		wantError(t, err, roster.ErrCredentials)
	}
	nobodyNew(t, env, 1)
}

// A directory never sees a password that it may take for none.
func TestDirectoryEmptyPassword(t *testing.T) {
	ctx := context.Background()
	env, d := inCorp(t)
	odd := []string{"", "\x00", directoryPassword + "\x00", "\x00" + directoryPassword, "\xff", strings.Repeat("a", 2000)}
	for range 2 { // when she is unknown here, and when not
		for _, password := range odd {
			for _, login := range []string{"ann", "ann@corp.example", "nobody"} {
				_, err := env.Authenticate(ctx, login, password)
				wantError(t, err, roster.ErrCredentials)
			}
		}
		if asked := d.Asked(); len(asked) > 0 && asked[len(asked)-1] != directoryPassword {
			t.Errorf("asked with %q", asked)
		}
		u := signsIn(t, env, "ann", directoryPassword)
		for _, password := range odd {
			wantError(t, env.CheckPassword(ctx, u.ID, password), roster.ErrCredentials)
			wantError(t, env.ChangePassword(ctx, u.ID, password, "another one of hers"), roster.ErrCredentials)
		}
	}
	if asked := d.Asked(); len(asked) != 2 {
		t.Errorf("asked with %q", asked)
	}
}

// A directory that fails in whatever way lets nobody in, and is an outage.
func TestDirectoryFails(t *testing.T) {
	ctx := context.Background()
	env, d := inCorp(t)
	local := env.MustRegister("local")
	for range 2 {
		for _, err := range []error{
			errors.New("broken"), &roster.UnavailableError{What: "ldap"}, errors.Join(roster.ErrUnknownUser, roster.ErrUnavailable),
			roster.ErrNotFound, roster.ErrNotActivated, roster.ErrMustChangePassword, roster.ErrInvalid, context.Canceled,
		} {
			d.Fail(err)
			for _, password := range []string{directoryPassword, "wrong"} {
				u, got := env.Authenticate(ctx, "ann", password)
				wantError(t, got, roster.ErrUnavailable)
				if u != nil || errors.Is(got, roster.ErrCredentials) {
					t.Errorf("%v: %v, %v", err, u, got)
				}
				_, _, got = env.SignIn(ctx, "ann", password)
				wantError(t, got, roster.ErrUnavailable)
			}
		}
		signsIn(t, env, "local", rostertest.Password)
		d.Fail(nil)
		signsIn(t, env, "ann", directoryPassword)
	}
	d.Fail(errors.New("broken"))
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err := env.Authenticate(ended, "ann", directoryPassword)
	wantError(t, err, context.Canceled)
	if u, err := env.ByID(ctx, local.ID); err != nil || !u.CanLogin() {
		t.Error("the local user has suffered")
	}
}

// odds is a directory that says what none should.
type odds struct {
	roster.Directory
	answer func(name string) (*roster.Identity, error)
}

func (o odds) Authenticate(_ context.Context, name, _ string) (*roster.Identity, error) {
	return o.answer(name)
}

func TestDirectorySaysNonsense(t *testing.T) {
	for what, c := range map[string]struct {
		id   *roster.Identity
		want error
	}{
		"nothing":         {nil, roster.ErrUnavailable},
		"no subject":      {&roster.Identity{Name: "ann"}, roster.ErrUnavailable},
		"a long subject":  {&roster.Identity{Name: "ann", Subject: strings.Repeat("s", 1000)}, roster.ErrUnavailable},
		"a NUL":           {&roster.Identity{Name: "ann", Subject: "a\x00"}, roster.ErrUnavailable},
		"no name":         {&roster.Identity{Subject: "1"}, roster.ErrCredentials},
		"a bad name":      {&roster.Identity{Subject: "1", Name: "a b\n"}, roster.ErrCredentials},
		"a reserved name": {&roster.Identity{Subject: "1", Name: "root"}, roster.ErrCredentials},
		"an automatic":    {&roster.Identity{Subject: "1", Name: "user-17"}, roster.ErrCredentials},
		"disabled":        {&roster.Identity{Subject: "1", Name: "ann", Disabled: true}, roster.ErrCredentials},
	} {
		env := rostertest.New(t, func(o *roster.Options) {
			o.Directories = []roster.Directory{odds{rostertest.NewDirectory("corp"), func(string) (*roster.Identity, error) { return c.id, nil }}}
		})
		_, err := env.Authenticate(context.Background(), "ann", directoryPassword)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
		nobodyNew(t, env, 0)
	}
}

// What cannot be kept is left out, and never keeps anybody out.
func TestDirectoryHugeEntry(t *testing.T) {
	env, d := inCorp(t)
	id := annInCorp()
	id.RealName, id.DN, id.Locale, id.Timezone = strings.Repeat("x", 10<<20), "dn\r\n", "no such", "Nowhere/Land"
	id.Data = roster.Data{"big": []byte(`"` + strings.Repeat("y", 1<<20) + `"`)}
	id.Emails = []string{"bad", "<script>@x", "a@b.example\r\nBcc: c@d.example", "\xff@corp.example", ""}
	for i := range 1000 {
		id.Emails = append(id.Emails, fmt.Sprintf("ann%d@corp.example", i))
	}
	d.Put(directoryPassword, id)
	u := signsIn(t, env, "ann", directoryPassword)
	if u.RealName != "" || u.DirectoryDN != "" || u.Locale != "" || u.Timezone != "" {
		t.Errorf("%+v", u)
	}
	emails, err := env.Emails(context.Background(), u.ID)
	if err != nil || len(emails) != 50 || emails[0].Address != "ann0@corp.example" {
		t.Errorf("%d addresses, %v", len(emails), err)
	}
}

// Who guesses at a directory is counted as who guesses here.
func TestDirectoryThrottled(t *testing.T) {
	ctx := roster.WithClient(context.Background(), roster.Client{Addr: netip.MustParseAddr("203.0.113.7")})
	env, d := inCorp(t, func(o *roster.Options) { o.Limits = roster.Limits{} })
	for _, known := range []bool{false, true} {
		before := len(d.Asked())
		throttled := 0
		for i := range 50 {
			_, err := env.Authenticate(ctx, "ann", fmt.Sprint("wrong", i))
			switch {
			case errors.Is(err, roster.ErrThrottled):
				throttled++
			case !errors.Is(err, roster.ErrCredentials):
				t.Fatal(err)
			}
		}
		if asked := len(d.Asked()) - before; asked > 6 || throttled != 50-asked {
			t.Errorf("known %v: asked %d times, throttled %d", known, asked, throttled)
		}
		env.Clock.Advance(48 * 3600e9)
		if !known {
			signsIn(t, env, "ann", directoryPassword)
		}
	}
	d.Fail(errors.New("down")) // which costs no attempt
	for range 50 {
		_, err := env.Authenticate(ctx, "ann", "wrong")
		wantError(t, err, roster.ErrUnavailable)
	}
	d.Fail(nil)
	_, err := env.Authenticate(ctx, "ann", directoryPassword)
	must(t, err)
}

// A local user has the password here, and is never looked for elsewhere.
func TestDirectoryNeverTakesLocalUser(t *testing.T) {
	ctx := context.Background()
	env, d := inCorp(t)
	local := env.MustRegister("ann")
	_, err := env.Authenticate(ctx, "ann", directoryPassword)
	wantError(t, err, roster.ErrCredentials)
	_, err = env.Authenticate(ctx, "ann@example.org", directoryPassword)
	wantError(t, err, roster.ErrCredentials)
	if asked := d.Asked(); len(asked) > 0 {
		t.Errorf("the directory has seen %q", asked)
	}
	_, err = env.Authenticate(ctx, "ann@corp.example", directoryPassword) // the same name, by another door
	wantError(t, err, roster.ErrCredentials)
	if u := signsIn(t, env, "ann", rostertest.Password); u.ID != local.ID || u.DirectoryID != "" {
		t.Errorf("%+v", u)
	}
	nobodyNew(t, env, 1)
}

// Pre-registering the name or the address of somebody in the directory gains
// nothing, and costs the other one no more than the name.
func TestDirectoryPrehijack(t *testing.T) {
	ctx := context.Background()
	for _, trusted := range []bool{true, false} {
		env, d := inCorp(t)
		id := annInCorp()
		id.EmailsVerified = trusted
		d.Put(directoryPassword, id)
		evil, err := env.Register(ctx, roster.NewUser{Name: "evil", Email: "ann@corp.example", Password: evilPassword})
		must(t, err)
		code := env.Mail.MustCode(t, "ann@corp.example")
		u := signsIn(t, env, "ann", directoryPassword)
		if u.ID == evil.ID {
			t.Fatal("the account of the attacker")
		}
		for _, login := range []string{"ann", "ann@corp.example", "evil"} {
			_, err := env.Authenticate(ctx, login, evilPassword)
			if err == nil {
				t.Errorf("%s: signed in", login)
			}
		}
		if trusted {
			wantEmails(t, env, u.ID, "Ann@corp.example* ann.example@corp.example")
			_, err = env.ActivateWithPassword(ctx, code, evilPassword)
			wantError(t, err, roster.ErrActivation)
		} else {
			wantEmails(t, env, u.ID, "")
		}
	}
}

// An address of the directory that somebody here has activated is theirs.
func TestDirectoryAddressTaken(t *testing.T) {
	ctx := context.Background()
	env, _ := inCorp(t)
	ben := env.MustRegister("ben")
	_, err := env.AddActivatedEmail(ctx, ben.ID, "ann@corp.example")
	must(t, err)
	if _, err := env.Authenticate(ctx, "ann@corp.example", directoryPassword); !errors.Is(err, roster.ErrCredentials) {
		t.Errorf("signed in by the address of somebody else: %v", err)
	}
	u := signsIn(t, env, "ann", directoryPassword)
	wantEmails(t, env, u.ID, "ann.example@corp.example*")
	must(t, env.RemoveEmail(ctx, ben.ID, emailNamed(t, env, ben.ID, "ann@corp.example").ID))
	signsIn(t, env, "ann", directoryPassword)
	wantEmails(t, env, u.ID, "Ann@corp.example* ann.example@corp.example")
}

func emailNamed(t *testing.T, env *rostertest.Env, id roster.UserID, key string) *roster.UserEmail {
	t.Helper()
	emails, err := env.Emails(context.Background(), id)
	must(t, err)
	for _, e := range emails {
		if e.AddressKey == key {
			return e
		}
	}
	t.Fatalf("user %d has no %s", id, key)
	return nil
}

// Who is disabled, banned or deleted here stays so, whatever the directory says.
func TestDirectoryRevivesNobody(t *testing.T) {
	ctx := context.Background()
	for what, end := range map[string]func(env *rostertest.Env, id roster.UserID) error{
		"disabled": func(env *rostertest.Env, id roster.UserID) error { return env.Disable(ctx, id) },
		"deleted":  func(env *rostertest.Env, id roster.UserID) error { return env.Delete(ctx, id) },
		"banned": func(env *rostertest.Env, id roster.UserID) error {
			return env.Edit(ctx, id, func(u *roster.User) error { u.Flags |= roster.FlagBanned; return nil })
		},
	} {
		for _, local := range []bool{false, true} {
			env, _ := inCorp(t)
			id := roster.UserID(0)
			if local {
				id = env.MustRegister("ann").ID
			} else {
				id = signsIn(t, env, "ann", directoryPassword).ID
			}
			must(t, end(env, id))
			before, err := env.Store.UserByID(ctx, id)
			must(t, err)
			env.Mail.Clear()
			for _, login := range []string{"ann", "ANN", "ann@corp.example"} {
				if _, err := env.Authenticate(ctx, login, directoryPassword); !errors.Is(err, roster.ErrCredentials) {
					t.Errorf("%s, local %v, %s: %v", what, local, login, err)
				}
			}
			after, err := env.Store.UserByID(ctx, id)
			must(t, err)
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("%s: %s", what, diff)
			}
			if what == "deleted" {
				nobodyNew(t, env, 0)
			}
			env.Clock.Advance(200 * 24 * 3600e9) // the name is held back no more
			if _, err := env.Authenticate(ctx, "ann", directoryPassword); !local && !errors.Is(err, roster.ErrCredentials) {
				t.Errorf("%s, later: %v", what, err)
			}
		}
	}
}

// The order of the directories is that of the options, and one that knows the name
// has the last word.
func TestDirectoriesInOrder(t *testing.T) {
	ctx := context.Background()
	first, second := rostertest.NewDirectory("first"), rostertest.NewDirectory("second")
	first.Put("one", roster.Identity{Subject: "1", Name: "ann"})
	second.Put("two", roster.Identity{Subject: "1", Name: "ann"})
	second.Put("three", roster.Identity{Subject: "2", Name: "ben"})
	env := rostertest.New(t, func(o *roster.Options) { o.Directories = []roster.Directory{first, second} })
	_, err := env.Authenticate(ctx, "ann", "two")
	wantError(t, err, roster.ErrCredentials)
	if u := signsIn(t, env, "ann", "one"); u.DirectoryID != "first" {
		t.Errorf("%+v", u)
	}
	if u := signsIn(t, env, "ben", "three"); u.DirectoryID != "second" {
		t.Errorf("%+v", u)
	}
	asked := len(first.Asked())
	signsIn(t, env, "ben", "three")
	if len(first.Asked()) != asked {
		t.Error("the first directory has seen the password of a user of the second")
	}
	first.Fail(errors.New("down"))
	_, err = env.Authenticate(ctx, "nobody", "x")
	wantError(t, err, roster.ErrUnavailable)
	signsIn(t, env, "ben", "three")
}

func TestDirectoryOptions(t *testing.T) {
	ok := rostertest.NewDirectory("corp")
	for _, list := range [][]roster.Directory{
		{nil},
		{ok, rostertest.NewDirectory("corp")},
		{rostertest.NewDirectory("")},
		{rostertest.NewDirectory("a\nb")},
		{rostertest.NewDirectory(strings.Repeat("x", 65))},
	} {
		if _, err := roster.New(rostertest.New(t).Store, &roster.Options{Directories: list}); err == nil || !strings.Contains(err.Error(), "option Directories") {
			t.Errorf("%v: %v", list, err)
		}
	}
}

// No name, address or password of a directory's people gets into the log.
func TestDirectoryLog(t *testing.T) {
	ctx := context.Background()
	var log strings.Builder
	env, d := inCorp(t, func(o *roster.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	env.MustRegister("ben")
	id := annInCorp()
	id.Name = "ben"
	d.Put(directoryPassword, id)
	_, _ = env.Authenticate(ctx, "ann@corp.example", directoryPassword)
	d.Fail(fmt.Errorf("ann@corp.example: %s", directoryPassword))
	_, _ = env.Authenticate(ctx, "ann@corp.example", directoryPassword)
	text := log.String()
	for _, secret := range []string{"ann", "ben", "horse", "@"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in the log:\n%s", secret, text)
		}
	}
	if !strings.Contains(text, "name taken") || !strings.Contains(text, "directory failed") {
		t.Errorf("the operator is not told:\n%s", text)
	}
}
