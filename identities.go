package roster

import (
	"context"
	"time"
)

// Identity is what a directory or an outside provider says of somebody who has
// just proven there to be it. Provider and Subject say who that is; the others
// may be empty, and what of them cannot be kept here is left out.
type Identity struct {
	Provider string // [Directory].ID, or "google", "github" and so on
	Subject  string // immutable there, and never given to another: entryUUID, objectGUID, sub

	DN       string // where the entry is in a directory; it may move
	Name     string // what to sign in with, see [NameKey]
	RealName string

	// Emails are the addresses of the person, the main one first. EmailsVerified
	// says that the provider vouches for it that the person receives mail at
	// each. Without it they are worth what anybody types into a form.
	Emails         []string
	EmailsVerified bool

	Locale   string // BCP 47 tag
	Timezone string // IANA name

	// Groups are names in the directory, see [DirectoryGroups].
	Groups []string

	// Disabled says that the directory has the entry and lets nobody in by it.
	Disabled bool

	// Data is what else is to be kept, in [UserIdentity].
	Data Data
}

// The bounds of what names an identity, in bytes.
const (
	maxProviderBytes = 64
	maxSubjectBytes  = 255
)

// checkProvider refuses what cannot name a directory or provider.
func checkProvider(provider string) error {
	if provider == "" {
		return invalid(FieldProvider, ReasonEmpty)
	}
	return checkText(FieldProvider, provider, maxProviderBytes, maxProviderBytes)
}

// UserIdentity is one outside identity by which a user signs in: the person of
// that Subject at that Provider. Nobody else can have it.
type UserIdentity struct {
	Provider string
	Subject  string
	UserID   UserID

	// Emails are the keys of the addresses that a directory has given to the user,
	// and may take away again.
	Emails []string

	// Data is what the provider has said, of every key the last.
	Data Data

	CreatedAt time.Time
	UpdatedAt time.Time // when Emails or Data last changed
}

// IdentityStore keeps the rows of outside identities.
type IdentityStore interface {
	// InsertIdentity writes a new row. A [ConflictError] of [FieldSubject] says
	// that the subject of the provider is taken, one of [FieldUser] that there is
	// no such user.
	InsertIdentity(ctx context.Context, i *UserIdentity) error

	// IdentityBySubject finds an identity with its user, in whatever state.
	IdentityBySubject(ctx context.Context, provider, subject string) (*UserIdentity, Model, error)

	// IdentitiesOf returns those of the users, by user, then by the bytes of
	// provider and subject.
	IdentitiesOf(ctx context.Context, users ...UserID) ([]*UserIdentity, error)

	// IdentitiesAfter returns the next rows of a provider by subject, of users in
	// whatever state.
	IdentitiesAfter(ctx context.Context, provider, after string, limit int) ([]*UserIdentity, error)

	// UpdateIdentity writes Emails, Data and UpdatedAt of the row with this
	// provider, subject and user. ErrNotFound if there is none.
	UpdateIdentity(ctx context.Context, i *UserIdentity) error

	// DeleteIdentities deletes those of a user: all of them, or only those of a
	// provider and with a subject (if these are not empty). It returns how many.
	DeleteIdentities(ctx context.Context, user UserID, provider, subject string) (int, error)
}
