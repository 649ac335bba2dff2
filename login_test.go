package roster_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/password"
	"github.com/go-roster/roster/rostertest"
)

// counter counts the work that a Hasher is asked for.
type counter struct {
	roster.Hasher
	verified int
	hashed   int
}

func (c *counter) Hash(ctx context.Context, password string) (string, error) {
	c.hashed++
	return c.Hasher.Hash(ctx, password)
}

func (c *counter) Verify(ctx context.Context, hash, password string) (bool, bool, error) {
	ok, rehash, err := c.Hasher.Verify(ctx, hash, password)
	if err == nil {
		c.verified++
	}
	return ok, rehash, err
}

// refusals are accounts that must not get in, by the login to try with
// rostertest.Password.
func refusals(t *testing.T, env *rostertest.Env) map[string]string {
	t.Helper()
	ctx := context.Background()
	logins := map[string]string{
		"unknown name":    "nobody",
		"unknown address": "nobody@example.org",
		"malformed name":  "no body",
		"malformed login": "@",
		"invalid UTF-8":   "\xff",
		"flood":           strings.Repeat("a", 1<<20),
		"empty":           "",
	}
	disabled := env.MustRegister("disabled")
	must(t, env.Disable(ctx, disabled.ID))
	deleted := env.MustRegister("erased")
	must(t, env.Delete(ctx, deleted.ID))
	for name, flag := range map[string]roster.Flags{"banned": roster.FlagBanned, "locked": roster.FlagLocked} {
		u := env.MustRegister(name)
		must(t, env.Edit(ctx, u.ID, func(u *roster.User) error { u.Flags = flag; return nil }))
	}
	must(t, env.Create(ctx, &roster.User{Name: "passwordless", ActivatedAt: env.Clock.Now()}))
	corrupt := env.MustRegister("corrupt")
	must(t, env.Store.PutCredential(ctx, &roster.Credential{UserID: corrupt.ID, Hash: roster.NewSecret("garbage"), CreatedAt: env.Clock.Now()}))
	for _, name := range []string{"disabled", "erased", "banned", "locked", "passwordless", "corrupt"} {
		logins[name] = name
		logins[name+" by address"] = name + "@example.org"
	}
	return logins
}

func TestRefusalsAreAlike(t *testing.T) {
	ctx := context.Background()
	hasher := &counter{Hasher: rostertest.Hasher{}}
	env := rostertest.New(t, func(o *roster.Options) { o.Hasher = hasher })
	env.MustRegister("ann")
	_, err := env.Register(ctx, roster.NewUser{Name: "pending", Email: "pending@example.org", Password: rostertest.Password})
	must(t, err)
	logins := refusals(t, env)

	try := func(what, login, typed string) string {
		t.Helper()
		hasher.verified, hasher.hashed = 0, 0
		u, err := env.Authenticate(ctx, login, typed)
		if u != nil || !errors.Is(err, roster.ErrCredentials) {
			t.Errorf("%s: %v, %v; want ErrCredentials", what, u, err)
			return ""
		}
		if hasher.verified != 1 || hasher.hashed != 0 {
			t.Errorf("%s: %d verifications and %d hashes, want 1 and 0", what, hasher.verified, hasher.hashed)
		}
		return err.Error()
	}
	want := try("wrong password", "ann", "wrong")
	for what, typed := range map[string]string{
		"empty password": "", "space": " ", "NUL": "a\x00b", "invalid UTF-8": "\xff", "too long": strings.Repeat("x", 1<<20),
		"the marker of the hasher": "rostertest$", "another user's": "correct horse", "truncated": rostertest.Password[:20],
	} {
		for _, login := range []string{"ann", "pending", "nobody"} {
			if got := try(login+" with "+what, login, typed); got != want {
				t.Errorf("%s: error %q, want %q", what, got, want)
			}
		}
	}
	for what, login := range logins {
		if got := try(what, login, rostertest.Password); got != want {
			t.Errorf("%s: error %q, want %q", what, got, want)
		}
	}
	if _, err := env.Authenticate(ctx, "pending", rostertest.Password); !errors.Is(err, roster.ErrNotActivated) {
		t.Errorf("pending account with the right password: %v, want ErrNotActivated", err)
	}
}

func TestAuthenticateRecordsTheSignIn(t *testing.T) {
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	env.Clock.Advance(time.Hour)
	ctx := roster.WithClient(context.Background(), roster.Client{Addr: netip.MustParseAddr("::ffff:192.0.2.7"), TLS: true})
	got, err := env.Authenticate(ctx, "ann", rostertest.Password)
	must(t, err)
	stored, err := env.ByID(ctx, u.ID)
	must(t, err)
	for _, u := range []*roster.User{got, stored} {
		if !u.LastLoginAt.Equal(env.Clock.Now()) || u.LastLoginIP != "192.0.2.7" {
			t.Errorf("signed in at %v from %q", u.LastLoginAt, u.LastLoginIP)
		}
	}
	if stored.Version != u.Version || !stored.UpdatedAt.Equal(u.UpdatedAt) {
		t.Error("a sign-in counts as a change")
	}
	// An edit that was begun before does not undo the record.
	must(t, env.Save(ctx, u))
	stored, err = env.ByID(ctx, u.ID)
	must(t, err)
	if stored.LastLoginIP != "192.0.2.7" {
		t.Error("Save has undone the record of the sign-in")
	}
}

// Where it is told who has an address, who signs in by one that they have yet to
// prove is told so, if the password is right.
func TestSignInByPendingAddress(t *testing.T) {
	ctx := context.Background()
	hasher := &counter{Hasher: rostertest.Hasher{}}
	env := rostertest.New(t, func(o *roster.Options) { o.Hasher, o.TellTakenAddress = hasher, true })
	try := func(login, typed string, want error) {
		t.Helper()
		hasher.verified = 0
		_, err := env.Authenticate(ctx, login, typed)
		wantError(t, err, want)
		if hasher.verified != 1 {
			t.Errorf("%d verifications", hasher.verified)
		}
	}
	u, err := env.Register(ctx, roster.NewUser{Name: "ann", Email: "ann@example.org", Password: rostertest.Password})
	must(t, err)
	try("ann@example.org", rostertest.Password, roster.ErrNotActivated)
	try("ann@example.org", "wrong", roster.ErrCredentials)
	ben := env.MustRegister("ben")
	_, err = env.AddEmail(ctx, ben.ID, "second@example.org")
	must(t, err)
	try("second@example.org", rostertest.Password, roster.ErrCredentials)
	must(t, env.Disable(ctx, u.ID))
	try("ann@example.org", rostertest.Password, roster.ErrCredentials)
	must(t, env.Delete(ctx, u.ID))
	try("ann@example.org", rostertest.Password, roster.ErrCredentials)
}

// Else nobody learns by a sign-in whether somebody else has an account with an
// address: who signs up with it gets the same answers if so and if not.
func TestSignInByClaimTellsNothing(t *testing.T) {
	ctx := context.Background()
	for _, taken := range []bool{false, true} {
		env := rostertest.New(t)
		if taken {
			env.MustRegister("cem")
		}
		_, err := env.Register(ctx, roster.NewUser{Name: "eve", Email: "cem@example.org", Password: "eve's password"})
		must(t, err)
		_, err = env.Authenticate(ctx, "cem@example.org", "eve's password")
		wantError(t, err, roster.ErrCredentials)
		_, err = env.Authenticate(ctx, "eve", "eve's password")
		wantError(t, err, roster.ErrNotActivated)
		if taken {
			if got, err := env.Authenticate(ctx, "cem@example.org", rostertest.Password); err != nil || got.Name != "cem" {
				t.Errorf("the owner: %v, %v", got, err)
			}
		}
	}
}

// Who belongs to a directory has no password here any more, and gets none back.
func TestDirectoryHasThePassword(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	ann := env.MustRegister("ann")
	must(t, env.Edit(ctx, ann.ID, func(u *roster.User) error { u.DirectoryID = "x"; return nil }))
	refused := func() {
		t.Helper()
		_, err := env.Authenticate(ctx, "ann", rostertest.Password)
		wantError(t, err, roster.ErrCredentials)
		wantError(t, env.CheckPassword(ctx, ann.ID, rostertest.Password), roster.ErrCredentials)
	}
	refused()
	// Also if a row is there that should not be.
	hash, err := rostertest.Hasher{}.Hash(ctx, rostertest.Password)
	must(t, err)
	must(t, env.Store.PutCredential(ctx, &roster.Credential{UserID: ann.ID, Hash: roster.NewSecret(hash), CreatedAt: env.Clock.Now()}))
	refused()
}

// Whoever cannot sign in cannot confirm a password, use a code or get one.
func TestBarredUsers(t *testing.T) {
	ctx := context.Background()
	for name, bar := range map[string]func(env *rostertest.Env, id roster.UserID) error{
		"disabled": func(env *rostertest.Env, id roster.UserID) error { return env.Disable(ctx, id) },
		"banned": func(env *rostertest.Env, id roster.UserID) error {
			return env.Edit(ctx, id, func(u *roster.User) error { u.Flags = roster.FlagBanned; return nil })
		},
		"locked": func(env *rostertest.Env, id roster.UserID) error {
			return env.Edit(ctx, id, func(u *roster.User) error { u.Flags = roster.FlagLocked; return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := rostertest.New(t)
			u := env.MustRegister("ann")
			pending, err := env.Register(ctx, roster.NewUser{Name: "ben", Email: "ben@example.org", Password: rostertest.Password})
			must(t, err)
			must(t, bar(env, u.ID))
			must(t, bar(env, pending.ID))
			env.Mail.Clear()
			wantError(t, env.CheckPassword(ctx, u.ID, rostertest.Password), roster.ErrCredentials)
			wantError(t, env.ChangePassword(ctx, u.ID, rostertest.Password, "another password"), roster.ErrCredentials)
			must(t, env.RequestPasswordReset(ctx, "ann"))
			must(t, env.ResendActivation(ctx, "ben"))
			must(t, env.ResendActivation(ctx, "ben@example.org"))
			if mails := env.Mail.All(); len(mails) != 0 {
				t.Errorf("mails: %v", mails)
			}
			_, err = env.AddEmail(ctx, u.ID, "second@example.org") // the program may
			must(t, err)
			_, err = env.Activate(ctx, env.Mail.MustCode(t, "second@example.org"))
			wantError(t, err, roster.ErrActivation)
		})
	}
}

// The password of a user of a directory is there, not here.
func TestDirectoryUserHasNoLocalPassword(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := &roster.User{Name: "ann", DirectoryID: "ldap:1", ActivatedAt: env.Clock.Now()}
	must(t, env.Create(ctx, u))
	if got := fields(env.SetPassword(ctx, u.ID, "another password")); len(got) != 1 || got[0] != "directory: read_only" {
		t.Errorf("SetPassword: %v", got)
	}
	_, err := env.Authenticate(ctx, "ann", "another password")
	wantError(t, err, roster.ErrCredentials)
}

// slowHasher changes the world while it compares.
type slowHasher struct {
	rostertest.Hasher
	meanwhile func()
}

func (h *slowHasher) Verify(ctx context.Context, hash, password string) (bool, bool, error) {
	if h.meanwhile != nil {
		h.meanwhile()
	}
	return h.Hasher.Verify(ctx, hash, password)
}

// A session that was begun with a password that was changed meanwhile is dead.
func TestPasswordChangedDuringSignIn(t *testing.T) {
	ctx := context.Background()
	hasher := new(slowHasher)
	env := rostertest.New(t, func(o *roster.Options) { o.Hasher = hasher })
	u := env.MustRegister("ann")
	hasher.meanwhile = func() {
		env.Clock.Advance(time.Millisecond)
		must(t, env.SetPassword(ctx, u.ID, "another password"))
		env.Clock.Advance(time.Millisecond)
	}
	got, err := env.Authenticate(ctx, "ann", rostertest.Password)
	must(t, err)
	now, err := env.ByID(ctx, u.ID)
	must(t, err)
	if now.SessionValid(got.LastLoginAt) {
		t.Error("the session is valid")
	}
}

// readOnly is a store that cannot be written.
type readOnly struct{ roster.Store }

func (readOnly) RecordLogin(context.Context, roster.UserID, time.Time, string) error {
	return &roster.UnavailableError{What: roster.UnavailableReadOnly}
}

func TestAuthenticateOnReadOnlyDatabase(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	env.MustRegister("ann")
	users, err := roster.New(readOnly{env.Store}, &roster.Options{Hasher: rostertest.Hasher{}, Now: env.Clock.Now})
	must(t, err)
	_, err = users.Authenticate(ctx, "ann", rostertest.Password)
	must(t, err)
	_, err = users.Authenticate(ctx, "ann", "wrong")
	wantError(t, err, roster.ErrCredentials)
}

func TestAuthenticateRehashes(t *testing.T) {
	ctx := context.Background()
	weak := password.Argon2id{Time: 1, MemoryKiB: 64, Threads: 1}
	strong := password.Argon2id{Time: 2, MemoryKiB: 64, Threads: 1}
	env := rostertest.New(t, func(o *roster.Options) { o.Hasher = weak })
	u := env.MustRegister("ann")
	before, err := env.Store.Credential(ctx, u.ID, 0)
	must(t, err)
	users, err := roster.New(env.Store, &roster.Options{Hasher: strong, Now: env.Clock.Now})
	must(t, err)
	env.Clock.Advance(time.Hour)
	_, err = users.Authenticate(ctx, "ann", "wrong password")
	wantError(t, err, roster.ErrCredentials)
	got, err := users.Authenticate(ctx, "ann", rostertest.Password)
	must(t, err)
	after, err := env.Store.Credential(ctx, u.ID, 0)
	must(t, err)
	if after.Hash.Equal(before.Hash) || !strings.Contains(after.Hash.Reveal(), "t=2") {
		t.Error("not rehashed")
	}
	if !after.CreatedAt.Equal(before.CreatedAt) || !got.AuthChangedAt.Equal(u.AuthChangedAt) {
		t.Error("a rehash counts as a new password")
	}
	_, err = users.Authenticate(ctx, "ann", rostertest.Password)
	must(t, err)
}

// Passwords that look the same to a person are one; others are not.
func TestPasswordSpellings(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	for _, tt := range []struct {
		set, typed string
		same       bool
	}{
		{"crème brûlée", "cre\u0300me bru\u0302le\u0301e", true},
		{"no\u00a0break space", "no break space", true},
		{"ﬁnal answer", "final answer", false},
		{"Ａlphabet soup", "Alphabet soup", false},
		{" leading space", "leading space", false},
		{"trailing space ", "trailing space", false},
		{"Case Matters", "case matters", false},
	} {
		must(t, env.SetPassword(ctx, u.ID, tt.set))
		_, err := env.Authenticate(ctx, "ann", tt.typed)
		if (err == nil) != tt.same {
			t.Errorf("set %q, typed %q: %v", tt.set, tt.typed, err)
		}
	}
}

func TestChangePassword(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	env.Clock.Advance(time.Hour)
	for _, wrong := range []string{"", "wrong", "\xff", strings.Repeat("x", 1<<20)} {
		wantError(t, env.ChangePassword(ctx, u.ID, wrong, "another password"), roster.ErrCredentials)
	}
	for bad, reason := range map[string]string{
		"": "empty", "short": "too_short", strings.Repeat("x", 1<<20): "too_long", "long\xffenough": "encoding", "long\x00enough": "character",
	} {
		err := env.ChangePassword(ctx, u.ID, rostertest.Password, bad)
		if got := fields(err); len(got) != 1 || got[0] != "password: "+reason {
			t.Errorf("new password %.20q: %v, want %s", bad, got, reason)
		}
		err = env.SetPassword(ctx, u.ID, bad)
		if got := fields(err); len(got) != 1 || got[0] != "password: "+reason {
			t.Errorf("new password %.20q: %v, want %s", bad, got, reason)
		}
	}
	must(t, env.CheckPassword(ctx, u.ID, rostertest.Password))
	must(t, env.ChangePassword(ctx, u.ID, rostertest.Password, "another password"))
	wantError(t, env.CheckPassword(ctx, u.ID, rostertest.Password), roster.ErrCredentials)
	must(t, env.CheckPassword(ctx, u.ID, "another password"))
	got, err := env.ByID(ctx, u.ID)
	must(t, err)
	if !got.PasswordChangedAt.Equal(env.Clock.Now()) || !got.AuthChangedAt.Equal(env.Clock.Now()) {
		t.Errorf("changed at %v and %v", got.PasswordChangedAt, got.AuthChangedAt)
	}
	if m := env.Mail.MustLast(t, "ann@example.org"); m.Kind != roster.MailPasswordChanged {
		t.Errorf("mail %s", m.Kind)
	}
	wantError(t, env.SetPassword(ctx, 999, "another password"), roster.ErrNotFound)
	wantError(t, env.SetPassword(ctx, 0, "another password"), roster.ErrInvalid)
	wantError(t, env.CheckPassword(ctx, 999, "another password"), roster.ErrCredentials)
	wantError(t, env.ChangePassword(ctx, 999, "another password", "yet another password"), roster.ErrCredentials)
}

// A user without a password just fails, whatever is tried.
func TestNoPassword(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := &roster.User{Name: "ann", ActivatedAt: env.Clock.Now()}
	must(t, env.Create(ctx, u))
	for _, typed := range []string{"", " ", "!", "*", "x", "rostertest$"} {
		_, err := env.Authenticate(ctx, "ann", typed)
		wantError(t, err, roster.ErrCredentials)
		wantError(t, env.CheckPassword(ctx, u.ID, typed), roster.ErrCredentials)
		wantError(t, env.ChangePassword(ctx, u.ID, typed, "another password"), roster.ErrCredentials)
	}
}
