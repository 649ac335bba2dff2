package roster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// fit are the answers of the attempts that were let through, where they are not
// nil: the state of the target is looked at last.
func fit(err error) bool {
	return err == nil || errors.Is(err, roster.ErrNotFound) || errors.Is(err, roster.ErrConflict) ||
		errors.Is(err, roster.ErrCredentials) || errors.Is(err, roster.ErrStale)
}

// The matrix: verbs × doors × what is held where × targets.
type (
	door struct {
		level roster.Level
		login roster.Permission // held in the actor's scope
	}
	holding struct {
		plain, priv bool
		in          roster.ScopeID
	}
	target struct {
		name       string
		privileged bool // flagged, or holds something
		superior   bool // holds what the actor does not
		missing    bool // there is no such user
		deleted    bool
		invisible  bool
		self       bool
		readOnly   bool
	}
)

const (
	here  roster.ScopeID = 5 // where the actor has signed in
	there roster.ScopeID = 6
)

var (
	doors = []door{
		{roster.LevelUser, roster.PermMasterLogin},
		{roster.LevelJudge, ""},
		{roster.LevelJudge, roster.PermJudgeLogin},
		{roster.LevelJudge, roster.PermMasterLogin},
		{roster.LevelAdmin, roster.PermJudgeLogin},
		{roster.LevelAdmin, roster.PermMasterLogin},
	}
	holdings = []holding{
		{},
		{plain: true},
		{priv: true},
		{plain: true, priv: true},
		{plain: true, in: here},
		{priv: true, in: here},
		{plain: true, priv: true, in: here},
		{plain: true, in: there},
		{priv: true, in: there},
		{plain: true, priv: true, in: there},
	}
	targets = []target{
		{name: "stranger"},
		{name: "hidden", invisible: true},
		{name: "flagged", privileged: true},
		{name: "granted", privileged: true},                   // an empty grant in another scope
		{name: "joined", privileged: true},                    // the same through a group
		{name: "peer", privileged: true},                      // holds what the actor holds, where the actor holds it
		{name: "elsewhere", privileged: true, superior: true}, // holds it somewhere else
		{name: "superior", privileged: true, superior: true},
		{name: "head", privileged: true, superior: true}, // in the group admin
		{name: "nobody", missing: true},
		{name: "gone", deleted: true},
		{name: "self", self: true, privileged: true},
		{name: "frozen", self: true, privileged: true, readOnly: true},
	}
)

// staff is the world of the matrix.
type staff struct {
	*rostertest.Env
	users map[string]*roster.User
}

// grade is a permission of a host.
const grade roster.Permission = "grade"

func newStaff(t testing.TB) *staff {
	t.Helper()
	ctx := t.Context()
	s := &staff{users: map[string]*roster.User{}}
	s.Env = rostertest.New(t, func(o *roster.Options) {
		o.Permissions = []roster.PermissionInfo{{Name: grade}}
		o.Directories = []roster.Directory{rostertest.NewDirectory("corp")}
	})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range targets {
		u := &roster.User{Name: x.name, UUID: uuid.New(), ActivatedAt: s.Clock.Now()}
		if x.invisible {
			u.Flags |= roster.FlagInvisible
		}
		if x.readOnly {
			u.Flags |= roster.FlagReadOnly
		}
		if x.name == "flagged" {
			u.Flags |= roster.FlagPrivileged
		}
		if !x.missing {
			must(s.Create(ctx, u))
			_, err := s.AddActivatedEmail(ctx, u.ID, x.name+"@example.org")
			must(err)
			must(s.SetPassword(ctx, u.ID, rostertest.Password))
		} else {
			u.ID = 1_000_000
		}
		if x.deleted {
			must(s.Delete(ctx, u.ID))
		}
		s.users[x.name] = u
	}
	grant := func(name string, scope roster.ScopeID, ps ...roster.Permission) {
		t.Helper()
		must(s.Grant(ctx, roster.ToUser(s.users[name].ID), scope, ps...))
	}
	grant("self", there, grade)
	grant("frozen", there, grade)
	grant("granted", 99)
	grant("peer", there, grade)
	grant("elsewhere", here, grade)
	group := &roster.Group{Name: "fellows"}
	must(s.CreateGroup(ctx, group))
	if group.ID != fellows {
		t.Fatal(group.ID)
	}
	guarded := &roster.Group{Name: "guarded"}
	must(s.CreateGroup(ctx, guarded))
	must(s.Grant(ctx, roster.ToGroup(guarded.ID), 99))
	must(s.AddMember(ctx, guarded.ID, s.users["joined"].ID, ""))
	grant("superior", 0, grade)
	admin, err := s.BuiltInGroup(ctx, roster.GroupAdmin)
	must(err)
	must(s.AddMember(ctx, admin.ID, s.users["head"].ID, ""))
	other := s.MustRegister("second-head")
	must(s.AddMember(ctx, admin.ID, other.ID, ""))
	for name, u := range s.users { // as stored
		if name != "nobody" && name != "gone" {
			stored, err := s.ByID(ctx, u.ID)
			must(err)
			s.users[name] = stored
		}
	}
	return s
}

// give grants in the transaction of ctx what the actor of a cell holds.
func (s *staff) give(ctx context.Context, id roster.UserID, d door, h holding, r rule) error {
	var errs []error
	grant := func(held bool, scope roster.ScopeID, p roster.Permission) {
		if held {
			errs = append(errs, s.Grant(ctx, roster.ToUser(id), scope, p))
		}
	}
	grant(d.login != "", here, d.login)
	grant(h.plain && r.Plain != "-", h.in, roster.Permission(r.Plain))
	grant(h.priv && r.Priv != "=" && r.Priv != "-", h.in, roster.Permission(r.Priv))
	return errors.Join(errs...)
}

// The answers.
type answer string

const (
	yes       answer = "allowed"
	forbidden answer = "forbidden"
	unknown   answer = "not found"
)

// expect is what the policy says of a cell.
func (r rule) expect(d door, h holding, x target) answer {
	if x.self && (r.Self == "none" || r.Self == "edit" && !x.readOnly) {
		return yes
	}
	through := d.level >= r.level()
	switch r.level() {
	case roster.LevelJudge:
		through = through && d.login != ""
	case roster.LevelAdmin:
		through = through && d.login == roster.PermMasterLogin
	}
	counts := h.in == 0 || r.Check == "dbcnts" && h.in == here
	plain := h.plain && counts && r.Plain != "-"
	priv := h.priv && counts && r.Priv != "-"
	if r.Priv == "=" {
		priv = plain
	}
	// Of whom there is not, those say the same as of whom there is.
	targeted := r.Self != "-" && !slices.Contains([]string{"InGroup", "Can", "Permissions", "WhereCan", "Events"}, r.Verb)
	live := !slices.Contains([]string{"Edit", "Save", "RemoveEmail", "EndSession", "Restore", "Purge", "RemoveMember", "Revoke", "RevokeAll"}, r.Verb)
	switch {
	case !through || !plain && !priv:
		return forbidden
	case targeted && (x.missing || x.deleted && live):
		return unknown
	case targeted && x.invisible && h.in != 0 && r.Plain == string(roster.PermListUsers):
		return unknown
	case targeted && x.privileged && !priv, targeted && !x.privileged && !plain:
		return forbidden
	case targeted && x.superior && r.Over == "yes":
		return forbidden
	case r.Verb == "RevokeAll" && x.name == "elsewhere", r.Verb == "SetRank" && x.name == "head": // it would take away what the actor lacks
		return forbidden
	}
	return yes
}

// Every cell, against the policy. What was let through is rolled back.
func TestActorMatrix(t *testing.T) {
	s := newStaff(t)
	cells := 0
	for _, r := range rules(t) {
		if r.Who != "right" {
			continue
		}
		if attempts[r.Verb] == nil {
			t.Errorf("nobody tries %s", r.Verb)
			continue
		}
		for _, d := range doors {
			for _, h := range holdings {
				for _, x := range targets {
					cells++
					s.cell(t, r, d, h, x)
				}
			}
		}
	}
	if want := len(attempts) * len(doors) * len(holdings) * len(targets); cells != want {
		t.Errorf("%d cells, not %d", cells, want)
	}
}

func (s *staff) cell(t *testing.T, r rule, d door, h holding, x target) {
	t.Helper()
	who := s.users["self"]
	if x.readOnly {
		who = s.users[x.name]
	}
	var err error
	undone := s.Atomic(t.Context(), func(ctx context.Context) error {
		if err := s.give(ctx, who.ID, d, h, r); err != nil {
			return err
		}
		err = attempts[r.Verb](ctx, s.For(roster.Actor{User: who.ID, Level: d.level, Scope: here}), s.users[x.name])
		return errUndone
	})
	if !errors.Is(undone, errUndone) {
		t.Fatal(undone)
	}
	want, got := r.expect(d, h, x), yes
	switch {
	case errors.Is(err, roster.ErrForbidden):
		got = forbidden
	case errors.Is(err, roster.ErrNotFound) && want != yes:
		got = unknown
	case !fit(err):
		got = answer(fmt.Sprint(err))
	}
	if got != want {
		t.Errorf("%s: at level %s with %q here, holding %+v, on %s: %s and not %s (%v)", r, d.level, d.login, h, x.name, got, want, err)
	}
}

var errUndone = errors.New("undone")
