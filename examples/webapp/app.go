package main

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/sessioncookie"
)

// app has what the pages need.
type app struct {
	users  *roster.Users
	base   string
	proxy  netip.Addr
	logger *slog.Logger
	pages  pages
}

//go:embed pages static
var files embed.FS

// newApp returns the handler of the whole program.
func newApp(users *roster.Users, base string, proxy netip.Addr, logger *slog.Logger) (http.Handler, error) {
	parsed, err := parsePages()
	if err != nil {
		return nil, err
	}
	a := &app{users, base, proxy, logger, parsed}
	mux := http.NewServeMux()
	for pattern, page := range map[string]page{
		"GET /{$}": a.home,

		"GET /sign-up":  a.signUpForm,
		"POST /sign-up": a.signUp,
		"POST /resend":  a.resend,
		"GET /code":     a.peek, // only looks
		"POST /code":    a.redeem,

		"GET /sign-in":   a.signInForm,
		"POST /sign-in":  a.signIn,
		"POST /sign-out": a.signOut,
		"GET /confirm":   a.confirmForm,
		"POST /confirm":  a.confirm,

		"GET /forgotten":  a.forgottenForm,
		"POST /forgotten": a.forgotten,

		"GET /account":           a.account,
		"POST /account/email":    a.changeEmail,
		"POST /account/password": a.changePassword,
		"POST /account/others":   a.endOthers,
	} {
		mux.Handle(pattern, a.handler(page))
	}
	// From the inside to the outside: every page knows who is signed in and where
	// the request comes from, no other site sends forms, nothing is read that is
	// too long.
	all := http.NewServeMux()
	all.Handle("/", a.withClient(a.withSession(mux)))
	all.Handle("GET /static/", http.FileServerFS(files))
	handler := new(http.CrossOriginProtection).Handler(all)
	return http.MaxBytesHandler(a.withHeaders(handler), 1<<16), nil
}

// page answers a request. What it returns is shown by fail.
type page func(w http.ResponseWriter, r *http.Request) error

func (a *app) handler(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := r.ParseForm()
		if err == nil {
			err = p(w, r)
		} else {
			err = &formError{err}
		}
		if err != nil {
			a.fail(w, r, err)
		}
	})
}

// formError is a form that cannot be read.
type formError struct{ error }

// withHeaders says what browsers must not do with a page. The query of a page may
// hold a code, so no other site is told of it, and no cache keeps any page.
func (a *app) withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy",
			"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		if strings.HasPrefix(a.base, "https:") {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// withClient says who asks, once per request: roster counts by it.
func (a *app) withClient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(roster.WithClient(r.Context(), a.client(r))))
	})
}

// client believes the proxy in front, if there is one, and nobody else: anybody can
// send these headers, and the last entry is the one that the proxy has added.
func (a *app) client(r *http.Request) roster.Client {
	c := sessioncookie.Client(r)
	if !a.proxy.IsValid() || c.Addr.Unmap() != a.proxy.Unmap() {
		return c
	}
	entries := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	c.Addr, _ = netip.ParseAddr(strings.TrimSpace(entries[len(entries)-1]))
	c.TLS = r.Header.Get("X-Forwarded-Proto") == "https"
	return c
}

type sessionKey struct{}

// withSession finds out who is signed in.
func (a *app) withSession(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := sessioncookie.Token(r)
		if token == "" {
			next.ServeHTTP(w, r)
			return
		}
		s, err := a.users.Session(r.Context(), token)
		switch {
		case errors.Is(err, roster.ErrNoSession):
			sessioncookie.Clear(w)
		case err != nil: // it is not known who that is: do not go on as nobody
			a.fail(w, r, err)
			return
		default:
			r = r.WithContext(context.WithValue(r.Context(), sessionKey{}, s))
		}
		next.ServeHTTP(w, r)
	})
}

// session is who is signed in, nil if nobody is.
func session(r *http.Request) *roster.Session {
	s, _ := r.Context().Value(sessionKey{}).(*roster.Session)
	return s
}

// signedIn is session for a page that needs one.
func signedIn(r *http.Request) (*roster.Session, error) {
	if s := session(r); s != nil {
		return s, nil
	}
	return nil, roster.ErrNoSession
}
