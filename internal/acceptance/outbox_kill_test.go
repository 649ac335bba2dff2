package acceptance

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/mailer"
)

// What a child that delivers mails is told besides.
const (
	childPort  = "ROSTER_ACCEPTANCE_PORT"  // of the mail server
	childStall = "ROSTER_ACCEPTANCE_STALL" // stop before this mark, from 1; 0: never
	childAhead = "ROSTER_ACCEPTANCE_AHEAD" // by how many hours the clock is ahead
	childKey   = "ROSTER_ACCEPTANCE_KEY"
)

// stalling is a store that stops for good before it marks a mail.
type stalling struct {
	roster.Store
	at int

	mu sync.Mutex
	n  int
}

func (s *stalling) SettleMail(ctx context.Context, m *roster.QueuedMail) error {
	s.mu.Lock()
	s.n++
	n := s.n
	s.mu.Unlock()
	if n == s.at {
		say("stalled", m.MessageID)
		select {} //nolint:revive // until it is killed
	}
	return s.Store.SettleMail(ctx, m)
}

// deliverChild delivers mails without end. It is there to be killed.
func deliverChild(ctx context.Context, store roster.Store) error {
	number := func(name string) int {
		n, err := strconv.Atoi(os.Getenv(name))
		if err != nil {
			panic(err)
		}
		return n
	}
	outbox, err := newOutbox(&stalling{Store: store, at: number(childStall)}, number(childPort), mailer.OutboxOptions{
		Key: roster.NewSecret(os.Getenv(childKey)), Now: ahead(number(childAhead)),
	})
	if err != nil {
		return err
	}
	say("delivering", "")
	return outbox.Run(ctx)
}

// ahead is a clock that is some hours ahead, so that every lease from before
// has ended.
func ahead(hours int) func() time.Time {
	return func() time.Time { return time.Now().Add(time.Duration(hours) * time.Hour) }
}

// worker is a child that delivers mails.
type worker struct {
	cmd     *exec.Cmd
	stderr  bytes.Buffer
	stalled chan string // the ID of the mail before whose mark it stopped
	kill    func()      // once; returns when it is dead
}

func startWorker(t *testing.T, env ...string) *worker {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{cmd: exec.Command(exe), stalled: make(chan string, 1)}
	w.cmd.Env = append(os.Environ(), env...)
	w.cmd.Stderr = &w.stderr
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if id, ok := strings.CutPrefix(lines.Text(), "stalled "); ok {
				w.stalled <- id
			}
		}
		_ = w.cmd.Wait()
	}()
	w.kill = func() {
		_ = w.cmd.Process.Kill()
		<-ended
	}
	t.Cleanup(w.kill)
	return w
}

// TestKillDelivery kills workers after they have claimed a mail and before they
// send it, while the server takes it, and between the server's answer and the
// mark. Every mail comes, and one comes twice only if the worker that sent it
// was killed before it could mark it; both copies have one ID.
func TestKillDelivery(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(quickDir(t), "accounts.db")
		killDelivery(t, openSQLite(t, path), childEnv+"=deliver sqlite", childWhat+"="+path)
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := pgtest.Database(t, "ENCODING 'UTF8'")
		s := openPostgres(t, dsn)
		killDelivery(t, s, childEnv+"=deliver postgres", childWhat+"="+dsn, childMore+"="+s.prefix)
	})
}

func killDelivery(t *testing.T, store roster.Store, env ...string) {
	t.Helper()
	t.Parallel()
	ctx, rng, office := ctxOf(t), random(t), newPostOffice(t)
	kills := count(9, 300)
	queue, err := newOutbox(store, office.port, mailer.OutboxOptions{Key: outboxKey})
	if err != nil {
		t.Fatal(err)
	}
	var to []string
	for i := range 40 * kills / 3 { // more than they can do
		to = append(to, fmt.Sprintf("m%d@example.org", i))
	}
	if err := queueMails(ctx, store, queue, to); err != nil {
		t.Fatal(err)
	}

	window := map[string]bool{} // the IDs that may come twice
	for i := range kills {
		after, stall := 1+rng.IntN(20), 0
		struck := make(chan struct{})
		begun, taken := 0, 0
		switch i % 3 {
		case 0: // claimed, and not sent
			office.on(func() {
				if begun++; begun == after {
					close(struck)
					<-ctx.Done()
				}
			}, nil)
		case 1: // taken, and not answered yet
			office.on(nil, func(d *delivery) {
				if taken++; taken == after {
					window[strings.Trim(d.id, "<>")] = true
					close(struck)
					<-ctx.Done()
				}
			})
		case 2: // answered, and not marked yet
			office.on(nil, nil)
			stall = after
		}
		w := startWorker(t, append(env, fmt.Sprintf("%s=%d", childPort, office.port), fmt.Sprintf("%s=%d", childStall, stall),
			fmt.Sprintf("%s=%d", childAhead, i), childKey+"="+outboxKey.Reveal())...)
		select {
		case <-struck:
		case id := <-w.stalled:
			window[id] = true
		case <-ctx.Done():
			w.kill()
			t.Fatalf("kill %d: the worker does nothing: %s", i, w.stderr.String())
		}
		w.kill()
	}

	office.on(nil, nil)
	last, err := newOutbox(store, office.port, mailer.OutboxOptions{Key: outboxKey, Now: ahead(kills)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := last.Deliver(ctx, roster.Budget{Rows: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	copies, ids := map[string]int{}, map[string]string{}
	for _, d := range office.taken() {
		copies[d.to]++
		if id := ids[d.to]; id != "" && id != d.id {
			t.Errorf("the copies of a mail to %s have the IDs %s and %s", d.to, id, d.id)
		}
		ids[d.to] = d.id
	}
	twice := 0
	for _, to := range to {
		switch n := copies[to]; {
		case n == 0:
			t.Errorf("the mail to %s never came", to)
		case n == 1:
		case window[strings.Trim(ids[to], "<>")]:
			twice++
		default:
			t.Errorf("the mail to %s came %d times, and nobody was killed at it", to, n)
		}
	}
	if pending, err := store.CountMails(ctx, 10); err != nil || pending != 0 {
		t.Errorf("%d mails are left, %v", pending, err)
	}
	t.Logf("%d mails, %d kills, %d came twice (of %d that might)", len(to), kills, twice, len(window))
}
