package roster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// EmailID is the key of a [UserEmail]. It is never reused; zero is none.
type EmailID int64

// UserEmail is one address of a user. It is pending until somebody proves by a
// code that mail to it arrives, then activated. Any number of accounts may
// claim the same pending address; only one can activate it, and then the other
// claims are worth nothing. The address of a row never changes.
type UserEmail struct {
	ID         EmailID
	UserID     UserID
	Address    string // as typed; mail goes here
	AddressKey string // canonical, see [AddressKey]

	// Primary marks the one address that speaks for the user. The first address
	// is primary; once any is activated, the primary is an activated one.
	Primary bool

	ActivatedAt time.Time // zero while pending
	ReleasedAt  time.Time // set while the user is deleted: others may have the address
	CreatedAt   time.Time
}

// IsActivated reports whether the address has been proven.
func (e *UserEmail) IsActivated() bool { return !e.ActivatedAt.IsZero() }

// mailbox is the address as mail is sent to it: the one that was typed, but for
// a domain that is not ASCII, which other programs may encode in other ways.
func (e *UserEmail) mailbox() string {
	local, domain, _ := strings.Cut(e.Address, "@")
	if isASCII(domain) {
		return e.Address
	}
	_, domain, _ = strings.Cut(e.AddressKey, "@")
	return local + "@" + domain
}

// GravatarURL is where the picture of the address is found, size pixels wide
// (1 to 2048, anything else is 128), with a neutral figure if there is none. A
// nil e gives the neutral figure. It uses the SHA-256 form of the service's
// documentation.
func (e *UserEmail) GravatarURL(size int) string {
	if size < 1 || size > 2048 {
		size = 128
	}
	var address string
	if e != nil {
		address = strings.ToLower(strings.TrimSpace(e.Address))
	}
	sum := sha256.Sum256([]byte(address))
	u := url.URL{
		Scheme:   "https",
		Host:     "www.gravatar.com",
		Path:     "/avatar/" + hex.EncodeToString(sum[:]),
		RawQuery: "d=mm&s=" + strconv.Itoa(size),
	}
	return u.String()
}

// Emails returns the addresses of a user, pending ones too: the primary first,
// then by address. It returns ErrNotFound if there is no such user.
func (us *Users) Emails(ctx context.Context, id UserID) ([]*UserEmail, error) {
	emails, err := us.emails(ctx, "Emails", id)
	return emails, wrap("list e-mails of user", id, err)
}

func (us *Users) emails(ctx context.Context, verb string, id UserID) ([]*UserEmail, error) {
	u, err := us.byID(ctx, id)
	if err := us.on(ToUser(id)).askOf(ctx, verb, u, err); err != nil {
		return nil, err
	}
	emails, err := us.store.EmailsOf(ctx, id)
	if err != nil {
		return nil, err
	}
	sortEmails(emails)
	return emails, nil
}

// EmailsOf returns the addresses of many users with one question, each list in
// the order of [Users.Emails]; also those of deleted users. Who has none is not
// in the map.
func (us *Users) EmailsOf(ctx context.Context, ids ...UserID) (map[UserID][]*UserEmail, error) {
	if err := us.onOne(ids).ask(ctx, "EmailsOf"); err != nil {
		return nil, wrap("list e-mails", 0, err)
	}
	emails, err := us.store.EmailsOf(ctx, ids...)
	if err != nil {
		return nil, wrap("list e-mails", 0, err)
	}
	of := make(map[UserID][]*UserEmail, len(ids))
	for _, e := range emails {
		of[e.UserID] = append(of[e.UserID], e)
	}
	for _, list := range of {
		sortEmails(list)
	}
	return of, nil
}

func sortEmails(emails []*UserEmail) {
	slices.SortFunc(emails, func(a, b *UserEmail) int {
		if a.Primary != b.Primary {
			if a.Primary {
				return -1
			}
			return 1
		}
		return strings.Compare(a.AddressKey, b.AddressKey)
	})
}

// PrimaryEmail returns the address that speaks for a user. It returns
// ErrNotFound if there is no such user, or none of the addresses is activated.
func (us *Users) PrimaryEmail(ctx context.Context, id UserID) (*UserEmail, error) {
	emails, err := us.emails(ctx, "PrimaryEmail", id)
	if err != nil {
		return nil, wrap("find primary e-mail of user", id, err)
	}
	if len(emails) == 0 || !emails[0].IsActivated() {
		return nil, wrap("find primary e-mail of user", id, ErrNotFound)
	}
	return emails[0], nil
}

// SetPrimaryEmail makes an activated address the one that speaks for the user.
// It is auth-sensitive, and the former primary address is told and gets a code
// for [Users.UndoChange]. It does nothing
// if the address is primary. It returns ErrNotFound if there is no such user or
// the address is not the user's, and an [InvalidError] of [FieldEmail] with
// [ReasonNotActive] if it is pending.
func (us *Users) SetPrimaryEmail(ctx context.Context, id UserID, email EmailID) error {
	return wrap("set primary e-mail of user", id, us.live(ctx, "SetPrimaryEmail", id, func(ctx context.Context, m Model) error {
		e, err := us.emailOf(ctx, id, email)
		if err != nil {
			return err
		}
		if !e.IsActivated() {
			return invalid(FieldEmail, ReasonNotActive)
		}
		return us.movePrimary(ctx, m, e, us.now())
	}))
}

// RemoveEmail takes an address from a user, also from a deleted one. The
// address is told if it was activated, and no code that is on its way to the
// user is good any more but those of [Users.UndoChange], of which the address
// gets one if it was primary until lately. An activated primary address cannot be removed, so
// that the user can be reached: that is a [ConflictError] of [FieldPrimary]; set
// another one first. It returns ErrNotFound if there is no such user or the
// address is not the user's.
func (us *Users) RemoveEmail(ctx context.Context, id UserID, email EmailID) error {
	return wrap("remove e-mail of user", id, us.locked(ctx, "RemoveEmail", id, func(ctx context.Context, m Model) error {
		u := m.RosterUser()
		e, err := us.emailOf(ctx, id, email)
		if err != nil {
			return err
		}
		if e.Primary && e.IsActivated() && !u.IsDeleted() {
			return &ConflictError{FieldPrimary}
		}
		if _, err := us.store.DeleteEmails(ctx, email); err != nil {
			return err
		}
		if e.Primary {
			if err := us.promote(ctx, id); err != nil {
				return err
			}
		}
		if err := us.emitRemoved(ctx, id, email); err != nil {
			return err
		}
		if !e.IsActivated() {
			return nil
		}
		now := us.now()
		if err := us.touched(ctx, m, now); err != nil {
			return err
		}
		return us.tellRemoved(ctx, u, e, now)
	}))
}

// emailOf finds an address of a user by its ID.
func (us *Users) emailOf(ctx context.Context, id UserID, email EmailID) (*UserEmail, error) {
	if email <= 0 {
		return nil, invalid(FieldEmail, ReasonNotPositive)
	}
	emails, err := us.store.EmailsByID(ctx, email)
	if err != nil {
		return nil, err
	}
	if len(emails) == 0 || emails[0].UserID != id {
		return nil, ErrNotFound
	}
	return emails[0], nil
}

// movePrimary makes e, which is activated, primary in place of another
// activated address, which is told and can undo it.
func (us *Users) movePrimary(ctx context.Context, m Model, e *UserEmail, now time.Time) error {
	if e.Primary {
		return nil
	}
	emails, err := us.store.EmailsOf(ctx, e.UserID)
	if err != nil {
		return err
	}
	if err := us.markPrimary(ctx, e); err != nil {
		return err
	}
	if err := us.touched(ctx, m, now); err != nil {
		return err
	}
	if err := us.emit(ctx, Event{Kind: EventEmailPrimary, User: e.UserID, Details: details(detailEmail, e.ID)}); err != nil {
		return err
	}
	for _, old := range emails {
		switch {
		case !old.Primary || !old.IsActivated():
		case m.RosterUser().DirectoryID != "": // whom no mailbox signs in
			return us.notify(ctx, MailEmailChanged, m.RosterUser(), old)
		default:
			return us.tellChanged(ctx, Mail{Kind: MailEmailChanged, User: m.RosterUser()}, old, e.AddressKey, false, now)
		}
	}
	return nil
}

func (us *Users) markPrimary(ctx context.Context, e *UserEmail) error {
	if err := us.store.ClearPrimary(ctx, e.UserID); err != nil {
		return err
	}
	e.Primary = true
	return us.store.MarkPrimary(ctx, e.ID)
}

// promote gives a user whose primary address has gone another one: the oldest
// activated one, else the oldest.
func (us *Users) promote(ctx context.Context, id UserID) error {
	emails, err := us.store.EmailsOf(ctx, id)
	if err != nil || len(emails) == 0 {
		return err
	}
	next := emails[0]
	if i := slices.IndexFunc(emails, (*UserEmail).IsActivated); i >= 0 {
		next = emails[i]
	}
	return us.store.MarkPrimary(ctx, next.ID)
}

// EmailStore keeps the rows of addresses.
type EmailStore interface {
	// InsertEmail writes a new row and sets its ID. A [ConflictError] of
	// [FieldEmail] says that the user has this address already, or that e is
	// activated and another activated row that is not released has it; one of
	// [FieldPrimary] that the user has a primary address; one of [FieldUser]
	// that there is no such user. They are looked for in this order.
	InsertEmail(ctx context.Context, e *UserEmail) error

	// EmailsByID returns those that exist, in the order of their IDs.
	EmailsByID(ctx context.Context, ids ...EmailID) ([]*UserEmail, error)

	// EmailsOf returns the addresses of the users, in the order of their IDs.
	EmailsOf(ctx context.Context, users ...UserID) ([]*UserEmail, error)

	// EmailsByKey returns every claim on an address that is not released, by ID.
	// LockEmails does the same and, in a transaction, holds off every other
	// LockEmails and write of these rows until its end.
	EmailsByKey(ctx context.Context, key string) ([]*UserEmail, error)
	LockEmails(ctx context.Context, key string) ([]*UserEmail, error)

	// ActivatedEmails returns the activated addresses with these keys that are
	// not released, by ID.
	ActivatedEmails(ctx context.Context, keys ...string) ([]*UserEmail, error)

	// ActivateEmail sets ActivatedAt of a pending row. ErrNotFound if there is
	// no such pending row, a [ConflictError] of [FieldEmail] if another row has
	// activated the address.
	ActivateEmail(ctx context.Context, id EmailID, at time.Time) error

	// ClearPrimary takes the mark off the primary address of the user, if there
	// is one. MarkPrimary puts it on a row: ErrNotFound if there is none, a
	// [ConflictError] of [FieldPrimary] if the user has another primary address.
	ClearPrimary(ctx context.Context, user UserID) error
	MarkPrimary(ctx context.Context, id EmailID) error

	// DeleteEmails deletes the rows, and the activations sent to them. It
	// returns how many there were. DeleteReleased does so with the activated rows
	// of this key that are released, but for the user's.
	DeleteEmails(ctx context.Context, ids ...EmailID) (int, error)
	DeleteReleased(ctx context.Context, key string, but UserID) (int, error)

	// ReleaseEmails sets ReleasedAt of all addresses of a user, so that others
	// may activate them. ReclaimEmails takes it back: a [ConflictError] of
	// [FieldEmail] if another row has activated one that is activated.
	ReleaseEmails(ctx context.Context, user UserID, at time.Time) error
	ReclaimEmails(ctx context.Context, user UserID) error

	// EmailsAfter returns the next rows by ID in whatever state.
	EmailsAfter(ctx context.Context, after EmailID, limit int) ([]*UserEmail, error)

	// PruneEmails deletes at most limit pending addresses that were created
	// before that time, have no activation, and are not primary or are the only
	// one of an activated user. It returns how many.
	PruneEmails(ctx context.Context, before time.Time, limit int) (int, error)
}
