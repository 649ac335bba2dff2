package roster

import (
	"errors"
	"fmt"
	"slices"
)

// Permission is the name of something that one may or may not do, such as
// "edit_user". A name that is neither one of roster's own nor in
// Options.Permissions is an error wherever it is asked for or granted; where a
// database has one, it counts for nothing.
type Permission string

// The permissions that roster's own verbs ask for. Those that begin with priv_
// stand for the same thing done to a target that is privileged: see
// [Users.Can]. The names are those of ejudge.
const (
	PermCreateUser     Permission = "create_user"
	PermGetUser        Permission = "get_user"
	PermListUsers      Permission = "list_users"
	PermEditUser       Permission = "edit_user"
	PermPrivEditUser   Permission = "priv_edit_user"
	PermDeleteUser     Permission = "delete_user"
	PermPrivDeleteUser Permission = "priv_delete_user"
	PermEditPasswd     Permission = "edit_passwd"
	PermPrivEditPasswd Permission = "priv_edit_passwd"
	PermDumpUsers      Permission = "dump_users"
	PermMasterLogin    Permission = "master_login"
	PermJudgeLogin     Permission = "judge_login"
	PermImpersonate    Permission = "impersonate"
	PermEditGrants     Permission = "edit_grants"
	PermEditGroups     Permission = "edit_groups"
	PermReadEvents     Permission = "read_events"
)

// The names that no program can declare: what the group admin holds, and what
// an empty grant is kept as.
const (
	permAll  Permission = "*"
	permNone Permission = ""
)

// PermissionInfo declares a permission, for [Options]. It is what a page that
// grants them shows.
type PermissionInfo struct {
	Name        Permission // 1 to 64 of a-z, 0-9 and _ . : -, beginning with a letter
	Description string     // what it allows, for people

	// Privileged is the permission that takes its place where the target is
	// privileged. Empty: there is none, one is enough for every target.
	Privileged Permission
}

var ownPermissions = []PermissionInfo{
	{PermCreateUser, "Create users.", ""},
	{PermGetUser, "See a user with everything that is not secret.", ""},
	{PermListUsers, "List and search users, also those who are hidden.", ""},
	{PermEditUser, "Change users who are not privileged.", PermPrivEditUser},
	{PermPrivEditUser, "Change privileged users.", ""},
	{PermDeleteUser, "Delete users who are not privileged.", PermPrivDeleteUser},
	{PermPrivDeleteUser, "Delete privileged users.", ""},
	{PermEditPasswd, "Set passwords of users who are not privileged.", PermPrivEditPasswd},
	{PermPrivEditPasswd, "Set passwords of privileged users.", ""},
	{PermDumpUsers, "Export users.", ""},
	{PermMasterLogin, "Sign in as an administrator.", ""},
	{PermJudgeLogin, "Sign in as a judge.", ""},
	{PermImpersonate, "Act as a user whose rights one holds.", ""},
	{PermEditGrants, "Grant and revoke what one holds oneself.", ""},
	{PermEditGroups, "Create, change and delete groups, and say who is in them.", ""},
	{PermReadEvents, "See what has happened to everybody, and who did it.", ""},
}

// DeclaredPermissions returns the permissions that there are: roster's own, then those
// of Options.Permissions.
func (us *Users) DeclaredPermissions() []PermissionInfo { return slices.Clone(us.perms.all) }

// permissions is the registry.
type permissions struct {
	all  []PermissionInfo
	info map[Permission]PermissionInfo
}

// newPermissions is the registry of roster's own permissions and the host's. It
// refuses names that are malformed or declared twice.
func newPermissions(host []PermissionInfo) (permissions, error) {
	ps := permissions{slices.Concat(ownPermissions, host), map[Permission]PermissionInfo{}}
	var errs []error
	for _, info := range ps.all {
		switch _, twice := ps.info[info.Name]; {
		case !info.Name.wellFormed():
			errs = append(errs, fmt.Errorf("%q is not a name of a permission", info.Name))
		case twice:
			errs = append(errs, fmt.Errorf("%q is declared twice", info.Name))
		}
		ps.info[info.Name] = info
	}
	for _, info := range host {
		if _, known := ps.info[info.Privileged]; info.Privileged != "" && !known {
			errs = append(errs, fmt.Errorf("%q, for privileged targets, is not declared", info.Privileged))
		}
	}
	return ps, errors.Join(errs...)
}

// wellFormed reports whether a permission may have the name.
func (p Permission) wellFormed() bool {
	if p == "" || len(p) > 64 || p[0] < 'a' || p[0] > 'z' {
		return false
	}
	for i := range len(p) {
		switch c := p[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', c == '.', c == ':', c == '-':
		default:
			return false
		}
	}
	return true
}

// check refuses what nobody has declared.
func (ps permissions) check(names ...Permission) error {
	for _, name := range names {
		if _, known := ps.info[name]; !known {
			return invalid(FieldPermission, ReasonUnknown)
		}
	}
	return nil
}
