package acceptance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// world is the accounts on one store, and what can be seen of them from
// outside.
type world struct {
	*roster.Users
	t     testing.TB
	store roster.Store
	clock *rostertest.Clock
	post  *post
}

// newWorld returns accounts on a store, with an instant hasher, a mailer that
// keeps what it is given and a clock that stands still.
func newWorld(t testing.TB, store roster.Store, changes ...func(*roster.Options)) *world {
	t.Helper()
	w := &world{t: t, store: store, clock: rostertest.NewClock(), post: new(post)}
	opts := roster.Options{
		Mailer: w.post, Hasher: rostertest.Hasher{}, Now: w.clock.Now, Limits: rostertest.Unlimited(),
		KeepEarlyPassword: true, // but for the tests of the first proof
	}
	for _, change := range changes {
		change(&opts)
	}
	users, err := roster.New(store, &opts)
	if err != nil {
		t.Fatal(err)
	}
	w.Users = users
	return w
}

// post is a Mailer that keeps every mail, and which of them left: those whose
// transaction has committed.
type post struct {
	mu    sync.Mutex
	tried []roster.Mail
	left  []roster.Mail
	fail  func(n int) error // asked before the n-th mail, from 1
}

func (p *post) Send(ctx context.Context, m roster.Mail) error {
	p.mu.Lock()
	p.tried = append(p.tried, m)
	fail, n := p.fail, len(p.tried)
	p.mu.Unlock()
	if fail != nil {
		if err := fail(n); err != nil {
			return err
		}
	}
	roster.AfterCommit(ctx, func(context.Context) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.left = append(p.left, m)
	})
	return nil
}

// take returns the mails that left since the last take, oldest first.
func (p *post) take() []roster.Mail {
	p.mu.Lock()
	defer p.mu.Unlock()
	mails := p.left
	p.left, p.tried = nil, nil
	return mails
}

// codes returns every code that was handed to the mailer since the last take,
// also those of transactions that failed.
func (p *post) codes() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var codes []string
	for _, m := range p.tried {
		if !m.Code.IsZero() {
			codes = append(codes, m.Code.Reveal())
		}
	}
	return codes
}

// code returns the newest code that left for an address.
func (p *post) code(t testing.TB, address string) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.left) - 1; i >= 0; i-- {
		if m := p.left[i]; m.To == address && !m.Code.IsZero() {
			return m.Code.Reveal()
		}
	}
	t.Fatalf("no code was sent to %s", address)
	return ""
}

const goodPassword = rostertest.Password

// pending signs somebody up and leaves it there. The code is in the post.
func (w *world) pending(name, address string) *roster.User {
	w.t.Helper()
	u, err := w.Register(context.Background(), roster.NewUser{Name: name, Email: address, Password: goodPassword})
	if err != nil {
		w.t.Fatalf("register %s: %v", name, err)
	}
	return u
}

// active signs somebody up and redeems the code.
func (w *world) active(name, address string) *roster.User {
	w.t.Helper()
	w.pending(name, address)
	code := w.post.code(w.t, address)
	u, err := w.Activate(context.Background(), code)
	if errors.Is(err, roster.ErrPasswordRequired) {
		u, err = w.ActivateWithPassword(context.Background(), code, goodPassword)
	}
	if err != nil {
		w.t.Fatalf("activate %s: %v", name, err)
	}
	return u
}

// claimed adds a pending address to a user.
func (w *world) claimed(id roster.UserID, address string) *roster.UserEmail {
	w.t.Helper()
	e, err := w.AddEmail(context.Background(), id, address)
	w.must(err)
	return e
}

// proven adds an address to a user and redeems the code.
func (w *world) proven(id roster.UserID, address string) *roster.UserEmail {
	w.t.Helper()
	e := w.claimed(id, address)
	_, err := w.Activate(context.Background(), w.post.code(w.t, address))
	w.must(err)
	return e
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// sound fails the test if the store breaks an invariant, by the library's own
// Check and by the test's.
func (w *world) sound() {
	w.t.Helper()
	ctx := context.Background()
	problems, err := w.Check(ctx)
	if err != nil {
		w.t.Fatalf("check: %v", err)
	}
	for _, p := range problems {
		w.t.Errorf("check: %v", p)
	}
	rows, err := readRows(ctx, w.store)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range rows.broken(ctx, w.store) {
		w.t.Errorf("broken: %s", p)
	}
	if w.t.Failed() {
		w.t.FailNow()
	}
}

// empty removes everything, through the store's own methods.
func (w *world) empty() {
	w.t.Helper()
	ctx := context.Background()
	for {
		rows, err := w.store.UsersAfter(ctx, 0, 500)
		w.must(err)
		if len(rows) == 0 {
			break
		}
		for _, row := range rows {
			w.must(w.store.PurgeUser(ctx, row.User.RosterUser().ID))
		}
	}
	groups, err := w.store.GroupPage(ctx, "", 1000)
	w.must(err)
	for _, g := range groups {
		w.must(w.store.DeleteGroup(ctx, g.RosterGroup().ID))
	}
	w.post.take()
}

// together runs fn for 0 to n-1 at the same moment and returns the errors.
func together(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var ready, done sync.WaitGroup
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			errs[i] = fn(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return errs
}

// oneWinner checks that exactly one of the errors is nil and that all others
// are as lost says. It returns the winner.
func oneWinner(t testing.TB, errs []error, lost func(error) bool) int {
	t.Helper()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Fatalf("two of them won: %d and %d (%v)", winner, i, errs)
		case err == nil:
			winner = i
		case !lost(err):
			t.Fatalf("%d lost by %v", i, err)
		}
	}
	if winner < 0 {
		t.Fatalf("nobody won: %v", errs)
	}
	return winner
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// conflict is a *ConflictError of one of the fields.
func conflict(fields ...string) func(error) bool {
	return func(err error) bool {
		c, ok := errors.AsType[*roster.ConflictError](err)
		if !ok {
			return false
		}
		for _, f := range fields {
			if c.Field == f {
				return true
			}
		}
		return false
	}
}

// either accepts what one of them accepts.
func either(tests ...func(error) bool) func(error) bool {
	return func(err error) bool {
		for _, test := range tests {
			if test(err) {
				return true
			}
		}
		return false
	}
}

// rate says how fast rounds went.
func rate(t testing.TB, rounds int, start time.Time) {
	t.Helper()
	d := time.Since(start)
	t.Logf("%s: %d rounds in %v, %.0f rounds/s", t.Name(), rounds, d.Round(time.Millisecond), float64(rounds)/d.Seconds())
}

func emailOf(w *world, id roster.UserID, address string) *roster.UserEmail {
	w.t.Helper()
	emails, err := w.Emails(context.Background(), id)
	w.must(err)
	for _, e := range emails {
		if e.Address == address {
			return e
		}
	}
	w.t.Fatalf("user %d does not have the address", id)
	return nil
}

func mustSignIn(t testing.TB, us *roster.Users, login, password string) *roster.User {
	t.Helper()
	u, err := us.Authenticate(context.Background(), login, password)
	if err != nil {
		t.Fatalf("%s cannot sign in: %v", login, err)
	}
	return u
}

func mustNotSignIn(t testing.TB, us *roster.Users, login, password string, want error) {
	t.Helper()
	u, err := us.Authenticate(context.Background(), login, password)
	if !errors.Is(err, want) || u != nil {
		t.Fatalf("sign-in as %s: got %s, %v; want %v", login, nameOf(u), err, want)
	}
}

func nameOf(u *roster.User) string {
	if u == nil {
		return "nobody"
	}
	return fmt.Sprintf("user %d", u.ID)
}

// gatedHasher is rostertest.Hasher, but Verify stops at a gate once it knows
// the answer.
type gatedHasher struct {
	rostertest.Hasher
	inside, goOn chan struct{}
}

func (h *gatedHasher) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	ok, rehash, err = h.Hasher.Verify(ctx, hash, password)
	close(h.inside)
	<-h.goOn
	return ok, rehash, err
}
