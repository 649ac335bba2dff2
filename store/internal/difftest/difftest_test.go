package difftest

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-roster/roster"
)

// steps is how long a script is. Longer ones find little more.
const steps = 110

// TestStoresAgree runs the same random scripts on all stores.
func TestStoresAgree(t *testing.T) { agree(t, targets[roster.User, roster.Group](t), seeds(t)) }

func agree(t *testing.T, all []target, count int) {
	first := uint64(1)
	if text := os.Getenv("ROSTER_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		first, count = seed, 1
	}
	open := make([]roster.Store, len(all))
	total := map[string]int{}
	for seed := first; seed < first+uint64(count); seed++ {
		ops := script(seed, steps)
		if (seed-first)%100 == 0 { // an old one may have grown habits
			for i, target := range all {
				open[i] = target.open(t)
			}
		}
		played := runAll(t, open, ops)
		for what, n := range played[0].counts {
			total[what] += n
		}
		for i, p := range played {
			if !slices.Equal(p.answers, played[0].answers) {
				report(t, seed, all[0], all[i], ops)
				return
			}
		}
	}
	covered(t, count, total)
}

func seeds(t *testing.T) int {
	if text := os.Getenv("ROSTER_SEEDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if os.Getenv("ROSTER_SOAK") == "1" {
		return 20_000
	}
	return 200
}

// runAll plays a script on the stores, each of which is emptied first.
func runAll(t *testing.T, stores []roster.Store, ops []op) []*player {
	t.Helper()
	players := make([]*player, len(stores))
	errs := make([]error, len(stores))
	var wg sync.WaitGroup
	for i, s := range stores {
		p := newPlayer(t.Context(), s)
		players[i] = p
		wg.Go(func() {
			if errs[i] = p.wipe(t.Context()); errs[i] == nil {
				p.play(t.Context(), ops)
				p.dump(t.Context())
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("wipe: %v", err)
	}
	return players
}

// report prints where the two stores part, with as short a script as can be
// found.
func report(t *testing.T, seed uint64, a, b target, ops []op) {
	t.Helper()
	fresh := []roster.Store{a.open(t), b.open(t)}
	differ := func(ops []op) bool {
		played := runAll(t, fresh, ops)
		return !slices.Equal(played[0].answers, played[1].answers)
	}
	if !differ(ops) {
		t.Errorf("seed %d: %s and %s differ, but not when they are fresh: it takes the seeds before it", seed, a.name, b.name)
		return
	}
	ops = shrink(ops, differ, 400)
	played := runAll(t, fresh, ops)
	pa, pb := played[0], played[1]
	for i := range min(len(pa.answers), len(pb.answers)) {
		if pa.answers[i] == pb.answers[i] {
			continue
		}
		t.Errorf("seed %d: %s and %s differ.\n\nThe script:\n%s\n\nAt this step %s says\n%s\n\nand %s says\n%s",
			seed, a.name, b.name, text(ops), a.name, pa.answers[i], b.name, pb.answers[i])
		return
	}
	t.Errorf("seed %d: %s and %s differ in the number of answers", seed, a.name, b.name)
}

func text(ops []op) string {
	var b strings.Builder
	for _, o := range ops {
		b.WriteString(o.indented("\t") + "\n")
	}
	return b.String()
}

// shrink leaves out what it can while the stores still differ, and tries that
// often at most.
func shrink(ops []op, differ func([]op) bool, tries int) []op {
	for size := len(ops) / 2; size > 0; {
		smaller := false
		for i := 0; i < len(ops) && tries > 0; i += size {
			less := slices.Delete(slices.Clone(ops), i, min(i+size, len(ops)))
			tries--
			if differ(less) {
				ops, smaller = less, true
				i -= size
			}
		}
		if !smaller || size > len(ops) {
			size /= 2
		}
	}
	for i, o := range ops { // now inside of transactions
		if len(o.Ops) > 0 {
			ops[i].Ops = shrink(o.Ops, func(inner []op) bool {
				tries--
				with := slices.Clone(ops)
				with[i].Ops = inner
				return tries > 0 && differ(with)
			}, tries)
		}
	}
	return ops
}

// covered reports the steps that never worked out, or never failed where they
// can: then the scripts prove less than they should.
func covered(t *testing.T, count int, total map[string]int) {
	t.Helper()
	t.Logf("%d scripts, %d transactions committed and %d rolled back", count, total["commit"], total["rollback"])
	if count < 100 {
		return
	}
	for _, k := range kinds {
		t.Logf("%-18s %6d, %6d failed", k.name, total[k.name], total[k.name+" failed"])
		if good := total[k.name] - total[k.name+" failed"]; good < count/20 {
			t.Errorf("%s succeeded %d times in %d scripts", k.name, good, count)
		}
	}
	if total["commit"] < count || total["rollback"] < count {
		t.Error("too few transactions")
	}
}
