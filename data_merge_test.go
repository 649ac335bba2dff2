package roster_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

func TestMergeData(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	ann := env.MustRegister("ann")
	must(t, env.MergeData(ctx, ann.ID, roster.Data{"a": json.RawMessage(" 1.50 "), "b": json.RawMessage(`[1, 2]`)}))
	must(t, env.MergeData(ctx, ann.ID, roster.Data{"b": json.RawMessage("null"), "c": json.RawMessage(`{"x":null}`)}))
	u, err := env.ByID(ctx, ann.ID)
	must(t, err)
	if got := fmt.Sprintf("%s %s %s %s", u.Data["a"], u.Data["b"], u.Data["c"], roster.RegistrationSource.Get(u)); got != `1.50  {"x":null} email` {
		t.Errorf("stored %s", got)
	}
	all, before := events(t, env.Users)
	if last := all[len(all)-1]; last.Kind != roster.EventUserEdited || string(last.Details["fields"]) != `["data"]` {
		t.Errorf("recorded %+v", last)
	}
	must(t, env.MergeData(ctx, ann.ID, roster.Data{"a": json.RawMessage("1.50"), "none": json.RawMessage("null")}))
	again, _ := env.ByID(ctx, ann.ID)
	if _, after := events(t, env.Users); after != before || again.Version != u.Version {
		t.Errorf("nothing was changed, and yet: %q", after)
	}
	big := json.RawMessage(`"` + strings.Repeat("x", 16<<10) + `"`)
	for name, d := range map[string]roster.Data{
		"malformed":      {"x": json.RawMessage("{")},
		"trailing":       {"x": json.RawMessage("1 2")},
		"twice":          {"x": json.RawMessage(`{"a":1,"a":2}`)},
		"NUL":            {"x": json.RawMessage(`"\u0000"`)},
		"a lone half":    {"x": json.RawMessage(`"\ud800"`)},
		"deep":           {"x": json.RawMessage(strings.Repeat("[", 33) + strings.Repeat("]", 33))},
		"long":           {"x": json.RawMessage(`"x` + string(big[1:]))},
		"too much in it": {"1": big, "2": big, "3": big, "4": big},
	} {
		if err := env.MergeData(ctx, ann.ID, d); !errors.Is(err, roster.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i, key := range []string{"1", "2", "3", "4"} { // each is fine, all together are not
		err := env.MergeData(ctx, ann.ID, roster.Data{key: big})
		if i < 3 && err != nil || i == 3 && !errors.Is(err, roster.ErrInvalid) {
			t.Errorf("the %d. big one: %v", i+1, err)
		}
	}
	if err := env.MergeData(ctx, 99, nil); !errors.Is(err, roster.ErrNotFound) {
		t.Error(err)
	}
}

func TestFieldUpdate(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	ann := env.MustRegister("ann")
	const count = roster.Field[int]("count")
	add := func(n int) (int, error) { return n + 1, nil }
	must(t, count.Update(ctx, env.Users, ann.ID, add))
	must(t, count.Update(ctx, env.Users, ann.ID, add))
	errNo := errors.New("no")
	if err := count.Update(ctx, env.Users, ann.ID, func(int) (int, error) { return 99, errNo }); !errors.Is(err, errNo) {
		t.Error(err)
	}
	u, _ := env.ByID(ctx, ann.ID)
	if count.Get(u) != 2 {
		t.Errorf("%d", count.Get(u))
	}
	must(t, env.MergeData(ctx, ann.ID, roster.Data{"count": json.RawMessage(`"many"`)}))
	if err := count.Update(ctx, env.Users, ann.ID, add); !errors.Is(err, roster.ErrInvalid) {
		t.Error(err)
	}
}

// On the own account some keys are for others to write, and who may not see the
// data of somebody may add to them, but not look.
func TestReservedDataKeys(t *testing.T) {
	env := rostertest.New(t, func(o *roster.Options) { o.ReservedDataKeys = []string{"plan", "billing.*"} })
	ctx := t.Context()
	ann, ada := env.MustRegister("ann"), env.MustRegister("ada")
	must(t, env.Grant(ctx, roster.ToUser(ada.ID), 0, roster.PermEditUser, roster.PermJudgeLogin))
	hers, judge := env.For(roster.Actor{User: ann.ID}), env.For(roster.Actor{User: ada.ID, Level: roster.LevelJudge})
	one := json.RawMessage("1")
	must(t, env.MergeData(ctx, ann.ID, roster.Data{"billing.state": one}))
	for key, free := range map[string]bool{
		"theme": true, "plans": true, "billing": true, "Plan": false, "plan": false, "billing.": false, "billing.id": false, "billing.state": false,
		"social": false, "first_login": false, "registration_source": false,
	} {
		for _, raw := range []json.RawMessage{json.RawMessage(`"new"`), json.RawMessage("null")} {
			u, err := env.ByID(ctx, ann.ID)
			must(t, err)
			_, had := u.Data[key]
			err = hers.MergeData(ctx, ann.ID, roster.Data{key: raw})
			nothing := !had && string(raw) == "null"
			if free || nothing {
				must(t, err)
			} else if !errors.Is(err, roster.ErrForbidden) {
				t.Errorf("%s to %s: %v", key, raw, err)
			}
			err = hers.Edit(ctx, ann.ID, func(u *roster.User) error {
				if string(raw) == "null" {
					roster.Field[string](key).Delete(u)
					return nil
				}
				return roster.Field[string](key).Set(u, "edited")
			})
			if (err == nil) != (free || nothing) {
				t.Errorf("Edit of %s to %s: %v", key, raw, err)
			}
		}
		must(t, judge.MergeData(ctx, ann.ID, roster.Data{key: one}))
	}
	err := roster.Field[int]("plan").Update(ctx, judge, ann.ID, func(n int) (int, error) {
		if n != 0 {
			t.Error("seen")
		}
		return 5, nil
	})
	if !errors.Is(err, roster.ErrForbidden) {
		t.Error(err)
	}
	for _, keys := range [][]string{{"*"}, {""}, {"a*b"}, {"a**"}, {"\x00"}} {
		if _, err := roster.New(env.Store, &roster.Options{ReservedDataKeys: keys}); err == nil {
			t.Errorf("%q may be reserved", keys)
		}
	}
}

// A value in which a key of a struct is spelt in another case is none.
func TestFieldSpelling(t *testing.T) {
	type inner struct {
		Admin bool `json:"is_admin"`
	}
	type outer struct {
		inner
		List []inner          `json:"list"`
		Map  map[string]inner `json:"map,omitempty"`
		Ptr  *inner
		When json.RawMessage
	}
	field := roster.Field[outer]("f")
	for raw, ok := range map[string]bool{
		`{"is_admin":true}`: true, `{"list":[{"is_admin":true}]}`: true, `{"other":1,"Ptr":null}`: true, `null`: true,
		`{"When":{"IS_ADMIN":true},"map":{"IS_ADMIN":{}}}`: true,
		`{"IS_ADMIN":true}`: false, `{"iſ_admin":true}`: false, `{"list":[{"Is_admin":true}]}`: false, `{"map":{"x":{"is_Admin":true}}}`: false,
		`{"Ptr":{"IS_ADMIN":true}}`: false, `{"ptr":{}}`: false, `{"is_admin":true,"IS_ADMIN":false}`: false, `{"is_admin":1}`: false,
	} {
		u := &roster.User{Data: roster.Data{"f": json.RawMessage(raw)}}
		if _, is := field.Lookup(u); is != ok {
			t.Errorf("%s is one: %v", raw, is)
		}
	}
}
