package roster

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"
)

// Record writes an event of the program's own, in the transaction of ctx if there
// is one: what it does with the accounts then stands in one line with what roster
// does. Kind, which is not one of roster's, User, Group, Scope and Details are
// taken from e; Details has the limits of [Data], and should hold no more than the
// record needs. Options.OnEvent and AfterEvent are told of it.
//
// It returns an [InvalidError] of [FieldKind], of [FieldUser] for an ID that is
// negative, or of [FieldData].
func (us *Users) Record(ctx context.Context, e Event) error {
	return wrap("record event", 0, us.record(ctx, e))
}

func (us *Users) record(ctx context.Context, e Event) error {
	if err := us.ask(ctx, "Record"); err != nil {
		return err
	}
	var errs []error
	if e.Kind.IsOwn() {
		errs = append(errs, invalid(FieldKind, ReasonReserved))
	} else {
		errs = append(errs, checkKind(e.Kind))
	}
	if e.User < 0 || e.Group < 0 {
		errs = append(errs, invalid(FieldUser, ReasonNotPositive))
	}
	data, err := e.Details.canonical()
	if err := errors.Join(append(errs, err)...); err != nil {
		return err
	}
	e = Event{Kind: e.Kind, User: e.User, Group: e.Group, Scope: e.Scope, Details: data}
	return us.store.Atomic(ctx, func(ctx context.Context) error { return us.emit(ctx, e) })
}

const maxKindBytes = 64

func checkKind(k EventKind) error {
	if k == "" {
		return invalid(FieldKind, ReasonEmpty)
	}
	return checkText(FieldKind, string(k), maxKindBytes, maxKindBytes)
}

// emit records what a verb does, in its transaction, and so takes part in what
// becomes of that. An Options.OnEvent that refuses makes the verb fail. Actor,
// RealActor, Addr and At are filled in, Actor unless the verb knows it.
func (us *Users) emit(ctx context.Context, e Event) error {
	us.fill(ctx, &e)
	if err := us.store.InsertEvent(ctx, &e); err != nil {
		return err
	}
	if err := us.onEvent(ctx, e); err != nil {
		return err
	}
	if us.opts.AfterEvent != nil {
		AfterCommit(ctx, func(ctx context.Context) { us.afterEvent(ctx, e) })
	}
	return nil
}

// fill says who, from where and when.
func (us *Users) fill(ctx context.Context, e *Event) {
	if a := us.actor; a != nil && e.Actor == 0 {
		e.Actor, e.RealActor = a.User, a.Real
	}
	if e.RealActor == 0 {
		e.RealActor = e.Actor
	}
	e.Addr, e.At, e.Count = ClientFrom(ctx).addr(), us.now(), 1
	e.LastAt = e.At
}

// emitSession records what has become of a session, by who is signed in by it.
func (us *Users) emitSession(ctx context.Context, kind EventKind, s *Session) error {
	return us.emit(ctx, Event{
		Kind: kind, User: s.UserID, Actor: s.UserID, RealActor: s.ImpersonatorID, Details: details(detailSession, s.ID),
	})
}

// emitRemoved records that addresses were removed from a user, if there are any.
func (us *Users) emitRemoved(ctx context.Context, id UserID, emails ...EmailID) error {
	if len(emails) == 0 {
		return nil
	}
	return us.emit(ctx, Event{Kind: EventEmailRemoved, User: id, Details: details(detailEmails, emails)})
}

// emitEdit records which fields of a user have other values than before, and which
// columns of the host.
func (us *Users) emitEdit(ctx context.Context, before, u *User, hosts []string) error {
	var fields []string
	for _, f := range []struct {
		name    string
		changed bool
	}{
		{FieldName, u.Name != before.Name},
		{FieldRealName, u.RealName != before.RealName},
		{FieldLocale, u.Locale != before.Locale},
		{FieldTimezone, u.Timezone != before.Timezone},
		{FieldDirectory, u.DirectoryID != before.DirectoryID || u.DirectoryDN != before.DirectoryDN},
		{FieldFlags, u.Flags != before.Flags},
		{FieldData, !sameData(u.Data, before.Data)},
	} {
		if f.changed {
			fields = append(fields, f.name)
		}
	}
	fields = append(fields, hosts...)
	e := Event{Kind: EventUserEdited, User: u.ID, Details: details("fields", fields)}
	if u.Flags != before.Flags {
		e.Details = details("fields", fields, "flags", u.Flags, "was_flags", before.Flags)
	}
	if err := us.emit(ctx, e); err != nil || u.NameKey == before.NameKey {
		return err
	}
	return us.emit(ctx, Event{Kind: EventUserRenamed, User: u.ID})
}

// details are the values of [Event.Details], each behind its key. Empty ones are
// left out.
func details(pairs ...any) Data {
	d := make(Data, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		raw, _ := json.Marshal(pairs[i+1]) // numbers and strings
		switch string(raw) {
		case `""`, "0", "null", "false", "[]":
		default:
			d[pairs[i].(string)] = raw
		}
	}
	return d
}

// emitLate records what was refused, or what has failed: when the transaction in
// ctx has ended, however it ends, or at once if there is none. Who hangs up
// meanwhile is recorded all the same. It never fails: what cannot be written is
// logged.
//
// What repeats within an hour is counted in one row, and so many rows are begun in
// an hour and no more: what comes then is counted by its kind alone. So who is
// refused again and again does not fill the database.
func (us *Users) emitLate(ctx context.Context, e Event) {
	us.fill(ctx, &e)
	source := clientSource(ctx)
	afterEnd(ctx, func(ctx context.Context) {
		us.writeLate(ctx, source, e)
		us.afterEvent(ctx, e)
	})
}

func number[ID ~int64](id ID) string { return strconv.FormatInt(int64(id), 10) }

func (us *Users) writeLate(ctx context.Context, source string, e Event) {
	key, row, due := us.late.admit(e, func(e Event) string {
		return us.opts.Limits.key("event", string(e.Kind), number(e.Actor), number(e.RealActor), number(e.User), number(e.Group), number(e.Scope),
			source, string(e.Details[detailVerb]), string(e.Details[detailOutcome]), strconv.FormatInt(e.At.Truncate(time.Hour).Unix(), 10))
	})
	if !due {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lateTimeout)
	defer cancel()
	if err := us.store.CountEvent(ctx, key, &row); err != nil {
		us.opts.Logger.Error("event not recorded", slog.String("kind", string(e.Kind)), slog.Int64("user", int64(e.User)), slog.Any("error", err))
	}
}

// The bounds of what is recorded late.
const (
	lateTimeout = 5 * time.Second // for writing what nothing waits for
	lateRows    = 1000            // that are begun in an hour
	lateTargets = 100             // of them, of what one actor is refused to do to whom, or where
	lateWrites  = 10              // of one row in a minute, then it is counted in memory first
)

// lateEvents keeps the records of what was refused from piling up.
type lateEvents struct {
	mu   sync.Mutex
	hour time.Time
	rows map[string]*lateRow // of this hour
	who  map[UserID]int      // how many of them are for the refusals of one actor
}

type lateRow struct {
	minute  time.Time
	writes  int // in that minute
	pending int // counted and not written
}

// admit returns the row that an event is to be counted in, with how many there
// are to be added, unless that is for a later one to write. A failed sign-in,
// which has cost a hash, is written each time. Who tries everybody in turn takes up
// no more than some of the rows.
func (l *lateEvents) admit(e Event, keyOf func(Event) string) (string, Event, bool) {
	key := keyOf(e)
	l.mu.Lock()
	defer l.mu.Unlock()
	if hour := e.At.Truncate(time.Hour); !hour.Equal(l.hour) || l.rows == nil {
		l.hour, l.rows, l.who = hour, map[string]*lateRow{}, map[UserID]int{}
	}
	row := l.rows[key]
	if row == nil && e.Kind == EventDenied {
		if l.who[e.RealActor] >= lateTargets {
			e.User, e.Group, e.Scope = 0, 0, 0
			key = keyOf(e)
			row = l.rows[key]
		} else {
			l.who[e.RealActor]++
		}
	}
	if row == nil && len(l.rows) >= lateRows {
		key = string(e.Kind) + " " + strconv.FormatInt(l.hour.Unix(), 10)
		e = Event{Kind: e.Kind, At: e.At, LastAt: e.LastAt, Details: details(detailMany, true)}
		row = l.rows[key] // one more for each kind
	}
	if row == nil {
		row = new(lateRow)
		l.rows[key] = row
	}
	if minute := e.At.Truncate(time.Minute); !minute.Equal(row.minute) {
		row.minute, row.writes = minute, 0
	}
	row.pending++
	if row.writes >= lateWrites && e.Kind != EventSignInFailed {
		return key, e, false
	}
	e.Count = row.pending
	row.writes++
	row.pending = 0
	return key, e, true
}
