package roster_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// denials reads what was logged of refused verbs, and forgets it.
func (o *office) denials(t testing.TB) (verbs []string) {
	t.Helper()
	for line := range strings.Lines(o.log.String()) {
		var entry struct {
			Msg, Verb   string
			Actor, Real roster.UserID
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry.Msg == "denied" {
			if entry.Actor != o.ben.ID || entry.Real != 0 {
				t.Errorf("refused to %d as %d", entry.Real, entry.Actor)
			}
			verbs = append(verbs, entry.Verb)
		}
	}
	o.log.Reset()
	return verbs
}

// What is refused is recorded once, whatever becomes of the transaction, and
// nothing else is.
func TestDenialsAreRecorded(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	hers := o.For(roster.Actor{User: o.ben.ID})
	check := func(what string, want ...string) {
		t.Helper()
		if got := strings.Join(o.denials(t), " "); got != strings.Join(want, " ") {
			t.Errorf("%s: recorded %q, not %q", what, got, want)
		}
	}
	if err := hers.Disable(ctx, o.ada.ID); !errors.Is(err, roster.ErrForbidden) {
		t.Error(err)
	}
	check("a verb that changes", "Disable")
	if _, err := hers.ByID(ctx, o.ada.ID); !errors.Is(err, roster.ErrForbidden) {
		t.Error(err)
	}
	check("a look-up", "ByID")
	if _, err := hers.GeneratePassword(ctx, o.ada.ID, roster.Generated{}); !errors.Is(err, roster.ErrForbidden) {
		t.Error(err)
	}
	check("a verb that asks before its transaction, too", "GeneratePassword")
	if _, err := hers.ByID(ctx, o.ben.ID); err != nil {
		t.Error(err)
	}
	if err := hers.EndSessions(ctx, o.ben.ID); err != nil {
		t.Error(err)
	}
	check("what was allowed")

	tries := 0
	for _, us := range []*roster.Users{o.Users, hers} {
		err := us.Atomic(ctx, func(ctx context.Context) error {
			if tries++; tries == 1 {
				_ = hers.Purge(ctx, o.ada.ID)
			}
			return errors.Join(hers.Delete(ctx, o.ada.ID), hers.Atomic(ctx, func(ctx context.Context) error {
				return hers.Enable(ctx, o.ada.ID)
			}))
		})
		if !errors.Is(err, roster.ErrForbidden) {
			t.Error(err)
		}
	}
	check("two that were rolled back", "Purge", "Delete", "Enable", "Delete", "Enable")
	err := o.Atomic(ctx, func(ctx context.Context) error {
		_ = hers.Delete(ctx, o.ada.ID)
		return o.Disable(ctx, o.ada.ID)
	})
	if err != nil {
		t.Error(err)
	}
	check("one that was committed", "Delete")
}

// The record of a refusal names whom the verb named, whether there is such a one
// or not, and where. Who was refused cannot look it up.
func TestDenialsNameTheTarget(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	ann, eve := env.MustRegister("ann"), env.MustRegister("eve")
	nobody := &roster.User{ID: ann.ID + 1000, UUID: uuid.New(), Name: "nobody"}
	hers := env.For(roster.Actor{User: eve.ID, Level: roster.LevelAdmin, Scope: 3})
	nameless := map[string]bool{ // of users; the others name one
		"CreateGroup": true, "EditGroup": true, "DeleteGroup": true, "BuiltInGroup": true, "GroupByID": true, "GroupByUUID": true,
		"GroupByName": true, "Groups": true, "Members": true, "Create": true, "Invite": true, "Search": true, "Count": true, "All": true,
		"Each": true, "EmailInUse": true, "GrantsIn": true, "WhoCan": true,
	}
	ofGroups := map[string]bool{"EditGroup": true, "DeleteGroup": true, "GroupByID": true, "AddMember": true, "RemoveMember": true, "Members": true}
	byKey := map[string]bool{"ByUUID": true, "ByName": true, "ByEmail": true, "ByAddress": true} // that nobody has
	refusals := func(of roster.UserID) []*roster.Event {
		t.Helper()
		page, err := env.Events(ctx, roster.EventQuery{Kind: roster.EventDenied, Actor: eve.ID, User: of, Limit: 500})
		must(t, err)
		return page.Items
	}
	calls := maps.Clone(others)
	maps.Copy(calls, attempts)
	for _, op := range roster.Operations() {
		call := calls[op.Verb]
		if op.Access != roster.AccessRight || call == nil {
			continue
		}
		for _, target := range []*roster.User{ann, nobody} {
			env.Clock.Advance(time.Hour) // so that it is a row of its own
			since := env.Clock.Now()
			if err := call(ctx, hers, target); !errors.Is(err, roster.ErrForbidden) || strings.Contains(err.Error(), "nobody") {
				t.Errorf("%s of user %d: %v", op.Verb, target.ID, err)
			}
			all := refusals(0)
			if len(all) == 0 || all[0].At.Before(since) {
				t.Errorf("%s of user %d is not recorded", op.Verb, target.ID)
				continue
			}
			var user roster.UserID
			var group roster.GroupID
			if !nameless[op.Verb] && (target == ann || !byKey[op.Verb]) {
				user = target.ID
			}
			if ofGroups[op.Verb] {
				group = 1
			}
			if e := all[0]; e.User != user || e.Group != group || e.RealActor != eve.ID {
				t.Errorf("%s of user %d: recorded of user %d and group %d by %d", op.Verb, target.ID, e.User, e.Group, e.RealActor)
			}
		}
	}

	env.Clock.Advance(time.Hour)
	for verb, call := range map[string]func() error{
		"Grant":     func() error { return hers.Grant(ctx, roster.ToGroup(77), 9, roster.PermEditUser) },
		"RevokeAll": func() error { return hers.RevokeAll(ctx, roster.ToUser(ann.ID), 9) },
		"WhoCan": func() error {
			_, err := hers.WhoCan(ctx, roster.PermEditUser, 9, roster.ScopeOnly, roster.Paging{})
			return err
		},
		"GrantsOf": func() error { _, err := hers.GrantsOf(ctx, roster.ToGroup(77)); return err },
	} {
		env.Clock.Advance(time.Hour)
		if err := call(); !errors.Is(err, roster.ErrForbidden) {
			t.Error(verb, err)
		}
		e := refusals(0)[0]
		want := map[string]roster.Event{
			"Grant": {Group: 77, Scope: 9}, "RevokeAll": {User: ann.ID, Scope: 9}, "WhoCan": {Scope: 9}, "GrantsOf": {Group: 77, Scope: 3},
		}[verb]
		if e.User != want.User || e.Group != want.Group || e.Scope != want.Scope {
			t.Errorf("%s is recorded of user %d, group %d and scope %d", verb, e.User, e.Group, e.Scope)
		}
	}

	// Neither is told by the own record, nor by that of the target.
	for _, own := range []*roster.User{ann, eve} {
		page, err := env.For(roster.Actor{User: own.ID}).Events(ctx, roster.EventQuery{User: own.ID, Limit: 500})
		must(t, err)
		for _, e := range page.Items {
			if e.Kind == roster.EventDenied {
				t.Errorf("%s sees %+v", own.Name, e)
			}
		}
	}
}

// Who tries one after the other is recorded by a bounded number of rows, and keeps
// nothing else out of the record.
func TestDenialsOfManyTargets(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	eve, ann := env.MustRegister("eve"), env.MustRegister("ann")
	env.Clock.Advance(time.Hour)
	hers := env.For(roster.Actor{User: eve.ID})
	const tries = 1500
	for i := range tries {
		if _, err := hers.ByID(ctx, roster.UserID(1000+i)); !errors.Is(err, roster.ErrForbidden) {
			t.Fatal(err)
		}
	}
	if err := env.For(roster.Actor{User: ann.ID}).Disable(ctx, eve.ID); !errors.Is(err, roster.ErrForbidden) {
		t.Fatal(err)
	}
	env.Clock.Advance(time.Minute)
	if _, err := hers.ByID(ctx, 5000); !errors.Is(err, roster.ErrForbidden) { // which counts what was not written
		t.Fatal(err)
	}
	rows, count, others := 0, 0, 0
	for p := (roster.EventQuery{Kind: roster.EventDenied, Limit: 500}); ; {
		page, err := env.Events(ctx, p)
		must(t, err)
		for _, e := range page.Items {
			if e.Actor == ann.ID && e.User == eve.ID {
				others++
				continue
			}
			rows, count = rows+1, count+e.Count
		}
		if p.Cursor = page.Next; p.Cursor == "" {
			break
		}
	}
	if rows != 101 || count != tries+1 || others != 1 {
		t.Errorf("%d rows for %d refusals, and %d of somebody else", rows, count, others)
	}
}

// Who may not act as somebody is recorded, too.
func TestDeniedImpersonationIsRecorded(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	_, bens := signIn(t, o.Env, "ben")
	_, adas := signIn(t, o.Env, "ada")
	denied := func(what string, actor, real, user roster.UserID) {
		t.Helper()
		page, err := o.Events(ctx, roster.EventQuery{Kind: roster.EventDenied, Limit: 1})
		must(t, err)
		if len(page.Items) != 1 || page.Items[0].Actor != actor || page.Items[0].RealActor != real || page.Items[0].User != user {
			t.Errorf("%s: recorded %+v", what, page.Items)
		}
		o.Clock.Advance(time.Second)
	}
	if _, _, err := o.Impersonate(ctx, bens, o.ada.ID); !errors.Is(err, roster.ErrForbidden) {
		t.Error(err)
	}
	denied("by the host", o.ben.ID, o.ben.ID, o.ada.ID)
	if _, _, err := o.Impersonate(ctx, bens, 9999); !errors.Is(err, roster.ErrForbidden) {
		t.Error(err)
	}
	denied("of nobody", o.ben.ID, o.ben.ID, 9999)
	o.open = false
	if _, _, err := o.Impersonate(ctx, adas, o.ben.ID); !errors.Is(err, errNotAllowed) {
		t.Error(err)
	}
	denied("by an error of the host's own", o.ada.ID, o.ada.ID, o.ben.ID)
	o.open = true
	_, acting := o.act(t, o.ben)
	if _, err := o.EndOtherSessions(ctx, acting); !errors.Is(err, roster.ErrForbidden) {
		t.Error(err)
	}
	denied("while acting", o.ben.ID, o.ada.ID, o.ben.ID)
}
