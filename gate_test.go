package roster_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"runtime/metrics"
	"sync"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/password"
	"github.com/go-roster/roster/rostertest"
)

// tallyHasher adds up what runs at once, and looks at the heap meanwhile.
type tallyHasher struct {
	roster.Hasher
	mu                   sync.Mutex
	running, mostRunning int
	bytes, mostBytes     int64
	heap                 uint64
}

func (h *tallyHasher) enter(bytes int64) (leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running++
	h.bytes += bytes
	h.mostRunning, h.mostBytes = max(h.mostRunning, h.running), max(h.mostBytes, h.bytes)
	return func() {
		heap := heapInUse()
		h.mu.Lock()
		defer h.mu.Unlock()
		h.running--
		h.bytes -= bytes
		h.heap = max(h.heap, heap)
	}
}

func (h *tallyHasher) Hash(ctx context.Context, password string) (string, error) {
	defer h.enter(h.Memory(""))()
	return h.Hasher.Hash(ctx, password)
}

func (h *tallyHasher) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	defer h.enter(h.Memory(hash))()
	return h.Hasher.Verify(ctx, hash, password)
}

func heapInUse() uint64 {
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	metrics.Read(heap)
	return heap[0].Value.Uint64() + heap[1].Value.Uint64()
}

// TestManyAtOnce: 256 who sign in, register and change their passwords at once
// take the memory of as many hashes as there are processors, and everybody gets
// an answer. A stored hash of other parameters counts as what it takes itself.
func TestManyAtOnce(t *testing.T) {
	const crowd = 256
	const mib = 1 << 20
	slots := runtime.GOMAXPROCS(0)
	cost := password.Argon2id{Time: 1, MemoryKiB: 4 << 10, Threads: 1}
	if os.Getenv("ROSTER_SOAK") == "1" {
		cost = password.OWASP()
	}
	each := int64(cost.MemoryKiB) << 10
	h := &tallyHasher{Hasher: cost}
	env := rostertest.New(t, func(o *roster.Options) { o.Hasher = h })
	ctx := t.Context()
	people := make([]*roster.User, 8)
	for i := range people {
		people[i] = env.MustRegister(fmt.Sprintf("user%d", i))
	}
	imported, err := password.Argon2id{Time: 1, MemoryKiB: 2 * cost.MemoryKiB, Threads: 2}.Hash(ctx, rostertest.Password)
	must(t, err)
	must(t, env.Store.PutCredential(ctx, &roster.Credential{UserID: people[0].ID, Hash: roster.NewSecret(imported), CreatedAt: env.Clock.Now()}))

	runtime.GC()
	before := heapInUse()
	h.mostRunning, h.mostBytes, h.heap = 0, 0, 0
	var wg sync.WaitGroup
	for i := range crowd {
		u := people[i%len(people)]
		ctx := roster.WithClient(ctx, roster.Client{Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 50)})})
		wg.Go(func() {
			var err, want error
			switch {
			case i >= crowd-4:
				_, err = env.Register(ctx, roster.NewUser{Name: fmt.Sprintf("new%d", i), Email: fmt.Sprintf("new%d@example.org", i), Password: rostertest.Password})
			case i%4 == 0:
				_, err = env.Authenticate(ctx, "nobody", rostertest.Password)
				want = roster.ErrCredentials
			case i%4 == 1:
				err, want = env.CheckPassword(ctx, u.ID, "another password"), roster.ErrCredentials
			default:
				_, err = env.Authenticate(ctx, u.Name, rostertest.Password)
			}
			if !errors.Is(err, want) {
				t.Errorf("%d: %v, want %v", i, err, want)
			}
		})
	}
	wg.Wait()
	limit := max(int64(slots), 2) * each // what was imported may run alone
	if h.mostRunning > slots || h.mostBytes > limit {
		t.Errorf("%d hashes at once, in %d MiB; it should be %d, in %d MiB", h.mostRunning, h.mostBytes/mib, slots, limit/mib)
	}
	// What is garbage already counts: of two hashes at once on a quiet machine as
	// much again, on a busy one some more. All of them at once would take 256.
	took := int64(h.heap) - int64(before)
	most := 4*limit + 32*mib
	if cost == password.OWASP() {
		most = max(150*mib, 4*limit)
	}
	if took > most {
		t.Errorf("the heap grew by %d MiB, and should by %d at most", took/mib, most/mib)
	}
	t.Logf("%d hashes at once, in %d MiB; the heap grew by %d MiB of %d", h.mostRunning, h.mostBytes/mib, took/mib, most/mib)
}
