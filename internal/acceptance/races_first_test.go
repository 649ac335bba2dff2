package acceptance

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/go-roster/roster"
)

// TestFirstUserRace activates eight people at once where nobody was before: one
// becomes an administrator, and the site is set up once.
func TestFirstUserRace(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		for range k.some(2, 40) {
			var ran atomic.Int32 // transactions that were run again count, too
			store := k.open(t)
			w := newWorld(t, store, func(o *roster.Options) {
				o.FirstUserIsAdmin = true
				o.InitSite = func(ctx context.Context, u *roster.User) error {
					ran.Add(1)
					return nil
				}
			})
			ctx := context.Background()
			users := make([]*roster.User, 8)
			for i := range users {
				users[i] = &roster.User{Name: fmt.Sprintf("first-%d", i)}
				w.must(w.Create(ctx, users[i]))
			}
			for _, err := range together(len(users), func(i int) error { return w.ActivateUser(ctx, users[i].ID) }) {
				w.must(err)
			}
			g, err := w.BuiltInGroup(ctx, roster.GroupAdmin)
			w.must(err)
			members, err := w.Members(ctx, g.ID, roster.Paging{})
			w.must(err)
			if len(members.Items) != 1 || ran.Load() == 0 {
				t.Fatalf("%d administrators, initialized %d times", len(members.Items), ran.Load())
			}
			set, err := w.Events(ctx, roster.EventQuery{Kind: roster.EventSiteInitialized})
			w.must(err)
			if len(set.Items) != 1 || set.Items[0].User != members.Items[0].UserID {
				t.Fatalf("recorded %+v", set.Items)
			}
		}
	})
}
