package roster

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// each calls add for what there is to say of an event in a log: neither where the
// client was, nor what a program has put into the details of a kind of its own.
func (e Event) each(add func(key string, value any)) {
	add("kind", string(e.Kind))
	for _, id := range []struct {
		key string
		id  int64
	}{
		{"event", int64(e.ID)},
		{"actor", int64(e.Actor)},
		{"user", int64(e.User)},
		{"group", int64(e.Group)},
		{"scope", int64(e.Scope)},
	} {
		if id.id != 0 {
			add(id.key, id.id)
		}
		if id.key == "actor" && e.RealActor != e.Actor {
			add("real", int64(e.RealActor))
		}
	}
	if e.Count > 1 {
		add("count", e.Count)
	}
	if e.Kind.IsOwn() {
		for _, key := range slices.Sorted(maps.Keys(e.Details)) {
			add(key, string(e.Details[key]))
		}
	}
}

// String says what has happened in one line, by IDs, for a log or an
// administrator, without At: "grant.given event=9 actor=1 user=3 scope=7
// permissions=["vote"]". It leaves out Addr, and Details of kinds that are the
// program's own.
func (e Event) String() string {
	var b strings.Builder
	e.each(func(key string, value any) {
		if key == "kind" {
			fmt.Fprint(&b, value)
		} else {
			fmt.Fprintf(&b, " %s=%v", key, value)
		}
	})
	return b.String()
}

// LogValue is what a log shows: what String does, under keys.
func (e Event) LogValue() slog.Value {
	var attrs []slog.Attr
	e.each(func(key string, value any) { attrs = append(attrs, slog.Any(key, value)) })
	return slog.GroupValue(attrs...)
}
