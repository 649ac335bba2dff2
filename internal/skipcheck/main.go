// Command skipcheck runs "go test" with the arguments it is given, prints what
// go test would print, and is stricter about the end: a test that was skipped
// fails the run, and so does a run of no test at all.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "skipcheck:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	// A terminal interrupts go test as well. Read on until it has ended.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)

	start := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	r := newReport(os.Stdout)
	r.verbose = slices.Contains(args, "-v")
	readErr := read(stdout, r)
	_, _ = io.Copy(io.Discard, stdout) // so that go test never waits for a reader
	waitErr := cmd.Wait()
	r.summary(time.Since(start))
	return errors.Join(readErr, r.verdict(waitErr))
}

// read feeds the lines of go test -json to the report. What is not an event is
// printed as it stands.
func read(in io.Reader, r *report) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil && e.Action != "" {
				r.add(e)
			} else {
				r.print(string(line))
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
