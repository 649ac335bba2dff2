package acceptance

import (
	"slices"
	"time"

	"github.com/go-roster/roster"
)

// sendCode makes a code; older ones of its kind are void.
func (m *model) sendCode(u *mUser, e *mEmail, purpose roster.Purpose, now time.Time, ttl time.Duration) {
	kind := roster.MailActivateEmail
	older := []roster.Purpose{roster.PurposeActivate, roster.PurposeChangeEmail, roster.PurposeInvite}
	switch {
	case purpose == roster.PurposeResetPassword:
		kind, older = roster.MailResetPassword, []roster.Purpose{purpose}
	case purpose == roster.PurposeInvite:
		kind, ttl = roster.MailInvitation, pendingTTL
	case purpose == roster.PurposeChangeEmail:
		kind = roster.MailChangeEmail
	case !u.active():
		kind = roster.MailActivateAccount
	}
	m.void(u.id, e.id, older...)
	c := &mCode{purpose: purpose, user: u.id, email: e.id, expires: now.Add(ttl)}
	m.codes[c] = true
	m.mails = append(m.mails, mMail{kind: kind, user: u.id, to: e.address, code: c})
}

// claim adds a pending address, or finds it, and sends what there is to send.
func (m *model) claim(u *mUser, id roster.EmailID, address, key string, purpose roster.Purpose, now time.Time, ttl time.Duration) {
	e := u.withKey(key)
	primary := len(u.emails) == 0
	if e != nil && !e.active() && !now.Before(e.createdAt.Add(pendingTTL)) { // claimed anew
		primary = e.primary
		m.void(u.id, e.id)
		u.emails = slices.DeleteFunc(u.emails, func(o *mEmail) bool { return o == e })
		e = nil
	}
	if e == nil {
		e = &mEmail{id: id, address: address, key: key, primary: primary, createdAt: now}
		u.emails = append(u.emails, e)
	}
	if owner, taken := m.owner(key); owner != nil {
		m.mail(roster.MailAddressTaken, owner, taken.address)
		return
	}
	m.sendCode(u, e, purpose, now, ttl)
}

// remove takes an address away, with its codes. Another one becomes primary if
// it was: the oldest activated one, else the oldest.
func (m *model) remove(u *mUser, e *mEmail) {
	m.void(u.id, e.id)
	u.emails = slices.DeleteFunc(u.emails, func(o *mEmail) bool { return o == e })
	if e.primary {
		u.promote()
	}
}

func (u *mUser) promote() {
	if len(u.emails) == 0 {
		return
	}
	next := u.emails[0]
	if i := slices.IndexFunc(u.emails, (*mEmail).active); i >= 0 {
		next = u.emails[i]
	}
	next.primary = true
}

// dropOthers is what the first proof of e does to what was claimed before.
func (m *model) dropOthers(u *mUser, e *mEmail) {
	for _, other := range slices.Clone(u.emails) {
		if other != e {
			m.remove(u, other)
		}
	}
}

// movePrimary is auth-sensitive, and the former address is told.
func (m *model) movePrimary(u *mUser, e *mEmail, now time.Time) {
	if e.primary {
		return
	}
	old := u.primary()
	if old != nil {
		old.primary = false
	}
	e.primary = true
	m.sensitive(u, now)
	if old != nil && old.active() {
		m.notice(roster.MailEmailChanged, u, old, e.key, false, now)
	}
}

// activate takes an address from the deleted users who had it.
func (m *model) activate(u *mUser, e *mEmail, now time.Time) {
	if e.active() {
		return
	}
	e.activatedAt = now
	for _, gone := range m.users {
		if had := gone.withKey(e.key); had != nil && had.active() && gone.deleted() && gone != u {
			m.void(gone.id, had.id)
			gone.emails = slices.DeleteFunc(gone.emails, func(o *mEmail) bool { return o == had })
		}
	}
}

// prove is what the first proof of an address does.
func (m *model) prove(u *mUser, e *mEmail, primary bool, now time.Time) {
	m.activate(u, e, now)
	m.void(u.id, e.id)
	if !u.active() {
		u.activatedAt = now
	}
	if primary {
		m.movePrimary(u, e, now)
		return
	}
	if p := u.primary(); p == nil || !p.active() {
		if p != nil {
			p.primary = false
		}
		e.primary = true
	}
}
