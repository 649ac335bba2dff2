package roster

import (
	"context"
	"slices"
	"time"
)

// maxUndos is how many codes one mailbox may hold for one account. Somebody who
// changes the password again and again makes the newest of them void, never
// those that were there before.
const maxUndos = 16

// noRank is above every rank, and no undo has the address "".
const (
	noRank    = 1<<63 - 1
	noAddress = ""
)

// rankOf is the rank of those undos of the list, which is in the order of the
// ranks, that are for an address and still good. It is noRank if there is none.
func rankOf(undos []*Undo, key string, now time.Time) int64 {
	for _, un := range undos {
		if un.AddressKey == key && now.Before(un.ExpiresAt) {
			return un.Rank
		}
	}
	return noRank
}

// tellChanged notifies the primary address e of a change. It gets a code to
// undo it, unless the change was in favour of an address that had the account
// before it did and may have it back: favours is the key of that which becomes
// primary, or by which the password was reset, which proves the mailbox. Then it
// is the change that undoes something. Nor does who belongs to a directory get one:
// nobody leaves it by mail.
func (us *Users) tellChanged(ctx context.Context, m Mail, e *UserEmail, favours string, proven bool, now time.Time) error {
	m.To, m.Locale = e.mailbox(), m.User.Locale
	m.At, m.Client = now, ClientFrom(ctx)
	u := m.User
	if us.opts.UndoTTL < 0 || u.DirectoryID != "" {
		return us.send(ctx, m)
	}
	undos, err := us.store.UndosOf(ctx, u.ID)
	if err != nil {
		return err
	}
	rank, elder := rankOf(undos, e.AddressKey, now), rankOf(undos, favours, now)
	switch {
	case favours != e.AddressKey && elder < rank:
		if proven {
			if _, err := us.store.VoidUndos(ctx, u.ID, noAddress, elder); err != nil {
				return err
			}
		}
		return us.send(ctx, m)
	case rank == noRank:
		rank = 1
		for _, un := range undos { // also those that have expired
			rank = max(rank, un.Rank+1)
		}
	}
	if favours == e.AddressKey {
		// It has proven itself: who read its mail before should not have what they
		// found there.
		if _, err := us.store.VoidUndos(ctx, u.ID, e.AddressKey, rank); err != nil {
			return err
		}
	} else if err := us.makeRoom(ctx, undos, e.AddressKey, now); err != nil {
		return err
	}
	return us.sendUndo(ctx, m, e, undos, rank, now, now.Add(us.opts.UndoTTL))
}

// tellRemoved notifies an address that it was removed. If it had the account
// until lately it gets another code, for as long as the last one it has.
func (us *Users) tellRemoved(ctx context.Context, u *User, e *UserEmail, now time.Time) error {
	m := Mail{Kind: MailEmailRemoved, User: u, To: e.mailbox(), Locale: u.Locale, At: now, Client: ClientFrom(ctx)}
	undos, err := us.store.UndosOf(ctx, u.ID)
	if err != nil {
		return err
	}
	rank := rankOf(undos, e.AddressKey, now)
	if rank == noRank {
		return us.send(ctx, m)
	}
	var until time.Time
	for _, un := range undos {
		if un.AddressKey == e.AddressKey && un.ExpiresAt.After(until) {
			until = un.ExpiresAt
		}
	}
	if err := us.makeRoom(ctx, undos, e.AddressKey, now); err != nil {
		return err
	}
	return us.sendUndo(ctx, m, e, undos, rank, now, until)
}

// makeRoom makes the newest code for an address void if there are too many.
func (us *Users) makeRoom(ctx context.Context, undos []*Undo, key string, now time.Time) error {
	undos = slices.DeleteFunc(slices.Clone(undos), func(un *Undo) bool {
		return un.AddressKey != key || !now.Before(un.ExpiresAt)
	})
	if len(undos) < maxUndos {
		return nil
	}
	newest := slices.MaxFunc(undos, func(a, b *Undo) int { return a.CreatedAt.Compare(b.CreatedAt) })
	_, err := us.store.RedeemUndo(ctx, newest.Hash, now)
	return err
}

// sendUndo makes a code for the address that a notice goes to, and sends both.
// It is created later than the others, also while the clock stands still.
func (us *Users) sendUndo(
	ctx context.Context, m Mail, e *UserEmail, others []*Undo, rank int64, created, until time.Time,
) error {
	for _, un := range others {
		if !created.After(un.CreatedAt) {
			created = un.CreatedAt.Add(time.Microsecond)
		}
	}
	m.Code, m.ExpiresAt = newCode(), until
	m.Link = linkOf(us.opts.UndoURL, m.Code)
	hash, _ := hashCode(m.Code.Reveal())
	err := us.store.InsertUndo(ctx, &Undo{
		Hash: hash, UserID: m.User.ID, Address: e.Address, AddressKey: e.AddressKey, Rank: rank, CreatedAt: created, ExpiresAt: until,
	})
	if err != nil {
		return err
	}
	return us.send(ctx, m)
}
