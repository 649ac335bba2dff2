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
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/store/memory"
)

// subscriber is a host's own user type.
type subscriber struct {
	roster.User
	Plan string
}

func TestAs(t *testing.T) {
	u := &roster.User{Name: "ann"}
	if got, ok := roster.As[*roster.User](u); !ok || got != u {
		t.Error("a plain user is not itself")
	}
	if _, ok := roster.As[*subscriber](u); ok {
		t.Error("a plain user is part of a subscriber")
	}
	if _, ok := roster.As[*roster.User](nil); ok {
		t.Error("nil is a user")
	}
	var m roster.Model = &subscriber{User: *u, Plan: "pro"}
	if m.RosterUser().Name != "ann" {
		t.Error("RosterUser is not promoted")
	}
}

// newSubscribers returns accounts who are subscribers.
func newSubscribers(t *testing.T) *rostertest.Env {
	return rostertest.NewOn(t, memory.New(memory.Model[subscriber]()))
}

func TestAsFindsTheHostsType(t *testing.T) {
	ctx := context.Background()
	users := newSubscribers(t)
	id := users.MustRegister("ann").ID
	u, err := users.ByID(ctx, id)
	must(t, err)
	m, ok := roster.As[*subscriber](u)
	if !ok || &m.User != u {
		t.Fatalf("read as part of %+v, %v", m, ok)
	}
	if back, ok := roster.As[roster.Model](u); !ok || back != roster.Model(m) {
		t.Error("not found as a Model")
	}
	if _, ok := roster.As[*roster.User](u); ok {
		t.Error("a user who is part of a subscriber is a plain one")
	}
	copied := *u
	if _, ok := roster.As[*subscriber](&copied); ok {
		t.Error("a copy of the user is part of the subscriber")
	}
	whole := *m
	if _, ok := roster.As[*subscriber](&whole.User); ok {
		t.Error("the user in a copy of the subscriber is part of something that roster has not seen")
	}
	// A store that does not keep the host's columns says so.
	var refused *roster.InvalidError
	err = rostertest.New(t).Create(ctx, &subscriber{User: roster.User{Name: "ben"}})
	if !errors.As(err, &refused) || refused.Field != roster.FieldModel {
		t.Errorf("Create of a type that the store does not know: %v", err)
	}
	for _, m := range []roster.Model{nil, (*roster.User)(nil)} {
		for what, err := range map[string]error{"Create": users.Create(ctx, m), "Save": users.Save(ctx, m)} {
			if !errors.As(err, &refused) || refused.Field != roster.FieldModel {
				t.Errorf("%s of nobody: %v", what, err)
			}
		}
	}
}

// Where a user was read makes no difference to any comparison, nor do the host's
// fields where users are compared.
func TestReadUsersCompare(t *testing.T) {
	ctx := context.Background()
	users := newSubscribers(t)
	must(t, users.Create(ctx, &subscriber{User: roster.User{Name: "ann"}, Plan: "pro"}))
	u, err := users.ByName(ctx, "ann")
	must(t, err)
	again, err := users.ByName(ctx, "ann")
	must(t, err)
	a, _ := roster.As[*subscriber](u)
	b, _ := roster.As[*subscriber](again)
	copied := *a
	if !cmp.Equal(u, again) || !reflect.DeepEqual(u, again) || !cmp.Equal(a, b) || !reflect.DeepEqual(a, b) {
		t.Error("the same, read twice, differ")
	}
	copied.Plan = "free"
	if cmp.Equal(*a, copied) || reflect.DeepEqual(*a, copied) {
		t.Error("different subscribers are equal")
	}
	b.Plan = "free"
	if !cmp.Equal(copied, *b) || !reflect.DeepEqual(copied, *b) {
		t.Error("equal subscribers differ, for one is a copy")
	}
	if !cmp.Equal(*u, b.User) || !reflect.DeepEqual(u, again) {
		t.Error("users differ by what only the host has")
	}
	plain := *u
	plain.Row = roster.Row{}
	if !cmp.Equal(&plain, u) {
		t.Error("go-cmp tells a plain user from a subscriber's")
	}
	// Nor does it show.
	for _, format := range []string{"%v", "%+v", "%#v"} {
		if s := fmt.Sprintf(format, *u); strings.Contains(s, "0x") && format != "%#v" || strings.Contains(s, "subscriber") {
			t.Errorf("printed as %s", s)
		}
	}
	raw, err := json.Marshal(a)
	must(t, err)
	if s := string(raw); strings.Contains(s, "Row") || !strings.Contains(s, `"Plan":"pro"`) || !strings.Contains(s, `"Name":"ann"`) {
		t.Errorf("marshalled as %s", s)
	}
	var buf bytes.Buffer
	must(t, gob.NewEncoder(&buf).Encode(a))
	var back subscriber
	must(t, gob.NewDecoder(&buf).Decode(&back))
	if diff := cmp.Diff(*a, back); diff != "" {
		t.Errorf("through gob:\n%s", diff)
	}
}

// A User that was read as part of a value stands for it where one is written: what
// was changed around it is written, too.
func TestSaveOfThePart(t *testing.T) {
	ctx := context.Background()
	users := newSubscribers(t)
	must(t, users.Create(ctx, &subscriber{User: roster.User{Name: "ann"}, Plan: "free"}))
	u, err := users.ByName(ctx, "ann")
	must(t, err)
	m, _ := roster.As[*subscriber](u)
	m.Plan, u.RealName = "pro", "Ann"
	must(t, users.Save(ctx, u))
	copied := *u // is part of nothing
	copied.RealName = "Ann Example"
	must(t, users.Save(ctx, &copied))
	u, err = users.ByName(ctx, "ann")
	must(t, err)
	if m, _ := roster.As[*subscriber](u); m == nil || m.Plan != "pro" || m.RealName != "Ann Example" {
		t.Errorf("saved as %+v", m)
	}
	// Nor does Create make a plain one of it.
	again := &subscriber{User: roster.User{Name: "ben"}, Plan: "pro"}
	must(t, users.Create(ctx, again))
	must(t, users.Purge(ctx, again.ID))
	must(t, users.Create(ctx, &again.User))
	u, err = users.ByName(ctx, "ben")
	must(t, err)
	if m, _ := roster.As[*subscriber](u); m == nil || m.Plan != "pro" {
		t.Errorf("made as %+v", m)
	}
}

// The record of an edit names the columns of the host, and tells no value.
func TestEditNamesTheHostsColumns(t *testing.T) {
	type address struct{ City string }
	type billing struct {
		PaidUntil time.Time `bun:",nullzero"`
	}
	type customer struct {
		roster.User
		billing
		Plan   string    `bun:"the_plan,notnull,default:''"`
		Home   address   `bun:"embed:home_"`
		Tags   []string  `bun:"tags"`
		Seen   time.Time `bun:"seen,nullzero"`
		Cached string    `bun:"-"`
	}
	ctx := context.Background()
	users := rostertest.NewOn(t, memory.New(memory.Model[customer]()))
	at := time.Date(2031, 1, 2, 3, 4, 5, 6000, time.UTC)
	ann := &customer{User: roster.User{Name: "ann"}, Tags: []string{"secret"}, Seen: at}
	must(t, users.Create(ctx, ann))
	edit := func(change func(m *customer)) string {
		t.Helper()
		must(t, users.Edit(ctx, ann.ID, func(u *roster.User) error {
			m, _ := roster.As[*customer](u)
			change(m)
			return nil
		}))
		events, err := users.Events(ctx, roster.EventQuery{Kind: roster.EventUserEdited})
		must(t, err)
		return string(events.Items[0].Details["fields"])
	}
	for want, change := range map[string]func(m *customer){
		"":                                     func(m *customer) { m.Cached, m.Seen = "x", m.Seen.In(time.FixedZone("", 3600)).Add(time.Nanosecond) },
		`["real_name","the_plan","home_city"]`: func(m *customer) { m.Plan, m.RealName, m.Home.City = "secret", "Ann", "secret" },
		`["paid_until","tags"]`:                func(m *customer) { m.PaidUntil = at; m.Tags[0] = "other" },
	} {
		if got := edit(change); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	ann2, err := users.ByName(ctx, "ann")
	must(t, err)
	m, _ := roster.As[*customer](ann2)
	m.Plan = ""
	must(t, users.Save(ctx, m))
	events, err := users.Events(ctx, roster.EventQuery{Kind: roster.EventUserEdited})
	must(t, err)
	if got := string(events.Items[0].Details["fields"]); got != `["the_plan"]` {
		t.Errorf("Save: %s", got)
	}
}

// What views and middleware ask for, every embedding type has.
func TestMixins(t *testing.T) {
	for _, v := range []any{new(roster.User), new(subscriber), &struct{ *roster.User }{new(roster.User)}} {
		_, named := v.(roster.Named)
		_, activatable := v.(roster.Activatable)
		_, holder := v.(roster.SessionHolder)
		_, located := v.(roster.Located)
		_, model := v.(roster.Model)
		if !named || !activatable || !holder || !located || !model {
			t.Errorf("%T: %v %v %v %v %v", v, named, activatable, holder, located, model)
		}
	}
}

// Users compare, print and marshal without options, and an embedded User leaves
// the host's own fields alone.
func TestUserIsAPlainValue(t *testing.T) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 6000, time.UTC)
	a := subscriber{roster.User{Name: "ann", CreatedAt: at, Data: roster.Data{"x": json.RawMessage("1")}}, "pro"}
	b := subscriber{roster.User{Name: "ann", CreatedAt: at, Data: roster.Data{"x": json.RawMessage("1")}}, "pro"}
	if !cmp.Equal(a, b) || !reflect.DeepEqual(a, b) {
		t.Error("equal subscribers differ")
	}
	b.Plan = "free"
	if cmp.Equal(a, b) || reflect.DeepEqual(a, b) {
		t.Error("different subscribers are equal")
	}
	if s := fmt.Sprintf("%+v", a); !strings.Contains(s, "Plan:pro") || !strings.Contains(s, "Name:ann") {
		t.Errorf("printed as %s", s)
	}
	raw, err := json.Marshal(a)
	must(t, err)
	var c subscriber
	must(t, json.Unmarshal(raw, &c))
	if diff := cmp.Diff(a, c); diff != "" {
		t.Errorf("through JSON:\n%s", diff)
	}
	typ := reflect.TypeFor[*roster.User]()
	for _, name := range []string{
		"MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "String", "GoString", "Format", "Scan", "Value", "LogValue",
		"BeforeAppendModel", "AfterScanRow", "BeforeScanRow",
	} {
		if _, ok := typ.MethodByName(name); ok {
			t.Errorf("User.%s would be promoted to every type that embeds User", name)
		}
	}
}

// No field of a user is a secret: hashes live in credentials.
func TestUserHoldsNoSecret(t *testing.T) {
	typ := reflect.TypeFor[roster.User]()
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.Type == reflect.TypeFor[roster.Secret]() || strings.Contains(strings.ToLower(f.Name), "hash") {
			t.Errorf("field %s", f.Name)
		}
	}
}

func TestUserNames(t *testing.T) {
	for _, tt := range []struct {
		u                      roster.User
		display, first, friend string
	}{
		{roster.User{Name: "ann"}, "ann", "ann", "ann"},
		{roster.User{Name: "ann", RealName: "Ann Example"}, "Ann Example", "Ann", "Ann Example"},
		{roster.User{Name: "ann", RealName: "Ann"}, "Ann", "Ann", "Ann"},
		{roster.User{Name: "user-7", NameAuto: true}, "user-7", "user-7", "ann@example.org"},
	} {
		if got := tt.u.DisplayName(); got != tt.display {
			t.Errorf("%+v: display name %q", tt.u, got)
		}
		if got := tt.u.FirstName(); got != tt.first {
			t.Errorf("%+v: first name %q", tt.u, got)
		}
		if got := tt.u.FriendlyName("ann@example.org"); got != tt.friend {
			t.Errorf("%+v: friendly name %q", tt.u, got)
		}
	}
	auto := roster.User{Name: "user-7", NameAuto: true}
	if got := auto.FriendlyName(""); got != "user-7" {
		t.Errorf("friendly name without an address %q", got)
	}
}

func TestUserTimezone(t *testing.T) {
	for zone, want := range map[string]string{"": "UTC", "Asia/Tokyo": "Asia/Tokyo", "Nowhere": "UTC", "Local": "UTC", "../../etc/passwd": "UTC"} {
		u := roster.User{Timezone: zone}
		if got := u.Location().String(); got != want {
			t.Errorf("zone %q: %s", zone, got)
		}
	}
}
