package acceptance

import (
	"context"
	"encoding/json"

	"github.com/go-roster/roster"
)

// eventFlows are about the record of what has happened.
var eventFlows = []flow{
	{verb: "Events", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Events(ctx, roster.EventQuery{User: c.ann.ID, Limit: 3})
	}},
	{verb: "Bootstrap", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.Bootstrap(ctx, c.ben.ID)
	}},
	{verb: "MergeData", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.MergeData(ctx, c.ann.ID, roster.Data{"plan": json.RawMessage(`"pro"`), "registration_source": json.RawMessage("null")})
	}},
	{verb: "Authenticate", name: "from somewhere else", partial: true, prepare: func(w *world, _ *cast) {
		_, err := w.Authenticate(client(context.Background(), "192.0.2.1"), "ann", goodPassword)
		w.must(err)
	}, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Authenticate(client(ctx, "198.51.100.1"), "ann", goodPassword)
	}},
	{verb: "Record", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.Record(ctx, roster.Event{Kind: "vote.cast", User: c.ann.ID, Details: roster.Data{"for": json.RawMessage("7")}})
	}},
}
