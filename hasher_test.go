package roster_test

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/password"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

// heavy is a hasher that needs a gate, and stops inside while it is told to.
type heavy struct {
	rostertest.Hasher
	mu   sync.Mutex
	hold chan struct{} // nil: do not stop
	runs int           // verifications begun
}

func (h *heavy) Memory(hash string) int64 {
	if strings.Contains(hash, "huge") {
		return 1 << 40
	}
	return 1 << 20
}

func (h *heavy) Verify(ctx context.Context, hash, password string) (bool, bool, error) {
	h.mu.Lock()
	h.runs++
	hold := h.hold
	h.mu.Unlock()
	if hold != nil {
		<-hold
	}
	return h.Hasher.Verify(ctx, hash, password)
}

func (h *heavy) set(hold chan struct{}) (runs int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	runs, h.runs, h.hold = h.runs, 0, hold
	return runs
}

// from is a context of a client.
func from(t *testing.T, addr string) context.Context {
	return roster.WithClient(t.Context(), roster.Client{Addr: netip.MustParseAddr(addr)})
}

// When all places are taken there is an answer at once, and no work was done.
// A client that floods takes the places from itself.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(heavy)
		env := rostertest.New(t, func(o *roster.Options) { o.Hasher, o.HashMemory, o.HashQueue = h, 1, 4 })
		ann := env.MustRegister("ann")
		hold := make(chan struct{})
		h.set(hold)
		sign := func(addr string) chan error {
			answer := make(chan error, 1)
			go func() {
				_, err := env.Authenticate(from(t, addr), "ann", rostertest.Password)
				answer <- err
			}()
			synctest.Wait()
			return answer
		}
		answered := func(c chan error) error {
			t.Helper()
			select {
			case err := <-c:
				return err
			default:
				t.Fatal("no answer yet")
				return nil
			}
		}
		var flood []chan error
		for range 5 { // one runs, the others wait: all of them one /64
			flood = append(flood, sign("2001:db8::1"))
		}
		wantError(t, answered(sign("2001:db8::ffff:2")), roster.ErrBusy)
		wantError(t, env.CheckPassword(from(t, "2001:db8::3"), ann.ID, "wrong"), roster.ErrBusy)
		wantError(t, env.SetPassword(from(t, "2001:db8::3"), ann.ID, "another password"), roster.ErrBusy)
		_, err := env.Register(from(t, "2001:db8::3"), roster.NewUser{Name: "ben", Email: "ben@example.org", Password: "another password"})
		wantError(t, err, roster.ErrBusy)
		other := sign("192.0.2.1")
		wantError(t, answered(flood[4]), roster.ErrBusy)
		mapped := sign("::ffff:192.0.2.1") // the same client
		wantError(t, answered(flood[3]), roster.ErrBusy)
		wantError(t, answered(sign("192.0.2.1")), roster.ErrBusy)
		if runs := h.set(hold); runs != 1 {
			t.Errorf("%d verifications were begun", runs)
		}
		close(hold)
		synctest.Wait()
		for _, c := range append(flood[:3:3], other, mapped) {
			must(t, answered(c))
		}
	})
}

// A sign-in whose client has gone away leaves its place, and is no refusal.
func TestSignInIsCancelledWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(heavy)
		env := rostertest.New(t, func(o *roster.Options) { o.Hasher, o.HashMemory, o.HashQueue = h, 1, 1 })
		env.MustRegister("ann")
		hold := make(chan struct{})
		h.set(hold)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := env.Authenticate(t.Context(), "ann", rostertest.Password)
			must(t, err)
		})
		synctest.Wait()
		for range 3 {
			ctx, cancel := context.WithCancel(t.Context())
			wg.Go(func() {
				_, err := env.Authenticate(ctx, "ann", rostertest.Password)
				wantError(t, err, context.Canceled)
			})
			synctest.Wait()
			cancel()
			synctest.Wait()
		}
		if runs := h.set(nil); runs != 1 {
			t.Errorf("%d verifications were begun", runs)
		}
		close(hold)
		wg.Wait()
	})
}

// A stored hash that takes more than all there is runs alone, and so does the
// refusal of one that cannot be read count as one of today.
func TestHugeHashRunsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(heavy)
		env := rostertest.New(t, func(o *roster.Options) { o.Hasher, o.HashMemory = h, 64 })
		ann, ben := env.MustRegister("ann"), env.MustRegister("ben")
		must(t, env.Store.PutCredential(t.Context(), &roster.Credential{UserID: ann.ID, Hash: roster.NewSecret("rostertest$huge"), CreatedAt: env.Clock.Now()}))
		hold := make(chan struct{})
		h.set(hold)
		var wg sync.WaitGroup
		for _, u := range []*roster.User{ben, ann, ben} {
			wg.Go(func() {
				wantError(t, env.CheckPassword(t.Context(), u.ID, "wrong"), roster.ErrCredentials)
			})
			synctest.Wait()
		}
		if runs := h.set(hold); runs != 1 { // the huge one waits, and nobody overtakes
			t.Errorf("%d run", runs)
		}
		close(hold)
		wg.Wait()
	})
}

func TestHashOptions(t *testing.T) {
	for _, tt := range []struct {
		memory, queue int
		wrong         string
	}{
		{0, 0, ""},
		{19, 1, ""},
		{1 << 40, 1 << 30, ""},
		{18, 0, "option HashMemory: must be at least the 19 MiB of one hash, or zero"},
		{-1, 0, "option HashMemory: must be at least the 19 MiB of one hash, or zero"},
		{0, -1, "option HashQueue: must not be negative"},
	} {
		_, err := roster.New(memory.New(), &roster.Options{HashMemory: tt.memory, HashQueue: tt.queue})
		if got := ""; err != nil {
			got = strings.TrimPrefix(err.Error(), "roster.New: ")
			if got != tt.wrong {
				t.Errorf("%+v: %s", tt, got)
			}
		} else if tt.wrong != "" {
			t.Errorf("%+v: no error", tt)
		}
	}
	_, err := roster.New(memory.New(), &roster.Options{Hasher: password.Argon2id{MemoryKiB: 1025}, HashMemory: 1})
	if err == nil || !strings.Contains(err.Error(), "at least the 2 MiB") {
		t.Error(err)
	}
}
