package roster

import (
	"context"
	"log/slog"
	"time"

	"github.com/go-roster/roster/password"
)

// Options configure [New]. Nil and the zero value are fine: each field says
// what its zero means, and it is the safe choice. New copies them.
type Options struct {
	// Mailer is told of every mail that should be sent. Nil: no mail leaves, so
	// nobody learns a code.
	Mailer Mailer

	// ActivationURL is the page of the host that takes a code, with {code}
	// where the code goes: in the path, the query or (best, since servers and
	// proxies do not log it) the fragment, as in
	// https://app.example.org/activate#{code}. A script on the page has to read
	// it from there; if the code is in the query, the page should be sent with
	// Referrer-Policy: no-referrer. The page must wait for a click before it calls
	// Activate, since mail scanners open links; see [Users.Peek]. Empty: mails
	// carry the code alone.
	ActivationURL string

	// ResetURL is ActivationURL for the codes of [Users.ResetPassword].
	ResetURL string

	// UndoURL is ActivationURL for the codes in notices: the page should offer
	// [Users.UndoChange] and [Users.AcceptChange].
	UndoURL string

	// Directories are asked, in this order, for who signs in by a name or address
	// that no local user has; see [Users.Authenticate]. None: local users only.
	Directories []Directory

	// Hasher makes and verifies password hashes. Nil means password.Hasher{}:
	// argon2id, and whatever other systems have stored and [Users.ImportPassword] took.
	Hasher Hasher

	// HashMemory bounds the memory that hashing takes at once, in MiB. Whoever
	// asks for more waits, each client (see [WithClient]) in a line of its own,
	// and the lines take turns; never more run than there are processors. A
	// hash that takes more than all of it runs alone. Zero means enough for as
	// many new hashes as there are processors (GOMAXPROCS): 19 MiB each. Less
	// than one takes is refused.
	HashMemory int

	// HashQueue is how many may wait. The next one gets ErrBusy, unless another
	// client takes more places: then the last of that one does. Zero means 128
	// for each processor, and 256 at least.
	HashQueue int

	// Limits say how often passwords may be guessed and mails be caused. Zero
	// means the defaults of each.
	Limits Limits

	// Limiter counts against the Limits. Nil means the store, which all
	// programs on it share. A Limiter that fails makes what it should have counted
	// fail, as an [UnavailableError] of [UnavailableLimiter].
	Limiter Limiter

	// Policy is what a new password must satisfy. Zero means at least 8
	// characters, and none of the 49,233 most common ones; never may it be the
	// user's name or address. Put the name of the service into Policy.Words.
	Policy password.Policy

	// ActivationTTL is how long a code is good for. Zero means 24 hours, more
	// than 7 days is refused.
	ActivationTTL time.Duration

	// ResetTTL is how long a code that sets a new password is good for. Zero
	// means one hour, more than 24 hours is refused (NIST SP 800-63B-4, section
	// 4.2.1.2).
	ResetTTL time.Duration

	// UndoTTL is how long a change of the primary address or of the password can
	// be undone from the mailbox that spoke for the account before. Zero means 7
	// days, negative not at all: notices carry no code then. More than 30 days is
	// refused.
	UndoTTL time.Duration

	// PendingTTL is how long an account or an address waits to be proven. Then no
	// more codes are sent to it, and when the last one has expired, Prune removes
	// it. Zero means 7 days, negative for ever; shorter than ActivationTTL is
	// refused.
	PendingTTL time.Duration

	// SessionTTL is how long a session lasts after the sign-in, however much it
	// is used. Zero means 7 days, more than 30 days is refused (NIST SP
	// 800-63B-4, section 2.1.3). A shorter one holds for the sessions that there
	// are, too.
	SessionTTL time.Duration

	// SessionIdle is how long a session lasts without being used, less a minute
	// at most, since use is noted no more often. Zero means 24 hours, negative as
	// long as SessionTTL; less than 5 minutes is refused.
	SessionIdle time.Duration

	// FreshFor is how long after a sign-in [Users.RequireFresh] is satisfied.
	// Zero means 10 minutes, more than one hour is refused.
	FreshFor time.Duration

	// SessionPinned makes a session good only at the address that it was started
	// from, and over TLS only if it was started so: see [WithClient]. People who
	// move between networks have to sign in again. It answers to
	// enable_cookie_ip_check of ejudge.
	SessionPinned bool

	// SessionCache is for how long [Users.Session] may answer from the memory of
	// this process, without asking the store. What is written through the same
	// Users counts at once all the same; what another process writes, or another
	// Users, or the host on its own, after this long at the latest, so that a
	// session which was ended there lives as long here. [As] knows nothing of a
	// User that came out of memory. Sessions in which somebody acts as somebody
	// else, and checks in a transaction, always ask the store. Zero means that all
	// do, more than a minute is refused.
	SessionCache time.Duration

	// PermissionCache is for how long [Users.Can] and [Users.Permissions] may
	// answer from the memory of this process, in some 0.1 µs, without asking the
	// store. What is written through the same Users counts at once all the same; what
	// another process writes, or another Users, or the host on its own, after this
	// long at the latest, so that a permission which was revoked there is held as long
	// here. All other questions, and those in a transaction, always ask the store, and
	// so does what is asked before a verb of [Users.For] acts. Zero means that all do,
	// more than a minute is refused.
	PermissionCache time.Duration

	// NoSignInNotices keeps people from being told of sign-ins from networks that
	// they have not signed in from lately, see [MailNewSignIn]. False: the primary
	// address is told.
	NoSignInNotices bool

	// MayImpersonate decides whether actor may act as target, both as they are
	// stored now: nil says yes, an error is what [Users.Impersonate] returns. It is
	// asked again whenever such a session is checked, and any error ends that; but an
	// ErrUnavailable is passed on. It may run more than once. Nil: who holds
	// [PermImpersonate] may, so nobody if it was never granted.
	MayImpersonate func(ctx context.Context, actor, target *User) error

	// NameHold is how long the name of somebody who was renamed or deleted is
	// kept from others. Zero means 90 days, negative not at all.
	NameHold time.Duration

	// MailKeep is how long the outbox keeps mails that were sent or given up.
	// What they say is not kept: that goes when they are sent, or when a code in
	// them expires. Zero means 30 days, negative for ever.
	MailKeep time.Duration

	// FirstUserIsAdmin makes the first user who is ever activated, however that
	// comes about, the first administrator: a member of the group admin. It answers
	// to the site creator of websauna. Whoever is quickest gets it, so it is for a
	// program that nobody reaches before its owner: [Users.Bootstrap] names one.
	// Nobody gets it where anybody is a member of admin or was activated before.
	// False: nobody becomes an administrator by being first.
	FirstUserIsAdmin bool

	// InitSite sets up what the program needs for its first user, u, once: in the
	// transaction that activates the first user ever, or that of [Users.Bootstrap].
	// What it writes with ctx is part of that; an error undoes all of it, and the
	// next one is the first then. It is contained as OnEvent is. Nil: there is nothing to do.
	InitSite func(ctx context.Context, u *User) error

	// GrantKeep is how long grants are kept that are over, see [Users.GrantDuring].
	// Zero means 30 days, negative for ever.
	GrantKeep time.Duration

	// EventKeep is how long the record of what has happened is kept, see
	// [Users.Events]. Zero means a year, negative for ever; less than a day is
	// refused.
	EventKeep time.Duration

	// OnEvent is called for every event in the transaction that it is recorded in,
	// with the context of that: an error makes the verb fail with an error that wraps
	// it, and nothing of it remains, no mail either. What it writes with that context
	// is part of it. It may run more than once for one event. A panic, and not to
	// return within 10 seconds, is an [UnavailableError] of [UnavailableHook]; heed
	// the context. What was refused anyway (see [Users.Events]) it is not asked about.
	// With an OnEvent, a sign-in that cannot be recorded fails. Nil: all may happen.
	OnEvent func(ctx context.Context, e Event) error

	// AfterEvent is called for every event when its transaction has committed, and
	// for what was refused when it was, before the verb returns. A panic is logged,
	// and nobody waits for it longer than 10 seconds. If the program dies between
	// the commit and the call there is none: what must not be lost belongs into
	// OnEvent. Nil: nobody is told.
	AfterEvent func(ctx context.Context, e Event)

	// ReservedNames are names that nobody can register or be renamed to, besides
	// the built-in ones ("admin", "root", "support" and so on). Create may give
	// them.
	ReservedNames []string

	// Permissions are the host's own permissions, besides those that roster's
	// verbs ask for ("edit_user" and so on). A name that nobody has declared can be
	// neither granted nor asked for. Nil means that there are no others.
	Permissions []PermissionInfo

	// ReservedDataKeys are keys of [User.Data] that nobody may change on their own
	// account through [Users.For] without what it takes for anybody else's, besides
	// "registration_source", "first_login" and "social". One that ends in * stands
	// for all that begin so. Case makes no difference.
	ReservedDataKeys []string

	// SkipActivation makes Register activate the account at once. Addresses
	// still have to be proven before they are good for signing in.
	SkipActivation bool

	// KeepEarlyPassword makes Activate keep a password that was chosen before
	// anybody had proven an address of the account. Then who signs up with the
	// address of somebody else knows the password of the account that the other
	// one activates by clicking in the mail. Otherwise the password has to be said,
	// or chosen anew, with the code: see [Users.ActivateWithPassword].
	KeepEarlyPassword bool

	// TellTakenAddress makes Register, AddEmail and ChangeEmail say, by a
	// ConflictError, that somebody else has activated the address. Otherwise
	// they answer as for a free one and the owner gets a mail, so that nobody
	// learns who has an account.
	TellTakenAddress bool

	// NewModel makes the value of the host's own type that a new person becomes
	// who does not come with one: by Register and Invite without a NewUser.Model,
	// and by a [Directory] or an outside identity, where it may run more than once.
	// draft is what is known so far; what becomes of it, or of the User in the answer,
	// does not matter. Nil, or an answer that is nil, means
	// a plain user: the columns of the host get their defaults. An error ends the
	// verb. See [Model].
	NewModel func(ctx context.Context, draft *User) (Model, error)

	// NewGroupModel is NewModel for a group that is built in, when it is made:
	// CreateGroup takes the value that the host has. Nil, or an answer that is nil,
	// means a plain group. It may run more than once. An error ends the verb. See
	// [GroupModel].
	NewGroupModel func(ctx context.Context, draft *Group) (GroupModel, error)

	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	// Logger gets what an operator should know, never a secret, an e-mail address
	// or a name. Users are there by ID, clients by the address of their network (see
	// [Limits]). Its handler is given the context of the verb. Nil means that nothing
	// is logged.
	Logger *slog.Logger
}
