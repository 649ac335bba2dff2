package roster

import "time"

// Named is who can be called by a name: *[User], and every type that embeds it.
// It is for views that are not to know more.
type Named interface {
	// DisplayName is what stands beside somebody's words, FirstName its beginning.
	DisplayName() string
	FirstName() string

	// FriendlyName is how to greet somebody. The address may be empty.
	FriendlyName(address string) string
}

// Activatable is an account as far as middleware asks whether it is in use:
// *[User], and every type that embeds it.
type Activatable interface {
	// IsActivated, IsDeleted and CanLogin say how far an account has come.
	IsActivated() bool
	IsDeleted() bool
	CanLogin() bool
}

// SessionHolder is whose sessions may be dead: *[User], and every type that
// embeds it. It is for programs that keep sessions of their own.
type SessionHolder interface {
	SessionValid(created time.Time) bool
}

// Located is who has a time zone of their own to show times in: *[User], and
// every type that embeds it.
type Located interface {
	Location() *time.Location
}

var _ interface {
	Named
	Activatable
	SessionHolder
	Located
} = (*User)(nil)
