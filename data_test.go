package roster_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

func TestData(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	const plan = roster.Field[string]("plan")
	const size = roster.Field[map[string]int]("size")

	must(t, env.Edit(ctx, u.ID, func(u *roster.User) error {
		if err := plan.Set(u, "<pro> & more"); err != nil {
			return err
		}
		return size.Set(u, map[string]int{"b": 2, "a": 1})
	}))
	got, err := env.ByID(ctx, u.ID)
	must(t, err)
	if plan.Get(got) != "<pro> & more" || size.Get(got)["a"] != 1 || roster.RegistrationSource.Get(got) != "email" {
		t.Errorf("data %s", got.Data)
	}
	if _, ok := roster.Field[int]("plan").Lookup(got); ok {
		t.Error("a string was found as a number")
	}
	if _, ok := roster.Field[int]("absent").Lookup(got); ok {
		t.Error("an absent value was found")
	}
	if plan.Set(got, "free") != nil || plan.Get(u) == "free" {
		t.Error("two reads share their data")
	}
	copied := *got
	plan.Delete(&copied)
	if plan.Get(got) != "free" {
		t.Error("a copy of a user shares its data")
	}
	if err := roster.Field[chan int]("c").Set(got, nil); err == nil {
		t.Error("a channel was stored")
	}
	must(t, env.Edit(ctx, u.ID, func(u *roster.User) error { u.Data = roster.Data{}; return nil }))
	got, err = env.ByID(ctx, u.ID)
	must(t, err)
	if got.Data != nil {
		t.Errorf("empty data comes back as %#v", got.Data)
	}
}

func TestDataIsTheSameEverywhere(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	set := func(key, raw string) error {
		return env.Edit(ctx, u.ID, func(u *roster.User) error {
			u.Data = roster.Data{key: json.RawMessage(raw)}
			return nil
		})
	}
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for raw, want := range map[string]string{
		"null":                                  "null",
		" { \"b\" : 1,\n \"a\" : [ ] } ":        `{"b":1,"a":[]}`,
		"12345678901234567890":                  "12345678901234567890",
		"1e400":                                 "1e400",
		"-0":                                    "-0",
		`"\u00e9"`:                              `"\u00e9"`,
		`"<&>"`:                                 `"<&>"`,
		nested(32):                              nested(32),
		`[{"a":1},{"a":1}]`:                     `[{"a":1},{"a":1}]`,
		`"` + strings.Repeat("x", 16<<10) + `"`: `"` + strings.Repeat("x", 16<<10) + `"`,
	} {
		if err := set("k", raw); err != nil {
			t.Errorf("%.60s: %v", raw, err)
			continue
		}
		got, err := env.ByID(ctx, u.ID)
		must(t, err)
		if diff := cmp.Diff(want, string(got.Data["k"])); diff != "" {
			t.Error(diff)
		}
	}
	for raw, reason := range map[string]string{
		"":                         "syntax",
		"{":                        "syntax",
		"1 2":                      "syntax",
		"nil":                      "syntax",
		`{"a":1,"a":2}`:            "syntax",
		`{"a":1,"\u0061":2}`:       "syntax",
		`{"x":{"a":[1],"a":[]}}`:   "syntax",
		"\"\xff\"":                 "encoding",
		`"\u0000"`:                 "character",
		`"\ud800"`:                 "character",
		`{"\udfff":1}`:             "character",
		nested(33):                 "too_long",
		strings.Repeat("[", 1<<15): "syntax",
		`"` + strings.Repeat("x", 16<<10+1) + `"`: "too_long",
		strings.Repeat(" ", 64<<10) + "1":         "too_long",
	} {
		err := set("k", raw)
		if got := fields(err); len(got) != 1 || got[0] != "data: "+reason {
			t.Errorf("%.60q: %v, want %s", raw, err, reason)
		}
	}
	for _, key := range []string{"a\x00b", "\xff", strings.Repeat("k", 64<<10)} {
		if err := set(key, "1"); len(fields(err)) != 1 {
			t.Errorf("key %.20q: %v", key, err)
		}
	}
	many := roster.Data{}
	for i := range 1001 {
		many[strings.Repeat("k", i+1)[:min(i+1, 20)]+string(rune('a'+i%26))+strings.Repeat("z", i%40)] = json.RawMessage("1")
	}
	for i := 0; len(many) < 1001; i++ {
		many[strings.Repeat("y", i+1)] = json.RawMessage("1")
	}
	err := env.Edit(ctx, u.ID, func(u *roster.User) error { u.Data = many; return nil })
	if got := fields(err); len(got) != 1 || got[0] != "data: too_long" {
		t.Errorf("%d keys: %v", len(many), err)
	}
}

// FuzzData checks that what is accepted comes back with the same meaning, and
// is accepted again.
func FuzzData(f *testing.F) {
	for _, s := range []string{"{}", `{"a":[1,{"b":null}]}`, `"\u00e9"`, "1e400", `{"a":1,"a":2}`, "[[[["} {
		f.Add("key", s)
	}
	f.Fuzz(func(t *testing.T, key, raw string) {
		ctx := context.Background()
		env := rostertest.New(t)
		u := &roster.User{Data: roster.Data{key: json.RawMessage(raw)}}
		if env.Create(ctx, u) != nil {
			return
		}
		got, err := env.ByID(ctx, u.ID)
		must(t, err)
		decode := func(raw string) (v any) {
			dec := json.NewDecoder(strings.NewReader(raw))
			dec.UseNumber()
			must(t, dec.Decode(&v))
			return v
		}
		if diff := cmp.Diff(decode(raw), decode(string(got.Data[key]))); diff != "" {
			t.Error(diff)
		}
		must(t, env.Save(ctx, got))
	})
}
