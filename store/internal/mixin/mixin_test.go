package mixin_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/hosttype"
	"github.com/go-roster/roster/store/internal/mixin"
)

func of[M any, P roster.ModelOf[M]](t *testing.T) *mixin.Type[roster.Model] {
	t.Helper()
	typ, err := mixin.Of[M, P]()
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

// roundTrip writes m and reads it again.
func roundTrip(t *testing.T, typ *mixin.Type[roster.Model], m roster.Model) roster.Model {
	t.Helper()
	values, own, err := typ.Values(m)
	if err != nil || !own {
		t.Fatal(own, err)
	}
	read := typ.New()
	*read.RosterUser() = *m.RosterUser()
	fields := typ.Fields(read)
	for i := range fields {
		switch v := values[i].(type) {
		case nil, bool, int64, float64, string, []byte:
		case time.Time:
			if v.Location() != time.UTC || v.Nanosecond()%1000 != 0 {
				t.Errorf("the time %v", v)
			}
		default:
			t.Errorf("%s is kept as a %T", typ.Columns[i].Name, v)
		}
		if err := fields[i].Scan(values[i]); err != nil {
			t.Error(err)
		}
	}
	return read
}

func TestEveryKindComesBack(t *testing.T) {
	typ := of[hosttype.Subscriber](t)
	for n := range 30 {
		m := hosttype.Fill(n)
		if diff := cmp.Diff(roster.Model(m), roundTrip(t, typ, m), cmp.Comparer(func(a, b *hosttype.Subscriber) bool { return reflect.DeepEqual(a, b) })); diff != "" {
			t.Errorf("%d: %s", n, diff)
		}
	}
	pointer := of[hosttype.Member](t)
	m := hosttype.FillMember(3)
	if got := roundTrip(t, pointer, m).(*hosttype.Member); got.User == nil || got.Team != m.Team {
		t.Errorf("%+v", got)
	}
}

// JSON of the host's own comes back as it was, whatever is in it.
func TestRawJSON(t *testing.T) {
	type keeper struct {
		roster.User
		Raw json.RawMessage `bun:"raw"`
	}
	for _, raw := range []string{`{"b":"<b>&","a":[1,2.50,null]}`, `"\u00e9é"`, "null", ""} {
		m := &keeper{Raw: json.RawMessage(raw)}
		if raw == "" {
			m.Raw = nil
		}
		if got := roundTrip(t, of[keeper](t), m).(*keeper); string(got.Raw) != raw {
			t.Errorf("%s came back as %s", raw, got.Raw)
		}
	}
}

type (
	twice struct {
		roster.User
		Deeper
	}
	// Deeper is exported, so that its fields can be set.
	Deeper struct{ Inside }
	// Inside has a second User.
	Inside struct{ *roster.User }

	wrong struct {
		roster.User
		*Deep
		Name    string
		Locale  string `bun:"-"`
		Search  string `bun:"search"`
		Plan    string
		Other   string `bun:"plan"`
		hidden  string
		kept    string `bun:"-"`
		Channel chan int
		Func    struct{ F func() }
		Complex complex128
		Reader  interface{ Read() }
		Friend  *roster.User
		Partner *roster.User `bun:"rel:belongs-to"`
		Key     int          `bun:"key,pk,autoincrement"`
		List    []string     `bun:"list,array"`
		Own     ownValue
		Text    string            `bun:"text,type:jsonb"`
		Map     map[string]string `bun:"map,unique"`
		Now     time.Time         `bun:"now,default:now()"`
		Number  int               `bun:"number,default:'x'"`
		Switch  bool              `bun:"switch,default:1"`
		Quoted  string            `bun:"quoted,default:'it's'"`
		JSON    []int             `bun:"json,default:'{'"`
		Ümlaut  string
		Upper   string `bun:"Upper"`
		Double  **int
	}
	// Deep is embedded by pointer.
	Deep struct{ Depth int }

	ownValue struct{ sql.NullString }

	named struct {
		Account roster.User
	}
	hidesMethod struct {
		roster.User
		other roster.User `bun:"-"`
	}
)

func (n *named) RosterUser() *roster.User { return &n.Account }

func (h *hidesMethod) RosterUser() *roster.User { return &h.other }

// All that is wrong with a type is told at once, by the names that it has there.
func TestMistakes(t *testing.T) {
	_ = wrong{hidden: "", kept: ""}
	_, err := mixin.Of[wrong]()
	if err == nil {
		t.Fatal("taken")
	}
	got := strings.Split(err.Error(), "\n")
	want := []string{
		"Deep: only a struct can be embedded",
		"Name: hides User.Name",
		"Locale: hides User.Locale",
		"Search: the column search is taken by the store",
		"Other: the column plan is that of Plan, too",
		"hidden: is not exported",
		"Channel: a chan int cannot be kept",
		"Func: a struct { F func() } cannot be kept: it has no JSON",
		"Complex: a complex128 cannot be kept",
		"Reader: a interface { Read() } cannot be kept",
		"Friend: is a whole user",
		"Key: the option autoincrement is not supported",
		"Key: the option pk is not supported",
		"List: the option array is not supported",
		"Own: a mixin_test.ownValue says itself how it is stored, so the tag must say the column's type",
		"Text: a string is not kept as JSON",
		"Map: JSON cannot be unique",
		"Now: default:now(): must be a literal that fits",
		"Number: default:'x'",
		"Switch: default:1",
		"Quoted: default:'it's'",
		"JSON: default:'{'",
		"Ümlaut: the column \"\u00dcmlaut\" needs a name",
		"Upper: the column \"Upper\" needs a name",
		"Double: a *int cannot be kept",
	}
	for i, want := range want {
		if want = "mixin_test.wrong." + want; i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Errorf("line %d does not begin with %q:\n%s", i, want, err)
			break
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d lines, want %d:\n%s", len(got), len(want), err)
	}
	for want, err := range map[string]error{
		"twice.Deeper.Inside.User: embeds a second User": only(mixin.Of[twice]()),
		"named.Account: is a whole user":                 only(mixin.Of[named]()),
		"named: does not embed roster.User":              only(mixin.Of[named]()),
		"hidesMethod.RosterUser: hides that of User":     only(mixin.Of[hidesMethod]()),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Of groups the same is told, by their names.
func TestMistakesInGroups(t *testing.T) {
	type wrong struct {
		roster.Group
		Name   string
		Search string `bun:"search"` // which is a column of users alone
		Data2  string `bun:"data"`
		Parent *roster.Group
		Owner  *roster.User `bun:"rel:belongs-to"`
	}
	_, err := mixin.OfGroup[wrong]()
	want := "mixin_test.wrong.Name: hides Group.Name\n" +
		"mixin_test.wrong.Data2: the column data is taken by Group.Data\n" +
		"mixin_test.wrong.Parent: is a whole group: keep its ID, or say bun:\"rel:…\""
	if err == nil || err.Error() != want {
		t.Errorf("%v, want\n%s", err, want)
	}
	// What only the store knows of is taken, too.
	type keeper struct {
		roster.User
		KeptAt time.Time `bun:"kept_at,nullzero"`
	}
	if _, err := mixin.Of[keeper](); err == nil || !strings.Contains(err.Error(), "the column kept_at is taken by the store") {
		t.Errorf("kept_at: %v", err)
	}
	// A table that bun is told of is none of our business.
	type tabled struct {
		bun.BaseModel `bun:"table:roster_users,alias:t"`
		roster.User
		Plan string `bun:"plan"`
	}
	if typ := of[tabled](t); len(typ.Columns) != 1 {
		t.Errorf("%d columns", len(typ.Columns))
	}
	typ, err := mixin.OfGroup[hosttype.Crew]()
	if err != nil || !typ.Knows("motto") || !typ.Knows("name_key") || typ.Knows("search") || !typ.IsOwn() || mixin.Group.IsOwn() {
		t.Errorf("%+v, %v", typ, err)
	}
	if m := typ.New().(*hosttype.Crew); m.Group == nil || typ.Part(m) != any(m.Group) {
		t.Errorf("%+v", m)
	}
}

func only[T any](_ T, err error) error { return err }

// What not every database keeps, none is asked to.
func TestValuesThatAreRefused(t *testing.T) {
	typ := of[hosttype.Subscriber](t)
	bad := "a\x00"
	for want, change := range map[string]func(*hosttype.Subscriber){
		"invalid plan: character":  func(s *hosttype.Subscriber) { s.Plan = "\x00" },
		"invalid plan: encoding":   func(s *hosttype.Subscriber) { s.Plan = "\xff" },
		"invalid nick: character":  func(s *hosttype.Subscriber) { s.Nick = &bad },
		"invalid note: character":  func(s *hosttype.Subscriber) { s.Note = sql.NullString{String: bad, Valid: true} },
		"invalid rate: range":      func(s *hosttype.Subscriber) { s.Rate = math.NaN() },
		"invalid ratio: range":     func(s *hosttype.Subscriber) { s.Ratio = float32(math.Inf(1)) },
		"invalid points: range":    func(s *hosttype.Subscriber) { s.Points = math.MaxUint },
		"invalid since: range":     func(s *hosttype.Subscriber) { s.Since = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"invalid anything: syntax": func(s *hosttype.Subscriber) { s.Anything = func() {} },
	} {
		m := hosttype.Fill(1)
		change(m)
		_, _, err := typ.Values(m)
		if err == nil || err.Error() != "roster: "+want || !errors.Is(err, roster.ErrInvalid) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	m := hosttype.Fill(1)
	m.Plan, m.Rate = "\x00", math.NaN()
	if _, _, err := typ.Values(m); len(roster.InvalidFields(err)) != 2 {
		t.Errorf("not all at once: %v", err)
	}
}

// A value of another type that the database holds is told, and not shown.
func TestScanOfTheWrongType(t *testing.T) {
	typ := of[hosttype.Subscriber](t)
	fields := typ.Fields(typ.New())
	for i, c := range typ.Columns {
		if err := fields[i].Scan(nil); err != nil && c.Kind != mixin.Own {
			t.Errorf("%s does not take NULL: %v", c.Name, err)
		}
		for _, src := range []any{"secret", int64(1 << 40), -1.5, []byte("secret")} {
			err := fields[i].Scan(src)
			if err == nil {
				continue
			}
			if strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), c.Name) || !strings.Contains(err.Error(), c.Field) {
				t.Errorf("%s: %v", c.Name, err)
			}
		}
	}
	level := map[string]int{}
	for i, c := range typ.Columns {
		level[c.Name] = i
	}
	for name, src := range map[string]any{"level": int64(128), "points": int64(-1), "seats": "x", "order": "t", "seen_at": "yesterday", "tags": "[", "host": "x"} {
		if err := fields[level[name]].Scan(src); err == nil {
			t.Errorf("%s takes %v", name, src)
		}
	}
}

// Where there may be no NULL, the default is written, and told.
func TestDefaults(t *testing.T) {
	type defaults struct {
		roster.User
		A string    `bun:"a,notnull,nullzero,default:'it''s, (ok)'"`
		B *int      `bun:"b,notnull,default:-5"`
		C float64   `bun:"c,nullzero,default:2"` // may be NULL
		D time.Time `bun:"d,notnull,nullzero,default:current_timestamp"`
		E time.Time `bun:"e,notnull,nullzero,default:'2030-01-02'"`
		F bool      `bun:"f,notnull,default:true"`
		G []string  `bun:"g,notnull,default:'[\"x\"]'"`
		H []byte    `bun:"h,notnull,nullzero,default:'bytes'"`
		I string    `bun:"i,notnull,nullzero"`
	}
	typ := of[defaults](t)
	at := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	m := &defaults{User: roster.User{UpdatedAt: at}, I: "x"}
	values, _, err := typ.Values(m)
	if err != nil {
		t.Fatal(err)
	}
	typ.Settle(m, values)
	five := -5
	want := &defaults{
		User: m.User, A: "it's, (ok)", B: &five, D: at, E: time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC), H: []byte("bytes"), I: "x",
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("%+v, want %+v", m, want)
	}
	m.I = ""
	if _, _, err := typ.Values(m); err == nil || err.Error() != "roster: invalid i: empty" {
		t.Errorf("a field that must be filled: %v", err)
	}
	// Of a plain user all of them are, also where NULL might stand.
	if _, err := typ.Defaults(&m.User); err == nil || err.Error() != "roster: invalid i: empty" {
		t.Errorf("of a plain user: %v", err)
	}
	values, _ = typ.Defaults(&m.User)
	plain := typ.New().(*defaults)
	fields := typ.Fields(plain)
	for i := range fields {
		if err := fields[i].Scan(values[i]); err != nil {
			t.Error(err)
		}
	}
	want.User, want.C, want.F, want.G, want.I = roster.User{}, 2, true, []string{"x"}, ""
	if !reflect.DeepEqual(plain, want) {
		t.Errorf("%+v, want %+v", plain, want)
	}
}
