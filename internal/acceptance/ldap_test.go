package acceptance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/internal/slapdtest"
	"github.com/go-roster/roster/ldapauth"
)

// counting counts how often a directory is asked for a password.
type counting struct {
	*ldapauth.Directory
	asked atomic.Int64
}

func (c *counting) Authenticate(ctx context.Context, name, password string) (*roster.Identity, error) {
	c.asked.Add(1)
	return c.Directory.Authenticate(ctx, name, password)
}

// withLDAP returns accounts whose people are in a server.
func withLDAP(t *testing.T, k kind, s *slapd.Server, changes ...func(*roster.Options)) (*world, *counting) {
	t.Helper()
	d := &counting{Directory: slapdtest.New(t, slapdtest.Options(s))}
	changes = append([]func(*roster.Options){func(o *roster.Options) { o.Directories = []roster.Directory{d} }}, changes...)
	return newWorld(t, k.open(t), changes...), d
}

// refused checks that nobody is signed in so.
func (w *world) refused(login, password string, want error) {
	w.t.Helper()
	if u, err := w.Authenticate(ctxOf(w.t), login, password); u != nil || !errors.Is(err, want) {
		w.t.Errorf("%q with %q: %v, %v; want %v", login, password, u, err, want)
	}
}

// users is the names of all users, by ID.
func (w *world) users() map[roster.UserID]string {
	w.t.Helper()
	all := map[roster.UserID]string{}
	for u, err := range w.All(ctxOf(w.t)) {
		w.must(err)
		all[u.ID] = u.Name
	}
	return all
}

// A person of a real directory from the first sign-in to the last, on every store.
func TestLDAPPerson(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		s := slapdtest.Start(t, slapd.Options{Global: "allow bind_anon_dn", Entries: []*ldap.Entry{
			slapd.Person("ann", "correct horse", map[string][]string{
				"cn": {"Ann Example"}, "mail": {"ann@example.org", "no address", "taken@example.org"}, "preferredLanguage": {"de"},
			}),
			slapd.Person("local", "of the directory", nil),
			slapd.Person("gone", "of the directory", map[string][]string{"mail": nil}),
		}})
		w, d := withLDAP(t, k, s)
		ctx := ctxOf(t)
		w.active("local", "taken@example.org")

		w.refused("ann", "wrong", roster.ErrCredentials)
		w.refused("ann", "", roster.ErrCredentials)
		w.refused("*", "correct horse", roster.ErrCredentials)
		w.refused("local", "of the directory", roster.ErrCredentials) // the name is somebody's here
		if n := len(w.users()); n != 1 {
			t.Fatalf("%d users", n)
		}

		u, err := w.Authenticate(ctx, "Ann", "correct horse")
		w.must(err)
		want := roster.User{ID: u.ID, Name: "ann", RealName: "Ann Example", Locale: "de", DirectoryID: "corp", DirectoryDN: slapd.PersonDN("ann"), Enabled: true}
		got := roster.User{ID: u.ID, Name: u.Name, RealName: u.RealName, Locale: u.Locale, DirectoryID: u.DirectoryID, DirectoryDN: u.DirectoryDN, Enabled: u.Enabled}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		emails, err := w.Emails(ctx, u.ID)
		w.must(err)
		if len(emails) != 1 || !emails[0].IsActivated() || emails[0].Address != "ann@example.org" {
			t.Errorf("addresses %v", emails)
		}
		for _, login := range []string{"ann", "ANN", "ａｎｎ", "ann@example.org"} {
			again, err := w.Authenticate(ctx, login, "correct horse")
			w.must(err)
			if again.ID != u.ID {
				t.Errorf("%q is another one", login)
			}
		}
		w.sound()

		// The password is the directory's: it is changed there.
		if err := w.SetPassword(ctx, u.ID, goodPassword); !errors.Is(err, roster.ErrInvalid) {
			t.Errorf("a password here: %v", err)
		}
		if err := w.ChangePassword(ctx, u.ID, "wrong", "staple battery"); !errors.Is(err, roster.ErrCredentials) {
			t.Errorf("changed by a wrong one: %v", err)
		}
		w.must(w.ChangePassword(ctx, u.ID, "correct horse", "staple battery"))
		w.refused("ann", "correct horse", roster.ErrCredentials)

		// Who is called otherwise stays the same one, by the entry's ID, and who has the
		// name now is somebody else.
		w.must(s.Do(func(c *ldap.Conn) error {
			return c.ModifyDN(ldap.NewModifyDNRequest(slapd.PersonDN("ann"), "uid=ann.newman", true, ""))
		}))
		w.must(s.Add(slapd.Person("ann", "of the heir", map[string][]string{"mail": nil})))
		heir, err := w.Authenticate(ctx, "ann", "of the heir")
		w.must(err)
		if heir.ID == u.ID || heir.Name != "ann" {
			t.Errorf("user %d, %s", heir.ID, heir.Name)
		}
		byAddress, err := w.Authenticate(ctx, "ann@example.org", "staple battery")
		w.must(err)
		if byAddress.ID != u.ID || byAddress.Name != "ann.newman" {
			t.Errorf("user %d is %d, %s", u.ID, byAddress.ID, byAddress.Name)
		}
		w.refused("ann", "staple battery", roster.ErrCredentials)
		again, err := w.Authenticate(ctx, "ann.newman", "staple battery")
		w.must(err)
		if again.ID != u.ID || again.Name != "ann.newman" {
			t.Errorf("user %d is %d, %s", u.ID, again.ID, again.Name)
		}

		// Nobody comes back by the directory who was disabled or deleted here.
		w.must(w.Disable(ctx, u.ID))
		w.refused("ann.newman", "staple battery", roster.ErrCredentials)
		gone, err := w.Authenticate(ctx, "gone", "of the directory")
		w.must(err)
		w.must(w.Delete(ctx, gone.ID))
		w.refused("gone", "of the directory", roster.ErrCredentials)
		if n := len(w.users()); n > 4 {
			t.Errorf("%d users", n)
		}
		w.must(w.Enable(ctx, u.ID))

		// While the directory is away, those who have a password here get in.
		s.Kill()
		w.refused("ann.newman", "staple battery", roster.ErrUnavailable)
		w.refused("stranger", "staple battery", roster.ErrUnavailable)
		if _, err := w.Authenticate(ctx, "local", goodPassword); err != nil {
			t.Error(err)
		}
		w.must(s.Restart())
		if _, err := w.Authenticate(ctx, "ann.newman", "staple battery"); err != nil {
			t.Error(err)
		}
		if d.asked.Load() == 0 {
			t.Error("nobody was asked")
		}
		w.sound()
	})
}

// Eight at once, each for the first time: one user comes of it, and all are signed in.
func TestLDAPFirstSignIns(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		people := k.some(60, 10_000)
		s := slapdtest.Start(t, slapd.Options{Entries: slapd.People(people)})
		w, _ := withLDAP(t, k, s)
		ctx := ctxOf(t)
		for i := range people {
			name := slapd.Name(i)
			ids := make([]roster.UserID, 8)
			for n, err := range together(8, func(n int) error {
				u, err := w.Authenticate(ctx, spelled(name, n), name)
				if err == nil {
					ids[n] = u.ID
				}
				return err
			}) {
				if err != nil {
					t.Fatalf("%s, %d: %v", name, n, err)
				}
			}
			if slices.Sort(ids); len(slices.Compact(ids)) != 1 {
				t.Fatalf("%s is the users %v", name, ids)
			}
		}
		if n := len(w.users()); n != people {
			t.Errorf("%d users of %d people", n, people)
		}
		w.sound()
	})
}

// Guesses are counted as those for a password here are: most never reach the directory.
func TestLDAPThrottled(t *testing.T) {
	s := slapdtest.Start(t, slapd.Options{Entries: slapd.People(1)})
	w, d := withLDAP(t, kinds()[0], s, func(o *roster.Options) { o.Limits = roster.Limits{} })
	name := slapd.Name(0)
	throttled := 0
	for i := range 50 {
		_, err := w.Authenticate(ctxOf(t), spelled(name, i), "wrong")
		if errors.Is(err, roster.ErrThrottled) {
			throttled++
		} else if !errors.Is(err, roster.ErrCredentials) {
			t.Fatal(err)
		}
	}
	if n := d.asked.Load(); n > 10 || throttled < 40 {
		t.Errorf("the directory was asked %d times, %d guesses were throttled", n, throttled)
	}
}

// No secret and no name of a directory is in an error or in the log, whatever happens.
func TestLDAPTellsNothing(t *testing.T) {
	var log strings.Builder
	s := slapdtest.Start(t, slapd.Options{Entries: []*ldap.Entry{
		slapd.Person("canary-name", "canary-password", map[string][]string{"cn": {"canary-real-name"}, "mail": {"canary@example.org", "canary mail"}}),
		slapd.Person("twin-canary", "x", map[string][]string{"uid": {"twin-canary", "twin2-canary"}}),
		slapd.Person("twin2-canary", "x", nil),
	}})
	o := slapdtest.Options(s)
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	d := slapdtest.New(t, o)
	w := newWorld(t, kinds()[0].open(t), func(r *roster.Options) {
		r.Directories, r.Logger = []roster.Directory{d}, o.Logger
	})
	ctx := ctxOf(t)
	var errs []error
	try := func(login, password string) {
		_, err := w.Authenticate(ctx, login, password)
		errs = append(errs, err)
	}
	try("canary-name", "canary-wrong")
	try("twin2-canary", "canary-wrong")
	try("canary-nobody", "canary-wrong")
	try("canary-name", "canary-password")
	_, err := w.PlanSync(ctx, "corp", roster.Brake{})
	s.Kill()
	try("canary-name", "canary-password")
	_, err2 := w.PlanSync(ctx, "corp", roster.Brake{})
	for _, err := range append(errs, err, err2) {
		for ; err != nil; err = errors.Unwrap(err) {
			fmt.Fprintf(&log, "%v %+v\n", err, err)
		}
	}
	if strings.Contains(log.String(), "canary") || strings.Contains(log.String(), slapd.Base) {
		t.Error(log.String())
	}
}
