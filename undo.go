package roster

import (
	"context"
	"time"
)

// Undo is a single-use secret that was sent, with the notice of a change, to
// the mailbox that spoke for the account until then. With it the change, and
// whatever came after it, is undone: see [Users.UndoChange]. The secret itself,
// the code, is in the mail and nowhere else; here is its SHA-256.
type Undo struct {
	Hash       string // hexadecimal SHA-256 of the code, the key of the row
	UserID     UserID
	Address    string // what becomes the primary address again, as it was typed
	AddressKey string // canonical, see [AddressKey]
	Rank       int64  // of two addresses, that with the lower one had the account before
	CreatedAt  time.Time
	ExpiresAt  time.Time // valid strictly before
}

// UndoChange redeems a code that a notice has brought: it gives the account
// back to the mailbox that the notice went to. That address becomes the primary
// one, also if it was removed meanwhile, and every other address is removed, and
// told. The password is set to the new one, whatever it was; sessions end and
// all other codes are void, also those of changes that were made later. Links
// to outside identities are dropped. Nobody is signed in by it, and no ban or disabling
// ends. Who belongs to a directory gets no such code, and those that were there before
// are void: only an administrator says that somebody leaves it ([Users.UnlinkDirectory]).
//
// So whoever has taken an account over cannot keep it: what they do afterwards,
// other passwords, other addresses, codes to those, falls with it. Of two
// mailboxes that hold codes, the one that had the account before prevails. Who
// gave up an address on purpose should call [Users.AcceptChange] with the code
// that it got, while it can still be read there; else whoever reads the mail
// there has until Options.UndoTTL to take the account.
//
// It returns an [InvalidError] of [FieldPassword], which leaves the code good,
// or ErrActivation if the code is unknown, used, expired or void, if another
// account has activated the address, or while the user is disabled, deleted,
// banned or locked, or belongs to a directory; and ErrThrottled as [Users.Peek].
func (us *Users) UndoChange(ctx context.Context, code, password string) (*User, error) {
	var u *User
	err := us.tryCode(ctx, "UndoChange", func() (err error) {
		u, err = us.undoChange(ctx, code, password)
		return err
	})
	return u, wrap("undo change", 0, err)
}

func (us *Users) undoChange(ctx context.Context, code, password string) (u *User, err error) {
	prepared, err := us.newPassword(ctx, password, func() (*User, error) { // before the work of hashing
		_, u, err := us.lookUpUndo(ctx, code, us.now())
		return u, err
	})
	if err != nil {
		return nil, err
	}
	hash, err := us.hash(ctx, prepared)
	if err != nil {
		return nil, err
	}
	err = us.store.Atomic(ctx, func(ctx context.Context) error {
		return us.redeemUndo(ctx, code, func(ctx context.Context, m Model, un *Undo, now time.Time) error {
			u = m.RosterUser()
			if u.ActivatedAt.IsZero() {
				u.ActivatedAt = now
			}
			if err := us.emit(ctx, Event{Kind: EventChangeUndone, User: u.ID}); err != nil {
				return err
			}
			if err := us.takeIdentities(ctx, u.ID); err != nil {
				return err
			}
			removed, err := us.reinstate(ctx, un, now)
			if err != nil {
				return err
			}
			if _, err := us.store.VoidUndos(ctx, u.ID, un.AddressKey, un.Rank); err != nil {
				return err
			}
			c := &Credential{UserID: u.ID, Hash: NewSecret(hash), CreatedAt: now}
			if err := us.writePassword(ctx, m, c, MailPasswordChanged, un.AddressKey, now); err != nil {
				return err
			}
			for _, e := range removed {
				if err := us.tellRemoved(ctx, u, e, now); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// reinstate makes the address of an undo the only one of its user, activated
// and primary. It returns the activated ones that were removed.
func (us *Users) reinstate(ctx context.Context, un *Undo, now time.Time) ([]*UserEmail, error) {
	emails, err := us.store.EmailsOf(ctx, un.UserID)
	if err != nil {
		return nil, err
	}
	var own *UserEmail
	var gone []EmailID
	var removed []*UserEmail
	for _, e := range emails {
		if e.AddressKey == un.AddressKey {
			own = e
			continue
		}
		gone = append(gone, e.ID)
		if e.IsActivated() {
			removed = append(removed, e)
		}
	}
	if _, err := us.store.DeleteEmails(ctx, gone...); err != nil {
		return nil, err
	}
	if err := us.emitRemoved(ctx, un.UserID, gone...); err != nil {
		return nil, err
	}
	if own == nil || !own.IsActivated() { // as in prove
		if _, err := us.store.DeleteReleased(ctx, un.AddressKey, un.UserID); err != nil {
			return nil, err
		}
	}
	switch {
	case own == nil:
		err = us.store.InsertEmail(ctx, &UserEmail{
			UserID: un.UserID, Address: un.Address, AddressKey: un.AddressKey, Primary: true, ActivatedAt: now, CreatedAt: now,
		})
		return removed, err
	case !own.IsActivated():
		if err := us.store.ActivateEmail(ctx, own.ID, now); err != nil {
			return nil, err
		}
	}
	if !own.Primary {
		err = us.markPrimary(ctx, own)
	}
	return removed, err
}

// AcceptChange redeems a code that a notice has brought for good: it was no
// attack, and nothing that happened to the account until now can be undone from
// that mailbox any more. Nothing else changes. It returns ErrActivation
// and ErrThrottled as [Users.UndoChange] does.
func (us *Users) AcceptChange(ctx context.Context, code string) error {
	return wrap("accept change", 0, us.tryCode(ctx, "AcceptChange", func() error {
		return us.store.Atomic(ctx, func(ctx context.Context) error {
			return us.redeemUndo(ctx, code, func(ctx context.Context, _ Model, un *Undo, _ time.Time) error {
				if _, err := us.store.VoidUndos(ctx, un.UserID, un.AddressKey, noRank); err != nil {
					return err
				}
				return us.emit(ctx, Event{Kind: EventChangeAccepted, User: un.UserID})
			})
		})
	}))
}

// lookUpUndo finds an undo that is still good, without redeeming it, and its
// user.
func (us *Users) lookUpUndo(ctx context.Context, code string, now time.Time) (*Undo, *User, error) {
	hash, ok := hashCode(code)
	if !ok {
		return nil, nil, us.dead(ctx, "malformed")
	}
	un, err := us.store.UndoByHash(ctx, hash)
	if err != nil {
		return nil, nil, us.deadIf(ctx, err, ErrNotFound, "unknown")
	}
	if !now.Before(un.ExpiresAt) {
		return nil, nil, us.dead(ctx, "expired")
	}
	m, err := us.store.UserByID(ctx, un.UserID)
	if err != nil {
		return nil, nil, us.deadIf(ctx, err, ErrNotFound, "no such user")
	}
	if !mayUndo(bind(m)) {
		return nil, nil, us.dead(ctx, "no such user")
	}
	return un, m.RosterUser(), nil
}

// mayUndo reports whether codes of notices to a user are good.
func mayUndo(u *User) bool { return u.mayLogin() && u.DirectoryID == "" }

// redeemUndo uses a code up, in the transaction of ctx, and runs fn with the row
// of the user. All claims on the address are locked, and no other user has
// activated it.
func (us *Users) redeemUndo(
	ctx context.Context, code string,
	fn func(ctx context.Context, m Model, un *Undo, now time.Time) error,
) error {
	now := us.now()
	un, _, err := us.lookUpUndo(ctx, code, now)
	if err != nil {
		return err
	}
	m, err := us.store.LockUser(ctx, un.UserID)
	if err != nil {
		return us.deadIf(ctx, err, ErrNotFound, "no such user")
	}
	if !mayUndo(bind(m)) {
		return us.dead(ctx, "no such user")
	}
	claims, err := us.store.LockEmails(ctx, un.AddressKey)
	if err != nil {
		return err
	}
	if takenByOther(claims, &UserEmail{UserID: un.UserID}) {
		return us.dead(ctx, "address taken")
	}
	// In one statement: what was found above may be gone by now.
	if _, err := us.store.RedeemUndo(ctx, un.Hash, now); err != nil {
		return us.deadIf(ctx, err, ErrNotFound, "used")
	}
	if err := us.emit(ctx, Event{Kind: EventCodeRedeemed, User: un.UserID, Details: details(detailPurpose, PurposeUndo)}); err != nil {
		return err
	}
	was := m.RosterUser().IsActivated()
	if err := fn(ctx, m, un, now); err != nil {
		return us.deadIf(ctx, err, ErrConflict, "address taken")
	}
	return us.nowActivated(ctx, m.RosterUser(), was)
}

// peekUndo is Peek for the code of a notice. The address may have been removed:
// then it has no ID.
func (us *Users) peekUndo(ctx context.Context, code string) (*Peeked, error) {
	un, u, err := us.lookUpUndo(ctx, code, us.now())
	if err != nil {
		return nil, err
	}
	claims, err := us.store.EmailsByKey(ctx, un.AddressKey)
	if err != nil {
		return nil, err
	}
	e := ofUser(claims, un.UserID)
	if e == nil {
		e = &UserEmail{UserID: un.UserID, Address: un.Address, AddressKey: un.AddressKey}
	}
	if takenByOther(claims, e) {
		return nil, us.dead(ctx, "address taken")
	}
	return &Peeked{PurposeUndo, u, e, un.ExpiresAt, true}, nil
}

// UndoStore keeps the rows of undos. They hang on the user, not on the address,
// which may have been removed.
type UndoStore interface {
	// InsertUndo writes a new row. A taken hash is a [ConflictError] of
	// [FieldID], a user that is missing one of [FieldUser].
	InsertUndo(ctx context.Context, u *Undo) error

	// UndoByHash looks without redeeming, expired or not.
	UndoByHash(ctx context.Context, hash string) (*Undo, error)

	// UndosOf returns those of a user, expired or not, by rank, then by hash.
	UndosOf(ctx context.Context, user UserID) ([]*Undo, error)

	// RedeemUndo deletes and returns, in one statement, the undo with this hash
	// that expires after now. ErrNotFound if there is none.
	RedeemUndo(ctx context.Context, hash string, now time.Time) (*Undo, error)

	// VoidUndos deletes those of a user that are for the address with this key
	// or have a rank above that one. It returns how many.
	VoidUndos(ctx context.Context, user UserID, key string, above int64) (int, error)

	// PruneUndos deletes at most limit rows that expired at or before now. It
	// returns how many.
	PruneUndos(ctx context.Context, now time.Time, limit int) (int, error)
}
