package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain makes the test binary the program itself when a test starts it.
func TestMain(m *testing.M) {
	if os.Getenv("BE_QUICKSTART") != "" {
		os.Exit(quickstart())
	}
	os.Exit(m.Run())
}

// result is what one run has left behind.
type result struct {
	code   int
	stdout string
	stderr string
}

// program prepares a run in a directory. Without a Stdin it has no answers.
func program(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "BE_QUICKSTART=1", "TZ=UTC")
	return cmd
}

func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r := result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
	if strings.Contains(r.stdout+r.stderr, "\x1b") {
		t.Errorf("colours although nobody looks: %q", r.stdout+r.stderr)
	}
	return r
}

// play runs the program with these lines as answers.
func play(t *testing.T, dir, answers string, args ...string) result {
	t.Helper()
	cmd := program(t, dir, args...)
	if answers != "" {
		cmd.Stdin = strings.NewReader(answers)
	}
	return finish(t, cmd)
}

// want checks the exit code, and what must stand somewhere in the output, in
// this order.
func (r result) want(t *testing.T, code int, parts ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	rest := r.stdout + r.stderr
	for _, part := range parts {
		_, after, ok := strings.Cut(rest, part)
		if !ok {
			t.Errorf("no %q", part)
			continue
		}
		rest = after
	}
	if t.Failed() {
		t.Logf("it printed\n%s%s", r.stdout, r.stderr)
	}
}

func (r result) wantNone(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(r.stdout+r.stderr, part) {
			t.Errorf("%q is shown in\n%s%s", part, r.stdout, r.stderr)
		}
	}
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := play(t, dir, "")
	r.want(t, exitOK,
		"Sign up", "users.Register",
		"To        ann@example.org", "https://example.org/activate#", "ann is registered",
		"users.Peek, users.Activate", "The code is for ann@example.org", "The address is activated",
		"users.Authenticate", "by name      ann", "by address   ann@example.org",
		"Real name     Ann Example", "ann@example.org  activated, primary", "State         active",
		`"Ann Example" <ann@example.org>`, "(1 account in all)", "Done.")
	r.wantNone(t, demoPassword)

	r = play(t, dir, "")
	r.want(t, exitOK, "ann is here already", "by name      ann", "by address   ann@example.org", "State         active", "Done.")
	r.wantNone(t, "users.Register", "a mail", demoPassword)

	if files, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(files) != 1 {
		t.Errorf("%v is left behind (%v), want roster.db alone", files, err)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := filepath.Join(dir, "people.db")
	person := []string{
		"-db", db, "-name", "jürgen", "-real-name", "Jürgen Großmann", "-email", "jg@example.org",
		"-password", "not seen by anybody", "-locale", "de_AT", "-timezone", "Europe/Vienna",
	}
	r := play(t, dir, "", person...)
	r.want(t, exitOK, "Password   (as given)", "Language  de-AT", "Real name     Jürgen Großmann",
		"Language      de-AT", "Time zone     Europe/Vienna", " CE", "Done.")
	r.wantNone(t, "not seen by anybody")
	if _, err := os.Stat(db); err != nil {
		t.Error(err)
	}

	r = play(t, dir, "", person...)
	r.want(t, exitOK, "jürgen is here already", "-email, -real-name, -locale, -timezone: only for a new account", "Done.")

	r = play(t, dir, "", "-db", db, "-yes")
	r.want(t, exitOK, "ann is registered", "(2 accounts in all)", "Done.")
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		args []string
		want []string
	}{
		{"unknown", []string{"-nam", "x"}, []string{"not defined: -nam", "Usage: quickstart"}},
		{"argument", []string{"ann"}, []string{`unexpected argument "ann"`}},
		{"no file", []string{"-db", ""}, []string{"-db: the name of the file is missing"}},
		{"empty name", []string{"-name", ""}, []string{"-name: the name is missing"}},
		{"reserved", []string{"-name", "admin"}, []string{"-name: the name is kept for the system"}},
		{"no address", []string{"-email", "ann"}, []string{"-email: the address is not written as it should be"}},
		{"controls", []string{"-real-name", "a\x1b[2Jb"}, []string{"-real-name: the real name has a character"}},
		{"all at once", []string{
			"-name", "a b", "-email", "@", "-password", "short", "-locale", "plain english", "-timezone", "Mars/Olympus",
		}, []string{
			"-locale: the language is not known", "-timezone: the time zone is not known",
			"-name: the name has a character", "-email: the address", "-password: the password is too short",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := play(t, t.TempDir(), "", c.args...)
			r.want(t, exitUsage)
			for _, part := range c.want {
				if !strings.Contains(r.stderr, part) {
					t.Errorf("no %q in %s", part, r.stderr)
				}
			}
			r.wantNone(t, "✓")
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	r := play(t, t.TempDir(), "", "-h")
	r.want(t, exitOK, "Usage: quickstart [flags]", "-timezone", "Exit codes")
	if r.stderr != "" {
		t.Errorf("on the standard error: %s", r.stderr)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := play(t, dir, "ben\n\nsecret enough\r\nBenno\nfr\nEurope/Paris\n")
	r.want(t, exitOK, "ben is registered", "ben@example.org", "Real name     Benno", "Language      fr", "Done.")
	r.wantNone(t, "secret enough")

	r = play(t, dir, "ben\nsecret enough")
	r.want(t, exitOK, "ben is here already", "Done.")

	r = play(t, dir, "ben\na wrong guess\n")
	r.want(t, exitFailure, "ben is here already", "that password is wrong")
	r.wantNone(t, "by name", "a wrong guess")

	r = play(t, dir, "cleo\nben@example.org\n")
	r.want(t, exitFailure, "The address is somebody else's", "not registered")
	r = play(t, dir, "", "-name", "cleo", "-email", "ben@example.org")
	r.want(t, exitFailure, "The address is somebody else's", "not registered")
	r = play(t, dir, "cleo\nnowhere\n")
	r.want(t, exitFailure, "The address is not written as it should be", "not registered")
}

func TestCodes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const form = "dora\n\n\n\n\n\n"

	r := play(t, dir, form+"this is not the code\n")
	r.want(t, exitFailure, "dora is registered", "that code is not good")

	// What is pending can still be proven: by the code of the first mail,
	old := regexp.MustCompile(`https://example\.org/activate#\S{43}`).FindString(r.stdout)
	if old == "" {
		t.Fatal("no link in the mail")
	}
	// not once another one was sent,
	r = play(t, dir, "dora\n\nnew\n"+old+"\n")
	r.want(t, exitFailure, "dora is here already", "waits to be proven", "a mail", "that code is not good")

	// but then by the newest, as a link
	r = play(t, dir, "dora\n\nnew\nstop here\n")
	link := regexp.MustCompile(`https://example\.org/activate#\S{43}`).FindString(r.stdout)
	r = play(t, dir, "dora\n\n"+link+"\n")
	r.want(t, exitOK, "dora is here already", "The address is activated", "Done.")
	r.wantNone(t, "a mail")
}

func TestPendingWithoutAnswers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	play(t, dir, "\n\n\n\n\n\nno code\n").want(t, exitFailure, "ann is registered")
	play(t, dir, "").want(t, exitOK, "ann is here already", "a mail", "The address is activated", "Done.")
}

func TestSilentPipe(t *testing.T) {
	t.Parallel()
	reader, writer := pipe(t)
	defer writer.Close()
	cmd := program(t, t.TempDir())
	cmd.Stdin = reader
	finish(t, cmd).want(t, exitOK, "ann is registered", "Done.")
}

func TestInterrupt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	reader, writer := pipe(t)
	defer writer.Close()
	cmd := program(t, dir)
	cmd.Stdin = reader
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(writer, "\n\n\n\n\n\n"); err != nil {
		t.Fatal(err)
	}
	seen := new(bytes.Buffer)
	for buf := make([]byte, 4096); !strings.Contains(seen.String(), "Code "); {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("%v after\n%s", err, seen)
		}
		seen.Write(buf[:n])
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(seen, out)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d\n%s%s", code, exitInterrupted, seen, &stderr)
	}
	if !strings.Contains(stderr.String(), "Interrupted.") {
		t.Errorf("it says %q", &stderr)
	}
	play(t, dir, "").want(t, exitOK, "ann is here already", "The address is activated", "Done.")
}

// pipe returns a pipe whose reading end is good for a child.
func pipe(t *testing.T) (reader, writer *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	return reader, writer
}

func TestUnusableFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	corrupt := filepath.Join(dir, "corrupt.db")
	if err := os.WriteFile(corrupt, bytes.Repeat([]byte("this is no database\n"), 500), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, db := range map[string]string{
		"corrupt":             corrupt,
		"a directory":         dir,
		"no such directory":   filepath.Join(dir, "none", "roster.db"),
		"read-only directory": filepath.Join(readOnly(t), "roster.db"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := play(t, dir, "", "-db", db)
			r.want(t, exitFailure, "quickstart: open "+db+": the database cannot be used: ")
			if n := strings.Count(r.stderr, "\n"); n != 1 {
				t.Errorf("%d lines of error:\n%s", n, r.stderr)
			}
		})
	}
	if b, err := os.ReadFile(corrupt); err != nil || !bytes.HasPrefix(b, []byte("this is no database")) {
		t.Errorf("the corrupt file was changed (%v)", err)
	}
}

// readOnly returns a directory in which no file can be made.
func readOnly(t *testing.T) string {
	t.Helper()
	if os.Geteuid() == 0 && runtime.GOOS == "linux" {
		return "/proc" // modes do not stop root
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLeft(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		24 * time.Hour:                "24 hours",
		24*time.Hour - 20*time.Second: "24 hours",
		80 * time.Minute:              "1 hour",
		25 * time.Minute:              "25 minutes",
		time.Minute:                   "1 minute",
	} {
		if got := left(d); got != want {
			t.Errorf("left(%s) is %q, want %q", d, got, want)
		}
	}
}
