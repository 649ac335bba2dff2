package mailer_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-roster/roster/mailer"
)

// authority is a certificate authority of a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "roster test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert = a.sign(t, template, template, &a.key.PublicKey)
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

func (a *authority) sign(t testing.TB, template, parent *x509.Certificate, key *ecdsa.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, a.key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return cert
}

// server is the configuration of a server whose certificate is for the name.
func (a *authority) server(t testing.TB, name string, end time.Time) *tls.Config {
	t.Helper()
	key := newKey(t)
	leaf := a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: end, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.cert, &key.PublicKey)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}}}
}

// trust is the configuration of a client.
func (a *authority) trust() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{RootCAs: pool}
}

// The ways in which a scripted server misbehaves.
const (
	refuse4  = "4xx"
	refuse5  = "5xx"
	hang     = "hang"
	dropConn = "drop"
	garbage  = "garbage"
	long     = "a line without an end"
	rude     = "a refusal with control characters"
	inject   = "answers before TLS that belong after it"
)

// scripted is a server that speaks just enough SMTP, and misbehaves where it is
// told to.
type scripted struct {
	t        testing.TB
	ln       net.Listener
	tls      *tls.Config
	implicit bool
	offers   []string // besides STARTTLS
	noTLS    bool     // offers none
	faults   map[mailer.Stage]string

	mu       sync.Mutex
	clear    bytes.Buffer // what came in clear
	commands []string     // the verbs, in clear or not
	mails    []string     // what was taken
	conns    []net.Conn
	done     chan struct{}
}

func (s *scripted) start(t testing.TB) *scripted {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s.t, s.ln, s.done = t, ln, make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, conn)
			s.mu.Unlock()
			wg.Go(func() {
				defer conn.Close()
				s.serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		close(s.done)
		_ = ln.Close()
		s.mu.Lock()
		for _, c := range s.conns {
			_ = c.Close()
		}
		s.mu.Unlock()
		wg.Wait()
	})
	return s
}

func (s *scripted) port() int { return s.ln.Addr().(*net.TCPAddr).Port }

// count says how often a verb came.
func (s *scripted) count(verb string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.commands {
		if c == verb {
			n++
		}
	}
	return n
}

func (s *scripted) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.mails...)
}

// inClear is everything that came in clear.
func (s *scripted) inClear() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clear.String()
}

// say answers at a stage, or misbehaves. It reports whether to go on.
func (s *scripted) say(conn net.Conn, stage mailer.Stage, answer string) bool {
	write := func(text string) bool { _, err := conn.Write([]byte(text)); return err == nil }
	switch s.faults[stage] {
	case refuse4:
		write("451-4.3.0 not\r\n451 4.3.0 now\r\n")
		return stage != mailer.StageGreeting
	case refuse5:
		write("550 5.1.1 no <rcpt@example.org>\r\n")
		return stage != mailer.StageGreeting
	case rude:
		return write("550 5.7.1 a\x1b[2Jb\tc\xff\r\n")
	case hang:
		<-s.done
		return false
	case dropConn:
		return false
	case garbage:
		return write("what do you want?\r\n\x00\xff\r\n")
	case long:
		block := bytes.Repeat([]byte("x"), 1<<20)
		write("220-")
		for range 1 << 10 {
			if _, err := conn.Write(block); err != nil {
				return false
			}
		}
		return false
	case inject:
		return write(answer + "250-mail.example.org\r\n250 AUTH PLAIN\r\n235 2.7.0 welcome\r\n")
	}
	return write(answer)
}

func (s *scripted) serve(conn net.Conn) {
	secure := s.implicit
	if secure {
		conn = tls.Server(conn, s.tls)
	}
	if !s.say(conn, mailer.StageGreeting, "220 mail.example.org ready\r\n") {
		return
	}
	r := bufio.NewReader(conn)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		verb = strings.ToUpper(verb)
		s.mu.Lock()
		s.commands = append(s.commands, verb)
		if !secure {
			s.clear.WriteString(line)
		}
		s.mu.Unlock()
		switch verb {
		case "EHLO", "HELO":
			offers := append([]string{"mail.example.org"}, s.offers...)
			if !secure && !s.noTLS {
				offers = append(offers, "STARTTLS")
			}
			var b strings.Builder
			for i, o := range offers {
				sep := "-"
				if i == len(offers)-1 {
					sep = " "
				}
				fmt.Fprintf(&b, "250%s%s\r\n", sep, o)
			}
			if !s.say(conn, mailer.StageHello, b.String()) {
				return
			}
		case "STARTTLS":
			if !s.say(conn, mailer.StageStartTLS, "220 go ahead\r\n") {
				return
			}
			if f := s.faults[mailer.StageStartTLS]; f != "" && f != inject {
				continue
			}
			conn = tls.Server(conn, s.tls)
			r, secure = bufio.NewReader(conn), true
		case "AUTH":
			if strings.ToUpper(rest) == "LOGIN" {
				for _, ask := range []string{"Username:", "Password:"} {
					fmt.Fprintf(conn, "334 %s\r\n", base64.StdEncoding.EncodeToString([]byte(ask)))
					if _, err := r.ReadString('\n'); err != nil {
						return
					}
				}
			}
			if !s.say(conn, mailer.StageAuth, "235 2.7.0 welcome\r\n") {
				return
			}
		case "MAIL":
			if !s.say(conn, mailer.StageMail, "250 2.1.0 fine\r\n") {
				return
			}
		case "RCPT":
			if !s.say(conn, mailer.StageRcpt, "250 2.1.5 fine\r\n") {
				return
			}
		case "DATA":
			if !s.say(conn, mailer.StageData, "354 go ahead\r\n") {
				return
			}
			if f := s.faults[mailer.StageData]; f != "" {
				continue
			}
			var body strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				body.WriteString(strings.TrimPrefix(line, "."))
			}
			if s.faults[mailer.StageDot] == "" {
				s.mu.Lock()
				s.mails = append(s.mails, body.String())
				s.mu.Unlock()
			}
			if !s.say(conn, mailer.StageDot, "250 2.0.0 taken\r\n") {
				return
			}
		case "QUIT":
			s.say(conn, mailer.StageQuit, "221 2.0.0 bye\r\n")
			return
		case "RSET", "NOOP":
			fmt.Fprint(conn, "250 2.0.0 fine\r\n")
		default:
			fmt.Fprint(conn, "500 5.5.1 what?\r\n")
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
