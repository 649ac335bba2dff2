package roster_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// fields lists what was refused, as "field: reason".
func fields(err error) []string {
	var all []string
	for _, e := range roster.InvalidFields(err) {
		all = append(all, e.Field+": "+string(e.Reason))
	}
	return all
}

func wantConflict(t *testing.T, err error, field string) {
	t.Helper()
	var conflict *roster.ConflictError
	if !errors.As(err, &conflict) || conflict.Field != field || !errors.Is(err, roster.ErrConflict) {
		t.Fatalf("got %v, want a conflict of %s", err, field)
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func healthy(t testing.TB, env *rostertest.Env) {
	t.Helper()
	problems, err := env.Check(context.Background())
	must(t, err)
	if len(problems) > 0 {
		t.Fatalf("broken invariants: %v", problems)
	}
}

var ann = roster.NewUser{
	Name: "Ann", RealName: "Ann Example", Email: "Ann@Example.org", Password: "correct horse battery",
	Locale: "de", Timezone: "Europe/Berlin",
}

func TestRegisterToSignIn(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)

	u, err := env.Register(ctx, ann)
	must(t, err)
	if u.ID <= 0 || u.UUID.Version() != 4 || u.Name != "Ann" || u.NameKey != "ann" || !u.Enabled || u.IsActivated() {
		t.Errorf("registered as %+v", u)
	}
	if got := roster.RegistrationSource.Get(u); got != "email" {
		t.Errorf("registration source %q, want email", got)
	}
	if _, err := env.Authenticate(ctx, "ann", ann.Password); !errors.Is(err, roster.ErrNotActivated) {
		t.Errorf("sign-in before the activation: %v, want ErrNotActivated", err)
	}
	if _, err := env.ByEmail(ctx, "ann@example.org"); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("a pending address was found: %v", err)
	}

	mails := env.Mail.All()
	if len(mails) != 1 {
		t.Fatalf("%d mails, want 1", len(mails))
	}
	m := mails[0]
	if m.Kind != roster.MailActivateAccount || m.To != "Ann@Example.org" || m.Locale != "de" || m.User.ID != u.ID {
		t.Errorf("mail %+v", m)
	}
	if want := env.Clock.Now().Add(24 * time.Hour); !m.ExpiresAt.Equal(want) {
		t.Errorf("code expires at %v, want %v", m.ExpiresAt, want)
	}

	activated, err := env.ActivateWithPassword(ctx, m.Code.Reveal(), rostertest.Password)
	must(t, err)
	if activated.ID != u.ID || !activated.IsActivated() || !activated.CanLogin() {
		t.Errorf("activated %+v", activated)
	}
	for _, login := range []string{"ann", "ANN", "ＡＮＮ", "ann@example.org", "Ann@EXAMPLE.ORG"} {
		got, err := env.Authenticate(ctx, login, ann.Password)
		if err != nil || got.ID != u.ID {
			t.Errorf("sign-in as %s: %v", login, err)
		}
	}
	byAddress, err := env.ByAddress(ctx, `"Example, Ann" <ann@example.org>`)
	must(t, err)
	byUUID, err := env.ByUUID(ctx, u.UUID)
	must(t, err)
	if diff := cmp.Diff(byAddress, byUUID); diff != "" {
		t.Errorf("one user read in two ways:\n%s", diff)
	}
	healthy(t, env)
}

func TestRegisterReportsEveryField(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	for _, tt := range []struct {
		name string
		new  roster.NewUser
		want []string
	}{
		{"nothing", roster.NewUser{}, []string{"name: empty", "email: empty", "password: empty"}},
		{
			"everything",
			roster.NewUser{
				Name: "a b", RealName: "Ann\nExample", Email: "ann", Password: "short",
				Locale: "../../x", Timezone: "Mars/Olympus",
			},
			[]string{
				"name: character", "email: syntax", "password: too_short", "real_name: character",
				"locale: unknown", "timezone: unknown",
			},
		},
		{"reserved", roster.NewUser{Name: "ＡＤＭＩＮ", Email: "a@example.org", Password: "long enough"}, []string{"name: reserved"}},
		{"auto name", roster.NewUser{Name: "user-7", Email: "a@example.org", Password: "long enough"}, []string{"name: reserved"}},
		{"server's zone", roster.NewUser{Name: "ann", Email: "a@example.org", Password: "long enough", Timezone: "Local"}, []string{"timezone: unknown"}},
		{
			"name is an address",
			roster.NewUser{Name: "ann@example.org", Email: "b@example.org", Password: "long enough"},
			[]string{"name: character"},
		},
		{
			"source",
			roster.NewUser{Name: "ann", Email: "b@example.org", Password: "long enough", Source: strings.Repeat("x", 1<<20)},
			[]string{"source: too_long"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := env.Register(ctx, tt.new)
			if diff := cmp.Diff(fields(err), fields(env.CheckNewUser(tt.new))); diff != "" {
				t.Errorf("CheckNewUser differs from Register:\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, fields(err)); diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
	if n, err := env.Count(ctx, roster.Query{State: roster.StateLive}); n != 0 || err != nil {
		t.Errorf("%d users, %v", n, err)
	}
	if mails := env.Mail.All(); len(mails) != 0 {
		t.Errorf("mails were sent: %v", mails)
	}
}

func TestRegisterTakenName(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	env.MustRegister("ann")
	env.MustRegister("kim")
	for _, name := range []string{"ann", "Ann", "ＡＮＮ", "\u212aim"} {
		_, err := env.Register(ctx, roster.NewUser{Name: name, Email: "other@example.org", Password: rostertest.Password})
		wantConflict(t, err, roster.FieldName)
	}
	if mails := env.Mail.To("other@example.org"); len(mails) != 0 {
		t.Errorf("mails were sent: %v", mails)
	}
	healthy(t, env)
}

func TestRegisterTakenAddressIsSilent(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	env.MustRegister("ann")
	must(t, env.Edit(ctx, 1, func(u *roster.User) error { u.Locale = "pt-BR"; return nil }))
	env.Mail.Clear()

	free, err := env.Register(ctx, roster.NewUser{Name: "ben", Email: "ben@example.org", Password: rostertest.Password})
	must(t, err)
	taken, err := env.Register(ctx, roster.NewUser{Name: "eve", Email: "ANN@example.org", Password: rostertest.Password})
	must(t, err)
	for _, u := range []*roster.User{free, taken} {
		u.ID, u.UUID, u.Name, u.NameKey = 0, uuid.Nil, "", ""
	}
	if diff := cmp.Diff(free, taken); diff != "" {
		t.Errorf("the answer tells that the address is taken:\n%s", diff)
	}
	m := env.Mail.MustLast(t, "ann@example.org")
	if m.Kind != roster.MailAddressTaken || !m.Code.IsZero() || m.User.Name != "ann" || m.Locale != "pt-BR" {
		t.Errorf("mail to the owner: %+v", m)
	}
	if m.To != "ann@example.org" {
		t.Error("mail went to the address that was typed, not to the one that is stored")
	}
	must(t, env.ResendActivation(ctx, "ann@example.org"))
	must(t, env.ResendActivation(ctx, "eve"))
	for _, m := range env.Mail.To("ann@example.org") {
		if !m.Code.IsZero() {
			t.Errorf("a code was sent to a taken address: %+v", m)
		}
	}
	healthy(t, env)
}

func TestRegisterTellsTakenAddressIfAsked(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t, func(o *roster.Options) { o.TellTakenAddress = true })
	a := env.MustRegister("ann")
	_, err := env.Register(ctx, roster.NewUser{Name: "eve", Email: "ANN@example.org", Password: rostertest.Password})
	wantConflict(t, err, roster.FieldEmail)
	if _, err := env.ByName(ctx, "eve"); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("the user was kept: %v", err)
	}
	_, err = env.AddEmail(ctx, a.ID, "ann@example.org")
	wantConflict(t, err, roster.FieldEmail)
}

func TestPendingClaimsBlockNobody(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	for _, name := range []string{"eve", "mallory"} {
		_, err := env.Register(ctx, roster.NewUser{Name: name, Email: "ann@example.org", Password: rostertest.Password})
		must(t, err)
	}
	stale := env.Mail.MustCode(t, "ann@example.org")
	inUse, err := env.EmailInUse(ctx, "ann@example.org")
	if inUse || err != nil {
		t.Errorf("EmailInUse = %v, %v for a pending address", inUse, err)
	}
	a := env.MustRegister("ann")

	if _, err := env.Activate(ctx, stale); !errors.Is(err, roster.ErrActivation) {
		t.Errorf("a rival's code was good: %v", err)
	}
	owner, err := env.ByEmail(ctx, "ann@example.org")
	if err != nil || owner.ID != a.ID {
		t.Errorf("the address belongs to %v, %v", owner, err)
	}
	eve, err := env.ByName(ctx, "eve")
	must(t, err)
	wantEmails(t, env, eve.ID, "(ann@example.org*)") // worth nothing
	must(t, env.ResendActivation(ctx, "eve"))
	must(t, env.RequestPasswordReset(ctx, "eve"))
	if m := env.Mail.MustLast(t, "ann@example.org"); m.User.ID != a.ID {
		t.Errorf("a code for the rival was sent: %+v", m)
	}
	env.Clock.Advance(9 * 24 * time.Hour)
	p, err := env.Prune(ctx, roster.Budget{})
	if err != nil || p.Users != 2 {
		t.Errorf("pruned %+v, %v; want the two rivals", p, err)
	}
	healthy(t, env)
}

func TestSkipActivation(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t, func(o *roster.Options) { o.SkipActivation = true })
	_, err := env.Register(ctx, ann)
	must(t, err)
	_, err = env.Authenticate(ctx, "ann", ann.Password)
	must(t, err)
	if _, err := env.Authenticate(ctx, ann.Email, ann.Password); !errors.Is(err, roster.ErrCredentials) {
		t.Errorf("signed in by an address that nobody proved: %v", err)
	}
	if m := env.Mail.MustLast(t, ann.Email); m.Kind != roster.MailActivateEmail {
		t.Errorf("mail kind %s", m.Kind)
	}
}

func TestRegisterMailFailureChangesNothing(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	broken := errors.New("outbox is full")
	env.Mail.Fail(broken)
	_, err := env.Register(ctx, ann)
	wantError(t, err, broken)
	env.Mail.Fail(nil)
	if _, err := env.ByName(ctx, "ann"); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("half a registration: %v", err)
	}
	_, err = env.Register(ctx, ann)
	must(t, err)
}

func TestCreate(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)

	t.Run("named", func(t *testing.T) {
		u := &roster.User{Name: "Admin", RealName: "The Admin", ActivatedAt: time.Now(), Flags: roster.FlagPrivileged, Enabled: false}
		must(t, env.Create(ctx, u))
		got, err := env.ByName(ctx, "admin")
		must(t, err)
		if diff := cmp.Diff(u, got); diff != "" {
			t.Errorf("what Create left in its argument is not what is stored:\n%s", diff)
		}
		if !got.Enabled || !got.IsActivated() || !got.Flags.Has(roster.FlagPrivileged) {
			t.Errorf("created %+v", got)
		}
	})
	t.Run("automatic name", func(t *testing.T) {
		u := &roster.User{}
		must(t, env.Create(ctx, u))
		if !u.NameAuto || !strings.HasPrefix(u.Name, "user-") {
			t.Errorf("name %q, automatic %v", u.Name, u.NameAuto)
		}
		got, err := env.ByName(ctx, u.Name)
		if err != nil || got.ID != u.ID {
			t.Errorf("not found by the automatic name: %v", err)
		}
		if got := u.FriendlyName("ann@example.org"); got != "ann@example.org" {
			t.Errorf("friendly name %q, want the address and not the automatic name", got)
		}
	})
	t.Run("refused leaves the argument", func(t *testing.T) {
		u := &roster.User{Name: "ADMIN", Locale: "de_DE"}
		before := *u
		wantConflict(t, env.Create(ctx, u), roster.FieldName)
		if diff := cmp.Diff(&before, u); diff != "" {
			t.Errorf("changed:\n%s", diff)
		}
		if got := fields(env.Create(ctx, &roster.User{Name: "user-99"})); !slices.Equal(got, []string{"name: reserved"}) {
			t.Errorf("automatic name by hand: %v", got)
		}
	})
	t.Run("again after a rollback", func(t *testing.T) {
		u := &roster.User{RealName: "Again"}
		stop := errors.New("stop")
		for range 2 {
			wantError(t, env.Atomic(ctx, func(ctx context.Context) error {
				must(t, env.Create(ctx, u))
				return stop
			}), stop)
		}
		must(t, env.Create(ctx, u))
		got, err := env.ByName(ctx, u.Name)
		if err != nil || got.ID != u.ID || got.RealName != "Again" {
			t.Errorf("created %+v, found %+v, %v", u, got, err)
		}
	})
	t.Run("what is not Create's to take", func(t *testing.T) {
		at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		u := &roster.User{
			ID: 4711, Name: "zoe", DeletedAt: at, LastLoginAt: at, LastLoginIP: "192.0.2.1", PasswordChangedAt: at,
			AuthChangedAt: at, CreatedAt: at, UpdatedAt: at, Version: 9,
		}
		must(t, env.Create(ctx, u))
		now := env.Clock.Now()
		if u.ID == 4711 || u.IsDeleted() || !u.LastLoginAt.IsZero() || u.LastLoginIP != "" || !u.PasswordChangedAt.IsZero() ||
			!u.AuthChangedAt.IsZero() || !u.CreatedAt.Equal(now) || !u.UpdatedAt.Equal(now) || u.Version != 1 {
			t.Errorf("created %+v", u)
		}
	})
	healthy(t, env)
}
