package acceptance

import (
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/password"
	"github.com/go-roster/roster/rostertest"
)

// refusal is a state in which a sign-in is refused.
type refusal struct {
	name            string
	login, password string
}

// refusals brings accounts into every state in which a sign-in is refused. The
// first one, an unknown name, is what the others are compared with.
func refusals(w *world) []refusal {
	ctx := context.Background()
	edit := func(id roster.UserID, flag roster.Flags) {
		w.must(w.Edit(ctx, id, func(u *roster.User) error { u.Flags |= flag; return nil }))
	}
	ann := w.active("ann", "ann@example.org")
	w.claimed(ann.ID, "ann-2@example.org")
	w.pending("pending", "pending@example.org")
	w.must(w.Disable(ctx, w.active("disabled", "disabled@example.org").ID))
	w.must(w.Delete(ctx, w.active("gone", "gone@example.org").ID))
	edit(w.active("banned", "banned@example.org").ID, roster.FlagBanned)
	edit(w.active("locked", "locked@example.org").ID, roster.FlagLocked)
	w.must(w.Disable(ctx, w.pending("pending-off", "pending-off@example.org").ID))
	w.must(w.Create(ctx, &roster.User{Name: "passwordless", ActivatedAt: w.clock.Now()}))
	w.must(w.Create(ctx, &roster.User{Name: "directory", DirectoryID: "ldap:1", DirectoryDN: "uid=directory", ActivatedAt: w.clock.Now()}))
	for i, hash := range []string{"", "not a hash", "$argon2id$v=19$m=19456,t=2,p=1$!!$!!", "$argon2id$v=19$m=4294967295,t=2,p=1$c2FsdHNhbHQ$dGFndGFndGFndGFndGFndA"} {
		u := w.active(fmt.Sprintf("corrupt%d", i), fmt.Sprintf("corrupt%d@example.org", i))
		w.must(w.store.PutCredential(ctx, &roster.Credential{UserID: u.ID, Hash: roster.NewSecret(hash), CreatedAt: w.clock.Now()}))
	}
	w.must(w.RequirePasswordChange(ctx, w.active("expired", "expired@example.org").ID, time.Microsecond))
	w.clock.Advance(time.Microsecond)
	w.post.take()
	return []refusal{
		{"unknown name", "nobody-here", goodPassword},
		{"unknown address", "nobody@example.net", goodPassword},
		{"malformed name", "no body", goodPassword},
		{"malformed address", "@@", goodPassword},
		{"huge name", strings.Repeat("a", 1<<20), goodPassword},
		{"huge address", strings.Repeat("a", 1<<20) + "@example.org", goodPassword},
		{"empty name", "", goodPassword},
		{"name that is not UTF-8", "ann\xff", goodPassword},
		{"wrong password", "ann", otherPassword},
		{"wrong password by address", "ann@example.org", otherPassword},
		{"empty password", "ann", ""},
		{"too long a password", "ann", strings.Repeat("x", 1<<20)},
		{"long password", "ann", strings.Repeat("x", password.MaxRunes)},
		{"password that is not UTF-8", "ann", goodPassword + "\xff"},
		{"password with NUL", "ann", goodPassword + "\x00"},
		{"pending address", "ann-2@example.org", goodPassword},
		{"pending address of a pending user, wrong password", "pending@example.org", otherPassword},
		{"disabled", "disabled", goodPassword},
		{"disabled, wrong password", "disabled", otherPassword},
		{"deleted", "gone", goodPassword},
		{"deleted, by address", "gone@example.org", goodPassword},
		{"banned", "banned", goodPassword},
		{"locked", "locked", goodPassword},
		{"never activated, wrong password", "pending", otherPassword},
		{"never activated, empty password", "pending", ""},
		{"never activated and disabled", "pending-off", goodPassword},
		{"never activated and disabled, by address", "pending-off@example.org", goodPassword},
		{"disabled, empty password", "disabled", ""},
		{"deleted, wrong password", "gone", otherPassword},
		{"banned, wrong password", "banned", otherPassword},
		{"locked, too long a password", "locked", strings.Repeat("x", 1<<20)},
		{"no password", "passwordless", goodPassword},
		{"no password, empty password", "passwordless", ""},
		{"no password, too long a password", "passwordless", strings.Repeat("x", 1<<20)},
		{"of a directory", "directory", goodPassword},
		{"of a directory, empty password", "directory", ""},
		{"empty hash", "corrupt0", goodPassword},
		{"empty hash, empty password", "corrupt0", ""},
		{"text for a hash", "corrupt1", goodPassword},
		{"corrupt hash", "corrupt2", goodPassword},
		{"hash that would take terabytes", "corrupt3", goodPassword},
		{"hash that would take terabytes, too long a password", "corrupt3", strings.Repeat("x", 1<<20)},
		{"expired", "expired", goodPassword},
		{"expired, by address", "expired@example.org", goodPassword},
		{"expired, wrong password", "expired", otherPassword},
	}
}

// countingHasher notes the work that the hasher under it is asked for.
type countingHasher struct {
	roster.Hasher
	mu     sync.Mutex
	work   []string // the parameters of each verification that was done
	hashes int
}

func (h *countingHasher) Hash(ctx context.Context, password string) (string, error) {
	h.mu.Lock()
	h.hashes++
	h.mu.Unlock()
	return h.Hasher.Hash(ctx, password)
}

func (h *countingHasher) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	ok, rehash, err = h.Hasher.Verify(ctx, hash, password)
	if err == nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.work = append(h.work, strings.Join(strings.Split(hash, "$")[:4], "$"))
	}
	return ok, rehash, err
}

func (h *countingHasher) take() (work []string, hashes int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	work, hashes = h.work, h.hashes
	h.work, h.hashes = nil, 0
	return work, hashes
}

// TestEqualWork counts: every refusal costs exactly one verification of
// today's parameters, and looks alike.
func TestEqualWork(t *testing.T) {
	cheap := password.Argon2id{Time: 1, MemoryKiB: 16, Threads: 1}
	onEach(t, func(t *testing.T, k kind) {
		h := &countingHasher{Hasher: cheap}
		store := &faultStore{Store: k.open(t)}
		w := newWorld(t, store, func(o *roster.Options) { o.Hasher = h })
		ctx := ctxOf(t)
		states := refusals(w)
		ann, err := w.ByName(ctx, "ann")
		w.must(err)
		h.take()
		texts := make(map[string]string) // of each verb
		same := func(t *testing.T, verb string, err error) {
			t.Helper()
			if _, ok := texts[verb]; !ok && err != nil {
				texts[verb] = err.Error()
			}
			if err != nil && err.Error() != texts[verb] {
				t.Errorf("the text is %q, elsewhere %q", err, texts[verb])
			}
		}
		check := func(t *testing.T, err error) {
			t.Helper()
			work, hashes := h.take()
			if len(work) != 1 || work[0] != "$argon2id$v=19$m=16,t=1,p=1" || hashes != 0 {
				t.Errorf("it took %d hashes and the verifications %q, want one", hashes, work)
			}
			if !errors.Is(err, roster.ErrCredentials) || errors.Is(err, roster.ErrNotActivated) {
				t.Errorf("the answer is %v", err)
			}
		}
		for _, s := range states {
			t.Run(s.name, func(t *testing.T) {
				store.arm(noFault, 0, nil)
				u, err := w.Authenticate(ctx, s.login, s.password)
				calls, _ := store.disarm()
				check(t, err)
				if u != nil {
					t.Error("a user came with it")
				}
				same(t, "Authenticate", err)
				if len(calls) > 4 {
					t.Errorf("the store was asked %v", calls)
				}
				session, token, err := w.SignIn(ctx, s.login, s.password)
				check(t, err)
				if session != nil || !token.IsZero() {
					t.Error("a session came with it")
				}
				same(t, "SignIn", err)
			})
		}
		t.Run("CheckPassword", func(t *testing.T) {
			for _, id := range []roster.UserID{ann.ID, 1 << 50} {
				for _, p := range []string{otherPassword, "", strings.Repeat("x", 1<<20), "\xff"} {
					check(t, w.CheckPassword(ctx, id, p))
					check(t, w.ChangePassword(ctx, id, p, goodPassword))
				}
			}
		})
		t.Run("right password before the activation", func(t *testing.T) {
			_, err := w.Authenticate(ctx, "pending", goodPassword)
			if work, _ := h.take(); len(work) != 1 || !errors.Is(err, roster.ErrNotActivated) || errors.Is(err, roster.ErrCredentials) {
				t.Errorf("%v after %q", err, work)
			}
		})
		t.Logf("%d states", len(states))
	})
}

// TestRefusalsWait: no refusal goes around the gate. While it is full, whoever
// is to be refused is told that it is, and nothing is hashed for them.
func TestRefusalsWait(t *testing.T) {
	h := &countingHasher{Hasher: password.Argon2id{Time: 1, MemoryKiB: 1024, Threads: 1}}
	stop := &stoppingHasher{Hasher: h, inside: make(chan struct{}), end: make(chan struct{})}
	w := newWorld(t, kinds()[0].open(t), func(o *roster.Options) { o.Hasher, o.HashMemory, o.HashQueue = stop, 1, 1 })
	ctx := ctxOf(t)
	states := refusals(w)
	ann, err := w.ByName(ctx, "ann")
	w.must(err)
	var wg sync.WaitGroup
	hold := func(ctx context.Context) { // the only slot; the second time, the only place
		wg.Go(func() {
			err := roster.ErrBusy
			for errors.Is(err, roster.ErrBusy) { // for what looks below whether it is
				err = w.CheckPassword(ctx, ann.ID, stopPassword)
			}
			if !errors.Is(err, roster.ErrCredentials) && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	hold(ctx)
	<-stop.inside
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	hold(waiting)
	for { // until the place is taken
		early, cancel := context.WithTimeout(ctx, time.Millisecond)
		err := w.CheckPassword(early, ann.ID, otherPassword)
		cancel()
		if errors.Is(err, roster.ErrBusy) {
			break
		}
	}
	h.take()
	for _, s := range states {
		u, err := w.Authenticate(ctx, s.login, s.password)
		if !errors.Is(err, roster.ErrBusy) || errors.Is(err, roster.ErrCredentials) || u != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
	for _, id := range []roster.UserID{ann.ID, 1 << 50} {
		if err := w.CheckPassword(ctx, id, otherPassword); !errors.Is(err, roster.ErrBusy) {
			t.Errorf("CheckPassword: %v", err)
		}
	}
	if work, hashes := h.take(); len(work)+hashes != 0 {
		t.Errorf("it took %d hashes and the verifications %q", hashes, work)
	}
	cancel()
	close(stop.end)
	wg.Wait()
	for _, s := range states {
		if _, err := w.Authenticate(ctx, s.login, s.password); !errors.Is(err, roster.ErrCredentials) {
			t.Errorf("%s, later: %v", s.name, err)
		}
	}
}

// stoppingHasher stops at one password until it is told to go on.
type stoppingHasher struct {
	roster.Hasher
	inside, end chan struct{}
}

const stopPassword = "stop here, please"

func (h *stoppingHasher) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	if password == stopPassword {
		h.inside <- struct{}{}
		<-h.end
	}
	return h.Hasher.Verify(ctx, hash, password)
}

// suspect is what measuring a state against the unknown name gave.
type suspect struct {
	median time.Duration // of the unknown name
	diff   float64       // median of the differences of pairs, as a part of that
	z      float64       // of the sign test
	t      float64       // of Welch's test, for the record: one hiccup spoils it
}

func (s suspect) String() string {
	return fmt.Sprintf("median %v, pairs differ by %+.2f%%, sign test z %+.1f, Welch t %+.1f", s.median, 100*s.diff, s.z, s.t)
}

// guilty says that the difference is large and that it is no accident.
func (s suspect) guilty(limit float64) bool {
	return math.Abs(s.diff) > limit && math.Abs(s.z) > 3.5
}

// measure compares two things in interleaved pairs of random order.
func measure(rng *rand.Rand, pairs int, one, other func()) suspect {
	timed := func(fn func()) float64 {
		start := time.Now()
		fn()
		return float64(time.Since(start))
	}
	var ones, others, diffs []float64
	signs := 0
	for range pairs {
		var a, b float64
		if rng.IntN(2) == 0 {
			a = timed(one)
			b = timed(other)
		} else {
			b = timed(other)
			a = timed(one)
		}
		ones, others, diffs = append(ones, a), append(others, b), append(diffs, b-a)
		if b > a {
			signs++
		}
	}
	slices.Sort(diffs)
	mean := func(xs []float64) (m, v float64) {
		for _, x := range xs {
			m += x / float64(len(xs))
		}
		for _, x := range xs {
			v += (x - m) * (x - m) / float64(len(xs)-1)
		}
		return m, v
	}
	m1, v1 := mean(ones)
	m2, v2 := mean(others)
	n := float64(pairs)
	slices.Sort(ones)
	return suspect{
		median: time.Duration(ones[pairs/2]),
		diff:   diffs[pairs/2] / ones[pairs/2],
		z:      (float64(signs) - n/2) / math.Sqrt(n/4),
		t:      (m2 - m1) / math.Sqrt(v1/n+v2/n),
	}
}

// convict measures until a state is acquitted. On a machine that does other
// things a first measurement may lie, several do not.
func convict(rng *rand.Rand, limit float64, one, other func()) (s suspect, guilty bool) {
	for try := range 4 {
		s = measure(rng, count(30, 500)<<try, one, other)
		if !s.guilty(limit) {
			return s, false
		}
	}
	return s, true
}

// leaky is a hasher that does less work for a hash that is nobody's.
type leaky struct {
	password.Argon2id
	dummy password.Argon2id
}

func (h leaky) Dummy() string { return h.dummy.Dummy() }

// TestEqualTime measures that every refusal takes as long as that of an
// unknown name, and that it would be noticed if it did not.
func TestEqualTime(t *testing.T) {
	rng := random(t)
	limit := 0.10
	if soak {
		limit = 0.02
	}
	cost := password.Argon2id{Time: 1, MemoryKiB: 1024, Threads: 1}
	plant := password.Argon2id{Time: 1, MemoryKiB: 512, Threads: 1}
	if soak {
		cost = password.OWASP()
		plant = password.Argon2id{Time: 2, MemoryKiB: cost.MemoryKiB * 95 / 100, Threads: 1}
	}
	w := newWorld(t, kinds()[0].open(t), func(o *roster.Options) { o.Hasher = password.Hasher{Cost: cost} })
	states := refusals(w)
	ctx := ctxOf(t)
	imported := w.active("imported", "imported@example.org")
	sum := sha512.Sum512([]byte("0123456789abcdef" + goodPassword))
	w.must(w.store.PutCredential(ctx, &roster.Credential{
		UserID: imported.ID, Hash: roster.NewSecret(fmt.Sprintf("sha512$0123456789abcdef$%x", sum)), CreatedAt: w.clock.Now(),
	}))
	states = append(states,
		refusal{"imported hash that costs nothing, wrong password", "imported", otherPassword},
		refusal{"imported hash that costs nothing, empty password", "imported", ""})
	try := func(us *roster.Users, s refusal) func() {
		return func() {
			if _, err := us.Authenticate(ctx, s.login, s.password); !errors.Is(err, roster.ErrCredentials) {
				t.Fatalf("%s: %v", s.name, err)
			}
		}
	}
	for _, s := range states[1:] {
		got, guilty := convict(rng, limit, try(w.Users, states[0]), try(w.Users, s))
		if guilty {
			t.Errorf("%s can be told from an unknown name: %v", s.name, got)
		} else if soak || testing.Verbose() {
			t.Logf("%s: %v", s.name, got)
		}
	}
	planted, err := roster.New(w.store, &roster.Options{Hasher: leaky{cost, plant}, Now: w.clock.Now, Limits: rostertest.Unlimited()})
	w.must(err)
	i := slices.IndexFunc(states, func(s refusal) bool { return s.name == "wrong password" })
	var got suspect
	for attempt := 0; attempt < 4 && !got.guilty(limit); attempt++ {
		got = measure(rng, count(100, 1000), try(planted, states[0]), try(planted, states[i]))
	}
	if !got.guilty(limit) {
		t.Errorf("a leak that was planted went unnoticed: %v", got)
	}
	t.Logf("planted leak: %v", got)
}
