package acceptance

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/go-roster/roster"
)

const (
	undoTTL  = 7 * 24 * time.Hour
	maxUndos = 16 // that one mailbox holds
)

// mUndo is a code by which a mailbox can have an account back.
type mUndo struct {
	code         string // what the notice brought
	user         roster.UserID
	address, key string
	rank         int64 // lower is elder
	expires      time.Time
}

// holds returns the codes that an address holds for a user, oldest first, and
// its rank: 0 if it holds none.
func (m *model) holds(u *mUser, key string, now time.Time) (list []*mUndo, rank int64) {
	for _, un := range m.undos {
		if un.user == u.id && un.key == key && now.Before(un.expires) {
			list, rank = append(list, un), un.rank
		}
	}
	return list, rank
}

func (m *model) dropUndos(u *mUser, which func(un *mUndo) bool) {
	m.undos = slices.DeleteFunc(slices.Clone(m.undos), func(un *mUndo) bool { return un.user == u.id && which(un) })
}

// notice tells an address of a change in favour of another one, which proved
// itself or not, and of which it holds a code to undo it unless that one is the
// elder.
func (m *model) notice(kind roster.MailKind, u *mUser, e *mEmail, favours string, proven bool, now time.Time) {
	held, rank := m.holds(u, e.key, now)
	if _, elder := m.holds(u, favours, now); favours != e.key && elder > 0 && (rank == 0 || elder < rank) {
		if proven {
			m.dropUndos(u, func(un *mUndo) bool { return un.rank > elder })
		}
		m.mail(kind, u, e.address)
		return
	}
	if rank == 0 {
		rank = 1
		for _, un := range m.undos {
			if un.user == u.id {
				rank = max(rank, un.rank+1)
			}
		}
	}
	if favours == e.key {
		m.dropUndos(u, func(un *mUndo) bool { return un.key == e.key || un.rank > rank })
		held = nil
	}
	m.sendUndo(kind, u, e, held, rank, now.Add(undoTTL))
}

// farewell tells an address that it was removed.
func (m *model) farewell(u *mUser, e *mEmail, now time.Time) {
	held, rank := m.holds(u, e.key, now)
	if rank == 0 {
		m.mail(roster.MailEmailRemoved, u, e.address)
		return
	}
	last := slices.MaxFunc(held, func(a, b *mUndo) int { return a.expires.Compare(b.expires) })
	m.sendUndo(roster.MailEmailRemoved, u, e, held, rank, last.expires)
}

func (m *model) sendUndo(kind roster.MailKind, u *mUser, e *mEmail, held []*mUndo, rank int64, expires time.Time) {
	if len(held) == maxUndos {
		m.dropUndos(u, func(un *mUndo) bool { return un == held[maxUndos-1] })
	}
	un := &mUndo{user: u.id, address: e.address, key: e.key, rank: rank, expires: expires}
	m.undos = append(m.undos, un)
	m.mails = append(m.mails, mMail{kind: kind, user: u.id, to: e.address, undo: un})
}

// undoes is who would have the account back by a code, nil if nobody.
func (m *model) undoes(un *mUndo, now time.Time) *mUser {
	u := m.live(un.user)
	if !slices.Contains(m.undos, un) || !now.Before(un.expires) || u == nil || !u.mayLogin() {
		return nil
	}
	if owner, _ := m.owner(un.key); owner != nil && owner != u {
		return nil
	}
	return u
}

// notedCode picks a code that a notice has brought, mostly a good one.
func (x *machine) notedCode() *mUndo {
	good := slices.DeleteFunc(slices.Clone(x.undos), func(un *mUndo) bool { return x.m.undoes(un, x.now()) == nil })
	switch {
	case len(x.undos) == 0:
		return nil
	case len(good) > 0 && !x.odds(6):
		return rapid.SampledFrom(good).Draw(x.T, "good undo")
	}
	return rapid.SampledFrom(x.undos).Draw(x.T, "undo")
}

func (x *machine) undo() error {
	un, p := x.notedCode(), x.password()
	if un == nil || !x.odds(2) {
		return errIdle
	}
	got, err := x.w.UndoChange(x.ctx, un.code, p)
	u := x.m.undoes(un, x.now())
	if u == nil {
		return x.want("undo", err, roster.ErrActivation)
	}
	x.want("undo", err, nil)
	if got.ID != u.id {
		x.Fatalf("undone for user %d, want %d", got.ID, u.id)
	}
	x.m.dropUndos(u, func(o *mUndo) bool { return o == un || o.key == un.key || o.rank > un.rank })
	own := u.withKey(un.key)
	var removed []*mEmail
	for _, e := range slices.Clone(u.emails) {
		if e == own {
			continue
		}
		if e.active() {
			removed = append(removed, e)
		}
		x.m.remove(u, e)
	}
	if own == nil {
		own = &mEmail{id: x.newEmail(u.id, un.key), address: un.address, key: un.key, createdAt: x.now()}
		u.emails = append(u.emails, own)
	}
	own.primary = true
	x.m.activate(u, own, x.now())
	if !u.active() {
		u.activatedAt = x.now()
	}
	x.m.setPassword(u, p, un.key, x.now())
	for _, e := range removed {
		x.m.farewell(u, e, x.now())
	}
	return nil
}

func (x *machine) accept() error {
	un := x.notedCode()
	if un == nil || !x.odds(3) {
		return errIdle
	}
	err := x.w.AcceptChange(x.ctx, un.code)
	u := x.m.undoes(un, x.now())
	if u == nil {
		return x.want("accept", err, roster.ErrActivation)
	}
	x.m.dropUndos(u, func(o *mUndo) bool { return o.key == un.key })
	return x.want("accept", err, nil)
}

// compareUndos looks at what the last notices brought.
func (x *machine) compareUndos() {
	for _, un := range x.undos[max(0, len(x.undos)-8):] {
		u := x.m.undoes(un, x.now())
		p, err := x.w.Peek(x.ctx, un.code)
		switch {
		case u == nil:
			x.want("peek at an undo", err, roster.ErrActivation)
		case err != nil || p.Purpose != roster.PurposeUndo || p.User.ID != u.id || p.Email.AddressKey != un.key || !p.ExpiresAt.Equal(un.expires):
			x.Fatalf("peek at %+v: %+v, %v", *un, p, err)
		}
	}
}
