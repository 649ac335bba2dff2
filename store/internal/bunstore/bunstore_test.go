package bunstore

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/mixin"
)

func TestMoment(t *testing.T) {
	for _, want := range []time.Time{
		{},
		time.Unix(0, 0), time.Date(2024, 2, 29, 23, 59, 59, 123456000, time.UTC), time.Date(2024, 2, 29, 23, 59, 59, 120000000, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 1000, time.UTC),
		time.Date(2024, 1, 1, 1, 0, 0, 0, time.FixedZone("", 5*3600+1800)),
	} {
		text := FormatTime(want).(string)
		if _, fast := parseUTC(text); !fast {
			t.Errorf("%s is not parsed fast", text)
		}
		for _, src := range []any{text, []byte(text), want} {
			m := moment(time.Now())
			if err := m.Scan(src); err != nil {
				t.Fatal(err)
			}
			if got := time.Time(m); !got.Equal(want) || got.Location() != time.UTC || !reflect.DeepEqual(got, want.UTC()) {
				t.Errorf("%v came out as %#v, want %#v", src, got, want.UTC())
			}
		}
	}
	m := moment(time.Now())
	if err := m.Scan(nil); err != nil || !time.Time(m).IsZero() {
		t.Errorf("NULL is %v, %v", time.Time(m), err)
	}
	if err := m.Scan("2024-01-01 12:00:00.5+02:00"); err != nil || !time.Time(m).Equal(time.Date(2024, 1, 1, 10, 0, 0, 500000000, time.UTC)) {
		t.Errorf("another zone is %v, %v", time.Time(m), err)
	}
	for _, bad := range []any{"", "secret", "2024-01-01", "2024-01-01 00:00:00", "2024-01-01 00:00:00.+00:00", "2024-01-01 00:00:00x+00:00", 7, 1.5} {
		err := m.Scan(bad)
		if err == nil {
			t.Errorf("%v was taken for a time", bad)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the text %q tells the value", err)
		}
	}
}

// The text sorts as the times do.
func TestMomentOrder(t *testing.T) {
	start := time.Date(2024, 12, 31, 23, 59, 59, 0, time.UTC)
	last := ""
	for _, micros := range []int{0, 1, 9, 10, 99, 100, 500000, 510000, 999999, 1000000, 1000001} {
		text := FormatTime(start.Add(time.Duration(micros) * time.Microsecond)).(string)
		if text <= last {
			t.Errorf("%q does not sort behind %q", text, last)
		}
		last = text
	}
}

// FuzzMoment compares with time.Parse.
func FuzzMoment(f *testing.F) {
	f.Add("2024-02-29 23:59:59.123456+00:00")
	f.Add("2024-02-29 23:59:59+00:00")
	f.Add("2024-02-30 23:59:59.1+00:00")
	f.Add("2024-02-29 24:00:00+00:00")
	f.Add("12024-02-29 23:59:59.12345+00:00")
	f.Fuzz(func(t *testing.T, s string) {
		got, fast := parseUTC(s)
		want, err := time.Parse(Layout, s)
		if err == nil && fast && !got.Equal(want) || err != nil && fast && got.Year() < 10000 {
			t.Errorf("%q is %v, want %v, %v", s, got, want, err)
		}
		var m moment
		_ = m.Scan(s)
	})
}

func TestData(t *testing.T) {
	in := roster.Data{
		"<&>\u2028": json.RawMessage("\"<&>\u2028\u2029\""), "": json.RawMessage(`null`), "n": json.RawMessage(`1.50e+10`),
		"esc": json.RawMessage(`"\u003c\/\ud83d\ude00"`), `q"\`: json.RawMessage(`{"b":[],"a":{}}`),
	}
	text, err := encodeData(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, src := range []any{text, []byte(text.(string))} {
		var out data
		if err := out.Scan(src); err != nil || len(out) != len(in) {
			t.Fatal(out, err)
		}
		for key, raw := range in {
			if !bytes.Equal(out[key], raw) {
				t.Errorf("%q: %s came out as %s", key, raw, out[key])
			}
		}
	}
	for _, empty := range []roster.Data{nil, {}} {
		if text, err := encodeData(empty); text != nil || err != nil {
			t.Errorf("nothing is %v, %v", text, err)
		}
	}
	for _, bad := range []string{"", "{", `1,"x":2`, "secret"} {
		if text, err := encodeData(roster.Data{"k": json.RawMessage(bad)}); err == nil {
			t.Errorf("%q was taken: %v", bad, text)
		}
	}
	out := data(in)
	if err := out.Scan(nil); err != nil || out != nil {
		t.Errorf("NULL is %v, %v", out, err)
	}
	if err := out.Scan("secret"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the error of a malformed value is %v", err)
	}
}

// Every field of a user has a column, and each is read and written.
func TestColumns(t *testing.T) {
	d := &Dialect{Time: FormatTime}
	m := newModel(bun.NewDB(nil, sqlitedialect.New()), d, mixin.User, "u")
	want := reflect.TypeFor[roster.User]().NumField() - 1 // but Row
	if len(m.fields) != want || strings.Count(m.columns, "u.") != want {
		t.Errorf("%d columns, %s, want %d", len(m.fields), m.columns, want)
	}
	args, err := m.args(&roster.User{})
	if err != nil || len(args) != want || len(m.written()) != want {
		t.Errorf("%d arguments, %v", len(args), err)
	}
	for i, a := range args {
		switch a.(type) {
		case nil, string, bool, int64:
		default:
			t.Errorf("the column %s is written as a %T", m.fields[i].Name, a)
		}
	}
	if n := len(m.written(notUpdated...)); n != want-len(notUpdated) {
		t.Errorf("%d columns are updated", n)
	}
}

func TestPrefix(t *testing.T) {
	for prefix, good := range map[string]bool{
		"": true, "roster_": true, "a": true, "_1": true, strings.Repeat("x", 32): true,
		"A": false, "1a": false, "a-": false, "a b": false, "ä": false, "a.b": false, `"`: false, "a'": false, strings.Repeat("x", 33): false,
	} {
		if err := CheckPrefix(prefix); (err == nil) != good {
			t.Errorf("%q: %v", prefix, err)
		}
	}
}

func TestMigrations(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	steps, err := Migrations(fstest.MapFS{
		"migrations/0002_second_one.sql": file("B {users};"), "migrations/0001_first.sql": file("A {users_name};"), "migrations/README": file(""),
	}, "p_")
	if err != nil || len(steps) != 2 || steps[0].ID != 1 || steps[1].Name != "second_one" {
		t.Fatal(steps, err)
	}
	if want := "B p_users;\nINSERT INTO p_migrations (id, name) VALUES (2, 'second_one');\n"; steps[1].SQL != want {
		t.Errorf("%q, want %q", steps[1].SQL, want)
	}
	for _, files := range []fstest.MapFS{
		{"migrations/0002_a.sql": file("")},
		{"migrations/0001_a.sql": file(""), "migrations/0003_b.sql": file("")},
		{"migrations/0001_a.sql": file(""), "migrations/0001_b.sql": file("")},
		{"migrations/first.sql": file("")},
	} {
		if _, err := Migrations(files, ""); err == nil {
			t.Errorf("%v was taken", files)
		}
	}
}
