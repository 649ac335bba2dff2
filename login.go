package roster

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/go-roster/roster/password"
)

// Client says where a request comes from. Put it into the context once per
// request with [WithClient].
type Client struct {
	Addr      netip.Addr // the peer's address; the host decides which header to believe
	UserAgent string
	TLS       bool
}

type clientKey struct{}

// WithClient returns a context that carries the client of the request.
func WithClient(ctx context.Context, c Client) context.Context {
	return context.WithValue(ctx, clientKey{}, c)
}

// ClientFrom returns the client of the request, or the zero Client.
func ClientFrom(ctx context.Context) Client {
	c, _ := ctx.Value(clientKey{}).(Client)
	return c
}

// addr is the address as it is kept and compared: IPv4 as such also if it was
// mapped into IPv6, without a zone, empty if it is unknown.
func (c Client) addr() string {
	if !c.Addr.IsValid() {
		return ""
	}
	return c.Addr.Unmap().WithZone("").String()
}

// Authenticate signs a user in by name or activated address, and records when
// and from where (see [WithClient]). It answers ErrCredentials, after equal
// work, to whatever is wrong: no such user, wrong or no password, disabled,
// deleted, banned or locked. ErrNotActivated is told only to who knows the
// password, and so is ErrMustChangePassword, where the password is good for
// [Users.RenewPassword] alone. Neither counts as a sign-in. An address that is
// not proven signs nobody in, and nobody is told that it waits, unless
// Options.TellTakenAddress is set: else who signs up with the address of another
// would learn whether that one has an account.
//
// Who is unknown here is looked for in Options.Directories, in their order, and who
// belongs to one in that one alone; a local user has the password here and is never
// looked for elsewhere. What a directory says of somebody with the right password is
// taken over: the account is made at the first sign-in, and brought up to date at every
// later one. There is none for whom the name is taken here, reserved or no name, until
// [Users.LinkDirectory]: that is ErrCredentials, too. A directory that fails is an
// [UnavailableError], and lets nobody in.
//
// It answers a [ThrottledError], without the work, to who has failed too often;
// see [Limits]. Nobody else's failures keep the owner of an account out.
//
// A stored hash of other parameters than Options.Hasher's is replaced. A
// database that can only be read, or is busy with another writer for too long,
// still signs people in; that is not recorded then.
func (us *Users) Authenticate(ctx context.Context, login, password string) (*User, error) {
	if err := us.ask(ctx, "Authenticate"); err != nil {
		return nil, wrap("authenticate", 0, err)
	}
	u, err := us.authenticate(ctx, login, password)
	return u, wrap("authenticate", 0, err)
}

func (us *Users) authenticate(ctx context.Context, login, typed string) (*User, error) {
	at := us.now() // before anything is read: see User.SessionValid
	k, err := us.know(ctx, "authenticate", login, typed)
	if err != nil {
		return nil, err
	}
	u := k.user
	if at.Before(u.AuthChangedAt) { // as it was read: the clock stands still, or went back
		at = u.AuthChangedAt
	}
	if k.rehash {
		AfterCommit(ctx, func(ctx context.Context) { us.rehash(ctx, k.credential, typed) })
	}
	if err := us.recordLogin(ctx, u, at); err != nil {
		return nil, err
	}
	return u, nil
}

// knowing is somebody who knows the password.
type knowing struct {
	user       *User
	credential *Credential
	rehash     bool
	failures   int // of others, or of theirs, before
}

// know finds whom a login means and compares the password. It returns
// ErrCredentials, ErrNotActivated and ErrMustChangePassword as
// [Users.Authenticate], the last one beside who it is.
func (us *Users) know(ctx context.Context, verb, login, typed string) (k knowing, err error) {
	m, c, err := us.loginRow(ctx, login)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return k, err
	}
	k.credential = c
	list := us.directoriesFor(login, m)
	k.failures, err = us.guess(ctx, verb, accountOf(login, m), func(ctx context.Context, g *guess) (err error) {
		if len(list) > 0 {
			k.user, err = us.byDirectory(ctx, g, list, login, typed, m)
			return err
		}
		var ok bool
		ok, k.rehash, err = us.verify(ctx, c, typed)
		if err != nil {
			return err
		}
		if !ok || g.blind || c.expired(us.now()) {
			return ErrCredentials
		}
		if k.user = bind(m); !k.user.mayLogin() {
			return ErrCredentials
		}
		if !k.user.IsActivated() {
			return ErrNotActivated
		}
		return c.mustChange()
	})
	if err == nil || errors.Is(err, ErrMustChangePassword) { // the failures are forgotten now
		us.noticeFailures(ctx, k.user, k.failures)
	}
	return k, err
}

// loginRow finds whom a login means.
func (us *Users) loginRow(ctx context.Context, login string) (Model, *Credential, error) {
	find, keyOf := us.store.LoginByName, NameKey
	if isAddress(login) {
		find, keyOf = us.store.LoginByEmail, AddressKey
	}
	key, err := keyOf(login)
	if err != nil {
		return nil, nil, ErrNotFound
	}
	m, c, err := find(ctx, key)
	if errors.Is(err, ErrNotFound) && isAddress(login) && us.opts.TellTakenAddress {
		m, c, err = us.pendingLogin(ctx, key)
	}
	if err == nil && m.RosterUser().DirectoryID != "" {
		c = nil // the directory has the password
	}
	return m, c, err
}

// pendingLogin finds who was the last to sign up with an address that nobody
// has activated, so that they can be told to look for the mail.
func (us *Users) pendingLogin(ctx context.Context, key string) (Model, *Credential, error) {
	claims, err := us.store.EmailsByKey(ctx, key)
	if err != nil || len(claims) == 0 || slices.ContainsFunc(claims, (*UserEmail).IsActivated) {
		return nil, nil, cmp.Or(err, ErrNotFound)
	}
	m, err := us.store.UserByID(ctx, claims[len(claims)-1].UserID)
	if err != nil {
		return nil, nil, err
	}
	if u := m.RosterUser(); u.IsActivated() || u.IsDeleted() {
		return nil, nil, ErrNotFound // an address that is not proven signs nobody in
	}
	c, err := us.store.Credential(ctx, m.RosterUser().ID, 0)
	return m, c, err
}

// maxLogin is more than the longest name or address has.
const maxLogin = 1024

// recordLogin notes the sign-in. Not being able to write is no reason to keep
// anybody out.
func (us *Users) recordLogin(ctx context.Context, u *User, at time.Time) error {
	ip := ClientFrom(ctx).addr()
	elsewhere := false
	err := us.store.Atomic(ctx, func(ctx context.Context) error {
		first, err := us.isFirst(ctx, u)
		if err != nil {
			return err
		}
		if elsewhere, err = us.isElsewhere(ctx, u); err != nil {
			return err
		}
		if err := us.store.RecordLogin(ctx, u.ID, at, ip); err != nil {
			return err
		}
		if first {
			if err := us.emit(ctx, Event{Kind: EventFirstSignIn, User: u.ID, Actor: u.ID}); err != nil {
				return err
			}
		}
		return us.emit(ctx, Event{Kind: EventSignIn, User: u.ID, Actor: u.ID})
	})
	var unavailable *UnavailableError
	switch {
	case isVeto(err):
		return err
	case us.opts.OnEvent == nil && errors.As(err, &unavailable) && unavailable.What != UnavailableDatabase:
		us.opts.Logger.WarnContext(ctx, "sign-in not recorded", slog.Int64("user", int64(u.ID)), slog.String("unavailable", unavailable.What))
		return nil
	case errors.Is(err, ErrNotFound):
		return ErrCredentials // purged meanwhile
	case err != nil:
		return err
	}
	u.LastLoginAt, u.LastLoginIP = at, ip
	if elsewhere {
		us.noticeElsewhere(ctx, u)
	}
	return nil
}

// isFirst reports whether a user who is about to be signed in never was before.
// Of two at once it tells one so.
func (us *Users) isFirst(ctx context.Context, u *User) (bool, error) {
	if !u.LastLoginAt.IsZero() {
		return false, nil
	}
	m, err := us.store.LockUser(ctx, u.ID)
	return err == nil && m.RosterUser().LastLoginAt.IsZero(), err
}

// rehash stores the hash anew with today's parameters, unless the password was
// changed meanwhile. It is a convenience: if it fails, the next sign-in tries
// again.
func (us *Users) rehash(ctx context.Context, c *Credential, typed string) {
	prepared, err := password.Prepare(typed)
	if err != nil {
		return
	}
	hash, err := us.hash(ctx, prepared)
	if err == nil {
		err = us.store.SwapCredential(ctx, c.UserID, c.ScopeID, c.Hash, NewSecret(hash))
	}
	if err != nil && !errors.Is(err, ErrStale) {
		us.opts.Logger.WarnContext(ctx, "password not rehashed", slog.Int64("user", int64(c.UserID)), slog.Any("error", err))
	}
}

// LoginStore is what a sign-in asks for, in one statement each.
type LoginStore interface {
	// LoginByName and LoginByEmail are UserByName and UserByEmail together with
	// the user's credential in scope 0, which is nil if there is none.
	LoginByName(ctx context.Context, key string) (Model, *Credential, error)
	LoginByEmail(ctx context.Context, key string) (Model, *Credential, error)

	// RecordLogin sets LastLoginAt and LastLoginIP and nothing else: neither
	// Version nor UpdatedAt. ErrNotFound if there is no such user.
	RecordLogin(ctx context.Context, id UserID, at time.Time, ip string) error
}
