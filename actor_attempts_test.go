package roster_test

import (
	"context"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// fellows is the first group that there is.
const fellows roster.GroupID = 1

// attempts call each verb that takes a right, in a way that would work.
var attempts = map[string]func(ctx context.Context, us *roster.Users, u *roster.User) error{
	"Explain": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.Explain(ctx, u.ID, roster.PermEditUser, 0, roster.Either)
		return err
	},
	"Diff": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		for _, err := range us.Diff(ctx, roster.ChangeGrant(roster.ToUser(u.ID), 0, roster.Period{}, roster.PermEditUser)) {
			return err
		}
		return nil
	},
	"Create": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		return us.Create(ctx, &roster.User{Name: "newcomer"})
	},
	"Invite": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.Invite(ctx, roster.NewUser{Name: "newcomer", Email: "newcomer@example.org"})
		return err
	},
	"ByID": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.ByID(ctx, u.ID)
		return err
	},
	"ByUUID": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.ByUUID(ctx, u.UUID)
		return err
	},
	"ByName": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.ByName(ctx, u.Name)
		return err
	},
	"ByIDs": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.ByIDs(ctx, u.ID)
		return err
	},
	"ByEmail": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.ByEmail(ctx, u.Name+"@example.org")
		return err
	},
	"ByAddress": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.ByAddress(ctx, u.Name+"@example.org")
		return err
	},
	"EmailInUse": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.EmailInUse(ctx, u.Name+"@example.org")
		return err
	},
	"Search": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.Search(ctx, roster.Query{Pattern: u.Name})
		return err
	},
	"Count": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.Count(ctx, roster.Query{Pattern: u.Name})
		return err
	},
	"All": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		for _, err := range us.All(ctx) {
			return err
		}
		return nil
	},
	"Each": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		for _, err := range us.Each(ctx, roster.Query{Pattern: u.Name}) {
			return err
		}
		return nil
	},
	"Emails": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.Emails(ctx, u.ID)
		return err
	},
	"PrimaryEmail": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.PrimaryEmail(ctx, u.ID)
		return err
	},
	"Events": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.Events(ctx, roster.EventQuery{User: u.ID})
		return err
	},
	"MergeData": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.MergeData(ctx, u.ID, nil)
	},
	"EmailsOf": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.EmailsOf(ctx, u.ID)
		return err
	},
	"Sessions": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.Sessions(ctx, u.ID)
		return err
	},
	"Edit": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.Edit(ctx, u.ID, func(u *roster.User) error { u.RealName = "Changed"; return nil })
	},
	"Save": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		edited := *u
		edited.RealName = "Changed"
		return us.Save(ctx, &edited)
	},
	"ActivateUser": func(ctx context.Context, us *roster.Users, u *roster.User) error { return us.ActivateUser(ctx, u.ID) },
	"Disable":      func(ctx context.Context, us *roster.Users, u *roster.User) error { return us.Disable(ctx, u.ID) },
	"Enable":       func(ctx context.Context, us *roster.Users, u *roster.User) error { return us.Enable(ctx, u.ID) },
	"AddEmail": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.AddEmail(ctx, u.ID, "mine@example.org")
		return err
	},
	"ChangeEmail": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.ChangeEmail(ctx, u.ID, "mine@example.org")
		return err
	},
	"SetPrimaryEmail": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.SetPrimaryEmail(ctx, u.ID, roster.EmailID(u.ID))
	},
	"RemoveEmail": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.RemoveEmail(ctx, u.ID, roster.EmailID(u.ID))
	},
	"AddActivatedEmail": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.AddActivatedEmail(ctx, u.ID, "mine@example.org")
		return err
	},
	"EndSession": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.EndSession(ctx, u.ID, uuid.New())
	},
	"EndSessions": func(ctx context.Context, us *roster.Users, u *roster.User) error { return us.EndSessions(ctx, u.ID) },
	"Identities": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.Identities(ctx, u.ID)
		return err
	},
	"LinkIdentity": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.LinkIdentity(ctx, u.ID, roster.Identity{Provider: "google", Subject: u.Name})
	},
	"UnlinkIdentity": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.UnlinkIdentity(ctx, u.ID, "google", "nobody")
	},
	"LinkDirectory": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.LinkDirectory(ctx, u.ID, "corp", u.Name)
	},
	"UnlinkDirectory": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.UnlinkDirectory(ctx, u.ID)
	},
	"SetPassword": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.SetPassword(ctx, u.ID, rostertest.Password+" again")
	},
	"ImportPassword": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		hash, err := rostertest.Hasher{}.Hash(ctx, "something else")
		if err != nil {
			return err
		}
		return us.ImportPassword(ctx, u.ID, hash)
	},
	"ChangePassword": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.ChangePassword(ctx, u.ID, rostertest.Password, rostertest.Password+" again")
	},
	"GeneratePassword": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.GeneratePassword(ctx, u.ID, roster.Generated{})
		return err
	},
	"RemovePassword": func(ctx context.Context, us *roster.Users, u *roster.User) error { return us.RemovePassword(ctx, u.ID) },
	"RequirePasswordChange": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.RequirePasswordChange(ctx, u.ID, 0)
	},
	"RequirePasswordReset": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.RequirePasswordReset(ctx, u.ID)
	},
	"CheckPassword": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.CheckPassword(ctx, u.ID, rostertest.Password)
	},
	"CreateGroup": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		return us.CreateGroup(ctx, &roster.Group{Name: "newcomers"})
	},
	"EditGroup": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		return us.EditGroup(ctx, fellows, func(g *roster.Group) error { g.Description = "Changed"; return nil })
	},
	"DeleteGroup": func(ctx context.Context, us *roster.Users, _ *roster.User) error { return us.DeleteGroup(ctx, fellows) },
	"AddMember": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.AddMember(ctx, fellows, u.ID, "")
	},
	"RemoveMember": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.RemoveMember(ctx, fellows, u.ID)
	},
	"SetRank": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.SetRank(ctx, u.ID, roster.RankTester)
	},
	"BuiltInGroup": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.BuiltInGroup(ctx, roster.GroupTester)
		return err
	},
	"GroupByID": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.GroupByID(ctx, fellows)
		return err
	},
	"GroupByUUID": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.GroupByUUID(ctx, uuid.New())
		return err
	},
	"GroupByName": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.GroupByName(ctx, "fellows")
		return err
	},
	"Groups": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.Groups(ctx, roster.Paging{})
		return err
	},
	"Members": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.Members(ctx, fellows, roster.Paging{})
		return err
	},
	"Memberships": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.Memberships(ctx, u.ID)
		return err
	},
	"GroupsOf": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.GroupsOf(ctx, u.ID)
		return err
	},
	"InGroup": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.InGroup(ctx, u.ID, "fellows")
		return err
	},
	"Ranks": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.Ranks(ctx, u.ID)
		return err
	},
	"Can": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.Can(ctx, u.ID, roster.PermEditUser, here, roster.Either)
		return err
	},
	"CanAll": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.CanAll(ctx, roster.PermEditUser, roster.Either, roster.Ask{User: u.ID, Scope: here})
		return err
	},
	"Permissions": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.Permissions(ctx, u.ID, here, roster.Either)
		return err
	},
	"WhereCan": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.WhereCan(ctx, u.ID, roster.PermEditUser, roster.Paging{})
		return err
	},
	"WhoCan": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.WhoCan(ctx, roster.PermEditUser, here, roster.Either, roster.Paging{})
		return err
	},
	"IsPrivileged": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.IsPrivileged(ctx, []roster.UserID{u.ID})
		return err
	},
	// What every actor holds here who comes far enough to be asked.
	"Grant": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.Grant(ctx, roster.ToUser(u.ID), here, roster.PermMasterLogin)
	},
	"GrantDuring": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.GrantDuring(ctx, roster.ToUser(u.ID), here, roster.Period{}, roster.PermMasterLogin)
	},
	"Revoke": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.Revoke(ctx, roster.ToUser(u.ID), here, roster.PermMasterLogin)
	},
	"RevokeAll": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.RevokeAll(ctx, roster.ToUser(u.ID), here)
	},
	"GrantsOf": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.GrantsOf(ctx, roster.ToUser(u.ID))
		return err
	},
	"GrantsIn": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.GrantsIn(ctx, here, roster.Paging{})
		return err
	},
	"Delete":  func(ctx context.Context, us *roster.Users, u *roster.User) error { return us.Delete(ctx, u.ID) },
	"Restore": func(ctx context.Context, us *roster.Users, u *roster.User) error { return us.Restore(ctx, u.ID) },
	"Purge":   func(ctx context.Context, us *roster.Users, u *roster.User) error { return us.Purge(ctx, u.ID) },
}

// others call the verbs that take no right, with what is worth nothing.
var others = map[string]func(ctx context.Context, us *roster.Users, u *roster.User) error{
	"CreateGroup": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		return us.CreateGroup(ctx, &roster.Group{Name: "a group"})
	},
	"BuiltInGroup": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.BuiltInGroup(ctx, roster.GroupAdmin)
		return err
	},
	"EditGroup": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		return us.EditGroup(ctx, 1, func(*roster.Group) error { return nil })
	},
	"DeleteGroup": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		return us.DeleteGroup(ctx, 1)
	},
	"GroupByID": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.GroupByID(ctx, 1)
		return err
	},
	"GroupByUUID": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.GroupByUUID(ctx, uuid.New())
		return err
	},
	"GroupByName": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.GroupByName(ctx, "a group")
		return err
	},
	"Groups": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.Groups(ctx, roster.Paging{})
		return err
	},
	"AddMember": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.AddMember(ctx, 1, u.ID, "")
	},
	"RemoveMember": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.RemoveMember(ctx, 1, u.ID)
	},
	"Members": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.Members(ctx, 1, roster.Paging{})
		return err
	},
	"Memberships": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.Memberships(ctx, u.ID)
		return err
	},
	"GroupsOf": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.GroupsOf(ctx, u.ID)
		return err
	},
	"InGroup": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.InGroup(ctx, u.ID, roster.GroupAdmin)
		return err
	},
	"Ranks": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.Ranks(ctx, u.ID)
		return err
	},
	"SetRank": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.SetRank(ctx, u.ID, roster.RankAdmin)
	},
	"Grant": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.Grant(ctx, roster.ToUser(u.ID), 0, roster.PermEditUser)
	},
	"GrantDuring": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.GrantDuring(ctx, roster.ToUser(u.ID), 0, roster.Period{}, roster.PermEditUser)
	},
	"Revoke": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.Revoke(ctx, roster.ToUser(u.ID), 0, roster.PermEditUser)
	},
	"RevokeAll": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.RevokeAll(ctx, roster.ToUser(u.ID), 0)
	},
	"GrantsOf": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.GrantsOf(ctx, roster.ToUser(u.ID))
		return err
	},
	"GrantsIn": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.GrantsIn(ctx, 0, roster.Paging{})
		return err
	},
	"Can": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.Can(ctx, u.ID, roster.PermEditUser, 0, roster.Either)
		return err
	},
	"CanAll": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.CanAll(ctx, roster.PermEditUser, roster.Either, roster.Ask{User: u.ID})
		return err
	},
	"Permissions": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.Permissions(ctx, u.ID, 0, roster.Either)
		return err
	},
	"WhoCan": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.WhoCan(ctx, roster.PermEditUser, 0, roster.Either, roster.Paging{})
		return err
	},
	"WhereCan": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.WhereCan(ctx, u.ID, roster.PermEditUser, roster.Paging{})
		return err
	},
	"IsPrivileged": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.IsPrivileged(ctx, []roster.UserID{u.ID})
		return err
	},
	"Register": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.Register(ctx, roster.NewUser{Name: "newcomer", Email: "newcomer@example.org", Password: rostertest.Password})
		return err
	},
	"Activate": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.Activate(ctx, "code")
		return err
	},
	"ActivateWithPassword": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.ActivateWithPassword(ctx, "code", rostertest.Password)
		return err
	},
	"ResendActivation": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.ResendActivation(ctx, u.Name)
	},
	"Peek": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.Peek(ctx, "code")
		return err
	},
	"Authenticate": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.Authenticate(ctx, u.Name, rostertest.Password)
		return err
	},
	"SignIn": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, _, err := us.SignIn(ctx, u.Name, rostertest.Password)
		return err
	},
	"SignOut": func(ctx context.Context, us *roster.Users, _ *roster.User) error { return us.SignOut(ctx, "token") },
	"Session": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.Session(ctx, "token")
		return err
	},
	"RenewSession": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, _, err := us.RenewSession(ctx, "token")
		return err
	},
	"Reauthenticate": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, _, err := us.Reauthenticate(ctx, "token", rostertest.Password)
		return err
	},
	"EndOtherSessions": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.EndOtherSessions(ctx, "token")
		return err
	},
	"RequestPasswordReset": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.RequestPasswordReset(ctx, u.Name)
	},
	"ResetPassword": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.ResetPassword(ctx, "code", rostertest.Password)
		return err
	},
	"RenewPassword": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.RenewPassword(ctx, u.Name, rostertest.Password, rostertest.Password+" again")
		return err
	},
	"ChangePasswordIn": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, _, err := us.ChangePasswordIn(ctx, "token", rostertest.Password, rostertest.Password+" again")
		return err
	},
	"UndoChange": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.UndoChange(ctx, "code", rostertest.Password)
		return err
	},
	"AcceptChange": func(ctx context.Context, us *roster.Users, _ *roster.User) error { return us.AcceptChange(ctx, "code") },
	"Impersonate": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, _, err := us.Impersonate(ctx, "token", u.ID)
		return err
	},
	"StopImpersonating": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, _, err := us.StopImpersonating(ctx, "token")
		return err
	},
	"AuthenticateWith": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, err := us.AuthenticateWith(ctx, roster.Identity{Provider: "google", Subject: u.Name, Emails: []string{"newcomer@example.org"}})
		return err
	},
	"SignInWith": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, _, err := us.SignInWith(ctx, roster.Identity{Provider: "google", Subject: u.Name, Emails: []string{"newcomer@example.org"}})
		return err
	},
	"ActivateWithIdentity": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.ActivateWithIdentity(ctx, "code", roster.Identity{Provider: "google", Subject: "1"})
		return err
	},
	"PlanSync": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.PlanSync(ctx, "corp", roster.Brake{})
		return err
	},
	"ApplySync": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.ApplySync(ctx, &roster.Plan{Directory: "corp"})
		return err
	},
	"StartSession": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		_, _, err := us.StartSession(ctx, u)
		return err
	},
	"Check": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.Check(ctx)
		return err
	},
	"Prune": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.Prune(ctx, roster.Budget{})
		return err
	},
	"PasswordFormats": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.PasswordFormats(ctx)
		return err
	},
	"Bootstrap": func(ctx context.Context, us *roster.Users, u *roster.User) error {
		return us.Bootstrap(ctx, u.ID)
	},
	"WrapPasswords": func(ctx context.Context, us *roster.Users, _ *roster.User) error {
		_, err := us.WrapPasswords(ctx, "", roster.Budget{})
		return err
	},
}
