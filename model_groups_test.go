package roster_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

// team is a host's own type of groups.
type team struct {
	roster.Group
	Color string `bun:"color,notnull,nullzero,default:'blue'"`
	Code  *int   `bun:"code,unique"`
}

func newTeams(t *testing.T, change ...func(*roster.Options)) *rostertest.Env {
	return rostertest.NewOn(t, memory.New(memory.GroupModel[team]()), change...)
}

func TestAsGroup(t *testing.T) {
	ctx := context.Background()
	env := newTeams(t)
	made := &team{Group: roster.Group{Name: "Red team"}, Color: "red"}
	must(t, env.CreateGroup(ctx, made))
	if m, ok := roster.AsGroup[*team](&made.Group); !ok || m != made {
		t.Error("the group that CreateGroup was given is part of nothing")
	}
	u := env.MustUser(t)
	must(t, env.AddMember(ctx, made.ID, u.ID, ""))
	for what, read := range map[string]func() (*roster.Group, error){
		"GroupByID":   func() (*roster.Group, error) { return env.GroupByID(ctx, made.ID) },
		"GroupByUUID": func() (*roster.Group, error) { return env.GroupByUUID(ctx, made.UUID) },
		"GroupByName": func() (*roster.Group, error) { return env.GroupByName(ctx, "red TEAM") },
		"Groups": func() (*roster.Group, error) {
			l, err := env.Groups(ctx, roster.Paging{})
			return l.Items[0], err
		},
		"GroupsOf": func() (*roster.Group, error) {
			of, err := env.GroupsOf(ctx, u.ID)
			return of[u.ID][0], err
		},
		"EditGroup": func() (in *roster.Group, err error) {
			err = env.EditGroup(ctx, made.ID, func(g *roster.Group) error { in = g; return nil })
			return in, err
		},
	} {
		g, err := read()
		must(t, err)
		m, ok := roster.AsGroup[*team](g)
		if !ok || &m.Group != g || m.Color != "red" {
			t.Errorf("%s: part of %+v, %v", what, m, ok)
		}
		if back, ok := roster.AsGroup[roster.GroupModel](g); !ok || back != roster.GroupModel(m) {
			t.Errorf("%s: not found as a GroupModel", what)
		}
		if _, ok := roster.AsGroup[*roster.Group](g); ok {
			t.Errorf("%s: a plain group", what)
		}
		if copied := *g; true {
			if _, ok := roster.AsGroup[*team](&copied); ok {
				t.Errorf("%s: a copy is part of the team", what)
			}
		}
	}
	plain := &roster.Group{Name: "x"}
	if got, ok := roster.AsGroup[*roster.Group](plain); !ok || got != plain {
		t.Error("a plain group is not itself")
	}
	if _, ok := roster.AsGroup[*team](nil); ok {
		t.Error("nil is a team")
	}
	var swapped roster.Group // a Row has no type, and yet nothing is taken for what it is not
	swapped.Row = u.Row
	if _, ok := roster.AsGroup[*team](&swapped); ok {
		t.Error("a user is a team")
	}
}

func TestGroupsOfTheHostsType(t *testing.T) {
	ctx := context.Background()
	made := 0
	env := newTeams(t, func(o *roster.Options) {
		o.NewGroupModel = func(_ context.Context, draft *roster.Group) (roster.GroupModel, error) {
			made++
			return &team{Group: roster.Group{Name: "of no importance"}, Color: "for " + draft.Name}, nil
		}
	})
	one := 1
	red := &team{Group: roster.Group{Name: "Red"}, Color: "red", Code: &one}
	must(t, env.CreateGroup(ctx, red))
	blue := &team{Group: roster.Group{Name: "Blue"}}
	must(t, env.CreateGroup(ctx, blue))
	if blue.Color != "blue" {
		t.Errorf("the default is %q", blue.Color)
	}
	// What is unique is refused by its name, and the value is as it was.
	var conflict *roster.ConflictError
	again := &team{Group: roster.Group{Name: "Again"}, Code: &one}
	if err := env.CreateGroup(ctx, again); !errors.As(err, &conflict) || conflict.Field != "code" || again.ID != 0 {
		t.Errorf("a taken code: %v, %+v", err, again)
	}
	edit := func(g *roster.Group) error {
		m, ok := roster.AsGroup[*team](g)
		if !ok {
			return errors.New("no team")
		}
		m.Color, m.Code = "navy", &one
		return nil
	}
	if err := env.EditGroup(ctx, blue.ID, edit); !errors.As(err, &conflict) || conflict.Field != "code" {
		t.Errorf("an edit to a taken code: %v", err)
	}
	must(t, env.DeleteGroup(ctx, red.ID))
	must(t, env.EditGroup(ctx, blue.ID, edit))
	events, err := env.Events(ctx, roster.EventQuery{Kind: roster.EventGroupEdited})
	must(t, err)
	if got := string(events.Items[0].Details["fields"]); got != `["code","color"]` {
		t.Errorf("the event says %s", got)
	}
	read, err := env.GroupByID(ctx, blue.ID)
	must(t, err)
	if m, _ := roster.AsGroup[*team](read); m == nil || m.Color != "navy" || *m.Code != 1 {
		t.Errorf("after the edit: %+v", m)
	}
	// A built-in group is what NewGroupModel makes.
	admin, err := env.BuiltInGroup(ctx, roster.GroupAdmin)
	must(t, err)
	if m, _ := roster.AsGroup[*team](admin); m == nil || m.Color != "for admin" || m.Name != "admin" || made != 1 {
		t.Errorf("admin is %+v, made %d times", m, made)
	}
	// A store that does not keep the host's columns says so, as it does of users.
	for what, m := range map[string]roster.GroupModel{
		"another type": &struct {
			roster.Group
			X int
		}{Group: roster.Group{Name: "x"}}, "nothing": nil, "no group": (*roster.Group)(nil),
	} {
		refusedField(t, env.CreateGroup(ctx, m), roster.FieldModel, map[bool]roster.Reason{true: roster.ReasonUnknown, false: roster.ReasonEmpty}[what == "another type"])
	}
	refusedField(t, rostertest.New(t).CreateGroup(ctx, &team{Group: roster.Group{Name: "x"}}), roster.FieldModel, roster.ReasonUnknown)
}

// As a user's does, where a group was read makes no difference to a comparison,
// nor does it show.
func TestGroupIsAPlainValue(t *testing.T) {
	ctx := context.Background()
	env := newTeams(t)
	must(t, env.CreateGroup(ctx, &team{Group: roster.Group{Name: "red", Data: roster.Data{"x": json.RawMessage("1")}}, Color: "red"}))
	g, err := env.GroupByName(ctx, "red")
	must(t, err)
	again, err := env.GroupByName(ctx, "red")
	must(t, err)
	a, _ := roster.AsGroup[*team](g)
	b, _ := roster.AsGroup[*team](again)
	if !cmp.Equal(g, again) || !reflect.DeepEqual(g, again) || !cmp.Equal(a, b) || !reflect.DeepEqual(a, b) {
		t.Error("the same, read twice, differ")
	}
	copied := *a
	copied.Color = "blue"
	if cmp.Equal(*a, copied) || reflect.DeepEqual(*a, copied) {
		t.Error("different teams are equal")
	}
	for _, format := range []string{"%v", "%+v"} {
		if s := fmt.Sprintf(format, *a); strings.Contains(s, "0x") || !strings.Contains(s, "red") {
			t.Errorf("printed as %s", s)
		}
	}
	raw, err := json.Marshal(a)
	must(t, err)
	if s := string(raw); strings.Contains(s, "Row") || !strings.Contains(s, `"Color":"red"`) || !strings.Contains(s, `"Name":"red"`) {
		t.Errorf("marshalled as %s", s)
	}
	var buf bytes.Buffer
	must(t, gob.NewEncoder(&buf).Encode(a))
	var back team
	must(t, gob.NewDecoder(&buf).Decode(&back))
	if diff := cmp.Diff(*a, back); diff != "" {
		t.Errorf("through gob:\n%s", diff)
	}
	typ := reflect.TypeFor[*roster.Group]()
	for _, name := range []string{
		"MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "String", "GoString", "Format", "Scan", "Value", "LogValue",
		"BeforeAppendModel", "AfterScanRow", "BeforeScanRow",
	} {
		if _, ok := typ.MethodByName(name); ok {
			t.Errorf("Group.%s would be promoted to every type that embeds Group", name)
		}
	}
}
