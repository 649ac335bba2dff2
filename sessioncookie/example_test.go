package sessioncookie_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/sessioncookie"
	"github.com/go-roster/roster/store/memory"
)

type sessionKey struct{}

// sessionOf is who is signed in, nil if nobody is.
func sessionOf(r *http.Request) *roster.Session {
	s, _ := r.Context().Value(sessionKey{}).(*roster.Session)
	return s
}

// withSession is a middleware: it finds the session of each request.
func withSession(users *roster.Users, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := roster.WithClient(r.Context(), sessioncookie.Client(r))
		if token := sessioncookie.Token(r); token != "" {
			s, err := users.Session(ctx, token)
			switch {
			case errors.Is(err, roster.ErrNoSession):
				sessioncookie.Clear(w)
			case err != nil: // who is signed in is not known: do not go on as nobody
				http.Error(w, "Please try again.", http.StatusServiceUnavailable)
				return
			default:
				ctx = context.WithValue(ctx, sessionKey{}, s)
			}
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func pages(users *roster.Users) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		if s := sessionOf(r); s != nil {
			fmt.Fprintf(w, "Hello, %s.", s.User.DisplayName())
			return
		}
		fmt.Fprint(w, "Hello, stranger.")
	})
	mux.HandleFunc("POST /sign-in", func(w http.ResponseWriter, r *http.Request) {
		s, token, err := users.SignIn(r.Context(), r.PostFormValue("login"), r.PostFormValue("password"))
		if err != nil {
			http.Error(w, "That is not right.", http.StatusUnauthorized)
			return
		}
		sessioncookie.Set(w, token, s.ExpiresAt)
		fmt.Fprint(w, "Signed in.")
	})
	mux.HandleFunc("POST /sign-out", func(w http.ResponseWriter, r *http.Request) {
		if err := users.SignOut(r.Context(), sessioncookie.Token(r)); err != nil {
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
			return
		}
		sessioncookie.Clear(w)
		fmt.Fprint(w, "Signed out.")
	})
	return new(http.CrossOriginProtection).Handler(withSession(users, mux))
}

// A browser signs in, comes back, and signs out.
func Example() {
	ctx := context.Background()
	users, err := roster.New(memory.New(), &roster.Options{
		Hasher:         rostertest.Hasher{}, // instant, for tests only: leave it out
		SkipActivation: true,
	})
	if err != nil {
		panic(err)
	}
	_, err = users.Register(ctx, roster.NewUser{
		Name: "ann", RealName: "Ann Example", Email: "ann@example.org", Password: "correct horse battery",
	})
	if err != nil {
		panic(err)
	}

	server := httptest.NewTLSServer(pages(users))
	defer server.Close()
	browser := server.Client()
	browser.Jar, _ = cookiejar.New(nil)
	show := func(answer *http.Response, err error) {
		if err != nil {
			panic(err)
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		fmt.Println(answer.StatusCode, strings.TrimSpace(string(body)))
	}
	show(browser.Get(server.URL))
	show(browser.PostForm(server.URL+"/sign-in", url.Values{"login": {"ann"}, "password": {"wrong"}}))
	show(browser.PostForm(server.URL+"/sign-in", url.Values{"login": {"ann"}, "password": {"correct horse battery"}}))
	show(browser.Get(server.URL))
	show(browser.PostForm(server.URL+"/sign-out", nil))
	show(browser.Get(server.URL))
	// Output:
	// 200 Hello, stranger.
	// 401 That is not right.
	// 200 Signed in.
	// 200 Hello, Ann Example.
	// 200 Signed out.
	// 200 Hello, stranger.
}
