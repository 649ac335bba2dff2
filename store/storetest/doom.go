package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var doomCases = []testCase{
	{name: "Doom/Swallowed", rule: "A call that fails dooms the transaction, also if fn swallows the error: every later call and Atomic itself answer ErrTxAborted, and nothing is kept.", run: doomSwallowed},
	{name: "Doom/Cause", rule: "Of a doomed transaction whose fn is content, Atomic tells what failed first.", run: doomCause},
	{name: "Doom/Returned", rule: "An fn that returns the error of a call gets it back from Atomic.", run: doomReturned},
	{name: "Doom/Inner", rule: "An inner Atomic whose fn has written and fails dooms the outer one, whatever the error is.", run: doomInner},
	{name: "Doom/InnerReads", rule: "An inner Atomic whose fn fails and has written nothing dooms nothing.", run: doomInnerReads},
	{name: "Doom/NotFound", rule: "Not finding something does not doom a transaction.", run: doomNotFound},
	{name: "Doom/Alone", rule: "A call that fails alone, or in another transaction, dooms nothing.", run: doomAlone},
}

// failures are calls that fail in a world, one of each kind.
func (w *world) failures(s roster.Store) []call {
	ghost := &roster.User{ID: w.cat.ID + 1000}
	taken, uuid, stale, renamed := user("ann"), user("new"), clone(w.ann), clone(w.ben)
	uuid.UUID = w.cat.UUID
	stale.Version--
	renamed.NameKey = "ann"
	old, hash := roster.NewSecret("wrong"), roster.NewSecret("new")
	return []call{
		{"InsertUser with a taken name", func(ctx context.Context) error { return s.InsertUser(ctx, taken, "") }},
		{"InsertUser with a taken UUID", func(ctx context.Context) error { return s.InsertUser(ctx, uuid, "") }},
		{"UpdateUser of a stale row", func(ctx context.Context) error { return s.UpdateUser(ctx, stale, "") }},
		{"UpdateUser to a taken name", func(ctx context.Context) error { return s.UpdateUser(ctx, renamed, "") }},
		{"UpdateUser of nobody", func(ctx context.Context) error { return s.UpdateUser(ctx, ghost, "") }},
		{"ClaimName of a taken name", func(ctx context.Context) error { return s.ClaimName(ctx, "ann", w.ben.ID, at(0)) }},
		{"ClaimName for nobody", func(ctx context.Context) error { return s.ClaimName(ctx, "free", ghost.ID, at(0)) }},
		{"InsertEmail twice", func(ctx context.Context) error { return s.InsertEmail(ctx, pending(w.ann, "shared@two")) }},
		{"InsertEmail with a second mark", func(ctx context.Context) error { return s.InsertEmail(ctx, primary(w.ann, "new")) }},
		{"InsertEmail for nobody", func(ctx context.Context) error { return s.InsertEmail(ctx, pending(ghost, "new")) }},
		{"MarkPrimary beside another", func(ctx context.Context) error { return s.MarkPrimary(ctx, w.mails["ann 2"].ID) }},
		{"InsertActivation twice", func(ctx context.Context) error {
			return s.InsertActivation(ctx, activation(w.mails["ann"], "hash ann 1"))
		}},
		{"InsertUndo twice", func(ctx context.Context) error {
			return s.InsertUndo(ctx, undo(w.ann, "ann@one", 1, "undo ann 1"))
		}},
		{"InsertUndo of nobody", func(ctx context.Context) error {
			return s.InsertUndo(ctx, undo(&roster.User{ID: w.cat.ID + 1000}, "ann@one", 1, "undo new"))
		}},
		{"InsertActivation to nowhere", func(ctx context.Context) error {
			return s.InsertActivation(ctx, activation(&roster.UserEmail{ID: w.mails["cat 2"].ID + 1000}, "hash new"))
		}},
		{"PutCredential for nobody", func(ctx context.Context) error { return s.PutCredential(ctx, credential(ghost, 0, "x")) }},
		{"SwapCredential of a stale row", func(ctx context.Context) error { return s.SwapCredential(ctx, w.ann.ID, 0, old, hash) }},
		{"InsertSession twice", func(ctx context.Context) error { return s.InsertSession(ctx, session(w.ann, 9, "token ben")) }},
		{"InsertSession for nobody", func(ctx context.Context) error { return s.InsertSession(ctx, session(ghost, 9, "token new")) }},
		{"UpdateSession to a taken hash", func(ctx context.Context) error {
			return s.UpdateSession(ctx, roster.NewSecret("token ann 1"), session(w.ann, 1, "token ben"))
		}},
		{"InsertGroup with a taken name", func(ctx context.Context) error { return s.InsertGroup(ctx, group("jury")) }},
		{"OfferGroup with a taken UUID", func(ctx context.Context) error {
			g := group("new")
			g.UUID = w.jury.UUID
			return only(s.OfferGroup(ctx, g))
		}},
		{"UpdateGroup of a stale row", func(ctx context.Context) error {
			g := *w.jury
			g.Version--
			return s.UpdateGroup(ctx, &g)
		}},
		{"UpdateGroup to a taken name", func(ctx context.Context) error {
			g := *w.jury
			g.NameKey = "staff"
			return s.UpdateGroup(ctx, &g)
		}},
		{"PutMember of nobody", func(ctx context.Context) error { return only(s.PutMember(ctx, member(w.jury, ghost))) }},
		{"PutGrants to nobody", func(ctx context.Context) error {
			return only(s.PutGrants(ctx, forever(roster.ToUser(ghost.ID), 0), "p"))
		}},
		{"an Atomic that writes and fails", func(ctx context.Context) error {
			return s.Atomic(ctx, func(ctx context.Context) error {
				_, err := s.VoidActivations(ctx, w.ann.ID, 0)
				return errors.Join(errRollback, err)
			})
		}},
		{"a call with a context that has ended", func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			_, err := s.UserByID(ctx, w.ann.ID)
			return err
		}},
	}
}

// missed are calls in a world that find nothing.
func (w *world) missed(s roster.Store) []call {
	user, mail := w.cat.ID+1000, w.mails["cat 2"].ID+1000
	return []call{
		{"UserByID", func(ctx context.Context) error { return only(s.UserByID(ctx, user)) }},
		{"UserByUUID", func(ctx context.Context) error { return only(s.UserByUUID(ctx, newUUID())) }},
		{"UserByName", func(ctx context.Context) error { return only(s.UserByName(ctx, "cat")) }},
		{"UserByEmail", func(ctx context.Context) error { return only(s.UserByEmail(ctx, "shared@two")) }},
		{"LockUser", func(ctx context.Context) error { return only(s.LockUser(ctx, user)) }},
		{"PurgeUser", func(ctx context.Context) error { return s.PurgeUser(ctx, user) }},
		{"RecordLogin", func(ctx context.Context) error { return s.RecordLogin(ctx, user, at(0), "") }},
		{"LoginByName", func(ctx context.Context) error { _, _, err := s.LoginByName(ctx, "cat"); return err }},
		{"LoginByEmail", func(ctx context.Context) error { _, _, err := s.LoginByEmail(ctx, "none"); return err }},
		{"RetireName", func(ctx context.Context) error { return s.RetireName(ctx, "ann", w.ben.ID, at(0)) }},
		{"ActivateEmail", func(ctx context.Context) error { return s.ActivateEmail(ctx, mail, at(0)) }},
		{"ActivateEmail again", func(ctx context.Context) error { return s.ActivateEmail(ctx, w.mails["ann"].ID, at(0)) }},
		{"MarkPrimary", func(ctx context.Context) error { return s.MarkPrimary(ctx, mail) }},
		{"ActivationByHash", func(ctx context.Context) error { return only(s.ActivationByHash(ctx, "none")) }},
		{"UndoByHash", func(ctx context.Context) error { return only(s.UndoByHash(ctx, "none")) }},
		{"RedeemUndo", func(ctx context.Context) error { return only(s.RedeemUndo(ctx, "undo ben", at(1000*time.Hour))) }},
		{"RedeemActivation", func(ctx context.Context) error {
			return only(s.RedeemActivation(ctx, "hash ben", at(1000*time.Hour), roster.PurposeActivate))
		}},
		{"Credential", func(ctx context.Context) error { return only(s.Credential(ctx, w.ann.ID, 5)) }},
		{"SessionByHash", func(ctx context.Context) error {
			_, _, err := s.SessionByHash(ctx, roster.NewSecret("none"))
			return err
		}},
		{"UpdateSession", func(ctx context.Context) error {
			return s.UpdateSession(ctx, roster.NewSecret("none"), session(w.ann, 1, "token new"))
		}},
		{"DeleteSession", func(ctx context.Context) error { return s.DeleteSession(ctx, w.ben.ID, sessionID(2)) }},
		{"GroupByName", func(ctx context.Context) error { return only(s.GroupByName(ctx, "none")) }},
		{"GroupByUUID", func(ctx context.Context) error { return only(s.GroupByUUID(ctx, newUUID())) }},
		{"LockGroup", func(ctx context.Context) error { return only(s.LockGroup(ctx, w.staff.ID+1000)) }},
		{"DeleteGroup", func(ctx context.Context) error { return s.DeleteGroup(ctx, w.staff.ID+1000) }},
		{"DeleteMember", func(ctx context.Context) error { return s.DeleteMember(ctx, w.staff.ID, w.ben.ID) }},
		{"an Atomic that looks and fails", func(ctx context.Context) error {
			return s.Atomic(ctx, func(ctx context.Context) error { return only(s.LockUser(ctx, user)) })
		}},
	}
}

func doomSwallowed(t *testing.T, s roster.Store) {
	outer := t.Context()
	w := populate(t, s)
	before := dump(outer, t, s)
	for _, f := range w.failures(s) {
		err := s.Atomic(outer, func(ctx context.Context) error {
			ok(t, s.InsertUser(ctx, user("dan"), "new"))
			if err := f.run(ctx); err == nil || errors.Is(err, roster.ErrNotFound) {
				t.Errorf("%s: %v, want it to fail", f.name, err)
			}
			fails(t, "a read after "+f.name, only(s.UserByID(ctx, w.ann.ID)), roster.ErrTxAborted)
			fails(t, "a write after "+f.name, s.RecordLogin(ctx, w.ann.ID, at(0), ""), roster.ErrTxAborted)
			return nil
		})
		fails(t, "Atomic after "+f.name, err, roster.ErrTxAborted)
		same(t, "the rows after "+f.name, dump(outer, t, s), before)
	}
	ok(t, s.Atomic(outer, func(ctx context.Context) error { return w.disturb(ctx, s) }))
}

func doomCause(t *testing.T, s roster.Store) {
	ann := insert(t, s, user("ann"))
	err := s.Atomic(t.Context(), func(ctx context.Context) error {
		fails(t, "the inner one", s.Atomic(ctx, func(ctx context.Context) error {
			ok(t, s.InsertUser(ctx, user("ben"), ""))
			conflicts(t, "a taken name", s.InsertUser(ctx, user("ann"), ""), roster.FieldName)
			fails(t, "the next", s.RecordLogin(ctx, ann.ID, at(0), ""), roster.ErrTxAborted)
			return errRollback // what failed is not told
		}), errRollback)
		return nil
	})
	fails(t, "Atomic", err, roster.ErrTxAborted)
	conflicts(t, "Atomic", err, roster.FieldName)
}

func doomReturned(t *testing.T, s roster.Store) {
	outer := t.Context()
	w := populate(t, s)
	before := dump(outer, t, s)
	for _, f := range w.failures(s) {
		var inside error
		err := s.Atomic(outer, func(ctx context.Context) error {
			ok(t, s.InsertUser(ctx, user("dan"), "new"))
			inside = f.run(ctx)
			return inside
		})
		if inside == nil || !errors.Is(err, inside) {
			t.Errorf("Atomic: %v, want the error of %s: %v", err, f.name, inside)
		}
		var outerConflict, innerConflict *roster.ConflictError
		if errors.As(inside, &innerConflict) && (!errors.As(err, &outerConflict) || outerConflict.Field != innerConflict.Field) {
			t.Errorf("Atomic: %v, want the conflict of %s: %v", err, f.name, inside)
		}
	}
	same(t, "the rows", dump(outer, t, s), before)
}

func doomInner(t *testing.T, s roster.Store) {
	outer := t.Context()
	w := populate(t, s)
	before := dump(outer, t, s)
	for _, result := range []error{errRollback, roster.ErrNotFound, roster.ErrConflict} {
		err := s.Atomic(outer, func(ctx context.Context) error {
			ok(t, s.InsertUser(ctx, user("dan"), "new"))
			fails(t, "the inner one", s.Atomic(ctx, func(ctx context.Context) error {
				ok(t, s.PurgeUser(ctx, w.ben.ID))
				return result
			}), result)
			fails(t, "a read", only(s.UserByID(ctx, w.ann.ID)), roster.ErrTxAborted)
			ran := false
			fails(t, "another inner one", s.Atomic(ctx, func(context.Context) error { ran = true; return nil }), roster.ErrTxAborted)
			if ran {
				t.Error("an Atomic ran its fn in a transaction that is doomed")
			}
			return nil
		})
		fails(t, "the outer one", err, roster.ErrTxAborted)
		same(t, "the rows", dump(outer, t, s), before)
	}
	err := s.Atomic(outer, func(ctx context.Context) error {
		fails(t, "the inner one", s.Atomic(ctx, func(ctx context.Context) error {
			_ = s.InsertUser(ctx, user("ann"), "")
			return nil // swallowed, one level down
		}), roster.ErrTxAborted)
		return nil
	})
	fails(t, "the outer one", err, roster.ErrTxAborted)
}

func doomInnerReads(t *testing.T, s roster.Store) {
	outer := t.Context()
	w := populate(t, s)
	ok(t, s.Atomic(outer, func(ctx context.Context) error {
		ok(t, s.InsertUser(ctx, user("dan"), "new"))
		for _, result := range []error{errRollback, roster.ErrNotFound, roster.ErrConflict} {
			fails(t, "the inner one", s.Atomic(ctx, func(ctx context.Context) error {
				ok(t, only(s.UserByID(ctx, w.ann.ID)))
				ok(t, s.Atomic(ctx, func(ctx context.Context) error { return only(s.UserByName(ctx, "dan")) }))
				fails(t, "a read", only(s.UserByName(ctx, "nobody")), roster.ErrNotFound)
				return result
			}), result)
		}
		return w.disturb(ctx, s)
	}))
	for _, name := range []string{"dan", "eve"} {
		same(t, "committed", rowOf(s.UserByName(outer, name))(t).NameKey, name)
	}
}

func doomNotFound(t *testing.T, s roster.Store) {
	outer := t.Context()
	w := populate(t, s)
	ok(t, s.Atomic(outer, func(ctx context.Context) error {
		for _, m := range w.missed(s) {
			fails(t, m.name, m.run(ctx), roster.ErrNotFound)
		}
		if _, err := s.DeleteEmails(ctx, 1<<40); err != nil {
			return err
		}
		if err := s.DeleteCredential(ctx, w.ann.ID, 99); err != nil {
			return err
		}
		for range 2 {
			if err := s.ReclaimEmails(ctx, 1<<40); err != nil {
				return err
			}
		}
		return w.disturb(ctx, s)
	}))
	same(t, "committed", rowOf(s.UserByName(outer, "eve"))(t).NameKey, "eve")
}

func doomAlone(t *testing.T, s roster.Store) {
	outer := t.Context()
	w := populate(t, s)
	before := dump(outer, t, s)
	for _, f := range w.failures(s) {
		if err := f.run(outer); err == nil || errors.Is(err, roster.ErrNotFound) || errors.Is(err, roster.ErrTxAborted) {
			t.Errorf("%s: %v, want it to fail", f.name, err)
		}
	}
	for _, m := range w.missed(s) {
		fails(t, m.name, m.run(outer), roster.ErrNotFound)
	}
	same(t, "the rows", dump(outer, t, s), before)
	for _, c := range w.calls(t, s) { // each succeeds alone, after whatever failed before
		fails(t, c.name, s.Atomic(outer, func(ctx context.Context) error {
			if err := c.run(ctx); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			return errRollback
		}), errRollback)
	}
}
