package roster

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
)

// UserID is the internal key of a [User]. It is never reused, and zero is no
// user. What the world sees is the UUID.
type UserID int64

// Flags are switches on a [User] that are off for nearly everybody.
type Flags uint32

// The flags. Banned and Locked users cannot sign in.
const (
	FlagPrivileged         Flags = 1 << iota // only those who may change privileged users may change this one
	FlagInvisible                            // left out of public lists
	FlagBanned                               // cannot sign in: a decision about the person
	FlagLocked                               // cannot sign in: a decision about the account
	FlagReadOnly                             // cannot change itself
	FlagNeverClean                           // never removed by Prune
	FlagShowLogin                            // the name may be shown in public
	FlagShowEmail                            // the address may be shown in public
	FlagSimpleRegistration                   // registers for contests without filling in a profile
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
	PasswordChangedAt time.Time `bun:"password_changed_at,nullzero"` // zero also means that there is none
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
// than every auth-sensitive change. Take LastLoginAt of what
// [Users.Authenticate] returned for the time of creation: it lies before the
// password was compared, so that a change meanwhile ends the session. A session
// created in the same microsecond as the change is valid.
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

// UserStore keeps the rows of users. See [Store] for what every method
// promises. A [Model] of a type that the store was not opened for is an
// [InvalidError] of [FieldModel].
type UserStore interface {
	// InsertUser writes a new row and sets its ID. search is what a substring
	// search looks in. A taken name key among users that are not deleted is a
	// [ConflictError] of [FieldName], else a taken UUID one of [FieldUUID].
	InsertUser(ctx context.Context, m Model, search string) error

	// UpdateUser writes every column of m but ID, UUID, CreatedAt and what
	// RecordLogin writes, if the row still has m's Version, and then adds one to
	// both. ErrStale if the row has moved on or is gone, conflicts as in
	// InsertUser.
	UpdateUser(ctx context.Context, m Model, search string) error

	// PurgeUser deletes the row, and with it every row that belongs to the user.
	// ErrNotFound if there is none.
	PurgeUser(ctx context.Context, id UserID) error

	// UserByID and UserByUUID find a user in whatever state, deleted too.
	UserByID(ctx context.Context, id UserID) (Model, error)
	UserByUUID(ctx context.Context, id uuid.UUID) (Model, error)

	// UserByName finds the user that is not deleted and has this name key.
	UserByName(ctx context.Context, key string) (Model, error)

	// UserByEmail finds the user that is not deleted and has activated the
	// address with this key.
	UserByEmail(ctx context.Context, key string) (Model, error)

	// LockUser is UserByID and, in a transaction, holds off every other
	// LockUser and UpdateUser of the row until its end.
	LockUser(ctx context.Context, id UserID) (Model, error)

	// UsersByID returns those users that exist, in the order of their IDs.
	UsersByID(ctx context.Context, ids ...UserID) ([]Model, error)

	// UserPage returns at most q.Limit users, ordered by the bytes of the name
	// key, then by ID. CountUsers counts them all; it ignores the rest of q but
	// State and Contains.
	UserPage(ctx context.Context, q UserQuery) ([]Model, error)
	CountUsers(ctx context.Context, q UserQuery) (int, error)

	// UsersAfter returns the next rows by ID in whatever state, with what
	// InsertUser and UpdateUser were told to search in.
	UsersAfter(ctx context.Context, after UserID, limit int) ([]StoredUser, error)

	// PruneUsers purges at most limit users that were created before that time,
	// were never activated and never signed in, are not deleted, belong to no
	// directory, have none of the flags, have an address (so that they wait for
	// somebody to prove it), and no activation. It returns their IDs, in order.
	PruneUsers(ctx context.Context, before time.Time, without Flags, limit int) ([]UserID, error)
}

// StoredUser is a user as [Users.Check] sees it.
type StoredUser struct {
	User   Model
	Search string
}

// UserQuery is a page of users as a store is asked for it. Contains is already
// folded as the search text is; every character of it is an ordinary one.
type UserQuery struct {
	State    State
	Contains string // substring of the search text; empty matches all
	AfterKey string // the last name key of the page before, and
	AfterID  UserID // its ID; zero for the first page
	Limit    int
}
