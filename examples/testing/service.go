package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/sessioncookie"
)

// service is the code under test: a small API on accounts.
//
//	POST /join      {"name", "email", "password"}   a mail with a code leaves
//	POST /activate  {"code", "password"}            and is signed in
//	POST /sign-in   {"name", "password"}
//	GET  /me                                        who is signed in
type service struct {
	users *roster.Users
}

// newService returns the handler of the whole service. It takes what it needs as
// arguments, which is all that a test wants of it.
func newService(users *roster.Users) http.Handler {
	s := &service{users}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /join", s.join)
	mux.HandleFunc("POST /activate", s.activate)
	mux.HandleFunc("POST /sign-in", s.signIn)
	mux.HandleFunc("GET /me", s.me)
	return http.MaxBytesHandler(new(http.CrossOriginProtection).Handler(withClient(mux)), 1<<16)
}

func withClient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(roster.WithClient(r.Context(), sessioncookie.Client(r))))
	})
}

func (s *service) join(w http.ResponseWriter, r *http.Request) {
	var form struct{ Name, Email, Password string }
	if !read(w, r, &form) {
		return
	}
	if _, err := s.users.Register(r.Context(), roster.NewUser{Name: form.Name, Email: form.Email, Password: form.Password}); err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusAccepted, map[string]string{"next": "Look into your mail."})
}

func (s *service) activate(w http.ResponseWriter, r *http.Request) {
	var form struct{ Code, Password string }
	if !read(w, r, &form) {
		return
	}
	u, err := s.users.ActivateWithPassword(r.Context(), form.Code, form.Password)
	if err != nil {
		fail(w, err)
		return
	}
	session, token, err := s.users.StartSession(r.Context(), u)
	s.begin(w, session, token, err)
}

func (s *service) signIn(w http.ResponseWriter, r *http.Request) {
	var form struct{ Name, Password string }
	if !read(w, r, &form) {
		return
	}
	session, token, err := s.users.SignIn(r.Context(), form.Name, form.Password)
	s.begin(w, session, token, err)
}

func (s *service) begin(w http.ResponseWriter, session *roster.Session, token roster.Secret, err error) {
	if err != nil {
		fail(w, err)
		return
	}
	sessioncookie.Set(w, token, session.ExpiresAt)
	write(w, http.StatusOK, view(session))
}

func (s *service) me(w http.ResponseWriter, r *http.Request) {
	session, err := s.users.Session(r.Context(), sessioncookie.Token(r))
	if err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusOK, view(session))
}

// me is what the world sees of somebody: the UUID, never the ID.
type me struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Expires time.Time `json:"expires"`
}

func view(s *roster.Session) me {
	return me{ID: s.User.UUID.String(), Name: s.User.DisplayName(), Expires: s.ExpiresAt}
}

func read(w http.ResponseWriter, r *http.Request, form any) bool {
	if err := json.NewDecoder(r.Body).Decode(form); err != nil {
		write(w, http.StatusBadRequest, problem{Error: "no JSON"})
		return false
	}
	return true
}

// problem is the body of every answer that is none.
type problem struct {
	Error  string            `json:"error"`
	Fields map[string]string `json:"fields,omitempty"`
}

// fail answers what went wrong. What a stranger may not know roster has left out.
func fail(w http.ResponseWriter, err error) {
	var conflict *roster.ConflictError
	var throttled *roster.ThrottledError
	p, status := problem{Error: "try again later"}, http.StatusServiceUnavailable
	switch {
	case errors.Is(err, roster.ErrInvalid):
		p, status = problem{Error: "invalid", Fields: map[string]string{}}, http.StatusUnprocessableEntity
		for _, e := range roster.InvalidFields(err) {
			p.Fields[e.Field] = string(e.Reason)
		}
	case errors.As(err, &conflict):
		p, status = problem{Error: "taken", Fields: map[string]string{conflict.Field: "taken"}}, http.StatusConflict
	case errors.Is(err, roster.ErrNoSession), errors.Is(err, roster.ErrCredentials), errors.Is(err, roster.ErrActivation):
		p, status = problem{Error: "not right"}, http.StatusUnauthorized
	case errors.Is(err, roster.ErrNotActivated):
		p, status = problem{Error: "look into your mail"}, http.StatusForbidden
	case errors.As(err, &throttled):
		p, status = problem{Error: "wait"}, http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(int(throttled.RetryAfter/time.Second)+1))
	}
	write(w, status, p)
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetIndent("", "\t")
	_ = enc.Encode(body) // whoever asked may be gone
}
