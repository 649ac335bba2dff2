package storetest

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var eventCases = []testCase{
	{name: "Event/RoundTrip", rule: "An event comes out as it went in, field by field, of users who are not there too; IDs ascend.", run: eventRoundTrip},
	{name: "Event/Empty", rule: "An event of nothing but a kind is one; without details it has none when it is read: nil.", run: eventEmpty},
	{name: "Event/Count", rule: "CountEvent writes one row for a key, and counts in it; LastAt follows, nothing else moves.", run: eventCount},
	{name: "Event/Order", rule: "EventPage returns the latest first, of equal ones that with the greater ID, page by page, none twice.", run: eventOrder},
	{name: "Event/Filter", rule: "EventPage returns exactly what was asked for: by user, real actor, kind and time, and all of them at once.", run: eventFilter},
	{name: "Event/Append", rule: "What becomes of users, purged ones too, leaves their events as they are.", run: eventAppend},
	{name: "Event/Forget", rule: "ForgetClients empties the address of what the users did, and of what the program did to them, and nothing else.", run: eventForget},
	{name: "PruneEvents", rule: "PruneEvents deletes at most limit events before that time, the earliest first.", run: pruneEvents},
}

// event of the kind that ann did to ben, acted by cat.
func event(kind roster.EventKind, d time.Duration) *roster.Event {
	return &roster.Event{
		Kind: kind, Actor: 11, RealActor: 12, User: 13, Group: 14, Scope: -15, Addr: "2001:db8::1", At: at(d),
		Details: roster.Data{"<&>": json.RawMessage(`{"b":1.50,"a":["<&>",null]}`)}, Count: 1, LastAt: at(d + time.Second),
	}
}

func insertEvent(t testing.TB, s roster.Store, e *roster.Event) *roster.Event {
	t.Helper()
	ok(t, s.InsertEvent(t.Context(), e))
	return e
}

func eventsOf(ctx context.Context, t testing.TB, s roster.Store) []*roster.Event {
	t.Helper()
	return got(s.EventPage(ctx, roster.EventFilter{Limit: 1000}))(t)
}

func eventRoundTrip(t *testing.T, s roster.Store) {
	ctx := t.Context()
	want := insertEvent(t, s, event("kind", 0))
	filled(t, want)
	same(t, "EventPage", eventsOf(ctx, t, s), []*roster.Event{want})
	zone := time.FixedZone("somewhere", 9*3600)
	last := want.ID
	for i, text := range nasty {
		e := event(roster.EventKind(text), time.Duration(i+1)*time.Microsecond)
		e.Addr, e.At, e.LastAt = text, e.At.In(zone), time.Time{}
		insertEvent(t, s, e)
		if e.ID <= last {
			t.Errorf("the ID %d comes after %d", e.ID, last)
		}
		last = e.ID
		same(t, "EventPage", got(s.EventPage(ctx, roster.EventFilter{Limit: 1}))(t), []*roster.Event{e})
		if text != "" {
			same(t, "EventPage of the kind", got(s.EventPage(ctx, roster.EventFilter{Kind: e.Kind, Limit: 10}))(t), []*roster.Event{e})
		}
	}
	e := event("copies", time.Hour)
	insertEvent(t, s, e)
	e.Details["<&>"][0] = 'X'
	out := got(s.EventPage(ctx, roster.EventFilter{Limit: 1}))(t)
	if string(out[0].Details["<&>"][:1]) != "{" {
		t.Error("what a caller does to an event after it was written reaches the store")
	}
	out[0].Details["<&>"][0] = 'Y'
	if out := got(s.EventPage(ctx, roster.EventFilter{Limit: 1}))(t); string(out[0].Details["<&>"][:1]) != "{" {
		t.Error("what a caller does to an event that was read reaches the store")
	}
}

func eventEmpty(t *testing.T, s roster.Store) {
	e := insertEvent(t, s, &roster.Event{Kind: "kind", At: at(0), Details: roster.Data{}})
	e.Details = nil
	same(t, "EventPage", eventsOf(t.Context(), t, s), []*roster.Event{e})
	insertEvent(t, s, &roster.Event{Kind: "kind", At: time.Time{}})
	all := eventsOf(t.Context(), t, s)
	if len(all) != 2 || !all[1].At.IsZero() || all[0].Details != nil {
		t.Errorf("%+v", all)
	}
}

func eventCount(t *testing.T, s roster.Store) {
	ctx := t.Context()
	want := event("kind", 0)
	ok(t, s.CountEvent(ctx, "key", want))
	other := event("kind", time.Minute)
	ok(t, s.CountEvent(ctx, "Key", other))
	for n := 2; n < 20; n += n {
		e := event("another", time.Duration(n)*time.Hour)
		e.Count = n / 2
		e.Details, e.Addr, e.User = nil, "::9", 99
		ok(t, s.CountEvent(ctx, "key", e))
		if e.ID != want.ID || e.Count != n {
			t.Errorf("it was counted as %d times in %d, want %d in %d", e.Count, e.ID, n, want.ID)
		}
		want.Count, want.LastAt = n, e.LastAt
		same(t, "EventPage", eventsOf(ctx, t, s), []*roster.Event{other, want})
	}
	one, two := insertEvent(t, s, event("kind", 2*time.Minute)), insertEvent(t, s, event("kind", 3*time.Minute))
	same(t, "without a key", eventsOf(ctx, t, s), []*roster.Event{two, one, other, want})
	same(t, "pruned", got(s.PruneEvents(ctx, at(time.Second), 10))(t), 1)
	again := event("kind", 4*time.Minute)
	ok(t, s.CountEvent(ctx, "key", again))
	same(t, "after the first is pruned", eventsOf(ctx, t, s), []*roster.Event{again, two, one, other})
}

func eventOrder(t *testing.T, s roster.Store) {
	ctx := t.Context()
	var all []*roster.Event
	for i := range 40 {
		e := insertEvent(t, s, event("kind", time.Duration(i*7%5)*time.Microsecond))
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *roster.Event) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return int(b.ID - a.ID)
	})
	for _, limit := range []int{1, 3, 40, 100} {
		for _, q := range []roster.EventFilter{{}, {User: 13}, {RealActor: 12}, {Kind: "kind"}, {User: 13, RealActor: 12, Kind: "kind"}} {
			q.Limit = limit
			var found []*roster.Event
			for len(found) <= len(all) {
				page := got(s.EventPage(ctx, q))(t)
				if len(page) > limit {
					t.Fatalf("a page of %d, %d were asked for", len(page), limit)
				}
				if found = append(found, page...); len(page) < limit {
					break
				}
				last := page[len(page)-1]
				q.AfterAt, q.AfterID = last.At, last.ID
			}
			same(t, "all pages", found, all)
		}
	}
	for _, limit := range []int{0, -1} {
		same(t, "nothing", got(s.EventPage(ctx, roster.EventFilter{Limit: limit}))(t), []*roster.Event{})
	}
}

func eventFilter(t *testing.T, s roster.Store) {
	ctx := t.Context()
	var all []*roster.Event
	for i := range 64 {
		e := event(roster.EventKind([]string{"a", "A", "a.b", "ab"}[i&3]), time.Duration(i>>2)*time.Second)
		e.User, e.Actor, e.RealActor = roster.UserID(i>>1&3), roster.UserID(i>>4&1), roster.UserID(i>>3&3)
		all = append(all, insertEvent(t, s, e))
	}
	slices.Reverse(all)
	for _, user := range []roster.UserID{0, 1, 2, 9} {
		for _, actor := range []roster.UserID{0, 1, 2, 9} {
			for _, kind := range []roster.EventKind{"", "a", "A", "a.b", "%"} {
				for _, since := range []time.Time{{}, at(5 * time.Second), at(100 * time.Hour)} {
					for _, before := range []time.Time{{}, at(9 * time.Second), at(0)} {
						want := []*roster.Event{}
						for _, e := range all {
							if (user == 0 || e.User == user) && (actor == 0 || e.RealActor == actor) && (kind == "" || e.Kind == kind) &&
								!e.At.Before(since) && (before.IsZero() || e.At.Before(before)) {
								want = append(want, e)
							}
						}
						q := roster.EventFilter{User: user, RealActor: actor, Kind: kind, Since: since, Before: before, Limit: 100}
						same(t, "EventPage", got(s.EventPage(ctx, q))(t), want)
						if len(want) < 3 {
							continue
						}
						q.AfterAt, q.AfterID = want[1].At, want[1].ID
						same(t, "the rest", got(s.EventPage(ctx, q))(t), want[2:])
						q.AfterAt = at(1000 * time.Hour) // a cursor does not lead out of what was asked for
						same(t, "all again", got(s.EventPage(ctx, q))(t), want)
					}
				}
			}
		}
	}
}

func eventAppend(t *testing.T, s roster.Store) {
	ctx := t.Context()
	w := populate(t, s)
	want := eventsOf(ctx, t, s)
	if len(want) < 3 {
		t.Fatalf("the world has %d events", len(want))
	}
	ok(t, s.PurgeUser(ctx, w.ann.ID))
	got(s.PruneUsers(ctx, at(1000*time.Hour), 0, 100))(t)
	same(t, "the events", eventsOf(ctx, t, s), want)
}

func eventForget(t *testing.T, s roster.Store) {
	ctx := t.Context()
	var all []*roster.Event
	for i, c := range []struct{ actor, realActor, user roster.UserID }{
		{1, 1, 1}, {1, 1, 2}, {2, 1, 2}, {0, 0, 1}, {0, 0, 2}, {2, 2, 1}, {1, 2, 2}, {0, 0, 0}, {3, 3, 3}, {0, 0, 3},
	} {
		e := event("kind", -time.Duration(i)*time.Hour)
		e.Actor, e.RealActor, e.User = c.actor, c.realActor, c.user
		all = append(all, insertEvent(t, s, e))
	}
	same(t, "of nobody", got(s.ForgetClients(ctx))(t), 0)
	same(t, "of zero", got(s.ForgetClients(ctx, 0))(t), 0)
	same(t, "of a stranger", got(s.ForgetClients(ctx, 99))(t), 0)
	same(t, "all of them", eventsOf(ctx, t, s), all)
	same(t, "forgotten", got(s.ForgetClients(ctx, 1, 3, 1))(t), 6)
	for _, i := range []int{0, 1, 2, 3, 8, 9} {
		all[i].Addr = ""
	}
	same(t, "afterwards", eventsOf(ctx, t, s), all)
	same(t, "again", got(s.ForgetClients(ctx, 1, 3))(t), 0)
}

func pruneEvents(t *testing.T, s roster.Store) {
	ctx := t.Context()
	now := at(10 * time.Hour)
	for kind, when := range map[roster.EventKind]time.Time{
		"a now": now, "b before": now.Add(-time.Microsecond), "c long ago": at(-1000 * time.Hour), "d never": {}, "e after": now.Add(time.Microsecond),
	} {
		e := event(kind, 0)
		e.At, e.LastAt = when, now.Add(time.Hour)
		insertEvent(t, s, e)
	}
	for _, limit := range []int{0, -1} {
		same(t, "none asked for", got(s.PruneEvents(ctx, now, limit))(t), 0)
	}
	left := []roster.EventKind{"d never", "c long ago", "b before", "a now", "e after"} // in the order of their times
	for _, n := range []int{2, 1, 0} {
		same(t, "pruned", got(s.PruneEvents(ctx, now, 2))(t), n)
		left = left[n:]
		var kinds []roster.EventKind
		for _, e := range eventsOf(ctx, t, s) {
			kinds = append(kinds, e.Kind)
		}
		slices.Reverse(kinds)
		same(t, "left", kinds, left)
	}
	same(t, "all of them", got(s.PruneEvents(ctx, at(10_000*time.Hour), 100))(t), 2)
}
