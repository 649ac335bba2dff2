package roster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

const (
	evilPassword = "evil password of the thief"
	herPassword  = "a password of the owner"
	day          = 24 * time.Hour
)

// changeTo moves the primary address to another one that its reader proves.
func changeTo(t testing.TB, env *rostertest.Env, id roster.UserID, address string) {
	t.Helper()
	ctx := context.Background()
	e, err := env.ChangeEmail(ctx, id, address)
	must(t, err)
	if e.IsActivated() {
		return // it was hers already
	}
	_, err = env.Activate(ctx, env.Mail.MustCode(t, address))
	must(t, err)
}

// undoCode is the newest code that a notice has brought to an address.
func undoCode(t testing.TB, env *rostertest.Env, address string) string {
	t.Helper()
	for _, m := range slices.Backward(env.Mail.To(address)) {
		if m.Kind.IsNotice() && !m.Code.IsZero() {
			return m.Code.Reveal()
		}
	}
	t.Fatalf("no notice with a code to %s", address)
	return ""
}

func undoCodes(env *rostertest.Env, address string) (codes []string) {
	for _, m := range env.Mail.To(address) {
		if m.Kind.IsNotice() && !m.Code.IsZero() {
			codes = append(codes, m.Code.Reveal())
		}
	}
	return codes
}

func TestUndoOfAnAddress(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t, func(o *roster.Options) { o.UndoURL = "https://app.example.org/undo#{code}" })
	u := env.MustRegister("ann")
	env.Clock.Advance(time.Minute)
	changeTo(t, env, u.ID, "evil@example.net")
	m := env.Mail.MustLast(t, "ann@example.org")
	if m.Kind != roster.MailEmailChanged || !m.ExpiresAt.Equal(env.Clock.Now().Add(7*day)) ||
		m.Link.Reveal() != "https://app.example.org/undo#"+m.Code.Reveal() {
		t.Errorf("notice %+v", m)
	}
	must(t, env.SetPassword(ctx, u.ID, evilPassword))
	env.Clock.Advance(time.Minute)
	thief, err := env.Authenticate(ctx, "evil@example.net", evilPassword)
	must(t, err)
	for range 100 { // mail scanners
		p, err := env.Peek(ctx, m.Code.Reveal())
		if err != nil || p.Purpose != roster.PurposeUndo || p.User.ID != u.ID || p.Email.Address != "ann@example.org" || !p.ExpiresAt.Equal(m.ExpiresAt) {
			t.Fatalf("peeked %+v, %v", p, err)
		}
	}
	env.Clock.Advance(time.Minute)
	_, err = env.UndoChange(ctx, m.Code.Reveal(), "short")
	wantError(t, err, roster.ErrInvalid)
	got, err := env.UndoChange(ctx, m.Code.Reveal(), herPassword)
	must(t, err)
	if got.ID != u.ID || got.SessionValid(thief.LastLoginAt) || !got.PasswordChangedAt.Equal(env.Clock.Now()) {
		t.Errorf("undone %+v", got)
	}
	wantEmails(t, env, u.ID, "ann@example.org*")
	for login, password := range map[string]string{
		"ann": evilPassword, "evil@example.net": herPassword, "ann@example.org": rostertest.Password,
	} {
		_, err = env.Authenticate(ctx, login, password)
		wantError(t, err, roster.ErrCredentials)
	}
	_, err = env.Authenticate(ctx, "ann@example.org", herPassword)
	must(t, err)
	if m := env.Mail.MustLast(t, "evil@example.net"); m.Kind != roster.MailEmailRemoved || !m.Code.IsZero() {
		t.Errorf("the thief got %+v", m)
	}
	if m := env.Mail.MustLast(t, "ann@example.org"); m.Kind != roster.MailPasswordChanged || !slices.Equal(m.Emails, []string{"ann@example.org"}) {
		t.Errorf("the owner got %+v", m)
	}
	_, err = env.UndoChange(ctx, m.Code.Reveal(), herPassword)
	wantError(t, err, roster.ErrActivation)
	wantError(t, env.AcceptChange(ctx, m.Code.Reveal()), roster.ErrActivation)
	_, err = env.Peek(ctx, m.Code.Reveal())
	wantError(t, err, roster.ErrActivation)
	healthy(t, env)
}

// The old password is never restored: undoing a new password is setting one.
func TestUndoOfAPassword(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	must(t, env.ChangePassword(ctx, u.ID, rostertest.Password, evilPassword))
	code := undoCode(t, env, "ann@example.org")
	_, err := env.UndoChange(ctx, code, herPassword)
	must(t, err)
	for _, password := range []string{rostertest.Password, evilPassword} {
		wantError(t, env.CheckPassword(ctx, u.ID, password), roster.ErrCredentials)
	}
	must(t, env.CheckPassword(ctx, u.ID, herPassword))
	healthy(t, env)
}

// randomly is a test one run of which fails by its own T, so that rapid can
// look for the shortest history.
type randomly struct {
	testing.TB
	run *rapid.T
}

func (r randomly) Fatal(args ...any)                 { r.run.Helper(); r.run.Fatal(args...) }
func (r randomly) Fatalf(format string, args ...any) { r.run.Helper(); r.run.Fatalf(format, args...) }

func (r randomly) Errorf(format string, args ...any) { r.run.Helper(); r.run.Fatalf(format, args...) }

// thief has a session and the password, and reads the mail of every address at
// evil.example.
type thief struct {
	t      randomly
	env    *rostertest.Env
	id     roster.UserID
	victim string
	n      int // passwords so far
}

// act does one thing that somebody who is signed in can do in a program.
func (x *thief) act(ctx context.Context) {
	env, id := x.env, x.id
	evil := fmt.Sprintf("e%d@evil.example", rapid.IntRange(0, 3).Draw(x.t.run, "address"))
	emails, err := env.Emails(ctx, id)
	must(x.t, err)
	some := rapid.SampledFrom(emails).Draw(x.t.run, "of the addresses")
	redeem := func(address string) {
		for _, m := range slices.Backward(env.Mail.To(address)) {
			if m.Kind == roster.MailChangeEmail || m.Kind == roster.MailActivateEmail {
				_, _ = env.Activate(ctx, m.Code.Reveal())
				return
			}
		}
	}
	switch do := rapid.IntRange(0, 9).Draw(x.t.run, "act"); do {
	case 0:
		_, _ = env.AddEmail(ctx, id, evil)
		redeem(evil)
	case 1:
		_, _ = env.ChangeEmail(ctx, id, evil)
		redeem(evil)
	case 2:
		_, _ = env.ChangeEmail(ctx, id, evil) // for later
		_ = env.RequestPasswordReset(ctx, evil)
	case 3, 4:
		_ = env.SetPrimaryEmail(ctx, id, some.ID) // the victim's, too
	case 5:
		_ = env.RemoveEmail(ctx, id, some.ID)
	case 6:
		for range rapid.SampledFrom([]int{1, 1, 40}).Draw(x.t.run, "times") {
			x.n++
			_ = env.SetPassword(ctx, id, fmt.Sprintf("%s %d", evilPassword, x.n))
		}
	case 7:
		must(x.t, env.RequestPasswordReset(ctx, evil))
		for _, m := range slices.Backward(env.Mail.To(evil)) {
			if m.Kind == roster.MailResetPassword {
				_, _ = env.ResetPassword(ctx, m.Code.Reveal(), evilPassword)
				break
			}
		}
	case 8:
		codes := undoCodes(env, evil)
		if len(codes) == 0 {
			return
		}
		code := rapid.SampledFrom(codes).Draw(x.t.run, "code")
		if rapid.Bool().Draw(x.t.run, "accept") {
			_ = env.AcceptChange(ctx, code)
		} else {
			_, _ = env.UndoChange(ctx, code, evilPassword)
		}
	case 9:
		must(x.t, env.Edit(ctx, id, func(u *roster.User) error {
			u.Name = fmt.Sprintf("renamed%d", x.n) // to put somebody into a directory is for administrators
			return nil
		}))
	}
}

// Whatever a thief does within a week, also with the codes that their own
// mailboxes got, the code that the owner got first gives the account back, and
// then nothing that the thief has is worth anything.
func TestOwnerPrevails(t *testing.T) {
	ctx := context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		t := randomly{t, rt}
		env := rostertest.New(t)
		u := env.MustRegister("ann")
		x := &thief{t: t, env: env, id: u.ID, victim: "ann@example.org"}
		for range rapid.IntRange(0, 4).Draw(rt, "quiet acts") { // nobody notices somebody who adds addresses
			evil := fmt.Sprintf("e%d@evil.example", rapid.IntRange(0, 3).Draw(rt, "address"))
			if _, err := env.AddEmail(ctx, u.ID, evil); err == nil {
				_, err = env.Activate(ctx, env.Mail.MustCode(t, evil))
				must(t, err)
			}
		}
		env.Clock.Advance(rapid.SampledFrom([]time.Duration{0, time.Hour, 30 * day}).Draw(rt, "pause"))
		taken := env.Clock.Now()
		switch rapid.IntRange(0, 3).Draw(rt, "takes it by") {
		case 0:
			must(t, env.SetPassword(ctx, u.ID, evilPassword))
		case 1:
			must(t, env.LinkIdentity(ctx, u.ID, roster.Identity{Provider: "google", Subject: "evil"}))
		default:
			changeTo(t, env, u.ID, "e0@evil.example")
		}
		first := undoCode(t, env, x.victim)
		steps := []time.Duration{0, 0, time.Second, time.Hour, 20 * time.Hour, 40 * time.Hour, -time.Hour}
		for range rapid.IntRange(0, 25).Draw(rt, "acts") {
			x.act(ctx)
			by := rapid.SampledFrom(steps).Draw(rt, "clock")
			if env.Clock.Now().Add(by).Before(taken.Add(7 * day)) {
				env.Clock.Advance(by)
			}
		}
		code := first
		if codes := undoCodes(env, x.victim); rapid.Bool().Draw(rt, "the newest") {
			// Every notice that the owner gets before the first code expires.
			code = codes[len(codes)-1]
		}
		got, err := env.UndoChange(ctx, code, herPassword)
		must(t, err)
		if ids, err := env.Identities(ctx, got.ID); err != nil || len(ids) > 0 {
			t.Fatal("the link to a provider is left", err)
		}
		before, err := env.ByID(ctx, u.ID)
		must(t, err)
		for i := range 4 {
			evil := fmt.Sprintf("e%d@evil.example", i)
			must(t, env.RequestPasswordReset(ctx, evil))
			must(t, env.ResendActivation(ctx, evil))
		}
		for _, m := range env.Mail.All() {
			if m.Code.IsZero() || m.To == x.victim {
				continue
			}
			_, err := env.Activate(ctx, m.Code.Reveal())
			wantError(t, err, roster.ErrActivation)
			_, err = env.ResetPassword(ctx, m.Code.Reveal(), evilPassword)
			wantError(t, err, roster.ErrActivation)
			_, err = env.UndoChange(ctx, m.Code.Reveal(), evilPassword)
			wantError(t, err, roster.ErrActivation)
			wantError(t, env.AcceptChange(ctx, m.Code.Reveal()), roster.ErrActivation)
		}
		after, err := env.ByID(ctx, u.ID)
		must(t, err)
		if after.Version != before.Version {
			t.Fatal("a code of the thief had an effect")
		}
		must(t, env.CheckPassword(ctx, u.ID, herPassword))
		emails, err := env.Emails(ctx, u.ID)
		must(t, err)
		if len(emails) != 1 || emails[0].Address != x.victim || !emails[0].IsActivated() || !emails[0].Primary {
			t.Fatalf("addresses %+v", emails)
		}
		healthy(t, env)
	})
}

// An owner who mends the account with the ordinary verbs, after a reset by the
// old address, is not thrown out again by codes that the thief has collected.
func TestOwnerMendsByHerself(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	changeTo(t, env, u.ID, "evil@evil.example")
	env.Clock.Advance(6 * day)
	must(t, env.SetPassword(ctx, u.ID, evilPassword)) // a code for the thief that outlives those of the owner
	env.Clock.Advance(time.Hour)
	must(t, env.RequestPasswordReset(ctx, "ann@example.org"))
	_, err := env.ResetPassword(ctx, env.Mail.MustCode(t, "ann@example.org"), herPassword)
	must(t, err)
	emails, err := env.Emails(ctx, u.ID)
	must(t, err)
	must(t, env.SetPrimaryEmail(ctx, u.ID, emails[1].ID))
	must(t, env.RemoveEmail(ctx, u.ID, emails[0].ID))
	codes := undoCodes(env, "evil@evil.example")
	if len(codes) != 1 {
		t.Errorf("the thief got %d codes, want that of the password alone", len(codes))
	}
	env.Clock.Advance(day)
	for _, code := range codes {
		_, err = env.UndoChange(ctx, code, evilPassword)
		wantError(t, err, roster.ErrActivation)
	}
	wantEmails(t, env, u.ID, "ann@example.org*")
}

// Of two mailboxes that hold codes the one that had the account before
// prevails, in whatever order they come.
func TestElderMailboxPrevails(t *testing.T) {
	ctx := context.Background()
	for _, youngerFirst := range []bool{false, true} {
		env := rostertest.New(t)
		u := env.MustRegister("ann")
		changeTo(t, env, u.ID, "b@example.org")
		changeTo(t, env, u.ID, "c@example.org")
		elder, younger := undoCode(t, env, "ann@example.org"), undoCode(t, env, "b@example.org")
		if youngerFirst {
			_, err := env.UndoChange(ctx, younger, herPassword)
			must(t, err)
			wantEmails(t, env, u.ID, "b@example.org*")
			m := env.Mail.MustLast(t, "ann@example.org")
			if m.Kind != roster.MailEmailRemoved || m.Code.IsZero() {
				t.Errorf("the elder was told by %+v", m)
			}
			elder = m.Code.Reveal()
		}
		_, err := env.UndoChange(ctx, elder, herPassword)
		must(t, err)
		_, err = env.UndoChange(ctx, younger, evilPassword)
		wantError(t, err, roster.ErrActivation)
		wantEmails(t, env, u.ID, "ann@example.org*")
		healthy(t, env)
	}
}

// Who has given up an address on purpose does not fear whoever reads the mail
// there later.
func TestFormerMailbox(t *testing.T) {
	ctx := context.Background()
	move := func(t *testing.T) (*rostertest.Env, roster.UserID, string) {
		env := rostertest.New(t)
		u := env.MustRegister("ann")
		must(t, env.ChangePassword(ctx, u.ID, rostertest.Password, herPassword)) // another code for the former mailbox
		changeTo(t, env, u.ID, "home@example.org")
		return env, u.ID, undoCode(t, env, "ann@example.org")
	}
	refused := func(t *testing.T, env *rostertest.Env) {
		t.Helper()
		for _, code := range undoCodes(env, "ann@example.org") {
			_, err := env.UndoChange(ctx, code, evilPassword)
			wantError(t, err, roster.ErrActivation)
			_, err = env.Peek(ctx, code)
			wantError(t, err, roster.ErrActivation)
		}
	}
	remove := func(t *testing.T, env *rostertest.Env, id roster.UserID) {
		t.Helper()
		emails, err := env.Emails(ctx, id)
		must(t, err)
		must(t, env.RemoveEmail(ctx, id, emails[1].ID))
	}
	t.Run("accepted", func(t *testing.T) {
		env, id, code := move(t)
		before, err := env.ByID(ctx, id)
		must(t, err)
		must(t, env.AcceptChange(ctx, code))
		after, err := env.ByID(ctx, id)
		must(t, err)
		if after.Version != before.Version {
			t.Error("accepting changed the account")
		}
		remove(t, env, id)
		if m := env.Mail.MustLast(t, "ann@example.org"); m.Kind != roster.MailEmailRemoved || !m.Code.IsZero() {
			t.Errorf("told by %+v", m)
		}
		refused(t, env)
		wantEmails(t, env, id, "home@example.org*")
		// And who attacks her now has her new mailbox against them.
		changeTo(t, env, id, "evil@evil.example")
		_, err = env.UndoChange(ctx, undoCode(t, env, "home@example.org"), herPassword)
		must(t, err)
	})
	t.Run("a week ago", func(t *testing.T) {
		env, id, code := move(t)
		env.Clock.Advance(7*day - time.Microsecond)
		_, err := env.Peek(ctx, code)
		must(t, err)
		env.Clock.Advance(time.Microsecond)
		remove(t, env, id)
		if m := env.Mail.MustLast(t, "ann@example.org"); m.Kind != roster.MailEmailRemoved || !m.Code.IsZero() {
			t.Errorf("told by %+v", m)
		}
		refused(t, env)
	})
	t.Run("removed at once", func(t *testing.T) { // the code for the removal is good as long as that for the change, not longer
		env, id, _ := move(t)
		env.Clock.Advance(6 * day)
		remove(t, env, id)
		code := undoCode(t, env, "ann@example.org")
		if m := env.Mail.MustLast(t, "ann@example.org"); m.Kind != roster.MailEmailRemoved || m.Code.Reveal() != code ||
			!m.ExpiresAt.Equal(env.Clock.Now().Add(day)) {
			t.Errorf("told by %+v", m)
		}
		env.Clock.Advance(day)
		refused(t, env)
	})
	t.Run("never primary", func(t *testing.T) {
		env := rostertest.New(t)
		u := env.MustRegister("ann")
		_, err := env.AddActivatedEmail(ctx, u.ID, "second@example.org")
		must(t, err)
		remove(t, env, u.ID)
		if m := env.Mail.MustLast(t, "second@example.org"); m.Kind != roster.MailEmailRemoved || !m.Code.IsZero() {
			t.Errorf("told by %+v", m)
		}
	})
	t.Run("what was found there before", func(t *testing.T) { // a reset by the mailbox makes the codes in it void
		env := rostertest.New(t)
		u := env.MustRegister("ann")
		must(t, env.SetPassword(ctx, u.ID, herPassword))
		stolen := undoCode(t, env, "ann@example.org")
		must(t, env.RequestPasswordReset(ctx, "ann"))
		_, err := env.ResetPassword(ctx, env.Mail.MustCode(t, "ann@example.org"), herPassword+" 2")
		must(t, err)
		_, err = env.UndoChange(ctx, stolen, evilPassword)
		wantError(t, err, roster.ErrActivation)
		_, err = env.Peek(ctx, undoCode(t, env, "ann@example.org")) // the new one
		must(t, err)
	})
}

// A code of one purpose is worthless for another.
func TestUndoCodesHaveOnePurpose(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	must(t, env.SetPassword(ctx, u.ID, herPassword))
	undo := undoCode(t, env, "ann@example.org")
	_, err := env.AddEmail(ctx, u.ID, "b@example.org")
	must(t, err)
	must(t, env.RequestPasswordReset(ctx, "ann"))
	others := []string{env.Mail.MustCode(t, "b@example.org"), env.Mail.MustCode(t, "ann@example.org")}
	for _, code := range append(others, "", "x", undo[:42], undo+"=") {
		_, err = env.UndoChange(ctx, code, evilPassword)
		wantError(t, err, roster.ErrActivation)
		wantError(t, env.AcceptChange(ctx, code), roster.ErrActivation)
	}
	_, err = env.Activate(ctx, undo)
	wantError(t, err, roster.ErrActivation)
	_, err = env.ResetPassword(ctx, undo, evilPassword)
	wantError(t, err, roster.ErrActivation)
	for _, code := range append(others, undo) {
		_, err = env.Peek(ctx, code)
		must(t, err)
	}
	must(t, env.CheckPassword(ctx, u.ID, herPassword))
}

// A code does not open what was closed, and is good again when that is over.
func TestUndoWhileClosed(t *testing.T) {
	ctx := context.Background()
	ban := func(flag roster.Flags) func(*rostertest.Env, roster.UserID) error {
		return func(env *rostertest.Env, id roster.UserID) error {
			return env.Edit(ctx, id, func(u *roster.User) error { u.Flags ^= flag; return nil })
		}
	}
	for name, c := range map[string]struct {
		shut, open func(env *rostertest.Env, id roster.UserID) error
	}{
		"disabled": {
			func(env *rostertest.Env, id roster.UserID) error { return env.Disable(ctx, id) },
			func(env *rostertest.Env, id roster.UserID) error { return env.Enable(ctx, id) },
		},
		"deleted": {
			func(env *rostertest.Env, id roster.UserID) error { return env.Delete(ctx, id) },
			func(env *rostertest.Env, id roster.UserID) error { return env.Restore(ctx, id) },
		},
		"banned": {ban(roster.FlagBanned), ban(roster.FlagBanned)},
		"locked": {ban(roster.FlagLocked), ban(roster.FlagLocked)},
	} {
		env := rostertest.New(t)
		u := env.MustRegister("ann")
		changeTo(t, env, u.ID, "evil@evil.example")
		code := undoCode(t, env, "ann@example.org")
		must(t, c.shut(env, u.ID))
		_, err := env.UndoChange(ctx, code, herPassword)
		wantError(t, err, roster.ErrActivation)
		_, err = env.Peek(ctx, code)
		wantError(t, err, roster.ErrActivation)
		wantError(t, env.AcceptChange(ctx, code), roster.ErrActivation)
		must(t, c.open(env, u.ID))
		if _, err = env.UndoChange(ctx, code, herPassword); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
		must(t, env.Purge(ctx, u.ID))
		_, err = env.Peek(ctx, undoCode(t, env, "ann@example.org"))
		wantError(t, err, roster.ErrActivation)
	}
}

func TestUndoOfAnAddressThatIsTaken(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	changeTo(t, env, u.ID, "evil@evil.example")
	code := undoCode(t, env, "ann@example.org")
	emails, err := env.Emails(ctx, u.ID)
	must(t, err)
	must(t, env.RemoveEmail(ctx, u.ID, emails[1].ID))
	other := env.MustRegister("other") // whom she made in her need
	e, err := env.AddActivatedEmail(ctx, other.ID, "Ann@example.org")
	must(t, err)
	_, err = env.UndoChange(ctx, code, herPassword)
	wantError(t, err, roster.ErrActivation)
	_, err = env.Peek(ctx, code)
	wantError(t, err, roster.ErrActivation)
	must(t, env.RemoveEmail(ctx, other.ID, e.ID))
	_, err = env.AddEmail(ctx, other.ID, "ann@example.org") // a mere claim
	must(t, err)
	rival := env.Mail.MustCode(t, "ann@example.org")
	_, err = env.UndoChange(ctx, code, herPassword)
	must(t, err)
	wantEmails(t, env, u.ID, "ann@example.org*")
	_, err = env.Activate(ctx, rival)
	wantError(t, err, roster.ErrActivation) // the claim is worth nothing
	healthy(t, env)
}

// Who was deleted with the address comes back without it, as after any other
// proof of it: neither at once nor when it is free again, and whether the address
// had been removed or was claimed anew.
func TestUndoOfAnAddressThatWasReleased(t *testing.T) {
	ctx := context.Background()
	for _, claimed := range []bool{false, true} {
		env := rostertest.New(t)
		ann := env.MustRegister("ann")
		removeHers := func() {
			emails, err := env.Emails(ctx, ann.ID)
			must(t, err)
			i := slices.IndexFunc(emails, func(e *roster.UserEmail) bool { return e.AddressKey == "ann@example.org" })
			must(t, env.RemoveEmail(ctx, ann.ID, emails[i].ID))
		}
		changeTo(t, env, ann.ID, "evil@evil.example")
		code := undoCode(t, env, "ann@example.org")
		removeHers()
		other := env.MustRegister("other") // whom she made in her need
		_, err := env.AddActivatedEmail(ctx, other.ID, "ann@example.org")
		must(t, err)
		must(t, env.Delete(ctx, other.ID))
		if claimed {
			_, err := env.AddEmail(ctx, ann.ID, "ann@example.org")
			must(t, err)
		}
		_, err = env.UndoChange(ctx, code, herPassword)
		must(t, err)
		if err := env.Restore(ctx, other.ID); err != nil {
			t.Errorf("claimed %v: restoring while she has the address: %v", claimed, err)
		}
		wantEmails(t, env, other.ID, "other@example.org*")
		must(t, env.Delete(ctx, other.ID))
		changeTo(t, env, ann.ID, "new@example.org")
		removeHers()
		if err := env.Restore(ctx, other.ID); err != nil {
			t.Errorf("claimed %v: restoring when the address is free: %v", claimed, err)
		}
		wantEmails(t, env, other.ID, "other@example.org*")
		healthy(t, env)
	}
}

// Without UndoTTL there are notices and no codes, nor for users of a directory,
// whom their mailbox does not sign in.
func TestNoticesWithoutUndo(t *testing.T) {
	ctx := context.Background()
	for name, env := range map[string]*rostertest.Env{
		"off": rostertest.New(t, func(o *roster.Options) { o.UndoTTL = -1 }), "directory": rostertest.New(t),
	} {
		u := env.MustRegister("ann")
		if name == "off" {
			must(t, env.SetPassword(ctx, u.ID, herPassword))
		} else {
			must(t, env.Edit(ctx, u.ID, func(u *roster.User) error { u.DirectoryID = "theirs"; return nil }))
		}
		changeTo(t, env, u.ID, "b@example.org")
		if m := env.Mail.MustLast(t, "ann@example.org"); m.Kind != roster.MailEmailChanged || !m.At.Equal(env.Clock.Now()) {
			t.Errorf("%s: told by %+v", name, m)
		}
		if codes := undoCodes(env, "ann@example.org"); len(codes) != 0 {
			t.Errorf("%s: %d codes", name, len(codes))
		}
	}
}

// Who changes the password ever again fills no table, and does not make the
// codes void that the owner holds.
func TestUndoFlood(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	for i := range 60 {
		must(t, env.SetPassword(ctx, u.ID, fmt.Sprint(evilPassword, i)))
		env.Clock.Advance(time.Minute)
	}
	undos, err := env.Store.UndosOf(ctx, u.ID)
	must(t, err)
	if len(undos) != 16 {
		t.Errorf("%d rows", len(undos))
	}
	codes := undoCodes(env, "ann@example.org")
	for i, code := range codes {
		_, err := env.Peek(ctx, code)
		if good := i < 15 || i == 59; good != (err == nil) {
			t.Errorf("code %d: %v", i, err)
		}
	}
	env.Clock.Advance(8 * day)
	p, err := env.Prune(ctx, roster.Budget{})
	if err != nil || p.Undos != 16 {
		t.Errorf("pruned %+v, %v", p, err)
	}
}

// Nothing half-done is left when the new primary address cannot be written.
func TestUndoRollsBackWithItsTransaction(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	changeTo(t, env, u.ID, "evil@evil.example")
	code := undoCode(t, env, "ann@example.org")
	errEnd := errors.New("end")
	err := env.Atomic(ctx, func(ctx context.Context) error {
		_, err := env.UndoChange(ctx, code, herPassword)
		must(t, err)
		return errEnd
	})
	wantError(t, err, errEnd)
	wantEmails(t, env, u.ID, "evil@evil.example* ann@example.org")
	_, err = env.UndoChange(ctx, code, herPassword)
	must(t, err)
}
