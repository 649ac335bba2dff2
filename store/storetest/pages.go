package storetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-roster/roster"
)

var pageCases = []testCase{
	{name: "Page/Order", rule: "Pages are ordered by the bytes of the name key, whatever the locale of the database.", run: pageOrder},
	{name: "Page/Ties", rule: "Users with the same name key are ordered by ID, and a page may end between them.", run: pageTies},
	{name: "Page/Inserts", rule: "Whoever is there all the time is seen exactly once, whatever is inserted and deleted meanwhile.", run: pageInserts},
	{name: "Page/Limit", rule: "A page has at most Limit users, none if that is zero or less.", run: pageLimit},
	{name: "Page/States", rule: "Pages and counts hold exactly the users in the state that was asked for.", run: pageStates},
	{name: "Page/Count", rule: "CountUsers counts all pages: it ignores where they begin and how long they are.", run: pageCount},
}

// paged reads all pages of q, q.Limit users each.
func paged(t testing.TB, s roster.Store, q roster.UserQuery) []*roster.User {
	t.Helper()
	var all []*roster.User
	for {
		page := rowsOf(s.UserPage(t.Context(), q))(t)
		if len(page) > q.Limit {
			t.Fatalf("a page of %d users, %d were asked for", len(page), q.Limit)
		}
		all = append(all, page...)
		if len(page) < q.Limit {
			return all
		}
		if len(all) > 10_000 {
			t.Fatal("the pages do not end")
		}
		q.AfterKey, q.AfterID = page[len(page)-1].NameKey, page[len(page)-1].ID
	}
}

// keys are the name keys of the users.
func keys(us []*roster.User) []string {
	names := make([]string, len(us))
	for i, u := range us {
		names[i] = u.NameKey
	}
	return names
}

func pageOrder(t *testing.T, s roster.Store) {
	names := []string{
		"z", "a", "B", "_", "\u00e9", "e", "e\u0301", "f", "10", "9", "1", "-", "a b", "ab", "a-b", "a_b", "aB", "A", "b", "aa",
		"\u00c5", "\u212b", "\U0001f600", "\uffee", "\ufb01", "fi", "\u0430", "\u00df", "ss", "\u0131", "i", "I", "~", " ", "co-op", "coop", "Z", "\u4e2d",
	}
	slices.Sort(names)
	want := map[roster.State][]string{}
	for i, name := range names {
		u, state := user(name), roster.StateActivated
		if i%3 == 0 {
			u, state = pendingUser(name), roster.StatePending
		}
		ok(t, s.InsertUser(t.Context(), u, "common text"))
		ok(t, s.InsertUser(t.Context(), deletedUser(name), "common text"))
		want[state] = append(want[state], name)
		want[roster.StateLive] = append(want[roster.StateLive], name)
		want[roster.StateDeleted] = append(want[roster.StateDeleted], name)
	}
	for state, names := range want {
		for _, contains := range []string{"", "common", "xt"} {
			q := roster.UserQuery{State: state, Contains: contains, Limit: 100}
			same(t, "the order", keys(paged(t, s, q)), names)
		}
		same(t, "the order of short pages", keys(paged(t, s, roster.UserQuery{State: state, Limit: 4})), names)
		for i, name := range names { // from the key alone: the ID is above zero
			if state != roster.StateLive {
				break
			}
			page := rowsOf(s.UserPage(t.Context(), roster.UserQuery{State: state, AfterKey: name, Limit: 2}))(t)
			same(t, "from "+name, keys(page), names[i:min(i+2, len(names))])
		}
	}
}

func pageTies(t *testing.T, s roster.Store) {
	var want []*roster.User
	for _, name := range []string{"ann", "ann", "ben", "ann", "ben", "ann", "ann", "zoe", "ben"} {
		want = append(want, insert(t, s, deletedUser(name)))
	}
	insert(t, s, user("ann"))
	slices.SortStableFunc(want, func(a, b *roster.User) int { return strings.Compare(a.NameKey, b.NameKey) })
	for limit := 1; limit <= len(want)+1; limit++ {
		same(t, "the deleted users", paged(t, s, roster.UserQuery{State: roster.StateDeleted, Limit: limit}), want)
	}
	// A page may begin after a user who is gone by now.
	ok(t, s.PurgeUser(t.Context(), want[2].ID))
	after := roster.UserQuery{State: roster.StateDeleted, AfterKey: want[2].NameKey, AfterID: want[2].ID, Limit: 100}
	same(t, "after a purged user", rowsOf(s.UserPage(t.Context(), after))(t), want[3:])
}

func pageInserts(t *testing.T, s roster.Store) {
	ctx := t.Context()
	var stay []string
	for i := range 30 {
		name := "stay" + string(rune('A'+i))
		insert(t, s, user(name))
		stay = append(stay, name)
	}
	seen := map[roster.UserID]bool{}
	var seenStay []string
	q := roster.UserQuery{State: roster.StateLive, Limit: 4}
	for i := 0; ; i++ {
		page := rowsOf(s.UserPage(ctx, q))(t)
		for _, u := range page {
			if seen[u.ID] {
				t.Errorf("%s was seen twice", u.NameKey)
			}
			seen[u.ID] = true
			if strings.HasPrefix(u.NameKey, "stay") && !strings.HasSuffix(u.NameKey, ".") {
				seenStay = append(seenStay, u.NameKey)
			}
		}
		if len(page) < q.Limit || i > 100 {
			break
		}
		last := page[len(page)-1]
		q.AfterKey, q.AfterID = last.NameKey, last.ID
		if i < 10 { // before, between and behind, and sometimes the last one of the page goes
			insert(t, s, user("a"+string(rune('A'+i))))
			insert(t, s, user(last.NameKey+"."))
			insert(t, s, user("z"+string(rune('A'+i))))
			if strings.HasSuffix(last.NameKey, ".") {
				ok(t, s.PurgeUser(ctx, last.ID))
			}
		}
	}
	same(t, "those who were there all the time", seenStay, stay)
}

func pageLimit(t *testing.T, s roster.Store) {
	for _, name := range []string{"ann", "ben", "cat"} {
		insert(t, s, user(name))
	}
	same(t, "a page of fewer than none", rowsOf(s.UserPage(t.Context(), roster.UserQuery{Limit: -1}))(t), []*roster.User{})
	for limit, want := range [][]string{{}, {"ann"}, {"ann", "ben"}, {"ann", "ben", "cat"}, {"ann", "ben", "cat"}} {
		for _, contains := range []string{"", "n"} {
			q := roster.UserQuery{Contains: contains, Limit: limit}
			names := keys(rowsOf(s.UserPage(t.Context(), q))(t))
			if contains == "" {
				same(t, "a page", names, want)
			} else {
				same(t, "a page", names, want[:min(limit, 2)])
			}
		}
	}
}

func pageStates(t *testing.T, s roster.Store) {
	insert(t, s, user("active"))
	insert(t, s, pendingUser("pending"))
	insert(t, s, deletedUser("deleted"))
	disabled, hidden := user("disabled"), user("hidden")
	disabled.Enabled = false
	hidden.Flags = ^roster.Flags(0)
	insert(t, s, disabled)
	insert(t, s, hidden)
	both := pendingUser("never proven, deleted")
	both.DeletedAt = at(0)
	insert(t, s, both)

	for state, want := range map[roster.State][]string{
		roster.StateActivated: {"active", "disabled", "hidden"},
		roster.StatePending:   {"pending"},
		roster.StateLive:      {"active", "disabled", "hidden", "pending"},
		roster.StateDeleted:   {"deleted", "never proven, deleted"},
	} {
		same(t, "a page", keys(rowsOf(s.UserPage(t.Context(), roster.UserQuery{State: state, Limit: 100}))(t)), want)
		same(t, "a count", got(s.CountUsers(t.Context(), roster.UserQuery{State: state}))(t), len(want))
		if state == roster.StateLive {
			none := roster.State(200) // nobody's: it is as if it had been the live ones
			same(t, "a page of an unknown state", keys(rowsOf(s.UserPage(t.Context(), roster.UserQuery{State: none, Limit: 100}))(t)), want)
			same(t, "a count of an unknown state", got(s.CountUsers(t.Context(), roster.UserQuery{State: none}))(t), len(want))
		}
		for _, part := range []string{"d", "de", "del", "delete"} { // the texts are the names
			var found []string
			for _, name := range want {
				if strings.Contains(name, part) {
					found = append(found, name)
				}
			}
			q := roster.UserQuery{State: state, Contains: part, Limit: 100}
			same(t, "a page with "+part, keys(rowsOf(s.UserPage(t.Context(), q))(t)), found)
			same(t, "a count with "+part, got(s.CountUsers(t.Context(), q))(t), len(found))
		}
	}
}

func pageCount(t *testing.T, s roster.Store) {
	same(t, "an empty store", got(s.CountUsers(t.Context(), roster.UserQuery{}))(t), 0)
	for i := range 12 {
		insert(t, s, user("user"+string(rune('a'+i))))
	}
	for _, q := range []roster.UserQuery{
		{}, {Limit: 1}, {Limit: 100}, {AfterKey: "userf", AfterID: 3}, {AfterKey: "z", AfterID: 1 << 40, Limit: 2},
	} {
		same(t, "all", got(s.CountUsers(t.Context(), q))(t), 12)
		q.Contains = "user"
		same(t, "containing", got(s.CountUsers(t.Context(), q))(t), 12)
		q.Contains = "b"
		same(t, "containing", got(s.CountUsers(t.Context(), q))(t), 1)
		q.Contains = "nobody"
		same(t, "containing", got(s.CountUsers(t.Context(), q))(t), 0)
	}
}
