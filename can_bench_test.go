package roster_test

import (
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/memory"
)

// BenchmarkCanCached is a question whose answer is remembered, beside reading the
// clock, without which nothing can be remembered for a time.
func BenchmarkCanCached(b *testing.B) {
	users, err := roster.New(memory.New(), &roster.Options{
		PermissionCache: time.Minute, Permissions: []roster.PermissionInfo{{Name: "vote"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	ann := &roster.User{Name: "ann"}
	if err := users.Create(ctx, ann); err != nil {
		b.Fatal(err)
	}
	if err := users.ActivateUser(ctx, ann.ID); err != nil {
		b.Fatal(err)
	}
	if err := users.Grant(ctx, roster.ToUser(ann.ID), 7, "vote"); err != nil {
		b.Fatal(err)
	}
	b.Run("the clock", func(b *testing.B) {
		begun := time.Now()
		for b.Loop() {
			_ = time.Since(begun)
		}
	})
	b.Run("Can", func(b *testing.B) {
		for b.Loop() {
			if may, err := users.Can(ctx, ann.ID, "vote", 7, roster.Either); err != nil || !may {
				b.Fatal(may, err)
			}
		}
	})
}
