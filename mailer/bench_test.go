package mailer_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bare "github.com/wneessen/go-mail/smtp"
	_ "modernc.org/sqlite"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer"
	"github.com/go-roster/roster/store/memory"
	"github.com/go-roster/roster/store/sqlite"
)

// compare runs two functions in turns and reports what they take when nothing
// else disturbs them, as far as that can be had: the lowest tenth, and its ratio.
func compare(b *testing.B, unit string, ours, theirs func() error) {
	b.Helper()
	var took [2][]time.Duration
	for b.Loop() {
		for i, run := range []func() error{ours, theirs} {
			start := time.Now()
			if err := run(); err != nil {
				b.Fatal(err)
			}
			took[i] = append(took[i], time.Since(start))
		}
	}
	slices.Sort(took[0])
	slices.Sort(took[1])
	a, z := took[0][len(took[0])/10], took[1][len(took[1])/10]
	b.ReportMetric(float64(a.Nanoseconds())/1e3, "µs/ours")
	b.ReportMetric(float64(z.Nanoseconds())/1e3, "µs"+unit)
	b.ReportMetric(float64(a)/float64(z), "x"+unit)
}

// BenchmarkEnqueue compares queueing a mail, encrypted, with a hand-written
// prepared INSERT of such a row.
func BenchmarkEnqueue(b *testing.B) {
	ctx := b.Context()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "bench.db")+
		"?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	must(b, err)
	defer db.Close()
	store, err := sqlite.New(db)
	must(b, err)
	must(b, store.Migrate(ctx))
	u := &roster.User{Name: "ann", NameKey: "ann", RealName: "Ann Example", Locale: "de", CreatedAt: time.Now().UTC(), UpdatedAt: time.Now().UTC()}
	must(b, store.InsertUser(ctx, u, "ann"))
	outbox, err := mailer.NewOutbox(store, newComposer(b, nil), &post{}, &mailer.OutboxOptions{Key: key})
	must(b, err)
	mail := roster.Mail{
		Kind: roster.MailResetPassword, User: u, To: "ann@example.org", Locale: "de", Code: roster.NewSecret(strings.Repeat("c", 43)),
		Link: roster.NewSecret("https://example.org/reset#" + strings.Repeat("c", 43)), ExpiresAt: time.Now().Add(time.Hour),
	}
	must(b, outbox.Send(ctx, mail))
	rows, err := store.MailsAfter(ctx, roster.OutboxPending, 0, 1)
	must(b, err)
	insert, err := db.PrepareContext(ctx, `INSERT INTO roster_outbox (message_id, kind, user_id, recipient, locale, payload, queued_at, expires_at,
due_at, claim, attempts, sent_at, failed_at, last_error) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 0, NULL, NULL, '')`)
	must(b, err)
	defer insert.Close()
	text := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.999999-07:00") }
	hand := func(stmt *sql.Stmt) error {
		r := rows[0]
		_, err := stmt.ExecContext(ctx, r.MessageID, string(r.Kind), int64(r.UserID), r.To, r.Locale, r.Payload.Reveal(),
			text(r.QueuedAt), text(r.ExpiresAt), text(r.DueAt))
		return err
	}
	b.Run("Alone", func(b *testing.B) {
		compare(b, "/hand", func() error { return outbox.Send(ctx, mail) }, func() error { return hand(insert) })
	})
	const many = 20
	b.Run("InTransaction", func(b *testing.B) {
		compare(b, "/hand", func() error {
			return store.Atomic(ctx, func(ctx context.Context) error {
				for range many {
					if err := outbox.Send(ctx, mail); err != nil {
						return err
					}
				}
				return nil
			})
		}, func() error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			stmt := tx.StmtContext(ctx, insert)
			for range many {
				if err := hand(stmt); err != nil {
					return err
				}
			}
			return tx.Commit()
		})
	})
}

// BenchmarkDeliver compares sending queued mails, from claim to mark, with a
// loop that sends the same bytes over one connection. What composing takes
// comes on top, and is told beside.
func BenchmarkDeliver(b *testing.B) {
	ctx := b.Context()
	const many = 64
	box := new(inbox)
	port := box.serve(b, nil, nil)
	composer := newComposer(b, nil)
	server, err := mailer.NewSMTP("127.0.0.1", &mailer.SMTPOptions{Port: port, AllowPlaintext: true})
	must(b, err)
	mail := roster.Mail{Kind: roster.MailResetPassword, To: "ann@example.org", Code: roster.NewSecret(strings.Repeat("c", 43)), ExpiresAt: time.Now().Add(time.Hour)}
	msg, err := composer.Compose(ctx, mail)
	must(b, err)
	raw, err := msg.Bytes()
	must(b, err)
	loop := func() error {
		c, err := bare.Dial(fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return err
		}
		for range many {
			if err := c.Mail("<accounts@example.org>"); err != nil {
				return err
			}
			if err := c.Rcpt("<ann@example.org>"); err != nil {
				return err
			}
			w, err := c.Data()
			if err != nil {
				return err
			}
			if _, err := w.Write(raw); err != nil {
				return err
			}
			if err := w.Close(); err != nil {
				return err
			}
		}
		return c.Quit()
	}
	file, err := sqlite.Open(ctx, filepath.Join(b.TempDir(), "bench.db"))
	must(b, err)
	defer file.Close()
	for name, store := range map[string]roster.Store{"memory": memory.New(), "sqlite": file} {
		b.Run(name, func(b *testing.B) {
			outbox, err := mailer.NewOutbox(store, composer, server, &mailer.OutboxOptions{Key: key})
			must(b, err)
			var took [3]time.Duration
			n := 0
			for b.Loop() {
				must(b, store.Atomic(ctx, func(ctx context.Context) error {
					for range many {
						if err := outbox.Send(ctx, mail); err != nil {
							return err
						}
					}
					return nil
				}))
				start := time.Now()
				d, err := outbox.Deliver(ctx, roster.Budget{})
				must(b, err)
				took[0] += time.Since(start)
				n += d.Sent
				start = time.Now()
				must(b, loop())
				took[1] += time.Since(start)
				start = time.Now()
				for range many {
					m, err := composer.Compose(ctx, mail)
					must(b, err)
					_, err = m.Bytes()
					must(b, err)
				}
				took[2] += time.Since(start)
			}
			b.ReportMetric(float64(n)/took[0].Seconds(), "mails/s")
			b.ReportMetric(float64(n)/took[1].Seconds(), "mails/s/bare")
			b.ReportMetric(float64(n)/took[2].Seconds(), "composed/s")
			b.ReportMetric(took[0].Seconds()/took[1].Seconds(), "x/bare")
			b.ReportMetric(took[0].Seconds()/(took[1]+took[2]).Seconds(), "x/bare+compose")
		})
	}
}
