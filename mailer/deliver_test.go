package mailer_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer"
	"github.com/go-roster/roster/store/memory"
)

// A refusal for now is tried again, ever more rarely and with the same ID, as
// often as the policy says.
func TestDeliverRetries(t *testing.T) {
	r := newRig(t, func(o *mailer.OutboxOptions) { o.MaxAttempts = 12 })
	var ids []string
	r.post.send = func(m *mailer.Message) error {
		ids = append(ids, m.ID)
		return temporary(mailer.StageRcpt)
	}
	must(t, r.Send(context.Background(), roster.Mail{Kind: roster.MailAddressTaken, To: "a@example.org"}))
	minutes := []float64{1, 2, 4, 8, 16, 32, 64, 128, 240, 240, 240}
	for i, want := range minutes {
		wantDelivered(t, r.deliver(), mailer.Delivered{Delayed: 1})
		row := r.row()
		if got := row.DueAt.Sub(r.clock.Now()).Minutes(); got < want*0.79 || got > want*1.21 {
			t.Errorf("after try %d it waits %v minutes, want about %v", i+1, got, want)
		}
		if row.Attempts != i+1 || row.Claim != "" || row.LastError != "rcpt 451 4.3.0" || row.Payload.IsZero() {
			t.Errorf("%+v", row)
		}
		r.clock.Advance(row.DueAt.Sub(r.clock.Now()) - time.Microsecond)
		wantDelivered(t, r.deliver(), mailer.Delivered{})
		r.clock.Advance(time.Microsecond)
	}
	wantDelivered(t, r.deliver(), mailer.Delivered{Failed: 1})
	if row := r.row(); row.State() != roster.OutboxFailed || row.Attempts != 12 || row.Payload.IsZero() {
		t.Errorf("%+v", row)
	}
	r.clock.Advance(1000 * time.Hour)
	wantDelivered(t, r.deliver(), mailer.Delivered{})
	if len(ids) != 12 || len(slices.Compact(ids)) != 1 {
		t.Errorf("tried as %v", ids)
	}
}

// One that hangs or fails does not keep the others.
func TestDeliverGoesOn(t *testing.T) {
	r := newRig(t, nil)
	bad := map[string]error{
		"a@example.org": temporary(mailer.StageDot), "b@example.org": permanent(mailer.StageData),
		"c@example.org": &mailer.SendError{Stage: mailer.StageDot, Cause: context.DeadlineExceeded}, "d@example.org": errors.New("not ours"),
	}
	r.post.send = func(m *mailer.Message) error { return bad[m.To.Address] }
	r.queue("a@example.org", "1@example.org", "b@example.org", "2@example.org", "c@example.org", "3@example.org", "d@example.org", "4@example.org")
	wantDelivered(t, r.deliver(), mailer.Delivered{Sent: 4, Delayed: 3, Failed: 1})
	if diff := cmp.Diff([]string{"1@example.org", "2@example.org", "3@example.org", "4@example.org"}, r.post.to()); diff != "" {
		t.Error(diff)
	}
	if r.post.dialed != 3 || r.post.open != 0 { // anew after the two that nobody answered
		t.Errorf("%d sessions, %d open", r.post.dialed, r.post.open)
	}
}

// A server that is down is nobody's fault: no mail is given up for it.
func TestDeliverUnreachable(t *testing.T) {
	r := newRig(t, func(o *mailer.OutboxOptions) { o.MaxAttempts = 1 })
	down := &roster.UnavailableError{What: mailer.UnavailableSMTPTLS, Cause: &mailer.SendError{Stage: mailer.StageStartTLS}}
	r.post.dial = func() error { return down }
	r.queue("a@example.org", "b@example.org", "c@example.org")
	before := r.rows()
	for range 30 {
		d, err := r.Deliver(context.Background(), roster.Budget{})
		if !errors.Is(err, down) || d.Total() != 0 {
			t.Fatalf("%+v, %v", d, err)
		}
	}
	if diff := cmp.Diff(before, r.rows()); diff != "" || r.post.dialed != 30 {
		t.Errorf("in %d sessions: %s", r.post.dialed, diff)
	}
	r.post.dial = nil
	wantDelivered(t, r.deliver(), mailer.Delivered{Sent: 3})
}

// A server that has had enough of a session gets another one, and the mail with
// it.
func TestDeliverRedials(t *testing.T) {
	r := newRig(t, nil)
	n := 0
	r.post.send = func(*mailer.Message) error {
		if n++; n == 2 || n == 4 {
			return &mailer.SendError{Stage: mailer.StageMail, Code: map[int]int{2: 421, 4: 452}[n]}
		}
		return nil
	}
	r.queue("a@example.org", "b@example.org", "c@example.org")
	wantDelivered(t, r.deliver(), mailer.Delivered{Sent: 3})
	if r.post.dialed != 3 || r.post.open != 0 {
		t.Errorf("%d sessions, %d open", r.post.dialed, r.post.open)
	}
	r.post.send = func(*mailer.Message) error { return &mailer.SendError{Stage: mailer.StageMail, Code: 421} }
	r.queue("d@example.org")
	wantDelivered(t, r.deliver(), mailer.Delivered{Delayed: 1}) // at once and again: not for ever
}

// What is refused for good is not tried again. If it is for the address, the
// host hears of it, in the transaction.
func TestDeliverGivesUp(t *testing.T) {
	var heard []*roster.QueuedMail
	var hookErr error
	var r *rig
	r = newRig(t, func(o *mailer.OutboxOptions) {
		o.OnUndeliverable = func(ctx context.Context, m *roster.QueuedMail, err *mailer.SendError) error {
			if err.Enhanced != "5.1.1" || err.Reply == "" {
				t.Errorf("%+v", err)
			}
			heard = append(heard, m)
			must(t, r.store.InsertMail(ctx, &roster.QueuedMail{To: "written by the hook", DueAt: r.clock.Now().Add(time.Hour)}))
			return hookErr
		}
	})
	r.post.send = func(*mailer.Message) error { return permanent(mailer.StageRcpt) }
	r.queue("a@example.org")
	hookErr = errors.New("the hook failed")
	if _, err := r.Deliver(context.Background(), roster.Budget{}); !errors.Is(err, hookErr) {
		t.Fatal(err)
	}
	if row := r.row(); row.State() != roster.OutboxPending || row.Attempts != 1 { // and nothing that the hook wrote
		t.Errorf("%+v", row)
	}
	wantDelivered(t, r.deliver(), mailer.Delivered{}) // the lease has to end
	hookErr, heard = nil, nil
	r.clock.Advance(3 * time.Minute)
	wantDelivered(t, r.deliver(), mailer.Delivered{Failed: 1})
	rows := r.rows()
	if len(rows) != 2 || rows[0].State() != roster.OutboxFailed || rows[0].LastError != "rcpt 550 5.1.1" || rows[0].Payload.IsZero() {
		t.Fatalf("%+v", rows)
	}
	if len(heard) != 1 || heard[0].To != "a@example.org" || !heard[0].Payload.IsZero() || heard[0].FailedAt.IsZero() {
		t.Errorf("the host has heard %+v", heard)
	}
	letters, err := r.DeadLetters(context.Background(), 0, 10)
	must(t, err)
	if len(letters) != 1 || letters[0].ID != rows[0].ID || !letters[0].Payload.IsZero() {
		t.Fatalf("dead letters: %+v", letters)
	}
	if none, err := r.DeadLetters(context.Background(), letters[0].ID, 10); err != nil || len(none) != 0 {
		t.Errorf("the next page: %v, %v", none, err)
	}

	r.post.send = nil
	n, err := r.Resend(context.Background(), letters[0].ID, 1<<40)
	must(t, err)
	if n != 1 {
		t.Errorf("%d are sent again", n)
	}
	events, err := r.store.EventPage(context.Background(), roster.EventFilter{Limit: 10})
	must(t, err)
	var kinds []roster.EventKind
	for _, e := range events { // the latest first; that of the rollback is gone
		kinds = append(kinds, e.Kind)
		if e.Kind != roster.EventMailResent && string(e.Details["error"]) != `"rcpt 550 5.1.1"` || strings.Contains(fmt.Sprint(e), "example.org") {
			t.Errorf("%+v", e)
		}
	}
	if want := []roster.EventKind{roster.EventMailResent, roster.EventEmailUndeliverable, roster.EventMailFailed}; !slices.Equal(kinds, want) {
		t.Errorf("recorded %v, not %v", kinds, want)
	}
	wantDelivered(t, r.deliver(), mailer.Delivered{Sent: 1})
	if r.post.taken[0].ID != rows[0].MessageID {
		t.Error("it has another ID now")
	}
	heard = nil
	r.post.send = func(*mailer.Message) error { return permanent(mailer.StageData) }
	r.queue("b@example.org")
	wantDelivered(t, r.deliver(), mailer.Delivered{Failed: 1})
	if len(heard) != 0 {
		t.Error("the host hears of an address that is fine")
	}
}

// What has expired is not sent, but for notices, which go without the code.
func TestDeliverExpired(t *testing.T) {
	r := newRig(t, nil)
	r.queue("a@example.org")
	must(t, r.Send(context.Background(), roster.Mail{
		Kind: roster.MailPasswordChanged, To: "notice@example.org", Code: roster.NewSecret("undo-code"),
		Link: roster.NewSecret("https://example.org/#undo-code"), ExpiresAt: r.clock.Now().Add(time.Hour),
	}))
	must(t, r.Send(context.Background(), roster.Mail{ // of the password, not of a code
		Kind: roster.MailMustChangePassword, To: "must@example.org", ExpiresAt: r.clock.Now().Add(time.Minute),
	}))
	r.clock.Advance(time.Hour)
	wantDelivered(t, r.deliver(), mailer.Delivered{Sent: 2, Failed: 1})
	rows := r.rows()
	if rows[0].LastError != "expired" || !rows[0].Payload.IsZero() {
		t.Errorf("%+v", rows[0])
	}
	for _, m := range r.post.taken {
		b, err := m.Bytes()
		must(t, err)
		if slices.Contains(r.post.to(), "a@example.org") || containsAny(string(b), "undo-code", "code-for-") {
			t.Errorf("an expired code is sent:\n%s", b)
		}
	}
	if n, err := r.Resend(context.Background(), rows[0].ID); n != 0 || err != nil {
		t.Errorf("%d are sent again, %v", n, err)
	}
}

func containsAny(s string, subs ...string) bool {
	return slices.ContainsFunc(subs, func(sub string) bool { return strings.Contains(s, sub) })
}

// What cannot be read or composed, or has killed whoever tried it, is put aside
// and kept.
func TestDeliverPutsAside(t *testing.T) {
	r := newRig(t, func(o *mailer.OutboxOptions) { o.MaxAttempts = 3 })
	must(t, r.Send(context.Background(), roster.Mail{Kind: "of a newer version", To: "a@example.org"}))
	r.queue("b@example.org", "c@example.org", "d@example.org")
	ctx := context.Background()
	claimed, err := r.store.ClaimMails(ctx, "x", r.clock.Now(), r.clock.Now(), 10)
	must(t, err)
	for _, m := range claimed {
		switch m.To {
		case "b@example.org":
			m.Payload = roster.NewSecret("scribble")
		case "c@example.org":
			m.Attempts = 3
		}
		must(t, r.store.SettleMail(ctx, m))
	}
	wantDelivered(t, r.deliver(), mailer.Delivered{Sent: 1, Failed: 3})
	for i, want := range []string{"compose", "payload", "attempts", ""} {
		if row := r.rows()[i]; row.LastError != want || row.Payload.IsZero() != (want == "") {
			t.Errorf("%+v, want the error %q", row, want)
		}
	}
}

// A worker whose lease ends leaves the rest of its mails to others; and says
// nothing about the one that somebody else has taken up.
func TestDeliverLease(t *testing.T) {
	r := newRig(t, nil)
	ctx := context.Background()
	sent := 0
	r.post.send = func(m *mailer.Message) error {
		sent++
		if m.To.Address == "b@example.org" && sent == 2 {
			r.clock.Advance(3 * time.Minute)
			stolen, err := r.store.ClaimMails(ctx, "another", r.clock.Now(), r.clock.Now().Add(time.Hour), 2)
			must(t, err)
			if len(stolen) != 2 {
				t.Errorf("stolen: %+v", stolen)
			}
		}
		return nil
	}
	r.queue("a@example.org", "b@example.org", "c@example.org", "d@example.org")
	wantDelivered(t, r.deliver(), mailer.Delivered{Sent: 3}) // a, b, which another has now, and d
	for i, want := range []string{"", "another", "another", ""} {
		row := r.rows()[i]
		if row.Claim != want || (row.State() == roster.OutboxSent) != (want == "") {
			t.Errorf("%+v", row)
		}
	}
	if diff := cmp.Diff([]string{"a@example.org", "b@example.org", "d@example.org"}, r.post.to()); diff != "" {
		t.Error(diff)
	}
}

// A context that ends leaves the mail that is being sent a while to end well,
// and gives back the others.
func TestDeliverStops(t *testing.T) {
	r := newRig(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	r.post.send = func(*mailer.Message) error { cancel(); return nil }
	r.queue("a@example.org", "b@example.org", "c@example.org")
	before := r.rows()
	d, err := r.Deliver(ctx, roster.Budget{})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	wantDelivered(t, d, mailer.Delivered{Sent: 1})
	after := r.rows()
	if after[0].State() != roster.OutboxSent {
		t.Errorf("%+v", after[0])
	}
	if diff := cmp.Diff(before[1:], after[1:]); diff != "" {
		t.Error(diff)
	}
}

// stopping is a database that has claimed mails when the context ends, and whose
// answer is lost for that.
type stopping struct {
	*memory.Store
	stop context.CancelFunc
}

func (s *stopping) ClaimMails(
	ctx context.Context, claim string, now, until time.Time, limit int,
) ([]*roster.QueuedMail, error) {
	mails, err := s.Store.ClaimMails(ctx, claim, now, until, limit)
	s.stop()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return mails, err
}

// A context that ends while mails are claimed leaves none claimed: who comes next
// need not wait for the end of a lease that nobody holds.
func TestDeliverStopsClaiming(t *testing.T) {
	r := newRig(t, nil)
	r.queue("a@example.org", "b@example.org")
	before := r.rows()
	ctx, cancel := context.WithCancel(context.Background())
	outbox, err := mailer.NewOutbox(
		&stopping{r.store, cancel}, newComposer(t, r.clock.Now), r.post, &mailer.OutboxOptions{Key: key})
	must(t, err)
	for range 2 { // the second time it has ended before
		if d, err := outbox.Deliver(ctx, roster.Budget{}); !errors.Is(err, context.Canceled) || d.Total() != 0 {
			t.Errorf("%+v, %v", d, err)
		}
		if diff := cmp.Diff(before, r.rows()); diff != "" {
			t.Error(diff)
		}
	}
	wantDelivered(t, r.deliver(), mailer.Delivered{Sent: 2})
}

// Run sends what is queued beside it at once, survives a server that is down,
// and ends with its context.
func TestRun(t *testing.T) {
	defer goleak.VerifyNone(t)
	r := newRig(t, func(o *mailer.OutboxOptions) { o.Poll = time.Hour })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error)
	failures := 0
	r.post.dial = func() error {
		if failures++; failures == 1 {
			return errors.New("down")
		}
		return nil
	}
	go func() { ended <- r.Run(ctx) }()
	for _, to := range []string{"a@example.org", "b@example.org", "c@example.org"} {
		r.queue(to)
		for !slices.Contains(r.post.to(), to) {
			select {
			case err := <-ended:
				t.Fatal(err)
			default:
				runtime.Gosched()
			}
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
