package mailer

import (
	"context"
	"errors"
	"strconv"
	"strings"
)

// Transport is a way that messages leave: [SMTP], or the host's own. It is safe
// for concurrent use.
type Transport interface {
	// Dial begins a session. What fails then is nobody's message: it is tried
	// again, however often.
	Dial(ctx context.Context) (Session, error)
}

// Session sends messages one after the other. It is for one goroutine.
type Session interface {
	// Send hands a message over. If it returns nil somebody else has taken the
	// responsibility for it. An error that is not a [*SendError] is taken for a
	// temporary one.
	Send(ctx context.Context, m *Message) error

	// Close ends the session. Its error says nothing about the messages.
	Close() error
}

// Stage is how far a session or message had come when it failed.
type Stage string

// The stages of a session and of each message in it.
const (
	StageDial     Stage = "dial"
	StageTLS      Stage = "tls"
	StageGreeting Stage = "greeting"
	StageHello    Stage = "ehlo"
	StageStartTLS Stage = "starttls"
	StageAuth     Stage = "auth"
	StageMessage  Stage = "message" // before anything of it was sent
	StageMail     Stage = "mail"
	StageRcpt     Stage = "rcpt"
	StageData     Stage = "data" // the message itself, too
	StageDot      Stage = "dot"  // all of it was sent, the answer is missing
	StageQuit     Stage = "quit"
)

// SendError says where the way of a message ended. Its text is the stage and
// the codes of the server's answer, and never what the server said, which may
// hold anything: addresses, for instance.
type SendError struct {
	Stage    Stage
	Code     int    // of the answer (RFC 5321, section 4.2), zero if there was none
	Enhanced string // of the answer (RFC 3463), as "5.1.1"; empty if there was none

	// Permanent says that to try again is in vain. Undeliverable says that it is
	// so because of the recipient's address, for every message.
	Permanent     bool
	Undeliverable bool

	// Reply is what the server said, quoted as by %+q and cut to a length. It may
	// hold the recipient's address.
	Reply string

	// Cause is the error of the network, of TLS or of the context. It may be nil.
	Cause error
}

func (e *SendError) Error() string { return "mailer: not sent: " + e.class() }

// Unwrap returns the cause, which may be nil.
func (e *SendError) Unwrap() error { return e.Cause }

// class is the error in a few words that nobody outside can choose.
func (e *SendError) class() string {
	parts := []string{string(e.Stage)}
	if e.Code != 0 {
		parts = append(parts, strconv.Itoa(e.Code))
	}
	if e.Enhanced != "" {
		parts = append(parts, e.Enhanced)
	}
	if errors.Is(e.Cause, errUTF8) {
		parts = append(parts, "smtputf8")
	}
	return strings.Join(parts, " ")
}

// What an [roster.UnavailableError] of this package names.
const (
	UnavailableSMTP     = "smtp"      // the server does not answer as it should
	UnavailableSMTPTLS  = "smtp_tls"  // there is no safe connection to it
	UnavailableSMTPAuth = "smtp_auth" // it does not take the user name and password
	UnavailableOutbox   = "outbox"    // too many mails wait
)
