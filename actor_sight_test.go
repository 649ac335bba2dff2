package roster_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// eyes is ann, who looks at ben, who has signed in, and at cat, who is invisible.
type eyes struct {
	*rostertest.Env
	ann, ben, cat *roster.User
}

var plan = roster.Field[string]("plan")

func newEyes(t *testing.T, scope roster.ScopeID, ps ...roster.Permission) (*eyes, *roster.Users) {
	t.Helper()
	ctx := t.Context()
	e := &eyes{Env: rostertest.New(t)}
	e.ann, e.ben, e.cat = e.MustRegister("ann"), e.MustRegister("ben"), e.MustRegister("cat")
	for _, u := range []*roster.User{e.ann, e.ben, e.cat} {
		if _, err := e.Authenticate(ctx, u.Name, rostertest.Password); err != nil {
			t.Fatal(err)
		}
		if err := e.Edit(ctx, u.ID, func(u *roster.User) error { return plan.Set(u, "pro") }); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(
		e.Edit(ctx, e.cat.ID, func(u *roster.User) error { u.Flags |= roster.FlagInvisible; return nil }),
		e.Grant(ctx, roster.ToUser(e.ann.ID), here, roster.PermMasterLogin),
		e.Grant(ctx, roster.ToUser(e.ann.ID), scope, ps...))
	if err != nil {
		t.Fatal(err)
	}
	return e, e.For(roster.Actor{User: e.ann.ID, Level: roster.LevelAdmin, Scope: here})
}

// seen is what of a user is not for everybody.
func seen(u *roster.User) bool {
	some, all := plan.Get(u) != "" || !u.LastLoginAt.IsZero() || !u.PasswordChangedAt.IsZero(), plan.Get(u) != "" && !u.LastLoginAt.IsZero()
	if some != all {
		panic("half a user")
	}
	return all
}

func TestActorSees(t *testing.T) {
	for what, c := range map[string]struct {
		scope                 roster.ScopeID
		ps                    []roster.Permission
		details, hidden, list bool
	}{
		"list_users here":     {here, []roster.Permission{roster.PermListUsers}, false, false, false},
		"get_user here, too":  {here, []roster.Permission{roster.PermListUsers, roster.PermGetUser}, false, false, false},
		"list_users":          {0, []roster.Permission{roster.PermListUsers}, false, true, true},
		"list_users get_user": {0, []roster.Permission{roster.PermListUsers, roster.PermGetUser}, true, true, true},
	} {
		e, hers := newEyes(t, c.scope, c.ps...)
		ctx := t.Context()
		look := map[string]func(u *roster.User) (*roster.User, error){
			"ByID":   func(u *roster.User) (*roster.User, error) { return hers.ByID(ctx, u.ID) },
			"ByUUID": func(u *roster.User) (*roster.User, error) { return hers.ByUUID(ctx, u.UUID) },
			"ByName": func(u *roster.User) (*roster.User, error) { return hers.ByName(ctx, u.Name) },
			"ByIDs": func(u *roster.User) (*roster.User, error) {
				us, err := hers.ByIDs(ctx, u.ID)
				if err != nil || len(us) == 0 {
					return nil, errors.Join(err, roster.ErrNotFound)
				}
				return us[0], nil
			},
			"Search": func(u *roster.User) (*roster.User, error) {
				p, err := hers.Search(ctx, roster.Query{Pattern: u.Name})
				if err != nil {
					return nil, err
				}
				return p.Items[0], nil
			},
		}
		for verb, find := range look {
			if verb == "Search" && !c.list {
				if _, err := find(e.ben); !errors.Is(err, roster.ErrForbidden) {
					t.Errorf("%s: %s: %v", what, verb, err)
				}
				continue
			}
			if u, err := find(e.ann); err != nil || !seen(u) {
				t.Errorf("%s: %s does not show herself (%v)", what, verb, err)
			}
			if u, err := find(e.ben); err != nil || seen(u) != c.details {
				t.Errorf("%s: %s shows all of ben: %v (%v)", what, verb, !c.details, err)
			}
			switch u, err := find(e.cat); {
			case !c.hidden && !errors.Is(err, roster.ErrNotFound):
				t.Errorf("%s: %s of cat, who is invisible: %v", what, verb, err)
			case c.hidden && (err != nil || seen(u) != c.details):
				t.Errorf("%s: %s shows all of cat: %v (%v)", what, verb, !c.details, err)
			}
		}
	}
}

// Who edits what they cannot see leaves it as it was.
func TestActorEditsUnseen(t *testing.T) {
	e, hers := newEyes(t, 0, roster.PermEditUser, roster.PermListUsers)
	ctx := t.Context()
	check := func(what, realName string) {
		t.Helper()
		u, err := e.ByID(ctx, e.ben.ID)
		if err != nil || !seen(u) || u.RealName != realName {
			t.Errorf("%s: %+v (%v)", what, u, err)
		}
	}
	var kept *roster.User
	err := hers.Edit(ctx, e.ben.ID, func(u *roster.User) error {
		if kept = u; seen(u) {
			t.Error("shown to who edits")
		}
		u.RealName = "Edited"
		return nil
	})
	if err != nil || seen(kept) {
		t.Errorf("afterwards: %v", err)
	}
	check("Edit", "Edited")
	u, err := hers.ByID(ctx, e.ben.ID)
	if err != nil {
		t.Fatal(err)
	}
	u.RealName = "Saved"
	if err := hers.Save(ctx, u); err != nil || seen(u) {
		t.Errorf("Save: %v", err)
	}
	check("Save", "Saved")
	if err := hers.Edit(ctx, e.ben.ID, func(u *roster.User) error { return plan.Set(u, "free") }); !errors.Is(err, roster.ErrForbidden) {
		t.Errorf("Data written over: %v", err)
	}
	check("the refused one", "Saved")
}

// Some fields take more than edit_user.
func TestActorFieldsThatTakeMore(t *testing.T) {
	ctx := context.Background()
	protect := func(us *roster.Users, u *roster.User) error {
		return us.Edit(ctx, u.ID, func(u *roster.User) error { u.Flags |= roster.FlagPrivileged; return nil })
	}
	create := func(us *roster.Users, _ *roster.User) error {
		return us.Create(ctx, &roster.User{Name: "new", Flags: roster.FlagPrivileged})
	}
	link := func(us *roster.Users, u *roster.User) error {
		return us.Edit(ctx, u.ID, func(u *roster.User) error { u.DirectoryID, u.DirectoryDN = "corp", "cn=mine"; return nil })
	}
	for what, c := range map[string]struct {
		do    func(us *roster.Users, u *roster.User) error
		takes roster.Permission
		field string
	}{
		"protect": {protect, roster.PermPrivEditUser, roster.FieldFlags},
		"create":  {create, roster.PermPrivEditUser, roster.FieldFlags},
		"link":    {link, roster.PermEditPasswd, roster.FieldDirectory},
	} {
		e, hers := newEyes(t, 0, roster.PermEditUser, roster.PermCreateUser)
		err := c.do(hers, e.ben)
		if fields := roster.InvalidFields(err); !errors.Is(err, roster.ErrForbidden) || len(fields) != 1 || fields[0].Field != c.field {
			t.Errorf("%s without %s: %v", what, c.takes, err)
		}
		if err := e.Grant(ctx, roster.ToUser(e.ann.ID), 0, c.takes); err != nil {
			t.Fatal(err)
		}
		if err := c.do(hers, e.ben); err != nil {
			t.Errorf("%s with %s: %v", what, c.takes, err)
		}
	}
}

// Nobody passes on what they do not hold, in that scope and for as long.
func TestActorPassesOn(t *testing.T) {
	e, hers := newEyes(t, here, roster.PermEditGrants)
	ctx := t.Context()
	soon := e.Clock.Now().Add(1 << 40)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(e.GrantDuring(ctx, roster.ToUser(e.ann.ID), here, roster.Period{Until: soon}, roster.PermGetUser))
	must(e.Grant(ctx, roster.ToUser(e.ann.ID), 0, roster.PermDumpUsers, roster.PermEditGroups))
	group := func(name string, scope roster.ScopeID, ps ...roster.Permission) roster.GroupID {
		g := &roster.Group{Name: name}
		must(errors.Join(e.CreateGroup(ctx, g), e.Grant(ctx, roster.ToGroup(g.ID), scope, ps...)))
		return g.ID
	}
	mine, more := group("mine", 0, roster.PermDumpUsers), group("more", there, roster.PermDumpUsers)
	admin, err := e.BuiltInGroup(ctx, roster.GroupAdmin)
	must(err)
	ben := roster.ToUser(e.ben.ID)
	for what, c := range map[string]struct {
		err error
		may bool
	}{
		"what she holds here":          {hers.Grant(ctx, ben, here, roster.PermEditGrants), true},
		"for as long":                  {hers.GrantDuring(ctx, ben, here, roster.Period{Until: soon}, roster.PermGetUser), true},
		"for longer":                   {hers.Grant(ctx, ben, here, roster.PermGetUser), false},
		"to herself for longer":        {hers.Grant(ctx, roster.ToUser(e.ann.ID), here, roster.PermGetUser), false},
		"in another scope":             {hers.Grant(ctx, ben, there, roster.PermEditGrants), false},
		"globally":                     {hers.Grant(ctx, ben, 0, roster.PermEditGrants), false},
		"held globally, given here":    {hers.Grant(ctx, ben, here, roster.PermDumpUsers), false},
		"what she does not hold":       {hers.Grant(ctx, ben, here, roster.PermEditUser), false},
		"one of two":                   {hers.Grant(ctx, ben, here, roster.PermEditGrants, roster.PermEditUser), false},
		"to a group":                   {hers.Grant(ctx, roster.ToGroup(mine), here, roster.PermEditGrants), true},
		"to a group, not held":         {hers.Grant(ctx, roster.ToGroup(mine), here, roster.PermEditUser), false},
		"nothing, which makes safe":    {hers.Grant(ctx, ben, here), false},
		"back":                         {hers.Revoke(ctx, ben, here, roster.PermEditGrants), true},
		"back what she does not hold":  {hers.Revoke(ctx, ben, here, roster.PermEditUser), false},
		"into a group of hers":         {hers.AddMember(ctx, mine, e.ben.ID, ""), true},
		"into a group of more":         {hers.AddMember(ctx, more, e.ben.ID, ""), false},
		"herself into a group of more": {hers.AddMember(ctx, more, e.ann.ID, ""), false},
		"out of a group of more":       {hers.RemoveMember(ctx, more, e.ben.ID), false},
		"into admin":                   {hers.AddMember(ctx, admin.ID, e.ann.ID, ""), false},
		"rank":                         {hers.SetRank(ctx, e.ann.ID, roster.RankAdmin), false},
		"delete a group of more":       {hers.DeleteGroup(ctx, more), false},
	} {
		if errors.Is(c.err, roster.ErrForbidden) == c.may || c.may && c.err != nil {
			t.Errorf("%s: %v", what, c.err)
		}
	}
	grants, err := e.GrantsOf(ctx, roster.ToGroup(mine))
	must(err)
	if i := slices.IndexFunc(grants, func(g *roster.Grant) bool { return g.Permission == roster.PermEditGrants }); i < 0 || grants[i].CreatedBy != e.ann.ID {
		t.Errorf("who has granted it is not known: %+v", grants)
	}
}
