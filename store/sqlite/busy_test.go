package sqlite_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-roster/roster/internal/hosttest"
	"github.com/go-roster/roster/store/sqlite"
)

// Who waits for the transaction that its own context has begun is told so.
func TestOuterContextIsTold(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "app.db"), sqlite.BusyTimeout(hosttest.Busy))
	type key struct{}
	for what, ctx := range map[string]context.Context{
		"its own":  t.Context(),
		"everyone": context.Background(),
	} {
		err := s.Atomic(ctx, func(context.Context) error { return s.InsertUser(ctx, benchUser(1), "") })
		if told := err != nil && strings.HasSuffix(err.Error(), "inside Atomic use the context of its function"); told != (what == "its own") {
			t.Errorf("%s: %v", what, err)
		}
		err = s.Atomic(ctx, func(context.Context) error {
			return s.InsertUser(context.WithValue(ctx, key{}, "of somebody else"), benchUser(1), "")
		})
		if err == nil || err.Error() != "roster: unavailable: busy" {
			t.Errorf("of somebody else: %v", err)
		}
	}
	if err := s.InsertUser(t.Context(), benchUser(1), ""); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
