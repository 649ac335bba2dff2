package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// event is a line of go test -json, as "go doc test2json" and "go help
// buildjson" describe it.
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
}

// report gathers events. It prints what a person wants to see of a run, which
// is what go test prints without -v: a line for each package, the output of
// what failed or was skipped, and nothing of what passed.
type report struct {
	out      io.Writer
	verbose  bool
	packages map[string]*pkg
	passed   int
	failed   []string
	skipped  []string
}

type pkg struct {
	output  []string            // what belongs to no test
	running map[string][]string // the output of the tests that have not ended
	tests   int
	failed  int
	empty   bool // go test said itself that there is no test to run
}

func newReport(out io.Writer) *report {
	return &report{out: out, packages: make(map[string]*pkg)}
}

func (r *report) print(lines ...string) {
	for _, line := range lines {
		_, _ = io.WriteString(r.out, line)
	}
}

func (r *report) add(e event) {
	if e.Action == "build-output" {
		r.print(e.Output)
		return
	}
	if e.Package == "" {
		return
	}
	p := r.packages[e.Package]
	if p == nil {
		p = &pkg{running: make(map[string][]string)}
		r.packages[e.Package] = p
	}
	if e.Test == "" {
		r.addPackage(p, e)
	} else {
		r.addTest(p, e)
	}
}

func (r *report) addTest(p *pkg, e event) {
	name := e.Package + " " + e.Test
	switch e.Action {
	case "run":
		p.tests++
		p.running[e.Test] = nil
	case "output":
		if r.verbose {
			r.print(e.Output)
		}
		if !strings.HasPrefix(e.Output, "=== ") {
			p.running[e.Test] = append(p.running[e.Test], e.Output)
		}
	case "pass":
		r.passed++
		delete(p.running, e.Test)
	case "fail":
		p.failed++
		r.failed = append(r.failed, name)
		r.flush(p.running[e.Test])
		delete(p.running, e.Test)
	case "skip":
		r.skipped = append(r.skipped, name+reason(p.running[e.Test]))
		r.flush(p.running[e.Test])
		delete(p.running, e.Test)
	}
}

func (r *report) addPackage(p *pkg, e event) {
	switch e.Action {
	case "output":
		switch word, _, _ := strings.Cut(e.Output, "\t"); word {
		case "ok  ", "?   ":
			p.empty = strings.Contains(e.Output, "[no test")
			r.print(e.Output)
			p.output = nil
		case "FAIL":
			r.flushAll(p)
			r.print(e.Output)
		default:
			if r.verbose {
				r.print(e.Output)
			}
			p.output = append(p.output, e.Output)
		}
	case "pass":
		for _, test := range slices.Sorted(maps.Keys(p.running)) {
			r.failed = append(r.failed, e.Package+" "+test+": did not end")
		}
		if p.tests == 0 && !p.empty {
			r.skipped = append(r.skipped, e.Package+": ran none of its tests")
		}
		p.running = nil
	case "fail":
		r.flushAll(p)
		for _, test := range slices.Sorted(maps.Keys(p.running)) {
			p.failed++
			r.failed = append(r.failed, e.Package+" "+test+": did not end")
		}
		if p.failed == 0 {
			r.failed = append(r.failed, e.Package)
		}
		p.running = nil
	}
}

// flush prints what was held back, unless it was printed as it came.
func (r *report) flush(lines []string) {
	if !r.verbose {
		r.print(lines...)
	}
}

// flushAll prints all that a failing package has said so far.
func (r *report) flushAll(p *pkg) {
	for _, test := range slices.Sorted(maps.Keys(p.running)) {
		r.flush(p.running[test])
		p.running[test] = nil
	}
	r.flush(p.output)
	p.output = nil
}

// reason is what the test said last, without the place where it said so.
func reason(lines []string) string {
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimSpace(lines[i])
		if line == "" || strings.HasPrefix(line, "--- ") {
			continue
		}
		if _, text, ok := strings.Cut(line, ": "); ok {
			line = text
		}
		return ": " + line
	}
	return ""
}

// summary prints the closing lines.
func (r *report) summary(took time.Duration) {
	list := func(title string, names []string) {
		if len(names) > 0 {
			r.print("\n", title, "\n  ", strings.Join(names, "\n  "), "\n")
		}
	}
	list("Failed:", r.failed)
	list("Skipped, which this run does not allow:", r.skipped)
	r.print(fmt.Sprintf("\npackages: %d, time: %s\n", len(r.packages), took.Round(100*time.Millisecond)))
	r.print(fmt.Sprintf("%d passed, %d failed, %d skipped\n", r.passed, len(r.failed), len(r.skipped)))
}

// verdict is nil if the run is good. err is how go test ended.
func (r *report) verdict(err error) error {
	switch {
	case len(r.failed) > 0:
		return errors.New("there are failures")
	case err != nil:
		return fmt.Errorf("go test: %w", err)
	case len(r.skipped) > 0:
		return errors.New("tests were skipped")
	case r.passed == 0:
		return errors.New("no test was run")
	}
	return nil
}
