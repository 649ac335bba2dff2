package bunstore

import (
	"context"
	"database/sql"
	"math"
	"strconv"
	"time"

	"github.com/go-roster/roster"
)

type eventQueries struct {
	insert, count, forget, prune, byIDs *Query

	pages [8]*Query // by what is asked for: the user, the actor, the kind
}

const eventColumns = "kind, actor_id, real_actor_id, user_id, group_id, scope_id, addr, happened_at, details, times, last_at"

// The bits of eventQueries.pages.
const (
	eventsOfUser = 1 << iota
	eventsOfActor
	eventsOfKind
)

func (s *Store) eventQueries() eventQueries {
	const insert = "INSERT INTO {events} (" + eventColumns
	q := eventQueries{
		insert: s.constant(insert + ") VALUES (" + placeholders(11) + ") RETURNING id"),
		count: s.constant(insert + ", count_key) VALUES (" + placeholders(12) + `)
ON CONFLICT (count_key) WHERE count_key IS NOT NULL DO UPDATE SET times = {events}.times + excluded.times, last_at = excluded.last_at
RETURNING id, times`),
		forget: s.constant("UPDATE {events} SET addr = '' WHERE addr <> '' AND (real_actor_id <> 0 AND " + s.dialect.In("real_actor_id", 1) +
			" OR user_id <> 0 AND real_actor_id = 0 AND " + s.dialect.In("user_id", 1) + ")"),
		byIDs: s.constant("SELECT id, happened_at FROM {events} WHERE " + s.dialect.In("id", 1)),
		prune: s.planned(`WITH gone AS MATERIALIZED (
SELECT id FROM {events} WHERE happened_at < $1 ORDER BY happened_at, id LIMIT $2` + s.dialect.ForUpdate + `)
DELETE FROM {events} WHERE id IN (SELECT id FROM gone)`),
	}
	for bits := range q.pages {
		where, n := "", 4
		for bit, column := range []string{"user_id", "real_actor_id", "kind"} {
			if bits>>bit&1 == 0 {
				continue
			}
			if column != "kind" {
				where += " AND " + column + " <> 0"
			}
			n++
			where += " AND " + column + " = $" + strconv.Itoa(n)
		}
		q.pages[bits] = s.planned("SELECT id, " + eventColumns + " FROM {events} WHERE happened_at >= $1 AND (happened_at, id) < ($2, $3)" + where +
			" ORDER BY happened_at DESC, id DESC LIMIT $4")
	}
	return q
}

// eventArgs are the values of the columns.
func (s *Store) eventArgs(e *roster.Event) ([]any, error) {
	details, err := encodeData(e.Details)
	return []any{
		string(e.Kind), int64(e.Actor), int64(e.RealActor), int64(e.User), int64(e.Group), int64(e.Scope), e.Addr,
		s.dialect.Time(e.At), details, e.Count, s.dialect.Time(e.LastAt),
	}, err
}

// InsertEvent implements [roster.EventStore].
func (s *Store) InsertEvent(ctx context.Context, e *roster.Event) error {
	args, err := s.eventArgs(e)
	if err != nil {
		return s.txns.Doom(ctx, err)
	}
	var id int64
	err = s.returning(ctx, s.event.insert, func(rows *sql.Rows) error { return rows.Scan(&id) }, args...)
	if err == nil {
		e.ID = roster.EventID(id)
		s.note(ctx, id, e.At)
	}
	return err
}

// CountEvent implements [roster.EventStore].
func (s *Store) CountEvent(ctx context.Context, key string, e *roster.Event) error {
	args, err := s.eventArgs(e)
	if err != nil {
		return s.txns.Doom(ctx, err)
	}
	var id int64
	var times int
	err = s.returning(ctx, s.event.count, func(rows *sql.Rows) error { return rows.Scan(&id, &times) }, append(args, key)...)
	if err == nil {
		e.ID, e.Count = roster.EventID(id), times
	}
	return err
}

// farAway is after every event.
var farAway = time.Date(9999, time.December, 31, 0, 0, 0, 0, time.UTC)

// EventPage implements [roster.EventStore].
func (s *Store) EventPage(ctx context.Context, q roster.EventFilter) (list []*roster.Event, err error) {
	if q.Limit <= 0 {
		return nil, s.nothing(ctx)
	}
	until, id := farAway, int64(math.MaxInt64)
	if !q.Before.IsZero() {
		until, id = q.Before, 0
	}
	if q.AfterID != 0 && (q.AfterAt.Before(until) || q.AfterAt.Equal(until) && int64(q.AfterID) < id) {
		until, id = q.AfterAt, int64(q.AfterID)
	}
	bits := 0
	args := []any{s.dialect.Time(q.Since), s.dialect.Time(until), id, q.Limit}
	if q.User != 0 {
		bits |= eventsOfUser
		args = append(args, int64(q.User))
	}
	if q.RealActor != 0 {
		bits |= eventsOfActor
		args = append(args, int64(q.RealActor))
	}
	if q.Kind != "" {
		bits |= eventsOfKind
		args = append(args, string(q.Kind))
	}
	err = s.rows(ctx, s.event.pages[bits], func(rows *sql.Rows) error {
		e := new(roster.Event)
		list = append(list, e)
		return rows.Scan(&e.ID, &e.Kind, &e.Actor, &e.RealActor, &e.User, &e.Group, &e.Scope, &e.Addr, (*moment)(&e.At),
			(*data)(&e.Details), &e.Count, (*moment)(&e.LastAt))
	}, args...)
	return listed(list, err)
}

// ForgetClients implements [roster.EventStore].
func (s *Store) ForgetClients(ctx context.Context, users ...roster.UserID) (int, error) {
	if len(users) == 0 {
		return 0, s.nothing(ctx)
	}
	return s.exec(ctx, s.event.forget, s.dialect.IDs(int64s(users)))
}

// PruneEvents implements [roster.EventStore]. The earliest go first.
func (s *Store) PruneEvents(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, s.nothing(ctx)
	}
	return s.exec(ctx, s.event.prune, s.dialect.Time(before), limit)
}
