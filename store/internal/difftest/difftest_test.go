package difftest

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-roster/roster"
)

// steps is how long a script is. Longer ones find little more.
const steps = 70

// TestStoresAgree runs the same random scripts on all stores.
func TestStoresAgree(t *testing.T) {
	first, count := uint64(1), seeds(t)
	if text := os.Getenv("ROSTER_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		first, count = seed, 1
	}
	all := targets(t)
	open := make([]roster.Store, len(all))
	total := map[string]int{}
	for seed := first; seed < first+uint64(count); seed++ {
		ops := script(seed, steps)
		var want []string
		for i, target := range all {
			if (seed-first)%100 == 0 { // an old one may have grown habits
				open[i] = target.open(t)
			}
			p := run(t, open[i], ops)
			if i == 0 {
				want = p.answers
				for what, n := range p.counts {
					total[what] += n
				}
			} else if !slices.Equal(p.answers, want) {
				report(t, seed, all[0], target, ops)
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
	return 300
}

// run plays a script on a store that is emptied first.
func run(t *testing.T, s roster.Store, ops []op) *player {
	t.Helper()
	ctx := t.Context()
	p := newPlayer(ctx, s)
	if err := p.wipe(ctx); err != nil {
		t.Fatalf("wipe: %v", err)
	}
	p.play(ctx, ops)
	p.dump(ctx)
	return p
}

// report prints where the two stores part, with as short a script as can be
// found.
func report(t *testing.T, seed uint64, a, b target, ops []op) {
	t.Helper()
	sa, sb := a.open(t), b.open(t)
	differ := func(ops []op) bool { return !slices.Equal(run(t, sa, ops).answers, run(t, sb, ops).answers) }
	if !differ(ops) {
		t.Errorf("seed %d: %s and %s differ, but not when they are fresh: it takes the seeds before it", seed, a.name, b.name)
		return
	}
	ops = shrink(ops, differ, 400)
	pa, pb := run(t, sa, ops), run(t, sb, ops)
	for i := range pa.answers {
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
