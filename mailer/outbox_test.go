package mailer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

var key = roster.NewSecret("0123456789abcdef0123456789abcdef")

// post is a Transport that keeps what it takes.
type post struct {
	mu     sync.Mutex
	dial   func() error                  // may be nil
	send   func(m *mailer.Message) error // may be nil
	taken  []*mailer.Message
	tried  []string // recipients
	dialed int
	open   int
}

func (p *post) Dial(ctx context.Context) (mailer.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dialed++
	if p.dial != nil {
		if err := p.dial(); err != nil {
			return nil, err
		}
	}
	p.open++
	return (*postSession)(p), ctx.Err()
}

type postSession post

func (p *postSession) Send(_ context.Context, m *mailer.Message) error {
	p.mu.Lock()
	send := p.send
	p.tried = append(p.tried, m.To.Address)
	p.mu.Unlock()
	if send != nil {
		if err := send(m); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = append(p.taken, m)
	return nil
}

func (p *postSession) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	return errors.New("no good-bye")
}

func (p *post) to() (list []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.taken {
		list = append(list, m.To.Address)
	}
	return list
}

// rig is an Outbox on a store in memory.
type rig struct {
	*mailer.Outbox
	t     testing.TB
	store *memory.Store
	clock *rostertest.Clock
	post  *post
	users *roster.Users
}

func newComposer(t testing.TB, now func() time.Time) *mailer.Composer {
	t.Helper()
	c, err := mailer.New(mailer.Options{From: "Example <accounts@example.org>", Now: now})
	must(t, err)
	return c
}

func newRig(t testing.TB, change func(o *mailer.OutboxOptions)) *rig {
	t.Helper()
	r := &rig{t: t, store: memory.New(), clock: rostertest.NewClock(), post: &post{}}
	opts := mailer.OutboxOptions{Key: key}
	if change != nil {
		change(&opts)
	}
	var err error
	r.Outbox, err = mailer.NewOutbox(r.store, newComposer(t, r.clock.Now), r.post, &opts)
	must(t, err)
	r.users, err = roster.New(r.store, &roster.Options{Mailer: r.Outbox, Hasher: rostertest.Hasher{}, Now: r.clock.Now})
	must(t, err)
	return r
}

// queue queues a mail with a code that is good for an hour.
func (r *rig) queue(to ...string) {
	r.t.Helper()
	for _, to := range to {
		must(r.t, r.Send(context.Background(), roster.Mail{
			Kind: roster.MailResetPassword, To: to, Code: roster.NewSecret("code-for-" + to), ExpiresAt: r.clock.Now().Add(time.Hour),
		}))
	}
}

func (r *rig) deliver() mailer.Delivered {
	r.t.Helper()
	d, err := r.Deliver(context.Background(), roster.Budget{})
	must(r.t, err)
	return d
}

func (r *rig) rows() []*roster.QueuedMail {
	r.t.Helper()
	var all []*roster.QueuedMail
	for _, state := range []roster.OutboxState{roster.OutboxPending, roster.OutboxSent, roster.OutboxFailed} {
		mails, err := r.store.MailsAfter(context.Background(), state, 0, 100_000)
		must(r.t, err)
		all = append(all, mails...)
	}
	slices.SortFunc(all, func(a, b *roster.QueuedMail) int { return int(a.ID - b.ID) })
	return all
}

func (r *rig) row() *roster.QueuedMail {
	r.t.Helper()
	all := r.rows()
	if len(all) != 1 {
		r.t.Fatalf("there are %d mails", len(all))
	}
	return all[0]
}

func temporary(stage mailer.Stage) error {
	return &mailer.SendError{Stage: stage, Code: 451, Enhanced: "4.3.0"}
}

func permanent(stage mailer.Stage) error {
	return &mailer.SendError{
		Stage: stage, Code: 550, Enhanced: "5.1.1", Permanent: true, Undeliverable: stage == mailer.StageRcpt, Reply: `"no <a@example.org>"`,
	}
}

func wantDelivered(t testing.TB, got, want mailer.Delivered) {
	t.Helper()
	if got != want {
		t.Errorf("delivered %+v, want %+v", got, want)
	}
}

// A mail is there if and only if its cause is, and leaves with what it was
// caused by; then what it said is gone.
func TestOutbox(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, nil)
	failed := errors.New("something else failed")
	err := r.users.Atomic(ctx, func(ctx context.Context) error {
		_, err := r.users.Register(ctx, roster.NewUser{Name: "ben", Email: "ben@example.org", Password: rostertest.Password})
		must(t, err)
		return failed
	})
	if !errors.Is(err, failed) || len(r.rows()) != 0 {
		t.Fatalf("%v, and %d mails", err, len(r.rows()))
	}
	ann, err := r.users.Register(ctx, roster.NewUser{Name: "ann", RealName: "Ann Example", Email: "ann@example.org", Password: rostertest.Password, Locale: "de"})
	must(t, err)
	row := r.row()
	if row.UserID != ann.ID || row.To != "ann@example.org" || row.Locale != "de" || row.Kind != roster.MailActivateAccount || row.ExpiresAt.IsZero() {
		t.Errorf("%+v", row)
	}
	id := row.MessageID
	r.clock.Advance(time.Minute)
	wantDelivered(t, r.deliver(), mailer.Delivered{Sent: 1})
	msg := r.post.taken[0]
	if msg.ID != id || !msg.Date.Equal(row.QueuedAt) || msg.To != (mailer.Mailbox{Address: "ann@example.org"}) || msg.Locale != "de" {
		t.Errorf("%+v", msg)
	}
	row = r.row()
	if !row.Payload.IsZero() || !row.SentAt.Equal(r.clock.Now()) || row.Claim != "" || row.LastError != "" {
		t.Errorf("%+v", row)
	}
	code := strings.TrimSpace(msg.Text[strings.Index(msg.Text, "\n\n"):])
	if _, err := r.users.ActivateWithPassword(ctx, codeIn(code), rostertest.Password); err != nil {
		t.Errorf("the code in the mail: %v\n%s", err, msg.Text)
	}
	wantDelivered(t, r.deliver(), mailer.Delivered{})
	if r.post.open != 0 || r.post.dialed != 1 {
		t.Errorf("%d sessions, %d still open", r.post.dialed, r.post.open)
	}
	must(t, r.users.Purge(ctx, ann.ID))
	if n := len(r.rows()); n != 0 {
		t.Errorf("%d mails of somebody who is gone", n)
	}
}

// codeIn finds the word that is as long as a code.
func codeIn(text string) string {
	for _, word := range strings.Fields(text) {
		if len(word) == 43 {
			return word
		}
	}
	return ""
}

func TestOutboxRefuses(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, func(o *mailer.OutboxOptions) { o.MaxQueued = 5 })
	for _, to := range []string{"", "a", "a@example.org\r\nBcc: b@example.org", "A <a@example.org>"} {
		if err := r.Send(ctx, roster.Mail{Kind: roster.MailResetPassword, To: to}); !errors.Is(err, roster.ErrInvalid) {
			t.Errorf("to %q: %v", to, err)
		}
	}
	if err := r.Send(ctx, roster.Mail{Kind: roster.MailResetPassword, To: "a@example.org", User: &roster.User{ID: 9}}); !errors.Is(err, roster.ErrConflict) {
		t.Errorf("for nobody: %v", err)
	}
	r.queue("1@example.org", "2@example.org", "3@example.org", "4@example.org", "5@example.org")
	err := r.Send(ctx, roster.Mail{Kind: roster.MailResetPassword, To: "6@example.org"})
	var down *roster.UnavailableError
	if !errors.As(err, &down) || down.What != mailer.UnavailableOutbox {
		t.Errorf("one too many: %v", err)
	}
	_, err = r.users.Register(ctx, roster.NewUser{Name: "ann", Email: "ann@example.org", Password: rostertest.Password})
	if !errors.Is(err, roster.ErrUnavailable) {
		t.Errorf("register: %v", err)
	}
	if _, err := r.users.ByName(ctx, "ann"); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("there is a user who will never get a mail: %v", err)
	}
	wantDelivered(t, r.deliver(), mailer.Delivered{Sent: 5})
	r.clock.Advance(time.Second)
	r.queue("6@example.org")
	if _, err := r.Deliver(ctx, roster.Budget{Rows: -1}); !errors.Is(err, roster.ErrInvalid) {
		t.Errorf("a negative budget: %v", err)
	}

	composer := newComposer(t, nil)
	for name, opts := range map[string]*mailer.OutboxOptions{
		"no key": nil, "a zero key": {Key: roster.NewSecret(string(make([]byte, 32)))}, "negative": {Key: key, MaxAttempts: -1}, "negative time": {Key: key, Timeout: -1},
	} {
		if _, err := mailer.NewOutbox(r.store, composer, r.post, opts); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := mailer.NewOutbox(nil, nil, nil, &mailer.OutboxOptions{StoreInClear: true}); err == nil {
		t.Error("nothing is taken")
	}
}

func TestDeliverBudget(t *testing.T) {
	r := newRig(t, nil)
	for i := range 40 {
		r.queue(fmt.Sprintf("%d@example.org", i))
	}
	for _, want := range []int{1, 17, 22} {
		d, err := r.Deliver(context.Background(), roster.Budget{Rows: want})
		must(t, err)
		wantDelivered(t, d, mailer.Delivered{Sent: want})
	}
	if want := "0@example.org"; r.post.taken[0].To.Address != want || r.post.dialed != 3 {
		t.Errorf("the first went to %s, in %d sessions", r.post.taken[0].To.Address, r.post.dialed)
	}
	if d := r.deliver(); d.Total() != 0 {
		t.Errorf("more: %+v", d)
	}
}

// Direct sends after the commit, in the background, and not at all if there is
// none.
func TestDirect(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx := context.Background()
	p := &post{}
	clock := rostertest.NewClock()
	hold, inside := make(chan struct{}), make(chan struct{}, 100)
	p.send = func(*mailer.Message) error {
		inside <- struct{}{}
		<-hold
		return nil
	}
	d, err := mailer.NewDirect(newComposer(t, clock.Now), p, &mailer.DirectOptions{MaxSending: 2, MaxWaiting: 3})
	must(t, err)
	must(t, d.Wait(ctx))
	users, err := roster.New(memory.New(), &roster.Options{Mailer: d, Hasher: rostertest.Hasher{}, Now: clock.Now})
	must(t, err)
	if err := users.Atomic(ctx, func(ctx context.Context) error {
		_, err := users.Register(ctx, roster.NewUser{Name: "ben", Email: "ben@example.org", Password: rostertest.Password})
		must(t, err)
		return roster.ErrStale
	}); !errors.Is(err, roster.ErrStale) {
		t.Fatal(err)
	}
	for i := range 5 {
		name := fmt.Sprintf("ann%d", i)
		_, err = users.Register(ctx, roster.NewUser{Name: name, Email: name + "@example.org", Password: rostertest.Password})
		must(t, err)
	}
	<-inside
	<-inside
	_, err = users.Register(ctx, roster.NewUser{Name: "eve", Email: "eve@example.org", Password: rostertest.Password})
	if !errors.Is(err, roster.ErrUnavailable) {
		t.Errorf("one too many: %v", err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := d.Wait(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v", err)
	}
	if n := len(p.to()); n != 0 {
		t.Errorf("%d were taken", n)
	}
	close(hold)
	must(t, d.Wait(ctx))
	got := p.to()
	slices.Sort(got)
	if diff := cmp.Diff([]string{"ann0@example.org", "ann1@example.org", "ann2@example.org", "ann3@example.org", "ann4@example.org"}, got); diff != "" {
		t.Error(diff)
	}
	if err := d.Send(ctx, roster.Mail{Kind: "unknown", To: "a@example.org"}); err == nil {
		t.Error("an unknown kind is taken")
	}
	p.dial = func() error { return errors.New("no server") }
	must(t, d.Send(ctx, roster.Mail{Kind: roster.MailAddressTaken, To: "a@example.org"}))
	must(t, d.Wait(ctx))
	if _, err := mailer.NewDirect(nil, nil, &mailer.DirectOptions{Timeout: -1}); err == nil {
		t.Error("nothing is taken")
	}
}
