package roster_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// An event in a log says who did what to whom, and not from where.
func TestEventsPrint(t *testing.T) {
	env := rostertest.New(t, declare("vote"))
	ann, ben := env.MustRegister("ann"), env.MustRegister("ben")
	ctx := roster.WithClient(t.Context(), roster.Client{Addr: netip.MustParseAddr("192.0.2.1")})
	must(t, env.SetRank(ctx, ann.ID, roster.RankAdmin))
	acting := env.For(roster.Actor{User: ann.ID, Level: roster.LevelAdmin})
	must(t, acting.Grant(ctx, roster.ToUser(ben.ID), 7, "vote"))
	must(t, env.Record(ctx, roster.Event{Kind: "vote.cast", User: ann.ID, Details: roster.Data{"for": []byte(`"ben"`)}}))
	page, err := env.Events(ctx, roster.EventQuery{Limit: 2})
	must(t, err)
	cast, given := page.Items[0], page.Items[1]
	if want := fmt.Sprintf("vote.cast event=%d user=%d", cast.ID, ann.ID); fmt.Sprint(cast) != want || fmt.Sprint(*cast) != want {
		t.Errorf("%v, not %s", cast, want)
	}
	want := fmt.Sprintf(`grant.given event=%d actor=%d user=%d scope=7 permissions=["vote"]`, given.ID, ann.ID, ben.ID)
	if given.String() != want {
		t.Errorf("%v, not %s", given, want)
	}
	if ps, ok := roster.Field[[]roster.Permission]("permissions").In(given.Details); !ok || len(ps) != 1 || ps[0] != "vote" {
		t.Error(ps, ok)
	}
	if n, ok := roster.Field[int]("permissions").In(given.Details); ok || n != 0 {
		t.Error("permissions are a number", n)
	}
	if s, ok := roster.Field[string]("permissions").In(nil); ok || s != "" {
		t.Error("something is in nothing", s)
	}
	given.RealActor, given.Count = ben.ID, 3
	if s := given.String(); !strings.Contains(s, fmt.Sprintf("actor=%d real=%d", ann.ID, ben.ID)) || !strings.Contains(s, "count=3") {
		t.Error(s)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("event", "event", cast, "other", *given)
	for _, part := range []string{"event.kind=vote.cast", "other.kind=grant.given", "other.scope=7", `other.permissions="[\"vote\"]"`} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("%s is not in %s", part, &log)
		}
	}
	if strings.Contains(log.String()+cast.String()+given.String(), "192.0.2.1") || strings.Contains(log.String(), "ben") {
		t.Error(&log)
	}
}
