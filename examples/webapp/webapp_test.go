package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer/mailertest"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/sessioncookie"
	"github.com/go-roster/roster/store/memory"
)

const secret = rostertest.Password

// site is the program on a server of its own, with accounts of package rostertest.
type site struct {
	*rostertest.Env
	*httptest.Server
	mails *mailertest.Recorder
	store *failing
}

// failing is a store that does not answer who is signed in while it is down.
type failing struct {
	roster.Store
	down bool
}

func (f *failing) SessionByHash(ctx context.Context, hash roster.Secret) (*roster.Session, roster.Model, error) {
	if f.down {
		return nil, nil, &roster.UnavailableError{What: roster.UnavailableDatabase}
	}
	return f.Store.SessionByHash(ctx, hash)
}

func newSite(t *testing.T, changes ...func(*roster.Options)) *site {
	t.Helper()
	s := &site{mails: mailertest.New(t), Server: httptest.NewUnstartedServer(nil), store: &failing{Store: memory.New()}}
	base := "https://" + s.Listener.Addr().String()
	// The options of the program, but for what rostertest has of its own.
	s.Env = rostertest.NewOn(t, s.store, append([]func(*roster.Options){func(o *roster.Options) {
		hasher, now, limits := o.Hasher, o.Now, o.Limits
		*o = accounts(base)
		o.Hasher, o.Now, o.Limits, o.Mailer = hasher, now, limits, s.mails
	}}, changes...)...)
	handler, err := newApp(s.Users, base, netip.Addr{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.Config.Handler = handler
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// browser is one person's.
type browser struct {
	t      *testing.T
	client *http.Client
	base   string
	origin string // what it says of where a form comes from
}

func (s *site) browser(t *testing.T) *browser {
	t.Helper()
	b := newBrowser(t, s.URL)
	b.client.Transport = s.Client().Transport
	return b
}

func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, &http.Client{Jar: jar}, base, "same-origin"}
}

// answer is a page, after all redirections.
type answer struct {
	status int
	path   string
	body   string
	header http.Header
}

func (b *browser) do(method, path string, form url.Values) answer {
	b.t.Helper()
	if !strings.Contains(path, "://") {
		path = b.base + path
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", b.origin)
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{w.StatusCode, w.Request.URL.Path, string(body), w.Header}
}

func (b *browser) get(path string) answer { b.t.Helper(); return b.do("GET", path, nil) }

// post fills a form in: fields and values take turns.
func (b *browser) post(path string, fields ...string) answer {
	b.t.Helper()
	form := make(url.Values)
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.do("POST", path, form)
}

// want holds a page to its status, its path and some of its text.
func (b *browser) want(a answer, status int, path string, texts ...string) {
	b.t.Helper()
	if a.status != status || a.path != path {
		b.t.Fatalf("%d at %s, want %d at %s:\n%s", a.status, a.path, status, path, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			b.t.Fatalf("%s does not say %q:\n%s", a.path, text, a.body)
		}
	}
}

// follow opens the link in the last mail to an address, after a mail filter has,
// and returns the code that the page would redeem.
func (s *site) follow(b *browser, address string, texts ...string) (code string) {
	b.t.Helper()
	m := s.mails.Last(b.t, address)
	filter := &mailertest.Scanner{Transport: s.Client().Transport}
	for _, visit := range filter.Scan(b.t.Context(), m) {
		if visit.Err != nil || visit.Status != http.StatusOK {
			b.t.Fatalf("a filter: %s: %d, %v", visit.Method, visit.Status, visit.Err)
		}
	}
	page := b.get(s.mails.Link(b.t, address))
	b.want(page, http.StatusOK, "/code", append(texts, address)...)
	return regexp.MustCompile(`name="code" value="([^"]+)"`).FindStringSubmatch(page.body)[1]
}

func TestSignUp(t *testing.T) {
	s := newSite(t)
	ann := s.browser(t)
	ann.want(ann.get("/"), http.StatusOK, "/", "Sign up")
	ann.want(ann.post("/sign-up", "name", "<ann>", "email", "ann", "password", "123"), http.StatusUnprocessableEntity, "/sign-up",
		`value="&lt;ann&gt;"`, "too short", "does not work")
	ann.want(ann.post("/sign-up", "name", "ann", "email", "ann@example.org", "password", secret), http.StatusOK, "/sign-up", "Look into your mail")
	ann.want(ann.post("/sign-in", "login", "ann", "password", secret), http.StatusForbidden, "/sign-in", "waits for you")
	ann.want(ann.post("/resend", "login", "ann"), http.StatusOK, "/resend", "Look into your mail")

	code := s.follow(ann, "ann@example.org", "ann", "Choose the password")
	ann.want(ann.post("/code", "code", code, "password", "123"), http.StatusUnprocessableEntity, "/code", "too short")
	ann.want(ann.post("/code", "code", code, "password", secret), http.StatusOK, "/code", "You can sign in")
	ann.want(ann.post("/code", "code", code, "password", secret), http.StatusGone, "/code", "no good any more")

	ann.want(ann.post("/sign-in", "login", "ANN@example.org", "password", "wrong horse battery"), http.StatusUnprocessableEntity, "/sign-in", "not right")
	ann.want(ann.post("/sign-in", "login", "ANN@example.org", "password", secret), http.StatusOK, "/account", "ann@example.org", "from 127.0.0.1", "this one")
	ann.want(ann.post("/sign-out"), http.StatusOK, "/", "Sign in")
	ann.want(ann.get("/account"), http.StatusOK, "/sign-in")
}

// Nobody learns from any page who has an account.
func TestTellsNothing(t *testing.T) {
	s := newSite(t)
	s.MustUser(t, func(u *roster.User) { u.Name = "ann" })
	b := s.browser(t)
	for path, forms := range map[string][2][]string{
		"/sign-up": {
			{"name", "ben", "email", "ann@example.org", "password", secret},
			{"name", "eve", "email", "eve@example.org", "password", secret},
		},
		"/forgotten": {{"login", "ann"}, {"login", "nobody"}},
		"/resend":    {{"login", "ann"}, {"login", "nobody"}},
		"/code":      {{"code", "x"}, {"code", strings.Repeat("x", 43)}},
	} {
		there, not := b.post(path, forms[0]...), b.post(path, forms[1]...)
		if there.status != not.status || there.body != not.body {
			t.Errorf("%s: %d or %d:\n%s\n%s", path, there.status, not.status, there.body, not.body)
		}
	}
	there := b.post("/sign-in", "login", "ann", "password", "wrong horse battery")
	not := b.post("/sign-in", "login", "ann@nobody.example", "password", "wrong horse battery")
	if there.status != not.status || strings.ReplaceAll(not.body, "ann@nobody.example", "ann") != there.body {
		t.Errorf("/sign-in:\n%s\n%s", there.body, not.body)
	}
}

// Somebody has forgotten the password; and a stranger who knows it now is thrown
// out from the mailbox.
func TestForgottenAndUndo(t *testing.T) {
	s := newSite(t)
	s.MustUser(t, func(u *roster.User) { u.Name = "ann" })
	ann, stranger := s.browser(t), s.browser(t)
	ann.want(ann.post("/forgotten", "login", "ann"), http.StatusOK, "/forgotten")
	code := s.follow(ann, "ann@example.org", "Choose the password")
	ann.want(ann.post("/code", "code", code, "password", "another horse battery"), http.StatusOK, "/code", "new password")

	stranger.want(stranger.post("/sign-in", "login", "ann", "password", "another horse battery"), http.StatusOK, "/account")
	stranger.want(stranger.post("/account/password", "current", "wrong", "password", "the horse of a stranger"),
		http.StatusUnprocessableEntity, "/account/password", "not your password")
	stranger.want(stranger.post("/account/password", "current", "another horse battery", "password", "the horse of a stranger"),
		http.StatusOK, "/account/password", "You have a new password")
	stranger.want(stranger.get("/account"), http.StatusOK, "/account", "ann@example.org")

	code = s.follow(ann, "ann@example.org", "Take it back", "all is well")
	ann.want(ann.post("/code", "code", code, "password", "the third horse battery"), http.StatusOK, "/code", "yours again")
	stranger.want(stranger.get("/account"), http.StatusOK, "/sign-in")
	ann.want(ann.post("/sign-in", "login", "ann", "password", "the third horse battery"), http.StatusOK, "/account")
}

func TestAllIsWell(t *testing.T) {
	s := newSite(t)
	ann := s.MustUser(t)
	if err := s.SetPassword(t.Context(), ann.ID, "another horse battery"); err != nil {
		t.Fatal(err)
	}
	b := s.browser(t)
	code := s.follow(b, "user-1@example.org", "all is well")
	b.want(b.post("/code", "code", code, "accept", "yes"), http.StatusOK, "/code", "stays as it is")
	b.want(b.post("/code", "code", code, "password", secret), http.StatusGone, "/code")
	b.want(b.post("/sign-in", "login", "user-1", "password", "another horse battery"), http.StatusOK, "/account")
}

// A new address takes a password that was typed just now, and a click in the mail
// to it.
func TestChangeEmail(t *testing.T) {
	s := newSite(t)
	s.MustUser(t, func(u *roster.User) { u.Name = "ann" })
	ann := s.browser(t)
	ann.want(ann.post("/account/email", "email", "ann@work.example"), http.StatusOK, "/sign-in")
	ann.want(ann.post("/sign-in", "login", "ann", "password", secret), http.StatusOK, "/account")
	s.Clock.Advance(time.Hour)
	ann.want(ann.post("/account/email", "email", "ann@work.example"), http.StatusOK, "/confirm", "once more")
	ann.want(ann.post("/confirm", "password", "wrong horse battery"), http.StatusUnprocessableEntity, "/confirm", "not right")
	ann.want(ann.post("/confirm", "password", secret), http.StatusOK, "/account")
	ann.want(ann.post("/account/email", "email", "ann"), http.StatusUnprocessableEntity, "/account/email", "does not work")
	ann.want(ann.post("/account/email", "email", "ann@work.example"), http.StatusOK, "/account/email", "Follow the link", "waits for its mail")

	code := s.follow(ann, "ann@work.example", "nothing happens")
	ann.want(ann.post("/code", "code", code), http.StatusOK, "/code", "You can sign in")
	e, err := s.PrimaryEmail(t.Context(), 1)
	if err != nil || e.Address != "ann@work.example" {
		t.Errorf("%v, %v: want the new one", e, err)
	}
}

func TestEndOthers(t *testing.T) {
	s := newSite(t)
	s.MustUser(t, func(u *roster.User) { u.Name = "ann" })
	home, library := s.browser(t), s.browser(t)
	for _, b := range []*browser{home, library} {
		b.want(b.post("/sign-in", "login", "ann", "password", secret), http.StatusOK, "/account")
	}
	home.want(home.post("/account/others"), http.StatusOK, "/account")
	library.want(library.get("/account"), http.StatusOK, "/sign-in")
}

// Who guesses has to wait, and is told for how long.
func TestThrottled(t *testing.T) {
	s := newSite(t, func(o *roster.Options) { o.Limits = roster.Limits{} })
	s.MustUser(t, func(u *roster.User) { u.Name = "ann" })
	b := s.browser(t)
	for range 5 {
		b.want(b.post("/sign-in", "login", "ann", "password", "wrong horse battery"), http.StatusUnprocessableEntity, "/sign-in")
	}
	a := b.post("/sign-in", "login", "ann", "password", secret)
	b.want(a, http.StatusTooManyRequests, "/sign-in", "wait")
	wait, err := time.ParseDuration(a.header.Get("Retry-After") + "s")
	if err != nil || wait <= 0 {
		t.Fatalf("wait %v, %v", wait, err)
	}
	s.Clock.Advance(wait)
	b.want(b.post("/sign-in", "login", "ann", "password", secret), http.StatusOK, "/account")
}

// No other site sends forms or shows pages, no cache keeps them, no script reads
// the cookie.
func TestBrowsersAreTold(t *testing.T) {
	s := newSite(t)
	s.MustUser(t, func(u *roster.User) { u.Name = "ann" })
	b := s.browser(t)
	for _, origin := range []string{"cross-site", "same-site"} {
		b.origin = origin
		if a := b.post("/sign-in", "login", "ann", "password", secret); a.status != http.StatusForbidden {
			t.Errorf("a form from %s: %d", origin, a.status)
		}
	}
	b.origin = "same-origin"
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	a := b.post("/sign-in", "login", "ann", "password", secret)
	cookie, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	if err != nil || cookie.Name != sessioncookie.Name || !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("%v, %v", cookie, err)
	}
	for _, path := range []string{"/", "/account", "/code?code=x", "/none", "/static/style.css"} {
		h := b.get(path).header
		for name, want := range map[string]string{
			"Content-Security-Policy": "frame-ancestors 'none'", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
			"Cache-Control": "no-store", "Strict-Transport-Security": "max-age=",
		} {
			if !strings.Contains(h.Get(name), want) {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
	}
}

// While it is not known who is signed in nobody is signed out, and what is too
// long is not read.
func TestTrouble(t *testing.T) {
	s := newSite(t)
	s.MustUser(t, func(u *roster.User) { u.Name = "ann" })
	b := s.browser(t)
	b.want(b.post("/sign-in", "login", "ann", "password", secret), http.StatusOK, "/account")
	s.store.down = true
	b.want(b.get("/account"), http.StatusServiceUnavailable, "/account", "try again")
	s.store.down = false
	b.want(b.get("/account"), http.StatusOK, "/account", "ann@example.org")

	s.mails.Fail(errors.New("the disk is full"))
	b.want(b.post("/sign-up", "name", "ben", "email", "ben@example.org", "password", secret), http.StatusInternalServerError, "/sign-up", "went wrong")
	s.mails.Fail(nil)
	b.want(b.post("/sign-up", "name", "ben", "email", "ben@example.org", "password", secret), http.StatusOK, "/sign-up")
	b.want(b.post("/sign-up", "name", "eve", "email", "eve@example.org", "password", strings.Repeat("x", 1<<17)), http.StatusBadRequest, "/sign-up", "too long")
}

// The proxy in front is believed, and nobody else.
func TestClient(t *testing.T) {
	proxy := netip.MustParseAddr("192.0.2.1")
	for _, tc := range []struct {
		proxy     netip.Addr
		peer      string
		forwarded []string
		want      string
	}{
		{netip.Addr{}, "192.0.2.1:5", []string{"198.51.100.7"}, "192.0.2.1"},
		{proxy, "192.0.2.1:5", []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7"},
		{proxy, "[::ffff:192.0.2.1]:5", []string{"203.0.113.9", "198.51.100.7"}, "198.51.100.7"},
		{proxy, "203.0.113.9:5", []string{"198.51.100.7"}, "203.0.113.9"},
		{proxy, "192.0.2.1:5", nil, "invalid IP"},
		{proxy, "192.0.2.1:5", []string{"198.51.100.7, unknown"}, "invalid IP"},
	} {
		a := &app{proxy: tc.proxy}
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Header["X-Forwarded-For"] = tc.peer, tc.forwarded
		if got := a.client(r).Addr.String(); got != tc.want {
			t.Errorf("%s says %q: the client is %s, want %s", tc.peer, tc.forwarded, got, tc.want)
		}
	}
}
