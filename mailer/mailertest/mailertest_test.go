package mailertest_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer"
	"github.com/go-roster/roster/mailer/mailertest"
	"github.com/go-roster/roster/rostertest"
)

func newEnv(t *testing.T, url string, changes ...func(*mailer.Options)) (*rostertest.Env, *mailertest.Recorder) {
	t.Helper()
	mails := mailertest.New(t, changes...)
	return rostertest.New(t, func(o *roster.Options) { o.Mailer, o.ActivationURL, o.ResetURL = mails, url, url }), mails
}

func register(t *testing.T, env *rostertest.Env, name, locale string) {
	t.Helper()
	_, err := env.Register(context.Background(), roster.NewUser{
		Name: name, Email: name + "@example.org", Password: rostertest.Password, Locale: locale,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Codes and links are found in whatever language, and are good.
func TestRecorder(t *testing.T) {
	ctx := context.Background()
	for _, url := range []string{"", "https://app.example.org/a?x=1&code={code}", "https://app.example.org/activate#{code}", "https://app.example.org/{code}"} {
		env, mails := newEnv(t, url)
		for _, lang := range []string{"en", "ar", "ja", "km"} {
			register(t, env, "user"+lang, lang)
			address := "USER" + lang + "@Example.org"
			code := mails.Code(t, strings.ToLower(address))
			if url != "" {
				if got, want := mails.Link(t, address), strings.Replace(url, "{code}", code, 1); got != want {
					t.Errorf("link %q, want %q", got, want)
				}
			}
			if m := mails.Last(t, address); m.Locale != lang || m.Kind != roster.MailActivateAccount {
				t.Errorf("%s in %s, want %s", m.Kind, m.Locale, lang)
			}
			if _, err := env.ActivateWithPassword(ctx, code, rostertest.Password); err != nil {
				t.Errorf("%s: %v", lang, err)
			}
		}
		if got := len(mails.All()); got != 4 {
			t.Errorf("%d mails", got)
		}
		if mails.Clear(); len(mails.All()) != 0 {
			t.Error("not forgotten")
		}
	}
}

// What was undone was not sent, and a mailer that fails undoes its cause.
func TestRecorderTransaction(t *testing.T) {
	env, mails := newEnv(t, "")
	undo := errors.New("undo")
	err := env.Atomic(context.Background(), func(ctx context.Context) error {
		_, err := env.Register(ctx, roster.NewUser{Name: "ann", Email: "ann@example.org", Password: rostertest.Password})
		return errors.Join(err, undo)
	})
	if !errors.Is(err, undo) || len(mails.All()) != 0 {
		t.Errorf("%v, %d mails", err, len(mails.All()))
	}
	mails.Fail(undo)
	if _, err := env.Register(context.Background(), roster.NewUser{Name: "ann", Email: "ann@example.org", Password: rostertest.Password}); !errors.Is(err, undo) {
		t.Error(err)
	}
	mails.Fail(nil)
	register(t, env, "ann", "")
}

// fatal notes that a test was failed.
type fatal struct {
	testing.TB
	said string
}

func (f *fatal) Helper() {}

func (f *fatal) Fatalf(format string, _ ...any) {
	f.said = format
	panic(f)
}

// What is not there fails the test.
func TestNothingThere(t *testing.T) {
	env, mails := newEnv(t, "")
	register(t, env, "ann", "")
	if _, err := env.ActivateWithPassword(context.Background(), mails.Code(t, "ann@example.org"), rostertest.Password); err != nil {
		t.Fatal(err)
	}
	register(t, env, "ben", "")
	if _, err := env.AddEmail(context.Background(), 2, "ann@example.org"); err != nil {
		t.Fatal(err)
	}
	for name, look := range map[string]func(t testing.TB){
		"last": func(t testing.TB) { mails.Last(t, "eve@example.org") },
		"link": func(t testing.TB) { mails.Link(t, "ann@example.org") },
		"code": func(t testing.TB) { mails.Code(t, "ann@example.org") },
		"new":  func(t testing.TB) { mailertest.New(t, func(o *mailer.Options) { o.From = "" }) },
	} {
		f := &fatal{TB: t}
		func() {
			defer func() { _ = recover() }()
			look(f)
		}()
		if f.said == "" {
			t.Errorf("%s: the test goes on", name)
		}
	}
}

// A page that only looks survives a filter that opens everything; one that
// redeems on GET does not, and the scanner shows it.
func TestScanner(t *testing.T) {
	ctx := context.Background()
	for _, careless := range []bool{false, true} {
		env, mails := newEnv(t, "https://app.example.org/go?code={code}", func(o *mailer.Options) { o.URL = "https://app.example.org/" })
		var (
			mu       sync.Mutex
			requests = make(map[string]int)
		)
		mux := http.NewServeMux()
		mux.HandleFunc("/go", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/activate?"+r.URL.RawQuery, http.StatusSeeOther)
		})
		mux.HandleFunc("/activate", func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			requests[r.Method]++
			mu.Unlock()
			if len(r.Cookies()) > 0 || r.Host != "app.example.org" {
				t.Errorf("%s %v", r.Host, r.Cookies())
			}
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
			look := func(ctx context.Context, code string) error { _, err := env.Peek(ctx, code); return err }
			if careless {
				look = func(ctx context.Context, code string) error {
					_, err := env.ActivateWithPassword(ctx, code, rostertest.Password)
					return err
				}
			}
			if err := look(r.Context(), r.FormValue("code")); err != nil {
				http.Error(w, "no such code", http.StatusGone)
			}
		})
		mux.HandleFunc("/{$}", func(http.ResponseWriter, *http.Request) { panic("at the disco") })
		register(t, env, "ann", "")
		m := mails.Last(t, "ann@example.org")
		var gone, panicked int
		for _, visit := range mailertest.NewScanner(mux).Scan(ctx, m) {
			switch {
			case visit.Status == http.StatusGone:
				gone++
			case visit.Err != nil:
				panicked++
			}
		}
		if requests[http.MethodHead] != 2 || requests[http.MethodGet] != 2 || panicked != 4 {
			t.Errorf("requests %v, %d panicked", requests, panicked)
		}
		_, err := env.ActivateWithPassword(ctx, mails.Code(t, "ann@example.org"), rostertest.Password)
		if careless != errors.Is(err, roster.ErrActivation) || careless != (gone > 0) {
			t.Errorf("careless %v: %v, %d gone", careless, err, gone)
		}
	}
}

// The codes that people find in their mails are those that roster takes, from
// the first mail to the last.
func TestFlow(t *testing.T) {
	ctx := context.Background()
	mails := mailertest.New(t)
	env := rostertest.New(t, func(o *roster.Options) {
		o.Mailer = mails
		o.ActivationURL, o.ResetURL, o.UndoURL = "https://app.example.org/a#{code}", "https://app.example.org/r#{code}", "https://app.example.org/u#{code}"
	})
	register(t, env, "ann", "ja")
	ann, err := env.ActivateWithPassword(ctx, mails.Code(t, "ann@example.org"), rostertest.Password)
	if err != nil {
		t.Fatal(err)
	}
	if err := env.RequestPasswordReset(ctx, "ann"); err != nil {
		t.Fatal(err)
	}
	if _, err := env.ResetPassword(ctx, mails.Code(t, "ann@example.org"), "battery staple horse"); err != nil {
		t.Fatal(err)
	}
	if _, err := env.ChangeEmail(ctx, ann.ID, "new@example.org"); err != nil {
		t.Fatal(err)
	}
	if _, err := env.Activate(ctx, mails.Code(t, "new@example.org")); err != nil {
		t.Fatal(err)
	}
	if link := mails.Link(t, "ann@example.org"); !strings.HasPrefix(link, "https://app.example.org/u#") {
		t.Errorf("link %q", link)
	}
	if _, err := env.UndoChange(ctx, mails.Code(t, "ann@example.org"), "staple horse battery"); err != nil {
		t.Fatal(err)
	}
	var kinds []roster.MailKind
	for _, m := range mails.All() {
		kinds = append(kinds, m.Kind)
		if m.Locale != "ja" {
			t.Errorf("%s in %s", m.Kind, m.Locale)
		}
	}
	want := []roster.MailKind{
		roster.MailActivateAccount, roster.MailResetPassword, roster.MailPasswordChanged, roster.MailChangeEmail, roster.MailEmailChanged,
		roster.MailPasswordChanged, roster.MailEmailRemoved,
	}
	if !slices.Equal(kinds, want) {
		t.Errorf("mails %q, want %q", kinds, want)
	}
}
