package ldapauth_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/ldapauth"
)

// scripted is a server that does what no good one does. It answers like one with one
// person, "ann", but where its script says otherwise.
type scripted struct {
	addr   string
	conns  atomic.Int64
	script script

	mu       sync.Mutex
	requests []*ber.Packet // of all connections, in order
	took     []byte        // all that came
}

// script answers one request. It reports whether it did; nil never does.
type script func(p *peer, request *ber.Packet) bool

// peer is a connection of a scripted server.
type peer struct {
	net.Conn
	in    *bufio.Reader
	bound bool // for scripts to keep
}

const (
	annDN      = "uid=ann,ou=people," + slapd.Base
	annID      = "0b6e9c3e-4a52-4c4e-8a6f-6a1f6c1d9a11"
	annsSecret = "ann's secret"
)

// op is the tag of a request (RFC 4511, section 4.2 and on).
func op(request *ber.Packet) ber.Tag { return request.Children[1].Tag }

// startScripted starts a server; with config it speaks TLS from the first byte.
func startScripted(t testing.TB, config *tls.Config, script script) *scripted {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{addr: l.Addr().String(), script: script}
	var wait sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.conns.Add(1)
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			wait.Go(func() {
				defer func() { _ = c.Close() }()
				if config != nil {
					c = tls.Server(c, config)
				}
				s.serve(&peer{Conn: c})
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		wait.Wait()
	})
	return s
}

func (s *scripted) serve(p *peer) {
	p.in = bufio.NewReader(io.TeeReader(p.Conn, s))
	for {
		request, err := ber.ReadPacket(p.in)
		if err != nil || len(request.Children) < 2 {
			return
		}
		s.mu.Lock()
		s.requests = append(s.requests, request)
		s.mu.Unlock()
		if s.script == nil || !s.script(p, request) {
			p.answer(request)
		}
	}
}

// Write notes what came.
func (s *scripted) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took = append(s.took, b...)
	return len(b), nil
}

func (s *scripted) received() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.took)
}

// ops is the tags of all requests so far.
func (s *scripted) ops() (tags []ber.Tag) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		tags = append(tags, op(r))
	}
	return tags
}

// answer is what a good server would say.
func (p *peer) answer(request *ber.Packet) {
	id := request.Children[0].Value.(int64)
	switch op(request) {
	case ldap.ApplicationBindRequest:
		password := request.Children[1].Children[2].Data.String()
		code := 0
		if dn := request.Children[1].Children[1].Data.String(); dn == annDN && password != annsSecret || dn != annDN && dn != slapd.ServiceDN {
			code = ldap.LDAPResultInvalidCredentials
		}
		p.send(result(id, ldap.ApplicationBindResponse, code, ""))
	case ldap.ApplicationSearchRequest:
		p.send(ann(id))
		p.send(result(id, ldap.ApplicationSearchResultDone, 0, ""))
	case ldap.ApplicationModifyRequest:
		p.send(result(id, ldap.ApplicationModifyResponse, 0, ""))
	case ldap.ApplicationExtendedRequest:
		p.send(whoAmI(id, "dn:"+annDN))
	case ldap.ApplicationUnbindRequest:
		_ = p.Close()
	}
}

func (p *peer) send(packets ...*ber.Packet) {
	for _, packet := range packets {
		_, _ = p.Write(packet.Bytes())
	}
}

func envelope(id int64, op *ber.Packet) *ber.Packet {
	m := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	m.AppendChild(op)
	return m
}

func text(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

func result(id int64, tag, code int, diagnostic string) *ber.Packet {
	r := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ber.Tag(tag), nil, "")
	r.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
	r.AppendChild(text(""))
	r.AppendChild(text(diagnostic))
	return envelope(id, r)
}

func whoAmI(id int64, authz string) *ber.Packet {
	m := result(id, ldap.ApplicationExtendedResponse, 0, "")
	m.Children[1].AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 11, authz, ""))
	return envelope(id, m.Children[1])
}

// entry is a reply with an entry.
func entry(id int64, dn string, attributes map[string][]string) *ber.Packet {
	list := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	for name, values := range attributes {
		a := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
		a.AppendChild(text(name))
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, v := range values {
			set.AppendChild(text(v))
		}
		a.AppendChild(set)
		list.AppendChild(a)
	}
	e := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	e.AppendChild(text(dn))
	e.AppendChild(list)
	return envelope(id, e)
}

func ann(id int64) *ber.Packet {
	return entry(id, annDN, map[string][]string{"uid": {"ann"}, "entryUUID": {annID}, "cn": {"Ann"}})
}

// plain are the options for a scripted server without TLS. The deadlines are those of
// the tests: what has to come sooner is not waited for so long.
func plain(s *scripted) ldapauth.Options {
	return ldapauth.Options{
		ID: "corp", URLs: []string{"ldap://" + s.addr}, AllowPlaintext: true, Base: slapd.Base,
		ServiceDN: slapd.ServiceDN, ServicePassword: roster.NewSecret(slapd.ServicePassword),
		Schema: ldapauth.PosixAccount(), Timeout: time.Minute, DialTimeout: time.Minute,
	}
}
