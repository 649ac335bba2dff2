package roster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster/password"
)

// Users is the accounts of one store, with all the rules. [New] makes one. It
// is safe for concurrent use.
//
// It acts for the program itself and asks no permission; what [Users.For] returns
// acts for somebody else. Every verb runs in the transaction of its context, if there
// is one (see [Users.Atomic]). Else a verb that writes is a transaction of its own, but
// Prune, which is several, and Authenticate, whose record of the sign-in is apart.
// Errors name the verb and, where there is one, the user's ID.
//
// Every verb may also fail with [ErrForbidden] (where it acts for an actor),
// [ErrUnavailable], [ErrOutcomeUnknown] (if it writes), [ErrBusy] (if it hashes a
// password), [ErrTxAborted], [ErrTxDone], the error of its context, of the Mailer, of
// Options.OnEvent or of the Hasher, or with an [InvalidError] if an ID is not
// positive; the comments name the others.
type Users struct {
	store    Store
	opts     Options
	reserved func(key string) bool
	gate     *password.Gate
	perms    permissions
	seeing   *seeing
	cache    *sessionCache  // nil without Options.SessionCache
	held     *heldCache     // nil without Options.PermissionCache
	spare    *MemoryLimiter // where the store cannot count
	late     *lateEvents
	actor    *Actor   // nil is the program itself, see For
	about    *ScopeID // the scope that the actor is asked about, see in; nil: its own
	target   Subject  // whom the verb names, see on
}

// New returns the accounts that are kept in store. It reports everything that
// is wrong with opts at once, joined. It does not touch the database.
func New(store Store, opts *Options) (*Users, error) {
	us := &Users{store: store, seeing: new(seeing), late: new(lateEvents), spare: NewMemoryLimiter(0)}
	if opts != nil {
		us.opts = *opts
	}
	var errs [5]error
	if store == nil {
		errs[0] = errors.New("store is nil (store/memory, store/sqlite and store/postgres have one)")
	}
	o := &us.opts
	hostsClock := o.Now
	errs[1] = o.complete()
	us.gate, errs[2] = newGate(o)
	us.reserved, errs[3] = newReserved(o.ReservedNames)
	us.perms, errs[4] = newPermissions(o.Permissions)
	errs[3], errs[4] = option("ReservedNames", errs[3]), option("Permissions", errs[4])
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("roster.New: %w", err)
	}
	if o.SessionCache > 0 {
		us.cache = newSessionCache(o.SessionCache)
		us.store = cachingStore{us.store, us.cache}
	}
	if o.PermissionCache > 0 {
		us.held = newHeldCache(o.PermissionCache, hostsClock)
		us.store = heldStore{us.store, us.held}
	}
	us.store = endingStore{us.store}
	return us, nil
}

// Atomic runs fn in one transaction, which travels in fn's context: all verbs
// called with it take effect together or not at all. See [Store] for the
// promises: fn may run more than once, so what it does outside the store waits
// for [AfterCommit]; a verb that failed when it had begun to write dooms the
// transaction. A verb that refused before that leaves it good. It returns the error
// of fn, or what is said there.
//
// A password is hashed when its turn has come, see Options.HashMemory. A verb
// that is a transaction of its own does that before it begins; inside fn, all
// that fn has locked stays locked meanwhile, so call such a verb first.
func (us *Users) Atomic(ctx context.Context, fn func(ctx context.Context) error) error {
	return us.store.Atomic(ctx, fn)
}

// ByID finds a user that is not deleted. It returns ErrNotFound if there is
// none, and an [InvalidError] if id is not positive.
func (us *Users) ByID(ctx context.Context, id UserID) (*User, error) {
	u, err := us.byID(ctx, id)
	u, err = us.on(ToUser(id)).show(ctx, "ByID", u, err)
	return u, wrap("find user", id, err)
}

func (us *Users) byID(ctx context.Context, id UserID) (*User, error) {
	if id <= 0 {
		return nil, invalid(FieldID, ReasonNotPositive)
	}
	return found(us.store.UserByID(ctx, id))
}

// ByUUID finds a user that is not deleted by the ID that the world sees. It
// returns ErrNotFound if there is none, and an [InvalidError] for the nil UUID.
func (us *Users) ByUUID(ctx context.Context, id uuid.UUID) (*User, error) {
	if id == uuid.Nil {
		return nil, wrap("find user by UUID", 0, invalid(FieldUUID, ReasonEmpty))
	}
	u, err := found(us.store.UserByUUID(ctx, id))
	u, err = us.show(ctx, "ByUUID", u, err)
	return u, wrap("find user by UUID", 0, err)
}

// ByName finds a user that is not deleted by name, in any spelling that has
// the same canonical form. It returns ErrNotFound if there is none, also if
// nobody could have such a name.
func (us *Users) ByName(ctx context.Context, name string) (*User, error) {
	u, err := us.byKey(ctx, us.store.UserByName, NameKey, name)
	u, err = us.show(ctx, "ByName", u, err)
	return u, wrap("find user by name", 0, err)
}

// ByEmail finds the user who has activated the address. Those who merely claim
// it are not found. It returns ErrNotFound if there is none, also if the
// address is malformed.
func (us *Users) ByEmail(ctx context.Context, address string) (*User, error) {
	u, err := us.byKey(ctx, us.store.UserByEmail, AddressKey, address)
	u, err = us.show(ctx, "ByEmail", u, err)
	return u, wrap("find user by e-mail", 0, err)
}

// ByAddress is ByEmail for an address as it stands in a mail or a file: "Ann
// Example <ann@example.org>" or bare. It returns ErrNotFound as ByEmail does. It
// answers to find_maintainer of IPFire's pbs.
func (us *Users) ByAddress(ctx context.Context, mailbox string) (*User, error) {
	var u *User
	_, address, err := ParseMailbox(mailbox)
	if err == nil {
		u, err = us.byKey(ctx, us.store.UserByEmail, AddressKey, address)
	} else {
		err = ErrNotFound
	}
	u, err = us.show(ctx, "ByAddress", u, err)
	return u, wrap("find user by address", 0, err)
}

// ByIDs returns those of the users that exist and are not deleted, in the
// order of their IDs, with one question.
func (us *Users) ByIDs(ctx context.Context, ids ...UserID) ([]*User, error) {
	q := us.onOne(ids).asking("ByIDs")
	if err := q.ask(ctx); err != nil {
		return nil, wrap("find users", 0, err)
	}
	models, err := us.store.UsersByID(ctx, ids...)
	if err != nil {
		return nil, wrap("find users", 0, err)
	}
	users := make([]*User, 0, len(models))
	for _, m := range models {
		if u := bind(m); !u.IsDeleted() {
			users = append(users, u)
		}
	}
	if users, err = q.visible(ctx, users); err != nil {
		return nil, wrap("find users", 0, err)
	}
	return users, nil
}

// EmailInUse reports whether somebody has activated the address. Claims that
// wait to be proven do not count. It returns an [InvalidError] if the address
// is malformed. Do not tell strangers: see Options.TellTakenAddress.
func (us *Users) EmailInUse(ctx context.Context, address string) (bool, error) {
	if err := us.ask(ctx, "EmailInUse"); err != nil {
		return false, wrap("look for e-mail", 0, err)
	}
	key, err := AddressKey(address)
	if err != nil {
		return false, wrap("look for e-mail", 0, err)
	}
	_, err = us.store.UserByEmail(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, wrap("look for e-mail", 0, err)
}

func (us *Users) byKey(
	ctx context.Context,
	find func(context.Context, string) (Model, error),
	keyOf func(string) (string, error),
	s string,
) (*User, error) {
	key, err := keyOf(s)
	if err != nil {
		return nil, ErrNotFound
	}
	return found(find(ctx, key))
}

// found hides deleted users.
func found(m Model, err error) (*User, error) {
	if err != nil {
		return nil, err
	}
	u := bind(m)
	if u.IsDeleted() {
		return nil, ErrNotFound
	}
	return u, nil
}

// now is the one clock: UTC, with the precision that every store keeps.
func (us *Users) now() time.Time { return stamp(us.opts.Now()) }

func stamp(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// wrap names the verb and the user in err, once.
func wrap(verb string, id UserID, err error) error {
	if err == nil {
		return nil
	}
	if id == 0 {
		return fmt.Errorf("%s: %w", verb, err)
	}
	return fmt.Errorf("%s %d: %w", verb, id, err)
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
	// ErrNotFound if there is none, a conflict of FieldReferenced if a row that the
	// store does not know refers to it.
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
	// directory, have none of the flags, are in no group and were granted nothing, have an
	// address (so that they wait for somebody to prove it), and no activation. It returns their IDs, in order. Whom
	// PurgeUser would refuse to delete is passed over, and need not be tried again
	// for a day.
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
