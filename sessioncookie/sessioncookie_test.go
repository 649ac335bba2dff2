package sessioncookie_test

import (
	"crypto/tls"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/sessioncookie"
)

const token = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"

// The cookie has what the prefix asks for, and what keeps it safe.
func TestAttributes(t *testing.T) {
	expires := time.Date(2030, 1, 8, 13, 0, 0, 999, time.FixedZone("", 3600))
	for what, c := range map[string]struct {
		send func(w http.ResponseWriter)
		want string
	}{
		"until it expires": {
			func(w http.ResponseWriter) { sessioncookie.Set(w, roster.NewSecret(token), expires) },
			"__Host-session=" + token + "; Path=/; Expires=Tue, 08 Jan 2030 12:00:00 GMT; HttpOnly; Secure; SameSite=Lax",
		},
		"until the browser is closed": {
			func(w http.ResponseWriter) { sessioncookie.Set(w, roster.NewSecret(token), time.Time{}) },
			"__Host-session=" + token + "; Path=/; HttpOnly; Secure; SameSite=Lax",
		},
		"cleared": {
			sessioncookie.Clear,
			"__Host-session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		},
	} {
		w := httptest.NewRecorder()
		w.Header().Set("Cache-Control", "public, max-age=3600")
		w.Header().Add("Set-Cookie", "theme=dark")
		sessioncookie.Set(w, roster.NewSecret("an older token"), expires)
		c.send(w)
		if got := w.Header()["Set-Cookie"]; len(got) != 2 || got[0] != "theme=dark" || got[1] != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control is %q", what, got)
		}
	}
}

func TestToken(t *testing.T) {
	for header, want := range map[string]string{
		"":                                       "",
		"theme=dark":                             "",
		"__Host-session=" + token:                token,
		"a=b; __Host-session=" + token + "; c=d": token,
		"session=" + token:                       "",
		"__host-session=" + token:                "",
		"__Host-session=one; __Host-session=two": "",
		"__Host-session=":                        "",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if header != "" {
			r.Header.Set("Cookie", header)
		}
		if got := sessioncookie.Token(r); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}

func TestClient(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "[2001:db8::7]:4711"
	r.Header.Set("User-Agent", "Browser/1")
	r.Header.Set("X-Forwarded-For", "192.0.2.1")
	want := roster.Client{Addr: netip.MustParseAddr("2001:db8::7"), UserAgent: "Browser/1"}
	if got := sessioncookie.Client(r); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	r.TLS, r.RemoteAddr = new(tls.ConnectionState), "@"
	want = roster.Client{UserAgent: "Browser/1", TLS: true}
	if got := sessioncookie.Client(r); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// What is set comes back over TLS, to every path, until it is cleared.
func TestRoundTrip(t *testing.T) {
	var came string
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came = sessioncookie.Token(r)
		switch r.URL.Path {
		case "/deep/in":
			sessioncookie.Set(w, roster.NewSecret(token), time.Now().Add(time.Hour))
		case "/out":
			sessioncookie.Clear(w)
		}
	})
	secure := httptest.NewTLSServer(handler)
	defer secure.Close()
	client := secure.Client()
	client.Jar, _ = cookiejar.New(nil)
	for _, step := range []struct{ url, came string }{
		{secure.URL + "/", ""},
		{secure.URL + "/deep/in", ""},
		{secure.URL + "/", token},
		{secure.URL + "/elsewhere/else", token},
		{secure.URL + "/out", token},
		{secure.URL + "/", ""},
	} {
		answer, err := client.Get(step.url)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if came != step.came {
			t.Errorf("%s: the token %q came, want %q", step.url, came, step.came)
		}
	}
}
