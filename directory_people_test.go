package roster_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// Every later sign-in brings the user up to date with the entry.
func TestDirectoryRefresh(t *testing.T) {
	ctx := context.Background()
	env, d := inCorp(t)
	u := signsIn(t, env, "ann", directoryPassword)
	must(t, env.Edit(ctx, u.ID, func(u *roster.User) error { u.RealName = "Changed here"; return nil }))
	own, err := env.AddActivatedEmail(ctx, u.ID, "ann@home.example")
	must(t, err)
	env.Clock.Advance(time.Hour)
	id := annInCorp()
	id.Name, id.RealName, id.DN, id.Locale, id.Timezone = "anna", "Anna Sample", "uid=anna,dc=example,dc=org", "fr", ""
	id.Emails = []string{"anna@corp.example", "ann.example@corp.example"}
	id.Data = roster.Data{"room": []byte(`{"floor":3}`)}
	d.Put(directoryPassword, id)
	env.Mail.Clear()
	if u := signsIn(t, env, "ann", directoryPassword); u.Name != "anna" { // nobody else has the former name yet
		t.Errorf("%+v", u)
	}
	_, err = env.Authenticate(ctx, "ann", directoryPassword) // which is not hers any more
	wantError(t, err, roster.ErrCredentials)
	got := signsIn(t, env, "anna", directoryPassword)
	if got.ID != u.ID || got.Name != "anna" || got.RealName != "Anna Sample" || got.DirectoryDN != id.DN || got.Locale != "fr" || got.Timezone != "Europe/Berlin" {
		t.Errorf("%+v", got)
	}
	wantEmails(t, env, u.ID, "anna@corp.example* ann.example@corp.example ann@home.example")
	for _, m := range env.Mail.All() {
		if !m.Code.IsZero() {
			t.Errorf("a mail %s to %s has a code", m.Kind, m.To)
		}
	}
	ids, err := env.Identities(ctx, u.ID)
	must(t, err)
	if d := ids[0].Data; string(d["phone"]) != `"17"` || string(d["room"]) != `{"floor":3}` {
		t.Errorf("data %s", d)
	}
	// What the user has chosen stays, and what nobody has given stays.
	must(t, env.SetPrimaryEmail(ctx, u.ID, own.ID))
	id.Emails = []string{"ann.example@corp.example"}
	d.Put(directoryPassword, id)
	signsIn(t, env, "anna", directoryPassword)
	wantEmails(t, env, u.ID, "ann@home.example* ann.example@corp.example")
	id.Emails = nil
	d.Put(directoryPassword, id)
	signsIn(t, env, "anna", directoryPassword)
	wantEmails(t, env, u.ID, "ann@home.example*")
	// A directory that is not trusted any more says nothing about addresses.
	id.Emails, id.EmailsVerified = []string{"new@corp.example"}, false
	d.Put(directoryPassword, id)
	signsIn(t, env, "anna", directoryPassword)
	wantEmails(t, env, u.ID, "ann@home.example*")
	// The former name is free for whoever has it in the directory now.
	d.Put("of another", roster.Identity{Subject: "2", Name: "ann"})
	if other := signsIn(t, env, "ann", "of another"); other.ID == u.ID {
		t.Error("another person has the account")
	}
}

// A refresh settles: the next sign-in writes nothing but the time.
func TestDirectoryRefreshSettles(t *testing.T) {
	ctx := context.Background()
	env, d := inCorp(t)
	ben := env.MustRegister("ben")
	u := signsIn(t, env, "ann", directoryPassword)
	for n, emails := range [][]string{
		{"a@corp.example"}, {"b@corp.example", "a@corp.example"}, {"ben@example.org", "a@corp.example"}, {"ben@example.org"}, {}, {"bad", "c@corp.example"},
	} {
		id := annInCorp()
		id.Emails, id.RealName = emails, emails2(emails)
		d.Put(directoryPassword, id)
		signsIn(t, env, "ann", directoryPassword)
		signsIn(t, env, "ann", directoryPassword)
		stored, err := env.Store.UserByID(ctx, u.ID)
		must(t, err)
		before, _ := env.Store.IdentitiesOf(ctx, u.ID)
		env.Clock.Advance(time.Minute)
		signsIn(t, env, "ann", directoryPassword)
		again, err := env.Store.UserByID(ctx, u.ID)
		must(t, err)
		after, _ := env.Store.IdentitiesOf(ctx, u.ID)
		if stored.RosterUser().Version != again.RosterUser().Version || !before[0].UpdatedAt.Equal(after[0].UpdatedAt) {
			t.Errorf("%d: %v is written at each sign-in", n, emails)
		}
		healthy(t, env)
	}
	if emails, err := env.Emails(ctx, ben.ID); err != nil || len(emails) != 1 {
		t.Errorf("ben has %v, %v", emails, err)
	}
}

func emails2(emails []string) string { return "Ann " + string(rune('A'+len(emails))) }

// A new name that somebody here has is not taken from them.
func TestDirectoryRenameTaken(t *testing.T) {
	env, d := inCorp(t)
	ben := env.MustRegister("ben")
	u := signsIn(t, env, "ann", directoryPassword)
	id := annInCorp()
	id.Name, id.RealName = "ben", "Ann Renamed"
	d.Put(directoryPassword, id)
	got := signsIn(t, env, "ann.example@corp.example", directoryPassword)
	if got.ID != u.ID || got.Name != "Ann" || got.RealName != "Ann Renamed" {
		t.Errorf("%+v", got)
	}
	if b := signsIn(t, env, "ben", rostertest.Password); b.ID != ben.ID {
		t.Errorf("%+v", b)
	}
}

// Passwords of a directory's people are not set here, and the error says so.
func TestDirectoryPasswords(t *testing.T) {
	ctx := context.Background()
	env, d := inCorp(t)
	s, token, err := env.SignIn(ctx, "ann", directoryPassword)
	must(t, err)
	id := s.UserID
	const other = "another one of hers"
	wantField := func(err error) {
		t.Helper()
		if fields := roster.InvalidFields(err); len(fields) != 1 || fields[0].Field != roster.FieldDirectory || fields[0].Reason != roster.ReasonReadOnly {
			t.Errorf("%v", err)
		}
	}
	wantField(env.SetPassword(ctx, id, other))
	wantField(env.RemovePassword(ctx, id))
	wantField(env.RequirePasswordReset(ctx, id))
	wantField(env.RequirePasswordChange(ctx, id, 0))
	_, err = env.GeneratePassword(ctx, id, roster.Generated{})
	wantField(err)
	_, err = env.RenewPassword(ctx, "ann", directoryPassword, other)
	wantField(err)
	env.Mail.Clear()
	must(t, env.RequestPasswordReset(ctx, "ann"))
	must(t, env.RequestPasswordReset(ctx, "ann@corp.example"))
	if mails := env.Mail.All(); len(mails) > 0 {
		t.Errorf("mails %v", mails)
	}
	must(t, env.CheckPassword(ctx, id, directoryPassword))
	wantError(t, env.CheckPassword(ctx, id, other), roster.ErrCredentials)
	_, renewed, err := env.Reauthenticate(ctx, token.Reveal(), directoryPassword)
	must(t, err)
	token = renewed

	// The directory can change it.
	env.Clock.Advance(time.Minute)
	wantError(t, env.ChangePassword(ctx, id, "wrong", other), roster.ErrCredentials)
	wantError(t, env.ChangePassword(ctx, id, directoryPassword, "short"), roster.ErrInvalid)
	d.Fail(errors.New("down"))
	wantError(t, env.ChangePassword(ctx, id, directoryPassword, other), roster.ErrUnavailable)
	d.Fail(nil)
	if s, err := env.Session(ctx, token.Reveal()); err != nil || s.UserID != id {
		t.Fatalf("what failed has ended the session: %v", err)
	}
	s, token, err = env.ChangePasswordIn(ctx, token.Reveal(), directoryPassword, other)
	if err != nil || s.UserID != id {
		t.Fatal(err)
	}
	if m := env.Mail.MustLast(t, "Ann@corp.example"); m.Kind != roster.MailPasswordChanged || !m.Code.IsZero() {
		t.Errorf("%+v", m)
	}
	must(t, env.ChangePassword(ctx, id, other, directoryPassword))
	if _, err := env.Session(ctx, token.Reveal()); !errors.Is(err, roster.ErrNoSession) {
		t.Errorf("the session lives on: %v", err)
	}
	signsIn(t, env, "ann", directoryPassword)
	if _, err := env.Store.Credential(ctx, id, 0); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("a password is here: %v", err)
	}
	mute := rostertest.New(t, func(o *roster.Options) {
		o.Directories = []roster.Directory{odds{d, func(string) (*roster.Identity, error) { i := annInCorp(); return &i, nil }}}
	})
	u := signsIn(t, mute, "ann", directoryPassword)
	wantField(mute.ChangePassword(ctx, u.ID, directoryPassword, other))
}

// An administrator says who of those here is who there.
func TestLinkDirectory(t *testing.T) {
	ctx := context.Background()
	env, d := inCorp(t)
	ann := env.MustRegister("ann")
	_, err := env.AddEmail(ctx, ann.ID, "claimed@example.org")
	must(t, err)
	must(t, env.LinkIdentity(ctx, ann.ID, roster.Identity{Provider: "google", Subject: "9"}))
	other := env.MustRegister("other")
	_, token, err := env.SignIn(ctx, "ann", rostertest.Password)
	must(t, err)
	env.Clock.Advance(time.Hour)
	subject := annInCorp().Subject
	for _, c := range []struct {
		user               roster.UserID
		directory, subject string
		want               error
	}{
		{ann.ID, "none", subject, roster.ErrInvalid},
		{ann.ID, "corp", "", roster.ErrInvalid},
		{ann.ID, "corp", "a\nb", roster.ErrInvalid},
		{ann.ID + 1000, "corp", subject, roster.ErrNotFound},
		{0, "corp", subject, roster.ErrInvalid},
	} {
		wantError(t, env.LinkDirectory(ctx, c.user, c.directory, c.subject), c.want)
	}
	if asked := d.Asked(); len(asked) > 0 {
		t.Errorf("the directory has seen %q", asked)
	}
	must(t, env.LinkDirectory(ctx, ann.ID, "corp", subject))
	must(t, env.LinkDirectory(ctx, ann.ID, "corp", subject)) // again
	wantError(t, env.LinkDirectory(ctx, other.ID, "corp", subject), roster.ErrConflict)
	if m := env.Mail.MustLast(t, "ann@example.org"); m.Kind != roster.MailPasswordChanged || !m.Code.IsZero() || len(m.Emails) > 0 {
		t.Errorf("%+v", m)
	}
	_, err = env.Session(ctx, token.Reveal())
	wantError(t, err, roster.ErrNoSession)
	_, err = env.Authenticate(ctx, "ann", rostertest.Password)
	wantError(t, err, roster.ErrCredentials)
	_, err = env.AuthenticateWith(ctx, roster.Identity{Provider: "google", Subject: "9"})
	wantError(t, err, roster.ErrInvalid) // nobody has it now, and it has no address
	if u := signsIn(t, env, "ann", directoryPassword); u.ID != ann.ID || u.DirectoryDN != annInCorp().DN {
		t.Errorf("%+v", u)
	}
	wantEmails(t, env, ann.ID, "ann@example.org* ann.example@corp.example Ann@corp.example")
	wantError(t, env.LinkIdentity(ctx, ann.ID, roster.Identity{Provider: "google", Subject: "9"}), roster.ErrInvalid)
	wantError(t, env.UnlinkIdentity(ctx, ann.ID, "corp", subject), roster.ErrInvalid)

	env.Mail.Clear()
	must(t, env.UnlinkDirectory(ctx, ann.ID))
	must(t, env.UnlinkDirectory(ctx, ann.ID))
	if m := env.Mail.MustLast(t, "ann@example.org"); m.Kind != roster.MailIdentityUnlinked || !m.Code.IsZero() || len(env.Mail.All()) != 1 {
		t.Errorf("%+v", m)
	}
	for _, login := range []string{"ann", "Ann@corp.example"} {
		_, err = env.Authenticate(ctx, login, directoryPassword)
		wantError(t, err, roster.ErrCredentials)
	}
	must(t, env.SetPassword(ctx, ann.ID, rostertest.Password))
	signsIn(t, env, "ann", rostertest.Password)
	ids, err := env.Identities(ctx, ann.ID)
	if err != nil || len(ids) > 0 {
		t.Errorf("%v, %v", ids, err)
	}
	wantError(t, env.UnlinkDirectory(ctx, 99), roster.ErrNotFound)
}

// Who was brought over with DN or name is found by those, once.
func TestDirectoryAwaits(t *testing.T) {
	ctx := context.Background()
	for what, c := range map[string]struct {
		u    roster.User
		want bool
	}{
		"by DN":             {roster.User{Name: "ann", DirectoryID: "corp", DirectoryDN: "UID=ann,ou=people,dc=example,dc=org"}, true},
		"by name":           {roster.User{Name: "ANN", DirectoryID: "corp"}, true},
		"another DN":        {roster.User{Name: "ann", DirectoryID: "corp", DirectoryDN: "uid=other,dc=example,dc=org"}, false},
		"another directory": {roster.User{Name: "ann", DirectoryID: "other", DirectoryDN: annInCorp().DN}, false},
		"none":              {roster.User{Name: "ann", DirectoryDN: annInCorp().DN}, false},
	} {
		env, d := inCorp(t)
		u := c.u
		must(t, env.Create(ctx, &u))
		got, err := env.Authenticate(ctx, "ann@corp.example", directoryPassword)
		if c.want != (err == nil) || c.want && (got.ID != u.ID || !got.IsActivated()) || !c.want && !errors.Is(err, roster.ErrCredentials) {
			t.Errorf("%s: %v, %v", what, got, err)
		}
		if !c.want {
			continue
		}
		// From then on it is the subject that counts.
		id := annInCorp()
		id.Subject = "another person"
		d.Remove(annInCorp().Subject)
		d.Put(directoryPassword, id)
		_, err = env.Authenticate(ctx, "ann", directoryPassword)
		wantError(t, err, roster.ErrCredentials)
	}
}

// The owner who takes back an account takes it back from the directory and from
// every outside identity, too.
func TestUndoDropsIdentities(t *testing.T) {
	ctx := context.Background()
	env, _ := inCorp(t)
	ann := env.MustRegister("ann")
	evil := roster.Identity{Provider: "google", Subject: "evil"}
	must(t, env.LinkIdentity(ctx, ann.ID, evil))
	m := env.Mail.MustLast(t, "ann@example.org")
	if m.Kind != roster.MailIdentityLinked || m.Code.IsZero() {
		t.Fatalf("%+v", m)
	}
	if u, err := env.AuthenticateWith(ctx, evil); err != nil || u.ID != ann.ID {
		t.Fatal(err)
	}
	env.Clock.Advance(time.Hour)
	_, err := env.UndoChange(ctx, m.Code.Reveal(), herPassword)
	must(t, err)
	_, err = env.AuthenticateWith(ctx, evil)
	wantError(t, err, roster.ErrInvalid)
	signsIn(t, env, "ann", herPassword)
}

// Nobody leaves a directory by a code that was mailed, before or after.
func TestUndoKeepsDirectory(t *testing.T) {
	ctx := context.Background()
	for what, link := range map[string]func(env *rostertest.Env, id roster.UserID) error{
		"linked": func(env *rostertest.Env, id roster.UserID) error {
			return env.LinkDirectory(ctx, id, "corp", annInCorp().Subject)
		},
		"edited": func(env *rostertest.Env, id roster.UserID) error {
			return env.Edit(ctx, id, func(u *roster.User) error { u.DirectoryID = "corp"; return nil })
		},
	} {
		env, _ := inCorp(t)
		ann := env.MustRegister("ann")
		must(t, env.SetPassword(ctx, ann.ID, herPassword))
		before := env.Mail.MustCode(t, "ann@example.org")
		must(t, link(env, ann.ID))
		env.Mail.Clear()
		signsIn(t, env, "ann", directoryPassword)
		second, err := env.AddActivatedEmail(ctx, ann.ID, "second@example.org")
		must(t, err)
		must(t, env.SetPrimaryEmail(ctx, ann.ID, second.ID))
		must(t, env.RemoveEmail(ctx, ann.ID, emailNamed(t, env, ann.ID, "ann@example.org").ID))
		for _, m := range env.Mail.All() {
			if !m.Code.IsZero() {
				t.Errorf("%s: %s carries a code", what, m.Kind)
			}
		}
		if len(env.Mail.All()) < 2 {
			t.Errorf("%s: nobody is told: %v", what, env.Mail.All())
		}
		undead := func() {
			t.Helper()
			_, err := env.Peek(ctx, before)
			wantError(t, err, roster.ErrActivation)
			_, err = env.UndoChange(ctx, before, herPassword)
			wantError(t, err, roster.ErrActivation)
			wantError(t, env.AcceptChange(ctx, before), roster.ErrActivation)
		}
		undead()
		if u := signsIn(t, env, "ann", directoryPassword); u.DirectoryID != "corp" || u.ID != ann.ID {
			t.Errorf("%s: %+v", what, u)
		}
		must(t, env.UnlinkDirectory(ctx, ann.ID)) // and it does not come back
		undead()
	}
}

// A code that has got into the table all the same is dead while its user belongs to a
// directory.
func TestUndoOfDirectoryUserIsDead(t *testing.T) {
	ctx := context.Background()
	env, _ := inCorp(t)
	ann := env.MustRegister("ann")
	must(t, env.SetPassword(ctx, ann.ID, herPassword))
	code := env.Mail.MustCode(t, "ann@example.org")
	undos, err := env.Store.UndosOf(ctx, ann.ID)
	must(t, err)
	must(t, env.LinkDirectory(ctx, ann.ID, "corp", annInCorp().Subject))
	for _, un := range undos {
		must(t, env.Store.InsertUndo(ctx, un))
	}
	_, err = env.UndoChange(ctx, code, herPassword)
	wantError(t, err, roster.ErrActivation)
	signsIn(t, env, "ann", directoryPassword)
}
