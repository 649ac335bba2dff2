package storetest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var copyCases = []testCase{
	{name: "Copies/In", rule: "What a caller does to a row after it was written does not reach the store.", run: copiesIn},
	{name: "Copies/Out", rule: "What a caller does to a row that it has read does not reach the store, nor another reader.", run: copiesOut},
	{name: "Copies/Transaction", rule: "Nor does it inside a transaction.", run: copiesTransaction},
}

// scribble writes over everything that can be reached from the user.
func scribble(u *roster.User) {
	for key, raw := range u.Data {
		for i := range raw {
			raw[i] = 'X'
		}
		u.Data[key+" more"] = raw
		delete(u.Data, key)
	}
	*u = roster.User{ID: u.ID, UUID: u.UUID, NameKey: "scribble", Data: roster.Data{"x": json.RawMessage("1")}}
}

// clone shares nothing with u.
func clone(u *roster.User) *roster.User {
	c := *u
	c.Data = roster.Data{}
	for key, raw := range u.Data {
		c.Data[key] = append(json.RawMessage{}, raw...)
	}
	return &c
}

func copiesIn(t *testing.T, s roster.Store) {
	ctx := t.Context()
	u := insert(t, s, user("ann"))
	want := clone(u)
	scribble(u)
	same(t, "after InsertUser", rowOf(s.UserByID(ctx, want.ID))(t), want)
	u = clone(want)
	u.RealName = "Changed"
	ok(t, s.UpdateUser(ctx, u, "ann"))
	want = clone(u)
	scribble(u)
	same(t, "after UpdateUser", rowOf(s.UserByID(ctx, want.ID))(t), want)

	e := insertEmail(t, s, proven(want, "key"))
	wantEmail := *e
	*e = roster.UserEmail{ID: 1, AddressKey: "scribble"}
	same(t, "after InsertEmail", got(s.EmailsOf(ctx, want.ID))(t), []*roster.UserEmail{&wantEmail})
	a := insertActivation(t, s, activation(&wantEmail, "hash"))
	wantActivation := *a
	*a = roster.Activation{Hash: "scribble"}
	same(t, "after InsertActivation", got(s.ActivationByHash(ctx, "hash"))(t), &wantActivation)
	un := insertUndo(t, s, undo(want, "key", 1, "hash"))
	wantUndo := *un
	*un = roster.Undo{Hash: "scribble"}
	same(t, "after InsertUndo", got(s.UndoByHash(ctx, "hash"))(t), &wantUndo)
	c := putCredential(t, s, credential(want, 0, "hash"))
	wantCredential := *c
	*c = roster.Credential{Hash: roster.NewSecret("scribble")}
	same(t, "after PutCredential", got(s.Credential(ctx, want.ID, 0))(t), &wantCredential)

	one := insertSession(t, s, session(want, 1, "token"))
	wantSession := *one
	*one = roster.Session{Hash: roster.NewSecret("scribble")}
	same(t, "after InsertSession", got(s.SessionsOf(ctx, want.ID, 1))(t), []*roster.Session{&wantSession})
	one = session(want, 1, "token 2")
	wantSession.Hash = one.Hash
	ok(t, s.UpdateSession(ctx, roster.NewSecret("token"), one))
	*one = roster.Session{Hash: roster.NewSecret("scribble")}
	same(t, "after UpdateSession", got(s.SessionsOf(ctx, want.ID, 1))(t), []*roster.Session{&wantSession})

	copiesOfGroups(ctx, t, s, want)
	ids := []roster.UserID{want.ID}
	emails := []roster.EmailID{wantEmail.ID}
	got(s.UsersByID(ctx, ids...))(t)
	got(s.EmailsByID(ctx, emails...))(t)
	if ids[0] != want.ID || emails[0] != wantEmail.ID {
		t.Error("the store changed its arguments")
	}
	unsorted := []roster.UserID{want.ID + 2, want.ID, want.ID + 1, want.ID}
	got(s.UsersByID(ctx, unsorted...))(t)
	got(s.EmailsOf(ctx, unsorted...))(t)
	same(t, "the arguments", unsorted, []roster.UserID{want.ID + 2, want.ID, want.ID + 1, want.ID})
}

// copiesOfGroups writes and reads what concerns groups, and scribbles over it.
func copiesOfGroups(ctx context.Context, t *testing.T, s roster.Store, u *roster.User) {
	t.Helper()
	spoil := func(g *roster.Group) {
		for key := range g.Data {
			copy(g.Data[key], "XXXXXXXXXXXXXXX")
			g.Data["more"] = nil
		}
		*g = roster.Group{Name: "scribble", Data: g.Data}
	}
	g := group("copied")
	ok(t, s.InsertGroup(ctx, g))
	want := *g
	want.Data = group("copied").Data
	spoil(g)
	for _, read := range []func() (roster.GroupModel, error){
		func() (roster.GroupModel, error) { return s.GroupByName(ctx, "copied") },
		func() (roster.GroupModel, error) { return s.GroupByUUID(ctx, want.UUID) },
		func() (roster.GroupModel, error) { return s.LockGroup(ctx, want.ID) },
		func() (roster.GroupModel, error) { gs, err := s.GroupsByID(ctx, want.ID); return gs[0], err },
		func() (roster.GroupModel, error) { gs, err := s.GroupPage(ctx, "copie", 1); return gs[0], err },
	} {
		one := groupOf(read())(t)
		same(t, "a group", one, &want)
		spoil(one)
	}
	changed := want
	changed.Data = group("copied").Data
	ok(t, s.UpdateGroup(ctx, &changed))
	want.Version++
	spoil(&changed)
	same(t, "after UpdateGroup", groupOf(s.GroupByName(ctx, "copied"))(t), &want)
	m := member(&want, u)
	got(s.PutMember(ctx, m))(t)
	wantMember := *m
	m.Rights = "scribble"
	got(s.MembersAfter(ctx, want.ID, 0, 1))(t)[0].Rights = "scribble"
	got(s.MembershipsOf(ctx, u.ID))(t)[0].Rights = "scribble"
	same(t, "a member", got(s.MembershipsOf(ctx, u.ID))(t), []*roster.Membership{&wantMember})
	same(t, "a member", got(s.MembersAfter(ctx, want.ID, 0, 1))(t), []*roster.Membership{&wantMember})
	got(s.PutGrants(ctx, forever(roster.ToUser(u.ID), 3), "p"))(t)
	got(s.GrantsOf(ctx, roster.ToUser(u.ID)))(t)[0].Permission = "scribble"
	got(s.GrantsIn(ctx, 3, 0, 1))(t)[0].Permission = "scribble"
	same(t, "a grant", got(s.GrantsOf(ctx, roster.ToUser(u.ID)))(t)[0].Permission, roster.Permission("p"))
	same(t, "a grant", got(s.GrantsIn(ctx, 3, 0, 1))(t)[0].Permission, roster.Permission("p"))
}

// readers are all ways to read a user that is the only one, called ann, with
// the activated address "key".
func readers(s roster.Store, u *roster.User) map[string]func(context.Context) (roster.Model, error) {
	one := func(ms []roster.Model, err error) (roster.Model, error) {
		if err != nil || len(ms) != 1 {
			return nil, err
		}
		return ms[0], nil
	}
	return map[string]func(context.Context) (roster.Model, error){
		"UserByID":    func(ctx context.Context) (roster.Model, error) { return s.UserByID(ctx, u.ID) },
		"LockUser":    func(ctx context.Context) (roster.Model, error) { return s.LockUser(ctx, u.ID) },
		"UserByUUID":  func(ctx context.Context) (roster.Model, error) { return s.UserByUUID(ctx, u.UUID) },
		"UserByName":  func(ctx context.Context) (roster.Model, error) { return s.UserByName(ctx, "ann") },
		"UserByEmail": func(ctx context.Context) (roster.Model, error) { return s.UserByEmail(ctx, "key") },
		"UsersByID":   func(ctx context.Context) (roster.Model, error) { return one(s.UsersByID(ctx, u.ID)) },
		"UserPage": func(ctx context.Context) (roster.Model, error) {
			return one(s.UserPage(ctx, roster.UserQuery{State: roster.StateLive, Limit: 1}))
		},
		"UserPage of a search": func(ctx context.Context) (roster.Model, error) {
			return one(s.UserPage(ctx, roster.UserQuery{State: roster.StateLive, Contains: "ann", Limit: 1}))
		},
		"LoginByName": func(ctx context.Context) (roster.Model, error) {
			m, c, err := s.LoginByName(ctx, "ann")
			if c != nil {
				*c = roster.Credential{Hash: roster.NewSecret("scribble")}
			}
			return m, err
		},
		"LoginByEmail": func(ctx context.Context) (roster.Model, error) {
			m, c, err := s.LoginByEmail(ctx, "key")
			if c != nil {
				c.Hash = roster.NewSecret("scribble")
			}
			return m, err
		},
		"SessionByHash": func(ctx context.Context) (roster.Model, error) {
			one, m, err := s.SessionByHash(ctx, roster.NewSecret("token"))
			if one != nil {
				*one = roster.Session{Hash: roster.NewSecret("scribble")}
			}
			return m, err
		},
		"UsersAfter": func(ctx context.Context) (roster.Model, error) {
			stored, err := s.UsersAfter(ctx, 0, 1)
			if err != nil || len(stored) != 1 {
				return nil, err
			}
			return stored[0].User, nil
		},
	}
}

func copiesOut(t *testing.T, s roster.Store) { copiesOutOf(t.Context(), t, s) }

func copiesTransaction(t *testing.T, s roster.Store) {
	ok(t, s.Atomic(t.Context(), func(ctx context.Context) error {
		copiesOutOf(ctx, t, s)
		u := clone(rowOf(s.UserByName(ctx, "ann"))(t))
		u.RealName = "Changed"
		ok(t, s.UpdateUser(ctx, u, "ann"))
		want := clone(u)
		scribble(u)
		same(t, "after UpdateUser", rowOf(s.UserByName(ctx, "ann"))(t), want)
		ben := user("ben")
		ok(t, s.InsertUser(ctx, ben, "ben"))
		wantBen := clone(ben)
		scribble(ben)
		same(t, "after InsertUser", rowOf(s.UserByName(ctx, "ben"))(t), wantBen)
		return nil
	}))
	same(t, "after the commit", rowOf(s.UserByName(t.Context(), "ann"))(t).RealName, "Changed")
}

func copiesOutOf(ctx context.Context, t *testing.T, s roster.Store) {
	t.Helper()
	u := user("ann")
	ok(t, s.InsertUser(ctx, u, "ann"))
	want := clone(u)
	e := proven(u, "key")
	ok(t, s.InsertEmail(ctx, e))
	c := credential(u, 0, "hash")
	ok(t, s.PutCredential(ctx, c))
	a := activation(e, "hash")
	ok(t, s.InsertActivation(ctx, a))

	one := session(u, 1, "token")
	ok(t, s.InsertSession(ctx, one))

	all := readers(s, want)
	for what, read := range all {
		first := rowOf(read(ctx))(t)
		held := rowOf(read(ctx))(t)
		scribble(first)
		same(t, what+", read before", held, want)
		for other, again := range all {
			same(t, other+" after "+what, rowOf(again(ctx))(t), want)
		}
	}
	for what, read := range map[string]func() ([]*roster.UserEmail, error){
		"EmailsByID":  func() ([]*roster.UserEmail, error) { return s.EmailsByID(ctx, e.ID) },
		"EmailsOf":    func() ([]*roster.UserEmail, error) { return s.EmailsOf(ctx, u.ID) },
		"EmailsByKey": func() ([]*roster.UserEmail, error) { return s.EmailsByKey(ctx, "key") },
		"LockEmails":  func() ([]*roster.UserEmail, error) { return s.LockEmails(ctx, "key") },
		"EmailsAfter": func() ([]*roster.UserEmail, error) { return s.EmailsAfter(ctx, 0, 10) },
	} {
		list := got(read())(t)
		*list[0] = roster.UserEmail{Address: "scribble", ReleasedAt: at(time.Hour)}
		list[0] = nil
		same(t, what, got(read())(t), []*roster.UserEmail{e})
	}
	*got(s.ActivationByHash(ctx, "hash"))(t) = roster.Activation{Hash: "scribble"}
	same(t, "ActivationByHash", got(s.ActivationByHash(ctx, "hash"))(t), a)
	m := letter(u, "to")
	ok(t, s.InsertMail(ctx, m))
	queued := *m
	m.To = "scribble"
	for what, read := range map[string]func() ([]*roster.QueuedMail, error){
		"MailsAfter": func() ([]*roster.QueuedMail, error) { return s.MailsAfter(ctx, roster.OutboxPending, 0, 10) },
		"ClaimMails": func() ([]*roster.QueuedMail, error) {
			queued.Claim, queued.DueAt, queued.Attempts = "claim", at(time.Hour), 1
			return s.ClaimMails(ctx, "claim", at(0), at(time.Hour), 10)
		},
	} {
		list := got(read())(t)
		*list[0] = roster.QueuedMail{To: "scribble", SentAt: at(time.Hour)}
		list[0] = nil
		same(t, what, got(s.MailsAfter(ctx, roster.OutboxPending, 0, 10))(t), []*roster.QueuedMail{&queued})
	}
	copiesOfGroups(ctx, t, s, u)
	un := undo(u, "key", 1, "hash")
	ok(t, s.InsertUndo(ctx, un))
	*got(s.UndoByHash(ctx, "hash"))(t) = roster.Undo{Hash: "scribble"}
	list := got(s.UndosOf(ctx, u.ID))(t)
	*list[0] = roster.Undo{Hash: "scribble"}
	list[0] = nil
	same(t, "UndoByHash", got(s.UndoByHash(ctx, "hash"))(t), un)
	same(t, "UndosOf", got(s.UndosOf(ctx, u.ID))(t), []*roster.Undo{un})
	sessions := got(s.SessionsOf(ctx, u.ID, 9))(t)
	*sessions[0] = roster.Session{Hash: roster.NewSecret("scribble")}
	sessions[0] = nil
	same(t, "SessionsOf", got(s.SessionsOf(ctx, u.ID, 9))(t), []*roster.Session{one})
	*got(s.Credential(ctx, u.ID, 0))(t) = roster.Credential{Hash: roster.NewSecret("scribble")}
	same(t, "Credential", got(s.Credential(ctx, u.ID, 0))(t), c)
	page := got(s.CredentialsAfter(ctx, 0, 0, 10))(t)
	*page[0] = roster.Credential{Hash: roster.NewSecret("scribble")}
	page[0] = nil
	same(t, "CredentialsAfter", got(s.CredentialsAfter(ctx, 0, 0, 10))(t)[0], c)
}
