package roster

import (
	"context"
	"log/slog"
	"net/netip"
	"time"
)

// What counts as a place that somebody has signed in from: a network that one
// provider gives to one household or street, of those that they came from lately.
const (
	placeBits4  = 24
	placeBits6  = 48
	placeMemory = 90 * 24 * time.Hour
	placeWindow = 24 * time.Hour // within which so many mails are sent
	placeMails  = 3
)

// networkOf is the network that an address is in. The zero Prefix is nowhere.
func networkOf(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := placeBits6
	if addr.Is4() {
		bits = placeBits4
	}
	p, _ := addr.Prefix(bits)
	return p
}

// isElsewhere reports whether a user, as read before the sign-in, comes from a
// place that is not known. Nobody does who has no place yet. It is asked in the
// transaction of the sign-in, before that is recorded, and reads no more where the
// last sign-in came from there, too.
func (us *Users) isElsewhere(ctx context.Context, u *User) (bool, error) {
	here := networkOf(ClientFrom(ctx).Addr)
	if us.opts.NoSignInNotices || us.opts.Mailer == nil || !here.IsValid() || u.LastLoginAt.IsZero() {
		return false, nil
	}
	known := false
	isHere := func(addr string) bool {
		at, err := netip.ParseAddr(addr)
		known = known || err == nil
		return err == nil && here.Contains(at)
	}
	if isHere(u.LastLoginIP) {
		return false, nil
	}
	now := us.now()
	past, err := us.store.EventPage(ctx, EventFilter{User: u.ID, Kind: EventSignIn, Since: now.Add(-placeMemory), Limit: maxLimit})
	if err != nil {
		return false, err
	}
	for _, e := range past {
		if isHere(e.Addr) {
			return false, nil
		}
	}
	if !known {
		return false, nil
	}
	told, err := us.store.EventPage(ctx, EventFilter{User: u.ID, Kind: EventNewPlace, Since: now.Add(-placeWindow), Limit: placeMails})
	return len(told) < placeMails, err
}

// noticeElsewhere tells the primary address of a sign-in from somewhere else. That
// it cannot is no reason to keep anybody out.
func (us *Users) noticeElsewhere(ctx context.Context, u *User) {
	err := us.store.Atomic(ctx, func(ctx context.Context) error {
		e, err := us.spokesman(ctx, u.ID)
		if err != nil || e == nil {
			return err
		}
		if err := us.emit(ctx, Event{Kind: EventNewPlace, User: u.ID, Actor: u.ID}); err != nil {
			return err
		}
		return us.notify(ctx, MailNewSignIn, u, e)
	})
	if err != nil {
		us.opts.Logger.Error("mail not sent", slog.String("kind", string(MailNewSignIn)), slog.Int64("user", int64(u.ID)))
	}
}
