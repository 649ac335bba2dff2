package roster_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

const benPassword = "staple of the directory"

func benInCorp() roster.Identity {
	return roster.Identity{Subject: "5a1e-0b2d", DN: "uid=ben", Name: "ben", RealName: "Ben", Emails: []string{"ben@corp.example"}, EmailsVerified: true}
}

// Somebody is renamed in the directory, and somebody else has the name by now: in
// whatever order they come, by whatever they know, each is who they are.
func TestDirectoryNameHandedOver(t *testing.T) {
	ctx := context.Background()
	type login struct{ login, password, subject string }
	ann, ben := annInCorp().Subject, benInCorp().Subject
	former := login{"ann", directoryPassword, ann} // good until somebody else comes by the name
	byAnn := []login{{"ann@corp.example", directoryPassword, ann}, {"ann.new", directoryPassword, ann}}
	byBen := []login{{"ann", benPassword, ben}, {"ben@corp.example", benPassword, ben}}
	who := func(env *rostertest.Env, u *roster.User) string {
		ids, err := env.Identities(ctx, u.ID)
		if err != nil || len(ids) != 1 {
			t.Fatal(ids, err)
		}
		return ids[0].Subject
	}
	for _, known := range []bool{false, true} { // whether Ben has been here before
		for _, first := range append([]login{former, byAnn[0], byAnn[1]}, byBen...) {
			env, d := inCorp(t)
			a := signsIn(t, env, "ann", directoryPassword)
			if known {
				d.Put(benPassword, benInCorp())
				signsIn(t, env, "ben", benPassword)
			}
			renamed := annInCorp()
			renamed.Name, renamed.DN = "ann.new", "uid=ann.new"
			d.Put(directoryPassword, renamed)
			heir := benInCorp()
			heir.Name = "ann"
			d.Put(benPassword, heir)
			for _, l := range append([]login{first}, append(byBen, byAnn...)...) {
				u, err := env.Authenticate(ctx, l.login, l.password)
				if err != nil || who(env, u) != l.subject || (u.ID == a.ID) != (l.subject == ann) {
					t.Errorf("known %v, first %q: %q of %s: %v, %v", known, first.login, l.login, l.subject, u, err)
				}
				for _, wrong := range []string{"wrong", directoryPassword, benPassword} {
					if wrong == l.password || l.login == "ann" && wrong != "wrong" {
						continue
					}
					if u, err := env.Authenticate(ctx, l.login, wrong); !errors.Is(err, roster.ErrCredentials) {
						t.Errorf("%q with %q: %v, %v", l.login, wrong, u, err)
					}
				}
			}
			if u := byName(t, env, "ann.new"); u.ID != a.ID {
				t.Errorf("known %v, first %q: ann.new is user %d", known, first.login, u.ID)
			}
			if u := byName(t, env, "ann"); u.ID == a.ID {
				t.Errorf("known %v, first %q: ann is still ann", known, first.login)
			}
			must(t, env.CheckPassword(ctx, a.ID, directoryPassword))
			wantError(t, env.CheckPassword(ctx, a.ID, benPassword), roster.ErrCredentials)
			nobodyNew(t, env, 2)
			healthy(t, env)
		}
	}
}

// The password is checked for who is signed in, also while the directory calls them, and
// somebody else, otherwise.
func TestDirectoryCheckAfterRename(t *testing.T) {
	ctx := context.Background()
	env, d := inCorp(t)
	a := signsIn(t, env, "ann", directoryPassword)
	renamed := annInCorp()
	renamed.Name = "ann.new"
	d.Put(directoryPassword, renamed)
	must(t, env.CheckPassword(ctx, a.ID, directoryPassword))
	heir := benInCorp()
	heir.Name = "ann"
	d.Put(benPassword, heir)
	must(t, env.CheckPassword(ctx, a.ID, directoryPassword))
	wantError(t, env.CheckPassword(ctx, a.ID, benPassword), roster.ErrCredentials)
	must(t, env.ChangePassword(ctx, a.ID, directoryPassword, "another password of ann"))
	must(t, env.CheckPassword(ctx, a.ID, "another password of ann"))
}

// Two who have changed names, each with the other's.
func TestDirectoryNamesSwapped(t *testing.T) {
	env, d := inCorp(t)
	d.Put(benPassword, benInCorp())
	a, b := signsIn(t, env, "ann", directoryPassword), signsIn(t, env, "ben", benPassword)
	ann, ben := annInCorp(), benInCorp()
	ann.Name, ben.Name = "ben", "ann"
	d.Put(directoryPassword, ann)
	d.Put(benPassword, ben)
	for range 2 {
		if u := signsIn(t, env, "ben", directoryPassword); u.ID != a.ID {
			t.Errorf("user %d", u.ID)
		}
		if u := signsIn(t, env, "ann", benPassword); u.ID != b.ID {
			t.Errorf("user %d", u.ID)
		}
	}
	if byName(t, env, "ben").ID != a.ID || byName(t, env, "ann").ID != b.ID {
		t.Error("the names were not swapped")
	}
	healthy(t, env)
}

// A name is not handed over that the other one still has, that is a local user's, or whose
// owner is gone; nor while the directory does not answer.
func TestDirectoryNameNotHandedOver(t *testing.T) {
	ctx := context.Background()
	heir := benInCorp()
	heir.Name = "ann"
	for what, c := range map[string]struct {
		change func(env *rostertest.Env, d *rostertest.Directory, u *roster.User) error
		want   error
	}{
		"gone": {func(_ *rostertest.Env, d *rostertest.Directory, _ *roster.User) error {
			d.Remove(annInCorp().Subject)
			return nil
		}, roster.ErrCredentials},
		"both": {func(_ *rostertest.Env, d *rostertest.Directory, _ *roster.User) error {
			id := annInCorp()
			id.Name = "ANN"
			d.Put(directoryPassword, id)
			return nil
		}, roster.ErrCredentials},
		"local now": {func(env *rostertest.Env, d *rostertest.Directory, u *roster.User) error {
			id := annInCorp()
			id.Name = "ann.new"
			d.Put(directoryPassword, id)
			return env.UnlinkDirectory(ctx, u.ID)
		}, roster.ErrCredentials},
	} {
		env, d := inCorp(t)
		u := signsIn(t, env, "ann", directoryPassword)
		must(t, c.change(env, d, u))
		d.Put(benPassword, heir)
		_, err := env.Authenticate(ctx, "ben@corp.example", benPassword)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
		if byName(t, env, "ann").ID != u.ID {
			t.Errorf("%s: the name is gone", what)
		}
		nobodyNew(t, env, 1)
	}
}

// All who guess at one entry of a directory share what is left, by whatever name they
// do, and whether there is a user yet.
func TestDirectoryThrottledByEntry(t *testing.T) {
	from := func(addr string) context.Context {
		return roster.WithClient(context.Background(), roster.Client{Addr: netip.MustParseAddr(addr)})
	}
	for _, known := range []bool{false, true} {
		env, d := inCorp(t, func(o *roster.Options) { o.Limits = roster.Limits{SourceFailures: -1} })
		id := annInCorp()
		id.Emails, id.EmailsVerified = nil, false // so that none of these is known here
		for i := range 60 {
			id.Emails = append(id.Emails, fmt.Sprintf("alias%d@corp.example", i))
		}
		d.Put(directoryPassword, id)
		if known {
			signsIn(t, env, "ann", directoryPassword)
		}
		ctx := from("203.0.113.7")
		refused := func(login, password string) {
			t.Helper()
			_, err := env.Authenticate(ctx, login, password)
			if !errors.Is(err, roster.ErrCredentials) {
				t.Errorf("known %v: %s: %v", known, login, err)
			}
		}
		admitted := func(ctx context.Context, login string) {
			t.Helper()
			if _, err := env.Authenticate(ctx, login, directoryPassword); err != nil {
				t.Errorf("known %v: %s: %v", known, login, err)
			}
		}
		for i := range 9 {
			refused(fmt.Sprintf("alias%d@corp.example", i), "wrong")
		}
		admitted(ctx, "alias9@corp.example") // one was left; and all are forgotten
		for i := range 10 {
			refused(fmt.Sprintf("alias%d@corp.example", 10+i), "wrong")
		}
		for i := range 30 {
			refused(fmt.Sprintf("alias%d@corp.example", 20+i), directoryPassword) // in silence
		}
		refused("ann", directoryPassword)     // which is the same entry
		admitted(from("198.51.100.7"), "ann") // strangers keep nobody out
		env.Clock.Advance(time.Hour)
		admitted(ctx, "alias0@corp.example")
	}
}

// Who is renamed and asked for under the name that somebody else has by now spends
// nothing of theirs.
func TestDirectoryThrottledByEntryOfAnother(t *testing.T) {
	ctx := roster.WithClient(context.Background(), roster.Client{Addr: netip.MustParseAddr("203.0.113.7")})
	env, d := inCorp(t, func(o *roster.Options) { o.Limits = roster.Limits{} })
	signsIn(t, env, "ann", directoryPassword)
	renamed, heir := annInCorp(), benInCorp()
	renamed.Name, heir.Name, heir.Emails = " not a name", "ann", nil // so that it is never followed
	alias := func(i int) string { return fmt.Sprintf("alias%d@corp.example", i) }
	for i := range 12 {
		heir.Emails = append(heir.Emails, alias(i))
	}
	d.Put(directoryPassword, renamed)
	d.Put(benPassword, heir)
	hers := func() {
		t.Helper()
		_, err := env.Authenticate(ctx, "ann@corp.example", directoryPassword)
		must(t, err)
	}
	for range 30 {
		hers()
	}
	for i := range 10 {
		_, err := env.Authenticate(ctx, alias(i), "wrong")
		wantError(t, err, roster.ErrCredentials)
		hers() // which forgets nothing of his, and is not kept out by it
	}
	_, err := env.Authenticate(ctx, alias(10), benPassword)
	wantError(t, err, roster.ErrCredentials)
}
