package roster

import "slices"

// The kinds of events. What changes something is recorded in the transaction of
// the change, unless it says otherwise. Behind the dash are the details.
const (
	// Accounts.
	EventUserCreated   EventKind = "user.created"   // - activated, source
	EventUserActivated EventKind = "user.activated" // by the first proof, or by the program
	EventUserEdited    EventKind = "user.edited"    // - fields, columns of the host too; flags and was_flags, where they differ
	EventUserRenamed   EventKind = "user.renamed"   // an auth-sensitive change of the name
	EventUserDisabled  EventKind = "user.disabled"
	EventUserEnabled   EventKind = "user.enabled"
	EventUserDeleted   EventKind = "user.deleted"
	EventUserRestored  EventKind = "user.restored"
	EventUserPurged    EventKind = "user.purged" // also by Prune - pruned

	// EventSiteInitialized says that the first user was seen to - admin, if that
	// made an administrator of it.
	EventSiteInitialized EventKind = "site.initialized"

	// Addresses, by their IDs.
	EventEmailClaimed       EventKind = "email.claimed"       // - email; owner, if somebody else has it
	EventEmailActivated     EventKind = "email.activated"     // - email
	EventEmailPrimary       EventKind = "email.primary"       // another one speaks for the user - email
	EventEmailRemoved       EventKind = "email.removed"       // - emails
	EventEmailUndeliverable EventKind = "email.undeliverable" // a server has refused the address, beside the EventMailFailed - mail, mail_kind, error

	// Codes in mails.
	EventCodeSent     EventKind = "code.sent"     // - purpose, email
	EventCodeRedeemed EventKind = "code.redeemed" // - purpose, email
	EventCodeRefused  EventKind = "code.refused"  // whoever tried it; see [Users.Events] - verb

	// Passwords.
	EventPasswordChanged    EventKind = "password.changed"
	EventPasswordReset      EventKind = "password.reset"     // by a code
	EventPasswordGenerated  EventKind = "password.generated" // - keep
	EventPasswordImported   EventKind = "password.imported"
	EventPasswordRemoved    EventKind = "password.removed"
	EventPasswordMustChange EventKind = "password.must_change"
	EventPasswordConfirmed  EventKind = "password.confirmed" // by who was signed in; changes nothing
	EventPasswordsWrapped   EventKind = "passwords.wrapped"  // after a call of WrapPasswords - hashes, unknown

	// Outside identities and directories.
	EventIdentityLinked   EventKind = "identity.linked"   // - provider
	EventIdentityUnlinked EventKind = "identity.unlinked" // - provider, or how many identities
	EventUserFollowed     EventKind = "user.followed"     // took over what a directory says - provider, fields, skipped addresses
	EventDirectorySynced  EventKind = "directory.synced"  // after a call of ApplySync - provider, how many of each

	// Sign-ins.
	EventFirstSignIn     EventKind = "sign_in.first" // before the EventSignIn
	EventSignIn          EventKind = "sign_in"
	EventNewPlace        EventKind = "sign_in.new_place" // after the EventSignIn, if a mail tells of it
	EventSignInFailed    EventKind = "sign_in.failed"    // a password was wrong, or did not help; see [Users.Events] - verb, outcome
	EventSignInThrottled EventKind = "sign_in.throttled" // nothing was looked at; see [Users.Events] - verb

	// Sessions. One that runs out is not recorded.
	EventSessionStarted       EventKind = "session.started"         // - session
	EventSessionRenewed       EventKind = "session.renewed"         // has a new token - session
	EventSessionEnded         EventKind = "session.ended"           // - session
	EventSessionsEnded        EventKind = "sessions.ended"          // all of a user, or all others - others
	EventReauthenticated      EventKind = "session.reauthenticated" // - session
	EventImpersonationStarted EventKind = "impersonation.started"   // - session
	EventImpersonationEnded   EventKind = "impersonation.ended"     // - session

	// Notices.
	EventChangeUndone   EventKind = "change.undone"
	EventChangeAccepted EventKind = "change.accepted"

	// Mails that were given up, and taken up again, by package mailer, in its
	// transactions: no Options.OnEvent or AfterEvent is told.
	EventMailFailed EventKind = "mail.failed" // - mail, mail_kind, error
	EventMailResent EventKind = "mail.resent" // by Outbox.Resend - mails: how many

	// EventPruned says that a call of Prune has removed something - how many of
	// each. It is apart from the removal.
	EventPruned EventKind = "pruned"

	// EventDenied says that an actor was refused what they asked for, see
	// [Users.For] and [Users.Events]: whom and where they asked about - verb.
	EventDenied EventKind = "denied"
)

// The kinds of events of groups and grants. Details of the grants: the
// permissions and, if there is a limit, from and until. A group that is deleted
// takes its members and grants with it, without more events.
const (
	EventGroupCreated  EventKind = "group.created"
	EventGroupEdited   EventKind = "group.edited" // - fields
	EventGroupDeleted  EventKind = "group.deleted"
	EventMemberAdded   EventKind = "member.added" // or what the membership says has changed
	EventMemberRemoved EventKind = "member.removed"
	EventGranted       EventKind = "grant.given" // or its period has changed
	EventRevoked       EventKind = "grant.revoked"
)

// The keys of details.
const (
	detailVerb     = "verb"
	detailOutcome  = "outcome"
	detailEmail    = "email"
	detailEmails   = "emails"
	detailOwner    = "owner"
	detailPurpose  = "purpose"
	detailSession  = "session"
	detailProvider = "provider"
	detailPruned   = "pruned"
	detailMany     = "many" // so many rows that these are counted together
)

var eventKinds = []EventKind{
	EventUserCreated, EventUserActivated, EventUserEdited, EventUserRenamed, EventUserDisabled, EventUserEnabled, EventUserDeleted,
	EventUserRestored, EventUserPurged, EventSiteInitialized, EventEmailClaimed, EventEmailActivated, EventEmailPrimary, EventEmailRemoved,
	EventEmailUndeliverable, EventCodeSent, EventCodeRedeemed, EventCodeRefused, EventPasswordChanged, EventPasswordReset,
	EventPasswordGenerated, EventPasswordImported, EventPasswordRemoved, EventPasswordMustChange, EventPasswordConfirmed,
	EventPasswordsWrapped, EventIdentityLinked, EventIdentityUnlinked, EventUserFollowed, EventDirectorySynced, EventFirstSignIn, EventNewPlace, EventSignIn, EventSignInFailed, EventSignInThrottled, EventSessionStarted,
	EventSessionRenewed, EventSessionEnded, EventSessionsEnded, EventReauthenticated, EventImpersonationStarted,
	EventImpersonationEnded, EventChangeUndone, EventChangeAccepted, EventMailFailed, EventMailResent, EventPruned, EventDenied,
	EventGroupCreated, EventGroupEdited, EventGroupDeleted, EventMemberAdded, EventMemberRemoved, EventGranted, EventRevoked,
}

// EventKinds returns every kind that roster records.
func EventKinds() []EventKind { return slices.Clone(eventKinds) }

// IsOwn reports whether the kind is one of roster's.
func (k EventKind) IsOwn() bool { return slices.Contains(eventKinds, k) }
