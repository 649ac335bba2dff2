package memory

import (
	"context"
	"slices"
	"time"

	"github.com/go-roster/roster"
)

type outboxTable struct {
	byID   index[roster.MailID, *roster.QueuedMail]
	byUser index[string, roster.MailID]   // by user and ID
	due    index[string, roster.MailID]   // the pending ones, by time and ID
	done   index[roster.MailID, struct{}] // sent or failed
	failed index[roster.MailID, struct{}] // dead letters
}

func mailUserKey(m *roster.QueuedMail) (string, bool) {
	return ints(int64(m.UserID), int64(m.ID)), m.UserID != 0
}

func mailDueKey(m *roster.QueuedMail) (string, bool) {
	return ints(m.DueAt.UnixMicro(), int64(m.ID)), m.State() == roster.OutboxPending
}

func mailDoneKey(m *roster.QueuedMail) (roster.MailID, bool) {
	return m.ID, m.State() != roster.OutboxPending
}

func mailFailedKey(m *roster.QueuedMail) (roster.MailID, bool) { return m.ID, !m.FailedAt.IsZero() }

func (st *state) setMail(id roster.MailID, old, row *roster.QueuedMail) {
	t := &st.outbox
	replace(st, &t.byID, id, row)
	reindex(st, &t.byUser, mailUserKey, old, row, id)
	reindex(st, &t.due, mailDueKey, old, row, id)
	reindex(st, &t.done, mailDoneKey, old, row, struct{}{})
	reindex(st, &t.failed, mailFailedKey, old, row, struct{}{})
}

// changeMail puts a changed copy in the place of a row, and returns it.
func (st *state) changeMail(old *roster.QueuedMail, change func(m *roster.QueuedMail)) *roster.QueuedMail {
	row := *old
	change(&row)
	st.setMail(row.ID, old, &row)
	return &row
}

// dropMails deletes the mails that concern a user.
func (st *state) dropMails(user roster.UserID) {
	var ids []roster.MailID
	for _, id := range prefixed(st.outbox.byUser, ints(int64(user))) {
		ids = append(ids, id)
	}
	for _, id := range ids {
		st.setMail(id, st.outbox.byID.get(id), nil)
	}
}

// InsertMail implements [roster.OutboxStore].
func (s *Store) InsertMail(ctx context.Context, m *roster.QueuedMail) error {
	row := *m
	for _, t := range []*time.Time{&row.QueuedAt, &row.ExpiresAt, &row.DueAt, &row.SentAt, &row.FailedAt} {
		*t = micros(*t)
	}
	err := exec(ctx, s, func(st *state) error {
		if row.UserID != 0 && st.users.byID.get(row.UserID) == nil {
			return &roster.ConflictError{Field: roster.FieldUser}
		}
		s.ids.mail++
		row.ID = s.ids.mail
		st.setMail(row.ID, nil, &row)
		return nil
	})
	if err == nil {
		m.ID = row.ID
	}
	return err
}

// ClaimMails implements [roster.OutboxStore].
func (s *Store) ClaimMails(
	ctx context.Context, claim string, now, until time.Time, limit int,
) ([]*roster.QueuedMail, error) {
	if limit <= 0 {
		return nothing[[]*roster.QueuedMail](ctx, s)
	}
	now, until = micros(now), micros(until)
	return write(ctx, s, func(st *state) ([]*roster.QueuedMail, error) {
		var due []*roster.QueuedMail
		for _, id := range st.outbox.due.from("") {
			m := st.outbox.byID.get(id)
			if len(due) >= limit || m.DueAt.After(now) {
				break
			}
			due = append(due, m)
		}
		slices.SortFunc(due, func(a, b *roster.QueuedMail) int { return int(a.ID - b.ID) })
		for i, m := range due {
			row := *st.changeMail(m, func(m *roster.QueuedMail) {
				m.Claim, m.DueAt = claim, until
				m.Attempts++
			})
			due[i] = &row
		}
		return due, nil
	})
}

// SettleMail implements [roster.OutboxStore].
func (s *Store) SettleMail(ctx context.Context, m *roster.QueuedMail) error {
	return exec(ctx, s, func(st *state) error {
		old := st.outbox.byID.get(m.ID)
		if old == nil || m.Claim == "" || old.Claim != m.Claim {
			return roster.ErrNotFound
		}
		st.changeMail(old, func(row *roster.QueuedMail) {
			row.Payload, row.Attempts, row.LastError, row.Claim = m.Payload, m.Attempts, m.LastError, ""
			row.DueAt, row.SentAt, row.FailedAt = micros(m.DueAt), micros(m.SentAt), micros(m.FailedAt)
		})
		return nil
	})
}

// MailsAfter implements [roster.OutboxStore].
func (s *Store) MailsAfter(
	ctx context.Context, in roster.OutboxState, after roster.MailID, limit int,
) ([]*roster.QueuedMail, error) {
	return read(ctx, s, func(st *state) ([]*roster.QueuedMail, error) {
		var page []*roster.QueuedMail
		for id, m := range st.outbox.byID.from(after) {
			if len(page) >= limit {
				break
			}
			if id > after && m.State() == in {
				row := *m
				page = append(page, &row)
			}
		}
		return page, nil
	})
}

// CountMails implements [roster.OutboxStore].
func (s *Store) CountMails(ctx context.Context, limit int) (int, error) {
	return read(ctx, s, func(st *state) (int, error) {
		return max(0, min(limit, st.outbox.due.len())), nil
	})
}

// RequeueMails implements [roster.OutboxStore].
func (s *Store) RequeueMails(ctx context.Context, due time.Time, ids ...roster.MailID) (int, error) {
	if len(ids) == 0 {
		return nothing[int](ctx, s)
	}
	due = micros(due)
	return write(ctx, s, func(st *state) (n int, err error) {
		for _, id := range set(ids) {
			m := st.outbox.byID.get(id)
			if m == nil || m.FailedAt.IsZero() || m.Payload.IsZero() || !m.ExpiresAt.IsZero() && !m.ExpiresAt.After(due) {
				continue
			}
			st.changeMail(m, func(m *roster.QueuedMail) {
				m.DueAt, m.FailedAt, m.Attempts, m.LastError = due, time.Time{}, 0, ""
			})
			n++
		}
		return n, nil
	})
}

// WipeMails implements [roster.OutboxStore]. Those with the lowest IDs go
// first.
func (s *Store) WipeMails(ctx context.Context, now time.Time, limit int) (int, error) {
	now = micros(now)
	return s.each(ctx, limit, func(st *state) *index[roster.MailID, struct{}] { return &st.outbox.failed }, func(m *roster.QueuedMail) bool {
		return !m.Payload.IsZero() && !m.ExpiresAt.IsZero() && !m.ExpiresAt.After(now)
	}, func(st *state, m *roster.QueuedMail) {
		st.changeMail(m, func(m *roster.QueuedMail) { m.Payload = roster.Secret{} })
	})
}

// PruneMails implements [roster.OutboxStore]. Those with the lowest IDs go
// first.
func (s *Store) PruneMails(ctx context.Context, before time.Time, limit int) (int, error) {
	before = micros(before)
	return s.each(ctx, limit, func(st *state) *index[roster.MailID, struct{}] { return &st.outbox.done }, func(m *roster.QueuedMail) bool {
		return !m.SentAt.IsZero() && m.SentAt.Before(before) || !m.FailedAt.IsZero() && m.FailedAt.Before(before)
	}, func(st *state, m *roster.QueuedMail) { st.setMail(m.ID, m, nil) })
}

// each calls do for the first mails of an index that it is meant for, limit at
// most, and counts them.
func (s *Store) each(
	ctx context.Context, limit int, of func(*state) *index[roster.MailID, struct{}],
	meant func(*roster.QueuedMail) bool, do func(*state, *roster.QueuedMail),
) (int, error) {
	if limit <= 0 {
		return nothing[int](ctx, s)
	}
	return write(ctx, s, func(st *state) (int, error) {
		var rows []*roster.QueuedMail
		for id := range of(st).from(0) {
			if len(rows) >= limit {
				break
			}
			if m := st.outbox.byID.get(id); meant(m) {
				rows = append(rows, m)
			}
		}
		for _, m := range rows {
			do(st, m)
		}
		return len(rows), nil
	})
}
