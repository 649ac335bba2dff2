package storetest

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var limitCases = []testCase{
	{name: "Limit/Take", rule: "TakeLimits adds one under each key that is less than its Max, and returns these keys, in order.", run: limitTake},
	{name: "Limit/Expiry", rule: "A count that expired at or before now is zero; ExpiresAt is the later of the one there and the one given.", run: limitExpiry},
	{name: "Limit/Clock", rule: "LastAt is the time of the last take that succeeded, also if that is earlier than the one before.", run: limitClock},
	{name: "Limit/Give", rule: "GiveLimits takes one back, never more than there is, or all, and leaves LastAt.", run: limitGive},
	{name: "Limit/Many", rule: "A call names up to MaxLimits keys; more are an InvalidError of FieldLimit.", run: limitMany},
	{name: "Limit/Prune", rule: "PruneLimits deletes at most limit rows that expired at or before now, or in which nothing is left.", run: limitPrune},
	{name: "Limit/Race", rule: "Of many that take under the same keys at once as many succeed as Max allows, under each.", run: limitRace},
	{name: "Limit/RaceGive", rule: "Takes, gives and prunes at once neither lose counts nor wait in a circle.", run: limitRaceGive},
}

// counted is what there is to count under the keys.
func counted(t testing.TB, s roster.Store, now time.Time, keys ...string) map[string]int {
	t.Helper()
	n := map[string]int{}
	for _, c := range got(s.LimitCounts(t.Context(), now, keys...))(t) {
		n[c.Key] = c.N
	}
	return n
}

func limitTake(t *testing.T, s roster.Store) {
	ctx := t.Context()
	now, end := at(0), at(time.Hour)
	same(t, "no counts", got(s.LimitCounts(ctx, now, "a", "b"))(t), []roster.LimitCount{})
	same(t, "the first", got(s.TakeLimits(ctx, now, take("b", 2, end), take("a", 1, end)))(t), []string{"a", "b"})
	same(t, "the second", got(s.TakeLimits(ctx, now, take("b", 2, end), take("a", 1, end), take("C", 1, end)))(t), []string{"C", "b"})
	same(t, "the third", got(s.TakeLimits(ctx, now, take("b", 2, end), take("a", 1, end)))(t), []string{})
	same(t, "a higher limit", got(s.TakeLimits(ctx, now, take("b", 3, end), take("a", 9, end)))(t), []string{"a", "b"})
	same(t, "a lower limit", got(s.TakeLimits(ctx, now, take("b", 1, end)))(t), []string{})
	same(t, "the counts", got(s.LimitCounts(ctx, now, "b", "a", "C", "d"))(t), []roster.LimitCount{
		{Key: "C", N: 1, LastAt: now, ExpiresAt: end}, {Key: "a", N: 2, LastAt: now, ExpiresAt: end}, {Key: "b", N: 3, LastAt: now, ExpiresAt: end},
	})
	same(t, "nothing asked for", got(s.TakeLimits(ctx, now))(t), []string{})
	same(t, "nothing asked for", got(s.LimitCounts(ctx, now))(t), []roster.LimitCount{})
}

func limitExpiry(t *testing.T, s roster.Store) {
	ctx := t.Context()
	end := at(time.Hour)
	got(s.TakeLimits(ctx, at(0), take("a", 2, end)))(t)
	got(s.TakeLimits(ctx, at(time.Minute), take("a", 2, at(time.Second))))(t)
	same(t, "the later end stays", got(s.LimitCounts(ctx, at(0), "a"))(t), []roster.LimitCount{{Key: "a", N: 2, LastAt: at(time.Minute), ExpiresAt: end}})
	before := end.Add(-time.Microsecond)
	same(t, "just before the end", counted(t, s, before, "a"), map[string]int{"a": 2})
	same(t, "just before the end", got(s.TakeLimits(ctx, before, take("a", 2, at(2*time.Hour))))(t), []string{})
	same(t, "at the end", counted(t, s, end, "a"), map[string]int{})
	same(t, "at the end", got(s.TakeLimits(ctx, end, take("a", 2, at(2*time.Hour))))(t), []string{"a"})
	same(t, "anew", got(s.LimitCounts(ctx, end, "a"))(t), []roster.LimitCount{{Key: "a", N: 1, LastAt: end, ExpiresAt: at(2 * time.Hour)}})
	got(s.TakeLimits(ctx, end, take("a", 2, at(3*time.Hour))))(t)
	same(t, "moved on", got(s.LimitCounts(ctx, end, "a"))(t), []roster.LimitCount{{Key: "a", N: 2, LastAt: end, ExpiresAt: at(3 * time.Hour)}})
}

func limitClock(t *testing.T, s roster.Store) {
	ctx := t.Context()
	end := at(100 * time.Hour)
	got(s.TakeLimits(ctx, at(2*time.Hour), take("a", 2, end)))(t)
	got(s.TakeLimits(ctx, at(time.Hour), take("a", 2, end)))(t)
	got(s.TakeLimits(ctx, at(3*time.Hour), take("a", 2, end)))(t)
	same(t, "the last that succeeded", got(s.LimitCounts(ctx, at(0), "a"))(t), []roster.LimitCount{{Key: "a", N: 2, LastAt: at(time.Hour), ExpiresAt: end}})
}

func limitGive(t *testing.T, s roster.Store) {
	ctx := t.Context()
	now, end := at(0), at(time.Hour)
	for range 3 {
		got(s.TakeLimits(ctx, now, take("a", 9, end), take("b", 9, end), take("c", 9, end)))(t)
	}
	ok(t, s.GiveLimits(ctx, []string{"a", "none"}, []string{"b", "nobody"}))
	same(t, "given", got(s.LimitCounts(ctx, now, "a", "b", "c", "none", "nobody"))(t), []roster.LimitCount{
		{Key: "a", N: 2, LastAt: now, ExpiresAt: end}, {Key: "c", N: 3, LastAt: now, ExpiresAt: end},
	})
	for range 3 {
		ok(t, s.GiveLimits(ctx, []string{"a", "b"}, nil))
	}
	same(t, "not below zero", counted(t, s, now, "a", "b", "c"), map[string]int{"c": 3})
	same(t, "taken again", got(s.TakeLimits(ctx, now, take("a", 1, end), take("b", 1, end)))(t), []string{"a", "b"})
	same(t, "from zero", counted(t, s, now, "a", "b", "c"), map[string]int{"a": 1, "b": 1, "c": 3})
	ok(t, s.GiveLimits(ctx, nil, []string{"c"}))
	ok(t, s.GiveLimits(ctx, nil, nil))
	same(t, "all of it", counted(t, s, now, "a", "b", "c"), map[string]int{"a": 1, "b": 1})
}

func limitMany(t *testing.T, s roster.Store) {
	ctx := t.Context()
	var keys []string
	var takes []roster.LimitTake
	for i := range roster.MaxLimits {
		keys = append(keys, strconv.Itoa(i))
		takes = append(takes, take(keys[i], 2, at(time.Duration(i+1)*time.Hour)))
		same(t, "taken", got(s.TakeLimits(ctx, at(0), takes[i:i+1]...))(t), keys[i:])
		same(t, "taken again", len(got(s.TakeLimits(ctx, at(0), takes[:i+1]...))(t)), 1)
	}
	for i, c := range got(s.LimitCounts(ctx, at(0), keys...))(t) {
		same(t, "a count", c, roster.LimitCount{Key: keys[i], N: 2, LastAt: at(0), ExpiresAt: takes[i].ExpiresAt})
	}
	more := append(slices.Clone(keys), "more")
	for what, err := range map[string]error{
		"LimitCounts": only(s.LimitCounts(ctx, at(0), more...)),
		"TakeLimits":  only(s.TakeLimits(ctx, at(0), append(takes, take("more", 1, at(time.Hour)))...)),
		"GiveLimits":  s.GiveLimits(ctx, more[:3], more[3:]),
	} {
		if fields := roster.InvalidFields(err); len(fields) != 1 || fields[0].Field != roster.FieldLimit {
			t.Errorf("%s with too many: %v", what, err)
		}
	}
	ok(t, s.GiveLimits(ctx, keys[:3], keys[3:]))
	same(t, "given", counted(t, s, at(0), keys...), map[string]int{"0": 1, "1": 1, "2": 1})
}

func limitPrune(t *testing.T, s roster.Store) {
	ctx := t.Context()
	now := at(time.Hour)
	for key, end := range map[string]time.Time{
		"a": now, "b": now.Add(-time.Microsecond), "z": at(time.Minute), "later": now.Add(time.Microsecond), "given": at(100 * time.Hour), "all": at(100 * time.Hour),
	} {
		got(s.TakeLimits(ctx, at(0), take(key, 1, end)))(t)
	}
	ok(t, s.GiveLimits(ctx, []string{"given"}, []string{"all"}))
	for _, limit := range []int{0, -1} {
		same(t, "none asked for", got(s.PruneLimits(ctx, now, limit))(t), 0)
	}
	same(t, "nothing left", got(s.PruneLimits(ctx, at(0), 100))(t), 2)
	left := []string{"z", "b", "a", "later"} // in the order of their ends
	for _, n := range []int{2, 1, 0} {
		same(t, "pruned", got(s.PruneLimits(ctx, now, 2))(t), n)
		left = left[n:]
		same(t, "left", len(counted(t, s, at(0), "a", "b", "z", "later")), len(left))
		same(t, "those left", len(counted(t, s, at(0), left...)), len(left))
	}
}

func limitRace(t *testing.T, s roster.Store) {
	n := rounds(10, 2000)
	ctx := bounded(t, n)
	for round := range n {
		a, b := "a"+strconv.Itoa(round), "b"+strconv.Itoa(round)
		taken := make([][]string, 4*crowd)
		for _, err := range together(len(taken), func(i int) (err error) {
			takes := []roster.LimitTake{take(a, crowd, at(time.Hour)), take(b, 3, at(time.Hour))}
			if i%2 == 0 {
				slices.Reverse(takes)
			}
			taken[i], err = s.TakeLimits(ctx, at(0), takes...)
			return err
		}) {
			ok(t, err)
		}
		sums := map[string]int{}
		for _, key := range slices.Concat(taken...) {
			sums[key]++
		}
		same(t, "taken", sums, map[string]int{a: crowd, b: 3})
		same(t, "counted", counted(t, s, at(0), a, b), sums)
	}
}

func limitRaceGive(t *testing.T, s roster.Store) {
	n := rounds(5, 1000)
	ctx := bounded(t, n)
	for round := range n {
		a, b := "a"+strconv.Itoa(round), "b"+strconv.Itoa(round)
		for _, err := range together(2*crowd, func(i int) error {
			if i%8 == 7 {
				return only(s.PruneLimits(ctx, at(0), 10))
			}
			takes := []roster.LimitTake{take(a, 1000, at(time.Hour)), take(b, 1000, at(time.Hour))}
			keys := []string{a, b}
			if i%2 == 0 {
				slices.Reverse(takes)
				slices.Reverse(keys)
			}
			for range 3 {
				if err := only(s.TakeLimits(ctx, at(0), takes...)); err != nil {
					return err
				}
			}
			return s.GiveLimits(ctx, keys, nil)
		}) {
			ok(t, err)
		}
		want := 2 * (2*crowd - 2)
		same(t, "counted", counted(t, s, at(0), a, b), map[string]int{a: want, b: want})
	}
}
