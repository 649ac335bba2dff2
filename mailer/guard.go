package mailer

import (
	"errors"
	"net"
	"sync"
	"time"
)

// maxReply is how much a server may answer to one command, in bytes: a hundred
// lines of two KiB, and what TLS adds to them.
const maxReply = 256 << 10

var errReplyTooLong = errors.New("mailer: the server does not stop talking")

// guard is a connection to a server that is not trusted: it reads no more than
// maxReply between two writes, and can be aborted at any time.
type guard struct {
	net.Conn

	mu      sync.Mutex
	aborted bool

	read int // since the last write

	// startTLS is 2 before the command STARTTLS and 1 while its answer is read,
	// then byte by byte: what somebody has put behind the answer stays where it
	// is, and breaks the handshake (RFC 3207, section 6; CVE-2011-0411).
	startTLS int
}

// Read implements [net.Conn].
func (g *guard) Read(p []byte) (int, error) {
	if g.startTLS == 1 && len(p) > 1 {
		p = p[:1]
	}
	if g.read >= maxReply {
		return 0, errReplyTooLong
	}
	n, err := g.Conn.Read(p[:min(len(p), maxReply-g.read)])
	g.read += n
	return n, err
}

// Write implements [net.Conn].
func (g *guard) Write(p []byte) (int, error) {
	g.read = 0
	if g.startTLS > 0 {
		g.startTLS--
	}
	return g.Conn.Write(p)
}

// SetDeadline implements [net.Conn]. It does nothing after abort.
func (g *guard) SetDeadline(t time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.aborted {
		return nil
	}
	return g.Conn.SetDeadline(t)
}

// abort makes every read and write fail, also those that wait now.
func (g *guard) abort() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.aborted = true
	_ = g.Conn.SetDeadline(time.Unix(1, 0))
}
