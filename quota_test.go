package roster_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// A thousand requests for one address are three mails an hour, and nobody is
// told; the last code is good.
func TestMailsToOneAddress(t *testing.T) {
	for _, ttl := range []time.Duration{0, 10 * time.Minute} {
		env, _ := limited(t, func(o *roster.Options) { o.ResetTTL = ttl })
		env.MustRegister("ann")
		_, err := env.Register(context.Background(), roster.NewUser{Name: "ben", Email: "ben@example.org", Password: rostertest.Password})
		must(t, err)
		env.Mail.Clear()
		for i := range 1000 {
			must(t, env.RequestPasswordReset(at(fmt.Sprintf("10.0.%d.1", i/50)), []string{"ann", "ANN@example.org", "nobody"}[i%3]))
			must(t, env.ResendActivation(at(fmt.Sprintf("10.1.%d.1", i/50)), "ben"))
		}
		if n, m := len(env.Mail.To("ann@example.org")), len(env.Mail.To("ben@example.org")); n != 3 || m != 3 {
			t.Errorf("%d and %d mails", n, m)
		}
		env.Clock.Advance(max(ttl, 0) - time.Second + map[bool]time.Duration{true: time.Hour}[ttl == 0])
		code := env.Mail.MustCode(t, "ann@example.org")
		if _, err := env.Peek(context.Background(), code); err != nil {
			t.Errorf("the last code: %v", err)
		}
		env.Clock.Advance(time.Second)
		must(t, env.RequestPasswordReset(context.Background(), "ann"))
		if n := len(env.Mail.To("ann@example.org")); n != 4 {
			t.Errorf("%d mails in the next window", n)
		}
	}
}

// Who claims an address too often mails nobody, and cannot tell; and keeps the
// owner from no other mail.
func TestClaimsOfOneAddress(t *testing.T) {
	env, _ := limited(t)
	env.MustRegister("victim")
	env.Mail.Clear()
	env.Clock.Advance(time.Hour) // that was a mail, too
	ids := map[int]roster.UserID{}
	for i := range 10 {
		u, err := env.Register(context.Background(), roster.NewUser{
			Name: fmt.Sprintf("mallory%d", i), Email: []string{"victim@example.org", "free@example.org"}[i%2], Password: rostertest.Password,
		})
		must(t, err)
		ids[i] = u.ID
	}
	for _, address := range []string{"victim@example.org", "free@example.org"} {
		if n := len(env.Mail.To(address)); n != 3 {
			t.Errorf("%d mails to %s", n, address)
		}
	}
	must(t, env.RequestPasswordReset(context.Background(), "victim@example.org"))
	if m := env.Mail.MustLast(t, "victim@example.org"); m.Kind != roster.MailResetPassword {
		t.Errorf("the last mail is %s", m.Kind)
	}
	// Those who were not mailed have a claim all the same, and can ask again.
	must(t, env.ResendActivation(context.Background(), "mallory9"))
	if m := env.Mail.MustLast(t, "free@example.org"); m.User.ID != ids[9] {
		t.Errorf("the last mail is for %s", m.User.Name)
	}
	e, err := env.AddEmail(context.Background(), ids[1], "victim@example.org")
	if err != nil || e.IsActivated() {
		t.Error(e, err)
	}
	if n := len(env.Mail.To("victim@example.org")); n != 4 {
		t.Errorf("%d mails", n)
	}
	healthy(t, env)
}

// A registration that fails has sent nothing and costs nothing of it.
func TestConflictsCostNoMail(t *testing.T) {
	env, _ := limited(t)
	env.MustRegister("ann")
	for i := range 5 {
		_, err := env.Register(context.Background(), roster.NewUser{Name: "ann", Email: "new@example.org", Password: rostertest.Password})
		wantError(t, err, roster.ErrConflict)
		_, err = env.AddEmail(context.Background(), 1000+roster.UserID(i), "new@example.org")
		wantError(t, err, roster.ErrNotFound)
	}
	_, err := env.Register(context.Background(), roster.NewUser{Name: "anna", Email: "new@example.org", Password: rostertest.Password})
	must(t, err)
	env.Mail.MustCode(t, "new@example.org")
	env.Mail.Fail(errors.New("no mail today"))
	for range 5 {
		must(t, env.ResendActivation(context.Background(), "anna"))
	}
	env.Mail.Fail(nil)
	env.Mail.Clear()
	must(t, env.ResendActivation(context.Background(), "anna"))
	env.Mail.MustCode(t, "new@example.org")
}

// Requests are counted per source, whether there is such an account or not, and
// all together.
func TestRequestsForMails(t *testing.T) {
	env, hasher := limited(t, func(o *roster.Options) { o.Limits.SourceMails, o.Limits.Mails = 10, 50 })
	u := env.MustRegister("ann")
	one := func(ctx context.Context, i int) error {
		var err error
		switch i % 4 {
		case 0:
			err = env.RequestPasswordReset(ctx, "ann")
		case 1:
			err = env.ResendActivation(ctx, "nobody")
		case 2:
			_, err = env.AddEmail(ctx, u.ID, fmt.Sprintf("ann%d@example.org", i))
		case 3:
			_, err = env.Register(ctx, roster.NewUser{Name: rand26(), Email: rand26() + "@example.org", Password: rostertest.Password})
		}
		return err
	}
	for i := range 16 {
		err := one(at("192.0.2.1"), i)
		if i < 10 {
			must(t, err)
		} else if wait := throttled(err); wait <= 0 || wait > time.Hour {
			t.Errorf("request %d: %v", i+1, err)
		}
	}
	for i := range 40 - 1 { // one is that of MustRegister
		must(t, one(at(fmt.Sprintf("192.0.2.%d", 2+i/10)), i))
	}
	before := hasher.n.Load()
	for i := range 4 {
		if err := one(at("198.51.100.1"), i); throttled(err) == 0 {
			t.Errorf("all together: %v", err)
		}
	}
	if hasher.n.Load() != before {
		t.Error("who is throttled costs a hash")
	}
	env.Clock.Advance(time.Hour)
	must(t, one(at("192.0.2.1"), 0))
}

func rand26() string { return "u" + rand.Text()[:20] }

// Codes that are no good are counted per source, those that are not.
func TestGuessedCodes(t *testing.T) {
	env, _ := limited(t)
	_, err := env.Register(context.Background(), roster.NewUser{Name: "ann", Email: "ann@example.org", Password: rostertest.Password})
	must(t, err)
	code := env.Mail.MustCode(t, "ann@example.org")
	ctx := at("192.0.2.1")
	refused := 0
	for i := range 200 {
		var err error
		bad := base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprintf("%032d", i)))
		switch i % 3 {
		case 0:
			_, err = env.Peek(ctx, bad)
		case 1:
			_, err = env.Activate(ctx, bad+"x")
		case 2:
			_, err = env.ResetPassword(ctx, bad, "another password")
		}
		switch {
		case errors.Is(err, roster.ErrActivation):
			refused++
		case throttled(err) == 0:
			t.Fatal(err)
		}
		if i < 99 {
			_, err = env.Peek(ctx, code)
			must(t, err)
		}
	}
	if refused != 100 {
		t.Errorf("%d codes were looked up", refused)
	}
	if _, err := env.Activate(ctx, code); throttled(err) == 0 {
		t.Error(err)
	}
	_, err = env.ActivateWithPassword(at("192.0.2.2"), code, rostertest.Password)
	must(t, err)
	env.Clock.Advance(10 * time.Minute)
	_, err = env.Activate(ctx, code)
	wantError(t, err, roster.ErrActivation)
}
