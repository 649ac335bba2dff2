package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var purgeCases = []testCase{
	{name: "Purge/Everything", rule: "PurgeUser deletes every row that belongs to the user: whatever it held is free.", run: purgeEverything},
	{name: "Purge/Others", rule: "PurgeUser deletes no row of anybody else.", run: purgeOthers},
	{name: "Purge/NotFound", rule: "PurgeUser of a user that is not there is ErrNotFound.", run: purgeNotFound},
	{name: "PruneUsers/Rules", rule: "PruneUsers purges exactly those who were created before, never activated, never signed in, and so on.", run: pruneUsersRules},
	{name: "PruneUsers/Limit", rule: "PruneUsers purges at most limit users, those with the lowest IDs first, and returns their IDs in order.", run: pruneUsersLimit},
	{name: "PruneUsers/Everything", rule: "What PruneUsers purges leaves no rows behind, as with PurgeUser.", run: pruneUsersEverything},
}

// freed checks by writing anew that nothing of the purged user is left. A
// reading that joins tables would not see an orphan.
func freed(t *testing.T, s roster.Store, gone *roster.User, mails []*roster.UserEmail, hashes, names []string) {
	t.Helper()
	ctx := t.Context()
	_, err := s.UserByID(ctx, gone.ID)
	fails(t, "the user", err, roster.ErrNotFound)
	for _, scope := range worldScopes {
		_, err := s.Credential(ctx, gone.ID, scope)
		fails(t, "the credential", err, roster.ErrNotFound)
	}
	for _, hash := range hashes {
		_, err := s.ActivationByHash(ctx, hash)
		fails(t, "the activation", err, roster.ErrNotFound)
	}
	for _, name := range names {
		_, err := nameOwner(ctx, s, name)
		fails(t, "the owner of the name", err, roster.ErrNotFound)
	}
	same(t, "the groups of the user", got(s.MembershipsOf(ctx, gone.ID))(t), []*roster.Membership{})
	same(t, "the grants to the user", got(s.GrantsOf(ctx, roster.ToUser(gone.ID)))(t), []*roster.Grant{})
	for _, scope := range worldScopes {
		for _, g := range got(s.GrantsIn(ctx, scope, 0, 1000))(t) {
			if g.Subject.User == gone.ID {
				t.Errorf("the grant %d is left", g.ID)
			}
		}
	}
	for _, g := range groupsOf(s.GroupPage(ctx, "", 100))(t) {
		for _, m := range got(s.MembersAfter(ctx, g.ID, 0, 100))(t) {
			if m.UserID == gone.ID {
				t.Error("a member is left")
			}
		}
		conflicts(t, "nobody in a group", only(s.PutMember(ctx, member(g, gone))), roster.FieldGroup)
	}
	conflicts(t, "a grant to nobody", only(s.PutGrants(ctx, forever(roster.ToUser(gone.ID), 0), "p")), roster.FieldSubject)
	same(t, "the undos of the user", got(s.UndosOf(ctx, gone.ID))(t), []*roster.Undo{})
	_, err = s.UndoByHash(ctx, "undo "+gone.NameKey)
	fails(t, "an undo", err, roster.ErrNotFound)
	conflicts(t, "an undo for nobody", s.InsertUndo(ctx, undo(gone, "x@one", 1, "new undo")), roster.FieldUser)
	var ids []roster.EmailID
	for _, e := range mails {
		ids = append(ids, e.ID)
	}
	same(t, "the addresses by ID", got(s.EmailsByID(ctx, ids...))(t), []*roster.UserEmail{})
	same(t, "the addresses of the user", got(s.EmailsOf(ctx, gone.ID))(t), []*roster.UserEmail{})
	for i, hash := range worldTokens { // those of the world are of these three, or one of them acts
		one, _, err := s.SessionByHash(ctx, roster.NewSecret(hash))
		if err == nil && (one.UserID == gone.ID || one.ImpersonatorID == gone.ID) {
			t.Errorf("the session %d is left", i)
		}
	}
	same(t, "the sessions of the user", got(s.SessionsOf(ctx, gone.ID, 10))(t), []*roster.Session{})
	same(t, "the identities of the user", got(s.IdentitiesOf(ctx, gone.ID))(t), []*roster.UserIdentity{})
	for _, provider := range worldProviders {
		_, _, err := s.IdentityBySubject(ctx, provider, gone.NameKey)
		fails(t, "an identity", err, roster.ErrNotFound)
	}
	conflicts(t, "an identity of nobody", s.InsertIdentity(ctx, identity(gone, "corp", gone.NameKey)), roster.FieldUser)
	conflicts(t, "a session of nobody", s.InsertSession(ctx, session(gone, 9, "token new")), roster.FieldUser)
	conflicts(t, "a password for nobody", s.PutCredential(ctx, credential(gone, 0, "hash")), roster.FieldUser)
	conflicts(t, "an address of nobody", s.InsertEmail(ctx, pending(gone, "new@example.org")), roster.FieldUser)
	conflicts(t, "a name of nobody", s.ClaimName(ctx, "new name", gone.ID, at(0)), roster.FieldUser)
	for _, m := range mailsOf(ctx, t, s) {
		if m.UserID == gone.ID {
			t.Errorf("the mail %d is left", m.ID)
		}
	}
	conflicts(t, "a mail for nobody", s.InsertMail(ctx, letter(gone, "new")), roster.FieldUser)
	for _, e := range mails {
		conflicts(t, "a code for nobody's address", s.InsertActivation(ctx, activation(e, "new hash")), roster.FieldEmail)
	}

	heir := user(gone.NameKey)
	heir.UUID = gone.UUID
	insert(t, s, heir)
	for _, name := range names {
		ok(t, s.ClaimName(ctx, name, heir.ID, at(-1000*time.Hour)))
	}
	for i, e := range mails {
		again := proven(heir, e.AddressKey)
		insertEmail(t, s, again)
		if again.ID <= e.ID {
			t.Errorf("the ID %d of an address is used again", e.ID)
		}
		if i < len(hashes) {
			insertActivation(t, s, activation(again, hashes[i]))
		}
		if i == 0 {
			insertUndo(t, s, undo(heir, e.AddressKey, 1, "undo "+gone.NameKey))
		}
	}
}

func purgeEverything(t *testing.T, s roster.Store) {
	for _, name := range []string{"ann", "ben", "cat"} {
		w := populate(t, s)
		gone := map[string]*roster.User{"ann": w.ann, "ben": w.ben, "cat": w.cat}[name]
		hashes := map[string][]string{"ann": {"hash ann 1", "hash ann 2"}, "ben": {"hash ben"}, "cat": {"hash cat"}}[name]
		names := map[string][]string{"ann": {"ann", "anna"}, "ben": {"ben"}, "cat": {"cat"}}[name]
		ok(t, s.PurgeUser(t.Context(), gone.ID))
		for _, pattern := range []string{"text of " + name, name} {
			same(t, "found by the old text", finds(t.Context(), t, s, pattern), nobody)
		}
		freed(t, s, gone, []*roster.UserEmail{w.mails[name], w.mails[name+" 2"]}, hashes, names)
		for _, u := range got(s.UsersAfter(t.Context(), 0, 100))(t) { // make room for the next
			ok(t, s.PurgeUser(t.Context(), u.User.RosterUser().ID))
		}
		for _, g := range groupsOf(s.GroupPage(t.Context(), "", 100))(t) {
			ok(t, s.DeleteGroup(t.Context(), g.ID))
		}
	}
}

func purgeOthers(t *testing.T, s roster.Store) {
	ctx := t.Context()
	w := populate(t, s)
	before := dump(ctx, t, s)
	extra := insert(t, s, user("extra"))
	ok(t, s.ClaimName(ctx, "extra", extra.ID, at(0)))
	mark := proven(extra, "extra@example.org")
	mark.Primary = true
	insertEmail(t, s, mark)
	insertEmail(t, s, pending(extra, "shared@two"))
	insertActivation(t, s, activation(mark, "hash of extra"))
	putCredential(t, s, credential(extra, 0, "hash"))
	putCredential(t, s, credential(extra, 1, "hash"))
	insertMail(t, s, letter(extra, "extra"))
	insertUndo(t, s, undo(extra, "ann@one", 1, "undo of extra"))
	putMember(t, s, w.jury, extra)
	putGrants(t, s, forever(roster.ToUser(extra.ID), 1), "p")
	insertSession(t, s, session(extra, 1, "token extra"))
	insertSession(t, s, acting(w.ben, extra, 8, "token new"))
	ok(t, s.PurgeUser(ctx, extra.ID))
	same(t, "all the others", dump(ctx, t, s), before)
	ok(t, s.PurgeUser(ctx, w.cat.ID))
	same(t, "a user who stays", rowOf(s.UserByName(ctx, "ann"))(t), w.ann)
}

func purgeNotFound(t *testing.T, s roster.Store) {
	ctx := t.Context()
	w := populate(t, s)
	ok(t, s.PurgeUser(ctx, w.ben.ID))
	before := dump(ctx, t, s)
	for _, id := range []roster.UserID{w.ben.ID, 0, w.cat.ID + 1000} {
		fails(t, "PurgeUser", s.PurgeUser(ctx, id), roster.ErrNotFound)
	}
	same(t, "the rows", dump(ctx, t, s), before)
}

func pruneUsersRules(t *testing.T, s roster.Store) {
	ctx := t.Context()
	before := at(24 * time.Hour)
	n := 0
	wait := func(change func(u *roster.User)) *roster.User {
		n++
		u := pendingUser(fmt.Sprintf("user %02d", n))
		u.CreatedAt = before.Add(-time.Microsecond)
		change(u)
		insert(t, s, u)
		insertEmail(t, s, primary(u, u.NameKey+"@example.org"))
		return u
	}
	flags := roster.FlagNeverClean | roster.FlagPrivileged
	goes := []*roster.User{
		wait(func(*roster.User) {}),
		wait(func(u *roster.User) { u.CreatedAt = before.Add(-time.Hour); u.Enabled = false }),
		wait(func(u *roster.User) {
			u.Flags = roster.FlagInvisible | roster.FlagBanned | roster.FlagSimpleRegistration
		}),
		wait(func(u *roster.User) { u.CreatedAt = time.Time{}; u.PasswordChangedAt = time.Time{} }),
	}
	stays := map[string]*roster.User{
		"created at that very time":      wait(func(u *roster.User) { u.CreatedAt = before }),
		"created later":                  wait(func(u *roster.User) { u.CreatedAt = before.Add(time.Hour) }),
		"activated":                      wait(func(u *roster.User) { u.ActivatedAt = at(0) }),
		"signed in":                      wait(func(u *roster.User) { u.LastLoginAt = at(0) }),
		"deleted":                        wait(func(u *roster.User) { u.DeletedAt = at(0) }),
		"of a directory":                 wait(func(u *roster.User) { u.DirectoryID = "id"; u.DirectoryDN = "dn" }),
		"with the first flag":            wait(func(u *roster.User) { u.Flags = roster.FlagNeverClean }),
		"with the second flag, and more": wait(func(u *roster.User) { u.Flags = roster.FlagPrivileged | roster.FlagBanned }),
		"with a code":                    wait(func(*roster.User) {}),
		"with an old code":               wait(func(*roster.User) {}),
		"with both flags":                wait(func(u *roster.User) { u.Flags = flags }),
	}
	jury := insertGroup(t, s, group("jury"))
	stays["in a group"] = wait(func(*roster.User) {})
	putMember(t, s, jury, stays["in a group"])
	stays["granted something"] = wait(func(*roster.User) {})
	putGrants(t, s, forever(roster.ToUser(stays["granted something"].ID), 7), "p")
	stays["granted the empty grant"] = wait(func(*roster.User) {})
	putGrants(t, s, forever(roster.ToUser(stays["granted the empty grant"].ID), 0), "")
	waits := wait(func(*roster.User) {})
	insertActivation(t, s, activation(primaryOf(t, s, waits), "on its way"))
	stays["with a code on its way"] = waits
	insertActivation(t, s, activation(insertEmail(t, s, pending(stays["with a code"], "code")), "hash"))
	late := activation(insertEmail(t, s, pending(stays["with an old code"], "old code")), "old hash")
	late.ExpiresAt = at(-1000 * time.Hour)
	insertActivation(t, s, late)
	mute := pendingUser("mute")
	mute.CreatedAt = at(0)
	stays["without an address"] = insert(t, s, mute)
	var want []roster.UserID
	for _, u := range goes {
		want = append(want, u.ID)
	}
	same(t, "purged", got(s.PruneUsers(ctx, before, flags, 100))(t), want)
	same(t, "purged again", got(s.PruneUsers(ctx, before, flags, 100))(t), []roster.UserID{})
	for _, id := range want {
		_, err := s.UserByID(ctx, id)
		fails(t, "a purged user", err, roster.ErrNotFound)
	}
	for what, u := range stays {
		same(t, what, rowOf(s.UserByID(ctx, u.ID))(t), u)
	}
	flagged := got(s.PruneUsers(ctx, before, 0, 100))(t)
	if len(flagged) != 3 { // the one with a code still stays
		t.Errorf("%d users were purged when no flag kept them, want the 3 with flags", len(flagged))
	}
}

// primaryOf returns the only address of a user.
func primaryOf(t *testing.T, s roster.Store, u *roster.User) *roster.UserEmail {
	t.Helper()
	emails := got(s.EmailsOf(t.Context(), u.ID))(t)
	if len(emails) != 1 {
		t.Fatalf("%d addresses, want 1", len(emails))
	}
	return emails[0]
}

func pruneUsersLimit(t *testing.T, s roster.Store) {
	ctx := t.Context()
	var all []roster.UserID
	left := 5
	for n, name := range []string{"e", "d", "c", "b", "a"} {
		u := pendingUser(name)
		u.CreatedAt = at(-time.Duration(n) * time.Hour)
		insert(t, s, u)
		insertEmail(t, s, pending(u, name+"@1")) // two addresses are still one user
		insertEmail(t, s, pending(u, name+"@2"))
		all = append(all, u.ID)
	}
	for _, limit := range []int{0, -1} {
		same(t, "none asked for", got(s.PruneUsers(ctx, at(24*time.Hour), 0, limit))(t), []roster.UserID{})
	}
	for _, want := range [][]roster.UserID{all[:2], all[2:4], all[4:], {}} {
		same(t, "the lowest that were left", got(s.PruneUsers(ctx, at(24*time.Hour), 0, 2))(t), want)
		left -= len(want)
		same(t, "left", len(got(s.UsersAfter(ctx, 0, 100))(t)), left)
		same(t, "addresses left", len(got(s.EmailsAfter(ctx, 0, 100))(t)), 2*left)
	}
}

func pruneUsersEverything(t *testing.T, s roster.Store) {
	ctx := t.Context()
	w := populate(t, s)
	same(t, "purged with a code on its way", got(s.PruneUsers(ctx, at(1000*time.Hour), 0, 100))(t), []roster.UserID{})
	same(t, "voided", got(s.VoidActivations(ctx, w.ben.ID, 0))(t), 1)
	for _, m := range got(s.MembershipsOf(ctx, w.ben.ID))(t) {
		same(t, "purged from a group", got(s.PruneUsers(ctx, at(1000*time.Hour), 0, 100))(t), []roster.UserID{})
		ok(t, s.DeleteMember(ctx, m.GroupID, m.UserID))
	}
	for _, g := range got(s.GrantsOf(ctx, roster.ToUser(w.ben.ID)))(t) {
		same(t, "purged with a grant", got(s.PruneUsers(ctx, at(1000*time.Hour), 0, 100))(t), []roster.UserID{})
		only(s.DeleteGrants(ctx, g.Subject, g.ScopeID, g.Permission))
	}
	ids := got(s.PruneUsers(ctx, at(1000*time.Hour), 0, 100))(t)
	same(t, "purged", ids, []roster.UserID{w.ben.ID})
	same(t, "found by the old text", finds(ctx, t, s, "text of ben"), nobody)
	freed(t, s, w.ben, []*roster.UserEmail{w.mails["ben"], w.mails["ben 2"]}, nil, []string{"ben"})
	same(t, "a user who stays", rowOf(s.UserByName(ctx, "ann"))(t), w.ann)
	same(t, "an address that stays", got(s.EmailsByID(ctx, w.mails["ann"].ID))(t), []*roster.UserEmail{w.mails["ann"]})
}
