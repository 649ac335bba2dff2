package storetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-roster/roster"
)

var searchCases = []testCase{
	{name: "Search/Substring", rule: "Contains finds every text that it is a substring of, byte for byte, and no other.", run: searchSubstring},
	{name: "Search/Changes", rule: "What a user was found by before an update or a purge finds nobody after it.", run: searchChanges},
	{name: "Search/Pages", rule: "A search is paged, ordered and narrowed to a state like any page.", run: searchPages},
	{name: "Search/Transaction", rule: "A search inside a transaction sees its writes, and after a rollback it finds what it found before.", run: searchTransaction},
}

// texts are searched in, and so is every string of the patterns.
var texts = []string{
	"", "a", "ab", "abc", "abcd", "aaa", "aaaa", "banana", "bananas and ananas", "100% sure", "100 sure", "per_cent", "percent", "per-cent",
	`back\slash`, `back\\slash`, `say "hello" twice`, "say hello twice", "star*", "star", "^caret", "near(ann ben)", "ann or ben", "ann and not ben",
	"it's", "its", "a:b", "{a}", "col : val", "éclair", "e\u0301clair", "eclair", "straße", "strasse", "\u4e2d\u6587\u540d\u5b57", "\u4e2d\u56fd", "\u65e5\u672c\u8a9e",
	"\U0001f600\U0001f601\U0001f602", "x\U0001f600y", "\U0001d538\U0001d539", "ann\nann example", "two  spaces", "two spaces", "tab\tbed", "Upper", "upper", "UPPER",
	"\u0399\u03a9\u0391\u039d\u039d\u0397\u03a3", "\u03b9\u03c9\u03b1\u03bd\u03bd\u03b7\u03c2", "ı", "i", "ﬁ", "fi", "?", "??", "$1", ":a", "@b", "%", "%%", "_", "___", `\`, `\\`, `\%`, "''", "'",
	`"`, `""`, "*", "**", "-", "--", "ann* OR ben*", "+ann", "(", ")", ".*", "[a-c]", "\u00ad", "zero\u200bwidth",
	strings.Repeat("long ", 3000) + "needle", strings.Repeat("ab", 2000),
}

func searchSubstring(t *testing.T, s roster.Store) {
	ctx := t.Context()
	search := map[string]string{}
	ok(t, s.Atomic(ctx, func(ctx context.Context) error { // one commit for all
		for i, text := range texts {
			u := &roster.User{UUID: newUUID(), NameKey: fmt.Sprintf("user%03d", i), ActivatedAt: at(0)}
			if err := s.InsertUser(ctx, u, text); err != nil {
				return err
			}
			search[u.NameKey] = text
		}
		return nil
	}))

	patterns := map[string]bool{"": true, "needle and more than the text has": true, "abcde": true, "nanas a": true, "zzz": true, "qq": true, "q": true}
	for i, text := range texts {
		runes := []rune(text)
		if len(runes) > 40 {
			runes = runes[len(runes)-10:]
		}
		patterns[string(runes)] = true
		if i%4 == 0 {
			patterns[string(runes)+"!"] = true
		}
		for n := 1; n <= 4; n++ { // around the length of a trigram
			if from := len(runes)/2 - n/2; from >= 0 && from+n <= len(runes) {
				patterns[string(runes[from:from+n])] = true
			}
		}
	}
	for i, pattern := range slices.Sorted(maps.Keys(patterns)) {
		var want []string
		for name, text := range search {
			if strings.Contains(text, pattern) {
				want = append(want, name)
			}
		}
		slices.Sort(want)
		q := roster.UserQuery{Contains: pattern, Limit: 1000}
		found := keys(rowsOf(s.UserPage(ctx, q))(t))
		for _, name := range append(slices.Clone(found), want...) {
			if slices.Contains(found, name) != slices.Contains(want, name) {
				t.Errorf("%q in %.60q: found %v, want %v", pattern, search[name], slices.Contains(found, name), slices.Contains(want, name))
			}
		}
		if !t.Failed() && !slices.Equal(found, want) {
			t.Errorf("%q: the order differs", pattern)
		}
		if i%3 == 1 && len(want) > 0 { // a page that they fill may be found in another way
			q.Limit = (len(want) + 1) / 2
			same(t, fmt.Sprintf("the first page of %q", pattern), keys(rowsOf(s.UserPage(ctx, q))(t)), want[:q.Limit])
		}
		if i%3 == 0 {
			same(t, fmt.Sprintf("the count of %q", pattern), got(s.CountUsers(ctx, q))(t), len(want))
		}
	}
}

var nobody []string

// finds are the names of the users in any state whose text contains the pattern.
func finds(ctx context.Context, t testing.TB, s roster.Store, pattern string) []string {
	t.Helper()
	live := keys(rowsOf(s.UserPage(ctx, roster.UserQuery{State: roster.StateLive, Contains: pattern, Limit: 100}))(t))
	return append(live, keys(rowsOf(s.UserPage(ctx, roster.UserQuery{State: roster.StateDeleted, Contains: pattern, Limit: 100}))(t))...)
}

func searchChanges(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := user("ann"), user("ben")
	ok(t, s.InsertUser(ctx, ann, "first text"))
	ok(t, s.InsertUser(ctx, ben, "first text too"))
	ok(t, s.UpdateUser(ctx, ann, "second"))
	for pattern, want := range map[string][]string{
		"first text": {"ben"}, "first": {"ben"}, "rst": {"ben"}, "f": {"ben"}, "second": {"ann"}, "eco": {"ann"}, "d": {"ann"}, "t": {"ben"},
	} {
		same(t, "after an update, "+pattern, finds(ctx, t, s, pattern), want)
	}
	ok(t, s.RecordLogin(ctx, ann.ID, at(0), "::1"))
	same(t, "after a login", finds(ctx, t, s, "second"), []string{"ann"})
	ok(t, s.UpdateUser(ctx, ann, ""))
	same(t, "after an update to nothing", finds(ctx, t, s, "second"), nobody)
	ok(t, s.UpdateUser(ctx, ann, "third"))
	ben.DeletedAt = at(0)
	ok(t, s.UpdateUser(ctx, ben, "fourth"))
	same(t, "a deleted user", finds(ctx, t, s, "fourth"), []string{"ben"})
	ok(t, s.PurgeUser(ctx, ben.ID))
	insert(t, s, user("cat"))
	for _, pattern := range []string{"fourth", "our", "fo", "first text too", "first", "second"} {
		same(t, "after a purge, "+pattern, finds(ctx, t, s, pattern), nobody)
	}
	same(t, "somebody else", finds(ctx, t, s, "third"), []string{"ann"})
	same(t, "somebody else", finds(ctx, t, s, "cat"), []string{"cat"})
}

func searchPages(t *testing.T, s roster.Store) {
	var want []string
	for i := range 40 {
		name := string(rune('a'+i%3)) + string(rune('A'+i))
		if i%3 == 2 {
			ok(t, s.InsertUser(t.Context(), deletedUser(name), "the pattern"))
			continue
		}
		text := "the pattern"
		if i%4 == 0 {
			text = "something else"
		} else {
			want = append(want, name)
		}
		ok(t, s.InsertUser(t.Context(), user(name), text))
	}
	slices.Sort(want)
	for _, pattern := range []string{"pattern", "pa", "p"} {
		for _, limit := range []int{1, 4, 100} {
			same(t, "found by "+pattern, keys(paged(t, s, roster.UserQuery{Contains: pattern, Limit: limit})), want)
		}
		same(t, "deleted", got(s.CountUsers(t.Context(), roster.UserQuery{State: roster.StateDeleted, Contains: pattern}))(t), 13)
	}
}

func searchTransaction(t *testing.T, s roster.Store) {
	ann, ben := user("ann"), user("ben")
	ok(t, s.InsertUser(t.Context(), ann, "text of ann"))
	ok(t, s.InsertUser(t.Context(), ben, "text of ben"))
	err := s.Atomic(t.Context(), func(ctx context.Context) error {
		cat := user("cat")
		ok(t, s.InsertUser(ctx, cat, "text of cat"))
		changed := *ann
		ok(t, s.UpdateUser(ctx, &changed, "changed"))
		ok(t, s.PurgeUser(ctx, ben.ID))
		same(t, "inside", finds(ctx, t, s, "text"), []string{"cat"})
		same(t, "inside", finds(ctx, t, s, "changed"), []string{"ann"})
		same(t, "outside", finds(t.Context(), t, s, "text"), []string{"ann", "ben"})
		same(t, "outside", finds(t.Context(), t, s, "ch"), nobody)
		return errRollback
	})
	fails(t, "Atomic", err, errRollback)
	same(t, "afterwards", finds(t.Context(), t, s, "text of"), []string{"ann", "ben"})
	same(t, "afterwards", finds(t.Context(), t, s, "xt"), []string{"ann", "ben"})
	same(t, "afterwards", finds(t.Context(), t, s, "cat"), nobody)
	same(t, "afterwards", finds(t.Context(), t, s, "changed"), nobody)
}
