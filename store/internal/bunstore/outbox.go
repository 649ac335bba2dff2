package bunstore

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/go-roster/roster"
)

type outboxQueries struct {
	insert, claim, settle, count, requeue, wipe, prune *Query

	after map[roster.OutboxState]*Query
}

const mailColumns = "message_id, kind, user_id, recipient, locale, payload, queued_at, expires_at, due_at, claim, attempts, " +
	"sent_at, failed_at, last_error"

// The states, as the indices have them.
const (
	mailPending = "sent_at IS NULL AND failed_at IS NULL"
	mailDone    = "(sent_at IS NOT NULL OR failed_at IS NOT NULL)"
)

func (s *Store) outboxQueries() outboxQueries {
	skip := s.dialect.ForUpdate
	if skip != "" {
		skip += " SKIP LOCKED"
	}
	after := func(state string) *Query {
		return s.planned("SELECT id, " + mailColumns + " FROM {outbox} WHERE " + state + " AND id > $1 ORDER BY id LIMIT $2")
	}
	return outboxQueries{
		insert: s.writing("INSERT INTO {outbox} ("+mailColumns+
			") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id", roster.FieldUser),
		claim: s.planned(`WITH due AS MATERIALIZED (
SELECT id FROM {outbox} WHERE ` + mailPending + ` AND due_at <= $1 ORDER BY due_at, id LIMIT $2` + skip + `)
UPDATE {outbox} SET claim = $3, due_at = $4, attempts = attempts + 1 WHERE id IN (SELECT id FROM due)
RETURNING id, ` + mailColumns),
		settle: s.constant(`UPDATE {outbox} SET payload = $3, due_at = $4, attempts = $5, sent_at = $6, failed_at = $7, last_error = $8, claim = ''
WHERE id = $1 AND claim = $2 AND claim <> ''`),
		after: map[roster.OutboxState]*Query{
			roster.OutboxPending: after(mailPending),
			roster.OutboxSent:    after("sent_at IS NOT NULL"),
			roster.OutboxFailed:  after("sent_at IS NULL AND failed_at IS NOT NULL"),
		},
		count: s.planned("SELECT count(*) FROM (SELECT 1 FROM {outbox} WHERE " + mailPending + " LIMIT $1) AS pending"),
		requeue: s.constant(`UPDATE {outbox} SET due_at = $1, failed_at = NULL, attempts = 0, last_error = ''
WHERE ` + s.dialect.In("id", 2) + ` AND failed_at IS NOT NULL AND payload <> '' AND (expires_at IS NULL OR expires_at > $1)`),
		wipe: s.planned(`WITH gone AS MATERIALIZED (
SELECT id FROM {outbox} WHERE failed_at IS NOT NULL AND expires_at <= $1 AND payload <> '' ORDER BY id LIMIT $2` + s.dialect.ForUpdate + `)
UPDATE {outbox} SET payload = '' WHERE id IN (SELECT id FROM gone)`),
		prune: s.planned(`WITH gone AS MATERIALIZED (
SELECT id FROM {outbox} WHERE ` + mailDone + ` AND (sent_at < $1 OR failed_at < $1) ORDER BY id LIMIT $2` + s.dialect.ForUpdate + `)
DELETE FROM {outbox} WHERE id IN (SELECT id FROM gone)`),
	}
}

// collectMails returns a scan that appends to a list of mails.
func collectMails(to *[]*roster.QueuedMail) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		m := new(roster.QueuedMail)
		var user sql.NullInt64
		err := rows.Scan(&m.ID, &m.MessageID, &m.Kind, &user, &m.To, &m.Locale, (*secret)(&m.Payload), (*moment)(&m.QueuedAt),
			(*moment)(&m.ExpiresAt), (*moment)(&m.DueAt), &m.Claim, &m.Attempts, (*moment)(&m.SentAt), (*moment)(&m.FailedAt), &m.LastError)
		m.UserID = roster.UserID(user.Int64)
		*to = append(*to, m)
		return err
	}
}

// InsertMail implements [roster.OutboxStore].
func (s *Store) InsertMail(ctx context.Context, m *roster.QueuedMail) error {
	d := &s.dialect
	user := sql.NullInt64{Int64: int64(m.UserID), Valid: m.UserID != 0}
	var id int64
	err := s.returning(ctx, s.outbox.insert, func(rows *sql.Rows) error { return rows.Scan(&id) },
		m.MessageID, string(m.Kind), user, m.To, m.Locale, m.Payload.Reveal(), d.Time(m.QueuedAt), d.nullTime(m.ExpiresAt),
		d.Time(m.DueAt), m.Claim, m.Attempts, d.nullTime(m.SentAt), d.nullTime(m.FailedAt), m.LastError)
	if err == nil {
		m.ID = roster.MailID(id)
	}
	return err
}

// ClaimMails implements [roster.OutboxStore].
func (s *Store) ClaimMails(
	ctx context.Context, claim string, now, until time.Time, limit int,
) (mails []*roster.QueuedMail, err error) {
	if limit <= 0 {
		return nil, s.nothing(ctx)
	}
	err = s.returning(ctx, s.outbox.claim, collectMails(&mails), s.dialect.Time(now), limit, claim, s.dialect.Time(until))
	slices.SortFunc(mails, func(a, b *roster.QueuedMail) int { return cmp.Compare(a.ID, b.ID) })
	return listed(mails, err)
}

// SettleMail implements [roster.OutboxStore].
func (s *Store) SettleMail(ctx context.Context, m *roster.QueuedMail) error {
	d := &s.dialect
	return found(s.exec(ctx, s.outbox.settle, int64(m.ID), m.Claim, m.Payload.Reveal(), d.Time(m.DueAt), m.Attempts,
		d.nullTime(m.SentAt), d.nullTime(m.FailedAt), m.LastError))
}

// MailsAfter implements [roster.OutboxStore].
func (s *Store) MailsAfter(
	ctx context.Context, state roster.OutboxState, after roster.MailID, limit int,
) (mails []*roster.QueuedMail, err error) {
	q := s.outbox.after[state]
	if limit <= 0 || q == nil {
		return nil, s.nothing(ctx)
	}
	err = s.rows(ctx, q, collectMails(&mails), int64(after), limit)
	return listed(mails, err)
}

// CountMails implements [roster.OutboxStore].
func (s *Store) CountMails(ctx context.Context, limit int) (n int, err error) {
	if limit <= 0 {
		return 0, s.nothing(ctx)
	}
	err = s.row(ctx, s.outbox.count, func(rows *sql.Rows) error { return rows.Scan(&n) }, limit)
	return n, err
}

// RequeueMails implements [roster.OutboxStore].
func (s *Store) RequeueMails(ctx context.Context, due time.Time, ids ...roster.MailID) (int, error) {
	if len(ids) == 0 {
		return 0, s.nothing(ctx)
	}
	return s.exec(ctx, s.outbox.requeue, s.dialect.Time(due), s.dialect.IDs(int64s(ids)))
}

// WipeMails implements [roster.OutboxStore]. Those with the lowest IDs go
// first.
func (s *Store) WipeMails(ctx context.Context, now time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, s.nothing(ctx)
	}
	return s.exec(ctx, s.outbox.wipe, s.dialect.Time(now), limit)
}

// PruneMails implements [roster.OutboxStore]. Those with the lowest IDs go
// first.
func (s *Store) PruneMails(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, s.nothing(ctx)
	}
	return s.exec(ctx, s.outbox.prune, s.dialect.Time(before), limit)
}
