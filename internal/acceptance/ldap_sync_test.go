package acceptance

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/internal/slapdtest"
	"github.com/go-roster/roster/ldapauth"
)

// A sync of 1,200 people: a plan, what it does, a second one with nothing to do, and none at all
// from a directory that is away, cut short, or seen through a wrong filter.
func TestLDAPSync(t *testing.T) {
	const people = 1200
	onEach(t, func(t *testing.T, k kind) {
		if k.leaveOut(random(t)) {
			return
		}
		s := slapdtest.Start(t, slapd.Options{
			Entries:  slapd.People(people),
			Database: "limits dn.exact=\"" + slapd.ServiceDN + "\" size.soft=500 size.hard=500 size.prtotal=unlimited",
		})
		w, _ := withLDAP(t, k, s)
		ctx := ctxOf(t)
		step := func(wants ...int) {
			t.Helper()
			plan, err := w.PlanSync(ctx, "corp", roster.Brake{})
			w.must(err)
			var got []int
			for _, a := range []roster.SyncAction{roster.SyncCreate, roster.SyncUpdate, roster.SyncDisable, roster.SyncSkip} {
				got = append(got, plan.Count(a))
			}
			if diff := cmp.Diff(wants, got); diff != "" {
				t.Fatalf("create, update, disable, skip: %s", diff)
			}
			for range 2 { // the second time nothing is left to do
				_, err = w.ApplySync(ctx, plan)
				w.must(err)
			}
		}
		step(people, 0, 0, 0)
		step(0, 0, 0, 0)
		if n := len(w.users()); n != people {
			t.Fatalf("%d users", n)
		}
		w.must(s.Do(func(c *ldap.Conn) error {
			for i := range 3 {
				if err := c.Del(ldap.NewDelRequest(slapd.PersonDN(slapd.Name(i)), nil)); err != nil {
					return err
				}
			}
			if err := c.ModifyDN(ldap.NewModifyDNRequest(slapd.PersonDN(slapd.Name(3)), "uid=another", true, "")); err != nil {
				return err
			}
			r := ldap.NewModifyRequest(slapd.PersonDN(slapd.Name(4)), nil)
			r.Replace("mail", []string{"new@example.org"})
			return c.Modify(r)
		}))
		step(0, 2, 3, 0)
		step(0, 0, 0, 0)
		names := w.users()
		enabled := 0
		for u, err := range w.All(ctx) {
			w.must(err)
			if u.Enabled {
				enabled++
			}
		}
		if enabled != people-3 || len(names) != people {
			t.Errorf("%d of %d are enabled", enabled, len(names))
		}
		w.sound()

		// What is not everybody disables nobody.
		unusable := func(w *world, what string, want error) {
			t.Helper()
			plan, err := w.PlanSync(ctx, "corp", roster.Brake{})
			if !errors.Is(err, want) {
				t.Errorf("%s: %v", what, err)
			}
			if plan != nil {
				if _, err := w.ApplySync(ctx, plan); !errors.Is(err, roster.ErrForbidden) {
					t.Errorf("%s: a plan is done: %v", what, err)
				}
			}
		}
		s.Kill()
		unusable(w, "away", roster.ErrUnavailable)
		w.must(s.Restart())
		for what, change := range map[string]func(*ldapauth.Options){
			"a wrong base":   func(o *ldapauth.Options) { o.Base = "ou=nowhere," + slapd.Base },
			"a wrong filter": func(o *ldapauth.Options) { o.Schema.Everybody = "(uid=nobody)" },
			"no rights":      func(o *ldapauth.Options) { o.ServiceDN, o.ServicePassword = "", roster.Secret{} },
			"some of them":   func(o *ldapauth.Options) { o.Schema.Everybody = "(uid=user0*)" },
		} {
			o := slapdtest.Options(s)
			change(&o)
			want := roster.ErrUnavailable
			if what == "some of them" {
				want = roster.ErrForbidden
			}
			narrow := newWorld(t, w.store, func(r *roster.Options) { r.Directories = []roster.Directory{slapdtest.New(t, o)} })
			unusable(narrow, what, want)
		}
		step(0, 0, 0, 0)
	})
}

// Who is in a group there is in the one here that the allow-list names, also by way of another
// group, until they are not; groups outside the list are nothing.
func TestLDAPGroups(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		s := slapdtest.Start(t, slapd.Options{
			Entries: slapd.People(1),
			Groups: []*ldap.Entry{
				slapd.Group("admin", slapd.PersonDN(slapd.Name(0))),
				slapd.Group("office", slapd.PersonDN(slapd.Name(0))),
				slapd.Group("staff", slapd.GroupDN("office")),
			},
		})
		o := slapdtest.Options(s)
		o.Groups = ldapauth.GroupOfNames("ou=groups,"+slapd.Base, map[string]string{slapd.GroupDN("staff"): "employees"})
		d := slapdtest.New(t, o)
		w := newWorld(t, k.open(t), func(r *roster.Options) { r.Directories = []roster.Directory{d} })
		ctx := ctxOf(t)
		w.must(w.CreateGroup(ctx, &roster.Group{Name: "employees"}))
		w.must(w.CreateGroup(ctx, &roster.Group{Name: "office"}))
		for _, want := range []string{"employees", ""} {
			u, err := w.Authenticate(ctx, slapd.Name(0), slapd.Name(0))
			w.must(err)
			groups, err := w.GroupsOf(ctx, u.ID)
			w.must(err)
			var names []string
			for _, g := range groups[u.ID] {
				names = append(names, g.Name)
			}
			if got := strings.Join(names, " "); got != want {
				t.Errorf("groups %q, want %q", got, want)
			}
			w.must(s.Do(func(c *ldap.Conn) error {
				r := ldap.NewModifyRequest(slapd.GroupDN("office"), nil)
				r.Replace("member", []string{slapd.ServiceDN})
				return c.Modify(r)
			}))
		}
	})
}
