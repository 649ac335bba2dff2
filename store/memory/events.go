package memory

import (
	"bytes"
	"context"
	"maps"
	"time"

	"github.com/go-roster/roster"
)

// eventTable holds the events. The latest come first in every index by time.
type eventTable struct {
	byID    index[roster.EventID, *eventRow]
	byKey   index[string, roster.EventID]
	byTime  index[string, roster.EventID]
	byUser  index[string, roster.EventID] // by user and time
	byActor index[string, roster.EventID] // by the real actor and time
	byKind  index[string, roster.EventID] // by kind and time
	byAge   index[string, roster.EventID] // by time, the earliest first
}

type eventRow struct {
	roster.Event
	key string // see CountEvent
}

// latest is a key that sorts later times and greater IDs first.
func latest(at time.Time, id roster.EventID) string { return ints(-at.UnixMicro(), -int64(id)) }

func (r *eventRow) keyKey() (string, bool)  { return r.key, r.key != "" }
func (r *eventRow) timeKey() (string, bool) { return latest(r.At, r.ID), true }
func (r *eventRow) userKey() (string, bool) {
	return ints(int64(r.User)) + latest(r.At, r.ID), r.User != 0
}

func (r *eventRow) actorKey() (string, bool) {
	return ints(int64(r.RealActor)) + latest(r.At, r.ID), r.RealActor != 0
}

func (r *eventRow) kindKey() (string, bool) { return text(string(r.Kind)) + latest(r.At, r.ID), true }
func (r *eventRow) ageKey() (string, bool)  { return ints(r.At.UnixMicro(), int64(r.ID)), true }

// setEvent puts row in the place of old. Either may be nil.
func (st *state) setEvent(id roster.EventID, old, row *eventRow) {
	t := &st.events
	replace(st, &t.byID, id, row)
	reindex(st, &t.byKey, (*eventRow).keyKey, old, row, id)
	reindex(st, &t.byTime, (*eventRow).timeKey, old, row, id)
	reindex(st, &t.byUser, (*eventRow).userKey, old, row, id)
	reindex(st, &t.byActor, (*eventRow).actorKey, old, row, id)
	reindex(st, &t.byKind, (*eventRow).kindKey, old, row, id)
	reindex(st, &t.byAge, (*eventRow).ageKey, old, row, id)
}

// copyEvent is an event that shares nothing with e.
func copyEvent(e *roster.Event) *roster.Event {
	c := *e
	c.At, c.LastAt, c.Details = micros(c.At), micros(c.LastAt), nil
	if len(e.Details) > 0 {
		c.Details = maps.Clone(e.Details)
		for key, raw := range c.Details {
			c.Details[key] = bytes.Clone(raw)
		}
	}
	return &c
}

// addEvent gives a row its ID.
func (s *Store) addEvent(st *state, e *roster.Event, key string) *eventRow {
	s.ids.event++
	row := &eventRow{Event: *e, key: key}
	row.ID = s.ids.event
	st.setEvent(row.ID, nil, row)
	return row
}

// InsertEvent implements [roster.EventStore].
func (s *Store) InsertEvent(ctx context.Context, e *roster.Event) error {
	in := copyEvent(e)
	row, err := write(ctx, s, func(st *state) (*eventRow, error) { return s.addEvent(st, in, ""), nil })
	if err == nil {
		e.ID = row.ID
	}
	return err
}

// CountEvent implements [roster.EventStore].
func (s *Store) CountEvent(ctx context.Context, key string, e *roster.Event) error {
	in := copyEvent(e)
	row, err := write(ctx, s, func(st *state) (*eventRow, error) {
		if err := keyed(roster.FieldID, key); err != nil {
			return nil, err
		}
		old := st.events.byID.get(st.events.byKey.get(key))
		if old == nil {
			return s.addEvent(st, in, key), nil
		}
		row := *old
		row.Count += in.Count
		row.LastAt = in.LastAt
		st.setEvent(row.ID, old, &row)
		return &row, nil
	})
	if err == nil {
		e.ID, e.Count = row.ID, row.Count
	}
	return err
}

// EventPage implements [roster.EventStore].
func (s *Store) EventPage(ctx context.Context, q roster.EventFilter) ([]*roster.Event, error) {
	return read(ctx, s, func(st *state) ([]*roster.Event, error) {
		t := &st.events
		ix, prefix := t.byTime, ""
		switch {
		case q.User != 0:
			ix, prefix = t.byUser, ints(int64(q.User))
		case q.RealActor != 0:
			ix, prefix = t.byActor, ints(int64(q.RealActor))
		case q.Kind != "":
			ix, prefix = t.byKind, text(string(q.Kind))
		}
		after := ""
		if q.AfterID != 0 {
			after = prefix + latest(micros(q.AfterAt), q.AfterID)
		}
		since, before := micros(q.Since), micros(q.Before)
		rows := []*roster.Event{}
		for key, id := range ix.from(max(prefix, after)) {
			if len(rows) >= q.Limit || len(key) < len(prefix) || key[:len(prefix)] != prefix {
				break
			}
			r := t.byID.get(id)
			if !since.IsZero() && r.At.Before(since) {
				break
			}
			if key == after || !before.IsZero() && !r.At.Before(before) ||
				q.RealActor != 0 && r.RealActor != q.RealActor || q.Kind != "" && r.Kind != q.Kind {
				continue
			}
			rows = append(rows, copyEvent(&r.Event))
		}
		return rows, nil
	})
}

// ForgetClients implements [roster.EventStore].
func (s *Store) ForgetClients(ctx context.Context, users ...roster.UserID) (int, error) {
	if len(users) == 0 {
		return nothing[int](ctx, s)
	}
	return write(ctx, s, func(st *state) (int, error) {
		n := 0
		for _, user := range set(users) {
			var ids []roster.EventID
			for _, id := range prefixed(st.events.byActor, ints(int64(user))) {
				ids = append(ids, id)
			}
			for _, id := range prefixed(st.events.byUser, ints(int64(user))) {
				if st.events.byID.get(id).RealActor == 0 {
					ids = append(ids, id)
				}
			}
			for _, id := range ids {
				if old := st.events.byID.get(id); old.Addr != "" {
					row := *old
					row.Addr = ""
					st.setEvent(id, old, &row)
					n++
				}
			}
		}
		return n, nil
	})
}

// PruneEvents implements [roster.EventStore]. The earliest go first.
func (s *Store) PruneEvents(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit <= 0 {
		return nothing[int](ctx, s)
	}
	before = micros(before)
	return write(ctx, s, func(st *state) (int, error) {
		var rows []*eventRow
		for _, id := range st.events.byAge.from("") {
			r := st.events.byID.get(id)
			if len(rows) >= limit || !r.At.Before(before) {
				break
			}
			rows = append(rows, r)
		}
		for _, r := range rows {
			st.setEvent(r.ID, r, nil)
		}
		return len(rows), nil
	})
}
