package roster

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"
)

// What counts as a place that somebody has signed in from: a network that one
// provider gives to one household or street, of those that they came from lately.
const (
	placeBits4   = 24
	placeBits6   = 48
	placeMemory  = 90 * 24 * time.Hour
	placeSignIns = 500            // so many are looked at
	placeFirst   = 20             // and so many at first, since most people have two places
	placeWindow  = 24 * time.Hour // within which so many mails are sent
	placeMails   = 3
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
	q := EventFilter{User: u.ID, Kind: EventSignIn, Since: now.Add(-placeMemory), Limit: placeFirst}
	for seen := 0; seen < placeSignIns; q.Limit = placeSignIns - seen {
		past, err := us.store.EventPage(ctx, q)
		if err != nil {
			return false, err
		}
		for _, e := range past {
			if isHere(e.Addr) {
				return false, nil
			}
			q.AfterAt, q.AfterID = e.At, e.ID
		}
		if seen += len(past); len(past) < q.Limit {
			break
		}
	}
	if !known {
		return false, nil
	}
	told, err := us.store.EventPage(ctx, EventFilter{User: u.ID, Kind: EventNewPlace, Since: now.Add(-placeWindow), Limit: placeMails})
	return len(told) < placeMails, err
}

// noticeElsewhere tells the primary address of a sign-in from somewhere else.
func (us *Users) noticeElsewhere(ctx context.Context, u *User) {
	us.noticeApart(ctx, MailNewSignIn, u.ID, func(ctx context.Context) error {
		e, err := us.spokesman(ctx, u.ID)
		if err != nil || e == nil {
			return err
		}
		if err := us.emit(ctx, Event{Kind: EventNewPlace, User: u.ID, Actor: u.ID}); err != nil {
			return err
		}
		return us.notify(ctx, MailNewSignIn, u, e)
	})
}

// noticeApart sends a notice of a sign-in in a transaction of its own, when that of
// the sign-in has committed, also if the caller has gone meanwhile. That it cannot is
// no reason to keep anybody out, nor to undo what a host does beside the sign-in.
func (us *Users) noticeApart(ctx context.Context, kind MailKind, id UserID, send func(ctx context.Context) error) {
	client := ClientFrom(ctx)
	AfterCommit(ctx, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(WithClient(ctx, client)), lateTimeout)
		defer cancel()
		if err := us.store.Atomic(ctx, send); err != nil {
			attrs := []slog.Attr{slog.String("kind", string(kind)), slog.Int64("user", int64(id))}
			if unavailable := (*UnavailableError)(nil); errors.As(err, &unavailable) {
				attrs = append(attrs, slog.String("unavailable", unavailable.What))
			}
			us.opts.Logger.LogAttrs(ctx, slog.LevelError, "mail not sent", attrs...)
		}
	})
}
