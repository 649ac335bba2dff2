package roster

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// UserID is the internal key of a [User]. It is never reused, and zero is no
// user. What the world sees is the UUID.
type UserID int64

// Flags are switches on a [User] that are off for nearly everybody.
type Flags uint32

// The flags. Banned, Locked, Privileged and NeverClean have an effect on roster
// itself; the others are for the program to heed.
const (
	FlagPrivileged         Flags = 1 << iota // not for everybody to change; never removed by Prune
	FlagInvisible                            // to be left out of public lists
	FlagBanned                               // cannot sign in: a decision about the person
	FlagLocked                               // cannot sign in: a decision about the account
	FlagReadOnly                             // not to be changed by the user
	FlagNeverClean                           // never removed by Prune
	FlagShowLogin                            // the name may be shown in public
	FlagShowEmail                            // the address may be shown in public
	FlagSimpleRegistration                   // registers without filling in a profile
	flagsEnd
)

// Has reports whether all of f are set.
func (fl Flags) Has(f Flags) bool { return fl&f == f }

// User is one person's account. Copies are independent except for the map in
// Data. The fields carry tags for the SQL stores; a host embeds User in a
// struct of its own to add columns, see [Model].
type User struct {
	ID          UserID    `bun:"id,pk,autoincrement"` // internal key, set by Create
	UUID        uuid.UUID `bun:"uuid,notnull"`        // random (version 4), what the world sees
	Name        string    `bun:"name,notnull"`        // as typed
	NameKey     string    `bun:"name_key,notnull"`    // canonical and unique, see [NameKey]
	NameAuto    bool      `bun:"name_auto,notnull"`   // the name was made up by Create
	RealName    string    `bun:"real_name,notnull"`   // may be empty, see [User.DisplayName]
	Locale      string    `bun:"locale,notnull"`      // BCP 47 tag; empty is unknown
	Timezone    string    `bun:"timezone,notnull"`    // IANA name; empty is UTC
	DirectoryDN string    `bun:"directory_dn,notnull"`
	DirectoryID string    `bun:"directory_id,notnull"` // empty for a local user
	Enabled     bool      `bun:"enabled,notnull"`      // see [Users.Disable]
	Flags       Flags     `bun:"flags,notnull"`

	// Times are in UTC with microseconds. Zero is never.
	ActivatedAt       time.Time `bun:"activated_at,nullzero"`        // first proof of an address, or an administrator's word
	DeletedAt         time.Time `bun:"deleted_at,nullzero"`          // see [Users.Delete]
	LastLoginAt       time.Time `bun:"last_login_at,nullzero"`       // beginning of the last successful Authenticate
	LastLoginIP       string    `bun:"last_login_ip,notnull"`        // from [Client]; empty is unknown
	PasswordChangedAt time.Time `bun:"password_changed_at,nullzero"` // zero also means that there is none, or one of [Users.ImportPassword]
	AuthChangedAt     time.Time `bun:"auth_changed_at,nullzero"`     // last auth-sensitive change: older sessions are dead
	CreatedAt         time.Time `bun:"created_at,notnull"`
	UpdatedAt         time.Time `bun:"updated_at,notnull"` // last Edit or Save

	Data    Data  `bun:"data,type:json,nullzero"` // what needs no column, see [Field]
	Version int64 `bun:"version,notnull"`         // counts the writes; compared by Save

	Row Row `bun:"-" json:"-"` // see [As]
}

// IsActivated reports whether somebody has proven an address of the account,
// or an administrator vouched for it.
func (u *User) IsActivated() bool { return !u.ActivatedAt.IsZero() }

// IsDeleted reports whether the account was deleted and may be restored.
func (u *User) IsDeleted() bool { return !u.DeletedAt.IsZero() }

// CanLogin reports whether the account may sign in: activated, enabled, not
// deleted, banned or locked.
func (u *User) CanLogin() bool { return u.IsActivated() && u.mayLogin() }

// mayLogin is CanLogin but for the activation, which has an error of its own.
func (u *User) mayLogin() bool {
	return u.Enabled && !u.IsDeleted() && u.Flags&(FlagBanned|FlagLocked) == 0
}

// SessionValid reports whether a session that was created at that time is newer
// than every auth-sensitive change. It is for programs that keep sessions of
// their own and not those of [Users.SignIn]. Take LastLoginAt of what
// [Users.Authenticate] returned for the time of creation: it lies before the
// password was compared, so that a change meanwhile ends the session, and
// every later change lies after it, also while the clock stands still. Of any
// other time, the microsecond of the change is valid.
func (u *User) SessionValid(created time.Time) bool { return !created.Before(u.AuthChangedAt) }

// DisplayName is the real name, or the name if there is none.
func (u *User) DisplayName() string {
	if u.RealName != "" {
		return u.RealName
	}
	return u.Name
}

// FirstName is what stands before the first space of [User.DisplayName].
func (u *User) FirstName() string {
	first, _, _ := strings.Cut(u.DisplayName(), " ")
	return first
}

// FriendlyName is how to greet somebody: the real name, else the name unless
// it was made up, else the given address, else the name after all.
func (u *User) FriendlyName(address string) string {
	switch {
	case u.RealName != "":
		return u.RealName
	case !u.NameAuto || address == "":
		return u.Name
	default:
		return address
	}
}

// Location is the user's time zone, UTC if it is unset or unknown here.
func (u *User) Location() *time.Location {
	if loc, err := loadLocation(u.Timezone); err == nil {
		return loc
	}
	return time.UTC
}
