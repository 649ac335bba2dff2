package ldapauth

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync/atomic"
)

// The replies of LDAP, by application tag (RFC 4511, section 4.2 and on).
const (
	replyBind      = 1
	replyEntry     = 4
	replySearch    = 5
	replyModify    = 7
	replyReference = 19
	replyExtended  = 24
)

// replies is a set of them.
type replies uint32

func setOf(tags ...int) (s replies) {
	for _, tag := range tags {
		s |= 1 << tag
	}
	return s
}

// The replies that a request may have.
var (
	toBind     = setOf(replyBind)
	toSearch   = setOf(replyEntry, replySearch, replyReference)
	toModify   = setOf(replyModify)
	toExtended = setOf(replyExtended)
)

// What is wrong with what a server sends.
var (
	errTooBig    = errors.New("ldapauth: a message, or all of an answer, is too big")
	errMalformed = errors.New("ldapauth: malformed message")
	errUnasked   = errors.New("ldapauth: a message that nobody asked for")
	errHungUp    = errors.New("ldapauth: the server ends the connection")
)

const (
	maxDepth    = 12      // an entry has six levels, an entry with controls no more
	maxElements = 1 << 16 // the library keeps some 250 bytes for each
)

// wire is the connection that the library reads from. It hands up whole messages
// that were looked at before: the library's own limits are 2 GiB and 1,000 levels,
// and it takes whatever has a result code of zero for the success that was
// waited for. Between requests nothing may come. One goroutine reads; the rest is
// safe for concurrent use.
type wire struct {
	net.Conn
	raw     net.Conn // below TLS
	in      *bufio.Reader
	max     int // bytes of a message
	message []byte
	wanted  atomic.Uint32 // replies
	left    atomic.Int64  // bytes that the answer to the request may still have
	last    atomic.Uint32 // result code of the last answer
	broken  atomic.Pointer[error]
}

func newWire(stream, raw net.Conn, limit int) *wire {
	return &wire{Conn: stream, raw: raw, in: bufio.NewReader(stream), max: limit}
}

// ask makes way for the answer to one request.
func (w *wire) ask(wanted replies, budget int64) {
	w.last.Store(0)
	w.left.Store(budget)
	w.wanted.Store(uint32(wanted))
}

// abort ends the connection, whatever it is waiting for.
func (w *wire) abort() { _ = w.raw.Close() }

// err is why the connection is of no more use. It is nil as long as it is.
func (w *wire) err() error {
	if p := w.broken.Load(); p != nil {
		return *p
	}
	return nil
}

// Read implements [net.Conn].
func (w *wire) Read(p []byte) (int, error) {
	if err := w.err(); err != nil {
		return 0, err
	}
	if len(w.message) == 0 {
		if err := w.next(); err != nil {
			w.broken.Store(&err)
			w.abort()
			return 0, err
		}
	}
	n := copy(p, w.message)
	w.message = w.message[n:]
	return n, nil
}

// next reads a message.
func (w *wire) next() error {
	text, err := readMessage(w.in, w.max)
	if err != nil {
		return err
	}
	m, err := parseMessage(text)
	switch {
	case err != nil:
		return err
	case m.id == 0 && m.reply == replyExtended: // RFC 4511, section 4.4
		return errHungUp
	case replies(w.wanted.Load())&(1<<m.reply) == 0:
		return errUnasked
	case w.left.Add(-int64(len(text))) < 0:
		return errTooBig
	}
	w.last.Store(m.code)
	w.message = text
	return nil
}

// readMessage reads one message, header and all. Memory grows by what arrives,
// not by what is announced.
func readMessage(in io.Reader, limit int) ([]byte, error) {
	var head [6]byte
	if _, err := io.ReadFull(in, head[:2]); err != nil {
		return nil, err
	}
	if head[0] != 0x30 {
		return nil, errMalformed
	}
	size, n := int64(head[1]), 2
	if octets := int(head[1]) - 0x80; octets >= 0 {
		if octets < 1 || octets > 4 { // 0: of indefinite length, which RFC 4511 forbids
			return nil, errMalformed
		}
		n += octets
		if _, err := io.ReadFull(in, head[2:n]); err != nil {
			return nil, short(err)
		}
		var length [8]byte
		copy(length[8-octets:], head[2:n])
		size = int64(binary.BigEndian.Uint64(length[:]))
	}
	if size > int64(limit) {
		return nil, errTooBig
	}
	text := bytes.NewBuffer(head[:n:n])
	if _, err := io.CopyN(text, in, size); err != nil {
		return nil, short(err)
	}
	return text.Bytes(), nil
}

// short makes the end in the middle of something an error of its own.
func short(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// message is what is known of a reply before the library has read it.
type message struct {
	id    int64
	reply int
	code  uint32 // of a reply that has a result; zero is success
}

// parseMessage checks that a message is well-formed through and through: definite
// lengths that fit into each other, few levels, not too many elements; and that
// what has a result has one.
func parseMessage(text []byte) (m message, err error) {
	elements := 0
	if !wellFormed(text, maxDepth, &elements) {
		return m, errMalformed
	}
	_, body, _, _ := element(text)
	tag, id, rest, ok := element(body)
	if !ok || tag != 0x02 || len(id) < 1 || len(id) > 4 || id[0] >= 0x80 {
		return m, errMalformed
	}
	for _, b := range id {
		m.id = m.id<<8 | int64(b)
	}
	tag, reply, _, ok := element(rest)
	m.reply = int(tag & 0x1f)
	if !ok || tag&0xe0 != 0x60 || m.reply == 0x1f {
		return m, errMalformed
	}
	switch m.reply {
	case replyBind, replySearch, replyModify, replyExtended:
	default:
		return m, nil
	}
	tag, code, _, ok := element(reply)
	if !ok || tag != 0x0a || len(code) < 1 || len(code) > 3 || code[0] >= 0x80 {
		return m, errMalformed
	}
	for _, b := range code {
		m.code = m.code<<8 | uint32(b)
	}
	return m, nil
}

// wellFormed reports whether text is nothing but elements, and those that have
// elements too.
func wellFormed(text []byte, depth int, elements *int) bool {
	if depth == 0 {
		return false
	}
	for len(text) > 0 {
		tag, value, rest, ok := element(text)
		if *elements++; !ok || *elements > maxElements {
			return false
		}
		if tag&0x20 != 0 && !wellFormed(value, depth-1, elements) {
			return false
		}
		text = rest
	}
	return true
}

// element takes the first element off text. Tags above 30 are not of LDAP.
func element(text []byte) (tag byte, value, rest []byte, ok bool) {
	if len(text) < 2 || text[0]&0x1f == 0x1f || text[0] == 0 { // 0: the end of something indefinite
		return 0, nil, nil, false
	}
	size, n := uint64(text[1]), 2
	if octets := int(text[1]) - 0x80; octets >= 0 {
		if octets < 1 || octets > 4 || len(text) < 2+octets {
			return 0, nil, nil, false
		}
		size = 0
		for _, b := range text[2 : 2+octets] {
			size = size<<8 | uint64(b)
		}
		n += octets
	}
	if size > uint64(len(text)-n) {
		return 0, nil, nil, false
	}
	end := n + int(size)
	return text[0], text[n:end], text[end:], true
}
