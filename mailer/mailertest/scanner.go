package mailertest

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"

	"github.com/go-roster/roster/mailer"
)

// Scanner opens the links of messages as the filters of mail servers do before
// a person sees them: each by HEAD and by GET, twice, as a stranger without
// cookies, and wherever it is sent on to. A page that a link leads to must not
// redeem the code for that: run a Scanner over the mail, then let the person
// click.
type Scanner struct {
	// Transport makes the requests. Nil means [http.DefaultTransport].
	Transport http.RoundTripper
}

// Visit is one request of a Scanner and its answer.
type Visit struct {
	Method string
	URL    string // that was asked for, before it was sent on
	Status int    // of the last answer; 0 if there was none
	Err    error  // why not
}

// NewScanner returns a Scanner that asks a handler, over no network.
func NewScanner(h http.Handler) *Scanner { return &Scanner{Transport: handlerTransport{h}} }

// Scan opens every link in the text and in the HTML of a message. The fragment
// of a link is not sent, as no program sends it.
func (s *Scanner) Scan(ctx context.Context, m *mailer.Message) []Visit {
	client := &http.Client{Transport: s.Transport}
	var visits []Visit
	for _, link := range every(m) {
		for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodHead, http.MethodGet} {
			visit := Visit{Method: method, URL: link}
			visit.Status, visit.Err = open(ctx, client, method, link)
			visits = append(visits, visit)
		}
	}
	return visits
}

func open(ctx context.Context, client *http.Client, method, link string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, method, link, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("User-Agent", "Mozilla/5.0 (compatible; mail filter)")
	answer, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer.StatusCode, err
}

var attributes = regexp.MustCompile(`(?:href|src|action)="(https?://[^"]*)"`)

// every lists the links of both parts, each once.
func every(m *mailer.Message) []string {
	all := Links(m)
	for _, found := range attributes.FindAllStringSubmatch(m.HTML, -1) {
		if link := html.UnescapeString(found[1]); !slices.Contains(all, link) {
			all = append(all, link)
		}
	}
	return all
}

// handlerTransport answers requests by a handler.
type handlerTransport struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper]. What the handler panics with is an
// error.
func (t handlerTransport) RoundTrip(request *http.Request) (answer *http.Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			answer, err = nil, fmt.Errorf("mailertest: the handler panicked: %v", p)
		}
	}()
	served := request.Clone(request.Context())
	served.URL = &url.URL{Path: request.URL.Path, RawPath: request.URL.RawPath, RawQuery: request.URL.RawQuery}
	served.RequestURI = request.URL.RequestURI()
	served.Host = request.URL.Host
	served.RemoteAddr = "192.0.2.1:1234" // of a documentation network, RFC 5737
	if served.Body == nil {
		served.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	t.handler.ServeHTTP(recorder, served)
	answer = recorder.Result()
	answer.Request = request
	return answer, nil
}
