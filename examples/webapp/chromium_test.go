//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// chromium is a browser that is spoken to over two pipes, by the DevTools
// protocol: JSON messages that end in a NUL.
type chromium struct {
	t       *testing.T
	in      io.Writer
	answers chan message
	console []string // what pages have complained of
	session string
	last    int
}

type message struct {
	ID        int                       `json:"id,omitempty"`
	Method    string                    `json:"method,omitempty"`
	SessionID string                    `json:"sessionId,omitempty"`
	Params    any                       `json:"params,omitempty"`
	Result    json.RawMessage           `json:"result,omitempty"`
	Error     *struct{ Message string } `json:"error,omitempty"`
}

// openChromium starts a browser with one page. It skips the test where there is
// none.
func openChromium(t *testing.T) *chromium {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium in PATH")
	}
	dir, err := os.MkdirTemp("", "webapp-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--disable-background-networking", "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost", // nothing outside
		"--no-first-run", "--remote-debugging-pipe", "--window-size=1000,900",
		"--disable-breakpad", "--user-data-dir="+dir, "about:blank")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it starts others
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = theirIn.Close(), theirOut.Close()
	c := &chromium{t: t, in: in, answers: make(chan message)}
	go c.read(out)
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = in.Close()
		for range c.answers { // until nobody holds the other end
		}
		_, _ = cmd.Wait(), out.Close()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
			err := os.RemoveAll(dir) // where the last of them may still be writing
			if err == nil {
				return
			}
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
		}
	})
	var target struct{ TargetID string }
	c.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	c.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	c.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		c.call(domain+".enable", nil, nil)
	}
	return c
}

func (c *chromium) read(out io.Reader) {
	defer close(c.answers)
	for r := bufio.NewReader(out); ; {
		text, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(text[:len(text)-1], &m) == nil {
			c.answers <- m
		}
	}
}

// next waits for a message.
func (c *chromium) next() message {
	c.t.Helper()
	select {
	case m, ok := <-c.answers:
		if !ok {
			c.t.Fatal("chromium has ended")
		}
		switch m.Method {
		case "Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled":
			text, _ := json.Marshal(m.Params)
			if !bytes.Contains(text, []byte("status of 422")) { // a form that is shown again
				c.console = append(c.console, string(text))
			}
		}
		return m
	case <-time.After(time.Minute):
		c.t.Fatal("chromium does not answer")
		return message{}
	}
}

func (c *chromium) call(method string, params, result any) {
	c.t.Helper()
	if err := c.try(method, params, result); err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
}

func (c *chromium) try(method string, params, result any) error {
	c.t.Helper()
	c.last++
	text, err := json.Marshal(message{ID: c.last, Method: method, SessionID: c.session, Params: params})
	if err != nil {
		return err
	}
	if _, err := c.in.Write(append(text, 0)); err != nil {
		return err
	}
	for {
		switch m := c.next(); {
		case m.ID != c.last:
		case m.Error != nil:
			return errors.New(m.Error.Message)
		case result != nil:
			return json.Unmarshal(m.Result, result)
		default:
			return nil
		}
	}
}

// eval runs a script in the page and returns what it gives as text.
func (c *chromium) eval(script string) string {
	c.t.Helper()
	text, err := c.tryEval(script)
	if err != nil {
		c.t.Fatalf("%s: %v", script, err)
	}
	return text
}

func (c *chromium) tryEval(script string) (string, error) {
	c.t.Helper()
	var got struct {
		Result           struct{ Value any }
		ExceptionDetails *struct{ Text string }
	}
	err := c.try("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true}, &got)
	if err == nil && got.ExceptionDetails != nil {
		err = errors.New(got.ExceptionDetails.Text)
	}
	return fmt.Sprint(got.Result.Value), err
}

// open goes to a page, and then waits until it is there.
func (c *chromium) open(url string) {
	c.t.Helper()
	c.load(func() { c.call("Page.navigate", map[string]any{"url": url}, nil) })
}

// load waits for the page that fn leads to.
func (c *chromium) load(fn func()) {
	c.t.Helper()
	before := c.eval("window.here = 1, location.pathname")
	fn()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		state, err := c.tryEval("String(window.here === undefined) + document.readyState")
		if err == nil && state == "truecomplete" { // an error is: between two pages
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("no page comes after %s", before)
		}
	}
}

// fill fills the form with the action in, clicks on its button and waits for the
// next page. Fields and values take turns.
func (c *chromium) fill(action string, fields ...string) {
	c.t.Helper()
	form := fmt.Sprintf("document.querySelector('form[action=%q]')", action)
	for i := 0; i < len(fields); i += 2 {
		c.eval(fmt.Sprintf("%s.elements[%q].value = %q", form, fields[i], fields[i+1]))
	}
	c.load(func() { c.eval(form + ".querySelector('button').click()") })
}

// want holds the page to its path and some of its text.
func (c *chromium) want(path string, texts ...string) {
	c.t.Helper()
	if got := c.eval("location.pathname"); got != path {
		c.t.Fatalf("the page is %s, want %s:\n%s", got, path, c.eval("document.body.innerText"))
	}
	for _, text := range texts {
		if body := c.eval("document.body.innerText"); !strings.Contains(body, text) {
			c.t.Fatalf("%s does not say %q:\n%s", path, text, body)
		}
	}
}

// shot takes a picture of the page into the folder that the environment names in
// WEBAPP_SHOTS, for people to look at. Without it the picture must be there all the
// same, and is not kept.
func (c *chromium) shot(name string) {
	c.t.Helper()
	var got struct{ Data string }
	c.call("Page.captureScreenshot", map[string]any{"format": "png"}, &got)
	picture, err := base64.StdEncoding.DecodeString(got.Data)
	if err == nil && len(picture) < 1000 {
		err = errors.New("an empty picture")
	}
	if dir := os.Getenv("WEBAPP_SHOTS"); err == nil && dir != "" {
		err = os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644)
	}
	if err != nil {
		c.t.Error(err)
	}
}
