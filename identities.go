package roster

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
