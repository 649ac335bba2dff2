package roster_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

func names(users []*roster.User) string {
	var all []string
	for _, u := range users {
		all = append(all, u.Name)
	}
	return strings.Join(all, " ")
}

func TestSearch(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	for name, real := range map[string]string{
		"ann": "Ann 100% Example", "Ben_B": `back\slash "quoted"`, "cem": "Straße", "dan": "ÉCOLE", "eve": "", "zoë": "Ｚｏｅ",
	} {
		u := &roster.User{Name: name, RealName: real, ActivatedAt: env.Clock.Now()}
		must(t, env.Create(ctx, u))
	}
	must(t, env.Create(ctx, &roster.User{Name: "pending"}))
	for _, tt := range []struct{ pattern, want string }{
		{"", "ann Ben_B cem dan eve zoë"},
		{"AN", "ann dan"},
		{"exam", "ann"},
		{"%", "ann"},
		{"0%", "ann"},
		{"_", "Ben_B"},
		{`\`, "Ben_B"},
		{`"quo`, "Ben_B"},
		{"*", ""},
		{"strasse", "cem"},
		{"STRASSE", "cem"},
		{"école", "dan"},
		{"e\u0301co", "dan"},
		{"zoe", "zoë"},
		{"zoë", "zoë"},
		{"nnann", ""}, // not across name and real name
		{"pending", ""},
		{"ann 100% example and more", ""},
		{"' OR 1=1 --", ""},
	} {
		page, err := env.Search(ctx, roster.Query{Pattern: tt.pattern})
		if err != nil {
			t.Errorf("%q: %v", tt.pattern, err)
			continue
		}
		if got := names(page.Items); got != tt.want {
			t.Errorf("%q finds %q, want %q", tt.pattern, got, tt.want)
		}
		n, err := env.Count(ctx, roster.Query{Pattern: tt.pattern})
		if err != nil || n != len(page.Items) {
			t.Errorf("%q counts %d, %v", tt.pattern, n, err)
		}
	}
	page, err := env.Search(ctx, roster.Query{State: roster.StatePending})
	must(t, err)
	if got := names(page.Items); got != "pending" {
		t.Errorf("pending: %q", got)
	}
}

func TestSearchRefuses(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	for i := range 3 {
		must(t, env.Create(ctx, &roster.User{Name: fmt.Sprintf("ann%d", i), ActivatedAt: env.Clock.Now()}))
	}
	first, err := env.Search(ctx, roster.Query{Pattern: "ann", Limit: 1})
	must(t, err)
	raw, err := base64.RawURLEncoding.DecodeString(first.Next)
	must(t, err)
	flipped := slices.Clone(raw)
	flipped[3] ^= 1
	for _, tt := range []struct {
		q    roster.Query
		want string
	}{
		{roster.Query{Pattern: strings.Repeat("x", 65)}, "pattern: too_long"},
		{roster.Query{Pattern: strings.Repeat("x", 64<<20)}, "pattern: too_long"},
		{roster.Query{Pattern: "a\x00b"}, "pattern: character"},
		{roster.Query{Pattern: "\xff"}, "pattern: encoding"},
		{roster.Query{Limit: -1}, "limit: not_positive"},
		{roster.Query{Limit: 501}, "limit: too_long"},
		{roster.Query{State: 99}, "state: unknown"},
		{roster.Query{Cursor: "x"}, "cursor: syntax"},
		{roster.Query{Cursor: strings.Repeat("A", 1<<20)}, "cursor: syntax"},
		{roster.Query{Cursor: first.Next}, "cursor: syntax"}, // of another pattern
		{roster.Query{Pattern: "ann", State: roster.StateLive, Cursor: first.Next}, "cursor: syntax"},
		{roster.Query{Pattern: "ann", Cursor: base64.RawURLEncoding.EncodeToString(flipped)}, "cursor: syntax"},
		{roster.Query{Pattern: "ann", Cursor: base64.RawURLEncoding.EncodeToString(raw[:17])}, "cursor: syntax"},
		{roster.Query{Pattern: "ann", Cursor: first.Next + "="}, "cursor: syntax"},
	} {
		_, err := env.Search(ctx, tt.q)
		if got := fields(err); len(got) != 1 || got[0] != tt.want {
			t.Errorf("%.60q: %v, want %s", fmt.Sprint(tt.q), err, tt.want)
		}
	}
	_, err = env.Count(ctx, roster.Query{Pattern: "\xff"})
	wantError(t, err, roster.ErrInvalid)
}

func TestPagesLoseNobody(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	add := func(name string) {
		must(t, env.Create(ctx, &roster.User{Name: name, ActivatedAt: env.Clock.Now()}))
	}
	for i := range 25 {
		add(fmt.Sprintf("u%02d", i))
	}
	var got []string
	q := roster.Query{Limit: 4}
	for page := 0; ; page++ {
		p, err := env.Search(ctx, q)
		must(t, err)
		for _, u := range p.Items {
			got = append(got, u.Name)
		}
		if p.Next == "" {
			break
		}
		add(fmt.Sprintf("a%02d", page)) // behind the cursor
		q.Cursor = p.Next
	}
	if !slices.IsSorted(got) || len(got) != 25 || len(slices.Compact(got)) != 25 {
		t.Errorf("paged through %v", got)
	}

	n := 0
	for u, err := range env.All(ctx) {
		must(t, err)
		// Nothing is held open: the loop may write.
		must(t, env.Edit(ctx, u.ID, func(u *roster.User) error { u.RealName = "seen"; return nil }))
		n++
	}
	if count, err := env.Count(ctx, roster.Query{}); err != nil || n != count {
		t.Errorf("All yields %d of %d, %v", n, count, err)
	}
	for range env.All(ctx) {
		break
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for u, err := range env.All(cancelled) {
		if u != nil || err == nil {
			t.Errorf("cancelled: %v, %v", u, err)
		}
	}
	for _, err := range env.Each(ctx, roster.Query{Limit: -1}) {
		wantError(t, err, roster.ErrInvalid)
	}
}

func TestFind(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	a, b := env.MustRegister("ann"), env.MustRegister("ben")
	many, err := env.ByIDs(ctx, b.ID, 999, a.ID, b.ID)
	must(t, err)
	if got := names(many); got != "ann ben" {
		t.Errorf("ByIDs: %s", got)
	}
	for mailbox, want := range map[string]string{
		"Ann Example <ann@example.org>":    "ann",
		"<ann@example.org>":                "ann",
		"ANN@Example.org":                  "ann",
		"ann":                              "",
		"":                                 "",
		"ann@example.org, ben@example.org": "",
		"Ann <ann@example.org> (comment":   "",
		"Ann Example <ann@example.org":     "",
		strings.Repeat("a", 1<<20) + " <ann@example.org>": "",
	} {
		u, err := env.ByAddress(ctx, mailbox)
		if want == "" {
			if u != nil {
				t.Errorf("ByAddress(%.40q) = %v", mailbox, u.Name)
			}
			wantError(t, err, roster.ErrNotFound)
		} else if err != nil || u.Name != want {
			t.Errorf("ByAddress(%q): %v", mailbox, err)
		}
	}
	for _, id := range []roster.UserID{0, -1} {
		_, err := env.ByID(ctx, id)
		wantError(t, err, roster.ErrInvalid)
	}
	_, err = env.ByUUID(ctx, uuid.Nil)
	wantError(t, err, roster.ErrInvalid)
	_, err = env.ByUUID(ctx, uuid.New())
	wantError(t, err, roster.ErrNotFound)
	_, err = env.EmailInUse(ctx, "not an address")
	wantError(t, err, roster.ErrInvalid)
	if in, err := env.EmailInUse(ctx, "ANN@example.org"); !in || err != nil {
		t.Errorf("EmailInUse: %v, %v", in, err)
	}
}
