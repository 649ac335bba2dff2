package roster

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestAutoName(t *testing.T) {
	t.Parallel()
	for _, id := range []int64{1, 17, 1<<63 - 1} {
		name := autoName(id)
		if key, err := NameKey(name); err != nil || key != name || key != fmt.Sprintf("user-%d", id) || !isAutoName(key) || !reservedName(key) {
			t.Errorf("autoName(%d) = %q, key %q, %v", id, name, key, err)
		}
	}
	for _, key := range []string{"", "user", "user-", "user-0", "user-01", "user--1", "user-+1", "user-1a", "user-9223372036854775808", "xuser-1", "user_1"} {
		if isAutoName(key) {
			t.Errorf("isAutoName(%q)", key)
		}
	}
}

func TestReservedName(t *testing.T) {
	t.Parallel()
	if !slices.IsSorted(reservedNames) || len(slices.Compact(slices.Clone(reservedNames))) != len(reservedNames) {
		t.Error("the list is not sorted or has a name twice")
	}
	for _, name := range reservedNames {
		if key, err := NameKey(name); err != nil || key != name || !reservedName(key) {
			t.Errorf("NameKey(%q) = %q, %v; reserved %v", name, key, err, reservedName(key))
		}
	}
	for _, name := range []string{
		"admin", "Admin", "ＲＯＯＴ", "administrator", "system", "support", "security", "postmaster", "hostmaster",
		"webmaster", "abuse", "info", "help", "noreply", "no-reply", "NO_REPLY", "no.reply", "mailer-daemon", "nobody",
		"anonymous", "guest", "null", "undefined", "me", "self", "www", "api", "ádmin", "admın", "r00t", "adm1n", "nu11",
		"n0_rep1y", "user-1", "user-007", "USER-12", "user_12", "ｕｓｅｒ－１", "user-99999999999999999999", "robots.txt", "well_known",
	} {
		if key, err := NameKey(name); err != nil || !reservedName(key) {
			t.Errorf("%q is not reserved (key %q, %v)", name, key, err)
		}
	}
	for _, name := range []string{"ann", "adminton", "badmin", "rooty", "user", "user-", "user-1a", "users-1", "mel", "infos", "天", "анна", "김철수"} {
		if reservedName(name) {
			t.Errorf("%q is reserved", name)
		}
	}
	if reservedName("") {
		t.Error("the empty name is reserved")
	}
}

func TestNewReserved(t *testing.T) {
	t.Parallel()
	extra := []string{"Judge", "ＪＵＲＹ", "no_1", "김철수", "Acme.Corp"}
	reserved, err := newReserved(extra)
	if err != nil {
		t.Fatal(err)
	}
	clear(extra)
	for name, want := range map[string]bool{
		"judge": true, "jury": true, "júry": true, "no-1": true, "김철수": true, "acme.corp": true, "acme_corp": true,
		"root": true, "user-5": true, "": false, "ann": false, "judges": false,
	} {
		if got := reserved(name); got != want {
			t.Errorf("reserved(%q) = %v, want %v", name, got, want)
		}
	}
	_, err = newReserved([]string{"ok", "a b", "", "fine"})
	fields := InvalidFields(err)
	if len(fields) != 2 || fields[0].Reason != ReasonCharacter || fields[1].Reason != ReasonEmpty || strings.Contains(err.Error(), "a b") {
		t.Errorf("bad entries: %v", err)
	}
	if none, err := newReserved(nil); err != nil || !none("admin") || none("ann") {
		t.Errorf("no entries: %v", err)
	}
}
