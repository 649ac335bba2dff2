package bunstore

import (
	"reflect"
	"testing"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/hosttype"
	"github.com/go-roster/roster/store/internal/mixin"
)

// A host that queries its type with bun itself finds the same columns.
func TestColumnsAreThoseOfBun(t *testing.T) {
	subscriber, err := mixin.Of[hosttype.Subscriber]()
	if err != nil {
		t.Fatal(err)
	}
	type fine struct {
		hosttype.Subscriber
		OAuthID  string
		HTTPPort int
		ID2      int
		X        string `bun:",notnull"`
		Y        string `bun:"column:why"`
	}
	own, err := mixin.Of[fine]()
	if err != nil {
		t.Fatal(err)
	}
	db := bun.NewDB(nil, sqlitedialect.New())
	for typ, m := range map[reflect.Type]*mixin.Type[roster.Model]{
		reflect.TypeFor[hosttype.Subscriber](): subscriber, reflect.TypeFor[fine](): own,
	} {
		table := db.Table(typ)
		if got, want := len(table.Fields), len(newModel(db, new(Dialect), m, "u").fields)+len(m.Columns); got != want {
			t.Errorf("%s: bun knows %d columns, and there are %d", typ, got, want)
		}
		for _, c := range m.Columns {
			f, err := table.Field(c.Name)
			if err != nil || f.NotNull != c.NotNull || f.NullZero != c.NullZero || f.SQLDefault != c.Default() {
				t.Errorf("%s: bun has %+v, and there is %+v, %v", typ, f, c, err)
			}
		}
	}
}

// So does a host that queries its groups.
func TestGroupColumnsAreThoseOfBun(t *testing.T) {
	own, err := mixin.OfGroup[hosttype.Team]()
	if err != nil {
		t.Fatal(err)
	}
	db := bun.NewDB(nil, sqlitedialect.New())
	table, m := db.Table(reflect.TypeFor[hosttype.Team]()), newModel(db, new(Dialect), own, "g")
	if got, want := len(table.Fields), len(m.fields)+len(own.Columns); got != want {
		t.Errorf("bun knows %d columns, and there are %d", got, want)
	}
	for _, c := range own.Columns {
		if _, err := table.Field(c.Name); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}
