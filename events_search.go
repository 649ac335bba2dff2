package roster

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"time"
)

// EventQuery asks for events. The zero EventQuery is the first page of all.
type EventQuery struct {
	User   UserID    // to whom it happened; zero is everybody
	Actor  UserID    // who did it, or really sat there ([Event.RealActor]); zero is everybody
	Kind   EventKind // empty is every kind
	Since  time.Time // zero is ever
	Until  time.Time // strictly before; zero is for ever
	Limit  int       // zero means 50, at most 500
	Cursor string    // Page.Next of the page before; empty means the first page
}

// Events returns one page of the record of what has happened, the latest first: every
// change and every sign-in, with who did it, from where and when. It is only ever added to,
// until Prune removes what is older than Options.EventKeep.
//
// A change is there if and only if it took effect, since both are one transaction.
// What was refused or has failed (EventDenied, EventSignInFailed,
// EventSignInThrottled, EventCodeRefused) changes nothing and is written
// afterwards, if the database can be written: it is counted, by who, from where
// and to whom, in one row an hour, and of more than a thousand rows in one by the
// kind alone. Of all but failed sign-ins, what comes more often than ten times a
// minute is added to the row with the next one after that.
//
// The record outlives the users, by their IDs. Whoever is purged leaves no
// addresses there.
//
// An actor ([Users.For]) sees what happened to them, but for the addresses of
// others who did it, what others were refused, and the codes that were sent to addresses that they have named;
// everything else takes [PermReadEvents]. It returns an
// [InvalidError] of [FieldUser], [FieldKind], [FieldLimit] or [FieldCursor].
func (us *Users) Events(ctx context.Context, q EventQuery) (*Page[*Event], error) {
	p, err := us.events(ctx, q)
	return p, wrap("search events", 0, err)
}

func (us *Users) events(ctx context.Context, q EventQuery) (*Page[*Event], error) {
	own := us.actor != nil && q.User != 0 && q.User == us.actor.User
	if own {
		if err := us.askAbout(ctx, "Events", q.User); err != nil {
			return nil, err
		}
	} else if err := us.on(ToUser(q.User)).ask(ctx, "Events"); err != nil {
		return nil, err
	}
	f, err := q.forStore()
	if err != nil {
		return nil, err
	}
	var all bool
	if own {
		if all, err = us.can(ctx, us.actor.User, PermReadEvents, 0, GlobalOnly); err != nil {
			return nil, err
		}
	}
	limit := f.Limit
	f.Limit++ // one more tells whether there is a next page
	var events []*Event
	for more := true; more && len(events) <= limit; {
		page, err := us.store.EventPage(ctx, f)
		if err != nil {
			return nil, err
		}
		if more = len(page) == f.Limit; more {
			f.AfterAt, f.AfterID = page[len(page)-1].At, page[len(page)-1].ID
		}
		if own && !all {
			page = us.ownView(page)
		}
		events = append(events, page...)
	}
	p := &Page[*Event]{Items: events[:min(len(events), limit)]}
	if len(events) > limit {
		p.Next = encodeEventCursor(q, p.Items[limit-1])
	}
	return p, nil
}

// ownView is what somebody may see of what happened to them: not where others
// were who did it, nor who was refused what, nor whether an address that they named belongs to somebody, which
// a code that was sent or not would tell.
func (us *Users) ownView(events []*Event) []*Event {
	events = slices.DeleteFunc(events, func(e *Event) bool {
		if e.Kind == EventDenied && e.RealActor != us.actor.User { // nothing has happened to them
			return true
		}
		return e.Kind == EventCodeSent && string(e.Details[detailPurpose]) != `"`+string(PurposeResetPassword)+`"`
	})
	for _, e := range events {
		if e.RealActor != 0 && e.RealActor != us.actor.User {
			e.Addr = ""
		}
		delete(e.Details, detailOwner)
	}
	return events
}

// forStore checks q and brings it into the form that stores are asked in.
func (q EventQuery) forStore() (EventFilter, error) {
	f := EventFilter{User: q.User, RealActor: q.Actor, Kind: q.Kind, Since: stamp(q.Since), Before: stamp(q.Until), Limit: q.Limit}
	var errs []error
	if q.User < 0 || q.Actor < 0 {
		errs = append(errs, invalid(FieldUser, ReasonNotPositive))
	}
	if q.Kind != "" {
		errs = append(errs, checkKind(q.Kind))
	}
	switch {
	case q.Limit == 0:
		f.Limit = defaultLimit
	case q.Limit < 0:
		errs = append(errs, invalid(FieldLimit, ReasonNotPositive))
	case q.Limit > maxLimit:
		errs = append(errs, invalid(FieldLimit, ReasonTooLong))
	}
	if q.Cursor != "" {
		var ok bool
		if f.AfterAt, f.AfterID, ok = decodeEventCursor(q); !ok {
			errs = append(errs, invalid(FieldCursor, ReasonSyntax))
		}
	}
	return f, errors.Join(errs...)
}

// A cursor is a version byte, eight bytes that bind it to its query, and the
// time and the ID of the last event.
const eventCursorBytes = 1 + 8 + 8 + 8

func encodeEventCursor(q EventQuery, last *Event) string {
	b := append([]byte{cursorVersion}, q.digest()...)
	b = binary.BigEndian.AppendUint64(b, uint64(last.At.UnixMicro()))
	b = binary.BigEndian.AppendUint64(b, uint64(last.ID))
	return base64.RawURLEncoding.EncodeToString(b)
}

func decodeEventCursor(q EventQuery) (at time.Time, id EventID, ok bool) {
	if len(q.Cursor) > maxCursor {
		return at, 0, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(q.Cursor)
	if err != nil || len(b) != eventCursorBytes || b[0] != cursorVersion || string(b[1:9]) != string(q.digest()) {
		return at, 0, false
	}
	at = time.UnixMicro(int64(binary.BigEndian.Uint64(b[9:17]))).UTC()
	id = EventID(binary.BigEndian.Uint64(b[17:]))
	return at, id, id > 0 && at.Year() >= 1 && at.Year() <= 9999
}

// digest stands for what the query asks, apart from the page.
func (q EventQuery) digest() []byte {
	var b []byte
	for _, n := range []int64{int64(q.User), int64(q.Actor), stamp(q.Since).UnixMicro(), stamp(q.Until).UnixMicro()} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	sum := sha256.Sum256(append(b, q.Kind...))
	return sum[:8]
}
