package acceptance

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer"
)

var outboxKey = roster.NewSecret(rand.Text() + rand.Text())

// Four workers at once send every mail, and none of them twice.
func TestDrain(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		ctx := ctxOf(t)
		store, office := k.open(t), newPostOffice(t)
		n := count(1000, 10_000)
		if !soak && (k.name == "sqlite memory" || k.name == "postgres ICU") {
			n /= 5 // much like their neighbours
		}
		want := map[string]bool{}
		var to []string
		for i := range n {
			to = append(to, fmt.Sprintf("m%d@example.org", i))
			want[to[i]] = true
		}
		var workers []*mailer.Outbox
		for range 4 {
			o, err := newOutbox(store, office.port, mailer.OutboxOptions{Key: outboxKey})
			if err != nil {
				t.Fatal(err)
			}
			workers = append(workers, o)
		}
		if err := queueMails(ctx, store, workers[0], to); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var mu sync.Mutex
		var sum mailer.Delivered
		var by []int
		for _, err := range together(len(workers), func(i int) error {
			d, err := workers[i].Deliver(ctx, roster.Budget{Rows: n})
			mu.Lock()
			defer mu.Unlock()
			sum.Sent, sum.Delayed, sum.Failed = sum.Sent+d.Sent, sum.Delayed+d.Delayed, sum.Failed+d.Failed
			by = append(by, d.Sent)
			return err
		}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if sum != (mailer.Delivered{Sent: n}) {
			t.Errorf("delivered %+v, want %d sent", sum, n)
		}
		ids := map[string]bool{}
		for _, d := range office.taken() {
			if !want[d.to] || ids[d.id] {
				t.Errorf("%s came twice, or is nobody's", d.to)
			}
			delete(want, d.to)
			ids[d.id] = true
		}
		if len(want) != 0 {
			t.Errorf("%d mails never came", len(want))
		}
		t.Logf("%d mails in %v, by worker %v", n, time.Since(start).Round(time.Millisecond), by)
	})
}

// No code is in the database: while a mail waits it is encrypted, and then it
// is gone. The log tells neither codes nor addresses.
func TestOutboxTellsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		if k.dump == nil {
			t.Log("nothing of it is kept anywhere")
			return
		}
		for _, c := range []struct {
			name string
			opts mailer.OutboxOptions
		}{{"with a key", mailer.OutboxOptions{Key: outboxKey}}, {"in clear", mailer.OutboxOptions{StoreInClear: true}}} {
			ctx := ctxOf(t)
			store, office := k.open(t), newPostOffice(t)
			var log bytes.Buffer
			c.opts.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			outbox, err := newOutbox(store, office.port, c.opts)
			if err != nil {
				t.Fatal(err)
			}
			spy := &spy{Mailer: outbox}
			w := newWorld(t, store, func(o *roster.Options) { o.Mailer, o.Now = spy, nil })
			for i := range 20 {
				name := fmt.Sprintf("canary%d", i)
				_, err := w.Register(ctx, roster.NewUser{Name: name, Email: name + "@nest.example", Password: goodPassword})
				w.must(err)
			}
			if len(spy.codes) != 20 {
				t.Fatalf("%d codes were made", len(spy.codes))
			}
			found := func(when string) (n int) {
				t.Helper()
				all := k.dump(t, store)
				if !bytes.Contains(all, []byte("canary7@nest.example")) {
					t.Fatalf("%s: the dump lacks what must be there", when)
				}
				for _, code := range spy.codes {
					if bytes.Contains(all, []byte(code)) {
						n++
					}
				}
				return n
			}
			if n := found("queued"); (n == 0) != !c.opts.Key.IsZero() {
				t.Errorf("%s: %d codes are in the database", c.name, n)
			}
			d, err := outbox.Deliver(ctx, roster.Budget{})
			w.must(err)
			if d != (mailer.Delivered{Sent: 20}) {
				t.Fatalf("delivered %+v", d)
			}
			for i, m := range office.taken() {
				if !bytes.Contains([]byte(m.text), []byte(spy.codes[i])) {
					t.Errorf("the mail to %s lacks its code", m.to)
				}
			}
			// What SQLite has overwritten may lie in the file for a while, in clear if
			// it was.
			if n := found("sent"); n != 0 && (!c.opts.Key.IsZero() || k.name != "sqlite file") {
				t.Errorf("%s, sent: %d codes are in the database", c.name, n)
			}
			for _, state := range []roster.OutboxState{roster.OutboxPending, roster.OutboxSent, roster.OutboxFailed} {
				mails, err := store.MailsAfter(ctx, state, 0, 100)
				w.must(err)
				for _, m := range mails {
					if !m.Payload.IsZero() || state != roster.OutboxSent {
						t.Errorf("%s: a mail in state %d says something still", c.name, state)
					}
				}
			}
			for _, text := range append(spy.codes, "nest.example") {
				if bytes.Contains(log.Bytes(), []byte(text)) {
					t.Errorf("the log tells %s:\n%s", text, log.String())
				}
			}
		}
	})
}

// spy notes the codes that go by.
type spy struct {
	roster.Mailer
	codes []string
}

func (s *spy) Send(ctx context.Context, m roster.Mail) error {
	s.codes = append(s.codes, m.Code.Reveal())
	return s.Mailer.Send(ctx, m)
}
