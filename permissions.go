package roster

// Permission is the name of something that people may or may not do.
type Permission string

// The permissions that roster's own verbs ask for, see [Operations]. They answer
// to the capabilities of ejudge with these names.
const (
	PermCreateUser     Permission = "create_user"
	PermGetUser        Permission = "get_user"
	PermListUsers      Permission = "list_users"
	PermEditUser       Permission = "edit_user"
	PermDeleteUser     Permission = "delete_user"
	PermEditPasswd     Permission = "edit_passwd"
	PermDumpUsers      Permission = "dump_users"
	PermPrivEditUser   Permission = "priv_edit_user"
	PermPrivDeleteUser Permission = "priv_delete_user"
	PermPrivEditPasswd Permission = "priv_edit_passwd"
	PermMasterLogin    Permission = "master_login"
	PermJudgeLogin     Permission = "judge_login"
	PermImpersonate    Permission = "impersonate"
	PermEditGrants     Permission = "edit_grants"
	PermEditGroups     Permission = "edit_groups"
)

// Mode says where a permission has to be held.
type Mode uint8

// The modes.
const (
	GlobalOnly Mode = iota // in scope 0
	ScopeOnly              // in the scope that is asked for
	Either                 // in one of the two
)
