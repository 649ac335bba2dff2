package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// world is a store with rows of every kind, of users in several states, so that
// what must not change has something to change.
type world struct {
	ann, ben, cat *roster.User // activated, pending, deleted
	mails         map[string]*roster.UserEmail
	claimed       *roster.QueuedMail // of ann
	letter        roster.MailID      // a dead one, of ben
	jury, staff   *roster.Group
}

// The names, addresses, hashes and scopes that a dump asks for one by one.
var (
	worldNames     = []string{"ann", "anna", "ben", "cat", "dan", "free"}
	worldHashes    = []string{"hash ann 1", "hash ann 2", "hash ben", "hash cat", "hash new"}
	worldTokens    = []string{"token ann 1", "token ann 2", "token ben", "token cat", "token new"}
	worldScopes    = []roster.ScopeID{0, 1, 2}
	worldPatterns  = []string{"text", "new"}
	worldProviders = []string{"corp", "google", "new"}
	worldLimits    = []string{"limit ann", "limit ben", "limit new", "limit old"}
)

// populate fills an empty store.
func populate(t testing.TB, s roster.Store) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{ann: user("ann"), ben: pendingUser("ben"), cat: fullUser("cat"), mails: map[string]*roster.UserEmail{}}
	for _, u := range []*roster.User{w.ann, w.ben, w.cat} {
		ok(t, s.InsertUser(ctx, u, "text of "+u.NameKey))
		ok(t, s.ClaimName(ctx, u.NameKey, u.ID, at(0)))
		mark := primary(u, u.NameKey+"@one")
		if u != w.ben {
			mark.ActivatedAt = at(time.Hour)
		}
		w.mails[u.NameKey] = insertEmail(t, s, mark)
		w.mails[u.NameKey+" 2"] = insertEmail(t, s, pending(u, "shared@two"))
		putCredential(t, s, credential(u, 0, "hash of "+u.NameKey))
		putCredential(t, s, credential(u, 1, "hash in scope 1 of "+u.NameKey))
	}
	ok(t, s.ClaimName(ctx, "anna", w.ann.ID, at(0)))
	ok(t, s.RetireName(ctx, "anna", w.ann.ID, at(48*time.Hour)))
	ok(t, s.ReleaseEmails(ctx, w.cat.ID, at(time.Hour)))
	insertActivation(t, s, activation(w.mails["ann 2"], "hash ann 1"))
	late := activation(w.mails["ann 2"], "hash ann 2")
	late.Purpose, late.ExpiresAt = roster.PurposeChangeEmail, at(100*time.Hour)
	insertActivation(t, s, late)
	insertActivation(t, s, activation(w.mails["ben"], "hash ben"))
	insertActivation(t, s, activation(w.mails["cat"], "hash cat"))
	for i, u := range []*roster.User{w.ann, w.ben, w.cat} {
		m := letter(u, "mail to "+u.NameKey)
		m.DueAt, m.Attempts = at(time.Duration(i-1)*time.Hour), i
		switch u {
		case w.ben:
			m.FailedAt = at(time.Hour)
		case w.cat:
			m.SentAt = at(time.Hour)
		}
		insertMail(t, s, m)
	}
	w.claimed = got(s.ClaimMails(ctx, "claim", at(-time.Hour), at(time.Hour), 1))(t)[0]
	w.letter = insertMail(t, s, letter(w.ann, "waiting")).ID - 2
	for _, key := range worldLimits[:2] {
		got(s.TakeLimits(ctx, at(0), take(key, 3, at(100*time.Hour))))(t)
		got(s.TakeLimits(ctx, at(time.Hour), take(key, 3, at(0))))(t)
	}
	got(s.TakeLimits(ctx, at(0), take("limit old", 3, at(time.Hour))))(t)
	insertUndo(t, s, undo(w.ann, "ann@one", 1, "undo ann 1"))
	insertUndo(t, s, undo(w.ann, "ann@gone", 2, "undo ann 2"))
	insertUndo(t, s, undo(w.ben, "ben@one", 1, "undo ben"))
	insertUndo(t, s, undo(w.cat, "cat@one", 1, "undo cat"))
	insertSession(t, s, session(w.ann, 1, "token ann 1"))
	insertSession(t, s, session(w.ben, 1, "token ben"))
	insertSession(t, s, acting(w.ann, w.cat, 2, "token ann 2"))
	insertSession(t, s, session(w.cat, 1, "token cat"))
	for _, u := range []*roster.User{w.ann, w.ben, w.cat} {
		insertIdentity(t, s, identity(u, "corp", u.NameKey))
		insertIdentity(t, s, identity(u, "google", u.NameKey))
	}
	for i, u := range []*roster.User{w.ann, w.ben, w.cat} {
		e := event("kind", time.Duration(i)*time.Hour)
		e.User, e.Actor, e.RealActor = u.ID, w.ann.ID, w.cat.ID
		insertEvent(t, s, e)
	}
	ok(t, s.CountEvent(ctx, "event ann", event("kind", 0)))
	w.jury, w.staff = insertGroup(t, s, group("jury")), insertGroup(t, s, group("staff"))
	putMember(t, s, w.jury, w.ann, w.ben, w.cat)
	putMember(t, s, w.staff, w.ann)
	for _, to := range []roster.Subject{
		roster.ToUser(w.ann.ID), roster.ToUser(w.ben.ID), roster.ToUser(w.cat.ID), roster.ToGroup(w.jury.ID), roster.ToGroup(w.staff.ID),
	} {
		putGrants(t, s, grant(to, 0, ""), "p", "")
		putGrants(t, s, forever(to, 1), "p", "q")
	}
	return w
}

// rows is all that a store holds, as far as it can be asked.
type rows struct {
	Users       []*roster.User
	Search      []string
	Emails      []*roster.UserEmail
	Credentials []*roster.Credential
	Activations []*roster.Activation
	Limits      []roster.LimitCount
	Undos       []*roster.Undo
	Sessions    []*roster.Session
	SessionsOf  map[roster.UserID][]*roster.Session
	Identities  []*roster.UserIdentity
	ByProvider  []*roster.UserIdentity
	Names       map[string]roster.UserID
	Found       map[string][]string
	Keys        map[string][]*roster.UserEmail
	Events      []*roster.Event
	Outbox      []*roster.QueuedMail
	Pending     int
	Groups      []*roster.Group
	Members     []*roster.Membership
	Memberships []*roster.Membership
	Grants      []*roster.Grant
	GrantsOf    []*roster.Grant
	Held        map[roster.UserID][]roster.Held
}

// dump reads everything.
func dump(ctx context.Context, t testing.TB, s roster.Store) rows {
	t.Helper()
	d := rows{Names: map[string]roster.UserID{}, Found: map[string][]string{}, Keys: map[string][]*roster.UserEmail{}, SessionsOf: map[roster.UserID][]*roster.Session{}, Held: map[roster.UserID][]roster.Held{}}
	for _, u := range got(s.UsersAfter(ctx, 0, 1000))(t) {
		row := u.User.RosterUser()
		d.Users, d.Search = append(d.Users, row), append(d.Search, u.Search)
		d.SessionsOf[row.ID] = append([]*roster.Session{}, got(s.SessionsOf(ctx, row.ID, 100))(t)...)
		for _, scope := range worldScopes {
			if c, err := s.Credential(ctx, row.ID, scope); !errors.Is(err, roster.ErrNotFound) {
				d.Credentials = append(d.Credentials, got(c, err)(t))
			}
		}
	}
	for _, u := range d.Users {
		d.Undos = append(d.Undos, got(s.UndosOf(ctx, u.ID))(t)...)
		d.Identities = append(d.Identities, got(s.IdentitiesOf(ctx, u.ID))(t)...)
	}
	d.Groups = groupsOf(s.GroupPage(ctx, "", 1000))(t)
	for _, g := range d.Groups {
		d.Members = append(d.Members, got(s.MembersAfter(ctx, g.ID, 0, 1000))(t)...)
		d.GrantsOf = append(d.GrantsOf, got(s.GrantsOf(ctx, roster.ToGroup(g.ID)))(t)...)
	}
	for _, scope := range worldScopes {
		d.Grants = append(d.Grants, got(s.GrantsIn(ctx, scope, 0, 1000))(t)...)
	}
	for _, u := range d.Users {
		d.Memberships = append(d.Memberships, got(s.MembershipsOf(ctx, u.ID))(t)...)
		d.GrantsOf = append(d.GrantsOf, got(s.GrantsOf(ctx, roster.ToUser(u.ID)))(t)...)
		held, _, err := s.HeldGrants(ctx, u.ID, 1)
		ok(t, err)
		d.Held[u.ID] = append([]roster.Held{}, held...)
	}
	d.Emails = got(s.EmailsAfter(ctx, 0, 1000))(t)
	for _, e := range d.Emails {
		if _, seen := d.Keys[e.AddressKey]; !seen {
			d.Keys[e.AddressKey] = append([]*roster.UserEmail{}, got(s.EmailsByKey(ctx, e.AddressKey))(t)...)
		}
	}
	for _, hash := range worldHashes {
		if a, err := s.ActivationByHash(ctx, hash); !errors.Is(err, roster.ErrNotFound) {
			d.Activations = append(d.Activations, got(a, err)(t))
		}
	}
	d.Limits = got(s.LimitCounts(ctx, at(0), worldLimits...))(t)
	for _, hash := range worldTokens {
		if one, _, err := s.SessionByHash(ctx, roster.NewSecret(hash)); !errors.Is(err, roster.ErrNotFound) {
			d.Sessions = append(d.Sessions, got(one, err)(t))
		}
	}
	for _, name := range worldNames {
		if owner, err := nameOwner(ctx, s, name); !errors.Is(err, roster.ErrNotFound) {
			d.Names[name] = got(owner, err)(t)
		}
	}
	for _, provider := range worldProviders {
		d.ByProvider = append(d.ByProvider, got(s.IdentitiesAfter(ctx, provider, "", 100))(t)...)
	}
	d.Events = eventsOf(ctx, t, s)
	d.Outbox, d.Pending = mailsOf(ctx, t, s), got(s.CountMails(ctx, 1000))(t)
	for _, pattern := range worldPatterns {
		d.Found[pattern] = finds(ctx, t, s, pattern)
	}
	return d
}

// disturb writes to every table, in every way that there is.
func (w *world) disturb(ctx context.Context, s roster.Store) error {
	eve := user("eve")
	if err := s.InsertUser(ctx, eve, "new text"); err != nil {
		return err
	}
	eves := proven(eve, "eve@new")
	eves.Primary = true
	if err := s.InsertEmail(ctx, eves); err != nil {
		return err
	}
	sent := *w.claimed
	sent.SentAt, sent.Payload = at(time.Minute), roster.Secret{}
	ann := *w.ann
	ann.NameKey, ann.RealName = "anna", "New"
	return errors.Join(
		s.InsertActivation(ctx, activation(eves, "hash new")),
		s.PutCredential(ctx, credential(eve, 0, "new")),
		s.ClaimName(ctx, "free", eve.ID, at(0)),
		s.UpdateUser(ctx, &ann, "new text of ann"),
		s.RecordLogin(ctx, w.ann.ID, at(200*time.Hour), "203.0.113.9"),
		s.ClaimName(ctx, "anna", w.ann.ID, at(0)),
		s.RetireName(ctx, "ann", w.ann.ID, at(500*time.Hour)),
		s.PutCredential(ctx, credential(w.ann, 2, "new")),
		s.PutCredential(ctx, credential(w.ann, 1, "new")),
		s.SwapCredential(ctx, w.ann.ID, 0, roster.NewSecret("hash of ann"), roster.NewSecret("new")),
		s.DeleteCredential(ctx, w.cat.ID, 0),
		s.ClearPrimary(ctx, w.ann.ID),
		s.ActivateEmail(ctx, w.mails["ann 2"].ID, at(200*time.Hour)),
		s.MarkPrimary(ctx, w.mails["ann 2"].ID),
		only(s.DeleteReleased(ctx, "cat@one", w.ann.ID)),
		s.ReclaimEmails(ctx, w.cat.ID),
		s.ReleaseEmails(ctx, w.ann.ID, at(200*time.Hour)),
		only(s.RedeemActivation(ctx, "hash ann 2", at(0), roster.PurposeChangeEmail)),
		only(s.VoidActivations(ctx, w.ann.ID, 0)),
		only(s.DeleteEmails(ctx, w.mails["ann"].ID)),
		s.InsertSession(ctx, acting(eve, w.ann, 3, "token new")),
		s.UpdateSession(ctx, roster.NewSecret("token cat"), session(w.cat, 1, "token cat new")),
		s.SeeSession(ctx, roster.NewSecret("token cat new"), at(40*time.Hour), at(39*time.Hour)),
		s.DropSession(ctx, roster.NewSecret("token ann 1")),
		s.DeleteSession(ctx, eve.ID, sessionID(3)),
		only(s.DeleteSessions(ctx, w.ann.ID, sessionID(7))),
		only(s.PruneSessions(ctx, at(1000*time.Hour), 1)),
		only(s.PruneEmails(ctx, at(1000*time.Hour), 10)),
		only(s.PruneActivations(ctx, at(30*time.Hour), 1)),
		s.SettleMail(ctx, &sent),
		s.InsertMail(ctx, letter(w.ann, "new")),
		only(s.ClaimMails(ctx, "new", at(0), at(time.Hour), 1)),
		only(s.RequeueMails(ctx, at(0), w.letter)),
		only(s.WipeMails(ctx, at(1000*time.Hour), 10)),
		only(s.PruneMails(ctx, at(time.Hour), 10)),
		only(s.TakeLimits(ctx, at(2*time.Hour), take("limit ann", 3, at(200*time.Hour)), take("limit new", 1, at(200*time.Hour)))),
		s.GiveLimits(ctx, []string{"limit ann"}, []string{"limit ben"}),
		only(s.PruneLimits(ctx, at(2*time.Hour), 10)),
		s.InsertUndo(ctx, undo(eve, "eve@new", 1, "undo new")),
		only(s.RedeemUndo(ctx, "undo ann 1", at(0))),
		only(s.VoidUndos(ctx, w.ann.ID, "", 1)),
		only(s.PruneUndos(ctx, at(174*time.Hour), 1)),
		s.InsertIdentity(ctx, identity(eve, "new", "eve")),
		s.UpdateIdentity(ctx, &roster.UserIdentity{Provider: "corp", Subject: "ann", UserID: w.ann.ID, UpdatedAt: at(300 * time.Hour)}),
		only(s.DeleteIdentities(ctx, w.cat.ID, "google", "")),
		s.InsertEvent(ctx, event("new", 0)),
		s.CountEvent(ctx, "event ann", event("new", time.Hour)),
		s.CountEvent(ctx, "event new", event("new", 0)),
		only(s.ForgetClients(ctx, w.cat.ID)),
		only(s.PruneEvents(ctx, at(time.Hour), 1)),
		only(s.PruneGrants(ctx, at(10_000*time.Hour), 1)),
		w.regroup(ctx, s, eve),
		s.PurgeUser(ctx, w.ben.ID),
	)
}

// regroup writes to the tables of groups and grants.
func (w *world) regroup(ctx context.Context, s roster.Store, eve *roster.User) error {
	renamed := *w.jury
	renamed.NameKey, renamed.Description = "new jury", "New"
	crew := group("crew")
	if err := s.InsertGroup(ctx, crew); err != nil {
		return err
	}
	return errors.Join(
		only(s.OfferGroup(ctx, group("offered"))),
		s.UpdateGroup(ctx, &renamed),
		only(s.PutMember(ctx, member(crew, eve))),
		only(s.PutMember(ctx, &roster.Membership{GroupID: w.jury.ID, UserID: w.ann.ID, Rights: "new"})),
		s.DeleteMember(ctx, w.jury.ID, w.cat.ID),
		only(s.PutGrants(ctx, forever(roster.ToGroup(crew.ID), 1), "r")),
		only(s.PutGrants(ctx, forever(roster.ToUser(eve.ID), 2), "r")),
		only(s.PutGrants(ctx, forever(roster.ToUser(w.ann.ID), 0), "p")),
		only(s.DeleteGrants(ctx, roster.ToUser(w.ann.ID), 1, "q")),
		only(s.DeleteGrants(ctx, roster.ToGroup(w.jury.ID), 1, "p")),
		s.DeleteGroup(ctx, w.staff.ID),
	)
}
