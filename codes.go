package roster

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// codeBytes is the entropy of a code. 256 bits cannot be guessed, so a plain
// hash keeps them (NIST SP 800-63B-4, section 3.1.2.2).
const codeBytes = 32

// newCode makes a code: 43 characters of URL-safe base64.
func newCode() Secret {
	b := make([]byte, codeBytes)
	_, _ = rand.Read(b) // never fails
	return NewSecret(base64.RawURLEncoding.EncodeToString(b))
}

// linkOf is the page of the host that takes the code; empty if there is none.
func linkOf(page string, code Secret) Secret {
	if page == "" {
		return Secret{}
	}
	return NewSecret(strings.Replace(page, codePlaceholder, code.Reveal(), 1))
}

// hashCode returns the key of a code. It is taken over the characters and not
// over the bytes they stand for, so that a code has one spelling.
func hashCode(code string) (hash string, ok bool) {
	if len(code) != base64.RawURLEncoding.EncodedLen(codeBytes) {
		return "", false
	}
	sum := sha256.Sum256([]byte(code))
	return string(hex.AppendEncode(make([]byte, 0, 2*len(sum)), sum[:])), true
}

// lookUp finds a code that is still good for one of the purposes, and the
// address it was sent to, without redeeming it.
func (us *Users) lookUp(ctx context.Context, code string, now time.Time, purposes ...Purpose) (*Activation, *UserEmail, error) {
	hash, ok := hashCode(code)
	if !ok {
		return nil, nil, us.dead(ctx, "malformed")
	}
	a, err := us.store.ActivationByHash(ctx, hash)
	if err != nil {
		return nil, nil, us.deadIf(ctx, err, ErrNotFound, "unknown")
	}
	switch {
	case !now.Before(a.ExpiresAt):
		return nil, nil, us.dead(ctx, "expired")
	case !slices.Contains(purposes, a.Purpose):
		return nil, nil, us.dead(ctx, "wrong purpose")
	}
	e, err := us.emailOf(ctx, a.UserID, a.EmailID)
	if err != nil {
		return nil, nil, us.deadIf(ctx, err, ErrNotFound, "address gone")
	}
	return a, e, nil
}

// redeem uses a code up, in the transaction of ctx, and runs fn for what it is
// good for, unless may refuses first: then the code stays good. The row of the
// user, who may sign in but for the activation, is locked.
func (us *Users) redeem(
	ctx context.Context,
	code string,
	may func(ctx context.Context, m Model, a *Activation) error,
	fn func(ctx context.Context, m Model, a *Activation, p proof, now time.Time) error,
	purposes ...Purpose,
) error {
	now := us.now()
	a, e, err := us.lookUp(ctx, code, now, purposes...)
	if err != nil {
		return err
	}
	m, err := us.store.LockUser(ctx, a.UserID)
	if err != nil {
		return us.deadIf(ctx, err, ErrNotFound, "no such user")
	}
	if !bind(m).mayLogin() {
		return us.dead(ctx, "no such user")
	}
	// The claims are locked before the code goes: whoever holds them deletes other
	// claims, and the codes for those with them.
	claims, err := us.store.LockEmails(ctx, e.AddressKey)
	if err != nil {
		return err
	}
	if e = ofUser(claims, a.UserID); e == nil || e.ID != a.EmailID {
		return us.dead(ctx, "address gone")
	}
	if takenByOther(claims, e) {
		return us.dead(ctx, "address taken")
	}
	if err := may(ctx, m, a); err != nil {
		return err
	}
	// In one statement: what was found above may be gone by now.
	if _, err := us.store.RedeemActivation(ctx, a.Hash, now, a.Purpose); err != nil {
		return us.deadIf(ctx, err, ErrNotFound, "used")
	}
	if err := us.emit(ctx, Event{Kind: EventCodeRedeemed, User: a.UserID, Details: details(detailPurpose, a.Purpose, detailEmail, a.EmailID)}); err != nil {
		return err
	}
	was := m.RosterUser().IsActivated()
	if err := fn(ctx, m, a, proof{e, claims}, now); err != nil {
		return us.deadIf(ctx, err, ErrConflict, "address taken")
	}
	return us.nowActivated(ctx, m.RosterUser(), was)
}

// dead is the one answer to a code that is no good. The reason is for the
// operator.
func (us *Users) dead(ctx context.Context, reason string) error {
	us.opts.Logger.InfoContext(ctx, "activation refused", slog.String("reason", reason))
	return ErrActivation
}

// deadIf is dead for an err that is target, and err else.
func (us *Users) deadIf(ctx context.Context, err, target error, reason string) error {
	if errors.Is(err, target) && !isVeto(err) {
		return us.dead(ctx, reason)
	}
	return err
}

// maxClaims is how many accounts that claim an address are sent a code at once.
const maxClaims = 5

// sendAgain sends a code to somebody who may not be there, and whom nobody is
// to learn of, once for each budget of the kind. send is called for each address that login means, if nobody else
// has activated it and its user may sign in but for the activation.
func (us *Users) sendAgain(
	ctx context.Context, verb, login, kind string, send func(ctx context.Context, u *User, e *UserEmail) error,
) (err error) {
	if err := us.countRequest(ctx); err != nil {
		return err
	}
	found, err := us.meant(ctx, login)
	if err != nil {
		return err
	}
	var emails []*UserEmail
	var sent error // kept from the caller where it would tell, see untold
	for _, e := range found {
		may, done, err := us.countMail(ctx, kind, e.AddressKey, e.UserID)
		if err != nil {
			sent = err
			return us.untold(ctx, verb, err)
		}
		defer func() { done(sent) }()
		if may {
			emails = append(emails, e)
		}
	}
	if len(emails) == 0 {
		return nil
	}
	err = us.store.Atomic(ctx, func(ctx context.Context) error {
		for _, e := range emails {
			if err := us.sendOne(ctx, e, send); err != nil {
				return err
			}
		}
		return nil
	})
	sent = err
	return us.untold(ctx, verb, err)
}

// untold logs what kept a mail from somebody and would tell that there is
// somebody, since it does not happen for those who are unknown: a Mailer that
// fails, a store that can be read and not written. Any other error it returns.
func (us *Users) untold(ctx context.Context, verb string, err error) error {
	var mail *mailError
	var veto *vetoError
	var unavailable *UnavailableError
	switch {
	case errors.As(err, &mail):
		us.opts.Logger.ErrorContext(ctx, "mail not sent", slog.String("verb", verb), slog.String("kind", string(mail.kind)))
	case errors.As(err, &veto):
		us.opts.Logger.ErrorContext(ctx, "mail not sent", slog.String("verb", verb), slog.String("refused", string(veto.kind)))
	case errors.As(err, &unavailable) && unavailable.What != UnavailableDatabase:
		us.opts.Logger.ErrorContext(ctx, "mail not sent", slog.String("verb", verb), slog.String("unavailable", unavailable.What))
	default:
		return err
	}
	return nil
}

// meant finds the addresses that login means: the primary one of a name; else
// the one that is activated, or the claims of those who have signed up with it.
func (us *Users) meant(ctx context.Context, login string) ([]*UserEmail, error) {
	key, err := AddressKey(login)
	if err != nil {
		u, err := us.byKey(ctx, us.store.UserByName, NameKey, login)
		if err != nil {
			return nil, ignore(err, ErrNotFound)
		}
		emails, err := us.store.EmailsOf(ctx, u.ID)
		return slices.DeleteFunc(emails, func(e *UserEmail) bool { return !e.Primary }), err
	}
	claims, err := us.store.EmailsByKey(ctx, key)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(claims, (*UserEmail).IsActivated); i >= 0 {
		return claims[i : i+1], nil
	}
	now := us.now()
	claims = slices.DeleteFunc(claims, func(e *UserEmail) bool { return !e.Primary || us.stale(e, now) })
	return claims[:min(len(claims), maxClaims)], nil
}

// stale reports whether an address has been pending for too long. It is sent
// nothing any more, else it could be kept waiting for ever.
func (us *Users) stale(e *UserEmail, now time.Time) bool {
	return !e.IsActivated() && us.opts.PendingTTL > 0 && !now.Before(e.CreatedAt.Add(us.opts.PendingTTL))
}

func (us *Users) sendOne(
	ctx context.Context, found *UserEmail, send func(ctx context.Context, u *User, e *UserEmail) error,
) error {
	m, err := us.store.LockUser(ctx, found.UserID)
	if err != nil {
		return ignore(err, ErrNotFound)
	}
	u := bind(m)
	claims, err := us.store.LockEmails(ctx, found.AddressKey) // as they are now
	if err != nil {
		return err
	}
	e := ofUser(claims, u.ID)
	if e == nil || !u.mayLogin() || takenByOther(claims, e) {
		return nil
	}
	if us.stale(e, us.now()) {
		return nil
	}
	return send(ctx, u, e)
}

// sendCode is issueCode where older codes may be on their way, which are void:
// a new password's by a new password's, a proof's by a proof's.
func (us *Users) sendCode(ctx context.Context, u *User, e *UserEmail, purpose Purpose, now time.Time) error {
	older := []Purpose{PurposeActivate, PurposeChangeEmail, PurposeInvite}
	if purpose == PurposeResetPassword {
		older = []Purpose{PurposeResetPassword}
	}
	if _, err := us.store.VoidActivations(ctx, u.ID, e.ID, older...); err != nil {
		return err
	}
	return us.issueCode(ctx, u, e, purpose, now)
}

// issueCode makes a code for an address and mails it.
func (us *Users) issueCode(ctx context.Context, u *User, e *UserEmail, purpose Purpose, now time.Time) error {
	code := newCode()
	hash, _ := hashCode(code.Reveal())
	mail := Mail{Kind: MailActivateEmail, User: u, To: e.mailbox(), Locale: u.Locale, Code: code}
	ttl, link := us.opts.ActivationTTL, us.opts.ActivationURL
	switch {
	case purpose == PurposeChangeEmail:
		mail.Kind = MailChangeEmail
	case purpose == PurposeInvite:
		mail.Kind, ttl = MailInvitation, us.inviteTTL()
	case purpose == PurposeResetPassword:
		mail.Kind, ttl, link = MailResetPassword, us.opts.ResetTTL, us.opts.ResetURL
	case !u.IsActivated():
		mail.Kind = MailActivateAccount
	}
	mail.ExpiresAt = now.Add(ttl)
	mail.Link = linkOf(link, code)
	err := us.store.InsertActivation(ctx, &Activation{
		Hash: hash, Purpose: purpose, UserID: u.ID, EmailID: e.ID, CreatedAt: now, ExpiresAt: mail.ExpiresAt,
	})
	if err != nil {
		return err
	}
	if err := us.emit(ctx, Event{Kind: EventCodeSent, User: u.ID, Details: details(detailPurpose, purpose, detailEmail, e.ID)}); err != nil {
		return err
	}
	return us.send(ctx, mail)
}
