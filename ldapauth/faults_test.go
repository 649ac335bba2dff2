package ldapauth_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/goleak"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapdtest"
	"github.com/go-roster/roster/ldapauth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// header is the beginning of a message that says how long it is.
func header(length uint32) []byte {
	return []byte{0x30, 0x84, byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length)}
}

// nested is a message with a bind response of so many levels.
func nested(id byte, levels int) []byte {
	var inner []byte
	for level := range levels {
		inner = append(inner, header(uint32(6*(levels-level-1)+2))...)
	}
	inner = append(inner, 0x05, 0)
	op := append([]byte{0x61, 0x84}, header(uint32(len(inner) + 7))[2:]...)
	op = append(op, 0x0a, 1, 0, 0x04, 0, 0x04, 0)
	op = append(op, inner...)
	body := append([]byte{0x02, 1, id}, op...)
	return append(header(uint32(len(body))), body...)
}

// What a server can do wrong. None of it is a success, none takes memory, and all of
// it ends, at once or when the deadline says so.
var faults = map[string]struct {
	do     func(p *peer, id byte)
	reason ldapauth.Reason
}{
	"silence": {func(*peer, byte) {}, ldapauth.ReasonTimeout},
	"dripping": {func(p *peer, id byte) {
		for _, b := range result(int64(id), ldap.ApplicationBindResponse, 0, string(make([]byte, 4000))).Bytes() {
			if _, err := p.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}, ldapauth.ReasonTimeout},
	"hanging up": {func(p *peer, _ byte) { _ = p.Close() }, ldapauth.ReasonLost},
	"half a message": {func(p *peer, id byte) {
		_, _ = p.Write(result(int64(id), ldap.ApplicationBindResponse, 0, "").Bytes()[:8])
		_ = p.Close()
	}, ldapauth.ReasonLost},
	"announcing 1 GiB":  {func(p *peer, _ byte) { _, _ = p.Write(header(1 << 30)) }, ldapauth.ReasonTooBig},
	"announcing 4 GiB":  {func(p *peer, _ byte) { _, _ = p.Write(header(1<<32 - 1)) }, ldapauth.ReasonTooBig},
	"1 MiB and more":    {func(p *peer, _ byte) { _, _ = p.Write(header(1<<20 + 1)) }, ldapauth.ReasonTooBig},
	"length in 8 bytes": {func(p *peer, _ byte) { _, _ = p.Write([]byte{0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 1}) }, ldapauth.ReasonProtocol},
	"indefinite length": {func(p *peer, id byte) { _, _ = p.Write([]byte{0x30, 0x80, 0x02, 1, id, 0x61, 0x80, 0x0a, 1, 0}) }, ldapauth.ReasonProtocol},
	"nested indefinitely": {func(p *peer, id byte) {
		_, _ = p.Write([]byte{0x30, 10, 0x02, 1, id, 0x61, 0x80, 0x0a, 1, 0, 0, 0})
	}, ldapauth.ReasonProtocol},
	"20 levels":    {func(p *peer, id byte) { _, _ = p.Write(nested(id, 20)) }, ldapauth.ReasonProtocol},
	"10000 levels": {func(p *peer, id byte) { _, _ = p.Write(nested(id, 10_000)) }, ldapauth.ReasonProtocol},
	"inner length beyond the end": {func(p *peer, id byte) {
		_, _ = p.Write([]byte{0x30, 12, 0x02, 1, id, 0x61, 7, 0x0a, 1, 0, 0x04, 0x82, 0xff, 0xff})
	}, ldapauth.ReasonProtocol},
	"half a million elements": {func(p *peer, id byte) {
		_, _ = p.Write(slices.Concat(header(1_000_016), []byte{0x02, 1, id, 0x61, 0x84}, header(1_000_007)[2:],
			[]byte{0x0a, 1, 0, 0x04, 0, 0x04, 0}, bytes.Repeat([]byte{0x04, 0}, 500_000)))
	}, ldapauth.ReasonProtocol},
	"another protocol": {func(p *peer, _ byte) { _, _ = p.Write([]byte("HTTP/1.1 200 OK\r\n\r\n")) }, ldapauth.ReasonProtocol},
	"no result":        {func(p *peer, id byte) { _, _ = p.Write([]byte{0x30, 5, 0x02, 1, id, 0x61, 0}) }, ldapauth.ReasonProtocol},
	"empty result": {func(p *peer, id byte) {
		_, _ = p.Write([]byte{0x30, 11, 0x02, 1, id, 0x61, 6, 0x0a, 0, 0x04, 0, 0x04, 0})
	}, ldapauth.ReasonProtocol},
	"result of nine bytes": {func(p *peer, id byte) { // which the library takes for zero
		_, _ = p.Write([]byte{0x30, 20, 0x02, 1, id, 0x61, 15, 0x0a, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x04, 0, 0x04, 0})
	}, ldapauth.ReasonProtocol},
	"result as a number": {func(p *peer, id byte) {
		_, _ = p.Write([]byte{0x30, 12, 0x02, 1, id, 0x61, 7, 0x02, 1, 0, 0x04, 0, 0x04, 0})
	}, ldapauth.ReasonProtocol},
	"negative result": {func(p *peer, id byte) {
		_, _ = p.Write([]byte{0x30, 12, 0x02, 1, id, 0x61, 7, 0x0a, 1, 0xff, 0x04, 0, 0x04, 0})
	}, ldapauth.ReasonProtocol},
	"success of something else": {func(p *peer, id byte) {
		p.send(result(int64(id), ldap.ApplicationSearchResultDone, 0, ""))
	}, ldapauth.ReasonProtocol},
	"success of nothing": {func(p *peer, id byte) { p.send(result(int64(id), 30, 0, "")) }, ldapauth.ReasonProtocol},
	"result of zero beside 65536": {func(p *peer, id byte) {
		p.send(result(int64(id), ldap.ApplicationBindResponse, 1<<16, ""))
	}, ldapauth.ReasonProtocol},
	"notice of disconnection": {func(p *peer, _ byte) {
		p.send(result(0, ldap.ApplicationExtendedResponse, ldap.LDAPResultUnavailable, ""))
	}, ldapauth.ReasonLost},
	"answering somebody else": {func(p *peer, id byte) {
		p.send(result(int64(id)+1, ldap.ApplicationBindResponse, 0, ""))
	}, ldapauth.ReasonTimeout},
}

func TestFaults(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			s := startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
				if op(r) != 0 || r.Children[1].Children[1].Data.String() != annDN {
					return false
				}
				fault.do(p, byte(r.Children[0].Value.(int64)))
				return true
			})
			o := plain(s)
			if fault.reason == ldapauth.ReasonTimeout {
				o.Timeout = 200 * time.Millisecond
			}
			d := slapdtest.New(t, o)
			before := heap()
			id, err := d.Authenticate(t.Context(), "ann", annsSecret)
			if grown := heap() - before; grown > 16<<20 { // half of it the test's own
				t.Errorf("it took %d MiB", grown>>20)
			}
			if id != nil {
				t.Error("signed in")
			}
			checkReason(t, err, ldapauth.StageBind, 0, fault.reason)
		})
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.TotalAlloc)
}

// A flood of entries and references ends where no good server would have come.
func TestFlood(t *testing.T) {
	for name, flood := range map[string]func(id int64) *ber.Packet{
		"entries": ann,
		"references": func(id int64) *ber.Packet {
			r := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultReference, nil, "")
			r.AppendChild(text("ldap://127.0.0.1:1/"))
			return envelope(id, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
				if op(r) != ldap.ApplicationSearchRequest {
					return false
				}
				one := flood(r.Children[0].Value.(int64)).Bytes()
				for many := bytes.Repeat(one, 100); ; {
					if _, err := p.Write(many); err != nil {
						return true
					}
				}
			})
			o := plain(s)
			o.MaxMessage = 64 << 10
			_, err := slapdtest.New(t, o).Authenticate(t.Context(), "ann", annsSecret)
			if name == "entries" {
				checkError(t, err, ldapauth.StageSearch, 0, ldapauth.ReasonAmbiguous)
				return
			}
			checkReason(t, err, ldapauth.StageSearch, 0, ldapauth.ReasonTooBig)
		})
	}
}

// Whoever gives up is not kept waiting, and is not told of an outage.
func TestCanceled(t *testing.T) {
	asked := make(chan bool, 1)
	s := startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
		if op(r) == ldap.ApplicationSearchRequest {
			asked <- true
			return true
		}
		return false
	})
	d := slapdtest.New(t, plain(s))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, err := d.Authenticate(ctx, "ann", annsSecret)
	if !errors.Is(err, context.Canceled) || errors.Is(err, roster.ErrUnavailable) {
		t.Error(err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = d.Authenticate(ctx, "ann", annsSecret)
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, roster.ErrUnavailable) {
		t.Error(err)
	}
}

// A server that says yes without knowing whom it said it to.
func TestWhoAmI(t *testing.T) {
	for authz, reason := range map[string]ldapauth.Reason{
		"":                          ldapauth.ReasonAnonymous,
		"dn:":                       ldapauth.ReasonAnonymous,
		"dn:uid=ben,ou=people,dc=x": ldapauth.ReasonOther,
		"dn:no dn":                  ldapauth.ReasonOther,
		"dn:" + annDN:               "",
		"dn:UID=Ann, OU=people ,dc=example,dc=org": "",
		"u:CORP\\ann": "",
	} {
		s := startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
			if op(r) != ldap.ApplicationExtendedRequest {
				return false
			}
			p.send(whoAmI(r.Children[0].Value.(int64), authz))
			return true
		})
		o := plain(s)
		_, err := slapdtest.New(t, o).Authenticate(t.Context(), "ann", annsSecret)
		if reason == "" {
			if err != nil {
				t.Errorf("%q: %v", authz, err)
			}
			continue
		}
		if !errors.Is(err, roster.ErrCredentials) {
			t.Errorf("%q: %v", authz, err)
		}
		checkError(t, err, ldapauth.StageWhoAmI, 0, reason)
		o.SkipWhoAmI = true
		if _, err := slapdtest.New(t, o).Authenticate(t.Context(), "ann", annsSecret); err != nil {
			t.Errorf("%q: %v", authz, err)
		}
	}
}
