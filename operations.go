package roster

import "slices"

// Access says what a verb asks an actor for.
type Access uint8

// The kinds.
const (
	AccessRight   Access = iota // a permission, or to be the target
	AccessAny                   // to be somebody: what comes with the call, a code, a token, a password, decides
	AccessProgram               // not to be an actor: only what New returned may
	AccessFree                  // nothing, since no account is looked at
)

// Self says what it takes if the target is the actor's own account.
type Self uint8

// The rules.
const (
	SelfAsked Self = iota // what it takes for anybody else
	SelfFree              // nothing
	SelfEdit              // nothing, unless the account is flagged ReadOnly
)

// Care says what else is refused, whatever the actor holds.
type Care uint8

// The cares.
const (
	// CareTakeover: the verb can lead to acting as the target, so it is not for who lacks
	// something that the target holds.
	CareTakeover Care = 1 << iota

	// CareHeld: what is given or taken away has to be held by the actor, in the same
	// scope and for as long.
	CareHeld

	// CareDirect: not while acting as somebody else.
	CareDirect
)

// Has reports whether all of d are set.
func (c Care) Has(d Care) bool { return c&d == d }

// Operation is what one verb of [Users] asks before it acts for an actor. See
// [Users.For] for the order.
type Operation struct {
	Verb       string // the method
	Access     Access
	Level      Level      // the least
	Permission Permission // for a target that is not privileged; empty: nobody but oneself
	Privileged Permission // for one that is
	Mode       Mode       // where it has to be held, seen from the scope that is named, else from Actor.Scope
	Self       Self
	Care       Care
}

// Operations is the one table of what the verbs ask, for documents and tests.
// docs/permissions.md is printed from it.
func Operations() []Operation { return slices.Clone(operations) }

// operationOf finds the row of a verb. Without one nothing is allowed.
func operationOf(verb string) (Operation, bool) {
	i := slices.IndexFunc(operations, func(op Operation) bool { return op.Verb == verb })
	if i < 0 {
		return Operation{}, false
	}
	return operations[i], true
}

var operations = []Operation{
	// Whoever holds a code, a token or a password, and visitors.
	{Verb: "Register", Access: AccessAny},
	{Verb: "Activate", Access: AccessAny},
	{Verb: "ActivateWithPassword", Access: AccessAny},
	{Verb: "ResendActivation", Access: AccessAny},
	{Verb: "Peek", Access: AccessAny},
	{Verb: "Authenticate", Access: AccessAny},
	{Verb: "SignIn", Access: AccessAny},
	{Verb: "SignOut", Access: AccessAny},
	{Verb: "Session", Access: AccessAny},
	{Verb: "RenewSession", Access: AccessAny},
	{Verb: "Reauthenticate", Access: AccessAny},
	{Verb: "EndOtherSessions", Access: AccessAny},
	{Verb: "RequestPasswordReset", Access: AccessAny},
	{Verb: "ResetPassword", Access: AccessAny},
	{Verb: "RenewPassword", Access: AccessAny},
	{Verb: "ChangePasswordIn", Access: AccessAny},
	{Verb: "UndoChange", Access: AccessAny},
	{Verb: "AcceptChange", Access: AccessAny},
	{Verb: "Impersonate", Access: AccessAny},
	{Verb: "StopImpersonating", Access: AccessAny},

	// What looks at no account.
	{Verb: "For", Access: AccessFree},
	{Verb: "Atomic", Access: AccessFree},
	{Verb: "CheckNewUser", Access: AccessFree},
	{Verb: "IsFresh", Access: AccessFree},
	{Verb: "RequireFresh", Access: AccessFree},
	{Verb: "DeclaredPermissions", Access: AccessFree},
	{Verb: "Record", Access: AccessFree},

	// The program's own business.
	{Verb: "StartSession", Access: AccessProgram},
	{Verb: "AuthenticateWith", Access: AccessProgram},
	{Verb: "SignInWith", Access: AccessProgram},
	{Verb: "ActivateWithIdentity", Access: AccessProgram},
	{Verb: "PlanSync", Access: AccessProgram},
	{Verb: "ApplySync", Access: AccessProgram},
	{Verb: "Check", Access: AccessProgram},
	{Verb: "Prune", Access: AccessProgram},
	{Verb: "PasswordFormats", Access: AccessProgram},
	{Verb: "WrapPasswords", Access: AccessProgram},
	{Verb: "Bootstrap", Access: AccessProgram},

	// Groups, and who is in them.
	{"CreateGroup", AccessRight, LevelAdmin, PermEditGroups, PermEditGroups, GlobalOnly, SelfAsked, CareDirect},
	{"EditGroup", AccessRight, LevelAdmin, PermEditGroups, PermEditGroups, GlobalOnly, SelfAsked, CareDirect},
	{"DeleteGroup", AccessRight, LevelAdmin, PermEditGroups, PermEditGroups, GlobalOnly, SelfAsked, CareHeld | CareDirect},
	{"AddMember", AccessRight, LevelAdmin, PermEditGroups, PermEditGroups, GlobalOnly, SelfAsked, CareHeld | CareDirect},
	{"RemoveMember", AccessRight, LevelAdmin, PermEditGroups, PermEditGroups, GlobalOnly, SelfAsked, CareHeld | CareDirect},
	{"SetRank", AccessRight, LevelAdmin, PermEditGroups, PermEditGroups, GlobalOnly, SelfAsked, CareHeld | CareDirect},
	{"BuiltInGroup", AccessRight, LevelJudge, PermListUsers, PermListUsers, GlobalOnly, SelfAsked, 0},
	{"GroupByID", AccessRight, LevelJudge, PermListUsers, PermListUsers, GlobalOnly, SelfAsked, 0},
	{"GroupByUUID", AccessRight, LevelJudge, PermListUsers, PermListUsers, GlobalOnly, SelfAsked, 0},
	{"GroupByName", AccessRight, LevelJudge, PermListUsers, PermListUsers, GlobalOnly, SelfAsked, 0},
	{"Groups", AccessRight, LevelJudge, PermListUsers, PermListUsers, GlobalOnly, SelfAsked, 0},
	{"Members", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfAsked, 0},
	{"Memberships", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfAsked, 0},
	{"GroupsOf", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfAsked, 0},
	{"InGroup", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfFree, 0},
	{"Ranks", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfAsked, 0},

	// Grants, and what follows from them. They are held in the scope that they are
	// about.
	{"Grant", AccessRight, LevelAdmin, PermEditGrants, PermEditGrants, Either, SelfAsked, CareHeld | CareDirect},
	{"GrantDuring", AccessRight, LevelAdmin, PermEditGrants, PermEditGrants, Either, SelfAsked, CareHeld | CareDirect},
	{"Revoke", AccessRight, LevelAdmin, PermEditGrants, PermEditGrants, Either, SelfAsked, CareHeld | CareDirect},
	{"RevokeAll", AccessRight, LevelAdmin, PermEditGrants, PermEditGrants, Either, SelfAsked, CareHeld | CareDirect},
	{"GrantsOf", AccessRight, LevelJudge, PermEditGrants, PermEditGrants, GlobalOnly, SelfAsked, 0},
	{"GrantsIn", AccessRight, LevelJudge, PermEditGrants, PermEditGrants, Either, SelfAsked, 0},
	{"WhoCan", AccessRight, LevelJudge, PermEditGrants, PermEditGrants, Either, SelfAsked, 0},
	{"Can", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfFree, 0},
	{"Permissions", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfFree, 0},
	{"WhereCan", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfFree, 0},
	{"CanAll", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfAsked, 0},
	{"IsPrivileged", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfAsked, 0},
	{"Explain", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfFree, 0},
	{"Diff", AccessRight, LevelJudge, PermEditGrants, PermEditGrants, GlobalOnly, SelfAsked, 0},

	// New accounts.
	{"Create", AccessRight, LevelJudge, PermCreateUser, PermCreateUser, GlobalOnly, SelfAsked, 0},
	{"Invite", AccessRight, LevelJudge, PermCreateUser, PermCreateUser, GlobalOnly, SelfAsked, 0},

	// Looking at them.
	{"ByID", AccessRight, LevelJudge, PermListUsers, PermListUsers, Either, SelfFree, 0},
	{"ByUUID", AccessRight, LevelJudge, PermListUsers, PermListUsers, Either, SelfFree, 0},
	{"ByName", AccessRight, LevelJudge, PermListUsers, PermListUsers, Either, SelfFree, 0},
	{"ByIDs", AccessRight, LevelJudge, PermListUsers, PermListUsers, Either, SelfAsked, 0},
	{"Search", AccessRight, LevelJudge, PermListUsers, PermListUsers, GlobalOnly, SelfAsked, 0},
	{"Count", AccessRight, LevelJudge, PermListUsers, PermListUsers, GlobalOnly, SelfAsked, 0},
	{"All", AccessRight, LevelJudge, PermListUsers, PermListUsers, GlobalOnly, SelfAsked, 0},
	{"Each", AccessRight, LevelJudge, PermListUsers, PermListUsers, GlobalOnly, SelfAsked, 0},
	{"ByEmail", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfFree, 0},
	{"ByAddress", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfFree, 0},
	{"EmailInUse", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfAsked, 0},
	{"Emails", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfFree, 0},
	{"EmailsOf", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfAsked, 0},
	{"PrimaryEmail", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfFree, 0},
	{"Sessions", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfFree, 0},
	{"Identities", AccessRight, LevelJudge, PermGetUser, PermGetUser, GlobalOnly, SelfFree, 0},

	{"Events", AccessRight, LevelJudge, PermReadEvents, PermReadEvents, GlobalOnly, SelfFree, 0},

	// Changing them.
	{"Edit", AccessRight, LevelJudge, PermEditUser, PermPrivEditUser, GlobalOnly, SelfEdit, 0},
	{"Save", AccessRight, LevelJudge, PermEditUser, PermPrivEditUser, GlobalOnly, SelfEdit, 0},
	{"MergeData", AccessRight, LevelJudge, PermEditUser, PermPrivEditUser, GlobalOnly, SelfEdit, 0},
	{"ActivateUser", AccessRight, LevelJudge, PermEditUser, PermPrivEditUser, GlobalOnly, SelfAsked, CareTakeover},
	{"Disable", AccessRight, LevelJudge, PermEditUser, PermPrivEditUser, GlobalOnly, SelfAsked, CareDirect},
	{"Enable", AccessRight, LevelJudge, PermEditUser, PermPrivEditUser, GlobalOnly, SelfAsked, CareTakeover | CareDirect},
	{"AddEmail", AccessRight, LevelJudge, PermEditUser, PermPrivEditUser, GlobalOnly, SelfEdit, CareTakeover | CareDirect},
	{"ChangeEmail", AccessRight, LevelJudge, PermEditUser, PermPrivEditUser, GlobalOnly, SelfEdit, CareTakeover | CareDirect},
	{"SetPrimaryEmail", AccessRight, LevelJudge, PermEditUser, PermPrivEditUser, GlobalOnly, SelfEdit, CareTakeover | CareDirect},
	{"RemoveEmail", AccessRight, LevelJudge, PermEditUser, PermPrivEditUser, GlobalOnly, SelfEdit, CareTakeover | CareDirect},
	{"AddActivatedEmail", AccessRight, LevelAdmin, PermEditUser, PermPrivEditUser, GlobalOnly, SelfAsked, CareTakeover | CareDirect},
	{"EndSession", AccessRight, LevelJudge, PermEditUser, PermPrivEditUser, GlobalOnly, SelfFree, CareDirect},
	{"EndSessions", AccessRight, LevelJudge, PermEditUser, PermPrivEditUser, GlobalOnly, SelfFree, CareDirect},

	// Passwords.
	{"CheckPassword", AccessRight, LevelUser, "", "", GlobalOnly, SelfFree, CareDirect},
	{"ChangePassword", AccessRight, LevelAdmin, PermEditPasswd, PermPrivEditPasswd, GlobalOnly, SelfFree, CareTakeover | CareDirect},
	{"GeneratePassword", AccessRight, LevelAdmin, PermEditPasswd, PermPrivEditPasswd, GlobalOnly, SelfFree, CareTakeover | CareDirect},
	{"SetPassword", AccessRight, LevelJudge, PermEditPasswd, PermPrivEditPasswd, GlobalOnly, SelfAsked, CareTakeover | CareDirect},
	{"ImportPassword", AccessRight, LevelAdmin, PermEditPasswd, PermPrivEditPasswd, GlobalOnly, SelfAsked, CareTakeover | CareDirect},
	{"RemovePassword", AccessRight, LevelJudge, PermEditPasswd, PermPrivEditPasswd, GlobalOnly, SelfAsked, CareDirect},
	{"RequirePasswordChange", AccessRight, LevelJudge, PermEditPasswd, PermPrivEditPasswd, GlobalOnly, SelfAsked, CareDirect},
	{"RequirePasswordReset", AccessRight, LevelJudge, PermEditPasswd, PermPrivEditPasswd, GlobalOnly, SelfAsked, CareDirect},

	// Other ways to sign in.
	{"LinkIdentity", AccessRight, LevelAdmin, PermEditPasswd, PermPrivEditPasswd, GlobalOnly, SelfFree, CareTakeover | CareDirect},
	{"UnlinkIdentity", AccessRight, LevelAdmin, PermEditPasswd, PermPrivEditPasswd, GlobalOnly, SelfFree, CareDirect},
	{"LinkDirectory", AccessRight, LevelAdmin, PermEditPasswd, PermPrivEditPasswd, GlobalOnly, SelfAsked, CareTakeover | CareDirect},
	{"UnlinkDirectory", AccessRight, LevelAdmin, PermEditPasswd, PermPrivEditPasswd, GlobalOnly, SelfAsked, CareDirect},

	// The end.
	{"Delete", AccessRight, LevelAdmin, PermDeleteUser, PermPrivDeleteUser, GlobalOnly, SelfAsked, CareDirect},
	{"Restore", AccessRight, LevelAdmin, PermDeleteUser, PermPrivDeleteUser, GlobalOnly, SelfAsked, CareTakeover | CareDirect},
	{"Purge", AccessRight, LevelAdmin, PermDeleteUser, PermPrivDeleteUser, GlobalOnly, SelfAsked, CareDirect},
}
