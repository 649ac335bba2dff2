package mailer_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer"
)

// patience is how long a stage may take in tests where nothing hangs.
const patience = time.Minute

func message(to string) *mailer.Message {
	return &mailer.Message{
		Kind: roster.MailResetPassword, ID: "an-id-of-a-message@example.org", Date: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
		From: mailer.Mailbox{Name: "Example", Address: "accounts@example.org"}, To: mailer.Mailbox{Address: to},
		Subject: "Secret subject", Text: ".\n..\n.a\nsecret text\n\nend\n" + strings.Repeat("long ", 1000), HTML: "<p>secret html</p>",
	}
}

// inbox is a real server that keeps what it takes.
type inbox struct {
	users map[string]string // by name; nil: nobody signs in
	mech  []string          // of signing in; nil: PLAIN

	mu       sync.Mutex
	mails    []received
	sessions int
	rcpt     func(to string) error // may be nil
}

type received struct {
	from, to, text string
	utf8           bool
}

func (b *inbox) NewSession(*smtp.Conn) (smtp.Session, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sessions++
	s := &inboxSession{inbox: b}
	if b.users != nil {
		return &authSession{s}, nil
	}
	return s, nil
}

func (b *inbox) all() []received {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]received(nil), b.mails...)
}

type inboxSession struct {
	*inbox
	signedIn bool
	received
}

func (s *inboxSession) Mail(from string, opts *smtp.MailOptions) error {
	if s.users != nil && !s.signedIn {
		return smtp.ErrAuthRequired
	}
	s.received = received{from: from, utf8: opts.UTF8}
	return nil
}

func (s *inboxSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	if s.rcpt != nil {
		return s.rcpt(to)
	}
	return nil
}

func (s *inboxSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.text = string(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, s.received)
	return nil
}

func (*inboxSession) Reset()        {}
func (*inboxSession) Logout() error { return nil }

type authSession struct{ *inboxSession }

func (s *authSession) AuthMechanisms() []string {
	if s.mech != nil {
		return s.mech
	}
	return []string{sasl.Plain}
}

func (s *authSession) Auth(mech string) (sasl.Server, error) {
	check := func(user, password string) error {
		if want, ok := s.users[user]; !ok || want != password {
			return smtp.ErrAuthFailed
		}
		s.signedIn = true
		return nil
	}
	if mech == sasl.Login {
		return &loginServer{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
}

// loginServer is the mechanism LOGIN, which go-sasl has for clients only.
type loginServer struct {
	check func(user, password string) error
	user  string
	step  int
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	l.step++
	switch l.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("Password:"), false, nil
	default:
		return nil, true, l.check(l.user, string(response))
	}
}

// serve starts the server and returns its port.
func (b *inbox) serve(t testing.TB, config *tls.Config, change func(*smtp.Server)) int {
	t.Helper()
	srv := smtp.NewServer(b)
	srv.Domain, srv.TLSConfig, srv.EnableSMTPUTF8 = "mail.example.org", config, true
	srv.ErrorLog = quiet{}
	if change != nil {
		change(srv)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(ln)
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	return ln.Addr().(*net.TCPAddr).Port
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func newSMTP(t testing.TB, port int, opts mailer.SMTPOptions) *mailer.SMTP {
	t.Helper()
	opts.Port = port
	if opts.Timeout == 0 {
		opts.Timeout = patience
	}
	s, err := mailer.NewSMTP("localhost", &opts)
	must(t, err)
	return s
}

func TestSMTPDelivers(t *testing.T) {
	ca := newAuthority(t)
	config := ca.server(t, "localhost", time.Now().Add(time.Hour))
	login := mailer.SMTPOptions{Username: "ann", Password: roster.NewSecret("pass word")}
	for name, c := range map[string]struct {
		opts   mailer.SMTPOptions
		box    *inbox
		server func(*smtp.Server)
	}{
		"STARTTLS":             {},
		"STARTTLS and LOGIN":   {opts: login, box: &inbox{users: map[string]string{"ann": "pass word"}, mech: []string{"LOGIN"}}},
		"STARTTLS and PLAIN":   {opts: login, box: &inbox{users: map[string]string{"ann": "pass word"}, mech: []string{"LOGIN", "PLAIN"}}},
		"in clear, on purpose": {opts: mailer.SMTPOptions{AllowPlaintext: true}, server: func(s *smtp.Server) { s.TLSConfig = nil }},
		"TLS all the same":     {opts: mailer.SMTPOptions{AllowPlaintext: true}},
	} {
		t.Run(name, func(t *testing.T) {
			box := c.box
			if box == nil {
				box = new(inbox)
			}
			port := box.serve(t, config, c.server)
			c.opts.TLS = ca.trust()
			deliverThree(t, newSMTP(t, port, c.opts), box)
		})
	}
	t.Run("implicit TLS", func(t *testing.T) {
		box := inbox{users: map[string]string{"ann": "pass word"}}
		srv := smtp.NewServer(&box)
		ln, err := tls.Listen("tcp", "127.0.0.1:0", config)
		must(t, err)
		go func() { _ = srv.Serve(ln) }()
		t.Cleanup(func() { _ = srv.Close() })
		opts := login
		opts.ImplicitTLS, opts.TLS = true, ca.trust()
		deliverThree(t, newSMTP(t, ln.Addr().(*net.TCPAddr).Port, opts), &box)
	})
}

// deliverThree sends three messages by one session, one of which is refused.
func deliverThree(t *testing.T, s *mailer.SMTP, box *inbox) {
	t.Helper()
	box.rcpt = func(to string) error {
		if to == "nobody@example.org" {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no <nobody@example.org>"}
		}
		return nil
	}
	session, err := s.Dial(t.Context())
	must(t, err)
	must(t, session.Send(t.Context(), message("a@example.org")))
	err = session.Send(t.Context(), message("nobody@example.org"))
	var failed *mailer.SendError
	if !errors.As(err, &failed) || failed.Code != 550 || failed.Enhanced != "5.1.1" || !failed.Permanent || !failed.Undeliverable ||
		err.Error() != "mailer: not sent: rcpt 550 5.1.1" || failed.Reply != `"5.1.1 no <nobody@example.org>"` {
		t.Errorf("refused: %v, %+v", err, failed)
	}
	must(t, session.Send(t.Context(), message("b@example.org")))
	must(t, session.Close())
	mails := box.all()
	if len(mails) != 2 || mails[0].to != "a@example.org" || mails[1].to != "b@example.org" || box.sessions > 2 {
		t.Fatalf("taken: %+v, in %d sessions", mails, box.sessions)
	}
	want, err := message("a@example.org").Bytes()
	must(t, err)
	if mails[0].text != string(want) || mails[0].from != "accounts@example.org" || mails[0].utf8 {
		t.Errorf("got\n%q\nwant\n%q\nfrom %s, UTF-8: %v", mails[0].text, want, mails[0].from, mails[0].utf8)
	}
}

// Whatever goes wrong, wherever: it is told as what it is, in time, and nothing
// is said to a server that should not hear it.
func TestSMTPFaults(t *testing.T) {
	ca := newAuthority(t)
	config := ca.server(t, "localhost", time.Now().Add(time.Hour))
	stages := []mailer.Stage{
		mailer.StageGreeting, mailer.StageHello, mailer.StageStartTLS, mailer.StageAuth,
		mailer.StageMail, mailer.StageRcpt, mailer.StageData, mailer.StageDot, mailer.StageQuit,
	}
	type outcome struct {
		stage   mailer.Stage
		fault   string
		srv     *scripted
		session mailer.Session
		err     error
	}
	var all []*outcome
	var wg sync.WaitGroup
	for _, stage := range stages {
		for _, fault := range []string{refuse4, refuse5, rude, hang, dropConn, garbage} {
			o := &outcome{stage: stage, fault: fault}
			all = append(all, o)
			o.srv = (&scripted{tls: config, offers: []string{"AUTH PLAIN"}, faults: map[mailer.Stage]string{stage: fault}}).start(t)
			opts := mailer.SMTPOptions{TLS: ca.trust(), Username: "ann", Password: roster.NewSecret("password")}
			if fault == hang {
				opts.Timeout = 5 * time.Second
			}
			s := newSMTP(t, o.srv.port(), opts)
			wg.Go(func() { // all at once: those that hang take their time
				if o.session, o.err = s.Dial(t.Context()); o.err != nil {
					return
				}
				o.err = o.session.Send(t.Context(), message("rcpt@example.org"))
				_ = o.session.Close()
			})
		}
	}
	wg.Wait()
	for _, o := range all {
		t.Run(string(o.stage)+" "+o.fault, func(t *testing.T) {
			i := slices.Index(stages, o.stage)
			switch {
			case o.stage == mailer.StageQuit:
				must(t, o.err)
				if len(o.srv.taken()) != 1 {
					t.Error("the server has not taken the mail")
				}
				return
			case i < 4 && o.session != nil:
				t.Error("a session began")
			case i < 4:
				checkDial(t, o.err, o.stage)
			}
			checkFault(t, o.err, o.stage, o.fault)
			if i < 4 && o.srv.count("MAIL") > 0 || i < 3 && o.srv.count("AUTH") > 0 || strings.Contains(strings.ToUpper(o.srv.inClear()), "AUTH") {
				t.Errorf("the server has heard %v", o.srv.commands)
			}
			if len(o.srv.taken()) != 0 {
				t.Error("the server has taken the mail")
			}
		})
	}
}

func checkDial(t *testing.T, err error, stage mailer.Stage) {
	t.Helper()
	want := map[mailer.Stage]string{
		mailer.StageStartTLS: mailer.UnavailableSMTPTLS, mailer.StageTLS: mailer.UnavailableSMTPTLS, mailer.StageAuth: mailer.UnavailableSMTPAuth,
	}[stage]
	if want == "" {
		want = mailer.UnavailableSMTP
	}
	var down *roster.UnavailableError
	if !errors.As(err, &down) || down.What != want {
		t.Errorf("%v, want that %s is unavailable", err, want)
	}
}

func checkFault(t *testing.T, err error, stage mailer.Stage, fault string) {
	t.Helper()
	var failed *mailer.SendError
	if !errors.As(err, &failed) {
		t.Fatalf("%v is no SendError", err)
	}
	if failed.Stage != stage {
		t.Errorf("failed at %s", failed.Stage)
	}
	code, enhanced := map[string]int{refuse4: 451, refuse5: 550, rude: 550}[fault], map[string]string{refuse4: "4.3.0", refuse5: "5.1.1", rude: "5.7.1"}[fault]
	if failed.Code != code || failed.Enhanced != enhanced || failed.Permanent != (code == 550) ||
		failed.Undeliverable != (stage == mailer.StageRcpt && fault == refuse5) {
		t.Errorf("%+v", failed)
	}
	var timeout net.Error
	if fault == hang && (!errors.As(err, &timeout) || !timeout.Timeout()) {
		t.Errorf("after the time was over: %v", failed.Cause)
	}
	for _, text := range []string{err.Error(), failed.Error(), failed.Reply} {
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("not safe to print: %q", text)
		}
	}
	if strings.Contains(err.Error()+failed.Error(), "rcpt@") {
		t.Errorf("tells the address: %v", err)
	}
	if (fault == refuse5 || fault == rude || fault == garbage) && failed.Reply == "" {
		t.Error("what the server said is lost")
	}
}

// Without a safe connection nothing is said that matters.
func TestSMTPSecurity(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	good := ca.server(t, "localhost", time.Now().Add(time.Hour))
	old := ca.server(t, "localhost", time.Now().Add(time.Hour))
	old.MaxVersion = tls.VersionTLS11
	for name, c := range map[string]struct {
		server *scripted
		opts   mailer.SMTPOptions
		stage  mailer.Stage
	}{
		"STARTTLS stripped":   {&scripted{tls: good, noTLS: true}, mailer.SMTPOptions{}, mailer.StageStartTLS},
		"injected":            {&scripted{tls: good, faults: map[mailer.Stage]string{mailer.StageStartTLS: inject}}, mailer.SMTPOptions{}, mailer.StageStartTLS},
		"injected, clear OK":  {&scripted{tls: good, faults: map[mailer.Stage]string{mailer.StageStartTLS: inject}}, mailer.SMTPOptions{AllowPlaintext: true}, mailer.StageStartTLS},
		"another name":        {&scripted{tls: ca.server(t, "mail.example.org", time.Now().Add(time.Hour))}, mailer.SMTPOptions{}, mailer.StageStartTLS},
		"expired":             {&scripted{tls: ca.server(t, "localhost", time.Now().Add(-time.Hour))}, mailer.SMTPOptions{}, mailer.StageStartTLS},
		"unknown authority":   {&scripted{tls: stranger.server(t, "localhost", time.Now().Add(time.Hour))}, mailer.SMTPOptions{}, mailer.StageStartTLS},
		"TLS 1.1":             {&scripted{tls: old}, mailer.SMTPOptions{}, mailer.StageStartTLS},
		"clear OK, bad name":  {&scripted{tls: ca.server(t, "x.example.org", time.Now().Add(time.Hour))}, mailer.SMTPOptions{AllowPlaintext: true}, mailer.StageStartTLS},
		"password in clear":   {&scripted{tls: good, noTLS: true}, mailer.SMTPOptions{AllowPlaintext: true}, mailer.StageAuth},
		"implicit, bad name":  {&scripted{implicit: true, tls: ca.server(t, "x.example.org", time.Now().Add(time.Hour))}, mailer.SMTPOptions{ImplicitTLS: true}, mailer.StageTLS},
		"implicit, but clear": {&scripted{tls: good}, mailer.SMTPOptions{ImplicitTLS: true}, mailer.StageTLS},
	} {
		t.Run(name, func(t *testing.T) {
			c.server.offers = []string{"AUTH PLAIN LOGIN"}
			srv := c.server.start(t)
			c.opts.TLS, c.opts.Username, c.opts.Password = ca.trust(), "ann", roster.NewSecret("password")
			session, err := newSMTP(t, srv.port(), c.opts).Dial(t.Context())
			if err == nil {
				_ = session.Close()
				t.Fatal("a session began")
			}
			checkDial(t, err, c.stage)
			if srv.count("AUTH")+srv.count("MAIL") != 0 {
				t.Errorf("the server has heard %v", srv.commands)
			}
		})
	}
}

// A server that does not stop talking costs a bounded amount of memory.
func TestSMTPLongReply(t *testing.T) {
	ca := newAuthority(t)
	for _, stage := range []mailer.Stage{mailer.StageGreeting, mailer.StageHello, mailer.StageRcpt, mailer.StageDot} {
		srv := (&scripted{
			tls:    ca.server(t, "localhost", time.Now().Add(time.Hour)),
			faults: map[mailer.Stage]string{stage: long},
		}).start(t)
		s := newSMTP(t, srv.port(), mailer.SMTPOptions{TLS: ca.trust()})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		session, err := s.Dial(t.Context())
		if err == nil {
			err = session.Send(t.Context(), message("a@example.org"))
			_ = session.Close()
		}
		runtime.ReadMemStats(&after)
		var failed *mailer.SendError
		if !errors.As(err, &failed) || failed.Stage != stage || failed.Permanent {
			t.Errorf("%s: %v", stage, err)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 { // the server makes a block of its own
			t.Errorf("%s: %d MiB were allocated", stage, grown>>20)
		}
	}
}

func TestSMTPUTF8(t *testing.T) {
	ca := newAuthority(t)
	config := ca.server(t, "localhost", time.Now().Add(time.Hour))
	for _, offered := range []bool{true, false} {
		var box inbox
		port := box.serve(t, config, func(s *smtp.Server) { s.EnableSMTPUTF8 = offered })
		session, err := newSMTP(t, port, mailer.SMTPOptions{TLS: ca.trust()}).Dial(t.Context())
		must(t, err)
		err = session.Send(t.Context(), message("jos\u00e9@b\u00fccher.example"))
		var failed *mailer.SendError
		switch {
		case offered:
			must(t, err)
		case !errors.As(err, &failed) || !failed.Permanent || !failed.Undeliverable || err.Error() != "mailer: not sent: mail smtputf8":
			t.Errorf("without SMTPUTF8: %v, %+v", err, failed)
		}
		must(t, session.Send(t.Context(), message("ann@b\u00fccher.example"))) // a name that has an ASCII form
		must(t, session.Close())
		mails := box.all()
		last := mails[len(mails)-1]
		if last.to != "ann@xn--bcher-kva.example" || last.utf8 {
			t.Errorf("to %s, UTF-8: %v", last.to, last.utf8)
		}
		if offered && (len(mails) != 2 || !mails[0].utf8 || mails[0].to != "jos\u00e9@xn--bcher-kva.example") || !offered && len(mails) != 1 {
			t.Errorf("taken: %+v", mails)
		}
	}
}

// Whoever has made the message: an address that is none gets nowhere.
func TestSMTPAddresses(t *testing.T) {
	ca := newAuthority(t)
	srv := (&scripted{tls: ca.server(t, "localhost", time.Now().Add(time.Hour))}).start(t)
	session, err := newSMTP(t, srv.port(), mailer.SMTPOptions{TLS: ca.trust()}).Dial(t.Context())
	must(t, err)
	bad := []string{
		"", "a", "a@b", "a@example.org>\r\nRCPT TO:<b@example.org", "a@example.org\r\n", "a@example.org\nb", "a@exa mple.org", "<a@example.org>",
		`"a@evil.com> RCPT"@good.com`, `"a b"@example.org`, "a@example.org SIZE=1", "a@[127.0.0.1]", "a%b@example.org", "@x:a@example.org", "a@b@example.org", "a\x00@example.org",
	}
	for _, address := range bad {
		var failed *mailer.SendError
		if err := session.Send(t.Context(), message(address)); !errors.As(err, &failed) || !failed.Permanent {
			t.Errorf("to %q: %v", address, err)
		}
		m := message("a@example.org")
		m.From.Address = address
		if err := session.Send(t.Context(), m); !errors.As(err, &failed) || !failed.Permanent || failed.Undeliverable {
			t.Errorf("from %q: %v", address, err)
		}
	}
	if srv.count("MAIL") != 0 {
		t.Errorf("the server has heard %v", srv.commands)
	}
	must(t, session.Send(t.Context(), message("a@example.org")))
	must(t, session.Close())
}

func TestSMTPContext(t *testing.T) {
	ca := newAuthority(t)
	config := ca.server(t, "localhost", time.Now().Add(time.Hour))
	for _, stage := range []mailer.Stage{mailer.StageGreeting, mailer.StageStartTLS, mailer.StageRcpt, mailer.StageDot} {
		srv := (&scripted{tls: config, faults: map[mailer.Stage]string{stage: hang}}).start(t)
		s := newSMTP(t, srv.port(), mailer.SMTPOptions{TLS: ca.trust()})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			verb := map[mailer.Stage]string{mailer.StageStartTLS: "STARTTLS", mailer.StageRcpt: "RCPT", mailer.StageDot: "DATA"}[stage]
			for verb != "" && srv.count(verb) == 0 {
				runtime.Gosched()
			}
			cancel()
		}()
		session, err := s.Dial(ctx)
		if err == nil {
			err = session.Send(ctx, message("a@example.org"))
			if session.Send(t.Context(), message("a@example.org")) == nil {
				t.Errorf("%s: the session goes on", stage)
			}
			_ = session.Close()
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", stage, err)
		}
		cancel()
	}
}

func TestNewSMTPRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		host string
		opts mailer.SMTPOptions
	}{
		"no host":                 {"", mailer.SMTPOptions{}},
		"a host with a break":     {"a\r\nb", mailer.SMTPOptions{}},
		"a port":                  {"h", mailer.SMTPOptions{Port: 70000}},
		"trust in everybody":      {"h", mailer.SMTPOptions{TLS: &tls.Config{InsecureSkipVerify: true}}}, //nolint:gosec // refused
		"an old version":          {"h", mailer.SMTPOptions{TLS: &tls.Config{MaxVersion: tls.VersionTLS11}}},
		"a password of nobody":    {"h", mailer.SMTPOptions{Password: roster.NewSecret("x")}},
		"no password":             {"h", mailer.SMTPOptions{Username: "x"}},
		"a name with a break":     {"h", mailer.SMTPOptions{Username: "x\r\ny", Password: roster.NewSecret("x")}},
		"a greeting with a break": {"h", mailer.SMTPOptions{Hello: "x\r\nMAIL FROM:<a@b.c>"}},
		"a negative time":         {"h", mailer.SMTPOptions{Timeout: -1}},
	} {
		if _, err := mailer.NewSMTP(c.host, &c.opts); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := mailer.NewSMTP("mail.example.org", nil); err != nil {
		t.Error(err)
	}
}

// After a refusal the session is made ready for the next message, and goes on.
func TestSMTPResets(t *testing.T) {
	ca := newAuthority(t)
	srv := (&scripted{
		tls:    ca.server(t, "localhost", time.Now().Add(time.Hour)),
		faults: map[mailer.Stage]string{mailer.StageRcpt: refuse5},
	}).start(t)
	session, err := newSMTP(t, srv.port(), mailer.SMTPOptions{TLS: ca.trust()}).Dial(t.Context())
	must(t, err)
	for range 3 {
		var failed *mailer.SendError
		if err := session.Send(t.Context(), message("a@example.org")); !errors.As(err, &failed) || failed.Code != 550 {
			t.Fatal(err)
		}
	}
	must(t, session.Close())
	if mails, resets := srv.count("MAIL"), srv.count("RSET"); mails != 3 || resets != 2 {
		t.Errorf("%d MAIL and %d RSET: %v", mails, resets, srv.commands)
	}
}
