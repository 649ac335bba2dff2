// Package slapd starts a throw-away OpenLDAP server with what a program puts into
// it, for tests and examples. It listens on loopback, runs as whoever starts it,
// keeps everything in a temporary directory, and ends with the program, however that ends.
package slapd

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// What every server has.
const (
	Base         = "dc=example,dc=org"
	RootDN       = "cn=root," + Base
	RootPassword = "root of the tests"

	// Service may read everything but passwords, unlike anybody else.
	ServiceDN       = "cn=service," + Base
	ServicePassword = "service of the tests"
)

// ErrMissing says that there is no slapd on the machine.
var ErrMissing = errors.New("slapd is missing: on Debian it is in the package of that name")

// Options configure [Start]. The zero value is fine.
type Options struct {
	// Global and Database are lines for slapd.conf, at the end of either section.
	Global, Database string

	// Entries are there from the start, parents first. Those with members should
	// be in Groups: they are added when the server runs, so that memberOf is kept.
	Entries []*ldap.Entry
	Groups  []*ldap.Entry
}

// Server is a running slapd. Only one goroutine may stop and start it.
type Server struct {
	// URL begins with ldap://, where StartTLS can be had, SecureURL with ldaps://.
	URL, SecureURL string

	// Authority has signed the certificate of the server, which is for 127.0.0.1 and localhost.
	Authority *Authority

	dir     string
	slapd   string
	process *exec.Cmd
	ended   chan struct{}
	log     lockedBuffer
}

// Find returns the path of slapd. ErrMissing if there is none.
func Find() (string, error) { return find("slapd") }

func find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/local/libexec"} {
		if path := filepath.Join(dir, name); exists(path) {
			return path, nil
		}
	}
	return "", ErrMissing
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// firstOf returns the first of the paths that exists, or "".
func firstOf(paths ...string) string {
	if i := slices.IndexFunc(paths, exists); i >= 0 {
		return paths[i]
	}
	return ""
}

// Start starts a server. ErrMissing if there is none on the machine. Close removes it.
func Start(o Options) (_ *Server, err error) {
	s := &Server{}
	if s.slapd, err = Find(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "roster-slapd"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.Authority, err = NewAuthority(); err != nil {
		return nil, err
	}
	if err = s.writeTLS(); err != nil {
		return nil, err
	}
	if err = s.fill(o); err != nil {
		return nil, err
	}
	for range 5 { // somebody else may take the ports
		ports, err := freePorts(2)
		if err != nil {
			return nil, err
		}
		s.URL, s.SecureURL = "ldap://"+ports[0], "ldaps://"+ports[1]
		if err = s.Restart(); err == nil {
			return s, s.addGroups(o.Groups)
		}
	}
	return nil, fmt.Errorf("slapd does not start: %s", s.log.String())
}

// Roots trusts the server's certificate and no other.
func (s *Server) Roots() *x509.CertPool { return s.Authority.Pool() }

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

func (s *Server) writeTLS() error {
	certificate, err := s.Authority.Issue(Certificate{Name: "server", Hosts: []string{"127.0.0.1", "localhost"}})
	if err != nil {
		return err
	}
	chain, key, err := encode(certificate)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(s.path("ca.pem"), s.Authority.PEM(), 0o600),
		os.WriteFile(s.path("cert.pem"), chain, 0o600),
		os.WriteFile(s.path("key.pem"), key, 0o600))
}

// Restart starts the server again where it was, after Kill or Stop.
func (s *Server) Restart() error {
	// In the foreground: -d 0 says so, and nothing is logged but what is wrong.
	cmd := exec.Command(s.slapd, "-d", "0", "-h", s.URL+"/ "+s.SecureURL+"/", "-f", s.path("slapd.conf"))
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	s.process, s.ended = cmd, ended
	for _, url := range []string{s.URL, s.SecureURL} {
		if err := s.wait(url); err != nil {
			s.Kill()
			return err
		}
	}
	return nil
}

// wait waits until somebody listens.
func (s *Server) wait(url string) error {
	_, addr, _ := strings.Cut(url, "://")
	deadline := time.Now().Add(time.Minute)
	for {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-s.ended:
			return errors.New("slapd has ended")
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}

// Kill ends the server at once, as a power failure does.
func (s *Server) Kill() {
	if s.process != nil {
		_ = s.process.Process.Kill()
		<-s.ended
		s.process = nil
	}
}

// Stop ends the server as an administrator does.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(os.Interrupt)
	select {
	case <-s.ended:
		s.process = nil
	case <-time.After(30 * time.Second):
		s.Kill()
	}
}

// Close ends the server and removes everything of it.
func (s *Server) Close() {
	s.Kill()
	_ = os.RemoveAll(s.dir)
}

// Log is what the server has complained of.
func (s *Server) Log() string { return s.log.String() }

func freePorts(n int) (addrs []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }() // all are held until all are known
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}

// lockedBuffer is a buffer that a process writes while others read.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
