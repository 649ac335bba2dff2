package roster_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/go-roster/roster"
)

// Every exported method of Users has a row in the table, exactly one, and every
// row is a method.
func TestOperationsCoverUsers(t *testing.T) {
	rows := map[string]int{}
	for _, op := range roster.Operations() {
		rows[op.Verb]++
	}
	users := reflect.TypeFor[*roster.Users]()
	for i := range users.NumMethod() {
		verb := users.Method(i).Name
		if rows[verb] != 1 {
			t.Errorf("Users.%s has %d rows in the table of operations.go, which says what it asks of an actor", verb, rows[verb])
		}
		delete(rows, verb)
	}
	for _, verb := range slices.Sorted(maps.Keys(rows)) {
		t.Errorf("operations.go has a row for Users.%s, and there is no such method", verb)
	}
}

// The table is the policy.
func TestOperationsFollowPolicy(t *testing.T) {
	table := map[string]roster.Operation{}
	for _, op := range roster.Operations() {
		table[op.Verb] = op
	}
	for _, r := range rules(t) {
		op := table[r.Verb]
		got := rule{
			Verb: r.Verb, Who: r.Who, Level: r.Level, Plain: "-", Priv: "-", Check: "-", Self: r.Self,
			Over: mark(op.Care.Has(roster.CareHeld), "mine", mark(op.Care.Has(roster.CareTakeover), "yes", "-")), Acting: mark(op.Care.Has(roster.CareDirect), "no", "yes"),
		}
		got.Who = [...]string{"right", "any", "program", "free"}[op.Access]
		if op.Level != r.level() {
			got.Level = op.Level.String()
		}
		if op.Permission != "" {
			got.Plain, got.Priv = string(op.Permission), mark(op.Privileged == op.Permission, "=", string(op.Privileged))
			got.Check = [...]string{"db", "cnts", "dbcnts"}[op.Mode]
		}
		if own := map[string]roster.Self{"none": roster.SelfFree, "edit": roster.SelfEdit}[r.Self]; own != op.Self {
			got.Self = fmt.Sprint(op.Self)
		}
		if got != r {
			t.Errorf("the table has\n%+v and the policy\n%+v", got, r)
		}
		delete(table, r.Verb)
	}
	for verb := range table {
		t.Errorf("the policy says nothing about %s", verb)
	}
}

func mark(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}
