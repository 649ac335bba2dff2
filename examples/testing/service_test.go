package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer/mailertest"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/rostertest/dbtest"
)

// post and whoAmI ask the handler itself: no port, no network.
func post(h http.Handler, path string, form any) *httptest.ResponseRecorder {
	body, _ := json.Marshal(form)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", path, bytes.NewReader(body)))
	return w
}

func whoAmI(h http.Handler, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "/me", nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

type form map[string]string

func wantStatus(t *testing.T, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("%d %s, want %d", w.Code, w.Body, status)
	}
}

// Somebody who is there already: MustUser, and MustSignIn for the cookie.
func TestMe(t *testing.T) {
	t.Parallel()
	env := rostertest.New(t)
	h := newService(env.Users)
	wantStatus(t, whoAmI(h), http.StatusUnauthorized)

	ann := env.MustUser(t, func(u *roster.User) { u.RealName = "Ann Example" })
	_, cookie := env.MustSignIn(t, ann)
	w := whoAmI(h, cookie)
	wantStatus(t, w, http.StatusOK)
	if !strings.Contains(w.Body.String(), "Ann Example") {
		t.Errorf("who is that? %s", w.Body)
	}

	if err := env.Disable(t.Context(), ann.ID); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, whoAmI(h, cookie), http.StatusUnauthorized)
}

// The whole way in, on whatever store the environment names: see package dbtest.
func TestJoin(t *testing.T) {
	t.Parallel()
	env := rostertest.NewOn(t, dbtest.Store(t))
	h := newService(env.Users)
	ann := form{"name": "ann", "email": "ann@example.org", "password": "correct horse battery"}
	wantStatus(t, post(h, "/join", ann), http.StatusAccepted)
	wantStatus(t, post(h, "/sign-in", ann), http.StatusForbidden)

	code := env.Mail.MustCode(t, "ann@example.org")
	activate := form{"code": code, "password": "correct horse battery"}
	w := post(h, "/activate", activate)
	wantStatus(t, w, http.StatusOK)
	wantStatus(t, whoAmI(h, w.Result().Cookies()...), http.StatusOK)

	wantStatus(t, post(h, "/activate", activate), http.StatusUnauthorized) // codes work once
	wantStatus(t, post(h, "/join", ann), http.StatusConflict)              // the name is taken
}

// What must not be told: whether an address has an account.
func TestJoinTellsNothing(t *testing.T) {
	t.Parallel()
	env := rostertest.New(t)
	h := newService(env.Users)
	env.MustUser(t, func(u *roster.User) { u.Name = "ann" })
	taken := post(h, "/join", form{"name": "ben", "email": "ann@example.org", "password": "correct horse battery"})
	free := post(h, "/join", form{"name": "eve", "email": "eve@example.org", "password": "correct horse battery"})
	if taken.Code != free.Code || taken.Body.String() != free.Body.String() {
		t.Errorf("%d %s, and %d %s", taken.Code, taken.Body, free.Code, free.Body)
	}
	if m := env.Mail.MustLast(t, "ann@example.org"); m.Kind != roster.MailAddressTaken {
		t.Errorf("the owner got %s", m.Kind)
	}
}

// Time passes when the test says so.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	env := rostertest.New(t)
	h := newService(env.Users)
	_, cookie := env.MustSignIn(t, env.MustUser(t))
	env.Clock.Advance(23 * time.Hour)
	wantStatus(t, whoAmI(h, cookie), http.StatusOK)
	env.Clock.Advance(25 * time.Hour) // unused for more than a day
	wantStatus(t, whoAmI(h, cookie), http.StatusUnauthorized)
}

// Or it passes by itself, in a bubble of testing/synctest, where a program has
// timers of its own.
func TestSessionEndsInBubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		env := rostertest.New(t, func(o *roster.Options) { o.Now = time.Now })
		h := newService(env.Users)
		_, cookie := env.MustSignIn(t, env.MustUser(t))
		time.Sleep(25 * time.Hour)
		wantStatus(t, whoAmI(h, cookie), http.StatusUnauthorized)
	})
}

// Limits are off in tests, unless they are what is tested. httptest says that
// requests come from 192.0.2.1.
func TestThrottled(t *testing.T) {
	t.Parallel()
	env := rostertest.New(t, func(o *roster.Options) { o.Limits = roster.Limits{Failures: 3} })
	h := newService(env.Users)
	env.MustUser(t, func(u *roster.User) { u.Name = "ann" })
	wrong := form{"name": "ann", "password": "wrong horse battery"}
	for range 3 {
		wantStatus(t, post(h, "/sign-in", wrong), http.StatusUnauthorized)
	}
	w := post(h, "/sign-in", wrong)
	wantStatus(t, w, http.StatusTooManyRequests)
	wait, err := time.ParseDuration(w.Header().Get("Retry-After") + "s")
	if err != nil || wait <= 0 {
		t.Fatalf("wait for %v, %v", wait, err)
	}
	env.Clock.Advance(wait)
	wantStatus(t, post(h, "/sign-in", form{"name": "ann", "password": rostertest.Password}), http.StatusOK)
}

// What fails outside leaves nothing half done.
func TestMailFails(t *testing.T) {
	t.Parallel()
	env := rostertest.New(t)
	h := newService(env.Users)
	ann := form{"name": "ann", "email": "ann@example.org", "password": "correct horse battery"}
	env.Mail.Fail(errors.New("the disk is full"))
	wantStatus(t, post(h, "/join", ann), http.StatusServiceUnavailable)
	env.Mail.Fail(nil)
	wantStatus(t, post(h, "/join", ann), http.StatusAccepted) // the name is not taken
}

var update = flag.Bool("update", false, "write the golden files")

// golden compares with testdata/name. Tests of golden files are not parallel, and
// take NewGolden: then UUIDs and codes are the same in each run.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nand %s has\n%s", got, file, want)
	}
}

func TestGolden(t *testing.T) {
	mails := mailertest.New(t)
	env := rostertest.NewGolden(t, func(o *roster.Options) {
		o.Mailer, o.ActivationURL = mails, "https://app.example.org/activate#{code}"
	})
	h := newService(env.Users)
	post(h, "/join", form{"name": "ann", "email": "ann@example.org", "password": "correct horse battery"})
	golden(t, "join.txt", mails.Last(t, "ann@example.org").Text)
	w := post(h, "/activate", form{"code": mails.Code(t, "ann@example.org"), "password": "correct horse battery"})
	golden(t, "activate.json", w.Body.String())
}
