package acceptance

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// tallied is rostertest.Hasher that counts how often it compares.
type tallied struct {
	rostertest.Hasher
	n atomic.Int64
}

func (h *tallied) Verify(ctx context.Context, hash, password string) (bool, bool, error) {
	h.n.Add(1)
	return h.Hasher.Verify(ctx, hash, password)
}

// newLimited returns accounts with limits: those of a change, else the defaults.
func newLimited(t testing.TB, store roster.Store, change func(*roster.Options)) (*world, *tallied) {
	t.Helper()
	h := new(tallied)
	return newWorld(t, store, func(o *roster.Options) {
		o.Hasher, o.Limits = h, roster.Limits{}
		if change != nil {
			change(o)
		}
	}), h
}

// client is a context of somebody at an address.
func client(ctx context.Context, addr string) context.Context {
	return roster.WithClient(ctx, roster.Client{Addr: netip.MustParseAddr(addr)})
}

// wait is for how long an error says to wait, zero if it is another one.
func wait(err error) time.Duration {
	if e, ok := errors.AsType[*roster.ThrottledError](err); ok && errors.Is(err, roster.ErrThrottled) {
		return e.RetryAfter
	}
	return 0
}

func isThrottled(err error) bool { return wait(err) > 0 }

// TestLimitParallel guesses in parallel against a limit of ten: at most ten hashes
// are looked at, whoever the name belongs to, in whatever spelling, from all of a
// /64.
func TestLimitParallel(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w, h := newLimited(t, k.open(t), func(o *roster.Options) { o.Limits.Failures, o.Limits.SourceFailures = 10, 1000 })
		w.active("ann", "ann@example.org")
		n, crowd := k.some(20, 3000), 200
		start := time.Now()
		total := int64(0)
		for round := range n {
			names := []string{"ann", "ANN", "Ann", "aNN"}
			if round%2 == 1 {
				names = []string{fmt.Sprintf("nobody%d", round)}
			}
			h.n.Store(0)
			errs := together(crowd, func(i int) error {
				_, err := w.Authenticate(client(ctxOf(t), fmt.Sprintf("2001:db8:%x::%x", round, i)), names[i%len(names)], otherPassword)
				return err
			})
			refused := int64(0)
			for _, err := range errs {
				switch {
				case errors.Is(err, roster.ErrCredentials):
					refused++
				case !isThrottled(err):
					t.Fatal(err)
				}
			}
			if got := h.n.Load(); got > 10 || got != refused {
				t.Fatalf("%d hashes were looked at, and %d refused", got, refused)
			}
			total += refused
			for range 20 { // what those who were too late have taken is given back
				_, _ = w.Authenticate(client(ctxOf(t), fmt.Sprintf("2001:db8:%x::", round)), names[0], otherPassword)
			}
			if got := h.n.Load(); got != 10 {
				t.Fatalf("%d hashes were looked at in the end", got)
			}
		}
		if total < int64(n) {
			t.Errorf("only %d guesses were looked at in %d rounds", total, n)
		}
		rate(t, n*crowd, start)
	})
}

// TestLimitAlternate guesses the password of others between one's own sign-ins, in
// parallel: neither gives anything back.
func TestLimitAlternate(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w, h := newLimited(t, k.open(t), func(o *roster.Options) { o.Limits.SourceFailures = 30 })
		for _, name := range []string{"mallory", "victim"} {
			w.active(name, name+"@example.org")
		}
		ctx := client(ctxOf(t), "192.0.2.1")
		mallory := func() {
			if _, err := w.Authenticate(ctx, "mallory", goodPassword); err != nil {
				t.Errorf("mallory: %v", err)
			}
		}
		mallory()
		var evaluated atomic.Int64
		together(4, func(i int) error {
			for n := range 25 {
				mallory()
				who := "victim"
				if n%2 == 0 {
					who = fmt.Sprintf("nobody%d-%d", i, n)
				}
				if _, err := w.Authenticate(ctx, who, otherPassword); errors.Is(err, roster.ErrCredentials) {
					evaluated.Add(1)
				} else if !isThrottled(err) {
					t.Errorf("%s: %v", who, err)
				}
			}
			return nil
		})
		for i := range 35 { // those who were refused for what others had on their hands
			if _, err := w.Authenticate(ctx, fmt.Sprintf("last%d", i), otherPassword); errors.Is(err, roster.ErrCredentials) {
				evaluated.Add(1)
			}
		}
		if n := evaluated.Load(); n != 30 || h.n.Load() != 101+30 {
			t.Errorf("%d guesses were looked at, and %d hashes", n, h.n.Load())
		}
	})
}

// TestLimitOneCustomer guesses from each address of a /64 in turn, and from
// addresses written in all ways.
func TestLimitOneCustomer(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w, h := newLimited(t, k.open(t), nil)
		w.active("ann", "ann@example.org")
		ctx := ctxOf(t)
		var addr [16]byte
		copy(addr[:], netip.MustParseAddr("2001:db8:1:2::").AsSlice())
		for i := range k.some(1<<14, 1<<16) {
			binary.BigEndian.PutUint16(addr[8+i%7:], uint16(i))
			c := roster.Client{Addr: netip.AddrFrom16(addr)}
			if i%3 == 0 {
				c.Addr = c.Addr.WithZone("eth0")
			}
			_, err := w.Authenticate(roster.WithClient(ctx, c), "ann", otherPassword)
			if (i < 5) != errors.Is(err, roster.ErrCredentials) || (i >= 5) != isThrottled(err) {
				t.Fatalf("guess %d: %v", i+1, err)
			}
		}
		if h.n.Load() != 5 {
			t.Errorf("%d hashes were looked at", h.n.Load())
		}
	})
}

// TestLimitForeign fails ten thousand times from a hundred places. The owner gets
// in where ann is known and where not, also while they go on.
func TestLimitForeign(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w, h := newLimited(t, k.open(t), nil)
		w.active("ann", "ann@example.org")
		home := client(ctxOf(t), "198.51.100.1")
		if _, err := w.Authenticate(home, "ann", goodPassword); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Minute)
		w.post.take()
		start, n := time.Now(), k.some(10_000, 10_000)
		for i := range 4 {
			together(4, func(g int) error {
				for j := range n / 16 {
					_, err := w.Authenticate(client(ctxOf(t), fmt.Sprintf("203.0.%d.%d", g, j%100)), []string{"ann", "ANN"}[j%2], otherPassword)
					if !isThrottled(err) && !errors.Is(err, roster.ErrCredentials) {
						t.Errorf("a stranger: %v", err)
					}
				}
				return nil
			})
			for j, ctx := range []context.Context{home, client(ctxOf(t), fmt.Sprintf("192.0.2.%d", i))} {
				if _, err := w.Authenticate(ctx, "ann", goodPassword); err != nil {
					t.Fatalf("the owner is kept out (%d, %d): %v", i, j, err)
				}
			}
		}
		rate(t, n, start)
		notices := 0
		for _, m := range w.post.take() {
			if m.Kind == roster.MailSignInAfterFailures && m.To == "ann@example.org" {
				notices++
			}
		}
		if notices < 1 || notices > 4 || h.n.Load() > 400*5+12 {
			t.Errorf("%d notices, %d hashes", notices, h.n.Load())
		}
		w.sound()
	})
}

// TestLimitFlood makes up names, from many places. What was counted for the victim
// stays, and what was counted for the names goes with Prune.
func TestLimitFlood(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		for name, limiter := range map[string]roster.Limiter{"in the store": nil, "in memory": roster.NewMemoryLimiter(1000)} {
			t.Run(name, func(t *testing.T) {
				store := k.open(t)
				w, h := newLimited(t, store, func(o *roster.Options) { o.Limiter = limiter })
				w.active("ann", "ann@example.org")
				ctx := client(ctxOf(t), "192.0.2.1")
				for range 5 {
					mustNotSignIn(t, w.Users, "ann", otherPassword, roster.ErrCredentials)
					_, _ = w.Authenticate(ctx, "ann", otherPassword)
				}
				n := k.some(6000, 1_000_000)
				before := h.n.Load()
				together(4, func(g int) error {
					for i := range n / 4 {
						_, err := w.Authenticate(client(ctxOf(t), fmt.Sprintf("10.%d.%d.%d", g, i/25_000, i/100%250)), fmt.Sprintf("made-up%d-%d", g, i), otherPassword)
						if !errors.Is(err, roster.ErrCredentials) {
							t.Errorf("name %d: %v", i, err)
							break
						}
					}
					return nil
				})
				if got := h.n.Load() - before; got != int64(n/4*4) {
					t.Errorf("%d of %d guesses were looked at", got, n)
				}
				if _, err := w.Authenticate(ctx, "ann", goodPassword); wait(err) != 30*time.Second {
					t.Errorf("the victim was forgotten: %v", err)
				}
				w.clock.Advance(60 * 24 * time.Hour)
				pruned := 0
				for {
					p, err := w.Prune(ctx, roster.Budget{Rows: 5000})
					w.must(err)
					if p.Limits == 0 {
						break
					}
					pruned += p.Limits
				}
				if limiter != nil && pruned != 0 || limiter == nil && pruned < 3*(n/4*4) {
					t.Errorf("%d rows were pruned", pruned)
				}
			})
		}
	})
}

// TestLimitMails asks for codes in parallel: three mails in an hour, the last of
// which is good, and the same answer for everybody.
func TestLimitMails(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w, _ := newLimited(t, k.open(t), nil)
		for round := range k.some(20, 1000) {
			name := fmt.Sprintf("u%d", round)
			address := name + "@example.org"
			w.active(name, address)
			w.post.take()
			for i, err := range together(30, func(i int) error {
				ctx := client(ctxOf(t), fmt.Sprintf("2001:db8:%x:%x::1", round, i%10))
				return w.RequestPasswordReset(ctx, []string{name, address, strings.ToUpper(address), "nobody" + name}[i%4])
			}) {
				if err != nil {
					t.Fatalf("request %d: %v", i, err)
				}
			}
			mails := w.post.take()
			if len(mails) > 3 || len(mails) < 1 {
				t.Fatalf("%d mails", len(mails))
			}
			good := 0
			for _, m := range mails {
				if _, err := w.Peek(ctxOf(t), m.Code.Reveal()); err == nil {
					good++
				}
			}
			if good != 1 {
				t.Fatalf("%d codes of %d are good", good, len(mails))
			}
			w.clock.Advance(time.Hour)
		}
	})
}
