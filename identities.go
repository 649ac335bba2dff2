package roster

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
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

// Identities returns the outside identities of a user, by provider and subject.
// It returns ErrNotFound if there is no such user.
func (us *Users) Identities(ctx context.Context, id UserID) ([]*UserIdentity, error) {
	const verb = "list identities of user"
	u, err := us.byID(ctx, id)
	if err := us.on(ToUser(id)).askOf(ctx, "Identities", u, err); err != nil {
		return nil, wrap(verb, id, err)
	}
	list, err := us.store.IdentitiesOf(ctx, id)
	return list, wrap(verb, id, err)
}

// The bounds of what is kept of an identity: of names in bytes, of lists in
// entries.
const (
	maxProviderBytes  = 64
	maxSubjectBytes   = 255
	maxIdentityEmails = 50
	maxIdentityGroups = 5000
)

// checkProvider refuses what cannot name a directory or provider.
func checkProvider(provider string) error {
	if provider == "" {
		return invalid(FieldProvider, ReasonEmpty)
	}
	return checkText(FieldProvider, provider, maxProviderBytes, maxProviderBytes)
}

// checkSubject refuses what cannot name anybody there.
func checkSubject(subject string) error {
	if subject == "" {
		return invalid(FieldSubject, ReasonEmpty)
	}
	return checkText(FieldSubject, subject, maxSubjectBytes, maxSubjectBytes)
}

// testimony is an [Identity] without what cannot be kept here.
type testimony struct {
	Identity
	keys    []string // of Emails, one by one
	skipped int      // how many addresses were left out
}

// hear takes an Identity for what it is worth. It refuses one that names nobody.
func hear(id *Identity) (*testimony, error) {
	if err := checkProvider(id.Provider); err != nil {
		return nil, err
	}
	if err := checkSubject(id.Subject); err != nil {
		return nil, err
	}
	t := &testimony{Identity: *id}
	t.Emails = nil
	for _, address := range id.Emails {
		key, err := AddressKey(address)
		if slices.Contains(t.keys, key) {
			continue
		}
		if err != nil || len(t.keys) == maxIdentityEmails {
			t.skipped++
			continue
		}
		t.Emails, t.keys = append(t.Emails, address), append(t.keys, key)
	}
	if checkText(FieldRealName, t.RealName, 4*maxRealNameRunes, maxRealNameRunes) != nil {
		t.RealName = ""
	}
	if checkText(FieldDirectory, t.DN, 4*maxDirectoryRunes, maxDirectoryRunes) != nil {
		t.DN = ""
	}
	var err error
	if t.Locale, err = canonicalLocale(t.Locale); err != nil {
		t.Locale = ""
	}
	if checkTimezone(t.Timezone) != nil {
		t.Timezone = ""
	}
	if t.Data, err = t.Data.canonical(); err != nil {
		t.Data = nil
	}
	t.Groups = t.Groups[:min(len(t.Groups), maxIdentityGroups)]
	return t, nil
}

// mergeData returns old with what is new written over it. Objects are merged key
// by key, however deep; null says nothing. No key is ever lost: if there would be
// too much, it is old that stays.
func mergeData(old, news Data) Data {
	if len(news) == 0 {
		return old
	}
	merged := maps.Clone(old)
	if merged == nil {
		merged = Data{}
	}
	for key, raw := range news {
		merged[key] = mergeJSON(merged[key], raw)
		if merged[key] == nil {
			delete(merged, key)
		}
	}
	merged, err := merged.canonical()
	if err != nil {
		return old
	}
	return merged
}

// mergeJSON is mergeData for one value. It is nil if neither says anything.
func mergeJSON(old, news json.RawMessage) json.RawMessage {
	if string(news) == "null" {
		return old
	}
	var was, is Data
	if json.Unmarshal(old, &was) != nil || was == nil || json.Unmarshal(news, &is) != nil || is == nil {
		return news
	}
	for key, raw := range is {
		if raw = mergeJSON(was[key], raw); raw != nil {
			was[key] = raw
		}
	}
	merged, err := was.encode()
	if err != nil {
		return old
	}
	return merged
}

// sameData reports whether two bags hold the same, byte for byte.
func sameData(a, b Data) bool {
	return maps.EqualFunc(a, b, func(x, y json.RawMessage) bool { return string(x) == string(y) })
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
