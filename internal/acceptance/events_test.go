package acceptance

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/memory"
)

var updateEvents = flag.Bool("update-events", false, "write the table of docs/events.md")

const eventsPage = "../../docs/events.md"

// happened reads all events, the first one first.
func happened(t testing.TB, s roster.Store) []*roster.Event {
	t.Helper()
	all, err := s.EventPage(context.Background(), roster.EventFilter{Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b *roster.Event) int { return int(a.ID - b.ID) })
	return all
}

// TestEveryWriteIsRecorded runs every flow. One that has changed what is stored
// has recorded it, and which kinds a verb records is what docs/events.md says.
func TestEveryWriteIsRecorded(t *testing.T) {
	kinds := map[string]map[string]bool{}
	seen := map[string]bool{}
	documented := detailsPage(t)
	for _, f := range flows {
		store := &faultStore{Store: memory.New()}
		r := &faultRun{t: t, store: store, flow: f, w: f.world(t, store)}
		var prepared int
		run := f.run
		r.flow.run = func(ctx context.Context, w *world, c *cast) (any, error) {
			prepared = len(happened(t, store.Store))
			return run(ctx, w, c)
		}
		before, o, _, _, _ := r.once(noFault, 0)
		if kinds[f.verb] == nil {
			kinds[f.verb] = map[string]bool{}
		}
		recorded := 0
		for i, e := range happened(t, store.Store) {
			seen[string(e.Kind)] = true
			if e.Kind.IsOwn() {
				documented.check(t, f, e)
			}
			if i < prepared {
				continue
			}
			recorded++
			kinds[f.verb][string(e.Kind)] = true
			if !e.Kind.IsOwn() && f.verb != "Record" {
				t.Errorf("%s: a kind of its own: %s", f, e.Kind)
			}
			if e.At.IsZero() || e.Count != 1 || !e.LastAt.Equal(e.At) || (e.RealActor == 0) != (e.Actor == 0) {
				t.Errorf("%s: %+v", f, e)
			}
		}
		if o.state != before && recorded == 0 {
			t.Errorf("%s has changed something and recorded nothing", f)
		}
	}
	for _, kind := range roster.EventKinds() {
		if !seen[string(kind)] && !slices.Contains(recordedElsewhere, kind) {
			t.Errorf("no flow records %s", kind)
		}
	}
	checkEventsPage(t, kinds)
}

// recordedElsewhere are the kinds that other tests see.
var recordedElsewhere = []roster.EventKind{
	roster.EventDenied, roster.EventSignInThrottled, roster.EventMailFailed, roster.EventMailResent, roster.EventEmailUndeliverable,
}

var eventsTable = regexp.MustCompile(`(?s)(<!-- verbs -->\n).*?(<!-- end -->)`)

// checkEventsPage compares the table of the page with what was recorded.
func checkEventsPage(t *testing.T, kinds map[string]map[string]bool) {
	var b strings.Builder
	b.WriteString("\n| verb | records |\n|---|---|\n")
	for _, verb := range slices.Sorted(maps.Keys(kinds)) {
		if len(kinds[verb]) == 0 {
			continue
		}
		list := slices.Sorted(maps.Keys(kinds[verb]))
		b.WriteString("| `" + verb + "` | `" + strings.Join(list, "`, `") + "` |\n")
	}
	b.WriteString("\n")
	page, err := os.ReadFile(eventsPage)
	if err != nil {
		t.Fatal(err)
	}
	want := eventsTable.ReplaceAllString(string(page), "${1}"+b.String()+"${2}")
	if want == string(page) {
		return
	}
	if *updateEvents {
		if err := os.WriteFile(eventsPage, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("docs/events.md is not what the verbs record: go test ./internal/acceptance -run TestEveryWriteIsRecorded -update-events\n%s", b.String())
}

// detailTypes are the types of details as docs/events.md names them.
var detailTypes = map[string]func(key string, d roster.Data) bool{
	"bool": isDetail[bool], "string": isDetail[string], "int": isDetail[int], "int64": isDetail[int64], "[]string": isDetail[[]string],
	"time.Time": isDetail[time.Time], "uuid.UUID": isDetail[uuid.UUID], "roster.Flags": isDetail[roster.Flags],
	"roster.Purpose": isDetail[roster.Purpose], "roster.MailKind": isDetail[roster.MailKind], "roster.UserID": isDetail[roster.UserID],
	"roster.EmailID": isDetail[roster.EmailID], "[]roster.EmailID": isDetail[[]roster.EmailID],
	"[]roster.Permission": isDetail[[]roster.Permission],
}

func isDetail[T any](key string, d roster.Data) bool {
	_, ok := roster.Field[T](key).In(d)
	return ok
}

// detailsTable is what docs/events.md says of the details: types by kind and key.
type detailsTable map[roster.EventKind]map[string]string

var detailsRow = regexp.MustCompile("(?m)^\\| (`.*?`) \\| (`.*?`) \\| `(.*?)` \\| .+ \\|$")

func detailsPage(t *testing.T) detailsTable {
	t.Helper()
	page, err := os.ReadFile(eventsPage)
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "<!-- details -->")
	text, _, _ = strings.Cut(text, "<!-- end details -->")
	table, rows := detailsTable{}, detailsRow.FindAllStringSubmatch(text, -1)
	for _, row := range rows {
		if detailTypes[row[3]] == nil {
			t.Errorf("docs/events.md: nobody knows the type %s", row[3])
		}
		for kind := range strings.SplitSeq(strings.Trim(row[1], "`"), "`, `") {
			if !roster.EventKind(kind).IsOwn() {
				t.Errorf("docs/events.md: nothing records %s", kind)
			}
			for key := range strings.SplitSeq(strings.Trim(row[2], "`"), "`, `") {
				if table[roster.EventKind(kind)] == nil {
					table[roster.EventKind(kind)] = map[string]string{}
				}
				table[roster.EventKind(kind)][key] = row[3]
			}
		}
	}
	if n := strings.Count(text, "\n| `"); n == 0 || n != len(rows) {
		t.Errorf("docs/events.md: %d of %d rows of details can be read", len(rows), n)
	}
	return table
}

// check reports what an event says that the page does not.
func (table detailsTable) check(t *testing.T, f flow, e *roster.Event) {
	t.Helper()
	for key := range e.Details {
		if typ, ok := table[e.Kind][key]; !ok || !detailTypes[typ](key, e.Details) {
			t.Errorf("%s: %s has a detail %s=%s, and docs/events.md says %q of it", f, e.Kind, key, e.Details[key], typ)
		}
	}
}

// TestVetoUndoesEverything refuses every event of every flow in turn: nothing is
// left of the verb, no mail either, and its error wraps that of the hook.
func TestVetoUndoesEverything(t *testing.T) {
	errNo := errors.New("no")
	vetoed := 0
	for _, f := range flows {
		if f.partial || f.swallows || f.refused != nil {
			continue
		}
		for nth := 1; ; nth++ {
			store := &faultStore{Store: memory.New()}
			armed, events := false, 0
			options := f.options
			f := f
			f.options = func(o *roster.Options) {
				if options != nil {
					options(o)
				}
				o.OnEvent = func(context.Context, roster.Event) error {
					if !armed {
						return nil
					}
					if events++; events == nth {
						return errNo
					}
					return nil
				}
			}
			r := &faultRun{t: t, store: store, flow: f, w: f.world(t, store)}
			run := f.run
			r.flow.run = func(ctx context.Context, w *world, c *cast) (any, error) {
				armed = true
				defer func() { armed = false }()
				return run(ctx, w, c)
			}
			before, o, _, _, _ := r.once(noFault, 0)
			if events < nth {
				break
			}
			vetoed++
			silent := f.verb == "RequestPasswordReset" || f.verb == "ResendActivation" // nobody is to learn of it
			if !errors.Is(o.err, errNo) && !silent || silent && o.err != nil {
				t.Errorf("%s: the refusal of event %d: %v", f, nth, o.err)
			}
			apart := f.verb == "Prune" || f.verb == "WrapPasswords"
			if o.state != before && !apart || len(o.mails) > 0 {
				t.Errorf("%s: after the refusal of event %d something is left, and %d mails", f, nth, len(o.mails))
			}
		}
	}
	if vetoed < 60 {
		t.Errorf("%d refusals", vetoed)
	}
}

// TestEventsKeepNoSecrets looks for names, addresses, passwords and codes in what
// the flows record.
func TestEventsKeepNoSecrets(t *testing.T) {
	for _, f := range flows {
		if f.verb == "Record" {
			continue
		}
		store := &faultStore{Store: memory.New()}
		r := &faultRun{t: t, store: store, flow: f, w: f.world(t, store)}
		r.once(noFault, 0)
		codes := r.w.post.codes()
		for _, e := range happened(t, store.Store) {
			raw, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range append(codes, goodPassword, otherPassword, "@example.org", "ann", "nina", "Example", "uid=") {
				if strings.Contains(string(raw), secret) {
					t.Errorf("%s: %q is in %s", f, secret, raw)
				}
			}
		}
	}
}
