package acceptance

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/go-roster/roster"
)

// TestMergesLoseNothing lets eight writers merge keys of their own into the data of
// one user, and count in one that all share.
func TestMergesLoseNothing(t *testing.T) {
	const writers = 8
	each := 10
	if soak {
		each = 1250
	}
	onEach(t, func(t *testing.T, k kind) {
		w := newWorld(t, k.open(t))
		ann := w.active("ann", "ann@example.org")
		const count = roster.Field[int]("count")
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				key := fmt.Sprint("of ", i)
				for n := 1; n <= each; n++ {
					err := w.MergeData(t.Context(), ann.ID, roster.Data{key: json.RawMessage(fmt.Sprint(n))})
					if err == nil {
						err = count.Update(t.Context(), w.Users, ann.ID, func(n int) (int, error) { return n + 1, nil })
					}
					if err != nil {
						t.Errorf("%s: %v", key, err)
						return
					}
				}
			})
		}
		wg.Wait()
		u, err := w.ByID(t.Context(), ann.ID)
		w.must(err)
		for i := range writers {
			if got := roster.Field[int](fmt.Sprint("of ", i)).Get(u); got != each {
				t.Errorf("writer %d: %d of %d", i, got, each)
			}
		}
		if got := count.Get(u); got != writers*each {
			t.Errorf("counted %d of %d", got, writers*each)
		}
	})
}
