package acceptance

import (
	"maps"
	"slices"
	"time"

	"github.com/go-roster/roster"
)

// model is what a store of accounts should hold, in plain maps. It is written
// from the documentation of the verbs.
type model struct {
	users map[roster.UserID]*mUser
	names map[string]mName
	codes map[*mCode]bool // those that were sent; true means neither void nor pruned
	undos []*mUndo        // the codes of notices that are not void
	mails []mMail         // that the verbs should have sent since the last look
}

type mUser struct {
	id        roster.UserID
	name, key string
	realName  string
	enabled   bool
	flags     roster.Flags
	password  string // empty is none
	emails    []*mEmail

	createdAt, activatedAt, deletedAt, loginAt time.Time
	passwordAt, authAt                         time.Time
}

type mEmail struct {
	id                     roster.EmailID
	address, key           string
	primary                bool
	createdAt, activatedAt time.Time
}

// mName is whose a name is; until is set while it is held back.
type mName struct {
	owner roster.UserID
	until time.Time
}

type mCode struct {
	code    string // what the mail brought
	purpose roster.Purpose
	user    roster.UserID
	email   roster.EmailID
	expires time.Time
}

type mMail struct {
	kind roster.MailKind
	to   string
	user roster.UserID
	code *mCode // nil if the kind has none
	undo *mUndo // the same, of a notice
}

func newModel() *model {
	return &model{users: map[roster.UserID]*mUser{}, names: map[string]mName{}, codes: map[*mCode]bool{}}
}

// clone copies all but the codes themselves, which never change but for their
// text.
func (m *model) clone() *model {
	c := &model{users: map[roster.UserID]*mUser{}, names: maps.Clone(m.names), codes: maps.Clone(m.codes), mails: slices.Clone(m.mails), undos: slices.Clone(m.undos)}
	for id, u := range m.users {
		v := *u
		v.emails = nil
		for _, e := range u.emails {
			f := *e
			v.emails = append(v.emails, &f)
		}
		c.users[id] = &v
	}
	return c
}

func (u *mUser) active() bool   { return !u.activatedAt.IsZero() }
func (u *mUser) deleted() bool  { return !u.deletedAt.IsZero() }
func (e *mEmail) active() bool  { return !e.activatedAt.IsZero() }
func (u *mUser) mayLogin() bool { return u.enabled && !u.deleted() && u.flags&barring == 0 }

const barring = roster.FlagBanned | roster.FlagLocked

func (u *mUser) email(id roster.EmailID) *mEmail {
	for _, e := range u.emails {
		if e.id == id {
			return e
		}
	}
	return nil
}

func (u *mUser) withKey(key string) *mEmail {
	for _, e := range u.emails {
		if e.key == key {
			return e
		}
	}
	return nil
}

func (u *mUser) primary() *mEmail {
	for _, e := range u.emails {
		if e.primary {
			return e
		}
	}
	return nil
}

// hasProven reports whether any address of the user is activated.
func (u *mUser) hasProven() bool { return slices.ContainsFunc(u.emails, (*mEmail).active) }

// live is the user, unless it is deleted.
func (m *model) live(id roster.UserID) *mUser {
	if u := m.users[id]; u != nil && !u.deleted() {
		return u
	}
	return nil
}

func (m *model) byKey(key string) *mUser {
	for _, u := range m.users {
		if u.key == key && !u.deleted() {
			return u
		}
	}
	return nil
}

// owner is who has activated an address.
func (m *model) owner(key string) (*mUser, *mEmail) {
	for _, u := range m.users {
		if e := u.withKey(key); e != nil && e.active() && !u.deleted() {
			return u, e
		}
	}
	return nil, nil
}

// claimants are all who have an address, in the order of the claims.
func (m *model) claimants(key string) []*mUser {
	var users []*mUser
	for _, u := range m.users {
		if u.withKey(key) != nil && !u.deleted() {
			users = append(users, u)
		}
	}
	slices.SortFunc(users, func(a, b *mUser) int { return int(a.withKey(key).id - b.withKey(key).id) })
	return users
}

// nameFree says whether a user may take a name.
func (m *model) nameFree(key string, id roster.UserID, now time.Time) bool {
	n, ok := m.names[key]
	return !ok || n.owner == id || !n.until.IsZero() && !n.until.After(now)
}

func (m *model) hold(u *mUser, now time.Time, hold time.Duration) {
	m.names[u.key] = mName{u.id, now.Add(hold)}
}

// void makes the codes of a user worthless: all, or those for one address, or
// those of some purposes.
func (m *model) void(user roster.UserID, email roster.EmailID, purposes ...roster.Purpose) {
	for c := range m.codes {
		if c.user == user && (email == 0 || c.email == email) && (len(purposes) == 0 || slices.Contains(purposes, c.purpose)) {
			m.codes[c] = false
		}
	}
}

// waiting reports whether a code is on its way to a user, or to one address.
func (m *model) waiting(user roster.UserID, email roster.EmailID) bool {
	for c, kept := range m.codes {
		if kept && c.user == user && (email == 0 || c.email == email) {
			return true
		}
	}
	return false
}

// sensitive is what every auth-sensitive change does: it comes after whatever
// was before, whatever the clock says.
func (m *model) sensitive(u *mUser, now time.Time) {
	last := u.authAt
	if u.loginAt.After(last) {
		last = u.loginAt
	}
	u.authAt = now
	if !now.After(last) {
		u.authAt = last.Add(time.Microsecond)
	}
	m.void(u.id, 0)
}

// good is what a code would do, if it is good.
func (m *model) good(c *mCode, now time.Time) (*mUser, *mEmail) {
	u := m.live(c.user)
	if !m.codes[c] || !now.Before(c.expires) || u == nil || !u.mayLogin() {
		return nil, nil
	}
	e := u.email(c.email)
	if e == nil {
		return nil, nil
	}
	if o, _ := m.owner(e.key); o != nil && o != u {
		return nil, nil
	}
	return u, e
}

func (m *model) mail(kind roster.MailKind, u *mUser, to string) {
	m.mails = append(m.mails, mMail{kind: kind, user: u.id, to: to})
}

// setPassword is told by whose code it was set, if by any.
func (m *model) setPassword(u *mUser, password, proven string, now time.Time) {
	u.password, u.passwordAt = password, now
	m.sensitive(u, now)
	if p := u.primary(); p != nil && p.active() {
		m.notice(roster.MailPasswordChanged, u, p, proven, proven != "", now)
	}
}

// purge removes a user and all that hangs on it.
func (m *model) purge(id roster.UserID) {
	m.void(id, 0)
	m.undos = slices.DeleteFunc(m.undos, func(un *mUndo) bool { return un.user == id })
	delete(m.users, id)
	maps.DeleteFunc(m.names, func(_ string, n mName) bool { return n.owner == id })
}

// signsIn is what Authenticate answers.
func (m *model) signsIn(u *mUser, password string) error {
	switch {
	case u == nil || u.password == "" || u.password != password || !u.mayLogin():
		return roster.ErrCredentials
	case !u.active():
		return roster.ErrNotActivated
	}
	return nil
}
