package acceptance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/password"
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
