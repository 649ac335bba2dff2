package roster_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// signIn starts a session of a user of MustRegister.
func signIn(t testing.TB, env *rostertest.Env, name string) (*roster.Session, string) {
	t.Helper()
	s, token, err := env.SignIn(t.Context(), name, rostertest.Password)
	if err != nil {
		t.Fatal(err)
	}
	return s, token.Reveal()
}

// live wants a session that is good, and dead one that is not.
func live(t testing.TB, env *rostertest.Env, what, token string) *roster.Session {
	t.Helper()
	s, err := env.Session(t.Context(), token)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return new(roster.Session)
	}
	return s
}

func dead(t testing.TB, env *rostertest.Env, what, token string) {
	t.Helper()
	if s, err := env.Session(t.Context(), token); !errors.Is(err, roster.ErrNoSession) || s != nil {
		t.Errorf("%s: %v, want ErrNoSession", what, err)
	}
}

func TestSignIn(t *testing.T) {
	env := rostertest.New(t)
	ann := env.MustRegister("ann")
	ctx := roster.WithClient(t.Context(), roster.Client{
		Addr: netip.MustParseAddr("::ffff:192.0.2.7"), UserAgent: "Browser/1\x00\n\u202e", TLS: true,
	})
	s, token, err := env.SignIn(ctx, "ann@example.org", rostertest.Password)
	if err != nil {
		t.Fatal(err)
	}
	now := env.Clock.Now()
	if len(token.Reveal()) != 43 || s.UserID != ann.ID || s.User.Name != "ann" || s.ID == uuid.Nil || s.IsImpersonated() ||
		!s.CreatedAt.Equal(now) || !s.AuthenticatedAt.Equal(now) || !s.LastSeenAt.Equal(now) || !s.ExpiresAt.Equal(now.Add(7*24*time.Hour)) ||
		s.Addr != "192.0.2.7" || s.UserAgent != "Browser/1" || !s.TLS {
		t.Errorf("started %+v", s)
	}
	got := live(t, env, "the new one", token.Reveal())
	if got.ID != s.ID || got.User.ID != ann.ID || got.User.LastLoginIP != "192.0.2.7" || got.UserAgent != s.UserAgent {
		t.Errorf("found %+v", got)
	}
	for _, c := range []struct {
		login, password string
		want            error
	}{{"ann", "wrong", roster.ErrCredentials}, {"nobody", rostertest.Password, roster.ErrCredentials}} {
		if s, token, err := env.SignIn(ctx, c.login, c.password); !errors.Is(err, c.want) || s != nil || !token.IsZero() {
			t.Errorf("as %s: %v", c.login, err)
		}
	}
	if all, err := env.Sessions(ctx, ann.ID); err != nil || len(all) != 1 || all[0].User != nil {
		t.Errorf("%d sessions, %v", len(all), err)
	}
}

// Whoever plants a token before a sign-in is not signed in by it.
func TestTokensAreNew(t *testing.T) {
	env := rostertest.New(t)
	env.MustRegister("ann")
	planted := strings.Repeat("A", 43)
	seen := map[string]bool{planted: true}
	_, first := signIn(t, env, "ann")
	for range 20 {
		_, token := signIn(t, env, "ann")
		if seen[token] {
			t.Fatal("a token is used twice")
		}
		seen[token] = true
	}
	dead(t, env, "the planted one", planted)
	_, renewed, err := env.RenewSession(t.Context(), first)
	if err != nil || seen[renewed.Reveal()] {
		t.Fatalf("renewed: %v", err)
	}
	dead(t, env, "the former one", first)
	if _, _, err := env.RenewSession(t.Context(), first); !errors.Is(err, roster.ErrNoSession) {
		t.Errorf("renewed twice: %v", err)
	}
	for _, token := range []string{
		"", "x", planted[:42], planted + "A", renewed.Reveal()[:42] + "=", " " + renewed.Reveal(), renewed.Reveal() + "\n",
		strings.ToLower(renewed.Reveal()), strings.Repeat("A", 1<<20), "\xff" + planted[1:],
	} {
		if token != renewed.Reveal() {
			dead(t, env, "another token", token)
		}
	}
}

func TestStartSession(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	ann := env.MustRegister("ann")
	s, token, err := env.StartSession(ctx, ann)
	if err != nil || s.UserID != ann.ID {
		t.Fatal(err)
	}
	live(t, env, "started", token.Reveal())
	if err := env.EndSessions(ctx, ann.ID); err != nil {
		t.Fatal(err)
	}
	dead(t, env, "ended", token.Reveal())
	pending, err := env.Register(ctx, roster.NewUser{Name: "ben", Email: "ben@example.org", Password: rostertest.Password})
	if err != nil {
		t.Fatal(err)
	}
	off := env.MustRegister("cid")
	if err := env.Disable(ctx, off.ID); err != nil {
		t.Fatal(err)
	}
	off, err = env.ByID(ctx, off.ID)
	if err != nil {
		t.Fatal(err)
	}
	gone := env.MustRegister("dan")
	if err := env.Purge(ctx, gone.ID); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		u    *roster.User
		want error
	}{
		"a user who has changed": {ann, roster.ErrStale},
		"a pending user":         {pending, roster.ErrNotActivated},
		"a disabled user":        {off, roster.ErrCredentials},
		"a purged user":          {gone, roster.ErrStale},
	} {
		if s, token, err := env.StartSession(ctx, c.u); !errors.Is(err, c.want) || s != nil || !token.IsZero() {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
}

// A new password that is set while the old one is being verified leaves no
// session that came by the old one.
func TestSignInBesideNewPassword(t *testing.T) {
	h := &stopHasher{inside: make(chan struct{}), goOn: make(chan struct{})}
	env := rostertest.New(t, func(o *roster.Options) { o.Hasher = h })
	ann := env.MustRegister("ann")
	h.armed = true
	done := make(chan error)
	go func() {
		_, _, err := env.SignIn(context.Background(), "ann", rostertest.Password)
		done <- err
	}()
	<-h.inside
	if err := env.SetPassword(t.Context(), ann.ID, "quite another password"); err != nil {
		t.Fatal(err)
	}
	close(h.goOn)
	if err := <-done; !errors.Is(err, roster.ErrStale) {
		t.Errorf("signed in: %v, want ErrStale", err)
	}
	if all, err := env.Sessions(t.Context(), ann.ID); err != nil || len(all) != 0 {
		t.Errorf("%d sessions, %v", len(all), err)
	}
}

// stopHasher stops in Verify once it knows the answer.
type stopHasher struct {
	rostertest.Hasher
	armed        bool
	inside, goOn chan struct{}
}

func (h *stopHasher) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	ok, rehash, err = h.Hasher.Verify(ctx, hash, password)
	if h.armed {
		close(h.inside)
		<-h.goOn
	}
	return ok, rehash, err
}

func TestReauthenticate(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	env.MustRegister("ann")
	first, token := signIn(t, env, "ann")
	env.Clock.Advance(time.Hour)
	if _, _, err := env.Reauthenticate(ctx, token, "wrong"); !errors.Is(err, roster.ErrCredentials) {
		t.Errorf("a wrong password: %v", err)
	}
	if err := env.RequireFresh(live(t, env, "an hour later", token)); !errors.Is(err, roster.ErrReauthenticate) || !errors.Is(err, roster.ErrForbidden) {
		t.Errorf("an hour later: %v", err)
	}
	s, renewed, err := env.Reauthenticate(ctx, token, rostertest.Password)
	if err != nil {
		t.Fatal(err)
	}
	dead(t, env, "the former token", token)
	now := env.Clock.Now()
	got := live(t, env, "the new token", renewed.Reveal())
	for _, s := range []*roster.Session{s, got} {
		if s.ID != first.ID || !s.CreatedAt.Equal(first.CreatedAt) || !s.AuthenticatedAt.Equal(now) || !s.ExpiresAt.Equal(now.Add(7*24*time.Hour)) {
			t.Errorf("reauthenticated %+v", s)
		}
		if err := env.RequireFresh(s); err != nil {
			t.Errorf("just reauthenticated: %v", err)
		}
	}
	if _, _, err := env.Reauthenticate(ctx, token, rostertest.Password); !errors.Is(err, roster.ErrNoSession) {
		t.Errorf("with the former token: %v", err)
	}
}

func TestFreshness(t *testing.T) {
	env := rostertest.New(t)
	now := env.Clock.Now()
	for age, want := range map[time.Duration]bool{
		0: true, 10*time.Minute - time.Microsecond: true, 10 * time.Minute: false, 10*time.Minute + time.Microsecond: false,
		-time.Minute: true, -time.Minute - time.Microsecond: false, -time.Hour: false,
	} {
		s := &roster.Session{UserID: 1, AuthenticatedAt: now.Add(-age)}
		if got := env.IsFresh(s); got != want {
			t.Errorf("of age %v it is fresh: %v", age, got)
		}
		if err := env.RequireFresh(s); errors.Is(err, roster.ErrReauthenticate) == want || err == nil != want {
			t.Errorf("of age %v: %v", age, err)
		}
		s.ImpersonatorID = 2
		if err := env.RequireFresh(s); !errors.Is(err, roster.ErrForbidden) || errors.Is(err, roster.ErrReauthenticate) {
			t.Errorf("impersonated, of age %v: %v", age, err)
		}
	}
	if env.IsFresh(new(roster.Session)) {
		t.Error("a session of no time is fresh")
	}
}

func TestChangePasswordIn(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	ann := env.MustRegister("ann")
	_, token := signIn(t, env, "ann")
	_, other := signIn(t, env, "ann")
	const better = "quite another password"
	if _, _, err := env.ChangePasswordIn(ctx, token, "wrong", better); !errors.Is(err, roster.ErrCredentials) {
		t.Errorf("with a wrong password: %v", err)
	}
	if _, _, err := env.ChangePasswordIn(ctx, token, rostertest.Password, "short"); !errors.Is(err, roster.ErrInvalid) {
		t.Errorf("to a short password: %v", err)
	}
	live(t, env, "after failures", token)
	s, renewed, err := env.ChangePasswordIn(ctx, token, rostertest.Password, better)
	if err != nil || s.UserID != ann.ID {
		t.Fatal(err)
	}
	live(t, env, "the renewed one", renewed.Reveal())
	dead(t, env, "the former token", token)
	dead(t, env, "another session", other)
	if _, _, err := env.ChangePasswordIn(ctx, token, better, rostertest.Password); !errors.Is(err, roster.ErrNoSession) {
		t.Errorf("with the former token: %v", err)
	}
	if _, err := env.Authenticate(ctx, "ann", better); err != nil {
		t.Error(err)
	}
}

func TestEndingSessions(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	ann, ben := env.MustRegister("ann"), env.MustRegister("ben")
	_, bens := signIn(t, env, "ben")
	var tokens []string
	var ids []uuid.UUID
	for range 4 {
		env.Clock.Advance(time.Microsecond)
		s, token := signIn(t, env, "ann")
		tokens, ids = append(tokens, token), append(ids, s.ID)
	}
	all, err := env.Sessions(ctx, ann.ID)
	if err != nil || len(all) != 4 || all[0].ID != ids[3] || all[3].ID != ids[0] {
		t.Fatalf("%d sessions, %v", len(all), err)
	}
	for what, err := range map[string]error{
		"somebody else's": env.EndSession(ctx, ben.ID, ids[0]),
		"of nobody":       env.EndSession(ctx, 4711, ids[0]),
		"unknown":         env.EndSession(ctx, ann.ID, uuid.New()),
	} {
		if !errors.Is(err, roster.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := env.EndSession(ctx, 0, ids[0]); !errors.Is(err, roster.ErrInvalid) {
		t.Errorf("of user 0: %v", err)
	}
	if err := env.EndSession(ctx, ann.ID, ids[0]); err != nil {
		t.Fatal(err)
	}
	dead(t, env, "ended", tokens[0])
	for range 2 {
		if err := env.SignOut(ctx, tokens[1]); err != nil {
			t.Fatal(err)
		}
		dead(t, env, "signed out", tokens[1])
	}
	if err := env.SignOut(ctx, "nonsense"); err != nil {
		t.Error(err)
	}
	if n, err := env.EndOtherSessions(ctx, tokens[2]); err != nil || n != 1 {
		t.Errorf("ended %d, %v", n, err)
	}
	live(t, env, "this one", tokens[2])
	dead(t, env, "the other one", tokens[3])
	if _, err := env.EndOtherSessions(ctx, tokens[3]); !errors.Is(err, roster.ErrNoSession) {
		t.Errorf("by a session that has ended: %v", err)
	}
	before := live(t, env, "this one", tokens[2]).User.AuthChangedAt
	if err := env.EndSessions(ctx, ann.ID); err != nil {
		t.Fatal(err)
	}
	dead(t, env, "all ended", tokens[2])
	live(t, env, "somebody else's", bens)
	if now, err := env.ByID(ctx, ann.ID); err != nil || !now.AuthChangedAt.After(before) {
		t.Errorf("sessions that the program keeps itself go on (%v)", err)
	}
	if _, err := env.Sessions(ctx, 4711); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("sessions of nobody: %v", err)
	}
}

// Every sensitive change ends what is older, at once and for good, and leaves no
// row. Nothing else ends anything.
func TestWhatEndsSessions(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	ann := env.MustRegister("ann")
	e, err := env.AddActivatedEmail(ctx, ann.ID, "ann-2@example.org")
	if err != nil {
		t.Fatal(err)
	}
	edit := func(fn func(u *roster.User)) func() error {
		return func() error { return env.Edit(ctx, ann.ID, func(u *roster.User) error { fn(u); return nil }) }
	}
	for _, c := range []struct {
		what string
		do   func() error
		undo func() error
	}{
		{"SetPassword", func() error { return env.SetPassword(ctx, ann.ID, rostertest.Password) }, nil},
		{"ChangePassword", func() error { return env.ChangePassword(ctx, ann.ID, rostertest.Password, rostertest.Password) }, nil},
		{"ResetPassword", func() error {
			if err := env.RequestPasswordReset(ctx, "ann"); err != nil {
				return err
			}
			_, err := env.ResetPassword(ctx, env.Mail.MustCode(t, "ann@example.org"), rostertest.Password)
			return err
		}, nil},
		{"SetPrimaryEmail", func() error { return env.SetPrimaryEmail(ctx, ann.ID, e.ID) }, nil},
		{"Disable", func() error { return env.Disable(ctx, ann.ID) }, func() error { return env.Enable(ctx, ann.ID) }},
		{"Delete", func() error { return env.Delete(ctx, ann.ID) }, func() error { return env.Restore(ctx, ann.ID) }},
		{"ban", edit(func(u *roster.User) { u.Flags |= roster.FlagBanned }), edit(func(u *roster.User) { u.Flags = 0 })},
		{"lock", edit(func(u *roster.User) { u.Flags |= roster.FlagLocked }), edit(func(u *roster.User) { u.Flags = 0 })},
		{"rename", edit(func(u *roster.User) { u.Name = "anna" }), edit(func(u *roster.User) { u.Name = "ann" })},
		{"directory", edit(func(u *roster.User) { u.DirectoryID = "x" }), func() error {
			return errors.Join(edit(func(u *roster.User) { u.DirectoryID = "" })(), env.SetPassword(ctx, ann.ID, rostertest.Password))
		}},
		{"EndSessions", func() error { return env.EndSessions(ctx, ann.ID) }, nil},
	} {
		_, token := signIn(t, env, "ann")
		live(t, env, "before "+c.what, token)
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if rows, err := env.Store.SessionsOf(ctx, ann.ID, 9); err != nil || len(rows) != 0 { // before a check removes them
			t.Errorf("%s: %d rows are left (%v)", c.what, len(rows), err)
		}
		dead(t, env, c.what, token)
		if c.undo != nil {
			if err := c.undo(); err != nil {
				t.Fatalf("undo %s: %v", c.what, err)
			}
			dead(t, env, c.what+" undone", token)
		}
	}
	_, token := signIn(t, env, "ann")
	for _, do := range []func() error{
		edit(func(u *roster.User) { u.RealName, u.Locale = "Ann", "de" }),
		func() error { _, err := env.Authenticate(ctx, "ann", rostertest.Password); return err },
		func() error { _, err := env.AddEmail(ctx, ann.ID, "ann-3@example.org"); return err },
		func() error {
			_, err := env.Authenticate(ctx, "ann", "wrong")
			if errors.Is(err, roster.ErrCredentials) {
				return nil
			}
			return err
		},
		func() error { return env.RequestPasswordReset(ctx, "ann") },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		live(t, env, "after what is not sensitive", token)
	}
	if err := env.Purge(ctx, ann.ID); err != nil {
		t.Fatal(err)
	}
	dead(t, env, "Purge", token)
}

func TestPruneSessions(t *testing.T) {
	env := rostertest.New(t)
	ann := env.MustRegister("ann")
	for range 3 {
		signIn(t, env, "ann")
		env.Clock.Advance(time.Second)
	}
	env.Clock.Advance(7*24*time.Hour - 2*time.Second)
	p, err := env.Prune(t.Context(), roster.Budget{})
	if err != nil || p.Sessions != 2 || p.Total() != 2 {
		t.Errorf("pruned %+v, %v", p, err)
	}
	if rows, err := env.Store.SessionsOf(t.Context(), ann.ID, 9); err != nil || len(rows) != 1 {
		t.Errorf("%d rows are left (%v)", len(rows), err)
	}
}

func TestUserAgentIsBounded(t *testing.T) {
	env := rostertest.New(t)
	ann := env.MustRegister("ann")
	for in, want := range map[string]string{
		"":                                  "",
		"plain (X11; Linux) \u00e9":         "plain (X11; Linux) \u00e9",
		"a\x00b\r\nc\x1b[2Jd\x7f\xff\u200b": "abc[2Jd",
		strings.Repeat("x", 9000):           strings.Repeat("x", 512),
		strings.Repeat("\u00e9", 9000):      strings.Repeat("\u00e9", 256),
		"x" + strings.Repeat("\u20ac", 900): "x" + strings.Repeat("\u20ac", 170),
		strings.Repeat("\xff", 4096) + "x":  "",
	} {
		s, _, err := env.StartSession(roster.WithClient(t.Context(), roster.Client{UserAgent: in}), ann)
		if err != nil {
			t.Fatal(err)
		}
		if s.UserAgent != want || !utf8.ValidString(s.UserAgent) {
			t.Errorf("%.40q became %q", in, s.UserAgent)
		}
	}
}

func FuzzToken(f *testing.F) {
	env := rostertest.New(f)
	ann := env.MustRegister("ann")
	s, token, err := env.StartSession(f.Context(), ann)
	if err != nil {
		f.Fatal(err)
	}
	good := token.Reveal()
	for _, seed := range []string{"", good[:42], good + "=", strings.Repeat("A", 43), s.Hash.Reveal(), s.ID.String(), "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, text := range []string{text, good[:min(len(good), len(text))] + text[min(len(good), len(text)):]} {
			s, err := env.Session(t.Context(), text)
			if (err == nil) != (text == good) || err != nil && (!errors.Is(err, roster.ErrNoSession) || s != nil) {
				t.Fatalf("%q: %v", text, err)
			}
			if err := env.SignOut(t.Context(), text); text != good && err != nil {
				t.Fatalf("%q: sign out: %v", text, err)
			}
			if text == good {
				if _, token, err = env.StartSession(t.Context(), ann); err != nil {
					t.Fatal(err)
				}
				good = token.Reveal()
			}
		}
	})
}

// Who ends the sessions of somebody who should not have been there ends what
// they have asked for.
func TestEndingSessionsVoidsCodes(t *testing.T) {
	for what, end := range map[string]func(env *rostertest.Env, own string, other *roster.Session) error{
		"EndOtherSessions": func(env *rostertest.Env, own string, _ *roster.Session) error {
			_, err := env.EndOtherSessions(t.Context(), own)
			return err
		},
		"EndSession": func(env *rostertest.Env, _ string, other *roster.Session) error {
			return env.EndSession(t.Context(), other.UserID, other.ID)
		},
	} {
		env := rostertest.New(t)
		ann := env.MustRegister("ann")
		_, own := signIn(t, env, "ann")
		thief, _ := signIn(t, env, "ann")
		if _, err := env.ChangeEmail(t.Context(), ann.ID, "thief@example.com"); err != nil {
			t.Fatal(err)
		}
		code := env.Mail.MustCode(t, "thief@example.com")
		if err := end(env, own, thief); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if _, err := env.Activate(t.Context(), code); !errors.Is(err, roster.ErrActivation) {
			t.Errorf("%s: the code is good: %v", what, err)
		}
		live(t, env, what, own)
	}
}
