package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// patience is how long a pipe may stay silent before the first answer. A pipe
// that nobody writes to must not stop the demo.
const patience = 3 * time.Second

// asker asks questions and reads the answers, one a line.
type asker struct {
	show     *screen
	terminal bool // a person answers, and can be asked again
	nobody   bool // no answers will come: take the defaults
	started  bool // there has been an answer
	lines    *bufio.Scanner
}

func newAsker(show *screen, yes bool) *asker {
	stdin := term.IsTerminal(int(os.Stdin.Fd()))
	stdout := term.IsTerminal(int(os.Stdout.Fd()))
	return &asker{
		show:     show,
		terminal: stdin && stdout && !yes,
		nobody:   yes || stdin && !stdout, // who does not see the questions is not asked
		lines:    bufio.NewScanner(os.Stdin),
	}
}

// errLeft says that a person has pressed Ctrl-D.
var errLeft = errors.New("left before the end; run it again to go on")

// line asks for a line. An empty one, or none, is the default.
func (a *asker) line(ctx context.Context, label, def string) (string, error) {
	a.show.prompt(label, def, a.terminal)
	answer, err := a.read(ctx, a.readLine)
	if err != nil {
		return "", err
	}
	if answer = strings.TrimSpace(answer); answer == "" {
		answer = def
	}
	a.echo(answer)
	return answer, nil
}

// password asks for a password without showing it. An empty one, or none, is
// that of the demo person.
func (a *asker) password(ctx context.Context, label string) (string, error) {
	a.show.prompt(label, "that of the demo", a.terminal)
	typed, err := a.secret(ctx)
	switch {
	case err != nil:
		return "", err
	case typed == "":
		a.echo("(that of the demo)")
		return demoPassword, nil
	}
	a.echo("(as given)")
	return typed, nil
}

// newPassword is password, and has a person type it twice.
func (a *asker) newPassword(ctx context.Context, label string) (string, error) {
	for {
		first, err := a.password(ctx, label)
		if err != nil || !a.terminal || first == demoPassword {
			return first, err
		}
		a.show.prompt("Again", "", true)
		second, err := a.secret(ctx)
		if err != nil || second == first {
			return first, err
		}
		a.show.bad("the two are not the same")
	}
}

// echo shows an answer that no terminal has shown.
func (a *asker) echo(answer string) {
	if !a.terminal {
		a.show.echo(answer)
	}
}

// secret reads a line with the terminal's echo off, and sees to it that the
// echo is on again whatever happens.
func (a *asker) secret(ctx context.Context) (string, error) {
	if !a.terminal {
		return a.read(ctx, a.readLine)
	}
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	typed, err := a.read(ctx, func() (string, error) {
		b, err := term.ReadPassword(fd)
		return string(b), err
	})
	a.show.newline()
	if ctx.Err() != nil {
		time.Sleep(50 * time.Millisecond) // the reader may only just have switched it off
		_ = term.Restore(fd, before)
	}
	return typed, err
}

// read runs a reader, and leaves it behind when the context ends.
func (a *asker) read(ctx context.Context, reader func() (string, error)) (string, error) {
	if a.nobody || ctx.Err() != nil {
		return "", ctx.Err()
	}
	type result struct {
		text string
		err  error
	}
	got := make(chan result, 1)
	go func() {
		text, err := reader()
		got <- result{text, err}
	}()
	var silence <-chan time.Time
	if !a.terminal && !a.started {
		silence = time.After(patience)
	}
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-silence:
		a.nobody = true
		return "", nil
	case r := <-got:
		a.started = true
		if !errors.Is(r.err, io.EOF) {
			return r.text, r.err
		}
		if a.terminal {
			a.show.newline()
			return "", errLeft
		}
		a.nobody = true
		return "", nil
	}
}

// readLine reads a line. The last one need not end.
func (a *asker) readLine() (string, error) {
	if a.lines.Scan() {
		return a.lines.Text(), nil
	}
	if err := a.lines.Err(); err != nil {
		return "", fmt.Errorf("read standard input: %w", err)
	}
	return "", io.EOF
}
