package storetest

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// call is one method of a store with arguments that suit a world.
type call struct {
	name string
	run  func(ctx context.Context) error
}

// calls has every method of the store, but Atomic. Alone each succeeds.
func (w *world) calls(t testing.TB, s roster.Store) []call {
	t.Helper()
	ann, ben, cat := w.ann.ID, w.ben.ID, w.cat.ID
	mail, second, bens := w.mails["ann"], w.mails["ann 2"], w.mails["ben"]
	q := roster.UserQuery{State: roster.StateLive, Contains: "text", Limit: 10}
	all := []call{
		{"InsertUser", func(ctx context.Context) error { return s.InsertUser(ctx, user("dan"), "text") }},
		{"UpdateUser", func(ctx context.Context) error { return s.UpdateUser(ctx, clone(w.ann), "new text") }},
		{"PurgeUser", func(ctx context.Context) error { return s.PurgeUser(ctx, ben) }},
		{"UserByID", func(ctx context.Context) error { return only(s.UserByID(ctx, ann)) }},
		{"UserByUUID", func(ctx context.Context) error { return only(s.UserByUUID(ctx, w.ann.UUID)) }},
		{"UserByName", func(ctx context.Context) error { return only(s.UserByName(ctx, "ann")) }},
		{"UserByEmail", func(ctx context.Context) error { return only(s.UserByEmail(ctx, "ann@one")) }},
		{"LockUser", func(ctx context.Context) error { return only(s.LockUser(ctx, ann)) }},
		{"UsersByID", func(ctx context.Context) error { return only(s.UsersByID(ctx, ann, ben)) }},
		{"UserPage", func(ctx context.Context) error { return only(s.UserPage(ctx, q)) }},
		{"CountUsers", func(ctx context.Context) error { return only(s.CountUsers(ctx, q)) }},
		{"UsersAfter", func(ctx context.Context) error { return only(s.UsersAfter(ctx, 0, 10)) }},
		{"PruneUsers", func(ctx context.Context) error { return only(s.PruneUsers(ctx, at(1000*time.Hour), 0, 10)) }},
		{"ClaimName", func(ctx context.Context) error { return s.ClaimName(ctx, "free", ann, at(0)) }},
		{"RetireName", func(ctx context.Context) error { return s.RetireName(ctx, "ann", ann, at(time.Hour)) }},
		{"NameOwners", func(ctx context.Context) error { return only(s.NameOwners(ctx, "ann", "ben")) }},
		{"PruneNames", func(ctx context.Context) error { return only(s.PruneNames(ctx, at(100*time.Hour), 10)) }},
		{"InsertEmail", func(ctx context.Context) error { return s.InsertEmail(ctx, proven(w.ben, "new")) }},
		{"EmailsByID", func(ctx context.Context) error { return only(s.EmailsByID(ctx, mail.ID)) }},
		{"EmailsOf", func(ctx context.Context) error { return only(s.EmailsOf(ctx, ann)) }},
		{"EmailsByKey", func(ctx context.Context) error { return only(s.EmailsByKey(ctx, "shared@two")) }},
		{"ActivatedEmails", func(ctx context.Context) error { return only(s.ActivatedEmails(ctx, "ann@one", "shared@two")) }},
		{"LockEmails", func(ctx context.Context) error { return only(s.LockEmails(ctx, "shared@two")) }},
		{"ActivateEmail", func(ctx context.Context) error { return s.ActivateEmail(ctx, second.ID, at(0)) }},
		{"ClearPrimary", func(ctx context.Context) error { return s.ClearPrimary(ctx, ann) }},
		{"MarkPrimary", func(ctx context.Context) error { return s.MarkPrimary(ctx, mail.ID) }},
		{"DeleteReleased", func(ctx context.Context) error { return only(s.DeleteReleased(ctx, "cat@one", ann)) }},
		{"DeleteEmails", func(ctx context.Context) error { return only(s.DeleteEmails(ctx, bens.ID)) }},
		{"ReleaseEmails", func(ctx context.Context) error { return s.ReleaseEmails(ctx, ann, at(0)) }},
		{"ReclaimEmails", func(ctx context.Context) error { return s.ReclaimEmails(ctx, cat) }},
		{"EmailsAfter", func(ctx context.Context) error { return only(s.EmailsAfter(ctx, 0, 10)) }},
		{"PruneEmails", func(ctx context.Context) error { return only(s.PruneEmails(ctx, at(1000*time.Hour), 10)) }},
		{"InsertActivation", func(ctx context.Context) error { return s.InsertActivation(ctx, activation(mail, "hash new")) }},
		{"ActivationByHash", func(ctx context.Context) error { return only(s.ActivationByHash(ctx, "hash ben")) }},
		{"RedeemActivation", func(ctx context.Context) error {
			return only(s.RedeemActivation(ctx, "hash ann 1", at(0), roster.PurposeActivate))
		}},
		{"VoidActivations", func(ctx context.Context) error { return only(s.VoidActivations(ctx, ben, 0)) }},
		{"PruneActivations", func(ctx context.Context) error { return only(s.PruneActivations(ctx, at(30*time.Hour), 10)) }},
		{"Credential", func(ctx context.Context) error { return only(s.Credential(ctx, ann, 0)) }},
		{"PutCredential", func(ctx context.Context) error { return s.PutCredential(ctx, credential(w.ann, 2, "new")) }},
		{"SwapCredential", func(ctx context.Context) error {
			return s.SwapCredential(ctx, ann, 0, roster.NewSecret("hash of ann"), roster.NewSecret("new"))
		}},
		{"CredentialsAfter", func(ctx context.Context) error { return only(s.CredentialsAfter(ctx, 0, 0, 10)) }},
		{"DeleteCredential", func(ctx context.Context) error { return s.DeleteCredential(ctx, ann, 1) }},
		{"InsertMail", func(ctx context.Context) error { return s.InsertMail(ctx, letter(w.ann, "new")) }},
		{"ClaimMails", func(ctx context.Context) error {
			return only(s.ClaimMails(ctx, "new", at(0), at(time.Hour), 10))
		}},
		{"SettleMail", func(ctx context.Context) error { return s.SettleMail(ctx, w.claimed) }},
		{"MailsAfter", func(ctx context.Context) error { return only(s.MailsAfter(ctx, roster.OutboxFailed, 0, 10)) }},
		{"CountMails", func(ctx context.Context) error { return only(s.CountMails(ctx, 10)) }},
		{"RequeueMails", func(ctx context.Context) error { return only(s.RequeueMails(ctx, at(0), w.letter)) }},
		{"WipeMails", func(ctx context.Context) error { return only(s.WipeMails(ctx, at(1000*time.Hour), 10)) }},
		{"PruneMails", func(ctx context.Context) error { return only(s.PruneMails(ctx, at(1000*time.Hour), 10)) }},
		{"InsertUndo", func(ctx context.Context) error { return s.InsertUndo(ctx, undo(w.ann, "ann@one", 3, "undo new")) }},
		{"UndoByHash", func(ctx context.Context) error { return only(s.UndoByHash(ctx, "undo ben")) }},
		{"UndosOf", func(ctx context.Context) error { return only(s.UndosOf(ctx, ann)) }},
		{"RedeemUndo", func(ctx context.Context) error { return only(s.RedeemUndo(ctx, "undo ann 1", at(0))) }},
		{"VoidUndos", func(ctx context.Context) error { return only(s.VoidUndos(ctx, ann, "ann@one", 5)) }},
		{"PruneUndos", func(ctx context.Context) error { return only(s.PruneUndos(ctx, at(1000*time.Hour), 10)) }},
		{"LoginByName", func(ctx context.Context) error { _, _, err := s.LoginByName(ctx, "ann"); return err }},
		{"LoginByEmail", func(ctx context.Context) error { _, _, err := s.LoginByEmail(ctx, "ann@one"); return err }},
		{"LimitCounts", func(ctx context.Context) error { return only(s.LimitCounts(ctx, at(0), "limit ann")) }},
		{"TakeLimits", func(ctx context.Context) error {
			return only(s.TakeLimits(ctx, at(0), take("limit ann", 9, at(time.Hour))))
		}},
		{"GiveLimits", func(ctx context.Context) error {
			return s.GiveLimits(ctx, []string{"limit ann"}, []string{"limit ben"})
		}},
		{"PruneLimits", func(ctx context.Context) error { return only(s.PruneLimits(ctx, at(2*time.Hour), 10)) }},
		{"InsertSession", func(ctx context.Context) error { return s.InsertSession(ctx, session(w.ann, 9, "token new")) }},
		{"SessionByHash", func(ctx context.Context) error {
			_, _, err := s.SessionByHash(ctx, roster.NewSecret("token ann 1"))
			return err
		}},
		{"UpdateSession", func(ctx context.Context) error {
			return s.UpdateSession(ctx, roster.NewSecret("token ann 1"), session(w.ann, 1, "token ann 1"))
		}},
		{"SeeSession", func(ctx context.Context) error {
			return s.SeeSession(ctx, roster.NewSecret("token ann 1"), at(40*time.Hour), at(39*time.Hour))
		}},
		{"SessionsOf", func(ctx context.Context) error { return only(s.SessionsOf(ctx, ann, 10)) }},
		{"DeleteSession", func(ctx context.Context) error { return s.DeleteSession(ctx, cat, sessionID(1)) }},
		{"DropSession", func(ctx context.Context) error { return s.DropSession(ctx, roster.NewSecret("token ann 2")) }},
		{"DeleteSessions", func(ctx context.Context) error { return only(s.DeleteSessions(ctx, ben, sessionID(0))) }},
		{"PruneSessions", func(ctx context.Context) error { return only(s.PruneSessions(ctx, at(1000*time.Hour), 10)) }},
		{"InsertIdentity", func(ctx context.Context) error { return s.InsertIdentity(ctx, identity(w.ann, "new", "ann")) }},
		{"IdentityBySubject", func(ctx context.Context) error {
			_, _, err := s.IdentityBySubject(ctx, "corp", "ann")
			return err
		}},
		{"IdentitiesOf", func(ctx context.Context) error { return only(s.IdentitiesOf(ctx, ann, ben)) }},
		{"IdentitiesAfter", func(ctx context.Context) error { return only(s.IdentitiesAfter(ctx, "corp", "", 10)) }},
		{"UpdateIdentity", func(ctx context.Context) error { return s.UpdateIdentity(ctx, identity(w.ann, "corp", "ann")) }},
		{"DeleteIdentities", func(ctx context.Context) error { return only(s.DeleteIdentities(ctx, cat, "", "")) }},
		{"InsertEvent", func(ctx context.Context) error { return s.InsertEvent(ctx, event("new", 0)) }},
		{"CountEvent", func(ctx context.Context) error { return s.CountEvent(ctx, "event ann", event("new", 0)) }},
		{"EventPage", func(ctx context.Context) error {
			return only(s.EventPage(ctx, roster.EventFilter{User: ann, Limit: 10}))
		}},
		{"ForgetClients", func(ctx context.Context) error { return only(s.ForgetClients(ctx, ann, cat)) }},
		{"PruneEvents", func(ctx context.Context) error { return only(s.PruneEvents(ctx, at(1000*time.Hour), 10)) }},
		{"RecordLogin", func(ctx context.Context) error { return s.RecordLogin(ctx, ann, at(0), "::3") }},
		{"InsertGroup", func(ctx context.Context) error { return s.InsertGroup(ctx, group("new")) }},
		{"OfferGroup", func(ctx context.Context) error { return only(s.OfferGroup(ctx, group("jury"))) }},
		{"UpdateGroup", func(ctx context.Context) error { g := *w.jury; return s.UpdateGroup(ctx, &g) }},
		{"DeleteGroup", func(ctx context.Context) error { return s.DeleteGroup(ctx, w.staff.ID) }},
		{"GroupByName", func(ctx context.Context) error { return only(s.GroupByName(ctx, "jury")) }},
		{"GroupByUUID", func(ctx context.Context) error { return only(s.GroupByUUID(ctx, w.jury.UUID)) }},
		{"LockGroup", func(ctx context.Context) error { return only(s.LockGroup(ctx, w.jury.ID)) }},
		{"GroupsByID", func(ctx context.Context) error { return only(s.GroupsByID(ctx, w.jury.ID)) }},
		{"GroupPage", func(ctx context.Context) error { return only(s.GroupPage(ctx, "", 10)) }},
		{"PutMember", func(ctx context.Context) error { return only(s.PutMember(ctx, member(w.jury, w.ann))) }},
		{"DeleteMember", func(ctx context.Context) error { return s.DeleteMember(ctx, w.jury.ID, ann) }},
		{"MembersAfter", func(ctx context.Context) error { return only(s.MembersAfter(ctx, w.jury.ID, 0, 10)) }},
		{"MembershipsOf", func(ctx context.Context) error { return only(s.MembershipsOf(ctx, ann)) }},
		{"PutGrants", func(ctx context.Context) error {
			return only(s.PutGrants(ctx, forever(roster.ToUser(ann), 1), "p"))
		}},
		{"DeleteGrants", func(ctx context.Context) error { return only(s.DeleteGrants(ctx, roster.ToUser(ann), 1, "x")) }},
		{"GrantsOf", func(ctx context.Context) error { return only(s.GrantsOf(ctx, roster.ToUser(ann))) }},
		{"GrantsIn", func(ctx context.Context) error { return only(s.GrantsIn(ctx, 1, 0, 10)) }},
		{"HeldGrants", func(ctx context.Context) error { _, _, err := s.HeldGrants(ctx, ann, 1); return err }},
		{"HeldAnywhere", func(ctx context.Context) error { return only(s.HeldAnywhere(ctx, ann, ben)) }},
		{"PruneGrants", func(ctx context.Context) error { return only(s.PruneGrants(ctx, at(1000*time.Hour), 10)) }},
		{"Holds", func(ctx context.Context) error { return only(s.Holds(ctx, ann, "p", noon, 1, 0)) }},
		{"HeldByAll", func(ctx context.Context) error {
			return only(s.HeldByAll(ctx, "p", noon, []roster.ScopeID{0, 1}, []roster.UserID{ann}))
		}},
		{"HoldersAfter", func(ctx context.Context) error { return only(s.HoldersAfter(ctx, "p", noon, 1, 0, 0, 10)) }},
		{"ScopesAfter", func(ctx context.Context) error { return only(s.ScopesAfter(ctx, ann, "p", noon, 0, 10)) }},
		{"Privileged", func(ctx context.Context) error { return only(s.Privileged(ctx, noon, nil, ann)) }},
	}
	missing := map[string]bool{}
	for m := range reflect.TypeFor[roster.Store]().Methods() {
		missing[m.Name] = m.Name != "Atomic"
	}
	for _, c := range all {
		missing[c.name] = false
	}
	for name, is := range missing {
		if is {
			t.Errorf("the suite does not call %s: nothing would notice if it broke the rule", name)
		}
	}
	return all
}

// only is the error of a call that also returns a value.
func only[T any](_ T, err error) error { return err }
