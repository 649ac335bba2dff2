package main

import (
	"context"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster/store/sqlite"
)

// started is the program as main runs it, on SQLite, with mails in a folder.
type started struct {
	config
	stop context.CancelFunc
	done chan error
}

func start(t *testing.T) *started {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	dir := t.TempDir()
	s := &started{
		config{base: "http://localhost:" + port, db: filepath.Join(dir, "webapp.db"), mails: filepath.Join(dir, "mails")},
		stop, make(chan error, 1),
	}
	go func() { s.done <- run(ctx, s.config, listener, slog.New(slog.NewTextHandler(t.Output(), nil))) }()
	t.Cleanup(func() { stop(); <-s.done; s.done <- nil })
	return s
}

// mailTo waits for a mail to an address, of a kind that is part of its file's
// name, and returns the first link in it.
func (s *started) mailTo(t *testing.T, kind, address string) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		names, _ := filepath.Glob(filepath.Join(s.mails, "*-"+kind+"-"+address+"-*.eml"))
		if len(names) == 0 {
			continue
		}
		if link := linkIn(names[len(names)-1]); link != "" {
			return link
		}
	}
	t.Fatalf("no mail of the kind %s to %s", kind, address)
	return ""
}

var link = regexp.MustCompile(`http://localhost\S+`)

// linkIn finds the first link in a file, which may not be all there yet.
func linkIn(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	m, err := mail.ReadMessage(f)
	if err != nil {
		return ""
	}
	_, boundary, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	part, err := multipart.NewReader(m.Body, boundary["boundary"]).NextPart() // decodes quoted-printable
	if err != nil {
		return ""
	}
	text, err := io.ReadAll(part)
	if err != nil {
		return ""
	}
	return link.FindString(string(text))
}

// The program that is asked to stop finishes what it has begun: whose sign-up was
// answered gets a mail.
func TestStops(t *testing.T) {
	s := start(t)
	b := newBrowser(t, s.base)
	for _, name := range []string{"ann", "ben", "eve"} {
		b.want(b.post("/sign-up", "name", name, "email", name+"@example.org", "password", secret), 200, "/sign-up")
	}
	s.stop()
	if err := <-s.done; err != nil {
		t.Fatal(err)
	}
	s.done <- nil
	for _, name := range []string{"ann", "ben", "eve"} {
		if link := s.mailTo(t, "activate_account", name+"@example.org"); !strings.HasPrefix(link, s.base+"/code?code=") {
			t.Errorf("the link is %s", link)
		}
	}
	store, err := sqlite.Open(t.Context(), s.db) // nobody holds it open
	if err != nil {
		t.Fatal(err)
	}
	if n, err := store.CountMails(t.Context(), 10); err != nil || n != 0 {
		t.Errorf("%d mails wait, %v", n, err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}
