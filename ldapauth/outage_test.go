package ldapauth_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/internal/slapdtest"
	"github.com/go-roster/roster/ldapauth"
)

// A server that is killed and comes back while people sign in: whoever it catches gets an outage,
// nobody who is wrong gets in and nobody who is right is refused, and then all is as before.
func TestRestart(t *testing.T) {
	s := slapdtest.Start(t, company())
	o := slapdtest.Options(s)
	o.MaxConns = 4
	d := slapdtest.New(t, o)
	const workers = 8
	var good, outages atomic.Int64
	var up atomic.Bool
	done := make(chan bool)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			since := 0 // outages in a row while the server runs
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				password, want := "correct horse", error(nil)
				if (n+w)%3 == 0 {
					password, want = "wrong", roster.ErrCredentials
				}
				before := up.Load()
				_, err := d.Authenticate(t.Context(), "ann", password)
				switch {
				case errors.Is(err, roster.ErrUnavailable):
					outages.Add(1)
					if since++; before && up.Load() && since > 1 {
						t.Errorf("again, although it runs: %v", err)
					}
					continue
				case !errors.Is(err, want):
					t.Errorf("with %q: %v", password, err)
				case err == nil:
					good.Add(1)
				}
				since = 0
			}
		})
	}
	reach := func(count *atomic.Int64, n int64) {
		for end := count.Load() + n; count.Load() < end; {
			time.Sleep(time.Millisecond)
		}
	}
	up.Store(true)
	for range rounds(2, 20) {
		reach(&good, 50)
		up.Store(false)
		s.Kill()
		reach(&outages, 5)
		if err := s.Restart(); err != nil {
			t.Fatal(err)
		}
		up.Store(true)
	}
	reach(&good, 50)
	close(done)
	wait.Wait()
}

// Connections that ended while nobody used them are nobody's error: not one, when a server
// was started anew at night.
func TestIdleConnections(t *testing.T) {
	s := slapdtest.Start(t, company())
	d := slapdtest.New(t, slapdtest.Options(s))
	for range 3 {
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				if _, err := d.Authenticate(t.Context(), "ann", "correct horse"); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		s.Stop()
		if err := s.Restart(); err != nil {
			t.Fatal(err)
		}
	}
}

// So are those that end at the very moment when they are used again.
func TestStaleConnections(t *testing.T) {
	for _, tag := range []ber.Tag{ldap.ApplicationBindRequest, ldap.ApplicationSearchRequest, ldap.ApplicationExtendedRequest} {
		var mu sync.Mutex
		seen := map[*peer]int{}
		s := startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
			mu.Lock()
			defer mu.Unlock()
			if op(r) == tag {
				seen[p]++
			}
			if seen[p] < 2 {
				return false
			}
			_ = p.Close()
			return true
		})
		d := slapdtest.New(t, plain(s))
		for i := range 6 {
			if _, err := d.Authenticate(t.Context(), "ann", annsSecret); err != nil {
				t.Errorf("%d, request %d: %v", i, tag, err)
			}
		}
	}
}

// While one server is down, or sends people away, the other one answers, and soon is asked at once.
func TestFailover(t *testing.T) {
	const away = ldap.LDAPResultUnavailable
	for name, script := range map[string]script{
		"hanging up":           func(p *peer, _ *ber.Packet) bool { return p.Close() == nil },
		"silent":               func(*peer, *ber.Packet) bool { return true },
		"silent at the search": func(_ *peer, r *ber.Packet) bool { return op(r) == ldap.ApplicationSearchRequest },
		"busy at the bind": func(p *peer, r *ber.Packet) bool {
			p.send(result(r.Children[0].Value.(int64), int(op(r))+1, ldap.LDAPResultBusy, ""))
			return true
		},
		"away at the search": func(p *peer, r *ber.Packet) bool {
			if op(r) == ldap.ApplicationSearchRequest {
				p.send(result(r.Children[0].Value.(int64), ldap.ApplicationSearchResultDone, away, ""))
			}
			return op(r) == ldap.ApplicationSearchRequest
		},
		"away at a person's bind": func(p *peer, r *ber.Packet) bool {
			if op(r) == 0 && r.Children[1].Children[1].Data.String() == annDN {
				p.send(result(r.Children[0].Value.(int64), ldap.ApplicationBindResponse, away, ""))
				return true
			}
			return false
		},
		"not there": nil,
	} {
		t.Run(name, func(t *testing.T) {
			first, second := startScripted(t, nil, script), startScripted(t, nil, nil)
			o := plain(second)
			o.URLs = []string{"ldap://" + first.addr, "ldap://" + second.addr}
			if name == "not there" {
				o.URLs[0] = "ldap://127.0.0.1:1"
			}
			if strings.HasPrefix(name, "silent") {
				o.Timeout = 300 * time.Millisecond
			}
			var log bytes.Buffer
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			d := slapdtest.New(t, o)
			for i := range 5 {
				_, err := d.Authenticate(t.Context(), "ann", annsSecret)
				if name == "silent at the search" && i == 0 { // the time is over
					checkReason(t, err, ldapauth.StageSearch, 0, ldapauth.ReasonTimeout)
				} else if err != nil {
					t.Errorf("%d: %v", i, err)
				}
			}
			if n := first.conns.Load(); n > 2 {
				t.Errorf("the first was asked %d times", n)
			}
			if strings.Contains(log.String(), "ann") {
				t.Error(log.String())
			}
		})
	}
}

// Who looks people up never does so as one of them: only the service account may read them.
func TestSeparateConnections(t *testing.T) {
	o := company()
	s := slapdtest.Start(t, o)
	opts := slapdtest.Options(s)
	opts.MaxConns = 2
	d := slapdtest.New(t, opts)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for n := range 25 {
				name := slapd.Name((i + n) % 3)
				if id, err := d.Authenticate(t.Context(), name, name); err != nil || id.Name != name {
					t.Errorf("%s: %v %v", name, id, err)
				}
				refuses(t, d, name, "wrong", roster.ErrCredentials)
				if _, err := d.Authenticate(t.Context(), "nobody", "wrong"); !errors.Is(err, roster.ErrUnknownUser) {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
}

// A name that nobody has takes as many requests as one that somebody has, and nothing that was
// typed is in them but the name.
func TestNobody(t *testing.T) {
	s := startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
		if op(r) == ldap.ApplicationSearchRequest {
			p.send(result(r.Children[0].Value.(int64), ldap.ApplicationSearchResultDone, 0, ""))
		}
		return op(r) == ldap.ApplicationSearchRequest
	})
	d := slapdtest.New(t, plain(s))
	refuses(t, d, "whoever", "a password of theirs", roster.ErrUnknownUser)
	want := []ber.Tag{ldap.ApplicationBindRequest, ldap.ApplicationSearchRequest, ldap.ApplicationBindRequest}
	if got := s.ops(); len(got) != len(want) || got[2] != want[2] {
		t.Errorf("requests %v", got)
	}
	if bytes.Contains(s.received(), []byte("a password of theirs")) {
		t.Error("the password was sent")
	}
	down := startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
		switch {
		case op(r) == ldap.ApplicationSearchRequest:
			p.send(result(r.Children[0].Value.(int64), ldap.ApplicationSearchResultDone, 0, ""))
		case op(r) != ldap.ApplicationBindRequest, r.Children[1].Children[1].Data.String() == slapd.ServiceDN:
			return false
		default:
			_ = p.Close()
		}
		return true
	})
	_, err := slapdtest.New(t, plain(down)).Authenticate(t.Context(), "whoever", "x")
	checkReason(t, err, ldapauth.StageBind, 0, ldapauth.ReasonLost)
}

// All connections are taken: who comes waits for as long as they have time.
func TestPool(t *testing.T) {
	hold := make(chan bool)
	s := startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
		if op(r) == ldap.ApplicationSearchRequest {
			<-hold
		}
		return false
	})
	o := plain(s)
	o.MaxConns = 2
	d := slapdtest.New(t, o)
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() {
			if _, err := d.Authenticate(t.Context(), "ann", annsSecret); err != nil {
				t.Error(err)
			}
		})
	}
	for len(s.ops()) < 4 { // two have bound and searched
		time.Sleep(time.Millisecond)
	}
	close(hold)
	wait.Wait()
	if n := s.conns.Load(); n > 4 {
		t.Errorf("%d connections", n)
	}
	_ = d.Close()
	_, err := d.Authenticate(t.Context(), "ann", annsSecret)
	checkReason(t, err, ldapauth.StageDial, 0, ldapauth.ReasonClosed)
	_, err = all(t.Context(), d)
	checkReason(t, err, ldapauth.StageDial, 0, ldapauth.ReasonClosed)
}

// A list that breaks off is an error, wherever it does.
func TestAllBreaksOff(t *testing.T) {
	for name, fault := range map[string]struct {
		do     func(p *peer, id int64)
		code   int
		reason ldapauth.Reason
	}{
		"hanging up": {func(p *peer, _ int64) { _ = p.Close() }, 0, ldapauth.ReasonLost},
		"after an entry": {func(p *peer, id int64) {
			p.send(entry(id, "uid=b", map[string][]string{"uid": {"b"}, "entryUUID": {"b"}}))
			_ = p.Close()
		}, 0, ldapauth.ReasonLost},
		"a limit": {func(p *peer, id int64) {
			p.send(entry(id, "uid=b", map[string][]string{"uid": {"b"}, "entryUUID": {"b"}}),
				result(id, ldap.ApplicationSearchResultDone, ldap.LDAPResultTimeLimitExceeded, ""))
		}, ldap.LDAPResultTimeLimitExceeded, ""},
		"the same again": {func(p *peer, id int64) { p.send(ann(id), paged(id, "")) }, 0, ldapauth.ReasonDuplicate},
	} {
		t.Run(name, func(t *testing.T) {
			pages := 0
			s := startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
				if op(r) != ldap.ApplicationSearchRequest {
					return false
				}
				id := r.Children[0].Value.(int64)
				if pages++; pages == 1 {
					p.send(ann(id), paged(id, "more"))
				} else {
					fault.do(p, id)
				}
				return true
			})
			ids, err := all(t.Context(), slapdtest.New(t, plain(s)))
			stage := ldapauth.StageSearch
			if fault.reason == ldapauth.ReasonDuplicate {
				stage = ldapauth.StageEntry
			}
			checkReason(t, err, stage, fault.code, fault.reason)
			if len(ids) != 1 {
				t.Errorf("%d people", len(ids))
			}
		})
	}
}

// paged is the end of a page, with the place to go on from.
func paged(id int64, cookie string) *ber.Packet {
	m := result(id, ldap.ApplicationSearchResultDone, 0, "")
	value := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	value.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 0, ""))
	value.AppendChild(text(cookie))
	control := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	control.AppendChild(text(ldap.ControlTypePaging))
	control.AppendChild(text(string(value.Bytes())))
	controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
	controls.AppendChild(control)
	whole := envelope(id, m.Children[1])
	whole.AppendChild(controls)
	return whole
}
