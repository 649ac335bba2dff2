package roster_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

func TestResetPassword(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t, func(o *roster.Options) { o.ResetURL = "https://app.example.org/reset#{code}" })
	u := env.MustRegister("ann")
	env.Clock.Advance(time.Minute)
	must(t, env.RequestPasswordReset(ctx, "ANN"))
	m := env.Mail.MustLast(t, "ann@example.org")
	if m.Kind != roster.MailResetPassword || !m.ExpiresAt.Equal(env.Clock.Now().Add(time.Hour)) ||
		m.Link.Reveal() != "https://app.example.org/reset#"+m.Code.Reveal() {
		t.Errorf("mail %+v", m)
	}
	_, err := env.Authenticate(ctx, "ann", rostertest.Password)
	must(t, err) // forgetting is harmless
	p, err := env.Peek(ctx, m.Code.Reveal())
	if err != nil || p.Purpose != roster.PurposeResetPassword {
		t.Errorf("peeked %+v, %v", p, err)
	}
	_, err = env.ResetPassword(ctx, m.Code.Reveal(), "short")
	wantError(t, err, roster.ErrInvalid)
	got, err := env.ResetPassword(ctx, m.Code.Reveal(), "another password")
	must(t, err)
	if got.SessionValid(u.CreatedAt) || !got.PasswordChangedAt.Equal(env.Clock.Now()) {
		t.Errorf("reset %+v", got)
	}
	_, err = env.ResetPassword(ctx, m.Code.Reveal(), "yet another password")
	wantError(t, err, roster.ErrActivation)
	_, err = env.Authenticate(ctx, "ann", rostertest.Password)
	wantError(t, err, roster.ErrCredentials)
	_, err = env.Authenticate(ctx, "ann", "another password")
	must(t, err)
	if m := env.Mail.MustLast(t, "ann@example.org"); m.Kind != roster.MailPasswordChanged {
		t.Errorf("mail %s", m.Kind)
	}
	healthy(t, env)
}

// A code of one purpose is worthless for another.
func TestCodesHaveOnePurpose(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	must(t, env.RequestPasswordReset(ctx, "ann"))
	reset := env.Mail.MustCode(t, "ann@example.org")
	_, err := env.AddEmail(ctx, u.ID, "b@example.org")
	must(t, err)
	_, err = env.ChangeEmail(ctx, u.ID, "c@example.org")
	must(t, err)
	_, err = env.Activate(ctx, reset)
	wantError(t, err, roster.ErrActivation)
	for _, address := range []string{"b@example.org", "c@example.org"} {
		code := env.Mail.MustCode(t, address)
		_, err = env.ResetPassword(ctx, code, "another password")
		wantError(t, err, roster.ErrActivation)
		_, err = env.Peek(ctx, code)
		must(t, err)
	}
	must(t, env.CheckPassword(ctx, u.ID, rostertest.Password))
	_, err = env.ResetPassword(ctx, reset, "another password")
	must(t, err)
	for _, address := range []string{"b@example.org", "c@example.org"} { // void now
		_, err = env.Activate(ctx, env.Mail.MustCode(t, address))
		wantError(t, err, roster.ErrActivation)
	}
}

// An activation that came too late is repaired by a reset.
func TestResetActivates(t *testing.T) {
	ctx := context.Background()
	for _, login := range []string{"ann", "ann@example.org"} {
		env := rostertest.New(t)
		_, err := env.Register(ctx, roster.NewUser{Name: "ann", Email: "ann@example.org", Password: rostertest.Password})
		must(t, err)
		env.Clock.Advance(48 * time.Hour)
		must(t, env.RequestPasswordReset(ctx, login))
		u, err := env.ResetPassword(ctx, env.Mail.MustCode(t, "ann@example.org"), "another password")
		must(t, err)
		if !u.IsActivated() {
			t.Error("not activated")
		}
		wantEmails(t, env, u.ID, "ann@example.org*")
		_, err = env.Authenticate(ctx, "ann@example.org", "another password")
		must(t, err)
	}
}

func TestResetExpires(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	env.MustRegister("ann")
	must(t, env.RequestPasswordReset(ctx, "ann"))
	first := env.Mail.MustCode(t, "ann@example.org")
	must(t, env.RequestPasswordReset(ctx, "ann@example.org"))
	second := env.Mail.MustCode(t, "ann@example.org")
	_, err := env.ResetPassword(ctx, first, "another password")
	wantError(t, err, roster.ErrActivation)
	env.Clock.Advance(time.Hour)
	_, err = env.ResetPassword(ctx, second, "another password")
	wantError(t, err, roster.ErrActivation)
}

func TestResetTellsNothing(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	ann := env.MustRegister("ann")
	_, err := env.AddEmail(ctx, ann.ID, "pending@example.org") // by somebody who is activated
	must(t, err)
	_, err = env.Register(ctx, roster.NewUser{Name: "eve", Email: "ANN@example.org", Password: rostertest.Password})
	must(t, err)
	linked := env.MustRegister("linked")
	must(t, env.Edit(ctx, linked.ID, func(u *roster.User) error { u.DirectoryID = "ldap:7"; return nil }))
	must(t, env.Create(ctx, &roster.User{Name: "nomail", ActivatedAt: env.Clock.Now()}))
	logins := refusals(t, env)
	delete(logins, "corrupt") // who has an account and a broken hash is helped by a reset
	delete(logins, "corrupt by address")
	env.Mail.Clear()
	for _, login := range logins {
		must(t, env.RequestPasswordReset(ctx, login))
	}
	for _, login := range []string{"pending@example.org", "eve", "linked", "linked@example.org", "nomail", strings.Repeat("@", 1<<20)} {
		must(t, env.RequestPasswordReset(ctx, login))
	}
	for _, m := range env.Mail.All() {
		t.Errorf("mail %s to %s", m.Kind, m.To)
	}
	must(t, env.RequestPasswordReset(ctx, "corrupt"))
	u, err := env.ResetPassword(ctx, env.Mail.MustCode(t, "corrupt@example.org"), "another password")
	must(t, err)
	if u.Name != "corrupt" {
		t.Errorf("reset of %s", u.Name)
	}
}

// A Mailer that fails must not tell who has an account.
func TestFailingMailerTellsNothing(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	env.MustRegister("ann")
	_, err := env.Register(ctx, roster.NewUser{Name: "ben", Email: "ben@example.org", Password: rostertest.Password})
	must(t, err)
	env.Mail.Fail(errors.New("down"))
	for _, login := range []string{"ann", "ann@example.org", "ben", "nobody"} {
		must(t, env.RequestPasswordReset(ctx, login))
		must(t, env.ResendActivation(ctx, login))
	}
	env.Mail.Fail(nil)
	healthy(t, env)
}

// failing is a store whose transactions, and whose Limiter for mails, fail while
// they are told to.
type failing struct {
	roster.Store
	atomic, limits error
}

func (s *failing) Atomic(ctx context.Context, fn func(context.Context) error) error {
	if s.atomic != nil {
		return s.atomic
	}
	return s.Store.Atomic(ctx, fn)
}

func (s *failing) TakeLimits(ctx context.Context, now time.Time, takes ...roster.LimitTake) ([]string, error) {
	if s.limits != nil {
		return nil, s.limits
	}
	return s.Store.TakeLimits(ctx, now, takes...)
}

// Nor must a store that can be read and not written, or a Limiter that fails. One
// that is down tells nothing, as it cannot be asked who there is.
func TestUnwritableStoreTellsNothing(t *testing.T) {
	ctx := context.Background()
	s := &failing{Store: memory.New()}
	for _, own := range []bool{false, true} { // a Limiter of one's own has no spare
		env := rostertest.NewOn(t, s, func(o *roster.Options) {
			// No budget for all, so that only known addresses are counted.
			o.Limits = roster.Limits{Mails: -1, SourceMails: -1}
			if own {
				o.Limiter = s
			}
		})
		if !own {
			env.MustRegister("ann")
			_, err := env.Register(ctx, roster.NewUser{Name: "ben", Email: "ben@example.org", Password: rostertest.Password})
			must(t, err)
		}
		env.Mail.Clear()
		for _, what := range []string{roster.UnavailableReadOnly, roster.UnavailableBusy} {
			unavailable := &roster.UnavailableError{What: what}
			for _, errs := range [][2]error{{unavailable, nil}, {nil, unavailable}, {unavailable, unavailable}} {
				s.atomic, s.limits = errs[0], errs[1]
				for _, login := range []string{"ann", "ann@example.org", "ben", "ben@example.org", "nobody", "nobody@example.org"} {
					for verb, err := range map[string]error{
						"reset": env.RequestPasswordReset(ctx, login), "activation": env.ResendActivation(ctx, login),
					} {
						if err != nil {
							t.Errorf("%s of %s: %v", verb, login, err)
						}
					}
				}
			}
		}
		s.atomic = &roster.UnavailableError{What: roster.UnavailableDatabase}
		s.limits = nil
		wantError(t, env.RequestPasswordReset(ctx, "ann"), roster.ErrUnavailable)
		s.atomic = nil
		env.Mail.Clear()
		must(t, env.RequestPasswordReset(ctx, "ann")) // and what failed has cost nothing
		env.Mail.MustCode(t, "ann@example.org")
		healthy(t, env)
	}
}

// Who asks for a reset by an address gets it there, and only by a proven one.
func TestResetByAnyActivatedAddress(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	e, err := env.AddActivatedEmail(ctx, u.ID, "second@example.org")
	must(t, err)
	must(t, env.RequestPasswordReset(ctx, "second@example.org"))
	code := env.Mail.MustCode(t, "second@example.org")
	must(t, env.RemoveEmail(ctx, u.ID, e.ID))
	if _, err = env.ResetPassword(ctx, code, "another password"); !errors.Is(err, roster.ErrActivation) {
		t.Errorf("reset through an address that was removed: %v", err)
	}
	must(t, env.RequestPasswordReset(ctx, "second@example.org"))
	if got := env.Mail.MustLast(t, "second@example.org").Kind; got != roster.MailEmailRemoved {
		t.Errorf("mail %s", got)
	}
}
