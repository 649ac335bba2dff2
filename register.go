package roster

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
)

// NewUser is what a person who signs up has to say. Name, Email and Password
// are needed. It is printed, logged and marshalled to JSON without the password.
// Fill it field by field: what a client sends should not choose the Source. An
// Accept-Language header is no Locale: take the first tag, if there is one, of
// ParseAcceptLanguage in golang.org/x/text/language.
type NewUser struct {
	Name     string // what to sign in with, see [NameKey]
	RealName string
	Email    string
	Password string
	Locale   string // BCP 47 tag; mails are written in it
	Timezone string // IANA name; empty is UTC

	// Source says by which door they came, for [RegistrationSource]. Empty means
	// "email".
	Source string

	// Model is a value of the host's own type, with the host's fields filled in:
	// the account becomes its User, whatever that was. Nil means what
	// Options.NewModel makes. It is not in the JSON.
	Model Model `json:"-"`
}

type plainNewUser NewUser // has no methods

func (n NewUser) redacted() plainNewUser {
	if n.Password != "" {
		n.Password = redacted
	}
	return plainNewUser(n)
}

// Format implements [fmt.Formatter].
func (n NewUser) Format(f fmt.State, verb rune) {
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), n.redacted())
}

// LogValue implements [slog.LogValuer].
func (n NewUser) LogValue() slog.Value { return slog.AnyValue(n.redacted()) }

// MarshalJSON implements [json.Marshaler]. The password is left empty, so that
// what comes back is no valid one.
func (n NewUser) MarshalJSON() ([]byte, error) {
	n.Password = ""
	return json.Marshal(plainNewUser(n))
}

// Register signs a person up: user, password, address and mail in one
// transaction. The account can sign in once a code from the mail has been
// redeemed by [Users.ActivateWithPassword] (or at once, with Options.SkipActivation).
// Hashing takes its time: inside [Users.Atomic] the transaction waits for it.
//
// It returns every [InvalidError] at once, joined, or a [ConflictError] of
// [FieldName] if the name is taken. An address that somebody else has activated
// is taken too, but Register does not say so: it answers as always, and the
// owner gets [MailAddressTaken]. With Options.TellTakenAddress it is a
// ConflictError of [FieldEmail].
//
// A source that causes too many mails gets a [ThrottledError] (Limits.SourceMails).
// An address that strangers have caused too many mails to gets none, and nobody
// is told (Limits.AddressMails); [Users.ResendActivation] has a budget of its own.
func (us *Users) Register(ctx context.Context, n NewUser) (*User, error) {
	u, err := us.register(ctx, n)
	return u, wrap("register", 0, err)
}

func (us *Users) register(ctx context.Context, n NewUser) (_ *User, err error) {
	if err := us.ask(ctx, "Register"); err != nil {
		return nil, err
	}
	draft, prepared, err := us.checkNewUser(n)
	if err != nil {
		return nil, err
	}
	if err := us.countRequest(ctx); err != nil {
		return nil, err
	}
	if err := us.checkBreached(ctx, prepared); err != nil {
		return nil, err
	}
	hash, err := us.hash(ctx, prepared) // before the transaction: it takes its time
	if err != nil {
		return nil, err
	}
	now := us.now()
	if us.opts.SkipActivation {
		draft.ActivatedAt = now
	}
	draft.PasswordChangedAt = now
	mail, done, err := us.countClaim(ctx, n.Email)
	if err != nil {
		return nil, err
	}
	defer func() { done(err) }()

	m, err := us.newModel(ctx, n.Model, draft)
	if err != nil {
		return nil, err
	}
	before := *m.RosterUser()
	var u *User
	err = us.store.Atomic(ctx, func(ctx context.Context) error {
		u = become(m, draft)
		if err := us.insert(ctx, m, now); err != nil {
			return err
		}
		c := &Credential{UserID: u.ID, Hash: NewSecret(hash), CreatedAt: now}
		if err := us.store.PutCredential(ctx, c); err != nil {
			return err
		}
		_, err := us.claim(ctx, m, nil, n.Email, PurposeActivate, mail, now)
		return err
	})
	if err != nil {
		*m.RosterUser() = before
		return nil, err
	}
	return u, nil
}

// CheckNewUser returns what [Users.Register] would find invalid in n, for a form
// that wants to say so early: every [InvalidError] at once. It asks no store, nor
// Policy.Breached: whether the name is taken or the password breached only Register
// can tell.
func (us *Users) CheckNewUser(n NewUser) error {
	_, _, err := us.checkNewUser(n)
	return wrap("check new user", 0, err)
}

func (us *Users) checkNewUser(n NewUser) (draft User, prepared string, err error) {
	draft, err = us.checkDraft(n, "email", func(draft *User) (err error) {
		prepared, err = us.preparePassword(n.Password, expectedWords(draft, n.Email)...)
		return err
	})
	if n.Name == "" {
		err = errors.Join(invalid(FieldName, ReasonEmpty), err)
	}
	return draft, prepared, err
}

// checkDraft checks all but the password, which is for the function, and that
// there is a name. source is what an empty one means.
func (us *Users) checkDraft(n NewUser, source string, password func(*User) error) (draft User, err error) {
	draft = User{Name: n.Name, RealName: n.RealName, Locale: n.Locale, Timezone: n.Timezone}
	var errs []error
	switch err := us.checkName(&draft, new(User)); {
	case err != nil:
		errs = append(errs, err)
	case n.Name != "" && us.reserved(draft.NameKey):
		errs = append(errs, invalid(FieldName, ReasonReserved))
	}
	_, err = AddressKey(n.Email)
	errs = append(errs, err, password(&draft))
	if err := checkText(FieldSource, n.Source, maxSourceBytes, maxSourceBytes); err != nil {
		errs = append(errs, err)
	} else {
		errs = append(errs, RegistrationSource.Set(&draft, cmp.Or(n.Source, source)))
	}
	errs = append(errs, us.checkFields(&draft))
	return draft, errors.Join(errs...)
}

const maxSourceBytes = 64

// Create adds a user on the program's own authority: without password, address
// or mail. It takes Name, RealName, Locale, Timezone, the directory, Flags,
// Data and what a host's own type adds; a set ActivatedAt activates the account
// at once, UUID may be chosen. The rest is set by Create, the ID, CreatedAt and
// LastLoginAt too: what another system had there may go into Data.
//
// An empty name becomes "user-" and the ID. Reserved names are allowed, but for
// that pattern. A user whose transaction was rolled back may be created again.
// It returns every [InvalidError] at once, or a [ConflictError] of
// [FieldName] or [FieldUUID]; m is unchanged then.
func (us *Users) Create(ctx context.Context, m Model) error {
	return wrap("create user", 0, us.create(ctx, m))
}

func (us *Users) create(ctx context.Context, m Model) (err error) {
	m, err = given(m)
	if err == nil {
		err = us.askCreate(ctx, m.RosterUser())
	}
	if err != nil {
		return err
	}
	u := m.RosterUser()
	before := *u
	defer func() {
		if err != nil {
			*u = before
		}
	}()
	if u.NameAuto { // by a try that was rolled back
		u.Name = ""
	}
	if year := u.ActivatedAt.UTC().Year(); year < 1 || year > 9999 {
		return invalid("activated_at", ReasonUnknown)
	}
	u.ID, u.PasswordChangedAt = 0, time.Time{}
	if err := us.check(u, new(User)); err != nil {
		return err
	}
	now := us.now()
	draft := *u
	return us.store.Atomic(ctx, func(ctx context.Context) error {
		*u = draft
		return us.insert(ctx, m, now)
	})
}

// insert writes a user whose fields were checked, and claims the name.
func (us *Users) insert(ctx context.Context, m Model, now time.Time) error {
	u := m.RosterUser()
	if u.UUID == uuid.Nil {
		u.UUID = uuid.New()
	}
	u.ID, u.Version, u.Enabled = 0, 1, true
	u.CreatedAt, u.UpdatedAt = now, now
	u.ActivatedAt = stamp(u.ActivatedAt)
	u.DeletedAt, u.AuthChangedAt = time.Time{}, time.Time{}
	u.LastLoginAt, u.LastLoginIP = time.Time{}, ""
	u.NameAuto = u.Name == ""
	if u.NameAuto {
		u.Name = autoPrefix + u.UUID.String() // until there is an ID
		u.NameKey = u.Name
	}
	if err := us.store.InsertUser(ctx, m, searchText(u)); err != nil {
		return err
	}
	if u.NameAuto {
		u.Name = autoName(int64(u.ID))
		u.NameKey = u.Name
		if err := us.store.UpdateUser(ctx, m, searchText(u)); err != nil {
			return err
		}
	}
	if err := us.store.ClaimName(ctx, u.NameKey, u.ID, now); err != nil {
		return err
	}
	e := Event{Kind: EventUserCreated, User: u.ID, Details: details("activated", u.IsActivated(), "source", RegistrationSource.Get(u))}
	if err := us.emit(ctx, e); err != nil || !u.IsActivated() {
		return err
	}
	return us.firstUser(ctx, u)
}
