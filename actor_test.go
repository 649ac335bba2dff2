package roster_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

// watched is a store that writes down when something is written that could
// matter to anybody.
type watched struct {
	roster.Store
	writes int
}

func (w *watched) InsertUser(ctx context.Context, m roster.Model, search string) error {
	w.writes++
	return w.Store.InsertUser(ctx, m, search)
}

func (w *watched) UpdateUser(ctx context.Context, m roster.Model, search string) error {
	w.writes++
	return w.Store.UpdateUser(ctx, m, search)
}

func (w *watched) PurgeUser(ctx context.Context, id roster.UserID) error {
	w.writes++
	return w.Store.PurgeUser(ctx, id)
}

func (w *watched) InsertEmail(ctx context.Context, e *roster.UserEmail) error {
	w.writes++
	return w.Store.InsertEmail(ctx, e)
}

func (w *watched) DeleteEmails(ctx context.Context, ids ...roster.EmailID) (int, error) {
	w.writes++
	return w.Store.DeleteEmails(ctx, ids...)
}

func (w *watched) PutCredential(ctx context.Context, c *roster.Credential) error {
	w.writes++
	return w.Store.PutCredential(ctx, c)
}

func (w *watched) DeleteSession(ctx context.Context, user roster.UserID, id uuid.UUID) error {
	w.writes++
	return w.Store.DeleteSession(ctx, user, id)
}

func (w *watched) InsertSession(ctx context.Context, s *roster.Session) error {
	w.writes++
	return w.Store.InsertSession(ctx, s)
}

func (w *watched) DropSession(ctx context.Context, hash roster.Secret) error {
	w.writes++
	return w.Store.DropSession(ctx, hash)
}

// Nobody may nothing: neither the zero Actor, nor one who does not exist, cannot
// sign in any more, or who acts as such a one. What takes no right is for
// somebody who is there, by whatever ID.
func TestNobodyMayNothing(t *testing.T) {
	store := &watched{Store: memory.New()}
	env := rostertest.NewOn(t, store)
	ctx := t.Context()
	ann, gone, barred := env.MustRegister("ann"), env.MustRegister("gone"), env.MustRegister("barred")
	if err := errors.Join(env.Delete(ctx, gone.ID), env.Disable(ctx, barred.ID)); err != nil {
		t.Fatal(err)
	}
	calls := maps.Clone(attempts)
	maps.Copy(calls, others)
	for _, r := range rules(t) {
		call := calls[r.Verb]
		if r.Who == "free" {
			continue
		}
		if call == nil {
			t.Fatalf("nobody tries %s", r.Verb)
		}
		for what, a := range map[string]roster.Actor{
			"zero":                 {},
			"zero at a high level": {Level: roster.LevelAdmin, Scope: 1, Real: ann.ID},
			"negative":             {User: -1},
			"unknown":              {User: 1_000_000, Level: roster.LevelAdmin},
			"deleted":              {User: gone.ID, Level: roster.LevelAdmin},
			"disabled":             {User: barred.ID},
			"really nobody":        {User: ann.ID, Real: barred.ID},
		} {
			if r.Who == "any" && a.User > 0 {
				continue
			}
			for _, target := range []*roster.User{ann, gone, barred, {ID: 1_000_000, Name: "nobody", UUID: uuid.New()}} {
				store.writes = 0
				err := call(ctx, env.For(a), target)
				if !errors.Is(err, roster.ErrForbidden) || store.writes > 0 {
					t.Errorf("%s by %s actor on %s: %v, and %d writes", r.Verb, what, target.Name, err, store.writes)
				}
			}
		}
	}
}

// What takes no right is nobody's business but that of who holds the code.
func TestAnyActorMay(t *testing.T) {
	env := rostertest.New(t)
	ann, ben := env.MustRegister("ann"), env.MustRegister("ben")
	for _, r := range rules(t) {
		if r.Who == "any" {
			err := others[r.Verb](t.Context(), env.For(roster.Actor{User: ann.ID}), ben)
			if errors.Is(err, roster.ErrForbidden) {
				t.Errorf("%s: %v", r.Verb, err)
			}
		}
		if r.Who == "program" {
			err := others[r.Verb](t.Context(), env.For(roster.Actor{User: ann.ID, Level: roster.LevelAdmin}), ben)
			if !errors.Is(err, roster.ErrForbidden) {
				t.Errorf("%s: %v", r.Verb, err)
			}
		}
	}
}

// An ID of 0 is nobody, and not oneself; of events it is everybody.
func TestSelfHasAnID(t *testing.T) {
	env := rostertest.New(t)
	ann := env.MustRegister("ann")
	hers := env.For(roster.Actor{User: ann.ID})
	for _, r := range rules(t) {
		if r.Self != "none" && r.Self != "edit" || slices.Contains([]string{"ByUUID", "ByName", "ByEmail", "ByAddress", "Events"}, r.Verb) {
			continue
		}
		if err := attempts[r.Verb](t.Context(), hers, &roster.User{}); !errors.Is(err, roster.ErrInvalid) {
			t.Errorf("%s of 0: %v", r.Verb, err)
		}
	}
}

func TestSessionActor(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	own, acting := o.act(t, o.ben)
	_ = own
	s, err := o.Session(ctx, acting)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Actor(); got != (roster.Actor{User: o.ben.ID, Real: o.ada.ID}) {
		t.Errorf("ada acts as ben: %+v", got)
	}
	hers := o.For(s.Actor())
	for _, r := range rules(t) {
		if r.Self != "none" && r.Self != "edit" {
			continue
		}
		err := attempts[r.Verb](ctx, hers, o.ben)
		if r.Acting == "no" && !errors.Is(err, roster.ErrForbidden) || r.Acting == "yes" && errors.Is(err, roster.ErrForbidden) {
			t.Errorf("%s while acting as the user: %v", r.Verb, err)
		}
	}
	if err := hers.Edit(ctx, o.ben.ID, func(u *roster.User) error { u.DirectoryID = "corp"; return nil }); !errors.Is(err, roster.ErrForbidden) {
		t.Errorf("linked while acting as the user: %v", err)
	}
	s, _, err = o.SignIn(ctx, "ben", rostertest.Password)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Actor(); got != (roster.Actor{User: o.ben.ID}) {
		t.Errorf("ben: %+v", got)
	}
}
