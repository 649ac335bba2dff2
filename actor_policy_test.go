package roster_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-roster/roster"
)

// policy is who may do what, written down from the permission matrix of ejudge's
// user database (privCreateUser and so on; what it asks for in one contest holds
// there alone) and not from the table of this package. Columns:
//
//	who    any: everybody but nobody at all; free: that one too, since nothing is
//	       looked at; program: no actor ever; right: who has the rights that follow
//	level  the door that somebody has to come through
//	plain  the permission for a target without privileges
//	priv   the one for a privileged target; = is the same, for whatever target
//	check  db: held globally; dbcnts: globally or in the actor's scope
//	self   none: one needs nothing for oneself; edit: nothing unless flagged read
//	       only, and for harmless fields; caps: as for anybody else; - no target
//	over   yes: not onto somebody who holds what the actor lacks, since it leads
//	       to acting as them; mine: nothing is given or taken but what the actor
//	       holds
//	acting no: not while somebody acts as another user
const policy = `
verb                   who      level  plain        priv              check   self  over  acting

Register               any      -      -            -                 -       -     -     yes
Activate               any      -      -            -                 -       -     -     yes
ActivateWithPassword   any      -      -            -                 -       -     -     yes
ResendActivation       any      -      -            -                 -       -     -     yes
Peek                   any      -      -            -                 -       -     -     yes
Authenticate           any      -      -            -                 -       -     -     yes
SignIn                 any      -      -            -                 -       -     -     yes
SignOut                any      -      -            -                 -       -     -     yes
Session                any      -      -            -                 -       -     -     yes
RenewSession           any      -      -            -                 -       -     -     yes
Reauthenticate         any      -      -            -                 -       -     -     yes
EndOtherSessions       any      -      -            -                 -       -     -     yes
RequestPasswordReset   any      -      -            -                 -       -     -     yes
ResetPassword          any      -      -            -                 -       -     -     yes
RenewPassword          any      -      -            -                 -       -     -     yes
ChangePasswordIn       any      -      -            -                 -       -     -     yes
UndoChange             any      -      -            -                 -       -     -     yes
AcceptChange           any      -      -            -                 -       -     -     yes
Impersonate            any      -      -            -                 -       -     -     yes
StopImpersonating      any      -      -            -                 -       -     -     yes

For                    free     -      -            -                 -       -     -     yes
Atomic                 free     -      -            -                 -       -     -     yes
CheckNewUser           free     -      -            -                 -       -     -     yes
IsFresh                free     -      -            -                 -       -     -     yes
RequireFresh           free     -      -            -                 -       -     -     yes
DeclaredPermissions    free     -      -            -                 -       -     -     yes
Record                 free     -      -            -                 -       -     -     yes

StartSession           program  -      -            -                 -       -     -     yes
AuthenticateWith       program  -      -            -                 -       -     -     yes
SignInWith             program  -      -            -                 -       -     -     yes
ActivateWithIdentity   program  -      -            -                 -       -     -     yes
PlanSync               program  -      -            -                 -       -     -     yes
ApplySync              program  -      -            -                 -       -     -     yes
Check                  program  -      -            -                 -       -     -     yes
Prune                  program  -      -            -                 -       -     -     yes
PasswordFormats        program  -      -            -                 -       -     -     yes
WrapPasswords          program  -      -            -                 -       -     -     yes
Bootstrap              program  -      -            -                 -       -     -     yes

CreateGroup            right    admin  edit_groups  =                 db      -     -     no
EditGroup              right    admin  edit_groups  =                 db      -     -     no
DeleteGroup            right    admin  edit_groups  =                 db      -     mine  no
AddMember              right    admin  edit_groups  =                 db      caps  mine  no
RemoveMember           right    admin  edit_groups  =                 db      caps  mine  no
SetRank                right    admin  edit_groups  =                 db      caps  mine  no
BuiltInGroup           right    judge  list_users   =                 db      -     -     yes
GroupByID              right    judge  list_users   =                 db      -     -     yes
GroupByUUID            right    judge  list_users   =                 db      -     -     yes
GroupByName            right    judge  list_users   =                 db      -     -     yes
Groups                 right    judge  list_users   =                 db      -     -     yes
Members                right    judge  get_user     =                 db      -     -     yes
Memberships            right    judge  get_user     =                 db      -     -     yes
GroupsOf               right    judge  get_user     =                 db      -     -     yes
Ranks                  right    judge  get_user     =                 db      -     -     yes
CanAll                 right    judge  get_user     =                 db      -     -     yes
IsPrivileged           right    judge  get_user     =                 db      -     -     yes
InGroup                right    judge  get_user     =                 db      none  -     yes
Can                    right    judge  get_user     =                 db      none  -     yes
Permissions            right    judge  get_user     =                 db      none  -     yes
WhereCan               right    judge  get_user     =                 db      none  -     yes
Explain                right    judge  get_user     =                 db      none  -     yes

Grant                  right    admin  edit_grants  =                 dbcnts  caps  mine  no
GrantDuring            right    admin  edit_grants  =                 dbcnts  caps  mine  no
Revoke                 right    admin  edit_grants  =                 dbcnts  caps  mine  no
RevokeAll              right    admin  edit_grants  =                 dbcnts  caps  mine  no
GrantsIn               right    judge  edit_grants  =                 dbcnts  -     -     yes
WhoCan                 right    judge  edit_grants  =                 dbcnts  -     -     yes
GrantsOf               right    judge  edit_grants  =                 db      -     -     yes
Diff                   right    judge  edit_grants  =                 db      -     -     yes

Create                 right    judge  create_user  =                 db      -     -     yes
Invite                 right    judge  create_user  =                 db      -     -     yes

ByID                   right    judge  list_users   =                 dbcnts  none  -     yes
ByUUID                 right    judge  list_users   =                 dbcnts  none  -     yes
ByName                 right    judge  list_users   =                 dbcnts  none  -     yes
ByIDs                  right    judge  list_users   =                 dbcnts  -     -     yes
ByEmail                right    judge  get_user     =                 db      none  -     yes
ByAddress              right    judge  get_user     =                 db      none  -     yes
EmailInUse             right    judge  get_user     =                 db      -     -     yes
Search                 right    judge  list_users   =                 db      -     -     yes
Count                  right    judge  list_users   =                 db      -     -     yes
All                    right    judge  list_users   =                 db      -     -     yes
Each                   right    judge  list_users   =                 db      -     -     yes
Emails                 right    judge  get_user     =                 db      none  -     yes
PrimaryEmail           right    judge  get_user     =                 db      none  -     yes
EmailsOf               right    judge  get_user     =                 db      -     -     yes
Sessions               right    judge  get_user     =                 db      none  -     yes
Events                 right    judge  read_events  =                 db      none  -     yes
Identities             right    judge  get_user     =                 db      none  -     yes

Edit                   right    judge  edit_user    priv_edit_user    db      edit  -     yes
Save                   right    judge  edit_user    priv_edit_user    db      edit  -     yes
MergeData              right    judge  edit_user    priv_edit_user    db      edit  -     yes
ActivateUser           right    judge  edit_user    priv_edit_user    db      caps  yes   yes
Disable                right    judge  edit_user    priv_edit_user    db      caps  -     no
Enable                 right    judge  edit_user    priv_edit_user    db      caps  yes   no
AddEmail               right    judge  edit_user    priv_edit_user    db      edit  yes   no
ChangeEmail            right    judge  edit_user    priv_edit_user    db      edit  yes   no
SetPrimaryEmail        right    judge  edit_user    priv_edit_user    db      edit  yes   no
RemoveEmail            right    judge  edit_user    priv_edit_user    db      edit  yes   no
AddActivatedEmail      right    admin  edit_user    priv_edit_user    db      caps  yes   no
EndSession             right    judge  edit_user    priv_edit_user    db      none  -     no
EndSessions            right    judge  edit_user    priv_edit_user    db      none  -     no

SetPassword            right    judge  edit_passwd  priv_edit_passwd  db      caps  yes   no
ImportPassword         right    admin  edit_passwd  priv_edit_passwd  db      caps  yes   no
ChangePassword         right    admin  edit_passwd  priv_edit_passwd  db      none  yes   no
GeneratePassword       right    admin  edit_passwd  priv_edit_passwd  db      none  yes   no
RemovePassword         right    judge  edit_passwd  priv_edit_passwd  db      caps  -     no
RequirePasswordChange  right    judge  edit_passwd  priv_edit_passwd  db      caps  -     no
RequirePasswordReset   right    judge  edit_passwd  priv_edit_passwd  db      caps  -     no
LinkIdentity           right    admin  edit_passwd  priv_edit_passwd  db      none  yes   no
UnlinkIdentity         right    admin  edit_passwd  priv_edit_passwd  db      none  -     no
LinkDirectory          right    admin  edit_passwd  priv_edit_passwd  db      caps  yes   no
UnlinkDirectory        right    admin  edit_passwd  priv_edit_passwd  db      caps  -     no
CheckPassword          right    -      -            -                 -       none  -     no

Delete                 right    admin  delete_user  priv_delete_user  db      caps  -     no
Restore                right    admin  delete_user  priv_delete_user  db      caps  yes   no
Purge                  right    admin  delete_user  priv_delete_user  db      caps  -     no
`

// rule is a line of the policy.
type rule struct {
	Verb, Who, Level, Plain, Priv, Check, Self, Over, Acting string
}

// rules reads the policy.
func rules(t testing.TB) []rule {
	t.Helper()
	var all []rule
	for line := range strings.Lines(policy) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "verb" {
			continue
		}
		if len(f) != 9 {
			t.Fatalf("the policy has a line of %d columns: %s", len(f), line)
		}
		all = append(all, rule{f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8]})
	}
	return all
}

// level is the one that the rule names.
func (r rule) level() roster.Level {
	switch r.Level {
	case "judge":
		return roster.LevelJudge
	case "admin":
		return roster.LevelAdmin
	}
	return roster.LevelUser
}

func (r rule) String() string { return fmt.Sprint(r.Verb, ": ", r.Level, " ", r.Plain) }
