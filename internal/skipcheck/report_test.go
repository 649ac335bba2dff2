package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// The streams are what go test -json printed, without what does not matter.
func TestReport(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stream string
		exit   error  // how go test ended
		wants  string // lines that must be printed, in this order
		bans   string // what must not be printed
		fails  string // in the verdict; empty: it is good
	}{
		{
			name: "pass",
			stream: `
{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Output":"-test.shuffle 1\n"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:4: quiet\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- PASS: TestA (0.00s)\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t1.022s\n"}
{"Action":"pass","Package":"p"}`,
			wants: "ok  \tp\t1.022s\n1 passed, 0 failed, 0 skipped",
			bans:  "quiet",
		},
		{
			name: "skipped subtest",
			stream: `
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestA/sub"}
{"Action":"output","Package":"p","Test":"TestA/sub","Output":"    a_test.go:3: no server here\n"}
{"Action":"output","Package":"p","Test":"TestA/sub","Output":"--- SKIP: TestA/sub (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestA/sub"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}`,
			wants: "--- SKIP: TestA/sub (0.00s)\n  p TestA/sub: no server here\n1 passed, 0 failed, 1 skipped",
			fails: "skipped",
		},
		{
			name: "failure",
			stream: `
{"Action":"output","Package":"p","Output":"-test.shuffle 77\n"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: broken\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- FAIL: TestA (0.00s)\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"FAIL\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}`,
			exit:  errors.New("exit status 1"),
			wants: "    a_test.go:3: broken\n-test.shuffle 77\nFAIL\tp\t0.1s\n  p TestA\n0 passed, 1 failed, 0 skipped",
			fails: "failures",
		},
		{
			name: "time out",
			stream: `
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"panic: test timed out after 1s\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t1.0s\n"}
{"Action":"fail","Package":"p"}`,
			exit:  errors.New("exit status 1"),
			wants: "panic: test timed out after 1s\nFAIL\tp\t1.0s\n  p TestA: did not end\n0 passed, 1 failed, 0 skipped",
			fails: "failures",
		},
		{
			name: "build failure",
			stream: `
{"ImportPath":"p [p.test]","Action":"build-output","Output":"# p [p.test]\n"}
{"ImportPath":"p [p.test]","Action":"build-output","Output":"a_test.go:3:27: undefined: x\n"}
{"ImportPath":"p [p.test]","Action":"build-fail"}
{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}`,
			exit:  errors.New("exit status 1"),
			wants: "a_test.go:3:27: undefined: x\nFAIL\tp [build failed]\n  p\n0 passed, 1 failed, 0 skipped",
			fails: "failures",
		},
		{
			name: "TestMain fails after good tests",
			stream: `
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"leak\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}`,
			exit:  errors.New("exit status 1"),
			wants: "leak\nFAIL\tp\t0.1s\n  p\n1 passed, 1 failed, 0 skipped",
			fails: "failures",
		},
		{
			name: "TestMain leaves before the tests",
			stream: `
{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}`,
			wants: "  p: ran none of its tests\n0 passed, 0 failed, 1 skipped",
			fails: "skipped",
		},
		{
			name: "no tests",
			stream: `
{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Output":"?   \tp\t[no test files]\n"}
{"Action":"skip","Package":"p"}
{"Action":"output","Package":"q","Output":"ok  \tq\t0.1s [no tests to run]\n"}
{"Action":"pass","Package":"q"}`,
			wants: "?   \tp\t[no test files]\n0 passed, 0 failed, 0 skipped",
			fails: "no test",
		},
		{
			name:   "go test breaks off",
			stream: "flag provided but not defined: -nonsense",
			exit:   errors.New("exit status 2"),
			wants:  "flag provided but not defined: -nonsense\n0 passed, 0 failed, 0 skipped",
			fails:  "exit status 2",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			r := newReport(&out)
			if err := read(strings.NewReader(strings.TrimSpace(tt.stream)+"\n"), r); err != nil {
				t.Fatal(err)
			}
			r.summary(time.Second)
			rest := out.String()
			for want := range strings.SplitSeq(tt.wants, "\n") {
				_, after, ok := strings.Cut(rest, want+"\n")
				if !ok {
					t.Fatalf("%q is missing, or out of order, in:\n%s", want, out.String())
				}
				rest = after
			}
			if tt.bans != "" && strings.Contains(out.String(), tt.bans) {
				t.Errorf("%q was printed:\n%s", tt.bans, out.String())
			}
			switch err := r.verdict(tt.exit); {
			case err == nil && tt.fails != "":
				t.Errorf("the verdict is good, and should be about %q", tt.fails)
			case err != nil && (tt.fails == "" || !strings.Contains(err.Error(), tt.fails)):
				t.Errorf("verdict: %v, and should be about %q", err, tt.fails)
			}
		})
	}
}
