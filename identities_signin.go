package roster

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"
)

// SignInWith signs in whoever an outside provider says it is, and starts a
// session, as [Users.SignIn] does. It is for a program that has checked the
// provider's word just now: the signature, audience, nonce and time of an OpenID
// token, or the answer to a request of its own. Package socials makes the
// Identity of what Google, GitHub, Facebook and Twitter say.
//
// It is the user who has the identity, by [Identity.Provider] and Subject. If
// nobody has it and the provider vouches for an address that a user here has
// activated, it is linked to that user, who is told. An address that is only
// claimed here joins nobody: who claims it may not be who reads its mail
// (Sudhodanan and Paverd, Pre-hijacked accounts, USENIX Security 2022). Else it
// becomes a new account: with the name, if that is allowed and free, the addresses
// that the provider vouches for, [RegistrationSource] and [FirstLogin]. If it vouches
// for none, the first address is claimed as by [Users.Register] and a code sent, for
// [Users.ActivateWithIdentity]; until then it is ErrNotActivated.
//
// Later sign-ins merge Data into what was said before ([UserIdentity]), fill in the
// real name, the locale and the time zone where there are none, prove addresses
// that the user waits to prove, and clear FirstLogin.
//
// It returns ErrCredentials if the user is disabled, deleted, banned or locked,
// or belongs to a directory, which alone signs its people in; an [InvalidError]
// of [FieldProvider] or [FieldSubject], also if the provider has the ID of a
// directory, or of [FieldEmail] with [ReasonEmpty] if there is neither an account
// nor an address to make one with; ErrThrottled as Register; and ErrStale as
// SignIn.
func (us *Users) SignInWith(ctx context.Context, id Identity) (*Session, Secret, error) {
	const verb = "sign in with identity"
	if err := us.ask(ctx, "SignInWith"); err != nil {
		return nil, Secret{}, wrap(verb, 0, err)
	}
	at := us.now()
	u, err := us.authenticateWith(ctx, id)
	if err != nil {
		return nil, Secret{}, wrap(verb, 0, err)
	}
	s, token, err := us.startSession(ctx, u, at)
	return s, token, wrap(verb, 0, err)
}

// AuthenticateWith is [Users.SignInWith] without a session, as [Users.Authenticate]
// is SignIn without one.
func (us *Users) AuthenticateWith(ctx context.Context, id Identity) (*User, error) {
	err := us.ask(ctx, "AuthenticateWith")
	var u *User
	if err == nil {
		u, err = us.authenticateWith(ctx, id)
	}
	return u, wrap("authenticate with identity", 0, err)
}

func (us *Users) authenticateWith(ctx context.Context, id Identity) (*User, error) {
	at := us.now() // before anything is read: see User.SessionValid
	said, err := us.hearProvider(&id)
	if err != nil {
		return nil, err
	}
	u, err := us.identified(ctx, said)
	if errors.Is(err, ErrCredentials) {
		us.emitLate(ctx, Event{Kind: EventSignInFailed, Details: details(detailVerb, "authenticate with identity", detailOutcome, "refused")})
	}
	if err != nil {
		return nil, err
	}
	if at.Before(u.AuthChangedAt) {
		at = u.AuthChangedAt
	}
	if err := us.recordLogin(ctx, u, at); err != nil {
		return nil, err
	}
	return u, nil
}

// hearProvider is hear for a provider that is no directory.
func (us *Users) hearProvider(id *Identity) (*testimony, error) {
	if us.directory(id.Provider) != nil {
		return nil, invalid(FieldProvider, ReasonReserved)
	}
	return hear(id)
}

// identified finds or makes the user of an identity.
func (us *Users) identified(ctx context.Context, said *testimony) (u *User, err error) {
	i, m, err := us.store.IdentityBySubject(ctx, said.Provider, said.Subject)
	switch {
	case err == nil && us.newsOf(bind(m), i, said) == nil:
		return us.admit(ctx, m.RosterUser(), said)
	case err != nil && !errors.Is(err, ErrNotFound):
		return nil, err
	}
	unknown, mail := err != nil, false
	if unknown && !said.EmailsVerified && len(said.Emails) > 0 { // most likely a new account
		if err := us.countRequest(ctx); err != nil {
			return nil, err
		}
		var done func(error)
		if mail, done, err = us.countClaim(ctx, said.Emails[0]); err != nil {
			return nil, err
		}
		defer func() { done(err) }()
	}
	for try := 1; ; try++ {
		u, err = us.identify(ctx, said, try == 1, mail)
		if !errors.Is(err, ErrConflict) || try == maxRaces || inTransaction(ctx) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return us.admit(ctx, u, said)
}

// newsOf says what an identity has to say that is not known of its user yet.
func (us *Users) newsOf(u *User, i *UserIdentity, said *testimony) (news []string) {
	for _, n := range []struct {
		what string
		new  bool
	}{
		{FieldRealName, u.RealName == "" && said.RealName != ""},
		{FieldLocale, u.Locale == "" && said.Locale != ""},
		{FieldTimezone, u.Timezone == "" && said.Timezone != ""},
		{FieldEmail, !u.IsActivated() && said.EmailsVerified},
		{string(FirstLogin), returning(u)},
		{FieldData, !sameData(i.Data, mergeData(i.Data, said.Data))},
	} {
		if n.new {
			news = append(news, n.what)
		}
	}
	return news
}

// refresh writes down what is new, see newsOf. The row of the user is locked.
func (us *Users) refresh(ctx context.Context, m Model, i *UserIdentity, said *testimony) error {
	u, now := m.RosterUser(), us.now()
	news := us.newsOf(u, i, said)
	if slices.Contains(news, FieldData) {
		i.Data, i.UpdatedAt = mergeData(i.Data, said.Data), now
		if err := us.store.UpdateIdentity(ctx, i); err != nil {
			return err
		}
	}
	if slices.Contains(news, FieldEmail) {
		if err := us.proveClaimed(ctx, m, said, now); err != nil {
			return err
		}
	}
	u.RealName, u.Locale, u.Timezone = cmp.Or(u.RealName, said.RealName), cmp.Or(u.Locale, said.Locale), cmp.Or(u.Timezone, said.Timezone)
	if slices.Contains(news, string(FirstLogin)) {
		if err := FirstLogin.Set(u, false); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(news, func(what string) bool { return what != FieldData && what != FieldEmail }) {
		return nil
	}
	u.UpdatedAt = now
	return us.update(ctx, m)
}

// proveClaimed takes those addresses of a user for proven that the provider
// vouches for.
func (us *Users) proveClaimed(ctx context.Context, m Model, said *testimony, now time.Time) error {
	emails, err := us.store.EmailsOf(ctx, m.RosterUser().ID)
	if err != nil {
		return err
	}
	some := new(testimony)
	for n, key := range said.keys {
		if withKey(emails, key) != nil {
			some.Emails, some.keys = append(some.Emails, said.Emails[n]), append(some.keys, key)
		}
	}
	_, _, err = us.giveEmails(ctx, m, some, now)
	return err
}

// maxRaces is how often a first sign-in is tried of which somebody else took the
// identity, the name or an address meanwhile.
const maxRaces = 5

// admit tells whether somebody may come in.
func (us *Users) admit(ctx context.Context, u *User, said *testimony) (*User, error) {
	switch {
	case !u.mayLogin():
		return nil, us.barred(ctx, u.ID, said, "cannot sign in")
	case u.DirectoryID != "" && u.DirectoryID != said.Provider:
		return nil, us.barred(ctx, u.ID, said, "belongs to another directory")
	case !u.IsActivated():
		return nil, ErrNotActivated
	}
	return u, nil
}

// barred is the one answer to an identity that signs nobody in. The reason is for
// the operator.
func (us *Users) barred(ctx context.Context, id UserID, said *testimony, reason string) error {
	us.opts.Logger.WarnContext(ctx, "identity refused",
		slog.String("provider", said.Provider), slog.Int64("user", int64(id)), slog.String("reason", reason))
	return ErrCredentials
}
